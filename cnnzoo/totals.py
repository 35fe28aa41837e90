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
        whole = _part.__wrapped__(description, shape, prod(shape), False)  # a whole network is not met again
    except ShapeError:
        calculate(description, shape)  # says where
        raise
    except _OnePixelError:
        report = calculate(description, shape)
        named = {name: value for name, value in report.totals.items() if name in Totals._fields}
        return Totals(report[""].output_shape, **named)
    if isinstance(description, Aux):
        whole = _apart(whole, shape)
    windows = whole.last_map[0] if whole.last_map else None
    field = None if windows is None else square(windows[0].kernel, windows[1].kernel)
    peak = (prod(shape) + whole.peak_last) * ITEM_BYTES["float32"]
    return Totals(
        whole.output_shape,
        depth=whole.depth,
        receptive_field=field,
        peak_activation_bytes=peak,
        **whole.sums._asdict(),
    )


class _OnePixelError(Exception):
    """Raised where all positions of a map see the same pixels of the input, an effective stride of 0, as behind a 1x1
    map that is pooled to a larger one: the receptive field behind a block then does not follow from the block alone."""


class _Sums(NamedTuple):
    """The figures of `Totals` that are the sums of the layers'."""

    params: int = 0
    macs: int = 0
    activations: int = 0
    aux_params: int = 0
    aux_macs: int = 0


class _Part(NamedTuple):
    """A layer or a block at an input shape, wherever it stands in a network."""

    output_shape: Shape
    sums: _Sums
    depth: int = 0
    """Weighted layers on the longest way through it."""
    windows: Windows | None = None
    """What a position of its output reads of its input; None where that is not known."""
    last_map: tuple[Windows | None, ...] = ()
    """What a position of its last map reads of its input; empty where nothing in it makes a map."""
    peak_shared: int = 0
    """The most elements alive at once while it runs, those of its input not counted, where a later layer reads that
    input too, so that it stays alive throughout."""
    peak_last: int = 0
    """The most elements alive at once while it runs, those of its input not counted, where nothing later reads that
    input, so that it is freed by the layer in here that reads it last; below 0 for an auxiliary head alone."""
    held: int = 0
    """The elements of the tensor in here that its output is, or is a part of."""
    is_view: bool = False
    """Whether its output is its input, the tensor itself or a part of it."""
    pooled: bool = False
    """`Signal.pooled` of its output."""


@lru_cache(maxsize=1 << 16)
def _part(node: Node, shape: Shape, held: int, pooled: bool) -> _Part:
    """What a layer or a block comes to at an input shape; `held` are the elements of the tensor that its input is, or
    is a part of, and `pooled` says of the input what `Signal.pooled` does."""
    if isinstance(node, Join):
        meter = _Meter(held)
        return meter.total(node.flow(Signal(shape, pooled=pooled), meter))
    assert isinstance(node, Layer)
    found = facts_of(node, shape)
    pooled = found.pools or (pooled and found.pointwise)
    is_map = len(found.output_shape) == 3 and not pooled
    made = 0 if node.is_view else found.elements
    sums = _Sums(found.fixed.weights + found.fixed.biases, found.fixed.macs, found.elements)
    last_map = (found.windows,) if is_map else ()
    view = node.is_view
    return _Part(found.output_shape, sums, int(node.weighted), found.windows, last_map, made, made, made, view, pooled)


def _apart(head: _Part, shape: Shape) -> _Part:
    """An auxiliary head on maps of this shape: it is counted by itself, and nothing of it runs at inference."""
    sums = head.sums
    apart = _Sums(aux_params=sums.params + sums.aux_params, aux_macs=sums.macs + sums.aux_macs)
    return _Part(head.output_shape, apart, peak_last=-prod(shape))


class _Step(NamedTuple):
    """A child of a join, or the addition or concatenation where its children meet, in order of execution."""

    reads: tuple[int, ...]
    """The numbers of the tensors that it reads."""
    leaves: int
    """The number of the tensor that is its output: one of `reads` where no new one is made."""
    part: _Part


class _Meter:
    """Adds up what runs through a join; its input is tensor 0, and the fields of signals begin there."""

    def __init__(self, held: int) -> None:
        self.sizes = [held]
        self.steps: list[_Step] = []
        self.heads: list[_Part] = []
        self.last_map: tuple[Field | None, ...] = ()

    def run(self, name: str, child: Node, x: Signal) -> Signal:
        part = _part(child, x.shape, self.sizes[x.source], x.pooled)
        if isinstance(child, Aux):
            self.heads.append(_apart(part, x.shape))
            return x
        if part.windows is None and isinstance(child, Join) and x.field and not all(axis.stride for axis in x.field):
            raise _OnePixelError
        field = advance(x.field, part.windows)
        if part.last_map:
            same = part.last_map[0] == part.windows
            self.last_map = (field if same else advance(x.field, part.last_map[0]),)
        tensor = x.source if part.is_view else self._tensor(part.held)
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
        tensor = self._tensor(elements)
        reads = tuple(part.source for part in parts)
        part = _Part(shape, _Sums(activations=elements), peak_shared=elements, peak_last=elements)
        self.steps.append(_Step(reads, tensor, part))
        return Signal(shape, field, max(part.depth for part in parts), tensor, pooled)

    def _tensor(self, elements: int) -> int:
        self.sizes.append(elements)
        return len(self.sizes) - 1

    def total(self, y: Signal) -> _Part:
        """What the join comes to whose output is y."""
        parts = [*(step.part for step in self.steps), *self.heads]
        sums = _Sums._make(map(sum, zip(_Sums(), *(part.sums for part in parts), strict=True)))
        last_map = tuple(map(_windows, self.last_map))
        held, view = self.sizes[y.source], y.source == 0
        return _Part(y.shape, sums, y.depth, _windows(y.field), last_map, *self._peaks(), held, view, y.pooled)

    def _peaks(self) -> tuple[int, int]:
        """`peak_shared` and `peak_last` of the join, by the rule `Report.liveness`."""
        last = {tensor: number for number, step in enumerate(self.steps) for tensor in (*step.reads, step.leaves)}
        alive, shared = self.sizes[0], 0  # shared: the input, once nothing in here reads it any more
        peak_shared = peak_last = 0
        for number, (reads, leaves, part) in enumerate(self.steps):
            more = part.peak_last if last[reads[0]] == number and leaves != reads[0] else part.peak_shared
            peak_last = max(peak_last, alive + more)
            peak_shared = max(peak_shared, alive + shared + (more if reads[0] else part.peak_shared))
            if leaves not in reads:
                alive += self.sizes[leaves]
            for tensor in {*reads, leaves}:
                if last[tensor] == number:
                    alive -= self.sizes[tensor]
            if last.get(0) == number:
                shared = self.sizes[0]
        return peak_shared - self.sizes[0], peak_last - self.sizes[0]


def _windows(field: Field | None) -> Windows | None:
    """A receptive field within a block as the window that the whole block is."""
    return None if field is None else (Window(*field[0]), Window(*field[1]))
