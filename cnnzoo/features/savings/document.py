"""What a technique saves, place by place, as `cnnzoo savings` prints it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ...render.column import Column
from ...render.document import Document, Label
from ...report import Line
from ...words import all_sides, count, short

if TYPE_CHECKING:
    from . import Entry, Saving, Savings

BAR = 4
"""Characters of the longest bar."""

EIGHTHS = " ▏▎▍▌▋▊▉"


def percent(share: float | None) -> str:
    """72.3 %, in thousands without a fraction; nothing is a dash."""
    if not share:
        return "-"
    return f"{100 * share:,.{1 if abs(share) < 10 else 0}f} %".replace("-0.0", "0.0")


def some(macs: int) -> str:
    """MACs to three digits; nothing is a dash."""
    return short(macs) if macs else "-"


def bar(share: float | None) -> str:
    """A share of 1 is the longest; what costs more has none."""
    whole, rest = divmod(round(8 * BAR * max(share or 0, 0)), 8)
    return f"{'█' * whole}{EIGHTHS[rest]}".strip()


def arithmetic(figure: str, words: str) -> Callable[[Entry], str]:
    """The formulas of a place as designed and without the technique, with what they are worth."""

    def said(entry: Entry) -> str:
        if entry.place is None:
            return ""
        formulas, figures = entry.place.formulas(), entry.place.figures
        worth, instead = (getattr(figures, name) for name in (figure, f"{figure}_without"))
        designed = f"{formulas[figure]} = {worth:,}" if worth else "no"
        without = f"{formulas[f'{figure}_without']} = {instead:,}" if instead else "none"
        each = "each " if figures != entry.figures else ""
        return f"{each}{designed} {words} against {without}" if worth != instead else ""

    return said


def _figure(name: str) -> Callable[[Entry], Any]:
    return attrgetter(f"figures.{name}")


COLUMNS = {
    "params": Column("Params", _figure("params"), count),
    "params_without": Column("Without", _figure("params_without"), count, narrow="more room"),
    "params_saved": Column("Saved params", _figure("params_saved"), count, narrow="name"),
    "params_share": Column("Saved", _figure("params_share"), percent),
    "macs": Column("MACs", _figure("macs"), count, short=some, narrow="room"),
    "macs_without": Column("Without", _figure("macs_without"), count, short=some, narrow="more room"),
    "macs_saved": Column("Saved MACs", _figure("macs_saved"), count, narrow="name"),
    "macs_share": Column("Saved", _figure("macs_share"), percent, narrow="room"),
    "bar": Column("", _figure("params_share"), bar, right=False, narrow="more room"),
    "params_formula": Column("Arithmetic of params", arithmetic("params", "parameters"), right=False, narrow="under"),
    "macs_formula": Column("Arithmetic of MACs", arithmetic("macs", "MACs"), right=False, narrow="under"),
}
"""They fit a terminal of 80 columns; figures of MACs are exact in the arithmetic and in all other formats."""

SHOWN = ("params", "params_without", "params_share", "macs", "macs_without", "macs_share")
"""The columns of a table of several networks, a row each."""


def document(savings: Savings, depth: int | None = None, fold: bool = True) -> Document:
    """The tree of the places, and the totals of the whole networks; data formats have every place by itself."""
    lines = savings.lines(depth, fold)
    rewrite = savings.technique.rewrite
    records = [
        {"path": place.path, **_record(place.figures)}
        | {f"{name}_formula": formula for name, formula in place.formulas().items()}
        for place in savings.places
    ]
    layers = [
        {side: [row.path for row in getattr(place, side)] for side in ("designed", "without")}
        for place in savings.places
    ]
    return Document(
        savings.by,
        [_label(line) for line in lines],
        COLUMNS,
        [line.row for line in lines],
        list(_said(savings, lines)),
        savings.whole,
        records,
        {
            "model": savings.model,
            "by": savings.by,
            "rewrite": rewrite.name,
            "source": rewrite.source,
            "input_size": list(savings.input_sizes[0]),
            "entries": [{**record, **paths} for record, paths in zip(records, layers, strict=True)],
            "rest": _record(savings.rest),
            "total": _record(savings.total),
        },
        savings.title,
    )


def overview(found: Sequence[Savings], by: str | None) -> Document:
    """A row for each network: what the whole of it saves by one technique, or by what its own family is known for."""
    names = [f"{one.model}" if by else f"{one.model} by {one.by}" for one in found]
    rows = [{"model": one.model, "by": one.by, **_record(one.total)} for one in found]
    columns = {name: COLUMNS[name]._replace(narrow="column") for name in SHOWN}
    whole = [one.whole for one in found]
    technique = found[0].technique
    said = [("Without", technique.rewrite.summary), ("Argument", technique.rewrite.source)] if by else []
    caption = f"What {technique.words or 'networks'} save against {technique.against}" if by else "Savings"
    return Document("Network", names, columns, whole, said, rows=rows, caption=caption)


def _record(figures: Saving) -> dict[str, int]:
    names = ("params", "params_without", "params_saved", "macs", "macs_without", "macs_saved")
    return {name: getattr(figures, name) for name in names}


def _label(line: Line[Entry]) -> Label:
    times = f" ×{line.times}" if line.times > 1 else ""
    above = line.row.path.removesuffix(line.row.name)
    return Label(f"{line.name}{times}", f"{above}{line.name}{times}", line.guides)


def _said(savings: Savings, lines: Sequence[Line[Entry]]) -> Iterator[tuple[str, str]]:
    rewrite = savings.technique.rewrite
    yield "Saved", savings.sentence
    if savings.auxiliary is not None:
        yield "Auxiliary", savings.auxiliary
    yield "Without", ": ".join(filter(None, [f"{savings.model or 'the network'}+{rewrite.name}", rewrite.summary]))
    yield "Argument", rewrite.source
    yield "Input", all_sides(savings.input_sizes)
    if any(line.times > 1 for line in lines):
        yield "×N", "a row for N equal neighbours; its figures are theirs together, and so below it"
