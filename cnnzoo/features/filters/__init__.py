"""Filters of image processing over a picture, as convolutions of fixed kernels, each channel by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ...errors import InvalidValueError
from ...extras import need
from ...render.column import Column
from ...render.document import Document, Shown
from ...words import hint, quoted, sides

if TYPE_CHECKING:
    from ...values.arrays import Array

__all__ = ["FILTERS", "Filter", "Filtered", "filters"]

Rows = tuple[tuple[float, ...], ...]


class Filter(NamedTuple):
    """One kernel, or several, of whose responses the magnitude is taken: the root of the sum of their squares."""

    kernels: tuple[Rows, ...]
    shown: Literal["clipped", "signed", "scaled"] = "clipped"
    """How a response is a picture: as it is from 0 to 255; with grey for 0 and black or white for the value that is
    furthest from it; or from black for the least to white for the greatest."""


SOBEL_X: Rows = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
SOBEL_Y: Rows = ((-1, -2, -1), (0, 0, 0), (1, 2, 1))

FILTERS = {
    "blur": Filter((((1 / 16, 2 / 16, 1 / 16), (2 / 16, 4 / 16, 2 / 16), (1 / 16, 2 / 16, 1 / 16)),)),
    "sharpen": Filter((((0, -1, 0), (-1, 5, -1), (0, -1, 0)),)),
    "emboss": Filter((((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),)),
    "outline": Filter((((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),)),
    "sobel_x": Filter((SOBEL_X,), "signed"),
    "sobel_y": Filter((SOBEL_Y,), "signed"),
    "sobel": Filter((SOBEL_X, SOBEL_Y), "scaled"),
}
"""The filters by name; `random` is one more, whose kernels are drawn."""

RANDOM = "random"

BANK = 8
"""How many random kernels are summed."""


@dataclass(frozen=True, repr=False, eq=False)
class Filtered(Shown):
    """A picture under filters. It prints as a table of sizes and ranges; `png` is the pictures."""

    name: str
    picture: Array
    """(channels, height, width), from 0 to 255."""
    filters: Mapping[str, Filter]
    maps: Mapping[str, Array]
    """The response to each filter, (channels, height, width), as it was computed."""

    def image(self, name: str) -> Array:
        """The response to a filter as a picture, whole numbers from 0 to 255."""
        import numpy as np

        y, shown = self.maps[name], self.filters[name].shown
        if shown != "clipped":
            furthest = float(abs(y).max()) or 1.0
            least, greatest = (-furthest, furthest) if shown == "signed" else (float(y.min()), float(y.max()))
            y = (y - least) * (255 / ((greatest - least) or 1))
        image: Array = np.rint(y.clip(0, 255)).astype(np.uint8)
        return image

    def png(self, *, apart: bool = False) -> bytes:
        """The picture and what each filter makes of it, in a grid with their names and sizes; of a single filter what
        it makes, alone. With `apart` each channel is a grey picture by itself."""
        from .pictures import encoded, grid

        images = {self.name: self.picture, **{name: self.image(name) for name in self.maps}}
        if apart:
            colours = ("grey",) if len(self.picture) == 1 else ("red", "green", "blue")
            channels = [
                (f"{name}, {colour}", one[None])
                for name, y in images.items()
                for colour, one in zip(colours, y, strict=True)
            ]
            return encoded(grid(channels, len(colours)))
        if len(self.maps) == 1:
            return encoded(images[next(iter(self.maps))])
        return encoded(grid(list(images.items()), 3))

    def document(self) -> Document:
        """A line for each filter: its kernels, the size of the response, its least and its greatest value."""
        rows = [
            {
                "filter": name,
                "kernels": [[list(row) for row in kernel] for kernel in self.filters[name].kernels],
                "output_shape": tuple(y.shape),
                "least": round(float(y.min()), 4),
                "greatest": round(float(y.max()), 4),
            }
            for name, y in self.maps.items()
        ]
        columns = {
            "output_shape": Column("Output", lambda row: row["output_shape"], sides, right=False),
            "least": Column("Least", lambda row: row["least"], _decimal),
            "greatest": Column("Greatest", lambda row: row["greatest"], _decimal),
            "kernels": Column("Kernel", lambda row: row["kernels"], _kernels, right=False, narrow="cut"),
        }
        said = [("Picture", f"{self.name}: {sides(tuple(self.picture.shape))}, from 0 to 255, each channel by itself")]
        return Document("Filter", list(self.maps), columns, rows, said, rows=rows, caption=f"Filters over {self.name}")


def filters(
    picture: Any,
    names: Iterable[str] = (*FILTERS, RANDOM),
    *,
    grey: bool = False,
    size: int | None = None,
    stride: int = 1,
    seed: int = 0,
) -> Filtered:
    """The responses of a picture to filters, by default all of `FILTERS` and "random", without padding.

    `picture` is the path of a PNG, JPEG, WebP, BMP, GIF, TIFF or PPM file, or an array (height, width) or
    (height, width, channels) of 0 to 255; `grey` makes one channel of three, and `size` a square of that side: the
    shorter side scaled to it, the middle kept. "random" is the sum of the responses to eight kernels of standard normal
    numbers, which is the response to the sum of the kernels; `seed` draws them. Raises InvalidValueError for a name
    that is none, and for a picture that is none or too large, and ShapeError for one smaller than a kernel.
    """
    need("filters", "filters", "numpy", "PIL")
    import numpy as np

    from ...values import conv2d
    from .pictures import read

    name, x = read(picture, grey, size)
    used = _named(names, seed)
    maps = {}
    for one, filter_ in used.items():
        weight = np.array(filter_.kernels)[:, None]
        each = np.stack([conv2d(channel[None, None], weight, stride=stride)[0] for channel in x])
        y = each[:, 0] if len(weight) == 1 else np.sqrt((each * each).sum(axis=1))
        maps[one] = y.astype(np.float32)
    return Filtered(name, x, used, maps)


def _named(names: Iterable[str], seed: int) -> dict[str, Filter]:
    """The filters of these names, the random one drawn."""
    import numpy as np

    bank = np.random.default_rng(seed).standard_normal((BANK, 3, 3)).sum(axis=0)
    known = {**FILTERS, RANDOM: Filter((tuple(tuple(map(float, row)) for row in bank),), "scaled")}
    found = {}
    for name in names:
        if name not in known:
            raise InvalidValueError(f"unknown filter {quoted(name)}; {hint(name, known)}")
        found[name] = known[name]
    return found


def _decimal(value: float) -> str:
    return f"{value:,.1f}"


def _kernels(kernels: Sequence[Sequence[Sequence[float]]]) -> str:
    """-1 0 1 / -2 0 2 / -1 0 1, and one more behind "and"."""
    return " and ".join(" / ".join(" ".join(f"{value:.3g}" for value in row) for row in kernel) for kernel in kernels)
