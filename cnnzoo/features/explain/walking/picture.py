"""The walk as a moving SVG: a window goes over the input, and the output fills. CSS moves it, no script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from ....arch import MaxPool2d
from ....words import sides
from ...draw.colours import FRAME, INK, LINE, MUTED, PAINTS, PAPER, Paint
from .document import broken
from .numbers import Grid, shown
from .reads import kernels_of

if TYPE_CHECKING:
    from . import Step, Walk

CELL = 34
"""The height of a cell, and its width at the least; lengths are in pixels."""
DIGIT = 9
"""The width of a digit in a cell."""
LETTER = 7.3
"""The width of a letter in a line of text."""
LINE_HEIGHT = 20
GAP = 28
"""Between grids, and around all of them."""
SECONDS = 1.5
"""How long a window stands still."""

SHAPES = {
    "paper": Paint(PAPER, PAPER),
    "cell": Paint(PAPER, LINE),
    "padding": FRAME,
    "window": PAINTS["convolution"],
    "made": PAINTS["linear"],
}
TEXTS = {"number": INK, "quiet": MUTED, "weight": PAINTS["convolution"].line}
"""Colours by class."""

STYLE = """
text {{ font: 15px "DejaVu Sans Mono", Menlo, Consolas, monospace; text-anchor: middle }}
.weight {{ font-size: 9px; text-anchor: end }}
.line {{ font-size: 12px; text-anchor: start }}
{colours}
@media (prefers-color-scheme: dark) {{
{dark}
}}
.step {{ opacity: 0; animation: step {seconds:g}s step-end infinite }}
.step.first {{ opacity: 1 }}
.output {{ animation: {seconds:g}s step-end infinite }}
@keyframes step {{ 0% {{ opacity: 1 }} {share:.4f}% {{ opacity: 0 }} }}
{keyframes}
@media (prefers-reduced-motion: reduce), print {{ .step, .output {{ animation: none }} }}
"""


class Place(NamedTuple):
    """Where a grid is: the upper left corner of its first cell, and how wide its cells are."""

    left: float
    top: float
    wide: float

    def cell(self, row: int, column: int, kind: str) -> str:
        x, y = self.left + column * self.wide, self.top + row * CELL
        return f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{self.wide:g}" height="{CELL}"/>'

    def number(self, row: int, column: int, words: str, kind: str = "number", more: str = "") -> str:
        """A text in the middle of a cell."""
        x, y = self.left + (column + 0.5) * self.wide, self.top + (row + 0.5) * CELL + 5
        return f'<text class="{kind}" x="{x:g}" y="{y:g}"{more}>{escape(words)}</text>'

    def corner(self, row: int, column: int, words: str) -> str:
        """A small text in the lower right corner of a cell."""
        x, y = self.left + (column + 1) * self.wide - 3, self.top + (row + 1) * CELL - 4
        return f'<text class="weight" x="{x:g}" y="{y:g}">{escape(words)}</text>'

    def grid(self, grid: Grid) -> Iterator[str]:
        """All cells with their numbers."""
        for row, values in enumerate(grid):
            for column, value in enumerate(values):
                yield self.cell(row, column, "cell")
                yield self.number(row, column, shown(value))


def picture(walk: Walk) -> str:
    """The file."""
    shape, (outs, height, width) = walk.input_shape, walk.layer.output_shape(walk.input_shape)
    reads = [read for step in walk.steps for read in step.reads]
    rows, columns = _shown(shape[1], [read.row for read in reads]), _shown(shape[2], [read.column for read in reads])
    top = GAP + 2.5 * LINE_HEIGHT
    kernels = {
        (channel, out): kernel
        for out in range(outs)
        for channel, kernel in kernels_of(walk.layer, shape[0], walk.weight, out)
        if kernel
    }
    tall = max(len(rows), *(len(kernel) for kernel in kernels.values()), 0) * CELL + GAP / 2
    wide = _wide(walk.input)
    inputs = [
        Place(GAP - columns.start * wide, top + channel * tall - rows.start * CELL, wide) for channel in range(shape[0])
    ]
    left: float = GAP
    labels = [(left, "input")]
    left += len(columns) * wide + GAP
    placed: dict[tuple[int, int], Place] = {}
    for out in range(outs):
        of_out = {channel: kernel for (channel, one), kernel in kernels.items() if one == out}
        if of_out:
            wide = _wide(of_out.values())
            placed |= {(channel, out): Place(left, top + channel * tall, wide) for channel in of_out}
            labels.append((left, f"kernel {out}" if outs > 1 else "kernel"))
            left += max(len(next(iter(of_out.values()))[0]) * wide, 8 * LETTER) + GAP
    outputs = [Place(left, top + out * (height * CELL + GAP / 2), _wide(walk.output)) for out in range(outs)]
    labels.append((left, "output"))
    heading = f"{walk.layer!r}: {sides(shape)} → {sides((outs, height, width))}"
    across = max(left + width * outputs[0].wide, GAP + len(heading) * LETTER) + GAP
    formulas = [_formula(step, int((across - 2 * GAP) / LETTER)) for step in walk.steps]
    under = max(top + shape[0] * tall, outputs[-1].top + height * CELL + GAP / 2) + LINE_HEIGHT
    down = under + max(map(len, formulas)) * LINE_HEIGHT + GAP / 2

    drawn = [_line(GAP, GAP + 5, heading, "quiet"), *(_line(x, top - 9, words, "quiet") for x, words in labels)]
    for (channel, _), (row, column) in product(enumerate(inputs), product(rows, columns)):
        kind = "cell" if walk.holds(row, column) else "padding"
        drawn.append(inputs[channel].cell(row, column, kind))
    drawn += (place.cell(row, column, "cell") for place in outputs for row in range(height) for column in range(width))
    for number, (step, lines) in enumerate(zip(walk.steps, formulas, strict=True)):
        drawn.append(f'<g class="step{" first" * (not number)}" style="animation-delay: {number * SECONDS:g}s">')
        out, row, column = step.position
        drawn += _window(walk, step, inputs)
        drawn.append(outputs[out].cell(row, column, "made"))
        if outs > 1:
            drawn += (_outline(place, kernels[key]) for key, place in placed.items() if key[1] == out)
        drawn += (_line(GAP, under + place * LINE_HEIGHT, words, "number") for place, words in enumerate(lines))
        drawn.append("</g>")
    for (channel, _), (row, column) in product(enumerate(inputs), product(rows, columns)):
        inside = walk.holds(row, column)
        words = shown(walk.input[channel][row][column]) if inside else "0"
        drawn.append(inputs[channel].number(row, column, words, "number" if inside else "quiet"))
    for key, place in placed.items():
        drawn += place.grid(kernels[key])
    for number, step in enumerate(walk.steps):
        out, row, column = step.position
        name = f' style="animation-name: output-{number}"'
        drawn.append(outputs[out].number(row, column, shown(step.value), "number output", name))
    size = f'width="{across:g}" height="{down:g}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {across:g} {down:g}" {size}>',
            f"<title>{escape(heading)}</title>",
            f"<style>{_style(len(walk.steps))}</style>",
            f'<rect class="paper" {size}/>',
            *drawn,
            "</svg>\n",
        ]
    )


def _style(steps: int) -> str:
    light, dark = (
        "\n".join(
            [
                *(f".{name} {{ fill: {fill[shade]}; stroke: {line[shade]} }}" for name, (fill, line) in SHAPES.items()),
                *(f".{name} {{ fill: {fill[shade]} }}" for name, fill in TEXTS.items()),
            ]
        )
        for shade in (0, 1)
    )
    keyframes = (
        f"@keyframes output-{number} {{ 0% {{ opacity: 0 }} {100 * number / steps:.4f}% {{ opacity: 1 }} }}"
        for number in range(1, steps)
    )
    return STYLE.format(
        colours=light, dark=dark, seconds=steps * SECONDS, share=100 / steps, keyframes="\n".join(keyframes)
    )


def _shown(length: int, read: Sequence[int]) -> range:
    """The places along an axis that are shown: the input's, and those of the padding that are read."""
    return range(min([0, *read]), max([length - 1, *read]) + 1)


