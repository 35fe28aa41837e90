"""The table of other tools' numbers that `cnnzoo conventions` prints."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from ...render.column import Column
from ...render.document import Document


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
    "ours": Column("Ours", itemgetter("ours"), _known, narrow="room"),
    "relative": Column("Relative", itemgetter("relative"), _apart),
    "counts": Column("What it is", itemgetter("counts"), right=False, narrow="under"),
    "why": Column("Why", itemgetter("why"), right=False, narrow="under"),
}


def document(model: str, entries: Sequence[dict[str, Any]]) -> Document:
    """Data formats have the exact figures, the unknown as null or an empty cell."""
    tools = [entry["tool"] for entry in entries]
    data = {"model": model, "tools": list(entries)}
    return Document(
        model, tools, COLUMNS, entries, rows=entries, data=data, caption=f"What other tools print for {model}"
    )
