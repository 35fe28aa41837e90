"""Products with a number and sums with one, the same for every element.

An expression of numbers is a row of them: relu6(x + 3) / 6 is `Shift(3)`, `ReLU6()` and `Scale(1 / 6)`.
"""

from __future__ import annotations

from math import prod

from .node import Layer, Work, layer
from .signal import Shape


@layer
class Scale(Layer):
    """x * factor, by a constant."""

    factor: float

    def work(self, shape: Shape) -> Work:
        return Work(multiplications=prod(shape))


@layer
class Shift(Layer):
    """x + term, a constant."""

    term: float

    def work(self, shape: Shape) -> Work:
        return Work(additions=prod(shape))
