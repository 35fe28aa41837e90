"""Normalisations and activations that a network writes out are rows of sums, products, powers and reductions."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from traced import CONV, SIZE, Block, behind, conv, is_it

from cnnzoo.arch import (
    Divide,
    Foreign,
    From,
    Gate,
    GroupNorm,
    Hardsigmoid,
    Hardtanh,
    L2Norm,
    Mean,
    Pow,
    ReLU6,
    Residual,
    RMSNorm,
    Scale,
    Sequential,
    Shift,
    Sigmoid,
    Square,
    Subtract,
    Var,
    walk,
)
from cnnzoo.arch.folding import fold
from cnnzoo.pytorch.tracing import describe


def simple(self: Any, x: Tensor) -> Tensor:
    """As timm's SimpleNorm2d."""
    y = self.conv(x)
    return y * torch.rsqrt(torch.var(y, dim=1, keepdim=True) + 1e-6) * self.weight.view(1, -1, 1, 1)


def whitened(y: Tensor) -> Tensor:
    return (y - y.mean((2, 3), keepdim=True)) / (y.std((2, 3), unbiased=False, keepdim=True) + 1e-5)


def rms(y: Tensor) -> Tensor:
    return y / (y.pow(2).mean(1, keepdim=True) + 1e-6).sqrt()


def without_bias(norm: nn.Module) -> nn.Module:
    norm.register_parameter("bias", None)
    return norm


WRITTEN: dict[str, tuple[nn.Module, Sequential]] = {
    "powers": (
        behind(lambda y: 2 / (1 / (y**2 + 1)) ** 3),
        Sequential(
            conv=CONV,
            pow=Square(),
            add=Shift(1.0),
            rdiv=Pow(-1),
            pow_1=Pow(3),
            pow_2=Pow(-1),
            scale=Scale(2.0),
        ),
    ),
    "a variance": (
        Block(simple, conv=conv(), weight=nn.Parameter(torch.ones(4))),
        Sequential(
            conv=CONV,
            mul=Gate(var=Var(1, keepdim=True), add=Shift(1e-6), rsqrt=Pow(-0.5)),
            weight=Scale(1.0, (-1,)),
        ),
    ),
    "a difference over a deviation": (
        behind(whitened),
        Sequential(
            conv=CONV,
            mean=Mean((2, 3), keepdim=True),
            sub=Subtract("conv", "mean"),
            var=From("conv", Var((2, 3), keepdim=True, correction=0)),
            pow=Pow(0.5),
            add=Shift(1e-5),
            div=Divide("sub", "add"),
        ),
    ),
    "a root mean square": (
        behind(rms),
        Sequential(
            conv=CONV,
            pow=Square(),
            mean=Mean(1, keepdim=True),
            add=Shift(1e-6),
            sqrt=Pow(0.5),
            div=Divide("conv", "sqrt"),
        ),
    ),
    "torch's own": (
        Block(lambda self, x: F.rms_norm(self.conv(x), (8,), self.norm.weight, 1e-6), conv=conv(), norm=nn.RMSNorm(8)),
        Sequential(conv=CONV, norm=RMSNorm(eps=1e-6)),
    ),
    "groups with weights and no biases": (
        Block(
            lambda self, x: F.group_norm(self.conv(x), 2, self.norm.weight),
            conv=conv(),
            norm=Block(None, weight=nn.Parameter(torch.ones(4))),
        ),
        Sequential(conv=CONV, norm=GroupNorm(2, bias=False)),
    ),
    "a module of weights and no biases": (
        nn.Sequential(conv(), without_bias(nn.GroupNorm(2, 4))),
        Sequential(CONV, GroupNorm(2, bias=False)),
    ),
    "a product and a sum in one": (
        Block(
            lambda self, x: torch.addcmul(self.beta, self.alpha, self.conv(x)),
            conv=conv(),
            alpha=nn.Parameter(torch.ones(4, 1, 1)),
            beta=nn.Parameter(torch.zeros(4, 1, 1)),
        ),
        Sequential(conv=CONV, alpha=Scale(1.0, (-1, 1, 1)), beta=Shift(0.0, (-1, 1, 1))),
    ),
    "of values alone": (
        Block(lambda self, x: torch.addcmul(x, y := self.conv(x), y.sigmoid()), conv=conv()),
        Residual(conv=CONV, addcmul=Gate(sigmoid=Sigmoid())),
    ),
    "a hard sigmoid, by functions": (
        behind(lambda y: F.relu6(y + 3) / 6),
        Sequential(conv=CONV, hardsigmoid=Hardsigmoid()),
    ),
    "a length along the width": (
        behind(lambda y: F.normalize(y, dim=-1)),
        Sequential(conv=CONV, normalize=L2Norm(affine=False, dim=3)),
    ),
    "a hard swish": (
        behind(lambda y: y * F.relu6(y + 3) / 6),
        Sequential(conv=CONV, mul=Gate(add=Shift(3.0), relu6=ReLU6()), div=Scale(1 / 6)),
    ),
    "a hard sigmoid": (
        behind(lambda y: (y * 0.2 + 0.5).clamp(0, 1)),
        Sequential(conv=CONV, mul=Scale(0.2), add=Shift(0.5), clamp=Hardtanh(0.0, 1.0)),
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_out_is_a_row_of_words(name):
    net, description = WRITTEN[name]
    traced = describe(net, SIZE)
    assert traced == fold(description)
    is_it(net, traced, SIZE, within=1e-6)


def test_a_power_of_a_tensor_has_no_word():
    description = describe(Block(lambda self, x: torch.pow(self.conv(x), x), conv=conv()), SIZE)
    assert any(isinstance(node, Foreign) for _, node in walk(description))
