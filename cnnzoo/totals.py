"""What descriptions come to without a report of each: what was priced once at a shape is not priced again."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

from .arch.joins import Aux, Join
from .arch.node import Layer, Node
from .arch.signal import Field, Shape, ShapeError, Signal, Window, Windows, advance, merge, show
from .calculate import calculate, check_size, facts_of, square, stacked
from .report import ITEM_BYTES, IntOrPair


class Totals(NamedTuple):
    """A network's totals without its rows: those of `Report.totals` by the same names, for one sample of float32."""

    output_shape: Shape
    params: int
    macs: int
    activations: int
    """Elements of all outputs."""
    depth: int
    aux_params: int
    aux_macs: int
    receptive_field: IntOrPair | None
    peak_activation_bytes: int


def totals(description: Node, input_size: Shape) -> Totals:
    """What `calculate` comes to, for many descriptions: a block that was met before at the same shape costs nothing.

    Raises what `calculate` does.
    """
    check_size(input_size)
    shape = tuple(input_size)
    try:
        whole = _part.__wrapped__(description, shape, False)  # a whole network is not met again
    except ShapeError:
        calculate(description, shape)  # says where
        raise
    except _StillError:
        report = calculate(description, shape)
        return Totals(report[""].output_shape, *(report.totals[name] for name in Totals._fields[1:]))
    if isinstance(description, Aux):
        whole = _apart(whole, shape)
    windows = whole.last_map[0] if whole.last_map else None
    field = None if windows is None else square(windows[0].kernel, windows[1].kernel)
    return Totals(*whole[:7], field, (prod(shape) + whole.freed) * ITEM_BYTES["float32"])


class _StillError(Exception):
    """Raised where all positions see the same pixels, as of one pixel that is pooled to many: what a block makes of it
    cannot be told from the block alone."""


class _Part(NamedTuple):
    """A layer or a block at an input shape, wherever it stands; the first seven are those of `Totals`."""

    output_shape: Shape
    params: int = 0
    macs: int = 0
    activations: int = 0
    depth: int = 0
    aux_params: int = 0
    aux_macs: int = 0
    windows: Windows | None = None
    """What a position of its output reads of its input."""
    last_map: tuple[Windows | None, ...] = ()
    """What one of its last map does, if it has one."""
    held: int = 0
    """Elements alive at most besides its input while it runs, where something reads that later."""
    freed: int = 0
    """The same where nothing does; it may end before the others begin."""
    is_view: bool = False
    """Whether its output is its input, the tensor itself."""
    pooled: bool = False
    """`Signal.pooled` of its output."""


@lru_cache(maxsize=1 << 16)
def _part(node: Node, shape: Shape, pooled: bool) -> _Part:
    """`pooled` is that of what enters, as in `Signal`."""
    if isinstance(node, Join):
        meter = _Meter(shape)
        return meter.total(node.flow(Signal(shape, pooled=pooled), meter))
    assert isinstance(node, Layer)
    found = facts_of(node, shape)
    weights, biases, macs = found.columns[6], found.columns[7], found.columns[9]
    pooled = found.pooled[pooled]
    is_map = len(found.output_shape) == 3 and not pooled
    made = 0 if node.is_view else found.elements
    numbers = (weights + biases, macs, found.elements, int(node.weighted), 0, 0)
    last_map = (found.windows,) if is_map else ()
    return _Part(found.output_shape, *numbers, found.windows, last_map, made, made, node.is_view, pooled)


def _apart(head: _Part, shape: Shape) -> _Part:
    """An auxiliary head on maps of this shape: it is counted by itself, and nothing of it runs at inference."""
    params, macs = head.params + head.aux_params, head.macs + head.aux_macs
    return _Part(head.output_shape, aux_params=params, aux_macs=macs, freed=-prod(shape))


class _Step(NamedTuple):
    """A child, or a meeting: the tensors that it reads, and the one it leaves, which may be one of them."""

    reads: tuple[int, ...]
    leaves: int
    part: _Part


class _Meter:
    """Adds up what runs through a join; its input is tensor 0, and the fields of signals begin there."""

    def __init__(self, shape: Shape) -> None:
        self.sizes = [prod(shape)]
        self.steps: list[_Step] = []
        self.heads: list[_Part] = []
        self.last_map: tuple[Field | None, ...] = ()

    def run(self, name: str, child: Node, x: Signal) -> Signal:
        part = _part(child, x.shape, x.pooled)
        if isinstance(child, Aux):
            self.heads.append(_apart(part, x.shape))
            return x
        unknown = part.windows is None or None in part.last_map
        if unknown and isinstance(child, Join) and x.field and not all(axis.stride for axis in x.field):
            raise _StillError
        field = advance(x.field, part.windows)
        if part.last_map:
            same = part.last_map[0] == part.windows
            self.last_map = (field if same else advance(x.field, part.last_map[0]),)
        tensor = x.source if part.is_view else self._tensor(part.output_shape)
        self.steps.append(_Step((x.source,), tensor, part))
        return Signal(part.output_shape, field, x.depth + part.depth, tensor, part.pooled)

    def add(self, x: Signal, y: Signal) -> Signal:
        if x.shape != y.shape:
            raise ShapeError(f"cannot add {show(x.shape)} to {show(y.shape)}")
        return self._meet(x.shape, (x, y))

    def cat(self, parts: list[Signal]) -> Signal:
        return self._meet(stacked([part.shape for part in parts]), tuple(parts))

    def _meet(self, shape: Shape, parts: tuple[Signal, ...]) -> Signal:
        field = merge(parts)
        pooled = all(part.pooled for part in parts)
        if len(shape) == 3 and not pooled:
            self.last_map = (field,)
        elements = prod(shape)
        tensor = self._tensor(shape)
        reads = tuple(part.source for part in parts)
        self.steps.append(_Step(reads, tensor, _Part(shape, activations=elements, held=elements, freed=elements)))
        return Signal(shape, field, max(part.depth for part in parts), tensor, pooled)

    def _tensor(self, shape: Shape) -> int:
        self.sizes.append(prod(shape))
        return len(self.sizes) - 1

    def total(self, y: Signal) -> _Part:
        parts = [*(step.part for step in self.steps), *self.heads]
        columns = zip((0,) * 6, *(part[1:7] for part in parts), strict=True)
        params, macs, activations, _, aux_params, aux_macs = map(sum, columns)
        numbers = (params, macs, activations, y.depth, aux_params, aux_macs)
        last_map = tuple(map(_windows, self.last_map))
        return _Part(y.shape, *numbers, _windows(y.field), last_map, *self._alive(), y.source == 0, y.pooled)

    def _alive(self) -> tuple[int, int]:
        """`held` and `freed` by the rule `Report.liveness`."""
        last = {tensor: number for number, step in enumerate(self.steps) for tensor in (*step.reads, step.leaves)}
        alive, kept = self.sizes[0], 0  # kept: the input, where all has read it that does here
        held = freed = 0
        for number, (reads, leaves, part) in enumerate(self.steps):
            more = part.freed if last[reads[0]] == number and leaves != reads[0] else part.held
            freed = max(freed, alive + more)
            held = max(held, alive + kept + (more if reads[0] else part.held))
            if leaves not in reads:
                alive += self.sizes[leaves]
            for tensor in {*reads, leaves}:
                if last[tensor] == number:
                    alive -= self.sizes[tensor]
            if last.get(0) == number:
                kept = self.sizes[0]
        return held - self.sizes[0], freed - self.sizes[0]


def _windows(field: Field | None) -> Windows | None:
    return None if field is None else (Window(*field[0]), Window(*field[1]))
