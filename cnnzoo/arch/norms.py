"""The normalisations of torch.nn, with its names, keywords and defaults, without the input channels."""

from __future__ import annotations

from dataclasses import KW_ONLY
from math import prod

from .node import Kept, Layer, Work, layer, maps
from .signal import Shape


@layer
class BatchNorm2d(Layer):
    """(C, H, W) -> (C, H, W); at inference one multiplication and one addition an element."""

    _: KW_ONLY
    eps: float = 1e-5
    momentum: float | None = 0.1
    affine: bool = True
    track_running_stats: bool = True

    def output_shape(self, shape: Shape) -> Shape:
        return maps(self, shape)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": shape[:1], "bias": shape[:1]} if self.affine else {}

    def buffers(self, shape: Shape) -> dict[str, Shape]:
        if not self.track_running_stats:
            return {}
        return {"running_mean": shape[:1], "running_var": shape[:1], "num_batches_tracked": ()}

    def work(self, shape: Shape) -> Work:
        return Work(additions=prod(shape), multiplications=prod(shape))

    def kept(self, shape: Shape) -> Kept:
        """Its input, and of each map the batch's mean and inverse standard deviation."""
        return Kept(input=True, statistics=2 * shape[0])
