"""The calculator: a description and an input size in, a `Report` out; exact integers, no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple, TypeVar

from .arch.axes import Axis, Phases
from .arch.joins import Aux, Join
from .arch.node import Kept, Layer, Node
from .arch.rules import is_whole
from .arch.signal import (
    PIXEL,
    POINTWISE,
    Reads,
    Seen,
    Shape,
    ShapeError,
    Signal,
    Turned,
    checked,
    merge,
    show,
)
from .arch.turning import behind
from .arch.walker import Walker
from .errors import InvalidValueError
from .plugins import called
from .report import ITEM_BYTES, IntOrPair, Report, Row
from .report.rows import ALL_KNOWN, NOTHING, Extent, Pace
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
    found = _Calculation(tuple(input_size), batch_size, ITEM_BYTES[dtype])
    found.run("", description, Signal(tuple(input_size), PIXEL if len(input_size) == 3 else None))
    rows = found.rows()
    about |= {"last_map": found.last_map(rows), "description": description}
    return Report(rows, tuple(found.frames), tuple(input_size), batch_size, dtype, **about)


def check_size(input_size: Shape) -> None:
    """Raise the `ShapeError` of what is no input size."""
    if not input_size or any(type(length) is not int or length < 1 for length in input_size):
        wanted = "input_size must be positive whole numbers (channels, height, width)"
        raise ShapeError(f"{wanted}, got {quoted(tuple(input_size))}")
    checked(tuple(input_size), "an input")


STEPS = ("add", "cat")
"""The kinds of rows that are a join's own step."""


class Fixed(NamedTuple):
    """What a row says of a layer at an input shape wherever that layer stands: the fields of `Row` from `kind` to
    `connections`, in their order."""

    kind: str
    settings: Mapping[str, Any]
    input_shape: Shape
    output_shape: Shape
    tensors: Mapping[str, Shape]
    buffer_tensors: Mapping[str, Shape]
    weights: int = 0
    biases: int = 0
    buffers: int = 0
    macs: int = 0
    comparisons: int = 0
    additions: int = 0
    multiplications: int = 0
    exponentials: int = 0
    connections: int = 0


class Facts(NamedTuple):
    """All that is known of a layer at an input shape, wherever it stands."""

    output_shape: Shape
    fixed: Fixed
    windows: Reads | None
    elements: int
    """Of the output."""
    kept: Kept
    pools: bool
    """Whether it is a pooling to a fixed size."""
    pointwise: bool
    """Whether each position of its output is made of the same position of its input; a pooling is none of these."""
    alike: bool
    """Whether all positions of its output read as much, as far apart."""


@lru_cache(maxsize=1 << 14)
def facts_of(layer: Layer, shape: Shape) -> Facts:
    """What the layer states of itself at an input shape, worked out once for equal layers and shapes.

    Raises `ShapeError` where it cannot take the shape, or states what no tensor or no count can be, and `PluginError`
    where a plugin's layer fails in another way.
    """
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
    weights = sum(map(prod, tensors.values())) - biases
    connections = layer.fan_in(shape) + (outputs if layer.weighted and biases else 0)
    counts = (weights, biases, sum(map(prod, buffers.values())), layer.macs(shape), *layer.work(shape), connections)
    kept = Kept(*layer.kept(shape))
    for figure in (*counts, kept.elements, kept.indices):
        if not is_count(figure):
            raise ShapeError(f"{kind}: a count must be a whole number below 2**{BITS}, got {quoted(figure)}")
    fixed = Fixed(kind, layer.settings, shape, output_shape, tensors, buffers, *counts)
    windows, pools = layer.windows(shape), layer.pools
    alike = windows is not None and not any(isinstance(window, Phases) for window in windows)
    return Facts(output_shape, fixed, windows, outputs, kept, pools, windows == POINTWISE and not pools, alike)


@lru_cache(maxsize=1 << 12)
def _meeting(kind: str, input_shape: Shape, output_shape: Shape, additions: int) -> Fixed:
    """What a row says of the addition or concatenation in which a join's children meet."""
    return Fixed(kind, {}, input_shape, output_shape, {}, {}, additions=additions)


BITS = 256
"""Bits of the largest count: more than the product of four lengths has."""


def is_count(value: Any) -> bool:
    """Whether a figure that a layer states is a whole number of at most `BITS` bits."""
    return type(value) in (int, bool) and 0 <= value < 1 << BITS


class _Step(NamedTuple):
    """A layer, or the addition or concatenation of a join, in order of execution: a row in the making."""

    path: str
    fixed: Fixed
    y: Signal
    aux: bool
    stored_bytes: int
    reads: tuple[int, ...]
    """The numbers of the tensors that it reads at inference."""
    fills: int
    """The number of the tensor that it writes its output to: one of `reads` where inference makes no new tensor."""


