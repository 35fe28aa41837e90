"""A description as what a diagram shows of it: levels of parts, layers stacked and equal neighbours folded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import le
from typing import Any, Literal, NamedTuple, TypeAlias

from ...arch.detection import RegionPooling
from ...arch.join import Flow, Join
from ...arch.meetings import Add, Cat, Divide, MatMul, Meeting, Multiply, PadLike, Stack, Subtract, UpsampleLike
from ...arch.node import Layer, Node, Ports
from ...arch.sequential import Aux
from ...arch.signal import POINTWISE
from ...arch.steps import Several, Step, values_of
from ...arch.walker import child_path
from ...calculate import names_of
from ...report import Report, Row, Shape, added

Role: TypeAlias = Literal["input", "output", "fork", "convolution", "linear", "pooling", "other", "block", "add", "cat"]
"""What a box of a diagram is."""

INPUT = -1
"""Where what enters a level comes from; all else that flows in it comes from a part, by the position of that."""

WHOLE = ""
"""`Value.name` where a part gives one value, and that is the value."""


class Value(NamedTuple):
    """What flows in a level."""

    part: int
    """The position of the part that makes it, or `INPUT`."""
    name: str
    """Which of the values that the part gives, or the path of the value in it; of several that enter the position."""
    shape: Shape


def _is_less(made: Shape, of: Shape) -> bool:
    """Whether an output is a part of what it is made of."""
    return made != of and all(map(le, made, of))


class Arrow(NamedTuple):
    """A part reads a value."""

    value: Value
    part: int
    slot: str
    """As which of several values it enters the part, by position."""


MEETINGS: dict[type[Meeting], tuple[Role, str]] = {
    Add: ("add", "+"),
    Subtract: ("add", "−"),
    Divide: ("add", "÷"),
    Multiply: ("add", "×"),
    MatMul: ("add", "matmul"),
    Cat: ("cat", "concat"),
    Stack: ("cat", "stack"),
    UpsampleLike: ("other", "resize"),
    PadLike: ("other", "pad"),
    RegionPooling: ("pooling", "regions"),
}
"""The role and the sign of each kind of meeting."""


@dataclass
class Part:
    """A layer and what is stacked on it, or a block; several equal ones in a row are one part."""

    role: Role
    names: list[str]
    """The name of each of the equal parts that it stands for."""
    rows: list[Row]
    """The rows of the first of the equal parts: its layers, or the block."""
    slight: bool = False
    """Whether it costs no MACs and changes each position by itself, or nothing but the shape."""
    inner: Level | None = None
    """What is in it, where it is a block that is opened."""
    head: bool = False
    """Whether it is an auxiliary head, whose output goes nowhere."""
    gives: Ports = (WHOLE,)
    """The names of its values."""
    sign: str = ""
    """What becomes of values that meet in it."""
    layers: str = ""
    """Of a `Run`: what it runs, as it is named there."""

    def looks(self) -> tuple[object, ...]:
        """All that makes two neighbours equal."""
        drawn = [(row.kind, row.settings, row.input_shape, row.output_shape, row.params, row.macs) for row in self.rows]
        return self.role, drawn, self.gives, self.sign, self.layers, self.inner and self.inner.looks()


@dataclass
class Level(Flow[Any]):
    """The inside of a block as values flow through it: parts, and arrows between their positions."""

    rows: Iterator[Row]
    """Those of the report that have not run yet."""
    frames: dict[str, Row]
    """The blocks by path."""
    depth: int
    """Levels that are opened in it."""
    path: str = ""
    """Where it stands in the report."""
    wanted: Ports = ()
    """The paths of the values in it that are read outside."""
    parts: list[Part] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    out: dict[str, Value] = field(default_factory=dict)
    """What leaves it, by name."""
    seen: dict[str, Any] = field(default_factory=dict)
    """The values that its children give, by path."""
    ran: list[Row] = field(default_factory=list)
    """The rows of all that has run in it."""

    def looks(self) -> tuple[object, ...]:
        return [part.looks() for part in self.parts], self.arrows, self.out

    def run(self, name: str, child: Node, x: Any) -> Any:
        return self._child(name, child_path(self.path, name), child, x, ())

    def look(self, name: str, child: Node, x: Any, paths: Ports) -> Any:
        return self._child(name, child_path(self.path, name), child, x, paths)

    def again(self, step: Step, x: Any) -> Any:
        return self._child(step.name, child_path(self.path, step.layers), step.node, x, step.looks, step.layers)

    def inner(self, path: str) -> Any:
        return self.seen[path]

    def meet(self, name: str, meeting: Meeting, parts: list[Value]) -> Value:
        role, sign = next(said for kind, said in MEETINGS.items() if isinstance(meeting, kind))
        dim = getattr(meeting, "dim", 1)
        row = self._next()
        if isinstance(meeting, PadLike) and _is_less(row.output_shape, parts[0].shape):
            sign = "crop"
        part = Part(role, [name or sign], [row], sign=sign if dim == 1 else f"{sign} dim {dim}")
        y = self.seen[name] = Value(self._put(part, parts), WHOLE, row.output_shape)
        return y

    @property
    def forks(self) -> list[str]:
        """Which of the values that enter are read by several parts."""
        readers = Counter(arrow.value.name for arrow in self.arrows if arrow.value.part == INPUT)
        return [name for name, count in readers.items() if count > 1]

    def _child(self, name: str, path: str, child: Node, x: Any, looks: Ports, layers: str = "") -> Any:
        inside = f"{name}."
        looks = (*looks, *(path.removeprefix(inside) for path in self.wanted if path.startswith(inside)))
        if isinstance(child, Layer):
            row = self._next()
            slight = row.input_shape == row.output_shape and child.windows(row.input_shape) == POINTWISE
            slight = child.is_view or (slight and not row.macs)
            part = Part(row.role, [name or row.kind], [row], slight, layers=layers)
            y: Any = Value(self._put(part, [x]), WHOLE, row.output_shape)
        else:
            assert isinstance(child, Join)
            inner = Level(self.rows, self.frames, self.depth - 1, path, looks)
            y = child.flow(_entering(x), inner)
            self.ran += inner.ran
            number = len(self.parts)
            values = {WHOLE: y} if not isinstance(y, Several) else dict(y)
            inner.out = values

            def leaves(value: Value, at: str) -> Value:
                """What a value in the block is outside, where it goes by a name; an empty block hands on its input."""
                return Value(number, at, value.shape) if inner.parts else values_of(x)[int(value.name or 0)]

            named = {at: leaves(value, at) for at, value in values.items()}
            self.seen |= {f"{inside}{at}": leaves(inner.seen[at], at) for at in looks}
            y = Several(named) if isinstance(y, Several) else named[WHOLE]
            if inner.parts:
                self._put(self._block(name, path, child, x, inner, layers), values_of(x))
        self.seen[name] = y
        return y

    def _block(self, name: str, path: str, child: Join, x: Any, inner: Level, layers: str) -> Part:
        """The part that a block is. Layers that have run before are not opened again."""
        frame = self.frames[path]
        first = x.part(child._takes[0]) if isinstance(x, Several) else x
        shapes = {"input_shape": first.shape, "output_shape": next(iter(inner.out.values())).shape}
        row = added(frame._replace(known={}, **shapes), [row for row in inner.ran if row.aux == frame.aux])
        part = Part("block", [name], [row], head=isinstance(child, Aux), gives=tuple(inner.out), layers=layers)
        if self.depth > 0 and not (layers and any(row.call > 1 for row in inner.ran)):
            inner._merge(_stacked)
            inner._merge(_folded)
            part.inner = inner
        return part

    def _next(self) -> Row:
        row = next(self.rows)
        self.ran.append(row)
        return row

    def _put(self, part: Part, reads: Sequence[Value]) -> int:
        number = len(self.parts)
        self.parts.append(part)
        self.arrows += [Arrow(value, number, slot) for slot, value in zip(slots(reads), reads, strict=True)]
        return number

    def leaving(self) -> dict[str, Value]:
        """What is read outside, by name or path."""
        return {**{path: self.seen[path] for path in self.wanted}, **self.out}

    def _merge(self, merged: Callable[[Part, Part], bool]) -> None:
        """Where a part reads all that another gives, as it is given, and is all that reads it, one part of the two if
        they can be `merged`."""
        reads: dict[int, list[Value]] = {}
        for arrow in self.arrows:
            reads.setdefault(arrow.part, []).append(arrow.value)
        readers = Counter(value.part for value in (*(arrow.value for arrow in self.arrows), *self.leaving().values()))
        parts: list[Part] = []
        position = {INPUT: INPUT}
        for number, part in enumerate(self.parts):
            source = reads[number][0].part
            before = parts[position[source]] if source != INPUT else None
            names = [value.name for value in reads[number] if value.part == source]
            if (
                before is not None
                and readers[source] == len(reads[number]) == len(names)
                and before.gives == tuple(names)
                and merged(before, part)
            ):
                position[number] = position[source]
            else:
                position[number] = len(parts)
                parts.append(part)

        def moved(value: Value) -> Value:
            return value._replace(part=position[value.part])

        self.parts = parts
        arrows = [Arrow(moved(value), position[part], slot) for value, part, slot in self.arrows]
        self.arrows = [arrow for arrow in arrows if arrow.value.part != arrow.part]
        self.out = {name: moved(value) for name, value in self.out.items()}
        self.seen |= {path: moved(self.seen[path]) for path in self.wanted}


def levels(report: Report, depth: int) -> Level:
    """What a diagram shows of the network that a report is calculated from, opened `depth` levels down."""
    top = Level(iter(report.rows), {row.path: row for row in report.blocks}, depth)
    sizes = (report.input_size, *report.more_inputs)
    values = [Value(INPUT, slot, size) for slot, size in zip(slots(sizes), sizes, strict=True)]
    names = names_of(report.description, len(values))
    entering = Several(zip(names, values, strict=True)) if names else values[0]
    y = top.run("", report.description, entering)
    top.out = dict(y) if isinstance(y, Several) else {WHOLE: y}
    return top.parts[0].inner if top.parts and top.parts[0].inner else top


def slots(values: Sequence[object]) -> list[str]:
    """What values that enter together go by: their positions."""
    return [str(place) for place in range(len(values))] if len(values) > 1 else [WHOLE]


def _entering(x: Any) -> Any:
    """What a block reads, as it is within it."""
    values = values_of(x)
    inside = [Value(INPUT, slot, value.shape) for slot, value in zip(slots(values), values, strict=True)]
    return Several(zip(x, inside, strict=True)) if isinstance(x, Several) else inside[0]


def _stacked(below: Part, part: Part) -> bool:
    """Put a slight layer into the box of the one before it."""
    if below.role == "block" or not part.slight or part.layers:
        return False
    below.rows += part.rows
    return True


def _folded(before: Part, part: Part) -> bool:
    """Make equal neighbours one."""
    if before.looks() != part.looks():
        return False
    before.names += part.names
    return True
