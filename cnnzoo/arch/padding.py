"""The paddings of torch.nn, with its names and keywords."""

from __future__ import annotations

from typing import ClassVar

from .node import Layer, layer, maps
from .rules import sides_of
from .signal import Shape, ShapeError, Window, Windows, show


@layer
class ZeroPad2d(Layer):
    """(C, H, W) -> (C, H + top + bottom, W + left + right): zeros around each map; a negative side is cut off.

    `padding` is the same on all sides, or (left, right, top, bottom), as in torch.
    """

    rules: ClassVar = {"padding": sides_of}

    padding: int | tuple[int, int, int, int]

    def sides(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """What is before and behind, along height and along width."""
        left, right, top, bottom = (self.padding,) * 4 if isinstance(self.padding, int) else self.padding
        return (top, bottom), (left, right)

    def output_shape(self, shape: Shape) -> Shape:
        channels, *size = maps(self, shape)
        out = []
        for length, (before, after) in zip(size, self.sides(), strict=True):
            cut = -min(before, 0) - min(after, 0)
            if length + before + after < 1 or length < cut:
                raise ShapeError(
                    f"ZeroPad2d: nothing is left of {show(shape)} under padding {self.padding}; "
                    f"it takes at least {max(cut, 1 - before - after)} there"
                )
            out.append(length + before + after)
        return (channels, *out)

    def windows(self, shape: Shape) -> Windows | None:
        height, width = (Window(1, 1, before) for before, _ in self.sides())
        return height, width
