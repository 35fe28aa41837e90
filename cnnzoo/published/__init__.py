"""What publications print of the registered networks, as data, beside what the calculator finds.

A family's figures are in the JSON file of its name, read when first asked for: only what is printed is
typed in there, what is true is calculated. Where the two differ, the file says how else the figure may be
read (`because`), and the figure is calculated again as read so. `str(figure)` says all of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from ..arch.node import Node
from ..registry import Builder
from ..zoo import get_builder
from .figure import REASONS, UNITS, VERDICTS, WORDS, PrintedFigure
from .quantities import PARTS

__all__ = ["PARTS", "REASONS", "UNITS", "VERDICTS", "WORDS", "PrintedFigure", "figures", "remarks"]

TOTALS = ("params", "macs", "connections")
"""The quantities of a whole network that `remarks` compares with the paper."""


def figures(model: str | Builder[Any]) -> tuple[PrintedFigure, ...]:
    """All that is printed of a registered network, whoever prints it; nothing for a network of a plugin."""
    builder = get_builder(model) if isinstance(model, str) else model
    return tuple(figure for figure in _family(_name_of_family(builder)).figures if figure.model == builder.name)


@lru_cache(maxsize=256)
def remarks(model: str | Builder[Any]) -> tuple[str, ...]:
    """What the network's own paper prints of it as a whole, beside what is true: a line a figure; of one with settings
    only where the paper prints none without.

    Where the network is a variant of the paper's, the figures are the paper's network's, and say so.
    """
    builder = get_builder(model) if isinstance(model, str) else model
    variants, printed = _family(_name_of_family(builder))
    if not printed:
        return ()
    of = variants.get(builder.name, builder.name)
    own = [
        figure
        for figure in printed
        if figure.model == of
        and figure.link == builder.paper.link
        and figure.quantity in TOTALS
        and figure.paths == ("",)
        and not figure.ratio
        and "input_size" not in dict(figure.settings)
    ]
    plain = {figure.quantity for figure in own if not figure.settings}
    own = [figure for figure in own if not (figure.settings and figure.quantity in plain)]
    none = () if any(figure.quantity == "params" for figure in own) else ("the paper prints no parameter count",)
    return (*(figure.sentence(builder.name) for figure in own), *none)


def _name_of_family(builder: Builder[Any]) -> str:
    package, _, name = builder.__module__.rpartition(".")
    return name if package == f"{__package__.rpartition('.')[0]}.models" else ""


NAMES = {"path": "paths", "with": "with_parts"}
"""What a field is called in a file, where that is not its name."""


class _Family(NamedTuple):
    """What is in a family's file."""

    variants: dict[str, str]
    """Networks that are no paper's, each with the paper's network that it is a variant of."""
    figures: tuple[PrintedFigure, ...]


@lru_cache(maxsize=32)
def _family(name: str) -> _Family:
    """What is printed of the networks of a family; nothing where it has no file, as those of plugins."""
    file = os.path.join(os.path.dirname(__file__), f"{name}.json")
    if not name or not os.path.exists(file):
        return _Family({}, ())
    with open(file, encoding="utf-8") as stream:
        data = json.load(stream)
    return _Family(data["variants"], tuple(_figures(data["sources"])))


def _figures(sources: list[dict[str, Any]]) -> Iterator[PrintedFigure]:
    """A source has tables, a table has rows; what a table says holds for each of its rows."""
    for source in sources:
        for table in source["tables"]:
            for row in table["rows"]:
                given = {key: value for key, value in {**table, **row}.items() if key != "rows"}
                models = given.pop("model").split()
                given = {"paths": ("",), **_fields(given)}
                for model in models:
                    yield PrintedFigure(model=model, source=source["source"], link=source["link"], **given)


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a figure, or of how else it is read, as a file says them."""
    found = {NAMES.get(key, key): _tuples(value) for key, value in given.items()}
    if "path" in given:
        found["paths"] = tuple(found.pop("paths").split())
    if "settings" in given:
        found["settings"] = tuple(
            (name, _replaced(value) if name == "replace" else _tuples(value))
            for name, value in given["settings"].items()
        )
    if "because" in given:
        found["because"] = tuple(_fields(given["because"]).items())
    return found


def _replaced(given: dict[str, Any]) -> tuple[tuple[str, Node], ...]:
    """Paths and what stands there instead."""
    from ..arch.serial import from_dict  # only here: few figures need it

    return tuple((path, from_dict(node)) for path, node in given.items())


def _tuples(value: Any) -> Any:
    """The value, with tuples for lists."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
