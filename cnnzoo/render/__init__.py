"""Reports and tables as text for people and programs; no arithmetic here."""

from __future__ import annotations

from collections.abc import Sequence

from ..report import Report
from .columns import COLUMNS, UnknownColumnError
from .document import FORMATS, Document, Label, Shown
from .report import DEPTH
from .report import document as report_document

__all__ = [
    "COLUMNS",
    "DEPTH",
    "FORMATS",
    "Document",
    "Label",
    "Shown",
    "UnknownColumnError",
    "render",
    "report_document",
    "to_html",
    "to_text",
]


def render(
    report: Report,
    format: str,
    *,
    columns: Sequence[str] | None = None,
    depth: int | None = DEPTH,
    fold: bool = True,
) -> str:
    """The report in one of `FORMATS`, as wide as it needs; "text" is the table in ASCII.

    JSON and CSV hold every leaf, whatever `depth` and `fold` say; JSON every figure, too.
    """
    return report_document(report, columns, depth, fold).text(format)


def to_text(report: Report) -> str:
    """What `print(report)` prints."""
    return render(report, "table").rstrip("\n")


def to_html(report: Report) -> str:
    """What a notebook shows."""
    from .html import fragment  # the standard library's html takes 3 ms that a terminal need not wait for

    return fragment(report_document(report))
