"""What changes from one network to another, as `cnnzoo diff` prints it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from math import prod
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ...render.column import Column, pick
from ...render.document import Document, Label
from ...report.columns import total_of
from ...words import all_sides, count, sides

if TYPE_CHECKING:
    from ...report import Report
    from . import Diff, Line

SIGNS = {"added": "+", "removed": "-"}
"""Before a row's name; "~" is for all other changes."""

TIMES = "N changes that are alike; the figures are theirs together"

MANY = 4
"""So many names are spelled out where rows are folded, or of layers that have another."""


def signed(value: int | None) -> str:
    """+1,234; no difference is a dash, an unknown one "?"."""
    return "?" if value is None else f"{value:+,}" if value else "-"


def _sum(name: str, header: str) -> Column:
    return Column(header, attrgetter(f"cost.{name}"), count, known=lambda line: line.cost.known.get(name))


COLUMNS = {
    "what": Column("What", attrgetter("what"), right=False),
    "kind": Column("Kind", attrgetter("kind"), right=False),
    "params_before": _sum("params_before", "Params before"),
    "params_after": _sum("params_after", "Params after"),
    "params": Column("Params diff", attrgetter("cost.params"), signed),
    "macs_before": _sum("macs_before", "MACs before"),
    "macs_after": _sum("macs_after", "MACs after"),
    "macs": Column("MACs diff", attrgetter("cost.macs"), signed),
    "change": Column("Change", attrgetter("words"), right=False),
    "aux": Column("Aux", attrgetter("aux"), lambda value: "yes" if value else "", right=False),
}
"""Figures without "before" and "after" are the differences."""

FIGURES = [name for name in COLUMNS if name.startswith(("params", "macs"))]
BOTH = [name for name in FIGURES if name not in ("params", "macs")]
"""The figures of both networks, for which a terminal must have room."""

DEFAULT = (*FIGURES, "change")


def document(diff: Diff, names: Sequence[str] | None, fold: bool) -> Document:
    """Data formats have every change by itself, and JSON the totals too."""
    lines, total = diff.lines(fold), diff.total
    exact = pick(names or COLUMNS, COLUMNS)
    columns = pick(names or DEFAULT, COLUMNS)
    records = [
        {"path_before": next(iter(line.before), None), "path_after": next(iter(line.after), None)}
        | {name: column.value(line) for name, column in exact.items()}
        for line in diff.lines(fold=False)
    ]
    if names is None:
        columns |= {name: column._replace(narrow="room") for name, column in columns.items() if name in BOTH}
    before, after = (report.model or "network" for report in (diff.before, diff.after))
    return Document(
        f"{before} → {after.removeprefix(before) if after.startswith(f'{before}+') else after}",
        [_label(line) for line in lines],
        columns,
        lines,
        [*_said(diff, fold), *([("×N", TIMES)] if any(line.times > 1 for line in lines) else [])],
        total if lines else None,
        records,
        {"before": before, "after": after}
        | {name: COLUMNS[name].value(total) for name in FIGURES}
        | {"known": dict(total.cost.known), "changes": records},
        f"{before} → {after}",
    )


def _label(line: Line) -> Label:
    places = [braced(paths) for paths in (line.before, line.after) if paths]
    times = f" ×{line.times}" if line.times > 1 else ""
    name = f"{SIGNS.get(line.what, '~')} {' → '.join(dict.fromkeys(places))}{times}"
    return Label(name, f"{name} (apart)" if line.aux else name, kind="(apart)" if line.aux else "")


def braced(paths: Sequence[str]) -> str:
    """Several paths as one, as a shell has it: layer{2-4}.0.conv1."""
    parts = [path.split(".") for path in paths]
    places = [list(dict.fromkeys(place)) for place in zip(*parts)]  # noqa: B905
    if len(set(map(len, parts))) == 1 and prod(map(len, places)) == len(set(paths)):
        return ".".join(map(_either, places))
    return _either(paths)


