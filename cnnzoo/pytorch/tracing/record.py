"""One run of a module on meta, as the calls of its modules and, in each, the words of the functions that it calls."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ...arch import Identity, Layer, Node, Sequential
from ...errors import CnnzooError
from ..measuring.borrow import Loan, on_calls
from ..measuring.operators import tensors_in
from ..measuring.restore import Step, undoing
from ..measuring.tree import own_tensors, submodules
from .events import Call, Op, TracingError
from .leaves import leaf_of, unused_of
from .saying import BATCH, Speaker, shape_of
from .values import Values
from .words import NoWordError, Recipe


class Recorder(TorchFunctionMode):
    """Sees what a module on loan calls."""

    def __init__(self, root: nn.Module, batch: int) -> None:
        super().__init__()
        self.root = Call("", root)
        self.values = Values(root)
        self.unknown: list[str] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        self.called: set[str] = set()
        """The paths of the modules that ran."""
        self._speaker = Speaker(self.values, self._nearest, batch, root.training)
        self._stack: list[tuple[nn.Module, Call | Node | None]] = []
        self._paths: dict[int, list[str]] = {}
        for one in submodules(root):
            self._paths.setdefault(id(one.module), []).append(one.path)

    # Calls of modules

    @property
    def call(self) -> Call:
        """The one that is running."""
        return next((one for _, one in reversed(self._stack) if isinstance(one, Call)), self.root)

    def _is_quiet(self) -> bool:
        """Whether a layer is running, whose own calls are its own affair."""
        return bool(self._stack) and not isinstance(self._stack[-1][1], Call)

    def enter(self, module: nn.Module, args: Any) -> None:
        with torch._C.DisableTorchFunction():
            self._stack.append((module, self._entered(module, args)))

    def _entered(self, module: nn.Module, args: Any) -> Call | Node | None:
        if not self._stack:
            return self.root
        if self._is_quiet():
            return None
        paths = self._paths.get(id(module))
        if paths is None:
            return self.call  # made in a forward: its work is its caller's
        self.called.add(self._nearest(paths))
        given = tensors_in(args)
        plain = len(given) == len(args) and self.values.has_its_own(module, paths[0])
        node = leaf_of(module, [tuple(one.shape[1:]) for one in given]) if plain else None
        return node or Call(self._nearest(paths), module)

    def _nearest(self, paths: Sequence[str]) -> str:
        around = self.call.path
        inside = [path for path in paths if path.startswith(f"{around}.")] if around else paths
        return min(inside or paths, key=lambda path: path.count("."))

    def leave(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        if not self._stack:
            return None
        with torch._C.DisableTorchFunction():
            _, running = self._stack.pop()
            if isinstance(running, Node):
                path = self._nearest(self._paths[id(module)])
                return self._leaf(running, path, tensors_in([args, kwargs]), output, module)
            if isinstance(running, Call) and running.module is module and self._stack:
                if running.events or not isinstance(output, Tensor) or not any(output is one for one in args):
                    self.call.events.append(running)
                else:
                    return self._same(running, output)
        return None

    def leave_failed(self, module: nn.Module) -> None:
        """Left by an exception, which the network may catch."""
        if self._stack and self._stack[-1][0] is module:
            self._stack.pop()

    def _same(self, call: Call, output: Any) -> Any:
        """A module that hands on what it is given."""
        other = output.view_as(output)
        module = call.module
        held = None if module is None else unused_of(module)
        node = held or (Sequential() if module is not None and _holds(module) else Identity())
        try:
            value = self.values.of(output)
        except NoWordError:
            value = None
        if value is None:
            return None
        self.call.events.append(Op(node, [value], self.values.make(other), call.path, call.hint, held is not None))
        return other

    def _leaf(self, node: Node, path: str, reads: list[Tensor], output: Any, module: nn.Module) -> Any:
        given: list[int] = []
        for tensor in reads:
            with suppress(NoWordError):
                known = self.values.of(tensor) if output is not tensor else self.values.before(tensor)
                if known is not None:
                    given.append(known)
        if len(given) != len(reads) or not isinstance(output, Tensor):
            self._miss(path, type(module).__name__, "it reads what is no value of the network's")
            return None
        if any(output is one and not self.values.is_written(one) for one in reads):
            output = output.view_as(output)  # it hands its input on: let the two be told apart
        owns = isinstance(node, Layer) and bool(own_tensors(module))
        made = self.values.make(output)
        wanted = shape_of([node], [self.values.shapes[one] for one in given])
        if wanted != self.values.shapes[made]:
            self._miss(path, type(module).__name__, f"it gives {self.values.shapes[made]}, {node} {wanted}")
        self.call.events.append(Op(node, given, made, path, path.rpartition(".")[2], owns))
        return output

    def _miss(self, path: str, name: str, why: str) -> None:
        self.unknown.append(f"{path or 'the network itself'}: {name}: {why}")

    # Calls of functions

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self._is_quiet() or not self._stack:
            return func(*args, **kwargs)
        name = _name(func)
        if name in ("shape", "size"):
            with suppress(NoWordError):
                self.values.look(args[0])
            return func(*args, **kwargs)
        given = tensors_in([args, kwargs])
        try:
            values = [self.values.of(one) for one in given]
        except NoWordError as error:
            out = func(*args, **kwargs)
            if tensors_in(out):
                self._miss(self.call.path, name, str(error))
            return out
        versions = [one._version for one in given]
        out = func(*args, **kwargs)
        made = tensors_in(out)
        if not made:
            return out
        self.values.keep(made)
        written = [one for one, version in zip(given, versions, strict=True) if one._version != version]
        if name == "data":
            self.values.note_data(made[0])
        if any(map(self.values.is_data, written)):
            self._miss(self.call.path, name, "it writes over what .data gave, which no other tensor tells")
        if name in ZEROS:
            self.values.note_zeros(made[0])
            return out
        if all(value is None for value in values) and not any(map(self.values.parts, given)):
            for one in made:
                if name in VIEWS and given:
                    self.values.note_view(one, given[0])
                elif given:
                    self.values.note_recipe(one, Recipe(name, args, kwargs))
            return out
        if not written and len(made) == 1 and out is made[0] and any(out is one for one in given) and name == "dropout":
            out = out.view_as(out)
            made = [out]
        try:
            self.call.events += self._speaker.say(name, args, kwargs, made)
        except NoWordError as error:
            self._miss(self.call.path, name, str(error))
            for one in made:
                self.values.make(one)
        return out


RESHAPINGS = {"view", "view_as", "reshape", "reshape_as", "unsqueeze", "squeeze", "__getitem__"}
VIEWS = RESHAPINGS | {"to", "float", "type_as", "detach", "contiguous", "data", "alias"}

ZEROS = ("zeros", "zeros_like", "new_zeros")
"""What makes zeros: beside channels they are a padding."""


def _name(func: Any) -> str:
    """That of torch's function; of an attribute, its own."""
    name = str(getattr(func, "__name__", func))
    if isinstance(func, torch._ops.OpOverloadPacket) and not func._qualified_op_name.startswith("aten::"):
        return func._qualified_op_name
    if name == "__get__":
        return str(getattr(func.__self__, "__name__", name))
    if name in ("__getitem__", "__pow__"):
        return name
    return name.strip("_") if name.startswith("__") else name.removesuffix("_")


