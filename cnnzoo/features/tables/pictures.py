"""The pictures that pages show: their files say by their names what is in them."""

from __future__ import annotations

import re

from ...errors import InvalidValueError
from ..compare import compare
from ..compare.picture import plot
from ..draw import DEPTH, KINDS, draw

NAME = re.compile(
    rf"(?P<target>[^.]+)(?:\.(?P<block>.+))?\.(?P<kind>{'|'.join((*KINDS, 'scatter'))})(?:\.(?P<depth>\d+))?"
)
SHOWN = re.compile(r"\((?:\.\./|docs/)?pictures/([^\s()/]+)\.svg\)")


def shown(text: str) -> list[str]:
    """What the pictures of a page are called: "resnet50.graph", with the levels of blocks "resnet50.graph.1", of one
    block "resnet50.layer1.0.graph"; "resnet18-vgg16.scatter" is of several networks."""
    return SHOWN.findall(text)


def drawn(name: str) -> str:
    """The picture of this name. Raises what `picture` does, and LookupError for another network or block."""
    parts = NAME.fullmatch(name)
    if parts is None:
        raise InvalidValueError(
            f"{name!r} names no picture: NETWORK.KIND or NETWORK.BLOCK.KIND, with kinds {', '.join(KINDS)}"
        )
    target, kind, depth = parts["target"], parts["kind"], int(parts["depth"] or DEPTH)
    if kind == "scatter":
        return plot(compare(*target.split("-")).plane(), "svg").decode()
    return draw(target, kind, depth=depth, block=parts["block"]).to("svg").decode()
