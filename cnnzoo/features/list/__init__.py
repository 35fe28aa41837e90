"""The table of networks that `cnnzoo list` prints."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from ...render.column import Column
from ...render.document import Document
from ...words import number, sides

COLUMNS = {
    "params": Column("Params", itemgetter("params"), number),
    "macs": Column("MACs", itemgetter("macs"), number),
    "depth": Column("Depth", itemgetter("depth"), number, narrow="room"),
    "input_size": Column("Input", itemgetter("input_size"), sides, narrow="room"),
    "year": Column("Year", itemgetter("year"), narrow="room"),
    "paper": Column("Paper", itemgetter("paper"), right=False, narrow="cut"),
}


def document(entries: Sequence[dict[str, Any]]) -> Document:
    """Data formats have every field of the entries."""
    return Document("Model", [entry["model"] for entry in entries], COLUMNS, entries, rows=entries, caption="Networks")
