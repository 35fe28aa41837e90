"""Every layer says what torch's own says: whether it can be, its output's shape, its tensors, its MACs."""

from __future__ import annotations

import inspect
import math
import re
import warnings
from collections import Counter
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import pytest
import strategies
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Shape
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnzoo import arch
from cnnzoo.arch import ShapeError
from cnnzoo.arch.node import NOT_SAID, Layer, Node
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.modules.build import build

EXAMPLES = 5 * settings.default.max_examples
"""Of a layer: 50, with `--wide` 500, in the long profile 10,000."""

BATCH = 2
NOTHING = strategies.NOTHING


class Twin(NamedTuple):
    """How torch makes a layer, and the settings and shapes on which the two are compared."""

    make: Callable[..., nn.Module]
    """(input shape, device, settings) -> module"""
    settings: st.SearchStrategy[dict[str, Any]]
    shapes: st.SearchStrategy[Shape]
    refuses: bool = True
    """Whether there is anything to refuse."""


def from_channels(cls: type[nn.Module]) -> Callable[..., nn.Module]:
    return lambda shape, device, given: cls(shape[0], **given, device=device)


def alone(cls: type[nn.Module]) -> Callable[..., nn.Module]:
    return lambda shape, device, given: cls(**given)


def on_device(cls: type[nn.Module]) -> Callable[..., nn.Module]:
    return lambda shape, device, given: cls(**given, device=device)


def over_last(cls: type[nn.Module]) -> Callable[..., nn.Module]:
    """torch is told the lengths of the dimensions, of which ours is told the number."""

    def make(shape: Shape, device: str, given: dict[str, Any]) -> nn.Module:
        dims = given["normalized_dims"]
        if dims > len(shape):
            raise ValueError("no so many dimensions")
        said = {name: value for name, value in given.items() if name != "normalized_dims"}
        return cls(shape[-dims:], **said, device=device)

    return make


def group_norm(shape: Shape, device: str, given: dict[str, Any]) -> nn.Module:
    """Of late torch takes a bias, too, which only the weight goes with."""
    said = {name: value for name, value in given.items() if name != "bias"}
    made = nn.GroupNorm(num_channels=shape[0], **said, device=device)
    if not given.get("bias", True):
        made.register_parameter("bias", None)
    return made


MAPS = strategies.maps()
SEQUENCES = st.tuples(st.integers(1, 6), st.integers(1, 12))
ANY = strategies.shapes()

TWINS = {
    "Conv1d": Twin(from_channels(nn.Conv1d), strategies.CONV_1D, SEQUENCES),
    "Conv2d": Twin(from_channels(nn.Conv2d), strategies.CONV, MAPS),
    "ConvTranspose2d": Twin(from_channels(nn.ConvTranspose2d), strategies.CONV_TRANSPOSE, strategies.maps(side=6)),
    "Linear": Twin(lambda shape, device, given: nn.Linear(shape[-1], **given, device=device), strategies.LINEAR, ANY),
    "BatchNorm1d": Twin(from_channels(nn.BatchNorm1d), strategies.BATCH_NORM, ANY),
    "BatchNorm2d": Twin(from_channels(nn.BatchNorm2d), strategies.BATCH_NORM, MAPS),
    "GroupNorm": Twin(group_norm, strategies.GROUP_NORM, ANY),
    "InstanceNorm2d": Twin(
        from_channels(nn.InstanceNorm2d), strategies.BATCH_NORM, st.one_of(MAPS, MAPS, strategies.maps(side=1))
    ),
    "LayerNorm": Twin(over_last(nn.LayerNorm), strategies.LAYER_NORM, ANY),
    "RMSNorm": Twin(over_last(nn.RMSNorm), strategies.RMS_NORM, ANY),
    "LocalResponseNorm": Twin(alone(nn.LocalResponseNorm), strategies.LRN, ANY),
    "MaxPool2d": Twin(alone(nn.MaxPool2d), strategies.MAX_POOL, MAPS),
    "AvgPool2d": Twin(alone(nn.AvgPool2d), strategies.AVG_POOL, MAPS),
    "AdaptiveAvgPool2d": Twin(alone(nn.AdaptiveAvgPool2d), strategies.ADAPTIVE_POOL, MAPS),
    "AdaptiveMaxPool2d": Twin(alone(nn.AdaptiveMaxPool2d), strategies.ADAPTIVE_POOL, MAPS),
    "ZeroPad2d": Twin(alone(nn.ZeroPad2d), strategies.PAD, MAPS),
    "ConstantPad2d": Twin(alone(nn.ConstantPad2d), strategies.CONSTANT_PAD, MAPS),
    "ReplicationPad2d": Twin(alone(nn.ReplicationPad2d), strategies.PAD, MAPS),
    "ReflectionPad2d": Twin(alone(nn.ReflectionPad2d), strategies.PAD, MAPS),
    "Upsample": Twin(alone(nn.Upsample), strategies.UPSAMPLE, MAPS),
    "PixelShuffle": Twin(alone(nn.PixelShuffle), strategies.PIXEL_SHUFFLE, strategies.maps(18, 4)),
    "PixelUnshuffle": Twin(alone(nn.PixelUnshuffle), strategies.PIXEL_UNSHUFFLE, MAPS),
    "ChannelShuffle": Twin(alone(nn.ChannelShuffle), strategies.CHANNEL_SHUFFLE, ANY),
    "Unflatten": Twin(alone(nn.Unflatten), strategies.UNFLATTEN, ANY),
    "ReLU": Twin(alone(nn.ReLU), NOTHING, ANY, refuses=False),
    "Sigmoid": Twin(alone(nn.Sigmoid), NOTHING, ANY, refuses=False),
    "Tanh": Twin(alone(nn.Tanh), NOTHING, ANY, refuses=False),
    "ReLU6": Twin(alone(nn.ReLU6), NOTHING, ANY, refuses=False),
    "Hardtanh": Twin(alone(nn.Hardtanh), strategies.HARDTANH, ANY),
    "Hardsigmoid": Twin(alone(nn.Hardsigmoid), NOTHING, ANY, refuses=False),
    "Hardswish": Twin(alone(nn.Hardswish), NOTHING, ANY, refuses=False),
    "LeakyReLU": Twin(alone(nn.LeakyReLU), strategies.LEAKY, ANY),
    "PReLU": Twin(on_device(nn.PReLU), strategies.PRELU, ANY),
    "ELU": Twin(alone(nn.ELU), strategies.ELU_SETTINGS, ANY, refuses=False),
    "SiLU": Twin(alone(nn.SiLU), NOTHING, ANY, refuses=False),
    "Mish": Twin(alone(nn.Mish), NOTHING, ANY, refuses=False),
    "GELU": Twin(alone(nn.GELU), strategies.GELU_SETTINGS, ANY),
    "Softmax": Twin(alone(nn.Softmax), strategies.SOFTMAX, ANY),
    "Dropout": Twin(alone(nn.Dropout), strategies.DROPOUT, ANY),
    "Dropout2d": Twin(alone(nn.Dropout2d), strategies.DROPOUT, MAPS),
    "Flatten": Twin(alone(nn.Flatten), strategies.FLATTEN, ANY),
    "Identity": Twin(alone(nn.Identity), NOTHING, ANY, refuses=False),
}
BY_HAND = {"Foreign", "Subsampling2d", "TableConv2d", "RBF", "ScaledTanh", "PadChannels", "ScaleShift"} | {
    "LayerNorm2d",
    "StochasticDepth",
    "Permute",
    "Chunk",
    "Slice",
    "Mean",
    "Sum",
    "Max",
    "Var",
    "Pow",
    "L2Norm",
    "GlobalResponseNorm",
    "FilterResponseNormTlu2d",
    "EvoNorm2dS0",
    "Square",
    "Scale",
    "Shift",
    "SamePad2d",
    "StdConv2d",
    "ScaledStdConv2d",
    "BlurPool2d",
    "Unused",
    "SpatialPyramidPool",
}
"""The layers that torch.nn lacks; they are counted by brute force further down, and in `test_windows.py`."""


