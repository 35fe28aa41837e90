"""What has no word here, as it was measured at one input size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY
from typing import Any, ClassVar

from .node import Layer, layer
from .rules import Shapes, is_whole, names, shapes_by_name
from .signal import Shape, ShapeError, Windows, show


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.isidentifier():
        raise ValueError("a name, as of a function or a class")
    return value


def _shape(value: Any) -> Shape:
    if not isinstance(value, tuple | list) or not all(is_whole(one, 0) for one in value):
        raise ValueError("a shape, as (channels, height, width)")
    return tuple(value)


def _tensors(value: Any) -> Shapes:
    found = shapes_by_name(value)
    if len(dict(found)) < len(found):
        raise ValueError("pairs of names that differ")
    return found


def _count(value: Any) -> int:
    if not is_whole(value, 0):
        raise ValueError("a whole number of at least 0")
    return int(value)


@layer
class Foreign(Layer):
    """An operation that no layer stands for, such as attention, as it was measured at one input size.

    `operation` is the name of the function, or of the class of the module; `takes` and `gives` are the shapes of its
    input and of its output for one sample. `parameters` and `buffer_tensors` are its tensors, names with shapes, in the
    order of the state dict, which lacks the buffers that are `non_persistent`; what a block has itself stands at that
    tensor's path, and is called "". `measured_macs` are the MACs of one sample, but for those of the operators in
    `unpriced`, which are not known.

    Its other work, its windows, what autograd keeps and what is alive while it runs are unknown, and so is the depth
    behind it. Another input shape is a `ShapeError`, as nothing is known there. It cannot be built: the module that was
    measured alone has it.
    """

    rules: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "operation": _name,
        "takes": _shape,
        "gives": _shape,
        "parameters": _tensors,
        "buffer_tensors": _tensors,
        "measured_macs": _count,
        "non_persistent": names,
        "unpriced": names,
    }

    operation: str
    takes: Shape
    gives: Shape
    _: KW_ONLY
    parameters: Shapes = ()
    buffer_tensors: Shapes = ()
    non_persistent: tuple[str, ...] = ()
    measured_macs: int = 0
    unpriced: tuple[str, ...] = ()

    @property
    def unstated(self) -> tuple[str, ...]:  # type: ignore[override]
        return (*UNSTATED, "macs") if self.unpriced else UNSTATED

    @property
    def why(self) -> str:  # type: ignore[override]
        """Why figures of it are unknown."""
        macs = f", and the MACs of {', '.join(self.unpriced)}" if self.unpriced else ""
        return f"it has no word here: its other work, its memory and what it reads are unknown{macs}"

    @property
    def _has_tensors(self) -> bool:
        return bool(self.parameters or self.buffer_tensors)

    def output_shape(self, shape: Shape) -> Shape:
        if shape != self.takes:
            raise ShapeError(
                f"{self.operation} has no word here and was measured at {show(self.takes)}; {show(shape)} reaches it: "
                f"describe the module at the size that gives this"
            )
        return self.gives

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return dict(self.parameters)

    def buffers(self, shape: Shape) -> dict[str, Shape]:
        return dict(self.buffer_tensors)

    def macs(self, shape: Shape) -> int:
        return self.measured_macs

    def fan_in(self, shape: Shape) -> int:
        return 0

    def windows(self, shape: Shape) -> Windows | None:
        return None


UNSTATED = (
    *("comparisons", "additions", "multiplications", "exponentials", "connections"),
    *("depth", "activation_bytes", "live_bytes", "stored_bytes"),
)
"""The figures of a row of what is foreign that are unknown; of memory its own output is a part."""
