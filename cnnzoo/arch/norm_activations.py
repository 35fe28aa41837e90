"""Normalisations with an activation of their own, in timm's names: both have statistics of positions, so that behind
them the receptive field is unknown."""

from __future__ import annotations

from dataclasses import KW_ONLY
from math import prod

from .node import Kept, Layer, Work, layer, maps
from .norms import normalising
from .signal import Shape, ShapeError, Windows, show


@layer
class _NormActivation(Layer):
    """What the two share: a weight and a bias of each map."""

    def output_shape(self, shape: Shape) -> Shape:
        return maps(self, shape)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": shape[:1], "bias": shape[:1]}

    def windows(self, shape: Shape) -> Windows | None:
        return None


@layer
class FilterResponseNormTlu2d(_NormActivation):
    """(C, H, W) -> (C, H, W): max(weight * x / r + bias, tau), r the root of a map's mean square and `eps`.

    Singh and Krishnan (2019); the thresholded linear unit, with a trained `tau` of each map, is left out without
    `apply_act`.
    """

    _: KW_ONLY
    eps: float = 1e-5
    apply_act: bool = True

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return super().tensors(shape) | ({"tau": shape[:1]} if self.apply_act else {})

    def work(self, shape: Shape) -> Work:
        """Of each element the square, the products with 1 / r and the weight, the bias and the bound; of each map the
        sum with eps, the mean and a power."""
        count, channels = prod(shape), shape[0]
        return Work(
            comparisons=self.apply_act * count,
            additions=2 * count,
            multiplications=3 * count + channels,
            exponentials=channels,
        )

    def kept(self, shape: Shape) -> Kept:
        """Its input, each map's 1 / r, what is weighted, and what is bounded."""
        return Kept(input=True, elements=shape[0] + (1 + self.apply_act) * prod(shape))


@layer
class EvoNorm2dS0(_NormActivation):
    """(C, H, W) -> (C, H, W): weight * x * sigmoid(v * x) / s + bias, s the standard deviation of a group of maps.

    Liu et al. (2020), with a trained `v` of each map. timm's S0a is this with eps=1e-3; without its activation timm's
    is the weight and the bias alone, a `Scale` and a `Shift`.
    """

    groups: int = 32
    _: KW_ONLY
    eps: float = 1e-5

    def output_shape(self, shape: Shape) -> Shape:
        if maps(self, shape)[0] % self.groups:
            raise ShapeError(
                f"EvoNorm2dS0: groups={self.groups} does not divide the {shape[0]} channels of {show(shape)}; "
                f"a multiple of {self.groups} would fit"
            )
        return shape

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return super().tensors(shape) | {"v": shape[:1]}

    def work(self, shape: Shape) -> Work:
        """As of a group norm; and of each element two products and a sigmoid."""
        normalised, count = normalising(prod(shape), self.groups, True, True), prod(shape)
        return normalised._replace(
            multiplications=normalised.multiplications + 2 * count, exponentials=normalised.exponentials + count
        )

    def kept(self, shape: Shape) -> Kept:
        """Its input, the deviations by group and by map, the sigmoid, what is divided, and what is weighted."""
        return Kept(input=True, elements=self.groups + shape[0] + 3 * prod(shape))
