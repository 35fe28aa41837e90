"""Convolutions beside Conv2d and ConvTranspose2d: along one axis, of standardised weights, of a fixed filter."""

from __future__ import annotations

from dataclasses import KW_ONLY
from math import prod
from typing import ClassVar

from .layers import Conv2d, _Conv
from .node import IntOrPair, Kept, Layer, Work, layer, pair, sequences
from .norms import normalising
from .padding import ReflectionPad2d, ReplicationPad2d, ZeroPad2d
from .rules import choice, one_or_pair, optional, single
from .signal import Shape, ShapeError, Window, Windows, show


@layer
class Conv1d(_Conv):
    """(C, L) -> (out_channels, L'), L' = floor((L + 2 padding - extent) / stride) + 1; settings are as for `Conv2d`.

    Its positions have no height and no width, so that no receptive field is known behind it.
    """

    rules: ClassVar = {
        "kernel_size": single(1),
        "stride": single(1),
        "padding": single(0, "same", "valid"),
        "dilation": single(1),
    }

    out_channels: int
    kernel_size: int
    _: KW_ONLY
    stride: int = 1
    padding: int | str = 0
    dilation: int = 1

    def _sizes(self, shape: Shape) -> Shape:
        return sequences(self, shape)

    def _each(self, value: IntOrPair) -> tuple[int, ...]:
        assert isinstance(value, int)
        return (value,)

    def windows(self, shape: Shape) -> Windows | None:
        return None


@layer
class StdConv2d(Conv2d):
    """A `Conv2d` by standardised weights, (w - mean) / sqrt(var + eps) over those of each output channel: Qiao et al.
    (2019), "Micro-Batch Training with Batch-Channel Normalization and Weight Standardization".

    Names and defaults are timm's; `padding` None is what keeps the size at stride 1. BiT has it with eps=1e-10,
    in timm 1e-8. A forward standardises once, however large its batch: the work is that of a batch of one.
    """

    rules: ClassVar = {"padding": optional(one_or_pair(0, "same", "valid"))}

    _: KW_ONLY
    padding: IntOrPair | str = None  # type: ignore[assignment]  # until the kernel is known
    bias: bool = False
    eps: float = 1e-6

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.padding is None:
            settings = (self.kernel_size, self.stride, self.dilation)
            each = (
                (step - 1 + dilation * (size - 1)) // 2
                for size, step, dilation in zip(*map(pair, settings), strict=True)
            )
            self._set("padding", one_or_pair(0)(tuple(each)))

    def output_shape(self, shape: Shape) -> Shape:
        out = super().output_shape(shape)
        if prod(self.tensors(shape)["weight"][1:]) == 1:
            raise ShapeError(
                f"{type(self).__name__}: groups={self.groups} of {show(shape)} leave a single weight for each output "
                f"channel, which has no variance; a larger kernel or fewer groups would fit"
            )
        return out

    def work(self, shape: Shape) -> Work:
        """The biases, and what standardises the weights."""
        weight = self.tensors(shape)["weight"]
        once = normalising(prod(weight), self.out_channels, scaled=False, shifted=False)
        return once._replace(additions=once.additions + super().work(shape).additions)

    def kept(self, shape: Shape) -> Kept:
        """What a convolution keeps; once for the batch the standardised weights, and of each output channel their mean
        and inverse standard deviation."""
        weight = self.tensors(shape)["weight"]
        return super().kept(shape)._replace(statistics=prod(weight) + 2 * self.out_channels)


@layer
class ScaledStdConv2d(StdConv2d):
    """A `StdConv2d` whose standardised weights, over the root of how many each output channel has, are multiplied by
    `gamma` and a trained gain, which begins as `gain_init`: Brock et al. (2021), "Characterizing signal propagation to
    close the performance gap in unnormalized ResNets".

    Names and defaults are timm's; NFNets have it, with a gamma that makes up for the activation.
    """

    _: KW_ONLY
    bias: bool = True
    gamma: float = 1.0
    gain_init: float = 1.0

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {**super().tensors(shape), "gain": (self.out_channels, 1, 1, 1)}

    def work(self, shape: Shape) -> Work:
        """That of a `StdConv2d`, a product for each gain, and one for each weight."""
        work = super().work(shape)
        more = self.out_channels + prod(self.tensors(shape)["weight"])
        return work._replace(multiplications=work.multiplications + more)

    def kept(self, shape: Shape) -> Kept:
        """What a `StdConv2d` keeps, and the products of the gains."""
        kept = super().kept(shape)
        return kept._replace(statistics=kept.statistics + self.out_channels)


AROUND = {"reflect": ReflectionPad2d, "replicate": ReplicationPad2d, "constant": ZeroPad2d}
"""The padding of each `pad_mode`."""


@layer
class BlurPool2d(Layer):
    """(C, H, W) -> (C, H', W'), H' = floor((H + 2 padding - filt_size) / stride) + 1: each map under a binomial filter,
    at every `stride`-th position; Zhang (2019), "Making Convolutional Networks Shift-Invariant Again".

    Names and defaults are timm's, and so is the padding, (stride + filt_size - 2) // 2 on all sides. Nothing of it is
    trained, and no state dict has the filter, which is a buffer: one for each map or, if `shared`, one for all, as timm
    has it where it is told no channels. But it is a convolution, with its MACs.
    """

    rules: ClassVar = {"filt_size": single(2), "stride": single(1), "pad_mode": choice(*AROUND)}

    _: KW_ONLY
    filt_size: int = 3
    stride: int = 2
    pad_mode: str = "reflect"
    shared: bool = False

    @property
    def non_persistent(self) -> tuple[str, ...]:
        return ("filt",)

    def buffers(self, shape: Shape) -> dict[str, Shape]:
        return {"filt": (1 if self.shared else shape[0], 1, self.filt_size, self.filt_size)}

    @property
    def padding(self) -> int:
        """What is put on each side."""
        return (self.stride + self.filt_size - 2) // 2

    def padded(self, shape: Shape) -> Shape:
        """The shape of the padded maps, or a `ShapeError`."""
        return AROUND[self.pad_mode](self.padding).output_shape(shape)

    def _filter(self, channels: int) -> Conv2d:
        """The convolution of the padded maps."""
        return Conv2d(channels, self.filt_size, stride=self.stride, groups=channels, bias=False)

    def output_shape(self, shape: Shape) -> Shape:
        try:
            return self._filter(shape[0]).output_shape(self.padded(shape))
        except ShapeError as error:
            raise ShapeError(f"BlurPool2d: {error}") from None

    def macs(self, shape: Shape) -> int:
        return self._filter(shape[0]).macs(self.padded(shape))

    def windows(self, shape: Shape) -> Windows | None:
        window = Window(self.filt_size, self.stride, self.padding)
        return window, window

    def kept(self, shape: Shape) -> Kept:
        """The padded maps; its input where that is mirrored or repeated."""
        around = AROUND[self.pad_mode](self.padding).kept(shape)
        return around._replace(elements=prod(self.padded(shape)))
