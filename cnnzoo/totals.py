"""What descriptions come to without a report of each: what was priced once at a shape is not priced again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import NamedTuple

from .arch.axes import PHASES, Phases
from .arch.join import Flow, Join
from .arch.meetings import Meeting
from .arch.node import Layer, Node, Ports
from .arch.sequential import Aux, Sequential
from .arch.sights import united
from .arch.signal import PIXEL, POINTWISE, Reads, Seen, Shape, ShapeError, Signal, Turned, Window, Windows, advance
from .arch.steps import Step
from .arch.turning import behind
from .arch.walker import child_path
from .calculate import calculate, extent, shapes_of
from .facts import facts_of, meeting_of
from .report import ITEM_BYTES
from .report.rows import Extent
from .words import prefixes


class Totals(NamedTuple):
    """A network's totals without its rows: those of `Report.totals` by the same names, for one sample of float32."""

    output_shape: Shape
    params: int
    macs: int | None
    activations: int | None
    """Elements of all outputs."""
    depth: int | None
    aux_params: int
    aux_macs: int | None
    receptive_field: Extent | None
    peak_activation_bytes: int | None


def totals(description: Node, input_size: Shape | Sequence[Shape]) -> Totals:
    """What `calculate` comes to, for many descriptions: a block that was met before at the same shape costs nothing.

    Raises what `calculate` does.
    """
    shapes = shapes_of(input_size)
    try:
        if len(shapes) > 1 or description._takes or description._gives or not isinstance(description, Layer | Join):
            raise _NotAloneError
        whole = _part.__wrapped__(description, shapes[0], prod(shapes[0]), False)  # a whole network is not met again
    except ShapeError:
        calculate(description, shapes)  # says where
        raise
    except _NotAloneError:
        report = calculate(description, shapes)
        named = {name: value for name, value in report.totals.items() if name in Totals._fields}
        return Totals(report[""].output_shape, **named)
    shape = shapes[0]
    if isinstance(description, Aux):
        whole = _apart(whole, shape)
    windows, seen = whole.last_map[0] if whole.last_map else (None, ())
    field = behind(description, shape, PIXEL, windows)
    peak = (prod(shape) + whole.peak_last) * ITEM_BYTES["float32"]
    return Totals(
        whole.output_shape,
        depth=whole.deepest,
        receptive_field=None if field is None else extent(field, seen),
        peak_activation_bytes=peak,
        **whole.sums._asdict(),
    )


class _NotAloneError(Exception):
    """Raised where a network's totals may not follow from its blocks' alone.

    The receptive field: in front of a block with an unknown one where all positions of a map see the same pixels of
    the input, an effective stride of 0, as behind a 1x1 map that is pooled to a larger one, or where they differ;
    where some see nothing; where channels do not come first; where the period in which positions may differ comes to
    more than `PHASES`. What is foreign. Steps: where several values enter or leave the network, and where some of
    what runs again has run before, and some has not. What is counted for each region of an image."""


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
    deepest: int = 0
    """Weighted layers on the longest way in it, which may end where nothing reads on."""
    windows: Reads | None = None
    """What a position of its output reads of its input; None where that is not known."""
    last_map: tuple[tuple[Reads | None, Shape], ...] = ()
    """What a position of its last map reads of its input, and that map's shape; empty where nothing in it makes one."""
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
    phases: int = 1
    """The longest period in which positions in it may differ, where those of its input do not."""


@lru_cache(maxsize=1 << 16)
def _part(node: Node, shape: Shape, held: int, pooled: bool) -> _Part:
    """What a layer or a block comes to at an input shape; `held` are the elements of the tensor that its input is, or
    is a part of, and `pooled` says of the input what `Signal.pooled` does."""
    if isinstance(node, Join):
        meter = _Meter(held, isinstance(node, Sequential) and node._plan is not None)
        return meter.total(node.flow(Signal(shape, pooled=pooled), meter))
    assert isinstance(node, Layer)
    if node.unstated:
        raise _NotAloneError
    found = facts_of(node, shape)
    pooled = found.pools or (pooled and found.pointwise)
    is_map = len(found.output_shape) == 3 and not pooled
    made = 0 if node.is_view else found.elements
    sums = _Sums(found.fixed.weights + found.fixed.biases, found.fixed.macs, found.elements)
    last_map = ((found.windows, found.output_shape),) if is_map else ()
    depth, view = int(node.weighted), node.is_view
    part = _Part(found.output_shape, sums, depth, depth, found.windows, last_map, made, made, made, view, pooled)
    return part if found.alike else part._replace(phases=_period(found.windows))


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


