"""The walk of a layer's window over a small input, each product and each sum written out, in exact numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, groupby, product, repeat
from math import prod
from operator import attrgetter
from typing import Any, NamedTuple

from ....arch import AvgPool2d, Conv2d, ConvTranspose2d, Layer, MaxPool2d, Shape
from ....errors import InvalidValueError
from ....render.document import Document, Shown
from ....words import sides
from .numbers import Grid, factor, grids, listed, mapped, plain, shown
from .reads import kernels_of, taps

__all__ = ["Read", "Step", "Walk", "grids", "walk"]

WALKED = (Conv2d, ConvTranspose2d, MaxPool2d, AvgPool2d)
"""The layers over whose windows `walk` goes."""

VALUES = 1_000
"""Values of input, kernels and output, at most: what can still be looked at."""

PRODUCTS = 4_000
"""Values that windows read, at most."""


class Read(NamedTuple):
    """A value under a window, with its place in the input; outside of its map it is padding."""

    channel: int
    row: int
    column: int
    value: Fraction
    weight: Fraction | None
    """What a convolution multiplies it by."""


Terms = tuple[tuple[str, ...], ...]
"""A formula in pieces, those of one map of the input together, a bias by itself."""


class Step(NamedTuple):
    """One output, and what it is made of."""

    position: tuple[int, int, int]
    """Its channel, row and column."""
    reads: tuple[Read, ...]
    terms: Terms
    value: Fraction

    @property
    def formula(self) -> str:
        """1·1 + 2·0 + 3·1, (1 + 2)/2 or max(1, 2)."""
        return " ".join(piece for group in self.terms for piece in group)


@dataclass(frozen=True, repr=False)
class Walk(Shown):
    """A layer's outputs one by one, row by row. It prints as a table of all sums; `svg` is a moving picture."""

    layer: Layer
    input: tuple[Grid, ...]
    weight: tuple[tuple[Grid, ...], ...] | None
    """As torch has it: of a convolution (out_channels, channels/groups, height, width)."""
    bias: tuple[Fraction, ...] | None
    steps: tuple[Step, ...]

    @property
    def input_shape(self) -> Shape:
        return len(self.input), len(self.input[0]), len(self.input[0][0])

    def holds(self, row: int, column: int) -> bool:
        """Whether that is a place of the input, and not of the padding."""
        return 0 <= row < len(self.input[0]) and 0 <= column < len(self.input[0][0])

    @property
    def output(self) -> tuple[Grid, ...]:
        """The maps that the layer gives."""
        channels, height, width = self.layer.output_shape(self.input_shape)
        values = iter(self.steps)
        return tuple(
            tuple(tuple(next(values).value for _ in range(width)) for _ in range(height)) for _ in range(channels)
        )

    def document(self) -> Document:
        """A line for each output, the input, the kernel and the output under them."""
        from .document import document

        return document(self)

    def svg(self) -> str:
        """A picture in which the window moves over the input (CSS animation, no script); where nothing moves it shows
        the first window and the whole output."""
        from .picture import picture

        return picture(self)

    def to_dict(self) -> dict[str, Any]:
        """As plain values: whole numbers, floats that print exactly, and else fractions as text."""
        return {
            "layer": repr(self.layer),
            "input": mapped(plain, self.input),
            "weight": None if self.weight is None else mapped(plain, self.weight),
            "bias": None if self.bias is None else mapped(plain, self.bias),
            "output": mapped(plain, self.output),
            "steps": [
                {"position": list(step.position), "formula": step.formula, "value": plain(step.value)}
                for step in self.steps
            ],
        }


def walk(layer: Layer, input: Any, weight: Any = None, bias: Any = None) -> Walk:
    """The walk of a Conv2d's, ConvTranspose2d's, MaxPool2d's or AvgPool2d's window over an input, in exact arithmetic.

    `input` is a map, or maps, as nested sequences of numbers or as text, "1 2 / 3 4", "//" between maps; or a shape,
    (1, 5, 5), to be filled with small whole numbers, the same each time. `weight` is likewise a kernel, or kernels in
    torch's order, and `bias` a number for each output channel; without them they are small whole numbers, too. Floats
    count as they print. Raises InvalidValueError where these do not fit the layer, or are more than can be printed.
    """
    if type(layer) not in WALKED:  # not what computes otherwise, as StdConv2d
        known = ", ".join(kind.__name__ for kind in WALKED)
        raise InvalidValueError(f"{type(layer).__name__} is not walked through by its values; there are {known}")
    sized = isinstance(input, tuple) and all(type(side) is int for side in input)
    maps = None if sized else tuple(grids(input, "input"))
    shape: Shape = input if maps is None else (len(maps), len(maps[0]), len(maps[0][0]))
    out, tensors = layer.output_shape(shape), layer.tensors(shape)
    values = sum(map(prod, (shape, out, *tensors.values())))
    for number, most, what in ((values, VALUES, "values"), (layer.fan_in(shape), PRODUCTS, "terms")):
        if number > most:
            raise InvalidValueError(
                f"{layer!r} on {sides(shape)} has {number:,} {what}, and at most {most:,} can be printed; a "
                f"smaller input would fit, as 1x5x5"
            )
    maps = maps or tuple(_grids([Fraction(n * n % 11) for n in range(prod(shape))], shape[1:]))
    kernels = _weight(layer, shape, weight, tensors.get("weight"))
    biases = _bias(layer, bias, tensors.get("bias"))
    return Walk(layer, maps, kernels, biases, tuple(_steps(layer, maps, kernels, biases)))


