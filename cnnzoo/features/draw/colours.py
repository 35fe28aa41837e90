"""The colours of every picture, each for a light page and for a dark one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class Colour(NamedTuple):
    """The same thing on white and on black; no two colours are alike on white."""

    light: str
    dark: str


class Paint(NamedTuple):
    """The two colours of an area: what it is filled with, and its outline."""

    fill: Colour
    line: Colour


PAPER = Colour("#ffffff", "#131416")
INK = Colour("#1f2328", "#e6edf3")
MUTED = Colour("#57606a", "#a3acb7")
LINE = Colour("#6e7781", "#8d96a0")
FRAME = Paint(Colour("#f7f8fa", "#1b1d20"), Colour("#c4cad1", "#434a52"))

PAINTS = {
    "convolution": Paint(Colour("#d9e8f6", "#12324d"), Colour("#0067a3", "#6bb3ea")),
    "linear": Paint(Colour("#fce6d2", "#472a10"), Colour("#b85400", "#f2a561")),
    "pooling": Paint(Colour("#d8f0e7", "#0e382c"), Colour("#00755a", "#52c7a3")),
    "block": Paint(Colour("#eae6f5", "#2d2645"), Colour("#6f55a5", "#b5a1e2")),
    "other": Paint(Colour("#eff1f3", "#25292e"), Colour("#858f99", "#98a1ab")),
    **dict.fromkeys(("add", "cat"), Paint(Colour("#fffefd", "#17191b"), Colour("#3d444b", "#c0c8d0"))),
    **dict.fromkeys(("input", "output"), Paint(Colour("#fefeff", "#18191c"), Colour("#8b95a1", "#7d8792"))),
    "fork": Paint(LINE, LINE),
}
"""Fill and line by what a box is. The hues are those of Okabe and Ito, told apart by the colour-blind too."""

SERIES = [PAINTS[role].line for role in ("convolution", "linear", "pooling", "block", "other")]
"""Of lines that stand for no layers, one after the other."""

YEARS = {
    2013: Colour("#8a6800", "#ffd866"),
    2015: Colour("#b84d14", "#ff9f6b"),
    2017: Colour("#b8326e", "#ff85b8"),
    2019: Colour("#80359a", "#cf95ee"),
    2021: Colour("#3f48ab", "#98a6fb"),
    2023: Colour("#0b3a5e", "#bfe3ff"),
}
"""From yellow to blue in the order of time, each up to its year and from the one before."""


def adaptive(svg: str, more: Iterable[Colour] = ()) -> str:
    """The SVG with a style by which its colours, and `more`, are the dark ones where the reader's page is dark."""
    paints = (FRAME, *PAINTS.values())
    colours = [PAPER, INK, MUTED, LINE, *(colour for paint in paints for colour in paint), *more]
    rules = "".join(
        f'[{kind}="{light}"],[style*="{kind}: {light}"]{{{kind}:{dark}!important}}\n'
        for light, dark in colours
        for kind in ("fill", "stroke")
    )
    style = f"<style>\n@media (prefers-color-scheme: dark) {{\n{rules}}}\n</style>"
    return re.sub(r"<svg\b[^>]*>", lambda opening: f"{opening[0]}\n{style}", svg, count=1)
