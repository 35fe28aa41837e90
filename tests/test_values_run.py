"""A description that is executed in numpy gives what the built module does: every layer, every join, every network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import strategies
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from small import FAMILIES, lively, settle, small, small_net, takes
from torch import nn

import cnnzoo
from cnnzoo import arch, values
from cnnzoo.arch import Add, Outputs, ReLU, Sequential, ShapeError
from cnnzoo.arch.detection import RegionPooling
from cnnzoo.arch.joins import GATE
from cnnzoo.arch.kinds import kinds
from cnnzoo.arch.meetings import Meeting
from cnnzoo.arch.node import Layer, Node
from cnnzoo.calculate import calculate
from cnnzoo.errors import CnnzooError
from cnnzoo.pytorch.modules.build import build
from cnnzoo.rewrites import scale_width
from cnnzoo.values.layers import FORWARDS, MEETINGS

Shape = tuple[int, ...]


def living(net: nn.Module, seed: int) -> nn.Module:
    """With random numbers for all that it holds, in float64."""
    random = torch.Generator().manual_seed(seed)
    net.double().eval()
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=random, dtype=torch.float64))
                if name.endswith("running_var"):
                    tensor.abs_().add_(0.1)
    return net


def assert_same(description: Node, net: nn.Module, *inputs: torch.Tensor, tolerance: float = 1e-9) -> None:
    """Equal but for rounding, as a part of the largest number that is one."""
    with torch.no_grad():
        theirs = net(*inputs)
    ours = values.run(description, net.state_dict(), *inputs)
    assert isinstance(ours, tuple) == isinstance(theirs, tuple)
    pairs = zip(ours, theirs, strict=True) if isinstance(ours, tuple) else [(ours, theirs)]
    for mine, other in pairs:
        other = other.numpy()
        assert mine.shape == other.shape
        assert mine.dtype == other.dtype
        largest = np.abs(other[np.isfinite(other)]).max(initial=1e-30)
        np.testing.assert_allclose(mine / largest, other / largest, rtol=tolerance, atol=tolerance)


def of(kind: type[Layer], settings: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Layer]:
    """Layers of random settings, and None of unsound ones."""

    def made(given: dict[str, Any]) -> Layer | None:
        try:
            return kind(**given)
        except ShapeError:
            return None

    return settings.map(made).filter(lambda layer: layer is not None)


SETTINGS = {
    arch.Conv1d: strategies.CONV_1D,
    arch.Conv2d: strategies.CONV,
    arch.ConvTranspose2d: strategies.CONV_TRANSPOSE,
    arch.LocalResponseNorm: strategies.LRN,
    arch.MaxPool2d: strategies.MAX_POOL,
    arch.AvgPool2d: strategies.AVG_POOL,
    arch.AdaptiveAvgPool2d: strategies.ADAPTIVE_POOL,
    arch.AdaptiveMaxPool2d: strategies.ADAPTIVE_POOL,
    arch.ReflectionPad2d: strategies.PAD,
    arch.ReplicationPad2d: strategies.PAD,
    arch.ConstantPad2d: strategies.CONSTANT_PAD,
    arch.Upsample: strategies.UPSAMPLE,
    arch.PReLU: strategies.PRELU,
    arch.Softmax: strategies.SOFTMAX,
    arch.Unflatten: strategies.UNFLATTEN,
    arch.Flatten: strategies.FLATTEN,
}
BY_HAND = {
    arch.ScaleShift: st.just(arch.ScaleShift((0.5, 2.0), (1.0, -1.0))),
    arch.Linear: st.builds(arch.Linear, st.integers(1, 4), bias=st.booleans()),
    arch.RBF: strategies.RBFS,
}
EVERY = [
    *(of(kind, settings) for kind, settings in SETTINGS.items()),
    *BY_HAND.values(),
    *strategies.SMALL_CONVS,
    *strategies.SMALL_POOLS,
    *strategies.NORMS,
    *strategies.ACTIVATIONS,
    *strategies.HANDED_ON,
]
SHAPES = strategies.maps(6, 9) | strategies.maps(2, 9) | strategies.shapes(most_rank=3)
EXAMPLES = settings.default.max_examples if settings.default.max_examples > 100 else 10
"""2,000 of each in the long profile."""


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.wide
@pytest.mark.parametrize("number", range(len(EVERY)))
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.data(), st.integers(0, 2**32))
def test_a_layer(number: int, data: st.DataObject, seed: int) -> None:
    layer = data.draw(EVERY[number])
    shapes = data.draw(st.lists(SHAPES, min_size=9, max_size=9))
    shape = next((shape for shape in shapes if takes(layer, shape)), None)
    assume(shape is not None)
    x = torch.randn(2, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    assert_same(layer, living(build(layer, shape), seed), x)


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("scale", [1.25, 2.1])
def test_an_upsampling_by_a_scale_that_is_not_that_of_the_lengths(mode: str, scale: float) -> None:
    """To as many positions, or twice as many, torch takes other ways."""
    layer = arch.Upsample(scale_factor=scale, mode=mode)
    assert_same(layer, build(layer, (1, 2, 3)), torch.randn(1, 1, 2, 3, dtype=torch.float64))


def test_every_layer_and_every_meeting_has_its_forward() -> None:
    layers = {kind for kind in kinds().values() if issubclass(kind, Layer) and kind is not Layer}
    assert layers - {*FORWARDS} == {arch.Foreign}
    meetings = {kind for kind in kinds().values() if issubclass(kind, Meeting) and kind not in (Meeting, RegionPooling)}
    assert meetings | {type(GATE)} == {*MEETINGS}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.wide
@pytest.mark.parametrize("steps", [False, True])
@given(st.data(), st.integers(0, 2**32))
def test_random_networks(steps: bool, data: st.DataObject, seed: int) -> None:
    shape = data.draw(st.sampled_from([(4, 8, 7), (3, 5, 6)]))
    description = data.draw(
        strategies.programs(shape) if data.draw(st.booleans()) and steps else strategies.networks(shape, steps=steps)
    )
    x = torch.randn(2, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    assert_same(description, living(build(description, shape), seed), x)


@pytest.mark.wide
@pytest.mark.parametrize("name", FAMILIES)
def test_a_network_of_each_family(name: str) -> None:
    net, images = small_net(name)
    assert_same(small(name)[0], net.double().eval(), images.double())


def test_of_several_values_there_is_a_tuple() -> None:
    description = Sequential(both=Add("input.0", "input.1"), last=ReLU(), give=Outputs("both", "last"))
    one, other = np.full((1, 2), -3.0), np.ones((1, 2))
    both, last = values.run(description, {}, one, other)
    assert (both.tolist(), last.tolist()) == ([[-2.0, -2.0]], [[0.0, 0.0]])


NET = Sequential(
    conv=arch.Conv2d(2, 3), norm=arch.BatchNorm2d(), fc=Sequential(flat=arch.Flatten(), last=arch.Linear(3))
)
X = np.zeros((2, 1, 4, 4), np.float32)
WEIGHTS = {name: np.zeros(shape, np.float32) for name, shape in calculate(NET, (1, 4, 4)).tensors.items()}
FOREIGN = arch.Foreign("attention", (4,), (4,))


def test_counters_and_heads_are_not_needed() -> None:
    with_head = Sequential(a=ReLU(), aux=arch.Aux("a", arch.Linear(2)))
    assert values.run(with_head, {}, X) is not None
    less = {name: one for name, one in WEIGHTS.items() if name != "norm.num_batches_tracked"}
    assert len(less) < len(WEIGHTS)
    assert values.run(NET, less, X).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: values.run("lenet5", WEIGHTS, X), r"a description was expected, as cnnzoo.describe\(name\) "),
        (lambda: values.run(NET, WEIGHTS), r"inputs must be \(N, \*shape\) .* got none"),
        (lambda: values.run(NET, WEIGHTS, X[:0]), r"of as many images each, one at least, got \(0, 1, 4, 4\)"),
        (lambda: values.run(NET, WEIGHTS, X, X[:1]), r"of as many images each, .* got \(2, 1, 4, 4\), \(1, 1, 4, 4\)"),
        (lambda: values.run(NET, WEIGHTS, X, X), r"the network takes one value, and is given 2"),
        (lambda: values.run(NET, WEIGHTS, X[0]), r"at conv: Conv2d needs maps .*, got \(4, 4\)"),
        (lambda: values.run(NET, WEIGHTS, "x"), r"input 0 must be an array of numbers, got 'x'"),
        (lambda: values.run(NET, WEIGHTS, X[..., :2]), r"at conv: Conv2d: kernel 3 .* is larger than the padded input"),
        (lambda: values.run(NET, [], X), r"weights must be a mapping of names to arrays, got \[\]"),
        (lambda: values.run(NET, {}, X), r"lack conv.weight, conv.bias, norm.weight and 5 more; Rep"),
        (lambda: values.run(NET, {**WEIGHTS, "fc.bias": X}, X), r"the weights have what no layer has: fc.bias"),
        (lambda: values.run(NET, {**WEIGHTS, "conv.bias": X}, X), r"conv.bias has the shape .*; \(2,\) would fit"),
        (lambda: values.run(NET, {**WEIGHTS, "conv.bias": ["a", "b"]}, X), r"conv.bias must be an array of numbers"),
        (lambda: values.run(Sequential(a=FOREIGN), {}, np.ones((1, 4))), r"at a: attention has no forward"),
        (lambda: values.run(arch.Add(), {}, X), r"a description was expected"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_said_in_a_line(call: Callable[[], object], said: str) -> None:
    with pytest.raises(CnnzooError, match=said) as refused:
        call()
    assert "\n" not in str(refused.value)


@pytest.mark.long
@pytest.mark.every
@pytest.mark.parametrize("name", cnnzoo.list_models())
def test_every_network_at_its_own_size(name: str) -> None:
    """Of more than 30 million parameters at a quarter of its width. In float64, as from layer to layer the rounding of
    float32 grows in either."""
    builder = cnnzoo.get_builder(name)
    description, size = builder.describe(), builder.input_size
    if builder.report().total_params > 30e6:
        description = scale_width(description, 1 / 4)
    torch.manual_seed(0)
    net = build(description, size, init=lively)
    images = torch.randn(1, *size)
    settle(net, images)
    assert_same(description, net.double().eval(), images.double())
