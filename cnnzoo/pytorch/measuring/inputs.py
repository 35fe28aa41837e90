"""What a measured module is given: input sizes as tensors, and tensors as they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from ...errors import InvalidTypeError, InvalidValueError
from ...report import ITEM_BYTES
from ...words import MOST, hint, quoted
from .borrow import NoTwinError, empty_like
from .operators import tensors_in
from .tree import parameters

Shape = tuple[int, ...]


class Inputs(NamedTuple):
    """Arguments of a forward, and the number of samples in them."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    batch_size: int
    batch_dim: int | None
    """Which dimension of them is the batch; None where there is none."""
    listed: bool = False
    """Whether the samples are the tensors of a list, the only argument, as detectors take images of several sizes."""

    @property
    def batched(self) -> bool:
        return self.batch_dim is not None

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Of every tensor, per sample; of a nested one that of all its values."""
        given = tensors_in([self.args, self.kwargs])
        return tuple(self._less_batch(tuple((one.values() if one.is_nested else one).shape)) for one in given)

    def _less_batch(self, shape: Shape) -> Shape:
        at = self.batch_dim
        return shape if at is None or self.listed else shape[:at] + shape[at + 1 :]

    def sample_of(self, shape: Shape) -> Shape:
        """The shape of what a layer makes without the batch, which may have come to the front there, or be folded with
        other positions into the first dimension."""
        if self.batch_dim is None or not shape:
            return shape
        for at in (self.batch_dim, 0):
            if shape[at : at + 1] == (self.batch_size,):
                return shape[:at] + shape[at + 1 :]
        folded, rest = divmod(shape[0], self.batch_size)
        return shape if rest else (folded, *shape[1:])

    def single(self) -> Inputs:
        """One sample of them, on meta."""
        if self.listed:
            return self._replace(args=([empty_like(self.args[0][0])],), batch_size=1)
        args, kwargs = tree_map_only(Tensor, self._single, (self.args, self.kwargs))
        return self._replace(args=args, kwargs=kwargs, batch_size=1)

    def _single(self, tensor: Tensor) -> Tensor:
        return empty_like(tensor.narrow(self.batch_dim or 0, 0, 1) if self._has_batch(tensor) else tensor)

    def _has_batch(self, tensor: Tensor) -> bool:
        at = self.batch_dim
        return at is not None and tensor.dim() > at and tensor.shape[at] == self.batch_size

    def twice(self) -> Inputs:
        """The same with each sample two times."""
        if self.listed:
            return self._replace(args=([*self.args[0], *self.args[0]],), batch_size=2 * self.batch_size)
        args, kwargs = tree_map_only(Tensor, self._twice, (self.args, self.kwargs))
        return self._replace(args=args, kwargs=kwargs, batch_size=2 * self.batch_size)

    def _twice(self, tensor: Tensor) -> Tensor:
        return torch.cat([tensor, tensor], self.batch_dim or 0) if self._has_batch(tensor) else tensor

    def moved(self, device: torch.device | str) -> Inputs:
        """The same on a device, in tensors of their own."""
        moved = tree_map_only(Tensor, lambda one: _moved(one, device), (self.args, self.kwargs))
        return self._replace(args=moved[0], kwargs=moved[1])


def _moved(tensor: Tensor, device: torch.device | str) -> Tensor:
    if torch.device(device).type == "meta":
        if tensor.is_nested:
            raise NoTwinError("an input is nested, and its lengths are values")
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


def of_samples(
    shapes: Sequence[Shape],
    dtypes: Sequence[torch.dtype],
    kwargs: Mapping[str, Any],
    batch_size: int = 1,
    batch_dim: int | None = 0,
) -> Inputs:
    """Inputs on meta of samples of these shapes, with the batch at `batch_dim`; ValueError where that is too far, and
    for more bytes than a tensor has."""
    made = []
    for shape, dtype in zip(shapes, dtypes, strict=True):
        if batch_dim is not None and batch_dim > len(shape):
            raise InvalidValueError(f"batch_dim={batch_dim} is behind the dimensions of a sample of {shape}")
        whole = shape if batch_dim is None else (*shape[:batch_dim], batch_size, *shape[batch_dim:])
        if prod(whole) * dtype.itemsize > MOST:
            raise InvalidValueError(
                f"an input of {quoted(whole)} is larger than any tensor: one has at most {MOST:,} bytes"
            )
        made.append(torch.empty(whole, dtype=dtype, device="meta"))
    return Inputs(tuple(made), dict(kwargs), batch_size, batch_dim)


def from_data(data: Any, batch_dim: int | None, kwargs: Mapping[str, Any]) -> Inputs:
    """A tensor, a sequence of positional inputs, or a dict of keyword inputs. A list of tensors as the only positional
    input has a sample in each of them."""
    data = torch.utils._pytree.tree_map(lambda one: torch.as_tensor(one) if hasattr(one, "__array__") else one, data)
    args: tuple[Any, ...] = (data,)
    named = dict(kwargs)
    if isinstance(data, Mapping):
        args, named = (), {**data, **kwargs}
    elif isinstance(data, tuple | list):
        args = tuple(data)
    if not tensors_in([args, named]):
        raise InvalidTypeError(
            f"input_data must be a tensor, a sequence or a dict with tensors, got {type(data).__name__}"
        )
    samples = args[0] if len(args) == 1 and not named else None
    if batch_dim == 0 and isinstance(samples, list) and all(isinstance(one, Tensor) and one.dim() for one in samples):
        return Inputs((samples,), named, len(samples), 0, listed=True)
    first = tensors_in([args, named])[0]
    if batch_dim and batch_dim >= first.dim():
        raise InvalidValueError(f"batch_dim={batch_dim} is no dimension of input_data of {tuple(first.shape)}")
    if batch_dim is None or not first.dim() or first.is_nested:
        return Inputs(args, named, 1, None)
    return Inputs(args, named, first.size(batch_dim), batch_dim)


def unbatched(inputs: Inputs) -> Inputs:
    """The same inputs, of one sample without a batch dimension."""
    return inputs._replace(batch_size=1, batch_dim=None)


def read_dtype(dtype: str | torch.dtype) -> torch.dtype:
    found = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if not isinstance(found, torch.dtype):
        known = [*ITEM_BYTES, "int16", "int32", "int64", "uint8", "bool"]
        raise InvalidValueError(f"unknown dtype {quoted(dtype)}; {hint(str(dtype), known)}")
    return found


def dtype_of(module: nn.Module) -> torch.dtype:
    floating = (one.dtype for one in parameters(module) if one.is_floating_point())
    return next(floating, torch.get_default_dtype())
