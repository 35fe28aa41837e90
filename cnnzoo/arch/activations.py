"""The activations of torch.nn, with its names, keywords and defaults.

Their work is counted for every element in full, whichever side of a branch it falls on: a bound is a comparison, and
so is the choice between two sides; a division is a multiplication; and an exponential, a logarithm, a sigmoid, a tanh
or an error function is one exponential.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import ClassVar

from .node import Layer, Node, Work, layer, place_of
from .rules import choice
from .signal import Shape, ShapeError, Windows, show


@layer
class _Activation(Layer):
    """A function of each element alone."""

    each: ClassVar[Work] = Work()
    """What an element takes."""
    overwrites: ClassVar[bool] = True
    """Whether torch's module can write its output over its input."""

    def work(self, shape: Shape) -> Work:
        return self.each.of(prod(shape))

    def mixes(self, shape: Shape) -> Sequence[int] | None:
        return ()


@layer
class _OfInput(_Activation):
    """An activation whose gradient autograd works out from the input."""

    keeps_input: ClassVar[bool] = True


@layer
class _OfOutput(_Activation):
    """An activation whose gradient autograd works out from the output."""

    keeps_output: ClassVar[bool] = True


@layer
class ReLU(_OfOutput):
    """max(x, 0): one comparison an element."""

    each: ClassVar[Work] = Work(comparisons=1)


@layer
class Sigmoid(_OfOutput):
    """1 / (1 + exp(-x))."""

    each: ClassVar[Work] = Work(exponentials=1)
    overwrites: ClassVar[bool] = False


@layer
class Tanh(_OfOutput):
    """tanh(x)."""

    each: ClassVar[Work] = Work(exponentials=1)
    overwrites: ClassVar[bool] = False


@layer
class Square(_OfInput):
    """x * x; behind a ReLU it is the squared ReLU of So et al. (2021)."""

    each: ClassVar[Work] = Work(multiplications=1)
    overwrites: ClassVar[bool] = False


@layer
class Pow(_OfInput):
    """x ** exponent, of which the root is `Pow(0.5)` and the reciprocal `Pow(-1)`."""

    each: ClassVar[Work] = Work(exponentials=1)
    overwrites: ClassVar[bool] = False

    exponent: float


@layer
class ReLU6(_OfInput):
    """min(max(x, 0), 6)."""

    each: ClassVar[Work] = Work(comparisons=2)


@layer
class Hardtanh(_OfInput):
    """min(max(x, min_val), max_val)."""

    each: ClassVar[Work] = Work(comparisons=2)

    min_val: float = -1.0
    max_val: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_val >= self.max_val:
            raise ShapeError(f"Hardtanh: max_val must be above min_val, got {self.min_val} and {self.max_val}")


@layer
class Hardsigmoid(_OfInput):
    """min(max(x + 3, 0), 6) / 6."""

    each: ClassVar[Work] = Work(comparisons=2, additions=1, multiplications=1)


@layer
class Hardswish(_OfInput):
    """x * min(max(x + 3, 0), 6) / 6; Howard et al. (2019), section 5.2."""

    each: ClassVar[Work] = Work(comparisons=2, additions=1, multiplications=2)


@layer
class LeakyReLU(_OfInput):
    """x above 0, `negative_slope` * x below."""

    each: ClassVar[Work] = Work(comparisons=1, multiplications=1)

    negative_slope: float = 0.01


@layer
class PReLU(_OfInput):
    """x above 0, a trained slope times x below; one slope, or one for each channel. He et al. (2015), section 2.1."""

    each: ClassVar[Work] = Work(comparisons=1, multiplications=1)
    overwrites: ClassVar[bool] = False

    num_parameters: int = 1
    init: float = 0.25

    def output_shape(self, shape: Shape) -> Shape:
        if self.num_parameters not in (1, shape[0]):
            raise ShapeError(
                f"PReLU: num_parameters={self.num_parameters} does not fit the {shape[0]} channels of {show(shape)}; "
                f"1 or {shape[0]} would"
            )
        return shape

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": (self.num_parameters,)}


@layer
class ELU(_OfInput):
    """x above 0, alpha * (exp(x) - 1) below; Clevert et al. (2015)."""

    each: ClassVar[Work] = Work(comparisons=1, additions=1, multiplications=1, exponentials=1)

    alpha: float = 1.0


@layer
class SiLU(_OfInput):
    """x * sigmoid(x), also known as swish; Ramachandran et al. (2017)."""

    each: ClassVar[Work] = Work(multiplications=1, exponentials=1)


@layer
class Mish(_OfInput):
    """x * tanh(log(1 + exp(x))); Misra (2019)."""

    each: ClassVar[Work] = Work(additions=1, multiplications=1, exponentials=3)


@layer
class GELU(_OfInput):
    """x / 2 * (1 + erf(x / sqrt(2))), x times the share of the normal distribution below x.

    With `approximate="tanh"` it is x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3))). Hendrycks and Gimpel
    (2016).
    """

    overwrites: ClassVar[bool] = False
    rules: ClassVar = {"approximate": choice("none", "tanh")}

    approximate: str = "none"

    def work(self, shape: Shape) -> Work:
        return (_GELU_BY_TANH if self.approximate == "tanh" else _GELU).of(prod(shape))


_GELU = Work(additions=1, multiplications=3, exponentials=1)
_GELU_BY_TANH = Work(additions=2, multiplications=6, exponentials=1)


@layer
class Softmax(Layer):
    """exp(x) over its sum along `dim`, counted as in torch with the batch as dimension 0."""

    keeps_output: ClassVar[bool] = True

    dim: int = 1

    def output_shape(self, shape: Shape) -> Shape:
        place_of(self, self.dim, shape)
        return shape

    def work(self, shape: Shape) -> Work:
        count = prod(shape)
        length = shape[place_of(self, self.dim, shape)]
        return Work(additions=count - count // length, multiplications=count, exponentials=count)

    def windows(self, shape: Shape) -> Windows | None:
        return super().windows(shape) if self.dim in (1, -len(shape)) else None

    def mixes(self, shape: Shape) -> Sequence[int] | None:
        return (place_of(self, self.dim, shape),)


def may_overwrite(layer: Node) -> bool:
    """Whether torch's module of a layer can write its output over its input, in training too: torch has no backward
    pass for it where the slope below 0 is negative."""
    if not isinstance(layer, _Activation) or not layer.overwrites:
        return False
    return all(layer.settings.get(name, 0) >= 0 for name in ("negative_slope", "alpha"))
