"""Joins without a path of their own: their children are those of the Sequential in which they stand."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any, NamedTuple

from ..errors import InvalidTypeError
from ..words import quoted
from .join import DEEPEST, Flow, Join, source
from .layers import Identity
from .meetings import Meeting, Multiply
from .node import Node, Ports
from .shortcut import Shortcut, unmarked
from .signal import ShapeError
from .steps import From, Step

HOLE = Identity()
"""What stands for an inlined child in the join that says how values flow."""


class Group(NamedTuple):
    """An inlined join by the names of its children, as the Sequential around it keeps it."""

    name: str
    kind: type[Join]
    parts: tuple[str | Group, ...]
    """Its children: a name, or another inlined join."""
    shortcut: str
    """The name of the part that is the shortcut; empty where none is."""

    def names(self) -> list[str]:
        """The names of all children of the Sequential around it that belong to it."""
        found = [name for part in self.parts for name in ([part] if isinstance(part, str) else part.names())]
        return found if self.is_chain else [*found, self.name]

    @property
    def is_chain(self) -> bool:
        """Whether nothing meets in it: it is called as its last layer."""
        return bool(self.parts) and self.name == _name(self.parts[-1])


class Inline(Node):
    """A join without a path of its own, in a Sequential: `mix=Inline(Residual, norm=…, conv=…)` is the steps `norm`,
    `conv` and `mix=Add(…)`, so that its layers are children of the Sequential, by path and as modules.

    It reads the child before it, or `From("stem", Inline(…))`. Its children may be inlined themselves:
    `Inline(Concat, a=Conv2d(8, 1), c=Inline(Sequential, b=Conv2d(8, 1), c=Conv2d(8, 3)))` has the branches `a` and
    `b, c`. Its name is that of what meets, of a Sequential that of its last layer, whose value it gives.
    """

    _runs = False
    _is_inlined = True

    kind: type[Join]
    children: tuple[tuple[str, Node], ...]
    shortcut: str
    _shell: Any
    """The join that says how values flow, with something else in place of what is inlined in it."""

    def __init__(self, kind: type[Join], /, *layers: Node | Shortcut | None, **named: Node | Shortcut | None) -> None:
        if not (isinstance(kind, type) and issubclass(kind, Join) and kind._inlines):
            raise InvalidTypeError(
                "Inline takes Residual, Concat, Dense, Collect, Gate, Difference or Sequential first, "
                f"got {quoted(kind)}"
            )
        given = {**dict(zip(map(str, count()), layers)), **named}  # noqa: B905
        shell: Any = kind(**{name: _hollow(child) for name, child in given.items()})
        if getattr(shell, "_plan", None) is not None:
            raise ShapeError("Inline: steps stand in the Sequential around it")
        if shell._meets and shell._meets != shell.children[-1][0]:
            raise ShapeError("Inline: what follows the sum of a Residual stands behind it")
        children = tuple(
            (name, unmarked(given[name])) for name, child in shell.children if not shell._is_plain(name, child)
        )
        levels = 1 + max((child._levels for _, child in children), default=0)
        if levels > DEEPEST:
            raise ShapeError(f"Inline: nested more than {DEEPEST} levels deep, which is no description")
        shortcut = shell._shortcut if shell._shortcut in dict(children) else ""
        slots = {"kind": kind, "children": children, "shortcut": shortcut, "_shell": shell, "_levels": levels}
        slots["_nodes"] = 1 + sum(child._nodes for _, child in children)
        vars(self).update(slots)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("an Inline is a value: make another one")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Inline) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[Any, ...]:
        return self.kind, self.children, self.shortcut

    def said(self) -> list[tuple[str, Any]]:
        """Its children as they are given."""
        marked = self.shortcut if not self._shell._meets else ""
        return [(name, Shortcut(child) if name == marked else child) for name, child in self.children]

    def __repr__(self) -> str:
        return source("Inline", [self.kind.__name__], self.said())

    def __reduce__(self) -> tuple[Any, ...]:
        return _revived, (self.kind, self.said())

    def steps(self, name: str, read: str) -> list[tuple[str, From]]:
        """The steps that it is under this name, of a value of that name; a `ShapeError` for another than its own."""
        lowering = _Lowering(name, dict(self.children))
        made = self._shell.flow(read, lowering)
        if made != name:
            last = f"that of its last layer, {quoted(made)}" if lowering.found else "its own, and it has no layer"
            raise ShapeError(f"Inline: the name {quoted(name)} is not {last}")
        return lowering.found

    def group(self, name: str) -> Group:
        """It under a name, without its layers."""
        parts = (child.group(own) if isinstance(child, Inline) else own for own, child in self.children)
        return Group(name, self.kind, tuple(parts), self.shortcut)


def _revived(kind: type[Join], said: list[tuple[str, Any]]) -> Inline:
    return Inline(kind, **dict(said))


def _hollow(child: Any) -> Any:
    if isinstance(child, Shortcut):
        return Shortcut(_hollow(child.node))
    return HOLE if isinstance(child, Inline) else child


class _Lowering(Flow[str]):
    """The flow of the names of values through an inlined join."""

    def __init__(self, name: str, children: Mapping[str, Node]) -> None:
        self.name = name
        self.children = children
        self.found: list[tuple[str, From]] = []

    def run(self, name: str, child: Node, x: str) -> str:
        own = self.children[name]
        self.found += own.steps(name, x) if isinstance(own, Inline) else [(name, From(x, own))]
        return name

    def meet(self, name: str, meeting: Meeting, parts: list[str]) -> str:
        own = Multiply() if isinstance(meeting, Multiply) else meeting  # a step has no rule of a gate's own
        self.found.append((self.name, From(*parts, own)))
        return self.name

    def look(self, name: str, child: Node, x: str, paths: Ports) -> str:
        raise NotImplementedError

    def again(self, step: Step, x: str) -> str:
        raise NotImplementedError

    def inner(self, path: str) -> str:
        raise NotImplementedError


def inlined(group: Group, named: Mapping[str, Node]) -> Inline:
    """The join that a group is of these children of the Sequential around it."""
    children: dict[str, Any] = {}
    for part in group.parts:
        name, child = (part, named[part]) if isinstance(part, str) else (part.name, inlined(part, named))
        children[name] = Shortcut(child) if name == group.shortcut else child
    return Inline(group.kind, **children)


def lowered(given: list[tuple[str, Any]], before: str) -> tuple[list[tuple[str, Any]], tuple[Group, ...]]:
    """The children of a Sequential with the steps that inlined joins among them are, and these as groups; `before` is
    what the first one reads."""
    flat: list[tuple[str, Any]] = []
    groups: list[Group] = []
    for name, child in given:
        node = child.node if isinstance(child, From) else child
        if isinstance(node, Inline):
            reads = child.names if isinstance(child, From) else (before,)
            if len(reads) > 1:
                raise ShapeError(f"Sequential: the inlined {quoted(name)} reads {len(reads)} values, and takes one")
            flat += node.steps(name, reads[0])
            groups.append(node.group(name))
        else:
            flat.append((name, child))
        if isinstance(node, Node) and node._makes:
            before = name
    seen: set[str] = set()
    for name, child in flat:
        if name in seen and child is not None:
            raise ShapeError(f"Sequential: two children are named {quoted(name)}")
        seen.add(name)
    return flat, tuple(groups)


def kept(group: Group, said: Mapping[str, From | None], named: Mapping[str, Node]) -> list[Group]:
    """What is left of a group where the steps of a Sequential, in order, are these, with all that they read."""
    pruned = _pruned(group, named)
    if isinstance(pruned, Group) and pruned.name in named:
        try:
            names = {*pruned.names()}
            first = next(step for name, step in said.items() if name in names and step is not None)
            steps = inlined(pruned, named).steps(pruned.name, first.names[0])
        except ShapeError:
            steps = []
        order = [*said]
        place = order.index(steps[0][0]) if steps else 0
        if steps and [*said.items()][place : place + len(steps)] == steps:
            return [pruned]
    return [one for part in group.parts if isinstance(part, Group) for one in kept(part, said, named)]


def _pruned(group: Group, named: Mapping[str, Node]) -> str | Group | None:
    """The group without the parts of which no child is left."""
    parts: list[str | Group] = []
    for part in group.parts:
        left = _pruned(part, named) if isinstance(part, Group) else part
        if isinstance(left, Group) or (left is not None and left in named):
            parts.append(left)
    if not group.is_chain:
        return group._replace(parts=tuple(parts))
    if len(parts) < 2:
        return parts[0] if parts else None
    return group._replace(parts=tuple(parts), name=_name(parts[-1]))


def _name(part: str | Group) -> str:
    return part if isinstance(part, str) else part.name
