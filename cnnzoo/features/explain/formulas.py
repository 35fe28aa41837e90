"""How a layer's figures come about: for each kind its formulas, with the numbers put in.

A kind has one function here, from a layer and its input shape (channels first, per sample) to `Formulas`. What it
does not say is explained by what every layer states: its tensors' shapes multiplied out, and the bare figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from ...arch import (
    ELU,
    GELU,
    RBF,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    BlurPool2d,
    ChannelShuffle,
    Chunk,
    ConstantPad2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    EvoNorm2dS0,
    FilterResponseNormTlu2d,
    Flatten,
    GlobalResponseNorm,
    GroupNorm,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    InstanceNorm2d,
    L2Norm,
    Layer,
    LayerNorm,
    LayerNorm2d,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    Max,
    MaxPool2d,
    Mean,
    Mish,
    PadChannels,
    Permute,
    PixelShuffle,
    PixelUnshuffle,
    PReLU,
    ReflectionPad2d,
    ReLU,
    ReLU6,
    ReplicationPad2d,
    SamePad2d,
    Scale,
    ScaledStdConv2d,
    ScaledTanh,
    ScaleShift,
    Shape,
    Shift,
    Sigmoid,
    SiLU,
    Slice,
    Softmax,
    Square,
    StdConv2d,
    StochasticDepth,
    Subsampling2d,
    Sum,
    TableConv2d,
    Tanh,
    Unflatten,
    Upsample,
    Window,
    Work,
    ZeroPad2d,
)
from ...arch.layers import _Conv, extent_of
from ...arch.node import IntOrPair, pair, place_of
from ...arch.padding import _Pad2d
from .sliding import Sliding, roundings, shares
from .text import dimensions, grouped, times


class Formulas(NamedTuple):
    """`figures` by what they are the formula of: a dimension of the output ("height"), a tensor ("weight"), a count
    of the report ("macs"), or "elements" and "statistics", what autograd keeps besides input and output. Each is worth
    that figure."""

    figures: Mapping[str, str]
    said: Sequence[tuple[str, str]] = ()
    """What the formulas do not show, with a label."""


F = TypeVar("F", bound=Callable[..., Formulas])
FORMULAS: dict[type[Layer], Callable[..., Formulas]] = {}


def formulas_of(layer: Layer, shape: Shape) -> Formulas:
    """Its kind's own; none for a subclass, which may do otherwise."""
    kind = type(layer)
    return FORMULAS[kind](layer, shape) if kind in FORMULAS else Formulas({})


def _of(*kinds: type[Layer]) -> Callable[[F], F]:
    def enter(function: F) -> F:
        FORMULAS.update(dict.fromkeys(kinds, function))
        return function

    return enter


def _slides(layer: Layer, shape: Shape, dilation: IntOrPair = 1, ceil: bool = False) -> list[Sliding]:
    """The windows along height and width, padded evenly."""
    windows = [window for window in layer.windows(shape) or () if isinstance(window, Window)]
    axes = zip(shape[1:], windows, layer.output_shape(shape)[1:], pair(dilation), strict=True)
    return [Sliding(length, window, window.padding, fits, step, ceil) for length, window, fits, step in axes]


def _slid(slides: Sequence[Sliding], out: Shape, figures: Mapping[str, str]) -> Formulas:
    """A layer of sliding windows: the lengths of its output, how they are rounded, and the other `figures`."""
    axes = dict(zip(dimensions(out)[1:], slides, strict=True))
    sizes = {name: side.size() for name, side in axes.items()}
    if any(side.dilation > 1 for side in slides):
        sizes |= {f"extent_{name}": side.extent() for name, side in axes.items()}
    said = roundings(slides)
    return Formulas({**sizes, **figures}, [("Rounding", said)] if said else [])


def _share(channels: int, groups: int) -> str:
    return f"({channels:,}/{groups:,})" if groups > 1 else f"{channels:,}"


