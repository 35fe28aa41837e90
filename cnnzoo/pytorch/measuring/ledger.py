"""What the modules of a network hold: each tensor counted once, and the settings that a row shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from ...report import Row, Unknown, rows
from .tree import Held, is_unmade

Shape = tuple[int, ...]

SETTINGS = (
    "out_channels",
    "out_features",
    "kernel_size",
    "filt_size",
    "stride",
    "padding",
    "output_padding",
    "dilation",
    "groups",
    "output_size",
    "ceil_mode",
    "keepdim",
    "padding_mode",
)
"""The attributes of torch's layers that a row shows."""

NOTHING = rows.NOTHING._replace(
    comparisons=None,
    additions=None,
    multiplications=None,
    exponentials=None,
    connections=None,
    depth=None,
    live_bytes=None,
    stored_bytes=None,
)
"""A row without what a measurement does not see: other work than MACs, and what is alive when."""


PARAMETERS = ("weights", "biases", "trainable_params")
"""The figures of a row that are unknown where a parameter is."""


class Ledger:
    """Parameters and buffers by row; a tensor that several modules share is counted in the first row alone."""

    def __init__(self, unknown: Callable[[Unknown], None]) -> None:
        self.bytes = {"param_bytes": 0, "buffer_bytes": 0}
        """Of all that is counted, auxiliary heads apart, each tensor in its own dtype."""
        self._unknown = unknown
        self._counted: set[int] = set()

    def enter(self, path: str, tensors: Mapping[str, Held], aux: bool) -> Row:
        """A row with these tensors, and their number as far as they are not counted yet."""
        weights = biases = buffers = trained = 0
        shapes: dict[bool, dict[str, Shape]] = {False: {}, True: {}}
        unmade = set[str]()
        for name, held in tensors.items():
            if is_unmade(held):
                self._unknown(Unknown(path, name, "a lazy module's tensor, made in its first call"))
                unmade |= {"buffers"} if held.is_buffer else {*PARAMETERS}
                continue
            shapes[held.is_buffer][name] = held.shape
            if id(held.tensor) in self._counted:
                continue
            self._counted.add(id(held.tensor))
            number = held.tensor.numel()
            if not aux:
                self.bytes["buffer_bytes" if held.is_buffer else "param_bytes"] += number * held.tensor.element_size()
            is_bias = "bias" in name.rpartition(".")[2]
            buffers += number if held.is_buffer else 0
            biases += number if is_bias and not held.is_buffer else 0
            weights += number if not (is_bias or held.is_buffer) else 0
            trained += number if held.tensor.requires_grad and not held.is_buffer else 0
        row = NOTHING._replace(
            tensors=shapes[False],
            buffer_tensors=shapes[True],
            non_persistent=tuple(name for name in shapes[True] if not tensors[name].is_persistent),
            weights=weights,
            biases=biases,
            buffers=buffers,
            trainable_params=trained,
        )
        return row.in_part(unmade)


def settings_of(module: nn.Module) -> dict[str, Any]:
    """A layer's settings as a row has them: equal numbers for one axis or two, or for all four sides, are the
    number."""
    found = {}
    for name in SETTINGS:
        value = getattr(module, name, None)
        if isinstance(value, int | str) or (isinstance(value, tuple) and all(isinstance(one, int) for one in value)):
            equal = isinstance(value, tuple) and len(value) in (1, 2, 4) and len(set(value)) == 1
            found[name] = value[0] if equal else value  # type: ignore[index]
    if found.get("padding_mode") == "zeros":
        del found["padding_mode"]
    return found
