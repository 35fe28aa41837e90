"""The formulas of what changes a shape: paddings, resampling, parts, orders."""

from __future__ import annotations

from itertools import islice

from ....arch import (
    ChannelShuffle,
    Chunk,
    ConstantPad2d,
    Flatten,
    PadChannels,
    Permute,
    PixelShuffle,
    PixelUnshuffle,
    ReflectionPad2d,
    ReplicationPad2d,
    SamePad2d,
    Shape,
    Slice,
    Unflatten,
    Upsample,
    ZeroPad2d,
)
from ....arch.node import pair, place_of
from ....arch.padding import _Pad2d
from ....arch.shaping import MODES
from ..text import dimensions, times
from .base import Formulas, both, of


@of(Flatten)
def _flatten(layer: Flatten, shape: Shape) -> Formulas:
    start, end = (dim - 1 if dim > 0 else dim + len(shape) for dim in (layer.start_dim, layer.end_dim))
    return Formulas({dimensions(layer.output_shape(shape))[start]: times(shape[start : end + 1])})


@of(PadChannels)
def _pad_channels(layer: PadChannels, shape: Shape) -> Formulas:
    """The new channels are zeros."""
    before = f"{layer.before:,} + " if layer.before else ""
    return Formulas({"channels": f"{before}{shape[0]:,} + {layer.out_channels - layer.before - shape[0]:,}"})


@of(ZeroPad2d, ConstantPad2d, ReplicationPad2d, ReflectionPad2d)
def _pad2d(layer: _Pad2d, shape: Shape) -> Formulas:
    """A side that is cut off is taken away."""
    sizes = {}
    for name, length, sides in zip(("height", "width"), shape[1:], layer.sides(shape), strict=True):
        sizes[name] = f"{length:,}" + "".join(f" {'+' if side >= 0 else '−'} {abs(side):,}" for side in sides)
    return Formulas(sizes)


@of(SamePad2d)
def _same_pad2d(layer: SamePad2d, shape: Shape) -> Formulas:
    """What the last window reaches beyond the map is put around it."""
    height, width = (
        f"the last window ends at (⌈{length:,}/{stride:,}⌉ − 1)·{stride:,} + {extent:,} = "
        f"{(-(-length // stride) - 1) * stride + extent:,} of {length:,}"
        for length, extent, stride in zip(shape[1:], pair(layer.extent), pair(layer.stride), strict=True)
    )
    return _pad2d(layer, shape)._replace(said=[("Padding", both(height, width))])


@of(Upsample)
def _upsample(layer: Upsample, shape: Shape) -> Formulas:
    """An element of a bilinear one is the sum of four products, of a bicubic one of sixteen."""
    out, count = times(layer.output_shape(shape)), MODES[layer.mode]
    figures = {"additions": f"{count - 1} · {out}", "multiplications": f"{count} · {out}"}
    scales = layer.scale_factor if isinstance(layer.scale_factor, tuple) else (layer.scale_factor,) * 2
    for name, length, scale in zip(("height", "width"), shape[1:], scales, strict=True):
        if scale is not None and scale == int(scale):
            figures[name] = f"{length:,}·{int(scale):,}"
    return Formulas(figures)


@of(PixelShuffle)
def _pixel_shuffle(layer: PixelShuffle, shape: Shape) -> Formulas:
    channels, height, width = shape
    factor = f"{layer.upscale_factor:,}"
    sizes = {"height": f"{height:,}·{factor}", "width": f"{width:,}·{factor}"}
    return Formulas({"channels": f"{channels:,}/({factor}·{factor})", **sizes})


@of(PixelUnshuffle)
def _pixel_unshuffle(layer: PixelUnshuffle, shape: Shape) -> Formulas:
    channels, height, width = shape
    factor = f"{layer.downscale_factor:,}"
    sizes = {"height": f"{height:,}/{factor}", "width": f"{width:,}/{factor}"}
    return Formulas({"channels": f"{channels:,}·{factor}·{factor}", **sizes})


@of(ChannelShuffle)
def _channel_shuffle(layer: ChannelShuffle, shape: Shape) -> Formulas:
    each = shape[0] // layer.groups
    order = (group * each + place for place in range(each) for group in range(layer.groups))
    shown = ", ".join(map(str, islice(order, 6))) + (", …" if shape[0] > 6 else "")
    return Formulas({}, [("Order", f"of the channels: {shown}")])


@of(Chunk, Slice)
def _part(layer: Chunk | Slice, shape: Shape) -> Formulas:
    """A dimension from its first element to its last, counted from 0."""
    place = place_of(layer, layer.dim, shape)
    start, stop = layer.bounds(shape[place])
    name = dimensions(shape)[place]
    said = f"of the {name.replace('_', ' ')} {start:,} to {stop - 1:,}, counted from 0"
    return Formulas({name: f"{stop:,} − {start:,}"}, [("Takes", said)])


@of(Permute)
def _permute(layer: Permute, shape: Shape) -> Formulas:
    return Formulas({}, [("Order", f"of the dimensions, the batch being 0: {', '.join(map(str, layer.dims))}")])


@of(Unflatten)
def _unflatten(layer: Unflatten, shape: Shape) -> Formulas:
    """The dimension that is divided, as the product of those that it becomes."""
    at = place_of(layer, layer.dim, shape)
    made = layer.output_shape(shape)[at : at + len(layer.unflattened_size)]
    return Formulas({}, [("Does", f"{shape[at]:,} elements become {times(made)}")])
