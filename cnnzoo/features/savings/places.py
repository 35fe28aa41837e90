"""Where two networks differ in what they cost: layers that go or change together, beside what stands there instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from ...report import Report, Row
from ...rewrites.runs import runs
from .formulas import macs_formula, params_formula

if TYPE_CHECKING:
    from ...arch import Node


class Saving(NamedTuple):
    """Parameters and MACs of layers as designed and without the technique, and so what it saves there."""

    params: int
    params_without: int
    macs: int
    macs_without: int

    @property
    def params_saved(self) -> int:
        """The parameters that the technique saves; below 0 where it costs more."""
        return self.params_without - self.params

    @property
    def macs_saved(self) -> int:
        return self.macs_without - self.macs

    @property
    def params_share(self) -> float | None:
        """What is saved, of what there would be; None where that is nothing."""
        return self.params_saved / self.params_without if self.params_without else None

    @property
    def macs_share(self) -> float | None:
        return self.macs_saved / self.macs_without if self.macs_without else None


class Place(NamedTuple):
    """Layers as designed, and what stands there without the technique: those that cost anything."""

    path: str
    designed: tuple[Row, ...]
    without: tuple[Row, ...]

    @property
    def figures(self) -> Saving:
        params, params_without = (sum(row.least("params") for row in side) for side in (self.designed, self.without))
        macs, macs_without = (sum(row.least("macs") for row in side) for side in (self.designed, self.without))
        return Saving(params, params_without, macs, macs_without)

    def formulas(self) -> dict[str, str]:
        """The arithmetic of each figure, the numbers put in, by the figure's name."""
        return {
            "params": params_formula(self.designed),
            "params_without": params_formula(self.without),
            "macs": macs_formula(self.designed),
            "macs_without": macs_formula(self.without),
        }


Rows = Mapping[str, Row]
"""The layers of a network by path."""


def places(descriptions: Iterable[Node], reports: Iterable[Report]) -> tuple[Place, ...]:
    """Of a network as designed and without a technique; in order of execution, what only the other has coming last."""
    designed, without = descriptions
    runs_of, runs_of_others = map(_runs, reports)
    layers, others = _layers(runs_of), _layers(runs_of_others)
    before, after = _stretches(designed, layers, others), _stretches(without, others, layers)
    found = [
        (_each(before.get(key, ()), runs_of), _each(after.get(key, ()), runs_of_others)) for key in {**before, **after}
    ]
    paths = _paths([one or other for one, other in found])
    return tuple(Place(path, *both) for path, both in zip(paths, found, strict=True))


def _runs(report: Report) -> dict[str, list[Row]]:
    """The rows of each layer of a network, one for each time that it runs."""
    found: dict[str, list[Row]] = {}
    for row in report.rows:
        if not row.own:
            found.setdefault(row.path, []).append(row)
    return found


def _layers(runs_of: Mapping[str, Sequence[Row]]) -> Rows:
    """The layers of a network; one that runs again costs its parameters once and its MACs each time."""
    return {path: rows[0]._replace(macs=sum(row.least("macs") for row in rows)) for path, rows in runs_of.items()}


def _each(layers: Iterable[Row], runs_of: Mapping[str, Sequence[Row]]) -> tuple[Row, ...]:
    """The rows of layers that are of one stretch, in order."""
    return tuple(row for layer in layers for row in runs_of[layer.path])


def _stretches(description: Node, own: Rows, others: Rows) -> dict[str, tuple[Row, ...]]:
    """The layers that cost something else in the other network, or are not there, place by place.

    A convolution that the other has not is of the place of the next one in the same run that it has, if that changes.
    By that one's path a place is known in both networks, or else by its first layer's.
    """
    ours, theirs = _standing(own, others), _standing(others, own)
    found: dict[str, list[Row]] = {}
    for run in runs(description):
        alone: list[Row] = []
        for unit in _units(own[path] for path, _ in run if path in own and _costs(own[path])):
            keys = [_standing_for(row.path, others) for row in unit]
            changed = [row for row, key in zip(unit, keys, strict=True) if not _equal(ours[key], theirs.get(key, []))]
            if keys[0] not in theirs:
                alone += changed
                continue
            if changed:
                found.setdefault(keys[0], []).extend([*alone, *changed])
            elif alone:
                found[alone[0].path] = alone
            alone = []
        if alone:
            found[alone[0].path] = alone
    return {key: tuple(rows) for key, rows in found.items()}


def _units(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Each layer that multiplies and accumulates, with those behind it that do not: its normalisation."""
    unit: list[Row] = []
    for row in rows:
        if row.macs and unit:
            yield unit
            unit = []
        unit.append(row)
    if unit:
        yield unit


def _standing(own: Rows, others: Rows) -> dict[str, list[Row]]:
    """The layers that cost anything by what they stand for."""
    found: dict[str, list[Row]] = {}
    for path, row in own.items():
        if _costs(row):
            found.setdefault(_standing_for(path, others), []).append(row)
    return found


def _standing_for(path: str, others: Rows) -> str:
    """The path of the other network's layer that a layer, or the block that it is in, replaces; else its own."""
    parts = path.split(".")
    above = (".".join(parts[:depth]) for depth in range(len(parts), -1, -1))
    return next((one for one in above if one in others), path)


def _costs(row: Row) -> bool:
    return not row.aux and bool(row.params or row.macs)


def _equal(rows: Sequence[Row], others: Sequence[Row]) -> bool:
    here, there = ([(row.weights, row.biases, row.macs) for row in side] for side in (rows, others))
    return here == there


def _paths(found: Sequence[Sequence[Row]]) -> Iterator[str]:
    """What each place is called: its layer, the block that it alone is in, or its first and last layer there."""
    inside = Counter(block for rows in found for row in rows for block in _blocks(row.path))
    for rows in found:
        paths = [row.path.split(".") for row in rows if row.macs] or [row.path.split(".") for row in rows]
        shared = takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False))
        block = [name for name, *_ in shared]
        start = "".join(f"{name}." for name in block)
        first, last = (path[len(block) :][:1] for path in (paths[0], paths[-1]))
        alone = inside[start[:-1]] == sum(row.path.startswith(start) for row in rows)
        yield start[:-1] if block and alone else f"{start}{first[0]}-{last[0]}"


def _blocks(path: str) -> Iterator[str]:
    """The paths of the blocks around a layer, but for the whole network."""
    parts = path.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts)))
