"""Operators on meta that run again with arguments alike: what they give is made, and not worked out once more."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

Made = Callable[[Any], Any]
"""From an operator's arguments to its output."""


def key_of(func: Any, args: Any, kwargs: Any) -> tuple[Any, ...] | None:
    """What an operator's output on meta depends on; None where it may depend on more."""
    parts = [func]
    for one in (*args, *kwargs.items()) if kwargs else args:
        part = _part(one)
        if part is None:
            return None
        parts.append(part)
    return tuple(parts)


def _part(one: Any) -> Any:
    kind = type(one)
    if kind is Tensor or kind is nn.Parameter:
        if not one.is_meta or one.is_complex() or one.layout is not torch.strided:
            return None
        return (one.shape, one.stride(), one.dtype)
    if kind in SIMPLE:
        return (kind, one)
    if kind is list or kind is tuple:
        parts = tuple(map(_part, one))
        return None if None in parts else parts
    return None


SIMPLE = (int, float, bool, str, type(None), torch.dtype, torch.device, torch.layout, torch.memory_format)


def made_again(func: Any, key: tuple[Any, ...], args: Any, out: Any) -> Made | None:
    """How to make the output that an operator gave once more; None where that is not to be known from outside."""
    if _is_pure(func):
        if type(out) is Tensor:
            return _like(out) if out.is_meta else None  # a constant elsewhere has values
        kind = type(out)
        if kind in (tuple, list) and all(type(one) is Tensor and one.is_meta for one in out):
            each = [*map(_like, out)]
            return lambda args: kind(make(args) for make in each)
    elif _is_in_place(func) and out is args[0] and _part(out) == key[1]:
        return lambda args: args[0]
    return None


def _like(tensor: Tensor) -> Made:
    shape, stride, dtype = tensor.shape, tensor.stride(), tensor.dtype
    return lambda args: torch.empty_strided(shape, stride, dtype=dtype, device="meta")


@cache
def _is_pure(func: Any) -> bool:
    """Whether an operator of torch's own gives new tensors and changes nothing."""
    schema = func._schema
    aliases = [one.alias_info for one in (*schema.arguments, *schema.returns)]
    return bool(func.namespace == "aten" and not schema.is_mutable and not any(aliases))


@cache
def _is_in_place(func: Any) -> bool:
    """Whether it writes to its first argument alone, and gives that."""
    schema = func._schema
    written = [one.alias_info is not None and one.alias_info.is_write for one in schema.arguments]
    return bool(func.namespace == "aten" and schema.name.endswith("_") and written[:1] == [True] and sum(written) == 1)