@_of(Conv1d, Conv2d)
def _conv(layer: _Conv, shape: Shape) -> Formulas:
    """An output reads its window in its group's share of the channels."""
    out = layer.output_shape(shape)
    axes = zip(shape[1:], layer._axes(), out[1:], layer._each(layer.dilation), strict=True)
    slides = [
        Sliding(length, Window(extent, stride, before), padding - before, fits, step)
        for length, (extent, stride, before, padding), fits, step in axes
    ]
    reads = f"{_share(shape[0], layer.groups)}·{times(layer._each(layer.kernel_size))}"
    evened = [side.length + side.after - side.window.padding for side in slides]
    figures = {
        "weight": f"{layer.out_channels:,}·{reads}",
        "macs": f"{times(out)} · {reads}",
        "additions": times(out),
        "elements": times((shape[0], *evened)),
    }
    return _slid(slides, out, figures)


@_of(StdConv2d, ScaledStdConv2d)
def _std_conv2d(layer: StdConv2d, shape: Shape) -> Formulas:
    """A convolution, and once for a batch the normalisation of its weights, in as many groups as output channels."""
    conv = _conv(layer, shape)
    weight, outputs = conv.figures["weight"], f"{layer.out_channels:,}"
    scaled = isinstance(layer, ScaledStdConv2d)
    once = _of_statistics(weight, outputs, scaled, shifted=False).figures
    biases = f" + {conv.figures['additions']}" if layer.bias else ""
    figures = {
        "additions": f"{once['additions']}{biases}",
        "multiplications": f"{once['multiplications']} + {outputs}" if scaled else once["multiplications"],
        "exponentials": once["exponentials"],
        "statistics": f"({weight} + {2 + scaled}·{outputs})",
    }
    said = ("Weights", f"of {outputs} output channels, each with its own mean and variance; once, whatever the batch")
    return conv._replace(figures={**conv.figures, **figures}, said=[*conv.said, said])


@_of(BlurPool2d)
def _blur_pool2d(layer: BlurPool2d, shape: Shape) -> Formulas:
    """A filter on each map, which is padded first."""
    out, size = layer.output_shape(shape), times((layer.filt_size,) * 2)
    figures = {
        "macs": f"{times(out)} · {size}",
        "elements": times(layer.padded(shape)),
        "statistics": size,
    }
    return _slid(_slides(layer, shape), out, figures)


@_of(ConvTranspose2d)
def _conv_transpose2d(layer: ConvTranspose2d, shape: Shape) -> Formulas:
    """An input is multiplied into a window of its group's share of the output channels."""
    settings = (layer.kernel_size, layer.stride, layer.padding, layer.output_padding, layer.dilation)
    figures = {}
    for name, length, *rest in zip(("height", "width"), shape[1:], *map(pair, settings), strict=True):
        kernel, stride, padding, more, dilation = rest
        figures[name] = f"({length:,} − 1)·{stride:,} − 2·{padding:,} + {extent_of(kernel, dilation):,} + {more:,}"
        if layer.dilation != 1:
            figures[f"extent_{name}"] = f"{dilation:,}·({kernel:,} − 1) + 1"
    writes = f"{_share(layer.out_channels, layer.groups)}·{times(pair(layer.kernel_size))}"
    return Formulas(
        {
            **figures,
            "weight": f"{shape[0]:,}·{writes}",
            "macs": f"{times(shape)} · {writes}",
            "additions": times(layer.output_shape(shape)),
        }
    )


@_of(Linear)
def _linear(layer: Linear, shape: Shape) -> Formulas:
    """A linear layer: each output multiplies every feature."""
    outputs = times(layer.output_shape(shape))
    return Formulas({"macs": f"{outputs} · {shape[-1]:,}", "additions": outputs})


