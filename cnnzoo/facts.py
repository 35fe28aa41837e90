"""What layers and meetings state of themselves at input shapes, checked and worked out once for equal ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

from .arch.axes import Phases
from .arch.meetings import Meeting
from .arch.node import Kept, Layer, Work
from .arch.signal import POINTWISE, Reads, Shape, ShapeError, checked
from .plugins import called
from .words import quoted


class Fixed(NamedTuple):
    """What a row says of a layer at an input shape wherever that layer stands: the fields of `Row` from `kind` to
    `connections`, in their order."""

    kind: str
    settings: Mapping[str, Any]
    input_shape: Shape
    output_shape: Shape
    tensors: Mapping[str, Shape]
    buffer_tensors: Mapping[str, Shape]
    non_persistent: tuple[str, ...] = ()
    weights: int = 0
    biases: int = 0
    buffers: int = 0
    macs: int = 0
    comparisons: int = 0
    additions: int = 0
    multiplications: int = 0
    exponentials: int = 0
    connections: int = 0


class Facts(NamedTuple):
    """All that is known of a layer at an input shape, wherever it stands."""

    output_shape: Shape
    fixed: Fixed
    windows: Reads | None
    elements: int
    """Of the output."""
    kept: Kept
    pools: bool
    """Whether it is a pooling to a fixed size."""
    pointwise: bool
    """Whether each position of its output is made of the same position of its input; a pooling is none of these."""
    alike: bool
    """Whether all positions of its output read as much, as far apart."""


@lru_cache(maxsize=1 << 14)
def facts_of(layer: Layer, shape: Shape) -> Facts:
    """What the layer states of itself at an input shape, worked out once for equal layers and shapes.

    Raises `ShapeError` where it cannot take the shape, or states what no tensor or no count can be, and `PluginError`
    where a plugin's layer fails in another way.
    """
    kind = type(layer).__name__
    with called(kind, type(layer)):
        return _facts_of(kind, layer, shape)


def _facts_of(kind: str, layer: Layer, shape: Shape) -> Facts:
    output_shape = checked(layer.output_shape(shape), f"{kind}: an output")
    tensors, buffers, left_out = layer.tensors(shape), layer.buffers(shape), layer.non_persistent
    for name, own in (*tensors.items(), *buffers.items()):
        checked(own, f"{kind}: a {name}")
    for name in left_out:
        if name not in buffers:
            there = ", ".join(buffers) or "none"
            raise ShapeError(f"{kind}: non_persistent has {quoted(name)}, which is no buffer; there are {there}")
    biases = sum(prod(own) for name, own in tensors.items() if name.rpartition(".")[2] == "bias")
    outputs = prod(output_shape)
    weights = sum(map(prod, tensors.values())) - biases
    connections = layer.fan_in(shape) + (outputs if layer.weighted and biases else 0)
    counts = (weights, biases, sum(map(prod, buffers.values())), layer.macs(shape), *layer.work(shape), connections)
    kept = Kept(*layer.kept(shape))
    for figure in (*counts, kept.elements, kept.indices):
        if not is_count(figure):
            raise ShapeError(f"{kind}: a count must be a whole number below 2**{BITS}, got {quoted(figure)}")
    fixed = Fixed(kind, layer.settings, shape, output_shape, tensors, buffers, left_out, *counts)
    windows, pools = layer.windows(shape), layer.pools
    alike = windows is not None and not any(isinstance(window, Phases) for window in windows)
    return Facts(output_shape, fixed, windows, outputs, kept, pools, windows == POINTWISE and not pools, alike)


@lru_cache(maxsize=1 << 12)
def meeting_of(meeting: Meeting, shapes: tuple[Shape, ...], entered: Shape | None) -> Fixed:
    """What a row says of values that meet in a step or, with what `entered` it, in a join itself."""
    output_shape = meeting.output_shape(shapes)
    macs = meeting.macs(shapes)
    counts = {"macs": macs, **dict(zip(Work._fields, meeting.work(shapes), strict=True)), "connections": macs}
    if entered is None:
        return Fixed(type(meeting).__name__, meeting.settings, shapes[0], output_shape, {}, {}, (), **counts)
    return Fixed(meeting.operator, {}, entered, output_shape, {}, {}, (), **counts)


BITS = 256
"""Bits of the largest count: more than the product of four lengths has."""


def is_count(value: Any) -> bool:
    """Whether a figure that a layer states is a whole number of at most `BITS` bits."""
    return type(value) in (int, bool) and 0 <= value < 1 << BITS
