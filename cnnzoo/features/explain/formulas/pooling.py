"""The formulas of poolings and reductions."""

from __future__ import annotations

from ....arch import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool2d,
    Max,
    MaxPool2d,
    Mean,
    Shape,
    SpatialPyramidPool,
    Sum,
    Var,
)
from ....arch.node import pair
from ....arch.pooling import Shares
from ..sliding import shares
from ..text import dimensions, grouped, times
from .base import Formulas, both, of, slid, slides


@of(MaxPool2d, AvgPool2d)
def _pool2d(layer: MaxPool2d | AvgPool2d, shape: Shape) -> Formulas:
    """A window of n takes n − 1 comparisons or additions, and a mean one multiplication."""
    dilation = layer.dilation if isinstance(layer, MaxPool2d) else 1
    out = layer.output_shape(shape)
    each = f"{times(out)} · ({times(pair(layer.kernel_size))} − 1)"
    figures = {"comparisons": each, "additions": each, "multiplications": times(out)}
    return slid(slides(layer, shape, dilation, layer.ceil_mode), out, figures)


@of(AdaptiveAvgPool2d, AdaptiveMaxPool2d)
def _adaptive_pool2d(layer: AdaptiveAvgPool2d | AdaptiveMaxPool2d, shape: Shape) -> Formulas:
    """Adaptive pooling: as many additions or comparisons as values are read, less one for each output."""
    out = layer.output_shape(shape)
    sides = layer.shares(shape)
    read = "·".join(grouped(side.kernels) for side in sides)
    less = f"{shape[0]:,}·{read} − {times(out)}"
    figures = {"comparisons": less, "additions": less, "multiplications": times(out)}
    return Formulas(figures, [("Windows", both(*map(shares, sides)))])


@of(SpatialPyramidPool)
def _pyramid(layer: SpatialPyramidPool, shape: Shape) -> Formulas:
    """As many comparisons as values are read in all grids, less one for each output."""
    bins = f"{shape[0]:,}·{grouped(side**2 for side in layer.levels)}"
    grids = [[Shares(length, side).kernels for length in shape[1:]] for side in layer.levels]
    read = " + ".join("·".join(map(grouped, sides)) for sides in grids)
    return Formulas({"features": bins, "comparisons": f"{shape[0]:,} · ({read}) − {bins}"})


@of(Mean, Sum, Max)
def _reduction(layer: Mean | Sum | Max, shape: Shape) -> Formulas:
    """As many additions or comparisons as there are elements, less one for each output."""
    outputs = times(layer.output_shape(shape))
    less = f"{times(shape)} − {outputs}"
    figures = {"comparisons": less, "additions": less, "multiplications": outputs}
    return Formulas(figures, _over(layer, shape))


@of(Var)
def _variance(layer: Var, shape: Shape) -> Formulas:
    """Two sums, of one addition less than there are elements; a difference and a square of each; two quotients."""
    each, outputs = times(shape), times(layer.output_shape(shape))
    figures = {"additions": f"3·{each} − 2·{outputs}", "multiplications": f"{each} + 2·{outputs}"}
    return Formulas(figures, _over(layer, shape))


def _over(layer: Mean | Sum | Max | Var, shape: Shape) -> list[tuple[str, str]]:
    names = dimensions(shape)
    return [("Over", " and ".join(names[place].replace("_", " ") for place in layer.places(shape)))]
