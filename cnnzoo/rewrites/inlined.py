"""Rewrites of joins that have no path of their own."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as Names
from typing import Any, TypeAlias

from ..arch import From, Identity, Inline, Node, Sequential, Shortcut
from ..arch.walker import child_path
from ..words import is_in

Named: TypeAlias = list[tuple[str, Node]]
Left: TypeAlias = Callable[[Inline], Named | None]
"""The children of an inlined join, one after the other, that are left of it; None where it stays."""


def opened(node: Sequential, path: str, left: Left, kept: Names[str]) -> Sequential:
    """The Sequential at a path with what is left in place of inlined joins; those in which one of the paths in `kept`
    would go stay."""
    said: dict[str, Any] = {}
    empty: dict[str, None] = {}
    instead: dict[str, str] = {}
    """What is read in place of a value that is gone."""
    for name, child in node._said():
        inline = child.node if isinstance(child, From) else child
        reads = [_read(one, instead) for one in child.names] if isinstance(child, From) else []
        if isinstance(inline, Inline) and not _loses(name, inline, path, left, kept):
            parts = _chain(name, inline, left) or [(name, Identity())]
            empty |= {} if _chain(name, inline, left) or child_path(path, name) in kept else {name: None}
            said |= {own: From(*reads, part) if reads and not at else part for at, (own, part) in enumerate(parts)}
            instead |= {name: parts[-1][0]} if parts[-1][0] != name else {}
        else:
            said[name] = From(*reads, inline) if reads else child
    if said == dict(node._said()):
        return node
    new = type(node)(*node._head, **said)
    whole = new._with({**dict(new.children), **empty}, bypass=True)
    assert isinstance(whole, Sequential)
    return whole


def _read(name: str, instead: dict[str, str]) -> str:
    source, dot, rest = name.partition(".")
    return f"{instead.get(source, source)}{dot}{rest}"


def _loses(name: str, inline: Inline, path: str, left: Left, kept: Names[str]) -> bool:
    before = {own for own, _ in inline.steps(name, "")}
    parts = Inline(Sequential, **dict(_chain(name, inline, left) or [(name, Identity())]))
    after = {own for own, _ in parts.steps(parts.children[-1][0], "")}
    return any(is_in(one, child_path(path, own)) for own in before - after for one in kept)


def _chain(name: str, inline: Inline, left: Left) -> Named:
    """What an inlined join comes to, one child after the other."""
    found = left(inline)
    if found is None and inline.kind is not Sequential:
        return [(name, _rebuilt(inline, left))]
    return [part for own, child in (inline.children if found is None else found) for part in _parts(own, child, left)]


def _parts(name: str, child: Node, left: Left) -> Named:
    return _chain(name, child, left) if isinstance(child, Inline) else [(name, child)]


def _rebuilt(inline: Inline, left: Left) -> Inline:
    children: dict[str, Any] = {}
    for name, child in inline.children:
        parts = _parts(name, child, left) or [(name, Identity())]
        last = parts[-1][0]
        one = parts[0][1] if len(parts) == 1 else Inline(Sequential, **dict(parts))
        children[last] = Shortcut(one) if name == inline.shortcut else one
    return Inline(inline.kind, **children)
