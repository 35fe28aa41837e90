"""What a classifier does behind its maps: products with matrices, ReLU, softmax and the loss, forward and backward."""

from __future__ import annotations

import numpy as np

from ..arch import ShapeError
from ..arch.signal import show
from ..errors import InvalidTypeError, InvalidValueError
from ..words import quoted
from .arrays import Array, floats, shaped


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """(..., C) -> (..., O): x times the transpose of `weight`, (O, C), plus `bias`, (O,)."""
    x, weight = _product(x, weight)
    y = x @ weight.T
    return y if bias is None else y + shaped("bias", bias, weight.shape[:1])


def linear_backward(dy: Array, x: Array, weight: Array) -> tuple[Array, Array, Array]:
    """The gradients by x, by the weight and by the bias."""
    x, weight = _product(x, weight)
    dy = shaped("dy", dy, (*x.shape[:-1], len(weight)))
    rows = dy.reshape(-1, len(weight))
    return dy @ weight, rows.T @ x.reshape(-1, x.shape[-1]), rows.sum(0)


def relu(x: Array) -> Array:
    """max(x, 0)."""
    return np.maximum(floats("x", x), 0)


def relu_backward(dy: Array, x: Array) -> Array:
    """The gradient by x: `dy` where x is above 0."""
    x = floats("x", x)
    return np.where(x > 0, shaped("dy", dy, x.shape), 0)


def softmax(x: Array, dim: int = 1) -> Array:
    """exp(x) over its sum along a dimension; the largest is taken off first, so that nothing overflows."""
    x = floats("x", x)
    if dim not in range(-x.ndim, x.ndim) or not x.shape[dim]:
        raise ShapeError(f"softmax: dim={quoted(dim)} is no dimension of {show(x.shape)} that has elements")
    powers = np.exp(x - x.max(dim, keepdims=True))
    y: Array = powers / powers.sum(dim, keepdims=True)
    return y


def softmax_backward(dy: Array, x: Array, dim: int = 1) -> Array:
    """The gradient by x."""
    y = softmax(x, dim)
    dy = shaped("dy", dy, y.shape)
    dx: Array = y * (dy - (dy * y).sum(dim, keepdims=True))
    return dx


def cross_entropy(x: Array, target: Array) -> float:
    """The mean over images of -log softmax(x) at the class of each: scores (N, classes), classes (N,)."""
    x, target = _scored(x, target)
    shifted = x - x.max(1, keepdims=True)
    return float((np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(x)), target]).mean())


def cross_entropy_backward(x: Array, target: Array) -> Array:
    """The gradient by the scores: (softmax(x) - 1 at the class) / N."""
    x, target = _scored(x, target)
    dx: Array = (softmax(x) - (np.arange(x.shape[1]) == target[:, None])) / x.dtype.type(len(x))
    return dx


def _product(x: Array, weight: Array) -> tuple[Array, Array]:
    x, weight = floats("x", x), floats("weight", weight)
    if x.ndim < 1 or weight.ndim != 2 or x.shape[-1] != weight.shape[1]:
        fits = f"(out_features, {x.shape[-1]})" if x.ndim else "no weight"
        raise ShapeError(f"weight has the shape {show(weight.shape)} for x of {show(x.shape)}; {fits} would fit")
    return x, weight


def _scored(x: Array, target: Array) -> tuple[Array, Array]:
    x, target = floats("x", x), np.asarray(target)
    if x.ndim != 2 or target.shape != x.shape[:1]:
        raise ShapeError(f"x of {show(x.shape)} and target of {show(target.shape)}; (N, classes) and (N,) would fit")
    if target.dtype.kind not in "iu":
        raise InvalidTypeError(f"target must be numbers of classes, got an array of {target.dtype}")
    if len(x) == 0 or not 0 <= target.min() <= target.max() < x.shape[1]:
        raise InvalidValueError(f"target must be classes from 0 to {x.shape[1] - 1}, one of each image at least")
    return x, target
