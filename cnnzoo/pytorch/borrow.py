"""A module on loan: while it is measured other tensors stand in for its own, and after it is as it was."""

from __future__ import annotations

import random
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

Twin = Callable[[Tensor], Tensor]
"""From one of the module's tensors to what stands in for it."""


CONTAINERS = (dict, list, set, deque)
"""What modules keep things in, and what is put back as it was."""


class NoTwinError(TypeError):
    """A tensor that has no likeness on meta: sparse, quantised, or of a kind of its own."""


def on_meta(dtype: torch.dtype | None) -> Twin:
    """The same tensor without its values; a single number keeps its value. `dtype` is for floating numbers."""

    def twin(tensor: Tensor) -> Tensor:
        odd = tensor.layout != torch.strided or tensor.is_quantized or is_traceable_wrapper_subclass(tensor)
        if odd or tensor.is_nested:
            raise NoTwinError(f"a {tensor.layout} tensor of {tensor.dtype} has no likeness on meta")
        wanted = dtype if tensor.is_floating_point() else None
        if not tensor.dim() and not tensor.is_meta and not isinstance(tensor, nn.Parameter):
            return tensor.detach().clone()
        return empty_like(tensor, wanted)

    return twin


def empty_like(tensor: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """The same on meta without values; torch's own works its strides out step by step in Python."""
    if tensor.is_contiguous():
        return torch.empty(tensor.shape, dtype=dtype or tensor.dtype, device="meta")
    return torch.empty_like(tensor, dtype=dtype, device="meta", requires_grad=False)


def copied(dtype: torch.dtype | None) -> Twin:
    """The same tensor with its values."""

    def twin(tensor: Tensor) -> Tensor:
        copy = tensor.detach().clone()
        return copy.to(dtype) if dtype is not None and copy.is_floating_point() else copy

    return twin


@contextmanager
def borrowed(root: nn.Module, twin: Twin) -> Iterator[None]:
    """Inside, `twin`s stand for the parameters and buffers of `root`; what is done to the modules is undone.

    Put back as they were: every attribute of every module, lists, dicts and sets in them, hooks, mode, class,
    the tensors, and the states of the random generators. What the modules do to other objects stays.
    """
    modules = list(root.modules())
    undo: list[Callable[[], None]] = [_generators()]
    memo: dict[int, Tensor] = {}

    def likeness(tensor: Tensor) -> Tensor:
        if id(tensor) not in memo:
            memo[id(tensor)] = _like(tensor, twin)
        return memo[id(tensor)]

    try:
        for module in modules:
            if isinstance(module, torch.jit.ScriptModule):
                _lend_script(module, likeness, undo)
            else:
                _lend(module, likeness, undo)
        yield
    finally:
        for step in reversed(undo):
            step()


def _lend(module: nn.Module, likeness: Twin, undo: list[Callable[[], None]]) -> None:
    kind = type(module)
    before: list[tuple[Any, Any]] = []
    _remember(vars(module), before, set())

    def as_it_was() -> None:
        if type(module) is not kind:
            module.__class__ = kind
        for live, saved in before:
            _restore(live, saved)

    undo.append(as_it_was)
    for held in (module._parameters, module._buffers):
        for name, tensor in held.items():
            if tensor is not None:
                held[name] = likeness(tensor)  # type: ignore[assignment]
    for name, value in vars(module).items():
        if isinstance(value, Tensor):  # a constant that is no buffer: its values may be looked at
            vars(module)[name] = value.detach().clone()


def set_mode(root: nn.Module, training: bool) -> None:
    """Train or eval, except of a program that torch.export made: that has the one in which it was made."""
    with suppress(NotImplementedError):
        root.train(training)


def _remember(live: Any, before: list[tuple[Any, Any]], seen: set[int]) -> None:
    """Note a container with what is in it now, and so those in it."""
    if id(live) in seen:
        return
    seen.add(id(live))
    saved: Any = dict(live) if isinstance(live, dict) else set(live) if isinstance(live, set) else list(live)
    before.append((live, saved))
    for inner in saved.values() if isinstance(saved, dict) else saved:
        if isinstance(inner, CONTAINERS):
            _remember(inner, before, seen)


def _restore(live: Any, saved: Any) -> None:
    if isinstance(live, dict):
        if len(live) != len(saved) or live.keys() != saved.keys():
            for key in [key for key in live if key not in saved]:
                del live[key]
        live.update(saved)
    elif isinstance(live, set):
        live.intersection_update(saved)
        live.update(saved)
    else:
        live.clear()
        live.extend(saved)


def _lend_script(module: Any, likeness: Twin, undo: list[Callable[[], None]]) -> None:
    """A scripted module keeps its tensors in C++, under the same names."""
    script = module._c
    names = [*dict(module.named_parameters(recurse=False)), *dict(module.named_buffers(recurse=False))]
    for name in [*names, *(["training"] if hasattr(module, "training") else [])]:
        value = script.getattr(name)

        def put_back(name: str = name, value: Any = value) -> None:
            script.setattr(name, value)

        undo.append(put_back)
        if isinstance(value, Tensor):
            script.setattr(name, likeness(value))


def _like(tensor: Tensor, twin: Twin) -> Tensor:
    if is_lazy(tensor):
        return type(tensor)(requires_grad=tensor.requires_grad, device=twin(torch.empty(1)).device, dtype=tensor.dtype)  # type: ignore[call-arg]
    other = twin(tensor)
    if isinstance(tensor, nn.Parameter):
        own: Any = type(tensor) if not is_traceable_wrapper_subclass(tensor) else nn.Parameter
        parameter: Tensor = torch.Tensor._make_subclass(own, other, tensor.requires_grad)
        with suppress(AttributeError):
            parameter.__dict__.update(tensor.__dict__)
        return parameter
    return other


def _generators() -> Callable[[], None]:
    """The random generators' states, to be set again."""
    state = torch.get_rng_state()
    cuda: Any = torch.cuda
    gpu = cuda.get_rng_state_all() if cuda.is_initialized() else []
    numpy: Any = sys.modules.get("numpy")
    python, of_numpy = random.getstate(), numpy.random.get_state() if numpy else None

    def restore() -> None:
        torch.set_rng_state(state)
        random.setstate(python)
        if gpu:
            cuda.set_rng_state_all(gpu)
        if numpy:
            numpy.random.set_state(of_numpy)

    return restore