@_of(MaxPool2d, AvgPool2d)
def _pool2d(layer: MaxPool2d | AvgPool2d, shape: Shape) -> Formulas:
    """A window of n takes n − 1 comparisons or additions, and a mean one multiplication."""
    dilation = layer.dilation if isinstance(layer, MaxPool2d) else 1
    out = layer.output_shape(shape)
    each = f"{times(out)} · ({times(pair(layer.kernel_size))} − 1)"
    figures = {"comparisons": each, "additions": each, "multiplications": times(out)}
    return _slid(_slides(layer, shape, dilation, layer.ceil_mode), out, figures)


@_of(AdaptiveAvgPool2d, AdaptiveMaxPool2d)
def _adaptive_pool2d(layer: AdaptiveAvgPool2d | AdaptiveMaxPool2d, shape: Shape) -> Formulas:
    """Adaptive pooling: as many additions or comparisons as values are read, less one for each output."""
    out = layer.output_shape(shape)
    sides = layer.shares(shape)
    read = "·".join(grouped(side.kernels) for side in sides)
    less = f"{shape[0]:,}·{read} − {times(out)}"
    figures = {"comparisons": less, "additions": less, "multiplications": times(out)}
    return Formulas(figures, [("Windows", _axes(*map(shares, sides)))])


def _axes(height: str, width: str) -> str:
    """What is said of both axes, once where it is the same."""
    return f"rows and columns: {height}" if height == width else f"rows: {height}; columns: {width}"


@_of(Mean, Sum, Max)
def _reduction(layer: Mean | Sum | Max, shape: Shape) -> Formulas:
    """As many additions or comparisons as there are elements, less one for each output."""
    outputs = times(layer.output_shape(shape))
    less = f"{times(shape)} − {outputs}"
    names = dimensions(shape)
    said = " and ".join(names[place].replace("_", " ") for place in layer.places(shape))
    figures = {"comparisons": less, "additions": less, "multiplications": outputs}
    return Formulas(figures, [("Over", said)])


@_of(Subsampling2d)
def _subsampling2d(layer: Subsampling2d, shape: Shape) -> Formulas:
    """A window's sum, times the coefficient of its map, plus its bias."""
    out, each = layer.output_shape(shape), times(pair(layer.kernel_size))
    figures = {
        "additions": f"{times(out)} · {each}",
        "multiplications": times(out),
        "connections": f"{times(out)} · ({each} + 1)",
        "elements": times(out),
    }
    return _slid(_slides(layer, shape), out, figures)


@_of(TableConv2d)
def _table_conv2d(layer: TableConv2d, shape: Shape) -> Formulas:
    """A kernel for each two maps that the table connects: its rows, counted by their length."""
    maps, *size = layer.output_shape(shape)
    kernels = grouped([len(row) for row in layer.table])
    weight = f"{kernels}·{times(pair(layer.kernel_size))}"
    figures = {
        "weight": weight,
        "macs": f"{weight} · {times(size)}",
        "additions": times((maps, *size)),
        "connections": f"({weight} + {maps:,}) · {times(size)}",
        "elements": f"{kernels}·{times(shape[1:])}",
    }
    slid = _slid(_slides(layer, shape), (maps, *size), figures)
    in_full = f"{maps:,}·{shape[0]:,} if each output map read all {shape[0]:,}"
    said = f"{kernels.strip('()')} = {layer.connections():,} kernels; {in_full}"
    return Formulas(slid.figures, [*slid.said, ("Table", said)])


@_of(RBF)
def _rbf(layer: RBF, shape: Shape) -> Formulas:
    """For each input and output a difference, its square, and the sum of these."""
    pairs = times((layer.out_features, *shape))
    figures = {
        "additions": f"2·{pairs} − {layer.out_features:,}",
        "multiplications": pairs,
        "connections": pairs,
        "elements": pairs,
    }
    return Formulas(figures, [("Centres", "fixed, so they are a buffer and there is nothing to train")])


@_of(BatchNorm1d, BatchNorm2d)
def _batch_norm(layer: BatchNorm1d | BatchNorm2d, shape: Shape) -> Formulas:
    """Its statistics are a mean and an inverse standard deviation of each channel."""
    return Formulas({"additions": times(shape), "multiplications": times(shape), "statistics": f"2·{shape[0]:,}"})


