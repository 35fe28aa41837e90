"""The calculator: a description and an input size in, a `Report` out; exact integers, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

from .arch.joins import Aux, Join
from .arch.node import Kept, Layer, Node, is_whole
from .arch.pooling import AdaptiveAvgPool2d
from .arch.signal import PIXEL, POINTWISE, Field, Shape, ShapeError, Signal, Windows, advance, checked, merge, show
from .errors import InvalidValueError
from .plugins import called
from .report import ITEM_BYTES, IntOrPair, Report, Row
from .report.rows import ALL_KNOWN, NOTHING
from .words import quoted


def calculate(
    description: Node, input_size: Shape, *, batch_size: int = 1, dtype: str = "float32", **about: Any
) -> Report:
    """The report of a description at an input size (channels first, per sample).

    Raises `ShapeError`, with the path, where a layer or a join cannot take what reaches it. `about` is
    what the report says of itself: model, paper, printed.
    """
    check_size(input_size)
    if not is_whole(batch_size, 1):
        raise InvalidValueError(f"batch_size must be a whole number of at least 1, got {quoted(batch_size)}")
    if dtype not in ITEM_BYTES:
        raise InvalidValueError(f"unknown dtype {dtype!r}; there are {', '.join(ITEM_BYTES)}")
    trace = _Trace(tuple(input_size), batch_size, ITEM_BYTES[dtype])
    trace.run("", description, Signal(tuple(input_size), PIXEL if len(input_size) == 3 else None))
    rows = trace.rows()
    about |= {"last_map": trace.last_map(rows), "description": description}
    return Report(rows, tuple(trace.frames), tuple(input_size), batch_size, dtype, **about)


def check_size(input_size: Shape) -> None:
    if not input_size or any(type(length) is not int or length < 1 for length in input_size):
        wanted = "input_size must be positive whole numbers (channels, height, width)"
        raise ShapeError(f"{wanted}, got {quoted(tuple(input_size))}")
    checked(tuple(input_size), "an input")


STEPS = ("add", "cat")
"""The kinds of rows that are a join's own step."""


class Facts(NamedTuple):
    """What a layer is at an input shape, wherever it stands."""

    output_shape: Shape
    columns: tuple[Any, ...]
    """The row's from `kind` to `connections`."""
    windows: Windows | None
    elements: int
    """Of the output."""
    kept: Kept
    pooled: tuple[bool, bool]
    """`Signal.pooled` behind it, where that is False before it, and where it is True."""


@lru_cache(maxsize=1 << 14)
def facts_of(layer: Layer, shape: Shape) -> Facts:
    kind = type(layer).__name__
    with called(kind, type(layer)):
        return _facts_of(kind, layer, shape)


def _facts_of(kind: str, layer: Layer, shape: Shape) -> Facts:
    output_shape = checked(layer.output_shape(shape), f"{kind}: an output")
    tensors, buffers = layer.tensors(shape), layer.buffers(shape)
    for name, own in (*tensors.items(), *buffers.items()):
        checked(own, f"{kind}: a {name}")
    biases = prod(tensors["bias"]) if "bias" in tensors else 0
    outputs = prod(output_shape)
    columns = (
        kind,
        layer.settings,
        shape,
        output_shape,
        tensors,
        buffers,
        sum(map(prod, tensors.values())) - biases,
        biases,
        sum(map(prod, buffers.values())),
        layer.macs(shape),
        *layer.work(shape),
        layer.fan_in(shape) + (outputs if layer.weighted and biases else 0),
    )
    kept = Kept(*layer.kept(shape))
    for figure in (*columns[6:], kept.elements, kept.indices):
        if not is_count(figure):
            raise ShapeError(f"{kind}: a count must be a whole number below 2**{BITS}, got {quoted(figure)}")
    windows, pools = layer.windows(shape), isinstance(layer, AdaptiveAvgPool2d)
    return Facts(output_shape, columns, windows, outputs, kept, (pools, pools or windows == POINTWISE))


BITS = 256
"""Of the largest count: more than the product of four lengths."""


def is_count(value: Any) -> bool:
    return type(value) in (int, bool) and 0 <= value < 1 << BITS


class _Step(NamedTuple):
    """A row in the making: which tensors it reads and which it fills, at inference."""

    path: str
    columns: tuple[Any, ...]
    y: Signal
    aux: bool
    stored: int
    reads: tuple[int, ...]
    fills: int
    """One of `reads` where it makes no tensor of its own."""


