"""The calculator: a description and an input size in, a `Report` out; exact integers, no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, NamedTuple, TypeVar

from .arch.axes import Axis, made
from .arch.edit import walk
from .arch.join import Join
from .arch.meetings import Add, Meeting
from .arch.node import Layer, Node, Ports
from .arch.rules import count_of
from .arch.sequential import Aux, ModuleList
from .arch.sights import gated_behind, united, united_with_gates
from .arch.signal import (
    PIXEL,
    Seen,
    Shape,
    ShapeError,
    Signal,
    Turned,
    checked,
    show,
)
from .arch.steps import Several, Step, entered_first, first_of, values_of
from .arch.turning import behind
from .arch.walker import Walker
from .errors import InvalidValueError
from .facts import Fixed, facts_of, meeting_of
from .report import ITEM_BYTES, IntOrPair, Report, Row, Unknown
from .report.rows import ALL_KNOWN, NOTHING, Extent, Pace
from .words import quoted


def calculate(
    description: Node,
    input_size: Shape | Sequence[Shape],
    *,
    batch_size: int = 1,
    dtype: str = "float32",
    **about: Any,
) -> Report:
    """The report of a description at an input size (channels first, per sample); of one that takes several values, at
    as many sizes; of one with `Regions` at that of the image alone, or of it and the boxes (n, 4).

    Raises `ShapeError`, with the path, where a layer or a join cannot take what reaches it. `about` is
    what the report says of itself: model, paper, printed.
    """
    first, *more = sizes = sizes_of(description, input_size)
    count_of("batch_size", batch_size)
    if dtype not in ITEM_BYTES:
        raise InvalidValueError(f"unknown dtype {dtype!r}; there are {', '.join(ITEM_BYTES)}")
    found = _Calculation(sizes, batch_size, ITEM_BYTES[dtype])
    y = found.run("", description, entering(description, sizes))
    rows = found.rows(y)
    about |= {"last_map": found.last_map(rows), "description": description, "more_inputs": tuple(more)}
    about |= {"unknown": tuple(found.unknown)}
    return Report(rows, found.blocks(description), first, batch_size, dtype, **about)


def shapes_of(input_size: Any) -> tuple[Shape, ...]:
    """The shapes of the inputs, of one or several; raises the `ShapeError` of what is no input size."""
    size = tuple(input_size)
    several = size and isinstance(size[0], tuple | list) and all(isinstance(one, tuple | list) for one in size)
    shapes: tuple[Shape, ...] = tuple(map(tuple, size)) if several else (size,)
    for shape in shapes:
        if not shape or any(type(length) is not int or length < 1 for length in shape):
            wanted = "input_size must be positive whole numbers (channels, height, width)"
            raise ShapeError(f"{wanted}, got {quoted(shape)}")
        checked(shape, "an input")
    return shapes


def sizes_of(description: Node, input_size: Any) -> tuple[Shape, ...]:
    """The shapes of all inputs of a description: where boxes are one of two and the image alone is given, as many boxes
    as its `Regions` say. Raises what `shapes_of` does."""
    shapes = shapes_of(input_size)
    boxes = description._regions and len(shapes) == 1 and len(description._takes) == 2
    return (*shapes, (description._regions, 4)) if boxes else shapes


def entering(description: Node, shapes: Sequence[Shape]) -> Any:
    """What enters a network: a `Signal`, or `Several` of them."""
    if not isinstance(description, Layer | Join):
        raise ShapeError(f"{description!r} is a step, and no network; steps stand in a Sequential")
    signals = [Signal(shape, PIXEL if len(shape) == 3 else None, source=number) for number, shape in enumerate(shapes)]
    names = names_of(description, len(signals))
    try:
        description._enter(names)
    except ShapeError as error:
        raise ShapeError(f"the network {error.problem}; input_size={', '.join(map(show, shapes))}") from None
    if names and names[-1] not in description._takes:
        read = ", ".join(f"input.{port}" for port in sorted(description._takes))
        raise ShapeError(f"the network is given {len(names)} inputs, of which it reads {read}")
    return Several(zip(names, signals, strict=True)) if names else signals[0]


def names_of(description: Node, count: int) -> Ports:
    """What so many values that enter a network are called in it, empty for one: their positions; where it reads others
    than these, the names that it reads, in the order in which it takes them."""
    takes = tuple(filter(None, description._takes))
    positions = tuple(map(str, range(count)))
    named = {*takes} - {*positions}
    if len(takes) == count and named and not any(map(str.isdecimal, named)):
        return takes
    return positions if count > 1 else ()


UNCOUNTED: tuple[Any, ...] = NOTHING[Row._fields.index("non_persistent") : Row._fields.index("receptive_field")]
"""Fields of the row of a block before it gets the sums of its rows."""

UNMEASURED: tuple[Any, ...] = NOTHING[Row._fields.index("activation_bytes") :]
"""Its last ones, likewise."""

REST = (ALL_KNOWN, (), (), 0)
"""The last fields of the row of a layer."""

STEPS = ("add", "cat", "mul", "sub")
"""The kinds of rows that are a join's own step."""


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

    def __init__(self, input_sizes: Sequence[Shape], batch_size: int, item: int) -> None:
        self.element = item
        self.item = item * batch_size
        self.index = 8 * batch_size
        self.entered = input_sizes[0]
        self.aux = False
        self.regions = False
        """Whether it is among the layers of `Regions`."""
        self.steps: list[_Step] = []
        self.frames: dict[str, Row] = {}
        """The blocks by path, one before those in it."""
        self.sizes = [*map(prod, input_sizes)]
        """Elements of each tensor; the inputs are the first."""
        self.holder = [*range(len(self.sizes))]
        """The tensor that holds each one at inference: itself, or the source of a view."""
        self.inputs = sum(self.sizes)
        """Elements of the inputs."""
        self.kept: set[int] = set()
        """The tensors that autograd keeps."""
        self.runs = False
        """Whether layers run again."""
        self.unstated: dict[int, tuple[str, ...]] = {}
        """The figures that are unknown, by the numbers of the steps."""
        self.unknown: dict[Unknown, None] = {}

    def block(self, join: Join, x: Signal) -> Signal:
        outer = self.entered, self.aux, self.regions
        aux = self.aux or isinstance(join, Aux)
        path, first = self.path, entered_first(join, self.path, x)
        self.entered, self.aux, self.regions = first.shape, aux, self.regions or join._takes_regions
        again = self.frames.setdefault(path, NOTHING) is not NOTHING
        try:
            y = join.flow(x, self)
        except ShapeError as error:
            raise error.at(path) from None
        if not again:
            last = first_of(y)
            head: tuple[Any, ...] = path, type(join).__name__, {}, first.shape, _whole(last, first), {}, {}
            row = made(Row, (*head, *UNCOUNTED, *_seen(last), aux, *UNMEASURED))
            if isinstance(x, Several) or isinstance(y, Several):
                read = [x.part(port) for port in join._takes] if path and isinstance(x, Several) else values_of(x)
                taken, given = (tuple(_whole(one, first) for one in values[1:]) for values in (read, values_of(y)))
                row = row._replace(more_inputs=taken, more_outputs=given)
            self.frames[path] = row._replace(regions=first.regions) if first.regions else row
        self.entered, self.aux, self.regions = outer
        return y

    def again(self, step: Step, x: Signal) -> Signal:
        self.runs = True
        return super().again(step, x)

    def meeting(self, meeting: Meeting, parts: list[Signal], own: bool) -> Signal:
        x, shapes = parts[0], tuple([part.shape for part in parts])
        regions = shapes[1][0] if meeting._of_regions and len(shapes[1]) == 2 else x.regions
        if regions and not self.regions:
            self._outside()
        try:
            fixed = meeting_of(meeting, shapes, self.entered if own else None)
        except ShapeError as error:
            if own and isinstance(meeting, Add):
                raise ShapeError(
                    f"cannot add {show(x.shape)} to a shortcut of {show(parts[1].shape)}; "
                    f"a downsample from {show(self.entered)} to {show(x.shape)} would fit",
                    self.path,
                ) from None
            raise error.at(self.path) from None
        shape = fixed.output_shape
        elements = prod(shape) * (regions or 1)
        stored = 0
        if meeting._of_regions:
            kept = meeting.kept(shapes)
            stored = (kept.elements * self.item + kept.indices * self.index) * regions
        if meeting.keeps_inputs:
            for part in parts[meeting.elements_of]:
                if part.source not in self.kept:
                    self.kept.add(part.source)
                    stored += self.sizes[part.source] * self.item
        source = len(self.sizes)
        self.sizes.append(elements)
        self.holder.append(source)
        field = united(meeting, parts, shape)
        gated = united_with_gates(meeting, parts, shape, field)
        _, _, depths, _, pooled, _, foreign, _ = zip(*parts[meeting.elements_of], strict=True)
        pools = meeting.pools or all(pooled)
        y = Signal(shape, field, max(depths), source, pools, gated, any(foreign), regions)
        if y.foreign or meeting.unstated:
            self.unstated[len(self.steps)] = (*["depth"] * y.foreign, *meeting.unstated)
        if meeting.unstated:
            self.unknown[Unknown(self.path, type(meeting).__name__, meeting.why)] = None
        reads = tuple([self.holder[part.source] for part in parts])
        self.steps.append(_Step(self.path, fixed, y, self.aux, stored, reads, source))
        return y

    def layer(self, layer: Layer, x: Signal) -> Signal:
        shape, field, depth, source, pooled, gated, foreign, regions = x
        try:
            output_shape, fixed, windows, elements, kept, pools, pointwise, _ = facts_of(layer, shape)
        except ShapeError as error:
            raise error.at(self.path) from None
        held = self.holder[source]
        input_kept, output_kept, more, indices, statistics, copies, contiguous = kept
        if regions:
            if not self.regions:
                self._outside()
            elements, more, indices = elements * regions, more * regions, indices * regions
        stored = 0
        if more or indices or statistics:
            stored = more * self.item + indices * self.index + statistics * self.element
        several = self.item > self.element or regions > 1  # samples, whose parts are not next to each other
        if input_kept and contiguous and several and self.sizes[source] > (own := prod(shape) * (regions or 1)):
            stored += own * self.item
        elif input_kept and source not in self.kept:
            self.kept.add(source)
            stored += self.sizes[source] * self.item
        if not layer.is_view or copies:
            source = len(self.sizes)
            self.sizes.append(elements)
            self.holder.append(held if layer.is_view else source)
        if output_kept:
            self.kept.add(source)
            stored += elements * self.item
        if not pointwise or type(field) is Turned:
            field, pooled = behind(layer, shape, field, windows), pools or (pointwise and pooled)
            if gated:
                gated = gated_behind(layer, x, windows, output_shape, field)
        if foreign or layer.unstated:
            foreign = True
            self._unstated(layer)
        y = made(Signal, (output_shape, field, depth + layer.weighted, source, pooled, gated, foreign, regions))
        self.steps.append(made(_Step, (self.path, fixed, y, self.aux, stored, (held,), self.holder[source])))
        return y

    def _outside(self) -> None:
        wanted = "what reads it stands in the Regions, or gives it with others: Outputs"
        raise ShapeError(f"reads a value of each region of all images, outside of the Regions; {wanted}", self.path)

    def _unstated(self, layer: Layer) -> None:
        """Note what is unknown of the step that comes next: its depth, and what its layer does not state."""
        self.unstated[len(self.steps)] = ("depth", *layer.unstated)
        if layer.unstated:
            what = layer.settings.get("operation", type(layer).__name__)
            self.unknown[Unknown(self.path, what, layer.why)] = None

    def blocks(self, description: Node) -> tuple[Row, ...]:
        """The blocks before their rows are added up, in the order of the description; lists of layers that run by
        `Run` alone are blocks without shapes."""
        if not self.runs:
            return tuple(self.frames.values())
        found = [
            NOTHING._replace(path=path, kind="ModuleList") if isinstance(node, ModuleList) else self.frames.get(path)
            for path, node in walk(description)
        ]
        return tuple(filter(None, found))

    def rows(self, y: Signal) -> tuple[Row, ...]:
        """The rows of a network that gives y, with what is alive at inference while each runs, by the rule
        `Report.liveness`."""
        sizes, item = self.sizes, self.item
        last: dict[int, int] = {}
        for number, (_, _, _, aux, _, reads, fills) in enumerate(self.steps):
            if not aux:
                for tensor in reads:
                    last[tensor] = number
                last[fills] = number
        for signal in values_of(y):
            last.pop(self.holder[signal.source], None)  # what is returned lives to the end
        freed = [0] * len(self.steps)
        for tensor, number in last.items():
            freed[number] += sizes[tensor]
        rows = []
        alive = self.inputs
        field: Seen | None = None
        gates: Any = ()
        sides: Shape = ()
        call, seen = 1, Sight()
        for number, (path, fixed, y, aux, stored_bytes, reads, fills) in enumerate(self.steps):
            shape, sees, depth, _, _, gated, _, regions = y
            if sees is not field or gated is not gates or shape[1:] != sides:
                field, gates, sides = sees, gated, shape[1:]
                seen = _seen(y)
            live_bytes = 0
            if not aux:
                if fills not in reads:
                    alive += sizes[fills]
                live_bytes = alive * item
                alive -= freed[number]
            size = prod(shape) * item * (regions or 1)
            trainable, own = fixed.weights + fixed.biases, fixed.kind in STEPS
            row = (path, *fixed, depth, *seen, aux, size, live_bytes, stored_bytes, trainable, call, own, *REST)
            rows.append(made(Row, row).of_regions(regions) if regions else made(Row, row))
        for number, names in self.unstated.items():
            rows[number] = rows[number].in_part(names)
        return tuple(self._called(rows) if self.runs else rows)

    @staticmethod
    def _called(rows: list[Row]) -> Iterator[Row]:
        """The rows with the calls of layers that run again numbered: the parameters are those of the first."""
        first: dict[str, Row] = {}
        calls: Counter[str] = Counter()
        for row in rows:
            if row.own:
                yield row
                continue
            calls[row.path] += 1
            before = first.setdefault(row.path, row)
            if row.tensors != before.tensors:
                ours, theirs = (", ".join(map(show, one.tensors.values())) for one in (before, row))
                given = f"{show(row.input_shape)}; the first was {show(before.input_shape)}"
                raise ShapeError(f"has tensors of {ours} and would need {theirs} for an input of {given}", row.path)
            if before is row:
                yield row
                continue
            none: dict[str, Any] = dict.fromkeys(("weights", "biases", "buffers", "trainable_params"), 0)
            yield row._replace(call=calls[row.path], **none)

    def last_map(self, rows: Sequence[Row]) -> Row | None:
        """The last map on the way to the classifier, which begins with the final pooling to a fixed size."""
        for number in range(len(rows) - 1, -1, -1):
            y = self.steps[number].y
            if len(y.shape) == 3 and not (y.pooled or self.steps[number].aux):
                return rows[number]
        return None


