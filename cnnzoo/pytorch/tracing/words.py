"""What torch's functions are called in a description: each call becomes the layers that do the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from torch import Tensor

from ...arch import Add, Node, Scale


class Said(NamedTuple):
    """A call in words: nodes in a row, of which the first reads these tensors; none where the tensor is handed on."""

    nodes: tuple[Node, ...]
    reads: tuple[Tensor, ...]
    own: Mapping[str, Tensor] = {}
    """A layer's tensors by the names that the layer has for them."""
    random: bool = False
    """Whether the call draws random numbers."""
    before: tuple[Said, Tensor] | None = None
    """What is called before it, and the tensor that this makes, which it reads."""


class Recipe(NamedTuple):
    """The call that made a tensor of the network's own tensors alone."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class NoWordError(Exception):
    """A call that no layer stands for, and why."""


Word: TypeAlias = Callable[..., Said | list[Said]]
"""Takes what torch's function takes; a list has one of each tensor that the function gives."""

WORDS: dict[str, Word] = {}
"""By the name of torch's function, without the underscore of one that writes over its input."""


def word(*names: str) -> Callable[[Word], Word]:
    def register(function: Word) -> Word:
        WORDS.update(dict.fromkeys(names or (function.__name__.strip("_"),), function))
        return function

    return register


def said(node: Node, *reads: Tensor, **own: Tensor | None) -> Said:
    return Said((node,), reads, {name: one for name, one in own.items() if one is not None})


def refuse(told: Mapping[str, Any]) -> None:
    """Raise for settings that no word has, where they are set."""
    for name, value in told.items():
        if value not in (None, False, 0, ()):
            raise NoWordError(f"no word has {name}={value!r}")


def plain(value: Any) -> Any:
    """Numbers as Python has them, where a network worked its settings out with NumPy; tensors and all else stay."""
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value)) if type(value) in (list, tuple) else tuple(map(plain, value))
    if isinstance(value, bool | Tensor) or value is None:
        return value
    if hasattr(value, "__index__"):
        return int(value)
    return float(value) if isinstance(value, float) else value


def of_stack(name: str, tensors: Sequence[Tensor], dim: Any = None, keepdim: bool = False, **told: Any) -> Said:
    """What a function makes of tensors that were stacked along a new first dimension: their sum or mean over it."""
    if name not in ("sum", "mean") or dim not in (0, (0,), [0]) or keepdim:
        raise NoWordError("it is of values that were stacked along the batch")
    refuse(told)
    if len(tensors) == 1:
        return Said((), tuple(tensors))
    mean = (Scale(1 / len(tensors)),) if name == "mean" else ()
    return Said((Add(), *mean), tuple(tensors))


def pair_of(value: Any) -> Any:
    """A number or a pair; None stays."""
    if isinstance(value, list | tuple):
        return tuple(value) * 2 if len(value) == 1 else tuple(value)
    return value


def dim_of(dim: int, tensor: Tensor) -> int:
    return dim + tensor.dim() if dim < 0 else dim


def along(dim: int, tensor: Tensor) -> int:
    """A dimension that is not the batch."""
    place = dim_of(dim, tensor)
    if not place:
        raise NoWordError("it is along the batch")
    return place
