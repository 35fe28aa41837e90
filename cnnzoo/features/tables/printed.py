"""What publications print of a family's networks, table by table, beside what is true."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from ...published import WORDS, PrintedFigure, figures
from ...render.column import Column
from ...render.document import Document
from ...render.markdown import verbatim
from ...words import sides
from .zoo import family_of

T = TypeVar("T")

SHAPES = ("input_shape", "output_shape", "height_width_channels", "kernels")
"""Quantities that are lengths of sides; other tuples are lists."""

SIGNS = {"exact": "=", "rounds": "≈", "truncates": "⌊", "differs": "≠"}

LEGEND = (
    "A cell says what is printed, and then what is true: = the same; ≈ it rounds to what is printed; "
    "⌊ it does with its last digits cut off; ≠ it does not."
)


def printed(family: str) -> str:
    """Every table of every publication, the networks' own first, and why a figure is what it is."""
    own = family_of(family)
    papers = {builder.paper.link for builder in own}
    found = sorted((one for builder in own for one in figures(builder)), key=lambda one: one.link not in papers)
    parts = [LEGEND]
    for (source, link), cited in _grouped(found, lambda one: (one.source, one.link)).items():
        parts.append(f"### {verbatim(source)}\n\n{verbatim(link)}")
        parts += [_table(where, of) for where, of in _grouped(cited, lambda one: one.where).items()]
        parts.append(_notes(cited))
    return "\n\n".join(parts)


def _table(where: str, found: list[PrintedFigure]) -> str:
    """As in the publication: a column for each of several networks, or for each quantity of one."""
    several = len({one.model for one in found}) > 1
    rows = _grouped(found, _quantity_of_part if several else _part)
    columns = _grouped(found, (lambda one: one.model) if several else _quantity)
    cells = [{(one.model if several else _quantity(one)): one for one in of} for of in rows.values()]
    shown = {name: Column(name if several else _capital(name), partial(_cell, name)) for name in columns}
    return Document(where, [_capital(row) if several else row for row in rows], shown, cells).text("markdown")


def _notes(found: list[PrintedFigure]) -> str:
    """What is said of the figures, each sentence once."""
    noted = _grouped([one for one in found if one.note], lambda one: (one.where, _quantity(one), one.note))
    lines = []
    for (where, quantity, note), of in noted.items():
        parts = ", ".join(dict.fromkeys(map(_part, of)))
        lines.append(f"- {verbatim(f'{where}, {quantity} of {parts}: {note}')}\n")
    return "".join(lines)


def _quantity(figure: PrintedFigure) -> str:
    return WORDS.get(figure.quantity, figure.quantity.replace("_", " "))


def _part(figure: PrintedFigure) -> str:
    """What the figure is of: a part of the network, or the network; with settings that are not its own."""
    words = [", ".join(filter(None, figure.paths)) or " over ".join(figure.ratio or (figure.model,))]
    words += [f"with {name}={value!r}" for name, value in figure.settings]
    return " ".join(words)


def _quantity_of_part(figure: PrintedFigure) -> str:
    paths = ", ".join(filter(None, figure.paths))
    return f"{_quantity(figure)}, {paths}" if paths else _quantity(figure)


def _cell(column: str, row: Mapping[str, PrintedFigure]) -> str:
    if column not in row:
        return ""
    figure = row[column]
    separator = "x" if figure.quantity in SHAPES else ", "
    shown = f"{_value(figure.printed, separator)} {figure.unit}".rstrip()
    exact = _value(figure.exact, separator)
    return f"{shown} =" if shown == exact else f"{shown} {SIGNS[figure.agreement]} {exact}"


def _value(value: Any, separator: str) -> str:
    """Numbers with commas, and what is printed as it is printed."""
    if isinstance(value, tuple):
        return "; ".join(_value(one, ", ") for one in value) if isinstance(value[0], tuple) else sides(value, separator)
    return value if isinstance(value, str) else f"{value:,.9g}" if isinstance(value, float) else f"{value:,}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _grouped(values: Iterable[T], key: Callable[[T], Any]) -> dict[Any, list[T]]:
    """The values by their key, both in the order in which they are met."""
    groups: dict[Any, list[T]] = {}
    for value in values:
        groups.setdefault(key(value), []).append(value)
    return groups
