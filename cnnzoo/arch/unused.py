"""Tensors that no forward reads: they are a part of the network, and of none of its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from .node import Layer, layer
from .rules import Shapes, names, shapes_by_name
from .signal import Shape, ShapeError


@layer
class Unused(Layer):
    """Hands its input on; has the tensors of modules that are never run, or a parameter that no forward reads.

    An encoder that once was a classifier has its head so: `conv_head=Unused({"weight": (1280, 320, 1, 1)})`. What is
    there is in the state dict and among the parameters, and its gradients are None. Names are those below the layer's
    own path: those of a block have dots, as "bn.weight"; a tensor that is called "" stands at the path itself, alone.
    No state dict has the buffers that are `non_persistent`.
    """

    is_view: ClassVar[bool] = True
    rules: ClassVar = {"parameters": shapes_by_name, "buffer_tensors": shapes_by_name, "non_persistent": names}

    parameters: Shapes = ()
    buffer_tensors: Shapes = ()
    non_persistent: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        found = [name for name, _ in (*self.parameters, *self.buffer_tensors)]
        inner = {name.rpartition(".")[0] for name in found}
        if len({*found}) < len(found) or not inner.isdisjoint({*found} - {""}) or ("" in found and len(found) > 1):
            raise ShapeError(f"Unused: tensors must have names that differ, and none stand in another, got {found}")

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return dict(self.parameters)

    def buffers(self, shape: Shape) -> dict[str, Shape]:
        return dict(self.buffer_tensors)

    def mixes(self, shape: Shape) -> Sequence[int] | None:
        return ()
