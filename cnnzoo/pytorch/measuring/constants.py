"""Which tensors a forward makes itself, of no input, weight or random number: asking for their values asks no data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

LIKE = frozenset(
    (
        *("empty_like", "full_like", "ones_like", "zeros_like", "lift_fresh"),
        *("new_empty", "new_empty_strided", "new_full", "new_ones", "new_zeros"),
    )
)
"""Operators that take no more of a tensor than its shape, or take what Python wrote."""


class Constants:
    """The storages of such tensors, so that views are known with what they are views of."""

    def __init__(self) -> None:
        self._found: dict[int, Any] = {}

    def hold(self, given: Sequence[Any]) -> bool:
        """Whether all tensors among these are constants."""
        return all(_key(one)[0] in self._found for one in given if isinstance(one, Tensor))

    def note(self, func: Any, given: Sequence[Any], out: Any) -> None:
        """What an operator gives is a constant where all that it is given is; so is what it writes into."""
        name = str(func.name()).partition("::")[2].partition(".")[0] if hasattr(func, "name") else ""
        random = torch.Tag.nondeterministic_seeded in getattr(func, "tags", ())
        constant = not random and (name in LIKE or self.hold(given))
        made = [one for one in (out if isinstance(out, tuple | list) else [out]) if isinstance(one, Tensor)]
        written = [one for one in given[:1] if isinstance(one, Tensor) and name.endswith("_")]
        for one in (*made, *written):
            key, storage = _key(one)
            if constant and storage is not None:
                self._found[key] = storage
            else:
                self._found.pop(key, None)


def _key(tensor: Tensor) -> tuple[int, Any]:
    try:
        storage = tensor.untyped_storage()
    except (RuntimeError, NotImplementedError):  # sparse, or a class of its own
        return 0, None
    return storage._cdata, storage
