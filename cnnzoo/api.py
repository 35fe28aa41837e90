"""What the package offers to Python and to the command line alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .arch.node import Node
from .arch.signal import Shape
from .calculate import calculate
from .registry import Builder, get_builder
from .report import Report


def summary(
    model: str | Builder[Any] | Node,
    input_size: int | Iterable[int] | None = None,
    *,
    batch_size: int | None = None,
    dtype: str = "float32",
    **settings: Any,
) -> Report:
    """The `Report` of a registered network, by name or builder, or of a description.

    `input_size` is (channels, height, width), with the batch in front as in torchinfo, or one number for
    a square of the registered channels; by default what the network is registered with. `settings` go
    to the builder: `num_classes=10`. Raises `UnknownModelError`, `ShapeError` where a layer cannot take
    what reaches it, ValueError for a size that is none, TypeError for an unknown setting.
    """
    if isinstance(model, Node):
        if settings:
            raise TypeError(f"a description takes no settings, got {', '.join(settings)}")
        shape, batch = read_size(input_size, None, batch_size)
        return calculate(model, shape, batch_size=batch, dtype=dtype)
    builder = get_builder(model) if isinstance(model, str) else model
    shape, batch = read_size(input_size, builder.input_size, batch_size)
    return calculate(
        builder.describe(**settings),
        shape,
        batch_size=batch,
        dtype=dtype,
        model=builder.name,
        paper=builder.paper.citation,
    )


def read_size(size: int | Iterable[int] | None, default: Shape | None, batch_size: int | None) -> tuple[Shape, int]:
    """(channels, height, width) and the batch, from any of the ways to say an input size."""
    if size is None or isinstance(size, int):
        if default is None:
            raise ValueError("a description has no input size of its own: give input_size=(channels, height, width)")
        shape = default if size is None else (default[0], size, size)
    else:
        shape = tuple(size)
    if len(shape) == 4:
        if batch_size not in (None, shape[0]):
            raise ValueError(f"input_size {shape} says a batch of {shape[0]}, batch_size says {batch_size}")
        batch_size, *rest = shape
        shape = tuple(rest)
    if len(shape) not in (1, 3) or any(type(length) is not int or length < 1 for length in shape):
        raise ValueError(
            f"input_size must be (channels, height, width), (batch, channels, height, width) or one number, "
            f"all of them positive whole numbers; got {shape}"
        )
    return shape, 1 if batch_size is None else batch_size
