"""Numbers as pixels, on a light and on a dark page: what is 0 lets the page through."""

from __future__ import annotations

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


def _with_opacity(colours: Array, opacity: Array) -> Array:
    pixels: Array = np.empty((*opacity.shape, 4), np.uint8)
    pixels[..., :3] = np.rint(np.clip(colours, 0, 255))
    pixels[..., 3] = np.rint(np.clip(255 * opacity, 0, 255))
    return pixels
