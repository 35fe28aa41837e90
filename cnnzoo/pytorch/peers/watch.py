"""A module run on the meta device, and what other tools can see of it: calls of modules, functions, operators."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from ..measuring.borrow import Loan, on_calls, on_loan, on_meta, set_mode
from ..measuring.counter import run_operator
from ..measuring.inputs import Inputs
from ..measuring.operators import tensors_in
from ..measuring.restore import Step, undoing
from ..measuring.tree import modules


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

    module: nn.Module
    """What was run in the network's place, with the modules that were called."""
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

    def __init__(self, loan: Loan) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.loan = loan
        self.operators: list[Operator] = []
        self.within = False
        """Whether one is running."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        self.loan.touch(map(id, args))
        self.within = True
        try:
            out = run_operator(func, args, kwargs)
        finally:
            self.within = False
        self.operators.append(Operator(getattr(func, "_overloadpacket", func), out, args, kwargs))
        return out


def watch_calls(module: nn.Module, inputs: Inputs) -> Called:
    """Without autograd torch leaves it to what comes after it to take composed operators apart."""
    return on_loan(module, on_meta(None), partial(_watch_calls, inputs=inputs))


def _watch_calls(loan: Loan, inputs: Inputs) -> Called:
    applied: list[Any] = []
    apply: Any = torch.autograd.Function.apply

    def noted(cls: Any, *args: Any, **kwargs: Any) -> Any:
        applied.append(threading.get_ident())
        return apply.__func__(cls, *args, **kwargs)

    set_mode(loan.module, False)
    with undoing() as undo:
        _replace(undo, torch.autograd.Function, "apply", classmethod(noted))
        with torch.inference_mode(), _Log(loan) as log:
            out = loan.module(*inputs.args, **inputs.kwargs)
    wanted = {id(one) for one in tensors_in(out)}
    unused = []
    for operator in reversed(log.operators):
        if any(id(one) in wanted for one in tensors_in(operator.out)):
            wanted |= {id(one) for one in tensors_in([operator.args, operator.kwargs])}
        else:
            unused.append(operator)
    return Called(log.operators, unused, threading.get_ident() in applied)


def watch_dispatch(
    module: nn.Module, inputs: Inputs, functions: list[tuple[Any, str, Callable[..., float]]]
) -> Dispatched:
    """`functions` are an owner, the name of a function in it, and what is made of the arguments of its calls."""
    return on_loan(module, on_meta(None), partial(_watch_dispatch, inputs=inputs, functions=functions), grad=True)


def _watch_dispatch(loan: Loan, inputs: Inputs, functions: list[tuple[Any, str, Callable[..., float]]]) -> Dispatched:
    kinds = {one: type(one) for one in modules(loan.module)}
    called: list[tuple[nn.Module, Any, Any]] = []
    patched: list[Callable[[], float]] = []
    thread = threading.get_ident()

    def in_place_of(original: Any, rule: Callable[..., float]) -> Callable[..., Any]:
        def function(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() == thread and not log.within:  # some operators on meta are written in Python
                patched.append(partial(rule, *args, **kwargs))
            return original(*args, **kwargs)

        return function

    def seen(one: nn.Module, given: Any, named: Any, made: Any) -> None:
        if one in kinds:
            called.append((one, given, made))

    set_mode(loan.module, False)
    with undoing() as undo, _Log(loan) as log:
        for owner, name, rule in functions:
            _replace(undo, owner, name, in_place_of(getattr(owner, name), rule))
        on_calls(undo, lambda *_: None, seen)
        loan.module(*inputs.args, **inputs.kwargs)
    return Dispatched(loan.module, log.operators, called, kinds, patched)


def _replace(undo: list[Step], owner: Any, name: str, other: Any) -> None:
    """Until undone, an attribute is another; then it is as it was, inherited if it was inherited."""
    own = vars(owner).get(name)

    def restore() -> None:
        if own is not None:
            setattr(owner, name, own)
        elif name in vars(owner):
            delattr(owner, name)

    undo.append(restore)
    setattr(owner, name, other)
