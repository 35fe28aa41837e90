"""Functions that change shapes, take parts, or put around: views, chunks, paddings and resampling."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from torch import Tensor

from .... import arch
from ....arch import Node
from ..words import WORDS, NoWordError, Said, along, dim_of, pair_of, refuse, said, word


@word()
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Said:
    start, end = dim_of(start_dim, input), dim_of(end_dim, input)
    if start == end:
        return Said((), (input,))
    return said(arch.Flatten(start, -1 if end == input.dim() - 1 else end), input)


@word("view", "reshape")
def view(input: Tensor, *shape: Any) -> Said:
    lengths = shape[0] if len(shape) == 1 and isinstance(shape[0], list | tuple) else shape
    if not all(isinstance(one, int) for one in lengths):
        raise NoWordError("another dtype")
    known = -prod(lengths)
    out = [input.numel() // known if one == -1 else one for one in lengths]
    return _reshaped(input, out)


@word()
def squeeze(input: Tensor, dim: Any = None) -> Said:
    dims = range(input.dim()) if dim is None else [dim] if isinstance(dim, int) else dim
    gone = {dim_of(one, input) for one in dims}
    return _reshaped(input, [one for place, one in enumerate(input.shape) if place not in gone or one != 1])


@word()
def unsqueeze(input: Tensor, dim: int) -> Said:
    shape = list(input.shape)
    shape.insert(dim + input.dim() + 1 if dim < 0 else dim, 1)
    return _reshaped(input, shape)


@word()
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Said:
    return said(arch.Unflatten(dim, tuple(sizes)), input)


def _reshaped(input: Tensor, out: Sequence[int]) -> Said:
    """Neighbouring dimensions become one and one becomes several, the last first, until the shape is this."""
    given = list(input.shape)
    if given[:1] != list(out[:1]):
        raise NoWordError(f"the batch does not stay: {tuple(given)} becomes {tuple(out)}")
    nodes: list[Node] = []
    for (start, stop), (begin, end) in reversed(_groups(given, out)):
        if start == 0:
            continue
        if stop - start > 1:
            nodes.append(arch.Flatten(start, -1 if stop == len(given) else stop - 1))
        if end - begin > 1:
            nodes.append(arch.Unflatten(start, _beside_ones(out[begin:end])))
    return Said(tuple(nodes), (input,))


def _beside_ones(lengths: Sequence[int]) -> tuple[int, ...]:
    """The lengths as they are, and as -1 one that has only ones beside it, since it is what there is, however wide."""
    if sum(one != 1 for one in lengths) != 1:
        return tuple(lengths)
    return tuple(one if one == 1 else -1 for one in lengths)


def _groups(given: Sequence[int], out: Sequence[int]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The shortest runs of lengths on both sides with the same product; lengths of 1 belong to the run before them."""
    groups = []
    start = begin = 0
    while start < len(given) and begin < len(out):
        stop, end = start + 1, begin + 1
        here, there = given[start], out[begin]
        while here != there:
            if here < there and stop < len(given):
                here *= given[stop]
                stop += 1
            elif end < len(out):
                there *= out[end]
                end += 1
            else:
                raise NoWordError(f"no reshaping of {tuple(given)} to {tuple(out)}")
        rest = len(given) - stop, len(out) - end
        if rest[0] != rest[1] and start:
            while stop < len(given) and given[stop] == 1 and len(given) - stop > len(out) - end:
                stop += 1
            while end < len(out) and out[end] == 1 and len(out) - end > len(given) - stop:
                end += 1
        groups.append(((start, stop), (begin, end)))
        start, begin = stop, end
    if start < len(given) or begin < len(out):
        (last, stop), (begin, end) = groups.pop()
        groups.append(((last, len(given)), (begin, len(out))))
    return groups


@word("repeat", "tile")
def repeat(input: Tensor, *sizes: Any) -> Said:
    """A concatenation with itself."""
    times = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], list | tuple) else sizes
    if len(times) != input.dim():
        raise NoWordError(f"dimensions of {tuple(input.shape)} are added by repeating it {tuple(times)} times")
    nodes = [(place, count) for place, count in enumerate(times) if count != 1]
    if not nodes:
        return Said((), (input,))
    (place, count), *rest = nodes
    if rest:
        raise NoWordError(f"it is repeated along {len(nodes)} dimensions")
    return said(arch.Cat(dim=along(place, input)), *[input] * count)


@word()
def permute(input: Tensor, *dims: Any) -> Said:
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], list | tuple) else dims
    return _permuted(input, [dim_of(one, input) for one in order])


@word("transpose", "swapaxes", "swapdims")
def transpose(input: Tensor, dim0: int, dim1: int) -> Said:
    order = list(range(input.dim()))
    one, other = dim_of(dim0, input), dim_of(dim1, input)
    order[one], order[other] = order[other], order[one]
    return _permuted(input, order)


def _permuted(input: Tensor, order: list[int]) -> Said:
    if order[0]:
        raise NoWordError("the batch does not stay the first dimension")
    return said(arch.Permute(tuple(order)), input)


