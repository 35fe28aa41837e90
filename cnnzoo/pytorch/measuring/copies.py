"""A copy of a network, object by object, in which other tensors stand for its own."""

from __future__ import annotations

import copy
import functools
import logging
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from typing import Any

import torch
from torch import Tensor, nn

from .tree import modules

Likeness = Callable[[Tensor], Tensor]
"""From a parameter or buffer to what stands for it."""

SHARED = (
    *(type, types.ModuleType, Enum, str, bytes, int, float, complex, torch.dtype, torch.device, torch.Size),
    *(torch.fx.Graph, torch.fx.Node, torch.ScriptObject, logging.Logger),
)
"""What a copy has in common with the original: it cannot change, or a forward does not change it."""

PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size})
"""Types of which nothing else can be reached."""

BASES: tuple[type[Any], ...] = (OrderedDict, defaultdict, dict, list, set, deque)
"""Containers, the narrower first; what overrides their methods, as a frozen dict does, is not asked."""


class Copier:
    """Copies that are one another's as the originals are: a module's methods, closures and weak references are bound to
    the copies.

    It is `copy.deepcopy` without its refusals: what cannot be copied (a lock, a file, an object with a `__del__`) is
    shared. Parameters and buffers become their likenesses, other tensors are cloned. A list of work instead of
    recursion lets nests be deep.
    """

    def __init__(self, likeness: Likeness) -> None:
        self.originals: list[Any] = []
        """Every container, module and object that was copied."""
        self.shared: list[Any] = []
        """Objects with a `__del__`: what that frees is to be freed once, so there is one object for both."""
        self.functions: list[types.FunctionType] = []
        self.refused: list[nn.Module] = []
        """Modules of which there can be no second one: scripted ones, those with a `__del__` and those that C makes."""
        self._likeness = likeness
        self._memo: dict[int, Any] = {}
        self._kept: list[Any] = []
        self._work: list[Callable[[], None]] = []

    def copy(self, root: nn.Module) -> nn.Module:
        for module in modules(root):
            if not isinstance(module, torch.jit.ScriptModule):
                self._likenesses(module)
        made: nn.Module = self._of(root)
        while self._work:
            self._work.pop()()
        return made

    def _of(self, value: Any) -> Any:
        kind = type(value)
        if kind in PLAIN or issubclass(kind, SHARED):  # a proxy says that its class is another
            return value
        if id(value) not in self._memo:
            self._keep(value, self._made(value, kind))
        return self._memo[id(value)]

    def of(self, tensor: Tensor) -> Tensor:
        """What stands for a tensor."""
        made: Tensor = self._of(tensor)
        return made

    def _keep(self, value: Any, made: Any) -> Any:
        self._kept.append(value)  # so that no other object gets its id
        return self._memo.setdefault(id(value), made)

    def _made(self, value: Any, kind: type[Any]) -> Any:
        if issubclass(kind, Tensor):
            return self._likeness(value) if isinstance(value, nn.Parameter) else value.detach().clone()
        if issubclass(kind, nn.Module):
            return self._module(value, kind)
        base = next((base for base in BASES if issubclass(kind, base)), None)
        if base is not None:
            return self._container(value, kind, base)
        if issubclass(kind, tuple | frozenset):
            return self._fixed(value, kind)
        if issubclass(kind, types.FunctionType):
            return self._function(value)
        if issubclass(kind, types.MethodType):
            return types.MethodType(self._of(value.__func__), self._of(value.__self__))
        if issubclass(kind, types.BuiltinMethodType):
            owner = self._of(value.__self__)
            return value if owner is value.__self__ else getattr(owner, value.__name__)
        if kind is functools.partial:
            return functools.partial(
                self._of(value.func), *map(self._of, value.args), **{k: self._of(v) for k, v in value.keywords.items()}
            )
        if kind is weakref.ref:
            target = value()
            return value if target is None else weakref.ref(self._of(target))
        if kind in weakref.ProxyTypes:
            return self._proxy(value)
        return self._object(value, kind)

    def _proxy(self, value: Any) -> Any:
        try:
            target = value.__init__.__self__
        except ReferenceError:  # what it stood for is gone
            return value
        return weakref.proxy(self._of(target))

    def _module(self, module: nn.Module, kind: type[Any]) -> nn.Module:
        made = module
        if not isinstance(module, torch.jit.ScriptModule) and not hasattr(kind, "__del__"):
            with suppress(TypeError):
                made = object.__new__(kind)
        if made is module:
            self.refused.append(module)
        if not isinstance(module, torch.jit.ScriptModule):
            self._likenesses(module)
            self.originals.append(module)
            self._attributes(module, made)
        return made

    def _likenesses(self, module: nn.Module) -> None:
        for tensor in (*module._parameters.values(), *module._buffers.values()):
            if tensor is not None and id(tensor) not in self._memo:
                self._keep(tensor, self._likeness(tensor))

    def _container(self, value: Any, kind: type[Any], base: Any) -> Any:
        self.originals.append(value)
        if kind is base and kind in (dict, list):
            inside = value.values() if kind is dict else value
            if PLAIN.issuperset(map(type, inside)):
                return value.copy()
        made: Any = base.__new__(kind)
        if base is deque:
            deque.__init__(made, maxlen=value.maxlen)
        if base is defaultdict:
            made.default_factory = self._of(value.default_factory)

        def fill() -> None:
            if issubclass(base, dict):
                for key, item in base.items(value):
                    base.__setitem__(made, self._key(key), self._of(item))
            elif base is set:
                set.update(made, map(self._key, value))
            else:
                base.extend(made, map(self._of, base.__iter__(value)))

        self._work.append(fill)
        if kind is not base:
            self._attributes(value, made)
        return made

    def _key(self, key: Any) -> Any:
        """Equal keys stay equal: those alone that are themselves and no others become their copies."""
        return self._of(key) if isinstance(key, Tensor) or _by_identity(type(key)) else key

    def _fixed(self, value: Any, kind: type[Any]) -> Any:
        made = [self._of(one) for one in value]
        if all(one is other for one, other in zip(value, made, strict=True)):
            return value
        base: type[Any] = tuple if isinstance(value, tuple) else frozenset
        return base.__new__(kind, made)

    def _function(self, function: types.FunctionType) -> Any:
        self.functions.append(function)
        cells = function.__closure__ or ()
        if all(_is_fixed(cell) for cell in cells) and not (function.__defaults__ or function.__kwdefaults__):
            return function
        made = types.FunctionType(
            function.__code__, function.__globals__, function.__name__, None, tuple(map(self._cell, cells))
        )
        for name in ("__qualname__", "__module__", "__doc__"):
            setattr(made, name, getattr(function, name))

        def fill() -> None:
            made.__defaults__ = self._of(function.__defaults__)
            made.__kwdefaults__ = self._of(function.__kwdefaults__)
            vars(made).update({name: self._of(one) for name, one in vars(function).items()})

        self._work.append(fill)
        return made

    def _cell(self, cell: types.CellType) -> types.CellType:
        if id(cell) in self._memo:
            return self._memo[id(cell)]  # type: ignore[no-any-return]
        made = types.CellType()

        def fill() -> None:
            with suppress(ValueError):  # an empty cell
                made.cell_contents = self._of(cell.cell_contents)

        self._work.append(fill)
        return self._keep(cell, made)  # type: ignore[no-any-return]

    def _object(self, value: Any, kind: type[Any]) -> Any:
        has_state = getattr(value, "__dict__", None) or any(True for _ in slots_of(kind))
        if hasattr(kind, "__del__"):
            self.shared.append(value)
            self._attributes(value, value)
            return value
        if not (has_state or "__new__" in vars(kind)):
            return value
        try:
            made = object.__new__(kind)
        except TypeError:  # made in C, as arrays and random generators are
            try:
                made = copy.copy(value) if has_state else copy.deepcopy(value, self._memo)
            except Exception:
                made = value
        self.originals.append(value)
        self._attributes(value, made)
        return made

    def _attributes(self, value: Any, made: Any) -> None:
        def fill() -> None:
            slots = {}
            for slot in slots_of(type(value)):
                with suppress(AttributeError):
                    slots[slot] = self._of(slot.__get__(value))
            own = getattr(value, "__dict__", None)
            copies = {name: self._of(one) for name, one in (own or {}).items()} if own is not value else None
            if made is value:  # shared; what is in it was met
                return
            for slot, one in slots.items():
                slot.__set__(made, one)
            if copies is None:  # a dict whose items are its attributes
                object.__setattr__(made, "__dict__", made)
            elif own is not None:
                vars(made).update(copies)

        self._work.append(fill)


def slots_of(kind: type[Any]) -> Iterator[Any]:
    """The descriptors of the attributes that a class keeps outside `__dict__`."""
    for one in kind.__mro__:
        if "__slots__" in vars(one):
            yield from (slot for slot in vars(one).values() if isinstance(slot, types.MemberDescriptorType))


def _by_identity(kind: Any) -> bool:
    """Whether objects of this class are equal to themselves alone."""
    return kind.__hash__ is object.__hash__


def _is_fixed(cell: types.CellType) -> bool:
    """Whether a closure's variable is a class, a module or a function that has no such variables."""
    try:
        value = cell.cell_contents
    except ValueError:
        return True
    return isinstance(value, type | types.ModuleType | types.BuiltinFunctionType) or (
        isinstance(value, types.FunctionType) and not value.__closure__
    )
