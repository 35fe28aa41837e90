"""What slides over maps: convolutions as one product of matrices, and poolings, forward and backward.

Maps are (N, C, H, W): images, channels, height, width. Settings are those of torch.nn: a number, or one for the height
and one for the width. `dy` is the gradient of a loss by the output: what ends in `backward` takes it, then what the
forward took.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..arch import AvgPool2d, Conv2d, ConvTranspose2d, MaxPool2d, Shape, ShapeError
from ..arch.node import IntOrPair, pair
from ..arch.signal import checked, show
from .arrays import Array, floats, maps, shaped

Sides = Sequence[tuple[int, int]]
"""How much is put before and behind, along height and along width; what is below 0 is cut off."""


def pad(x: Array, sides: Sides, value: float = 0.0) -> Array:
    """The maps with `value` around them; of `sides` ((top, bottom), (left, right)) what is below 0 is cut off."""
    (top, bottom), (left, right) = ([max(-side, 0) for side in axis] for axis in sides)
    grown = [(max(before, 0), max(behind, 0)) for before, behind in sides]
    if any(map(any, grown)):
        x = np.pad(x, ((0, 0), (0, 0), *grown), constant_values=value)
    return x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]


def around(padding: IntOrPair) -> Sides:
    """As much before as behind."""
    return [(side, side) for side in pair(padding)]


def inside(sides: Sides) -> Sides:
    """What takes a padding of these sides away again."""
    return [(-before, -behind) for before, behind in sides]


def windows(x: Array, kernel_size: IntOrPair, stride: IntOrPair = 1, dilation: IntOrPair = 1) -> Array:
    """All windows of the maps, as a view: (N, C, kernel height, kernel width, H', W')."""
    (rows, columns), (down, right), (lower, wider) = map(pair, (kernel_size, stride, dilation))
    extents = lower * (rows - 1) + 1, wider * (columns - 1) + 1
    view = sliding_window_view(x, extents, axis=(2, 3), writeable=True)
    return view[:, :, ::down, ::right, ::lower, ::wider].transpose(0, 1, 4, 5, 2, 3)


def added(taps: Array, shape: Shape, sides: Sides, stride: IntOrPair, dilation: IntOrPair) -> Array:
    """Maps of `shape` in which each window of the padded maps is added where it was: the transpose of `windows`."""
    padded = pad(np.zeros(shape, taps.dtype), sides)
    view = windows(padded, taps.shape[2:4], stride, dilation)[..., : taps.shape[4], : taps.shape[5]]
    for i, j in np.ndindex(*taps.shape[2:4]):  # no two windows have this tap at one place
        view[:, :, i, j] += taps[:, :, i, j]
    return pad(padded, inside(sides))


def im2col(
    x: Array, kernel_size: IntOrPair, stride: IntOrPair = 1, padding: IntOrPair = 0, dilation: IntOrPair = 1
) -> Array:
    """(N, C, H, W) -> (N, C * kernel height * kernel width, H' * W'): each window as a column, torch's `unfold`."""
    x = maps("x", x)
    layer = Conv2d(1, kernel_size, stride=stride, padding=padding, dilation=dilation)
    layer.output_shape(x.shape[1:])
    return _columns(x, layer)[:, 0]


