"""The poolings of torch.nn, with its names, keywords, defaults and rounding."""

from __future__ import annotations

from dataclasses import KW_ONLY
from math import gcd, prod
from typing import ClassVar, NamedTuple

from .layers import extent_of, per_output
from .node import IntOrPair, Kept, Layer, Work, layer, maps, pair
from .signal import Shape, ShapeError, Window, Windows, show


@layer
class _Pool2d(Layer):
    """What the two poolings share: torch's rounding, with `ceil_mode` too."""

    keeps_input: ClassVar[bool] = True

    kernel_size: IntOrPair
    stride: IntOrPair | None = None
    padding: IntOrPair = 0

    def __post_init__(self) -> None:
        if self.stride is None:
            self._set("stride", self.kernel_size)
        super().__post_init__()
        if isinstance(self.padding, str):
            raise ShapeError(f"{type(self).__name__}: padding must be a whole number or a pair, got {self.padding!r}")
        for kernel, padding in zip(pair(self.kernel_size), pair(self.padding), strict=True):
            if 2 * padding > kernel:
                raise ShapeError(
                    f"{type(self).__name__}: padding {padding} must be at most half of kernel_size {kernel}"
                )

    def output_shape(self, shape: Shape) -> Shape:
        channels, *size = maps(self, shape)
        ceil_mode = self.settings.get("ceil_mode", False)
        out = []
        for length, (extent, stride, padding) in zip(size, _Pool2d.windows(self, shape), strict=True):
            needed = extent - 2 * padding - (stride - 1 if ceil_mode else 0)
            room = length - needed
            count = room // stride + 1
            if ceil_mode and (count - 1) * stride >= length + padding:
                count -= 1  # a window must begin inside the input or the padding before it
            if count < 1:
                raise ShapeError(
                    f"{type(self).__name__}: nothing is left of {show(shape)} under kernel {self.kernel_size} "
                    f"(extent {extent}, padding {padding}); it takes at least {max(needed, 1)} there"
                )
            out.append(count)
        return (channels, *out)

    def fan_in(self, shape: Shape) -> int:
        return per_output(self, shape, prod(pair(self.kernel_size)))

    def windows(self, shape: Shape) -> tuple[Window, Window]:
        extents = map(extent_of, pair(self.kernel_size), pair(self.settings.get("dilation", 1)))
        height, width = map(Window, extents, pair(self.stride or self.kernel_size), pair(self.padding))
        return height, width


@layer
class MaxPool2d(_Pool2d):
    """(C, H, W) -> (C, H', W'): the largest of each window; `stride` is by default the kernel's size."""

    dilation: IntOrPair = 1
    _: KW_ONLY
    ceil_mode: bool = False

    def work(self, shape: Shape) -> Work:
        return Work(comparisons=per_output(self, shape, prod(pair(self.kernel_size)) - 1))

    def kept(self, shape: Shape) -> Kept:
        """Its input, and where in it each maximum was."""
        return Kept(input=True, indices=prod(self.output_shape(shape)))


@layer
class AvgPool2d(_Pool2d):
    """(C, H, W) -> (C, H', W'): the mean of each window, of its padding too if `count_include_pad`."""

    ceil_mode: bool = False
    count_include_pad: bool = True

    def work(self, shape: Shape) -> Work:
        outputs = prod(self.output_shape(shape))
        return Work(additions=outputs * (prod(pair(self.kernel_size)) - 1), multiplications=outputs)


class Shares(NamedTuple):
    """`cells` windows over `length` positions: cell i from floor(i length / cells) to ceil((i + 1) length / cells)."""

    length: int
    cells: int

    @property
    def kernels(self) -> dict[int, int]:
        """How many cells there are of each size.

        With length = q cells + r, cell i begins f/cells behind its own beginning, f = i length mod cells, so that it
        reads q + ceil((f + r) / cells) positions; f is each multiple of gcd(length, cells) below cells as often.
        """
        least, rest = divmod(self.length, self.cells)
        if not rest:
            return {least: self.cells}
        more = rest - gcd(self.length, self.cells)
        return {least + 1: self.cells - more} | ({least + 2: more} if more else {})

    @property
    def read(self) -> int:
        """How many positions the cells read, one that two cells read counted twice."""
        return sum(size * count for size, count in self.kernels.items())

    @property
    def window(self) -> Window | None:
        """What every cell reads; None where they are not equal and equally far apart."""
        stride, rest = divmod(self.length, self.cells)
        return Window(stride + (rest > 0), stride) if self.cells < 3 or rest < 2 else None


@layer
class _AdaptivePool2d(Layer):
    """What the two poolings to a fixed size share: windows that are equal shares."""

    pools: ClassVar[bool] = True

    output_size: IntOrPair | tuple[int | None, int | None]

    def output_shape(self, shape: Shape) -> Shape:
        channels, *size = maps(self, shape)
        wanted = self.output_size if isinstance(self.output_size, tuple) else (self.output_size,) * 2
        return (channels, *(want or have for want, have in zip(wanted, size, strict=True)))

    def shares(self, shape: Shape) -> tuple[Shares, Shares]:
        """The windows along height and along width."""
        height, width = map(Shares, shape[1:], self.output_shape(shape)[1:])
        return height, width

    def fan_in(self, shape: Shape) -> int:
        return shape[0] * prod(side.read for side in self.shares(shape))

    def windows(self, shape: Shape) -> Windows | None:
        height, width = (side.window for side in self.shares(shape))
        return None if height is None or width is None else (height, width)


@layer
class AdaptiveAvgPool2d(_AdaptivePool2d):
    """(C, H, W) -> (C, *output_size): means of equal shares; None keeps that side as it is."""

    def work(self, shape: Shape) -> Work:
        outputs = prod(self.output_shape(shape))
        return Work(additions=self.fan_in(shape) - outputs, multiplications=outputs)

    def kept(self, shape: Shape) -> Kept:
        """Its input, but for the global mean, which needs only the shape."""
        return Kept(input=self.output_shape(shape)[1:] != (1, 1))


@layer
class AdaptiveMaxPool2d(_AdaptivePool2d):
    """(C, H, W) -> (C, *output_size): the largest of each of equal shares; None keeps that side as it is."""

    def work(self, shape: Shape) -> Work:
        return Work(comparisons=self.fan_in(shape) - prod(self.output_shape(shape)))

    def kept(self, shape: Shape) -> Kept:
        """Its input, and where in it each maximum was."""
        return Kept(input=True, indices=prod(self.output_shape(shape)))
