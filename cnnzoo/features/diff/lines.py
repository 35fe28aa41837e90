"""Changes as a table shows them: whole blocks that came or went are one line, and so are equal changes in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...report import Report, Row
from .align import outer
from .changes import Change, Cost, What, alone, cost, named

PERIOD = 12
"""Changes of a block, at most, that are looked for again in the next one."""

SCREEN = 40
"""Lines, at most, in which only neighbours are folded that cost the same."""


class Line(NamedTuple):
    """Changes that are alike, with what they come to together."""

    what: What
    kind: str
    before: tuple[str, ...]
    """The path of each of the changed rows in the report before; empty for rows that are new."""
    after: tuple[str, ...]
    """The path of each of the changed rows in the report after; empty for rows that are gone."""
    words: str
    cost: Cost
    aux: bool

    @property
    def times(self) -> int:
        return len(self.before or self.after)


def lines(changes: Sequence[Change], before: Report, after: Report, fold: bool) -> list[Line]:
    """Every change by itself; or folded, without those that cost nothing and are only of a name or a size."""
    if not fold:
        return [_line([change]) for change in changes]
    shown = [change for change in changes if change.what not in ("renamed", "resized")]
    whole = {**_blocks("removed", shown, before), **_blocks("added", shown, after)}
    parts = {}
    for change in shown:
        one, inner = whole.get(id(change.row), (change, change.row.settings))
        parts[id(one)] = one, inner
    groups = [([change], _look(change, inner)) for change, inner in parts.values()]
    near = _folded(groups)
    if len(near) <= SCREEN:
        return [_line(alike) for alike, _ in near]
    anywhere: dict[Look, list[Change]] = {}
    for alike, look in groups:
        anywhere.setdefault(look._replace(price=None), []).extend(alike)
    return [_line(alike) for alike in anywhere.values()]


def _blocks(what: What, changes: Sequence[Change], report: Report) -> dict[int, tuple[Change, Any]]:
    """For each row that came or went with all of its block: the outermost such block, and what is in it."""
    alone_now = {id(change.row) for change in changes if change.what == what}
    inside: dict[str, list[Row]] = {}
    for row in report.rows:
        for path in outer(row)[1:]:
            inside.setdefault(path, []).append(row)
    blocks = {block.path: block for block in report.blocks}
    found: dict[int, tuple[Change, Any]] = {}
    for path, rows in inside.items():
        block = blocks[path]
        if all(id(row) in alone_now and row.aux == block.aux for row in rows):
            change = alone(block, None) if what == "removed" else alone(None, block)
            content = [(row.path.removeprefix(path), row.kind, row.settings) for row in rows]
            for row in rows:
                found.setdefault(id(row), (change, content))
    return found


class Look(NamedTuple):
    """What makes two changes alike."""

    what: What
    kinds: tuple[str | None, str | None]
    aux: bool
    words: tuple[str, ...]
    price: Any
    """Parameters and MACs; of what came or went its settings instead, as the figures grow with the input."""


Group = tuple[list[Change], Look]
"""Changes that are alike, and what they look like."""


def _look(change: Change, inner: Any) -> Look:
    """What a change looks like; `inner` are the settings of what came or went, or what is in it."""
    before, after = change.before, change.after
    kinds = (before and before.kind, after and after.kind)
    together = cost([change])
    price = (together.params, together.macs) if before is not None and after is not None else inner
    return Look(change.what, kinds, change.row.aux, change.words, price)


def _folded(groups: list[Group]) -> list[Group]:
    """Runs of groups that come again at once are one run, the longest first."""
    done: list[Group] = []
    at = 0
    while at < len(groups):
        period, times = max(((period, _times(groups, at, period)) for period in range(1, PERIOD + 1)), key=_covered)
        run = groups[at : at + period * times]
        once = [([one for changes, _ in run[step::period] for one in changes], run[step][1]) for step in range(period)]
        done += _folded(once) if 1 < period < len(run) else once
        at += len(run)
    return done


def _times(groups: list[Group], at: int, period: int) -> int:
    """How often in a row the `period` groups from `at` on look the same; 0 where there are not so many."""
    looks = [look for _, look in groups[at : at + period]]
    times = 0
    while len(looks) == period and [look for _, look in groups[at + times * period :][:period]] == looks:
        times += 1
    return times


def _covered(run: tuple[int, int]) -> tuple[int, int]:
    """The more the better, and of two the shorter period; one that does not come again covers only its first."""
    period, times = run
    return (period * times if times > 1 else 1, -period)


def _line(alike: Sequence[Change]) -> Line:
    first = alike[0]
    sizes = {change.sizes for change in alike}
    said = [*first.words]
    if len(sizes) == 1:
        said.append(first.sizes)
    elif not said and first.before is not None and first.after is not None:
        said.append(f"another {first.sizes.partition(' ')[0]} size")
    return Line(
        first.what,
        first.row.kind,
        tuple(named(change.before) for change in alike if change.before is not None),
        tuple(named(change.after) for change in alike if change.after is not None),
        ", ".join(filter(None, said)),
        cost(alike),
        first.row.aux,
    )
