"""What each technique saves, in one network and in all that have it."""

from __future__ import annotations

from typing import Any

from ...errors import InvalidValueError
from ...registry import Builder
from ...render.document import Document
from ..savings import TECHNIQUES, DoesNotApply, Savings, savings
from ..savings.document import COLUMNS
from .zoo import families

SHOWN = ("params", "params_without", "params_share", "macs", "macs_without", "macs_share")


def saved(model: str, by: str | None = None, depth: str = "3") -> str:
    """The table of `cnnzoo savings` with so many levels of blocks."""
    try:
        found = savings(model, by)
    except DoesNotApply as reason:
        raise InvalidValueError(str(reason)) from None
    return found.document(int(depth)).text("markdown")


def techniques() -> str:
    """For each technique the networks that have it, as designed and without it."""
    parts = []
    for name, technique in TECHNIQUES.items():
        found = [_savings(builder, name) for own in families().values() for builder in own]
        having = {str(one.model): one.whole for one in found if one is not None}
        columns = {column: COLUMNS[column] for column in SHOWN}
        table = Document("Network", list(having), columns, list(having.values())).text("markdown")
        heading = f"### {name.capitalize()}: {technique.words} against {technique.against}"
        parts.append(f"{heading}\n\n{technique.rewrite.summary} The argument: {technique.rewrite.source}.\n\n{table}")
    return "\n\n".join(parts)


def _savings(builder: Builder[Any], by: str) -> Savings | None:
    try:
        return savings(builder, by)
    except DoesNotApply:
        return None
