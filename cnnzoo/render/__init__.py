"""A report as text for people and programs; no arithmetic here."""

from __future__ import annotations

from collections.abc import Sequence

from ..report import Report
from .columns import COLUMNS, UnknownColumnError, pick
from .data import report_csv, to_csv, to_json
from .table import DEPTH, markdown, renderables, report_markdown, show, wide_text

__all__ = [
    "COLUMNS",
    "DEPTH",
    "FORMATS",
    "UnknownColumnError",
    "markdown",
    "pick",
    "render",
    "renderables",
    "show",
    "to_csv",
    "to_html",
    "to_json",
    "to_text",
    "wide_text",
]

FORMATS = ("table", "text", "json", "csv", "markdown")


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
    if format == "json":
        return to_json(report.to_dict())
    if format == "csv":
        return report_csv(report, columns)
    if format == "markdown":
        return report_markdown(report, columns, depth, fold)
    plain = format == "text"
    return wide_text(renderables(report, pick(columns), report.lines(depth, fold), plain))


def to_text(report: Report) -> str:
    """What `print(report)` prints."""
    return render(report, "table").rstrip("\n")


def to_html(report: Report) -> str:
    """What a notebook shows."""
    from .html import report_html  # the standard library's html takes 3 ms that a terminal need not wait for

    return report_html(report, None, DEPTH, True)
