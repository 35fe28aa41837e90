"""What each layer computes at inference, from (N, *shape) and its tensors, and what values become where they meet.

The formulas are those of the layers' docstrings in `cnnzoo.arch`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import comb, erf, prod
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .. import arch
from ..arch.convolutions import AROUND
from ..arch.meetings import Meeting, _Gating
from ..arch.node import Node, pair, place_of
from .arrays import Array
from .detection import of_each, resize, roi_align, roi_pool, roi_pyramid_pool
from .functions import linear, relu, softmax
from .windows import avg_pool2d, conv2d, conv_transpose2d, max_pool2d, pad

Tensors: TypeAlias = Mapping[str, Array]
Forward: TypeAlias = Callable[[Any, Array, Tensors], Array]
"""What a layer of a kind, (N, *shape) and the layer's tensors by their names give."""


def along(vector: Array, x: Array, place: int = 1) -> Array:
    """A number for each place along a dimension, as it is broadcast over x."""
    return vector.reshape(-1, *[1] * (x.ndim - 1 - place))


def affine(y: Array, tensors: Tensors) -> Array:
    """Times the weight and plus the bias of each channel, where there are these."""
    if "weight" in tensors:
        y = y * along(tensors["weight"], y)
    return y + along(tensors["bias"], y) if "bias" in tensors else y


def normalised(x: Array, dims: int | tuple[int, ...], eps: float) -> Array:
    """With mean 0 and variance 1 over these dimensions."""
    centred = x - x.mean(dims, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(dims, keepdims=True) + eps)  # type: ignore[no-any-return]


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), by tanh, which does not overflow."""
    return (np.tanh(x / 2) + 1) / 2


# Convolutions and products


def convolution(layer: arch.Conv2d, x: Array, tensors: Tensors) -> Array:
    return conv2d(x, tensors["weight"], tensors.get("bias"), layer.stride, layer.padding, layer.dilation, layer.groups)


def standardised(layer: arch.StdConv2d, x: Array, tensors: Tensors) -> Array:
    weight = tensors["weight"]
    rows = normalised(weight.reshape(len(weight), -1), 1, layer.eps)
    if isinstance(layer, arch.ScaledStdConv2d):
        rows = rows * (tensors["gain"].reshape(-1, 1) * (layer.gamma * rows.shape[1] ** -0.5))
    return convolution(layer, x, {**tensors, "weight": rows.reshape(weight.shape)})


def along_one(layer: arch.Conv1d, x: Array, tensors: Tensors) -> Array:
    """As of maps of a single row."""
    padding = layer.padding if isinstance(layer.padding, str) else (0, layer.padding)
    weight, bias = tensors["weight"][:, :, None], tensors.get("bias")
    y = conv2d(x[:, :, None], weight, bias, (1, layer.stride), padding, (1, layer.dilation), layer.groups)
    return y[:, :, 0]


def transposed(layer: arch.ConvTranspose2d, x: Array, tensors: Tensors) -> Array:
    settings = (layer.stride, layer.padding, layer.output_padding, layer.groups, layer.dilation)
    return conv_transpose2d(x, tensors["weight"], tensors.get("bias"), *settings)


def table_weight(layer: arch.TableConv2d, weight: Array, channels: int) -> Array:
    """The weight of the convolution that reads all maps, zero where the table has no connection."""
    full = np.zeros((len(layer.table), channels, *weight.shape[2:]), weight.dtype)
    full[connections(layer)] = weight[:, 0]
    return full


def connections(layer: arch.TableConv2d) -> tuple[list[int], list[int]]:
    """The output maps and the input maps of the connections."""
    pairs = [(out, read) for out, row in enumerate(layer.table) for read in row]
    return [out for out, _ in pairs], [read for _, read in pairs]


def blurred(layer: arch.BlurPool2d, x: Array, tensors: Tensors) -> Array:
    """The products of two rows of Pascal's triangle, over their sum."""
    last = layer.filt_size - 1
    line = np.array([comb(last, place) for place in range(layer.filt_size)], x.dtype) / 2**last
    weight = np.broadcast_to(np.outer(line, line), (x.shape[1], 1, layer.filt_size, layer.filt_size))
    around = AROUND[layer.pad_mode](layer.padding)
    return conv2d(FORWARDS[type(around)](around, x, {}), weight, stride=layer.stride, groups=x.shape[1])


# Normalisations


