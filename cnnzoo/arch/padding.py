"""Paddings: those of torch.nn, with its names and keywords, and the one whose sides follow from the size of the maps.

What is repeated or mirrored at an edge is seen by positions near it in place of what is beyond; receptive fields are
those of the positions whose window is within the map.
"""

from __future__ import annotations

from typing import ClassVar

from .node import IntOrPair, Layer, layer, maps, pair
from .rules import sides_of
from .signal import Shape, ShapeError, Window, Windows, show

Sides = tuple[tuple[int, int], tuple[int, int]]
"""What is before and behind, along height and along width."""


@layer
class _Pad2d(Layer):
    """What all paddings share: (C, H, W) -> (C, top + H + bottom, left + W + right)."""

    def sides(self, shape: Shape) -> Sides:
        """How much is put before and behind maps of this shape; what is below 0 is cut off."""
        raise NotImplementedError

    def least(self, before: int, after: int) -> int:
        """The shortest side of a map that it takes: something is left, and what is cut off was there."""
        return max(1 - before - after, -min(before, 0) - min(after, 0))

    def output_shape(self, shape: Shape) -> Shape:
        channels, *size = maps(self, shape)
        out = []
        for length, (before, after) in zip(size, self.sides(shape), strict=True):
            least = self.least(before, after)
            if length < least:
                raise ShapeError(
                    f"{type(self).__name__}: {show(shape)} is too small for padding {before} before and {after} "
                    f"behind its side of {length}; it takes at least {least} there"
                )
            out.append(before + length + after)
        return (channels, *out)

    def windows(self, shape: Shape) -> Windows | None:
        height, width = (Window(1, 1, before) for before, _ in self.sides(shape))
        return height, width


@layer
class _SidesPad2d(_Pad2d):
    """A padding whose sides are given: one number for all, or (left, right, top, bottom), as in torch."""

    rules: ClassVar = {"padding": sides_of}

    padding: int | tuple[int, int, int, int]

    def sides(self, shape: Shape) -> Sides:
        left, right, top, bottom = (self.padding,) * 4 if isinstance(self.padding, int) else self.padding
        return (top, bottom), (left, right)


@layer
class ZeroPad2d(_SidesPad2d):
    """(C, H, W) -> (C, top + H + bottom, left + W + right): zeros around each map; a negative side is cut off.

    `padding` is the same on all sides, or (left, right, top, bottom), as in torch.
    """


@layer
class ConstantPad2d(_SidesPad2d):
    """(C, H, W) -> (C, top + H + bottom, left + W + right): `value` around each map; a negative side is cut off.

    `padding` is as for `ZeroPad2d`; minus infinity, as it is before a max-pooling, is written "-inf".
    """

    value: float | str


@layer
class ReplicationPad2d(_SidesPad2d):
    """(C, H, W) -> (C, top + H + bottom, left + W + right): the edges of a map repeated around it; a negative side is
    cut off. `padding` is as for `ZeroPad2d`."""

    keeps_input: ClassVar[bool] = True

    def least(self, before: int, after: int) -> int:
        """Of what is repeated there may be cut off more than the map has."""
        return 1 - before - after


@layer
class ReflectionPad2d(_SidesPad2d):
    """(C, H, W) -> (C, top + H + bottom, left + W + right): a map mirrored at its edges, which stand once; a negative
    side is cut off. `padding` is as for `ZeroPad2d`."""

    keeps_input: ClassVar[bool] = True

    def least(self, before: int, after: int) -> int:
        """What is mirrored must be there, behind the edge; of it, too, there may be cut off more than the map has."""
        return max(1 - before - after, before + 1, after + 1)


@layer
class SamePad2d(_Pad2d):
    """(C, H, W) -> (C, H', W'): zeros around each map, so many that ceil(H / stride) windows of `extent` positions fit
    along its height, `stride` apart, and ceil(W / stride) along its width.

    It is the padding "same" of TensorFlow and Keras, timm's `pad_same`: how much is padded depends on the size of the
    map, and the odd one goes right and below. It stands before a convolution or a pooling of that stride which pads
    nothing, for torch has "same" for stride 1 alone, and for poolings not at all. A dilated kernel's extent is
    dilation (kernel_size - 1) + 1. `value` is that of `ConstantPad2d`, "-inf" before a max-pooling. A mean behind it
    counts the zeros: so does timm's AvgPool2dSame, whatever its count_include_pad; Keras's AveragePooling2D does not.
    """

    extent: IntOrPair
    stride: IntOrPair = 1
    value: float | str = 0.0

    def sides(self, shape: Shape) -> Sides:
        _, *size = maps(self, shape)
        needed = map(self._needed, size, pair(self.extent), pair(self.stride))
        (top, bottom), (left, right) = ((each // 2, each - each // 2) for each in needed)
        return (top, bottom), (left, right)

    @staticmethod
    def _needed(length: int, extent: int, stride: int) -> int:
        """What the last of the windows reaches beyond the map."""
        windows = -(-length // stride)
        return max((windows - 1) * stride + extent - length, 0)
