"""The forwards that torch.nn lacks of windows that slide: a padding that knows how many are to fit, convolutions by
standardised weights and by a fixed filter."""

# Annotations are values here: torch.jit.script reads none of an attribute that is a string.

from math import comb
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...arch.node import IntOrPair, pair


class SamePad2d(nn.Module):
    """Around each map as much of a value as lets ceil(length / stride) windows fit; the odd one is right and below."""

    def __init__(self, extent: IntOrPair, stride: IntOrPair, value: float) -> None:
        super().__init__()
        self.extent = pair(extent)
        self.stride = pair(stride)
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        rows = _lacking(x.shape[-2], self.extent[0], self.stride[0])
        columns = _lacking(x.shape[-1], self.extent[1], self.stride[1])
        sides = [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2]
        return F.pad(x, sides, value=self.value)

    def extra_repr(self) -> str:
        return f"extent={self.extent}, stride={self.stride}, value={self.value}"


def _lacking(length: int, extent: int, stride: int) -> int:
    """What ceil(length / stride) windows reach beyond the map: max((windows - 1) stride + extent - length, 0).

    Lengths are compared with nothing, so that torch.fx traces it for all of them: below 0 and above -stride, as it is
    with a short extent alone, the factor is 0.
    """
    beyond = -length % stride + extent - stride
    return beyond if extent >= stride else beyond * ((beyond + stride) // stride)


class StdConv2d(nn.Conv2d):
    """A convolution whose weights have mean 0 and variance 1 for each output channel."""

    def __init__(self, in_channels: int, *, eps: float, **settings: Any) -> None:
        super().__init__(in_channels, **settings)
        self.eps = eps

    def scales(self) -> Tensor | None:
        """What the standardised weights of each output channel are multiplied by."""
        return None

    def forward(self, x: Tensor) -> Tensor:
        each = self.weight.reshape(1, self.out_channels, -1)
        weight = F.batch_norm(each, None, None, self.scales(), training=True, momentum=0.0, eps=self.eps)
        return self._conv_forward(x, weight.reshape_as(self.weight), self.bias)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, eps={self.eps}"  # type: ignore[no-untyped-call]


class ScaledStdConv2d(StdConv2d):
    """A convolution whose standardised weights keep the variance of its input, times gamma and a trained gain."""

    def __init__(self, in_channels: int, *, gamma: float, gain_init: float, **settings: Any) -> None:
        super().__init__(in_channels, **settings)
        self.gamma = gamma
        self.gain_init = gain_init
        self.scale = gamma * self.weight[0].numel() ** -0.5
        self.gain = nn.Parameter(torch.empty(self.out_channels, 1, 1, 1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        super().reset_parameters()
        if "gain" in self._parameters:  # a convolution resets its own before there is one
            nn.init.constant_(self.gain, self.gain_init)

    def scales(self) -> Tensor | None:
        return torch.mul(self.gain, self.scale).view(-1)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, gamma={self.gamma}, gain_init={self.gain_init}"


class BlurPool2d(nn.Module):
    """A binomial filter on each map, which is a buffer that no state dict has."""

    filt: Tensor

    def __init__(self, in_channels: int, filt_size: int, stride: int, pad_mode: str, shared: bool) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.filt_size = filt_size
        self.stride = stride
        self.pad_mode = pad_mode
        self.padding = (stride + filt_size - 2) // 2
        self.shared = shared
        filt = torch.empty(1 if shared else in_channels, 1, filt_size, filt_size)
        self.register_buffer("filt", filt, persistent=False)
        self.reset_filter()

    def reset_filter(self) -> None:
        """The products of two rows of Pascal's triangle, over their sum."""
        last = self.filt_size - 1
        line = torch.tensor([comb(last, place) for place in range(self.filt_size)], device="cpu") / 2**last
        self.filt.copy_(line[:, None] * line)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, [self.padding] * 4, mode=self.pad_mode)
        weight = self.filt.expand(self.in_channels, -1, -1, -1)
        return F.conv2d(x, weight, stride=self.stride, groups=self.in_channels)

    def extra_repr(self) -> str:
        shared = ", shared=True" if self.shared else ""
        settings = f"filt_size={self.filt_size}, stride={self.stride}, pad_mode={self.pad_mode!r}"
        return f"{self.in_channels}, {settings}{shared}"
