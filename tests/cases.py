"""Small modules of every kind, their parameters and MACs by hand, and all that measuring one might change."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, prune

import cnnzoo
from cnnzoo.pytorch.measuring.measure import measure


class Case(NamedTuple):
    """A module with what goes in, and its parameters and MACs a sample, worked out by hand."""

    make: Callable[[], nn.Module]
    given: Any
    params: int
    macs: int
    kwargs: dict[str, Any] = {}  # noqa: RUF012


def of(forward: Callable[..., Any], **held: Any) -> Callable[[], nn.Module]:
    """A module that holds what `held` makes, with this forward."""

    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, make in held.items():
                made = make()
                if isinstance(made, Tensor) and not isinstance(made, nn.Parameter):
                    self.register_buffer(name, made)
                else:
                    setattr(self, name, made)

    Small.forward = forward
    return Small


def weight(*shape: int) -> Callable[[], nn.Parameter]:
    return lambda: nn.Parameter(torch.rand(*shape))


def same(module: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """One module under two names."""

    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = self.b = module()

        def forward(self, x: Tensor) -> Tensor:
            return self.b(self.a(x)[:, :, ::2, ::2]).sum((2, 3)) + self.a(x).sum((2, 3))

    return Shared


class Tied(nn.Module):
    """An embedding whose table is the classifier too."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.head = nn.Linear(6, 11, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.embed(x))


