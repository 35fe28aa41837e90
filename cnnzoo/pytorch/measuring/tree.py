"""The modules of a network with their paths, and the tensors that each holds itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ...errors import InvalidTypeError
from ...report.rows import key_of


class Submodule(NamedTuple):
    """A module with its path; one that is registered at two paths has two."""

    path: str
    module: nn.Module


MOST = 20_000
"""How many paths are named before a module that was met already is not entered again."""


def submodules(root: nn.Module) -> list[Submodule]:
    """Every module by path, parents first, in the order of their definition: `named_modules(remove_duplicate=False)`.

    A module inside itself is not entered again. Where modules that share modules would make more than MOST, each
    is entered at its first path alone.
    """
    found = list(_walk(root, MOST))
    return found if len(found) <= MOST else list(_walk(root, 0))


def modules(root: nn.Module) -> list[nn.Module]:
    """Each module once, however deep the nest."""
    return [*{id(one.module): one.module for one in _walk(root, 0)}.values()]


def parameters(root: nn.Module) -> Iterator[Tensor]:
    """Those of all modules, however deep the nest; a shared one may come twice."""
    for module in modules(root):
        yield from (one.tensor for one in own_tensors(module).values() if not one.is_buffer)


def _walk(root: nn.Module, limit: int) -> Iterator[Submodule]:
    """Depth first, by a stack; beyond `limit` paths a module is entered once."""
    entered: set[int] = set()
    around: dict[int, None] = {}
    stack: list[tuple[str, nn.Module, int]] = [("", root, 0)]
    number = 0
    while stack:
        path, module, depth = stack.pop()
        while len(around) > depth:
            around.popitem()
        number += 1
        yield Submodule(path, module)
        if id(module) in around or (number > limit and id(module) in entered):
            continue
        entered.add(id(module))
        around[id(module)] = None
        held = getattr(module, "_modules", None)
        if held is None or getattr(module, "_parameters", None) is None:
            kind = type(module).__name__
            raise InvalidTypeError(
                f"at {path or 'the network'}: {kind}.__init__ must call super().__init__() before anything"
            )
        children = [(name, child) for name, child in held.items() if child is not None]
        stack += [(f"{path}.{name}" if path else name, child, depth + 1) for name, child in reversed(children)]


class Held(NamedTuple):
    """A tensor of the network's own."""

    tensor: Tensor
    is_buffer: bool
    is_persistent: bool = True
    """Whether a state dict has it."""

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensor.shape)


def own_tensors(module: nn.Module) -> dict[str, Held]:
    """The module's own parameters and buffers, those too that its state dict leaves out; all below it for a scripted
    module, whose children torch alone runs."""
    if isinstance(module, torch.jit.ScriptModule):
        held = {name: Held(value, False) for name, value in module.named_parameters()}
        held |= {name: Held(value, True) for name, value in module.named_buffers()}
        return held
    parameters: Mapping[str, Tensor | None] = module._parameters
    buffers: Mapping[str, Tensor | None] = module._buffers
    names: Mapping[str, str] = getattr(module, "state_names", {})
    held = {names.get(name, name): Held(value, False) for name, value in parameters.items() if value is not None}
    left_out = module._non_persistent_buffers_set
    held |= {
        names.get(name, name): Held(value, True, name not in left_out)
        for name, value in buffers.items()
        if value is not None
    }
    return held


def tensors_by_key(root: nn.Module) -> dict[str, Held]:
    """The tensors of a module and of all in it, by their keys in its state dict."""
    return {key_of(one.path, name): held for one in submodules(root) for name, held in own_tensors(one.module).items()}


def is_unmade(held: Held) -> bool:
    """Whether it is a lazy module's that has not been run."""
    return bool(is_lazy(held.tensor))


def packs_weights(module: nn.Module) -> bool:
    """Whether it keeps weights where torch does not list them, as quantised modules do."""
    own = vars(module).values()
    return any(isinstance(value, torch.ScriptObject) for value in own) and not isinstance(
        module, torch.jit.ScriptModule
    )
