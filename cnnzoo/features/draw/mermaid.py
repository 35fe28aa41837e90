"""A diagram as Mermaid, which GitHub draws where it stands in Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from warnings import warn

from .colours import FRAME, INK, PAINTS, Paint
from .graph import Box, Edge, Frame, Graph
from .words import after_name, costs, flowing, folding, heading

SHAPES = {"input": "([{}])", "output": "([{}])", "fork": "(({}))", "add": "(({}))"}
"""The brackets around a box's text; others are rectangles."""


MOST = {"edges": 500, "characters": 50_000}
"""What Mermaid draws unless the page around it says otherwise, which on GitHub it does not."""


def to_mermaid(graph: Graph) -> str:
    """The diagram in Mermaid, from top to bottom. Warns where that is too large to be drawn."""
    title, under = heading(graph.report)
    dashed = [box.id for box in graph.boxes if box.aux] + [frame.id for frame in graph.frames if frame.aux]
    lines = [
        "---",
        f"title: {json.dumps(' · '.join((title, under, *folding(graph))), ensure_ascii=False)}",
        "config:",
        "  flowchart:",
        "    subGraphTitleMargin:",
        "      bottom: 12",
        "---",
        "flowchart TD",
        *_inside(graph, None),
        *(_edge(edge, edge.source not in graph.forks) for edge in graph.edges),
        *(f"classDef {role} {_style(paint)}" for role, paint in PAINTS.items()),
        f"classDef frame {_style(FRAME)}",
        "classDef aux stroke-dasharray:4 3",
        *([f"class {','.join(frame.id for frame in graph.frames)} frame"] if graph.frames else []),
        *([f"class {','.join(dashed)} aux"] if dashed else []),
    ]
    text = "".join(f"{line}\n" for line in lines)
    counts = {"edges": len(graph.edges), "characters": len(text)}
    over = [
        f"{count:,} {what}, of {MOST[what]:,} that Mermaid draws"
        for what, count in counts.items()
        if count > MOST[what]
    ]
    if over:
        warn(f"{' and '.join(over)}: open fewer levels of blocks", stacklevel=2)
    return text


def _inside(graph: Graph, frame: str | None) -> Iterator[str]:
    """The statements of the boxes and the frames in a frame."""
    for box in graph.boxes:
        if box.frame == frame:
            yield _box(box)
    for inner in graph.frames:
        if inner.frame == frame:
            yield f"subgraph {inner.id}[{_frame(inner)}]"
            yield from (f"  {line}" for line in _inside(graph, inner.id))
            yield "end"


def _box(box: Box) -> str:
    lines = [f"{box.name}{after_name(box)}", *box.lines, *costs(box.params, box.macs)]
    shape = SHAPES.get(box.role, "[{}]")
    return f"{box.id}{shape.format(_quoted(lines))}:::{box.role}"


def _frame(frame: Frame) -> str:
    return _quoted([f"{frame.name}{after_name(frame)}{frame.words}"])


def _edge(edge: Edge, labelled: bool) -> str:
    arrow = "-.->" if edge.aux else "-->"
    label = f"|{_quoted([flowing(edge)])}|" if labelled else ""
    return f"{edge.source} {arrow}{label} {edge.target}"


def _style(paint: Paint) -> str:
    return f"fill:{paint.fill.light},stroke:{paint.line.light},color:{INK.light}"


def _quoted(lines: Iterable[str]) -> str:
    """Lines of text; letters, digits and a few signs as they are, all else by its number, so that it has no meaning."""
    shown = (re.sub(r"[^\w ,·×/.-]|^-", lambda sign: f"#{ord(sign[0])};", line) for line in lines if line)
    return f'"{"<br/>".join(shown) or " "}"'
