"""Points in a plane as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from math import cos, dist, pi, sin

from ..render.scatter import SIGNS, Axis, Plane, explained, tick
from .colours import FRAME, MUTED, PAINTS
from .sheet import Area, Sheet, Text, bounds, extent, fitted

WIDTH, HEIGHT = 480.0, 300.0
"""Of the plane."""
DOT = 2.6
"""Radius of a point."""
SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""Where a name may stand: to the right, to the left, above, below, and in between."""
KEY = 100
"""Characters of a line that explains signs, about."""

Place = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, bottom, right and top."""


def scatter(plane: Plane) -> Sheet:
    """Each point with its name where that covers nothing; the others have signs, which are explained below."""
    points, x, y = plane
    places: dict[Place, list[Place]] = {}
    names: dict[Place, list[str]] = {}
    for point in points:
        at = x.at(point.x) * WIDTH, y.at(point.y) * HEIGHT
        near = next((place for place in places if dist(place, at) < 2 * DOT), at)  # what touches has one name
        places.setdefault(near, []).append(at)
        names.setdefault(near, []).append(point.name)
    taken = [(x - DOT, y - DOT, x + DOT, y + DOT) for spots in places.values() for x, y in spots]
    signs = chain(SIGNS, repeat("…"))
    key: dict[str, list[str]] = {}
    labels: list[Text] = []
    for place in places:
        label = _label(place, ", ".join(names[place]), taken)
        if label is None:
            sign = next(signs)
            key.setdefault(sign, []).extend(names[place])
            label = _label(place, sign, taken) or _beside(place, sign, SIDES[0])
        labels.append(label)
        taken.append(bounds(label))
    dots = [_disc(spot) for spots in places.values() for spot in spots]
    lines = [Text((0, -46 - 12 * number), line) for number, line in enumerate(explained(key, KEY))]
    return fitted([*_plane(x, y), *dots, *labels, *lines])


def _plane(x: Axis, y: Axis) -> Iterator[Area | Text]:
    """The grid, its values, and the names of the axes."""
    for value in x.ticks(8):
        across = x.at(value) * WIDTH
        yield Area(((across, 0), (across, HEIGHT)), None, FRAME.line, 0.5)
        yield Text((across, -9), tick(value), 8, "center", MUTED)
    for value in y.ticks(8):
        up = y.at(value) * HEIGHT
        yield Area(((0, up), (WIDTH, up)), None, FRAME.line, 0.5)
        yield Text((-5, up), tick(value), 8, "right", MUTED)
    for end in ((WIDTH, 0), (0, HEIGHT)):
        yield Area(((0, 0), end), None, MUTED)
    yield Text((0, HEIGHT + 12), y.title, 8, "center")
    yield Text((WIDTH / 2, -25), x.title, 8, "center")


def _disc(middle: Place) -> Area:
    around = (2 * pi * step / 24 for step in range(24))
    points = tuple((middle[0] + DOT * cos(turn), middle[1] + DOT * sin(turn)) for turn in around)
    return Area(points, PAINTS["convolution"].line, None)


def _label(place: Place, words: str, taken: Sequence[Box]) -> Text | None:
    """The words beside their point, inside the plane and over nothing that is taken; None where there is no room."""
    for side in SIDES:
        text = _beside(place, words, side)
        left, bottom, right, top = bounds(text)
        inside = left >= 0 and bottom >= 0 and right <= WIDTH and top <= HEIGHT
        if inside and not any(left < box[2] and box[0] < right and bottom < box[3] and box[1] < top for box in taken):
            return text
    return None


def _beside(place: Place, words: str, side: tuple[int, int]) -> Text:
    right, up = side
    middle = place[0] + right * (2 * DOT + extent(Text(place, words)) / 2), place[1] + up * 8.5
    return Text(middle, words, align="center")
