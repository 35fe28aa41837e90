"""Texts: what a word that a user gave may mean, how much of a long one is repeated, and numbers as people read them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from .errors import InvalidValueError

MOST = 2**63 - 1
"""The largest whole number of torch: no setting, no length and no count of a tensor's elements is larger."""

LONGEST = 1000
"""Characters, at most, of a value that is read from text."""

LISTED = 40
"""Names that a message lists before it says how many more there are."""

REPEATED = 80
"""Characters of a value that a message repeats."""

SAID = 1000
"""Characters, at most, of a message."""

HIDDEN = dict.fromkeys(
    [*range(32), *range(127, 160), 0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]
) | dict.fromkeys(map(ord, "\t\n\u2028\u2029"), " ")
"""What stands for control characters and those that turn the direction of a line: nothing, or a space."""


@dataclass(frozen=True, slots=True)
class Range:
    """A whole number that is not the same everywhere: from `least` to `most`."""

    least: int
    most: int

    def __str__(self) -> str:
        return f"{self.least}-{self.most}"


def most_of(value: Any) -> Any:
    """The most that a figure is: of a pair the larger one, of a range its end."""
    if isinstance(value, tuple):
        return max(map(most_of, value))
    return value.most if isinstance(value, Range) else value


def as_json(value: Any) -> Any:
    """What JSON has for a figure that is no whole number: `{"least": 5, "most": 6}` of a range, "1/2" of a fraction."""
    return {"least": value.least, "most": value.most} if isinstance(value, Range) else str(value)


def hint(
    name: str, known: Iterable[str], otherwise: str | None = None, most: int = 3, show: Callable[[str], str] = str
) -> str:
    """`did you mean a or b?` where such are near, else `otherwise`, by default a list of what there is."""
    names = list(known)
    close = near(name, names, most)
    if close:
        return f"did you mean {' or '.join(map(show, close))}?"
    return f"there are {listed(names)}" if otherwise is None else otherwise


def near(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names nearest to one that is not known, equally near ones in their order.

    Near is what differs in at most a quarter of its characters (optimal string alignment distance), case and
    punctuation apart. Where nothing is that near, those that begin with the name, or have all of its words: "vgg" for
    vgg16, "classes" for num_classes. A number alone is near to none, and neither is what is no name by its length.
    """
    plain = _plain(name)
    if not plain or plain.isdecimal() or len(plain) > REPEATED:
        return []
    allowed = min(max(1, len(plain) // 4), len(plain) - 1)
    names = {other: _plain(other) for other in known}
    distances = {
        other: distance(plain, letters) for other, letters in names.items() if abs(len(letters) - len(plain)) <= allowed
    }
    least = min(distances.values(), default=allowed + 1)
    if least <= allowed:
        return [other for other, found in distances.items() if found == least][:most]
    words = _words(name)
    longer = len(plain) > 2
    return [other for other in names if longer and (names[other].startswith(plain) or words <= _words(other))][:most]


def distance(one: str, other: str) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours that make one text the other, no part of it edited
    twice: the optimal string alignment distance, O(n·m)."""
    before, last = [0] * (len(other) + 1), list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, wanted in enumerate(other, 1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != wanted))
            if row > 1 < column and letter == other[column - 2] and one[row - 2] == wanted:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, last = last, line
    return last[-1]


def listed(names: Iterable[str], most: int = LISTED) -> str:
    """`a, b, c`, and how many more where they are many; long ones without their middle."""
    every = list(names)
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return f"{', '.join(shortened(name, REPEATED) for name in every[:most])}{more}"


def counted(number: int, what: str) -> str:
    """A number of things, `what` in the plural: "1 layer", "1,000 layers"."""
    return f"{number:,} {what.removesuffix('s') if number == 1 else what}"


def quoted(value: Any) -> str:
    """The repr of what was given, without its middle where that is long."""
    try:
        return shortened(repr(value), REPEATED)
    except (ValueError, RecursionError):  # of a whole number of thousands of digits, of what is nested as deep
        return f"{type(value).__name__} too long to be shown"


def shortened(text: str, most: int = SAID) -> str:
    """A text without its middle, where it has more than so many characters; its end says what to do."""
    if len(text) <= most:
        return text
    return f"{text[: most * 2 // 3]} … {text[-(most // 3) :]}"


def visible(text: str) -> str:
    """A text without what a terminal or a page would obey instead of showing it."""
    return text if text.isprintable() else text.translate(HIDDEN)


