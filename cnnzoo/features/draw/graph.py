"""A network as a diagram: boxes, what flows between them, and frames around opened blocks; no layout."""

from __future__ import annotations

from itertools import count
from textwrap import wrap
from typing import NamedTuple

from ...arch.node import Node
from ...arch.sequential import Aux
from ...report import Report, Row, Shape, known_sum
from ...report.columns import window
from .levels import INPUT, Index, Level, Part, Role

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
    """The shape of the output."""
    aux: bool = False


class Edge(NamedTuple):
    """What the `source` hands to the `target`, both by `id`."""

    source: str
    target: str
    shape: Shape
    aux: bool


class Frame(NamedTuple):
    """An opened block."""

    id: str
    frame: str | None
    """The `id` of the frame around it."""
    name: str
    kind: str
    times: int
    aux: bool

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
    neighbours folded into one."""
    description: Node = report.description
    top = Level(Index(report), depth)
    top.out = top.run("", description, INPUT)
    whole = top.parts[0].inner if top.parts and top.parts[0].inner else top
    return _Drawing(report).graph(whole, isinstance(description, Aux))


class _Drawing:
    """Levels laid out into one list of boxes."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.boxes: list[Box] = []
        self.edges: list[Edge] = []
        self.frames: list[Frame] = []
        self.ids = map("n{}".format, count())

    def graph(self, whole: Level, aux: bool) -> Graph:
        start = self._put(Box(next(self.ids), None, "input", "input", shape=self.report.input_size))
        self._end(self._level(whole, start, None, 1, aux), "output")
        return Graph(self.report, tuple(self.boxes), tuple(self.edges), tuple(self.frames))

    def _level(self, level: Level, source: Box, frame: str | None, times: int, aux: bool) -> Box:
        """Lay out a level that reads a box; the box that its output comes from."""
        if level.forks:
            source = self._put(Box(next(self.ids), frame, "fork", "", shape=source.shape, aux=aux), source)
        boxes = {INPUT: source}
        for number, part in enumerate(level.parts):
            sources = [boxes[source] for source, target in level.arrows if target == number]
            apart, together = aux or part.head, times * len(part.names)
            if part.inner is None:
                boxes[number] = self._put(self._box(part, frame, together, apart), *sources)
            else:
                inner = Frame(f"f{len(self.frames)}", frame, _name(part), part.rows[0].kind, len(part.names), apart)
                self.frames.append(inner)
                boxes[number] = self._level(part.inner, sources[0], inner.id, together, apart)
            if part.head:
                self._end(boxes[number], "output in training")
        return boxes[level.out]

    def _box(self, part: Part, frame: str | None, times: int, aux: bool) -> Box:
        return Box(
            next(self.ids),
            frame,
            part.role,
            _name(part),
            _lines(part.rows),
            tuple(row.path for row in part.rows),
            len(part.names),
            known_sum([row.params for row in part.rows] * times),
            known_sum([row.macs for row in part.rows] * times),
            part.rows[-1].output_shape,
            aux,
        )

    def _end(self, last: Box, name: str) -> None:
        self._put(Box(next(self.ids), None, "output", name, shape=last.shape, aux=last.aux), last)

    def _put(self, box: Box, *sources: Box) -> Box:
        self.boxes.append(box)
        self.edges += [Edge(source.id, box.id, source.shape, box.aux) for source in sources]
        return box


def _name(part: Part) -> str:
    first, *others = part.names
    return f"{first}-{others[-1]}" if others else first


def _lines(rows: list[Row]) -> tuple[str, ...]:
    """What a box is: its first layer or block, and in other lines what is stacked on it."""
    first, *stacked = rows
    head = [] if first.own else [f"{first.kind} {window(first).replace('x', '×')}".rstrip()]
    return (*head, *wrap(", ".join(row.kind for row in stacked), WIDTH))
