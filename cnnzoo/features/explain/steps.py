"""How a receptive field comes about, step by step: equations, equal neighbours folded, and what joins decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, takewhile
from typing import Any

from ...arch.axes import Axis, Phases, Span, Window
from ...calculate import extent, square
from .equations import Equation
from .streams import Step, Stream
from .text import signed

TURNS = (
    "in larger maps positions take turns: a receptive field begins at pixel a and ends before b; that which sees "
    "least to that which sees most"
)


def equation(steps: Sequence[Step]) -> Equation:
    """The receptive field behind one step, or behind equal ones of stride 1."""
    step, first = steps[-1], steps[0]
    formulas = []
    for place, after in enumerate(step.after):
        before, window = first.before[place], step.windows[place]
        if isinstance(after, Phases):
            formulas.append(_ends(after, step.lengths[place]))
        elif step.branches:
            formulas.append(_union([field[place] for _, field in step.branches], after))
        else:
            formulas.append(_wider(before, window, after, len(steps)))
    stride, padding = (square(*(getattr(axis, name) for axis in step.after)) for name in ("stride", "padding"))
    behind = {"effective_stride": stride, "effective_padding": padding} if len(step.shape) == 3 else {}
    both = formulas[0] if formulas[0] == formulas[1] else "; ".join(formulas)
    value = extent(step.after, step.shape)
    return Equation(step.path, "receptive_field", both, value, **_window(step), **behind)


def _window(step: Step) -> dict[str, Any]:
    """Kernel, stride and padding of a layer, height and width in one where they are equal."""
    if step.branches:
        return {}
    kernels = (window.size if isinstance(window, Phases) else window.kernel for window in step.windows)
    others = {name: square(*(getattr(window, name) for window in step.windows)) for name in ("stride", "padding")}
    return {"kernel": square(*kernels), **others}


def _wider(before: Axis | Phases, window: Window | Phases, after: Axis, times: int) -> str:
    """The recurrence of Araujo et al. (2019) where it holds."""
    if isinstance(before, Phases) or isinstance(window, Phases):
        return _end(Span(-after.padding, after.size))
    more = f"{times:,}·" if times > 1 else ""
    return f"{before.size:,} + {more}({window.kernel:,} − 1)·{before.stride:,}"


def _union(axes: Sequence[Axis | Phases], after: Axis) -> str:
    """From where the first branch begins to where the furthest one ends."""
    known = [axis for axis in axes if isinstance(axis, Axis)]
    if len(known) < len(axes):
        return _end(Span(-after.padding, after.size))
    furthest = max(known, key=lambda axis: axis.size - axis.padding)
    return f"({furthest.size:,} − {signed(furthest.padding)}) + {signed(max(axis.padding for axis in known))}"


def _ends(phases: Phases, positions: int) -> str:
    """What the position that sees least reads to what the one that sees most does; the first of equals."""
    spans = phases.spans[:positions]
    least, most = (choose(spans, key=lambda span: span.size) for choose in (min, max))
    return _end(least) if least.size == most.size else f"{_end(least)} to {_end(most)}"


def _end(span: Span) -> str:
    """From where a position begins to read to where it ends."""
    return f"{signed(span.start + span.size)} − {signed(span.start)}"


def folded(steps: Sequence[Step]) -> Iterator[tuple[str, Equation]]:
    """The steps by name, neighbours of one kind that read equal windows of stride 1 as one."""

    def alike(numbered: tuple[int, Step]) -> object:
        place, step = numbered
        once = bool(step.branches) or any(window.stride != 1 or isinstance(window, Phases) for window in step.windows)
        return step.kind, step.windows, len(step.shape), place if once else None

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
    if any(isinstance(axis, Phases) for step in stream.steps for axis in (*step.before, *step.after)):
        yield "b − a", TURNS
    if stream.lost:
        yield "Receptive field", f"unknown: {stream.lost}"
