"""Modules that hand their input on and hold tensors that nothing reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn

from .affine import AtPath


def unused(
    parameters: Mapping[str, tuple[int, ...]], buffers: Mapping[str, tuple[int, ...]], non_persistent: Collection[str]
) -> nn.Module:
    """The module of parameters and buffers of these shapes; those with a dot in their names are of modules in it. No
    state dict has the buffers `non_persistent`."""
    if "" in parameters or "" in buffers:
        held = UnusedTensor()
        shape = parameters.get("", buffers.get("", ()))
        _hold(held, "weight", shape, is_buffer="" in buffers, persistent="" not in non_persistent)
        return held
    net = Unused()
    for name, shape in (*parameters.items(), *buffers.items()):
        holder: nn.Module = net
        *path, own = name.split(".")
        for part in path:
            if part not in holder._modules:
                holder.add_module(part, Unused())
            holder = holder.get_submodule(part)
        _hold(holder, own, shape, is_buffer=name in buffers, persistent=name not in non_persistent)
    return net


def _hold(module: nn.Module, name: str, shape: tuple[int, ...], *, is_buffer: bool, persistent: bool) -> None:
    if is_buffer:
        zeros = torch.zeros(shape, dtype=None if shape else torch.int64)
        module.register_buffer(name, zeros, persistent=persistent)
    else:
        module.register_parameter(name, nn.Parameter(torch.zeros(shape)))


class Unused(nn.Module):
    """Hands its input on."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class UnusedTensor(AtPath):
    """Hands its input on; its tensor's key in the state dict is its own path."""

    def forward(self, x: Tensor) -> Tensor:
        return x