@_of(GroupNorm)
def _group_norm(layer: GroupNorm, shape: Shape) -> Formulas:
    return _of_statistics(times(shape), f"{layer.num_groups:,}", layer.affine, layer.affine)


@_of(InstanceNorm2d)
def _instance_norm2d(layer: InstanceNorm2d, shape: Shape) -> Formulas:
    kept = {"elements": f"{shape[0]:,}·{2 + layer.affine + 2 * layer.track_running_stats}"}
    if layer.track_running_stats:
        return Formulas({"additions": times(shape), "multiplications": times(shape), **kept})
    normalised = _of_statistics(times(shape), f"{shape[0]:,}", layer.affine, layer.affine)
    return normalised._replace(figures={**normalised.figures, **kept})


@_of(LayerNorm, LayerNorm2d)
def _layer_norm(layer: LayerNorm | LayerNorm2d, shape: Shape) -> Formulas:
    groups = times(shape[1:] if isinstance(layer, LayerNorm2d) else shape[: -layer.normalized_dims])
    return _of_statistics(times(shape), groups, layer.elementwise_affine, layer.elementwise_affine and layer.bias)


def _of_statistics(each: str, groups: str, scaled: bool, shifted: bool) -> Formulas:
    """Of each group two sums, of one addition less than there are elements, and eps; two quotients; one power."""
    figures = {
        "additions": f"{3 + shifted}·{each} − {groups}",
        "multiplications": f"{2 + scaled}·{each} + 2·{groups}",
        "exponentials": groups,
        "elements": f"2·{groups}",
    }
    return Formulas(figures, [("Groups", f"{groups}, each with its own mean and variance")])


@_of(L2Norm)
def _l2_norm(layer: L2Norm, shape: Shape) -> Formulas:
    """Each position's sum is one addition less than there are channels."""
    each, positions = times(shape), times(shape[1:])
    figures = {
        "comparisons": positions,
        "additions": f"{each} − {positions}",
        "multiplications": f"{2 + layer.affine} · {each}",
        "exponentials": positions,
        "elements": f"(2·{positions} + {each})" if layer.affine else f"2·{positions}",
    }
    return Formulas(figures, [("Groups", f"{positions}, each divided by its length")])


@_of(GlobalResponseNorm)
def _global_response_norm(layer: GlobalResponseNorm, shape: Shape) -> Formulas:
    """The sums of the squares, their mean with eps, the bias and the input are all added."""
    each, maps = times(shape), f"{layer.tensors(shape)['weight'][0]:,}"
    figures = {
        "additions": f"3 · {each}",
        "multiplications": f"3·{each} + {maps} + 1",
        "exponentials": maps,
        "elements": f"(2·{maps} + 1 + {each})",
    }
    return Formulas(figures, [("Groups", f"{maps} maps, whose lengths are divided by their mean")])


@_of(FilterResponseNormTlu2d)
def _filter_response_norm(layer: FilterResponseNormTlu2d, shape: Shape) -> Formulas:
    """A map's sum is one addition less than there are positions, and eps one more."""
    each, channels = times(shape), f"{shape[0]:,}"
    figures = {
        "comparisons": each,
        "additions": f"2 · {each}",
        "multiplications": f"3·{each} + {channels}",
        "exponentials": channels,
        "elements": f"({channels} + {1 + layer.apply_act}·{each})",
    }
    return Formulas(figures, [("Groups", f"{channels} maps, each divided by the root of its mean square")])


@_of(EvoNorm2dS0)
def _evo_norm(layer: EvoNorm2dS0, shape: Shape) -> Formulas:
    each, groups = times(shape), f"{layer.groups:,}"
    normalised = _of_statistics(each, groups, True, True)
    figures = {
        "multiplications": f"{3 + 2 * layer.apply_act}·{each} + 2·{groups}",
        "exponentials": f"{each} + {groups}" if layer.apply_act else groups,
        "elements": f"({groups} + {shape[0]:,} + {1 + 2 * layer.apply_act}·{each})",
    }
    return Formulas({**normalised.figures, **figures}, [("Groups", f"{groups}, each with its own variance")])


