"""What was added, removed and changed from one network to another, and what each of it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...render.document import Document, Shown
from ...report import Report
from ..summary import Network, reported
from .changes import Change, Cost, all_changes, cost_of
from .lines import Line, lines

__all__ = ["Change", "Cost", "Diff", "Line", "diff"]


def diff(
    before: Network,
    after: Network,
    *,
    input_size: Any = None,
    **settings: Any,
) -> Diff:
    """What changes from one network to the other, aligned by path (`align.align`).

    A network is what `summary` takes, or a report; `input_size` and `settings` go to `summary`, for both. Raises what
    that does.
    """
    one, other = (reported(network, input_size, **settings) for network in (before, after))
    return Diff(one, other, tuple(all_changes(one, other)))


@dataclass(frozen=True, repr=False)
class Diff(Shown):
    """Two reports, and every row that is not the same in both."""

    before: Report
    after: Report
    changes: tuple[Change, ...]

    @cached_property
    def total(self) -> Line:
        """The whole networks, auxiliary heads apart: the changes add up to its differences."""
        old, new = ([row for row in report.rows if not row.aux] for report in (self.before, self.after))
        return Line("changed", "", (), (), "", cost_of(old, new), False)

    def lines(self, fold: bool = True) -> list[Line]:
        """Every change by itself; or folded, without those that cost nothing and are only of a name or a size."""
        return lines(self.changes, self.before, self.after, fold)

    def document(self, columns: Sequence[str] | None = None, fold: bool = True) -> Document:
        """As a table of these columns; data formats have every change by itself. Raises `UnknownColumnError`."""
        from .document import document

        return document(self, columns, fold)

    def records(self) -> list[dict[str, Any]]:
        return [dict(record) for record in self.document().records()]
