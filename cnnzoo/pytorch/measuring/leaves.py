"""Which modules of a network are leaves: those that call no others, whatever they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, takewhile

import torch
from torch import nn

from .trace import Call, Trace
from .tree import Held, Submodule, own_tensors

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


class Modules:
    """The modules of a network with their tensors, and what runs have shown of them."""

    def __init__(self, submodules: Sequence[Submodule], held: Mapping[str, Mapping[str, Held]]) -> None:
        """`held` is what the modules held before they ran, by path: parameters are a property of the module, not of a
        run."""
        self.by_path = {one.path: one.module for one in submodules}
        self.tensors = {one.path: {**own_tensors(one.module), **held[one.path]} for one in submodules}
        self.called: set[str] = set()
        self.elsewhere: set[str] = set()
        """The modules that were called in other threads, where they are not seen."""
        self.folded: dict[str, list[str]] = {}
        """The paths below a leaf whose tensors its own forward reads."""
        self._paths = [*self.by_path]
        """Parents first, so that what is below a path comes right behind it."""
        self._numbers = {path: number for number, path in enumerate(self._paths)}
        self._met: set[int] = set()
        """The ids of the modules that were called, under whatever path."""
        self._callers: set[str] = set()
        self._touched: set[int] = set()

    def see(self, trace: Trace, root: Call) -> None:
        """What a run whose outermost call is `root` shows: who calls whom, and which tensors are read."""
        self._touched |= trace.touched
        self.elsewhere |= trace.missed.keys()
        for call in _calls(root):
            self.called.add(call.path)
            self._met.add(id(call.submodule.module))
            if any(True for _ in call.calls()):
                self._callers.add(call.path)
        self._fold()

    def is_leaf(self, path: str) -> bool:
        """Whether a module that was called is a row of its own, and not a block of rows."""
        if path in self._callers:
            return False
        module = self.by_path[path]
        return path in self.folded or not (module._modules or _is_container(module))

    def uncalled(self) -> list[str]:
        """The modules that no run has called, nor read from their caller's own forward."""
        folded = {path for below in self.folded.values() for path in below}
        found = []
        for path, module in self.by_path.items():
            if not path or path in self.called or path in folded or id(module) in self._met:
                continue
            if self.tensors[path] or not (has_children(module) or _is_container(module)):
                found.append(path)
        return found

    def reads_any(self, tensors: Mapping[str, Held]) -> bool:
        """Whether a run has read one of these tensors."""
        return any(id(held.tensor) in self._touched for held in tensors.values())

    def _fold(self) -> None:
        """Find the leaves that hold modules, as attention does: those below are not called, and all their tensors are
        read."""
        self.folded = {}
        for path in self.called - self._callers:
            below = self._below(path)
            held = [one for other in below for one in self.tensors[other].values()]
            if isinstance(self.by_path[path], torch.jit.ScriptModule) or (
                held and all(id(one.tensor) in self._touched for one in held)
            ):
                self.folded[path] = below

    def _below(self, path: str) -> list[str]:
        behind = islice(self._paths, self._numbers[path] + 1, None)
        return [*takewhile(lambda one: not path or one.startswith(f"{path}."), behind)]


def has_children(module: nn.Module) -> bool:
    return any(child is not None for child in module._modules.values())


def _is_container(module: nn.Module) -> bool:
    """Whether it is a block and no layer even without children: one of torch's containers, or a class that says so."""
    return isinstance(module, CONTAINERS) or getattr(type(module), "is_container", False) is True


def _calls(call: Call) -> Iterator[Call]:
    """This call and those in it, in the order of their beginnings."""
    waiting = [call]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += reversed([*one.calls()])
