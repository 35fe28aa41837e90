"""The effective receptive field: how much each pixel weighs for the middle of a map, inside the calculated field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import starmap
from math import cos, pi, sin
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from ...arch.axes import Phases, Span
from ...arch.ends import cut
from ...arch.node import Node
from ...arch.signal import ShapeError
from ...calculate import calculate
from ...errors import InvalidValueError
from ...registry import Builder
from ...render.column import Column
from ...render.document import Document
from ...report import Report
from ...report.rows import along_axes
from ...resolve import is_module
from ...words import counted, quoted, sides
from ...zoo import get_builder
from ..draw.colours import FRAME, INK, MUTED, PAINTS
from ..draw.pictured import Pictured
from ..draw.sheet import Area, Mark, Picture, Sheet, Text, fitted, rectangle
from ..explain.streams import streams_of
from ..summary import described, summary
from .colours import smaller, strengths
from .network import Network, Trained, file_of, module_of, name_of, state_of, trained_of

if TYPE_CHECKING:
    from torch import nn

    from ...values.arrays import Array

SAMPLES = 16

MEMORY = 2 * 10**9
"""Bytes of activations of a sample, at most, with which an input is made as large as the field."""

WITHIN = 2
"""Deviations within which the share of the field is stated."""

GAUSSIAN = 1 - np.exp(-(WITHIN**2) / 2)
"""The share of a Gaussian in two dimensions that lies within so many deviations."""

LEAST = 1 - 0.9545
"""Of the largest gradient, that of a pixel which Luo et al. (2016) count: what two deviations of a line leave."""

MARGIN = 16
"""The part of the field that is left free on each side of it."""

SURELY = 1 - 1e-9
"""The share inside the calculated field, at least, where rounding alone says that it is not all."""

SIDE, PROFILE, GAP, ACROSS = 200.0, 40.0, 30.0, 4
"""Of a picture, of the profile under it, between two of them, in points; and how many stand in a row."""

Box = tuple[int, int, int, int]
"""The first row and column of pixels, and how many rows and columns."""


class Seen(NamedTuple):
    """What the middle position of a layer's output sees of the input."""

    layer: str
    weights: str
    """"initial", "trained" or, of a module, "given"."""
    power: Array
    """(height, width): the mean square of the gradient, as a share of its sum over the input."""
    calculated: Box
    """Where the calculated receptive field is; it may begin before the input."""

    @property
    def reached(self) -> Box:
        """The least box with all pixels whose gradient is not 0."""
        rows, columns = (np.flatnonzero(self.power.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return (0, 0, 0, 0)
        return int(rows[0]), int(columns[0]), int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1

    @property
    def profiles(self) -> tuple[Array, Array]:
        """The sums over each row, and over each column."""
        return self.power.sum(1), self.power.sum(0)

    @property
    def middle(self) -> tuple[float, float]:
        """The mean of where it is, downwards and to the right, in pixels from the first one's middle."""
        down, right = (float(one @ np.arange(len(one))) for one in self.profiles)
        return down, right

    @property
    def deviation(self) -> tuple[float, float]:
        """The deviation from there: those of the Gaussian that is fitted, by its moments."""
        found = (
            (one @ (np.arange(len(one)) - middle) ** 2) ** 0.5
            for one, middle in zip(self.profiles, self.middle, strict=True)
        )
        down, right = map(float, found)
        return down, right

    @property
    def within(self) -> float:
        """The share within two deviations; of a Gaussian it is 86.5 %."""
        apart = [
            ((np.arange(length) - middle) / (deviation or 1)) ** 2
            for length, middle, deviation in zip(self.power.shape, self.middle, self.deviation, strict=True)
        ]
        return float(self.power[apart[0][:, None] + apart[1] <= WITHIN**2].sum())

    @property
    def inside(self) -> float:
        """The share inside the calculated field."""
        top, left, height, width = self.calculated
        return float(self.power[max(top, 0) : top + height, max(left, 0) : left + width].sum())

    @property
    def fit(self) -> float:
        """How much of the profiles' variance the Gaussian explains (R²)."""
        off = total = 0.0
        for one, model in zip(self.profiles, self.gaussians, strict=True):
            off += float(((one - model) ** 2).sum())
            total += float(((one - one.mean()) ** 2).sum())
        return 1 - off / total if total else 0.0

    @property
    def gaussians(self) -> tuple[Array, Array]:
        """The profiles of the Gaussian with these moments, with a sum of 1."""
        found = [
            np.exp(-((np.arange(length) - middle) ** 2) / (2 * deviation**2 or 1))
            for length, middle, deviation in zip(self.power.shape, self.middle, self.deviation, strict=True)
        ]
        down, right = (one / one.sum() for one in found)
        return down, right

    @property
    def effective(self) -> float:
        """The root of how many pixels have a gradient of at least 4.55 % of the largest: the size of the effective
        field by Luo et al. (2016), section 3.1."""
        return float((self.power >= LEAST**2 * self.power.max()).sum() ** 0.5)

    def record(self) -> dict[str, Any]:
        """Its figures."""
        _, _, height, width = self.calculated
        return {
            "layer": self.layer,
            "weights": self.weights,
            "calculated": (height, width),
            "reached": self.reached[2:],
            "deviation": self.deviation,
            "effective": self.effective,
            "share": self.effective / (height * width) ** 0.5,
            "within": self.within,
            "inside": self.inside,
            "fit": self.fit,
        }


@dataclass(frozen=True, repr=False, eq=False)
class Field(Pictured):
    """Effective receptive fields. It prints as a table; `figure` and `to` draw them inside the calculated ones."""

    network: str
    fields: tuple[Seen, ...]
    samples: int
    said: Sequence[tuple[str, str]] = ()

    def document(self) -> Document:
        rows = [one.record() for one in self.fields]
        several = len({one.weights for one in self.fields}) > 1
        names = [f"{one.layer} {one.weights}" if several else one.layer for one in self.fields]
        columns = {
            "calculated": Column("Calculated", itemgetter("calculated"), sides),
            "reached": Column("Not 0", itemgetter("reached"), sides),
            "deviation": Column("Deviation", itemgetter("deviation"), lambda two: f"{two[0]:.1f} x {two[1]:.1f}"),
            "within": Column(f"Within {WITHIN} of them", itemgetter("within"), "{:.1%}".format),
            "fit": Column("Fit", itemgetter("fit"), "{:.3f}".format),
            "effective": Column("Effective", itemgetter("effective"), "{:.1f}".format),
            "share": Column("Share", itemgetter("share"), "{:.1%}".format),
        }
        said = [
            ("Field", f"mean square of the gradient of the middle position, of {counted(self.samples, 'samples')}"),
            ("", f"a Gaussian has {GAUSSIAN:.1%} within {WITHIN} deviations, and a fit (R² of the profiles) of 1"),
            ("Effective", f"root of the pixels with at least {LEAST:.2%} of the largest gradient (Luo et al. 2016)"),
            *(
                (one.layer, f"{100 * (1 - one.inside):.2g}% is outside, by gates or norms that see the whole map")
                for one in self.fields
                if one.inside < SURELY
            ),
            *((one.layer, "its field is cut off by the input's edges") for one in self.fields if _is_cut(one)),
            *self.said,
        ]
        caption = f"Effective receptive fields of {self.network}"
        return Document("Layer", names, columns, rows, said, rows=rows, caption=caption)

    def sheet(self) -> Sheet:
        """Side by side: the field, dashed around it the calculated one, and two deviations of the Gaussian; below, the
        profile from left to right and the Gaussian's."""
        marks: list[Mark] = [
            Text((0, SIDE + 47), self.network, 13, bold=True),
            Text(
                (0, SIDE + 32),
                "blue: gradient; dashed: calculated field; ring: two deviations of a Gaussian",
                8,
                colour=MUTED,
            ),
        ]
        for number, one in enumerate(self.fields):
            row, column = divmod(number, ACROSS)
            left, bottom = column * (SIDE + GAP), -row * (SIDE + PROFILE + 70)
            marks += _panel(one, left, bottom)
        return fitted(marks)


def _panel(one: Seen, left: float, bottom: float) -> Iterator[Mark]:
    height, width = one.power.shape
    scale = SIDE / max(height, width)
    lower, wide = bottom + SIDE - scale * height, scale * width

    def at(down: float, right: float) -> tuple[float, float]:
        return left + scale * right, bottom + SIDE - scale * down

    small = smaller(one.power, int(SIDE)) ** 0.5
    yield Text((left, bottom + SIDE + 12), f"{one.layer} {one.weights}", 9, bold=True)
    yield Picture(left, lower, wide, scale * height, strengths(small, float(small.max())))
    yield Area(rectangle(left, lower, wide, scale * height), None, FRAME.line, 0.5)
    top, first, rows, columns = one.calculated
    if not _is_cut(one):
        corner = at(top + rows, first)
        yield Area(rectangle(*corner, scale * columns, scale * rows), None, MUTED, 0.8, dashed=True)
    (down, right), deviation = one.middle, one.deviation
    turns = [2 * pi * step / 72 for step in range(72)]
    ring = [
        at(down + 0.5 + WITHIN * deviation[0] * sin(turn), right + 0.5 + WITHIN * deviation[1] * cos(turn))
        for turn in turns
    ]
    yield Area(tuple(ring), None, PAINTS["linear"].line, 1.2)
    profile, gaussian = one.profiles[1], one.gaussians[1]
    most, ground = max(float(profile.max()), float(gaussian.max())) or 1.0, lower - PROFILE - 6
    for values, colour, line in ((profile, PAINTS["convolution"].line, 0.8), (gaussian, PAINTS["linear"].line, 1.2)):
        points = [(left + scale * (place + 0.5), ground + PROFILE * value / most) for place, value in enumerate(values)]
        yield Area(((left, ground), *points, (left + wide, ground)), None, colour, line)
    figures = f"{sides((rows, columns))} calculated, deviation {deviation[0]:.1f}, {one.within:.1%} within {WITHIN}"
    yield Text((left, ground - 12), figures, 7, colour=INK)


def _is_cut(one: Seen) -> bool:
    top, left, height, width = one.calculated
    return min(top, left) < 0 or top + height > one.power.shape[0] or left + width > one.power.shape[1]


class Place(NamedTuple):
    """Where a layer's field is measured."""

    description: Node
    """The network up to the layer."""
    input_size: tuple[int, ...]
    position: tuple[int, int]
    """In the layer's output."""
    calculated: Box


class Measuring:
    """The measurement of effective fields, gradient by gradient: `add` each of `todo`, and there is the `result`.

    Its arguments are those of `look_field`.
    """

    def __init__(
        self,
        network: Network,
        layers: str | Sequence[str],
        trained: Trained = None,
        *,
        samples: int = SAMPLES,
        seed: int = 0,
        init: Any = "torchvision",
        input_size: Any = None,
        **settings: Any,
    ) -> None:
        if type(samples) is not int or samples < 1:
            raise InvalidValueError(f"samples is how many gradients are averaged, got {quoted(samples)}")
        report = described(summary(network, input_size, **settings), "no receptive field is calculated")
        paths = list(dict.fromkeys([layers] if isinstance(layers, str) else layers))
        self.network, self.samples, self.seed = name_of(network), samples, seed
        self.places = {path: place_of(report, path) for path in paths}
        self.said = file_of(trained)
        begun = state_of(network)
        sources: dict[str, Source] = {}
        if is_module(network):
            sources[begun] = Given(network, None, own=False)  # type: ignore[arg-type]
        else:
            sources[begun] = Drawn(scheme_of(network, init), seed)
        if trained is not None:
            size = {} if input_size is None else {"input_size": input_size}
            module = network if is_module(trained) else module_of(network, seed, settings | size | {"init": init})
            net, file = trained_of(module, trained)  # type: ignore[arg-type]
            sources["trained"] = Given(net, file, own=net is module is not network)
        self.sources = sources
        self.sums = {(path, name): np.zeros(self.places[path].input_size[1:]) for name in sources for path in paths}
        self.todo = [(path, name, number) for path, name in self.sums for number in range(samples)]

    def add(self, one: tuple[str, str, int]) -> None:
        """The gradient of a layer with some weights, one of the samples."""
        path, name, number = one
        self.sums[path, name] += self.sources[name].squares(path, self.places[path], self.seed + number)

    def result(self) -> Field:
        """What the samples come to."""
        fields = []
        for (path, name), power in self.sums.items():
            total = power.sum()
            if not (np.isfinite(total) and total):
                what = "0 everywhere" if total == 0 else "no numbers"
                raise InvalidValueError(f"the gradients of {path} are {what}: nothing is seen with these weights")
            place = self.places[path]
            fields.append(Seen(path, name, power / total, place.calculated))
        return Field(self.network, tuple(fields), self.samples, self.said)


class Drawn:
    """First weights, drawn anew for each gradient."""

    def __init__(self, scheme: Any, seed: int) -> None:
        self.scheme, self.seed = scheme, seed
        self.made: tuple[str, nn.Module] | None = None

    def squares(self, path: str, place: Place, seed: int) -> Array:
        from ...pytorch.look import gradient, redrawn
        from ...pytorch.modules.build import build

        if self.made is None or self.made[0] != path:
            self.made = path, build(place.description, place.input_size, init=None).eval()
        redrawn(self.made[1], self.scheme, seed)
        found: Array = gradient(self.made[1], path, place.input_size, place.position, seed)
        return found


class Given:
    """The weights that a module has, or those of a file."""

    def __init__(self, module: nn.Module, file: Any, *, own: bool) -> None:
        self.module, self.file, self.own = module, file, own

    def squares(self, path: str, place: Place, seed: int) -> Array:
        from ...pytorch.look import gradient, with_weights

        def use(net: nn.Module) -> Array:
            found: Array = gradient(net, path, place.input_size, place.position, seed)
            return found

        found = with_weights(self.module, self.file, use, own=self.own)
        if self.own:
            self.file = None  # it is loaded
        return found


Source: TypeAlias = Drawn | Given


def look_field(network: Network, layers: str | Sequence[str], trained: Trained = None, **given: Any) -> Field:
    """The effective receptive field of the middle position of a layer's output, or of several layers.

    It is the mean square of the gradient of that position, summed over its channels, by each pixel of the input, over
    `samples` (default 16) inputs of normal noise: with first weights drawn anew for each from `seed` and by `init`, as
    in `create_model`; with those of a module as they are; and besides with the `trained` ones of a file or a module.
    The input is as large as the calculated field and a margin; where that takes more than 2 GB, it is `input_size`, by
    default the network's own. Luo et al. (2016), "Understanding the effective receptive field in deep convolutional
    neural networks". Other keywords are `create_model`'s. Raises what `look_weights` does, PathError for a layer that
    is not there, and InvalidValueError for one without a receptive field, or where positions see unequally many pixels.
    """
    measuring = Measuring(network, layers, trained, **given)
    for one in measuring.todo:
        measuring.add(one)
    return measuring.result()


def scheme_of(network: Network, init: Any) -> Any:
    """How first weights are drawn."""
    from ...pytorch.modules.init import find_scheme

    builder = get_builder(network.partition("+")[0]) if isinstance(network, str) else network
    about = (builder.name, builder.__module__) if isinstance(builder, Builder) else ()
    return find_scheme(init, *about) if isinstance(init, str) else init


def place_of(report: Report, path: str) -> Place:
    """Where a layer's field is measured: on an input with room for it around the middle position."""
    own = report.input_size
    if report.more_inputs or len(own) != 3:
        raise InvalidValueError("a field is measured of a network that takes one image")
    description = cut(report.description, path)
    row = report[path]
    if len(row.output_shape) != 3:
        last = f"; the last maps are those of {report.last_map.path}" if report.last_map else ""
        raise InvalidValueError(f"{path} gives {sides(row.output_shape)}, no maps: it has no receptive field{last}")
    axes = axes_of(calculate(description, own), path)
    size: tuple[int, ...] = own[0], *starmap(_with_room, zip(axes, own[1:], strict=True))
    try:
        roomy = calculate(description, size)
        others = [one for one, *_ in axes_of(roomy, path)]  # of a pooling over a whole map they are others
        cannot = others != [one for one, *_ in axes] or (roomy.totals["stored_bytes"] or 0) > MEMORY
    except (ShapeError, InvalidValueError):
        cannot = True
    if cannot:
        size, roomy = own, calculate(description, own)
    spans = streams_of(description, (size,)).outputs[""].field
    assert spans is not None  # it is known
    (down, top, height), (right, left, width) = (
        _middle(along, length, pixels)
        for along, length, pixels in zip(spans, roomy.blocks[0].output_shape[1:], size[1:], strict=True)
    )
    return Place(description, size, (down, right), (top, left, height, width))


def _middle(along: Any, length: int, pixels: int) -> tuple[int, int, int]:
    """Along an axis the position whose field's middle is nearest to the input's; where that begins, and its length."""
    phases = along if isinstance(along, Phases) else Phases((Span(-along[2], along[0]),), along[1])
    seen = [(position, *phases.at(position)) for position in range(length)]
    return min(seen, key=lambda one: abs(2 * one[1] + one[2] - pixels))


def _with_room(axis: tuple[int, int, int], length: int) -> int:
    """The length along an axis of an input in which a position sees a field with a margin on each side; the input's own
    where all positions see the same."""
    field, stride, padding = axis
    if not stride:
        return length
    margin = max(1, field // MARGIN)
    position = max(-(-(padding + margin) // stride), 0)
    return position * stride - padding + field + margin


def axes_of(report: Report, path: str) -> list[tuple[int, int, int]]:
    """Size, stride and padding of the field of a network's output, downwards and to the right."""
    row = report.blocks[0]
    if row.receptive_field is None:
        raise InvalidValueError(f"the receptive field of {path} is not known")
    found = [*map(along_axes, (row.receptive_field, row.effective_stride, row.effective_padding))]
    axes = [*zip(*found, strict=True)]
    if not all(isinstance(one, int) for axis in axes for one in axis):
        size, stride, _ = (sides(one, " x ") for one in found)
        raise InvalidValueError(
            f"positions of {path} see {size} pixels, {stride} apart: a field is measured where all see equally many"
        )
    return axes
