"""The normalisations of torch.nn, with its names, keywords and defaults, without the input channels.

What reads its mean and variance from the sample itself sees more than a window: where they are of positions, too, the
receptive field is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY
from math import prod
from typing import ClassVar

from .node import Kept, Layer, Work, layer, maps, place_of
from .rules import RULES, optional
from .signal import Shape, ShapeError, Windows, show

COUNTER = "num_batches_tracked"
"""Batch normalisation's count of batches, which inference does not read; a file from before torch 0.4.1 has none."""


def normalising(count: int, groups: int, scaled: bool, shifted: bool) -> Work:
    """What it takes to bring `count` elements in equal groups to a mean of 0 and a variance of 1.

    Of each group the sum and the sum of the squares are divided by its size; eps is added, and one power taken. Of each
    element there are the difference, its square, and its product with the power; then the weight and the bias.
    """
    sums = 2 * (count - groups)
    return Work(
        additions=sums + groups + (1 + shifted) * count,
        multiplications=(2 + scaled) * count + 2 * groups,
        exponentials=groups,
    )


@layer
class _RunningNorm(Layer):
    """A normalisation of each map that may track its mean and variance in training."""

    _: KW_ONLY
    eps: float = 1e-5
    momentum: float | None = 0.1
    affine: bool = True
    track_running_stats: bool = True

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": shape[:1], "bias": shape[:1]} if self.affine else {}

    def buffers(self, shape: Shape) -> dict[str, Shape]:
        if not self.track_running_stats:
            return {}
        return {"running_mean": shape[:1], "running_var": shape[:1], COUNTER: ()}


@layer
class _BatchNorm(_RunningNorm):
    """What batch normalisations share, whatever positions there are."""

    def work(self, shape: Shape) -> Work:
        return Work(additions=prod(shape), multiplications=prod(shape))

    def kept(self, shape: Shape) -> Kept:
        """Its input, and of each channel the batch's mean and inverse standard deviation."""
        return Kept(input=True, statistics=2 * shape[0])


@layer
class BatchNorm2d(_BatchNorm):
    """(C, H, W) -> (C, H, W): each map with the mean and variance of the batch; Ioffe and Szegedy (2015).

    At inference, with those of the training, it is one multiplication and one addition an element.
    """

    def output_shape(self, shape: Shape) -> Shape:
        return maps(self, shape)


@layer
class BatchNorm1d(_BatchNorm):
    """(C,) or (C, L), the same: each channel with the mean and variance of the batch, as in `BatchNorm2d`."""

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) > 2:
            wanted = "features (channels,) or sequences (channels, length)"
            raise ShapeError(f"BatchNorm1d needs {wanted}, got {show(shape)}")
        return shape


@layer
class GroupNorm(Layer):
    """(C, ...) -> (C, ...): `num_groups` groups of channels, each with its own mean and variance; Wu and He (2018)."""

    num_groups: int
    _: KW_ONLY
    eps: float = 1e-5
    affine: bool = True
    bias: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("bias", self.bias or not self.affine)  # without a weight there is none, whatever is said

    def output_shape(self, shape: Shape) -> Shape:
        if shape[0] % self.num_groups:
            raise ShapeError(
                f"GroupNorm: num_groups={self.num_groups} does not divide the {shape[0]} channels of {show(shape)}; "
                f"a multiple of {self.num_groups} would fit"
            )
        if prod(shape) == self.num_groups:
            raise ShapeError(
                f"GroupNorm: num_groups={self.num_groups} leaves a single element of {show(shape)} in each group; "
                f"fewer groups would fit"
            )
        return shape

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        if not self.affine:
            return {}
        return {"weight": shape[:1], "bias": shape[:1]} if self.bias else {"weight": shape[:1]}

    def work(self, shape: Shape) -> Work:
        return normalising(prod(shape), self.num_groups, self.affine, self.affine and self.bias)

    def windows(self, shape: Shape) -> Windows | None:
        return super().windows(shape) if len(shape) == 1 else None

    def kept(self, shape: Shape) -> Kept:
        """Its input, and of each group the mean and the inverse standard deviation."""
        return Kept(input=True, elements=2 * self.num_groups, contiguous=True)


