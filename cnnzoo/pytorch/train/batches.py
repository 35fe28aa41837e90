"""Pictures as batches: a whole data set on the device, from which each step takes, moves and scales its own.

No loader and no workers: pictures of 28x28 are gathered on a GPU in less time than they are handed from one process to
another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import torch
from torch import Tensor
from torch.nn import functional as F


def mixed(*numbers: int) -> int:
    """A seed for each combination of numbers, so that what is drawn in an epoch depends on no epoch before."""
    return crc32(repr(numbers).encode())


def permutation(count: int, seed: int) -> Tensor:
    """The whole numbers below `count` in an order that the seed draws."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


@dataclass(frozen=True, eq=False)
class Plan:
    """What the steps of an epoch take: pictures in an order, and how each is moved."""

    chosen: Tensor
    """The numbers of the pictures."""
    moves: Tensor | None = None
    """For each its shift down and to the right, and whether it is turned left to right."""

    def part(self, start: int, stop: int) -> Plan:
        return Plan(self.chosen[start:stop], None if self.moves is None else self.moves[start:stop])


class Pictures:
    """Pictures and classes on a device."""

    def __init__(self, images: Any, labels: Any, shape: Sequence[int], shift: int, device: torch.device) -> None:
        self.images = torch.as_tensor(images).to(device)
        self.labels = torch.as_tensor(labels).to(device)
        self.channels, *self.sides = shape
        self.shift = shift
        self.device = device

    def plan(self, chosen: Tensor, seed: int, flip: bool) -> Plan:
        """An epoch's order of the chosen pictures, and their moves. Drawn on the CPU, the same on each device and in
        each process."""
        drawn = torch.Generator().manual_seed(seed)
        order = chosen[torch.randperm(len(chosen), generator=drawn)]
        if not (flip or self.shift):
            return Plan(order.to(self.device))
        most = torch.tensor([2 * self.shift + 1, 2 * self.shift + 1, 1 + flip])
        moves = (torch.rand((len(chosen), 3), generator=drawn) * most).long()
        return Plan(order.to(self.device), moves.to(self.device))

    def batch(self, plan: Plan) -> tuple[Tensor, Tensor]:
        """Pictures from -1 for 0 to 1 for 255, scaled to the input's size, and their classes."""
        x = self.images[plan.chosen]
        if plan.moves is not None:
            x = moved(x, plan.moves, self.shift)
        x = x.float().div_(127.5).sub_(1)
        if list(x.shape[2:]) != self.sides:
            x = F.interpolate(x, self.sides, mode="bilinear", antialias=True)
        return x.expand(-1, self.channels, -1, -1), self.labels[plan.chosen]


def moved(images: Tensor, moves: Tensor, shift: int) -> Tensor:
    """(N, C, H, W) with each picture moved by up to `shift` pixels, from 0 to 2 `shift` in `moves`, and turned left to
    right where these say 1."""
    number, _, height, width = images.shape
    down, right, turned = moves.T[:, :, None]
    rows = torch.arange(height, device=images.device) + down
    columns = torch.arange(width, device=images.device)
    columns = torch.where(turned > 0, columns.flip(0), columns) + right
    padded = F.pad(images, (shift, shift, shift, shift))
    each = torch.arange(number, device=images.device)[:, None, None]
    return padded[each, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
