"""How a rewrite looks at a description: its straight runs of layers, and the channels that reach each of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, cast

from ..arch import Add, Aux, Conv2d, Dense, Join, Layer, Meeting, Node, Residual, Sequential, Shape, ShapeError
from ..arch.edit import rebuilt
from ..arch.node import IntOrPair, pair
from ..arch.signal import POINTWISE
from ..arch.walker import Walker, child_path
from ..plugins import called
from ..words import MOST

L = TypeVar("L", bound=Layer)


class Leaf(NamedTuple):
    """A layer with its path in the description."""

    path: str
    layer: Layer


Run = list[Leaf]


def runs(description: Node) -> list[Run]:
    """The layers that run one after the other with nothing else reading in between, in order of execution.

    A run ends where a branch, a shortcut or an auxiliary head begins or ends.
    """
    return [run for run in _collected(description) if run]


def tail(description: Node) -> Run:
    """The run that the description ends in; empty where it ends in a join."""
    return _collected(description)[-1]


@lru_cache(maxsize=16)
def _collected(description: Node) -> list[Run]:
    found: list[Run] = [[]]
    _collect("", description, found)
    return found


def _collect(path: str, node: Node, found: list[Run]) -> None:
    """Add what runs in `node` to the last of the runs, which is the open one, and begin others."""
    if isinstance(node, Layer):
        found[-1].append(Leaf(path, node))
        return
    assert isinstance(node, Join)
    straight = isinstance(node, Sequential)
    sources = {child.source for child in node if isinstance(child, Aux)}
    if not straight:
        found.append([])
    for name, child in node.children:
        inner = child_path(path, name)
        if isinstance(child, Aux):
            head: list[Run] = [[]]
            _collect(inner, child, head)
            found[-1:-1] = head
            continue
        apart = not isinstance(node, Sequential | Residual | Dense) or (name == "downsample" and not straight)
        if apart:
            found.append([])
        _collect(inner, child, found)
        if apart or name in sources:
            found.append([])
    if not straight:
        found.append([])


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

    It does not say how many the input has, so what reads the input is not among them.
    """
    return {path: shape[0] for path, shape in input_shapes(description).items() if len(shape) == 3}


def input_shapes(description: Node, shape: Shape | None = None) -> dict[str, Shape]:
    """The shape of what reaches each layer and each block, by path, of an input of that shape; only where the
    channels are known, and where the input's are not, the size is as large as need be."""
    walker = Shapes()
    walker.run("", description, shape)
    return walker.inputs


class Shapes(Walker[Shape | None]):
    """The shapes of maps on their way through a description; None where the channels are unknown."""

    def __init__(self) -> None:
        self.inputs: dict[str, Shape] = {}
        """The shape of what reaches each layer and each block, by path."""

    def layer(self, layer: Layer, x: Shape | None) -> Shape | None:
        self._reached(x)
        return output_shape(layer, x)

    def block(self, join: Join, x: Shape | None) -> Shape | None:
        self._reached(x)
        return super().block(join, x)

    def _reached(self, x: Shape | None) -> None:
        if x is not None:
            self.inputs[self.path] = x

    def meeting(self, meeting: Meeting, parts: list[Shape | None], own: bool) -> Shape | None:
        if own and isinstance(meeting, Add):
            return parts[1] if parts[0] is None else parts[0]  # a sum has the shape of both
        shapes = tuple(part for part in parts if part is not None)
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


def edited(description: Node, edits: Mapping[str, Node | None]) -> Node:
    """The description with another node at each path of `edits`; None removes what is there. A row of layers of
    which none is left goes, too, unless it is a branch or a shortcut."""
    touched = {path.rpartition(".")[0] for path in edits if path}
    for path in list(touched):
        while path:
            path = path.rpartition(".")[0]
            touched.add(path)

    def at(path: str, node: Node) -> Node | None:
        if path in edits:
            return edits[path]
        if path not in touched:
            return node
        assert isinstance(node, Join)
        children: dict[str, Node | None] = {}
        for name, child in node.children:
            new = children[name] = at(child_path(path, name), child)
            if new is not child and isinstance(new, Sequential) and not len(new) and isinstance(node, Sequential):
                children[name] = None
        return node if tuple(children.items()) == node.children else rebuilt(node, children, path)

    new = at("", description)
    assert new is not None
    return new


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
