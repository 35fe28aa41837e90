"""What a measured module is given: input sizes as tensors, and tensors as they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..report import ITEM_BYTES
from ..words import hint, quoted
from .borrow import empty_like
from .operators import tensors_in

Shape = tuple[int, ...]


class Inputs(NamedTuple):
    """Arguments of a forward, and the number of samples in them."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    batch_size: int
    batched: bool
    """Whether the first dimension of what flows is the batch."""

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Of every tensor, per sample."""
        shapes = (tuple(one.shape) for one in tensors_in([self.args, self.kwargs]))
        return tuple(shape[1:] if self.batched and shape else shape for shape in shapes)

    def single(self) -> Inputs:
        """One sample of them, on meta."""
        args, kwargs = torch.utils._pytree.tree_map_only(Tensor, self._single, (self.args, self.kwargs))
        return self._replace(args=args, kwargs=kwargs, batch_size=1)

    def _single(self, tensor: Tensor) -> Tensor:
        is_batch = self.batched and tensor.dim() > 0 and tensor.shape[0] == self.batch_size
        return empty_like(tensor[:1] if is_batch else tensor)

    def moved(self, device: torch.device | str) -> Inputs:
        """The same on a device, in tensors of their own."""
        moved = torch.utils._pytree.tree_map_only(Tensor, lambda one: _moved(one, device), (self.args, self.kwargs))
        return self._replace(args=moved[0], kwargs=moved[1])


def _moved(tensor: Tensor, device: torch.device | str) -> Tensor:
    if torch.device(device).type == "meta":
        return empty_like(tensor)
    if tensor.is_meta:
        return _noise(tensor.shape, tensor.dtype, device)
    return tensor.detach().clone().to(device)


def _noise(shape: Sequence[int], dtype: torch.dtype, device: torch.device | str) -> Tensor:
    """Numbers from 0 to 1, always the same; zeros where they must be whole, as class or token 0."""
    if not dtype.is_floating_point:
        return torch.zeros(tuple(shape), dtype=dtype, device=device)
    generator = torch.Generator().manual_seed(0)
    return torch.rand(tuple(shape), generator=generator).to(device=device, dtype=dtype)


def _from_sizes(
    sizes: Sequence[Shape],
    dtypes: Sequence[torch.dtype],
    batch_size: int | None,
    rank: int | None,
    kwargs: Mapping[str, Any],
) -> Inputs:
    """Inputs of these sizes, on meta.

    A size of `rank` lengths is a sample's (where that is not known, of one or three); of another number it has
    the batch in front, unless `batch_size` is another. Raises ValueError for what is no size, and for two batches.
    """
    batches, samples = set(), []
    for size in sizes:
        if not size or any(type(length) is not int or length < 1 for length in size):
            raise ValueError(f"an input size must be positive whole numbers, got {tuple(size)}")
        is_sample = len(size) == rank if rank is not None else len(size) in (1, 3)
        if is_sample or (batch_size is not None and size[0] != batch_size):
            samples.append(tuple(size))
        else:
            batches.add(size[0])
            samples.append(tuple(size[1:]))
    batches |= {batch_size} if batch_size is not None else set()
    if len(batches) > 1:
        raise ValueError(f"the inputs have different batch sizes: {' and '.join(map(str, sorted(batches)))}")
    batch = batches.pop() if batches else 1
    made = [
        torch.empty(batch, *sample, dtype=dtype, device="meta") for sample, dtype in zip(samples, dtypes, strict=True)
    ]
    return Inputs(tuple(made), dict(kwargs), batch, True)


def _from_data(data: Any, batch_dim: int | None, kwargs: Mapping[str, Any]) -> Inputs:
    """A tensor, a sequence of positional inputs, or a dict of keyword inputs."""
    data = torch.utils._pytree.tree_map(lambda one: torch.as_tensor(one) if hasattr(one, "__array__") else one, data)
    args: tuple[Any, ...] = (data,)
    named = dict(kwargs)
    if isinstance(data, Mapping):
        args, named = (), {**data, **kwargs}
    elif isinstance(data, tuple | list):
        args = tuple(data)
    if not tensors_in([args, named]):
        raise TypeError(f"input_data must be a tensor, a sequence or a dict with tensors, got {type(data).__name__}")
    first = tensors_in([args, named])[0]
    batched = batch_dim is not None and first.dim() > 0
    return Inputs(args, named, first.shape[0] if batched else 1, batched)


def unbatched(inputs: Inputs) -> Inputs:
    """The same inputs, of one sample without a batch dimension."""
    return inputs._replace(batch_size=1, batched=False)


def read_dtype(dtype: str | torch.dtype) -> torch.dtype:
    found = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if not isinstance(found, torch.dtype):
        known = [*ITEM_BYTES, "int16", "int32", "int64", "uint8", "bool"]
        raise ValueError(f"unknown dtype {quoted(dtype)}; {hint(str(dtype), known)}")
    return found


def dtype_of(module: nn.Module) -> torch.dtype:
    floating = (one.dtype for one in module.parameters() if one.is_floating_point())
    return next(floating, torch.get_default_dtype())


def read_inputs(
    module: nn.Module,
    size: Any,
    data: Any,
    batch_size: int | None,
    batch_dim: int | None,
    dtype: torch.dtype,
    forward: Mapping[str, Any],
    dtypes: Sequence[str | torch.dtype | None] | None = None,
) -> Inputs:
    """The inputs of a forward, from sizes or from data; `dtypes` are those of the sizes, None is `dtype`."""
    if (size is None) == (data is None):
        raise ValueError("give either input_size=(channels, height, width) or input_data")
    if data is not None:
        if batch_size is not None:
            raise ValueError("input_data has its own batch, batch_size goes with input_size")
        if dtypes is not None:
            raise ValueError("input_data has its own dtypes, dtypes go with input_size")
        return _from_data(data, batch_dim, forward)
    sizes = [size] if isinstance(size, int) else list(size)
    if not isinstance(size, int) and not any(isinstance(one, tuple | list) for one in sizes):
        sizes = [tuple(sizes)]
    floating = dtype if dtype.is_floating_point else torch.get_default_dtype()
    kinds = [floating if one is None else read_dtype(one) for one in dtypes or [None] * len(sizes)]
    if len(kinds) != len(sizes):
        raise ValueError(f"{len(kinds)} dtypes for {len(sizes)} inputs: give one for each")
    rank = _rank(module) if len(sizes) == 1 and kinds[0].is_floating_point else None
    return _from_sizes([*map(lengths, sizes, kinds)], kinds, batch_size, rank, forward)


def lengths(size: int | Sequence[int], dtype: str | torch.dtype | None = None) -> Shape:
    """A number alone is the side of an image of three channels; of a dtype of whole numbers, how many tokens."""
    if not isinstance(size, int):
        return tuple(size)
    return (3, size, size) if dtype is None or read_dtype(dtype).is_floating_point else (size,)


def _rank(module: nn.Module) -> int | None:
    """How many dimensions a sample has, by the network's first convolution."""
    convolutions = (one for one in module.modules() if isinstance(one, nn.modules.conv._ConvNd))
    return next((len(one.kernel_size) + 1 for one in convolutions), None)
