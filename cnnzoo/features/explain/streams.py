"""What each layer and block of a network reads and gives, and how the receptive field has grown so far."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ...arch import Dense, Join, Layer, Node, Residual, Shape, Signal
from ...arch.signal import PIXEL, POINTWISE, Field, Windows, advance, merge
from ...arch.walker import Walker


class Step(NamedTuple):
    """A layer that reads more than single positions, or a join none of whose branches sees all of it."""

    path: str
    kind: str
    before: Field
    """The receptive field before the step; of a join, that of the branch that sees most."""
    after: Field
    on_maps: bool
    """Whether the output has a height and a width, so that stride and padding mean something there."""
    windows: Windows = POINTWISE
    branches: tuple[tuple[str, Field], ...] = ()
    """Of a join: the name of each branch with its receptive field."""


class Meeting(NamedTuple):
    """Branches that see differently meet, and `branch` sees all that the others do."""

    path: str
    branch: str


class Stream(NamedTuple):
    """A tensor on its way: as a `Signal`, and how its receptive field has come about."""

    shape: Shape
    field: Field | None
    maker: str
    """The path of the layer or the block whose output it is, or "the input"."""
    steps: tuple[Step, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    lost: str = ""
    """Why the receptive field is unknown."""


class Streams(Walker[Stream]):
    """What each node of a description reads and gives at an input size that it can take; `streams_of` makes it."""

    def __init__(self, description: Node, input_size: Shape) -> None:
        self.inputs: dict[str, Stream] = {}
        """What each node reads, by its path."""
        self.outputs: dict[str, Stream] = {}
        """What each node gives, by its path."""
        self.parts: dict[str, list[Stream]] = {}
        """What is added or concatenated in each join, by its path."""
        self.join: Node = description
        """The join at `self.path`."""
        lost = "" if len(input_size) == 3 else "the input has no height and width"
        self.run("", description, Stream(input_size, None if lost else PIXEL, "the input", lost=lost))

    def layer(self, layer: Layer, x: Stream) -> Stream:
        y = _through(self.path, layer, x)
        self.inputs[self.path], self.outputs[self.path] = x, y
        return y

    def block(self, join: Join, x: Stream) -> Stream:
        outer, self.join = self.join, join
        y = super().block(join, x)
        self.join = outer
        self.inputs[self.path], self.outputs[self.path] = x, y
        return y

    def add(self, x: Stream, y: Stream) -> Stream:
        return self._meet("add", x.shape, [x, y])

    def cat(self, parts: list[Stream]) -> Stream:
        first = parts[0].shape
        return self._meet("cat", (sum(part.shape[0] for part in parts), *first[1:]), parts)

    def _meet(self, kind: str, shape: Shape, parts: list[Stream]) -> Stream:
        """The branch that decides, and what it decides; else the union."""
        self.parts[self.path] = parts
        maker = f"{self.path} ({kind})".lstrip()
        branches = [(name, part.field) for name, part in zip(_names(self.join), parts, strict=True)]
        known = tuple((name, field) for name, field in branches if field is not None)
        most = max(parts, key=lambda part: sum(axis.size for axis in part.field or ()))
        y = most._replace(shape=shape, maker=maker)
        field = merge(Signal(part.shape, part.field) for part in parts)
        if field is None:
            differ = f"{maker} joins branches of different effective strides: {_strides(known)}"
            return y._replace(field=None, lost=next((part.lost for part in parts if part.lost), differ))
        if most.field != field:
            assert most.field is not None
            step = Step(self.path, kind, most.field, field, len(shape) == 3, branches=known)
            return y._replace(field=field, steps=(*y.steps, step))
        if any(other != field for _, other in known):
            met = Meeting(self.path, next(name for name, other in known if other == field))
            return y._replace(meetings=(*y.meetings, met))
        return y


@lru_cache(maxsize=8)
def streams_of(description: Node, input_size: Shape) -> Streams:
    """The streams of a network, worked out once however many of its paths are explained."""
    return Streams(description, input_size)


def _through(path: str, layer: Layer, x: Stream) -> Stream:
    """What the layer at a path makes of a stream: its output's shape and receptive field, one step later."""
    y = x._replace(shape=layer.output_shape(x.shape), maker=path or "the input")
    windows = layer.windows(x.shape)
    if x.field is None or windows == POINTWISE:
        return y
    field = advance(x.field, windows)
    if field is None or windows is None:
        name = f"{path} ({type(layer).__name__})" if path else type(layer).__name__
        lost = "does not read windows of one size, evenly apart" if windows is None else "has a stride beyond 2**63"
        return y._replace(field=None, lost=f"{name} {lost}")
    step = Step(path, type(layer).__name__, x.field, field, len(y.shape) == 3, windows)
    return y._replace(field=field, steps=(*x.steps, step))


def _names(join: Node) -> list[str]:
    if isinstance(join, Residual):
        return ["the body", "the shortcut"]
    if isinstance(join, Dense):
        return ["the input", "the body"]
    assert isinstance(join, Join)
    return [name for name, _ in join.children]


def _strides(branches: tuple[tuple[str, Field], ...]) -> str:
    return ", ".join(f"{name} {field[0].stride}x{field[1].stride}" for name, field in branches)
