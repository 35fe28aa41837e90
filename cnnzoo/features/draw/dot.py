"""A diagram as DOT, the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from .colours import FRAME, INK, LINE, MUTED, PAINTS, PAPER, Colour
from .graph import Box, Edge, Frame, Graph
from .words import after_name, costs, flowing, folding, heading, sizes

FONT = "DejaVu Sans,Verdana,sans-serif"
SIZE = 9
"""12 pixels of a screen: letters of whole pixels are as wide in a browser as Graphviz takes them to be."""
LETTER = 7
"""Width of a frame's letters, about."""


class _Html(str):
    """A label that is not to be quoted."""


def to_dot(graph: Graph) -> str:
    """The diagram in DOT, from top to bottom; the tooltips have full paths and exact figures."""
    title, under = heading(graph.report)
    head = _attributes(
        bgcolor=PAPER.light,
        fontcolor=MUTED.light,
        fontname=FONT,
        fontsize=SIZE,
        label=_lines([_font(f"<b>{escape(title)}</b>", 13, INK), *map(escape, (under, *folding(graph)))]),
        labelloc="t",
        nodesep=0.2,
        pad=0.15,
        ranksep=0.2,
        tooltip=title,
    )
    box = _attributes(fontcolor=INK.light, fontname=FONT, fontsize=SIZE, height=0, margin="0.08,0.05", width=0)
    edge = _attributes(arrowsize=0.5, color=LINE.light, fontcolor=MUTED.light, fontname=FONT, fontsize=8)
    lines = [
        f"graph {head}",
        f"node {box}",
        f"edge {edge}",
        *_inside(graph, None),
        *_beside([box.id for box in graph.boxes if box.role == "input"]),
        *(_edge(edge, graph.forks) for edge in graph.edges),
    ]
    return "".join([f"digraph {_quoted(title)} {{\n", *(f"  {line}\n" for line in lines), "}\n"])


def _inside(graph: Graph, frame: str | None) -> Iterator[str]:
    """The statements of the boxes and the frames in a frame."""
    for box in graph.boxes:
        if box.frame == frame:
            yield f"{box.id} {_fork(box) if box.role == 'fork' else _box(box)}"
    for inner in graph.frames:
        if inner.frame == frame:
            yield f"subgraph cluster_{inner.id} {{"
            yield f"  graph {_frame(inner)}"
            yield from (f"  {line}" for line in _inside(graph, inner.id))
            yield "}"


def _beside(inputs: list[str]) -> list[str]:
    """Several inputs, side by side."""
    return [f"subgraph inputs {{rank=same; {'; '.join(inputs)}}}"] if len(inputs) > 1 else []


def _fork(box: Box) -> str:
    return _attributes(color=LINE.light, label="", shape="point", tooltip=sizes(box.shape), width=0.05)


def _box(box: Box) -> str:
    paint = PAINTS[box.role]
    step = box.role in ("add", "cat") and not box.lines
    name = box.name if step else f"<b>{escape(box.name)}</b>"
    beside = after_name(box)
    figures = " · ".join(costs(box.params, box.macs))
    small = [_font(figures, SIZE, MUTED)] if figures else []
    return _attributes(
        color=paint.line.light,
        fillcolor=paint.fill.light,
        label=_lines([f"{name}{escape(beside)}", *map(escape, box.lines), *small]),
        shape="circle" if step and box.role == "add" else "box",
        style=_style(box.aux),
        tooltip="\n".join(_exactly(box)),
    )


def _exactly(box: Box) -> Iterator[str]:
    yield from (path or "the network" for path in box.paths)
    yield f"{box.params} parameters"
    yield f"{'?' if box.macs is None else box.macs} MACs"


def _frame(frame: Frame) -> str:
    name = _font(f"<b>{escape(frame.name)}</b>", SIZE, INK)
    behind = f"{after_name(frame)}{frame.words}"
    return _attributes(
        color=FRAME.line.light,
        fillcolor=FRAME.fill.light,
        fontcolor=MUTED.light,
        label=_lines([f"{name}{escape(behind)}"], LETTER * len(f"{frame.name}{behind}")),
        labeljust="l",
        margin=8,
        style=_style(frame.aux),
        tooltip=f"{frame.name}, {frame.kind}",
    )


def _edge(edge: Edge, forks: set[str]) -> str:
    label = {} if edge.source in forks else {"label": f" {flowing(edge)} "}
    style = {"style": "dashed"} if edge.aux else {}
    head = {"arrowhead": "none"} if edge.target in forks else {}
    return f"{edge.source} -> {edge.target} {_attributes(**label, **style, **head)}"


def _lines(lines: Iterable[str], beside: int = 0) -> _Html:
    """Lines of a label, and room to their right: in a frame, for what enters it in the middle."""
    room = f'<td width="{beside}"></td>' if beside else ""
    rows = "".join(f"<tr><td>{line}</td>{room}</tr>" for line in lines)
    return _Html(f'<table border="0" cellborder="0" cellpadding="1" cellspacing="0">{rows}</table>')


def _font(words: str, size: int, colour: Colour) -> str:
    return f'<font point-size="{size}" color="{colour.light}">{words}</font>'


def _style(aux: bool) -> str:
    return "rounded,filled,dashed" if aux else "rounded,filled"


def _attributes(**values: object) -> str:
    said = (
        f"{name}=<{value}>" if isinstance(value, _Html) else f"{name}={_quoted(value)}"
        for name, value in values.items()
    )
    return f"[{', '.join(said)}]"


def _quoted(value: object) -> str:
    """A string as Graphviz reads it and shows it: it knows escapes with a backslash, and entities."""
    text = str(value).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'
