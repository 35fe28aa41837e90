"""What positions read along one axis: of a layer's input its windows, of a network's input its receptive field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import gcd, lcm
from operator import sub
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..words import Range

if TYPE_CHECKING:
    from fractions import Fraction

made = tuple.__new__
"""A named tuple of its fields, in a fifth of the time that it takes to call it."""

PHASES = 256
"""The longest period along an axis in which positions may read differently; what a longer one gives is unknown."""


class Window(NamedTuple):
    """What one output position reads along one axis: `kernel` input positions (dilation included),
    `stride` apart from the next one's, the first of them `padding` before the edge."""

    kernel: int = 1
    stride: int = 1
    padding: int = 0


class Axis(NamedTuple):
    """Receptive field along one axis, in input pixels: its size, the step from one position's to the
    next one's (effective stride), and how far the first one begins before the edge (effective padding).

    The recurrences are those of Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional
    Neural Networks" (Distill, 2019).
    """

    size: int = 1
    stride: int = 1
    padding: int = 0

    def through(self, window: Window | Phases) -> Axis | Phases | None:
        if type(window) is not Window:
            return _composed(self, window)
        size, apart, before = self
        kernel, stride, padding = window
        return made(Axis, (size + (kernel - 1) * apart, apart * stride, before + padding * apart))


class Span(NamedTuple):
    """Where what one position reads begins, and how long it is; 0 long where a position reads nothing."""

    start: int
    size: int

    def moved(self, by: int) -> Span:
        start, size = self
        return made(Span, (start + by, size)) if size else NOTHING


NOTHING = Span(0, 0)


class Phases(NamedTuple):
    """What positions read along one axis where they differ, as behind what makes maps larger: a window or a receptive
    field that is a Window or an Axis nowhere.

    Position i of each period reads `spans[i]`, and the same position of the next period `step` further on. No shorter
    period says the same.
    """

    spans: tuple[Span, ...]
    step: int

    def through(self, window: Window | Phases) -> Axis | Phases | None:
        return _composed(self, window)

    def at(self, position: int) -> Span:
        """What a position reads."""
        period, place = divmod(position, len(self.spans))
        return self.spans[place].moved(period * self.step)

    @property
    def is_ragged(self) -> bool:
        """Whether some position reads nothing, or what begins or ends before what the position before it reads: then
        what a window reads is not from what its first position reads to what its last one does."""
        spans = [*self.spans, self.at(len(self.spans))]
        if any(not span.size for span in spans):
            return True
        return any(a.start > b.start or sum(a) > sum(b) for a, b in pairwise(spans))

    @property
    def stride(self) -> int | Fraction:
        """How far apart neighbours are in the mean."""
        if self.step % len(self.spans) == 0:
            return self.step // len(self.spans)
        from fractions import Fraction  # which few networks need

        return Fraction(self.step, len(self.spans))

    @property
    def size(self) -> int | Range:
        """How much positions read."""
        return self.size_of(len(self.spans))

    def size_of(self, positions: int) -> int | Range:
        """How much each of the first so many positions reads."""
        sizes = {span.size for span in self.spans[:positions]}
        return sizes.pop() if len(sizes) == 1 else Range(min(sizes), max(sizes))

    @property
    def padding(self) -> int:
        """How far the first one that reads anything begins before the edge."""
        return -next((span.start for span in self.spans if span.size), 0)


Uniform = TypeVar("Uniform", Axis, Window)


def periodic(spans: Sequence[Span], step: int, uniform: type[Uniform]) -> Uniform | Phases:
    """What positions read that read `spans` in turn, by its shortest period: where that is one position, an Axis or a
    Window."""
    count = len(spans)
    for period in _divisors(count):
        ahead, rest = divmod(step * period, count)
        if not rest and all(b == a.moved(ahead) for a, b in zip(spans, spans[period:], strict=False)):
            if period == 1 and spans[0].size:
                return uniform(spans[0].size, ahead, -spans[0].start)
            return Phases(tuple(spans[:period]), ahead)
    raise AssertionError("the whole is a period")


def _divisors(count: int) -> Iterator[int]:
    return (one for one in range(1, count + 1) if count % one == 0)


def _phases(axis: Axis | Window | Phases) -> Phases:
    if isinstance(axis, Phases):
        return axis
    size, stride, padding = axis
    return Phases((Span(-padding, size),), stride)


def _composed(axis: Axis | Phases, window: Window | Phases) -> Axis | Phases | None:
    """The receptive field behind a window, where positions differ before it or behind it; None where the period is too
    long, and where the window reads several positions of which some read nothing."""
    before, reads = _phases(axis), _phases(window)
    count = len(before.spans)
    rounds = count // gcd(count, reads.step)
    if rounds * len(reads.spans) > PHASES:
        return None
    if any(span.size > 1 for span in reads.spans) and before.is_ragged:
        return None
    spans = []
    for position in range(rounds * len(reads.spans)):
        start, size = reads.at(position)
        first, last = before.at(start), before.at(start + size - 1)
        spans.append(made(Span, (first.start, sum(last) - first.start)) if size and first.size else NOTHING)
    return periodic(spans, rounds * reads.step // count * before.step, Axis)


def union(axes: Sequence[Axis | Phases], positions: int) -> Axis | Phases | None:
    """From where the first of several fields begins to where the furthest one ends, position by position of so many.

    None where their strides differ, unless what all positions see alike is all that any sees, and where their period
    together is too long.
    """
    if {*map(type, axes)} == {Axis}:
        sizes, strides, before = zip(*axes, strict=True)
        if len({*strides}) > 1:
            return _all_seen(axes, positions)
        first = max(before)
        return made(Axis, (first + max(map(sub, sizes, before)), strides[0], first))
    every = [_phases(axis) for axis in axes]
    count = lcm(*(len(one.spans) for one in every))
    steps = {one.step * (count // len(one.spans)) for one in every}
    if len(steps) > 1:
        return _all_seen(axes, positions)
    if count > PHASES:
        return None
    spans = []
    for position in range(count):
        read = [span for one in every if (span := one.at(position)).size]
        start = min((span.start for span in read), default=0)
        spans.append(made(Span, (start, max(map(sum, read), default=start) - start)))
    return periodic(spans, steps.pop(), Axis)


def _all_seen(axes: Sequence[Axis | Phases], positions: int) -> Axis | Phases | None:
    """Of fields that differ from position to position and some that do not, the latter where it holds all others."""
    alike = [axis for axis in axes if isinstance(axis, Axis) and not axis.stride]
    if not alike:
        return None
    whole = union(alike, positions)
    assert isinstance(whole, Axis)
    seen = [reach(axis, positions) for axis in axes]
    inside = all(-whole.padding <= start and start + size <= whole.size - whole.padding for start, size in seen if size)
    return whole if inside else None


def reach(axis: Axis | Phases, positions: int) -> Span:
    """From where the first of what so many positions see begins to where the furthest ends."""
    phases = _phases(axis)
    count = len(phases.spans)
    ends = {*range(min(count, positions)), *range(max(positions - count, 0), positions)}
    read = [span for position in ends if (span := phases.at(position)).size]
    start = min((span.start for span in read), default=0)
    return Span(start, max(map(sum, read), default=start) - start)


def fixed(axis: Axis | Phases) -> Axis | Phases:
    """What the first position sees, as what all do."""
    start, size = axis.at(0) if isinstance(axis, Phases) else (-axis.padding, axis.size)
    return Axis(size, 0, -start) if size else Phases((NOTHING,), 0)
