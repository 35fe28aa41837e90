"""Convolutions beside Conv2d and ConvTranspose2d: along one axis."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import ClassVar

from .layers import _Conv
from .node import IntOrPair, layer, sequences
from .rules import single
from .signal import Shape, Windows


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
