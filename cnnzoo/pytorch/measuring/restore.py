"""What is put back after a run: containers, attributes, caches of classes and files, random generators."""

from __future__ import annotations

import random
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from types import FunctionType, ModuleType, NoneType
from typing import Any

import torch
from torch import Tensor, nn

from .copies import BASES, PLAIN, slots_of

Step = Callable[[], object]
"""Puts something back; done twice it does no more than once."""


@contextmanager
def undoing() -> Iterator[list[Step]]:
    """Steps that are appended inside are taken at the end, the last first, whatever happened.

    None keeps another from being taken. What failed or was interrupted is tried once more, and its error is raised
    when all others are done.
    """
    steps: list[Step] = []
    done: set[int] = set()
    try:
        try:
            yield steps
        finally:
            _take(steps, done)
    finally:
        error = _take(steps, done)
        if error is not None:
            raise error


def _take(steps: list[Step], done: set[int]) -> Exception | None:
    failed = None
    for step in reversed(steps):
        if id(step) not in done:
            try:
                step()
                done.add(id(step))
            except Exception as error:
                failed = error
    return failed


def reached(things: Iterable[Any]) -> Iterator[Any]:
    """These containers and objects and those in them, as far as no module, class or function is between."""
    stack = list(things)
    seen: set[int] = set()
    while stack:
        thing = stack.pop()
        own, kind = attributes_of(thing), type(thing)
        is_container = issubclass(kind, BASES)
        if id(thing) in seen or not (is_container or own) or issubclass(kind, STOPS):
            continue
        seen.add(id(thing))
        yield thing
        stack += inside(thing) if is_container else ()
        stack += own.values() if own is not None else ()


STOPS = (type, ModuleType, FunctionType, Tensor, nn.Module)


def attributes_of(thing: Any) -> dict[str, Any] | None:
    """Its `__dict__`, without running any `__getattr__` of its class."""
    try:
        own = object.__getattribute__(thing, "__dict__")
    except AttributeError:
        return None
    return own if type(own) is dict or own is thing else None


def inside(container: Any) -> list[Any]:
    """Its values or items, as the builtin type has them: a class of its own may load each only when it is asked for."""
    if isinstance(container, dict):
        return list(dict.values(container))
    base: Any = next(base for base in (list, deque, set, tuple, frozenset) if isinstance(container, base))
    return list(base.__iter__(container))


def remembered(things: Iterable[Any]) -> list[Step]:
    """Steps that give containers their items and objects their attributes of now, in their order."""
    empty: list[Any] = []
    steps: list[Step] = [partial(_clear, empty)]
    for thing in things:
        if type(thing) in (dict, OrderedDict) and not thing:
            empty.append(thing)
        else:
            steps += _remembered(thing)
    return steps


def _clear(mappings: list[Any]) -> None:
    for one in mappings:
        if one:
            one.clear()


def _remembered(thing: Any) -> Iterator[Step]:
    kind = type(thing)
    base = next((base for base in BASES if issubclass(kind, base)), None)
    if base is not None:
        yield _container(thing, base)
    if base is not kind:
        yield _object(thing)
    if issubclass(kind, random.Random):
        yield partial(thing.setstate, thing.getstate())
    elif issubclass(kind, torch.Generator):
        yield partial(thing.set_state, thing.get_state())


def _container(live: Any, base: type[Any]) -> Step:
    if issubclass(base, dict):
        return _mapping(live, OrderedDict if base is OrderedDict else dict)
    saved = list(base.__iter__(live))

    def restore() -> None:
        now = list(base.__iter__(live))
        if len(now) == len(saved) and all(map(_same, now, saved)):
            return
        base.clear(live)
        (set.update if base is set else base.extend)(live, saved)

    return restore


def _mapping(live: Any, base: type[dict[Any, Any]]) -> Step:
    saved = list(base.items(live))

    def restore() -> None:
        now = list(base.items(live))
        if len(now) == len(saved) and all(a[0] is b[0] and a[1] is b[1] for a, b in zip(now, saved, strict=True)):
            return
        if [key for key, _ in now] != [key for key, _ in saved]:
            base.clear(live)
        for key, value in saved:
            base.__setitem__(live, key, value)

    return restore


def _object(live: Any) -> Step:
    kind = type(live)
    own = attributes_of(live)
    attributes = _mapping(own, dict) if own is not None and own is not live else None
    slots = []
    for slot in slots_of(kind):
        with suppress(AttributeError):
            slots.append((slot, slot.__get__(live)))

    def restore() -> None:
        if type(live) is not kind:
            live.__class__ = kind
        if attributes is not None:
            attributes()
        for slot, value in slots:
            slot.__set__(live, value)

    return restore


