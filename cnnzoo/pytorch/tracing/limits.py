"""Modules of which no description is read off, whatever they call."""

from __future__ import annotations

import torch
from torch import nn

from ..measuring.tree import own_tensors, submodules


def why_not(module: nn.Module) -> str | None:
    """Why the report of a module is not that of its description: it is scripted, compiled, has hooks, or two modules in
    it share a tensor; None where it may be."""
    known: dict[int, tuple[nn.Module, str, str]] = {}
    for path, one in submodules(module):
        where = f"at {path or 'the network itself'}"
        if isinstance(one, torch.jit.ScriptModule):
            return f"{where}: it is scripted"
        if type(one).__name__ == "OptimizedModule":
            return f"{where}: it is compiled; the module inside is its _orig_mod"
        if one._forward_hooks or one._forward_pre_hooks:
            return f"{where}: it has hooks, and what they do is no layer"
        for name, held in own_tensors(one).items():
            key = f"{path}.{name}" if path else name
            owner, own, first = known.setdefault(id(held.tensor), (one, name, key))
            if owner is not one or own != name:
                return f"{first} and {key} are one tensor"
    return None
