"""What input sizes mean: a sample's, or those of a batch. Where both may be, the network itself decides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import nn

from ...errors import InvalidTypeError, InvalidValueError
from ...words import counted, quoted
from .inputs import Inputs, Shape, from_data, of_samples, read_dtype
from .operators import tensors_in
from .trace import Call
from .tree import modules

MAPS = re.compile(r"[23]d$")
"""How the names of torch's layers for images and volumes end."""


class Reading(NamedTuple):
    """Inputs that a size may mean."""

    inputs: Inputs
    size: str = ""
    """What was said."""
    what: str = ""
    """What it is read as."""
    why: str = ""
    plain: bool = True
    """Whether nobody would read it otherwise."""
    of_maps: bool | None = None
    """Whether it holds only if the first layer that is called takes images, or only if it does not."""

    def note(self, instead_of: Reading | None = None) -> str:
        """How the size is read, where that is not plain, or another way failed."""
        if instead_of is not None:
            return f"input size {self.size} is read as {self.what}: as {instead_of.what} it fails"
        said = f"input size {self.size} is read as {self.what}{self.why}" if self.size else self.what
        return "" if self.plain else said

    def holds(self, root: Call | None) -> bool:
        """Whether the network, called with it, is one for which it is meant."""
        first = next(takers(root), None)
        return self.of_maps is None or first is None or first[0].takes_maps == self.of_maps


class Taker(NamedTuple):
    """A layer whose class says how many dimensions a sample has for it."""

    module: nn.Module
    rank: int

    @property
    def takes_maps(self) -> bool:
        return self.rank > 2 or isinstance(self.module, nn.modules.conv._ConvNd)

    @property
    def takes_sequences(self) -> bool:
        return isinstance(self.module, nn.RNNBase | nn.MultiheadAttention)

    @property
    def is_time_major(self) -> bool:
        return self.takes_sequences and not self.module.batch_first

    def image(self, side: int) -> Shape:
        """A map of this side, with the channels that the layer takes."""
        channels = getattr(self.module, "in_channels", 0) or getattr(self.module, "num_features", 0) or 3
        return (channels, *[side] * (self.rank - 1))


def taker(module: nn.Module) -> Taker | None:
    if isinstance(module, nn.modules.conv._ConvNd):
        return Taker(module, len(module.kernel_size) + 1)
    if isinstance(module, nn.RNNBase | nn.MultiheadAttention):
        return Taker(module, 2)
    if isinstance(module, nn.Linear | nn.Bilinear | nn.Embedding | nn.EmbeddingBag | nn.RNNCellBase):
        return Taker(module, 1)
    kind: Any = type(module)
    dims = _dims_of(kind)
    return None if dims is None else Taker(module, dims + 1)


@cache
def _dims_of(kind: Any) -> int | None:
    """2 for what is, or is derived from, a layer of torch's for images, 3 of those for volumes."""
    bases = (base.__name__ for base in kind.__mro__ if base.__module__.startswith("torch.nn."))
    return next((int(name[-2]) for name in bases if MAPS.search(name)), None)


def takers(call: Call | None) -> Iterator[tuple[Taker, Call]]:
    """Such layers in the order of their calls."""
    waiting = [call] if call is not None else []
    while waiting:
        one = waiting.pop()
        found = taker(one.submodule.module)
        if found is not None:
            yield found, one
        waiting += reversed(list(one.calls()))


def takes_one_sample(root: Call | None, inputs: Inputs) -> bool:
    """Whether a layer is given the input as one sample, without a batch: a convolution, a recurrent layer or
    attention, or a linear layer that is the first of all."""
    given = tensors_in([inputs.args, inputs.kwargs])[0].dim()
    for place, (found, call) in enumerate(takers(root)):
        strict = found.takes_sequences or isinstance(found.module, nn.modules.conv._ConvNd)
        firm = strict or (not place and isinstance(found.module, nn.Linear))
        if firm and len(call.input_shape) == found.rank == given:
            return True
    return False


def read_inputs(
    module: nn.Module,
    size: Any,
    data: Any,
    batch_size: int | None,
    batch_dim: int | None,
    dtype: torch.dtype,
    forward: Mapping[str, Any],
    dtypes: Sequence[str | torch.dtype | None] | None = None,
) -> list[Reading]:
    """What the inputs of a forward may be, the likeliest first, from sizes or from data.

    `dtypes` are those of the sizes, None is `dtype`. Of several sizes a number alone is a length, but for the first
    where the network begins with a layer of images.
    """
    if (size is None) == (data is None):
        raise InvalidValueError("give either input_size=(channels, height, width) or input_data")
    if batch_dim is not None and (type(batch_dim) is not int or batch_dim < 0):
        raise InvalidValueError(
            f"batch_dim must be the batch's place from 0, or None where there is none; got {batch_dim!r}"
        )
    if batch_size is not None and (type(batch_size) is not int or batch_size < 1):
        raise InvalidValueError(f"batch_size must be a whole number of at least 1, got {quoted(batch_size)}")
    if data is not None:
        if batch_size is not None:
            raise InvalidValueError("input_data has its own batch, batch_size goes with input_size")
        if dtypes is not None:
            raise InvalidValueError("input_data has its own dtypes, dtypes go with input_size")
        inputs = from_data(data, batch_dim, forward)
        nested = any(one.is_nested for one in tensors_in([inputs.args, inputs.kwargs]))
        return [Reading(inputs, what="counts are of all samples in a nested tensor", plain=not nested)]
    if tensors_in(size) or hasattr(size, "ndim"):
        raise InvalidTypeError("input_size takes numbers; a tensor goes with input_data=: summary(net, input_data=x)")
    sizes = _listed(size)
    if dtypes is not None and (isinstance(dtypes, str) or not isinstance(dtypes, Sequence)):
        raise InvalidTypeError(f"dtypes are a list, one for each input: dtypes=[{quoted(dtypes)}]")
    floating = dtype if dtype.is_floating_point else torch.get_default_dtype()
    kinds = [floating if one is None else read_dtype(one) for one in dtypes or [None] * len(sizes)]
    if len(kinds) != len(sizes):
        raise InvalidValueError(
            f"{counted(len(kinds), 'dtypes')} for {counted(len(sizes), 'inputs')}: give one for each"
        )
    first = next((found for found in map(taker, modules(module)) if found is not None), None)
    if isinstance(size, int) and kinds[0].is_floating_point:
        return _of_a_number(size, first, kinds, batch_size, batch_dim, forward)
    shapes = [(one,) if isinstance(one, int | str) else tuple(one) for one in sizes]
    for shape in shapes:
        _check(shape)
    if isinstance(sizes[0], int) and kinds[0].is_floating_point and first is not None and first.takes_maps:
        shapes[0] = first.image(sizes[0])
    if batch_dim is None:
        return [Reading(of_samples(shapes, kinds, forward, batch_dim=None))]
    is_layer = type(module).__module__.startswith("torch.nn.")
    return _of_sizes(shapes, first, is_layer, kinds, batch_size, batch_dim, forward)


