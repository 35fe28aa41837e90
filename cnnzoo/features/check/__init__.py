"""Whether what is calculated from a description is what is measured of the module built from it, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ...arch.node import Node
from ...arch.signal import Shape, ShapeError
from ...calculate import calculate, sizes_of
from ...errors import CnnzooError
from ...report import Report, Row

COMPARED = (
    "path",
    "kind",
    "input_shape",
    "output_shape",
    "tensors",
    "buffer_tensors",
    "non_persistent",
    "weights",
    "biases",
    "trainable_params",
    "buffers",
    "macs",
    "activation_bytes",
    "aux",
    "regions",
)
"""The figures of a row that both readers state."""

SETTINGS = ("kernel_size", "stride", "padding", "dilation", "groups")


class Disagreement(NamedTuple):
    """What the two readers say of one figure; None where only one has the row."""

    path: str
    figure: str
    calculated: Any
    measured: Any

    def __str__(self) -> str:
        where = self.path or "the network"
        return f"{where}: {self.figure} is {self.calculated} calculated, {self.measured} measured"


class Agreement(NamedTuple):
    """Calculated beside measured, for one network at one input size: how many figures were compared, and those that
    differ."""

    model: str
    input_size: Shape | Sequence[Shape]
    batch_size: int
    rows: int
    figures: int
    differences: tuple[Disagreement, ...]
    problem: str | None = None
    """What the measurement could not determine, or had to go round."""

    @property
    def agrees(self) -> bool:
        return not self.differences and self.problem is None


def sizes_for(description: Node, own: Shape, count: int = 3) -> list[Shape]:
    """The network's own input size and others, larger and not square, that it takes."""
    found = [own]
    for step in range(1, 12):
        other = (own[0], *(length + 32 * step + 7 * step * axis for axis, length in enumerate(own[1:])))
        if len(found) < count and _fits(description, other):
            found.append(other)
    return found


def check(
    description: Node, input_size: Shape | Sequence[Shape], batch_size: int = 1, model: str = "network"
) -> Agreement:
    """A description built, measured, and compared with what is calculated."""
    from ...pytorch.measuring.measure import measure
    from ...pytorch.modules.build import build

    calculated = calculate(description, input_size, batch_size=batch_size)
    try:
        module = build(description, input_size, init=None, device="meta")
    except CnnzooError as error:  # a layer without a module, or a name that this torch refuses
        rows = len(calculated.rows)
        return Agreement(model, input_size, batch_size, rows, 0, (), f"it cannot be built: {error}")
    sizes = [(batch_size, *shape) for shape in sizes_of(description, input_size)]
    measured = measure(module, sizes if len(sizes) > 1 else sizes[0])
    differences, figures = disagreements(calculated, measured)
    problem = "; ".join([*map(str, measured.unknown), *measured.notes]) or None
    return Agreement(model, input_size, batch_size, len(calculated.rows), figures, tuple(differences), problem)


def disagreements(calculated: Report, measured: Report) -> tuple[list[Disagreement], int]:
    """The figures in which two reports of one network differ, and how many were compared.

    Rows are compared in the order in which they run, those of auxiliary heads by themselves: the
    calculator has a head beside its source, a module may run it last.
    """
    found: list[Disagreement] = []
    compared = 0
    for aux in (False, True):
        ours, theirs = ([row for row in report.rows if row.aux == aux] for report in (calculated, measured))
        if len(ours) != len(theirs):
            found.append(Disagreement("", f"number of {'auxiliary ' * aux}rows", len(ours), len(theirs)))
        pairs = list(zip(ours, theirs))  # noqa: B905
        for one, other in pairs:
            found += _of_rows(one, other)
        compared += len(pairs) * len(COMPARED)
    blocks = {row.path: row for row in measured.blocks}
    if blocks.keys() != {row.path for row in calculated.blocks}:
        found.append(Disagreement("", "blocks", [row.path for row in calculated.blocks], list(blocks)))
    for block in calculated.blocks:
        if block.path in blocks:
            same = block if block.path else block._replace(kind=blocks[""].kind)  # a whole network has its own class
            found += _of_rows(same, blocks[block.path])
            compared += len(COMPARED)
    for name, value in measured.totals.items():
        if value is not None:
            compared += 1
            if calculated.totals[name] != value:
                found.append(Disagreement("", f"total {name}", calculated.totals[name], value))
    return found, compared


def _of_rows(one: Row, other: Row) -> Iterator[Disagreement]:
    for figure in COMPARED:
        ours, theirs = getattr(one, figure), getattr(other, figure)
        if ours != theirs:
            yield Disagreement(one.path, figure, ours, theirs)
        if isinstance(ours, dict) and isinstance(theirs, dict) and list(ours) != list(theirs):
            yield Disagreement(one.path, f"order of {figure}", list(ours), list(theirs))
    for name in SETTINGS:
        if name in one.settings and name in other.settings and one.settings[name] != other.settings[name]:
            yield Disagreement(one.path, name, one.settings[name], other.settings[name])


def _fits(description: Node, size: Sequence[int]) -> bool:
    try:
        calculate(description, tuple(size))
    except ShapeError:
        return False
    return True
