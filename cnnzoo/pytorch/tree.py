"""The modules of a network with their paths: torchinfo's tree, gone round where it cannot make one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torchinfo import summary as torchinfo_summary
from torchinfo.torchinfo import clear_cached_forward_pass


class Place(NamedTuple):
    """A module where it stands; one that stands in two places has two."""

    path: str
    module: nn.Module


def places(root: nn.Module) -> list[Place]:
    """Every module by path, parents first, in the order of their definition.

    The tree is torchinfo's, made without running anything. Where torchinfo gives up (an attribute
    `kernel_size` of its own meaning, a pruning mask on meta, names it has not followed) torch walks.
    """
    try:
        layers = torchinfo_summary(root, verbose=0, depth=1).summary_list
    except Exception:
        return list(_walk(root))
    found: list[Place] = []
    paths: dict[int, str] = {}
    for layer in layers:
        outer = layer.parent_info
        path = f"{paths[id(outer.module)]}.{layer.var_name}".lstrip(".") if outer is not None else ""
        paths[id(layer.module)] = path
        found.append(Place(path, layer.module))
    return found


def _walk(root: nn.Module) -> Iterator[Place]:
    for path, module in root.named_modules(remove_duplicate=False):
        yield Place(path, module)


def mult_adds(root: nn.Module, args: Sequence[Any]) -> int:
    """torchinfo's own number, of a run in eval mode."""
    try:
        return int(torchinfo_summary(root, input_data=list(args), verbose=0, mode="eval").total_mult_adds)
    finally:
        clear_cached_forward_pass()  # which would keep the module


class Held(NamedTuple):
    """A tensor of the network's own."""

    tensor: Tensor
    is_buffer: bool

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
    held = {name: Held(value, False) for name, value in parameters.items() if value is not None}
    held |= {name: Held(value, True) for name, value in buffers.items() if value is not None}
    return held


def is_unmade(held: Held) -> bool:
    """Whether it is a lazy module's that has not been run."""
    return bool(is_lazy(held.tensor))


def packs_weights(module: nn.Module) -> bool:
    """Whether it keeps weights where torch does not list them, as quantised modules do."""
    own = vars(module).values()
    return any(isinstance(value, torch.ScriptObject) for value in own) and not isinstance(
        module, torch.jit.ScriptModule
    )
