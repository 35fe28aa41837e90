"""Calls of torch's functions as the layers and meetings that do the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from ...arch import (
    Add,
    Cat,
    Layer,
    Meeting,
    Multiply,
    Node,
    PadChannels,
    PadLike,
    Scale,
    Shape,
    ShapeError,
    Shift,
    Upsample,
    UpsampleLike,
)
from . import functions  # noqa: F401 - fills WORDS
from .events import Op
from .standardised import standardised
from .values import Values
from .words import WORDS, NoWordError, Said, of_stack, plain


class Speaker:
    """Says what functions do; `nearest` is which of several paths is meant where a function is called."""

    def __init__(self, values: Values, nearest: Callable[[Sequence[str]], str], training: bool) -> None:
        self.values = values
        self.nearest = nearest
        self.training = training

    def say(self, name: str, args: Any, kwargs: Any, made: Sequence[Tensor]) -> list[Op]:
        """The layers that make these tensors as the function of that name does; NoWordError where there are none."""
        word = WORDS.get(name)
        if word is None:
            raise NoWordError("no word for it")
        try:
            parts = self.values.parts(args[0]) if args else []
            if any(map(self.values.is_stale, parts)):
                raise NoWordError("what was stacked in it was written over")
            settings = {key: plain(value) for key, value in kwargs.items()}
            like = self._pad_like(*plain(args), **settings) if name == "pad" else None
            said = of_stack(name, parts, *args[1:], **settings) if parts else like or word(*plain(args), **settings)
        except (TypeError, ShapeError, AttributeError, ValueError) as error:
            raise NoWordError(str(error)) from None
        each = said if isinstance(said, list) else [said]
        if len(each) != len(made):
            raise NoWordError(f"it gives {len(made)} tensors, not {len(each)}")
        if any(one.random for one in each) and not self.training:
            raise NoWordError("it draws random numbers in eval mode, too")
        found: list[Op] = []
        for one, tensor in zip(each, made, strict=True):
            if one.before is not None:
                first, between = one.before
                found += self._said(name, first, between)
            found += self._said(name, one, tensor)
        return found

    def _said(self, name: str, said: Said, made: Tensor) -> list[Op]:
        whole = self._padded(self._sized(standardised(said, self.values)))
        return self._ops(name, self._with_own(whole), made)

    def _sized(self, said: Said) -> Said:
        """An Upsample to a size that was read from another value is one to the size of that."""
        node = said.nodes[-1] if said.nodes else None
        if not isinstance(node, Upsample) or node.size is None:
            return said
        size = node.size
        wanted = (size, size) if isinstance(size, int) else size
        like = next((value for value, shape in reversed(self.values.looked) if shape == wanted), None)
        if like is None:
            return said
        other = UpsampleLike(mode=node.mode, align_corners=node.align_corners)
        return Said((other,), (*said.reads, self.values.tensor_of(like)))

    def _pad_like(
        self, input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
    ) -> Said | None:
        """A padding to the size of another value, where the network read both sizes last and pads as much, or nothing
        where it read them more than once, as for each side; None of any other."""
        own = self.values.of(input)
        tail = self.values.last_looked(2)
        if own not in tail or len({*tail}) < 2 or value or len(pad) > 4 or mode == "circular":
            return None
        other = next(one for one in reversed(tail) if one != own)
        like = PadLike(mode=mode)
        shapes = self.values.shapes[own], self.values.shapes[other]
        try:
            wanted = like.layer(shapes)
        except ShapeError:
            return None
        many = any(pad) or min(tail.count(own), tail.count(other)) > 1
        if wanted != replace(wanted, padding=tuple([*pad, 0, 0][:4])) or not many:
            return None
        return Said((like,), (input, self.values.tensor_of(other)))

    def _padded(self, said: Said) -> Said:
        """Channels beside which there are zeros are padded with them."""
        zeros = [self.values.is_zeros(one) for one in said.reads]
        if said.nodes != (Cat(),) or zeros.count(False) != 1 or len(zeros) < 2:
            return said
        at = zeros.index(False)
        channels = [one.shape[1] for one in said.reads]
        return Said((PadChannels(sum(channels), before=sum(channels[:at])),), (said.reads[at],))

    def _with_own(self, said: Said) -> Said:
        """A sum or a product with one of the network's own tensors is a layer that has it."""
        node = said.nodes[0] if len(said.nodes) == 1 else None
        if not isinstance(node, Add | Multiply) or len(said.reads) != 2:
            return said
        tensors = [one for one in said.reads if self.values.of(one) is None]
        if len(tensors) != 1:
            return said
        seen = tensors[0]
        own = self.values.own(seen)
        if not isinstance(own, nn.Parameter):
            raise NoWordError("one of the two is neither a value of the network's nor a parameter")
        if self.values.keys(own) is None or own.is_floating_point() != seen.is_floating_point():
            raise NoWordError("one of the two is no value of the network's")
        other = next(one for one in said.reads if one is not seen)
        shape, last = _beside(tuple(own.shape), tuple(seen.shape), tuple(other.shape))
        word = Shift(0.0, shape, channels_last=last) if isinstance(node, Add) else Scale(1.0, shape, channels_last=last)
        return Said((word,), (other,), {"": own})

    def _ops(self, name: str, said: Said, made: Tensor) -> list[Op]:
        values = self.values
        reads = [values.of(one) for one in said.reads]
        known = [one for one in reads if one is not None]
        if len(known) != len(reads):
            raise NoWordError("it reads what is no value of the network's")
        if not said.nodes and name == "stack":
            values.stack(made, said.reads)
            return []
        if made.dim() == 0 or made.shape[0] != self.values.batch:
            raise NoWordError(f"the batch is lost: it gives {tuple(made.shape)}")
        if any(one.is_floating_point() != made.is_floating_point() for one in said.reads):
            raise NoWordError(f"it gives {made.dtype} of {said.reads[0].dtype}")
        nodes = said.nodes
        if said.own and isinstance(nodes[0], Layer):
            shape = values.shapes[known[0]]
            wanted = {*nodes[0].tensors(shape), *nodes[0].buffers(shape)} - {"num_batches_tracked"}
            if wanted != said.own.keys():
                raise NoWordError(f"it has {', '.join(said.own)} alone, {type(nodes[0]).__name__} {', '.join(wanted)}")
        path = self._place(said)
        shapes = [values.shapes[one] for one in known]
        if not nodes and name in BROADCASTS and made.dim() == 1 + len(shapes[0]):
            values.bind(made, known[0])  # what it meets broadcasts it, too
            return []
        if nodes and not isinstance(nodes[0], Meeting) and tuple(said.reads[0].shape[1:]) != shapes[0]:
            raise NoWordError(f"it reads what was broadcast from {shapes[0]}")
        wanted_shape = shape_of(nodes, shapes)
        if wanted_shape != tuple(made.shape[1:]):
            raise NoWordError(f"it gives {tuple(made.shape[1:])}, {nodes} {wanted_shape}")
        if not nodes:
            values.bind(made, known[0])
            return []
        found: list[Op] = []
        for place, node in enumerate(nodes):
            value = values.make(made)
            between = shape_of(nodes[: place + 1], shapes)
            values.shapes[value] = between if isinstance(between, tuple) else values.shapes[value]
            hint = name.strip("_") if len(nodes) == 1 else type(node).__name__.lower()
            found.append(Op(node, known, value, path, hint, path is not None))
            known = [value]
        return found

    def _place(self, said: Said) -> str | None:
        """The path of the layer whose tensors are these."""
        if not said.own:
            return None
        every: list[str] = []
        found: set[str] | None = None
        for name, tensor in said.own.items():
            keys = self.values.keys(tensor)
            if keys is None:
                raise NoWordError(f"its {name or 'operand'} is not as the network has it, but worked out")
            every += keys
            suffix = f".{name}" if name else ""
            here = {key.removesuffix(suffix) for key in keys if key.endswith(suffix) and suffix}
            here |= {"" for key in keys if name and key == name}
            here |= set(keys) if not name else set()
            found = here if found is None else found & here
        if not found:
            raise NoWordError(f"its tensors have other names: {sorted(every)}")
        return self.nearest(sorted(found))


