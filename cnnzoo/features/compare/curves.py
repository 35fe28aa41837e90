"""MACs of an image over its number of regions, as a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import dist
from textwrap import wrap

from ...errors import InvalidValueError
from ...words import listed
from ..draw import finished, need_for
from ..draw.colours import INK, MUTED, SERIES, Colour
from ..draw.sheet import Area, Point, Sheet, Text, bounds, draw, fitted
from .crossings import Record, crossing, crossings
from .picture import DOT, HEIGHT, KEY, WIDTH, Box, disc, grid, label
from .scatter import Axis, axis

STEPS = 120
"""Straight pieces of a curve."""
PITCH = 11.0
"""Distance of a name from the one below it, at least."""
LEAST = 10
"""The number of regions that the axis reaches at least."""


def plotted(records: Sequence[Record], format: str) -> bytes:
    need_for(format)
    return finished(draw(curves(records), format), format)


def curves(records: Sequence[Record]) -> Sheet:
    """A curve for each network whose MACs are known, up to the largest number of regions that one looks at.

    The axis of regions is logarithmic, that of MACs where they are far apart. A point is where one network begins to
    cost more than another.

    Raises ValueError where none looks at regions.
    """
    known = [one for one in records if None not in (one["image_macs"], one["region_macs"])]
    most = max((one["regions"] for one in known), default=0)
    if not most:
        raise InvalidValueError("there is no curve over regions: the MACs of no network here depend on their number")
    x = Axis("Regions of an image (log)", 1, max(most, LEAST), True)
    y = axis(
        "MACs of an image", [one["image_macs"] + count * one["region_macs"] for one in known for count in (1, most)]
    )

    def at(one: Record, regions: float) -> Point:
        return x.at(regions) * WIDTH, y.at(cost(one, regions)) * HEIGHT

    marks: list[Area | Text] = [*grid(x, y, WIDTH, HEIGHT)]
    lines = [[at(one, x.high ** (step / STEPS)) for step in range(STEPS + 1)] for one in known]
    for number, line in enumerate(lines):
        # there and back, as an area is closed
        marks.append(Area((*line, *line[-2:0:-1]), None, colour(number), 1.6, dashed=number >= len(SERIES)))
    marks += names(known, [line[-1][1] for line in lines])
    marks += points(known, at, x.high, [place for line in lines for place in line])
    said = [sentence for _, sentence in crossings(known)]
    if unknown := [one["model"] for one in records if one not in known]:
        said.append(f"not drawn, as their MACs are unknown: {listed(unknown)}")
    under = [line for sentence in said for line in wrap(sentence, KEY, subsequent_indent="   ")]
    return fitted([*marks, *(Text((0, -46 - 11 * number), line, 7, colour=MUTED) for number, line in enumerate(under))])


def cost(one: Record, regions: float) -> float:
    """MACs of an image with so many regions."""
    return float(one["image_macs"] + regions * one["region_macs"])


def colour(number: int) -> Colour:
    return SERIES[number % len(SERIES)]


def names(known: Sequence[Record], heights: Sequence[float]) -> Iterator[Area | Text]:
    """The name of each curve behind its end, from the lowest up, none over another."""
    below = -PITCH
    for number in sorted(range(len(known)), key=lambda number: heights[number]):
        below = max(heights[number], below + PITCH)
        yield disc((WIDTH + 10, below), DOT, colour(number))
        yield Text((WIDTH + 16, below), known[number]["model"], bold=True)


def points(
    known: Sequence[Record], at: Callable[[Record, float], Point], high: float, drawn: Sequence[Point]
) -> Iterator[Area | Text]:
    """Where one curve comes to lie above another, each with its number of regions where there is room beside what is
    drawn."""
    met: dict[Point, list[int]] = {}
    for more in known:
        for less in known:
            first = crossing(more, less)
            if first is not None and first <= high:
                place = at(more, first)
                near = next((other for other in met if dist(place, other) < 4 * DOT), place)
                met.setdefault(near, []).append(first)
                yield disc(place, DOT, INK)
    taken: list[Box] = [(x - 1, y - 1, x + 1, y + 1) for x, y in drawn]
    for place, numbers in met.items():
        words = ", ".join(f"{number:,}" for number in sorted(set(numbers)))
        text = label(place, words, taken, [other for other in met if other != place])
        if text is not None:
            taken.append(bounds(text))
            yield text
