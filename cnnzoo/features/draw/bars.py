"""Bars of parameters and MACs along the depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...errors import InvalidValueError
from ...report import Report
from ...words import short
from .colours import FRAME, MUTED, PAINTS
from .sheet import Area, Sheet, Text, extent, rectangle, titled
from .stages import called, steps
from .words import EXACT

LONGEST = 170.0
"""Length of the longest bar."""
PITCH = 12.5
BAR = 8.0
GAP = 8.0
PANEL = GAP + LONGEST + 44.0
"""Width of one, a figure after the longest bar included."""


def bars(report: Report, depth: int) -> Sheet:
    """A row for every layer, or block `depth` levels down, that has parameters or MACs; dashed in training only.

    Raises ValueError where none has.
    """
    rows = [row for row in steps(report, depth) if row.params or row.macs != 0]
    if not rows:
        raise InvalidValueError("no layer has parameters or MACs, so there are no bars to draw")
    names = [
        Text((0, -PITCH * (number + 0.5)), f"{called(row)} (training)" if row.aux else called(row), align="right")
        for number, row in enumerate(rows)
    ]
    left = max(map(extent, names))
    marks: list[Area | Text] = [name._replace(at=(left, name.at[1])) for name in names]
    heads = [row.aux for row in rows]
    marks += _panel("parameters", "convolution", left + GAP, [row.params for row in rows], heads)
    marks += _panel("MACs", "linear", left + PANEL + GAP, [row.macs for row in rows], heads)
    return titled(report, marks)


def _panel(
    title: str, role: str, left: float, values: Sequence[int | None], heads: list[bool]
) -> Iterator[Area | Text]:
    """A title, a ground line, and downwards a bar with its figure for each value."""
    colour = PAINTS[role].line
    largest = max((value for value in values if value), default=1)
    yield Text((left, PITCH / 2), title, 8, bold=True)
    yield Area(((left, 0), (left, -PITCH * len(values))), None, FRAME.line)
    for number, (value, head) in enumerate(zip(values, heads, strict=True)):
        length, middle = LONGEST * (value or 0) / largest, -PITCH * (number + 0.5)
        if value:
            bar = rectangle(left, middle - BAR / 2, length, BAR)
            yield Area(bar, None if head else colour, colour, dashed=head)
        if value != 0:
            yield Text((left + length + 4, middle), short(value, below=EXACT), 7, colour=MUTED)