def test_every_layer_is_compared_or_counted_by_hand() -> None:
    ours = {name for name, cls in Node.kinds.items() if issubclass(cls, Layer) and cls.__module__.startswith("cnnzoo.")}
    assert ours - {"Layer"} == set(TWINS) | BY_HAND


def positional(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """What it takes by position, in order, less `self`."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [one for one in inspect.signature(function).parameters.values() if one.kind in kinds and one.name != "self"]


INFERRED = {"in_channels", "in_features", "num_features", "num_channels", "normalized_shape"}


@pytest.mark.parametrize("name", TWINS)
def test_what_goes_by_position_goes_so_in_torch(name: str) -> None:
    """Nothing that torch has at another place can be given by position, so no call means two things."""
    ours = [one.name for one in positional(getattr(arch, name))]
    theirs = [one for one in positional(getattr(nn, name).__init__) if one.name not in INFERRED]
    assert ours == [one.name for one in theirs][: len(ours)]
    if len(theirs) < len(positional(getattr(nn, name).__init__)):  # behind the input channels all are one place off
        assert ours == [one.name for one in theirs if one.default is one.empty]


@pytest.mark.parametrize("name", ["Conv1d", "Conv2d", "ConvTranspose2d", "Linear", "BatchNorm1d", "BatchNorm2d"])
def test_torchs_own_call_says_that_the_input_is_inferred(name: str) -> None:
    needed = [one for one in positional(getattr(nn, name).__init__) if one.default is one.empty]
    cls = getattr(arch, name)
    for place in range(len(needed) + 1):
        args = [3] * place
        settings = {one.name: 3 for one in needed[place:]}
        with pytest.raises(TypeError, match=rf"^{name} takes \(.*\), got \(.*; the .* follow from what reaches"):
            cls(*args, **settings)


@pytest.mark.parametrize("name", TWINS)
def test_what_torch_takes_and_a_description_does_not_has_a_reason(name: str) -> None:
    """Every keyword of torch's own layers is a layer's, too, or refused with a reason."""
    ours, theirs = (inspect.signature(one).parameters for one in (getattr(arch, name), getattr(nn, name)))
    unsaid = set(theirs) - set(ours)
    assert unsaid - {"args", "kwargs"} <= set(NOT_SAID)
    for setting in unsaid & set(NOT_SAID):
        with pytest.raises(TypeError, match=f"^{name} takes .*{setting}=True.*; {re.escape(NOT_SAID[setting])}"):
            getattr(arch, name)(**{setting: True})


def beyond_torch(kind: str, given: dict[str, Any], shape: Shape) -> bool:
    """What torch lets through and a layer of ours cannot mean."""
    rank = len(shape) + 1
    if kind == "GroupNorm":  # a group of one element is 0; torch refuses it in a batch of one
        return given["num_groups"] == math.prod(shape)
    if kind == "Upsample" and given.get("scale_factor") == 0:  # which is none to torch where there is a size
        return True
    if kind == "InstanceNorm2d":
        return given.get("eps", 1) <= 0
    if kind == "ConvTranspose2d":  # a dilation below 1 passes where the output comes out positive
        dilation = given.get("dilation", 1)
        return any(
            isinstance(side, int) and side < 1 for side in (dilation if isinstance(dilation, tuple) else [dilation])
        )
    first = {"Flatten": given.get("start_dim", 1), "Unflatten": given.get("dim"), "Softmax": given.get("dim", 1)}.get(
        kind, 1
    )
    return first in (0, -rank)  # the batch: our shapes are per sample


def torch_output(twin: Twin, shape: Shape, given: dict[str, Any]) -> Shape | None:
    """The shape that torch gives on the CPU (on meta it lets nonsense through); None where it refuses.

    An output of no elements, which torch hands on here and there, is refused by choice.
    """
    try:
        output = twin.make(shape, "cpu", given)(torch.ones(BATCH, *shape))
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError, ZeroDivisionError):
        return None
    return tuple(output.shape[1:]) if output.numel() else None


def our_output(kind: str, shape: Shape, given: dict[str, Any]) -> Shape | None:
    try:
        return getattr(arch, kind)(**given).output_shape(shape)
    except ShapeError:
        return None


@pytest.mark.wide(6)
@pytest.mark.parametrize("kind", TWINS)
def test_shapes_tensors_macs_and_refusals_are_those_of_torch(kind: str) -> None:
    twin = TWINS[kind]
    tally: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES)
    @given(twin.settings, twin.shapes)
    def check(given: dict[str, Any], shape: Shape) -> None:
        ours, theirs = our_output(kind, shape, given), torch_output(twin, shape, given)
        if beyond_torch(kind, given, shape):
            assert ours is None
            return
        assert ours == theirs
        tally["refused" if ours is None else "taken"] += 1
        if ours is not None:
            compare_on_meta(getattr(arch, kind)(**given), twin, shape, given)

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        check()
    least = EXAMPLES // 20
    assert tally["taken"] >= least
    assert tally["refused"] >= least if twin.refuses else tally["refused"] == 0


def compare_on_meta(layer: Layer, twin: Twin, shape: Shape, given: dict[str, Any]) -> None:
    module = twin.make(shape, "meta", given).eval()  # training with momentum=None counts batches, which meta cannot
    with FlopCounterMode(display=False) as counter:
        output = module(torch.empty(BATCH, *shape, device="meta"))
    assert tuple(output.shape) == (BATCH, *layer.output_shape(shape))
    assert counter.get_total_flops() == 2 * BATCH * layer.macs(shape)
    assert shapes_of(module.named_parameters()) == list(layer.tensors(shape).items())
    assert shapes_of(module.named_buffers()) == list(layer.buffers(shape).items())
    assert shapes_of(module.state_dict().items()) == [*layer.tensors(shape).items(), *layer.buffers(shape).items()]


def shapes_of(tensors: Any) -> list[tuple[str, Shape]]:
    return [(name, tuple(tensor.shape)) for name, tensor in tensors]


def test_an_output_of_no_elements_is_refused_though_torch_lets_it_through() -> None:
    image = torch.ones(BATCH, 4, 6, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch remarks that there is nothing to initialise
        assert nn.Linear(6, 0)(image).numel() == 0
    assert nn.AdaptiveAvgPool2d(0)(image).numel() == 0
    for layer in (arch.Linear, arch.AdaptiveAvgPool2d):
        with pytest.raises(ShapeError, match="must be a whole number of at least 1"):
            layer(0)


@pytest.mark.parametrize("kind", [kind for kind in TWINS if kind.endswith("2d")])
def test_a_layer_of_maps_refuses_anything_else_and_says_so(kind: str) -> None:
    """torch takes (C, H, W) there for one sample without a batch; a shape here is always a sample's."""
    given = {"kernel_size": 1} if "Pool" in kind or "Conv" in kind else {}
    given |= {"out_channels": 2} if "Conv" in kind else {}
    given = {"output_size": 1} if kind.startswith("Adaptive") else {"padding": 1} if kind.endswith("Pad2d") else given
    given |= {"value": 1} if kind == "ConstantPad2d" else {}
    layer = getattr(arch, kind)(**given)
    for shape in [(4,), (4, 5), (4, 5, 6, 7)]:
        with pytest.raises(ShapeError, match=r"needs maps \(channels, height, width\), got \(4,"):
            layer.output_shape(shape)


@pytest.mark.parametrize("kind", [arch.MaxPool2d, arch.AvgPool2d])
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_a_pooling_names_the_least_input_that_it_takes(kind: Any, ceil_mode: bool) -> None:
    for kernel, stride, padding in product(range(1, 6), range(1, 6), range(3)):
        if 2 * padding > kernel:
            continue
        layer = kind(kernel, stride, padding, ceil_mode=ceil_mode)
        refused = []
        for side in range(1, 8):
            try:
                layer.output_shape((1, side, side))
            except ShapeError as error:
                refused.append(str(error))
        assert all(said.endswith(f"at least {len(refused) + 1} there") for said in refused)


# What torch.nn lacks, against loops over what is connected to what.


@settings(max_examples=EXAMPLES // 5)
@given(
    st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=6, unique=True), min_size=1, max_size=5),
    strategies.int_or_pair(1, 3),
    strategies.maps(side=6),
)
def test_a_connection_table_counts_every_connection_once(table: list, kernel: Any, shape: Shape) -> None:
    layer = arch.TableConv2d(tuple(map(tuple, table)), kernel)
    channels, height, width = shape
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    if max(map(max, table)) >= channels or kh > height or kw > width:
        with pytest.raises(ShapeError, match="TableConv2d"):
            layer.output_shape(shape)
        return
    outputs = [(i, y, x) for i in range(len(table)) for y in range(height - kh + 1) for x in range(width - kw + 1)]
    read = sum(1 for i, _, _ in outputs for _ in table[i] for _ in range(kh) for _ in range(kw))
    assert layer.output_shape(shape) == (len(table), height - kh + 1, width - kw + 1)
    assert layer.macs(shape) == layer.fan_in(shape) == read
    assert layer.work(shape).additions == len(outputs)
    kernels = {(i, j) for i, row in enumerate(table) for j in row}
    assert layer.tensors(shape) == {"weight": (len(kernels), 1, kh, kw), "bias": (len(table),)}


