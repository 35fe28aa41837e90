"""Why a network cannot take what it is given: torch's errors in a line, and in the words of whoever gave it."""

from __future__ import annotations

import re
from math import prod
from typing import Any

from torch import nn

from .trace import first_line

WORDS = (
    (
        r"Expected more than 1 value per channel when training",
        "in training a batch norm takes more than one value of each channel: say batch_size=2",
    ),
    (
        r"expected input\[.*\] to have (\d+) channels, but got (\d+) channels",
        "a convolution expects {0} channels, got {1}",
    ),
    (
        r"same reduction dim, but got \[(?:.*, )?(\d+)\] X \[(\d+)",
        "a product expects {1} features, got {0}",
    ),
    (
        r"mat1 and mat2 shapes cannot be multiplied \(\d+x(\d+) and (\d+)x\d+\)",
        "a product expects {1} features, got {0}",
    ),
    (
        r"(?s)scalar types: Long, Int.*argument #1 'indices'|'indices' to have one of the following scalar types: Long",
        "it takes whole numbers (Long), say dtypes=[torch.long]",
    ),
)
"""What torch says, and what is meant."""


def refusal(error: BaseException, module: nn.Module | None = None, shape: tuple[int, ...] = (), name: str = "") -> str:
    """Why a module refuses an input of this shape, by its own settings where they do not fit, else by the error."""
    if module is not None and isinstance(error, RuntimeError | ValueError | AssertionError | IndexError):
        wrong = _unfit(module, shape)
        if wrong is not None:
            what, expected, found = wrong
            return f"{name or 'it'} expects {_counted(expected, what)}, got {found}"
    for pattern, meant in WORDS:
        found_words = re.search(pattern, str(error))
        if found_words is not None:
            return meant.format(*found_words.groups())
    return first_line(error)


def _unfit(module: nn.Module, shape: tuple[int, ...]) -> tuple[str, Any, Any] | None:
    """What of a shape is not as a layer has it, what that is, and what was given."""
    if isinstance(module, nn.modules.conv._ConvNd):
        return _channels(module.in_channels, shape, -len(module.kernel_size) - 1)
    if isinstance(module, nn.modules.batchnorm._NormBase):
        return _channels(module.num_features, shape, 1)
    if isinstance(module, nn.GroupNorm):
        return _channels(module.num_channels, shape, 1)
    if isinstance(module, nn.LayerNorm):
        normalized = tuple(module.normalized_shape)
        given = shape[-len(normalized) :]
        expected, found = ("x".join(map(str, one)) for one in (normalized, given))
        return None if given == normalized else ("features", expected, found)
    features = _features(module)
    if features is None or not shape or shape[-1] == features:
        return None
    flat = prod(shape[1:])
    hint = f"{shape[-1]}{' (nn.Flatten before it makes them as many)' if flat == features else ''}"
    return "features", features, hint


def _features(module: nn.Module) -> int | None:
    for kind, name in (
        (nn.Linear, "in_features"),
        (nn.RNNBase, "input_size"),
        (nn.RNNCellBase, "input_size"),
        (nn.MultiheadAttention, "embed_dim"),
    ):
        if isinstance(module, kind):
            return int(getattr(module, name))
    return None


def _channels(expected: int, shape: tuple[int, ...], place: int) -> tuple[str, int, int] | None:
    if not -len(shape) <= place < len(shape) or shape[place] == expected:
        return None
    return "channels", expected, shape[place]


def _counted(number: Any, what: str) -> str:
    return f"{number} {what.removesuffix('s') if number == 1 else what}"
