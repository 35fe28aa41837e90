"""Networks side by side: what each comes to, and how many times the first it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...errors import InvalidValueError
from ...registry import UnknownModelError
from ...render.document import Document, Shown
from ...report import Report
from ...zoo import get_builder
from ..summary import Network, reported

if TYPE_CHECKING:
    from .scatter import Plane

Record = dict[str, Any]

RELATIVE = ("params", "macs", "flops", "activations", "peak_bytes", "depth", "receptive_field")
"""The figures of `Report.totals` that are compared; each is also said as a multiple of the first network's."""


def compare(
    *networks: Network,
    input_size: Any = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    **settings: Any,
) -> Comparison:
    """Networks side by side, in the order given; the first is what the others are multiples of.

    A network is what `summary` takes, or a report. The rest is `summary`'s: an input size for all of them, by default
    each network's own, and `settings` for their builders. Raises what `summary` does, and ValueError for no network.
    """
    if not networks:
        raise InvalidValueError("there is nothing to compare: give at least one network")
    given = {"input_size": input_size, "batch_size": batch_size, "dtype": dtype, **settings}
    reports = [reported(one, **given) for one in networks]
    records: list[Record] = []
    said: list[tuple[str, str]] = []
    times: Counter[str] = Counter()
    for network, report in zip(networks, reports, strict=True):
        own = report.model or ("network" if network is report else type(network).__name__)
        times[own] += 1
        name = own if times[own] == 1 else f"{own} ({times[own]})"
        records.append(_record(name, report, reports[0]))
        said += [("Unknown", f"in {name}: {one}") for one in report.unknown]
        said += [("Note", f"{name}: {note}") for note in report.notes]
    return Comparison(tuple(records), records[0]["model"], tuple(said))


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """What `compare` gives: of each network a record, its exact figures by name; None is unknown, and "known_macs" is
    then the part of the MACs that is known."""

    networks: tuple[Record, ...]
    first: str
    """The network whose figures the others' are given as multiples of."""
    said: tuple[tuple[str, str], ...] = ()
    """What could not be counted, and what else the reports note; a label and a sentence each."""

    def records(self) -> list[Record]:
        return [dict(network) for network in self.networks]

    def sorted(self, column: str) -> Comparison:
        """By a column from the least up, or with "-" before its name from the most down; the unknown comes last.

        `UnknownColumnError` for another column.
        """
        from ...render.column import in_order
        from .document import COLUMNS

        return replace(self, networks=tuple(in_order(self.networks, column, COLUMNS)))

    def document(self, columns: Sequence[str] | None = None, scatter: bool = False) -> Document:
        """As a table of these columns; with `scatter` parameters against MACs are drawn under it.

        Raises `UnknownColumnError`.
        """
        from .document import document

        return document(self.networks, self.first, self.said, columns, scatter)

    def plane(self) -> Plane:
        """Parameters against MACs, for a picture; ValueError where no network's MACs are known."""
        from .document import plane

        return plane(self.networks)


def _record(name: str, report: Report, first: Report) -> Record:
    figures, ones = report.totals, first.totals
    record: Record = {"model": name}
    for figure in RELATIVE:
        record[figure] = figures[figure]
        record[f"{figure}_ratio"] = _ratio(figures[figure], ones[figure])
    return {
        **record,
        "year": _year(report),
        "aux_params": report.aux_params,
        "aux_macs": report.totals["aux_macs"],
        "stored_bytes": report.totals["stored_bytes"],
        "input_size": report.input_size,
        "batch_size": report.batch_size,
        "dtype": report.dtype,
        "status": report.status,
        **{f"known_{name}": report.known.get(name) for name in ("params", "macs", "flops")},
    }


def _ratio(figure: Any, one: Any) -> float | None:
    """None where either is unknown or not one number, and where the first is nothing."""
    if not isinstance(figure, int) or not isinstance(one, int) or one == 0:
        return None
    return figure / one


def _year(report: Report) -> int | None:
    """The year of the paper that the report names."""
    try:
        paper = get_builder((report.model or "").partition("+")[0]).paper
    except UnknownModelError:
        return None
    return paper.year if paper.citation == report.paper else None