@settings(max_examples=EXAMPLES // 5)
@given(strategies.maps(side=5), st.integers(1, 4), strategies.int_or_pair(1, 2))
def test_a_full_connection_table_is_a_convolution(shape: Shape, count: int, kernel: Any) -> None:
    full = arch.TableConv2d((tuple(range(shape[0])),) * count, kernel)
    conv = arch.Conv2d(count, kernel)
    try:
        expected = conv.output_shape(shape)
    except ShapeError:
        with pytest.raises(ShapeError, match="takes at least"):
            full.output_shape(shape)
        return
    assert full.output_shape(shape) == expected
    assert full.windows(shape) == conv.windows(shape)
    assert [full.macs(shape), full.work(shape)] == [conv.macs(shape), conv.work(shape)]
    weights = [layer.tensors(shape)["weight"] for layer in (full, conv)]
    assert torch.Size(weights[0]).numel() == torch.Size(weights[1]).numel()


@settings(max_examples=EXAMPLES // 5)
@given(strategies.maps(), strategies.int_or_pair(1, 4))
def test_subsampling_reads_every_window_once_scales_it_and_shifts_it(shape: Shape, kernel: Any) -> None:
    channels, height, width = shape
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    layer = arch.Subsampling2d(kernel)
    if kh > height or kw > width:
        with pytest.raises(ShapeError, match="nothing is left"):
            layer.output_shape(shape)
        return
    pooled = nn.AvgPool2d(kernel)(torch.ones(1, *shape))
    reads = [
        (c, y, x, dy, dx)
        for c in range(channels)
        for y in range(pooled.shape[2])
        for x in range(pooled.shape[3])
        for dy in range(kh)
        for dx in range(kw)
    ]
    assert layer.output_shape(shape) == tuple(pooled.shape[1:])
    assert layer.fan_in(shape) == len(reads)
    # A sum over n inputs takes n - 1 additions, the bias takes the nth; the coefficient multiplies once.
    assert layer.work(shape) == arch.Work(additions=len(reads), multiplications=pooled.numel())
    assert layer.tensors(shape) == {"weight": (channels,), "bias": (channels,)}
    assert layer.windows(shape) == arch.AvgPool2d(kernel).windows(shape)


@settings(max_examples=EXAMPLES // 5)
@given(st.integers(1, 8), st.integers(1, 8))
def test_rbf_is_a_difference_a_square_and_a_sum_for_every_input_and_class(features: int, classes: int) -> None:
    layer = arch.RBF(classes)
    additions = multiplications = 0
    for _ in range(classes):
        for position in range(features):
            additions += 1  # the difference
            multiplications += 1  # its square
            additions += position > 0  # onto the sum
    assert layer.output_shape((features,)) == (classes,)
    assert layer.work((features,)) == arch.Work(additions=additions, multiplications=multiplications)
    assert layer.fan_in((features,)) == classes * features
    assert (layer.tensors((features,)), layer.buffers((features,))) == ({}, {"centres": (classes, features)})
    with pytest.raises(ShapeError, match=r"Flatten\(\) before it would fit"):
        layer.output_shape((features, 1, 1))


@settings(max_examples=EXAMPLES // 5)
@given(strategies.maps(), st.integers(1, 8), st.integers(0, 2))
def test_padded_channels_are_those_of_torch_pad(shape: Shape, channels: int, before: int) -> None:
    layer = arch.PadChannels(channels, before=before)
    if channels < shape[0] + before:
        with pytest.raises(ShapeError, match=f"already has more than {channels} channels"):
            layer.output_shape(shape)
        return
    padded = nn.functional.pad(torch.ones(1, *shape), (0, 0, 0, 0, before, channels - before - shape[0]))
    assert layer.output_shape(shape) == tuple(padded.shape[1:])
    assert torch.equal(build(layer, shape)(torch.ones(1, *shape)), padded)


@settings(max_examples=EXAMPLES // 5)
@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=4), st.integers(1, 5))
def test_scale_and_shift_of_each_channel(constants: list[tuple[float, float]], side: int) -> None:
    scale, shift = map(tuple, zip(*constants, strict=True))
    layer, shape = arch.ScaleShift(scale, shift), (len(constants), side, side)
    x = torch.randn(2, *shape, dtype=torch.float64)
    made = build(layer, shape, init=None)(x)
    assert layer.output_shape(shape) == shape
    assert layer.work(shape) == arch.Work(multiplications=len(constants) * side**2, additions=len(constants) * side**2)
    for channel, (by, plus) in enumerate(constants):
        torch.testing.assert_close(made[:, channel], x[:, channel] * by + plus, rtol=1e-6, atol=1e-6)


def check_norm(layer: Layer, twin: nn.Module, shape: Shape, rearranged: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """The outputs and parameters of a normalisation are those of torch's on rearranged dimensions."""
    made = build(layer, shape, dtype=torch.float64)
    x = torch.randn(BATCH, *shape, dtype=torch.float64)
    torch.testing.assert_close(rearranged(made(x)), twin.double()(rearranged(x)))
    assert (
        shapes_of(made.named_parameters()) == list(layer.tensors(shape).items()) == shapes_of(twin.named_parameters())
    )


@settings(max_examples=EXAMPLES // 5)
@given(strategies.maps(side=5), st.floats(1e-6, 1), st.booleans(), st.booleans())
def test_a_layer_norm_of_maps_is_torchs_over_the_channels_put_last(
    shape: Shape, eps: float, affine: bool, bias: bool
) -> None:
    layer = arch.LayerNorm2d(eps=eps, elementwise_affine=affine, bias=bias)
    check_norm(layer, nn.LayerNorm(shape[0], eps, affine, bias), shape, lambda x: x.permute(0, 2, 3, 1))
    assert layer.output_shape(shape) == shape
    last = (*shape[1:], shape[0])
    assert layer.work(shape) == arch.LayerNorm(elementwise_affine=affine, bias=bias).work(last)
    with pytest.raises(ShapeError, match="LayerNorm2d needs maps"):
        layer.output_shape(shape[1:])


@settings(max_examples=EXAMPLES // 5)
@given(strategies.maps(side=5), st.integers(1, 6), st.booleans())
def test_a_normalisation_takes_the_operations_that_a_loop_takes(shape: Shape, groups: int, affine: bool) -> None:
    count = math.prod(shape)
    if shape[0] % groups or count == groups:
        with pytest.raises(ShapeError, match=f"GroupNorm: num_groups={groups} (does not divide|leaves a single)"):
            arch.GroupNorm(groups).output_shape(shape)
        return
    size = count // groups
    additions = multiplications = powers = 0
    for _ in range(groups):
        additions += 2 * (size - 1) + 1  # two sums, and eps
        multiplications += 2  # the sums become means
        powers += 1
        for _ in range(size):
            additions += 1 + affine  # the difference, the bias
            multiplications += 2 + affine  # the square, the scale, the weight
    work = arch.GroupNorm(groups, affine=affine).work(shape)
    assert work == arch.Work(additions=additions, multiplications=multiplications, exponentials=powers)


@settings(max_examples=EXAMPLES // 5)
@given(strategies.maps(side=4), st.floats(-30, 30), st.floats(1e-12, 1), st.booleans())
def test_an_l2_norm_divides_each_position_by_its_length(shape: Shape, init: float, eps: float, affine: bool) -> None:
    layer = arch.L2Norm(init, eps=eps, affine=affine)
    made = build(layer, shape, dtype=torch.float64)
    x = torch.randn(BATCH, *shape, dtype=torch.float64)
    with torch.no_grad():
        x[0, :, 0, 0] = 0  # a length of nothing, which eps bounds
    lengths = x.square().sum(1, keepdim=True).sqrt().clamp(min=eps)
    torch.testing.assert_close(made(x), x / lengths * (init if affine else 1))
    assert shapes_of(made.named_parameters()) == list(layer.tensors(shape).items()) == [("weight", shape[:1])] * affine
    count, positions = math.prod(shape), math.prod(shape[1:])
    squares = quotients = count
    assert layer.work(shape) == arch.Work(
        positions, positions * (shape[0] - 1), squares + quotients + affine * count, positions
    )
    if affine:
        with torch.no_grad():
            made.weight.copy_(torch.arange(shape[0]))
        for channel in range(shape[0]):
            torch.testing.assert_close(made(x)[:, channel], (x / lengths)[:, channel] * channel)


@settings(max_examples=EXAMPLES // 5)
@given(strategies.shapes(), st.booleans(), st.data())
def test_an_l2_norm_is_along_any_dimension(shape: Shape, affine: bool, data: st.DataObject) -> None:
    """As along the first of the same with that dimension there."""
    dim = data.draw(st.integers(1, len(shape)))
    layer, first = arch.L2Norm(3.0, affine=affine, dim=dim), arch.L2Norm(3.0, affine=affine)
    x = torch.randn(BATCH, *shape)
    turned = x.movedim(dim, 1)
    made, there = build(layer, shape), build(first, tuple(turned.shape[1:]))
    if affine:
        weight = torch.randn(x.shape[dim])
        made.load_state_dict({"weight": weight})
        there.load_state_dict({"weight": weight})
    torch.testing.assert_close(made(x), there(turned).movedim(1, dim))
    assert layer.work(shape) == first.work(tuple(turned.shape[1:]))
    assert layer.output_shape(shape) == shape
    with pytest.raises(ShapeError, match=f"L2Norm: dim={len(shape) + 1} is none of the"):
        arch.L2Norm(dim=len(shape) + 1).output_shape(shape)


@settings(max_examples=EXAMPLES // 5)
@given(strategies.maps(side=4), st.floats(1e-6, 1), st.booleans())
def test_a_global_response_norm_weighs_each_map_by_its_share_of_the_lengths(
    shape: Shape, eps: float, last: bool
) -> None:
    """Woo et al. (2023), algorithm 1, a map at a time."""
    layer = arch.GlobalResponseNorm(eps=eps, channels_last=last)
    made = build(layer, shape, dtype=torch.float64)
    x = torch.randn(BATCH, *shape, dtype=torch.float64)
    assert torch.equal(made(x), x)  # it begins as the identity
    channels = shape[2] if last else shape[0]
    assert list(layer.tensors(shape).items()) == [("weight", (channels,)), ("bias", (channels,))]
    assert shapes_of(made.named_parameters()) == list(layer.tensors(shape).items())
    weight, bias = torch.randn(2, channels, dtype=torch.float64)
    with torch.no_grad():
        made.weight.copy_(weight)
        made.bias.copy_(bias)
    found = made(x)
    for sample, y in zip(x, found, strict=True):
        maps = [sample[..., n] if last else sample[n] for n in range(channels)]
        lengths = [float(one.square().sum().sqrt()) for one in maps]
        mean = sum(lengths) / channels + eps
        for n, one in enumerate(maps):
            wanted = one + weight[n] * one * (lengths[n] / mean) + bias[n]
            torch.testing.assert_close(y[..., n] if last else y[n], wanted)
    assert layer.windows(shape) is None
    count, each = math.prod(shape), math.prod(shape) // channels
    squares, weighted = count, 2 * count  # by the share, and by the weight
    sums = channels * (each - 1) + (channels - 1) + 1  # of the squares, of the lengths, with eps
    work = arch.Work(0, sums + 2 * count, squares + weighted + channels + 1, channels)
    assert layer.work(shape) == work


def filled(layer: Layer, shape: Shape) -> nn.Module:
    """The module in float64, with random parameters."""
    made = build(layer, shape, dtype=torch.float64)
    assert shapes_of(made.named_parameters()) == list(layer.tensors(shape).items())
    for parameter in made.parameters():
        nn.init.normal_(parameter)
    return made


@settings(max_examples=EXAMPLES // 5)
@given(strategies.maps(side=4), st.floats(1e-6, 1), st.booleans())
def test_a_filter_response_norm_divides_each_map_by_its_root_mean_square(shape: Shape, eps: float, act: bool) -> None:
    """Singh and Krishnan (2019), equations 1 to 4, a map at a time."""
    layer = arch.FilterResponseNormTlu2d(eps=eps, apply_act=act)
    made = filled(layer, shape)
    x = torch.randn(BATCH, *shape, dtype=torch.float64)
    comparisons = additions = multiplications = powers = 0
    for sample, y in zip(x, made(x), strict=True):
        comparisons = additions = multiplications = powers = 0
        for n, one in enumerate(sample):
            root = (one.square().mean() + eps).sqrt()
            wanted = made.weight[n] * one / root + made.bias[n]
            torch.testing.assert_close(y[n], torch.maximum(wanted, made.tau[n]) if act else wanted)
            additions += one.numel() - 1 + 1 + one.numel()  # the sum, eps; the bias
            multiplications += one.numel() + 1 + 2 * one.numel()  # the squares, the mean; the root and the weight
            comparisons += act * one.numel()
            powers += 1
    assert layer.work(shape) == arch.Work(comparisons, additions, multiplications, powers)


@settings(max_examples=EXAMPLES // 5)
@given(strategies.maps(side=4), st.integers(1, 4), st.floats(1e-6, 1))
def test_an_evonorm_divides_by_the_deviation_of_its_group(shape: Shape, groups: int, eps: float) -> None:
    """Liu et al. (2020), table 2's S0, a group at a time."""
    layer = arch.EvoNorm2dS0(groups, eps=eps)
    if shape[0] % groups:
        with pytest.raises(ShapeError, match=f"EvoNorm2dS0: groups={groups} does not divide the {shape[0]} channels"):
            layer.output_shape(shape)
        return
    made = filled(layer, shape)
    x = torch.randn(BATCH, *shape, dtype=torch.float64)
    each = shape[0] // groups
    for sample, y in zip(x, made(x), strict=True):
        for first in range(0, shape[0], each):
            deviation = (sample[first : first + each].var(unbiased=False) + eps).sqrt()
            for n in range(first, first + each):
                top = sample[n] * torch.sigmoid(made.v[n] * sample[n])
                torch.testing.assert_close(y[n], made.weight[n] * top / deviation + made.bias[n])
    of_group, count = arch.GroupNorm(groups).work(shape), math.prod(shape)
    assert layer.work(shape) == arch.Work(
        0, of_group.additions, of_group.multiplications + 2 * count, of_group.exponentials + count
    )


@settings(max_examples=EXAMPLES // 5)
@given(strategies.shapes(), st.floats(-9, 9))
def test_elements_are_squared_scaled_and_shifted_alike(shape: Shape, number: float) -> None:
    x, count = torch.randn(BATCH, *shape), math.prod(shape)
    for layer, wanted, work in [
        (arch.Square(), x * x, arch.Work(multiplications=count)),
        (arch.Pow(3), x**3, arch.Work(exponentials=count)),
        (arch.Pow(-1), 1 / x, arch.Work(exponentials=count)),
        (arch.Scale(number), x * number, arch.Work(multiplications=count)),
        (arch.Shift(number), x + number, arch.Work(additions=count)),
    ]:
        assert torch.equal(build(layer, shape)(x), wanted)
        assert (layer.output_shape(shape), layer.work(shape)) == (shape, work)


@settings(max_examples=EXAMPLES // 5)
@given(strategies.shapes(), st.data())
def test_permuted_dimensions_are_those_of_torch(shape: Shape, data: st.DataObject) -> None:
    dims = (0, *data.draw(st.permutations(range(1, len(shape) + 1))))
    x = torch.randn(BATCH, *shape)
    made = build(arch.Permute(dims), shape)(x)
    assert torch.equal(made, x.permute(dims))
    assert made.is_contiguous()
    assert arch.Permute(dims).output_shape(shape) == tuple(made.shape[1:])
    with pytest.raises(ShapeError, match="with its batch has"):
        arch.Permute(dims).output_shape((*shape, 1))


PARTS = st.one_of(
    st.tuples(st.integers(1, 6), st.integers(0, 6), st.integers(-4, 4)).map(lambda given: (arch.Chunk, *given)),
    st.tuples(st.integers(-7, 7), st.integers(-7, 7) | st.none(), st.integers(-4, 4)).map(
        lambda given: (arch.Slice, *given)
    ),
)


def part_in_torch(x: torch.Tensor, kind: type[Layer], first: int, second: int | None, dim: int) -> torch.Tensor | None:
    """What torch's chunk, or a slice of Python, takes of one dimension; None where there is no such part."""
    try:
        if kind is arch.Chunk:
            assert second is not None
            return x.chunk(first, dim)[second] if second < first else None
        return x.movedim(dim, 0)[first:second].movedim(0, dim)
    except IndexError:
        return None


@pytest.mark.wide(6)
@settings(max_examples=EXAMPLES)
@given(PARTS, strategies.shapes(most_rank=3))
def test_a_part_of_a_dimension_is_that_of_torch(given: tuple, shape: Shape) -> None:
    kind, *said, dim = given
    x = torch.randn(BATCH, *shape)
    theirs = part_in_torch(x, *given)
    try:
        layer = kind(*said, dim)
        out = layer.output_shape(shape)
    except ShapeError:
        assert theirs is None or not theirs.numel() or dim in (0, -len(shape) - 1)
        return
    made = build(layer, shape)(x)
    assert theirs is not None
    assert torch.equal(made, theirs)
    assert tuple(made.shape[1:]) == out
    assert (made._base is x) == layer.is_view == (dim == 1)
    assert made[0].is_contiguous()
    assert layer.work(shape) == arch.Work()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: arch.Chunk(2, 2), "Chunk: index must be below chunks=2, got 2"),
        (lambda: arch.Chunk(4, 3).output_shape((5, 1, 1)), r"nothing of dimension 1 of (5, 1, 1) is in Chunk(4, 3)"),
        (lambda: arch.Slice(2, -4).output_shape((6,)), r"nothing of dimension 1 of (6,) is in Slice(2, -4)"),
        (lambda: arch.Slice(0, 1, dim=3).output_shape((6, 2)), r"dim=3 is none of the 2 dimensions after the batch"),
        (lambda: arch.Slice(None, 4), "Slice: start must be a whole number, got None"),
    ],
)
def test_a_part_of_nothing_is_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(said)):
        make()


DIM = st.integers(-5, 5)


@pytest.mark.wide(6)
@settings(max_examples=EXAMPLES)
@given(
    st.sampled_from([(arch.Mean, torch.mean), (arch.Sum, torch.sum), (arch.Max, torch.amax)]),
    DIM | st.lists(DIM, min_size=1, max_size=3).map(tuple),
    st.booleans(),
    strategies.shapes(),
)
def test_a_reduction_is_that_of_torch(kinds: tuple[Any, Any], dim: Any, keepdim: bool, shape: Shape) -> None:
    kind, function = kinds
    x = torch.randn(BATCH, *shape)
    dims = dim if isinstance(dim, tuple) else (dim,)
    try:
        theirs = None if {0, -len(shape) - 1} & {*dims} else function(x, dims, keepdim)
    except (IndexError, RuntimeError):
        theirs = None
    try:
        layer = kind(dim, keepdim)
        out = layer.output_shape(shape)
    except ShapeError:
        assert theirs is None or theirs.dim() == 1
        return
    assert theirs is not None
    assert out == tuple(theirs.shape[1:]) != ()
    assert torch.equal(build(layer, shape)(x), theirs)
    removed = math.prod(shape) - math.prod(out)
    work = layer.work(shape)
    assert removed == (work.comparisons if kind is arch.Max else work.additions)
    assert work.multiplications == (math.prod(out) if kind is arch.Mean else 0)


@pytest.mark.wide(6)
@settings(max_examples=EXAMPLES)
@given(st.booleans(), st.integers(0, 3), strategies.shapes(), st.data())
def test_a_variance_is_that_of_torch(keepdim: bool, correction: int, shape: Shape, data: st.DataObject) -> None:
    x, dim = torch.randn(BATCH, *shape), data.draw(st.integers(1, len(shape)))
    layer = arch.Var(dim, keepdim or len(shape) == 1, correction=correction)
    if x.shape[dim] <= correction:
        with pytest.raises(ShapeError, match=rf"Var: dim={dim} has .* no variance with correction={correction}"):
            layer.output_shape(shape)
        return
    theirs = torch.var(x, dim, correction=correction, keepdim=layer.keepdim)
    assert layer.output_shape(shape) == tuple(theirs.shape[1:])
    assert torch.equal(build(layer, shape)(x), theirs)
    count, variances = math.prod(shape), math.prod(shape) // x.shape[dim]
    sums = 2 * (count - variances)
    assert layer.work(shape) == arch.Work(additions=sums + count, multiplications=count + 2 * variances)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: arch.Mean(0), "Mean: dim must be whole numbers other than 0, the batch, got 0"),
        (lambda: arch.Mean(()), "Mean: dim must be whole numbers other than 0, the batch, got ()"),
        (lambda: arch.Sum((2, 1.5)), "Sum: dim must be whole numbers other than 0, the batch, got (2, 1.5)"),
        (lambda: arch.Max((2, -1)).output_shape((3, 4)), "Max: dim=(2, -1) has one of the dimensions of (3, 4) twice"),
        (lambda: arch.Max(2).output_shape((3,)), "Max: dim=2 is none of the 1 dimensions after the batch of (3,)"),
        (lambda: arch.Mean(-1).output_shape((3,)), "Mean: dim=-1 leaves no dimension of (3,); keepdim=True would fit"),
    ],
)
def test_a_reduction_over_no_dimension_or_all_is_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(said)):
        make()


def test_an_upsampling_to_nothing_or_beyond_all_tensors_is_refused() -> None:
    for scale, said in [(0.1, "nothing is left"), (1e300, "too much is made"), ((1.0, 1e-320), "nothing is left")]:
        with pytest.raises(ShapeError, match=f"Upsample: {said} of"):
            arch.Upsample(scale_factor=scale).output_shape((3, 8, 8))
    with pytest.raises(ShapeError, match="Upsample takes a size or a scale_factor, got None and None"):
        arch.Upsample()


@pytest.mark.parametrize("dims", [(), (1, 0), (0, 1, 1), (0, 2), (0, -1), (0, 1.5), 3, "01"])
def test_dimensions_that_are_no_permutation_are_refused(dims: Any) -> None:
    with pytest.raises(ShapeError, match=r"Permute: dims must (have 0, the batch|be whole numbers)"):
        arch.Permute(dims)


BROADCAST = st.lists(st.sampled_from([1, -1]), max_size=4).map(tuple)


@pytest.mark.wide(6)
@settings(max_examples=EXAMPLES)
@given(st.sampled_from([arch.Scale, arch.Shift]), strategies.number, BROADCAST, st.booleans(), strategies.shapes())
def test_a_trained_number_is_broadcast_as_in_torch(
    kind: Any, number: float, own: tuple[int, ...], last: bool, shape: Shape
) -> None:
    """Where the channels are not said by their place, they are the first dimension after the batch."""
    x = torch.randn(BATCH, *shape)
    full = own if own != (-1,) or last else (-1, *[1] * (len(shape) - 1))
    made = (BATCH, *shape)
    try:
        parameter = torch.randn([made[at - len(full)] if one < 0 else one for at, one in enumerate(full)])
        theirs = x * parameter if kind is arch.Scale else x + parameter
    except IndexError:
        theirs = x[:0]
    layer = kind(number, own, channels_last=last)
    at_batch = len(full) == len(made) and full[0] < 0
    if theirs.shape != x.shape or at_batch:
        with pytest.raises(
            ShapeError, match=re.escape(f"{kind.__name__}: a parameter of shape {own} does not go with")
        ):
            layer.output_shape(shape)
        return
    assert layer.output_shape(shape) == shape
    module = build(layer, shape)
    (named,) = layer.tensors(shape).items()
    assert named == ("", tuple(parameter.view(parameter.numel()).shape) if own == (-1,) else tuple(parameter.shape))
    assert torch.equal(module(x), x * number if kind is arch.Scale else x + number)
    assert list(module.state_dict()) == list(calculate(layer, shape).tensors) == [""]
    module.load_state_dict({"": parameter.view(named[1])})
    assert torch.equal(module(x), theirs)
    assert layer.work(shape) == kind(number).work(shape)


@pytest.mark.parametrize(
    "layer",
    [
        *(arch.Chunk(2, 1), arch.Chunk(2, 1, dim=-1), arch.Slice(-2, None), arch.Slice(0, 3, dim=2)),
        *(arch.Mean((2, 3)), arch.Sum(1, keepdim=True), arch.Max((-1, 2)), arch.Var((2, 3), correction=0), arch.Pow(3)),
        *(arch.L2Norm(), arch.L2Norm(affine=False, dim=-1), arch.GlobalResponseNorm(), arch.Square()),
        *(arch.FilterResponseNormTlu2d(), arch.EvoNorm2dS0(2), arch.EvoNorm2dS0(4)),
        *(arch.Scale(2), arch.Scale(2, ()), arch.Scale(2, (-1,)), arch.Shift(2), arch.Shift(2, (-1, 1, 1))),
    ],
    ids=repr,
)
def test_what_torch_lacks_is_scripted_traced_and_exported_with_any_batch(layer: Layer) -> None:
    shape = (4, 5, 6)
    module = build(layer, shape).eval()
    x = torch.randn(3, *shape)
    batch = ({0: torch.export.Dim("batch", min=1, max=64)},)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces that it will script no more
        scripted = torch.jit.script(module)
    exported = torch.export.export(module, (x,), dynamic_shapes=batch).module()
    for other in (scripted, torch.fx.symbolic_trace(module), exported):
        assert torch.equal(other(x), module(x))
        assert torch.equal(other(x[:2]), module(x[:2]))


@pytest.mark.parametrize("shape", [3, (2,), (0,), (1.0,), "11", (-2,), (True,)])
def test_a_parameter_of_another_shape_than_ones_and_channels_is_refused(shape: Any) -> None:
    with pytest.raises(
        ShapeError, match="Scale: shape must be a tuple of ones, and -1 where it is as long as the input"
    ):
        arch.Scale(1.0, shape)


@settings(max_examples=EXAMPLES // 5)
@given(strategies.shapes(), st.floats(0, 1), st.sampled_from(["batch", "row"]))
def test_stochastic_depth_drops_samples_or_the_batch(shape: Shape, p: float, mode: str) -> None:
    layer = arch.StochasticDepth(p, mode)
    made = build(layer, shape)
    x = torch.ones(5, *shape)
    assert made.eval()(x) is x
    y = made.train()(x).flatten(1)
    assert layer.output_shape(shape) == shape
    kept = y[:, 0] != 0
    torch.testing.assert_close(y, kept[:, None] * torch.full_like(y, 1 / (1 - p) if p < 1 else 0))
    assert mode == "row" or len(kept.unique()) == 1
    assert kept.all() or p > 0
    assert not kept.any() or p < 1


@pytest.mark.parametrize(("p", "mode"), [(-0.1, "row"), (1.1, "row"), ("half", "row"), (0.5, "rows"), (0.5, 1)])
def test_stochastic_depth_of_no_probability_or_mode_is_refused(p: Any, mode: Any) -> None:
    with pytest.raises(
        ShapeError, match=r"StochasticDepth: (p must be a probability|mode must be 'batch' or 'row'), got"
    ):
        arch.StochasticDepth(p, mode)


HELD = {"weight": (4, 2), "bn.bias": (2,)}
COUNTED = {"bn.mean": (2,), "bn.inner.count": ()}


def test_unused_tensors_are_in_the_state_and_in_no_value() -> None:
    layer = arch.Unused(HELD, COUNTED)
    assert layer == arch.Unused(tuple(HELD.items()), [[name, [*shape]] for name, shape in COUNTED.items()])
    made = build(arch.Sequential(a=layer), (3,))
    state = {name: tuple(tensor.shape) for name, tensor in made.state_dict().items()}
    assert state == {f"a.{name}": shape for name, shape in (*HELD.items(), *COUNTED.items())}
    assert {name for name, _ in made.named_parameters()} == {f"a.{name}" for name in HELD}
    assert made.a.bn.inner.count.dtype is torch.int64
    x = torch.randn(2, 3)
    assert made(x) is x
    row = calculate(arch.Sequential(a=layer), (3,)).rows[-1]
    assert (row.weights, row.biases, row.buffers, row.macs, row.output_shape) == (8, 2, 3, 0, (3,))


@pytest.mark.parametrize("held", [{"": (4, 1)}, {}], ids=["a parameter", "a buffer"])
def test_an_unused_tensor_of_a_block_is_at_its_own_path(held: Any) -> None:
    made = build(arch.Sequential(a=arch.Unused(held, {} if held else {"": (4, 1)})), (3,))
    assert [(name, tuple(tensor.shape)) for name, tensor in made.state_dict().items()] == [("a", (4, 1))]
    made.load_state_dict({"a": torch.full((4, 1), 7.0)})
    assert (made.state_dict()["a"] == 7).all()
    assert len([*made.parameters()]) == len(held)


def test_unused_buffers_that_no_state_dict_has() -> None:
    layer = arch.Unused(HELD, COUNTED, ("bn.mean",))
    description = arch.Sequential(a=layer, b=arch.Unused((), {"": (3, 1)}, ("",)))
    made = build(description, (3,))
    assert [*made.state_dict()] == ["a.weight", "a.bn.bias", "a.bn.inner.count"]
    assert {name for name, _ in made.named_buffers()} == {"a.bn.mean", "a.bn.inner.count", "b.weight"}
    report = calculate(description, (3,))
    assert [*report.tensors] == [*made.state_dict()]
    assert report.totals["buffers"] == 2 + 1 + 3
    made.load_state_dict(made.state_dict())
    with pytest.raises(ShapeError, match=r"Unused: non_persistent has 'weight', which is no buffer; there are bn.mean"):
        calculate(arch.Unused(HELD, COUNTED, ("weight",)), (3,))


@pytest.mark.parametrize(
    ("held", "problem"),
    [
        ({"a": (1,), "a.b": (1,)}, "tensors must have names that differ, and none stand in another"),
        ({"": (1,), "b": (1,)}, "tensors must have names that differ, and none stand in another"),
        ((("a", (1,)), ("a", (2,))), "tensors must have names that differ, and none stand in another"),
        ("ab", "parameters must be pairs of a name and a shape"),
        (7, "parameters must be pairs of a name and a shape"),
        ((("a", 1),), "parameters must be pairs of a name and a shape"),
        ({"a": (-1,)}, "parameters must be pairs of a name and a shape"),
    ],
)
def test_unused_tensors_of_no_name_or_shape_are_refused(held: Any, problem: str) -> None:
    with pytest.raises(ShapeError, match=f"Unused: {problem}"):
        arch.Unused(held)


@settings(max_examples=EXAMPLES // 5)
@given(strategies.shapes())
def test_a_scaled_tanh_scales_twice_and_keeps_the_shape(shape: Shape) -> None:
    count = torch.ones(shape).numel()
    assert arch.ScaledTanh().output_shape(shape) == shape
    assert arch.ScaledTanh().work(shape) == arch.Work(multiplications=2 * count, exponentials=count)


@pytest.mark.parametrize(
    "table", [(), ((),), ((0, 0),), ((-1,),), ((0.5,),), ("ab",), ((0,), 1), 7, None, (({},),), ((True,),)]
)
def test_a_table_that_lists_no_maps_is_refused(table: Any) -> None:
    with pytest.raises(ShapeError, match="TableConv2d: table must list"):
        arch.TableConv2d(table, 5)
