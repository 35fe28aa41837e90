"""A sheet of lines, areas and text, drawn by matplotlib; lengths in points, from the lower left corner."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from ...report import Report
from ...words import visible
from .colours import INK, MUTED, PAPER, Colour
from .words import heading

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Point: TypeAlias = tuple[float, float]

SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "svg.fonttype": "none",
    "svg.hashsalt": "cnnzoo",
    "pdf.fonttype": 42,
    "text.parse_math": False,
}
"""Over matplotlib's own, whatever the user's are: text stays text, and the same picture is the same bytes."""

DATES: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}


class Area(NamedTuple):
    """A closed line, and what is in it; a line where it has no fill."""

    points: tuple[Point, ...]
    fill: Colour | None
    line: Colour | None
    width: float = 0.8
    dashed: bool = False


class Text(NamedTuple):
    """A line of text; `at` is its left end, its middle or its right end, on half its height."""

    at: Point
    words: str
    size: float = 8
    align: Literal["left", "center", "right"] = "left"
    colour: Colour = INK
    bold: bool = False


class Picture(NamedTuple):
    """Pixels in a box; those that let the page through are seen on a light and on a dark one."""

    left: float
    bottom: float
    width: float
    height: float
    pixels: Any
    """An array (rows, columns, 4) of red, green, blue and opacity, whole numbers from 0 to 255."""


Mark: TypeAlias = Area | Text | Picture


class Sheet(NamedTuple):
    width: float
    height: float
    marks: tuple[Mark, ...]


def rectangle(left: float, bottom: float, width: float, height: float) -> tuple[Point, ...]:
    right, top = left + width, bottom + height
    return (left, bottom), (right, bottom), (right, top), (left, top)


@contextmanager
def settings() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of characters that the font lacks; a viewer may have them
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield


def draw(sheet: Sheet, format: str) -> bytes:
    """The sheet as svg, pdf or png."""
    out = BytesIO()
    drawn = figure(sheet)
    with settings():
        drawn.savefig(out, format=format, dpi=DPI, metadata=DATES[format])
    return out.getvalue()


def figure(sheet: Sheet) -> Figure:
    """The sheet as a figure of matplotlib."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Polygon

    with settings():
        figure = Figure(figsize=(sheet.width / 72, sheet.height / 72), facecolor=PAPER.light)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, sheet.width), ylim=(0, sheet.height))
        axes.axis("off")
        for order, mark in enumerate(sheet.marks):
            if isinstance(mark, Area):
                fill, line = (colour.light if colour else "none" for colour in (mark.fill, mark.line))
                style = "--" if mark.dashed else "-"
                axes.add_patch(
                    Polygon(mark.points, fc=fill, ec=line, lw=mark.width, ls=style, joinstyle="round", zorder=order)
                )
            elif isinstance(mark, Picture):
                box = (mark.left, mark.left + mark.width, mark.bottom, mark.bottom + mark.height)
                axes.imshow(mark.pixels, extent=box, aspect="auto", interpolation="none", zorder=order)
            else:
                x, y = mark.at
                weight = "bold" if mark.bold else "normal"
                colour = mark.colour.light
                baseline = y - CAPITALS / 2 * mark.size
                words = visible(mark.words)  # else an SVG is no XML
                axes.text(x, baseline, words, size=mark.size, color=colour, weight=weight, ha=mark.align, zorder=order)
    return figure


CAPITALS = 0.73
"""Height of a capital letter, as a share of the font's size."""

DPI = 192


def extent(text: Text) -> float:
    """Width of a text as it is drawn, in points."""
    return _extent(text.words, text.size, text.bold)


@cache
def _extent(words: str, size: float, bold: bool) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(text_to_path.get_text_width_height_descent(words, font, ismath=False)[0])


def bounds(mark: Mark) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of what it covers."""
    if isinstance(mark, Picture):
        return mark.left, mark.bottom, mark.left + mark.width, mark.bottom + mark.height
    if isinstance(mark, Area):
        across, up = zip(*mark.points, strict=True)
        return min(across), min(up), max(across), max(up)
    (x, y), width = mark.at, extent(mark)
    left = x - {"left": 0, "center": width / 2, "right": width}[mark.align]
    return left, y - mark.size * 0.6, left + width, y + mark.size * 0.6


def titled(report: Report, marks: Sequence[Area | Text], *notes: str) -> Sheet:
    """The marks on a sheet that holds them, under the network's heading, and notes below."""
    edges = [*zip(*map(bounds, marks), strict=True)]
    left, bottom, right, top = min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3])
    middle = (left + right) / 2
    title, under = heading(report)
    lines = [
        Text((middle, top + 33), title, 13, "center", bold=True),
        Text((middle, top + 16), under, 8, "center", MUTED),
    ]
    lines += [Text((middle, bottom - 11 * n), note, 7, "center", MUTED) for n, note in enumerate(notes, 1)]
    return fitted([*marks, *lines])


def fitted(marks: Sequence[Mark]) -> Sheet:
    """The marks on a sheet that just holds them."""
    edges = [*zip(*map(bounds, marks), strict=True)]
    left, bottom = min(edges[0]) - MARGIN, min(edges[1]) - MARGIN
    moved = tuple(_moved(mark, -left, -bottom) for mark in marks)
    return Sheet(max(edges[2]) - left + MARGIN, max(edges[3]) - bottom + MARGIN, moved)


MARGIN = 12.0


def _moved(mark: Mark, right: float, up: float) -> Mark:
    if isinstance(mark, Picture):
        return mark._replace(left=mark.left + right, bottom=mark.bottom + up)
    if isinstance(mark, Area):
        return mark._replace(points=tuple((x + right, y + up) for x, y in mark.points))
    return mark._replace(at=(mark.at[0] + right, mark.at[1] + up))
