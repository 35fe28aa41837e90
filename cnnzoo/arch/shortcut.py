"""The mark of the child that is a shortcut."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidTypeError
from ..words import quoted
from .node import Node


class Shortcut:
    """The child of a `Residual`, `Gate`, `Dense` or `Difference` that is its shortcut's own layers:
    `proj=Shortcut(Conv2d(64, 1))`. It runs where it stands among the children, and all others are the body."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        if not isinstance(node, Node):
            raise InvalidTypeError(f"Shortcut takes a layer or a join, got {quoted(node)}")
        self.node = node

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shortcut) and self.node == other.node

    def __hash__(self) -> int:
        return hash((Shortcut, self.node))

    def __repr__(self) -> str:
        return f"Shortcut({self.node!r})"


def unmarked(child: Any) -> Any:
    """A child without its marker."""
    return child.node if isinstance(child, Shortcut) else child
