"""What poolings of regions compute, from maps (N, C, H, W) and boxes (N, n, 4): (N * n, ...), region by region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from .. import arch
from ..arch.node import pair
from ..errors import InvalidValueError
from .arrays import Array

Corners: TypeAlias = tuple[float, float, float, float]


def of_each(pool: Callable[[Any, Array, Corners], Array]) -> Callable[[Any, list[Array]], Array]:
    """From what makes a region of a map (C, H, W), given its corners there."""

    def meeting(pooling: Any, parts: list[Array]) -> Array:
        maps, boxes = parts
        if not np.isfinite(boxes).all():
            raise InvalidValueError(f"boxes must be finite, got {boxes[~np.isfinite(boxes).all(-1)][0].tolist()}")
        precise = np.promote_types(maps.dtype, np.float32)
        pairs = zip(maps, boxes.astype(precise) * precise.type(pooling.spatial_scale), strict=True)
        found = np.stack([pool(pooling, one, tuple(corners)) for one, rows in pairs for corners in rows])
        return found.astype(maps.dtype)

    return meeting


def to_whole(x: float) -> int:
    """Halves away from zero."""
    whole = int(x)
    return whole + (1 if x > 0 else -1) * (abs(x - whole) >= 0.5)


def bins(first: float, last: float, count: int, length: int) -> list[slice]:
    """The positions of a map of this length that are in each of so many equal shares of a region."""
    kind = type(first)
    least = to_whole(first)
    each = kind(max(to_whole(last) - least + 1, 1)) / kind(count)
    ends = [(np.floor(kind(i) * each), np.ceil(kind(i + 1) * each)) for i in range(count)]
    return [slice(*(min(max(int(end) + least, 0), length) for end in pair)) for pair in ends]


def in_bins(x: Array, corners: Corners, size: tuple[int, int]) -> Array:
    """The largest in each bin of a region, 0 in an empty one."""
    rows, columns = bins(corners[1], corners[3], size[0], x.shape[1]), bins(corners[0], corners[2], size[1], x.shape[2])
    cells = [x[:, row, column].reshape(len(x), -1) for row in rows for column in columns]
    zeros = np.zeros(len(x), x.dtype)
    return np.stack([cell.max(1) if cell.size else zeros for cell in cells], 1).reshape(len(x), *size)


def roi_pool(pooling: arch.RoIPool, x: Array, corners: Corners) -> Array:
    return in_bins(x, corners, pair(pooling.output_size))


def roi_pyramid_pool(pooling: arch.RoIPyramidPool, x: Array, corners: Corners) -> Array:
    return np.concatenate([in_bins(x, corners, (side, side)).ravel() for side in pooling.levels])


def sampled(first: float, last: float, count: int, length: int, pooling: arch.RoIAlign) -> Array:
    """The weights (count, length) by which the mean of the samples in each share along an axis reads positions."""
    kind: Any = type(first)
    extent = last - first if pooling.aligned else max(last - first, kind(1))
    each = kind(extent / count)
    samples = pooling.sampling_ratio if pooling.sampling_ratio > 0 else int(np.ceil(each))
    weights = np.zeros((count, length), kind)
    for share in range(count):
        for sample in range(samples):
            place = first + share * each + kind(sample + 0.5) * each / kind(samples)
            if -1 <= place <= length:
                place = min(max(place, kind(0)), kind(length - 1))
                low = int(place)
                weights[share, low] += 1 - (place - low)
                weights[share, min(low + 1, length - 1)] += place - low
    return weights / max(samples, 1)


def roi_align(pooling: arch.RoIAlign, x: Array, corners: Corners) -> Array:
    """A product along the height, and one along the width."""
    size, shift = pair(pooling.output_size), x.dtype.type(0.5 if pooling.aligned else 0)
    left, top, right, bottom = (corner - shift for corner in corners)
    rows = sampled(top, bottom, size[0], x.shape[1], pooling)
    columns = sampled(left, right, size[1], x.shape[2], pooling)
    return rows @ x @ columns.T


def between(count: int, length: int) -> Array:
    """The weights (count, length) by which `length` positions are interpolated at `count`, bilinear."""
    weights = np.zeros((count, length))
    for one in range(count):
        place = max((one + 0.5) * length / count - 0.5, 0)
        low = min(int(place), length - 1)
        weights[one, low] += 1 - (place - low)
        weights[one, min(low + 1, length - 1)] += place - low
    return weights


def resize(pooling: arch.Resize, x: Array, corners: Corners) -> Array:
    """The crop, interpolated along the height, and along the width."""
    (left, right), (top, bottom) = (
        (first := min(max(to_whole(low), 0), length - 1), min(max(to_whole(high), first + 1), length))
        for low, high, length in ((corners[0], corners[2], x.shape[2]), (corners[1], corners[3], x.shape[1]))
    )
    height, width = pair(pooling.output_size)
    rows, columns = between(height, bottom - top), between(width, right - left)
    return (rows @ x[:, top:bottom, left:right] @ columns.T).astype(x.dtype)
