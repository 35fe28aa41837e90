"""Reductions over named dimensions: the mean, the sum, the variance and the maximum, as torch's functions of these
names, of which the last is `amax`.

Over height and width it is the global pooling before a classifier, `Mean((2, 3))`; over the channels one of the two
maps that a spatial attention looks at, `Max(1, keepdim=True)`.
"""

from __future__ import annotations

from dataclasses import KW_ONLY
from math import prod
from typing import ClassVar

from .node import Kept, Layer, Work, layer, place_of
from .rules import dims_of
from .signal import POINTWISE, Shape, ShapeError, Window, Windows, show


@layer
class _Reduction(Layer):
    """One element of all that differ in dimensions `dim` alone: (C, H, W) -> (C,) over (2, 3), with `keepdim` to
    (C, 1, 1).

    Dimensions are counted as in torch; the batch, 0, cannot be one of them.
    """

    rules: ClassVar = {"dim": dims_of}

    dim: int | tuple[int, ...]
    keepdim: bool = False

    @property
    def pools(self) -> bool:  # type: ignore[override]
        """Whether it is a pooling to a fixed size: whether it is over the height or the width of maps."""
        return not {2, 3, -1, -2}.isdisjoint(self._dims())

    def _dims(self) -> tuple[int, ...]:
        return self.dim if isinstance(self.dim, tuple) else (self.dim,)

    def places(self, shape: Shape) -> list[int]:
        """Where in the shape its dimensions are, in their order."""
        places = sorted(place_of(self, dim, shape) for dim in self._dims())
        if len(set(places)) < len(places):
            raise ShapeError(f"{type(self).__name__}: dim={self.dim} has one of the dimensions of {show(shape)} twice")
        return places

    def output_shape(self, shape: Shape) -> Shape:
        places = self.places(shape)
        if self.keepdim:
            return tuple(1 if place in places else length for place, length in enumerate(shape))
        if len(places) == len(shape):
            raise ShapeError(
                f"{type(self).__name__}: dim={self.dim} leaves no dimension of {show(shape)}; keepdim=True would fit"
            )
        return tuple(length for place, length in enumerate(shape) if place not in places)

    def fan_in(self, shape: Shape) -> int:
        return prod(shape)

    def windows(self, shape: Shape) -> Windows | None:
        """The whole of a side that it is over; None where what is left are neither maps nor features."""
        places = self.places(shape)
        if len(shape) == 3 and (self.keepdim or places == [1, 2]):
            height, width = (Window(shape[side], shape[side]) if side in places else Window() for side in (1, 2))
            return height, width
        return POINTWISE if len(shape) == 1 else None


@layer
class Mean(_Reduction):
    """The mean over dimensions `dim`, which `keepdim` leaves with a length of 1."""

    def work(self, shape: Shape) -> Work:
        means = prod(self.output_shape(shape))
        return Work(additions=prod(shape) - means, multiplications=means)


@layer
class Sum(_Reduction):
    """The sum over dimensions `dim`, which `keepdim` leaves with a length of 1."""

    def work(self, shape: Shape) -> Work:
        return Work(additions=prod(shape) - prod(self.output_shape(shape)))


@layer
class Var(_Reduction):
    """The variance over dimensions `dim`, which `keepdim` leaves with a length of 1: of n elements the sum of the
    squared differences from their mean, over n - `correction`."""

    _: KW_ONLY
    correction: int = 1

    def output_shape(self, shape: Shape) -> Shape:
        out = super().output_shape(shape)
        each = prod(shape) // prod(out)
        if each <= self.correction:
            raise ShapeError(
                f"Var: dim={self.dim} has {each} elements of {show(shape)}, of which there is no variance with "
                f"correction={self.correction}; correction=0 would fit"
            )
        return out

    def work(self, shape: Shape) -> Work:
        """Two sums, a difference of each element and its square, two quotients."""
        count, variances = prod(shape), prod(self.output_shape(shape))
        return Work(additions=3 * count - 2 * variances, multiplications=count + 2 * variances)

    def kept(self, shape: Shape) -> Kept:
        return Kept(input=True)


@layer
class Max(_Reduction):
    """The largest over dimensions `dim`, which `keepdim` leaves with a length of 1; torch's `amax`. Autograd keeps its
    input and its output: where they are equal, gradients flow."""

    keeps_input: ClassVar[bool] = True
    keeps_output: ClassVar[bool] = True

    def work(self, shape: Shape) -> Work:
        return Work(comparisons=prod(shape) - prod(self.output_shape(shape)))
