"""Numbers that a network works out from the size of its maps: two runs at different sizes tell what they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from ...arch import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool2d,
    ConstantPad2d,
    Layer,
    MaxPool2d,
    Node,
    SamePad2d,
    Shape,
    Slice,
    Unflatten,
    Upsample,
    ZeroPad2d,
)
from ...arch.layers import extent_of
from ...arch.node import pair
from .events import Op, calls, ops
from .foreign import Told

Both: TypeAlias = tuple[Op, Op]
"""The same operation in the one run and in the other."""

STEP = 2**5
"""How much most networks reduce their maps, a factor of 2 at a time."""


def elsewhere(length: int) -> int:
    """A longer side, by a number that makes sides odd that were even and even that were odd, however often they are
    halved and rounded up down to 1 / `STEP`: so that a padding "same" is another before each layer of stride 2."""
    halved = [length]
    while 2 ** len(halved) <= STEP:
        halved.append(-(-halved[-1] // 2))
    other = halved.pop() + 3
    for one in reversed(halved):
        other = 2 * other - (one % 2 == 0)
    return other


def agree(one: Told, other: Told) -> None:
    """Say in both runs what holds in both, where operations have other numbers: a padding "same", a pooling of the
    whole map, a length that the others leave. What differs for another reason stays."""
    runs = one, other
    _pad_same(runs)
    both = [[*ops(run.call.events)] for run in runs]
    if [type(op.node) for op in both[0]] != [type(op.node) for op in both[1]]:
        return
    for pair_ in zip(*both, strict=True):
        if pair_[0].node != pair_[1].node:
            _generalise(pair_, runs)


# Numbers of a layer


def _generalise(both: Both, runs: tuple[Told, Told]) -> None:
    """Give both the first layer that does what each of the two does."""
    ways = [[*_ways(op.node, run.values.shapes[op.reads[0]])] for op, run in zip(both, runs, strict=True)]
    found = next((way for way in ways[0] if way in ways[1]), None)
    if found is not None:
        for op in both:
            op.node = found


def _ways(node: Node, shape: Shape) -> Iterator[Node]:
    """Layers that do the same to maps of this shape, and have numbers that follow from its size in other words."""
    if isinstance(node, AvgPool2d | MaxPool2d) and node.padding == 0 and len(shape) == 3:
        sides = zip(pair(node.kernel_size), shape[1:], strict=True)
        wanted = tuple(1 if kernel == length else None if kernel == 1 else 0 for kernel, length in sides)
        if 0 not in wanted:
            yield (AdaptiveAvgPool2d if isinstance(node, AvgPool2d) else AdaptiveMaxPool2d)(wanted)  # type: ignore[arg-type]
    elif isinstance(node, Unflatten):
        sizes = node.unflattened_size
        for place in range(len(sizes)):
            yield replace(node, unflattened_size=(*sizes[:place], -1, *sizes[place + 1 :]))
    elif isinstance(node, Slice):
        length = shape[node.dim - 1]
        start, stop = node.bounds(length)
        for first in (start, start - length):
            yield replace(node, start=first, stop=None if stop == length else stop)
            yield replace(node, start=first, stop=stop - length)
    elif isinstance(node, Upsample) and node.size is not None:
        height, width = (out / length for out, length in zip(pair(node.size), shape[1:], strict=True))
        yield replace(node, size=None, scale_factor=height if height == width else (height, width))


# Paddings "same"


def _pad_same(runs: tuple[Told, Told]) -> None:
    """Put a `SamePad2d` before each convolution or pooling whose paddings in both runs it explains: where they differ,
    or where the network read the size of what it pads."""
    pads = [
        {op.made: op for op in ops(run.call.events) if isinstance(op.node, ZeroPad2d | ConstantPad2d)} for run in runs
    ]
    rest = [[op for op in ops(run.call.events) if op.made not in known] for run, known in zip(runs, pads, strict=True)]
    if [type(op.node) for op in rest[0]] != [type(op.node) for op in rest[1]]:
        return
    for both in zip(*rest, strict=True):
        around = [known.get(op.reads[0]) for op, known in zip(both, pads, strict=True) if op.reads]
        same = _same(both, around, runs) if any(around) else None
        if same is not None:
            for run, op, pad in zip(runs, both, around, strict=True):
                _put(run, op, pad, same)


def _same(both: Both, around: Sequence[Op | None], runs: tuple[Told, Told]) -> SamePad2d | None:
    """The padding "same" that these paddings are, before this layer; None where they are none."""
    node: Any = both[0].node
    if node != both[1].node or not hasattr(node, "kernel_size") or getattr(node, "padding", None) not in (0, "valid"):
        return None
    values = {getattr(op.node, "value", 0.0) for op in around if op is not None}
    extent = tuple(map(extent_of, pair(node.kernel_size), pair(getattr(node, "dilation", 1))))
    if len(values) != 1 or max(pair(node.stride)) == 1:
        return None
    same = SamePad2d(extent, node.stride, values.pop())  # type: ignore[arg-type]
    told, looked = [], []
    for run, op, pad in zip(runs, both, around, strict=True):
        source = op.reads[0] if pad is None else pad.reads[0]
        sides = ((0, 0), (0, 0)) if pad is None else pad.node.sides(run.values.shapes[source])  # type: ignore[attr-defined]
        if same.sides(run.values.shapes[source]) != sides:
            return None
        told.append(sides)
        looked.append(any(value == source for value, _ in run.values.looked))
    return same if told[0] != told[1] or all(looked) else None


def _put(run: Told, op: Op, pad: Op | None, same: Layer) -> None:
    """Let a padding be this one, and be there."""
    if pad is not None:
        pad.node = same
        return
    call = next(call for call in (run.call, *calls(run.call.events)) if op in call.events)
    made = run.values.add(run.values.shapes[op.reads[0]], True)
    call.events.insert(call.events.index(op), Op(same, op.reads, made, None, "pad", False))
    op.reads = [made]
