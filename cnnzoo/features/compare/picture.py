"""Points in a plane as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from math import cos, dist, hypot, pi, sin

from ..draw import finished, need
from ..draw.colours import FRAME, MUTED, PAINTS, PAPER, Colour
from ..draw.sheet import Area, Point, Sheet, Text, bounds, draw, extent, fitted
from .scatter import SIGNS, Axis, Plane, explained, tick

WIDTH, HEIGHT = 480.0, 300.0
"""Width and height of the plane."""
DOT = 2.6
"""Radius of a point with its name beside it."""
SIGN = 4.4
"""Radius of a point with a sign in it, which a key explains."""
SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""Where a name may stand: to the right, to the left, above, below, and in between."""
KEY = 100
"""Characters of a line that explains signs, about."""

Box = tuple[float, float, float, float]
"""Left, bottom, right and top."""


def plot(plane: Plane, format: str) -> bytes:
    """Points in a plane, in one of `draw.DRAWN`, as `draw.Drawing.to` draws networks. Raises `NotInstalledError`."""
    need("matplotlib")
    return finished(draw(scatter(plane), format), format)


def scatter(plane: Plane) -> Sheet:
    """Each point with its name where that covers nothing; the others have signs, which are explained below."""
    points, x, y = plane
    places: dict[Point, list[Point]] = {}
    names: dict[Point, list[str]] = {}
    for point in points:
        at = x.at(point.x) * WIDTH, y.at(point.y) * HEIGHT
        near = next((place for place in places if dist(place, at) < 2 * DOT), at)  # what touches has one name
        places.setdefault(near, []).append(at)
        names.setdefault(near, []).append(point.name)
    taken = [(x - SIGN, y - SIGN, x + SIGN, y + SIGN) for spots in places.values() for x, y in spots]
    dots = [disc(spot, DOT) for spots in places.values() for spot in spots]
    signs = chain(SIGNS, repeat("…"))
    signed: dict[Point, str] = {}
    key: dict[str, list[str]] = {}
    labels: list[Text] = []
    for place in places:
        others = [spot for other, spots in places.items() if other != place for spot in spots]
        name = label(place, ", ".join(names[place]), taken, others)
        if name is not None:
            labels.append(name)
            taken.append(bounds(name))
            continue
        near = next((other for other in signed if dist(other, place) < 2 * SIGN), place)
        if near is place:
            signed[place] = next(signs)
            dots.append(disc(place, SIGN))
            labels.append(Text(place, signed[place], 6, "center", PAPER, bold=True))
        key.setdefault(signed[near], []).extend(names[place])
    lines = [Text((0, -46 - 12 * number), line) for number, line in enumerate(explained(key, KEY))]
    return fitted([*grid(x, y, WIDTH, HEIGHT), *dots, *labels, *lines])


def grid(x: Axis, y: Axis, width: float, height: float) -> Iterator[Area | Text]:
    """The grid of a plane of that size, its values, and the names of the axes."""
    for value in x.ticks(8):
        across = x.at(value) * width
        yield Area(((across, 0), (across, height)), None, FRAME.line, 0.5)
        yield Text((across, -9), tick(value), 8, "center", MUTED)
    for value in y.ticks(8):
        up = y.at(value) * height
        yield Area(((0, up), (width, up)), None, FRAME.line, 0.5)
        yield Text((-5, up), tick(value), 8, "right", MUTED)
    for end in ((width, 0), (0, height)):
        yield Area(((0, 0), end), None, MUTED)
    yield Text((0, height + 12), y.title, 8, "center")
    yield Text((width / 2, -25), x.title, 8, "center")


def disc(middle: Point, radius: float, colour: Colour = PAINTS["convolution"].line) -> Area:
    around = (2 * pi * step / 24 for step in range(24))
    points = tuple((middle[0] + radius * cos(turn), middle[1] + radius * sin(turn)) for turn in around)
    return Area(points, colour, None)


def label(
    place: Point,
    words: str,
    taken: Sequence[Box],
    others: Sequence[Point],
    within: tuple[float, float] = (WIDTH, HEIGHT),
) -> Text | None:
    """The words beside their point, within a plane of that width and height, over nothing that is taken and not nearly
    as near another point; None where there is no room."""
    length = extent(Text(place, words))
    for right, up in SIDES:
        text = Text((place[0] + right * (5 + length / 2), place[1] + up * 9.3), words, align="center")
        box = bounds(text)
        if has_room(box, within, taken) and all(_apart(box, other) > 1.4 * _apart(box, place) for other in others):
            return text
    return None


def has_room(box: Box, within: tuple[float, float], taken: Sequence[Box]) -> bool:
    """Whether a box lies within a plane of that width and height, over nothing that is taken."""
    inside = box[0] >= 0 and box[1] >= 0 and box[2] <= within[0] and box[3] <= within[1]
    return inside and not any(_overlap(box, one) for one in taken)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _apart(box: Box, place: Point) -> float:
    """The distance of a point from the nearest edge of a box."""
    left, bottom, right, top = box
    x, y = place
    return hypot(max(left - x, 0, x - right), max(bottom - y, 0, y - top))
