"""A report as a piece of HTML, for notebooks; it reads without styles or scripts of the page around it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..report import Report
from .columns import DEFAULT, footer, pick

STYLE = "text-align:{};padding:0 .8em 0 0;white-space:pre;font-family:monospace"


def report_html(report: Report, names: Sequence[str] | None, depth: int | None, fold: bool) -> str:
    columns = pick(names, ("kind", *DEFAULT))
    lines = report.lines(depth, fold)
    head = [report.model or "network", *(column.header for column in columns.values())]
    right = [False, *(column.right for column in columns.values())]
    rows = []
    for line in lines:
        times = f" ×{line.times}" if line.times > 1 else ""
        indent = "\u00a0\u00a0" * (line.level - 1)
        shown = (column.cell(line.row) for column in columns.values())
        rows.append(_row("td", [f"{indent}{line.name}{times}", *shown], right))
    if report.blocks:
        whole = report[""]
        rows.append(_row("th", ["Total", *(column.cell(whole) for column in columns.values())], right))
    said = "".join(
        f"<dt><b>{escape(label)}</b></dt><dd>{escape(text)}</dd>" if label else f"<dd>{escape(text)}</dd>"
        for label, text in footer(report, lines)
    )
    table = f"<table><thead>{_row('th', head, right)}</thead><tbody>{''.join(rows)}</tbody></table>"
    return f'<div class="cnnzoo">{table}<dl>{said}</dl></div>'


def _row(tag: str, cells: list[str], right: list[bool]) -> str:
    styles = [STYLE.format("right" if flush else "left") for flush in right]
    filled = (f'<{tag} style="{style}">{escape(cell)}</{tag}>' for cell, style in zip(cells, styles, strict=True))
    return f"<tr>{''.join(filled)}</tr>"
