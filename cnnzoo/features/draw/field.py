"""The receptive field on the input: what one position in the middle of each stage's output sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from ...errors import InvalidValueError
from ...report import Report, Row, Shape
from ...report.rows import along_axes
from ...words import most_of
from .colours import FRAME, MUTED, SERIES, Colour
from .sheet import Area, Point, Sheet, Text, rectangle, titled
from .stages import called, chain
from .words import sizes

SIDE = 290.0
"""The longer side of what is drawn to scale."""
FAR = 3
"""A field longer than so many times the input is drawn around the picture, no longer to scale."""
RING = 6.0
"""Distance of an outline that is not to scale from the next one inside."""
PITCH = 25.0
"""Distance of a label from the one below it."""
GAP = 30.0

Span: TypeAlias = tuple[int, int]
"""The first pixel along an axis and how many there are; the input begins at 0."""
Axis: TypeAlias = tuple[int, Any, int]
"""Size, stride and padding of a field along an axis."""


class Seen(NamedTuple):
    """What the middle position of a stage's output reads, downwards and to the right."""

    row: Row
    down: Span
    right: Span

    def times_larger(self, input_size: Shape) -> float:
        """The receptive field's length over the input's, along the axis where that is more."""
        return max(self.down[1] / input_size[1], self.right[1] / input_size[2])


class _Label(NamedTuple):
    corner: Point
    """The corner of the outline that the label's line leads to."""
    colour: Colour
    name: str
    said: str


def field(report: Report, depth: int) -> Sheet:
    """The fields of the stages: of the last layer, or block `depth` levels down, with maps of one size; where layers do
    not follow each other, that of the last map.

    Raises ValueError where none is known.
    """
    stages = list(_stages(report, depth))
    known = _seen(stages)
    if not known and report.last_map is not None:
        known = _seen([report.last_map])
    if not known:
        raise InvalidValueError(
            f"no receptive field is known in {report.model or 'this network'}, so none can be drawn"
        )
    outlines, area = _outlines(known, report.input_size)
    marks: list[Area | Text] = [Area(area, FRAME.fill, FRAME.line)]
    labels = [_Label(area[1], FRAME.line, "input", f"{sizes(report.input_size[1:])} pixels")]
    for number, (seen, outline) in enumerate(zip(known, outlines, strict=True)):
        colour, larger = SERIES[number % len(SERIES)], seen.times_larger(report.input_size)
        marks.append(Area(outline, None, colour, 1.2, dashed=larger > FAR))
        size = f"{sizes(along_axes(seen.row.receptive_field))} pixels"
        said = f"{size}, larger than the input" if larger > 1 else size
        labels.append(_Label(outline[2], colour, called(seen.row), said))
    labels.sort(key=lambda label: (-label.corner[1], -label.corner[0]))
    right, top = (max(point[axis] for outline in (area, *outlines) for point in outline) for axis in (0, 1))
    heights = _spread([label.corner[1] for label in labels], top)
    for label, height in zip(labels, heights, strict=True):
        left = right + GAP
        marks.append(Area((label.corner, (left - 4, height)), None, label.colour, 0.6))
        marks.append(Text((left, height), label.name, bold=True))
        marks.append(Text((left, height - 10), label.said, 7, colour=MUTED))
    notes = [f"{called(row)}: not known" for row in stages if row.receptive_field is None]
    if any(mark.dashed for mark in marks if isinstance(mark, Area)):
        notes.append(f"dashed: more than {FAR} times the input, and not to scale")
    return titled(report, marks, *notes)


def _outlines(known: list[Seen], input_size: Shape) -> tuple[list[tuple[Point, ...]], tuple[Point, ...]]:
    """Where the fields are drawn, and where the input is."""
    near = [seen for seen in known if seen.times_larger(input_size) <= FAR]
    whole = Seen(known[0].row, (0, input_size[1]), (0, input_size[2]))
    shown = [whole, *near]
    top, left = min(seen.down[0] for seen in shown), min(seen.right[0] for seen in shown)
    bottom, right = max(sum(seen.down) for seen in shown), max(sum(seen.right) for seen in shown)
    scale = SIDE / max(bottom - top, right - left)
    margin = RING * (len(known) - len(near))

    def placed(seen: Seen) -> tuple[Point, ...]:
        x, y = scale * (seen.right[0] - left), scale * (bottom - sum(seen.down))
        return rectangle(margin + x, margin + y, scale * seen.right[1], scale * seen.down[1])

    outlines = []
    rings = 0
    for seen in known:
        if seen in near:
            outlines.append(placed(seen))
        else:
            rings += 1
            width, height = (scale * length + 2 * RING * rings for length in (right - left, bottom - top))
            outlines.append(rectangle(margin - RING * rings, margin - RING * rings, width, height))
    return outlines, placed(whole)


def _spread(wanted: list[float], top: float) -> list[float]:
    """Heights near those `wanted`, from the highest to the lowest, `PITCH` apart and none below the ground."""
    heights: list[float] = []
    for height in wanted:
        heights.append(min([min(height, top - 4), *(above - PITCH for above in heights[-1:])]))
    ground = PITCH / 2 + 4
    for number in reversed(range(len(heights))):
        heights[number] = max(heights[number], ground)
        ground = heights[number] + PITCH
    return heights


def _stages(report: Report, depth: int) -> Iterator[Row]:
    """The last row with maps of each size, one after the other; the final pooling is no stage."""
    last: Row | None = None
    for row in chain(report, depth):
        if len(row.output_shape) == 3 and not row.pools:
            if last is not None and last.output_shape[1:] != row.output_shape[1:]:
                yield last
            last = row
    if last is not None:
        yield last


def _seen(rows: list[Row]) -> list[Seen]:
    """One way through the network: what the middle position of the last stage reads, and of each stage before it the
    position nearest to the middle of that."""
    known = [(row, _axes(row)) for row in rows if row.receptive_field is not None]
    last, axes = known[-1] if known else (None, ())
    lengths = last.output_shape[1:] if last is not None else ()
    middles = [
        2 * (int((length - 1) // 2 * stride // 1) - padding) + size
        for length, (size, stride, padding) in zip(lengths, axes, strict=True)
    ]
    return [Seen(row, *map(_nearest, row.output_shape[1:], axes, middles)) for row, axes in known]


def _nearest(length: int, axis: Axis, middle: int) -> Span:
    """What the position reads whose pixels lie nearest to a middle (given times two), the earlier of two.

    Where positions differ, as much as that sees which sees most, from where it would begin if all were as far apart."""
    size, stride, padding = axis
    position = -((stride + size - 2 * padding - middle) // (2 * stride)) if stride else 0  # all see the same
    return int(min(max(position, 0), length - 1) * stride // 1) - padding, size


def _axes(row: Row) -> tuple[Axis, Axis]:
    """Size (where positions differ, the most), stride and padding of a field, downwards and to the right."""
    down, right = zip(
        map(most_of, along_axes(row.receptive_field)),
        along_axes(row.effective_stride),
        along_axes(row.effective_padding),
        strict=True,
    )
    return down, right