def running(layer: arch.BatchNorm2d | arch.InstanceNorm2d, x: Array, tensors: Tensors) -> Array:
    """By the mean and variance of the training, or where these are not tracked by those of the batch or of a sample."""
    if not layer.track_running_stats:
        dims = tuple(range(2, x.ndim))
        return affine(normalised(x, dims if isinstance(layer, arch.InstanceNorm2d) else (0, *dims), layer.eps), tensors)
    scale = tensors.get("weight", 1) / np.sqrt(tensors["running_var"] + layer.eps)
    shift = tensors.get("bias", 0) - tensors["running_mean"] * scale
    y = x * along(scale, x)
    y += along(shift, x)
    return y


def group_norm(layer: arch.GroupNorm, x: Array, tensors: Tensors) -> Array:
    return affine(normalised(x.reshape(len(x), layer.num_groups, -1), 2, layer.eps).reshape(x.shape), tensors)


def layer_norm(layer: arch.LayerNorm, x: Array, tensors: Tensors) -> Array:
    y = normalised(x, tuple(range(-layer.normalized_dims, 0)), layer.eps)
    return y * tensors.get("weight", 1) + tensors.get("bias", 0)


def rms_norm(layer: arch.RMSNorm, x: Array, tensors: Tensors) -> Array:
    eps = np.finfo(x.dtype).eps if layer.eps is None else layer.eps
    mean = (x * x).mean(tuple(range(-layer.normalized_dims, 0)), keepdims=True)
    return x / np.sqrt(mean + eps) * tensors.get("weight", 1)  # type: ignore[no-any-return]


def l2_norm(layer: arch.L2Norm, x: Array, tensors: Tensors) -> Array:
    place = place_of(layer, layer.dim, x.shape[1:]) + 1
    y = x / np.maximum(np.sqrt((x * x).sum(place, keepdims=True)), layer.eps)
    return y * along(tensors["weight"], x, place) if layer.affine else y  # type: ignore[no-any-return]


def global_response_norm(layer: arch.GlobalResponseNorm, x: Array, tensors: Tensors) -> Array:
    places, channels = ((1, 2), 3) if layer.channels_last else ((2, 3), 1)
    lengths = np.sqrt((x * x).sum(places, keepdims=True))
    shares = lengths / (lengths.mean(channels, keepdims=True) + layer.eps)
    weight, bias = (along(tensors[name], x, channels) for name in ("weight", "bias"))
    return x + weight * (x * shares) + bias  # type: ignore[no-any-return]


