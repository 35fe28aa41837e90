"""What each output of a layer reads along one axis of its input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from ....arch import AvgPool2d, Conv2d, ConvTranspose2d, Layer, MaxPool2d, Shape
from ....arch.node import pair
from .numbers import Grid


class Tap(NamedTuple):
    """A place of a kernel along an axis, and the input's that lies under it: below 0 or from its length on padding."""

    tap: int
    at: int


def taps(layer: Layer, shape: Shape) -> list[list[list[Tap]]]:
    """Along height and along width, for each output position the taps of which it is made: those on padding, too, but
    not of a max pooling, nor of a mean that leaves padding out."""
    assert isinstance(layer, Conv2d | ConvTranspose2d | MaxPool2d | AvgPool2d)
    kernels, strides = pair(layer.kernel_size), pair(layer.stride or layer.kernel_size)
    dilations = pair(layer.settings.get("dilation", 1))
    befores = [side.before for side in layer._axes()] if isinstance(layer, Conv2d) else pair(layer.padding)
    axes = zip(shape[1:], layer.output_shape(shape)[1:], kernels, strides, befores, dilations, strict=True)
    return [_along(layer, *axis) for axis in axes]


def _along(
    layer: Layer, length: int, outputs: int, kernel: int, stride: int, before: int, dilation: int
) -> list[list[Tap]]:
    """Along one axis; of a transposed convolution tap t of input i reaches output i stride + t dilation - padding."""
    if isinstance(layer, ConvTranspose2d):
        taps = [
            [(*divmod(at + before - tap * dilation, stride), tap) for tap in range(kernel)] for at in range(outputs)
        ]
        return [
            sorted((Tap(tap, at) for at, rest, tap in row if not rest and 0 <= at < length), key=_at) for row in taps
        ]
    windows = [[Tap(tap, at * stride - before + tap * dilation) for tap in range(kernel)] for at in range(outputs)]
    if isinstance(layer, Conv2d):
        return windows
    around = before if isinstance(layer, AvgPool2d) and layer.count_include_pad else 0
    return [[one for one in row if -around <= one.at < length + around] for row in windows]  # ceil_mode goes beyond


_at = attrgetter("at")


def kernels_of(
    layer: Layer, channels: int, weight: Sequence[Sequence[Grid]] | None, out: int
) -> Iterator[tuple[int, Grid | None]]:
    """The maps of the input that an output channel reads, each with the kernel that it is multiplied by; a pooling has
    none."""
    if weight is None or not isinstance(layer, Conv2d | ConvTranspose2d):
        yield out, None
        return
    each = layer.out_channels // layer.groups
    share, group = channels // layer.groups, out // each
    for place, channel in enumerate(range(group * share, (group + 1) * share)):
        yield channel, weight[out][place] if isinstance(layer, Conv2d) else weight[channel][out % each]