def shape_of(nodes: Sequence[Node], shapes: list[Shape]) -> Shape | str:
    """What nodes in a row give for these shapes, or why they refuse them."""
    try:
        for node in nodes:
            shapes = [node.output_shape(shapes if isinstance(node, Meeting) else shapes[0])]  # type: ignore[attr-defined]
    except ShapeError as error:
        return str(error)
    return shapes[0]


BROADCASTS = ("expand", "expand_as")


def _beside(own: Shape, seen: Shape, other: Shape) -> tuple[Shape, bool]:
    """The shape of a parameter, with -1 for lengths of what it meets, and whether it is of the last dimension as one of
    channels; `seen` is its shape where the two meet."""
    shape = tuple(1 if length == 1 else -1 for length in own)
    long = [place - len(seen) for place, length in enumerate(seen) if length != 1]
    if shape == (-1,) and len(long) == 1 and long[0] in (-1, 1 - len(other)):
        return shape, long[0] != 1 - len(other)
    if shape == (-1,) or _without_ones(own) != _without_ones(seen):
        raise NoWordError(f"a parameter of {own} beside {other}")
    return shape, False


def _without_ones(shape: Shape) -> Shape:
    """A shape without the ones that it begins with."""
    start = next((place for place, length in enumerate(shape) if length != 1), len(shape))
    return shape[start:]
