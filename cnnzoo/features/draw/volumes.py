"""The picture of shrinking volumes: boxes as high and deep as the maps, and the thicker the more maps there are."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log2, sqrt
from typing import NamedTuple

from ...errors import InvalidValueError
from ...report import Report, Shape
from .colours import MUTED, PAINTS
from .sheet import Area, Sheet, Text, extent, rectangle, titled
from .stages import called, chain, skips
from .words import sizes

TALLEST = 116.0
"""Height of the largest map."""
SLANT = 0.3
"""How far a length that leads away from the reader goes to the right, and up."""
BIT = 3.2
"""Thickness for every doubling of the number of maps."""
ROOM = 740.0
"""Width of a row of boxes."""
GAP = 13.0
SHORT = 12
"""Characters of a name that is not broken in two."""
LINE = 10.0

NOTE = "sides by their square root, numbers by their logarithm"
BESIDE = "layers beside others, and what skips layers, are left out; the graph has them"


class Stage(NamedTuple):
    """What a layer or a block gives, and how many equal ones follow each other."""

    name: str
    shape: Shape
    role: str
    """One of `PAINTS`."""
    times: int = 1


class Volume(NamedTuple):
    """A box, or the bar that stands for features or a sequence; lengths as drawn."""

    stage: Stage
    height: float
    thickness: float
    slant: float
    """How far its depth goes to the right, and up."""

    def labels(self, middle: float, top: float) -> list[Text]:
        """The text above the box: number of maps, their size, and the name on one or two lines."""
        count, *sides = self.stage.shape
        block, dot, name = (
            self.stage.name.rpartition(".") if len(self.stage.name) > SHORT else ("", "", self.stage.name)
        )
        name += f" ×{self.stage.times}" if self.stage.times > 1 else ""
        return [
            Text((middle, top - 0.5 * LINE), str(count), 8, "center", bold=True),
            Text((middle, top - 1.5 * LINE), sizes(tuple(sides)), 8, "center"),
            Text((middle, top - 2.5 * LINE), f"{block}{dot}" or name, 7, "center", MUTED),
            Text((middle, top - 3.5 * LINE), name if dot else "", 7, "center", MUTED),
        ]

    @property
    def width(self) -> float:
        """The width of the box or of its labels, whichever is more."""
        return max(self.thickness + self.slant, *map(extent, self.labels(0, 0)))

    def areas(self, left: float, bottom: float) -> list[Area]:
        """The front, the top and the right side of the box."""
        fill, line = PAINTS[self.stage.role]
        right, top, slant = left + self.thickness, bottom + self.height, self.slant
        upper = (left, top), (right, top), (right + slant, top + slant), (left + slant, top + slant)
        side = (right, bottom), (right + slant, bottom + slant), (right + slant, top + slant), (right, top)
        faces = [rectangle(left, bottom, self.thickness, self.height), *([upper, side] if slant else [])]
        return [Area(face, fill, line) for face in faces]


def volumes(report: Report, depth: int) -> Sheet:
    """What every layer with weights, every pooling and whatever else changes the shape gives, equal neighbours as one
    box; blocks opened `depth` levels down.

    Raises ValueError where neither maps nor features flow.
    """
    shown = list(_stages(report, depth))
    largest = max((max(stage.shape[1:]) for stage in shown if len(stage.shape) == 3), default=1)
    marks: list[Area | Text] = []
    bottom = 0.0
    for row in _rows([_volume(stage, largest) for stage in shown]):
        tallest = max(volume.height + volume.slant for volume in row)
        bottom -= tallest
        left = 0.0
        for volume in row:
            indent = (volume.width - volume.thickness - volume.slant) / 2
            rise = (tallest - volume.height - volume.slant) / 2
            marks += volume.areas(left + indent, bottom + rise)
            marks += volume.labels(left + volume.width / 2, bottom - GAP / 3)
            left += volume.width + GAP
        bottom -= 4 * LINE + 2 * GAP
    return titled(report, marks, NOTE, *([BESIDE] if skips(report) else []))


def _stages(report: Report, depth: int) -> Iterator[Stage]:
    """The input, and all that does more than change each position by itself."""
    yield Stage("input", report.input_size, "other")
    last: Stage | None = None
    before = report.input_size
    blocks = {block.path for block in report.blocks}
    for row in chain(report, depth):
        role = "block" if row.path in blocks else row.role
        if role == "other" and row.output_shape == before:
            continue
        before = row.output_shape
        if last is not None and (last.shape, last.role) == (before, role):
            last = last._replace(times=last.times + 1)
            continue
        if last is not None:
            yield last
        last = Stage(called(row), before, role)
    if last is not None:
        yield last


def _volume(stage: Stage, largest: int) -> Volume:
    name, shape, *_ = stage
    if len(shape) < 3:  # features, and sequences (channels, length): a length along one axis is a number
        return Volume(stage, 8 * log2(1 + shape[-1]), 8.0 if len(shape) == 1 else BIT * log2(1 + shape[0]), 0.0)
    if len(shape) != 3:
        wanted = "only maps, sequences and features can be drawn as volumes"
        raise InvalidValueError(f"{wanted}, and {name} gives {sizes(shape)}")
    height, away = (max(2.0, TALLEST * sqrt(side / largest)) for side in shape[1:])
    return Volume(stage, height, BIT * log2(1 + shape[0]), SLANT * away)


def _rows(all: list[Volume]) -> list[list[Volume]]:
    """As many side by side as there is room for, about as many in every row."""
    whole = sum(volume.width + GAP for volume in all)
    room = max(volume.width for volume in all) + whole / ceil(whole / ROOM)
    rows: list[list[Volume]] = [[]]
    left = 0.0
    for volume in all:
        if rows[-1] and left + volume.width > room:
            rows.append([])
            left = 0.0
        rows[-1].append(volume)
        left += volume.width + GAP
    return rows
