"""What is inside of a network: the weights of a layer. A user's module stays as it was: a copy is looked into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ...errors import InvalidValueError
from ...words import hint, listed, quoted
from ..measuring.borrow import alone, copied, on_loan
from ..modules.checkpoints import load_checkpoint

T = TypeVar("T")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers of torch from this seed; behind it they go on as if there had been none."""
    with alone():
        torch.manual_seed(seed)
        yield


def with_weights(net: nn.Module, file: Any, use: Callable[[nn.Module], T], *, own: bool) -> T:
    """What `use` makes of a module in eval mode, with the weights of a file where there is one: of a copy, unless the
    module is ours to change."""

    def used(module: nn.Module) -> T:
        if any(one.is_meta for one in module.state_dict().values() if isinstance(one, Tensor)):
            raise InvalidValueError("the module is on the meta device and has no values to look at")
        if file is not None:
            load_checkpoint(module, file)
        return use(module.eval())

    return used(net) if own else on_loan(net, copied(None), lambda loan: used(loan.module), grad=True)


def layer_of(net: nn.Module, path: str) -> nn.Module:
    """The layer or block at a path; InvalidValueError, with what may have been meant, where there is none."""
    known: dict[str, nn.Module] = dict(net.named_modules())
    if path not in known:
        raise InvalidValueError(f"no layer {quoted(path)}; {hint(path, filter(None, known))}")
    return known[path]


def weight_of(net: nn.Module, path: str) -> Tensor:
    """The weight of a layer, on the CPU; InvalidValueError for a layer or a block without one."""
    layer = layer_of(net, path)
    weight: Any = getattr(layer, "weight", None)
    if not isinstance(weight, Tensor):
        inside = [f"{path}.{name}" if path else name for name in _weighted(layer)]
        what = f"a block: say which layer of it, {listed(inside, 8)}" if inside else "a layer without a weight"
        others = "" if inside else f"; those with one are {listed(_weighted(net), 8)}"
        raise InvalidValueError(f"{path or 'the network itself'} ({type(layer).__name__}) is {what}{others}")
    return weight.detach().cpu()


def _weighted(net: nn.Module) -> list[str]:
    return [name for name, one in net.named_modules() if name and isinstance(getattr(one, "weight", None), Tensor)]