@_of(Scale)
def _scale(layer: Scale, shape: Shape) -> Formulas:
    return Formulas({"multiplications": times(shape)})


@_of(Shift)
def _shift(layer: Shift, shape: Shape) -> Formulas:
    return Formulas({"additions": times(shape)})


@_of(LocalResponseNorm)
def _local_response_norm(layer: LocalResponseNorm, shape: Shape) -> Formulas:
    """The sum over a window with k; the square, the scaled sum and the quotient; one power."""
    figures = {
        "additions": f"{layer.size:,} · {times(shape)}",
        "multiplications": f"3 · {times(shape)}",
        "exponentials": times(shape),
        "elements": f"(3·{shape[0]:,} + {layer.size:,} − 1)·{times(shape[1:])}",
    }
    return Formulas(figures)


@_of(
    ReLU,
    Sigmoid,
    Tanh,
    Square,
    ReLU6,
    Hardtanh,
    Hardsigmoid,
    Hardswish,
    LeakyReLU,
    PReLU,
    ELU,
    SiLU,
    Mish,
    GELU,
)
def _activation(layer: Layer, shape: Shape) -> Formulas:
    """So much of each kind of work for an element."""
    return Formulas(_for_each(layer.work((1,)), times(shape)))


def _for_each(work: Work, each: str) -> dict[str, str]:
    """The formula of each kind of work, which is done as often for each of so many: `3 · 64·7·7`."""
    return {kind: f"{count:,} · {each}" if count > 1 else each for kind, count in work._asdict().items()}


@_of(ScaledTanh)
def _scaled_tanh(layer: ScaledTanh, shape: Shape) -> Formulas:
    each = times(shape)
    return Formulas({"multiplications": f"2 · {each}", "exponentials": each, "elements": each})


@_of(ScaleShift)
def _scale_shift(layer: ScaleShift, shape: Shape) -> Formulas:
    return Formulas({"additions": times(shape), "multiplications": times(shape)})


@_of(Softmax)
def _softmax(layer: Softmax, shape: Shape) -> Formulas:
    """An addition less than there are summands, for every sum."""
    each, length = times(shape), shape[place_of(layer, layer.dim, shape)]
    return Formulas({"additions": f"{each} − {each}/{length:,}", "multiplications": each, "exponentials": each})


@_of(Dropout)
def _dropout(layer: Dropout, shape: Shape) -> Formulas:
    said = f"nothing at inference; in training each element is 0 with probability {layer.p:g}"
    return Formulas({"elements": times(shape)}, [("Does", said)])


@_of(StochasticDepth)
def _stochastic_depth(layer: StochasticDepth, shape: Shape) -> Formulas:
    falls = "each sample falls by itself" if layer.mode == "row" else "all samples fall or none"
    said = f"nothing at inference; in training all is 0 with probability {layer.p:g}; {falls}"
    return Formulas({"elements": "1", "statistics": "1"}, [("Does", said)])


@_of(Flatten)
def _flatten(layer: Flatten, shape: Shape) -> Formulas:
    start, end = (dim - 1 if dim > 0 else dim + len(shape) for dim in (layer.start_dim, layer.end_dim))
    return Formulas({dimensions(layer.output_shape(shape))[start]: times(shape[start : end + 1])})


@_of(PadChannels)
def _pad_channels(layer: PadChannels, shape: Shape) -> Formulas:
    """The new channels are zeros."""
    return Formulas({"channels": f"{shape[0]:,} + {layer.out_channels - shape[0]:,}"})


