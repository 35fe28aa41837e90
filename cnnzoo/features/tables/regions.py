"""What the regions of a page hold, by their names: "models", or "report resnet50" with what it is of."""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import signature
from operator import attrgetter, itemgetter

from ... import rewrites as package
from ...errors import InvalidValueError
from ...render.column import Column
from ...render.document import Document
from ...rewrites import list_rewrites
from ...words import exactly, hint
from ..peers import TOOLS, peer_numbers
from ..peers import document as peers
from ..summary import summary
from .commands import commands
from .networks import models, networks, variants
from .printed import printed
from .saved import saved, techniques
from .zoo import families

LINKS = {
    r"\barXiv:(\d{4}\.\d{5}|\d{4}\.\d{4})\b": r"[\g<0>](https://arxiv.org/abs/\1)",
    r"\bdoi:(10\.[^\s,;)|]*\w)": r"[\g<0>](https://doi.org/\1)",
    r"(?<![(<\"])https://[^\s|)]*\w": r"<\g<0>>",
}
"""What becomes a link."""


def report(model: str, depth: str = "3") -> str:
    """The table of `cnnzoo summary` with so many levels of blocks."""
    return summary(model).document(depth=int(depth)).text("markdown")


def numbers(model: str) -> str:
    """A table of what each of the other tools prints for one network, beside what is true."""
    entries = [one._asdict() for one in peer_numbers(summary(model))]
    columns = {name: peers.COLUMNS[name] for name in ("number", "figure", "relative", "counts")}
    return Document(model, [entry["tool"] for entry in entries], columns, entries).text("markdown")


def rules() -> str:
    """A table of the other tools: what the number that each prints counts, and why it is not ours."""
    columns = _words(counts="What it counts", why="Why")
    return Document("Tool", [tool.name for tool in TOOLS], columns, TOOLS).text("markdown")


def tools() -> str:
    """A table of every registered network with the number that each of the other tools prints for it."""
    names = [builder.name for own in families().values() for builder in own]
    printed = [{one.tool: one.figure for one in peer_numbers(summary(name))} for name in names]
    columns = {tool.name: Column(f"{tool.name}: {tool.number}", itemgetter(tool.name), exactly) for tool in TOOLS}
    return Document("Network", names, columns, printed).text("markdown")


def _words(**titles: str) -> dict[str, Column]:
    """A column of words for each of these attributes."""
    return {name: Column(title, attrgetter(name), right=False) for name, title in titles.items()}


def rewrites() -> str:
    """The package's own rewrites: what each does, and whose argument it stands for."""
    own = [getattr(package, name) for name in list_rewrites() if hasattr(package, name)]
    columns = _words(summary="What it does", source="Argument")
    names = [f"{rewrite.name}=…" if rewrite.option else rewrite.name for rewrite in own]
    text = Document("Rewrite", names, columns, own).text("markdown")
    return text.replace(r"\`", "`")  # what a docstring says is code is code here, too


REGIONS: dict[str, Callable[..., str]] = {
    function.__name__: function
    for function in (
        *(models, networks, variants, printed, report),
        *(saved, techniques, rewrites, numbers, rules, tools, commands),
    )
}


def content(name: str) -> str:
    """What the region of this name holds, in Markdown. ValueError, or LookupError for a network, where nothing does."""
    kind, *arguments = name.split() or [""]
    if kind not in REGIONS:
        raise InvalidValueError(f"nothing generates it; {hint(kind, REGIONS)}")
    try:
        given = signature(REGIONS[kind]).bind(*arguments).arguments
    except TypeError as error:
        raise InvalidValueError(f"{kind}: {error}") from None
    if not given.get("depth", "1").isdecimal():
        raise InvalidValueError(f"{kind}: depth must be a whole number, got {given['depth']!r}")
    text = REGIONS[kind](*arguments)
    for pattern, link in LINKS.items():
        text = re.sub(pattern, link, text)
    return text
