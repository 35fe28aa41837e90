"""Pictures of networks: a diagram of blocks, shrinking volumes, bars of costs, the receptive field on the input, and a
detector's anchors.

`draw("vgg16", "bars").to("svg")` is a file's bytes, the same each time. `diagram` is the graph as a value, and
`to_dot` and `to_mermaid` its text; neither text needs more than the standard library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ... import extras
from ...arch.edit import find
from ...calculate import calculate
from ...errors import InvalidTypeError, InvalidValueError
from ...render.document import Document
from ...report import Report
from ...words import quoted
from ..summary import Network, described, reported
from . import anchors, bars, field, graphviz, sheet, volumes
from .colours import Colour, adaptive
from .dot import to_dot
from .graph import Box, Edge, Frame, Graph, diagram
from .graphviz import CannotDrawError
from .mermaid import to_mermaid

__all__ = [
    "DEPTH",
    "DRAWN",
    "FORMATS",
    "KINDS",
    "TABLES",
    "TEXTS",
    "Box",
    "CannotDrawError",
    "Drawing",
    "Edge",
    "Frame",
    "Graph",
    "diagram",
    "draw",
    "opened",
    "to_dot",
    "to_mermaid",
]

PLOTS: dict[str, Callable[[Report, int], sheet.Sheet]] = {
    "volumes": volumes.volumes,
    "bars": bars.bars,
    "field": field.field,
    "anchors": anchors.anchors,
}
KINDS = ("graph", *PLOTS)
TABLES: dict[str, Callable[[Report], Document]] = {"anchors": anchors.document}
"""The kinds that are a table, too."""
TEXTS: dict[str, Callable[[Graph], str]] = {"mmd": to_mermaid, "dot": to_dot}
"""Formats of a graph that are text for people."""
DRAWN = ("svg", "png", "pdf")
"""Formats of every kind."""
FORMATS = (*DRAWN, *TEXTS)

DEPTH = 2
"""How many levels of blocks are opened unless it is said."""


UNSEEN = "how its layers are joined cannot be seen; its bars and volumes can be drawn: kind='bars', or --kind bars"


def draw(
    network: Network,
    kind: str = "graph",
    *,
    depth: int = DEPTH,
    block: str | None = None,
    input_size: Any = None,
    **settings: Any,
) -> Drawing:
    """A network as a picture: one of `KINDS`, blocks opened `depth` levels down; with `block` that one by itself.

    A network is what `summary` takes, or a report; `input_size` and `settings` go to `summary`. Raises what that does,
    ValueError for another kind, TypeError for a depth that is no whole number, `PathError` where no such block is,
    and `NoDescriptionError` where a graph or a block is wanted of a module without a description.
    """
    if kind not in KINDS:
        raise InvalidValueError(f"unknown kind of picture {kind!r}; there are {', '.join(KINDS)}")
    if not isinstance(depth, int):
        raise InvalidTypeError(f"depth is a number of levels, got {quoted(depth)}")
    report = reported(network, input_size, **settings)
    if block is not None:
        report = opened(described(report, UNSEEN), block)
    return Drawing(described(report, UNSEEN) if kind == "graph" else report, kind, depth)


@dataclass(frozen=True, repr=False)
class Drawing:
    """A picture that is drawn when it is looked at: a graph prints as Mermaid, anchors as a table, a notebook shows the
    SVG."""

    report: Report
    kind: str
    depth: int

    def to(self, format: str) -> bytes:
        """What a file of one of `FORMATS` holds: `Path("vgg16.svg").write_bytes(cnnzoo.draw("vgg16").to("svg"))`.

        An SVG has light and dark colours and follows the reader's. Raises ValueError for a format that there is not,
        `NotInstalledError` without `pip install 'cnnzoo[draw]'`, and `CannotDrawError` where Graphviz fails.
        """
        if format not in FORMATS:
            raise InvalidValueError(f"unknown format {format!r}; there are {', '.join(FORMATS)}")
        if self.kind != "graph" and format in TEXTS:
            raise InvalidValueError(
                f"{self.kind} cannot be drawn as {format}, but as {', '.join(DRAWN)}; {format} is for a graph"
            )
        if self.kind == "graph":
            graph = diagram(self.report, self.depth)
            if format in TEXTS:
                return TEXTS[format](graph).encode()
            need("pygraphviz", "matplotlib")
            drawn = graphviz.draw(to_dot(graph), format)
        else:
            need("matplotlib")
            drawn = sheet.draw(PLOTS[self.kind](self.report, self.depth), format)
        return finished(drawn, format)

    def document(self) -> Document:
        """The table of a kind of `TABLES`; ValueError for another."""
        if self.kind not in TABLES:
            raise InvalidValueError(f"{self.kind} has no table; {', '.join(TABLES)} has")
        return TABLES[self.kind](self.report)

    def __str__(self) -> str:
        if self.kind == "graph":
            return self.to("mmd").decode().rstrip("\n")
        if self.kind in TABLES:
            return self.document().text("table").rstrip("\n")
        return f"<{self.kind} of {self.report.model or 'a network'}: to('svg') is its picture>"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The SVG as an image of its own, whose styles and names meet no others of the page; where it cannot be drawn,
        the text and why."""
        from html import escape

        try:
            return in_page(self.to("svg"), f"{self.kind} of {self.report.model or 'a network'}")
        except (CannotDrawError, extras.NotInstalledError) as error:
            return f"<pre>{escape(str(self))}</pre><p>{escape(str(error))}</p>"


def opened(report: Report, path: str) -> Report:
    """The report of the block at a path by itself, on what it is given in the network. PathError, with what may have
    been meant, where there is none."""
    block, row = find(report.description, path), report[path]
    sizes = (row.input_shape, *row.more_inputs)  # in the order in which the block takes them
    return calculate(block, sizes, model=f"{report.model or 'network'} · {path}")


def in_page(svg: bytes, words: str) -> str:
    """An SVG as an image in a page, and what it shows in words."""
    from base64 import b64encode
    from html import escape

    image = b64encode(svg).decode()
    return f'<img src="data:image/svg+xml;base64,{image}" alt="{escape(words)}" style="max-width:100%">'


def finished(drawn: bytes, format: str, more: Iterable[Colour] = ()) -> bytes:
    """A drawing as it is written: an SVG follows its reader's light or dark, with `more` colours than a network's."""
    return adaptive(drawn.decode(), more).encode() if format == "svg" else drawn


def need_for(format: str) -> None:
    """InvalidValueError for a format that is none of `DRAWN`, and `NotInstalledError` without what draws it."""
    if format not in DRAWN:
        raise InvalidValueError(f"unknown format {quoted(format)}; there are {', '.join(DRAWN)}")
    need("matplotlib")


def need(*packages: str) -> None:
    """`NotInstalledError` where one of these packages, which draw, is not installed."""
    extras.need("drawings", "draw", *packages, instead=f"; a graph as {' or '.join(TEXTS)} needs nothing more")
