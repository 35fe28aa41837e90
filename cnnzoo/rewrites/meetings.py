"""Rewrites of joins: without shortcuts, without gates, and adding where there are concatenations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..arch import (
    Add,
    Conv2d,
    Dense,
    Gate,
    Inline,
    Join,
    Layer,
    Meeting,
    Multiply,
    Node,
    Residual,
    Sequential,
    Shape,
    walk,
)
from ..arch import rewrite as changed
from ..arch.walker import child_path
from .edits import edited, names_read
from .inlined import opened
from .registry import DoesNotApply, register_rewrite
from .runs import Shapes, entering, is_pointwise, replace, tail


@register_rewrite("He et al. (2015), section 4.1, plain networks")
def drop_shortcuts(description: Node) -> Node:
    """Each residual block without its shortcut: `resnet34` becomes `plain34`."""
    read = [*names_read(description)]
    kept = {name for _, name in read}

    def change(path: str, node: Node) -> Node:
        if isinstance(node, Sequential):
            return opened(node, path, _body, kept)
        if not isinstance(node, Residual):
            return node
        shortcut = child_path(path, node._shortcut)
        if shortcut in kept or _read_into(shortcut, read):
            return node
        return Sequential(**{name: child for name, child in node.children if name != node._shortcut})

    new = changed(description, change)
    if new is description:
        raise DoesNotApply("there is no residual block")
    assert new is not None
    return new


def _body(inline: Inline) -> list[tuple[str, Node]] | None:
    """What is left of an inlined residual without its shortcut."""
    if inline.kind is not Residual:
        return None
    return [(name, child) for name, child in inline.children if name != inline.shortcut]


def _ungated(inline: Inline) -> list[tuple[str, Node]] | None:
    """What is left of an inlined gate without what gates."""
    if inline.kind is not Gate:
        return None
    return [(name, child) for name, child in inline.children if name == inline.shortcut]


@register_rewrite("Hu et al. (2017), section 5.1 and table 2, each network beside the one with squeeze-and-excitation")
def drop_gates(description: Node) -> Node:
    """Each gate hands on what it reads, without what it would be multiplied by."""
    read = [*names_read(description)]
    kept = {name for _, name in read}
    gates = {
        path: Sequential(**{node._shortcut: node._named[node._shortcut]}) if node._shortcut else None
        for path, node in walk(description)
        if isinstance(node, Gate) and not _read_into(path, read)
    }

    def change(path: str, node: Node) -> Node:
        return opened(node, path, _ungated, kept) if isinstance(node, Sequential) else node

    new = changed(edited(description, gates), change)
    if new is description:
        raise DoesNotApply("there is no gate around layers that nothing else reads or runs")
    assert new is not None
    return new


def _read_into(path: str, read: Iterable[tuple[str, str]]) -> bool:
    """Whether something in the node at a path is named by steps that are not in it themselves; each name comes with the
    path of its steps."""
    inside = f"{path}." if path else ""
    return any(name.startswith(inside) and not f"{reader}.".startswith(inside) for reader, name in read)


@register_rewrite("Huang et al. (2016), section 3, equation 2 against equation 1")
def add_for_concat(description: Node) -> Node:
    """Each dense layer adds its maps to what it reads, where it appended them, so that it is a residual block.

    Its last convolution therefore has as many outputs as there are inputs, and a dense block no longer grows; the
    transitions between blocks keep their widths, and what has one filter a channel goes on to have one. The branches of
    an Inception module stay side by side.
    """
    adding = _Adding()
    adding.run("", description, entering(description, lambda: None))
    if not adding.blocks:
        raise DoesNotApply("there is no dense layer that ends in a convolution and whose channels are known")
    if adding.unfit:
        raise DoesNotApply(f"if its dense layers added their maps, what follows at {adding.unfit[0]} would not fit")

    def change(path: str, node: Node) -> Node:
        if path in adding.convs:
            return adding.convs[path]
        return Residual(**dict(node.children)) if path in adding.blocks and isinstance(node, Dense) else node

    new = changed(description, change)
    assert new is not None
    return new


class _Adding(Shapes):
    """The channels where dense layers add: what reaches one is also what leaves it."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: set[str] = set()
        """The paths of the dense layers that can add their maps to what they read."""
        self.convs: dict[str, Conv2d] = {}
        """The convolutions that change, by path: the last one of each of these, and those of one filter a channel."""
        self.unfit: list[str] = []
        """The paths of layers that would not take so many channels, and of sums and products of unlike ones."""

    def layer(self, layer: Layer, x: Any) -> Any:
        if x is not None and isinstance(layer, Conv2d) and 1 < layer.groups == layer.out_channels != x[0]:
            layer = self.convs[self.path] = replace(layer, out_channels=x[0], groups=x[0])
        y = super().layer(layer, x)
        if x is not None and y is None:
            self.unfit.append(self.path)
        return y

    def meeting(self, meeting: Meeting, parts: list[Shape | None], own: bool) -> Shape | None:
        if isinstance(meeting, Add | Multiply) and len({part[0] for part in parts if part is not None} - {1}) > 1:
            self.unfit.append(self.path)
        return super().meeting(meeting, parts, own)

    def block(self, join: Join, x: Any) -> Any:
        y = super().block(join, x)
        plain = isinstance(join, Dense) and not join._shortcut and x is not None
        last = _last_convolution(join) if plain else None
        if last is None:
            return y
        channels, path = x[0], child_path(self.path, last[0])
        conv = self.convs.get(path, last[1])
        if channels % conv.groups:
            return y
        self.blocks.add(self.path)
        self.convs[path] = replace(conv, out_channels=channels)
        return x


def _last_convolution(body: Join) -> tuple[str, Conv2d] | None:
    """The convolution whose maps a dense layer appends, with its path in there."""
    for path, layer in reversed(tail(Sequential(**dict(body.children)))):
        if isinstance(layer, Conv2d):
            return path, layer
        if not is_pointwise(layer):
            break
    return None
