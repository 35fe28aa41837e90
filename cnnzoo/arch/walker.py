"""The walk of a value through a description: what each layer makes of it, and at which path that layer stands."""

from __future__ import annotations

from typing import TypeVar

from .joins import Flow, Join
from .node import Layer, Node

T = TypeVar("T")


def child_path(path: str, name: str) -> str:
    """The path of the child `name` of the node at `path`; "" is the whole description."""
    return f"{path}.{name}" if path else name


class Walker(Flow[T]):
    """A `Flow` that knows where it is. A subclass says what a layer makes of a value, and what meets at joins.

    `walker.run("", description, x)` is what the description makes of x.
    """

    path: str = ""
    """That of the layer or the join that the value is in."""

    def run(self, name: str, child: Node, x: T) -> T:
        """What the child of that name of the node at `self.path` makes of x."""
        outer = self.path
        self.path = f"{outer}.{name}" if outer else name  # child_path, without a call for every layer
        y = self.layer(child, x) if isinstance(child, Layer) else self.block(child, x)  # type: ignore[arg-type]
        self.path = outer
        return y

    def layer(self, layer: Layer, x: T) -> T:
        """What the layer at `self.path` makes of x."""
        raise NotImplementedError

    def block(self, join: Join, x: T) -> T:
        """What the join at `self.path` makes of x."""
        return join.flow(x, self)
