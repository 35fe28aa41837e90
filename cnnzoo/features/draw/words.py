"""Figures and shapes as a picture says them: in little room, and exact beside it where there is some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...report import Report, Shape
from ...report.columns import total_of
from ...words import short, sides, visible

if TYPE_CHECKING:
    from .graph import Box, Edge, Frame, Graph

EXACT = 10_000
"""Figures below this are shown in full."""


def costs(params: int | None, macs: int | None) -> list[str]:
    """`9,408 params` and `118 M MACs`, without what is zero."""
    said = [(params, "params"), (macs, "MACs")]
    return [f"{short(value, below=EXACT)} {unit}" for value, unit in said if value != 0]


def sizes(shape: Shape) -> str:
    """A shape as 64×112×112."""
    return sides(shape, "×")


def after_name(one: Box | Frame) -> str:
    """What is said beside the name: the layers that run there, by their own name, and how many equals it stands for."""
    layers = f" = {one.layers}" if one.layers else ""
    return f"{layers} ×{one.times}" if one.times > 1 else layers


def flowing(edge: Edge) -> str:
    """What an arrow says: the shape, and the name where its source gives several values."""
    return f"{edge.name} {sizes(edge.shape)}".lstrip()


def heading(report: Report) -> tuple[str, str]:
    """The title of a picture, and what stands under it."""
    entering = " and ".join(map(sizes, (report.input_size, *report.more_inputs)))
    return visible(report.model or "network"), (
        f"input {entering} · {total_of(report, 'params')} parameters · {total_of(report, 'macs')} MACs"
    )


def folding(graph: Graph) -> tuple[str, ...]:
    """What is to be said of a diagram in which equals are folded."""
    folded = any(box.times > 1 for box in graph.boxes) or any(frame.times > 1 for frame in graph.frames)
    return ("×N: N equals in a row, and their figures together",) if folded else ()
