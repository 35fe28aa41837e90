"""Parts of tensors, of the channels as views and of another dimension as tensors of their own; reductions of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def _own(part: Tensor, dim: int) -> Tensor:
    return part if dim == 1 else part.clone(memory_format=torch.contiguous_format)


class Chunk(nn.Module):
    """One of equal parts of a dimension."""

    def __init__(self, chunks: int, index: int, dim: int) -> None:
        super().__init__()
        self.chunks = chunks
        self.index = index
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return _own(x.chunk(self.chunks, self.dim)[self.index], self.dim)

    def extra_repr(self) -> str:
        return f"{self.chunks}, {self.index}, dim={self.dim}"


class Slice(nn.Module):
    """From one element of a dimension up to and without another."""

    def __init__(self, start: int, stop: int | None, dim: int) -> None:
        super().__init__()
        self.start = start
        self.stop = stop
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return _own(torch.ops.aten.slice(x, self.dim, self.start, self.stop), self.dim)

    def extra_repr(self) -> str:
        return f"{self.start}, {self.stop}, dim={self.dim}"


class _Reduction(nn.Module):
    def __init__(self, dim: int | tuple[int, ...], keepdim: bool) -> None:
        super().__init__()
        self.dim = [dim] if isinstance(dim, int) else list(dim)
        self.keepdim = keepdim

    def extra_repr(self) -> str:
        return f"dim={self.dim}, keepdim={self.keepdim}"


class Mean(_Reduction):
    """The mean over dimensions."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(self.dim, self.keepdim)


class Sum(_Reduction):
    """The sum over dimensions."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(self.dim, self.keepdim)


class Var(_Reduction):
    """The variance over dimensions."""

    def __init__(self, dim: int | tuple[int, ...], keepdim: bool, correction: int) -> None:
        super().__init__(dim, keepdim)
        self.correction = correction

    def forward(self, x: Tensor) -> Tensor:
        return torch.var(x, self.dim, correction=self.correction, keepdim=self.keepdim)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, correction={self.correction}"


class Max(_Reduction):
    """The largest over dimensions; of several equal ones each gets its share of the gradient."""

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(self.dim, self.keepdim)