def _listed(size: Any) -> list[Any]:
    """Several sizes, or a list of the only one."""
    if isinstance(size, int | str):
        return [size]
    sizes = list(size)
    return sizes if any(isinstance(one, tuple | list) for one in sizes) else [sizes]


def _check(shape: Sequence[Any]) -> None:
    if not shape or any(type(length) is not int or length < 1 for length in shape):
        raise InvalidValueError(
            f"an input size must be positive whole numbers, as (3, 224, 224); got {quoted(tuple(shape))}"
        )


def _of_a_number(
    number: int,
    first: Taker | None,
    kinds: Sequence[torch.dtype],
    batch_size: int | None,
    batch_dim: int | None,
    forward: Mapping[str, Any],
) -> list[Reading]:
    """A number alone is the side of an image where the first layer called takes images, and else a length."""
    _check((number,))
    image = first.image(number) if first is not None and first.takes_maps else (3, number, number)
    found = []
    for shape, of_maps in ((image, True), ((number,), False)):
        inputs = of_samples([shape], kinds, forward, batch_size or 1, batch_dim)
        found.append(Reading(inputs, str(number), said(shape), of_maps=of_maps))
    return found if first is not None and first.takes_maps else found[::-1]


def _of_sizes(
    shapes: Sequence[Shape],
    first: Taker | None,
    is_layer: bool,
    kinds: Sequence[torch.dtype],
    batch_size: int | None,
    batch_dim: int,
    forward: Mapping[str, Any],
) -> list[Reading]:
    """One length is a sample's. Other sizes are of a sample, or all have the batch in them: by the dimensions that
    the first layer takes; where it takes any, a sample has one or three.

    `is_layer` says that the module is one of torch's own, which takes its input as it comes. Raises ValueError for
    sizes of two batches.
    """
    rank = first.rank if first else 0
    telling = shapes if rank > 1 else shapes[:1]  # a linear layer takes any dimensions in front
    over = [len(shape) - rank for shape in telling if first and len(shape) - rank in (0, 1)]
    in_batch = over[0] == 1 if over else any(len(shape) not in (1, 3) for shape in shapes)
    name = type(first.module).__name__ if first else ""
    why = f", as {name} takes it" if over else ""
    plain = not over or first is None or not first.takes_sequences
    second = is_layer and not batch_dim and first is not None and first.is_time_major
    place = 1 if second and len(shapes[0]) == 2 else batch_dim
    size = " and ".join(map(said, shapes))
    one = of_samples(shapes, kinds, forward, batch_size or 1, place)
    sample = Reading(one, size, "one sample", why, plain)
    batches, has_it = _batches_of(shapes, batch_size, batch_dim)
    if len(batches) > 1 and in_batch:
        raise InvalidValueError(f"the inputs have different batch sizes: {' and '.join(map(str, sorted(batches)))}")
    if len(batches) != 1:
        return [sample]
    (batch,) = batches
    pairs = zip(shapes, has_it, strict=True)
    samples = [shape[:batch_dim] + shape[batch_dim + 1 :] if has else shape for shape, has in pairs]
    if second and over:
        why = f"; {name} has batch_first=False: say batch_dim=1 if the second length is the batch"
    whole = Reading(of_samples(samples, kinds, forward, batch, batch_dim), size, f"a batch of {batch}", why, plain)
    alone = batch == 1 and not all(has_it)  # a 1 in front, of what is no usual sample
    return [whole, sample] if in_batch or alone else [sample, whole]


def _batches_of(shapes: Sequence[Shape], batch_size: int | None, batch_dim: int) -> tuple[set[int], list[bool]]:
    """The batches that may be in these sizes, and which have one: all, or those that are of no usual sample."""
    lengths = {shape[batch_dim] if batch_dim < len(shape) else None for shape in shapes}
    common = next(iter(lengths)) if len(lengths) == 1 else None
    if common is not None and common == (batch_size or common) and max(map(len, shapes)) > batch_dim + 1:
        return {common}, [True] * len(shapes)
    has_it = [
        len(shape) not in (1, 3) and len(shape) > batch_dim and shape[batch_dim] == (batch_size or shape[batch_dim])
        for shape in shapes
    ]
    return {shape[batch_dim] for shape, has in zip(shapes, has_it, strict=True) if has}, has_it


def said(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
