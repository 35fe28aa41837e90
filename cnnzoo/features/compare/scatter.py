"""Points in a plane, in characters: each with its name where there is room, else a sign that is explained below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import chain, repeat
from math import ceil, floor, log10
from string import ascii_letters, digits
from textwrap import wrap
from typing import NamedTuple

from ...render.table import cell_len, legible

ROWS = 18
SIGNS = digits[1:] + ascii_letters
SPREAD = 20
"""From how many times its least value on an axis is logarithmic."""


Cell = tuple[int, int]
"""A cell of a drawing in text: its row and its column."""


class Point(NamedTuple):
    name: str
    x: int
    y: int


class Axis(NamedTuple):
    """A range of values with some room at its ends, and whether it is logarithmic."""

    title: str
    low: float
    high: float
    log: bool

    def at(self, value: float) -> float:
        """Where a value is between the ends, from 0 to 1."""
        if self.log:
            return log10(value / self.low) / log10(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> list[float]:
        """At most so many round values within the range."""
        if self.log:
            decades = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
            choices = [[step * 10.0**decade for decade in decades for step in steps] for steps in ((1, 2, 5), (1, 3))]
            choices += [[10.0**decade for decade in decades[::skip]] for skip in range(1, len(decades) + 1)]
        else:
            unit = 10.0 ** floor(log10((self.high - self.low) / most))
            choices = [
                [number * step for number in range(ceil(self.low / step), floor(self.high / step) + 1)]
                for step in (unit, 2 * unit, 5 * unit, 10 * unit, 20 * unit)
            ]
        inside = ([value for value in values if self.low <= value <= self.high] for values in choices)
        return next(values for values in inside if len(values) <= most)


def axis(title: str, values: Iterable[int]) -> Axis:
    """One on which all values have their place; from 0 up where they are not close together."""
    values = list(values)
    least, most = min(values), max(values)
    if least > 0 and most / least >= SPREAD:
        room = (most / least) ** 0.05
        return Axis(f"{title} (log)", least / room, most * room, True)
    low = 0.0 if 2 * least <= most or least == most else least - 0.1 * (most - least)
    return Axis(title, low, most + 0.1 * (most - low) or 1.0, False)


def tick(value: float) -> str:
    """A value at an axis in short: 2.5 M."""
    for scale, prefix in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= scale * 0.9999:
            return f"{value / scale:.6g}{prefix}"
    return f"{value:.6g}"


class Plane(NamedTuple):
    points: Sequence[Point]
    x: Axis
    y: Axis


def draw(plane: Plane, width: int, plain: bool) -> str:
    """Lines of at most `width` cells, in ASCII if `plain`."""
    points, x, y = plane
    rows = {_place(1 - y.at(value), ROWS): tick(value) for value in y.ticks(6)}
    margin = max(map(len, rows.values()), default=0)
    columns = width - margin - 2
    dot, line, left, corner, level, under = "*|+`-+" if plain else "●│┤└─┬"
    here: dict[Cell, list[str]] = {}
    for point in points:
        place = _place(1 - y.at(point.y), ROWS), _place(x.at(point.x), columns)
        here.setdefault(place, []).append(legible(point.name, plain))
    cells = [[" "] * columns for _ in range(ROWS)]
    for row, column in here:
        cells[row][column] = dot
    signs = chain(SIGNS, repeat(dot))
    key: dict[str, list[str]] = {}
    for place, names in here.items():
        if not _labelled(cells, place, ", ".join(names), here.keys() - {place}):
            sign = next(signs)
            cells[place[0]][place[1]] = sign
            key.setdefault(sign, []).extend(names)
    marks = {_place(x.at(value), columns): tick(value) for value in x.ticks(columns // 9)}
    ground = "".join(under if column in marks else level for column in range(columns))
    drawn = [
        y.title,
        *(
            f"{rows.get(row, ''):>{margin}} {left if row in rows else line}{''.join(written)}"
            for row, written in enumerate(cells)
        ),
        f"{'':>{margin}} {corner}{ground}",
        f"{'':>{margin}}  {_centred(marks, columns)}",
        f"{x.title:>{width}}",
        *([""] if key else []),
        *explained(key, width),
    ]
    return "".join(f"{text.rstrip()}\n" for text in drawn)


def _place(share: float, cells: int) -> int:
    return round(share * (cells - 1))


def _labelled(cells: list[list[str]], place: Cell, text: str, others: Set[Cell]) -> bool:
    """Write a name beside, above or below its point; False where it would stand by another's or run over the edge."""
    row, column = place
    columns, length = len(cells[row]), cell_len(text)
    centred = min(max(column - length // 2, 0), columns - length)
    for line, start in ((row, column + 2), (row, column - 1 - length), (row - 1, centred), (row + 1, centred)):
        around = range(start - 1, start + length + 1)
        if (
            0 <= line < len(cells)
            and 0 <= start <= columns - length
            and all(letter == " " for letter in cells[line][max(around.start, 0) : around.stop])
            and not any((near, one) in others for near in (line - 1, line, line + 1) for one in around)
        ):
            cells[line][start : start + length] = _one_a_cell(text)
            return True
    return False


def _one_a_cell(text: str) -> list[str]:
    """What stands in each cell of a text: some letters take two of them, and some none."""
    found: list[str] = []
    for letter in text:
        width = cell_len(letter)
        if width:
            found += [letter, *[""] * (width - 1)]
        elif found:
            found[-1] += letter
    return found


def _centred(marks: Mapping[int, str], columns: int) -> str:
    """Each mark under its column; one that would touch the one before it is left out."""
    line = ""
    for column, text in marks.items():
        start = min(max(column - len(text) // 2, 0), columns - len(text))
        if start > len(line) or not line:
            line = f"{line:<{start}}{text}"
    return line


def explained(key: Mapping[str, Sequence[str]], width: int) -> list[str]:
    """What the signs stand for, as many on a line as there is room for."""
    lines: list[str] = []
    for sign, names in key.items():
        entry = f"{sign} {', '.join(names)}"
        joined = f"{lines[-1]}   {entry}" if lines else entry
        if lines and cell_len(joined) <= width:
            lines[-1] = joined
        else:
            lines += wrap(entry, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return lines
