"""Every kind of layer and join by its name, those too that are imported when they are first asked for."""

from __future__ import annotations

from . import (  # noqa: F401 - each adds its own
    affine,
    convolutions,
    detection,
    foreign,
    norm_activations,
    padding,
    parts,
    reductions,
    unused,
)
from .node import Node


def kinds() -> dict[str, type[Node]]:
    """The classes that a description may name."""
    return Node.kinds
