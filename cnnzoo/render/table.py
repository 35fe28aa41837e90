"""Tables of text for files and pipes, every line as long as it needs to be, by the standard library alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from .column import Column
from .document import Document, Label

WIDTH = 80
"""Of a drawing where there is no terminal."""

SIGNS = str.maketrans(
    {"×": "x", "·": "*", "–": "-", "−": "-", "→": "->", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "≥": ">="}
    | dict.fromkeys("█▉▊▋▌", "#")
    | dict.fromkeys("▍▎▏", "")
)
"""Signs that are words or others in ASCII."""

CONTROL = dict.fromkeys([*range(32), *range(127, 160)]) | {ord("\t"): " ", ord("\n"): "\n"}
"""What stands for control characters in a cell: nothing, but for tabs and line breaks."""


def to_table(document: Document) -> str:
    return _text(document, plain=False)


def to_ascii(document: Document) -> str:
    return _text(document, plain=True)


def _text(document: Document, plain: bool) -> str:
    columns = in_text(document)
    header, *rows = _aligned(grid(document, columns, plain), [False, *(column.right for column in columns)])
    lines = [header, ("-" if plain else "─") * cell_len(header), *rows]
    if under := notes(document, plain):
        lines += ["", *_aligned(under, [False, False])]
    return "".join(f"{line.rstrip()}\n" for line in lines) + drawn(document, WIDTH, plain)


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


def notes(document: Document, plain: bool) -> list[tuple[str, str]]:
    """The labels and sentences under the table, in ASCII if `plain`."""
    return [(legible(label, plain), legible(sentence, plain)) for label, sentence in document.under()]


def drawn(document: Document, width: int, plain: bool) -> str:
    """The drawing, an empty line before it."""
    return "" if document.drawing is None else f"\n{document.drawing(width, plain)}"


def _aligned(rows: Iterable[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """Lines of one width: columns of cells, each to its `right` or left, and two spaces between them."""
    lines = [line for row in rows for line in _lines(row)]
    taken = [[cell_len(cell) for cell in line] for line in lines]
    widths = [max(column) for column in zip(*taken, strict=True)]
    return [
        "  ".join(
            " " * (width - length) + cell if end else cell + " " * (width - length)
            for cell, length, width, end in zip(line, lengths, widths, right, strict=True)
        )
        for line, lengths in zip(lines, taken, strict=True)
    ]


def _lines(row: Sequence[str]) -> Iterable[Sequence[str]]:
    """The lines of a row: more than one where a cell has line breaks."""
    if "".join(row).isprintable():
        return [row]
    return zip_longest(*(cell.translate(CONTROL).split("\n") for cell in row), fillvalue="")


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


def legible(text: str, plain: bool) -> str:
    """The text; in ASCII if `plain`: × is x, ⌊a·b⌋ is floor(a*b), é is e, and what is like no ASCII character is a
    question mark."""
    if not plain or text.isascii():
        return text
    from unicodedata import combining, normalize

    letters = normalize("NFKD", text.translate(SIGNS))
    return "".join(letter for letter in letters if not combining(letter)).encode("ascii", "replace").decode()
