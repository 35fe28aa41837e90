"""Layers with windows that torch.nn lacks, against loops over windows and torch's functions."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
import strategies
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Shape
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from cnnzoo import arch, rewrites
from cnnzoo.arch import ShapeError
from cnnzoo.arch.ends import new_stem
from cnnzoo.arch.node import Layer, pair
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.modules.build import build
from cnnzoo.report.columns import window

EXAMPLES = settings.default.max_examples
BATCH = 2


def fitting(layer: Layer, shape: Shape) -> bool:
    try:
        layer.output_shape(shape)
    except ShapeError:
        return False
    return True


def check_macs(layer: Layer, module: torch.nn.Module, x: torch.Tensor) -> None:
    with FlopCounterMode(display=False) as counter:
        module(x)
    assert counter.get_total_flops() == 2 * len(x) * layer.macs(tuple(x.shape[1:]))


@settings(max_examples=EXAMPLES)
@given(
    strategies.maps(side=20),
    strategies.int_or_pair(1, 7),
    strategies.int_or_pair(1, 4),
    st.sampled_from([0.0, 0.5, "-inf"]),
)
def test_a_same_padding_lets_one_window_begin_at_each_stride(
    shape: Shape, extent: Any, stride: Any, value: float | str
) -> None:
    layer = arch.SamePad2d(extent, stride, value)
    x = torch.randn(BATCH, *shape)
    padded = build(layer, shape)(x)
    assert layer.output_shape(shape) == tuple(padded.shape[1:])
    bounds = []
    for length, reach, step, made in zip(shape[1:], pair(extent), pair(stride), padded.shape[2:], strict=True):
        windows = [range(begin, begin + reach) for begin in range(0, length, step)]
        needed = max(max(windows[-1]) + 1 - length, 0)
        bounds.append(range(needed // 2, needed // 2 + length))
        assert made == length + needed
        assert (made - reach) // step + 1 == len(windows)
    inside = padded[:, :, bounds[0].start : bounds[0].stop, bounds[1].start : bounds[1].stop]
    assert torch.equal(inside, x)
    inside.zero_()
    padded.nan_to_num_(neginf=-7.0)
    assert padded.sum() == (padded.numel() - x.numel()) * (-7.0 if value == "-inf" else value)


@settings(max_examples=EXAMPLES)
@given(
    st.sampled_from([arch.ReplicationPad2d, arch.ReflectionPad2d]),
    st.tuples(*[st.integers(-2, 2)] * 4),
    strategies.int_or_pair(1, 3),
    strategies.int_or_pair(1, 2),
)
def test_within_a_map_what_is_mirrored_or_repeated_around_it_is_not_seen(
    kind: Any, around: tuple[int, int, int, int], kernel: Any, stride: Any
) -> None:
    net = arch.Sequential(kind(around), arch.Conv2d(1, kernel, stride=stride, bias=False))
    shape = (1, 20, 21)
    x = torch.randn(1, *shape, requires_grad=True)
    module = build(net, shape)
    torch.nn.init.ones_(module[1].weight)
    y = module(x)
    row = calculate(net, shape).rows[-1]
    middle = [side // 2 for side in y.shape[2:]]
    (gradient,) = torch.autograd.grad(y[0, 0, middle[0], middle[1]], x)
    assert row.receptive_field is not None
    for axis in (0, 1):
        size, apart, before = (
            pair(one)[axis] for one in (row.receptive_field, row.effective_stride, row.effective_padding)
        )
        read = gradient[0, 0].sum(1 - axis).nonzero().flatten().tolist()
        start = middle[axis] * apart - before
        assert read == [*range(start, start + size)]


def definition(layer: Any, weight: torch.Tensor) -> torch.Tensor:
    """The weights of each output channel with mean 0 and variance 1, one after the other."""
    made = []
    for one in weight:
        off = one - one.mean()
        made.append(off / (off.square().mean() + layer.eps).sqrt())
    return torch.stack(made)


def counted(layer: Any, shape: Shape) -> arch.Work:
    """What a loop over the weights and over the outputs takes."""
    weight = layer.tensors(shape)["weight"]
    scaled = isinstance(layer, arch.ScaledStdConv2d)
    additions = multiplications = powers = 0
    for _ in range(weight[0]):
        each = math.prod(weight[1:])
        additions += 2 * (each - 1) + 1 + each  # the sums of the weights and their squares; eps; the differences
        multiplications += 2 + 2 * each + scaled * (each + 1)  # their means; squares and quotients; the gain
        powers += 1
    return arch.Work(
        additions=additions + layer.bias * math.prod(layer.output_shape(shape)),
        multiplications=multiplications,
        exponentials=powers,
    )


@settings(max_examples=3 * EXAMPLES)
@given(
    st.sampled_from([arch.StdConv2d, arch.ScaledStdConv2d]),
    st.fixed_dictionaries({**strategies.STANDARDISED, "eps": st.sampled_from([1e-6, 0.1])}),
    st.floats(-2, 2),
    strategies.maps(side=9),
)
def test_a_standardised_convolution_is_one_by_weights_of_mean_0_and_variance_1(
    kind: Any, given: dict[str, Any], gamma: float, shape: Shape
) -> None:
    layer = kind(**given) if kind is arch.StdConv2d else kind(**given, gamma=gamma, gain_init=0.5)
    plain = arch.Conv2d(**{name: layer.settings[name] for name in arch.Conv2d(1, 1).settings})
    single = math.prod(layer.tensors(shape)["weight"][1:]) <= 1
    assert fitting(layer, shape) == (fitting(plain, shape) and not single)
    if not fitting(layer, shape):
        return
    module = build(layer, shape, dtype=torch.float64)
    x = torch.randn(BATCH, *shape, dtype=torch.float64)
    weight = definition(layer, module.weight)
    if kind is arch.ScaledStdConv2d:
        torch.nn.init.normal_(module.gain)
        weight = weight * gamma / math.prod(weight.shape[1:]) ** 0.5 * module.gain
    wanted = F.conv2d(x, weight, module.bias, layer.stride, layer.padding, layer.dilation, layer.groups)
    torch.testing.assert_close(module(x), wanted)
    names = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    assert list(names.items()) == list(layer.tensors(shape).items())
    assert layer.tensors(shape)["weight"] == plain.tensors(shape)["weight"]
    assert layer.windows(shape) == plain.windows(shape)
    assert layer.work(shape) == counted(layer, shape)
    check_macs(layer, module, x)


def test_the_padding_of_a_standardised_convolution_keeps_the_size() -> None:
    for kernel in (1, 3, 5, (1, 3)):
        for dilation in (1, 2):
            layer = arch.StdConv2d(2, kernel, dilation=dilation)
            assert layer.output_shape((3, 12, 13)) == (2, 12, 13)
            assert layer == arch.StdConv2d(2, kernel, dilation=dilation, padding=layer.padding)
    assert arch.StdConv2d(2, 7, stride=2).padding == 3
    assert arch.StdConv2d(2, 2, padding="same").output_shape((3, 12, 13)) == (2, 12, 13)


def test_a_gain_begins_as_it_is_said_to() -> None:
    module = build(arch.ScaledStdConv2d(4, 3, gain_init=0.25), (3, 8, 8))
    assert module.gain.eq(0.25).all()
    assert module.weight.std() > 0


def test_rewrites_leave_a_standardised_convolution_what_it_is() -> None:
    block = arch.Sequential(arch.StdConv2d(8, 7, stride=2), arch.BatchNorm2d(), arch.ReLU(), arch.MaxPool2d(3, 2))
    assert rewrites.fuse_batchnorm(block) is block
    assert new_stem(block, "cifar")[0] == arch.StdConv2d(8, 3, padding=1)
    two = arch.Sequential(arch.Conv2d(4, 1), arch.ScaledStdConv2d(8, 3, stride=2, gamma=2.0))
    each, mixed = rewrites.depthwise_separable(two)[1]
    assert each == arch.ScaledStdConv2d(4, 3, stride=2, groups=4, gamma=2.0)
    assert mixed == arch.ScaledStdConv2d(8, 1, gamma=2.0)


@settings(max_examples=3 * EXAMPLES)
@given(
    st.integers(2, 7),
    st.integers(1, 4),
    st.sampled_from(["reflect", "replicate", "constant"]),
    st.booleans(),
    strategies.maps(side=9),
)
def test_a_blur_is_a_binomial_filter_on_each_map(size: int, stride: int, mode: str, shared: bool, shape: Shape) -> None:
    layer = arch.BlurPool2d(filt_size=size, stride=stride, pad_mode=mode, shared=shared)
    x = torch.randn(BATCH, *shape, dtype=torch.float64)
    line = torch.tensor([math.comb(size - 1, place) for place in range(size)], dtype=torch.float64) / 2 ** (size - 1)
    around = (stride + size - 2) // 2
    weight = torch.outer(line, line).expand(shape[0], 1, size, size)
    try:
        wanted = F.conv2d(F.pad(x, [around] * 4, mode=mode), weight, stride=stride, groups=shape[0])
    except RuntimeError:
        with pytest.raises(ShapeError, match=r"^BlurPool2d: (Conv2d|ReflectionPad2d): .*; it takes at least"):
            layer.output_shape(shape)
        return
    module = build(layer, shape, dtype=torch.float64)
    torch.testing.assert_close(module(x), wanted)
    assert layer.output_shape(shape) == tuple(wanted.shape[1:])
    assert not module.state_dict()
    assert {name: tuple(one.shape) for name, one in module.named_buffers()} == layer.buffers(shape)
    assert sum(one.numel() for one in module.buffers()) == (1 if shared else shape[0]) * size**2
    check_macs(layer, module, x)
    conv = arch.Conv2d(shape[0], size, stride=stride, padding=around)
    assert layer.windows(shape) == conv.windows(shape)
    (row,) = calculate(layer, shape).rows
    assert row.role == "convolution"
    assert row.depth == 0
    assert window(row) == window(calculate(arch.Conv2d(1, size, stride=stride), padded_by(shape, around)).rows[0])


def padded_by(shape: Shape, around: int) -> Shape:
    return (shape[0], *(length + 2 * around for length in shape[1:]))


def test_traced_and_scripted_they_are_right_at_every_size() -> None:
    """A padding that was right at one size alone would be so here at the first."""
    net = arch.Sequential(
        pad=arch.SamePad2d(3, 2),
        conv=arch.StdConv2d(4, 3, stride=2, padding=0),
        around=arch.SamePad2d(2, 3, "-inf"),
        pool=arch.MaxPool2d(2, 3),
        blur=arch.BlurPool2d(stride=1),
        scaled=arch.ScaledStdConv2d(4, 3),
    )
    module = build(net, (3, 33, 32)).eval()
    x = torch.randn(2, 3, 33, 32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated
        others = [torch.fx.symbolic_trace(module), torch.jit.script(module)]
    rows, columns = torch.export.Dim.AUTO, torch.export.Dim.AUTO
    others.append(torch.export.export(module, (x,), dynamic_shapes=({2: rows, 3: columns},)).module())
    for height, width in [(33, 32), (32, 33), (45, 64), (19, 23)]:
        x = torch.randn(2, 3, height, width)
        wanted = module(x)
        assert tuple(wanted.shape[1:]) == calculate(net, (3, height, width))[""].output_shape
        assert all(torch.equal(other(x), wanted) for other in others)
