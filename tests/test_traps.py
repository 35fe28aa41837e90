"""What modules do that a trace may take for something else is told, or said to hold at one size alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from cases import of
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
from traced import CONV, SIZE, conv, is_it
from trapped import Make, block, gamma, hooked, relu_, told

from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Add,
    BatchNorm2d,
    Cat,
    Conv2d,
    Dropout,
    Flatten,
    From,
    Gate,
    Hardtanh,
    Identity,
    Mean,
    Node,
    Outputs,
    ReflectionPad2d,
    ReLU,
    Residual,
    Run,
    SamePad2d,
    Scale,
    Sequential,
    Shift,
    Slice,
    Square,
    Unflatten,
)
from cnnzoo.pytorch.tracing import DescribedAtOneSizeWarning, describe
from cnnzoo.pytorch.tracing.values import BATCH

# What is told, and how


def shortcut(m: Any, x: Tensor) -> Tensor:
    """As torchvision's first blocks do: the activation writes over what the shortcut is."""
    y = m.c(x)
    short = y
    return m.c(m.relu(y)) + short


def weights_written_back(m: Any, x: Tensor) -> Tensor:
    return torch.func.functional_call(m.c, dict(m.c.named_parameters()), (x,))


class Doubled(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * 2


Namesake = type("Conv2d", (Doubled,), {})


def replaced() -> nn.Module:
    net = nn.Sequential(conv(), nn.ReLU())
    forward = net[0].forward
    net[0].forward = lambda x: forward(x) * 2
    return net


INNER = Sequential(CONV, ReLU())


class Squared(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * x

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return grads[0]


class Each(nn.Module):
    """Takes any number of tensors and one by keyword, and gives a list."""

    def __init__(self) -> None:
        super().__init__()
        self.c = conv()

    def forward(self, *xs: Tensor, other: Tensor | None = None) -> list[Tensor]:
        return [self.c(x) for x in xs] + ([] if other is None else [other])


def padded(m: Any, x: Tensor) -> Tensor:
    """As TensorFlow pads for a stride of two: https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2"""
    height, width = (max((-(-side // 2) - 1) * 2 + 3 - side, 0) for side in x.shape[2:])
    return m.c(F.pad(x, [width // 2, width - width // 2, height // 2, height - height // 2]))


def strided() -> nn.Conv2d:
    return nn.Conv2d(4, 4, 3, stride=2)


TOLD: dict[str, tuple[Make, Node]] = {
    "padding by hand": (of(padded, c=strided), Sequential(pad=SamePad2d(3, stride=2), c=Conv2d(4, 3, stride=2))),
    "a pooling of the map's size": (
        block(lambda m, x: F.avg_pool2d(m.c(x), x.shape[2:])),
        Sequential(c=CONV, avg_pool2d=AdaptiveAvgPool2d(1)),
    ),
    "lengths that are computed": (
        block(lambda m, x: m.c(x).view(x.shape[0], 2, -1, x.shape[3])),
        Sequential(c=CONV, flatten=Flatten(1, 2), unflatten=Unflatten(1, (2, -1))),
    ),
    "an activation in place on the shortcut's value": (
        block(shortcut, relu=relu_),
        Sequential(c=CONV, relu=ReLU(), c_1=Run("c"), add=Add("c_1", "relu")),
    ),
    "written over the input": (
        block(lambda m, x: m.c(x.mul_(2))),
        Sequential(mul=Scale(2.0), c=CONV),
    ),
    "a layer scale on the block": (
        block(lambda m, x: x + m.c(x) * m.g[:, None, None], g=gamma(4)),
        Residual(c=CONV, g=Scale(1.0, (-1,))),
    ),
    "a parameter that looks like a batch of one": (
        block(lambda m, x: torch.flatten(m.c(x).mean((2, 3), keepdim=True) * m.g, 1), g=gamma(1, 4, 1, 1)),
        Sequential(c=CONV, mean=Mean((2, 3), keepdim=True), g=Scale(1.0, (1, -1, 1, 1)), flatten=Flatten()),
    ),
    "one position, which looks like a batch of one": (
        block(lambda m, x: m.c(x).mean((1, 2)).mean(1, keepdim=True) + m.g, g=gamma(1, 1)),
        Sequential(c=CONV, mean=Mean((1, 2)), mean_1=Mean(1, keepdim=True), g=Shift(0.0, (1, 1))),
    ),
    "a parameter of no dimensions": (block(lambda m, x: m.c(x) * m.g, g=gamma()), Sequential(c=CONV, g=Scale(1.0, ()))),
    "a parameter that is used twice": (
        block(lambda m, x: m.g * m.c(x * m.g), g=gamma(4, 1, 1)),
        Sequential(g=Scale(1.0, (-1, 1, 1)), c=CONV, mul=Run("g")),
    ),
    "a list of parameters": (
        block(lambda m, x: m.c(x) * m.p[0] + m.p[1], p=lambda: nn.ParameterList([torch.rand(4, 1, 1) for _ in "ab"])),
        Sequential(c=CONV, p=Sequential(Scale(1.0, (-1, 1, 1)), Shift(0.0, (-1, 1, 1)))),
    ),
    "batch norm by its function": (
        block(lambda m, x: F.batch_norm(m.c(x), None, None, training=True)),
        Sequential(c=CONV, batch_norm=BatchNorm2d(affine=False, track_running_stats=False)),
    ),
    "batch norm without momentum": (
        lambda: nn.Sequential(nn.BatchNorm2d(4, momentum=None)),
        Sequential(BatchNorm2d(momentum=None)),
    ),
    "identities and dropout": (
        block(lambda m, x: x * m.c(m.i(m.d(x))), i=nn.Identity, d=nn.Dropout),
        Gate(d=Dropout(), i=Identity(), c=CONV),
    ),
    "dropout by its function": (
        block(lambda m, x: F.dropout(m.c(x), 0.5, m.training)),
        Sequential(c=CONV, dropout=Dropout()),
    ),
    "a child that nobody reads": (
        block(lambda m, x: (m.d(x), m.c(x))[1], d=conv),
        Sequential(d=CONV, c=From("input", CONV)),
    ),
    "without tensors and used twice": (
        block(lambda m, x: m.r(m.c(m.r(x))), r=relu_),
        Sequential(r=ReLU(), c=CONV, r_1=ReLU()),
    ),
    "with tensors and used twice": (block(lambda m, x: m.c(m.c(x))), Sequential(c=CONV, c_1=Run("c"))),
    "a subclass with a forward of its own": (
        lambda: nn.Sequential(Doubled(4, 4, 3)),
        Sequential(Conv2d(4, 3), layer0_mul=Scale(2.0)),
    ),
    "a subclass of the same name": (
        lambda: nn.Sequential(Namesake(4, 4, 3)),
        Sequential(Conv2d(4, 3), layer0_mul=Scale(2.0)),
    ),
    "a forward that was replaced": (
        replaced,
        Sequential(CONV, layer0_mul=Scale(2.0), **{"1": ReLU()}),
    ),
    "a hook on a layer": (
        hooked("0", lambda m, args, y: y * 2),
        Sequential(CONV, mul=Scale(2.0), **{"1": INNER}),
    ),
    "a hook that writes": (
        hooked("0", lambda m, args, y: [y.add_(1), None][1]),
        Sequential(CONV, add=Shift(1.0), **{"1": INNER}),
    ),
    "a hook with keywords on a block": (
        hooked("1", lambda m, args, kwargs, y: y * 2, with_kwargs=True),
        Sequential(CONV, INNER, mul=Scale(2.0)),
    ),
    "a hook before a layer": (
        hooked("0", lambda m, args: (args[0] * 2,), before=True),
        Sequential(layer0_mul=Scale(2.0), **{"0": CONV}, **{"1": INNER}),
    ),
    "a hook before the network": (
        hooked("", lambda m, args: (args[0] * 2,), before=True),
        Sequential(mul=Scale(2.0), **{"0": CONV}, **{"1": INNER}),
    ),
    "checkpointing": (block(lambda m, x: checkpoint(m.c, x, use_reentrant=False)), Sequential(c=CONV)),
    "an autograd function": (block(lambda m, x: Squared.apply(m.c(x))), Sequential(c=CONV, mul=Square())),
    "its own weights handed in": (block(weights_written_back), Sequential(c=CONV)),
    "data parallel": (lambda: nn.DataParallel(nn.Sequential(conv(), nn.ReLU())), Sequential(module=INNER)),
    "stubs of quantisation": (
        lambda: torch.ao.quantization.QuantWrapper(nn.Sequential(conv(), nn.ReLU())),
        Sequential(quant=Identity(), module=INNER, dequant=Identity()),
    ),
    "frozen": (lambda: nn.Sequential(conv(), nn.ReLU()).requires_grad_(False), INNER),
    "one forward in training, another in eval": (
        block(lambda m, x: m.c(x) if m.training else F.relu(m.c(x))),
        Sequential(c=CONV, relu=ReLU()),
    ),
    "without gradients": (block(lambda m, x: torch.no_grad()(m.c)(x)), Sequential(c=CONV)),
    "channels last in memory": (
        block(lambda m, x: m.c(x.to(memory_format=torch.channels_last))),
        Sequential(c=CONV),
    ),
    "by keyword": (block(lambda m, x: m.c(input=x)), Sequential(c=CONV)),
    "without its hooks": (block(lambda m, x: m.c.forward(x)), Sequential(c=CONV)),
    "several outputs by name": (
        block(lambda m, x: {"a": m.c(x), "b": x}),
        Sequential(c=CONV, out=Outputs("c", "input")),
    ),
    "lists and keywords between modules": (
        of(lambda m, x: torch.cat(m.t(x, F.relu(x), other=x), 1), t=Each),
        Sequential(
            relu=ReLU(),
            t=From(
                "input",
                "relu",
                Sequential(c=From("input.0", CONV), c_1=Run("c", "input.1"), out=Outputs("c", "c_1")),
            ),
            cat=Cat("t", "input"),
        ),
    ),
    "an operator of ATen": (block(lambda m, x: torch.ops.aten.add(x, m.c(x))), Residual(c=CONV)),
    "a padding mode": (
        lambda: nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")),
        Sequential(layer0_pad=ReflectionPad2d(1), **{"0": Conv2d(4, 3)}),
    ),
    "numbers that are taken away thrice": (
        block(lambda m, x: torch.sub(m.c(x), 2, alpha=3)),
        Sequential(c=CONV, sub=Shift(-6.0)),
    ),
    "a clamp": (block(lambda m, x: m.c(x).clamp(0, 1)), Sequential(c=CONV, clamp=Hardtanh(0.0, 1.0))),
    "the last channel": (block(lambda m, x: m.c(x)[:, -1:]), Sequential(c=CONV, getitem=Slice(-1, None))),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_it_does_is_told(name: str) -> None:
    make, description = TOLD[name]
    net = make()
    within = 1e-6 if "pooling" in name else 0.0  # whose sums are taken in another order
    assert told(net, SIZE, (4, 21, 9), within=within) == description
    assert told(net, (4, 21, 9), SIZE, within=within) == description


# What holds at one size or for one batch alone


def by_rows(m: Any, x: Tensor) -> Tensor:
    """Of heights that are multiples of eight alone."""
    return F.avg_pool2d(m.c(x).view(x.shape[0], 4, 8, -1), (x.shape[2] // 4, 1))


AT_ONE: dict[str, tuple[Make, str]] = {
    "a part of the map": (block(lambda m, x: m.c(x)[:, :, : x.shape[2] // 2]), "getitem"),
    "a slice beyond the end": (block(lambda m, x: m.c(x)[..., :8]), "getitem"),
    "a number from the width": (block(lambda m, x: m.c(x) / x.shape[3]), "div"),
    "a number from the batch": (block(lambda m, x: m.c(x) / x.shape[0]), "div"),
    "another path for large maps": (block(lambda m, x: m.c(x) if x.shape[2] < 9 else F.relu(m.c(x))), "relu"),
    "multiples of eight alone": (block(by_rows), "avg_pool2d, flatten, unflatten"),
}


@pytest.mark.parametrize("name", AT_ONE)
def test_what_holds_at_one_size_is_told_with_its_path(name: str) -> None:
    make, paths = AT_ONE[name]
    net = make()
    with pytest.warns(DescribedAtOneSizeWarning, match=f"it would be another at {paths}$"):
        description = describe(net, SIZE)
    within = 1e-6 if "number" in name else 0  # divided by a number is to an ulp what is multiplied by its inverse
    is_it(net, description, SIZE, batches=(BATCH if "batch" in name else 2,), within=within)


@pytest.mark.filterwarnings("ignore:the description holds")
@pytest.mark.parametrize("name", [name for name in AT_ONE if "batch" not in name])
def test_at_another_size_it_is_another_description(name: str) -> None:
    """Divided by a number is to an ulp what is multiplied by its inverse."""
    net = AT_ONE[name][0]()
    size = (4, 24, 9) if "eight" in name else (4, 21, 9)
    description = describe(net, size)
    is_it(net, description, size, within=1e-6 if "number" in name else 0)
    assert description != describe(net, SIZE)
