"""What `cnnzoo explain` prints: the equations of a layer, or the rows of a block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, takewhile
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

from ...render.column import Column
from ...render.document import Document, Label
from ...report import Row
from ...report.columns import COLUMNS as FIGURES
from ...report.document import receptive_field
from ...words import sides

if TYPE_CHECKING:
    from . import Equation, Explanation


def _worth(value: Any) -> str:
    return f"= {value:,}" if isinstance(value, int) else f"= {sides(value)}"


def _setting(name: str, header: str, narrow: Literal["column", "name"]) -> Column:
    return Column(header, attrgetter(name), lambda value: "" if value is None else sides(value), narrow=narrow)


EQUATIONS = {
    "formula": Column("Formula", attrgetter("formula"), right=False),
    "value": Column("Value", attrgetter("value"), _worth),
    "kernel": _setting("kernel", "k", "name"),
    "stride": _setting("stride", "s", "name"),
    "padding": _setting("padding", "p", "name"),
    "effective_stride": _setting("effective_stride", "S", "column"),
    "effective_padding": _setting("effective_padding", "P", "column"),
}
"""The columns of a table of equations, beside the names; it fits a terminal of 80 columns."""
ROWS = {
    "kind": FIGURES["kind"]._replace(narrow="name"),
    **{name: FIGURES[name] for name in ("kernel", "output_shape", "params", "macs", "receptive_field")},
}
LONGEST = 22
"""Characters of a name, so that the table fits a terminal of 80 columns."""
ROOM = 32
"""Characters, at most, of the title above the names."""
NAMES = {
    "params": "parameters",
    "macs": "MACs",
    "flops": "FLOPs",
    "stored_bytes": "bytes kept",
    "extent_height": "extent height",
    "extent_width": "extent width",
}
LEGEND = "a step's kernel, stride and padding; S and P: those in effect so far, in pixels of the input"


def document(explanation: Explanation) -> Document:
    """A layer's equations with the steps of its receptive field under them, or a block's children and their sum. CSV
    has every equation and every step."""
    path, said = explanation.row.path, list(explanation.said)
    if explanation.last_map is not None:
        said.append(("Receptive field", receptive_field(explanation.last_map, explanation.row)))
    caption = f"{explanation.model or 'network'} {path}".rstrip()
    about: dict[str, Any] = {
        "rows": [equation._asdict() for equation in (*explanation.equations, *explanation.steps)],
        "data": explanation.to_dict(),
        "caption": caption,
    }
    title = _title(caption, path)
    if explanation.children:
        rows, whole = explanation.children, explanation.row
        names = [Label(row.name, row.name, kind=_kind(row, row.aux != whole.aux)) for row in rows]
        return Document(title, names, ROWS, rows, said, whole, **about)
    named = [*_merged(explanation.equations), *_steps(explanation.folded)]
    if explanation.steps:
        said.append(("k s p", LEGEND))
    labels = [label for label, _ in named]
    return Document(title, labels, EQUATIONS, [equation for _, equation in named], said, **about)


def _kind(row: Row, apart: bool) -> str:
    if row.own:
        return ""
    return f"{row.kind} (apart)" if apart else f"{row.kind} (call {row.call})" if row.call > 1 else row.kind


def _merged(equations: Sequence[Equation]) -> Iterator[tuple[Label, Equation]]:
    """By name; height and width in one where they are equal."""
    for _, group in groupby(equations, lambda one: (one.figure.replace("width", "height"), one.formula, one.value)):
        equal = list(group)
        name = NAMES.get(equal[0].figure, equal[0].figure)
        name = name if len(equal) == 1 else name.replace("height", "height, width")
        yield Label(name, name), equal[0]


def _steps(folded: Sequence[tuple[str, Equation]]) -> Iterator[tuple[Label, Equation]]:
    """As a tree under their first, the input; where lines are short, without the middle of a long path."""
    heads = zip(*(name.split(".")[:-1] for name, _ in folded[1:]), strict=False)
    shared = sum(1 for _ in takewhile(lambda parts: len({*parts}) == 1, heads))
    for place, (name, step) in enumerate(folded):
        read = "" if step.kernel is None else f"k{sides(step.kernel)} s{sides(step.stride)} p{sides(step.padding)}"
        yield Label(_elided(name, shared), name, (place + 1 < len(folded),) if place else (), read), step


def _elided(name: str, shared: int) -> str:
    """A long name without the parts that all share and those in the middle."""
    if len(name) <= LONGEST:
        return name
    parts = name.split(".")[shared:]
    return ".".join(parts) if len(parts) < 3 else f"{parts[0]}…{parts[-1]}"


def _title(whole: str, path: str) -> str:
    """The model and the path, or as much of a long path's end as there is room for."""
    parts = path.split(".")
    ends = [".".join(parts[place:]) for place in range(len(parts))]
    return next((end for end in (whole, *ends) if len(end) <= ROOM), parts[-1])
