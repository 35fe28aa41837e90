"""A module on loan: a copy of it is run, in which other tensors stand for its own; or it is lent, and put back."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial, wraps
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import _pop_mode, is_traceable_wrapper_subclass

from .copies import BASES, Copier
from .restore import Step, attributes_of, caches, generators, inside, reached, remembered, undoing
from .tree import modules

T = TypeVar("T")

Twin = Callable[[Tensor], Tensor]
"""From one of the module's tensors to what stands in for it."""


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


class NeedsOriginalError(BaseException):
    """A copy's forward reaches the original or its tensors, by a name in its file, say. No network is to catch it."""


class Loan(NamedTuple):
    """What is run in a module's place."""

    module: nn.Module
    originals: frozenset[int] = frozenset()
    """The ids of the original's modules and tensors; none where the original itself is lent."""

    def touch(self, ids: Iterable[int]) -> None:
        """Raises NeedsOriginalError where one of the ids is the original's."""
        if not self.originals.isdisjoint(ids):
            raise NeedsOriginalError

    def failed(self, error: Exception) -> None:
        """Raises NeedsOriginalError where the original might not fail so: it may be looked up by its identity."""
        if self.originals and isinstance(error, LookupError):
            raise NeedsOriginalError from error


_measuring = threading.RLock()
"""Held while a module is on loan: what is put back afterwards is in part the process's, as random generators are."""


@contextmanager
def alone() -> Iterator[None]:
    """One thread at a time, and the states of the random generators as before when it is left."""
    with _measuring, undoing() as undo:
        undo.append(generators())
        yield


def on_loan(root: nn.Module, twin: Twin, use: Callable[[Loan], T], *, grad: bool = False) -> T:
    """What `use` makes of a copy of `root` with `twin`s for its parameters and buffers.

    Where no copy is possible (scripted modules, those with a `__del__` or made in C), and where the copy's forward
    needs the original, it is the original that is lent: its tensors are replaced, and afterwards every attribute of
    every module and of the objects and containers in it is as it was. So are, either way, what `caches` finds outside,
    and the states of the random generators. One thread at a time.
    """
    likenesses: dict[int, Tensor] = {}

    def likeness(tensor: Tensor) -> Tensor:
        if id(tensor) not in likenesses:
            likenesses[id(tensor)] = _like(tensor, twin)
        return likenesses[id(tensor)]

    with _measuring, undoing() as undo:
        undo += [generators(), _modes()]
        copier = Copier(likeness)
        copied = copier.copy(root)
        undo += caches(map(type, copier.originals), copier.functions)
        undo += remembered(reached(copier.shared))
        as_before = remembered(copier.originals)
        _single_products(undo, real=not twin(torch.empty(1)).is_meta)
        torch.set_grad_enabled(grad)
        if not copier.refused:
            kept = [one for one in copier.originals if isinstance(one, nn.Module)]
            with suppress(NeedsOriginalError), undoing() as after:
                loan = Loan(copied, frozenset([*map(id, kept), *likenesses]))
                on_calls(after, before=lambda module, _: loan.touch([id(module)]))
                return use(loan)
        undo += as_before
        for step in as_before:
            step()
        _lend(root, copier, likeness, undo)
        return use(Loan(root))


def on_calls(
    undo: list[Step],
    before: Callable[..., None],
    after: Callable[..., Any] | None = None,
    elsewhere: Callable[[nn.Module], None] | None = None,
    failed: Callable[[nn.Module], None] | None = None,
) -> None:
    """Until undone, call these before and after the forward of every module that this thread calls: with the module and
    its positional arguments; and after it with its keywords and its output, too, in whose place what `after` returns is
    handed on, unless that is None. `elsewhere` is for those that other threads call, `failed` for those that raise."""
    thread = threading.get_ident()
    handles: list[Any] = []

    def of_this_thread(function: Callable[..., Any]) -> Callable[..., Any]:
        def hook(module: nn.Module, *given: Any) -> Any:
            if threading.get_ident() == thread:
                return function(module, *given)
            if elsewhere is not None:
                elsewhere(module)
            return None

        return hook

    def remove() -> None:
        for handle in handles:
            handle.remove()

    undo.append(remove)
    handles.append(register_module_forward_pre_hook(of_this_thread(before)))
    if after is not None:
        handles.append(register_module_forward_hook(of_this_thread(after), with_kwargs=True))
    if failed is not None:

        def end(module: nn.Module, args: Any, output: Any) -> None:
            if output is None:  # of a module that raised, or gave nothing
                failed(module)

        handles.append(register_module_forward_hook(of_this_thread(end), always_call=True))


