"""A description as what a diagram shows of it: levels of parts, layers stacked and equal neighbours folded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ...arch.join import Flow, Join
from ...arch.meetings import Add, Cat, Meeting, Multiply, Stack, Subtract, UpsampleLike
from ...arch.node import Layer, Node, Ports
from ...arch.sequential import Aux
from ...arch.signal import POINTWISE
from ...arch.steps import Several, Step
from ...arch.walker import child_path
from ...calculate import first_of, values_of
from ...report import Report, Row

Role: TypeAlias = Literal["input", "output", "fork", "convolution", "linear", "pooling", "other", "block", "add", "cat"]
"""What a box of a diagram is."""

INPUT = -1
"""What flows into a level; all else that flows in it is the position of the part it comes from."""


MEETINGS: dict[type[Meeting], tuple[Role, str]] = {
    Add: ("add", "+"),
    Subtract: ("add", "−"),
    Multiply: ("add", "×"),
    Cat: ("cat", "concat"),
    Stack: ("cat", "stack"),
    UpsampleLike: ("other", "resize"),
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

    def looks(self) -> tuple[object, ...]:
        """All that makes two neighbours equal."""
        drawn = [(row.kind, row.settings, row.input_shape, row.output_shape, row.params, row.macs) for row in self.rows]
        return self.role, drawn, self.inner and self.inner.looks()


@dataclass
class Level(Flow[int]):
    """The inside of a block as a value flows through it: parts, and arrows between their positions."""

    index: Index
    depth: int
    """Levels that are opened, counted from the whole network."""
    path: str = ""
    parts: list[Part] = field(default_factory=list)
    arrows: list[tuple[int, int]] = field(default_factory=list)
    out: int = INPUT
    position: dict[str, int] = field(default_factory=dict)
    """Of each child: its part."""

    def looks(self) -> tuple[object, ...]:
        return [part.looks() for part in self.parts], self.arrows, self.out

    def run(self, name: str, child: Node, x: int) -> int:
        return self._child(name, child_path(self.path, name), child, x)

    def look(self, name: str, child: Node, x: int, paths: Ports) -> int:
        return self.run(name, child, x)

    def again(self, step: Step, x: int) -> int:
        return self._child(step.name, child_path(self.path, step.layers), step.node, x)

    def inner(self, path: str) -> int:
        """The block that the value is in."""
        return self.position[path.partition(".")[0]]

    def _child(self, name: str, path: str, child: Node, x: int) -> int:
        row = self.index.rows[path]
        if isinstance(child, Layer):
            slight = row.input_shape == row.output_shape and child.windows(row.input_shape) == POINTWISE
            slight = child.is_view or (slight and not row.macs)
            self.position[name] = self._put(Part(row.role, [name or row.kind], [row], slight), x)
            return self.position[name]
        assert isinstance(child, Join)
        if path not in self.index.filled:
            return x
        part = Part("block", [name], [row], head=isinstance(child, Aux))
        if self.depth > (path.count(".") + 1 if path else 0):
            part.inner = Level(self.index, self.depth, path)
            entering: Any = Several.fromkeys(x, INPUT) if isinstance(x, Several) else INPUT
            part.inner.out = first_of(child.flow(entering, part.inner))
            part.inner._merge(_stacked)
            part.inner._merge(_folded)
        number = self.position[name] = self._put(part, *values_of(x))
        return Several.fromkeys(child._gives, number) if child._gives else number  # type: ignore[return-value]

    @property
    def forks(self) -> bool:
        """Whether several parts read what flows in."""
        return sum(source == INPUT for source, _ in self.arrows) > 1

    def meet(self, name: str, meeting: Meeting, parts: list[int]) -> int:
        role, sign = MEETINGS[type(meeting)]
        row = self.index.rows[child_path(self.path, name)] if name else self.index.step(self.path)
        number = self._put(Part(role, [sign], [row]), *parts)
        self.position[name] = number
        return number

    def _put(self, part: Part, *sources: int) -> int:
        number = len(self.parts)
        self.parts.append(part)
        self.arrows += [(source, number) for source in sources]
        return number

    def _merge(self, merged: Callable[[Part, Part], bool]) -> None:
        """Where a part reads one other and is all that reads it, one part of the two if they can be `merged`."""
        reads = Counter(target for _, target in self.arrows)
        readers = Counter([self.out, *(source for source, _ in self.arrows)])
        sources = {target: source for source, target in self.arrows}
        parts: list[Part] = []
        position = {INPUT: INPUT}
        for number, part in enumerate(self.parts):
            source = sources[number]
            alone = source != INPUT and reads[number] == readers[source] == 1
            if alone and merged(parts[position[source]], part):
                position[number] = position[source]
            else:
                position[number] = len(parts)
                parts.append(part)
        self.parts = parts
        moved = [(position[source], position[target]) for source, target in self.arrows]
        self.arrows = [(source, target) for source, target in moved if source != target]
        self.out = position[self.out]


class Index:
    """The rows of a report by path."""

    def __init__(self, report: Report) -> None:
        leaves = [row for row in report.rows if not row.own]
        self.rows = {row.path: row for row in (*report.blocks, *leaves)}
        """The blocks and the layers."""
        self._steps: dict[str, list[Row]] = {}
        for row in reversed(report.rows):
            if row.own:
                self._steps.setdefault(row.path, []).append(row)
        self.filled = {path for row in report.rows for path in _upwards(row.parent)}
        """The blocks with something in them."""

    def step(self, path: str) -> Row:
        """The next of the own steps of the block at a path."""
        return self._steps[path].pop()


def _upwards(path: str | None) -> Iterator[str]:
    while path is not None:
        yield path
        path = path.rpartition(".")[0] if path else None


def _stacked(below: Part, part: Part) -> bool:
    """Put a slight layer into the box of the one before it."""
    if below.role == "block" or not part.slight:
        return False
    below.rows += part.rows
    return True


def _folded(before: Part, part: Part) -> bool:
    """Make equal neighbours one."""
    if before.looks() != part.looks():
        return False
    before.names += part.names
    return True
