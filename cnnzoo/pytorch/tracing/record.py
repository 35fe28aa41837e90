"""One run of a module on meta, as the calls of its modules and, in each, the words of the functions that it calls."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ...arch import (
    Add,
    Layer,
    Meeting,
    Multiply,
    Node,
    Scale,
    Shape,
    ShapeError,
    Shift,
    Upsample,
    UpsampleLike,
)
from ...arch.kinds import kinds
from ...errors import CnnzooError
from ..measuring.borrow import Loan, on_calls
from ..measuring.operators import tensors_in
from ..measuring.restore import undoing
from ..measuring.tree import own_tensors, submodules
from . import functions  # noqa: F401 - fills WORDS
from .events import Call, Op, TracingError
from .leaves import leaf_of
from .words import WORDS, NoWordError, Said

BATCH = 2
"""Samples of the run: of one alone, the batch could not be told from a dimension of length 1."""


class Recorder(TorchFunctionMode):
    """Sees what a module on loan calls; tensors are told apart by identity."""

    def __init__(self, root: nn.Module) -> None:
        super().__init__()
        self.root = Call("", root)
        self.unknown: list[str] = []
        self.shapes: list[Shape] = []
        """Of each value, without the batch."""
        self.looked: list[tuple[int, Shape]] = []
        """The values whose shapes the network read, the last one last."""
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        self.called: set[str] = set()
        """The paths of the modules that ran."""
        self._values: dict[int, tuple[int, int]] = {}
        """By the id of a tensor: its value, and the tensor's version when it was made."""
        self._alive: list[Tensor] = []
        """Every tensor that was met, so that no id is given again; they hold no memory on meta."""
        self._own: dict[int, list[str]] = {}
        """The keys of the network's own tensors."""
        self._of_own: dict[int, Tensor] = {}
        """Views of them."""
        self._stack: list[tuple[nn.Module, Call | Node | None]] = []
        self._paths: dict[int, list[str]] = {}
        for one in submodules(root):
            self._paths.setdefault(id(one.module), []).append(one.path)
            for name, held in own_tensors(one.module).items():
                self._own.setdefault(id(held.tensor), []).append(".".join(filter(None, (one.path, name))))

    # Values

    def make(self, tensor: Tensor) -> int:
        """A new value, which the tensor is from now on."""
        self.shapes.append(tuple(tensor.shape[1:]))
        self.bind(tensor, len(self.shapes) - 1)
        return len(self.shapes) - 1

    def bind(self, tensor: Tensor, value: int) -> None:
        self._values[id(tensor)] = value, tensor._version
        self._alive.append(tensor)

    def value(self, tensor: Tensor) -> int | None:
        """The value that a tensor is; None of what does not come from an input."""
        found = self._values.get(id(tensor))
        if found is None:
            return None
        value, version = found
        if version != tensor._version:
            raise NoWordError("a tensor was written over through another that shares its memory")
        return value

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
        node = leaf_of(module, [tuple(one.shape[1:]) for one in tensors_in(args)])
        return node or Call(self._nearest(paths), module)

    def _nearest(self, paths: list[str]) -> str:
        around = self.call.path
        inside = [path for path in paths if path.startswith(f"{around}.")] if around else paths
        return min(inside or paths, key=lambda path: path.count("."))

    def leave(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        while self._stack and self._stack[-1][0] is not module:  # left by an exception that the network caught
            self._stack.pop()
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

    def _same(self, call: Call, output: Any) -> Any:
        """A module that hands on what it is given."""
        other = output.view_as(output)
        node = kinds()["Sequential"]() if call.module is not None and _holds(call.module) else kinds()["Identity"]()
        try:
            value = self.value(output)
        except NoWordError:
            value = None
        if value is None:
            return None
        self.call.events.append(Op(node, [value], self.make(other), call.path, call.hint, False))
        return other

    def _leaf(self, node: Node, path: str, reads: list[Tensor], output: Any, module: nn.Module) -> Any:
        given: list[int] = []
        for tensor in reads:
            with suppress(NoWordError):
                known = self.value(tensor) if output is not tensor else self._values.get(id(tensor), (None,))[0]
                if known is not None:
                    given.append(known)
        if len(given) != len(reads) or not isinstance(output, Tensor):
            self._miss(path, type(module).__name__, "it reads what is no value of the network's")
            return None
        if any(output is one and self._values[id(one)][1] == one._version for one in reads):
            output = output.view_as(output)  # it hands its input on: let the two be told apart
        owns = isinstance(node, Layer) and bool(own_tensors(module))
        made = self.make(output)
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
                value = self.value(args[0])
                if value is not None:
                    self.looked.append((value, tuple(args[0].shape[2:])))
            return func(*args, **kwargs)
        given = tensors_in([args, kwargs])
        try:
            values = {id(one): self.value(one) for one in given}
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
        self._alive += made
        written = any(one._version != version for one, version in zip(given, versions, strict=True))
        if all(values[id(one)] is None for one in given):
            for one in made:
                if name in VIEWS and given:
                    self._of_own[id(one)] = self._of_own.get(id(given[0]), given[0])
            return out
        if not written and len(made) == 1 and out is made[0] and any(out is one for one in given) and name == "dropout":
            out = out.view_as(out)
            made = [out]
        try:
            self._note(name, args, kwargs, values, made)
        except NoWordError as error:
            self._miss(self.call.path, name, str(error))
            for one in made:
                self.make(one)
        return out

    def _note(self, name: str, args: Any, kwargs: Any, values: dict[int, int | None], made: list[Tensor]) -> None:
        word = WORDS.get(name)
        if word is None:
            raise NoWordError("no word for it")
        try:
            said = word(*args, **kwargs)
        except (TypeError, ShapeError, AttributeError, ValueError) as error:
            raise NoWordError(str(error)) from None
        each = said if isinstance(said, list) else [said]
        if len(each) != len(made):
            raise NoWordError(f"it gives {len(made)} tensors, not {len(each)}")
        for one, tensor in zip(each, made, strict=True):
            self._add(name, self._with_own(self._sized(one), values), values, tensor)

    def _sized(self, said: Said) -> Said:
        """An Upsample to a size that was read from another value is one to the size of that."""
        node = said.nodes[-1] if said.nodes else None
        if not isinstance(node, Upsample) or node.size is None:
            return said
        size = node.size
        wanted = (size, size) if isinstance(size, int) else size
        like = next((value for value, shape in reversed(self.looked) if shape == wanted), None)
        if like is None:
            return said
        other = UpsampleLike(mode=node.mode, align_corners=node.align_corners)
        tensor = next(one for one in reversed(self._alive) if self._values.get(id(one), (None,))[0] == like)
        return Said((other,), (*said.reads, tensor))

    def _with_own(self, said: Said, values: dict[int, int | None]) -> Said:
        """A sum or a product with one of the network's own tensors is a layer that has it."""
        node = said.nodes[0] if len(said.nodes) == 1 else None
        if not isinstance(node, Add | Multiply) or len(said.reads) != 2:
            return said
        tensors = [one for one in said.reads if self._values.get(id(one)) is None]
        if len(tensors) != 1:
            return said
        seen = tensors[0]
        own = self._of_own.get(id(seen), seen)
        if id(own) not in self._own:
            raise NoWordError("one of the two is no value of the network's")
        other = next(one for one in said.reads if one is not seen)
        shape = _channels(tuple(own.shape), tuple(seen.shape), tuple(other.shape))
        word = Shift(0.0, shape) if isinstance(node, Add) else Scale(1.0, shape)
        return Said((word,), (other,), {"": own})

    def _add(self, name: str, said: Said, values: dict[int, int | None], made: Tensor) -> None:
        reads = [values.get(id(one), self._values.get(id(one), (None,))[0]) for one in said.reads]
        known = [one for one in reads if one is not None]
        if len(known) != len(reads):
            raise NoWordError("it reads what is no value of the network's")
        if made.dim() == 0 or made.shape[0] != BATCH:
            raise NoWordError(f"the batch is lost: it gives {tuple(made.shape)}")
        nodes = said.nodes
        if said.own and isinstance(nodes[0], Layer):
            shape = self.shapes[known[0]]
            wanted = {*nodes[0].tensors(shape), *nodes[0].buffers(shape)} - {"num_batches_tracked"}
            if wanted != said.own.keys():
                raise NoWordError(f"it has {', '.join(said.own)} alone, {type(nodes[0]).__name__} {', '.join(wanted)}")
        path = self._place(nodes, said, known)
        shapes = [self.shapes[one] for one in known]
        try:
            for node in nodes:
                shapes = [node.output_shape(shapes if isinstance(node, Meeting) else shapes[0])]  # type: ignore[attr-defined]
        except ShapeError as error:
            raise NoWordError(str(error)) from None
        if not nodes and name in BROADCASTS and made.dim() == 1 + len(shapes[0]):
            self.bind(made, known[0])  # what it meets broadcasts it, too; other layers refuse its shape
            return
        if shapes[0] != tuple(made.shape[1:]):
            raise NoWordError(f"it gives {tuple(made.shape[1:])}, {nodes} {shapes[0]}")
        if not nodes:
            self.bind(made, known[0])
            return
        for node in nodes:
            last = node is nodes[-1]
            value = self.make(made)
            if not last:
                shape = self.shapes[known[0]]
                self.shapes[value] = node.output_shape(shape)  # type: ignore[attr-defined]
            hint = name.strip("_") if len(nodes) == 1 else type(node).__name__.lower()
            self.call.events.append(Op(node, known, value, path, hint, path is not None))
            known = [value]

    def _place(self, nodes: tuple[Node, ...], said: Said, known: list[int]) -> str | None:
        """The path of the layer whose tensors are these."""
        if not said.own:
            return None
        found: set[str] | None = None
        for name, tensor in said.own.items():
            keys = self._own.get(id(tensor))
            if keys is None:
                raise NoWordError(f"its {name or 'operand'} is not as the network has it, but worked out")
            suffix = f".{name}" if name else ""
            here = {key.removesuffix(suffix) for key in keys if key.endswith(suffix) and suffix}
            here |= {"" for key in keys if name and key == name}
            here |= set(keys) if not name else set()
            found = here if found is None else found & here
        if not found:
            raise NoWordError(
                f"its tensors have other names: {sorted(key for t in said.own.values() for key in self._own[id(t)])}"
            )
        return self._nearest(sorted(found))


BROADCASTS = ("expand", "expand_as")

VIEWS = frozenset("view reshape unsqueeze squeeze __getitem__ to float detach contiguous data alias type_as".split())  # noqa: SIM905


def _name(func: Any) -> str:
    """That of torch's function; of an attribute, its own."""
    name = str(getattr(func, "__name__", func))
    if name == "__get__":
        return str(getattr(func.__self__, "__name__", name))
    if name in ("__getitem__", "__pow__"):
        return name
    return name.strip("_") if name.startswith("__") else name.removesuffix("_")


def _channels(own: tuple[int, ...], seen: tuple[int, ...], beside: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a parameter, with -1 for the one length that is not 1."""
    long = [place for place, length in enumerate(own) if length != 1]
    if not long:
        return own
    if len(long) > 1:
        raise NoWordError(f"a parameter of {own} has more than one length")
    shape = tuple(-1 if length != 1 else 1 for length in own)
    at = [place - len(seen) for place, length in enumerate(seen) if length != 1]
    if len(own) == 1 and at[0] == 1 - len(beside):
        return shape
    if long[0] - len(own) != at[0] or len(own) == 1:
        raise NoWordError(f"a parameter of {own} beside {beside}")
    return shape


def _holds(module: nn.Module) -> bool:
    return isinstance(module, nn.Sequential | nn.ModuleList) or bool(module._modules) or hasattr(module, "is_container")


def record(loan: Loan, args: Sequence[Tensor]) -> Recorder:
    """Run a module on loan; what it calls without a word is in `unknown`."""
    recorder = Recorder(loan.module)
    for tensor in args:
        recorder.inputs.append(recorder.make(tensor))
    with undoing() as undo:
        on_calls(undo, recorder.enter, recorder.leave)
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
    for tensor in tensors_in(output):
        try:
            value = recorder.value(tensor)
        except NoWordError as error:
            recorder.unknown.append(f"the output: {error}")
            continue
        if value is None:
            recorder.unknown.append("the output: no value of the network's")
        else:
            recorder.outputs.append(value)
    return recorder