class _Calculation(Walker[Signal]):
    """The walk of a `Signal` through a description: a step for each layer and each meeting, a row for each block."""

    def __init__(self, input_size: Shape, batch_size: int, item: int) -> None:
        self.element = item
        self.item = item * batch_size
        self.index = 8 * batch_size
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

    def block(self, join: Join, x: Signal) -> Signal:
        outer = self.entered, self.aux
        aux = self.aux or isinstance(join, Aux)
        self.entered, self.aux = x.shape, aux
        number = len(self.frames)
        self.frames.append(NOTHING)  # a block stands before those in it
        y = join.flow(x, self)
        fixed = Fixed(type(join).__name__, {}, x.shape, y.shape, {}, {})
        self.frames[number] = Row(self.path, *fixed, 0, *_seen(y), aux)  # no depth: blocks get their rows' sums
        self.entered, self.aux = outer
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

    def layer(self, layer: Layer, x: Signal) -> Signal:
        shape, field, depth, source, pooled = x
        try:
            output_shape, fixed, windows, elements, kept, pools, pointwise, _ = facts_of(layer, shape)
        except ShapeError as error:
            raise error.at(self.path) from None
        held = self.holder[source]
        input_kept, output_kept, more, indices, statistics, copies, contiguous = kept
        stored = 0
        if more or indices or statistics:
            stored = more * self.item + indices * self.index + statistics * self.element
        if input_kept and contiguous and self.sizes[source] > (own := prod(shape)):
            stored += own * self.item
        elif input_kept and source not in self.kept:
            self.kept.add(source)
            stored += self.sizes[source] * self.item
        if not layer.is_view or copies:
            source = self._tensor(elements, held if layer.is_view else None)
        if output_kept:
            self.kept.add(source)
            stored += elements * self.item
        if not pointwise or type(field) is Turned:
            field, pooled = behind(layer, shape, field, windows), pools or (pointwise and pooled)
        y = Signal(output_shape, field, depth + layer.weighted, source, pooled)
        self.steps.append(_Step(self.path, fixed, y, self.aux, stored, (held,), self.holder[source]))
        return y

    def _meet(self, kind: str, shape: Shape, parts: tuple[Signal, ...], additions: int) -> Signal:
        fixed = _meeting(kind, self.entered, shape, additions)
        source = self._tensor(prod(shape), None)
        y = Signal(shape, merge(parts), max(part.depth for part in parts), source, all(part.pooled for part in parts))
        reads = tuple(self.holder[part.source] for part in parts)
        self.steps.append(_Step(self.path, fixed, y, self.aux, 0, reads, source))
        return y

    def _tensor(self, elements: int, held_by: int | None) -> int:
        number = len(self.sizes)
        self.sizes.append(elements)
        self.holder.append(number if held_by is None else held_by)
        return number

    def rows(self) -> tuple[Row, ...]:
        """The rows, with what is alive at inference while each runs, by the rule `Report.liveness`."""
        sizes, item = self.sizes, self.item
        last: dict[int, int] = {}
        for number, step in enumerate(self.steps):
            if not step.aux:
                for tensor in step.reads:
                    last[tensor] = number
                last[step.fills] = number
        freed = [0] * len(self.steps)
        for tensor, number in last.items():
            freed[number] += sizes[tensor]
        rows = []
        alive = sizes[0]
        field: Seen | None = None
        dimensions, call, uneven = 0, 1, False
        seen = Sight()
        for number, (path, fixed, y, aux, stored_bytes, reads, fills) in enumerate(self.steps):
            if y.field is not field or len(y.shape) != dimensions or uneven:
                field, dimensions = y.field, len(y.shape)
                seen = _seen(y)
                uneven = field is not None and (type(field[0]) is Phases or type(field[1]) is Phases)
            live_bytes = 0
            if not aux:
                if fills not in reads:
                    alive += sizes[fills]
                live_bytes = alive * item
                alive -= freed[number]
            size = prod(y.shape) * item
            trainable, own = fixed.weights + fixed.biases, fixed.kind in STEPS
            row = (path, *fixed, y.depth, *seen, aux, size, live_bytes, stored_bytes, trainable, call, own, ALL_KNOWN)
            rows.append(Row._make(row))
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


class Sight(NamedTuple):
    """What a position of an output sees of the input: the fields of `Row` of these names."""

    receptive_field: Extent | None = None
    effective_stride: Pace | None = None
    effective_padding: IntOrPair | None = None


def _seen(y: Signal) -> Sight:
    """The receptive field as a report has it; effective stride and padding belong to maps alone."""
    if y.field is None:
        return Sight()
    height, width, *_ = y.field
    if len(y.shape) != 3:
        return Sight(extent(y.field, y.shape))
    if height == width and type(height) is Axis:
        return Sight._make(height)
    return Sight(
        extent(y.field, y.shape),
        square(height.stride, width.stride),
        square(height.padding, width.padding),
    )


def extent(field: Seen, shape: Shape) -> Extent:
    """How much of the input the positions of an output of this shape see; all that is no map is one position."""
    order = field.order if isinstance(field, Turned) else (0, 1, 2)
    height, width = (
        axis.size if isinstance(axis, Axis) else axis.size_of(shape[order.index(place)] if len(shape) == 3 else 1)
        for place, axis in enumerate(field[:2], 1)
    )
    return square(height, width)


Side = TypeVar("Side")


def square(height: Side, width: Side) -> Side | tuple[Side, Side]:
    """A pair of equals as one of them."""
    return height if height == width else (height, width)