@layer
class InstanceNorm2d(_RunningNorm):
    """(C, H, W) -> (C, H, W): each map of each sample with its own mean and variance; Ulyanov et al. (2016).

    With `track_running_stats` inference takes those of the training, as a batch norm does.
    """

    _: KW_ONLY
    affine: bool = False
    track_running_stats: bool = False

    def output_shape(self, shape: Shape) -> Shape:
        maps(self, shape)
        if shape[1:] == (1, 1):
            raise ShapeError(f"InstanceNorm2d needs maps of more than one position, got {show(shape)}")
        return shape

    def work(self, shape: Shape) -> Work:
        if self.track_running_stats:
            return Work(additions=prod(shape), multiplications=prod(shape))
        return normalising(prod(shape), shape[0], self.affine, self.affine)

    def windows(self, shape: Shape) -> Windows | None:
        return super().windows(shape) if self.track_running_stats else None

    def kept(self, shape: Shape) -> Kept:
        """Its input, and of each map the mean and the inverse standard deviation; torch copies for each sample what it
        has of a map: the weight, and the mean and variance of the training."""
        each = 2 + self.affine + 2 * self.track_running_stats
        return Kept(input=True, elements=each * shape[0], contiguous=True)


@layer
class _LayerNorm(Layer):
    """What the two layer normalisations share."""

    _: KW_ONLY
    eps: float = 1e-5
    elementwise_affine: bool = True
    bias: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("bias", self.bias or not self.elementwise_affine)  # as in a GroupNorm

    def normalized(self, shape: Shape) -> Shape:
        """The dimensions that are normalised together."""
        raise NotImplementedError

    def groups(self, shape: Shape) -> int:
        """How many means and variances there are."""
        return prod(shape) // prod(self.normalized(shape))

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        if not self.elementwise_affine:
            return {}
        own = self.normalized(shape)
        return {"weight": own, "bias": own} if self.bias else {"weight": own}

    def work(self, shape: Shape) -> Work:
        shifted = self.elementwise_affine and self.bias
        return normalising(prod(shape), self.groups(shape), self.elementwise_affine, shifted)

    def kept(self, shape: Shape) -> Kept:
        """Its input, and the means and the inverse standard deviations."""
        return Kept(input=True, elements=2 * self.groups(shape))


@layer
class LayerNorm(_LayerNorm):
    """(..., C) -> (..., C): the last `normalized_dims` dimensions together with mean 0 and variance 1.

    torch is told their lengths; here they follow from what reaches the layer. Over the channels of maps it is
    `LayerNorm2d`. Ba et al. (2016).
    """

    _: KW_ONLY
    normalized_dims: int = 1

    def output_shape(self, shape: Shape) -> Shape:
        return last_dims(self, shape, self.normalized_dims)

    def normalized(self, shape: Shape) -> Shape:
        return shape[-self.normalized_dims :]

    def windows(self, shape: Shape) -> Windows | None:
        return super().windows(shape) if len(shape) == 1 else None

    def mixes(self, shape: Shape) -> Sequence[int] | None:
        return range(len(shape) - self.normalized_dims, len(shape))


@layer
class RMSNorm(Layer):
    """(..., C) -> (..., C): the last `normalized_dims` dimensions together over the root of their mean square.

    Zhang and Sennrich (2019). `eps` is added to the mean; None is what torch takes for the dtype of the input.
    """

    rules: ClassVar = {"eps": optional(RULES["eps"])}

    _: KW_ONLY
    eps: float | None = None
    elementwise_affine: bool = True
    normalized_dims: int = 1

    def output_shape(self, shape: Shape) -> Shape:
        return last_dims(self, shape, self.normalized_dims)

    def normalized(self, shape: Shape) -> Shape:
        return shape[-self.normalized_dims :]

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": self.normalized(shape)} if self.elementwise_affine else {}

    def groups(self, shape: Shape) -> int:
        """How many mean squares there are."""
        return prod(shape) // prod(self.normalized(shape))

    def work(self, shape: Shape) -> Work:
        """Of each element the square, the products with the power and the weight; of each group the sum with eps, the
        mean and a power."""
        count, groups = prod(shape), self.groups(shape)
        return Work(
            additions=count,
            multiplications=(2 + self.elementwise_affine) * count + groups,
            exponentials=groups,
        )

    def windows(self, shape: Shape) -> Windows | None:
        return super().windows(shape) if len(shape) == 1 else None

    def mixes(self, shape: Shape) -> Sequence[int] | None:
        return range(len(shape) - self.normalized_dims, len(shape))

    def kept(self, shape: Shape) -> Kept:
        """Its input, the powers, and what is weighted."""
        return Kept(input=True, elements=self.groups(shape) + self.elementwise_affine * prod(shape))


