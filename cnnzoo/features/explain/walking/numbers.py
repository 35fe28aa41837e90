"""Exact numbers: read from text or nested lists, and shown as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from ....errors import InvalidTypeError, InvalidValueError
from ....words import counted, quoted

Grid = tuple[tuple[Fraction, ...], ...]
"""A map or a kernel: rows of numbers."""

NUMBER = re.compile(r"[-+−]?(\d{1,12}(\.\d{0,12})?|\.\d{1,12})", re.ASCII)
PLACES = 12
"""Decimal places that are shown; what has more, as a third has, is shown as a fraction."""


def grids(given: Any, what: str) -> list[Grid]:
    """Maps of one height and one width, from text ("1 2 / 3 4": "/" or a line's end between rows, "//" or an empty line
    between maps) or from nested sequences: rows, maps of rows, or rows of maps of rows, as a weight of four dimensions
    has them. InvalidValueError, which says `what` it is, for anything else."""
    if isinstance(given, str):
        maps = [[_numbers(row) for row in re.split(r"[/\n]", one)] for one in re.split(r"/\s*/|\n\s*\n", given.strip())]
        found = [[[_read(word, what) for word in row] for row in rows if row] for rows in maps]
    else:
        found = _nested(given.tolist() if hasattr(given, "tolist") else given, what)
    first = found[0][0] if found and found[0] else ()
    for one in found:
        for row in one:
            if len(row) != len(first):
                raise InvalidValueError(
                    f"the {what} has rows of {counted(len(first), 'values')} and of {len(row)}: {_line(row)}"
                )
        if len(one) != len(found[0]):
            raise InvalidValueError(f"the {what} has maps of {counted(len(found[0]), 'rows')} and of {len(one)}")
    if not first:
        raise InvalidValueError(f'the {what} has no values: give rows of numbers, as "1 2 3 / 4 5 6"')
    return [tuple(map(tuple, one)) for one in found]


def listed(given: Any, what: str) -> tuple[Fraction, ...]:
    """Numbers in a row, from text or a sequence."""
    rows = grids(given if isinstance(given, str) else [list(given)], what)
    return tuple(value for grid in rows for row in grid for value in row)


def _numbers(row: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", row) if word]


def _read(given: Any, what: str) -> Fraction:
    if isinstance(given, Fraction):
        return given
    word = str(given)
    if not NUMBER.fullmatch(word):
        raise InvalidValueError(
            f"the {what} has {quoted(word)}, which is no number: give numbers as 1, -2 or 0.5, rows apart "
            f'by "/" as in "1 2 3 / 4 5 6", or a file of them'
        )
    return Fraction(word.replace("−", "-"))


def _nested(given: Any, what: str) -> list[list[list[Fraction]]]:
    """Numbers that are nested two, three or four deep, as maps of rows."""
    levels, inner = 0, given
    while isinstance(inner, Sequence) and not isinstance(inner, str) and inner and levels < 5:
        levels, inner = levels + 1, inner[0]
    if levels not in (2, 3, 4):
        raise InvalidTypeError(f"the {what} is rows of numbers, or maps of such, got {quoted(given)}")
    maps = [given] if levels == 2 else given if levels == 3 else [one for some in given for one in some]
    try:
        return [[[_read(value, what) for value in row] for row in one] for one in maps]
    except TypeError:  # a number where a row should be
        raise InvalidTypeError(f"the {what} is not nested evenly: {quoted(given)}") from None


def shown(value: Fraction) -> str:
    """A number as a decimal, or as a fraction where that would have no end."""
    places = next((places for places in range(PLACES + 1) if 10**places % value.denominator == 0), None)
    sign = "−" if value < 0 else ""
    if places is None:
        return f"{sign}{abs(value.numerator)}/{value.denominator}"
    whole, rest = divmod(abs(value.numerator) * 10**places // value.denominator, 10**places)
    return f"{sign}{whole}.{rest:0{places}}" if places else f"{sign}{whole}"


def factor(value: Fraction) -> str:
    """A number in a product or a sum: one below 0 in brackets."""
    return shown(value) if value >= 0 else f"({shown(value)})"


def plain(value: Fraction) -> int | float | str:
    """A number for JSON: as a text, "1/3", where no float prints as it."""
    if value.denominator == 1:
        return int(value)
    return float(value) if Fraction(repr(float(value))) == value else str(value)


def lines(grid: Grid) -> list[str]:
    """The rows of a grid, its columns aligned; shorter numbers behind figure spaces, which are as wide as a digit on a
    page, too."""
    width = max(len(shown(value)) for row in grid for value in row)
    return [" ".join(shown(value).rjust(width, "\u2007") for value in row) for row in grid]


def _line(row: Sequence[Fraction]) -> str:
    return quoted(" ".join(map(shown, row)))


def mapped(function: Callable[[Fraction], Any], grid: Sequence[Any]) -> list[Any]:
    """Nested numbers as lists, each through a function."""
    return [mapped(function, one) if isinstance(one, tuple) else function(one) for one in grid]
