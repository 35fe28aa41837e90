"""One run of a module on meta, as the calls of its modules and, in each, the words of the functions that it calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ...arch import Identity, Layer, Node, Sequential
from ..measuring import counter
from ..measuring.operators import shape_of as shape_of_tensor
from ..measuring.operators import tensors_in
from ..measuring.trace import HANDED_OVER, Trace
from ..measuring.tree import own_tensors, submodules
from .events import Frame, Lost, Op, Span
from .leaves import leaf_of, unused_of
from .saying import Speaker, shape_of
from .values import Values
from .words import NoWordError, Recipe


class Leaf:
    """A layer that is running, whose own calls are its own affair."""

    def __init__(self, node: Node, path: str, module: nn.Module, start: int) -> None:
        self.node = node
        self.path = path
        self.module = module
        self.start = start


class Recorder(TorchFunctionMode):
    """Sees what a module on loan calls."""

    def __init__(self, root: nn.Module, args: Sequence[Any]) -> None:
        super().__init__()
        self.module = root
        given = tensors_in(args)
        self.values = Values(root, given[0].shape[0])
        self.inputs = [self.values.make(tensor) for tensor in given]
        self.root = Frame("", root, self.inputs)
        self.outputs: list[int] = []
        self.made: list[tuple[int, ...]] = []
        """The shapes of what the network gives, with the batch."""
        self.called: set[str] = set()
        """The paths of the modules that ran."""
        self.trace: Trace | None = None
        """What the run cost, once it is over."""
        self._count = 0
        """Of the operators so far that cost something, or may."""
        self._speaker = Speaker(self.values, self._nearest, root.training)
        self._stack: list[tuple[nn.Module, Frame | Leaf | None]] = []
        self._paths: dict[int, list[str]] = {}
        for one in submodules(root):
            self._paths.setdefault(id(one.module), []).append(one.path)

    def see(self, op: counter.Op) -> None:
        self._count += op.macs != 0
        if op is HANDED_OVER:
            self.values.blind = True
            self.frame.events.append(Lost("thread", (), (), self._since(self._count - 1)))

    def done(self, trace: Trace) -> None:
        self.trace = trace
        if trace.error is None:
            given = tensors_in(trace.output)
            self.made = [shape_of_tensor(one) for one in given]
            for one in given:
                if self._read(one) is None:
                    self._lose("", [], [one], self._count)
            self.outputs = [value for one in given if (value := self.values.of(one)) is not None]

    def _since(self, start: int) -> Span:
        return Span(start, self._count)

    # Calls of modules

    @property
    def frame(self) -> Frame:
        """The forward that is running."""
        return next((one for _, one in reversed(self._stack) if isinstance(one, Frame)), self.root)

    def _is_quiet(self) -> bool:
        """Whether a layer is running."""
        return bool(self._stack) and not isinstance(self._stack[-1][1], Frame)

    def enter(self, module: nn.Module, args: Any) -> None:
        self._stack.append((module, self._entered(module, args)))

    def _entered(self, module: nn.Module, args: Any) -> Frame | Leaf | None:
        if not self._stack:
            return self.root
        if self._is_quiet():
            return None
        paths = self._paths.get(id(module))
        if paths is None:
            return self.frame  # made in a forward: its work is its caller's
        path = self._nearest(paths)
        self.called.add(path)
        given = tensors_in(args)
        read = [value for one in given if (value := self._read(one)) is not None]
        together = args[0] if len(args) == 1 and isinstance(args[0], list) else args  # as what meets is given
        plain = len(given) == len(together) and self.values.has_its_own(module)
        node = leaf_of(module, [tuple(one.shape[1:]) for one in given]) if plain else None
        return Leaf(node, path, module, self._count) if node is not None else Frame(path, module, read, self._count)

    def _nearest(self, paths: Sequence[str]) -> str:
        around = self.frame.path
        inside = [path for path in paths if path.startswith(f"{around}.")] if around else paths
        return min(inside or paths, key=lambda path: path.count("."))

    def leave(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        if not self._stack:
            return None
        _, running = self._stack[-1]
        if isinstance(running, Frame):
            for one in tensors_in(output):
                self._read(one)
        self._stack.pop()
        if isinstance(running, Leaf):
            return self._leaf(running, tensors_in([args, kwargs]), output)
        if isinstance(running, Frame) and running.module is module:
            running.span = self._since(running.span.start)
            if running.events or not isinstance(output, Tensor) or not any(output is one for one in args):
                if self._stack:
                    self.frame.events.append(running)
            elif self._stack:
                return self._same(running, output)
        return None

    def fail(self, module: nn.Module) -> None:
        """Left by an exception, which the network may catch: nothing tells what it did."""
        if self._stack and self._stack[-1][0] is module:
            _, running = self._stack.pop()
            start = running.start if isinstance(running, Leaf) else running.span.start if running else self._count
            if self._count > start:
                self._lose("", [], [], start)

    def _same(self, frame: Frame, output: Tensor) -> Any:
        """A module that hands on what it is given."""
        value = self.values.of(output)
        if value is None or self.values.is_stale(output):
            return None
        other = output.view_as(output)
        held = unused_of(frame.module)
        node = held or (Sequential() if _holds(frame.module) else Identity())
        made = self.values.make(other)
        hint = frame.path.rpartition(".")[2]
        self.frame.events.append(Op(node, [value], made, frame.path, hint, held is not None))
        return other

    def _leaf(self, leaf: Leaf, reads: list[Tensor], output: Any) -> Any:
        values = self.values
        given = [values.of(one) for one in reads]
        known = [one for one in given if one is not None]
        owns = isinstance(leaf.node, Layer) and bool(own_tensors(leaf.module))
        made = tensors_in(output)
        if not known and not owns and self._count == leaf.start:
            for one in made:
                values.constant(one, values.sources(reads))
        elif len(known) < len(reads) or not self._fits(leaf.node, known, output):
            keys = tuple(f"{leaf.path}.{name}" for name in own_tensors(leaf.module))
            self._lose(type(leaf.module).__name__, known, made, leaf.start, keys, leaf.path)
        else:
            if any(output is one and not values.is_stale(one) for one in reads):
                output = output.view_as(output)  # it hands its input on: let the two be told apart
            hint = leaf.path.rpartition(".")[2]
            self.frame.events.append(Op(leaf.node, known, values.write(output), leaf.path, hint, owns))
        return output

    def _fits(self, node: Node, reads: Sequence[int], output: Any) -> bool:
        """Whether the layer makes an output of this shape."""
        shapes = [self.values.shapes[one] for one in reads]
        return isinstance(output, Tensor) and shape_of([node], shapes) == tuple(output.shape[1:])

    # Values

    def _read(self, tensor: Tensor) -> int | None:
        """The value that a tensor is. What it holds by ways that no call shows is lost: it was written over through
        another that shares its memory, or made by what is not seen, of anything that there was."""
        values = self.values
        if values.is_stale(tensor):
            self._lose("", [values.of(tensor), values.written(tensor)], [tensor], self._count)
        elif values.parts(tensor):
            self._lose("stack", [self._read(one) for one in values.parts(tensor)], [tensor], self._count)
        elif values.is_strange(tensor):
            self._lose("", [*self.frame.given, *_met(self.frame)], [tensor], self._count)
        return values.of(tensor)

    def _lose(
        self,
        name: str,
        reads: Sequence[int | None],
        made: Sequence[Tensor],
        start: int,
        keys: Sequence[str] = (),
        path: str | None = None,
    ) -> None:
        """Note a call that no layer stands for."""
        known = tuple(dict.fromkeys(one for one in reads if one is not None))
        makes = tuple(self.values.write(one) for one in made)
        self.frame.events.append(Lost(name, known, makes, self._since(start), tuple(keys), path))

    # Calls of functions

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self._is_quiet() or not self._stack:
            return func(*args, **kwargs)
        name, values = _name(func), self.values
        if name in ("shape", "size"):
            values.look(args[0])
            return func(*args, **kwargs)
        given = tensors_in([args, kwargs])
        before = [(one._version, values.is_stale(one) or values.is_strange(one)) for one in given]
        start = self._count
        out = func(*args, **kwargs)
        made = tensors_in(out)
        written = [one for one, (version, _) in zip(given, before, strict=True) if one._version != version]
        if not made and not written:
            return out
        if name in ZEROS:
            self._constants(name, [], made, [])
            values.note_zeros(made[0])
            return out
        reads = [self._read(one) if unsure else values.of(one) for one, (_, unsure) in zip(given, before, strict=True)]
        if all(one is None for one in reads) and self._count == start and not any(map(values.parts, given)):
            self._constants(name, given, made, written)
            for one in made if given and name not in VIEWS else ():
                values.note_recipe(one, Recipe(name, args, kwargs))
            return out
        if name == "dropout" and not written and any(out is one for one in given):
            out = out.view_as(out)
            made = [out]
        if name == "data":
            values.note_data(made[0])
        beside = [one for one in written if not any(one is other for other in made) and values.keys(one) is None]
        try:
            if beside:
                raise NoWordError("it writes to what it is given")
            self.frame.events += self._speaker.say(name, args, kwargs, made)
            for one in made:
                values.note_written(one)
        except NoWordError:
            reads = [self._read(one) if values.parts(one) else read for one, read in zip(given, reads, strict=True)]
            self._lose(_plain(name), reads, [*made, *beside], start, sorted(values.sources(given)))
        return out

    def _constants(self, name: str, given: list[Tensor], made: list[Tensor], written: list[Tensor]) -> None:
        """Note what is worked out from the network's own tensors alone, or from none."""
        keys = self.values.sources(given)
        for one in written:
            self.values.spoil(one)
        for one in (*made, *written):
            if self.values.keys(one) is None:
                self.values.constant(one, keys)
                if name in VIEWS and given:
                    self.values.note_view(one, given[0])


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


def _plain(name: str) -> str:
    """The name of a function without where it is; of one that has none, as a lambda, "function"."""
    plain = name.rpartition("::")[2].strip("_")
    return plain if plain.isidentifier() else "function"


def _met(frame: Frame) -> list[int]:
    """The values that were made in a forward so far, and read in it."""
    found: list[int] = []
    for event in frame.events:
        if isinstance(event, Frame):
            found += _met(event)
        else:
            found += [*event.reads, *(event.makes if isinstance(event, Lost) else [event.made])]
    return found


def _holds(module: nn.Module) -> bool:
    return isinstance(module, nn.Sequential | nn.ModuleList) or bool(module._modules) or hasattr(module, "is_container")
