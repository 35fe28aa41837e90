"""Normalisations and activations that torch.nn lacks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class L2Norm(nn.Module):
    """Elements along a dimension over their length, times the factor of each place along it."""

    def __init__(self, length: int, behind: int, init: float, eps: float, affine: bool, dim: int) -> None:
        """`behind` is how many dimensions follow that one."""
        super().__init__()
        self.dim = dim
        self.view = [-1, *[1] * behind]
        self.init = init
        self.eps = eps
        self.weight = nn.Parameter(torch.empty(length)) if affine else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        if self.weight is not None:
            nn.init.constant_(self.weight, self.init)

    def forward(self, x: Tensor) -> Tensor:
        normed = F.normalize(x, dim=self.dim, eps=self.eps)
        return normed if self.weight is None else self.weight.view(self.view) * normed

    def extra_repr(self) -> str:
        return f"init={self.init}, eps={self.eps}, affine={self.weight is not None}, dim={self.dim}"


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


class Pow(nn.Module):
    """x ** exponent."""

    def __init__(self, exponent: float) -> None:
        super().__init__()
        self.exponent = exponent

    def forward(self, x: Tensor) -> Tensor:
        return torch.pow(x, self.exponent)

    def extra_repr(self) -> str:
        return f"{self.exponent}"


class Square(nn.Module):
    """x * x."""

    def forward(self, x: Tensor) -> Tensor:
        return x.square()


class FilterResponseNormTlu2d(nn.Module):
    """Each map over the root of its mean square, times its weight, plus its bias, and at least its tau."""

    def __init__(self, channels: int, eps: float, apply_act: bool) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.tau = nn.Parameter(torch.empty(channels)) if apply_act else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)
        if self.tau is not None:
            nn.init.zeros_(self.tau)

    def forward(self, x: Tensor) -> Tensor:
        x = x * x.square().mean((2, 3), keepdim=True).add(self.eps).rsqrt()
        x = x * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        tau = self.tau
        return x if tau is None else torch.maximum(x, tau.view(1, -1, 1, 1))

    def extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, eps={self.eps}, apply_act={self.tau is not None}"


class EvoNorm2dS0(nn.Module):
    """x * sigmoid(v * x) over the standard deviation of its group, times its weight, plus its bias."""

    def __init__(self, channels: int, groups: int, eps: float) -> None:
        super().__init__()
        self.groups = groups
        self.eps = eps
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.v = nn.Parameter(torch.empty(channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)
        nn.init.ones_(self.v)

    def forward(self, x: Tensor) -> Tensor:
        each = x.shape[1] // self.groups
        grouped = x.view(-1, self.groups, each, x.shape[2], x.shape[3])
        variance = grouped.var((2, 3, 4), unbiased=False, keepdim=True)
        of_maps = variance.add(self.eps).sqrt().expand(-1, -1, each, -1, -1)
        deviation = of_maps.clone(memory_format=torch.contiguous_format).flatten(1, 2)
        x = x * (x * self.v.view(1, -1, 1, 1)).sigmoid()
        return x / deviation * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)

    def extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, groups={self.groups}, eps={self.eps}"
