"""What a position sees where several values meet."""

from __future__ import annotations

from collections.abc import Sequence

from .axes import Axis, Phases, fixed, reach
from .meetings import Cat, Meeting, Multiply
from .node import Layer
from .signal import Field, Reads, Seen, Shape, Signal, Turned, merge
from .turning import behind


def united(meeting: Meeting, parts: Sequence[Signal], shape: Shape) -> Seen | None:
    """The receptive field of an output of this shape: the union of those of the values that a position sees. Unknown
    where height or width is what the values are concatenated along."""
    shapes = tuple([part.shape for part in parts])
    layer = meeting.layer(shapes)
    if layer is not None:
        return behind(layer, shapes[0], parts[0].field, layer.windows(shapes[0]))
    return _merged(meeting, [parts[place] for place in meeting.sights(shapes)], shape)


def united_with_gates(
    meeting: Meeting, parts: Sequence[Signal], shape: Shape, field: Seen | None
) -> tuple[()] | tuple[Seen | None]:
    """`Signal.gated` of an output of this shape and receptive field."""
    if not isinstance(meeting, Multiply) and not any(part.gated for part in parts[meeting.elements_of]):
        return ()
    layer = meeting.layer(tuple(part.shape for part in parts))
    if layer is not None:
        return gated_behind(layer, parts[0], layer.windows(parts[0].shape), shape, field)
    every = [part._replace(field=part.gated[0]) if part.gated else part for part in parts]
    seen = _merged(meeting, every, shape)
    return () if seen == field else (seen,)


def gated_behind(
    layer: Layer, x: Signal, windows: Reads | None, shape: Shape, field: Seen | None
) -> tuple[Seen | None]:
    """`Signal.gated` of a layer's output of this shape and receptive field, of an input with gates behind it.

    What all positions see alike, as a gate does, is taken to have all that they see by themselves: padding, too, counts
    as seen, and no position sees more of the input.
    """
    gated = behind(layer, x.shape, x.gated[0] if x.gated else x.field, windows)
    if gated is None or field is None or isinstance(gated, Turned) or isinstance(field, Turned):
        return (gated,)
    lengths = shape[1:] if len(shape) == 3 else (1, 1)
    height, width = map(_containing, gated, field, lengths)
    return ((height, width),)


def _containing(axis: Axis | Phases, other: Axis | Phases, positions: int) -> Axis | Phases:
    """What all positions see alike, and all that as many see of another axis."""
    if not isinstance(axis, Axis) or axis.stride:
        return axis
    start, size = reach(other, positions)
    before = max(axis.padding, -start)
    return Axis(before + max(axis.size - axis.padding, start + size), 0, before)


def _merged(meeting: Meeting, parts: Sequence[Signal], shape: Shape) -> Field | None:
    if meeting.mixes:
        return None
    if {part.shape[1:] for part in parts} == {shape[1:]}:
        return merge(parts)
    return None if isinstance(meeting, Cat) else merge([_spread(part, shape) for part in parts])


def _spread(part: Signal, shape: Shape) -> Signal:
    """A value as one of this shape, over which what has one position along height or width is broadcast."""
    if part.shape[1:] == shape[1:] or part.field is None or isinstance(part.field, Turned):
        return part
    if len(part.shape) != 3 or len(shape) != 3:
        return part
    height, width = (
        fixed(axis) if length < wanted else axis
        for axis, length, wanted in zip(part.field, part.shape[1:], shape[1:], strict=True)
    )
    return part._replace(shape=shape, field=(height, width))
