"""A document as HTML: a page of its own, and a piece for notebooks that reads without any style or script around it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Any

from ..words import sides, visible
from .column import Column
from .document import Document, Label

WORDS = 24
"""A column of longer words than this may break its lines, but keeps some width."""

STYLE = "text-align:{};padding:0 .8em 0 0;white-space:pre;font-family:monospace"


def to_page(document: Document) -> str:
    """A page that needs nothing else: with JavaScript a click on a header sorts the table, and without it all is there.

    A cell's `data-value` is its exact value, empty if that is unknown.
    """
    columns, labels = list(_columns(document)), document.labels
    heading, source = escape(document.heading), files(__package__)
    total = [] if document.total is None else ["<tfoot>", _line("Total", columns, document.total), "</tfoot>"]
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{heading}</title>",
        f"<style>\n{source.joinpath('page.css').read_text('utf-8')}</style>",
        f"<h1>{heading}</h1>",
        '<div class="table">',
        "<table>",
        f"<thead><tr>{''.join(_head(document.title, columns))}</tr></thead>",
        "<tbody>",
        *(
            _line(label.name, columns, entry, _place(label, below))
            for label, below, entry in zip(labels, [*labels, Label("", "")][1:], document.entries, strict=True)
        ),
        "</tbody>",
        *total,
        "</table>",
        "</div>",
        f"<dl>{''.join(_said(document.under(), '{}'))}</dl>",
        f'<script type="module">\n{source.joinpath("page.js").read_text("utf-8")}</script>',
        "</html>",
    ]
    return "".join(f"{line}\n" for line in lines)


def fragment(document: Document) -> str:
    """A document as a piece of HTML to be put into any page, a notebook's cell say: a table with notes below it."""
    columns = document.wide()
    right = [False, *(column.right for column in columns)]
    rows = [
        _row("td", ["\u00a0\u00a0" * (label.level - 1) + label.name, *cells], right)
        for label, cells in zip(document.labels, document.cells(columns), strict=True)
    ]
    rows += [_row("th", total, right) for total in filter(None, [document.totals(columns)])]
    head = _row("th", [document.title, *(column.header for column in columns)], right)
    said = "".join(_said(document.said, "<b>{}</b>"))
    return (
        f'<div class="cnnzoo"><table><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table><dl>{said}</dl></div>'
    )


def escape(text: str) -> str:
    """A text as a page shows it as it is."""
    return html.escape(visible(text))


def _said(said: Iterable[tuple[str, str]], form: str) -> Iterator[str]:
    """Each term with one description, in which a further sentence is a further line: a notebook sets terms and
    descriptions in turn, in two columns."""
    terms: list[tuple[str, list[str]]] = []
    for label, sentence in said:
        if label or not terms:
            terms.append((label, []))
        terms[-1][1].append(escape(sentence))
    for label, sentences in terms:
        yield f"<dt>{form.format(escape(label))}</dt><dd>{'<br>'.join(sentences)}</dd>"


def _columns(document: Document) -> Iterator[tuple[Column, str]]:
    """Those of the table, with the class of their cells; sentences stand under it."""
    for column in document.wide():
        if column.right:
            yield column, ' class="right"'
        elif column.narrow != "under":
            longest = max((len(column.cell(entry)) for entry in document.entries), default=0)
            yield column, ' class="words"' if longest > WORDS else ""


def _head(title: str, columns: Iterable[tuple[Column, str]]) -> Iterator[str]:
    yield f'<th scope="col">{escape(title)}</th>'
    for column, kind in columns:
        yield f'<th scope="col"{kind}>{escape(column.header)}</th>'


def _place(label: Label, below: Label) -> str:
    """What a row says of its place in a tree: its level, its path, and whether it is a block of the rows below."""
    if not label.level:
        return ""
    block = ' class="block"' if below.level > label.level else ""
    return f'{block} style="--level:{label.level - 1}" data-path="{escape(label.path)}"'


def _line(name: str, columns: Iterable[tuple[Column, str]], entry: Any, place: str = "") -> str:
    cells = (f"<td{kind}{_exact(column.value(entry))}>{escape(column.cell(entry))}</td>" for column, kind in columns)
    return f'<tr{place}><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>'


def _exact(value: Any) -> str:
    """The attribute with a cell's exact value, for scripts and sorting; a cell of words needs none."""
    if value is None:
        return ' data-value=""'
    return f' data-value="{escape(sides(value))}"' if isinstance(value, int | float | tuple) else ""


def _row(tag: str, cells: Sequence[str], right: Sequence[bool]) -> str:
    styles = [STYLE.format("right" if flush else "left") for flush in right]
    filled = (f'<{tag} style="{style}">{escape(cell)}</{tag}>' for cell, style in zip(cells, styles, strict=True))
    return f"<tr>{''.join(filled)}</tr>"