def col2im(
    columns: Array,
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
) -> Array:
    """(N, C * kernel height * kernel width, H' * W') -> (N, C, H, W), maps of `size`: each column added where its
    window was, torch's `fold`. It is the transpose of `im2col`, not its inverse: what is in k windows comes k times."""
    columns, size = floats("columns", columns), size if isinstance(size, tuple | list) else (size, size)
    layer = Conv2d(1, kernel_size, stride=stride, padding=padding, dilation=dilation)
    kernel, (_, *out) = pair(layer.kernel_size), layer.output_shape(checked((1, *size), "columns of one channel"))
    if columns.ndim != 3 or not columns.size or columns.shape[1] % np.prod(kernel) or columns.shape[2] != np.prod(out):
        fits = f"(images, a multiple of {np.prod(kernel)}, {np.prod(out)})"
        raise ShapeError(f"columns has the shape {show(columns.shape)}; {fits} would fit")
    taps = columns.reshape(len(columns), -1, *kernel, *out)
    return added(taps, (*taps.shape[:2], *size), _sides(layer), layer.stride, layer.dilation)


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: IntOrPair = 1,
    padding: IntOrPair | str = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> Array:
    """(N, C, H, W) -> (N, O, H', W'): `weight`, (O, C / groups, kernel height, kernel width), times the columns."""
    x, weight, layer = _convolution(x, weight, stride, padding, dilation, groups)
    out = layer.output_shape(x.shape[1:])
    columns = _columns(x, layer)
    y = (weight.reshape(groups, -1, weight[0].size) @ columns).reshape(len(x), *out)
    return y if bias is None else y + shaped("bias", bias, out[:1])[:, None, None]


def conv2d_backward(
    dy: Array,
    x: Array,
    weight: Array,
    stride: IntOrPair = 1,
    padding: IntOrPair | str = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> tuple[Array, Array, Array]:
    """The gradients by x, by the weight and by the bias."""
    x, weight, layer = _convolution(x, weight, stride, padding, dilation, groups)
    out = layer.output_shape(x.shape[1:])
    dy = shaped("dy", dy, (len(x), *out)).reshape(len(x), groups, -1, out[1] * out[2])
    matrix = weight.reshape(groups, -1, weight[0].size)
    columns = _columns(x, layer)
    dweight = (dy @ columns.swapaxes(2, 3)).sum(0).reshape(weight.shape)
    taps = (matrix.swapaxes(1, 2) @ dy).reshape(len(x), x.shape[1], *weight.shape[2:], *out[1:])
    return added(taps, x.shape, _sides(layer), layer.stride, layer.dilation), dweight, dy.sum((0, 3)).reshape(-1)


def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    output_padding: IntOrPair = 0,
    groups: int = 1,
    dilation: IntOrPair = 1,
) -> Array:
    """(N, C, H, W) -> (N, O, H', W'): what `conv2d_backward` does to `dy`, with a `weight` of (C, O / groups, kernel
    height, kernel width)."""
    x, weight = maps("x", x), maps("weight", weight)
    layer = ConvTranspose2d(
        weight.shape[1] * groups,
        weight.shape[2:],
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        groups=groups,
        dilation=dilation,
    )
    out = layer.output_shape(x.shape[1:])
    weight = shaped("weight", weight, layer.tensors(x.shape[1:])["weight"])
    matrix = weight.reshape(groups, -1, weight[0].size).swapaxes(1, 2)
    taps = (matrix @ x.reshape(len(x), groups, -1, x[0, 0].size)).reshape(
        len(x), out[0], *weight.shape[2:], *x.shape[2:]
    )
    y = added(taps, (len(x), *out), around(layer.padding), layer.stride, layer.dilation)
    return y if bias is None else y + shaped("bias", bias, out[:1])[:, None, None]


