"""The walk of a value through a description: what each layer makes of it, and at which path that layer stands."""

from __future__ import annotations

from typing import Any, TypeVar

from .join import Flow, Join
from .meetings import Meeting
from .node import Layer, Node, Ports
from .steps import Step

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
    _looks: int = 0
    """In how many blocks around it values are looked at."""
    _seen: dict[str, Any] = {}  # noqa: RUF012 - made anew by `look`
    """The values in these blocks, by path."""

    def run(self, name: str, child: Node, x: T) -> T:
        """What the child of that name of the node at `self.path` makes of x."""
        outer = self.path
        self.path = f"{outer}.{name}" if outer else name  # child_path, without a call for every layer
        y = self.layer(child, x) if isinstance(child, Layer) else self.block(child, x)  # type: ignore[arg-type]
        if self._looks:
            self._seen[self.path] = y
        self.path = outer
        return y

    def look(self, name: str, child: Node, x: T, paths: Ports) -> T:
        if "_seen" not in vars(self):
            self._seen = {}
        self._looks += 1
        y = self.run(name, child, x)
        self._looks -= 1
        return y

    def again(self, step: Step, x: T) -> T:
        """The layers' own paths are `self.path` while they run; what is seen in them is seen at the step's."""
        outer, self._seen = self._seen, {}
        layers, own = child_path(self.path, step.layers), child_path(self.path, step.name)
        y = self.look(step.layers, step.node, x, step.looks) if step.looks else self.run(step.layers, step.node, x)
        for path, value in self._seen.items():
            outer[own + path.removeprefix(layers)] = value
        self._seen = outer
        return y

    def inner(self, path: str) -> T:
        return self._seen[child_path(self.path, path)]  # type: ignore[no-any-return]

    def layer(self, layer: Layer, x: T) -> T:
        """What the layer at `self.path` makes of x."""
        raise NotImplementedError

    def block(self, join: Join, x: T) -> T:
        """What the join at `self.path` makes of x."""
        return join.flow(x, self)

    def meet(self, name: str, meeting: Meeting, parts: list[T]) -> T:
        """What becomes of values in the child of that name, or in the join at `self.path` itself."""
        outer = self.path
        self.path = child_path(outer, name) if name else outer
        y = self.meeting(meeting, parts, own=not name)
        if self._looks and name:
            self._seen[self.path] = y
        self.path = outer
        return y

    def meeting(self, meeting: Meeting, parts: list[T], own: bool) -> T:
        """What becomes of values that meet at `self.path`; `own` where that is a join."""
        raise NotImplementedError
