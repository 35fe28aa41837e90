"""How a receptive field comes about, step by step: equations, equal neighbours folded, and what joins decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, takewhile

from ...arch import Axis
from ...arch.node import IntOrPair
from .equations import Equation
from .streams import Step, Stream


def equation(steps: Sequence[Step]) -> Equation:
    """The receptive field behind one step, or behind equal ones of stride 1."""
    step = steps[-1]
    if step.branches:
        formulas = [_union([field[axis] for _, field in step.branches]) for axis in (0, 1)]
    else:
        times = f"{len(steps):,}·" if len(steps) > 1 else ""
        formulas = [
            f"{before.size:,} + {times}({window.kernel:,} − 1)·{before.stride:,}"
            for before, window in zip(steps[0].before, step.windows, strict=True)
        ]
    size, stride, padding = (_one(sides) for sides in zip(*step.after, strict=True))
    window = () if step.branches else [_one(sides) for sides in zip(*step.windows, strict=True)]
    names = ("kernel", "stride", "padding")
    behind = {"effective_stride": stride, "effective_padding": padding} if step.on_maps else {}
    both = formulas[0] if formulas[0] == formulas[1] else "; ".join(formulas)
    return Equation(step.path, "receptive_field", both, size, **dict(zip(names, window, strict=False)), **behind)


def _union(axes: Sequence[Axis]) -> str:
    """From where the first branch begins to where the furthest one ends."""
    furthest = max(axes, key=lambda axis: axis.size - axis.padding)
    return f"({furthest.size:,} − {furthest.padding:,}) + {max(axis.padding for axis in axes):,}"


def _one(sides: tuple[int, int]) -> IntOrPair:
    return sides[0] if sides[0] == sides[1] else sides


def folded(steps: Sequence[Step]) -> Iterator[tuple[str, Equation]]:
    """The steps by name, neighbours of one kind that read equal windows of stride 1 as one."""

    def alike(numbered: tuple[int, Step]) -> object:
        place, step = numbered
        once = bool(step.branches) or any(window.stride > 1 for window in step.windows)
        return step.kind, step.windows, step.on_maps, place if once else None

    for _, group in groupby(enumerate(steps), alike):
        equal = [step for _, step in group]
        name = equal[0].path or equal[0].kind
        yield _span(name, equal[-1].path) if len(equal) > 1 else name, equation(equal)


def _span(first: str, last: str) -> str:
    """layer1.0.conv2 and layer1.2.conv2 are layer1.0-2.conv2."""
    a, b = first.split("."), last.split(".")
    head = _shared(a, b)
    tail = min(_shared(a[::-1], b[::-1]), len(a) - head - 1, len(b) - head - 1)
    one, other = ".".join(a[head : len(a) - tail]), ".".join(b[head : len(b) - tail])
    if "." in one + other:
        between = f"{one} – {other}"
    else:
        word = one[: _shared(one, other)].rstrip("0123456789")
        between = f"{one}-{other.removeprefix(word)}"
    return ".".join([*a[:head], between, *a[len(a) - tail :]])


def _shared(a: Sequence[str], b: Sequence[str]) -> int:
    """How many of their first items are equal."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def decisions(stream: Stream) -> Iterator[tuple[str, str]]:
    """Where branches of different receptive fields met on the way, and which one decided."""
    label = "Joins"
    for branch, group in groupby(stream.meetings, lambda meeting: meeting.branch):
        met = [meeting.path for meeting in group]
        where = met[0] if len(met) == 1 else f"{met[0]} … {met[-1]} ({len(met)} joins)"
        yield label, f"{where}: {branch} sees all that the others do"
        label = ""
    for step in stream.steps:
        if step.branches:
            seen = ", ".join(f"{name} {field[0].size}x{field[1].size}" for name, field in step.branches)
            yield label, f"{step.path}: none sees all, the union counts; {seen}"
            label = ""
    if stream.lost:
        yield "Receptive field", f"unknown: {stream.lost}"
