"""Layers of torch.nn that change shapes and nothing else: resampling, and what moves elements about."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from ..words import MOST
from .axes import PHASES, Span, periodic
from .node import IntOrPair, Layer, Work, layer, maps, pair, place_of
from .rules import Scale, choice, one_or_pair, optional, sizes_of
from .signal import POINTWISE, Reads, Shape, ShapeError, Turn, Window, Windows, show

MODES = {"nearest": 1, "bilinear": 4, "bicubic": 16}
"""By the mode of an upsampling, of how many elements each of its output is a mean."""


@layer
class Upsample(Layer):
    """(C, H, W) -> (C, *size), or (C, floor(H scale_factor), floor(W scale_factor)).

    An element is the nearest of the input, with "bilinear" a mean of four, with "bicubic" one of sixteen, whose
    receptive field is not known.
    """

    rules: ClassVar = {"size": optional(one_or_pair(1)), "mode": choice(*MODES)}

    size: IntOrPair | None = None
    scale_factor: Scale | None = None
    mode: str = "nearest"
    align_corners: bool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.size is None) == (self.scale_factor is None):
            raise ShapeError(f"Upsample takes a size or a scale_factor, got {self.size} and {self.scale_factor}")
        if self.align_corners is not None and self.mode == "nearest":
            raise ShapeError(
                f"Upsample: align_corners goes with mode='bilinear' or 'bicubic', got {self.align_corners}"
            )

    def output_shape(self, shape: Shape) -> Shape:
        channels, *size = maps(self, shape)
        if self.size is not None:
            return (channels, *pair(self.size))
        out = [length * (scale or 0.0) for length, scale in zip(size, self._scales(), strict=True)]
        if min(out) < 1 or max(out) > MOST:
            left = "nothing is left" if min(out) < 1 else "too much is made"
            raise ShapeError(f"Upsample: {left} of {show(shape)} under scale_factor {self.scale_factor}")
        return (channels, *map(int, out))

    def _scales(self) -> tuple[float | None, float | None]:
        return self.scale_factor if isinstance(self.scale_factor, tuple) else (self.scale_factor, self.scale_factor)

    def work(self, shape: Shape) -> Work:
        """Of several elements the mean by their distances: as many products, and their sum."""
        count = MODES[self.mode]
        return Work(additions=count - 1, multiplications=count - (count == 1)).of(prod(self.output_shape(shape)))

    def windows(self, shape: Shape) -> Windows | None:
        """Of two positions to whose mean one comes with a weight of nothing, the other alone is read."""
        if self.mode == "bicubic":
            return None
        from .resampling import linear, nearest  # fractions, which are slow to import

        found = []
        for length, out, scale in zip(shape[1:], self.output_shape(shape)[1:], self._scales(), strict=True):
            if self.mode == "nearest":
                found.append(nearest(length, out, scale))
            else:
                found.append(linear(length, out, scale, bool(self.align_corners)))
        height, width = found
        return None if height is None or width is None else (height, width)


@layer
class PixelShuffle(Layer):
    """(C, H, W) -> (C / r**2, H r, W r), r = `upscale_factor`: r x r channels become the pixels of a square; Shi et al.
    (2016)."""

    upscale_factor: int

    def output_shape(self, shape: Shape) -> Shape:
        channels, height, width = maps(self, shape)
        factor = self.upscale_factor
        if channels % factor**2:
            raise ShapeError(
                f"PixelShuffle: upscale_factor={factor} needs a multiple of {factor**2} channels, got {show(shape)}"
            )
        return (channels // factor**2, height * factor, width * factor)

    def windows(self, shape: Shape) -> Windows | None:
        window = periodic((Span(0, 1),) * self.upscale_factor, 1, Window) if self.upscale_factor <= PHASES else None
        return None if window is None else (window, window)


@layer
class PixelUnshuffle(Layer):
    """(C, H, W) -> (C r**2, H / r, W / r), r = `downscale_factor`: the pixels of a square become channels."""

    downscale_factor: int

    def output_shape(self, shape: Shape) -> Shape:
        channels, height, width = maps(self, shape)
        factor = self.downscale_factor
        if height % factor or width % factor:
            raise ShapeError(
                f"PixelUnshuffle: downscale_factor={factor} needs sides that are multiples of it, got {show(shape)}"
            )
        return (channels * factor**2, height // factor, width // factor)

    def windows(self, shape: Shape) -> Windows | None:
        window = Window(self.downscale_factor, self.downscale_factor)
        return window, window


@layer
class ChannelShuffle(Layer):
    """(C, ...) -> (C, ...): the first channels of all `groups` groups, then their second; Zhang et al. (2017)."""

    groups: int

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) < 2 or shape[0] % self.groups:
            raise ShapeError(
                f"ChannelShuffle: groups={self.groups} needs a multiple of {self.groups} channels with positions, "
                f"got {show(shape)}"
            )
        return shape


@layer
class Permute(Layer):
    """The dimensions in the order `dims`, counted as in torch with the batch, which stays, as dimension 0.

    Unlike torch's view it is a new tensor, which lies in memory as those of other layers do.
    """

    rules: ClassVar = {"dims": sizes_of(0)}

    dims: tuple[int, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dims[0] or sorted(self.dims) != list(range(len(self.dims))):
            raise ShapeError(f"Permute: dims must have 0, the batch, and then each other dimension, got {self.dims}")

    def output_shape(self, shape: Shape) -> Shape:
        if len(self.dims) != len(shape) + 1:
            raise ShapeError(
                f"Permute: dims={self.dims} are {len(self.dims)}; {show(shape)} with its batch has {len(shape) + 1}"
            )
        return tuple(shape[dim - 1] for dim in self.dims[1:])

    def windows(self, shape: Shape) -> Reads | None:  # type: ignore[override]
        """A turn, which keeps what maps see; None of tensors that are no maps."""
        if list(self.dims) == sorted(self.dims):
            return POINTWISE
        return Turn(tuple(dim - 1 for dim in self.dims[1:])) if len(shape) == 3 else None


@layer
class Unflatten(Layer):
    """Dimension `dim`, the batch being 0, becomes several; one of them may be -1, what the others leave."""

    is_view: ClassVar[bool] = True
    rules: ClassVar = {"unflattened_size": sizes_of(-1)}

    dim: int
    unflattened_size: tuple[int, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unflattened_size.count(-1) > 1 or 0 in self.unflattened_size:
            wanted = "lengths of at least 1, of which one may be -1"
            raise ShapeError(f"Unflatten: unflattened_size must be {wanted}, got {self.unflattened_size}")

    def output_shape(self, shape: Shape) -> Shape:
        place = place_of(self, self.dim, shape)
        known = prod(length for length in self.unflattened_size if length > 0)
        rest, left = divmod(shape[place], known)
        if left or (rest != 1 and -1 not in self.unflattened_size):
            raise ShapeError(f"Unflatten: {self.unflattened_size} is not {shape[place]} elements of {show(shape)}")
        made = (rest if length < 0 else length for length in self.unflattened_size)
        return (*shape[:place], *made, *shape[place + 1 :])

    def windows(self, shape: Shape) -> Windows | None:
        """None: what were no positions become some, or the other way round."""
        return None
