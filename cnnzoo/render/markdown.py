"""A document as Markdown that GitHub shows as a table and a list."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..words import visible
from .document import Document


def to_markdown(document: Document) -> str:
    columns = document.wide()
    header = [document.title, *(column.header for column in columns)]
    rules = ["---", *("---:" if column.right else "---" for column in columns)]
    rows = [[label.path, *cells] for label, cells in zip(document.labels, document.cells(columns), strict=True)]
    head, *body = ([verbatim(cell) for cell in row] for row in (header, *rows))
    total = [f"**{verbatim(cell)}**" if cell else "" for cell in document.totals(columns)]
    table = "".join(map(_line, [head, rules, *body, *([total] if total else [])]))
    said = ((verbatim(label), verbatim(sentence)) for label, sentence in document.said)
    listed = "".join(
        f"\n- {label}: {sentence}" if label else f"\\\n  {_no_block(sentence)}" for label, sentence in said
    )
    return f"{table}{listed}\n" if listed else table


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def verbatim(text: str) -> str:
    """Text that Markdown shows as it is, white space as a space; an underscore within a word has no meaning to it."""
    text = visible(re.sub("[ \t\r\n]+", " ", text))
    return re.sub(r"[\\`*\[\]<>|&~]|(?<![a-zA-Z0-9])_|_(?![a-zA-Z0-9])", r"\\\g<0>", text)


def _no_block(line: str) -> str:
    """The line escaped so that Markdown takes it for no list and no heading."""
    return re.sub(r"^(\d*)([-+#=.)])", r"\1\\\2", line)
