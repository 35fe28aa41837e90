"""The table of networks that `cnnzoo list` prints."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from ...render.column import Column, pick
from ...render.document import Document
from ...words import number, sides


def _figure(name: str, header: str) -> Column:
    return Column(header, itemgetter(name), number)


COLUMNS = {
    "params": _figure("params", "Params"),
    "macs": _figure("macs", "MACs"),
    "flops": _figure("flops", "FLOPs"),
    "activations": _figure("activations", "Activations"),
    "depth": Column("Depth", itemgetter("depth"), number, narrow="room"),
    "receptive_field": Column("Receptive field", itemgetter("receptive_field"), sides),
    "input_size": Column("Input", itemgetter("input_size"), sides, narrow="room"),
    "year": Column("Year", itemgetter("year"), narrow="room"),
    "paper": Column("Paper", itemgetter("paper"), right=False, narrow="cut"),
    "authors": Column("Authors", itemgetter("authors"), right=False),
    "link": Column("Link", lambda entry: entry["link"] or "", right=False),
    "about": Column("What it is", lambda entry: entry["about"].replace("`", ""), right=False, narrow="under"),
}

DEFAULT = ("params", "macs", "depth", "input_size", "year", "paper")


def document(entries: Sequence[dict[str, Any]], columns: Sequence[str] | None = None) -> Document:
    """Data formats have every field of the entries, whatever the columns are."""
    names = [entry["model"] for entry in entries]
    return Document("Model", names, pick(columns or DEFAULT, COLUMNS), entries, rows=entries, caption="Networks")
