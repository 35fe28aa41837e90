"""The weights of a layer in numbers, as a histogram, and as pictures of its kernels: trained beside untrained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidValueError
from ...render.column import Column
from ...render.document import Document
from ...words import counted, number, sides
from ..draw.colours import FRAME, MUTED, PAINTS, Colour
from ..draw.pictured import Pictured
from ..draw.sheet import Area, Mark, Picture, Sheet, Text, fitted, rectangle
from .colours import coloured, signed
from .moments import MOMENTS, moments
from .network import Network, Trained, file_of, module_of, name_of, state_of, trained_of

if TYPE_CHECKING:
    from torch import nn

    from ...values.arrays import Array

BINS = 41
"""Of a histogram, odd, so that 0 is in the middle of one."""

KERNELS, ROWS = 64, 8
"""Kernels that are drawn of a layer with one for each output; and where there is one for each output and input, of so
many outputs and inputs."""

MATRIX = 128
"""Rows and columns of a matrix that are drawn."""

SIDE, GAP = 200.0, 40.0
"""Of the picture of all kernels, and between two of them; in points."""

HEIGHT = 80.0
"""Of a histogram."""

COLOURS: tuple[Colour, ...] = (MUTED, PAINTS["linear"].line)
"""Of the first weights and of the trained ones."""

BARS = " ▁▂▃▄▅▆▇█"
ASCII = " .:-=+*#%"


@dataclass(frozen=True, repr=False, eq=False)
class Weights(Pictured):
    """The weight of a layer. It prints as a table of its values; `figure` and `to` draw its kernels."""

    network: str
    layer: str
    kind: str
    """The layer's class."""
    values: Mapping[str, Array]
    """The weight as it begins ("initial", of a module "given"), and "trained"; in torch's order of dimensions."""
    said: Sequence[tuple[str, str]] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(next(iter(self.values.values())).shape)

    @property
    def furthest(self) -> float:
        """The largest absolute value of all: the one scale of the pictures."""
        return max(float(np.abs(one).max(initial=0)) for one in self.values.values())

    @property
    def edges(self) -> Array:
        """The limits of the bins of `histogram`, from -`furthest` to `furthest`."""
        return np.linspace(-self.furthest, self.furthest, BINS + 1)

    def histogram(self, name: str) -> Array:
        """How many values are in each bin."""
        counts: Array = np.histogram(self.values[name], self.edges if self.furthest else BINS)[0]
        return counts

    def document(self) -> Document:
        rows = [
            {
                "weights": name,
                "shape": one.shape,
                "params": one.size,
                **moments(one),
            }
            for name, one in self.values.items()
        ]
        columns = {
            "shape": Column("Shape", lambda row: row["shape"], sides, right=False),
            "params": Column("Parameters", lambda row: row["params"], number),
            **MOMENTS,
        }
        of = f"{self.network}, {self.layer}: {self.kind}"
        data = {
            "network": self.network,
            "layer": self.layer,
            "kind": self.kind,
            "edges": self.edges.tolist(),
            "weights": [row | {"histogram": self.histogram(name).tolist()} for row, name in zip(rows, self.values)],  # noqa: B905
        }
        return Document(
            "Weights",
            list(self.values),
            columns,
            rows,
            [("Layer", of), *self.said],
            rows=rows,
            data=data,
            caption=of,
            drawing=self._bars,
        )

    def _bars(self, width: int, ascii: bool) -> str:
        """A line for each histogram, each as high as it can be."""
        signs, wide = (ASCII if ascii else BARS), max(map(len, self.values))
        lines = [f"Histogram from {-self.furthest:.4f} to {self.furthest:.4f}"]
        for name in self.values:
            counts = self.histogram(name)
            heights = np.ceil(counts * (len(signs) - 1) / counts.max()).astype(int)
            lines.append(f"{name.ljust(wide)}  {''.join(signs[one] for one in heights)}".rstrip())
        return "\n".join(line[:width] for line in lines) + "\n"

    def sheet(self) -> Sheet:
        """The kernels of each, and the histograms of both under them."""
        marks: list[Mark] = []
        left = bottom = 0.0
        for name, colour in zip(self.values, COLOURS, strict=False):
            pictures = [one._replace(left=one.left + left) for one in _kernels(self.values[name], self.furthest)]
            marks += pictures
            marks += (
                Area(rectangle(one.left, one.bottom, one.width, one.height), None, FRAME.line, 0.5) for one in pictures
            )
            marks.append(Text((left, 12), name, 9, colour=colour, bold=True))
            bottom = min([bottom, *(one.bottom for one in pictures)])
            left = max([left + SIDE / 2, *(one.left + one.width for one in pictures)]) + GAP
        marks += self._histograms(max(left - GAP, SIDE), bottom - HEIGHT - 36)
        marks.append(Text((0, 44), f"{self.network} · {self.layer}", 13, bold=True))
        marks.append(Text((0, 29), f"{self.kind} {sides(self.shape)}", 8, colour=MUTED))
        return fitted(marks)

    def _histograms(self, across: float, bottom: float) -> Iterator[Mark]:
        counts = {name: self.histogram(name) for name in self.values}
        most = max(int(one.max()) for one in counts.values())
        for place, words in ((0.0, f"{-self.furthest:.3g}"), (across / 2, "0"), (across, f"{self.furthest:.3g}")):
            yield Area(((place, bottom), (place, bottom + HEIGHT)), None, FRAME.line, 0.5)
            yield Text((place, bottom - 9), words, 8, "center", MUTED)
        for name, colour in zip(counts, COLOURS, strict=False):
            heights = bottom + HEIGHT * counts[name] / most
            steps = [(x * across / BINS, y) for place, y in enumerate(heights) for x in (place, place + 1)]
            yield Area(((0, bottom), *steps, (across, bottom)), None, colour, 1.2)
        yield Text(
            (0, bottom + HEIGHT + 10), f"{counted(int(np.prod(self.shape)), 'weights')}, by value", 8, colour=MUTED
        )
        yield Text((0, bottom - 26), shown(self.shape), 7, colour=MUTED)


