"""Tables of text: for the terminal, for a pipe, and as Markdown."""

from __future__ import annotations

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
        name, kind = tree(line, plain)
        label = Text.assemble(name, " ", (kind, "dim"))
        label.rstrip()
        rows.append([label, *(column.show(column.value(line.row)) for column in columns.values())])
    whole = report[""] if report.blocks else None
    title = Text(report.model or "network", "bold")
    if whole is not None:
        rows.append([Text("Total", "bold"), *(column.show(column.value(whole)) for column in columns.values())])
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
        table.add_row(*row)
    return table


def notes(said: list[tuple[str, str]], plain: bool) -> Table:
    """Labels and sentences; the sentences wrap beside their labels."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for label, sentence in said:
        table.add_row(label.replace("×", "x") if plain else label, sentence)
    return table


def wide_text(parts: list[Table]) -> str:
    """As plain text, every line as long as it needs to be, for files and pipes."""
    out = StringIO()
    console = Console(file=out, width=10_000, color_system=None, force_terminal=False, legacy_windows=False)
    show(console, parts)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


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


def markdown(header: Sequence[str], cells: Cells, right: Sequence[bool]) -> str:
    """A table as GitHub reads it."""
    rules = ["---:" if flush else "---" for flush in right]
    rows = [list(header), rules, *cells]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)


def report_markdown(report: Report, names: Sequence[str] | None, depth: int | None, fold: bool) -> str:
    columns = pick(names, ("kind", *DEFAULT))
    lines = report.lines(depth, fold)
    cells = []
    for line in lines:
        head, _, _ = line.row.path.rpartition(".")
        path = f"{line.row.path} {line.name}" if line.row.is_join else f"{head}.{line.name}" if head else line.name
        name = f"{path} ×{line.times}" if line.times > 1 else path
        cells.append([name, *(column.show(column.value(line.row)) for column in columns.values())])
    if report.blocks:
        whole = report[""]
        shown = (column.show(column.value(whole)) for column in columns.values())
        cells.append([f"**{cell}**" if cell else "" for cell in ("Total", *shown)])
    header = [report.model or "network", *(column.header for column in columns.values())]
    table = markdown(header, cells, [False, *(column.right for column in columns.values())])
    listed = "".join(
        f"- {label}: {sentence}\n" if label else f"  {sentence}\n" for label, sentence in footer(report, lines)
    )
    return f"{table}\n{listed}"
