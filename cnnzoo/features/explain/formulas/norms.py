"""The formulas of normalisations."""

from __future__ import annotations

from ....arch import (
    BatchNorm1d,
    BatchNorm2d,
    EvoNorm2dS0,
    FilterResponseNormTlu2d,
    GlobalResponseNorm,
    GroupNorm,
    InstanceNorm2d,
    L2Norm,
    LayerNorm,
    LayerNorm2d,
    LocalResponseNorm,
    RMSNorm,
    Shape,
)
from ....arch.node import place_of
from ..text import times
from .base import Formulas, of


@of(BatchNorm1d, BatchNorm2d)
def _batch_norm(layer: BatchNorm1d | BatchNorm2d, shape: Shape) -> Formulas:
    """Its statistics are a mean and an inverse standard deviation of each channel."""
    return Formulas({"additions": times(shape), "multiplications": times(shape), "statistics": f"2·{shape[0]:,}"})


@of(GroupNorm)
def _group_norm(layer: GroupNorm, shape: Shape) -> Formulas:
    return of_statistics(times(shape), f"{layer.num_groups:,}", layer.affine, layer.affine and layer.bias)


@of(InstanceNorm2d)
def _instance_norm2d(layer: InstanceNorm2d, shape: Shape) -> Formulas:
    kept = {"elements": f"{shape[0]:,}·{2 + layer.affine + 2 * layer.track_running_stats}"}
    if layer.track_running_stats:
        return Formulas({"additions": times(shape), "multiplications": times(shape), **kept})
    normalised = of_statistics(times(shape), f"{shape[0]:,}", layer.affine, layer.affine)
    return normalised._replace(figures={**normalised.figures, **kept})


@of(LayerNorm, LayerNorm2d)
def _layer_norm(layer: LayerNorm | LayerNorm2d, shape: Shape) -> Formulas:
    groups = times(shape[1:] if isinstance(layer, LayerNorm2d) else shape[: -layer.normalized_dims])
    return of_statistics(times(shape), groups, layer.elementwise_affine, layer.elementwise_affine and layer.bias)


def of_statistics(each: str, groups: str, scaled: bool, shifted: bool) -> Formulas:
    """Of each group two sums, of one addition less than there are elements, and eps; two quotients; one power."""
    figures = {
        "additions": f"{3 + shifted}·{each} − {groups}",
        "multiplications": f"{2 + scaled}·{each} + 2·{groups}",
        "exponentials": groups,
        "elements": f"2·{groups}",
    }
    return Formulas(figures, [("Groups", f"{groups}, each with its own mean and variance")])


@of(RMSNorm)
def _rms_norm(layer: RMSNorm, shape: Shape) -> Formulas:
    """A group's sum is one addition less than it has elements, and eps one more."""
    each, groups = times(shape), times(shape[: -layer.normalized_dims])
    figures = {
        "additions": each,
        "multiplications": f"{2 + layer.elementwise_affine}·{each} + {groups}",
        "exponentials": groups,
        "elements": f"({groups} + {each})" if layer.elementwise_affine else groups,
    }
    return Formulas(figures, [("Groups", f"{groups}, each over the root of its mean square")])


@of(L2Norm)
def _l2_norm(layer: L2Norm, shape: Shape) -> Formulas:
    """Each sum is one addition less than there are elements along the dimension."""
    place = place_of(layer, layer.dim, shape)
    each, positions = times(shape), times((*shape[:place], *shape[place + 1 :]))
    figures = {
        "comparisons": positions,
        "additions": f"{each} − {positions}",
        "multiplications": f"{2 + layer.affine} · {each}",
        "exponentials": positions,
        "elements": f"(2·{positions} + {each})" if layer.affine else f"2·{positions}",
    }
    return Formulas(figures, [("Groups", f"{positions}, each divided by its length")])


@of(GlobalResponseNorm)
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


@of(FilterResponseNormTlu2d)
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


@of(EvoNorm2dS0)
def _evo_norm(layer: EvoNorm2dS0, shape: Shape) -> Formulas:
    each, groups = times(shape), f"{layer.groups:,}"
    normalised = of_statistics(each, groups, True, True)
    figures = {
        "multiplications": f"5·{each} + 2·{groups}",
        "exponentials": f"{each} + {groups}",
        "elements": f"({groups} + {shape[0]:,} + 3·{each})",
    }
    return Formulas({**normalised.figures, **figures}, [("Groups", f"{groups}, each with its own variance")])


@of(LocalResponseNorm)
def _local_response_norm(layer: LocalResponseNorm, shape: Shape) -> Formulas:
    """The sum over a window with k; the square, the scaled sum and the quotient; one power."""
    figures = {
        "additions": f"{layer.size:,} · {times(shape)}",
        "multiplications": f"3 · {times(shape)}",
        "exponentials": times(shape),
        "elements": f"(3·{shape[0]:,} + {layer.size:,} − 1)·{times(shape[1:])}",
    }
    return Formulas(figures)
