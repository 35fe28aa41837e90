"""What a command says, as one value: a table, what stands under it, and the exact figures of both for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from .column import Column

WRITERS = {
    "table": "table.to_table",
    "text": "table.to_ascii",
    "json": "data.to_json",
    "csv": "data.to_csv",
    "markdown": "markdown.to_markdown",
    "latex": "latex.to_latex",
    "html": "html.to_page",
}
"""The function that writes each format; only the one that is asked for is imported."""

FORMATS = tuple(WRITERS)


class Label(NamedTuple):
    """A row's name where the rows are a tree."""

    name: str
    path: str
    """The row's full name, for formats that do not show the tree."""
    guides: tuple[bool, ...] = ()
    """For each level above, and for its own, whether a sibling follows."""
    kind: str = ""
    """What a terminal says beside the name."""

    @property
    def level(self) -> int:
        return len(self.guides)


class Document(NamedTuple):
    """A table whose first column names its rows: `title` over `names`, then `columns` of `entries`.

    Data formats write `rows` (default: the exact values of the columns), and JSON `data` instead where there is more.
    """

    title: str
    names: Sequence[str | Label]
    columns: Mapping[str, Column]
    entries: Sequence[Any]
    """What the columns read, one for each of `names`."""
    said: Sequence[tuple[str, str]] = ()
    """Labels and sentences under the table; no label: it goes on."""
    total: Any = None
    """What the columns read for the row of totals, the last one."""
    rows: Sequence[Mapping[str, Any]] | None = None
    data: Any = None
    caption: str | None = None
    """What the table is, over a page or in print; default: `title`."""
    drawing: Callable[[int, bool], str] | None = None
    """Lines under all of it where it is text: of at most so many cells, and in ASCII if told so."""

    @property
    def heading(self) -> str:
        return self.caption or self.title

    @property
    def labels(self) -> list[Label]:
        return [name if isinstance(name, Label) else Label(name, name) for name in self.names]

    def wide(self) -> list[Column]:
        """The columns of a page, which is as wide as it needs."""
        return list(self.columns.values())

    def narrow(self) -> list[Column]:
        """The columns of a terminal or in print; the others are in `under`, or said by the names."""
        return [column for column in self.columns.values() if column.narrow not in ("under", "name")]

    def under(self) -> list[tuple[str, str]]:
        """What stands under the `narrow` columns: the sentences of each row, and what is `said`."""
        sentences = [column for column in self.columns.values() if column.narrow == "under"]
        of_rows = []
        for label, entry in zip(self.labels, self.entries, strict=True):
            said = filter(None, (column.cell(entry) for column in sentences))
            of_rows += [("" if number else label.path, sentence) for number, sentence in enumerate(said)]
        return [*of_rows, *self.said]

    def cells(self, columns: Iterable[Column]) -> list[list[str]]:
        """What the eye sees of these columns, row by row, without names and total."""
        columns = list(columns)
        return [[column.cell(entry) for column in columns] for entry in self.entries]

    def totals(self, columns: Iterable[Column]) -> list[str]:
        """The last row, its name too; empty where there is none."""
        return [] if self.total is None else ["Total", *(column.cell(self.total) for column in columns)]

    def records(self) -> Sequence[Mapping[str, Any]]:
        """The rows for programs: the exact values by name."""
        if self.rows is not None:
            return self.rows
        return [
            {"name": label.path, **{name: column.value(entry) for name, column in self.columns.items()}}
            for label, entry in zip(self.labels, self.entries, strict=True)
        ]

    def text(self, format: str) -> str:
        """In one of `FORMATS`, as wide as it needs; "text" is the table in ASCII."""
        return self.written(WRITERS[format])

    def written(self, writer: str) -> str:
        """By a function of a module beside this one, "html.fragment", which is imported for it."""
        module, _, function = writer.partition(".")
        written: str = getattr(import_module(f".{module}", __package__), function)(self)
        return written


class Shown:
    """A value that prints as its document, in a notebook too."""

    def document(self) -> Document:
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        data: dict[str, Any] = self.document().data
        return data

    def __str__(self) -> str:
        return self.document().text("table").rstrip("\n")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.document().written("html.fragment")
