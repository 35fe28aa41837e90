"""Tensors that a network has itself, and uses in a sum, a product or as weights that it works out first."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from traced import CONV, SIZE, Block, conv, is_it

from cnnzoo.arch import Foreign, Mean, Node, Scale, ScaledStdConv2d, Sequential, Shift, StdConv2d
from cnnzoo.pytorch.tracing import describe
from cnnzoo.pytorch.tracing.standardised import gamma_of


def standardised(x: Tensor, conv: nn.Conv2d, scale: Tensor | None = None, eps: float = 1e-6) -> Tensor:
    """As timm's StdConv2d and ScaledStdConv2d; Qiao et al. (2019) and Brock et al. (2021)."""
    each = conv.weight.reshape(1, conv.out_channels, -1)
    weight = F.batch_norm(each, None, None, scale, training=True, momentum=0.0, eps=eps).reshape_as(conv.weight)
    return F.conv2d(x, weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups)


class Std(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        return standardised(x, self)


class ScaledStd(nn.Conv2d):
    def __init__(self, *settings: Any, gamma: float, **named: Any) -> None:
        super().__init__(*settings, **named)
        self.scale = gamma * self.weight[0].numel() ** -0.5
        self.gain = nn.Parameter(torch.ones(self.out_channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return standardised(x, self, (self.gain * self.scale).view(-1), 1e-5)


def learnt(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.ones(shape))


CASES: dict[str, tuple[nn.Module, Node]] = {
    "standardised weights": (
        nn.Sequential(Std(4, 6, 3, 2, padding=1, groups=2)),
        Sequential(StdConv2d(6, 3, stride=2, padding=1, groups=2, bias=True)),
    ),
    "scaled ones": (
        nn.Sequential(ScaledStd(4, 6, 3, gamma=1.7), ScaledStd(6, 4, 1, gamma=1.7)),
        Sequential(
            ScaledStdConv2d(6, 3, padding=0, eps=1e-5, gamma=1.7),
            ScaledStdConv2d(4, 1, padding=0, eps=1e-5, gamma=1.7),
        ),
    ),
    "of each channel, first": (
        Block(lambda self, x: self.conv(x) * self.scale.view(1, -1, 1, 1), conv=conv(), scale=learnt(4)),
        Sequential(conv=CONV, scale=Scale(1.0, (-1,))),
    ),
    "of each channel, last": (
        Block(lambda self, x: self.conv(x) * self.scale, conv=conv(), scale=learnt(8)),
        Sequential(conv=CONV, scale=Scale(1.0, (-1,), channels_last=True)),
    ),
    "of each position": (
        Block(lambda self, x: self.embedding + self.conv(x), conv=conv(), embedding=learnt(1, 4, 8, 8)),
        Sequential(conv=CONV, embedding=Shift(0.0, (1, -1, -1, -1))),
    ),
    "of each row and column": (
        Block(lambda self, x: self.conv(x) + self.rows, conv=conv(), rows=learnt(8, 8)),
        Sequential(conv=CONV, rows=Shift(0.0, (-1, -1))),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_tensor_of_the_networks_own_is_a_layers(name):
    net, description = CASES[name]
    traced = describe(net, SIZE)
    assert traced == description
    is_it(net, traced, SIZE)


OF_CONV = {"parameters": {"weight": (4, 4, 3, 3), "bias": (4,)}, "measured_macs": 4 * 4 * 9 * 36}
NO_LAYER: dict[str, tuple[nn.Module, Node]] = {
    "weights of another mean": (
        Block(lambda self, x: F.conv2d(x, self.conv.weight - self.conv.weight.mean()), conv=conv()),
        Sequential(conv=Foreign("conv2d", SIZE, (4, 6, 6), **OF_CONV)),
    ),
    "weights that two channels share": (
        Block(
            lambda self, x: F.conv2d(
                x, F.batch_norm(self.conv.weight.reshape(1, 2, -1), None, None, training=True).reshape(4, 4, 3, 3)
            ),
            conv=conv(),
        ),
        Sequential(conv=Foreign("conv2d", SIZE, (4, 6, 6), **OF_CONV)),
    ),
    "a parameter that makes the input larger": (
        Block(lambda self, x: x.mean((2, 3), keepdim=True) + self.rows, rows=learnt(8, 8)),
        Sequential(mean=Mean((2, 3), keepdim=True), rows=Foreign("add", (4, 1, 1), SIZE, parameters={"": (8, 8)})),
    ),
    "channels in the middle": (
        Block(lambda self, x: self.conv(x) + self.rows.view(8, 1), conv=conv(), rows=learnt(8)),
        Sequential(conv=CONV, rows=Foreign("add", SIZE, SIZE, parameters={"": (8,)})),
    ),
}


@pytest.mark.parametrize("name", NO_LAYER)
def test_what_no_layer_has_is_foreign(name):
    net, description = NO_LAYER[name]
    assert describe(net, SIZE) == description


def test_a_gamma_is_the_shortest_number_of_that_scale():
    for count in (9, 27, 64, 576, 1152):
        assert [gamma_of(gamma * count**-0.5, count) for gamma in (1.0, 1.7, 1.1387)] == [1.0, 1.7, 1.1387]
        for gamma in (1.7881293296813965, 1 / 3):
            scale = gamma * count**-0.5
            assert gamma_of(scale, count) * count**-0.5 == scale
