"""One run of a module, seen from outside: which modules are called, and which operators each one runs itself."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Iterator, Mapping, Sequence
from typing import Any

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
        nearest = [one for one, level in zip(inside, levels, strict=True) if level == min(levels)]
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

    def hand_over(self) -> None:
        """What the running module gives to another thread stands for operators whose cost is unknown."""
        self.see(Op("thread", None, (), 0, (), (), {}, "what another thread does is not seen"))

    def fail(self, error: Exception) -> None:
        self.error = error
        self.failing = self._stack[-1][1] if self._stack else self.root


def run(loan: Loan, args: Sequence[Any], kwargs: Mapping[str, Any], *, real: bool = False) -> Trace:
    """Run a module on loan; `real` says that its tensors have values. An exception is kept in `Trace.error`."""
    seen = Trace(submodules(loan.module))
    own = {id(held.tensor) for tensors in seen.tensors.values() for held in tensors.values()}

    def see(op: Op) -> None:
        loan.touch(op.reads)
        seen.see(op)

    with undoing() as undo, Counter(see, own | loan.originals, real):
        on_calls(undo, seen.enter, seen.leave, seen.miss if loan.originals else None)
        on_threads(undo, seen.hand_over)
        try:
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


LONGEST = 160
"""Characters of an exception that are repeated."""


def first_line(error: BaseException) -> str:
    """An exception in a line, a long one in its first sentence."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    if len(line) > LONGEST:
        line = line.partition(". ")[0]
    return f"{type(error).__name__}: {shortened(line, LONGEST)}" if line else type(error).__name__
