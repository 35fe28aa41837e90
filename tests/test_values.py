"""What numpy computes is what torch does: values and gradients of every function of `cnnzoo.values`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import strategies
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import int_or_pair
from torch.nn import functional as F

from cnnzoo import arch, values
from cnnzoo.arch import ShapeError
from cnnzoo.arch.node import Layer, pair
from cnnzoo.errors import CnnzooError

Shape = tuple[int, ...]
sides = st.integers(1, 10)
some = st.integers(1, 3)


def numbers(seed: int, *shape: int) -> np.ndarray:
    """Normal ones, or whole ones of which many are equal."""
    random = np.random.default_rng(seed)
    return random.standard_normal(shape) if seed % 2 else random.integers(-2, 3, shape).astype(float)


def torch_of(forward: Callable[..., torch.Tensor], dy: np.ndarray, *given: np.ndarray) -> list[np.ndarray]:
    """What torch gives for these, and the gradients by each of them."""
    tensors = [torch.tensor(one, requires_grad=True) for one in given]
    y = forward(*tensors)
    return [y.detach().numpy(), *(one.numpy() for one in torch.autograd.grad(y, tensors, torch.tensor(dy)))]


def assert_all_close(ours: Any, theirs: Any) -> None:
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=1e-10, atol=1e-10)


def fitting(layer: Layer, shape: Shape) -> Shape:
    try:
        return layer.output_shape(shape)
    except ShapeError:
        assume(False)
        raise


@st.composite
def convolutions(draw: st.DrawFn, transposed: bool = False) -> tuple[Any, Shape]:
    groups = draw(some)
    settings = {name: draw(int_or_pair(1, 3)) for name in ("stride", "dilation")} | {"groups": groups}
    settings["padding"] = draw(int_or_pair(0, 3))
    if transposed:
        kind, settings["output_padding"] = arch.ConvTranspose2d, draw(int_or_pair(0, 1))
    else:
        kind = arch.Conv2d
        if draw(st.booleans()):
            settings["padding"] = draw(st.sampled_from(["same", "valid"]))
            settings["stride"] = 1 if settings["padding"] == "same" else settings["stride"]
    try:
        layer = kind(groups * draw(some), draw(int_or_pair(1, 4)), **settings)
    except ShapeError:
        assume(False)
    return layer, (groups * draw(some), draw(sides), draw(sides))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(convolutions(), st.integers(1, 3), st.integers(0, 2**32))
def test_a_convolution_and_its_gradients(case: tuple[arch.Conv2d, Shape], images: int, seed: int) -> None:
    layer, shape = case
    out = fitting(layer, shape)
    said = {name: layer.settings[name] for name in ("stride", "padding", "dilation", "groups")}
    x, weight = numbers(seed, images, *shape), numbers(seed + 1, *layer.tensors(shape)["weight"])
    bias, dy = numbers(seed + 2, out[0]), numbers(seed + 3, images, *out)
    theirs = torch_of(lambda *those: F.conv2d(*those, **said), dy, x, weight, bias)
    assert_all_close([values.conv2d(x, weight, bias, **said), *values.conv2d_backward(dy, x, weight, **said)], theirs)
    assert_all_close([values.conv2d(x, weight, **said) + bias[:, None, None]], theirs[:1])


@given(convolutions(transposed=True), st.integers(1, 3), st.integers(0, 2**32))
def test_a_transposed_convolution(case: tuple[arch.ConvTranspose2d, Shape], images: int, seed: int) -> None:
    layer, shape = case
    out = fitting(layer, shape)
    said = {name: layer.settings[name] for name in ("stride", "padding", "output_padding", "groups", "dilation")}
    x, weight = numbers(seed, images, *shape), numbers(seed + 1, *layer.tensors(shape)["weight"])
    bias = numbers(seed + 2, out[0])
    theirs = F.conv_transpose2d(*map(torch.tensor, (x, weight, bias)), **said)
    assert_all_close([values.conv_transpose2d(x, weight, bias, **said)], [theirs.numpy()])


@given(convolutions(), st.integers(1, 3), st.integers(0, 2**32))
def test_windows_as_columns_and_back(case: tuple[arch.Conv2d, Shape], images: int, seed: int) -> None:
    layer, shape = case
    assume(not isinstance(layer.padding, str))
    _, *out = fitting(
        arch.Conv2d(1, layer.kernel_size, padding=layer.padding, stride=layer.stride, dilation=layer.dilation), shape
    )
    said = {name: layer.settings[name] for name in ("kernel_size", "stride", "padding", "dilation")}
    x = numbers(seed, images, *shape)
    columns = numbers(seed + 1, images, shape[0] * np.prod(pair(layer.kernel_size)), np.prod(out))
    assert_all_close([values.im2col(x, **said)], [F.unfold(torch.tensor(x), **said).numpy()])
    assert_all_close(
        [values.col2im(columns, shape[1:], **said)], [F.fold(torch.tensor(columns), shape[1:], **said).numpy()]
    )
    product = (values.im2col(x, **said) * columns).sum()
    np.testing.assert_allclose((x * values.col2im(columns, shape[1:], **said)).sum(), product, atol=1e-9)


@pytest.mark.parametrize("kind", [arch.MaxPool2d, arch.AvgPool2d])
@given(st.data(), strategies.maps(3, 10), st.integers(1, 3), st.integers(0, 2**32))
def test_a_pooling_and_its_gradient(kind: Any, data: st.DataObject, shape: Shape, images: int, seed: int) -> None:
    said = {"stride": data.draw(st.none() | int_or_pair(1, 4)), "ceil_mode": data.draw(st.booleans())}
    if kind is arch.MaxPool2d:
        said["dilation"] = data.draw(int_or_pair(1, 3))
        assume(max(pair(said["dilation"])) <= min(shape[1:]))  # beyond, torch writes outside of its gradient
        both, theirs = (values.max_pool2d, values.max_pool2d_backward), F.max_pool2d
    else:
        said["count_include_pad"] = data.draw(st.booleans())
        both, theirs = (values.avg_pool2d, values.avg_pool2d_backward), F.avg_pool2d
    kernel = data.draw(int_or_pair(1, 4))
    said["padding"] = data.draw(int_or_pair(0, min(pair(kernel)) // 2))
    out = fitting(kind(kernel, **said), shape)
    x, dy = numbers(seed, images, *shape), numbers(seed + 1, images, *out)
    forward, backward = both
    ours = [forward(x, kernel, **said), backward(dy, x, kernel, **said)]
    assert_all_close(ours, torch_of(lambda x: theirs(x, kernel, **said), dy, x))


@given(strategies.shapes(most_rank=3), some, st.integers(0, 2**32))
def test_a_linear_layer_and_its_gradients(shape: Shape, out: int, seed: int) -> None:
    x, weight, bias = numbers(seed, *shape), numbers(seed + 1, out, shape[-1]), numbers(seed + 2, out)
    dy = numbers(seed + 3, *shape[:-1], out)
    theirs = torch_of(F.linear, dy, x, weight, bias)
    assert_all_close([values.linear(x, weight, bias), *values.linear_backward(dy, x, weight)], theirs)
    assert_all_close([values.linear(x, weight) + bias], theirs[:1])


@given(strategies.shapes(), st.data(), st.integers(0, 2**32))
def test_activations_and_their_gradients(shape: Shape, data: st.DataObject, seed: int) -> None:
    x, dy, dim = numbers(seed, *shape), numbers(seed + 1, *shape), data.draw(st.integers(-len(shape), len(shape) - 1))
    assert_all_close([values.relu(x), values.relu_backward(dy, x)], torch_of(F.relu, dy, x))
    ours = [values.softmax(x, dim), values.softmax_backward(dy, x, dim)]
    assert_all_close(ours, torch_of(lambda x: F.softmax(x, dim), dy, x))


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 2**32), st.sampled_from([1.0, 1e3]))
def test_cross_entropy_and_its_gradient(images: int, classes: int, seed: int, scale: float) -> None:
    x, target = scale * numbers(seed, images, classes), np.random.default_rng(seed).integers(0, classes, images)
    theirs = torch_of(lambda x: F.cross_entropy(x, torch.tensor(target)), np.array(1.0), x)
    assert_all_close([np.array(values.cross_entropy(x, target)), values.cross_entropy_backward(x, target)], theirs)


def test_float32_stays_float32_and_whole_numbers_are_numbers() -> None:
    x, weight = np.broadcast_to(np.float32(1), (1, 2, 4, 4)), np.ones((3, 2, 2, 2), np.float32)
    y = values.conv2d(x, weight, np.ones(3, np.float32), padding=1)
    pooled, flat = values.max_pool2d(values.avg_pool2d(values.relu(y), 2), 2), np.ones((1, 5), np.float32)
    found = [
        y,
        pooled,
        *values.conv2d_backward(y, x, weight, padding=1),
        values.linear(flat, flat),
        values.softmax(flat),
    ]
    found += [values.cross_entropy_backward(flat, np.array([0])), values.max_pool2d_backward(pooled, y, 4)]
    assert {one.dtype for one in found} == {np.dtype(np.float32)}
    window, kernel = [[1, 2, 3], [2, 1, 0], [3, 0, 1]], [[1, 0, 1], [1, 0, 1], [0, 1, 0]]
    assert values.conv2d([[window]], [[kernel]]).tolist() == [[[[6.0]]]]


X, WEIGHT = np.zeros((1, 2, 4, 4)), np.zeros((3, 2, 3, 3))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: values.conv2d(X[0], WEIGHT), r"x must be \(images, channels, height, width\) .*, got \(2, 4, 4\)"),
        (lambda: values.conv2d(X[:0], WEIGHT), r"and not empty, got \(0, 2, 4, 4\)"),
        (lambda: values.col2im(np.ones((0, 9, 4)), 4, 3), r"columns has the shape \(0, 9, 4\)"),
        (lambda: values.col2im(np.ones((1, 9, 4)), ("4", 4), 3), r"\(1, '4', 4\), which no tensor has"),
        (lambda: values.softmax(np.ones((1, 0))), r"dim=1 is no dimension of \(1, 0\) that has elements"),
        (lambda: values.conv2d("x", WEIGHT), r"x must be an array of numbers, got 'x'"),
        (lambda: values.conv2d([[1], [1, 2]], WEIGHT), r"x must be an array of numbers: "),
        (lambda: values.conv2d(X, WEIGHT[0]), r"weight must be \(images, .*, got \(2, 3, 3\)"),
        (lambda: values.conv2d(X, WEIGHT[:, :1]), r"weight has the shape \(3, 1, 3, 3\); \(3, 2, 3, 3\) would fit"),
        (lambda: values.conv2d(X, WEIGHT, X), r"bias has the shape \(1, 2, 4, 4\); \(3,\) would fit"),
        (lambda: values.conv2d(X, WEIGHT, groups=2), r"groups=2 does not divide 3 output channels"),
        (lambda: values.conv2d(X, WEIGHT, stride=float("nan")), r"stride must be a whole number .*, got nan"),
        (lambda: values.conv2d(X, WEIGHT, dilation=2), r"kernel 3 \(extent 5\) is larger than the padded input"),
        (lambda: values.conv2d_backward(X, X, WEIGHT), r"dy has the shape \(1, 2, 4, 4\); \(1, 3, 2, 2\) would fit"),
        (lambda: values.col2im(X[0], (4, 4), 3), r"columns .* \(images, a multiple of 9, 4\) would fit"),
        (lambda: values.max_pool2d(X, 5), r"MaxPool2d: nothing is left of \(2, 4, 4\) under kernel 5"),
        (lambda: values.avg_pool2d(X, float("inf")), r"kernel_size must be a whole number .*, got inf"),
        (lambda: values.linear(X, X), r"weight has the shape \(1, 2, 4, 4\) for x .*; \(out_features, 4\) would fit"),
        (lambda: values.softmax(X, 4), r"dim=4 is no dimension of \(1, 2, 4, 4\)"),
        (lambda: values.cross_entropy(X, [0]), r"\(N, classes\) and \(N,\) would fit"),
        (lambda: values.cross_entropy(X[0, 0], [0, 1, 2, 4]), r"target must be classes from 0 to 3"),
        (lambda: values.cross_entropy(X[0, 0], [0.5] * 4), r"target must be numbers of classes, got .* float64"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_a_line(call: Callable[[], object], said: str) -> None:
    with pytest.raises(CnnzooError, match=said) as refused:
        call()
    assert "\n" not in str(refused.value)