@word()
def chunk(input: Tensor, chunks: int, dim: int = 0) -> list[Said]:
    place = along(dim, input)
    length = input.shape[place]
    made = -(-length // -(-length // chunks))
    return [said(arch.Chunk(chunks, index, place), input) for index in range(made)]


@word("split", "split_with_sizes")
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> list[Said]:
    place = along(dim, tensor)
    length, sizes = tensor.shape[place], split_size_or_sections
    if isinstance(sizes, int):
        sizes = [min(sizes, length - start) for start in range(0, length, sizes)]
    if len(set(sizes)) == 1:
        return [said(arch.Chunk(len(sizes), index, place), tensor) for index in range(len(sizes))]
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    return [said(arch.Slice(start, start + size, place), tensor) for start, size in zip(starts, sizes, strict=True)]


@word("unbind")
def unbind(input: Tensor, dim: int = 0) -> list[Said]:
    place = along(dim, input)
    return [_picked(input, place, index) for index in range(input.shape[place])]


@word()
def select(input: Tensor, dim: int, index: int) -> Said:
    return _picked(input, along(dim, input), index)


def _picked(input: Tensor, place: int, index: int) -> Said:
    """One element of a dimension, which is gone then."""
    stop = index + 1 or None
    rest = [one for at, one in enumerate(input.shape) if at != place]
    kept = [*input.shape[:place], 1, *input.shape[place + 1 :]]
    return Said((arch.Slice(index, stop, place), *_reshaped(input.new_empty(kept), rest).nodes), (input,))


@word("__getitem__")
def getitem(input: Tensor, index: Any) -> Said:
    return _indexed(input, index)


def _indexed(input: Tensor, index: Any) -> Said:
    """Slices and numbers; None is a new dimension."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(not (one is None or one is Ellipsis or type(one) is int or isinstance(one, slice)) for one in parts):
        raise NoWordError("it is indexed by a tensor or a list")
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        missing = input.dim() - sum(one is not None and one is not Ellipsis for one in parts)
        parts[at : at + 1] = [slice(None)] * missing
    nodes: list[Node] = []
    steps = [1] * input.dim()
    place, shape, out = 0, [], []
    for one in parts:
        if one is None:
            out.append(1)
            continue
        length = input.shape[place]
        whole = slice(one, one + 1 or None) if isinstance(one, int) else one
        start, stop, steps[place] = whole.indices(length)
        if (start, stop) != (0, length):
            if not place:
                raise NoWordError("a part of the batch is taken")
            nodes.append(arch.Slice(whole.start or 0, whole.stop, place))
        taken = len(range(start, stop, steps[place]))
        shape.append(taken)
        out += [] if isinstance(one, int) else [taken]
        place += 1
    rest = list(input.shape[place:])
    if {*steps} != {1}:
        nodes.append(_each(steps))
    return Said((*nodes, *_reshaped(input.new_empty(shape + rest), out + rest).nodes), (input,))


def _each(steps: Sequence[int]) -> Node:
    """Each so many-th position along the height and the width of maps, which is a pooling by windows of one."""
    batch, channels, *sides = steps
    if (batch, channels, len(sides)) != (1, 1, 2):
        raise NoWordError(f"elements are taken {tuple(steps)} apart")
    return arch.MaxPool2d(1, pair_of(sides))


@word()
def slice_(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Said:
    index: list[Any] = [slice(None)] * input.dim()
    index[along(dim, input)] = slice(start, end, step)
    return _indexed(input, tuple(index))


WORDS["slice"] = slice_


@word()
def narrow(input: Tensor, dim: int, start: int, length: int) -> Said:
    return said(arch.Slice(start, start + length, along(dim, input)), input)


@word()
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Said:
    return said(arch.PixelShuffle(upscale_factor), input)


@word()
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Said:
    return said(arch.PixelUnshuffle(downscale_factor), input)


@word("channel_shuffle", "native_channel_shuffle")
def channel_shuffle(input: Tensor, groups: int) -> Said:
    return said(arch.ChannelShuffle(groups), input)


@word()
def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Said:
    sides = [*pad]
    channels = sides[4:6]
    if not any(sides):
        return Said((), (input,))
    if len(sides) == 6 and not any(sides[:4]) and mode == "constant" and not value and min(channels) >= 0:
        return said(arch.PadChannels(input.shape[1] + sum(channels), before=channels[0]), input)
    if (len(sides) > 4 and any(sides[4:])) or input.dim() != 4:
        raise NoWordError(f"padding {pad} is not of height and width alone")
    four: Any = tuple([*sides, 0, 0][:4])
    if mode == "constant":
        return said(arch.ConstantPad2d(four, float(value)) if value else arch.ZeroPad2d(four), input)
    kinds = {"reflect": arch.ReflectionPad2d, "replicate": arch.ReplicationPad2d}
    if mode not in kinds:
        raise NoWordError(f"no word has mode={mode!r}")
    return said(kinds[mode](four), input)


@word("interpolate", "upsample")
def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Said:
    refuse({"recompute_scale_factor": recompute_scale_factor, "antialias": antialias})
    factor = tuple(scale_factor) if isinstance(scale_factor, list) else scale_factor
    return said(arch.Upsample(pair_of(size), factor, mode, align_corners), input)