def look_weights(network: Network, layer: str, trained: Trained = None, *, seed: int = 0, **settings: Any) -> Weights:
    """The weight of a layer as the network begins, and beside it, on one scale, as it is `trained`.

    `network` is a name, a builder, a description or a module, `settings` are `create_model`'s; `layer` is its path, as
    "layer1.0.conv1". What is no module begins with weights that `seed` draws, a module with those that it has.
    `trained` is a file, read as `load_checkpoint` reads it, or a module of the same layers. Raises what these do, and
    InvalidValueError for a layer that is not there or has no weight.
    """
    from ...pytorch.look import layer_of, weight_of, with_weights

    module = module_of(network, seed, settings)

    def values(net: nn.Module) -> Array:
        found: Array = weight_of(net, layer).float().numpy().copy()
        if not np.isfinite(found).all():
            raise InvalidValueError(
                f"{layer} has {counted(int((~np.isfinite(found)).sum()), 'weights')} that are no numbers"
            )
        return found

    found = {state_of(network): with_weights(module, None, values, own=module is not network)}
    if trained is not None:
        net, file = trained_of(module, trained)
        found["trained"] = with_weights(net, file, values, own=net is module is not network)
        if len({one.shape for one in found.values()}) > 1:
            shapes = " and ".join(sides(one.shape) for one in found.values())
            raise InvalidValueError(f"{layer} is {shapes}: two weights are compared that have one shape")
    return Weights(name_of(network), layer, type(layer_of(module, layer)).__name__, found, file_of(trained))


def shown(shape: tuple[int, ...]) -> str:
    """Which part of a weight of this shape is drawn, and how."""
    what, drawn = _layout(shape)
    if what == "none":
        return f"a weight of {sides(shape)} has no kernels to draw"
    if what in ("colour", "each"):
        scale = "as red, green and blue; grey is 0" if what == "colour" else SCALE
        return f"{_part(drawn[0], shape[0], 'kernels')}, {scale}"
    return f"{_part(drawn[0], shape[0], 'outputs')} down, {_part(drawn[1], shape[1], 'inputs')} across, {SCALE}"


SCALE = "blue below 0, orange above"


def _part(drawn: int, there: int, what: str) -> str:
    """How many of those that there are."""
    return counted(there, what) if drawn == there else f"{drawn} of {counted(there, what)}"


def _layout(shape: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """How a weight of this shape is drawn, and how many of its first two dimensions."""
    flat = len(shape) == 2 or (len(shape) == 4 and shape[2:] == (1, 1))
    if flat:
        return "matrix", (min(shape[0], MATRIX), min(shape[1], MATRIX))
    if len(shape) != 4:
        return "none", ()
    if shape[1] in (1, 3):
        return "colour" if shape[1] == 3 else "each", (min(shape[0], KERNELS), 1)
    return "all", (min(shape[0], ROWS), min(shape[1], ROWS))


def _kernels(weight: Array, furthest: float) -> list[Picture]:
    """The kernels of a weight side by side, in a square of `SIDE` below the origin."""
    what, drawn = _layout(weight.shape)
    if what == "none":
        return []
    if what == "matrix":
        part = weight.reshape(weight.shape[:2])[: drawn[0], : drawn[1]]
        cell = SIDE / max(part.shape)
        height, width = (length * cell for length in part.shape)
        return [Picture(0, -height, width, height, signed(part, furthest))]
    if what == "all":
        down, across = drawn
        pixels = [signed(one, furthest) for row in weight[:down, :across] for one in row]
    else:
        across = ceil(sqrt(drawn[0]))
        down = ceil(drawn[0] / across)
        pixels = [
            coloured(one, furthest) if what == "colour" else signed(one[0], furthest) for one in weight[: drawn[0]]
        ]
    rows, columns = weight.shape[2:]
    cell = SIDE / max(across * (columns + 1), down * (rows + 1))
    places = (divmod(number, across) for number in range(len(pixels)))
    return [
        Picture(cell * (columns + 1) * column, -cell * ((rows + 1) * row + rows), cell * columns, cell * rows, one)
        for (row, column), one in zip(places, pixels, strict=True)
    ]