@lru_cache(maxsize=1 << 12)
def _tensors(node: Node, shape: Shape) -> dict[str, Shape]:
    """The tensors of a layer or a block at an input shape."""
    return calculate(node, shape).tensors


class _Meter(Flow[Signal]):
    """Adds up what runs through a join; its input is tensor 0, and the fields of signals begin there.

    What is in the join is a part of its own, met before or not; but where a block takes or gives several values, or
    later steps read values in it, its children are.
    """

    def __init__(self, held: int, stepped: bool) -> None:
        self.sizes = [held]
        self.stepped = stepped
        """Whether what is in the join may be read, run or gone into by path."""
        self.steps: list[_Step] = []
        self.heads: list[_Part] = []
        self.last_map: tuple[tuple[Seen | None, Shape], ...] = ()
        self.phases = 1
        self.deepest = 0
        if stepped:
            self.path = ""
            """That of the block that is gone into, from the join on."""
            self.wanted: set[str] = set()
            """The paths of the values that later steps read, and of all blocks around these."""
            self.opened: set[str] = set()
            """The paths of these blocks."""
            self.seen: dict[str, Signal] = {}
            """The values at these paths."""
            self.ran: dict[str, Shape] = {}
            """The input shapes of what has run, by path."""
            self.around: set[str] = set()
            """The paths of the blocks around what has run."""

    def run(self, name: str, child: Node, x: Signal) -> Signal:
        if not self.stepped:
            return self._passed(_part(child, x.shape, self.sizes[x.source], x.pooled), child, x)
        outer, path = self.path, child_path(self.path, name)
        y: Signal
        if isinstance(child, Join) and (path in self.wanted or child._takes or child._gives):
            self.path = path
            y = child.flow(x, self)
            self.path = outer
        else:
            self._runs(path, x.shape)
            y = self._passed(_part(child, x.shape, self.sizes[x.source], x.pooled), child, x)
        if path in self.wanted:
            self.seen[path] = y
        return y

    def look(self, name: str, child: Node, x: Signal, paths: Ports) -> Signal:
        own = child_path(self.path, name)
        for path in paths:
            parts = path.split(".")
            around = [own, *(f"{own}.{'.'.join(parts[: count + 1])}" for count in range(len(parts)))]
            self.opened.update(around[:-1])
            self.wanted.update(around)
        return self.run(name, child, x)

    def inner(self, path: str) -> Signal:
        return self.seen[child_path(self.path, path)]

    def again(self, step: Step, x: Signal) -> Signal:
        """The parameters count where the layers run for the first time."""
        path, own = child_path(self.path, step.layers), child_path(self.path, step.name)
        looked = step.looks or own in self.opened
        if looked or step.node._takes or step.node._gives or path in self.around:
            raise _NotAloneError
        around = next((one for one in prefixes(path) if one in self.ran), None)
        part = _part(step.node, x.shape, self.sizes[x.source], x.pooled)
        if around is not None:
            if around != path or _tensors(step.node, x.shape) != _tensors(step.node, self.ran[path]):
                raise _NotAloneError
            part = part._replace(sums=part.sums._replace(params=0))
        else:
            self._runs(path, x.shape)
        y = self._passed(part, step.node, x)
        if own in self.wanted:
            self.seen[own] = y
        return y

    def _runs(self, path: str, shape: Shape) -> None:
        self.ran[path] = shape
        if "." in path:
            self.around.update({*prefixes(path)} - {path})

    def _passed(self, part: _Part, child: Node, x: Signal) -> Signal:
        if isinstance(child, Aux):
            self.heads.append(_apart(part, x.shape))
            return x
        before, source, depth, windows = x.field, x.source, x.depth, part.windows
        plain = type(before) is tuple
        if not (plain and windows and self.phases == part.phases == 1):
            self._count(_period(before) * part.phases)
            if isinstance(child, Join) and not _follows(before, part):
                raise _NotAloneError
        if plain and type(windows) is tuple:  # as of most layers and blocks
            field = before if windows is POINTWISE else advance(before, windows)  # type: ignore[arg-type]
        else:
            field = behind(child, x.shape, before, windows)
        if part.last_map:
            last, shape = part.last_map[0]
            self.last_map = (
                (field if last is windows or last == windows else behind(child, x.shape, before, last), shape),
            )
        if depth + part.deepest > self.deepest:
            self.deepest = depth + part.deepest
        tensor = source
        if not part.is_view:
            tensor = len(self.sizes)
            self.sizes.append(part.held)
        self.steps.append(_Step((source,), tensor, part))
        return Signal(part.output_shape, field, depth + part.depth, tensor, part.pooled)

    def meet(self, name: str, meeting: Meeting, parts: list[Signal]) -> Signal:
        if meeting._of_regions:
            raise _NotAloneError
        fixed = meeting_of(meeting, tuple(part.shape for part in parts), None)
        shape = fixed.output_shape
        if self.phases > 1:
            self._count(prod(_period(part.field) for part in parts))
        field = united(meeting, parts, shape)
        made = parts[meeting.elements_of]
        if len(made) < len(parts):
            self._count(_period(field))
        pooled = all(part.pooled for part in made)
        if len(shape) == 3 and not pooled:
            self.last_map = ((field, shape),)
        elements = prod(shape)
        tensor = self._tensor(elements)
        reads = tuple(part.source for part in parts)
        part = _Part(shape, _Sums(macs=fixed.macs, activations=elements), peak_shared=elements, peak_last=elements)
        self.steps.append(_Step(reads, tensor, part))
        y = Signal(shape, field, max(part.depth for part in made), tensor, pooled)
        if name and (path := child_path(self.path, name)) in self.wanted:
            self.seen[path] = y
        return y

    def _count(self, phases: int) -> None:
        self.phases = max(self.phases, phases)
        if phases > PHASES:
            raise _NotAloneError

    def _tensor(self, elements: int) -> int:
        self.sizes.append(elements)
        return len(self.sizes) - 1

    def total(self, y: Signal) -> _Part:
        """What the join comes to whose output is y."""
        parts = [*(step.part for step in self.steps), *self.heads]
        sums = _Sums._make(map(sum, zip(_Sums(), *(part.sums for part in parts), strict=True)))
        windows = _windows(y.field)
        last_map = tuple([(windows if field is y.field else _windows(field), map_) for field, map_ in self.last_map])
        last = (*self._peaks(y.source), self.sizes[y.source], y.source == 0, y.pooled, self.phases)
        return _Part(y.shape, sums, y.depth, self.deepest, windows, last_map, *last)

    def _peaks(self, given: int) -> tuple[int, int]:
        """`peak_shared` and `peak_last` of the join, by the rule `Report.liveness`; the tensor `given` is returned."""
        last = {tensor: number for number, step in enumerate(self.steps) for tensor in (*step.reads, step.leaves)}
        last[given] = len(self.steps)
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


def _windows(field: Seen | None) -> Windows | None:
    """A receptive field within a block as the window that the whole block is."""
    if field is None:
        return None
    if isinstance(field, Turned):
        raise _NotAloneError
    height, width = field
    return height if type(height) is Phases else Window(*height), width if type(width) is Phases else Window(*width)


def _follows(field: Seen | None, part: _Part) -> bool:
    """Whether what is behind a block sees follows from what is before it, and from the block alone."""
    if field is None or isinstance(field, Turned):
        return field is None
    phases = [axis for axis in field if isinstance(axis, Phases)]
    if any(axis.is_ragged for axis in phases):
        return False
    known = part.windows is not None and all(windows is not None for windows, _ in part.last_map)
    return known or not (phases or 0 in (field[0].stride, field[1].stride))


def _period(axes: Seen | Reads | None) -> int:
    """In how many positions each way those of a map may differ, along the axis where that is more."""
    return max([len(axis.spans) for axis in axes or () if type(axis) is Phases], default=1)
