"""The table of other tools' numbers that `cnnzoo conventions` prints."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from .columns import Column
from .data import to_csv, to_json
from .table import grid, markdown, notes, wide_text

if TYPE_CHECKING:
    from rich.table import Table

Entry = dict[str, Any]


def _known(figure: int | None) -> str:
    return "unknown" if figure is None else f"{figure:,}"


def _apart(relative: float | None) -> str:
    """A ratio as what it is apart from 1."""
    if relative is None or relative == 1:
        return "" if relative is None else "equal"
    return f"{relative - 1:+.2%}" if abs(relative - 1) >= 0.0001 else "under 0.01%"


COLUMNS = {
    "number": Column("Its number", itemgetter("number"), right=False),
    "figure": Column("Figure", itemgetter("figure"), _known),
    "ours": Column("Ours", itemgetter("ours"), _known),
    "relative": Column("Relative", itemgetter("relative"), _apart),
    "counts": Column("What it is", itemgetter("counts"), right=False),
}
WHY = Column("Why", itemgetter("why"), right=False)


def renderables(model: str, entries: Sequence[Entry], plain: bool) -> list[Table]:
    """The table, and under it a sentence of each tool."""
    table = grid([model, *_header(COLUMNS)], _cells(entries, COLUMNS), list(COLUMNS.values()), plain)
    return [table, notes([(entry["tool"], entry["why"]) for entry in entries], plain)]


def render(model: str, entries: Sequence[Entry], format: str) -> str:
    """In one of `FORMATS`; JSON and CSV have the exact figures, the unknown as null or an empty cell."""
    if format == "json":
        return to_json({"model": model, "tools": list(entries)})
    if format == "csv":
        return to_csv(list(entries[0]), [list(entry.values()) for entry in entries])
    if format == "markdown":
        columns = {**COLUMNS, "why": WHY}
        header = [model, *_header(columns)]
        return markdown(header, _cells(entries, columns), [False, *(column.right for column in columns.values())])
    return wide_text(renderables(model, entries, format == "text"))


def _header(columns: dict[str, Column]) -> list[str]:
    return [column.header for column in columns.values()]


def _cells(entries: Sequence[Entry], columns: dict[str, Column]) -> list[list[str]]:
    return [[entry["tool"], *(column.cell(entry) for column in columns.values())] for entry in entries]
