"""Tables of text: for the terminal, for a pipe, and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from io import StringIO

from rich.box import SIMPLE_HEAD, Box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from ..report import Line, Report
from .columns import DEFAULT, Column, footer, pick, tree

DEPTH = 3
"""How deep a table goes unless it is told, as in torchinfo."""

Cells = list[list[str]]

ASCII_RULE = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def renderables(report: Report, columns: dict[str, Column], lines: list[Line], plain: bool) -> list[Table]:
    """The report's table and its footer, for a rich console."""
    rows: list[list[RenderableType]] = []
    for line in lines:
        name, kind = (legible(part, plain) for part in tree(line, plain))
        label = Text.assemble(name, " ", (kind, "dim"))
        label.rstrip()
        rows.append([label, *(column.cell(line.row) for column in columns.values())])
    whole = report[""] if report.blocks else None
    title = Text(legible(report.model or "network", plain), "bold")
    if whole is not None:
        rows.append([Text("Total", "bold"), *(column.cell(whole) for column in columns.values())])
    header: list[RenderableType] = [title, *(column.header for column in columns.values())]
    return [grid(header, rows, columns.values(), plain), notes(footer(report, lines), plain)]


def grid(
    header: Sequence[RenderableType],
    rows: Sequence[Sequence[RenderableType]],
    columns: Iterable[Column],
    plain: bool,
) -> Table:
    """A table with a rule under its header: a first column for names, then `columns`."""
    table = Table(box=ASCII_RULE if plain else SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(header[0], no_wrap=True)
    for title, column in zip(header[1:], columns, strict=True):
        table.add_column(title, justify="right" if column.right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(legible(cell, plain) if isinstance(cell, str) else cell for cell in row))
    return table


def notes(said: list[tuple[str, str]], plain: bool) -> Table:
    """Labels and sentences; the sentences wrap beside their labels."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for label, sentence in said:
        table.add_row(legible(label, plain), legible(sentence, plain))
    return table


def legible(text: str, plain: bool) -> str:
    """The text; in ASCII if `plain`: × is x, é is e, and what is like no ASCII character is a question mark."""
    if not plain or text.isascii():
        return text
    from unicodedata import combining, normalize

    letters = normalize("NFKD", text.replace("×", "x").replace("–", "-"))
    return "".join(letter for letter in letters if not combining(letter)).encode("ascii", "replace").decode()


def wide_text(parts: list[Table]) -> str:
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


def show(console: Console, parts: list[Table]) -> None:
    """Print a table and what stands under it. Where the console is too narrow a last column of words is cut
    short with a sign of it, and figures run over the edge: they are never cut."""
    table, *under = parts
    natural = Measurement.get(console, console.options.update(max_width=10_000), table).maximum
    last = table.columns[-1]
    room = console.width - natural + max(cell_len(str(cell)) for cell in (last.header, *last.cells))
    width = console.width
    if natural > width and last.justify == "left" and room >= 8:
        last.max_width = room
    else:
        console.width = max(natural, width)
    console.print(table, highlight=False)
    console.width = width
    for part in under:
        console.print()
        console.print(part, highlight=False)


def markdown(header: Sequence[str], cells: Cells, right: Sequence[bool], total: Sequence[str] = ()) -> str:
    """A table as GitHub reads it, with the `total` in bold under it."""
    rules = ["---:" if flush else "---" for flush in right]
    head, *body = ([verbatim(cell) for cell in row] for row in (header, *cells))
    bold = [f"**{verbatim(cell)}**" if cell else "" for cell in total]
    rows = [head, rules, *body, *([bold] if bold else [])]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def verbatim(text: str) -> str:
    """Text that Markdown shows as it is; an underscore within a word has no meaning and stays."""
    return re.sub(r"[\\`*\[\]<>|&~]|(?<![a-zA-Z0-9])_|_(?![a-zA-Z0-9])", r"\\\g<0>", text)


def report_markdown(report: Report, names: Sequence[str] | None, depth: int | None, fold: bool) -> str:
    columns = pick(names, ("kind", *DEFAULT))
    lines = report.lines(depth, fold)
    cells = []
    for line in lines:
        head, _, _ = line.row.path.rpartition(".")
        path = f"{line.row.path} {line.name}" if line.row.is_join else f"{head}.{line.name}" if head else line.name
        name = f"{path} ×{line.times}" if line.times > 1 else path
        cells.append([name, *(column.cell(line.row) for column in columns.values())])
    total = []
    if report.blocks:
        whole = report[""]
        total = ["Total", *(column.cell(whole) for column in columns.values())]
    header = [report.model or "network", *(column.header for column in columns.values())]
    table = markdown(header, cells, [False, *(column.right for column in columns.values())], total)
    said = ((label, verbatim(sentence)) for label, sentence in footer(report, lines))
    listed = "".join(f"\n- {label}: {sentence}" if label else f"\\\n  {sentence}" for label, sentence in said)
    return f"{table}{listed}\n"