def read_literal(text: str) -> Any:
    """A Python literal, and else the text itself. ValueError for a text that is too long, or a number too large."""
    from ast import literal_eval

    if len(text) > LONGEST:
        raise InvalidValueError(f"a value has at most {LONGEST:,} characters; {quoted(text)} has {len(text):,}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what only looks like a number or an escape
            value = literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # the last two of deep nesting
        return text
    if not _is_bounded(value):
        raise InvalidValueError(f"{quoted(text)} is or has a number larger than {MOST:,}")
    return value


def _is_bounded(value: Any) -> bool:
    """Whether all whole numbers in it are such as torch has."""
    if isinstance(value, Mapping):
        return all(map(_is_bounded, [*value, *value.values()]))
    if isinstance(value, tuple | list | set):
        return all(map(_is_bounded, value))
    return not isinstance(value, int) or abs(value) <= MOST


def number(value: int | None) -> str:
    """1,234,567; a dash where nothing applies."""
    return "-" if value is None else f"{value:,}"


def count(value: int | None) -> str:
    """As `number`, but nothing is a dash: most layers do nothing of most kinds. The unknown is "?"."""
    return "?" if value is None else f"{value:,}" if value else "-"


def exactly(value: int | None, unit: str = "") -> str:
    """1,234,567, with a unit if there is one; the unknown is "?"."""
    return "?" if value is None else f"{value:,} {unit}".rstrip()


def sides(value: Any, sep: str = "x") -> str:
    """A shape or a pair as 64x112x112; a single number as it is."""
    if value is None:
        return "-"
    return sep.join(map(str, value)) if isinstance(value, tuple) else str(value)


def size(value: int | None) -> str:
    """Bytes as MB = 10^6, kB or bytes; the unknown is "?"."""
    if value is None:
        return "?"
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if value >= scale:
            hundredths = (100 * value + scale // 2) // scale
            return f"{hundredths // 100:,}.{hundredths % 100:02} {unit}"
    return f"{value} bytes"


def size_in_full(value: int | None) -> str:
    """Bytes as 1,234,567 B; the unknown is "?"."""
    return exactly(value, "B")


def short(value: int | None, unit: str = "", below: int = 1000) -> str:
    """Three digits of a figure, all of one that is less than `below`: 25.6 M, 4.09 G; the unknown is "?"."""
    if value is None or value < below:
        return exactly(value, unit)
    scaled: float = value
    for prefix in ("", "k", "M", "G", "T", "P"):
        if scaled < 999.5 or prefix == "P":
            break
        scaled /= 1000
    digits = 0 if not prefix else 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:,.{digits}f} {prefix}{unit}".rstrip()


TORCHINFO = {
    "depth": "what a table shows is said when it is made: report.document(depth=2).text('table')",
    "col_names": "what a table shows is said when it is made: report.document(columns=['macs']).text('table')",
    "row_settings": "every row has the name and the kind; other columns: report.document(columns=['kernel'])",
    "col_width": "columns are as wide as what is in them",
    "verbose": "nothing is printed but by print(report)",
    "cache_forward_pass": "nothing is kept between calls: keep the report",
    "device": "nothing is computed, so that no device is needed",
}
"""Keywords of torchinfo's summary that ours has not, and what to do instead."""


def channels_last(size: Sequence[int]) -> str:
    """What to say of (height, width, channels): channels come first. Nothing of what is no such size."""
    sample = tuple(size[-3:])
    if len(size) not in (3, 4) or sample[-1] not in (1, 3, 4) or sample[0] < 16 or sample[1] <= sample[2]:
        return ""
    height, width, channels = sample
    meant = f"{channels}x{height}x{width}"
    return f"channels come first: {height}x{width}x{channels} has {height} of them; did you mean {meant}?"


def prefixes(path: str) -> Iterator[str]:
    """A path and those above it, the outermost first: of `layer1.0.conv1` also `layer1` and `layer1.0`."""
    return accumulate(path.split("."), "{}.{}".format)


def is_in(path: str, block: str) -> bool:
    """Whether a path is that of a block, or of something in it; "" is the whole network."""
    return not block or f"{path}.".startswith(f"{block}.")


def all_sides(shapes: Iterable[Sequence[Any]]) -> str:
    """Of several inputs: 3x224x224 and 1x10."""
    return " and ".join(map(sides, shapes))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", name.lower()))
