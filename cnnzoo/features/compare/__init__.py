"""Networks side by side: what each comes to, and how many times the first it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...arch.rules import count_of
from ...calculate import calculate
from ...errors import InvalidValueError
from ...render.document import Document, Shown
from ...report import Report
from ...words import listed
from ...zoo import builder_of
from ..summary import Network, reported
from .crossings import crossings

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
    regions: int | None = None,
    **settings: Any,
) -> Comparison:
    """Networks side by side, in the order given; the first is what the others are multiples of.

    A network is what `summary` takes, or a report. The rest is `summary`'s: an input size for all of them, by default
    each network's own, and `settings` for their builders. `regions` is of how many boxes an image has for the networks
    that look at regions of it; the others take no notice. Raises what `summary` does, and ValueError for no network and
    a number of regions that is none.
    """
    if not networks:
        raise InvalidValueError("there is nothing to compare: give at least one network")
    given = {"input_size": input_size, "batch_size": batch_size, "dtype": dtype, **settings}
    reports = [reported(one, **given) for one in networks]
    if regions is not None:
        reports = [of_regions(report, regions) for report in reports]
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
    if regions is not None and (without := [one["model"] for one in records if not one["regions"]]):
        said.append(("Regions", f"none in {listed(without)}: their number changes nothing there"))
    for record, report in zip(records, reports, strict=True):
        if regions is not None and report.description is None and record["regions"] not in (0, regions):
            run = f"{record['model']} was run with {record['regions']:,}"
            said.append(("Regions", f"{run}: the input size of a module says how many"))
    said += crossings(records)
    return Comparison(tuple(records), records[0]["model"], tuple(said))


def of_regions(report: Report, regions: int) -> Report:
    """The report with so many boxes an image, of a network that looks at regions; of another it is the same."""
    description = report.description
    count_of("regions", regions)
    if description is None or not description._regions:
        return report
    about: dict[str, Any] = {"model": report.model, "paper": report.paper, "notes": report.notes}
    sizes = (report.input_size, (regions, 4))
    return calculate(description, sizes, batch_size=report.batch_size, dtype=report.dtype, **about)


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

    def curves(self, format: str) -> bytes:
        """MACs of an image over its number of regions as a picture, in "svg", "png" or "pdf", with a point where one
        network begins to cost more than another.

        Raises ValueError for another format and where no network looks at regions, and `NotInstalledError` without
        `pip install 'cnnzoo[draw]'`.
        """
        from .curves import plotted

        return plotted(self.networks, format)

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
        "regions": max((row.regions for row in report.rows), default=0),
        **dict(zip(("image_macs", "region_macs"), report.apart("macs"), strict=True)),
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
    builder = builder_of(report)
    return None if builder is None else builder.paper.year