def max_pool2d(
    x: Array,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> Array:
    """(N, C, H, W) -> (N, C, H', W'): the largest of each window."""
    x, layer = maps("x", x), MaxPool2d(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
    return _over_taps(np.maximum, _pooled(x, layer, -np.inf))


def max_pool2d_backward(
    dy: Array,
    x: Array,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> Array:
    """The gradient by x: each of `dy` goes to the largest of its window, the first of several."""
    x, layer = maps("x", x), MaxPool2d(kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)
    view = _pooled(x, layer, -np.inf)
    dy = shaped("dy", dy, (*view.shape[:2], *view.shape[4:]))
    kernel = view.shape[2:4]
    first = view.reshape(*view.shape[:2], -1, *view.shape[4:]).argmax(2)
    taps = np.where(
        first[:, :, None, None] == np.arange(np.prod(kernel)).reshape(*kernel, 1, 1), dy[:, :, None, None], 0
    )
    return _spread(taps, x, layer)


def avg_pool2d(
    x: Array,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """(N, C, H, W) -> (N, C, H', W'): the mean of each window, of its padding too if `count_include_pad`."""
    x, layer = maps("x", x), AvgPool2d(kernel_size, stride, padding, ceil_mode, count_include_pad)
    return _over_taps(np.add, _pooled(x, layer, 0.0)) / _counted(layer, x)


def avg_pool2d_backward(
    dy: Array,
    x: Array,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """The gradient by x, of which the shape alone counts: each of `dy` goes to all of its window in equal shares."""
    x, layer = maps("x", x), AvgPool2d(kernel_size, stride, padding, ceil_mode, count_include_pad)
    view = _pooled(x, layer, 0.0)
    dy = shaped("dy", dy, (*view.shape[:2], *view.shape[4:])) / _counted(layer, x)
    return _spread(np.broadcast_to(dy[:, :, None, None], view.shape), x, layer)


def _convolution(
    x: Array, weight: Array, stride: IntOrPair, padding: IntOrPair | str, dilation: IntOrPair, groups: int
) -> tuple[Array, Array, Conv2d]:
    """The maps and the weight of a convolution, which fit, and it as a layer."""
    x, weight = maps("x", x), maps("weight", weight)
    out, _, *kernel = weight.shape
    layer = Conv2d(out, tuple(kernel), stride=stride, padding=padding, dilation=dilation, groups=groups)
    layer.output_shape(x.shape[1:])
    return x, shaped("weight", weight, layer.tensors(x.shape[1:])["weight"]), layer


def _columns(x: Array, layer: Conv2d) -> Array:
    """Each window as a column, those of each group's maps by themselves: (N, groups, elements, H' * W')."""
    view = windows(pad(x, _sides(layer)), layer.kernel_size, layer.stride, layer.dilation)
    rows = x.shape[1] // layer.groups * view.shape[2] * view.shape[3]
    return view.reshape(len(x), layer.groups, rows, -1)


def _sides(layer: Conv2d) -> Sides:
    """What a convolution pads: for "same" the odd one is right and below."""
    return [(axis.before, axis.padding - axis.before) for axis in layer._axes()]


def _pooled(x: Array, layer: MaxPool2d | AvgPool2d, value: float) -> Array:
    """The windows of a pooling of maps that are padded by `value`."""
    return windows(pad(x, _slack(layer, x.shape[1:]), value), layer.kernel_size, *_steps(layer))


def _spread(taps: Array, x: Array, layer: MaxPool2d | AvgPool2d) -> Array:
    """What is put where each window of a pooling was, added up: the transpose of `_pooled`."""
    return added(taps, x.shape, _slack(layer, x.shape[1:]), *_steps(layer))


def _steps(layer: MaxPool2d | AvgPool2d) -> tuple[IntOrPair, IntOrPair]:
    """A pooling's stride and dilation."""
    return layer.stride or layer.kernel_size, layer.settings.get("dilation", 1)


def _over_taps(combine: Callable[[Array, Array], Array], view: Array) -> Array:
    """What becomes of the elements of each window, one tap after the other."""
    return reduce(combine, (view[:, :, i, j] for i, j in np.ndindex(*view.shape[2:4])))


def _slack(layer: MaxPool2d | AvgPool2d, shape: Shape) -> Sides:
    """What lets the windows end where the last one does: with `ceil_mode` beyond the padding, else before its end."""
    sides = []
    for length, out, window in zip(shape[1:], layer.output_shape(shape)[1:], layer.windows(shape), strict=True):
        sides.append((window.padding, (out - 1) * window.stride + window.kernel - window.padding - length))
    return sides


def _counted(layer: AvgPool2d, x: Array) -> Array:
    """How many elements the mean of each window is of: none of those beyond the padding."""
    own = around(layer.padding)
    ones = pad(np.ones((1, 1, *x.shape[2:]), x.dtype), own, float(layer.count_include_pad))
    beyond = [(0, whole[1] - part[1]) for whole, part in zip(_slack(layer, x.shape[1:]), own, strict=True)]
    return _over_taps(np.add, windows(pad(ones, beyond), layer.kernel_size, *_steps(layer)))
