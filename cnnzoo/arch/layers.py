"""The layers of torch.nn, with its names, keywords and defaults, without the input channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY
from math import prod
from typing import ClassVar, NamedTuple

from .axes import NOTHING, PHASES, Phases, Span, periodic
from .node import IntOrPair, Kept, Layer, Work, layer, maps, pair
from .rules import choice
from .signal import Shape, ShapeError, Window, Windows, show


def per_output(self: Layer, shape: Shape, each: int) -> int:
    return each * prod(self.output_shape(shape))


def extent_of(kernel: int, dilation: int) -> int:
    """Positions from a kernel's first tap to its last, both included."""
    return dilation * (kernel - 1) + 1


class Slide(NamedTuple):
    """How a kernel slides along one axis: its extent, dilation included, its stride, and the padding before the map
    and before and behind it in all."""

    extent: int
    stride: int
    before: int
    padding: int


@layer
class _Conv(Layer):
    """What convolutions share, along however many axes."""

    weighted: ClassVar[bool] = True

    out_channels: int
    kernel_size: IntOrPair
    _: KW_ONLY
    stride: IntOrPair = 1
    padding: IntOrPair | str = 0
    dilation: IntOrPair = 1
    groups: int = 1
    bias: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.out_channels % self.groups:
            raise ShapeError(_indivisible(self, f"{self.out_channels} output channels"))
        if self.padding == "same" and self.stride != 1:
            raise ShapeError(f"{type(self).__name__}: padding='same' goes with stride 1, got stride {self.stride}")

    def _sizes(self, shape: Shape) -> Shape:
        """The channels and the length along each axis, or a `ShapeError`."""
        raise NotImplementedError

    def _each(self, value: IntOrPair) -> tuple[int, ...]:
        """A setting along each axis."""
        raise NotImplementedError

    def _axes(self) -> tuple[Slide, ...]:
        """How its kernel slides along each axis."""
        kernels, dilations = self._each(self.kernel_size), self._each(self.dilation)
        extents = [extent_of(kernel, dilation) for kernel, dilation in zip(kernels, dilations, strict=True)]
        if self.padding == "same":
            both = [(extent - 1) // 2 for extent in extents], [extent - 1 for extent in extents]
        else:
            one = self._each(0 if isinstance(self.padding, str) else self.padding)
            both = list(one), [2 * side for side in one]
        return tuple(map(Slide, extents, self._each(self.stride), *both))

    def output_shape(self, shape: Shape) -> Shape:
        channels, *size = self._sizes(shape)
        if channels % self.groups:
            raise ShapeError(_indivisible(self, f"the {channels} channels of {show(shape)}"))
        out = []
        for length, (extent, stride, _, padding) in zip(size, self._axes(), strict=True):
            if length + padding < extent:
                raise ShapeError(
                    f"{type(self).__name__}: kernel {self.kernel_size} (extent {extent}) is larger than the padded "
                    f"input: {show(shape)} is {length} + {padding} there; it takes at least {max(extent - padding, 1)}"
                )
            out.append((length + padding - extent) // stride + 1)
        return (self.out_channels, *out)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        weight = (self.out_channels, shape[0] // self.groups, *self._each(self.kernel_size))
        return {"weight": weight, "bias": (self.out_channels,)} if self.bias else {"weight": weight}

    def macs(self, shape: Shape) -> int:
        return per_output(self, shape, shape[0] // self.groups * prod(self._each(self.kernel_size)))

    def work(self, shape: Shape) -> Work:
        return Work(additions=per_output(self, shape, self.bias))

    def kept(self, shape: Shape) -> Kept:
        """Its input; where "same" pads one side more than the other, a copy that is padded there instead."""
        odd = [side.padding - 2 * side.before for side in self._axes()]
        if not any(odd):
            return Kept(input=True)
        return Kept(elements=shape[0] * prod(length + more for length, more in zip(shape[1:], odd, strict=True)))


@layer
class Conv2d(_Conv):
    """(C, H, W) -> (out_channels, H', W'), H' = floor((H + 2 padding - extent) / stride) + 1.

    `padding` is also "valid" (none) or "same" (as much as keeps the size; the odd one goes right and
    below; stride 1 only, `SamePad2d` is for others). With `groups`, each of them convolves its share of the channels.
    """

    def _sizes(self, shape: Shape) -> Shape:
        return maps(self, shape)

    def _each(self, value: IntOrPair) -> tuple[int, ...]:
        return pair(value)

    def windows(self, shape: Shape) -> Windows | None:
        height, width = (Window(side.extent, side.stride, side.before) for side in self._axes())
        return height, width


def _indivisible(self: _Conv | ConvTranspose2d, channels: str) -> str:
    groups = self.groups
    return f"{type(self).__name__}: groups={groups} does not divide {channels}; a multiple of {groups} would fit"


@layer
class ConvTranspose2d(Layer):
    """(C, H, W) -> (out_channels, H', W'), H' = (H - 1) stride - 2 padding + extent + output_padding."""

    weighted: ClassVar[bool] = True
    keeps_input: ClassVar[bool] = True

    out_channels: int
    kernel_size: IntOrPair
    _: KW_ONLY
    stride: IntOrPair = 1
    padding: IntOrPair = 0
    output_padding: IntOrPair = 0
    groups: int = 1
    bias: bool = True
    dilation: IntOrPair = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.padding, str):
            raise ShapeError(f"ConvTranspose2d: padding must be a whole number or a pair, got {self.padding!r}")
        if self.out_channels % self.groups:
            raise ShapeError(_indivisible(self, f"{self.out_channels} output channels"))
        for extra, *steps in zip(pair(self.output_padding), pair(self.stride), pair(self.dilation), strict=True):
            if extra >= max(steps):
                raise ShapeError(
                    f"ConvTranspose2d: output_padding {extra} must be smaller than "
                    f"stride {steps[0]} or dilation {steps[1]}"
                )

    def output_shape(self, shape: Shape) -> Shape:
        channels, *size = maps(self, shape)
        if channels % self.groups:
            raise ShapeError(_indivisible(self, f"the {channels} channels of {show(shape)}"))
        settings = (self.kernel_size, self.stride, self.padding, self.output_padding, self.dilation)
        out = []
        for length, kernel, stride, padding, extra, dilation in zip(size, *map(pair, settings), strict=True):
            out.append((length - 1) * stride - 2 * padding + extent_of(kernel, dilation) + extra)
            if out[-1] < 1:
                raise ShapeError(
                    f"ConvTranspose2d: padding {padding} on both sides leaves {out[-1]} of {show(shape)}; "
                    f"less padding or a larger input would fit"
                )
        return (self.out_channels, *out)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        weight = (shape[0], self.out_channels // self.groups, *pair(self.kernel_size))
        return {"weight": weight, "bias": (self.out_channels,)} if self.bias else {"weight": weight}

    def macs(self, shape: Shape) -> int:
        return prod(shape) * (self.out_channels // self.groups) * prod(pair(self.kernel_size))

    def work(self, shape: Shape) -> Work:
        return Work(additions=per_output(self, shape, self.bias))

    def windows(self, shape: Shape) -> Windows | None:
        """With stride 1 those of a convolution padded by what is left of the kernel; else they differ from place to
        place, and positions may read nothing."""
        settings = (self.kernel_size, self.stride, self.padding, self.dilation)
        height, width = (_spread(*axis) for axis in zip(*map(pair, settings), strict=True))
        return None if height is None or width is None else (height, width)


def _spread(kernel: int, stride: int, padding: int, dilation: int) -> Window | Phases | None:
    """What positions read along an axis of a transposed convolution: by tap t, i stride + t dilation - padding reads i.
    None where the stride is longer than a period that is followed."""
    if stride > PHASES:
        return None
    read: list[list[int]] = [[] for _ in range(stride)]
    for tap in {*range(min(kernel, stride)), *range(max(kernel - stride, 0), kernel)}:  # the first and the last of each
        behind, place = divmod(tap * dilation - padding, stride)
        read[place].append(-behind)
    return periodic([Span(min(one), max(one) - min(one) + 1) if one else NOTHING for one in read], 1, Window)


@layer
class Linear(Layer):
    """(..., C) -> (..., out_features): the last dimension, as in torch."""

    weighted: ClassVar[bool] = True

    out_features: int
    _: KW_ONLY
    bias: bool = True

    def output_shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], self.out_features)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        weight = (self.out_features, shape[-1])
        return {"weight": weight, "bias": (self.out_features,)} if self.bias else {"weight": weight}

    def macs(self, shape: Shape) -> int:
        return prod(shape) * self.out_features

    def work(self, shape: Shape) -> Work:
        return Work(additions=per_output(self, shape, self.bias))

    def windows(self, shape: Shape) -> Windows | None:
        return super().windows(shape) if len(shape) == 1 else None

    def kept(self, shape: Shape) -> Kept:
        """Its input, as a matrix of a row for each position."""
        return Kept(input=True, contiguous=prod(shape[:-1]) > 1)

    def mixes(self, shape: Shape) -> Sequence[int] | None:
        return (len(shape) - 1,)


@layer
class Dropout(Layer):
    """Nothing at inference; in training each element is zero with probability `p`."""

    is_view: ClassVar[bool] = True

    p: float = 0.5

    def kept(self, shape: Shape) -> Kept:
        """The noise that the input is multiplied by, in the input's own dtype; without chance there is none."""
        noise = prod(shape) if 0 < self.p < 1 else 0
        return Kept(elements=noise, statistics=int(self.p == 1), copies=self.p > 0)  # certainty is a single 0

    def mixes(self, shape: Shape) -> Sequence[int] | None:
        return ()


@layer
class Dropout2d(Layer):
    """(C, H, W) -> (C, H, W): nothing at inference; in training each channel of a sample is zero with probability `p`;
    Tompson et al. (2015)."""

    is_view: ClassVar[bool] = True

    p: float = 0.5

    def output_shape(self, shape: Shape) -> Shape:
        maps(self, shape)
        return shape

    def kept(self, shape: Shape) -> Kept:
        """The noise that the input is multiplied by, a number for each channel; without chance there is none."""
        return Kept(elements=shape[0] if 0 < self.p < 1 else 0, statistics=int(self.p == 1), copies=self.p > 0)

    def mixes(self, shape: Shape) -> Sequence[int] | None:
        return ()


@layer
class StochasticDepth(Layer):
    """Nothing at inference; in training all of it is zero with probability `p`; Huang et al. (2016b).

    As torchvision's: the others are divided by 1 - p; with the mode "row" each sample falls by itself, with "batch" all
    or none.
    """

    is_view: ClassVar[bool] = True
    rules: ClassVar = {"mode": choice("batch", "row")}

    p: float
    mode: str

    def kept(self, shape: Shape) -> Kept:
        """The noise that the input is multiplied by, a number for a sample or for the batch; without chance none."""
        if not self.p:
            return Kept()
        return Kept(elements=1, copies=True) if self.mode == "row" else Kept(statistics=1, copies=True)

    def mixes(self, shape: Shape) -> Sequence[int] | None:
        return ()


@layer
class Flatten(Layer):
    """Dimensions `start_dim` to `end_dim` become one; as in torch, the batch is dimension 0 and stays."""

    is_view: ClassVar[bool] = True

    start_dim: int = 1
    end_dim: int = -1

    def _span(self, shape: Shape) -> tuple[int, int]:
        rank = len(shape) + 1
        start, end = (dim + rank if dim < 0 else dim for dim in (self.start_dim, self.end_dim))
        if not 1 <= start <= end < rank:
            raise ShapeError(
                f"Flatten: start_dim={self.start_dim}, end_dim={self.end_dim} is no span of the dimensions "
                f"1 to {rank - 1} of {show(shape)} (0 is the batch)"
            )
        return start - 1, end

    def output_shape(self, shape: Shape) -> Shape:
        start, stop = self._span(shape)
        return (*shape[:start], prod(shape[start:stop]), *shape[stop:])

    def windows(self, shape: Shape) -> Windows | None:
        """Flattened maps are seen whole by whatever reads them."""
        if len(shape) == 1:
            return super().windows(shape)
        if len(shape) != 3 or self._span(shape) != (0, 3):
            return None
        return Window(shape[1], shape[1]), Window(shape[2], shape[2])


@layer
class Identity(Layer):
    """x."""

    is_view: ClassVar[bool] = True

    def mixes(self, shape: Shape) -> Sequence[int] | None:
        return ()