def _same(one: Any, other: Any) -> bool:
    return one is other


# What a forward may keep outside the module


def caches(kinds: Iterable[type[Any]], functions: Iterable[FunctionType]) -> list[Step]:
    """Steps for what the code of these classes and functions can keep elsewhere.

    Attributes of the classes are set back; in the files that define them, and in the containers and objects there, what
    has come to hold a tensor on meta, since anything else may be another thread's. A cache of functools is emptied.
    """
    classes = {one: None for kind in dict.fromkeys(kinds) for one in kind.__mro__ if _is_theirs(one.__module__)}
    files = {id(function.__globals__): function.__globals__ for function in functions}
    files |= {id(vars(file)): vars(file) for one in classes if (file := sys.modules.get(one.__module__)) is not None}
    named = [space for space in files.values() if "__name__" in space and _is_theirs(space["__name__"])]
    roots = {_root(space["__name__"]) for space in named} | {_root(one.__module__) for one in classes}
    kept = _kept([*((space, 0) for space in named), *((one, 1) for one in classes)], roots)
    return [*map(_class, classes), *kept]


_CACHE = type(lru_cache(len))

OURS = ("torch", "cnnzoo", *sys.stdlib_module_names)


def _root(module: str | None) -> str:
    return str(module).partition(".")[0]


def _is_theirs(module: str | None) -> bool:
    return _root(module) == "__main__" or _root(module) not in OURS


def _class(kind: type[Any]) -> Step:
    saved = {name: value for name, value in vars(kind).items() if not name.startswith("__")}
    containers = remembered(value for value in saved.values() if issubclass(type(value), BASES))

    def restore() -> None:
        for step in containers:
            step()
        now = dict(vars(kind))
        for name, value in saved.items():
            if now.get(name, kind) is not value:
                type.__setattr__(kind, name, value)
        for name in now.keys() - saved.keys():
            if not name.startswith("__"):
                type.__delattr__(kind, name)

    return restore


def _kept(things: list[tuple[Any, int]], roots: set[str]) -> Iterator[Step]:
    """For these namespaces and classes, and for the containers, caches and objects of classes of `roots` in them."""
    seen: set[int] = set()
    while things:
        live, depth = things.pop()
        kind = type(live)  # a lazy or weak proxy says that its class is another, or fails to
        if id(live) in seen or depth > DEPTH or issubclass(kind, ModuleType | FunctionType | Tensor):
            continue
        seen.add(id(live))
        items: Iterable[Any] = ()
        if issubclass(kind, dict | list | deque):
            yield _without_meta(live)
            items = inside(live)
        elif issubclass(kind, tuple | set):
            items = inside(live)
        elif issubclass(kind, staticmethod | classmethod):
            items = [live.__func__]
        elif kind is _CACHE:
            yield _functools(live)
        elif issubclass(kind, type):
            is_file_s = depth == 1 and _root(live.__module__) in roots
            items = [value for name, value in vars(live).items() if is_file_s and not name.startswith("__")]
        elif _root(kind.__module__) in roots and (own := attributes_of(live)) is not None:
            yield _without_meta(own)
            items = own.values()
        things += [(one, depth + 1) for one in items if type(one) not in PLAIN]


DEPTH = 4
"""How far from a file's own names its containers and objects are followed."""


def _without_meta(live: Any) -> Step:
    saved: Any = dict(dict.items(live)) if isinstance(live, dict) else inside(live)
    before = set(map(id, saved))

    def restore() -> None:
        if isinstance(live, dict):
            for key, value in list(dict.items(live)):
                if saved.get(key, saved) is not value and _holds_meta(value):
                    if key in saved:
                        dict.__setitem__(live, key, saved[key])
                    else:
                        dict.__delitem__(live, key)
        else:
            now: Any = inside(live)
            base: Any = list if isinstance(live, list) else deque
            for place in reversed(range(len(now))):
                if id(now[place]) not in before and _holds_meta(now[place]):
                    base.__delitem__(live, place)

    return restore


def _holds_meta(value: Any, depth: int = 0) -> bool:
    kind = type(value)
    if issubclass(kind, Tensor):
        return bool(value.is_meta)
    if depth > DEPTH or issubclass(kind, str | bytes | int | float | type | ModuleType | NoneType):
        return False
    held = inside(value) if issubclass(kind, dict | list | tuple | set | frozenset | deque) else ()
    return any(_holds_meta(one, depth + 1) for one in (*held, *(attributes_of(value) or {}).values()))


def _functools(cached: Any) -> Step:
    misses = cached.cache_info().misses

    def restore() -> None:
        if cached.cache_info().misses != misses:
            cached.cache_clear()

    return restore


def generators() -> Step:
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
