"""Descriptions as JSON and back; reading one looks names up in a table and executes nothing."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import Any

from ..errors import CnnzooError
from ..words import quoted, shortened
from .inline import Inline
from .join import DEEPEST, Join
from .kinds import kinds
from .meetings import Meeting
from .node import Layer, Leaf, Node
from .shortcut import Shortcut
from .steps import From


class FormatError(CnnzooError, ValueError):
    """A text that is no description; the message names the place in it."""


def to_dict(node: Node) -> dict[str, Any]:
    """`{"kind": "Conv2d", "out_channels": 64, "kernel_size": 7}`, defaults omitted; joins have "children", a step
    "reads", the names of the values that it reads, a `Shortcut` "shortcut", which is true, and an `Inline` "join", the
    kind of join that it is."""
    if isinstance(node, Join):
        head = dict(zip(node._head_names, node._head, strict=True))
        children = {name: _said(child) for name, child in node._said()}
        return {"kind": type(node).__name__, **head, "children": children}
    assert isinstance(node, Leaf)
    settings = {
        field.name: getattr(node, field.name)
        for field in fields(node)
        if field.default is MISSING or getattr(node, field.name) != field.default
    }
    return {"kind": type(node).__name__, **settings}


def _said(child: Any) -> dict[str, Any]:
    if isinstance(child, From):
        return {**_said(child.node), "reads": list(child.names)}
    if isinstance(child, Shortcut):
        return {**_said(child.node), "shortcut": True}
    if isinstance(child, Inline):
        children = {name: _said(inner) for name, inner in child.said()}
        return {"kind": "Inline", "join": child.kind.__name__, "children": children}
    return to_dict(child)


def from_dict(data: Any) -> Node:
    """What `to_dict` gave, or read from JSON, as a description; a `FormatError` names the place."""
    found = _node(data, "the description", 0)
    if isinstance(found, Inline):
        raise FormatError("the description: an Inline stands in a Sequential")
    return found


def _node(data: Any, place: str, level: int) -> Node:
    if level > DEEPEST:
        raise FormatError(f"nested more than {DEEPEST} levels deep, which is no description")
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
        raise FormatError(f'{place}: an object with a "kind" was expected, got {quoted(data)}')
    given = {name: value for name, value in data.items() if name != "kind"}
    cls = kinds().get(data["kind"])
    if cls is None or cls in (Leaf, Layer, Meeting, Join):
        raise FormatError(f"{place}: there is no layer or join {quoted(data['kind'])}")
    known = _settings(cls)
    for name in given:
        if name not in known:
            raise FormatError(f"{place}: {cls.__name__} has no setting {quoted(name)}")
    for name, required in known.items():
        if required and name not in given:
            raise FormatError(f"{place}: {cls.__name__} needs a setting {name!r}")
    try:
        if issubclass(cls, Leaf):
            return cls(**{name: _tuples(value) for name, value in given.items()})
        children = given.pop("children", {})
        if not isinstance(children, dict):
            raise FormatError(f'{place}: "children" must be an object, got {quoted(children)}')
        for name in children:
            if not isinstance(name, str):
                raise FormatError(f"{place}: a child's name must be a string, got {quoted(name)}")
        inner: dict[str, Any] = {
            name: _child(child, f"{place} > {_printable(name)}", level + 1) for name, child in children.items()
        }
        if cls is Inline:
            given["join"] = kinds().get(str(given["join"]), given["join"])
        return cls(*given.values(), **inner)
    except FormatError:
        raise
    except (TypeError, ValueError) as error:
        raise FormatError(f"{place}: {error}") from None
    except RecursionError:
        raise FormatError(f"{place}: a setting is nested too deep") from None


def _child(data: Any, place: str, level: int) -> Node | From | Shortcut:
    """A child, a step with what it reads, or a shortcut."""
    if isinstance(data, dict) and data.get("shortcut") is True:
        return Shortcut(_node({name: value for name, value in data.items() if name != "shortcut"}, place, level))
    if not isinstance(data, dict) or "reads" not in data:
        return _node(data, place, level)
    names = data["reads"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise FormatError(f'{place}: "reads" must be a list of names, got {quoted(names)}')
    return From(*names, _node({name: value for name, value in data.items() if name != "reads"}, place, level))


def _settings(cls: type[Node]) -> dict[str, bool]:
    """What may stand beside the kind, and whether it must."""
    if issubclass(cls, Leaf):
        return {field.name: field.default is MISSING for field in fields(cls)}
    assert issubclass(cls, Join | Inline)
    names = ("join",) if issubclass(cls, Inline) else cls._head_names
    return {**dict.fromkeys(names, True), "children": False}


def dumps(node: Node, indent: int | None = 2) -> str:
    """The description as JSON text."""
    return json.dumps(to_dict(node), indent=indent, ensure_ascii=False)


def loads(text: str) -> Node:
    """The description in a JSON text; a `FormatError` where it is none."""
    try:
        return from_dict(json.loads(text, object_pairs_hook=_unique))
    except FormatError:
        raise
    except json.JSONDecodeError as error:
        raise FormatError(f"line {error.lineno}, column {error.colno}: not JSON: {error.msg}") from None
    except ValueError as error:  # a number of thousands of digits
        raise FormatError(f"not JSON: {error}") from None
    except RecursionError:
        raise FormatError(f"nested more than {DEEPEST} levels deep, which is no description") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise FormatError(f"the name {quoted(name)} stands twice in one object")
        found[name] = value
    return found


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _printable(name: str) -> str:
    return shortened(name, 40) if name.isprintable() else quoted(name)
