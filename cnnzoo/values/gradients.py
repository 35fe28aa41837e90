"""Gradients through a described chain of layers, and their check against differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import inf, prod
from typing import Any, TypeAlias

import numpy as np

from .. import arch
from ..arch import Layer, Node, Sequential, walk
from ..arch.node import pair
from ..arch.rules import count_of
from ..errors import InvalidValueError
from ..report.rows import key_of
from ..words import listed, quoted
from .arrays import Array, floats, shaped
from .functions import linear_backward, relu_backward, softmax_backward
from .layers import FORWARDS, Tensors, along, avg_pool, connections, table_weight
from .network import Execution
from .windows import avg_pool2d_backward, conv2d_backward, max_pool2d_backward

Backward: TypeAlias = Callable[[Any, Array, Array, Tensors], tuple[Array, dict[str, Array]]]
"""Of a layer, `dy`, its input and its tensors the gradient by the input, and those by the tensors, by their names."""


def run_backward(dy: Any, description: Node, weights: Mapping[str, Any], x: Any) -> tuple[dict[str, Array], Array]:
    """The gradients of a loss by the weights, by their names, and by x, where `dy` is that by what `run` gives.

    Of a chain: of Sequentials, without steps that read by name, of layers that `BACKWARDS` has; `InvalidValueError` of
    any other. As in `run`, dropout does nothing.
    """
    tape = _Tape(description, weights, (x,))
    for path, node in walk(description):
        if isinstance(node, Layer) and type(node) not in BACKWARDS:
            what = type(node).__name__
            raise InvalidValueError(f"at {path or 'the top'}: {what} has no backward in cnnzoo.values.BACKWARDS")
        if not isinstance(node, Layer) and (type(node) is not Sequential or node._plan is not None):
            what = "a Sequential whose steps read by name" if type(node) is Sequential else f"a {type(node).__name__}"
            raise InvalidValueError(f"gradients are those of a chain of layers; at {path or 'the top'} is {what}")
    with np.errstate(all="ignore"):
        dx = shaped("dy", dy, tape.output().shape)
        gradients: dict[str, Array] = {}
        for path, layer, x, tensors in reversed(tape.steps):
            dx, own = BACKWARDS[type(layer)](layer, dx, x, tensors)
            gradients |= {key_of(path, name): gradient for name, gradient in own.items()}
    return gradients, dx


def numerical_gradient(function: Callable[[Array], float], x: Any, epsilon: float = 1e-6) -> Array:
    """The gradient of a function at x by central differences: (f(x + epsilon) - f(x - epsilon)) / (2 epsilon) for each
    of its elements, of which two calls take all others as they are."""
    x = floats("x", x).astype(np.float64)
    return np.array([_difference(function, x, place, epsilon) for place in np.ndindex(x.shape)]).reshape(x.shape)


def gradient_check(
    loss: Callable[[Mapping[str, Array]], float],
    weights: Mapping[str, Any],
    gradients: Mapping[str, Any],
    places: int = 10,
    epsilon: float = 1e-6,
    seed: int = 0,
) -> dict[str, float]:
    """How far gradients of a loss are from central differences: by name the largest distance at so many places, chosen
    at random, as a part of the largest gradient of that name.

    `loss` takes all weights, as float64. About 1e-8 is right; at a bend, as that of a ReLU at 0, there is no gradient
    and the distance may be anything.
    """
    count_of("places", places)
    if other := [name for name in gradients if name not in weights]:
        raise InvalidValueError(f"there are gradients of what is no weight: {listed(other)}")
    arrays = {name: floats(name, one).astype(np.float64) for name, one in weights.items()}
    random = np.random.default_rng(seed)
    found = {}
    for name, given in gradients.items():
        gradient, x = shaped(name, given, arrays[name].shape), arrays[name]
        function = partial(_of_one, loss, arrays, name)
        chosen = random.choice(x.size, min(places, x.size), replace=False)
        at = [tuple(map(int, np.unravel_index(number, x.shape))) for number in chosen]
        distances = [abs(_difference(function, x, place, epsilon) - gradient[place]) for place in at]
        found[name] = float(max(distances) / (np.abs(gradient).max() or 1))
    return found


def _of_one(loss: Callable[[Mapping[str, Array]], float], arrays: Mapping[str, Array], name: str, x: Array) -> float:
    return loss({**arrays, name: x})


def _difference(function: Callable[[Array], float], x: Array, place: tuple[int, ...], epsilon: float) -> float:
    if not isinstance(epsilon, int | float) or not 0 < epsilon < inf:
        raise InvalidValueError(f"epsilon must be a number above 0, got {quoted(epsilon)}")
    above, below = x.copy(), x.copy()
    above[place] += epsilon
    below[place] -= epsilon
    return (function(above) - function(below)) / (2 * epsilon)


class _Tape(Execution):
    """An execution that keeps what each layer read."""

    def __init__(self, description: Node, weights: Mapping[str, Any], inputs: tuple[Any]) -> None:
        super().__init__(description, weights, inputs)
        self.steps: list[tuple[str, Layer, Array, Tensors]] = []

    def layer(self, layer: Layer, x: Array) -> Array:
        self.steps.append((self.path, layer, x, self.tensors(layer, x)))
        return super().layer(layer, x)


def _weighted(layer: Any, dx: Array, dweight: Array, dbias: Array) -> tuple[Array, dict[str, Array]]:
    return dx, {"weight": dweight, "bias": dbias} if layer.bias else {"weight": dweight}


def _convolution(layer: arch.Conv2d, dy: Array, x: Array, tensors: Tensors) -> tuple[Array, dict[str, Array]]:
    settings = (layer.stride, layer.padding, layer.dilation, layer.groups)
    return _weighted(layer, *conv2d_backward(dy, x, tensors["weight"], *settings))


def _table(layer: arch.TableConv2d, dy: Array, x: Array, tensors: Tensors) -> tuple[Array, dict[str, Array]]:
    dx, dweight, dbias = conv2d_backward(dy, x, table_weight(layer, tensors["weight"], x.shape[1]))
    return dx, {"weight": dweight[connections(layer)][:, None], "bias": dbias}


def _subsampling(layer: arch.Subsampling2d, dy: Array, x: Array, tensors: Tensors) -> tuple[Array, dict[str, Array]]:
    window = prod(pair(layer.kernel_size))
    sums = avg_pool(arch.AvgPool2d(layer.kernel_size), x, {}) * window
    dx = avg_pool2d_backward(dy * along(tensors["weight"], dy) * window, x, layer.kernel_size)
    return dx, {"weight": (dy * sums).sum((0, 2, 3)), "bias": dy.sum((0, 2, 3))}


def _max_pool(layer: arch.MaxPool2d, dy: Array, x: Array) -> Array:
    settings = (layer.stride, layer.padding, layer.dilation, layer.ceil_mode)
    return max_pool2d_backward(dy, x, layer.kernel_size, *settings)


def _avg_pool(layer: arch.AvgPool2d, dy: Array, x: Array) -> Array:
    settings = (layer.stride, layer.padding, layer.ceil_mode, layer.count_include_pad)
    return avg_pool2d_backward(dy, x, layer.kernel_size, *settings)


def _alone(function: Callable[[Any, Array, Array], Array]) -> Backward:
    """Of a layer without weights: of the layer, `dy` and its input."""
    return lambda layer, dy, x, _: (function(layer, dy, x), {})


def _of_output(slope: Callable[[Any, Array], Array]) -> Backward:
    """Of an activation whose slope follows from its output."""
    return _alone(lambda layer, dy, x: dy * slope(layer, FORWARDS[type(layer)](layer, x, {})))


BACKWARDS: dict[type[Node], Backward] = {
    arch.Conv2d: _convolution,
    arch.TableConv2d: _table,
    arch.Subsampling2d: _subsampling,
    arch.Linear: lambda layer, dy, x, tensors: _weighted(layer, *linear_backward(dy, x, tensors["weight"])),
    arch.RBF: lambda layer, dy, x, tensors: (2 * (x * dy.sum(1, keepdims=True) - dy @ tensors["centres"]), {}),
    arch.MaxPool2d: _alone(_max_pool),
    arch.AvgPool2d: _alone(_avg_pool),
    arch.ReLU: _alone(lambda layer, dy, x: relu_backward(dy, x)),
    arch.Softmax: _alone(lambda layer, dy, x: softmax_backward(dy, x, layer.dim)),
    arch.Sigmoid: _of_output(lambda layer, y: y * (1 - y)),
    arch.Tanh: _of_output(lambda layer, y: 1 - y * y),
    arch.ScaledTanh: _alone(
        lambda layer, dy, x: dy * layer.amplitude * layer.slope * (1 - np.tanh(layer.slope * x) ** 2)
    ),
    arch.Flatten: _alone(lambda layer, dy, x: dy.reshape(x.shape)),
    arch.Dropout: _alone(lambda layer, dy, x: dy),
    arch.Identity: _alone(lambda layer, dy, x: dy),
}
"""The gradients of layers of each kind; a package with a kind of its own adds to it."""
