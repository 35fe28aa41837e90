"""The pictures that pages show: their files say by their names what is in them."""

from __future__ import annotations

import re

from ..api import describe, summary
from ..comparison import compare
from ..draw import DEPTH, picture, plot

SHOWN = re.compile(r"\((?:\.\./|docs/)?pictures/([^\s()/]+)\.svg\)")


def shown(text: str) -> list[str]:
    """What the pictures of a page are called: "resnet50.graph", and with the levels of blocks "resnet50.graph.1";
    "resnet18-vgg16.scatter" is of several networks."""
    return SHOWN.findall(text)


def drawn(name: str) -> str:
    """The picture of this name. Raises what `picture` does, and LookupError for another network."""
    target, _, rest = name.partition(".")
    kind, _, depth = rest.partition(".")
    if kind == "scatter":
        return plot(compare(*target.split("-")).plane(), "svg").decode()
    description = describe(target) if kind == "graph" else None
    levels = int(depth) if depth else DEPTH
    return picture(summary(target), kind, "svg", description=description, depth=levels).decode()
