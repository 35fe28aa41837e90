"""Modules that are no plain tree of layers: each has one `Linear(8, 4)`, whose 32 MACs are all that it does."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MethodType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from cnnzoo.pytorch.measuring.measure import MeasureError, measure


class One(nn.Module):
    """A network whose forward is given, as what is done with its layer and an input."""

    def __init__(self, does: Callable[[Any, Tensor], Any] = lambda fc, x: fc(x)) -> None:
        super().__init__()
        self.fc: Any = nn.Linear(8, 4)
        self.does = does

    def forward(self, x: Tensor) -> Any:
        return self.does(self.fc, x)


@dataclass
class Output:
    logits: Tensor
    more: Any = None


@dataclass(frozen=True, slots=True)
class Slotted:
    logits: Tensor


class Tagged(Tensor):
    """A tensor of a class of its own."""


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * x

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return grads[0]


class Scaled(Tensor):
    """Eight-bit weights that are multiplied out where they are used, as quantisation libraries keep them."""

    q: Tensor

    @staticmethod
    def __new__(cls, q: Tensor) -> Any:
        return torch.Tensor._make_wrapper_subclass(cls, q.shape, dtype=torch.float32)

    def __init__(self, q: Tensor) -> None:
        self.q = q

    def __tensor_flatten__(self) -> Any:
        return ["q"], None

    @classmethod
    def __tensor_unflatten__(cls, inner: Any, *_: Any) -> Any:
        return cls(inner["q"])

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.ops.aten.detach.default, torch.ops.aten.clone.default):
            return cls(func(args[0].q))
        args = torch.utils._pytree.tree_map_only(cls, lambda one: one.q.float() / 10, args)
        return func(*args, **(kwargs or {}))


def with_weight(kind: type[Tensor]) -> One:
    net = One()
    net.fc.weight = nn.Parameter(net.fc.weight.detach().as_subclass(kind))
    return net


def eight_bit() -> One:
    net = One()
    net.fc.weight = nn.Parameter(Scaled(torch.ones(4, 8, dtype=torch.int8)), requires_grad=False)
    return net


def wrapped() -> One:
    """The layer's forward is replaced on the instance by one that calls it, as adapters do."""
    net = One()
    old = net.fc.forward
    net.fc.forward = functools.wraps(old)(lambda *args: old(*args) * 2)
    return net


def with_method() -> One:
    net = One()
    net.forward = MethodType(lambda self, x: self.fc(x) + 1, net)  # type: ignore[method-assign]
    return net


def trained() -> One:
    """With an optimiser that it keeps, gradients, and hooks on its weights."""
    net = One()
    net.optimiser = torch.optim.AdamW(net.parameters())  # type: ignore[assignment]
    net.fc.weight.register_hook(lambda grad: grad)
    net(torch.ones(2, 8)).sum().backward()
    net.optimiser.step()  # type: ignore[operator, union-attr]
    return net


def called(fc: Any, x: Tensor) -> Any:
    return torch.func.functional_call(fc, dict(fc.named_parameters()), (x,))


def in_bfloat16(fc: Any, x: Tensor) -> Any:
    with torch.autocast("cpu", torch.bfloat16):
        return fc(x)


FORWARDS: dict[str, Callable[[Any, Tensor], Any]] = {
    "a dataclass": lambda fc, x: Output(fc(x)),
    "a dataclass with slots": lambda fc, x: Slotted(fc(x)),
    "nothing": lambda fc, x: (fc(x), None)[1],
    "a generator that is used": lambda fc, x: sum(fc(one) for one in (x,)),
    "checkpointing": lambda fc, x: checkpoint(fc, x, use_reentrant=False),
    "functional_call": called,
    "vmap": lambda fc, x: torch.func.vmap(fc)(x),
    "autocast": in_bfloat16,
    "inference mode": torch.inference_mode()(lambda fc, x: fc(x)),
    "an autograd function": lambda fc, x: Square.apply(fc(x)),
    "a copy to the input's device": lambda fc, x: fc.to(x.device)(x),
    "a hook": lambda fc, x: (fc.register_forward_hook(lambda *_: None), fc(x))[1],
    "cond": lambda fc, x: torch.cond(x.shape[0] > 1, fc, lambda x: fc(x) * 2, (x,)),
    "the layer's weight": lambda fc, x: F.linear(x, fc.weight, fc.bias),
}

MODULES: dict[str, Callable[[], nn.Module]] = {
    **{name: functools.partial(One, does) for name, does in FORWARDS.items()},
    "a weight of another class": lambda: with_weight(Tagged),
    "a weight in eight bits": eight_bit,
    "a replaced forward": wrapped,
    "a method of the instance": with_method,
    "compiled": lambda: torch.compile(One(), backend="eager"),  # type: ignore[dict-item, return-value]
    "data parallel": lambda: nn.DataParallel(One()),
    "averaged": lambda: torch.optim.swa_utils.AveragedModel(One()),
    "trained": trained,
}


@pytest.mark.filterwarnings("ignore:Using `torch.compile")
@pytest.mark.parametrize("name", MODULES)
def test_it_is_counted_and_as_before(name: str) -> None:
    torch.manual_seed(0)
    net = MODULES[name]().eval()
    x = torch.randn(3, 8)
    tensors = dict(net.state_dict(keep_vars=True))
    grads = {key: one.grad for key, one in net.named_parameters()}
    with torch.no_grad():
        before = net(x)
        report = measure(net, input_data=x)
        after = net(x)
    assert (report.total_macs, report.total_params, report.status) == (32, 36, "complete")
    assert all(one is tensors[key] for key, one in net.state_dict(keep_vars=True).items())
    assert all(one.grad is grads[key] for key, one in net.named_parameters())
    for output, same in zip(*map(torch.utils._pytree.tree_leaves, (before, after)), strict=True):
        assert (
            torch.equal(getattr(output, "logits", output), getattr(same, "logits", same)) if output is not None else 1
        )


class Yields(One):
    def forward(self, x: Tensor) -> Iterator[Tensor]:
        yield self.fc(x)


class Waits(One):
    async def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize(("net", "kind"), [(Yields(), "generator"), (Waits(), "coroutine")])
def test_a_forward_of_which_nothing_runs_is_refused(net: nn.Module, kind: str) -> None:
    with pytest.raises(MeasureError, match=f"its forward returns a {kind}, of which nothing has run"):
        measure(net, input_data=torch.randn(3, 8))


def settings() -> tuple[Any, ...]:
    return (
        *(torch.get_default_dtype(), torch.get_float32_matmul_precision()),
        *(torch.get_deterministic_debug_mode(), torch.is_anomaly_enabled(), torch.is_grad_enabled()),
    )


def setting(fc: Any, x: Tensor) -> Any:
    y = fc(x)
    torch.set_default_dtype(torch.float64)
    torch.set_float32_matmul_precision("medium")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.autograd.set_detect_anomaly(True)
    torch.set_grad_enabled(True)
    return y


def test_what_a_forward_sets_in_torch_is_set_back() -> None:
    with torch.no_grad():
        before = settings()
        assert measure(One(setting), input_data=torch.randn(3, 8)).total_macs == 32
        assert settings() == before
