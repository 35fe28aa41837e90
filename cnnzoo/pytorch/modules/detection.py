"""Regions of images: what runs on each of them, and poolings that make all of one size.

The poolings are torchvision's operators of these names, in plain torch. A map is read as rows of channels, one for each
position of each image.
"""

# Annotations are values here: torch.jit.script reads none of an attribute that is a string.

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...arch.node import IntOrPair, pair
from .forwards import Sequential


class Regions(Sequential):
    """What runs on each of the regions of all images."""


def regions_of(maps: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """The number of the image of each of K regions, and (K, 4) corners in pixels, in float32 at least: bfloat16, which
    maps may be in, has of pixels around 1,000 every fourth alone.

    Boxes are (N, n, 4), or a list of N (L, 4), or (K, 5), the number of the image before the corners; ValueError for
    others, for corners that are not finite, and for numbers of no image.
    """
    precise = torch.promote_types(maps.dtype, torch.float32)
    if not torch.jit.is_scripting():  # type: ignore[attr-defined]
        boxes = _in_one(boxes, maps.shape[0], precise)
    if boxes.dim() == 3 and boxes.shape[2] == 4:
        if boxes.shape[0] != maps.shape[0]:
            raise ValueError(f"boxes are of {boxes.shape[0]} images, and there are {maps.shape[0]}")
        each = torch.arange(maps.shape[0], device=maps.device)[:, None].expand(boxes.shape[0], boxes.shape[1])
        images, corners = each.reshape(-1), boxes.reshape(-1, 4).to(precise)
    elif boxes.dim() == 2 and boxes.shape[1] == 5:
        images, corners = boxes[:, 0].to(torch.int64), boxes[:, 1:].to(precise)
    else:
        raise ValueError(
            f"boxes are (N, n, 4), (K, 5) with the number of the image first, or a list of (L, 4); got {boxes.shape}"
        )
    if not torch.jit.is_scripting():  # type: ignore[attr-defined]
        _judge(images, corners, maps.shape[0])
    return images, corners


def _in_one(boxes: Any, images: int, dtype: torch.dtype) -> Tensor:
    """Boxes in one tensor; those of a list as (K, 5)."""
    if isinstance(boxes, Tensor):
        return boxes
    if not isinstance(boxes, list | tuple):
        raise ValueError(f"boxes are a tensor, or a list of one for each image, got {type(boxes).__name__}")
    shapes = [tuple(one.shape) if isinstance(one, Tensor) else type(one).__name__ for one in boxes]
    if len(boxes) != images or any(len(shape) != 2 or shape[1] != 4 for shape in shapes):
        given = ", ".join(map(str, shapes))
        raise ValueError(f"{images} images take as many tensors of boxes (L, 4), got {given or 'none'}")
    numbers = [one.new_full((len(one), 1), number, dtype=dtype) for number, one in enumerate(boxes)]
    return torch.cat([torch.cat(numbers), torch.cat([one.to(dtype) for one in boxes])], 1)


def _judge(images: Tensor, corners: Tensor, count: int) -> None:
    """ValueError for a region that cannot be cut out, where there are values to look at: not on meta, in a FakeTensor,
    or while a graph is made."""
    if corners.is_meta or type(corners) is not Tensor or torch.compiler.is_compiling():
        return
    wrong = ~corners.isfinite().all(1) | (images < 0) | (images >= count)
    if wrong.any():
        region = int(wrong.int().argmax())
        raise ValueError(
            f"boxes must be finite, and of images 0 to {count - 1}: region {region} is {corners[region].tolist()} "
            f"of image {images[region]}"
        )


def rounded(x: Tensor) -> Tensor:
    """To the next whole number, halves away from zero, as in C."""
    whole = x.trunc()
    return whole + torch.sign(x) * ((x - whole).abs() >= 0.5)


def rows_of(maps: Tensor) -> Tensor:
    """(N, C, H, W) as (N * H * W, C), one row after the other in memory."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1]).contiguous()


def bins(first: Tensor, last: Tensor, count: int, length: int) -> tuple[Tensor, Tensor]:
    """Where each of so many equal shares of the regions begins and ends on a map of this length: each (K, count)."""
    least = rounded(first)
    each = ((rounded(last) - least + 1).clamp(min=1) / count)[:, None]
    share = torch.arange(count, device=first.device, dtype=first.dtype)
    begin = torch.floor(share * each) + least[:, None]
    end = torch.ceil((share + 1) * each) + least[:, None]
    return begin.clamp(0, length).to(torch.int64), end.clamp(0, length).to(torch.int64)


def levels(lengths: Tensor, most: int) -> tuple[Tensor, int]:
    """The exponent of the largest power of 2 in each length, 0 for none; how many exponents there may be."""
    found = torch.zeros_like(lengths)
    count = 1
    while (1 << count) <= most:
        found = found + (lengths >= (1 << count)).to(torch.int64)
        count += 1
    return found, count


def behind(ranks: Tensor, dim: int, step: int) -> Tensor:
    """The less of each rank and of that `step` positions further along a dimension, where there are so many."""
    left = ranks.shape[dim] - step
    ahead = torch.minimum(ranks.narrow(dim, 0, left), ranks.narrow(dim, step, left))
    return torch.cat([ahead, ranks.narrow(dim, left, step)], dim)


def largest(
    maps: Tensor, images: Tensor, tops: Tensor, ends: Tensor, lefts: Tensor, stops: Tensor, room: int = 1 << 23
) -> Tensor:
    """In which row of `rows_of(maps)` each channel is largest, the first of several, of the positions from `tops` to
    `ends` and from `lefts` to `stops`: (K, PH, PW, C).

    Range minimum queries by sparse tables, of ranks, 0 for the largest: of the least in rectangles with sides of powers
    of 2, of which four cover a bin of any size. The tables are of so many channels at once that those of an image have
    at most `room` elements.
    """
    number, channels, height, width = maps.shape
    high, rows = levels(ends - tops, height)
    wide, columns = levels(stops - lefts, width)
    size = number * height * width
    table = (high[:, :, None] * columns + wide[:, None, :]) * size + (images * height * width)[:, None, None]
    y0, x0 = tops.clamp(max=height - 1), lefts.clamp(max=width - 1)
    y1, x1 = torch.maximum(ends - 2**high, y0), torch.maximum(stops - 2**wide, x0)
    corners: list[Tensor] = []
    for y in [y0, y1]:
        for x in [x0, x1]:
            corners.append((table + y[:, :, None] * width + x[:, None, :]).reshape(-1))
    numbers = torch.arange(size, device=maps.device, dtype=torch.int32)[:, None]
    share = max(1, room // (rows * columns * height * width))
    found: list[Tensor] = []
    for start in range(0, channels, share):
        order = torch.sort(rows_of(maps[:, start : start + share]), stable=True, dim=0, descending=True)[1]
        ranks = torch.zeros_like(order, dtype=torch.int32).scatter(0, order, numbers.expand_as(order))
        by_row = ranks.reshape(number, height, width, order.shape[1])
        every: list[Tensor] = []
        for row in range(rows):
            by_column = by_row
            for column in range(columns):
                every.append(by_column)
                if column + 1 < columns:
                    by_column = behind(by_column, 2, 1 << column)
            if row + 1 < rows:
                by_row = behind(by_row, 1, 1 << row)
        ranks = torch.stack(every).reshape(rows * columns * size, order.shape[1])
        least = ranks.index_select(0, corners[0])
        for corner in corners[1:]:
            least = torch.minimum(least, ranks.index_select(0, corner))
        found.append(order.gather(0, least.to(torch.int64)))
    return torch.cat(found, 1).reshape(tops.shape[0], tops.shape[1], lefts.shape[1], channels)


def roi_pool(maps: Tensor, boxes: Tensor, output_size: tuple[int, int], spatial_scale: float) -> Tensor:
    """The largest of each share of each region, (K, C, *output_size), 0 for a share without positions."""
    images, corners = regions_of(maps, boxes)
    corners = corners * spatial_scale
    tops, ends = bins(corners[:, 1], corners[:, 3], output_size[0], maps.shape[2])
    lefts, stops = bins(corners[:, 0], corners[:, 2], output_size[1], maps.shape[3])
    rows = F.pad(rows_of(maps), [0, 0, 0, 1])
    with torch.no_grad():
        best = largest(maps, images, tops, ends, lefts, stops)
        empty = (ends <= tops)[:, :, None] | (stops <= lefts)[:, None, :]
        best = best.masked_fill(empty[:, :, :, None], rows.shape[0] - 1)  # the row of zeros
        places = best * maps.shape[1] + torch.arange(maps.shape[1], device=maps.device)
    found = rows.reshape(-1).index_select(0, places.reshape(-1))  # of which autograd keeps the places alone
    return found.reshape(places.shape).permute(0, 3, 1, 2).contiguous()


class Sized(nn.Module):
    """What makes regions of maps all of one size."""

    pools_regions = True

    def __init__(self, output_size: IntOrPair, spatial_scale: float) -> None:
        super().__init__()
        self.output_size = pair(output_size)
        self.spatial_scale = spatial_scale

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}, spatial_scale={self.spatial_scale}"


class RoIPool(Sized):
    """The largest of equal shares of each region: `torchvision.ops.RoIPool`."""

    def forward(self, maps: Tensor, boxes: Tensor) -> Tensor:
        return roi_pool(maps, boxes, self.output_size, self.spatial_scale)


class RoIPyramidPool(nn.Module):
    """The largest of the bins of several grids on each region, one grid after the other."""

    pools_regions = True

    def __init__(self, levels: tuple[int, ...], spatial_scale: float) -> None:
        super().__init__()
        self.levels = list(levels)
        self.spatial_scale = spatial_scale

    def forward(self, maps: Tensor, boxes: Tensor) -> Tensor:
        return torch.cat([roi_pool(maps, boxes, (n, n), self.spatial_scale).flatten(1) for n in self.levels], 1)

    def extra_repr(self) -> str:
        return f"levels={self.levels}, spatial_scale={self.spatial_scale}"


class SpatialPyramidPool(nn.Module):
    """The largest of the bins of several grids on a map, one grid after the other."""

    def __init__(self, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.levels = list(levels)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([F.adaptive_max_pool2d(x, [n, n]).flatten(1) for n in self.levels], 1)

    def extra_repr(self) -> str:
        return f"levels={self.levels}"


def between(place: Tensor, least: Tensor, most: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The two whole places around each one, brought between two others, and how much the second of them counts."""
    place = torch.minimum(torch.maximum(place, least.to(place.dtype)), most.to(place.dtype))
    low = place.to(torch.int64)
    return low, torch.minimum(low + 1, most), place - low.to(place.dtype)


def bilinear(
    width: int, above: Tensor, ys: tuple[Tensor, Tensor, Tensor], xs: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Of places between four rows, `ys` (K, PH) and `xs` (K, PW), these rows and how much each counts: (K, PH, PW, 4).
    `above` is how many rows stand before those of a region's image."""
    y = torch.stack([ys[0], ys[0], ys[1], ys[1]], 2)
    x = torch.stack([xs[0], xs[1], xs[0], xs[1]], 2)
    of_y = torch.stack([1 - ys[2], 1 - ys[2], ys[2], ys[2]], 2)
    of_x = torch.stack([1 - xs[2], xs[2], 1 - xs[2], xs[2]], 2)
    places = above[:, None, None, None] + y[:, :, None] * width + x[:, None, :]
    return places, of_y[:, :, None] * of_x[:, None, :]


def weighted(rows: Tensor, places: Tensor, weights: Tensor) -> Tensor:
    """The sums of rows, times their weights: (K, PH, PW, C)."""
    count = places.shape[3]
    sums = F.embedding_bag(
        places.reshape(-1, count), rows, mode="sum", per_sample_weights=weights.reshape(-1, count).to(rows.dtype)
    )
    return sums.reshape(places.shape[0], places.shape[1], places.shape[2], rows.shape[1])


class RoIAlign(Sized):
    """The means of bilinear samples in equal shares of each region: `torchvision.ops.RoIAlign`."""

    def __init__(self, output_size: IntOrPair, spatial_scale: float, sampling_ratio: int, aligned: bool) -> None:
        super().__init__(output_size, spatial_scale)
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(self, maps: Tensor, boxes: Tensor) -> Tensor:
        images, corners = regions_of(maps, boxes)
        height, width = maps.shape[2], maps.shape[3]
        corners = corners * self.spatial_scale - (0.5 if self.aligned else 0.0)
        sizes = corners[:, 2:] - corners[:, :2]
        if not self.aligned:
            sizes = sizes.clamp(min=1)
        tall, wide = sizes[:, 1:] / self.output_size[0], sizes[:, :1] / self.output_size[1]
        down, across = self.samples(tall), self.samples(wide)
        shares = torch.arange(self.output_size[0], device=maps.device, dtype=corners.dtype)
        strips = torch.arange(self.output_size[1], device=maps.device, dtype=corners.dtype)
        begin, start = corners[:, 1:2] + shares * tall, corners[:, 0:1] + strips * wide
        row, rows_read = self.read(begin, tall, down, height)
        column, columns_read = self.read(start, wide, across, width)
        rows = rows_of(maps)
        above = images * (height * width)
        total = maps.new_zeros([corners.shape[0], self.output_size[0], self.output_size[1], maps.shape[1]])
        mean = 1 / (down * across).clamp(min=1)
        none = torch.zeros([1], dtype=torch.int64, device=maps.device)
        for one in range(rows_read):
            y = begin + (row + one + 0.5) * tall / down.clamp(min=1)
            counts_y = (y >= -1) & (y <= height) & (row + one < down)
            ys = between(y, none, none + height - 1)
            places: list[Tensor] = []
            weights: list[Tensor] = []
            for other in range(columns_read):
                x = start + (column + other + 0.5) * wide / across.clamp(min=1)
                counts_x = (x >= -1) & (x <= width) & (column + other < across)
                place, weight = bilinear(width, above, ys, between(x, none, none + width - 1))
                counts = counts_y[:, :, None] & counts_x[:, None, :]
                places.append(place)
                weights.append((weight * mean[:, :, None, None]).masked_fill(~counts[:, :, :, None], 0.0))
            total = total + weighted(rows, torch.cat(places, 3), torch.cat(weights, 3))
        return total.permute(0, 3, 1, 2).contiguous()

    def samples(self, extent: Tensor) -> Tensor:
        """How many there are along an axis in a share of this extent."""
        ratio = self.sampling_ratio
        return torch.full_like(extent, ratio) if ratio > 0 else torch.ceil(extent).clamp(min=0)

    def read(self, begin: Tensor, extent: Tensor, count: Tensor, length: int) -> tuple[Tensor, int]:
        """The first sample that may lie on a map of this length, in each share; how many are tried from there on.

        Where `count` depends on the boxes it has no bound, while of samples that are a position apart or less, and
        half of one or more, few lie on the map. Without values, on meta, one is tried.
        """
        if self.sampling_ratio > 0:
            return torch.zeros_like(begin), self.sampling_ratio
        apart = torch.where(count > 0, extent / count.clamp(min=1), 1.0)
        first = torch.minimum(torch.floor((-1 - begin) / apart - 0.5).clamp(min=0), count)
        last = torch.minimum(torch.ceil((length - begin) / apart - 0.5), count - 1)
        if begin.is_meta or begin.numel() == 0:
            return first, 1
        return first, max(1, int((last - first).max()) + 1)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, sampling_ratio={self.sampling_ratio}, aligned={self.aligned}"


class Resize(Sized):
    """The crop of each region at one size, bilinear."""

    def forward(self, maps: Tensor, boxes: Tensor) -> Tensor:
        images, corners = regions_of(maps, boxes)
        height, width = maps.shape[2], maps.shape[3]
        corners = rounded(corners * self.spatial_scale)
        ys = self.places(corners[:, 1], corners[:, 3], self.output_size[0], height)
        xs = self.places(corners[:, 0], corners[:, 2], self.output_size[1], width)
        rows = rows_of(maps)
        places, weights = bilinear(width, images * (height * width), ys, xs)
        return weighted(rows, places, weights).permute(0, 3, 1, 2).contiguous()

    def places(self, first: Tensor, last: Tensor, count: int, length: int) -> tuple[Tensor, Tensor, Tensor]:
        """The two positions of the map around each one of the crops, and how much the second counts."""
        begin = first.clamp(0, length - 1)[:, None]
        end = torch.minimum(torch.maximum(last[:, None], begin + 1), torch.full_like(begin, length))
        own = torch.arange(count, device=first.device, dtype=first.dtype)
        place = begin + ((own + 0.5) * ((end - begin) / count) - 0.5)
        return between(place, begin.to(torch.int64), end.to(torch.int64) - 1)