@_of(ZeroPad2d, ConstantPad2d, ReplicationPad2d, ReflectionPad2d)
def _pad2d(layer: _Pad2d, shape: Shape) -> Formulas:
    """A side that is cut off is taken away."""
    sizes = {}
    for name, length, sides in zip(("height", "width"), shape[1:], layer.sides(shape), strict=True):
        sizes[name] = f"{length:,}" + "".join(f" {'+' if side >= 0 else '−'} {abs(side):,}" for side in sides)
    return Formulas(sizes)


@_of(SamePad2d)
def _same_pad2d(layer: SamePad2d, shape: Shape) -> Formulas:
    """What the last window reaches beyond the map is put around it."""
    height, width = (
        f"the last window ends at (⌈{length:,}/{stride:,}⌉ − 1)·{stride:,} + {extent:,} = "
        f"{(-(-length // stride) - 1) * stride + extent:,} of {length:,}"
        for length, extent, stride in zip(shape[1:], pair(layer.extent), pair(layer.stride), strict=True)
    )
    return _pad2d(layer, shape)._replace(said=[("Padding", _axes(height, width))])


@_of(Upsample)
def _upsample(layer: Upsample, shape: Shape) -> Formulas:
    """An element of a bilinear one is the sum of four products."""
    out = times(layer.output_shape(shape))
    figures = {"additions": f"3 · {out}", "multiplications": f"4 · {out}"}
    scales = layer.scale_factor if isinstance(layer.scale_factor, tuple) else (layer.scale_factor,) * 2
    for name, length, scale in zip(("height", "width"), shape[1:], scales, strict=True):
        if scale is not None and scale == int(scale):
            figures[name] = f"{length:,}·{int(scale):,}"
    return Formulas(figures)


@_of(PixelShuffle)
def _pixel_shuffle(layer: PixelShuffle, shape: Shape) -> Formulas:
    channels, height, width = shape
    factor = f"{layer.upscale_factor:,}"
    sizes = {"height": f"{height:,}·{factor}", "width": f"{width:,}·{factor}"}
    return Formulas({"channels": f"{channels:,}/({factor}·{factor})", **sizes})


@_of(PixelUnshuffle)
def _pixel_unshuffle(layer: PixelUnshuffle, shape: Shape) -> Formulas:
    channels, height, width = shape
    factor = f"{layer.downscale_factor:,}"
    sizes = {"height": f"{height:,}/{factor}", "width": f"{width:,}/{factor}"}
    return Formulas({"channels": f"{channels:,}·{factor}·{factor}", **sizes})


@_of(ChannelShuffle)
def _channel_shuffle(layer: ChannelShuffle, shape: Shape) -> Formulas:
    each = shape[0] // layer.groups
    order = (group * each + place for place in range(each) for group in range(layer.groups))
    shown = ", ".join(map(str, islice(order, 6))) + (", …" if shape[0] > 6 else "")
    return Formulas({}, [("Order", f"of the channels: {shown}")])


@_of(Chunk, Slice)
def _part(layer: Chunk | Slice, shape: Shape) -> Formulas:
    """A dimension from its first element to its last, counted from 0."""
    place = place_of(layer, layer.dim, shape)
    start, stop = layer.bounds(shape[place])
    name = dimensions(shape)[place]
    said = f"of the {name.replace('_', ' ')} {start:,} to {stop - 1:,}, counted from 0"
    return Formulas({name: f"{stop:,} − {start:,}"}, [("Takes", said)])


@_of(Permute)
def _permute(layer: Permute, shape: Shape) -> Formulas:
    return Formulas({}, [("Order", f"of the dimensions, the batch being 0: {', '.join(map(str, layer.dims))}")])


@_of(Unflatten)
def _unflatten(layer: Unflatten, shape: Shape) -> Formulas:
    """The dimension that is divided, as the product of those that it becomes."""
    at = place_of(layer, layer.dim, shape)
    made = layer.output_shape(shape)[at : at + len(layer.unflattened_size)]
    return Formulas({}, [("Does", f"{shape[at]:,} elements become {times(made)}")])
