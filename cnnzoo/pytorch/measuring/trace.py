"""One run of a module, seen from outside: which modules are called, and which operators each one runs itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Protocol, TypeAlias

import torch
from torch import nn

from ...words import shortened
from .borrow import Loan, on_calls, on_threads
from .counter import Counter, Op
from .operators import shape_of, tensors_in
from .restore import undoing
from .tree import Submodule, own_tensors, submodules

Shape = tuple[int, ...]


class Call:
    """A module's forward: what it was given, what it gave, and in between its own operators and other calls."""

    def __init__(self, submodule: Submodule, given: Any) -> None:
        self.submodule = submodule
        self.input_shapes: list[Shape] = [*map(shape_of, tensors_in(given))]
        self.output_shapes: list[Shape] = []
        self.output_bytes = 0
        self.kind = kind_of(submodule.module)
        self.events: list[Op | Call] = []
        self.strangers: list[nn.Module] = []
        """Modules called in it that are not the network's."""
        self.done = False

    @property
    def path(self) -> str:
        return self.submodule.path

    @property
    def input_shape(self) -> Shape:
        return self.input_shapes[0] if self.input_shapes else ()

    def calls(self) -> Iterator[Call]:
        return (event for event in self.events if isinstance(event, Call))


def kind_of(module: nn.Module) -> str:
    """The name of its class; of a scripted module that of the class it was made from."""
    return str(getattr(module, "original_name", None) or type(module).__name__)


class Trace:
    """The tree of calls, and where it broke if it did."""

    def __init__(self, submodules: Sequence[Submodule]) -> None:
        self.submodules = submodules
        self.tensors = {one.path: own_tensors(one.module) for one in submodules}
        """What modules hold before they run, by path."""
        self.root: Call | None = None
        self.error: Exception | None = None
        self.failing: Call | None = None
        self.output: Any = None
        self.touched: set[int] = set()
        """The ids of the network's tensors that an operator read."""
        self.missed: dict[str, nn.Module] = {}
        """Modules that the forward calls in other threads, by path."""
        self._stack: list[tuple[nn.Module, Call]] = []
        self._by_module: dict[int, list[Submodule]] = {}
        self._met: set[str] = set()
        for one in submodules:
            self._by_module.setdefault(id(one.module), []).append(one)

    def see(self, op: Op) -> None:
        self.touched.update(op.reads)
        if self._stack:
            self._stack[-1][1].events.append(op)

    def enter(self, module: nn.Module, args: Any) -> None:
        outer = self._stack[-1][1] if self._stack else None
        here = self._by_module.get(id(module))
        if here is None:  # made in a forward: its work is its caller's
            if outer is not None:
                outer.strangers.append(module)
                self._stack.append((module, outer))
            return
        call = Call(here[0] if len(here) == 1 else self._nearest(here, outer), args)
        self._met.add(call.path)
        if outer is None:
            self.root = self.root or call
        else:
            outer.events.append(call)
        self._stack.append((module, call))

    def _nearest(self, here: list[Submodule], outer: Call | None) -> Submodule:
        """Which of a module's paths is meant: of those nearest below its caller one that was not met before."""
        path = outer.path if outer is not None else ""
        inside = [one for one in here if not path or one.path.startswith(f"{path}.")] or here
        levels = [one.path.count(".") for one in inside]
        least = min(levels)
        nearest = [one for one, level in zip(inside, levels, strict=True) if level == least]
        return next((one for one in nearest if one.path not in self._met), nearest[0])

    def leave(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        while self._stack and self._stack[-1][0] is not module:  # left by an exception that the network caught
            self._stack.pop()
        if not self._stack:
            return
        _, call = self._stack.pop()
        if call.submodule.module is not module:
            return
        if kwargs and not call.input_shapes:
            call.input_shapes = [*map(shape_of, tensors_in(kwargs))]
        tensors = {id(one): one for one in tensors_in(output)}.values()
        call.output_shapes = [*map(shape_of, tensors)]
        call.output_bytes = sum(one.numel() * one.element_size() for one in tensors)
        call.kind = kind_of(module)
        call.done = True

    def miss(self, module: nn.Module) -> None:
        """Note one of the network's that another thread calls, whose operators are not seen."""
        here = self._by_module.get(id(module))
        if here is not None:
            self.missed[here[0].path] = module

    def fail(self, error: Exception) -> None:
        self.error = error
        self.failing = self._stack[-1][1] if self._stack else self.root


class Watcher(Protocol):
    """What sees a run besides its `Trace`: a context in which the module runs, told of the modules that are called, and
    of each operator behind the trace."""

    def __enter__(self) -> Any: ...
    def __exit__(self, *error: Any) -> Any: ...

    def enter(self, module: nn.Module, args: Any) -> None:
        """A module of the network's is called."""

    def leave(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        """It returns; what this returns is handed on in its output's place, unless that is None."""

    def fail(self, module: nn.Module) -> None:
        """It raises an exception, which the network may catch."""

    def see(self, op: Op) -> None:
        """An operator has run."""

    def done(self, trace: Trace) -> None:
        """The run is over, and what is done once for a batch is marked so in its trace."""


Watch: TypeAlias = Callable[[nn.Module, Sequence[Any]], Watcher]
"""Makes the watcher of a run from the module on loan and what it is given."""


def run(
    loan: Loan,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    real: bool = False,
    watcher: Watcher | None = None,
) -> Trace:
    """Run a module on loan; `real` says that its tensors have values. An exception is kept in `Trace.error`."""
    seen = Trace(submodules(loan.module))
    own = {id(held.tensor) for tensors in seen.tensors.values() for held in tensors.values()}

    def see(op: Op) -> None:
        loan.touch(op.reads)
        seen.see(op)
        if watcher is not None:
            watcher.see(op)

    def enter(module: nn.Module, given: Any) -> None:
        with torch._C.DisableTorchFunction():  # reading an attribute of a tensor is none of the network's calls
            seen.enter(module, given)
            if watcher is not None:
                watcher.enter(module, given)

    def leave(module: nn.Module, *given: Any) -> Any:
        with torch._C.DisableTorchFunction():
            seen.leave(module, *given)
            return watcher.leave(module, *given) if watcher is not None else None

    with undoing() as undo, Counter(see, own | loan.originals, real):
        failed = None if watcher is None else watcher.fail
        on_calls(undo, enter, leave, seen.miss if loan.originals else None, failed)
        on_threads(undo, lambda: see(HANDED_OVER))
        try:
            with watcher or nullcontext():
                seen.output = loan.module(*args, **kwargs)
            if isinstance(seen.output, Iterator | Awaitable):
                kind = type(seen.output).__name__
                if isinstance(seen.output, Coroutine):
                    seen.output.close()
                raise TypeError(f"its forward returns a {kind}, of which nothing has run: measure what uses it")
        except Exception as error:
            loan.failed(error)
            seen.fail(error)
    return seen


HANDED_OVER = Op("thread", None, (), 0, (), (), {}, "what another thread does is not seen")
"""What the running module gives to another thread stands for operators whose cost is unknown."""

LONGEST = 160
"""Characters of an exception that are repeated."""


def first_line(error: BaseException) -> str:
    """An exception in a line, a long one in its first sentence."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    if len(line) > LONGEST:
        line = line.partition(". ")[0]
    return f"{type(error).__name__}: {shortened(line, LONGEST)}" if line else type(error).__name__
