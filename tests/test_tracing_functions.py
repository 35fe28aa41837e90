"""What torch's functions are called in a description, a module for each."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from traced import CONV, SIZE, Block, behind, conv, is_it

from cnnzoo.arch import (
    Add,
    BlurPool2d,
    Cat,
    Conv2d,
    Dropout2d,
    Flatten,
    Foreign,
    From,
    MatMul,
    MaxPool2d,
    Mean,
    Node,
    Outputs,
    PadChannels,
    PadLike,
    Permute,
    ReLU,
    Residual,
    Run,
    Scale,
    Sequential,
    Sigmoid,
    Slice,
    StochasticDepth,
    Tanh,
    Unflatten,
    Unused,
    Upsample,
)
from cnnzoo.calculate import calculate
from cnnzoo.features.check import disagreements
from cnnzoo.pytorch.measuring.measure import measure
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.tracing import DescribedAtOneSizeWarning, TracingError, describe

SAID: dict[str, tuple[nn.Module, dict[str, Any]]] = {
    "channels that are dropped": (behind(lambda y: F.dropout2d(y, 0.1, False)), {"dropout2d": Dropout2d(0.1)}),
    "maps that are taken for a volume of one sample": (
        behind(lambda y: F.dropout3d(y, 0.1, False)),
        {"dropout3d": StochasticDepth(0.1, "row")},
    ),
    "a sum of what is stacked": (
        behind(lambda y: torch.stack([y, y.relu(), y.tanh()]).sum(0)),
        {"relu": ReLU(), "tanh": From("conv", Tanh()), "sum": Add("conv", "relu", "tanh")},
    ),
    "a mean of what is stacked": (
        behind(lambda y: torch.stack([y, y.relu(), y.tanh(), y.sigmoid()], dim=0).mean(dim=0)),
        {
            "relu": ReLU(),
            "tanh": From("conv", Tanh()),
            "sigmoid": From("conv", Sigmoid()),
            "add": Add("conv", "relu", "tanh", "sigmoid"),
            "scale": Scale(0.25),
        },
    ),
    "settings that NumPy worked out": (
        behind(lambda y: F.max_pool2d(y, np.int64(2), (np.int64(2), np.int64(1)))),
        {"max_pool2d": MaxPool2d(2, (2, 1))},
    ),
    "channels that are padded on both sides": (
        behind(lambda y: F.pad(y, (0, 0, 0, 0, 1, 3))),
        {"pad": PadChannels(8, before=1)},
    ),
    "channels beside zeros": (
        behind(lambda y: torch.cat([y, y.new_zeros(len(y), 2, *y.shape[2:])], 1)),
        {"cat": PadChannels(6)},
    ),
    "each second position": (
        behind(lambda y: y[:, :, ::2, 1::3]),
        {"slice": Slice(1, None, 3), "maxpool2d": MaxPool2d(1, (2, 3))},
    ),
    "a stack of one": (behind(lambda y: torch.stack([y.tanh()]).mean(0)), {"tanh": Tanh()}),
    "a tensor of a tensor": (behind(lambda y: torch.as_tensor(y).tanh()), {"tanh": Tanh()}),
    "a matrix product": (
        behind(lambda y: y.flatten(2) @ y.tanh().flatten(2).transpose(1, 2)),
        {
            "flatten": Flatten(2),
            "tanh": From("conv", Tanh()),
            "flatten_1": Flatten(2),
            "transpose": Permute((0, 2, 1)),
            "matmul": MatMul("flatten", "transpose"),
        },
    ),
    "one of batches": (
        behind(lambda y: torch.bmm(y[:, 0], y[:, 1].transpose(1, 2))),
        {
            "slice": Slice(0, 1),
            "flatten": Flatten(1, 2),
            "slice_1": From("conv", Slice(1, 2)),
            "flatten_1": Flatten(1, 2),
            "transpose": Permute((0, 2, 1)),
            "bmm": MatMul("flatten", "transpose"),
        },
    ),
    "a number for each channel, however many there are": (
        behind(lambda y: y.mean((2, 3))[:, :, None, None].tanh().flatten(1).view(-1, 4, 1, 1)),
        {
            "mean": Mean((2, 3)),
            "getitem": Unflatten(1, (-1, 1, 1)),
            "tanh": Tanh(),
            "flatten": Flatten(),
            "view": Unflatten(1, (-1, 1, 1)),
        },
    ),
    "a repetition": (
        behind(lambda y: y.repeat(1, 3, 1, 1)),
        {"repeat": From("conv", "conv", "conv", Cat())},
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_function_is_a_layer(name):
    """Matrix products to 1e-6: dimensions that are turned lie in memory otherwise here."""
    net, said = SAID[name]
    description = describe(net, SIZE)
    assert description == Sequential(conv=CONV, **said)
    is_it(net, description, SIZE, (4, 13, 9), within=1e-6 if "MatMul" in repr(description) else 0)


def skipped(mode: str) -> nn.Module:
    """The last step of a U-Net: what was made smaller is made larger again and padded to what it was."""

    def run(self: Any, x: Tensor) -> Tensor:
        y = F.interpolate(self.conv(x), scale_factor=2)
        height, width = x.shape[2] - y.shape[2], x.shape[3] - y.shape[3]
        return torch.cat([x, F.pad(y, [width // 2, width - width // 2, height // 2, height - height // 2], mode)], 1)

    return Block(run, conv=nn.Conv2d(4, 4, 2, 2))


@pytest.mark.parametrize("mode", ["constant", "replicate", "reflect"])
def test_a_padding_to_the_size_of_another_value_is_said_so_at_any_size(mode):
    net = skipped(mode)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        description = describe(net, SIZE)
    assert description == describe(net, (4, 9, 7))
    assert description == Sequential(
        conv=Conv2d(4, 2, stride=2),
        interpolate=Upsample(scale_factor=2.0),
        pad=PadLike("interpolate", "input", mode=mode),
        cat=Cat("input", "pad"),
    )
    is_it(net, description, SIZE, (4, 9, 7), (4, 13, 8))


def test_a_padding_of_nothing_is_no_padding_to_a_size_that_was_read():
    description = describe(behind(lambda y: F.pad(y, [0, 0, 0, 0]).reshape(len(y), 4, y.shape[2] * y.shape[3])), SIZE)
    assert description == Sequential(conv=CONV, reshape=Flatten(2))


def in_sixteens(self: Any, x: Tensor) -> Tensor:
    """Takes multiples of 16 alone; a quarter of its maps' side, rounded down, becomes a half, as in PAN."""
    if x.shape[2] % 16 or x.shape[3] % 16:
        raise ValueError(x.shape)
    y = F.max_pool2d(self.conv(x), 16)
    quarter = F.max_pool2d(F.max_pool2d(y, 2), 2)
    return F.interpolate(quarter, size=(y.size(2) // 2, y.size(3) // 2))


def test_what_holds_for_sides_twice_as_long_alone_is_seen():
    with pytest.warns(DescribedAtOneSizeWarning, match="of 4x96x96 it would be another at interpolate"):
        describe(Block(in_sixteens, conv=conv()), (4, 64, 64))


def test_a_stack_of_samples_is_no_value():
    net = behind(lambda y: torch.stack([y, y.relu()]))
    with pytest.raises(TracingError, match=r"and gives \(2, 19, 4, 8, 8\)"):
        describe(net, SIZE)
    assert isinstance(describe(behind(lambda y: torch.stack([y, y.relu()]).amax(0)), SIZE), Foreign)


def shared() -> nn.Module:
    """A block at two paths, as DynUNet's are: of its list and of the block that runs it."""
    inner = nn.Sequential(conv(), nn.ReLU())
    outer = Block(lambda self, x: self.inner(x) + x, inner=inner)
    return Block(lambda self, x: self.blocks[1](self.outer(x)), blocks=nn.ModuleList([inner, conv()]), outer=outer)


def test_of_the_names_of_a_tensor_a_description_has_the_one_that_is_nearest():
    net = shared()
    description = describe(net, SIZE)
    assert "outer.inner.0.weight" in names_of(description)
    is_it(net, description, SIZE)


def names_of(description: Node) -> list[str]:
    return [*calculate(description, SIZE).tensors]


IDLE = {"weight": (4, 4, 3, 3), "bias": (4,)}


def nested() -> nn.Module:
    """Of its blocks the first runs, and of its own parameters none."""
    blocks = nn.ModuleList([conv(), nn.Sequential(conv(), nn.ReLU()), conv()])
    return Block(lambda self, x: self.blocks[0](x) + x, blocks=blocks, gamma=nn.Parameter(torch.ones(4)))


UNUSED: dict[str, tuple[nn.Module, Node]] = {
    "a head": (
        Block(lambda self, x: self.conv(x), conv=conv(), head=conv()),
        Sequential(conv=CONV, head=Unused(IDLE)),
    ),
    "blocks, and a parameter": (
        nested(),
        Residual(
            blocks=Sequential(CONV, Unused({f"0.{name}": shape for name, shape in IDLE.items()}), Unused(IDLE)),
            downsample=None,
            gamma=Unused({"": (4,)}),
        ),
    ),
    "a value that is given": (
        Block(lambda self, x: [self.a(x), self.b(x)], a=conv(), b=conv(), c=conv()),
        Sequential(a=CONV, b=From("input", CONV), c=Unused(IDLE), out=Outputs("a", "c")),
    ),
    "a block that runs twice": (
        Block(
            lambda self, x: self.inner(self.inner(x)),
            inner=Block(lambda self, x: self.a(x).relu(), a=conv(), b=conv()),
        ),
        Sequential(inner=Sequential(a=CONV, relu=ReLU(), b=Unused(IDLE)), inner_1=Run("inner")),
    ),
}


@pytest.mark.parametrize("name", UNUSED)
def test_what_never_runs_is_held_unused(name):
    net, said = UNUSED[name]
    description = describe(net, SIZE)
    assert description == said
    is_it(net, description, SIZE, (4, 13, 9))
    assert calculate(description, SIZE).total_params == sum(one.numel() for one in net.parameters())


def test_buffers_that_no_state_dict_has_are_told_and_are_in_no_state():
    net = Block(lambda self, x: self.blur(self.conv(x)), conv=conv(), blur=build(BlurPool2d(), SIZE), idle=nn.ReLU())
    net.idle.register_buffer("mask", torch.ones(4, 1), persistent=False)
    description = describe(net, SIZE)
    assert description == Sequential(conv=CONV, blur=BlurPool2d(), idle=Unused((), {"mask": (4, 1)}, ("mask",)))
    is_it(net, description, SIZE, (4, 13, 9))
    report = calculate(description, SIZE)
    assert report.totals["buffers"] == sum(one.numel() for one in net.buffers()) == 4 * 9 + 4
    built = measure(build(description, SIZE), SIZE)
    assert disagreements(report, built)[0] == []
    assert [*report.tensors] == [*built.tensors] == [*measure(net, SIZE).tensors] == [*net.state_dict()]
    foreign = Block(lambda self, x: self.conv(x) - self.mask, conv=conv())
    foreign.register_buffer("mask", torch.ones(4, 1, 1), persistent=False)
    report = calculate(describe(foreign, SIZE), SIZE)
    assert report["mask"].non_persistent == ("",)
    assert (report.totals["buffers"], [*report.tensors]) == (4, [*foreign.state_dict()])


def test_a_name_may_begin_with_an_underscore():
    net = Block(lambda self, x: self._conv(x), _conv=conv())
    assert describe(net, SIZE) == Sequential(_conv=CONV)
