"""Numbers as pixels, on a light and on a dark page: what is 0 lets the page through."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ...values.arrays import Array

BELOW, ABOVE = (58, 143, 208), (224, 123, 32)
"""Red, green and blue of what is below 0, and of what is above; both are seen on white and on black."""


def signed(values: Array, furthest: float) -> Array:
    """Blue below 0 and orange above, the stronger the further from it; (rows, columns) to (rows, columns, 4)."""
    strength = np.abs(values) / (furthest or 1)
    pixels = np.where((values < 0)[..., None], BELOW, ABOVE)
    return _with_opacity(pixels, strength)


def strengths(values: Array, greatest: float) -> Array:
    """Blue, the stronger the greater; (rows, columns) to (rows, columns, 4)."""
    return _with_opacity(np.broadcast_to(BELOW, (*values.shape, 3)), values / (greatest or 1))


def coloured(values: Array, furthest: float) -> Array:
    """(3, rows, columns) as red, green and blue, with grey for 0."""
    pixels = 127.5 * (1 + values.transpose(1, 2, 0) / (furthest or 1))
    return _with_opacity(pixels, np.ones(values.shape[1:]))


def smaller(one: Array, most: int) -> Array:
    """A map of at most so many pixels along an axis, each the mean of equally many."""
    factor = max(ceil(max(one.shape) / most), 1)
    height, width = (length // factor or 1 for length in one.shape)
    if factor == 1 or min(one.shape) < factor:
        return one
    cut = one[: height * factor, : width * factor]
    smaller: Array = cut.reshape(height, factor, width, factor).mean((1, 3))
    return smaller


def _with_opacity(colours: Array, opacity: Array) -> Array:
    pixels: Array = np.empty((*opacity.shape, 4), np.uint8)
    pixels[..., :3] = np.rint(np.clip(colours, 0, 255))
    pixels[..., 3] = np.rint(np.clip(255 * opacity, 0, 255))
    return pixels
