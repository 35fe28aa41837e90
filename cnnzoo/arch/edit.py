"""Edits by path: every one returns another description and leaves its argument as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from ..errors import CnnzooError
from ..words import hint, quoted
from .join import Join
from .node import Node
from .signal import ShapeError
from .steps import From
from .walker import child_path


class PathError(CnnzooError, LookupError):
    """A path that leads nowhere; its message names the part that is missing and what is there."""


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every node with its path, parents first, in the order of the description."""
    yield path, node
    if isinstance(node, Join):
        for name, child in node.children:
            yield from walk(child, child_path(path, name))


def find(node: Node, path: str) -> Node:
    """The node at `path` ("layer4.2.conv3"; "" is the description itself)."""
    here: list[str] = []
    for name in path.split(".") if path else ():
        if name not in node._named:
            raise PathError(_missing(name, list(node._named), ".".join(here), node))
        node = node._named[name]
        here.append(name)
    return node


def replace(node: Node, path: str, new: Node | From | None) -> Node:
    """The description with `new` at `path`, which reads what was read there, or as a step what it says; `None` removes
    what is there. What reads a removed step by name is an error, and what followed it reads what it read."""
    if not path:
        if not isinstance(new, Node):
            raise PathError("the description itself cannot be removed, and is no step")
        return new
    parent_path, _, name = path.rpartition(".")
    find(node, path)
    parent = find(node, parent_path)
    assert isinstance(parent, Join)
    children = {own: new if own == name else child for own, child in parent.children}
    return replace(node, parent_path, rebuilt(parent, children, parent_path, bypass=False))


def remove(node: Node, path: str) -> Node:
    """The description without what is at `path`."""
    return replace(node, path, None)


def rewrite(node: Node, change: Callable[[str, Node], Node | None], path: str = "") -> Node | None:
    """The description with every node replaced by `change(path, node)`, children first; None removes it, and what read
    it reads what it read.

    A subtree in which nothing changed is the same object, so an identity rewrite returns its argument.
    """
    if isinstance(node, Join):
        changed = {name: rewrite(child, change, child_path(path, name)) for name, child in node.children}
        if tuple(changed.items()) != node.children:
            node = rebuilt(node, changed, path)
    return change(path, node)


class Change(NamedTuple):
    """One difference: what stood at `path` before (None: nothing) and what stands there after."""

    path: str
    before: Node | None
    after: Node | None


def diff(before: Node, after: Node, path: str = "") -> list[Change]:
    """The smallest subtrees that differ, aligned by path, in the order of the descriptions."""
    if before == after:
        return []
    same_kind = isinstance(before, Join) and type(before) is type(after)
    if not same_kind or not isinstance(before, Join) or not isinstance(after, Join) or before._head != after._head:
        return [Change(path, before, after)]
    old, new = dict(before.children), dict(after.children)
    both = old.keys() & new.keys()
    if any(before._reads.get(name) != after._reads.get(name) for name in both):
        return [Change(path, before, after)]
    changes: list[Change] = []
    for name in {**old, **new}:
        inner = child_path(path, name)
        if name in old and name in new:
            changes += diff(old[name], new[name], inner)
        else:
            changes.append(Change(inner, old.get(name), new.get(name)))
    if not changes:  # the same children in another order
        changes.append(Change(path, before, after))
    return changes


def rebuilt(join: Join, children: Mapping[str, Node | From | None], path: str, bypass: bool = True) -> Join:
    """The join at `path` around other children; None leaves one out, and a shortcut plain. With `bypass` steps that
    read by name what is left out read what it read."""
    try:
        return join._with(children, bypass)
    except ShapeError as error:
        raise error.at(path) from None


def _missing(name: str, names: list[str], here: str, node: Node) -> str:
    place = f"at {here}: " if here else ""
    if not names:
        return f"{place}{type(node).__name__} has no children, so there is no {quoted(name)} in it"
    return f"{place}there is no {quoted(name)}; {hint(name, names)}"
