"""Tables of text for files and pipes, every line as long as it needs to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..words import visible
from .column import Column
from .document import Document, Label

WIDTH = 80
"""Width of a drawing in text where there is no terminal."""

SIGNS = str.maketrans(
    {"×": "x", "·": "*", "–": "-", "−": "-", "→": "->", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "≥": ">="}
    | dict.fromkeys("█▉▊▋▌", "#")
    | dict.fromkeys("▍▎▏", "")
)
"""What is written in ASCII for signs that it lacks."""


class Strip(NamedTuple):
    """A column of cells that are padded to one width."""

    cells: list[str]
    width: int


def to_table(document: Document) -> str:
    return _text(document, plain=False)


def to_ascii(document: Document) -> str:
    return _text(document, plain=True)


def _text(document: Document, plain: bool) -> str:
    columns = in_text(document)
    strips = aligned(grid(document, columns, plain), [False, *(column.right for column in columns)])
    header, *rows = lines(strips)
    written = [header, rule(strips, plain), *rows]
    if under := document.under():
        written += ["", *lines(aligned(notes(under, plain), [False, False]))]
    return "".join(f"{line.rstrip()}\n" for line in written) + drawn(document, WIDTH, plain)


def in_text(document: Document) -> list[Column]:
    """The columns of a terminal or a pipe, each as it is shown there."""
    return [column.in_text for column in document.narrow()]


def grid(document: Document, columns: Sequence[Column], plain: bool) -> list[list[str]]:
    """The table's cells, row by row: the header first, and the total last where there is one; in ASCII if `plain`."""
    rows = [[document.title, *(column.header for column in columns)]]
    rows += [
        [_name(label, plain), *cells] for label, cells in zip(document.labels, document.cells(columns), strict=True)
    ]
    rows += filter(None, [document.totals(columns)])
    return [[legible(cell, plain) for cell in row] for row in rows]


def _name(label: Label, plain: bool) -> str:
    """A row's name and its kind behind the guides of the tree."""
    ways = ("  ", "| ", "`-", "|-") if plain else ("  ", "│ ", "└─", "├─")
    lead = "".join([*(ways[follows] for follows in label.guides[:-1]), *(ways[2 + own] for own in label.guides[-1:])])
    return legible(f"{lead}{label.name} {label.kind}", plain).rstrip()


def notes(said: Iterable[tuple[str, str]], plain: bool, room: int | None = None) -> list[tuple[str, str]]:
    """Labels and lines of their sentences, which wrap at words where there is `room` for so many cells only."""
    found: list[tuple[str, str]] = []
    for label, sentence in said:
        parts = [part for line in sentence.splitlines() or [""] for part in _wrapped(legible(line, plain), room)]
        found += zip([legible(label, plain), *[""] * (len(parts) - 1)], parts, strict=True)
    return found


def _wrapped(text: str, room: int | None) -> list[str]:
    """Lines of whole words; only a word that is longer than a line is broken."""
    if room is None or cell_len(text) <= room:
        return [text]
    found, used = list[list[str]](), room
    for word in text.split(" "):
        if cell_len(word) > room:
            *whole, word = pieces(word, room)
            found += ([piece] for piece in whole)
            used = room
        used += 1 + cell_len(word)
        if used > room:
            found.append([])
            used = cell_len(word)
        found[-1].append(word)
    return [" ".join(words) for words in found]


def drawn(document: Document, width: int, plain: bool) -> str:
    """The drawing, an empty line before it."""
    return "" if document.drawing is None else f"\n{document.drawing(width, plain)}"


def aligned(rows: Iterable[Sequence[str]], right: Iterable[bool]) -> list[Strip]:
    """The columns of some rows, the cells of each to its `right` or left."""
    return [_strip(cells, end) for cells, end in zip(zip(*rows, strict=True), right, strict=True)]


def _strip(cells: Sequence[str], right: bool) -> Strip:
    lengths = [cell_len(cell) for cell in cells]
    width = max(lengths)
    free = [" " * (width - length) for length in lengths]
    padded = [space + cell if right else cell + space for cell, space in zip(cells, free, strict=True)]
    return Strip(padded, width)


def lines(strips: Iterable[Strip]) -> list[str]:
    """The lines of a table, two spaces between the columns."""
    return ["  ".join(cells) for cells in zip(*(strip.cells for strip in strips), strict=True)]


def rule(strips: Sequence[Strip], plain: bool) -> str:
    """The line under the header."""
    return ("-" if plain else "─") * total_width(strips)


def total_width(strips: Sequence[Strip]) -> int:
    return sum(strip.width for strip in strips) + 2 * (len(strips) - 1)


def cell_len(text: str) -> int:
    """How many cells of a terminal a text takes: two for each wide character of East Asia (Unicode's annex 11), none
    for marks that combine with the one before."""
    if text.isascii() or all(letter < "\u0300" or "\u2500" <= letter <= "\u25fc" for letter in text):
        return len(text)  # Latin letters and what trees and bars are drawn with
    from unicodedata import category, east_asian_width

    return sum(
        0 if category(letter) in ("Mn", "Me", "Mc", "Cf") else 2 if east_asian_width(letter) in "FW" else 1
        for letter in text
    )


def pieces(text: str, room: int) -> Iterator[str]:
    """A text in pieces, each as long as so many cells hold."""
    start = used = 0
    for place, letter in enumerate(text):
        cells = cell_len(letter)
        if used + cells > room:
            yield text[start:place]
            start, used = place, 0
        used += cells
    yield text[start:]


def legible(text: str, plain: bool) -> str:
    """The text without control characters; in ASCII if `plain`: × is x, ⌊a·b⌋ is floor(a*b), é is e, and what is like
    no ASCII character is a question mark."""
    text = visible(text)
    if not plain or text.isascii():
        return text
    from unicodedata import combining, normalize

    letters = normalize("NFKD", text.translate(SIGNS))
    return "".join(letter for letter in letters if not combining(letter)).encode("ascii", "replace").decode()
