"""Every kind of layer and join by its name, those too that are imported when they are first asked for."""

from __future__ import annotations

from . import affine, convolutions, foreign, norm_activations, padding, parts, reductions, unused  # noqa: F401 - each adds its own
from .node import Node


def kinds() -> dict[str, type[Node]]:
    """The classes that a description may name."""
    return Node.kinds