def last_dims(layer: Layer, shape: Shape, dims: int) -> Shape:
    """The shape, which has so many dimensions, or a `ShapeError`."""
    if dims > len(shape):
        raise ShapeError(
            f"{type(layer).__name__}: {show(shape)} has no {dims} dimensions to normalise; "
            f"at most {len(shape)} would fit"
        )
    return shape


@layer
class LayerNorm2d(_LayerNorm):
    """(C, H, W) -> (C, H, W): each position's channels with mean 0 and variance 1, as torchvision's ConvNeXt has it."""

    def output_shape(self, shape: Shape) -> Shape:
        return maps(self, shape)

    def normalized(self, shape: Shape) -> Shape:
        return shape[:1]


@layer
class L2Norm(Layer):
    """Elements along `dim`, counted as in torch with the batch as dimension 0, over their Euclidean length, at least
    `eps`, times a trained factor of each place along it that begins as `init`.

    Of maps (C, H, W) it is each position's channels: Liu et al. (2015), "ParseNet"; SSD (Liu et al., 2016) begins with
    20. Without `affine` it is torch's `normalize`.
    """

    init: float = 20.0
    _: KW_ONLY
    eps: float = 1e-12
    affine: bool = True
    dim: int = 1

    def output_shape(self, shape: Shape) -> Shape:
        place_of(self, self.dim, shape)
        return shape

    def length(self, shape: Shape) -> int:
        """How many elements are divided by one length."""
        return shape[place_of(self, self.dim, shape)]

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": (self.length(shape),)} if self.affine else {}

    def work(self, shape: Shape) -> Work:
        """Of each element the square, the quotient and the product; of each length the sum, the root and a bound."""
        lengths = prod(shape) // self.length(shape)
        return Work(
            comparisons=lengths,
            additions=prod(shape) - lengths,
            multiplications=(2 + self.affine) * prod(shape),
            exponentials=lengths,
        )

    def windows(self, shape: Shape) -> Windows | None:
        return super().windows(shape) if place_of(self, self.dim, shape) == 0 else None

    def mixes(self, shape: Shape) -> Sequence[int] | None:
        return (place_of(self, self.dim, shape),)

    def kept(self, shape: Shape) -> Kept:
        """Its input, the lengths before and after they are bounded, and what is weighted."""
        return Kept(input=True, elements=2 * prod(shape) // self.length(shape) + self.affine * prod(shape))


@layer
class GlobalResponseNorm(Layer):
    """(C, H, W) -> (C, H, W): x + weight * (x * n) + bias, n a map's Euclidean length over the mean of all lengths.

    Woo et al. (2023), "ConvNeXt V2". `eps` is added to the mean; with `channels_last` maps are (H, W, C). The names are
    those of timm.
    """

    _: KW_ONLY
    eps: float = 1e-6
    channels_last: bool = False

    def output_shape(self, shape: Shape) -> Shape:
        return maps(self, shape)

    def _channels(self, shape: Shape) -> int:
        return shape[-1] if self.channels_last else shape[0]

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        own = (self._channels(shape),)
        return {"weight": own, "bias": own}

    def work(self, shape: Shape) -> Work:
        """Of each element the square, the products with n and the weight, the bias and the sum with x; of each map the
        sum, the root and the quotient; once the mean of these, and eps."""
        channels = self._channels(shape)
        return Work(
            additions=3 * prod(shape),
            multiplications=3 * prod(shape) + channels + 1,
            exponentials=channels,
        )

    def windows(self, shape: Shape) -> Windows | None:
        return None

    def kept(self, shape: Shape) -> Kept:
        """Its input, each map's length, the mean with eps, their quotients, and what is weighted."""
        return Kept(input=True, elements=2 * self._channels(shape) + 1 + prod(shape))