def _either(words: Sequence[str]) -> str:
    """What they begin and end with, around what they differ in; numbers and words are not torn."""
    if len(words) == 1:
        return words[0]
    parts = [re.findall(r"\d+|[^\W\d_]+|\W|_", word) for word in words]
    ahead = _shared(parts)
    behind = _shared([part[len(ahead) :][::-1] for part in parts])[::-1]
    inner = ["".join(part[len(ahead) : len(part) - len(behind)]) for part in parts]
    numbers = [int(one) for one in inner if one.isdecimal()]
    if numbers and numbers == [*range(numbers[0], numbers[0] + len(inner))]:
        said = f"{inner[0]}-{inner[-1]}"
    else:
        said = ",".join(inner) if len(inner) <= MANY else f"{inner[0]}…{inner[-1]}"
    return f"{''.join(ahead)}{{{said}}}{''.join(behind)}"


def _shared(parts: Sequence[Sequence[str]]) -> list[str]:
    """The longest common beginning of some sequences."""
    return [ones[0] for ones in takewhile(lambda ones: len(set(ones)) == 1, zip(*parts))]  # noqa: B905


def _said(diff: Diff, folded: bool) -> Iterator[tuple[str, str]]:
    before, after = diff.before, diff.after
    if not diff.changes:
        yield "Equal", "no layer differs"
    yield "Parameters", _both("params", before, after)
    yield "MACs", _both("macs", before, after)
    if any(change.row.aux for change in diff.changes):
        params, macs = (_both(name, before, after) for name in ("aux_params", "aux_macs"))
        yield "Auxiliary", f"parameters {params}; MACs {macs}; of heads that run in training only"
    inputs, others = ((report.input_size, *report.more_inputs) for report in (before, after))
    if inputs != others:
        yield "Input", f"{all_sides(inputs)} → {all_sides(others)}"
    if before.outputs != after.outputs:
        yield "Outputs", f"{_outputs(before)} → {_outputs(after)}"
    for label, figure in (("Depth", "depth"), ("Receptive field", "receptive_field")):
        one, other = before.totals[figure], after.totals[figure]
        if one != other:
            yield label, f"{_known(one)} → {_known(other)}"
    renamed = [line for line in diff.lines(fold=False) if line.what == "renamed"]
    if renamed and folded:
        some = ", ".join(f"{line.before[0]} → {line.after[0]}" for line in renamed[:MANY])
        rest = len(renamed) - MANY
        yield "Renamed", f"with no other change: {some}{f' and {rest} more' if rest > 0 else ''}"
    resized = sum(change.what == "resized" for change in diff.changes)
    if resized and folded:
        layers = "1 more layer has" if resized == 1 else f"{resized} more layers have"
        yield "Resized", f"{layers} another input or output size at the same parameters and MACs"
    for report in (before, after):
        name = report.model or "network"
        yield from (("Unknown", f"in {name}: {one}") for one in report.unknown)
        yield from (("Note", f"{name}: {note}") for note in report.notes)


def _outputs(report: Report) -> str:
    """What leaves a network, by name."""
    named = report.outputs or {"": report[""].output_shape if report.blocks else report.rows[-1].output_shape}
    return ", ".join(f"{name} {sides(shape)}".lstrip() for name, shape in named.items())


def _both(name: str, one: Report, other: Report) -> str:
    """A total of both networks in a sentence: 25,557,032 → 11,689,512, -13,867,520 (-54.26 %)."""
    before, after = one.totals[name], other.totals[name]
    if before is not None and before == after:
        return f"{before:,}, equal"
    change = ""
    if before is not None and after is not None:
        change = f", {after - before:+,}" + (f" ({(after - before) / before:+.2%})" if before else "")
    return f"{total_of(one, name)} → {total_of(other, name)}{change}"


def _known(value: Any) -> str:
    return "?" if value is None else f"{value:,}" if isinstance(value, int) else sides(value)
