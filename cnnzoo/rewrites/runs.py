"""How a rewrite looks at a description: its straight runs of layers, and the channels that reach each of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, cast

from ..arch import Add, Aux, Conv2d, Join, Layer, Meeting, Node, Shape, ShapeError
from ..arch.node import IntOrPair, pair
from ..arch.signal import POINTWISE
from ..arch.steps import Entered, Several, Step
from ..arch.walker import Walker
from ..plugins import called
from ..words import MOST

L = TypeVar("L", bound=Layer)
T = TypeVar("T")


class Leaf(NamedTuple):
    """A layer with its path in the description."""

    path: str
    layer: Layer


Run = list[Leaf]


def runs(description: Node) -> list[Run]:
    """The layers that run one after the other with nothing else reading in between, in order of execution.

    A run ends where values meet, where something else reads, from around by a path, too, and where layers begin or end
    that run again: what runs in a run does so every time that its layers do.
    """
    return list(_collected(description)[0])


def tail(description: Node) -> Run:
    """The run that makes what the description gives, which nothing in it reads; empty where it gives several values,
    or ends in a join."""
    return next(iter(tails(description)), []) if not description._gives else []


def tails(description: Node) -> list[Run]:
    """The same where it may give several values."""
    return list(_collected(description)[1])


def forks(description: Node) -> list[tuple[Run, list[Run]]]:
    """Each run that several layers read, and nothing else does, with the runs that these begin."""
    return list(_collected(description)[2])


@lru_cache(maxsize=16)
def _collected(description: Node) -> tuple[list[Run], list[Run], list[tuple[Run, list[Run]]]]:
    calls = Calls()
    given = calls.run("", description, entering(description, Value))
    before = {path: calls.before(path) for path in calls.made}
    after = {one: path for path, one in before.items() if one is not None}
    found: list[Run] = []
    for path, one in before.items():
        if one is None:
            found.append([])
            behind: str | None = path
            while behind is not None:
                found[-1].append(Leaf(behind, calls.layers[behind]))
                behind = after.get(behind)
    ends = {id(value) for value in (given.values() if isinstance(given, Several) else [given])}
    last = [run for run in found if all(id(y) in ends and not y.readers for _, y in calls.made[run[-1].path])]
    behind_of: dict[str | None, list[Run]] = {}
    for run in found:
        behind_of.setdefault(calls.made[run[0].path][0][0].path, []).append(run)
    forked = [
        (run, behind_of[run[-1].path])
        for run in found
        if run not in last and len(behind_of.get(run[-1].path, ())) == calls.readers(run[-1].path) > 1
    ]
    return found, last, forked


def entering(description: Node, value: Callable[[], T]) -> T | Several[T]:
    """Values that enter a description."""
    return Entered((port, value()) for port in description._takes) if any(description._takes) else value()


class Value:
    """What a layer, or something else, makes in one call."""

    def __init__(self, path: str | None = None, turn: object = None) -> None:
        self.path = path
        """That of the layer that made it."""
        self.turn = turn
        """In which of the runs of layers that run again it was made."""
        self.readers = 0


class Calls(Walker[Any]):
    """Every call of a layer, with what it reads and what it makes, by the layer's path."""

    def __init__(self) -> None:
        self.made: dict[str, list[tuple[Value, Value]]] = {}
        self.layers: dict[str, Layer] = {}
        self.turn: object = None

    def layer(self, layer: Layer, x: Value) -> Value:
        y = Value(self.path, self.turn)
        x.readers += 1
        self.layers[self.path] = layer
        self.made.setdefault(self.path, []).append((x, y))
        return y

    def block(self, join: Join, x: Any) -> Any:
        if isinstance(join, Aux) and self.path:
            x.readers += 1
        return super().block(join, x)

    def again(self, step: Step, x: Any) -> Any:
        outer, self.turn = self.turn, object()
        y = super().again(step, x)
        self.turn = outer
        return y

    def meeting(self, meeting: Meeting, parts: list[Value], own: bool) -> Value:
        for part in parts:
            part.readers += 1
        return Value()

    def readers(self, path: str) -> int:
        """How many read what a layer makes in its one call; 0 where it runs again."""
        (_, y), *others = self.made[path]
        return 0 if others else y.readers

    def before(self, path: str) -> str | None:
        """The path of the layer whose output this one reads every time, and nothing else; None where there is none."""
        first = self.made[path][0][0].path
        alike = all(x.path == first and x.turn is y.turn and x.readers == 1 for x, y in self.made[path])
        return first if alike and first is not None and len(self.made[first]) == len(self.made[path]) else None


PROBE = (5040, 1 << 20, 1 << 20)
"""A shape of maps that any convolution takes: channels with many divisors, and sides larger than any kernel."""


