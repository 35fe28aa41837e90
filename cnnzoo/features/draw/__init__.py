"""Pictures of networks: a diagram of blocks, shrinking volumes, bars of costs, and the receptive field on the input.

`picture(summary("vgg16"), "bars", "svg")` is a file's bytes, the same each time. `diagram` is the graph as a value,
and `to_dot` and `to_mermaid` its text; neither text needs more than the standard library.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from ...arch.edit import find
from ...arch.node import Node
from ...calculate import calculate
from ...report import Report
from . import bars, field, graphviz, sheet, volumes
from .colours import adaptive
from .dot import to_dot
from .graph import Box, Edge, Frame, Graph, diagram
from .graphviz import CannotDrawError
from .mermaid import to_mermaid

__all__ = [
    "DEPTH",
    "DRAWN",
    "FORMATS",
    "KINDS",
    "TEXTS",
    "Box",
    "CannotDrawError",
    "Edge",
    "Frame",
    "Graph",
    "diagram",
    "opened",
    "picture",
    "to_dot",
    "to_mermaid",
]

PLOTS: dict[str, Callable[[Report, int], sheet.Sheet]] = {
    "volumes": volumes.volumes,
    "bars": bars.bars,
    "field": field.field,
}
KINDS = ("graph", *PLOTS)
TEXTS: dict[str, Callable[[Graph], str]] = {"mmd": to_mermaid, "dot": to_dot}
"""Formats of a graph that are text for people."""
DRAWN = ("svg", "png", "pdf")
"""Formats of every kind."""
FORMATS = (*DRAWN, *TEXTS)

DEPTH = 2
"""How many levels of blocks are opened unless it is said."""


def picture(
    report: Report, kind: str = "graph", format: str = "svg", *, description: Node | None = None, depth: int = DEPTH
) -> bytes:
    """A network's picture: one of `KINDS` in one of `FORMATS`, blocks opened `depth` levels down.

    A graph takes the `description` that the report is of. An SVG has light and dark colours and follows the reader's.
    Raises ValueError for a picture that there is not, `CannotDrawError` where `pip install 'cnnzoo[draw]'` is needed.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of picture {kind!r}; there are {', '.join(KINDS)}")
    if format not in FORMATS:
        raise ValueError(f"unknown format {format!r}; there are {', '.join(FORMATS)}")
    if kind != "graph" and format in TEXTS:
        raise ValueError(f"{kind} cannot be drawn as {format}, but as {', '.join(DRAWN)}; {format} is for a graph")
    if kind == "graph":
        if description is None:
            raise ValueError("a graph takes a description: a measurement does not see how layers are joined")
        graph = diagram(description, report, depth)
        if format in TEXTS:
            return TEXTS[format](graph).encode()
        need("pygraphviz", "matplotlib")
        drawn = graphviz.draw(to_dot(graph), format)
    else:
        need("matplotlib")
        drawn = sheet.draw(PLOTS[kind](report, depth), format)
    return finished(drawn, format)


def opened(description: Node, report: Report, path: str) -> tuple[Node, Report]:
    """The block at a path by itself, with what it comes to on what it is given in the network that the report is of.

    PathError, with what may have been meant, where there is none.
    """
    block = find(description, path)
    row = report[path]
    return block, calculate(block, row.input_shape, model=f"{report.model or 'network'} · {path}")


def finished(drawn: bytes, format: str) -> bytes:
    """A drawing as it is written: an SVG follows its reader's light or dark."""
    return adaptive(drawn.decode()).encode() if format == "svg" else drawn


def need(*packages: str) -> None:
    """`CannotDrawError` where one of these packages is not installed."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise CannotDrawError(
            f"{' and '.join(missing)} must be installed to draw this: pip install 'cnnzoo[draw]'; "
            f"a graph as {' or '.join(TEXTS)} needs nothing more"
        )
