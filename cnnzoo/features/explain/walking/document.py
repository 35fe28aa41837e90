"""What `cnnzoo explain LAYER --values` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ....render.column import Column
from ....render.document import Document
from ....words import sides
from .numbers import Grid, lines, plain, shown

if TYPE_CHECKING:
    from . import Terms, Walk

ROOM = 60
"""Characters of a formula on one line, so that the table fits a terminal of 80 columns."""


class Line(NamedTuple):
    """A line of a formula; the last one has what it comes to."""

    formula: str
    value: str


COLUMNS = {
    "formula": Column("Formula", lambda line: line.formula, right=False),
    "value": Column("Value", lambda line: line.value),
}


def document(walk: Walk) -> Document:
    """A line for each output by its row and column, its channel before them where there are several; CSV and JSON have
    each formula in one."""
    names, entries = [], list[Line]()
    several = len(walk.output) > 1
    for step in walk.steps:
        formula = broken(step.terms, ROOM)
        entries += [Line(line, "") for line in formula[:-1]] + [Line(formula[-1], f"= {shown(step.value)}")]
        names += [", ".join(map(str, step.position[not several :])), *[""] * (len(formula) - 1)]
    kind = type(walk.layer).__name__
    said = [
        ("Layer", f"{walk.layer!r}: {sides(walk.input_shape)} → {sides(walk.layer.output_shape(walk.input_shape))}")
    ]
    said += _maps("Input", walk.input)
    for channel, kernels in enumerate(walk.weight or ()):
        only = len(walk.weight or ()) == 1
        said += _maps("Kernel" if only else f"Kernel {channel}", kernels)
    if walk.bias is not None:
        said.append(("Bias", " ".join(map(shown, walk.bias))))
    said += _maps("Output", walk.output)
    if any(not walk.holds(read.row, read.column) for step in walk.steps for read in step.reads):
        said.append(("Padding", "is 0 around the input"))
    return Document(
        kind,
        names,
        COLUMNS,
        entries,
        said,
        rows=[{"position": step.position, "formula": step.formula, "value": plain(step.value)} for step in walk.steps],
        data=walk.to_dict(),
        caption=f"{kind} step by step",
    )


def broken(terms: Terms, room: int) -> list[str]:
    """A formula in lines of so many characters; several terms of one map of the input begin on a line of their own."""
    found = [""]
    for pieces in terms:
        if len(pieces) > 1 and found[-1]:
            found.append("")
        for piece in pieces:
            if found[-1] and len(found[-1]) + 1 + len(piece) > room:
                found.append("")
            found[-1] = f"{found[-1]} {piece}".lstrip()
    return found


def _maps(label: str, grids: Sequence[Grid]) -> Iterator[tuple[str, str]]:
    """Each row as a sentence, behind the label and, where there are several, the map's number."""
    for number, grid in enumerate(grids):
        name = label if len(grids) == 1 else f"{label}, {number}" if label[-1].isdigit() else f"{label} {number}"
        for place, line in enumerate(lines(grid)):
            yield "" if place else name, line
