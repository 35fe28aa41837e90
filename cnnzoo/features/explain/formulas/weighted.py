"""The formulas of layers with weights, and of fixed filters: convolutions, linear layers, LeNet-5's."""

from __future__ import annotations

from ....arch import (
    RBF,
    BlurPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Linear,
    ScaledStdConv2d,
    Shape,
    StdConv2d,
    Subsampling2d,
    TableConv2d,
    Window,
)
from ....arch.layers import _Conv, extent_of
from ....arch.node import pair
from ..sliding import Sliding
from ..text import grouped, times
from .base import Formulas, of, slid, slides
from .norms import of_statistics


def _share(channels: int, groups: int) -> str:
    return f"({channels:,}/{groups:,})" if groups > 1 else f"{channels:,}"


@of(Conv1d, Conv2d)
def _conv(layer: _Conv, shape: Shape) -> Formulas:
    """An output reads its window in its group's share of the channels."""
    out = layer.output_shape(shape)
    axes = zip(shape[1:], layer._axes(), out[1:], layer._each(layer.dilation), strict=True)
    sides = [
        Sliding(length, Window(extent, stride, before), padding - before, fits, step)
        for length, (extent, stride, before, padding), fits, step in axes
    ]
    reads = f"{_share(shape[0], layer.groups)}·{times(layer._each(layer.kernel_size))}"
    evened = [side.length + side.after - side.window.padding for side in sides]
    figures = {
        "weight": f"{layer.out_channels:,}·{reads}",
        "macs": f"{times(out)} · {reads}",
        "additions": times(out),
        "elements": times((shape[0], *evened)),
    }
    return slid(sides, out, figures)


@of(StdConv2d, ScaledStdConv2d)
def _std_conv2d(layer: StdConv2d, shape: Shape) -> Formulas:
    """A convolution, and once for a batch the normalisation of its weights, in as many groups as output channels."""
    conv = _conv(layer, shape)
    weight, outputs = conv.figures["weight"], f"{layer.out_channels:,}"
    scaled = isinstance(layer, ScaledStdConv2d)
    once = of_statistics(weight, outputs, scaled, shifted=False).figures
    biases = f" + {conv.figures['additions']}" if layer.bias else ""
    figures = {
        "additions": f"{once['additions']}{biases}",
        "multiplications": f"{once['multiplications']} + {outputs}" if scaled else once["multiplications"],
        "exponentials": once["exponentials"],
        "statistics": f"({weight} + {2 + scaled}·{outputs})",
    }
    said = ("Weights", f"of {outputs} output channels, each with its own mean and variance; once, whatever the batch")
    return conv._replace(figures={**conv.figures, **figures}, said=[*conv.said, said])


@of(BlurPool2d)
def _blur_pool2d(layer: BlurPool2d, shape: Shape) -> Formulas:
    """A filter on each map, which is padded first."""
    out, size = layer.output_shape(shape), times((layer.filt_size,) * 2)
    figures = {
        "macs": f"{times(out)} · {size}",
        "elements": times(layer.padded(shape)),
    }
    return slid(slides(layer, shape), out, figures)


@of(ConvTranspose2d)
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


@of(Linear)
def _linear(layer: Linear, shape: Shape) -> Formulas:
    """A linear layer: each output multiplies every feature."""
    outputs = times(layer.output_shape(shape))
    return Formulas({"macs": f"{outputs} · {shape[-1]:,}", "additions": outputs})


@of(Subsampling2d)
def _subsampling2d(layer: Subsampling2d, shape: Shape) -> Formulas:
    """A window's sum, times the coefficient of its map, plus its bias."""
    out, each = layer.output_shape(shape), times(pair(layer.kernel_size))
    figures = {
        "additions": f"{times(out)} · {each}",
        "multiplications": times(out),
        "connections": f"{times(out)} · ({each} + 1)",
        "elements": times(out),
    }
    return slid(slides(layer, shape), out, figures)


@of(TableConv2d)
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
    windows = slid(slides(layer, shape), (maps, *size), figures)
    in_full = f"{maps:,}·{shape[0]:,} if each output map read all {shape[0]:,}"
    said = f"{kernels.strip('()')} = {layer.connections():,} kernels; {in_full}"
    return Formulas(windows.figures, [*windows.said, ("Table", said)])


@of(RBF)
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