def _whole(y: Signal, x: Signal) -> Shape:
    """The shape of y beside one of x: that of all regions where x is none of each, and there are several."""
    return (y.regions, *y.shape) if y.regions > 1 and not x.regions else y.shape


class Sight(NamedTuple):
    """What a position of an output sees of the input: the fields of `Row` of these names."""

    receptive_field: Extent | None = None
    effective_stride: Pace | None = None
    effective_padding: IntOrPair | None = None
    gated_field: Extent | None = None


def _seen(y: Signal) -> Sight:
    """The receptive field as a report has it; effective stride and padding belong to maps alone."""
    if y.field is None:
        return Sight(gated_field=_gated(y, None))
    height, width = y.field[:2]
    if len(y.shape) != 3:
        size = extent(y.field, y.shape)
        return Sight(size, gated_field=_gated(y, size))
    if type(height) is Axis and height == width:
        return made(Sight, (*height, _gated(y, height.size) if y.gated else height.size))
    size = extent(y.field, y.shape)
    steps, offsets = square(height.stride, width.stride), square(height.padding, width.padding)
    return Sight(size, steps, offsets, _gated(y, size))


def _gated(y: Signal, size: Extent | None) -> Extent | None:
    """How much positions see with the gates, if they see so much without."""
    if not y.gated:
        return size
    return None if y.gated[0] is None else extent(y.gated[0], y.shape)


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
