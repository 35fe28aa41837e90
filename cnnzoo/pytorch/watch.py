"""A module run on the meta device, and what other tools can see of it: calls of modules, functions, operators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook
from torch.utils._python_dispatch import TorchDispatchMode

from .borrow import on_meta, set_mode
from .counter import run_operator
from .inputs import Inputs
from .operators import tensors_in
from .trace import lent


class Operator(NamedTuple):
    """An operator with what it was given and what it gave."""

    packet: Any
    out: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Called(NamedTuple):
    """A run in which operators are seen as the modules call them, composed of others or not."""

    operators: list[Operator]
    unused: list[Operator]
    """Those that no path joins to the output."""
    functions: bool
    """Whether a torch.autograd.Function was applied."""


class Dispatched(NamedTuple):
    """A run in which gradients are recorded, and operators are seen as torch dispatches them."""

    operators: list[Operator]
    modules: list[tuple[nn.Module, Any, Any]]
    """The modules called, with their positional inputs and their outputs."""
    kinds: dict[nn.Module, type[nn.Module]]
    """Their classes before the run: a lazy module's is another after it."""
    patched: list[Callable[[], float]]
    """What `watch_dispatch` was told to make of each call of a function."""


class _Log(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The operators that reach it, and not those that run within them."""

    supports_higher_order_operators = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operators: list[Operator] = []
        self.within = False
        """Whether one is running."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        self.within = True
        try:
            out = run_operator(func, args, kwargs)
        finally:
            self.within = False
        self.operators.append(Operator(getattr(func, "_overloadpacket", func), out, args, kwargs))
        return out


def watch_calls(module: nn.Module, inputs: Inputs) -> Called:
    """Without autograd torch leaves it to what comes after it to take composed operators apart."""
    applied: list[Any] = []
    apply: Any = torch.autograd.Function.apply

    def noted(cls: Any, *args: Any, **kwargs: Any) -> Any:
        applied.append(cls)
        return apply.__func__(cls, *args, **kwargs)

    with lent(module, on_meta(None)), _replaced(torch.autograd.Function, "apply", classmethod(noted)):
        set_mode(module, False)
        with torch.inference_mode(), _Log() as log:
            out = module(*inputs.args, **inputs.kwargs)
    wanted = {id(one) for one in tensors_in(out)}
    unused = []
    for operator in reversed(log.operators):
        if any(id(one) in wanted for one in tensors_in(operator.out)):
            wanted |= {id(one) for one in tensors_in([operator.args, operator.kwargs])}
        else:
            unused.append(operator)
    return Called(log.operators, unused, bool(applied))


def watch_dispatch(
    module: nn.Module, inputs: Inputs, functions: list[tuple[Any, str, Callable[..., float]]]
) -> Dispatched:
    """`functions` are an owner, the name of a function in it, and what is made of the arguments of its calls."""
    kinds = {one: type(one) for one in module.modules()}
    modules: list[tuple[nn.Module, Any, Any]] = []
    patched: list[Callable[[], float]] = []

    def in_place_of(original: Any, rule: Callable[..., float]) -> Callable[..., Any]:
        def function(*args: Any, **kwargs: Any) -> Any:
            if not log.within:  # some operators on meta are themselves written in Python
                patched.append(partial(rule, *args, **kwargs))
            return original(*args, **kwargs)

        return function

    def seen(one: nn.Module, given: Any, made: Any) -> None:
        if one in kinds:
            modules.append((one, given, made))

    with lent(module, on_meta(None), grad=True), ExitStack() as stack, _Log() as log:
        set_mode(module, False)
        for owner, name, rule in functions:
            stack.enter_context(_replaced(owner, name, in_place_of(getattr(owner, name), rule)))
        hook = register_module_forward_hook(seen)
        stack.callback(hook.remove)
        module(*inputs.args, **inputs.kwargs)
    return Dispatched(log.operators, modules, kinds, patched)


@contextmanager
def _replaced(owner: Any, name: str, other: Any) -> Iterator[None]:
    """Inside, an attribute is another; after it is as it was, inherited if it was inherited."""
    own = vars(owner).get(name)
    setattr(owner, name, other)
    try:
        yield
    finally:
        delattr(owner, name) if own is None else setattr(owner, name, own)