def on_threads(undo: list[Step], given: Callable[[], None]) -> None:
    """Until undone, call this when this thread starts another or submits work to a pool of them."""
    thread = threading.get_ident()

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == thread:
                given()
            return function(*args, **kwargs)

        return call

    for owner, name in ((threading.Thread, "start"), (ThreadPoolExecutor, "submit")):
        function = getattr(owner, name)
        undo.append(partial(setattr, owner, name, function))
        setattr(owner, name, watched(function))


def _single_products(undo: list[Step], real: bool) -> None:
    """Until undone, no fused kernels of whole layers, in which single products cannot be seen (those for meta never
    are), and flex_attention is not compiled, which it cannot be while operators are watched."""
    mkldnn: Any = torch.backends.mkldnn
    flex: Any = sys.modules.get("torch.nn.attention.flex_attention")
    if real:
        undo.append(partial(torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled()))
        undo.append(partial(setattr, mkldnn, "enabled", mkldnn.enabled))
        torch.backends.mha.set_fastpath_enabled(False)
        mkldnn.enabled = False
    if flex is not None and hasattr(flex, COMPILED):
        undo.append(partial(setattr, flex, COMPILED, getattr(flex, COMPILED)))
        setattr(flex, COMPILED, True)


COMPILED = "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG"


def _modes() -> Step:
    """Which dispatch modes are active in this thread, and the `SETTINGS`."""
    number, before = torch._C._len_torch_dispatch_stack(), [get() for get, _ in SETTINGS]

    def restore() -> None:
        while torch._C._len_torch_dispatch_stack() > number:
            _pop_mode()
        for (get, put), value in zip(SETTINGS, before, strict=True):
            if get() != value:
                put(value)

    return restore


SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...] = (
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
)
"""torch's own, that a forward may change: how each is read and set."""


def _lend(root: nn.Module, copier: Copier, likeness: Twin, undo: list[Step]) -> None:
    """Put what stands for tensors where the tensors are."""
    for thing in copier.originals:
        base = next((base for base in BASES if issubclass(type(thing), base)), None)
        live: Any = thing if base is not None else attributes_of(thing) or {}
        for key, value in list(dict.items(live) if isinstance(live, dict) else enumerate(inside(live))):
            if issubclass(type(value), Tensor) and not isinstance(live, set):
                (base or dict).__setitem__(live, key, copier.of(value))
    for module in modules(root):
        if isinstance(module, torch.jit.ScriptModule):
            _lend_script(module, likeness, undo)


def set_mode(root: nn.Module, training: bool) -> None:
    """Train or eval, except of a program that torch.export made: that has the one in which it was made."""
    try:
        root.train(training)
    except NotImplementedError:
        pass
    except RecursionError:  # a deep nest, or a module in itself
        for module in modules(root):
            module.training = training


def _lend_script(module: Any, likeness: Twin, undo: list[Step]) -> None:
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
        if is_traceable_wrapper_subclass(other):
            return nn.Parameter(other, tensor.requires_grad)
        own: Any = type(tensor) if not is_traceable_wrapper_subclass(tensor) else nn.Parameter
        parameter: Tensor = torch.Tensor._make_subclass(own, other, tensor.requires_grad)
        with suppress(AttributeError):
            parameter.__dict__.update(tensor.__dict__)
        return parameter
    return other
