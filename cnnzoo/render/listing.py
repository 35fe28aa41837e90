"""The table of networks that `cnnzoo list` prints."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from .columns import Column, number, sides
from .data import to_csv, to_json
from .table import grid, markdown, wide_text

if TYPE_CHECKING:
    from rich.table import Table

Entry = dict[str, Any]


COLUMNS = {
    "params": Column("Params", itemgetter("params"), number),
    "macs": Column("MACs", itemgetter("macs"), number),
    "depth": Column("Depth", itemgetter("depth"), number),
    "input_size": Column("Input", itemgetter("input_size"), sides),
    "year": Column("Year", itemgetter("year")),
    "paper": Column("Paper", itemgetter("paper"), right=False),
}


def renderables(entries: Sequence[Entry], plain: bool) -> list[Table]:
    header = ["Model", *(column.header for column in COLUMNS.values())]
    return [grid(header, _cells(entries), list(COLUMNS.values()), plain)]


def render(entries: Sequence[Entry], format: str) -> str:
    """The list in one of `FORMATS`; JSON and CSV have every field."""
    if format == "json":
        return to_json(list(entries))
    if format == "csv":
        return to_csv(list(entries[0]), [list(entry.values()) for entry in entries])
    if format == "markdown":
        header = ["Model", *(column.header for column in COLUMNS.values())]
        return markdown(header, _cells(entries), [False, *(column.right for column in COLUMNS.values())])
    return wide_text(renderables(entries, format == "text"))


def _cells(entries: Sequence[Entry]) -> list[list[str]]:
    return [[entry["model"], *(column.cell(entry) for column in COLUMNS.values())] for entry in entries]
