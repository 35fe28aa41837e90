"""The table of rewrites that `cnnzoo rewrites` prints."""

from __future__ import annotations

from operator import attrgetter

from ...render.column import Column
from ...render.document import Document
from ...rewrites import Rewrite, registered

COLUMNS = {
    "summary": Column("What it does", lambda rewrite: rewrite.summary.replace("`", ""), right=False, narrow="under"),
    "source": Column("Argument", attrgetter("source"), right=False, narrow="cut"),
}


def document() -> Document:
    """Every registered rewrite; one that takes a value ends in "=…"."""
    found = registered()
    return Document("Rewrite", [_name(one) for one in found], COLUMNS, found, caption="Rewrites")


def _name(rewrite: Rewrite) -> str:
    return f"{rewrite.name}=…" if rewrite.option else rewrite.name