def _wide(grids: Iterable[Grid]) -> float:
    """The width of the cells of grids."""
    return max(CELL, max(len(shown(value)) for grid in grids for row in grid for value in row) * DIGIT + 14)


def _formula(step: Step, room: int) -> list[str]:
    """With what it comes to, in lines of so many letters."""
    *rest, (*pieces, last) = step.terms
    return broken((*rest, (*pieces, f"{last} = {shown(step.value)}")), room)


def _window(walk: Walk, step: Step, inputs: Sequence[Place]) -> Iterator[str]:
    """The cells under the window, with what they are multiplied by; of a max pooling the largest by itself."""
    for read in step.reads:
        largest = isinstance(walk.layer, MaxPool2d) and read.value == step.value
        yield inputs[read.channel].cell(read.row, read.column, "made" if largest else "window")
        if read.weight is not None:
            yield inputs[read.channel].corner(read.row, read.column, f"×{shown(read.weight)}")


def _outline(place: Place, kernel: Grid) -> str:
    """A frame around a kernel."""
    size = f'width="{len(kernel[0]) * place.wide + 6:g}" height="{len(kernel) * CELL + 6}"'
    return f'<rect class="made" x="{place.left - 3:g}" y="{place.top - 3:g}" {size}/>'


def _line(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind} line" x="{x:g}" y="{y:g}">{escape(words)}</text>'
