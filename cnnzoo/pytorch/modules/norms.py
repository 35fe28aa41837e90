"""Normalisations and activations that torch.nn lacks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class L2Norm(nn.Module):
    """Each position's channels over their length, times the factor of the channel."""

    def __init__(self, channels: int, init: float, eps: float, affine: bool) -> None:
        super().__init__()
        self.init = init
        self.eps = eps
        self.weight = nn.Parameter(torch.empty(channels)) if affine else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        if self.weight is not None:
            nn.init.constant_(self.weight, self.init)

    def forward(self, x: Tensor) -> Tensor:
        normed = F.normalize(x, eps=self.eps)
        return normed if self.weight is None else self.weight.view(1, -1, 1, 1) * normed

    def extra_repr(self) -> str:
        return f"init={self.init}, eps={self.eps}, affine={self.weight is not None}"


class GlobalResponseNorm(nn.Module):
    """x + weight * (x * n) + bias, n the length of the map over the mean of all maps' lengths."""

    def __init__(self, channels: int, eps: float, channels_last: bool) -> None:
        super().__init__()
        self.eps = eps
        self.channels_last = channels_last
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.channels_last:
            lengths = x.norm(p=2, dim=(1, 2), keepdim=True)
            shares = lengths / (lengths.mean(-1, keepdim=True) + self.eps)
            return x + torch.addcmul(self.bias, self.weight, x * shares)
        lengths = x.norm(p=2, dim=(2, 3), keepdim=True)
        shares = lengths / (lengths.mean(1, keepdim=True) + self.eps)
        return x + torch.addcmul(self.bias.view(1, -1, 1, 1), self.weight.view(1, -1, 1, 1), x * shares)

    def extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, eps={self.eps}, channels_last={self.channels_last}"


class Square(nn.Module):
    """x * x."""

    def forward(self, x: Tensor) -> Tensor:
        return x.square()