def local_response_norm(layer: arch.LocalResponseNorm, x: Array, tensors: Tensors) -> Array:
    size = layer.size
    squares = np.pad(x * x, ((0, 0), (size // 2, (size - 1) // 2), *[(0, 0)] * (x.ndim - 2)))
    means = sliding_window_view(squares, size, axis=1).mean(-1)
    return x / (layer.k + layer.alpha * means) ** layer.beta  # type: ignore[no-any-return]


def filter_response_norm(layer: arch.FilterResponseNormTlu2d, x: Array, tensors: Tensors) -> Array:
    y = affine(x / np.sqrt((x * x).mean((2, 3), keepdims=True) + layer.eps), tensors)
    return np.maximum(y, along(tensors["tau"], x)) if layer.apply_act else y


def evo_norm(layer: arch.EvoNorm2dS0, x: Array, tensors: Tensors) -> Array:
    variances = x.reshape(len(x), layer.groups, -1).var(2) + layer.eps
    deviations = np.sqrt(variances).repeat(x.shape[1] // layer.groups, 1)[:, :, None, None]
    return affine(x * sigmoid(x * along(tensors["v"], x)) / deviations, tensors)


# Poolings and reductions


def max_pool(layer: arch.MaxPool2d, x: Array, tensors: Tensors) -> Array:
    return max_pool2d(x, layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode)


def avg_pool(layer: arch.AvgPool2d, x: Array, tensors: Tensors) -> Array:
    return avg_pool2d(x, layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode, layer.count_include_pad)


def cells(length: int, count: int) -> list[slice]:
    """Equal shares: from floor(i length / count) to ceil((i + 1) length / count)."""
    return [slice(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]


def adaptive(reduce: Callable[..., Array]) -> Forward:
    """A mean or a maximum of equal shares: of those along the height, then of those along the width."""

    def forward(layer: arch.AdaptiveAvgPool2d, x: Array, tensors: Tensors) -> Array:
        _, *out = layer.output_shape(x.shape[1:])
        for axis, count in enumerate(out, 2):
            parts = (np.moveaxis(x, axis, 0)[cell] for cell in cells(x.shape[axis], count))
            x = np.stack([reduce(part, 0) for part in parts], axis)
        return x

    return forward


def pyramid(layer: arch.SpatialPyramidPool, x: Array, tensors: Tensors) -> Array:
    pooled = (adaptive(np.max)(arch.AdaptiveMaxPool2d(side), x, tensors) for side in layer.levels)
    return np.concatenate([one.reshape(len(x), -1) for one in pooled], 1)


def subsampled(layer: arch.Subsampling2d, x: Array, tensors: Tensors) -> Array:
    return affine(avg_pool2d(x, layer.kernel_size) * prod(pair(layer.kernel_size)), tensors)


def reduced(reduce: Callable[..., Array]) -> Forward:
    def forward(layer: Any, x: Array, tensors: Tensors) -> Array:
        more = {"ddof": layer.correction} if isinstance(layer, arch.Var) else {}
        return reduce(x, tuple(place + 1 for place in layer.places(x.shape[1:])), keepdims=layer.keepdim, **more)

    return forward


# What moves elements about


def reshaped(layer: arch.Flatten | arch.Unflatten, x: Array, tensors: Tensors) -> Array:
    return x.reshape(len(x), *layer.output_shape(x.shape[1:]))


def padded(value: Callable[[Any], float]) -> Forward:
    return lambda layer, x, _: pad(x, layer.sides(x.shape[1:]), value(layer))


def read_at(read: Callable[[Array, int], Array]) -> Forward:
    """A padding by elements of the map: `read` says which one stands at places outside of it."""

    def forward(layer: arch.ReplicationPad2d, x: Array, tensors: Tensors) -> Array:
        rows, columns = (
            read(np.arange(-before, length + behind), length)
            for (before, behind), length in zip(layer.sides(x.shape[1:]), x.shape[2:], strict=True)
        )
        return x[:, :, rows[:, None], columns]

    return forward


def upsampled(layer: arch.Upsample, x: Array, tensors: Tensors) -> Array:
    """Along the height, then along the width: a product with the weights by which positions read those of the map."""
    scales, dtype = layer._scales(), np.float32 if layer.mode == "nearest" else x.dtype.type
    for axis, out in enumerate(layer.output_shape(x.shape[1:])[1:], 2):
        length, scale = x.shape[axis], scales[axis - 2]
        step = dtype(length) / dtype(out) if scale is None else dtype(1 / scale)
        weights = WEIGHTS[layer.mode](length, out, step, bool(layer.align_corners), dtype)
        x = np.moveaxis(np.moveaxis(x, axis, -1) @ weights.T.astype(x.dtype), -1, axis)
    return x


def nearest(length: int, out: int, step: Any, corners: bool, dtype: Any) -> Array:
    if out in (length, 2 * length):  # as torch's loops do, whatever the scale
        step = dtype(length / out)
    read = np.minimum(np.floor(np.arange(out, dtype=dtype) * step).astype(int), length - 1)
    return read[:, None] == np.arange(length)  # type: ignore[no-any-return]


def positions(length: int, out: int, step: Any, corners: bool, dtype: Any) -> Array:
    """Where the positions of the output lie in the map."""
    place = np.arange(out, dtype=dtype)
    if corners:
        return place * (dtype(length - 1) / dtype(out - 1) if out > 1 else dtype(0))  # type: ignore[no-any-return]
    return (place + dtype(0.5)) * step - dtype(0.5)  # type: ignore[no-any-return]


def interpolated(places: Array, length: int, taps: Sequence[int], weigh: Callable[[Array], Array]) -> Array:
    """The weights of the `taps` around each place, those beyond an edge on the edge."""
    first = np.floor(places)
    weights = np.zeros((len(places), length), places.dtype)
    for tap in taps:
        read = np.clip(first + tap, 0, length - 1).astype(int)
        np.add.at(weights, (np.arange(len(places)), read), weigh(np.abs(places - first - tap)))
    return weights


def bilinear(length: int, out: int, step: Any, corners: bool, dtype: Any) -> Array:
    if out == length:  # torch then copies, whatever the scale
        return np.eye(length, dtype=dtype)
    places = np.maximum(positions(length, out, step, corners, dtype), 0)
    return interpolated(places, length, (0, 1), lambda far: 1 - far)


def bicubic(length: int, out: int, step: Any, corners: bool, dtype: Any) -> Array:
    """Keys (1981), with a = -3/4."""

    def weigh(far: Array) -> Array:
        near = (1.25 * far - 2.25) * far * far + 1
        return np.where(far <= 1, near, ((-0.75 * far + 3.75) * far - 6) * far + 3).astype(dtype)

    return interpolated(positions(length, out, step, corners, dtype), length, (-1, 0, 1, 2), weigh)


WEIGHTS: Mapping[str, Callable[..., Array]] = {"nearest": nearest, "bilinear": bilinear, "bicubic": bicubic}


def pixel_shuffled(layer: arch.PixelShuffle, x: Array, tensors: Tensors) -> Array:
    r, (images, _, height, width) = layer.upscale_factor, x.shape
    squares = x.reshape(images, -1, r, r, height, width).transpose(0, 1, 4, 2, 5, 3)
    return squares.reshape(images, -1, height * r, width * r)


def pixel_unshuffled(layer: arch.PixelUnshuffle, x: Array, tensors: Tensors) -> Array:
    r, (images, channels, height, width) = layer.downscale_factor, x.shape
    squares = x.reshape(images, channels, height // r, r, width // r, r).transpose(0, 1, 3, 5, 2, 4)
    return squares.reshape(images, -1, height // r, width // r)


def channels_shuffled(layer: arch.ChannelShuffle, x: Array, tensors: Tensors) -> Array:
    return x.reshape(len(x), layer.groups, -1, *x.shape[2:]).swapaxes(1, 2).reshape(x.shape)


def channels_padded(layer: arch.PadChannels, x: Array, tensors: Tensors) -> Array:
    behind = layer.out_channels - layer.before - x.shape[1]
    return np.pad(x, ((0, 0), (layer.before, behind), (0, 0), (0, 0)))


def part(layer: arch.Chunk | arch.Slice, x: Array, tensors: Tensors) -> Array:
    place = place_of(layer, layer.dim, x.shape[1:]) + 1
    return x[(*[slice(None)] * place, slice(*layer.bounds(x.shape[place])))]


# Activations


def softmaxed(layer: arch.Softmax, x: Array, tensors: Tensors) -> Array:
    return softmax(x, place_of(layer, layer.dim, x.shape[1:]) + 1)


def gelu(layer: arch.GELU, x: Array, tensors: Tensors) -> Array:
    if layer.approximate == "tanh":
        return x / 2 * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))  # type: ignore[no-any-return]
    return x / 2 * (1 + np.vectorize(erf, otypes=[x.dtype])(x * 0.5**0.5))  # type: ignore[no-any-return]


def prelu(layer: arch.PReLU, x: Array, tensors: Tensors) -> Array:
    return np.where(x > 0, x, x * along(tensors["weight"], x))


def with_number(combine: Callable[[Any, Any], Array]) -> Forward:
    """With a number, or with a trained one beside the input."""

    def forward(layer: Any, x: Array, tensors: Tensors) -> Array:
        own = tensors.get("")
        return combine(x, next(iter(layer.settings.values())) if own is None else own.reshape(layer.view(x.shape[1:])))

    return forward


def each(function: Callable[[Any, Array], Array]) -> Forward:
    """Of a layer without tensors."""
    return lambda layer, x, _: function(layer, x)


def same(layer: Node, x: Array, tensors: Tensors) -> Array:
    return x


FORWARDS: dict[type[Node], Forward] = {
    arch.Conv1d: along_one,
    arch.Conv2d: convolution,
    arch.StdConv2d: standardised,
    arch.ScaledStdConv2d: standardised,
    arch.BlurPool2d: blurred,
    arch.ConvTranspose2d: transposed,
    arch.TableConv2d: lambda layer, x, tensors: conv2d(
        x, table_weight(layer, tensors["weight"], x.shape[1]), tensors["bias"]
    ),
    arch.Linear: lambda layer, x, tensors: linear(x, tensors["weight"], tensors.get("bias")),
    arch.RBF: lambda layer, x, tensors: ((x[:, None] - tensors["centres"]) ** 2).sum(2),
    arch.BatchNorm1d: running,
    arch.BatchNorm2d: running,
    arch.InstanceNorm2d: running,
    arch.GroupNorm: group_norm,
    arch.LayerNorm: layer_norm,
    arch.LayerNorm2d: lambda layer, x, tensors: affine(normalised(x, 1, layer.eps), tensors),
    arch.RMSNorm: rms_norm,
    arch.L2Norm: l2_norm,
    arch.GlobalResponseNorm: global_response_norm,
    arch.LocalResponseNorm: local_response_norm,
    arch.FilterResponseNormTlu2d: filter_response_norm,
    arch.EvoNorm2dS0: evo_norm,
    arch.MaxPool2d: max_pool,
    arch.AvgPool2d: avg_pool,
    arch.AdaptiveAvgPool2d: adaptive(np.mean),
    arch.AdaptiveMaxPool2d: adaptive(np.max),
    arch.SpatialPyramidPool: pyramid,
    arch.Subsampling2d: subsampled,
    arch.Mean: reduced(np.mean),
    arch.Sum: reduced(np.sum),
    arch.Max: reduced(np.max),
    arch.Var: reduced(np.var),
    arch.ZeroPad2d: padded(lambda layer: 0.0),
    arch.ConstantPad2d: padded(lambda layer: float(layer.value)),
    arch.SamePad2d: padded(lambda layer: float(layer.value)),
    arch.ReplicationPad2d: read_at(lambda places, length: places.clip(0, length - 1)),
    arch.ReflectionPad2d: read_at(lambda places, length: length - 1 - abs(length - 1 - abs(places))),
    arch.Upsample: upsampled,
    arch.PixelShuffle: pixel_shuffled,
    arch.PixelUnshuffle: pixel_unshuffled,
    arch.ChannelShuffle: channels_shuffled,
    arch.PadChannels: channels_padded,
    arch.Permute: each(lambda layer, x: x.transpose(layer.dims)),
    arch.Flatten: reshaped,
    arch.Unflatten: reshaped,
    arch.Chunk: part,
    arch.Slice: part,
    arch.ReLU: each(lambda _, x: relu(x)),
    arch.ReLU6: each(lambda _, x: x.clip(0, 6)),
    arch.Hardtanh: each(lambda layer, x: x.clip(layer.min_val, layer.max_val)),
    arch.Hardsigmoid: each(lambda _, x: (x + 3).clip(0, 6) / 6),
    arch.Hardswish: each(lambda _, x: x * (x + 3).clip(0, 6) / 6),
    arch.Sigmoid: each(lambda _, x: sigmoid(x)),
    arch.SiLU: each(lambda _, x: x * sigmoid(x)),
    arch.Tanh: each(lambda _, x: np.tanh(x)),
    arch.ScaledTanh: each(lambda layer, x: layer.amplitude * np.tanh(layer.slope * x)),
    arch.Mish: each(lambda _, x: x * np.tanh(np.logaddexp(x, 0))),
    arch.GELU: gelu,
    arch.ELU: each(lambda layer, x: np.where(x > 0, x, layer.alpha * np.expm1(np.minimum(x, 0)))),
    arch.LeakyReLU: each(lambda layer, x: np.where(x > 0, x, layer.negative_slope * x)),
    arch.PReLU: prelu,
    arch.Softmax: softmaxed,
    arch.Square: each(lambda _, x: x * x),
    arch.Pow: each(lambda layer, x: x**layer.exponent),
    arch.Scale: with_number(np.multiply),
    arch.Shift: with_number(np.add),
    arch.ScaleShift: each(
        lambda layer, x: x * along(np.array(layer.scale, x.dtype), x) + along(np.array(layer.shift, x.dtype), x)
    ),
    arch.Dropout: same,
    arch.Dropout2d: same,
    arch.StochasticDepth: same,
    arch.Identity: same,
    arch.Unused: same,
}
"""What a layer of each kind computes; a package with a kind of its own adds to it."""


def summed(parts: Iterable[Array]) -> Array:
    total, *others = parts
    for one in others:
        total = total + one
    return total


def like(meeting: Any, parts: list[Array]) -> Array:
    """By the layer that makes the same of the first value alone."""
    layer = meeting.layer([one.shape[1:] for one in parts])
    return FORWARDS[type(layer)](layer, parts[0], {})


MEETINGS: dict[type[Meeting], Callable[[Any, list[Array]], Array]] = {
    arch.Add: lambda _, parts: summed(parts),
    arch.Subtract: lambda _, parts: parts[0] - parts[1],
    arch.Multiply: lambda _, parts: parts[0] * parts[1],
    _Gating: lambda _, parts: parts[0] * parts[1],
    arch.Divide: lambda _, parts: parts[0] / parts[1],
    arch.MatMul: lambda _, parts: parts[0] @ parts[1],
    arch.Cat: lambda meeting, parts: np.concatenate(parts, place_of(meeting, meeting.dim, parts[0].shape[1:]) + 1),
    arch.Stack: lambda meeting, parts: np.stack(
        parts, place_of(meeting, meeting.dim, (len(parts), *parts[0].shape[1:])) + 1
    ),
    arch.UpsampleLike: like,
    arch.PadLike: like,
    arch.RoIPool: of_each(roi_pool),
    arch.RoIPyramidPool: of_each(roi_pyramid_pool),
    arch.RoIAlign: of_each(roi_align),
    arch.Resize: of_each(resize),
}
"""What becomes of values in a meeting of each kind."""
