"""What layers make of a picture: their maps, in numbers and as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidValueError
from ...extras import need
from ...render.column import Column
from ...render.document import Document
from ...words import counted, sides
from ..draw.colours import FRAME, MUTED
from ..draw.pictured import Pictured
from ..draw.sheet import Area, Mark, Picture, Sheet, Text, fitted, rectangle
from ..summary import summary
from .colours import coloured, signed, smaller
from .moments import MOMENTS, moments
from .network import Network, Trained, file_of, module_of, name_of, trained_of

if TYPE_CHECKING:
    from torch import nn

    from ...values.arrays import Array

MOST, ACROSS = 64, 8
"""Maps that are drawn of a layer, and in a row."""

WIDTH, GAP = 400.0, 4.0
"""Of a row, and between two maps; in points."""

PIXELS = 192
"""Of the maps in a row, at most, along an axis: of larger ones the mean of several is drawn."""


@dataclass(frozen=True, repr=False, eq=False)
class Maps(Pictured):
    """The maps of layers. It prints as a table of their values; `figure` and `to` draw them."""

    network: str
    name: str
    """What the picture is called."""
    picture: Array
    """(channels, height, width), from 0 to 255, as the network was given it, before it was normalised."""
    maps: Mapping[str, Array]
    """What each layer gives, (channels, height, width), by its path."""
    said: Sequence[tuple[str, str]] = ()

    def document(self) -> Document:
        rows = [
            {
                "layer": path,
                "output_shape": y.shape,
                **moments(y),
                "zeros": float((y == 0).mean()),
                "constant": int((y.min((1, 2)) == y.max((1, 2))).sum()),
            }
            for path, y in self.maps.items()
        ]
        columns = {
            "output_shape": Column("Output", itemgetter("output_shape"), sides, right=False),
            **MOMENTS,
            "zeros": Column("Zeros", itemgetter("zeros"), "{:.1%}".format),
            "constant": Column("Constant maps", itemgetter("constant")),
        }
        said = [("Picture", f"{self.name}: {sides(self.picture.shape)}"), *self.said]
        caption = f"Maps of {self.network} over {self.name}"
        return Document("Layer", list(self.maps), columns, rows, said, rows=rows, caption=caption)

    def sheet(self) -> Sheet:
        """The picture, and below it the maps of each layer, each layer on its own scale."""
        height, width = self.picture.shape[1:]
        scale = 100 / max(height, width)
        pixels = coloured(np.broadcast_to(self.picture, (3, height, width)) / 127.5 - 1, 1)
        top = -scale * height
        marks: list[Mark] = [
            Text((0, 29), self.network, 13, bold=True),
            Text((0, 14), f"{self.name} {sides(self.picture.shape)}", 8, colour=MUTED),
            Picture(0, top, scale * width, -top, pixels),
        ]
        for path, y in self.maps.items():
            furthest = float(abs(y).max())
            drawn = min(len(y), MOST)
            part = counted(len(y), "maps") if drawn == len(y) else f"{drawn} of {counted(len(y), 'maps')}"
            about = f"{part} of {sides(y.shape[1:])}, blue from {min(float(y.min()), 0):.3g}, orange to {y.max():.3g}"
            marks += [Text((0, top - 22), path, 9, bold=True), Text((0, top - 33), about, 7, colour=MUTED)]
            top -= 42
            across = min(drawn, ACROSS)
            cell = (WIDTH + GAP) / max(across, 4)
            wide, high = (cell - GAP) * min(1, y.shape[2] / y.shape[1]), (cell - GAP) * min(1, y.shape[1] / y.shape[2])
            for number, one in enumerate(y[:drawn]):
                row, column = divmod(number, across)
                left, bottom = column * (wide + GAP), top - row * (high + GAP) - high
                marks.append(Picture(left, bottom, wide, high, signed(smaller(one, PIXELS // across), furthest)))
                marks.append(Area(rectangle(left, bottom, wide, high), None, FRAME.line, 0.5))
            top -= ceil(drawn / across) * (high + GAP)
        return fitted(marks)


def look_maps(
    network: Network,
    picture: Any,
    layers: str | Sequence[str],
    trained: Trained = None,
    *,
    grey: bool = False,
    input_size: Any = None,
    seed: int = 0,
    **settings: Any,
) -> Maps:
    """What layers or blocks make of a picture: a layer's path, or several.

    `network`, `trained`, `seed` and `settings` are as in `look_weights`. `picture` is a file or an array as in
    `filters`; `grey` makes one channel of three. It is scaled to `input_size`, by default the network's own; a module
    is given it as it is. Its values go from 0 to 1 and are normalised as the network's published weights want it, and
    where there are none from -1 to 1, as `train` does. Raises what `look_weights` and `filters` do, InvalidValueError
    for a picture of other channels and a layer that gives no maps, and `ForwardError` where the network fails.
    """
    from ...pytorch.look import maps, with_weights

    need("pictures", "filters", "numpy", "PIL")
    from ..filters.pictures import read

    module = module_of(network, seed, settings if input_size is None else settings | {"input_size": input_size})
    size = _size(network, module, input_size, settings)
    fit = None if size is None else (size[2], size[1])
    name, image = read(picture, grey, fit)
    if size is not None and len(image) != size[0]:
        advice = "; make it grey: grey=True, at a prompt --grey" if size[0] == 1 else ""
        channels = counted(len(image), "channels")
        raise InvalidValueError(f"{name} has {channels}, and {name_of(network)} takes {size[0]}{advice}")
    paths = list(dict.fromkeys([layers] if isinstance(layers, str) else layers))
    config = getattr(module, "pretrained_cfg", None) or {}
    normalised = len(config.get("mean", ())) == len(image)
    mean, std = (config["mean"], config["std"]) if normalised else (0.5, 0.5)
    net, file = (module, None) if trained is None else trained_of(module, trained)

    def run(net: nn.Module) -> dict[str, Array]:
        return maps(net, paths, image, mean, std)

    found = with_weights(net, file, run, own=net is module is not network)
    for path, y in found.items():
        if y.ndim != 3:
            raise InvalidValueError(f"{path} gives {sides(y.shape)}, which are no maps: choose a layer before it")
        if not np.isfinite(y).all():
            raise InvalidValueError(f"{path} gives values that are no numbers")
    return Maps(name_of(network), name, image, found, file_of(trained))


def _size(network: Network, module: nn.Module, size: Any, settings: Mapping[str, Any]) -> tuple[int, ...] | None:
    """What a picture is scaled to; None for a module of which it is not said."""
    if module is network and size is None:
        return None
    given = (size,) if isinstance(size, int) else size
    shape: tuple[int, ...] = tuple(given) if module is network else summary(network, size, **settings).input_size
    if len(shape) != 3:
        raise InvalidValueError(f"{name_of(network)} takes {sides(shape)}, and a picture is channels, height and width")
    return shape
