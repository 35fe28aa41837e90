r"""A document as a LaTeX table to `\input` or to paste.

Its first line is a comment with the packages that it needs; pdflatex takes `\usepackage[T1]{fontenc}`, too, for some
Latin letters; others take XeLaTeX or LuaLaTeX and a font that has them. A table that fits on a page floats, and as
`table*` is as wide as both columns of a paper; a longer one is a longtable, which breaks over pages and needs a text of
one column. Figures are as everywhere: 25,557,032.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ..words import visible
from .column import Column, spare
from .document import Document, Label

LINES = 40
"""What fits on a page, a note counted as two."""

LETTERS = 90
"""What fits on a line of a page with narrow margins; two are an em."""

WORDS = 16
"""Columns of longer words break their lines where the table is too wide, but not into shorter ones."""

SIGNS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedblright{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    **{sign: f"{{{sign}}}" for sign in "[*"},  # else the end of the row before would take them for its own
    "\u00a0": "~",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "…": r"\ldots{}",
    "×": r"{$\times$}",
    "·": r"{$\cdot$}",
    "⌊": r"{$\lfloor$}",
    "⌋": r"{$\rfloor$}",
    "⌈": r"{$\lceil$}",
    "⌉": r"{$\rceil$}",
    "→": r"{$\to$}",
    "−": "{$-$}",
    "±": r"{$\pm$}",
    "≈": r"{$\approx$}",
    "≤": r"{$\leq$}",
    "≥": r"{$\geq$}",
    "Δ": r"{$\Delta$}",
    **{sign: rf"\rule{{{eighths / 16}em}}{{1.4ex}}" for eighths, sign in enumerate("▏▎▍▌▋▊▉█", 1)},
}


def to_latex(document: Document) -> str:
    labels = document.labels
    room = LETTERS - max([0, *(2 * label.level + len(f"{label.name} {label.kind}") for label in labels)])
    columns = _fitting(document, room)
    header = _row(map(escape, [document.title, *(column.header for column in columns)]))
    rows = [_row([_name(label), *map(escape, row)]) for label, row in zip(labels, document.cells(columns), strict=True)]
    rows += [] if document.total is None else [r"\midrule", _row(map(escape, document.totals(columns)))]
    notes = [_note(label, sentence) for label, sentence in document.under()]
    form = f"{{@{{}}l{''.join(_forms(columns, _lengths(document, columns), room))}@{{}}}}"
    caption = rf"\caption{{{escape(document.heading)}}}\label{{tab:{_slug(document.heading)}}}"
    head = [r"\toprule", header, r"\midrule"]
    under = [r"\par\medskip", r"{\footnotesize\raggedright", *notes, "}"] if notes else []
    if len(rows) * (2 if "p{" in form else 1) + 2 * len(notes) <= LINES:
        tabular = [rf"\begin{{tabular}}{form}", *head, *rows, r"\bottomrule", r"\end{tabular}"]
        lines = [r"\begin{table}", r"\centering\small", caption, r"\medskip", *tabular, *under, r"\end{table}"]
    else:
        heads = [*head, r"\endfirsthead", *head, r"\endhead", r"\bottomrule", r"\endfoot"]
        table = [rf"\begin{{longtable}}{form}", rf"{caption} \\", *heads, *rows, r"\end{longtable}"]
        lines = [r"\begingroup\small", *table, *under, r"\medskip\endgroup"]
    needed = {"array": "arraybackslash" in form, "booktabs": True, "longtable": "longtable" in lines[1]}
    packages = ",".join(name for name, needs in needed.items() if needs)
    return "".join(f"{line}\n" for line in [rf"% \usepackage{{{packages}}}", *lines])


def _fitting(document: Document, room: int) -> list[Column]:
    """The columns of a line: as in a terminal without those for which there must be room, where there is none."""
    columns = document.narrow()
    while sum(length + 2 for length in _shortest(document, columns)) > room:
        dropped = spare(columns)
        if dropped is None:
            break
        columns.remove(dropped)
    return columns


def _shortest(document: Document, columns: Sequence[Column]) -> list[int]:
    """Letters that each takes at the least: words whose column may be cut break their lines instead."""
    lengths = zip(_lengths(document, columns), columns, strict=True)
    return [min(length, WORDS) if column.narrow == "cut" else length for length, column in lengths]


def _lengths(document: Document, columns: Sequence[Column]) -> list[int]:
    """How many letters the longest cell of each column has, the column of names first."""
    rows = [[column.header for column in columns], *document.cells(columns)]
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _forms(columns: Sequence[Column], lengths: Sequence[int], room: int) -> Iterator[str]:
    """How each column stands: words share what the others leave of the room if that is less than they need."""
    wordy = [not column.right and length > WORDS for column, length in zip(columns, lengths, strict=True)]
    words = sum(wordy)
    left = room - sum(2 + (0 if one else length) for one, length in zip(wordy, lengths, strict=True))
    share = max(WORDS, left // (words or 1))
    for column, length, breaks in zip(columns, lengths, wordy, strict=True):
        width = f">{{\\raggedright\\arraybackslash}}p{{{share / 2}em}}"
        yield width if breaks and length > share else "r" if column.right else "l"


def _row(cells: Iterable[str]) -> str:
    return rf"{' & '.join(cells)} \\"


def _name(label: Label) -> str:
    indent = rf"\hspace*{{{label.level - 1}em}}" if label.level > 1 else ""
    kind = rf" \textit{{{escape(label.kind)}}}" if label.kind else ""
    return f"{indent}{escape(label.name)}{kind}"


def _note(label: str, sentence: str) -> str:
    lead = rf"\textit{{{escape(label)}:}} " if label else r"\quad "
    return rf"{lead}{escape(sentence)}\par"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def escape(text: str) -> str:
    """Text that LaTeX sets as it is, white space as a space, a number's minus as one, and two hyphens as no dash."""
    signs = "".join(SIGNS.get(letter, letter) for letter in visible(re.sub("[ \t\r\n]+", " ", text)))
    return re.sub(r"^-(?=\d|$)", "$-$", re.sub(r"([-,])(?=\1)", r"\1{}", signs))