@lru_cache(maxsize=1 << 12)
def is_pointwise(layer: Layer) -> bool:
    """Whether it is what stands between two convolutions: a normalisation, an activation, a dropout."""
    try:
        with called(type(layer).__name__, type(layer)):
            alike = layer.output_shape(PROBE) == PROBE and layer.windows(PROBE) == POINTWISE
    except ShapeError:
        return False
    return alike and not layer.weighted


def convolutions(run: Run) -> list[list[tuple[int, Conv2d]]]:
    """The convolutions of a run with their indices in it, those together that only pointwise layers part."""
    found: list[list[tuple[int, Conv2d]]] = [[]]
    for index, (_, layer) in enumerate(run):
        if isinstance(layer, Conv2d):
            found[-1].append((index, layer))
        elif not is_pointwise(layer):
            found.append([])
    return found


@lru_cache(maxsize=16)
def channels(description: Node) -> Mapping[str, int]:
    """The channels of the maps that reach each layer and each block, by path, where the description says so.

    It does not say how many the input has, so what reads the input is not among them; nor is what runs again on another
    number of channels.
    """
    found = {
        path: {shape[:1] * (len(shape) == 3) for shape in shapes} for path, shapes in _reaching(description).items()
    }
    return {path: one[0] for path, ones in found.items() if len(ones) == 1 for one in ones if one}


def input_shapes(description: Node, shape: Shape | None = None) -> dict[str, Shape]:
    """The shape of what reaches each layer and each block, the first time that it runs, by path, of an input of that
    shape; only where the channels are known, and where the input's are not, the size is as large as need be."""
    return {path: shapes[0] for path, shapes in _reaching(description, shape).items()}


def _reaching(description: Node, shape: Shape | None = None) -> dict[str, list[Shape]]:
    walker = Shapes()
    walker.run("", description, entering(description, lambda: shape))
    return walker.inputs


class Shapes(Walker[Any]):
    """The shapes of maps on their way through a description; None where the channels are unknown."""

    def __init__(self) -> None:
        self.inputs: dict[str, list[Shape]] = {}
        """The shapes of what reaches each layer and each block, one for each time that it runs, by path."""

    def layer(self, layer: Layer, x: Shape | None) -> Shape | None:
        self._reached(x)
        return output_shape(layer, x)

    def block(self, join: Join, x: Any) -> Any:
        self._reached(x)
        return super().block(join, x)

    def _reached(self, x: Any) -> None:
        if isinstance(x, tuple):
            self.inputs.setdefault(self.path, []).append(x)

    def meeting(self, meeting: Meeting, parts: list[Shape | None], own: bool) -> Shape | None:
        shapes = tuple(part for part in parts if part is not None)
        if own and isinstance(meeting, Add) and len(shapes) == 1 and 1 not in shapes[0]:
            return shapes[0]  # a sum has the shape of both, but for lengths of 1
        if len(shapes) < len(parts):
            return None
        try:
            return bounded(meeting.output_shape(shapes))
        except ShapeError:
            return None


@lru_cache(maxsize=1 << 12)
def output_shape(layer: Layer, shape: Shape | None) -> Shape | None:
    """The shape of a layer's output, None where it is unknown. Where the input's shape is unknown, it is that of maps
    of any channels, if the output has the same shape whatever they are."""
    more = (2 * PROBE[0], *PROBE[1:])
    try:
        with called(type(layer).__name__, type(layer)):
            outputs = {layer.output_shape(one) for one in ([PROBE, more] if shape is None else [shape])}
    except ShapeError:
        return None
    return bounded(outputs.pop()) if len(outputs) == 1 else None


def bounded(shape: Shape) -> Shape | None:
    """None for what is larger than any tensor is along one side."""
    return shape if max(shape, default=0) <= MOST else None


def replace(layer: L, **settings: Any) -> L:
    """The layer with other settings: what `dataclasses.replace` gives, made once for all that ask for the same."""
    return cast(L, _replaced(layer, tuple(settings.items())))


@lru_cache(maxsize=1 << 14)
def _replaced(layer: Layer, settings: tuple[tuple[str, Any], ...]) -> Layer:
    return dataclasses.replace(layer, **dict(settings))


def times(*values: IntOrPair) -> tuple[int, int]:
    """The product of numbers or (height, width) pairs, as a pair."""
    height, width = 1, 1
    for value in values:
        one, other = pair(value)
        height, width = height * one, width * other
    return height, width


@lru_cache(maxsize=1 << 12)
def paddings(conv: Conv2d) -> tuple[int, int] | None:
    """What a convolution pads before and behind, as numbers; None where "same" is not the same on both sides."""
    height, width = conv._axes()
    if any(side.padding != 2 * side.before for side in (height, width)):
        return None
    return height.before, width.before
