"""Tables of text, for the terminal and for a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO

from rich.box import SIMPLE_HEAD, Box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from .columns import Column, spare
from .document import Document, Label

ASCII_RULE = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
WIDTH = 80
"""Of a drawing where there is no terminal."""

LEAST = 8
"""Letters to which words are cut, at the least."""

SIGNS = str.maketrans(
    {"×": "x", "·": "*", "–": "-", "−": "-", "→": "->", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "≥": ">="}
    | dict.fromkeys("█▉▊▋▌", "#")
    | dict.fromkeys("▍▎▏", "")
)
"""Signs that are words or others in ASCII."""


def to_table(document: Document) -> str:
    return _wide_text(renderables(document, _columns(document), plain=False)) + _drawn(document, WIDTH, plain=False)


def to_ascii(document: Document) -> str:
    return _wide_text(renderables(document, _columns(document), plain=True)) + _drawn(document, WIDTH, plain=True)


def _columns(document: Document) -> list[Column]:
    return [column.in_text for column in document.narrow()]


def _drawn(document: Document, width: int, plain: bool) -> str:
    """The drawing, an empty line before it."""
    return "" if document.drawing is None else f"\n{document.drawing(width, plain)}"


def renderables(document: Document, columns: Sequence[Column], plain: bool) -> list[Table]:
    """The table of these columns, and what stands under it, for a rich console; in ASCII if `plain`."""
    under = document.under()
    rows: list[list[RenderableType]] = [
        [_name(label, plain), *cells] for label, cells in zip(document.labels, document.cells(columns), strict=True)
    ]
    for total, *cells in filter(None, [document.totals(columns)]):
        rows.append([Text(total, "bold"), *cells])
    header = [legible(title, plain) for title in (document.title, *(column.header for column in columns))]
    return [_grid(header, rows, columns, plain), *([_notes(under, plain)] if under else [])]


def _name(label: Label, plain: bool) -> Text:
    ways = ("  ", "| ", "`-", "|-") if plain else ("  ", "│ ", "└─", "├─")
    lead = "".join([*(ways[follows] for follows in label.guides[:-1]), *(ways[2 + own] for own in label.guides[-1:])])
    name, kind = legible(label.name, plain), legible(label.kind, plain)
    text = Text.assemble(f"{lead}{name} ", (kind, "dim"))
    text.rstrip()
    return text


def _grid(
    header: Sequence[str], rows: Sequence[Sequence[RenderableType]], columns: Iterable[Column], plain: bool
) -> Table:
    """A table with a rule under its header: a first column for names, then `columns`."""
    table = Table(box=ASCII_RULE if plain else SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(header[0], no_wrap=True)
    for title, column in zip(header[1:], columns, strict=True):
        table.add_column(title, justify="right" if column.right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(legible(cell, plain) if isinstance(cell, str) else cell for cell in row))
    return table


def _notes(said: Sequence[tuple[str, str]], plain: bool) -> Table:
    """Labels and sentences; the sentences wrap beside their labels."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for label, sentence in said:
        table.add_row(legible(label, plain), legible(sentence, plain))
    return table


def legible(text: str, plain: bool) -> str:
    """The text; in ASCII if `plain`: × is x, ⌊a·b⌋ is floor(a*b), é is e, and what is like no ASCII character is a
    question mark."""
    if not plain or text.isascii():
        return text
    from unicodedata import combining, normalize

    letters = normalize("NFKD", text.translate(SIGNS))
    return "".join(letter for letter in letters if not combining(letter)).encode("ascii", "replace").decode()


def _wide_text(parts: list[Table]) -> str:
    """As plain text, every line as long as it needs to be, for files and pipes."""
    out = StringIO()
    console = Console(
        file=out,
        width=10_000,
        color_system=None,
        force_terminal=False,
        force_jupyter=False,  # in a notebook, too, the text is asked for and not the display of it
        markup=False,
        emoji=False,
    )
    for part in parts:
        console.print(part, highlight=False)
        console.print()
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().rstrip("\n").splitlines())


def show(document: Document, plain: bool) -> None:
    """Print to the terminal, in its width. Where that is too narrow, columns for which there must be room are left
    out, the first of them first; then a last column of words is cut short with a sign of it, and figures run over the
    edge: they are never cut."""
    console = Console(markup=False, emoji=False)
    columns = _columns(document)
    while True:
        table, *under = renderables(document, columns, plain)
        natural = Measurement.get(console, console.options.update(max_width=10_000), table).maximum
        last = table.columns[-1]
        words = max(cell_len(str(cell)) for cell in (last.header, *last.cells))
        cut = max(words - LEAST, 0) if columns and columns[-1].narrow == "cut" else 0
        dropped = spare(columns)
        if natural - cut <= console.width or dropped is None:
            break
        columns.remove(dropped)
    room = console.width - natural + words
    width = console.width
    if natural > width and last.justify == "left" and room >= LEAST:
        last.max_width = room
    else:
        console.width = max(natural, width)
    console.print(table, highlight=False)
    console.width = width
    for part in under:
        console.print()
        console.print(part, highlight=False)
    console.print(_drawn(document, width, plain), end="", highlight=False, soft_wrap=True)
