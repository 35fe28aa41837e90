"""The table of what publications print of networks, beside what is true, that `cnnzoo published` prints."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from ...published import WORDS, PrintedFigure, figures
from ...render.column import Column
from ...render.document import Document
from ...words import sides

SHAPES = (
    "input_shape",
    "output_shape",
    "height_width_channels",
    "input_height_width_channels",
    "filter_shape",
    "kernels",
)
"""Quantities that are lengths of sides; other tuples are lists."""

AGREEMENTS = {"exact": "equal", "rounds": "rounds to it", "truncates": "truncates to it", "differs": "differs"}


def _of(figure: PrintedFigure) -> str:
    """The network, rewritten where it is, and which part of it; with settings that are not its own."""
    parts = ", ".join(filter(None, figure.paths))
    network = " over ".join(figure.ratio or ("+".join((figure.model, *figure.rewrites)),))
    return " ".join(filter(None, [network, parts, figure.other and f"with {figure.other}"]))


def _what(figure: PrintedFigure) -> str:
    return WORDS.get(figure.quantity, figure.quantity.replace("_", " "))


def _printed(figure: PrintedFigure) -> str:
    return f"{_value(figure.printed, figure)} {figure.unit}".rstrip()


def _true(figure: PrintedFigure) -> str:
    return _value(figure.exact, figure)


def _value(value: Any, figure: PrintedFigure) -> str:
    """Numbers with commas, and what is printed as it is printed."""
    if isinstance(value, tuple):
        if isinstance(value[0], tuple):
            return "; ".join(sides(one, ", ") for one in value)
        return sides(value, "x" if figure.quantity in SHAPES else ", ")
    return value if isinstance(value, str) else f"{value:,.9g}" if isinstance(value, float) else f"{value:,}"


def _where(figure: PrintedFigure) -> str:
    return f"{figure.source.partition(':')[0]}, {figure.where}"


COLUMNS = {
    "quantity": Column("What", _what, right=False),
    "printed": Column("Printed", _printed),
    "exact": Column("True", _true),
    "agreement": Column("", attrgetter("agreement"), AGREEMENTS.__getitem__, right=False),
    "where": Column("Where", _where, right=False, narrow="room"),
    "why": Column("Why", attrgetter("why"), right=False, narrow="under"),
}


def document(names: Iterable[str]) -> Document:
    """All that is printed of these networks, publication by publication; data formats have the exact values."""
    found = [figure for name in names for figure in figures(name)]
    sources = dict.fromkeys((figure.source, figure.link) for figure in found)
    rows = [{**figure._asdict(), "exact": figure.exact, "agreement": figure.agreement} for figure in found]
    said = [("" if number else "Printed in", f"{source}, {link}") for number, (source, link) in enumerate(sources)]
    return Document("Network", list(map(_of, found)), COLUMNS, found, said, rows=rows, caption="Published figures")
