"""What a measurement must leave as it was: every object that a module reaches, itself and what is in it."""

from __future__ import annotations

import hashlib
import random
from collections import deque
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

PLAIN = (str, bytes, int, float, complex, bool, type(None), torch.dtype, torch.device, torch.Size)
CODE = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType, torch.Generator)


class Snapshot(NamedTuple):
    """What is reached from a module, by path."""

    found: dict[str, tuple[object, ...]]
    alive: list[object]
    """The objects themselves, so that no other can take over the id of one."""

    def differs(self, other: Snapshot) -> list[str]:
        """The paths that differ."""
        paths = [path for path, what in self.found.items() if other.found.get(path) != what]
        return [*paths, *(path for path in other.found if path not in self.found)]


def snapshot(module: nn.Module) -> Snapshot:
    """The module, all that its attributes and its classes' hold, and the random generators' states.

    Values of tensors by checksum, their devices, gradients and flags; containers with their order; every object
    that has a `__dict__`, such as configurations. Each object is described where it is met first.
    """
    found: dict[str, tuple[object, ...]] = {}
    alive: list[object] = []
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", module)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, PLAIN):
            found[path] = (type(value), value if value == value else "nan")
            continue
        alive.append(value)
        found[path] = (id(value), type(value), *_own(value))
        if id(value) in seen or isinstance(value, CODE):
            continue
        seen.add(id(value))
        waiting += [(f"{path}{name}", held) for name, held in _held(value)]
        if isinstance(value, nn.Module):
            classes = [kind for kind in type(value).__mro__ if not kind.__module__.startswith("torch.")]
            for kind in classes:
                if id(kind) not in seen and kind is not object:
                    seen.add(id(kind))
                    waiting += [(f"{kind.__qualname__}:{name}", held) for name, held in vars(kind).items()]
    found["random"] = (random.getstate(), _checksum(torch.get_rng_state()))
    return Snapshot(found, alive)


def _own(value: Any) -> tuple[object, ...]:
    """What can be said of an object without what it holds."""
    if isinstance(value, Tensor):
        flags = (value.requires_grad, value.is_leaf, value.device, value.dtype, tuple(value.shape), value._version)
        return (*flags, id(value.grad) if value.is_leaf else None, _checksum(value))
    if isinstance(value, dict):
        return ("keys", tuple(value))
    if isinstance(value, set | frozenset):
        return ("set", frozenset(map(id, value)))
    if isinstance(value, list | tuple | deque):
        return ("length", len(value))
    return ()


def _held(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((f"[{key!r}]", held) for key, held in value.items())
    elif isinstance(value, list | tuple | deque):
        yield from ((f"[{number}]", held) for number, held in enumerate(value))
    if isinstance(getattr(value, "__dict__", None), dict):
        yield from ((f".{name}", held) for name, held in vars(value).items())


def _checksum(tensor: Tensor) -> str:
    if tensor.is_meta:
        return "meta"
    plain = tensor.detach().contiguous().flatten().view(torch.uint8) if tensor.numel() else tensor
    return hashlib.sha256(plain.numpy().tobytes()).hexdigest()