class _Trace:
    """The flow of a `Signal` through a description, step by step."""

    def __init__(self, input_size: Shape, batch_size: int, item: int) -> None:
        self.element = item
        self.item = item * batch_size
        self.index = 8 * batch_size
        self.path = ""
        self.entered = input_size
        self.aux = False
        self.steps: list[_Step] = []
        self.frames: list[Row] = []
        self.sizes = [prod(input_size)]
        """Elements of each tensor; the input is tensor 0."""
        self.holder = [0]
        """The tensor that holds each one at inference: itself, or the source of a view."""
        self.kept: set[int] = set()
        """The tensors that autograd keeps."""

    def run(self, name: str, child: Node, x: Signal) -> Signal:
        outer = self.path
        path = f"{outer}.{name}" if outer else name
        if isinstance(child, Layer):
            try:
                facts = facts_of(child, x.shape)
            except ShapeError as error:
                raise error.at(path) from None
            return self._leaf(path, child, facts, x)
        assert isinstance(child, Join)
        before = self.path, self.entered, self.aux
        aux = self.aux or isinstance(child, Aux)
        self.path, self.entered, self.aux = path, x.shape, aux
        place = len(self.frames)
        self.frames.append(NOTHING)  # keeps the block's place before what is in it
        y = child.flow(x, self)
        counts = (0,) * 10
        self.frames[place] = Row(path, type(child).__name__, {}, x.shape, y.shape, {}, {}, *counts, *_seen(y), aux)
        self.path, self.entered, self.aux = before
        return y

    def add(self, x: Signal, y: Signal) -> Signal:
        if x.shape != y.shape:
            raise ShapeError(
                f"cannot add {show(x.shape)} to a shortcut of {show(y.shape)}; "
                f"a downsample from {show(self.entered)} to {show(x.shape)} would fit",
                self.path,
            )
        return self._meet("add", x.shape, (x, y), prod(x.shape))

    def cat(self, parts: list[Signal]) -> Signal:
        try:
            shape = stacked([part.shape for part in parts])
        except ShapeError as error:
            raise error.at(self.path) from None
        return self._meet("cat", shape, tuple(parts), 0)

    def _leaf(self, path: str, layer: Layer, facts: Facts, x: Signal) -> Signal:
        shape, columns, windows, elements, kept, behind = facts
        _, field, depth, source, pooled = x
        held = self.holder[source]
        input_kept, output_kept, more, indices, statistics, copies = kept
        stored = 0
        if more or indices or statistics:
            stored = more * self.item + indices * self.index + statistics * self.element
        if input_kept and source not in self.kept:
            self.kept.add(source)
            stored += self.sizes[source] * self.item
        if not layer.is_view or copies:
            source = self._tensor(elements, held if layer.is_view else None)
        if output_kept:
            self.kept.add(source)
            stored += elements * self.item
        y = Signal(shape, advance(field, windows), depth + layer.weighted, source, behind[pooled])
        self.steps.append(_Step(path, columns, y, self.aux, stored, (held,), self.holder[source]))
        return y

    def _meet(self, kind: str, shape: Shape, parts: tuple[Signal, ...], additions: int) -> Signal:
        columns: tuple[Any, ...] = (kind, {}, self.entered, shape, {}, {}, 0, 0, 0, 0, 0, additions, 0, 0, 0)
        source = self._tensor(prod(shape), None)
        y = Signal(shape, merge(parts), max(part.depth for part in parts), source, all(part.pooled for part in parts))
        reads = tuple(self.holder[part.source] for part in parts)
        self.steps.append(_Step(self.path, columns, y, self.aux, 0, reads, source))
        return y

    def _tensor(self, elements: int, held_by: int | None) -> int:
        number = len(self.sizes)
        self.sizes.append(elements)
        self.holder.append(number if held_by is None else held_by)
        return number

    def rows(self) -> tuple[Row, ...]:
        """The rows, with what is alive at inference while each runs, by the rule `Report.liveness`."""
        sizes = self.sizes
        last: dict[int, int] = {}
        for number, (_, _, _, aux, _, reads, fills) in enumerate(self.steps):
            if not aux:
                for tensor in reads:
                    last[tensor] = number
                last[fills] = number
        freed = [0] * len(self.steps)
        for tensor, number in last.items():
            freed[number] += sizes[tensor]
        rows = []
        alive = sizes[0]
        known: tuple[Field | None, int] | None = None
        seen: tuple[IntOrPair | None, ...] = ()
        for number, (path, columns, y, aux, stored, reads, fills) in enumerate(self.steps):
            if known is None or y.field is not known[0] or len(y.shape) != known[1]:
                known, seen = (y.field, len(y.shape)), _seen(y)
            live = 0
            if not aux:
                if fills not in reads:
                    alive += sizes[fills]
                live = alive * self.item
                alive -= freed[number]
            size = sizes[y.source] * self.item
            trained, own = columns[6] + columns[7], columns[0] in STEPS
            rows.append(
                Row._make((path, *columns, y.depth, *seen, aux, size, live, stored, trained, 1, own, ALL_KNOWN))
            )
        return tuple(rows)

    def last_map(self, rows: Sequence[Row]) -> Row | None:
        """The last map on the way to the classifier, which begins with the final pooling to a fixed size."""
        for number in range(len(rows) - 1, -1, -1):
            y = self.steps[number].y
            if len(y.shape) == 3 and not (y.pooled or self.steps[number].aux):
                return rows[number]
        return None


def stacked(shapes: list[Shape]) -> Shape:
    """The shape of a concatenation."""
    first = shapes[0]
    for shape in shapes:
        if shape[1:] != first[1:] or len(shape) != len(first):
            raise ShapeError(
                f"cannot concatenate {show(shape)} after {show(first)}; maps of {show(first[1:])} would fit"
            )
    return checked((sum(shape[0] for shape in shapes), *first[1:]), "a concatenation")


def _seen(y: Signal) -> tuple[IntOrPair | None, IntOrPair | None, IntOrPair | None]:
    """Receptive field, effective stride and padding; the latter two belong to maps alone."""
    if y.field is None:
        return None, None, None
    height, width = y.field
    if len(y.shape) != 3:
        return square(height.size, width.size), None, None
    if height == width:
        return height
    return (
        square(height.size, width.size),
        square(height.stride, width.stride),
        square(height.padding, width.padding),
    )


def square(height: int, width: int) -> IntOrPair:
    return height if height == width else (height, width)
