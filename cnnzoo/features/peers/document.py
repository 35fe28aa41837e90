"""The table of other tools' numbers that `cnnzoo peers` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from ...render.column import Column, pick
from ...render.document import Document
from ...words import exactly


def _known(figure: int | None) -> str:
    return "unknown" if figure is None else f"{figure:,}"


def _apart(relative: float | None) -> str:
    """A ratio as what it is apart from 1."""
    if relative is None or relative == 1:
        return "" if relative is None else "equal"
    return f"{relative - 1:+.2%}" if abs(relative - 1) >= 0.0001 else "under 0.01%"


COLUMNS = {
    "number": Column("Its number", itemgetter("number"), right=False, narrow="under"),
    "figure": Column("Figure", itemgetter("figure"), _known),
    "by_rule": Column("By its rule", itemgetter("by_rule"), _known, narrow="room"),
    "ours": Column("Ours", itemgetter("ours"), _known, narrow="room"),
    "relative": Column("Relative", itemgetter("relative"), _apart),
    "counts": Column("What it is", itemgetter("counts"), right=False, narrow="under"),
    "why": Column("Why", itemgetter("why"), right=False, narrow="under"),
}


def document(
    model: str, entries: Sequence[dict[str, Any]], run: bool = False, columns: Sequence[str] | None = None
) -> Document:
    """As a table of these columns; data formats have the exact figures, the unknown as null or an empty cell.

    Where the tools were not `run`, all figures are by their rules, and by default no column says so once more.
    Raises `UnknownColumnError`.
    """
    shown = pick(columns or [name for name in COLUMNS if run or name != "by_rule"], COLUMNS)
    tools = [entry["tool"] for entry in entries]
    data = {"model": model, "tools": list(entries)}
    return Document(
        model, tools, shown, entries, rows=entries, data=data, caption=f"What other tools print for {model}"
    )


def overview(networks: Mapping[str, Sequence[dict[str, Any]]]) -> Document:
    """A row for each network, and a column for each tool's figure; data formats have all that there is of each."""
    (first, *_) = networks.values()
    columns = {one["tool"]: Column(one["tool"], partial(_of_tool, place), exactly) for place, one in enumerate(first)}
    rows = [{"model": model, **entry} for model, entries in networks.items() for entry in entries]
    return Document(
        "Network", list(networks), columns, list(networks.values()), rows=rows, caption="What other tools print"
    )


def _of_tool(place: int, entries: Sequence[dict[str, Any]]) -> Any:
    return entries[place]["figure"]