def _grids(values: Sequence[Fraction], size: Shape) -> Iterator[Grid]:
    """Values in a row as grids of a height and width."""
    height, width = size
    rows = [tuple(values[start : start + width]) for start in range(0, len(values), width)]
    for start in range(0, len(rows), height):
        yield tuple(rows[start : start + height])


def _weight(layer: Layer, shape: Shape, given: Any, wanted: Shape | None) -> tuple[tuple[Grid, ...], ...] | None:
    if wanted is None:
        if given is not None:
            raise InvalidValueError(f"{layer!r} has no kernel of its own: leave it out")
        return None
    if given is None:
        kernels = list(_grids([Fraction(n * n % 7 % 3 - 1) for n in range(prod(wanted))], wanted[2:]))
    else:
        kernels = grids(given, "kernel")
        found = len(kernels), len(kernels[0]), len(kernels[0][0])
        if found != (wanted[0] * wanted[1], *wanted[2:]):
            raise InvalidValueError(
                f"{layer!r} on {sides(shape)} takes a kernel of {sides(wanted)}, {wanted[0] * wanted[1]} of "
                f"{sides(wanted[2:])}; got {found[0]} of {sides(found[1:])}"
            )
    return tuple(tuple(kernels[start : start + wanted[1]]) for start in range(0, len(kernels), wanted[1]))


def _bias(layer: Layer, given: Any, wanted: Shape | None) -> tuple[Fraction, ...] | None:
    if wanted is None:
        if given is not None:
            raise InvalidValueError(f"{layer!r} has no bias: leave it out")
        return None
    values = tuple(map(Fraction, range(1, wanted[0] + 1))) if given is None else listed(given, "bias")
    if len(values) != wanted[0]:
        raise InvalidValueError(
            f"{layer!r} takes a bias of {wanted[0]}, one for each output channel; got {len(values)}"
        )
    return values


def _steps(
    layer: Layer, maps: Sequence[Grid], kernels: Sequence[Sequence[Grid]] | None, biases: Sequence[Fraction] | None
) -> Iterator[Step]:
    """The outputs in their order in memory."""
    shape = len(maps), len(maps[0]), len(maps[0][0])
    rows, columns = taps(layer, shape)
    channels = layer.output_shape(shape)[0]
    for out, row, column in product(range(channels), range(len(rows)), range(len(columns))):
        reads = []
        for channel, kernel in kernels_of(layer, shape[0], kernels, out):
            for (i, y), (j, x) in product(rows[row], columns[column]):
                inside = 0 <= y < shape[1] and 0 <= x < shape[2]
                value = maps[channel][y][x] if inside else Fraction()
                reads.append(Read(channel, y, x, value, kernel[i][j] if kernel else None))
        yield Step((out, row, column), tuple(reads), *_made(layer, reads, biases[out] if biases else None))


def _made(layer: Layer, reads: Sequence[Read], bias: Fraction | None) -> tuple[Terms, Fraction]:
    """The pieces of a formula, and what it comes to."""
    values = [one.value for one in reads]
    if isinstance(layer, Conv2d | ConvTranspose2d):
        products = [value * weight for *_, value, weight in reads if weight is not None]
        maps = [
            [f"{factor(one.value)}·{factor(one.weight)}" for one in some if one.weight is not None]
            for _, some in groupby(reads, attrgetter("channel"))
        ]
        maps += [] if bias is None else [[factor(bias)]]
        signs = chain([""], repeat("+ "))
        terms = tuple(tuple(f"{next(signs)}{piece}" for piece in pieces) for pieces in maps)
        return terms or (("0",),), sum(products, bias or Fraction())
    if not values:
        raise InvalidValueError(f"{layer!r} has a window in which all is padding; less padding or dilation would fit")
    if isinstance(layer, MaxPool2d):
        return _enclosed("max(", [f"{shown(value)}," for value in values], ")"), max(values)
    return _enclosed(
        "(", [f"{factor(values[0])}", *(f"+ {factor(value)}" for value in values[1:])], f")/{len(values)}"
    ), sum(values, Fraction()) / len(values)


def _enclosed(head: str, pieces: list[str], tail: str) -> Terms:
    """The pieces of one map, in brackets."""
    pieces[0] = head + pieces[0]
    pieces[-1] = pieces[-1].rstrip(",") + tail
    return (tuple(pieces),)
