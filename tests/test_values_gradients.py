"""Gradients through a described chain are torch's, and are what differences come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import strategies
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import takes
from strategies import int_or_pair
from torch import nn

import cnnzoo
from cnnzoo import arch, values
from cnnzoo.arch import Conv2d, Flatten, Linear, ReLU, Residual, Sequential
from cnnzoo.errors import CnnzooError
from cnnzoo.pytorch.modules.build import build

CHAINS = [
    *("simpleconvnet", "lenet5", "lenet5_modern", "lenet5_sigmoid", "mnist_cnn", "mnist_deep_cnn", "fashion_cnn"),
]


def assert_torch_agrees(description: arch.Node, net: nn.Module, x: torch.Tensor, seed: int = 0) -> None:
    """Of a loss that is a random sum of the outputs, by each weight and by the input."""
    net.double().eval()
    x = x.double().requires_grad_()
    y = net(x)
    dy = torch.randn(y.shape, dtype=y.dtype, generator=torch.Generator().manual_seed(seed))
    named = dict(net.named_parameters())
    theirs = torch.autograd.grad(y, [*named.values(), x], dy)
    gradients, dx = values.run_backward(dy, description, net.state_dict(), x.detach())
    assert {*gradients} == {*named}
    for name, other in zip([*named, "x"], theirs, strict=True):
        mine = dx if name == "x" else gradients[name]
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other.numpy(), rtol=1e-9, atol=1e-11 * float(other.abs().max() + 1))


@pytest.mark.parametrize("name", CHAINS)
def test_of_a_registered_network(name: str) -> None:
    torch.manual_seed(0)
    net = cnnzoo.create_model(name)
    x = torch.randn(2, *cnnzoo.get_builder(name).input_size)
    assert_torch_agrees(cnnzoo.describe(name), net, x)


ACTIVATIONS = (
    *(arch.ReLU(), arch.Sigmoid(), arch.Tanh(), arch.ScaledTanh()),
    *(arch.Softmax(), arch.Identity(), arch.Dropout()),
)
LAYERS = st.one_of(
    *strategies.SMALL_CONVS[:2],
    strategies.SMALL_CONVS[3],
    st.builds(arch.MaxPool2d, int_or_pair(1, 3), st.none() | st.integers(1, 2), ceil_mode=st.booleans()),
    st.builds(arch.AvgPool2d, int_or_pair(2, 3), st.none() | st.integers(1, 2), padding=st.integers(0, 1)),
    st.builds(arch.Subsampling2d, int_or_pair(1, 2)),
    st.sampled_from(ACTIVATIONS),
    st.builds(Linear, st.integers(1, 4), bias=st.booleans()),
)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(
    st.lists(LAYERS, min_size=1, max_size=6),
    st.sampled_from([[], [Flatten(), Linear(3)], [Flatten(), arch.RBF(4)]]),
    st.integers(0, 2**32),
)
def test_of_a_random_chain(drawn: list[arch.Layer], end: list[arch.Layer], seed: int) -> None:
    shape, layers = (4, 9, 8), []
    for layer in [*drawn, *end]:
        if takes(layer, shape):
            layers.append(layer)
            shape = layer.output_shape(shape)
    description = Sequential(Sequential(*layers))
    torch.manual_seed(seed)
    assert_torch_agrees(description, build(description, (4, 9, 8)), torch.randn(2, 4, 9, 8), seed)


def checked(name: str) -> tuple[Callable[[Mapping[str, Any]], float], dict[str, Any], dict[str, Any]]:
    """The loss of two random images with random weights, the weights, and the gradients by them and by the images."""
    random, description = np.random.default_rng(0), cnnzoo.describe(name)
    report = cnnzoo.summary(name)
    weights = {key: random.normal(0, 0.1, shape) for key, shape in report.tensors.items()}
    x, target = random.standard_normal((2, *report.input_size)), np.array([3, 7])

    def loss(given: Mapping[str, Any]) -> float:
        own = {key: given[key] for key in weights}
        return values.cross_entropy(values.run(description, own, given["x"]), target)

    dy = values.cross_entropy_backward(values.run(description, weights, x), target)
    gradients, dx = values.run_backward(dy, description, weights, x)
    return loss, {**weights, "x": x}, {**gradients, "x": dx}


@pytest.mark.parametrize("name", ["simpleconvnet", "lenet5", "lenet5_modern"])
def test_gradients_are_what_differences_come_to(name: str) -> None:
    loss, weights, gradients = checked(name)
    found = values.gradient_check(loss, weights, gradients, places=5)
    assert [*found] == [*gradients]
    assert max(found.values()) < 1e-6
    wrong = {key: gradient * (1 + 1e-3 * (key == "x")) for key, gradient in gradients.items()}
    found = values.gradient_check(loss, weights, wrong, places=5)
    assert [key for key, distance in found.items() if distance > 1e-6] == ["x"]


def test_a_numerical_gradient() -> None:
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(values.numerical_gradient(lambda x: float((x**3).sum()), x), 3 * x**2, atol=1e-8)
    np.testing.assert_allclose(values.numerical_gradient(lambda x: 2 * x[0] + x[1], [1, 2]), [2, 1], atol=1e-8)


NET = Sequential(conv=Conv2d(2, 3), relu=ReLU())
WEIGHTS = {"conv.weight": np.ones((2, 1, 3, 3)), "conv.bias": np.ones(2)}
X = np.ones((1, 1, 4, 4))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: values.run_backward(X, NET, WEIGHTS, X), r"dy has the shape \(1, 1, 4, 4\); \(1, 2, 2, 2\) would fit"),
        (lambda: values.run_backward(X, Residual(a=ReLU()), {}, X), r"chain of layers; at the top is a Residual"),
        (lambda: values.run_backward(X, Sequential(a=Residual(b=ReLU())), {}, X), r"at a is a Residual"),
        (lambda: values.run_backward(X, Sequential(a=arch.GELU()), {}, X), r"at a: GELU has no backward in cnnzoo"),
        (lambda: values.run_backward(X, Sequential(a=ReLU(), b=arch.From("input", ReLU())), {}, X), r"read by name"),
        (lambda: values.run_backward(X, "lenet5", {}, X), r"a description was expected, as cnnzoo.describe\(name\)"),
        (lambda: values.gradient_check(lambda _: 0.0, {}, {"a": 1}), "there are gradients of what is no weight: a"),
        (lambda: values.gradient_check(lambda _: 0.0, {"a": X}, {"a": 1}), r"a has the shape \(\); .* would fit"),
        (lambda: values.gradient_check(lambda _: 0.0, {"a": X}, {"a": X}, 0), "places must be .*, got 0"),
        (lambda: values.numerical_gradient(lambda _: 0.0, X, float("nan")), "epsilon must be .*, got nan"),
    ],
)  # fmt: skip
def test_what_has_no_gradient_is_said_in_a_line(call: Callable[[], object], said: str) -> None:
    with pytest.raises(CnnzooError, match=said) as refused:
        call()
    assert "\n" not in str(refused.value)
