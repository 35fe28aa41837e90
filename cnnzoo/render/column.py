"""A column of a table: its header, its value, and how that is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

from ..errors import CnnzooError
from ..words import hint, most_of, quoted

Show = Callable[[Any], str]
R = TypeVar("R", bound=Mapping[str, Any])


class Column(NamedTuple):
    """`value` is exact and what data formats write; `show` is for the eye."""

    header: str
    value: Callable[[Any], Any]
    show: Show = str
    right: bool = True
    narrow: Literal["column", "cut", "room", "more room", "under", "name"] = "column"
    """What it is where lines are short, in a terminal or in print: a column as on a page, one of words that are cut
    before others go, one where the terminal has room for it ("more room" goes first), sentences under the table, or
    nothing, as the rows' names say it already."""
    short: Show | None = None
    """What text shows instead, in a terminal or a pipe, where all of it takes too much room; pages are exact."""
    known: Callable[[Any], int | None] = lambda row: None
    """The part that is known of a value that is unknown; None where there is none."""

    @property
    def in_text(self) -> Column:
        return self._replace(show=self.short or self.show)

    def cell(self, row: Any) -> str:
        """What the eye sees of a row; ≥ before what is known of the unknown."""
        value = self.value(row)
        part = self.known(row) if value is None else None
        return self.show(value) if part is None else f"≥ {self.show(part)}"


class UnknownColumnError(CnnzooError, ValueError):
    """A column name that is none."""


def spare(columns: Sequence[Column]) -> Column | None:
    """The one that goes first where there is too little room for all."""
    return next((one for narrow in ("more room", "room") for one in columns if one.narrow == narrow), None)


def in_order(records: Sequence[R], column: str, columns: Mapping[str, Column]) -> list[R]:
    """Records by a column of that name from the least up, or with "-" before the name from the most down; the unknown
    comes last. `UnknownColumnError` for another column."""
    name = column.removeprefix("-")
    pick([name], columns)
    known = [record for record in records if record[name] is not None]
    known.sort(key=lambda record: most_of(record[name]), reverse=name != column)
    return [*known, *(record for record in records if record[name] is None)]


def pick(names: Iterable[str], columns: Mapping[str, Column]) -> dict[str, Column]:
    """The columns of these names; `UnknownColumnError` with what may have been meant for another."""
    for name in names:
        if name not in columns:
            raise UnknownColumnError(f"unknown column {quoted(name)}; {hint(name, columns)}")
    return {name: columns[name] for name in names}
