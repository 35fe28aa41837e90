"""What tests of pictures share: registered and random networks with their reports, and a look at an SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache

from hypothesis import strategies as st
from strategies import maps, networks

import cnnzoo
from cnnzoo.arch import Aux, Join, Node, Sequential, Shortcut, walk
from cnnzoo.calculate import calculate
from cnnzoo.features import draw
from cnnzoo.features.draw import colours
from cnnzoo.report import Report

DEPTHS = (1, 2, 3, 9)
ODD = (
    '"',
    "<&>",
    "\\",
    "größe",
    "- x",
    "1)",
    "#35;",
    "`a`",
    "$x$",
    "end",
    "]|",
    "&amp;",
    "a b",
    "层",
    "\\n",
    "n0",
)
"""Names of children that each mean something to one of the languages."""


@cache
def report_of(name: str) -> Report:
    return cnnzoo.summary(name)


@cache
def graph_of(name: str, depth: int) -> draw.Graph:
    return draw.diagram(report_of(name), depth)


def renamed(node: Node) -> Node:
    """With other names for all children, though not for shortcuts and auxiliary heads."""
    if not isinstance(node, Join):
        return node
    odd = [name + "'" * (number // len(ODD)) for number, name in enumerate(ODD * len(node))]
    kept = {name for name, child in node.children if name == "downsample" or isinstance(child, Aux)}
    names = {name: name if name in kept else odd[number] for number, (name, _) in enumerate(node.children)}
    children = {names[name]: renamed(child) for name, child in node.children}
    for name, child in children.items():
        if isinstance(child, Aux):
            children[name] = Aux(names[child.source], **dict(child.children))
    marked = getattr(node, "_marked", "")
    if marked:
        children[names[marked]] = Shortcut(children[names[marked]])
    return type(node)(*node._head, **children)


def has_steps(description: Node) -> bool:
    """Whether it names what is read in it."""
    return any(isinstance(node, Sequential) and node._plan is not None for _, node in walk(description))


@st.composite
def any_network(drawn) -> tuple[Node, Report]:
    """A description with odd names or with steps, and its report."""
    size = drawn(maps(side=12))
    description = drawn(networks(size, steps=True))
    if not has_steps(description):
        description = renamed(description)
    return description, calculate(description, size, model='a "<&\\n')


SVG = "{http://www.w3.org/2000/svg}"
KNOWN = {
    colour.light
    for value in vars(colours).values()
    for paint in (value.values() if isinstance(value, dict) else [value])
    for colour in (paint if isinstance(paint, colours.Paint) else [paint])
    if isinstance(colour, colours.Colour)
}
"""The colours that are others on a dark page."""


def drawn(name: str, kind: str, format: str, **options) -> bytes:
    return draw.draw(report_of(name), kind, **options).to(format)


def check_svg(svg: bytes, *words: str) -> None:
    tree = ET.fromstring(svg)
    said = ["".join(text.itertext()).strip() for text in tree.iter(f"{SVG}text")]
    for word in words:
        assert any(word in line for line in said), word
    used = set()
    for one in tree.iter():
        style = dict(part.split(": ", 1) for part in (one.get("style") or "").rstrip(";").split("; ") if part)
        used |= {found for kind in ("fill", "stroke") for found in (one.get(kind), style.get(kind)) if found}
    assert used - {"none", "transparent"} <= KNOWN
    assert all(f'="{colour}"]' in tree.find(f"{SVG}style").text for colour in used & KNOWN)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, definition of contrast ratio."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)
