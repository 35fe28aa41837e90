"""The anchors of a detector: the boxes that it starts from at one position of its map."""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from ...errors import InvalidValueError
from ...registry import Anchor
from ...render.column import Column
from ...render.document import Document
from ...report import Report, Row
from ...report.rows import along_axes
from ...words import most_of, sides
from ...zoo import builder_of
from .colours import FRAME, INK, MUTED, SERIES
from .sheet import Area, Point, Sheet, Text, rectangle, titled
from .words import sizes

SIDE = 420.0
"""The longer side of what is drawn to scale."""
PITCH = 20.0
"""Distance of a line of the key from the one below it."""
SMALL = 0.025
"""Length of a pixel in the key."""

COLUMNS = {
    name: Column(name.capitalize(), attrgetter(name))
    for name in ("scale", "ratio", "width", "height", "left", "top", "right", "bottom")
}


class Placed(NamedTuple):
    """The anchors of a network at the middle position of their map."""

    boxes: tuple[Anchor, ...]
    row: Row
    """What gives their coordinates."""
    stride: tuple[int, int]
    position: tuple[int, int]

    @property
    def pixel(self) -> tuple[int, int]:
        """The position's first one, downwards and to the right."""
        return self.position[0] * self.stride[0], self.position[1] * self.stride[1]


def anchors(report: Report, depth: int) -> Sheet:
    """The anchors of one position on the image, to scale, with a colour for each scale; all of them, whatever `depth`.

    Raises ValueError where none are known.
    """
    found = placed(report)
    height, width = report.input_size[1:]
    down, right = found.pixel
    whole = Anchor(0, "", -right, -down, width - right - 1, height - down - 1)
    shown = [whole, *found.boxes]
    most = max(
        max(getattr(box, last) for box in shown) - min(getattr(box, first) for box in shown) + 1
        for first, last in (("left", "right"), ("top", "bottom"))
    )
    unit = SIDE / most
    scales = list(dict.fromkeys(box.scale for box in found.boxes))
    marks: list[Area | Text] = [Area(rectangle(0, 0, unit * width, unit * height), FRAME.fill, FRAME.line)]

    def outline(box: Anchor, corner: Point, unit: float) -> Area:
        colour = SERIES[scales.index(box.scale) % len(SERIES)]
        return Area(rectangle(*corner, unit * box.width, unit * box.height), None, colour, 1.1)

    for box in found.boxes:
        marks.append(outline(box, (unit * (right + box.left), unit * (height - down - box.bottom - 1)), unit))
    left = max(point[0] for mark in marks if isinstance(mark, Area) for point in mark.points)
    top = unit * height / 2 + PITCH * (len(found.boxes) - 1) / 2
    for number, box in enumerate(found.boxes):
        x, y = left + 28, top - PITCH * number
        marks.append(outline(box, (x - SMALL * box.width / 2, y - SMALL * box.height / 2), SMALL))
        marks.append(Text((x + 20, y), f"{box.width}×{box.height}", bold=True))
        marks.append(Text((x + 68, y), f"{box.scale}², {box.ratio}", 7, colour=MUTED))
    tall, wide = (unit * stride for stride in found.stride)
    marks.append(Area(rectangle(unit * right, unit * (height - down) - tall, wide, tall), INK, None))
    row, column = found.position
    said = f"{len(found.boxes)} anchors (width×height) at each of {sizes(found.row.output_shape[1:])} positions"
    return titled(report, marks, f"{said}; here those of row {row}, column {column}, the filled square")


def document(report: Report) -> Document:
    """The anchors of a position as a table. Raises ValueError where none are known."""
    found = placed(report)
    rows, columns = found.row.output_shape[1:]
    inside = sum(
        _within(box.top, box.bottom, rows, found.stride[0], report.input_size[1])
        * _within(box.left, box.right, columns, found.stride[1], report.input_size[2])
        for box in found.boxes
    )
    row, column = found.position
    said = [
        ("Scale", "side of the square of about that area; Ratio: width to height"),
        ("Corners", "in pixels from the first one of the position; right and bottom are part of the box"),
        (
            "Position",
            f"{sides(found.stride)} pixels from one to the next; row {row}, column {column}, in the middle, "
            f"begins at pixel {found.pixel[0]}, {found.pixel[1]}",
        ),
        (
            "Anchors",
            f"{rows * columns * len(found.boxes):,} at {rows}x{columns} positions; {inside:,} lie within the "
            f"image of {sides(report.input_size[1:])}",
        ),
    ]
    if found.row.receptive_field is not None:
        said.append(("Field", f"a position sees {sides(along_axes(most_of(found.row.receptive_field)))} pixels"))
    names = [str(number) for number in range(len(found.boxes))]
    return Document("Anchor", names, COLUMNS, found.boxes, said, caption="Anchors")


def placed(report: Report) -> Placed:
    """The anchors of a registered network, at the middle position. Raises ValueError where none are known."""
    name, builder = report.model or "this network", builder_of(report)
    known = None if builder is None else builder.anchors
    row = known and next((row for row in report.rows if row.path == known.path), None)
    if known is None or not row:
        raise InvalidValueError(f"no anchors are known of {name}; they are of Faster R-CNN, as faster_rcnn_vgg16")
    if row.output_shape[0] != 4 * len(known.boxes):
        raise InvalidValueError(
            f"{name} has {row.output_shape[0] // 4} anchors, and the boxes of {len(known.boxes)} are known: "
            f"{row.path} gives four coordinates for each"
        )
    down, right = along_axes(row.effective_stride)
    rows, columns = row.output_shape[1:]
    return Placed(known.boxes, row, (down, right), ((rows - 1) // 2, (columns - 1) // 2))


def _within(first: int, last: int, positions: int, stride: int, length: int) -> int:
    """At how many positions along an axis a box lies between the image's ends."""
    return sum(stride * at + first >= 0 and stride * at + last < length for at in range(positions))
