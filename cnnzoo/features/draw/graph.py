"""A network as a diagram: boxes, what flows between them, and frames around opened blocks; no layout."""

from __future__ import annotations

from itertools import count
from textwrap import wrap
from typing import NamedTuple

from ...arch.sequential import Aux
from ...calculate import names_of
from ...report import Report, Shape, known_sum
from ...report.columns import window
from .levels import INPUT, WHOLE, Level, Part, Role, Value, levels, slots

WIDTH = 30
"""Characters of a line in a box, about."""


class Box(NamedTuple):
    """A block that is not opened, or a layer with those behind it that change each position by itself."""

    id: str
    frame: str | None
    """The `id` of the innermost frame around it."""
    role: Role
    name: str
    lines: tuple[str, ...] = ()
    """Kinds and kernels of its layers."""
    paths: tuple[str, ...] = ()
    """Of its layers in the report; where it stands for several equals, of the first's."""
    times: int = 1
    """How many equals in a row it stands for, apart from those that a frame around it does."""
    params: int | None = 0
    macs: int | None = 0
    """Of all that it stands for together, as in a report's tables."""
    shape: Shape = ()
    """The shape of the output, of several the first."""
    aux: bool = False
    layers: str = ""
    """Where layers of another name run: what these are called."""


class Edge(NamedTuple):
    """What the `source` hands to the `target`, both by `id`."""

    source: str
    target: str
    shape: Shape
    aux: bool
    name: str = ""
    """Which of several values that the source gives it is, or the path of the value in it."""


class Frame(NamedTuple):
    """An opened block."""

    id: str
    frame: str | None
    """The `id` of the frame around it."""
    name: str
    kind: str
    times: int
    aux: bool
    layers: str = ""
    """Where layers of another name run: what these are called."""

    @property
    def words(self) -> str:
        """Its kind, to be said after its name; a row of blocks is seen without words."""
        return "" if self.kind == "Sequential" else f" {self.kind}"


class Graph(NamedTuple):
    """A diagram: boxes in the order in which they run, frames parents first."""

    report: Report
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    frames: tuple[Frame, ...]

    @property
    def forks(self) -> set[str]:
        """The boxes that only hand on what they get: an edge to them says what those from them would repeat."""
        return {box.id for box in self.boxes if box.role == "fork"}


def diagram(report: Report, depth: int) -> Graph:
    """The diagram of the network that a report is calculated from, its blocks opened `depth` levels down, equal
    neighbours folded into one; layers that run again are a box by the name of the block whose layers they are."""
    return _Drawing(report).graph(levels(report, depth), isinstance(report.description, Aux))


class _Source(NamedTuple):
    """From where an arrow comes."""

    box: Box
    shape: Shape
    name: str = ""
    """Which of the box's values it is, where that is to be said."""


class _Drawing:
    """Levels laid out into one list of boxes."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.boxes: list[Box] = []
        self.edges: list[Edge] = []
        self.frames: list[Frame] = []
        self.ids = map("n{}".format, count())

    def graph(self, whole: Level, aux: bool) -> Graph:
        sizes = (self.report.input_size, *self.report.more_inputs)
        names = names_of(self.report.description, len(sizes)) or ("",)
        boxes = [
            self._put(Box(next(self.ids), None, "input", _end("input", name), shape=size))
            for name, size in zip(names, sizes, strict=True)
        ]
        entering = {name: _Source(box, box.shape) for name, box in zip(slots(sizes), boxes, strict=True)}
        leaving = self._level(whole, entering, None, 1, aux)
        for name in whole.out:
            self._end(leaving[name], _end("output", name))
        return Graph(self.report, tuple(self.boxes), tuple(self.edges), tuple(self.frames))

    def _level(
        self, level: Level, entering: dict[str, _Source], frame: str | None, times: int, aux: bool
    ) -> dict[str, _Source]:
        """Lay out a level on what enters it, by name; where what is read outside comes from, by name or path."""
        for name in level.forks:
            given = entering[name]
            fork = self._put(Box(next(self.ids), frame, "fork", "", shape=given.shape, aux=aux), given)
            entering = {**entering, name: _Source(fork, given.shape)}
        boxes: dict[int, Box] = {}
        inside: dict[int, dict[str, _Source]] = {INPUT: entering}

        def source(value: Value) -> _Source:
            opened = inside.get(value.part)
            return opened[value.name] if opened else _Source(boxes[value.part], value.shape, value.name)

        for number, part in enumerate(level.parts):
            sources = {arrow.slot: source(arrow.value) for arrow in level.arrows if arrow.part == number}
            apart, together = aux or part.head, times * len(part.names)
            if part.inner is None:
                boxes[number] = self._put(self._box(part, frame, together, apart), *sources.values())
            else:
                inner = Frame(
                    f"f{len(self.frames)}",
                    frame,
                    _name(part),
                    part.rows[0].kind,
                    len(part.names),
                    apart,
                    part.layers,
                )
                self.frames.append(inner)
                inside[number] = self._level(part.inner, sources, inner.id, together, apart)
            if part.head:
                self._end(source(Value(number, WHOLE, part.rows[-1].output_shape)), "output in training")
        return {name: source(value) for name, value in level.leaving().items()}

    def _box(self, part: Part, frame: str | None, times: int, aux: bool) -> Box:
        return Box(
            next(self.ids),
            frame,
            part.role,
            _name(part),
            _lines(part),
            tuple(row.path for row in part.rows),
            len(part.names),
            known_sum([row.params for row in part.rows] * times),
            known_sum([row.macs for row in part.rows] * times),
            part.rows[-1].output_shape,
            aux,
            part.layers,
        )

    def _end(self, last: _Source, name: str) -> None:
        self._put(Box(next(self.ids), None, "output", name, shape=last.shape, aux=last.box.aux), last)

    def _put(self, box: Box, *sources: _Source) -> Box:
        self.boxes.append(box)
        self.edges += [Edge(end.box.id, box.id, end.shape, box.aux, end.name) for end in sources]
        return box


def _end(kind: str, name: str) -> str:
    return f"{kind}.{name}" if name else kind


def _name(part: Part) -> str:
    first, *others = part.names
    return f"{first}-{others[-1]}" if others else first


def _lines(part: Part) -> tuple[str, ...]:
    """What a box is: its first layer or block or what meets in it, and in other lines what is stacked on it."""
    first, *stacked = part.rows
    what = part.sign or f"{first.kind} {window(first).replace('x', '×')}".rstrip()
    head = [] if first.own else [what]
    return (*head, *wrap(", ".join(row.kind for row in stacked), WIDTH))