class Standardised(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        mean = self.weight.mean((1, 2, 3), keepdim=True)
        return F.conv2d(x, (self.weight - mean) / self.weight.std((1, 2, 3), keepdim=True), self.bias)


class Doubled(nn.Linear):
    """A subclass that calls its parent."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


class Counting(nn.Module):
    """A module that writes to its buffers, an attribute, a list and a counter."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("calls", torch.tensor(0))
        self.seen: list[Any] = []
        self.last = None
        self.number = 0

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        self.mean.mul_(0.9).add_(y.mean((0, 2, 3)))
        self.calls += 1
        self.seen.append(y)
        self.last = y
        self.number += 1
        return y


class Lists(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.ModuleList([nn.ModuleList([nn.Linear(4, 4) for _ in range(2)]) for _ in range(2)])

    def forward(self, x: Tensor) -> Tensor:
        for row in self.rows:
            x = sum(layer(x) for layer in row)
        return x


class Headed(nn.Module):
    """A head that runs in training only."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(5, 4)
        self.head = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2))
        self.end = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Any:
        x = self.body(x)
        return (self.end(x), self.head(x)) if self.training else self.end(x)


TOKENS = torch.zeros(2, 7, dtype=torch.long)
SEQUENCE = torch.rand(2, 5, 8)
IMAGE = (3, 8, 8)

CASES = {
    # 4 x 6 x 6 outputs of 3 x 3 x 3
    "convolution": Case(lambda: nn.Conv2d(3, 4, 3), IMAGE, 4 * 27 + 4, 4 * 36 * 27),
    "grouped": Case(lambda: nn.Conv2d(6, 4, 3, groups=2), (6, 8, 8), 4 * 27 + 4, 4 * 36 * 27),
    "depthwise": Case(lambda: nn.Conv2d(6, 6, 3, groups=6), (6, 8, 8), 6 * 9 + 6, 6 * 36 * 9),
    "depthwise, multiplier 2": Case(lambda: nn.Conv2d(6, 12, 3, groups=6), (6, 8, 8), 12 * 9 + 12, 12 * 36 * 9),
    "dilated": Case(lambda: nn.Conv2d(3, 4, 3, dilation=2), IMAGE, 4 * 27 + 4, 4 * 16 * 27),
    "asymmetric": Case(lambda: nn.Conv2d(3, 4, (1, 5), padding=(0, 2)), IMAGE, 4 * 15 + 4, 4 * 64 * 15),
    "same, odd": Case(lambda: nn.Conv2d(3, 4, 3, padding="same"), IMAGE, 4 * 27 + 4, 4 * 64 * 27),
    "same, even": Case(lambda: nn.Conv2d(3, 4, 4, padding="same"), IMAGE, 4 * 48 + 4, 4 * 64 * 48),
    "reflect padding": Case(
        lambda: nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), IMAGE, 4 * 27 + 4, 4 * 64 * 27
    ),
    # every one of 3 x 8 x 8 inputs meets 4 x 3 x 3 weights, whatever the stride
    "transposed": Case(
        lambda: nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1), IMAGE, 3 * 36 + 4, 192 * 36
    ),
    "transposed, grouped": Case(
        lambda: nn.ConvTranspose2d(6, 4, 3, stride=2, groups=2), (6, 8, 8), 6 * 18 + 4, 384 * 18
    ),
    "Conv1d": Case(lambda: nn.Conv1d(3, 4, 3), (1, 3, 10), 4 * 9 + 4, 4 * 8 * 9),
    "Conv3d": Case(lambda: nn.Conv3d(2, 4, 3), (1, 2, 5, 5, 5), 4 * 54 + 4, 4 * 27 * 54),
    "unbatched": Case(lambda: nn.Conv2d(3, 4, 3), torch.rand(3, 8, 8), 4 * 27 + 4, 4 * 36 * 27),
    "batch of 5": Case(lambda: nn.Conv2d(3, 4, 3), (5, 3, 8, 8), 4 * 27 + 4, 4 * 36 * 27),
    "ceil mode": Case(
        lambda: nn.Sequential(nn.MaxPool2d(3, 2, ceil_mode=True), nn.Flatten(), nn.Linear(3 * 16, 2)),
        IMAGE,
        98,
        96,
    ),
    "linear": Case(lambda: nn.Linear(5, 4), (5,), 24, 20),
    "linear, of a vector": Case(lambda: nn.Linear(5, 4), (1, 5), 24, 20),
    "linear on NHWC": Case(lambda: nn.Linear(8, 4), (3, 8, 8), 36, 3 * 8 * 8 * 4),
    # two calls at 8 x 8 (36 outputs a map), one at half of 6 x 6
    "one module thrice, at two sizes, under two names": Case(
        same(lambda: nn.Conv2d(3, 3, 3)), IMAGE, 84, (36 + 36) * 81 + 81
    ),
    "F.conv2d": Case(of(lambda m, x: F.conv2d(x, m.w), w=weight(4, 3, 3, 3)), IMAGE, 108, 4 * 36 * 27),
    "torch.conv2d": Case(of(lambda m, x: torch.conv2d(x, m.w), w=weight(4, 3, 3, 3)), IMAGE, 108, 4 * 36 * 27),
    "F.linear": Case(of(lambda m, x: F.linear(x, m.w, m.b), w=weight(4, 5), b=weight(4)), (5,), 24, 20),
    "addmm, in place": Case(of(lambda m, x: x.new_zeros(1, 4).addmm_(x, m.w).eq_(0), w=weight(5, 4)), (5,), 20, 20),
    "x @ w, divided": Case(of(lambda m, x: x @ m.w // 2, w=weight(5, 4)), (5,), 20, 20),
    "x @ w": Case(of(lambda m, x: x @ m.w, w=weight(5, 4)), (5,), 20, 20),
    "a vector @ w": Case(of(lambda m, x: m.w @ x[0], w=weight(4, 5)), (5,), 20, 20),
    "einsum": Case(of(lambda m, x: torch.einsum("bchw,cd->bdhw", x, m.w), w=weight(3, 7)), IMAGE, 21, 64 * 21),
    "Linear, then F.linear": Case(
        of(lambda m, x: F.linear(m.fc(x), m.w), fc=lambda: nn.Linear(5, 4), w=weight(3, 4)), (5,), 36, 20 + 12
    ),
    "unused": Case(
        of(lambda m, x: m.used(x), used=lambda: nn.Linear(5, 4), idle=lambda: nn.Linear(9, 9)), (5,), 24 + 90, 20
    ),
    "nested ModuleLists": Case(Lists, (4,), 80, 64),
    "tied": Case(Tied, TOKENS, 66, 7 * 66),
    "several inputs": Case(
        of(lambda m, x, y: m.a(x) + m.b(y), a=lambda: nn.Linear(5, 4), b=lambda: nn.Linear(6, 4)),
        [(5,), (6,)],
        24 + 28,
        44,
    ),
    "keyword only": Case(
        of(lambda m, x, *, y: m.a(x) * y, a=lambda: nn.Linear(5, 4)), (5,), 24, 20, {"y": torch.rand(1, 4)}
    ),
    "a dict of inputs": Case(
        of(lambda m, left, right: m.a(left) + m.a(right), a=lambda: nn.Linear(5, 4)),
        {"left": torch.rand(2, 5), "right": torch.rand(2, 5)},
        24,
        40,
    ),
    "dict and nested outputs": Case(
        of(lambda m, x: {"out": [m.a(x), (x, {"again": m.a(x)})]}, a=lambda: nn.Linear(5, 4)), (5,), 24, 40
    ),
    "lazy": Case(
        lambda: nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2)),
        IMAGE,
        112 + 8 + 290,
        4 * 36 * 27 + 288,
    ),
    "subclassed": Case(lambda: Doubled(5, 4), (5,), 24, 20),
    "weight-standardised": Case(lambda: Standardised(3, 4, 3), IMAGE, 112, 4 * 36 * 27),
    # a length for each of 4 outputs beside the directions
    "weight norm": Case(lambda: parametrizations.weight_norm(nn.Conv2d(3, 4, 3)), IMAGE, 112 + 4, 4 * 36 * 27),
    "pruned": Case(lambda: prune.identity(nn.Conv2d(3, 4, 3), "weight"), IMAGE, 112, 4 * 36 * 27),
    "a parent's own parameter": Case(
        of(lambda m, x: m.fc(x) * m.scale, fc=lambda: nn.Linear(5, 4), scale=weight(4)), (5,), 28, 20
    ),
    # in 3 x 8 x 8, out 8 x 8 for each of 5 positions; scores and sums 5 x 5 x 8 each
    "MultiheadAttention": Case(
        of(lambda m, x: m.attention(x, x, x), attention=lambda: nn.MultiheadAttention(8, 2, batch_first=True)),
        SEQUENCE,
        4 * (64 + 8),
        5 * 256 + 2 * 200,
    ),
    "MultiheadAttention without weights": Case(
        of(
            lambda m, x: m.attention(x, x, x, need_weights=False)[0],
            attention=lambda: nn.MultiheadAttention(8, 2, batch_first=True),
        ),
        SEQUENCE,
        4 * (64 + 8),
        5 * 256 + 2 * 200,
    ),
    "scaled_dot_product_attention": Case(
        of(lambda m, x: F.scaled_dot_product_attention(*[x.view(2, 5, 2, 4).transpose(1, 2)] * 3)), SEQUENCE, 0, 400
    ),
    "TransformerEncoderLayer": Case(
        lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        SEQUENCE,
        288 + 2 * 16 + 8 * 16 + 16 + 16 * 8 + 8,
        5 * 256 + 400 + 5 * 256,
    ),
    # four gates, each from 8 inputs and 4 states, at 5 steps
    "LSTM": Case(lambda: nn.LSTM(8, 4, batch_first=True), SEQUENCE, 16 * 12 + 32, 5 * 16 * 12),
    "Embedding": Case(lambda: nn.Embedding(11, 6), TOKENS, 66, 0),
    "a head run in training": Case(Headed, (5,), 24 + 15, 20 + 12),
    "scripted": Case(lambda: torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())), IMAGE, 112, 4 * 36 * 27),
    "scripted inside": Case(
        lambda: nn.Sequential(torch.jit.script(nn.Conv2d(3, 4, 3)), nn.ReLU()), IMAGE, 112, 4 * 36 * 27
    ),
    "traced": Case(lambda: torch.jit.trace(nn.Linear(5, 4), torch.rand(1, 5)), (5,), 24, 20),
    "writes to its buffers": Case(Counting, IMAGE, 112, 4 * 36 * 27),
    "inference mode": Case(of(torch.inference_mode()(lambda m, x: m.a(x)), a=lambda: nn.Linear(5, 4)), (5,), 24, 20),
    "in place on its input": Case(lambda: nn.Sequential(nn.ReLU(inplace=True), nn.Linear(5, 4)), (5,), 24, 20),
    "a constant with values, twice": Case(
        of(
            lambda m, x: m.a(x) if all(torch.arange(3).tolist() == [0, 1, 2] for _ in range(3)) else x,
            a=lambda: nn.Linear(5, 4),
        ),
        (5,),
        24,
        20,
    ),
    "constants made in the forward": Case(
        of(lambda m, x: m.a(x + torch.arange(5.0)), a=lambda: nn.Linear(5, 4)), (5,), 24, 20
    ),
    "asks for what its device can": Case(
        of(lambda m, x: m.a(x) if torch.autocast(x.device.type, enabled=False) else x, a=lambda: nn.Linear(5, 4)),
        (5,),
        24,
        20,
    ),
    "catches an error of its own": Case(
        of(lambda m, x: attempt(m.b, x, m.a), a=lambda: nn.Linear(5, 4), b=lambda: nn.Linear(7, 4)),
        (5,),
        24 + 32,
        20,
    ),
}


def attempt(first: nn.Module, x: Tensor, second: nn.Module) -> Tensor:
    try:
        return first(x)
    except RuntimeError:
        return second(x)


def measured(case: Case, module: nn.Module | None = None, **more: Any) -> cnnzoo.Report:
    data = isinstance(case.given, Tensor | dict)
    given = {"input_data" if data else "input_size": case.given}
    return measure(case.make() if module is None else module, **given, **case.kwargs, **more)


def state(module: nn.Module) -> dict[str, Any]:
    """Everything about a module that a measurement might change."""
    found: dict[str, Any] = {}
    for path, one in module.named_modules(remove_duplicate=False):
        found[f"{path} class"] = type(one)
        if not isinstance(one, torch.jit.ScriptModule):
            for name, value in vars(one).items():
                found[f"{path} {name}"] = (
                    id(value),
                    copy.copy(value) if isinstance(value, dict | list | set) else value,
                )
        else:
            found[f"{path} training"] = one.training
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        lazy = nn.parameter.is_lazy(tensor)
        found[f"{name} tensor"] = (id(tensor), tensor._version, tensor.device, tensor.requires_grad)
        found[f"{name} grad"] = None if tensor.grad is None else tensor.grad.tolist()
        found[f"{name} values"] = None if lazy else tensor.tolist()
    return found
