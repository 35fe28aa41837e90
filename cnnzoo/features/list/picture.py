"""All networks as a picture: parameters against MACs, by year and by family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise, product
from math import copysign, cos, pi, sin
from operator import itemgetter
from typing import Any

from ..compare.document import plane
from ..compare.picture import Box, disc, grid, has_room, label
from ..draw import finished, need
from ..draw.colours import YEARS, Colour
from ..draw.sheet import Area, Point, Sheet, Text, bounds, draw, extent, fitted

WIDTH, HEIGHT = 270.0, 540.0
"""Of the plane, which is as high as a phone: in its width the names are still read."""

DOT = 2.6
"""Radius of a network's dot."""

TURNS = tuple((side * cos(turn), -side * sin(turn)) for turn in (pi / 4, pi / 8, 3 * pi / 8) for side in (1, -1))
"""Across the diagonal of a plane, to either side."""

STEP = 4
"""Of a line to a name that stands apart."""


def plot(entries: Sequence[Mapping[str, Any]], format: str) -> bytes:
    """The `zoo`, in one of `draw.DRAWN`. Raises `NotInstalledError`, and ValueError where no MACs are known."""
    need("matplotlib")
    return finished(draw(zoo(entries), format), format, YEARS.values())


def zoo(entries: Sequence[Mapping[str, Any]]) -> Sheet:
    """A dot for each network, of its year's colour; a line through those of a family, by their MACs; and the family's
    name beside one of them, or where there is room, with a dashed line to it."""
    points, x, y = plane(entries)
    places = {point.name: (x.at(point.x) * WIDTH, y.at(point.y) * HEIGHT) for point in points}
    drawn = sorted((one for one in entries if one["model"] in places), key=itemgetter("family", "macs"))
    families = {family: list(group) for family, group in groupby(drawn, itemgetter("family"))}
    taken = [(left - DOT, low - DOT, left + DOT, low + DOT) for left, low in places.values()]
    lines: list[Area] = []
    names: list[Text] = []
    for family, networks in sorted(families.items(), key=lambda one: len(one[1])):
        spots = [places[one["model"]] for one in networks]
        others = [places[one["model"]] for one in drawn if one["family"] != family]
        colour = of_year(min(one["year"] for one in networks))
        lines += [Area(ends, None, colour, 0.5) for ends in pairwise(spots)]
        near = (label(spot, family, taken, others, (WIDTH, HEIGHT)) for spot in reversed(spots))
        name = next((one for one in near if one is not None), None)
        if name is None:
            name, leader = _apart(family, spots, taken)
            lines.append(Area((leader[0], leader[-1]), None, colour, 0.5, dashed=True))
            taken += [(left - 1, low - 1, left + 1, low + 1) for left, low in leader]
        names.append(name._replace(colour=colour))
        left, low, right, high = bounds(name)
        taken.append((left - DOT, low, right + DOT, high))  # or two names would read as one
    dots = [disc(places[one["model"]], DOT, of_year(one["year"])) for one in drawn]
    return fitted([*grid(x, y, WIDTH, HEIGHT), *lines, *dots, *names, *_key({one["year"] for one in drawn})])


def _apart(words: str, spots: Sequence[Point], taken: Sequence[Box]) -> tuple[Text, list[Point]]:
    """The words as near one of the spots as there is room, to the upper left or the lower right of it, since networks
    with more parameters mostly have more MACs; and points of the line from the spot to them."""
    length = extent(Text((0, 0), words))
    for steps, spot, (right, up) in product(range(3, 200), spots, TURNS):
        line = [(spot[0] + right * STEP * step, spot[1] + up * STEP * step) for step in range(steps + 1)]
        text = Text((line[-1][0] + copysign(2 + length / 2, right), line[-1][1]), words, align="center")
        if has_room(bounds(text), (WIDTH, HEIGHT), taken):
            return text, line
    return Text(spots[0], words), [spots[0]]  # a plane full of names


def of_year(year: int) -> Colour:
    return YEARS[min((one for one in YEARS if one >= year), default=max(YEARS))]


def _key(years: set[int]) -> Iterator[Area | Text]:
    """What the colours stand for, three in a row."""
    shown = [last for last, colour in YEARS.items() if any(of_year(year) is colour for year in years)]
    for number, last in enumerate(shown):
        of = [year for year in years if of_year(year) is YEARS[last]]
        place = WIDTH / 3 * (number % 3) + 20, -45 - 13 * (number // 3)
        yield disc((place[0] - 8, place[1]), DOT + 1, YEARS[last])
        yield Text(place, f"{min(of)} to {max(of)}" if min(of) < max(of) else str(min(of)))