def _holds(module: nn.Module) -> bool:
    return isinstance(module, nn.Sequential | nn.ModuleList) or bool(module._modules) or hasattr(module, "is_container")


def _uncompiled(undo: list[Step]) -> None:
    """Until undone, what torch.compile made runs as it was before: a compiler would be given this recorder, too."""
    if "torch._dynamo" in sys.modules:
        stance = torch.compiler.set_stance("force_eager")
        undo.append(partial(stance.__exit__, None, None, None))


def record(loan: Loan, args: Sequence[Tensor]) -> Recorder:
    """Run a module on loan; what it calls without a word is in `unknown`."""
    recorder = Recorder(loan.module, args[0].shape[0] if args else BATCH)
    for tensor in args:
        recorder.inputs.append(recorder.values.make(tensor))
    with undoing() as undo:
        _uncompiled(undo)
        on_calls(undo, recorder.enter, recorder.leave, failed=recorder.leave_failed)
        try:
            with recorder:
                output = loan.module(*args)
        except (CnnzooError, KeyboardInterrupt):
            raise
        except Exception as error:
            loan.failed(error)
            raise TracingError(
                f"at {recorder.call.path or 'the network itself'}: {type(error).__name__}: {error}"
            ) from error
    if not tensors_in(output):
        recorder.unknown.append("the output: it has no tensor")
    for tensor in tensors_in(output):
        try:
            value = recorder.values.of(tensor)
        except NoWordError as error:
            recorder.unknown.append(f"the output: {error}")
            continue
        if value is None:
            recorder.unknown.append("the output: no value of the network's")
        else:
            recorder.outputs.append(value)
    return recorder
