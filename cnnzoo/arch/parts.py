"""Parts of a tensor along one dimension, as torch's chunk and Python's slices give them."""

from __future__ import annotations

from .node import Layer, layer, place_of
from .signal import POINTWISE, Shape, ShapeError, Window, Windows, show


@layer
class _Part(Layer):
    """Some neighbouring elements of a dimension, all of the others.

    A part of the channels, `dim=1`, is a view: no new tensor, and the whole one lives as long as its part does. A part
    of another dimension is a new tensor, which lies in memory as those of other layers do.
    """

    @property
    def is_view(self) -> bool:  # type: ignore[override]
        return bool(self.settings["dim"] == 1)

    def bounds(self, length: int) -> tuple[int, int]:
        """The first element of a dimension of that length, and the one behind the last."""
        raise NotImplementedError

    def output_shape(self, shape: Shape) -> Shape:
        place = place_of(self, self.settings["dim"], shape)
        start, stop = self.bounds(shape[place])
        if start >= stop:
            raise ShapeError(f"nothing of dimension {place + 1} of {show(shape)} is in {self!r}")
        return (*shape[:place], stop - start, *shape[place + 1 :])

    def windows(self, shape: Shape) -> Windows | None:
        """A part of the height or the width begins where positions before it are left out."""
        place = place_of(self, self.settings["dim"], shape)
        if len(shape) != 3 or place == 0:
            return POINTWISE
        cut = Window(1, 1, -self.bounds(shape[place])[0])
        return (cut, Window()) if place == 1 else (Window(), cut)


@layer
class Chunk(_Part):
    """The `index`-th, from 0, of `chunks` equal parts of a dimension, counted as in torch with the batch as 0.

    As of `torch.chunk`, where the length does not divide, all parts but the last are the length divided by `chunks` and
    rounded up, so that there may be fewer parts.
    """

    chunks: int
    index: int
    dim: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.index >= self.chunks:
            raise ShapeError(f"Chunk: index must be below chunks={self.chunks}, got {self.index}")

    def bounds(self, length: int) -> tuple[int, int]:
        each = -(-length // self.chunks)
        return self.index * each, min((self.index + 1) * each, length)


@layer
class Slice(_Part):
    """From `start` up to and without `stop` along a dimension, counted as in torch with the batch as 0.

    As in Python, a number below 0 counts from the end, None is the end, and what is beyond an end is that end:
    `Slice(0, 16)` is `x[:, :16]`, `Slice(16, None)` is `x[:, 16:]`, `Slice(-1, None, dim=3)` is `x[:, :, :, -1:]`.
    """

    start: int
    stop: int | None
    dim: int = 1

    def bounds(self, length: int) -> tuple[int, int]:
        start, stop, _ = slice(self.start, self.stop).indices(length)
        return start, stop
