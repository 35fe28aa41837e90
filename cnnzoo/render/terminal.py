"""Tables on a terminal, in its width and with what it has of bold and dim letters: rich knows both."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD, Box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .column import spare
from .document import Document
from .table import drawn, grid, in_text, legible, notes

ASCII_RULE = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)

LEAST = 8
"""Letters to which words are cut, at the least."""


def show(document: Document, plain: bool) -> None:
    """Print to the terminal, in its width; in ASCII if `plain`. Where that is too narrow, columns for which there must
    be room are left out, the first of them first; then a last column of words is cut short with a sign of it, and
    figures run over the edge: they are never cut."""
    console = Console(markup=False, emoji=False)
    width = console.width
    columns = in_text(document)
    rows = grid(document, columns, plain)
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    while (dropped := spare(columns)) is not None:
        cut = max(widths[-1] - LEAST, 0) if columns[-1].narrow == "cut" else 0
        if _sum(widths) - cut <= width:
            break
        place = columns.index(dropped)
        del columns[place], widths[place + 1]
        for row in rows:
            del row[place + 1]
    right = [False, *(column.right for column in columns)]
    room = width - _sum(widths) + widths[-1]
    if LEAST <= room < widths[-1] and not right[-1]:
        widths[-1] = room

    header, *cells = rows
    table = Table(box=ASCII_RULE if plain else SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for title, room, end in zip(header, widths, right, strict=True):
        table.add_column(title, justify="right" if end else "left", no_wrap=True, width=room)
    for label, (name, *figures) in zip(document.labels, cells, strict=False):
        kind = len(name) - len(legible(label.kind, plain))
        table.add_row(Text.assemble(name[:kind], (name[kind:], "dim")), *figures)
    for name, *figures in cells[len(document.names) :]:
        table.add_row(Text(name, "bold"), *figures)
    console.width = max(_sum(widths), width)
    console.print(table, highlight=False)

    console.width = width
    if under := notes(document, plain):
        console.print()
        console.print(_notes(under), highlight=False)
    console.print(drawn(document, width, plain), end="", highlight=False, soft_wrap=True)


def _width(cell: str) -> int:
    """Of its longest line."""
    return max(map(cell_len, cell.splitlines()), default=0)


def _sum(widths: Sequence[int]) -> int:
    """What columns of these widths take together, with two spaces between them."""
    return sum(widths) + 2 * (len(widths) - 1)


def _notes(said: Sequence[tuple[str, str]]) -> Table:
    """Labels and sentences; the sentences wrap beside their labels."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for label, sentence in said:
        table.add_row(label, sentence)
    return table
