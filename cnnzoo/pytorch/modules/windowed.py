"""The forwards that torch.nn lacks of windows that slide: a padding that knows how many are to fit."""

from __future__ import annotations

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

    It is written without a comparison, so that torch.fx traces it for every length: windows stride - length is below
    the stride, so that the factor is 0 where less than nothing is lacking, and 1 elsewhere.
    """
    rest = (length + stride - 1) // stride * stride - length - max(stride - extent, 0)
    return rest * ((rest + stride) // stride) + max(extent - stride, 0)
