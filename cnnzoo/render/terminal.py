"""A document on a terminal: in its width, titles in bold letters and kinds in dim ones."""

from __future__ import annotations

from .column import spare
from .document import Document
from .table import Strip, aligned, cell_len, drawn, grid, in_text, legible, lines, notes, pieces, rule, total_width

LEAST = 8
"""Cells for words that are cut, or that wrap beside a label, at the least."""


def to_terminal(document: Document, width: int, *, plain: bool, codes: bool) -> str:
    """The table in a terminal's width, with escape codes for bold and dim letters if it knows `codes`; in ASCII if
    `plain`.

    Where that is too narrow, columns for which there must be room are left out, the first of them first; then a last
    column of words is cut short with a sign of it, or left out, and figures run over the edge: they are never cut.
    """
    bold, dim = ("\x1b[1m{}\x1b[0m".format, "\x1b[2m{}\x1b[0m".format) if codes else (str, str)
    columns = in_text(document)
    rows = grid(document, columns, plain)
    strips = aligned(rows, [False, *(column.right for column in columns)])
    while (dropped := spare(columns)) is not None:
        spared = max(strips[-1].width - LEAST, 0) if columns[-1].narrow == "cut" else 0
        if total_width(strips) - spared <= width:
            break
        place = columns.index(dropped)
        del columns[place], strips[place + 1]
    room = width - total_width(strips) + strips[-1].width
    if room < LEAST and columns and columns[-1].narrow == "cut":
        del columns[-1], strips[-1]
    if LEAST <= room < strips[-1].width and not any(column.right for column in columns[-1:]):
        words = [cell.rstrip() for cell in strips[-1].cells]
        short = [word if cell_len(word) <= room else f"{next(pieces(word, room - 1))}…" for word in words]
        strips[-1] = Strip(short, room)

    header, *body = lines(strips)
    written = [bold(header.rstrip()), rule(strips, plain)]
    for label, (name, *_), line in zip(document.labels, rows[1:], body, strict=False):
        start, end = len(name) - len(legible(label.kind, plain)), len(name)
        written.append(f"{line[:start]}{dim(line[start:end])}{line[end:]}" if start < end else line)
    for line in body[len(document.labels) :]:
        name, space, figures = line.partition(" ")
        written.append(f"{bold(name)}{space}{figures}")

    if under := document.under():
        labels = max(cell_len(legible(label, plain)) for label, _ in under)
        said = notes(under, plain, max(width - labels - 2, LEAST))
        written.append("")
        for (first, _), line in zip(said, lines(aligned(said, [False, False])), strict=True):
            written.append(f"{bold(first)}{line[len(first) :]}" if first else line)
    return "".join(f"{line.rstrip()}\n" for line in written) + drawn(document, width, plain)
