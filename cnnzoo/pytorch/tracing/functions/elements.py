"""Functions of each element, and those where values meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from .... import arch
from ....arch import Node
from ..words import WORDS, NoWordError, Said, Word, along, refuse, said, word


@word("cat", "concat", "concatenate")
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Said:
    return said(arch.Cat(dim=along(dim, tensors[0])), *tensors)


@word()
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Said:
    place = dim + tensors[0].dim() + 1 if dim < 0 else dim
    return said(arch.Stack(dim=place), *tensors) if place else Said((), tuple(tensors))


@word("add", "radd", "iadd")
def add(input: Any, other: Any, *, alpha: Any = 1) -> Said:
    one, two = (input, other) if isinstance(input, Tensor) else (other, input)
    if isinstance(two, Tensor):
        if alpha != 1:
            raise NoWordError(f"no word has alpha={alpha}")
        return said(arch.Add(), one, two)
    return said(arch.Shift(float(two * alpha)), one)


@word("sub", "subtract", "isub")
def sub(input: Tensor, other: Any, *, alpha: Any = 1) -> Said:
    if isinstance(other, Tensor):
        if alpha != 1:
            raise NoWordError(f"no word has alpha={alpha}")
        return said(arch.Subtract(), input, other)
    return said(arch.Shift(float(-other * alpha)), input)


@word("rsub")
def rsub(input: Tensor, other: Any) -> Said:
    return Said((arch.Scale(-1.0), arch.Shift(float(other))), (input,))


@word("mul", "multiply", "rmul", "imul")
def mul(input: Any, other: Any) -> Said:
    return _product(input, other)


def _product(input: Any, other: Any) -> Said:
    one, two = (input, other) if isinstance(input, Tensor) else (other, input)
    if one is two:
        return said(arch.Square(), one)
    if isinstance(two, Tensor):
        return said(arch.Multiply(), one, two)
    return said(arch.Scale(float(two)), one)


@word()
def matmul(input: Tensor, other: Tensor) -> Said:
    return said(arch.MatMul(), input, other)


@word()
def bmm(input: Tensor, mat2: Tensor) -> Said:
    return said(arch.MatMul(), input, mat2)


@word("div", "divide", "true_divide", "truediv", "itruediv")
def div(input: Tensor, other: Any, *, rounding_mode: Any = None) -> Said:
    refuse({"rounding_mode": rounding_mode})
    if isinstance(other, Tensor):
        return said(arch.Divide(), input, other)
    return said(arch.Scale(1 / other), input)


@word("rtruediv", "rdiv")
def rdiv(input: Tensor, other: Any) -> Said:
    """A number over a tensor."""
    return Said((arch.Pow(-1.0), *([arch.Scale(float(other))] if other != 1 else [])), (input,))


@word("reciprocal")
def reciprocal(input: Tensor) -> Said:
    return said(arch.Pow(-1.0), input)


@word("sqrt")
def sqrt(input: Tensor) -> Said:
    return said(arch.Pow(0.5), input)


@word("rsqrt")
def rsqrt(input: Tensor) -> Said:
    return said(arch.Pow(-0.5), input)


@word("addcmul")
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Said:
    """A sum with a product."""
    if value != 1:
        raise NoWordError(f"no word has value={value}")
    product = tensor1 * tensor2
    return said(arch.Add(), input, product)._replace(before=(_product(tensor1, tensor2), product))


@word("neg", "negative")
def neg(input: Tensor) -> Said:
    return said(arch.Scale(-1.0), input)


@word()
def square(input: Tensor) -> Said:
    return said(arch.Square(), input)


@word("pow", "__pow__")
def power(input: Tensor, exponent: Any) -> Said:
    if isinstance(exponent, Tensor) or not isinstance(input, Tensor):
        raise NoWordError("a power of a tensor")
    return said(arch.Square() if exponent == 2 else arch.Pow(float(exponent)), input)


def _flagged(kind: Callable[[], Node]) -> Word:
    """Of a function whose only setting is whether it writes over its input."""

    def activate(input: Tensor, inplace: bool = False) -> Said:
        return said(kind(), input)

    return activate


WORDS |= {
    "relu": _flagged(arch.ReLU),
    "relu6": _flagged(arch.ReLU6),
    "sigmoid": _flagged(arch.Sigmoid),
    "tanh": _flagged(arch.Tanh),
    "hardsigmoid": _flagged(arch.Hardsigmoid),
    "hardswish": _flagged(arch.Hardswish),
    "silu": _flagged(arch.SiLU),
    "mish": _flagged(arch.Mish),
}


@word()
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Said:
    return said(arch.LeakyReLU(negative_slope), input)


@word()
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Said:
    return said(arch.ELU(alpha), input)


@word()
def gelu(input: Tensor, approximate: str = "none") -> Said:
    return said(arch.GELU(approximate), input)


@word()
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Said:
    return _clamped(input, min_val, max_val)


@word("clamp", "clip")
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Said:
    return _clamped(input, min, max)


def _clamped(input: Tensor, low: Any, high: Any) -> Said:
    if (low, high) == (0, None):
        return said(arch.ReLU(), input)
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        raise NoWordError(f"no word has bounds of {low} and {high}")
    return said(arch.ReLU6() if (low, high) == (0, 6) else arch.Hardtanh(float(low), float(high)), input)


@word()
def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Said:
    if dim is None:
        raise NoWordError("a softmax without a dimension")
    return said(arch.Softmax(dim), input)


@word()
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Said:
    return Said((arch.Dropout(p),), (input,), random=training) if p else Said((), (input,))


@word("dropout2d", "feature_dropout")
def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Said:
    return Said((arch.Dropout2d(p),), (input,), random=training) if p else Said((), (input,))


@word()
def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Said:
    """torch takes four dimensions for those of one sample: what is zero is a sample's channels all together."""
    if input.dim() != 4:
        raise NoWordError(f"a dropout of volumes of {input.dim()} dimensions")
    return Said((arch.StochasticDepth(p, "row"),), (input,), random=training) if p else Said((), (input,))


@word()
def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Said:
    return said(arch.LocalResponseNorm(size, alpha, beta, k), input)


@word("normalize")
def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Said:
    if p != 2:
        raise NoWordError(f"a norm of p={p}")
    return said(arch.L2Norm(eps=eps, affine=False, dim=along(dim, input)), input)


def _same(input: Tensor, *_: Any, **__: Any) -> Said:
    return Said((), (input,))


WORDS |= dict.fromkeys(
    ("contiguous", "clone", "detach", "to", "float", "type_as", "data", "requires_grad", "expand", "expand_as", "cpu",
     "view_as", "reshape_as", "alias", "as_tensor"), _same
)  # fmt: skip
"""What hands its tensor on; the shape says whether it did."""
