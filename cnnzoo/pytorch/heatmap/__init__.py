"""The scores that a trained network gives at each position of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from ...values.arrays import Array


def score_maps(net: nn.Module, image: Array) -> Array:
    """(classes, h, w) of what a network in eval mode gives for one image (channels, height, width)."""
    own = next(net.parameters(), torch.empty(0))
    with torch.no_grad():
        scores: torch.Tensor = net.eval()(torch.from_numpy(image)[None].to(own.device, own.dtype))[0]
    found: Array = scores.float().cpu().numpy()
    return found
