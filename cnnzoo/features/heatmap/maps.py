"""The score maps of a picture: where they lie on it, where each class is highest, and both as tables and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ...errors import InvalidValueError
from ...render.column import Column
from ...render.document import Document, Shown
from ...words import counted, quoted, sides

if TYPE_CHECKING:
    from ...values.arrays import Array

FORMATS = {"png": "PNG", "jpg": "JPEG"}
"""Pillow's name of what a picture is written as."""


class Side(NamedTuple):
    """How the positions of a map lie on the picture along one side: position i sees `field` pixels, of which
    i `stride` - `padding` is the first."""

    field: int
    stride: int
    padding: int

    def centre(self, position: int) -> float:
        """The pixel in the middle of what a position sees."""
        return position * self.stride - self.padding + (self.field - 1) / 2


class Peak(NamedTuple):
    """Where a class is most probable."""

    class_: int
    score: float
    """The mean of its scores at all positions, which is that of the whole picture (Simonyan and Zisserman, 2014,
    section 3.2)."""
    probability: float
    """Its share in the softmax of these means."""
    highest: float
    """The highest of its probabilities at the positions."""
    x: float
    """The middle of what that position sees, in pixels from the left of the picture that the network was given."""
    y: float


@dataclass(frozen=True, repr=False, eq=False)
class HeatMap(Shown):
    """A picture and its score maps. It prints as a table of classes; `to` gives pictures."""

    network: str
    name: str
    """What the picture is called."""
    picture: Array
    """(channels, height, width), from 0 to 255, as the network was given it, before mean and deviation."""
    scores: Array
    """(classes, h, w), as the network gives them."""
    sides: tuple[Side, Side]
    """Along height and along width."""
    classes: Mapping[int, str]
    """Those that are shown, and what they are called, which may be nothing."""
    said: Sequence[tuple[str, str]] = ()

    @property
    def probabilities(self) -> Array:
        """(classes, h, w): the softmax over the classes at each position."""
        from ...values import softmax

        return softmax(self.scores, 0)

    @property
    def peaks(self) -> list[Peak]:
        """A line for each of the classes."""
        from ...values import softmax

        means = self.scores.mean(axis=(1, 2))
        whole, each = softmax(means, 0), self.probabilities
        found = []
        for one in self.classes:
            row, column = divmod(int(each[one].argmax()), each.shape[2])
            y, x = (side.centre(position) for side, position in zip(self.sides, (row, column), strict=True))
            found.append(Peak(one, float(means[one]), float(whole[one]), float(each[one, row, column]), x, y))
        return found

    def over(self, class_: int) -> Array:
        """(height, width): a class's probability at each pixel of the picture, linear between the middles of what
        neighbouring positions see, and outside these as at the nearest."""
        import numpy as np

        down, across = (
            np.stack(
                [np.interp(np.arange(length), [side.centre(i) for i in range(count)], unit) for unit in np.eye(count)]
            )
            for side, count, length in zip(self.sides, self.scores.shape[1:], self.picture.shape[1:], strict=True)
        )
        found: Array = down.T @ self.probabilities[class_] @ across
        return found

    def image(self, class_: int) -> Array:
        """(3, height, width) of whole numbers to 255: the picture in dark grey, and the class's map on it in red to
        yellow, the brightest where it is highest."""
        import numpy as np

        heat = self.over(class_)
        heat = heat / (heat.max() or 1)
        grey = np.broadcast_to(self.picture.mean(axis=0), (3, *heat.shape))
        colour = np.stack([np.full_like(heat, 255), 255 * heat, 60 * heat])
        found: Array = np.rint(grey * (1 - 0.8 * heat**0.5) * 0.7 + colour * 0.8 * heat**0.5).astype(np.uint8)
        return found

    def to(self, format: str) -> bytes:
        """What a file has, "png" or "jpg": the picture, and its map of each class, in a grid with what they are; of a
        single class that map alone. Raises InvalidValueError for another format."""
        import numpy as np

        from ..filters.pictures import encoded, grid

        if format not in FORMATS:
            raise InvalidValueError(f"unknown format {quoted(format)}; there are {', '.join(FORMATS)}")
        if len(self.classes) == 1:
            return encoded(self.image(*self.classes), FORMATS[format])
        maps = [(f"{self._called(one.class_)}: to {one.highest:.0%}", self.image(one.class_)) for one in self.peaks]
        plain = np.broadcast_to(self.picture, (3, *self.picture.shape[1:]))
        return encoded(grid([(self.name, plain), *maps], 3), FORMATS[format])

    def _called(self, class_: int) -> str:
        return f"{class_} {self.classes[class_]}".strip()

    def document(self) -> Document:
        """A line for each class: its share of the whole picture, and where on it it is most probable."""
        rows = [
            {"class": one.class_, "name": self.classes[one.class_], **dict(zip(one._fields[1:], one[1:], strict=True))}
            for one in self.peaks
        ]
        columns = {
            "score": Column("Score", lambda row: row["score"], "{:.2f}".format),
            "probability": Column("Of the whole", lambda row: row["probability"], "{:.1%}".format),
            "highest": Column("Highest", lambda row: row["highest"], "{:.1%}".format),
            "x": Column("x", lambda row: row["x"], "{:g}".format),
            "y": Column("y", lambda row: row["y"], "{:g}".format),
        }
        height, width = self.sides
        apart, field = _sides(height.stride, width.stride), _sides(height.field, width.field)
        classes, *positions = self.scores.shape
        said = [
            ("Picture", f"{self.name}: {sides(self.picture.shape)}"),
            *self.said,
            ("Map", f"{sides(tuple(positions))} positions, {apart} pixels apart, each of which sees {field} pixels"),
            ("Score", f"the mean of all positions; its share among {counted(classes, 'classes')} is Of the whole"),
            ("Highest", "the class's highest share at one position, and the pixel in the middle of what that sees"),
        ]
        return Document(
            "Class",
            [*map(self._called, self.classes)],
            columns,
            rows,
            said,
            rows=rows,
            caption=f"{self.network} over {self.name}",
        )


def _sides(height: int, width: int) -> str:
    return sides(height if height == width else (height, width))
