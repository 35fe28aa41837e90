"""Edits that people make to a published network, on its description: another head, another stem, less of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from ..errors import InvalidTypeError, InvalidValueError
from ..words import quoted
from . import (
    Aux,
    AvgPool2d,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    Identity,
    Join,
    Layer,
    MaxPool2d,
    Node,
    Residual,
    Sequential,
    find,
    replace,
    rewrite,
    walk,
)
from .walker import child_path


def main_path(node: Node, path: str = "") -> Iterator[tuple[str, Layer]]:
    """The layers that run at inference, with their paths."""
    if isinstance(node, Layer):
        yield path, node
    elif isinstance(node, Join):
        for name, child in node.children:
            if not isinstance(child, Aux):
                yield from main_path(child, child_path(path, name))


def chain(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """What a network runs one after the other at inference, with its paths: Sequentials are gone into, other joins and
    layers are one step."""
    if not isinstance(node, Sequential):
        yield path, node
        return
    for name, child in node.children:
        if not isinstance(child, Aux):
            yield from chain(child, child_path(path, name))


def head(description: Node) -> tuple[str, str] | None:
    """The paths of the first step behind the last maps, and of the classifier; None where there is no classifier.

    The classifier is the last step with weights, or an Identity behind it, which `without_head` leaves in its place.
    The maps end at a pooling to a fixed size, at a flattening, at the classifier or at a dropout right before these.
    """
    steps = list(chain(description))
    last = max((index for index, (_, step) in enumerate(steps) if _is_end(step)), default=None)
    if last is None or isinstance(steps[last][1], Join):
        return None
    first = next((index for index, (_, step) in enumerate(steps[:last]) if _ends_maps(step)), last)
    return steps[_before_dropout(steps, first)][0], steps[last][0]


def _is_end(step: Node) -> bool:
    if isinstance(step, Layer):
        return step.weighted or isinstance(step, Identity)
    return any(isinstance(node, Layer) and node.weighted for _, node in walk(step))


def _ends_maps(step: Node) -> bool:
    return isinstance(step, Layer) and (step.pools or isinstance(step, Flatten))


def _before_dropout(steps: list[tuple[str, Node]], index: int) -> int:
    """The index of a step, or of the first of the dropouts right before it."""
    while index and isinstance(steps[index - 1][1], Dropout):
        index -= 1
    return index


def without_head(description: Node) -> Node:
    """The description with an Identity for its classifier: what it returns is what the classifier would have read.

    The dropout before the last weighted layer goes and the activation behind it, and so do the auxiliary heads; pooling
    and flattening stay. `resnet50` then gives 2048 features; `vgg16` and `alexnet`, whose classifier has two hidden
    layers, the 4096 of the second. ValueError where the last weighted layer is in a block, so that there is no
    classifier.
    """
    found = head(description)
    if found is None:
        raise InvalidValueError("without_head: the description does not end in a classifier")
    steps = list(chain(description))
    last = [path for path, _ in steps].index(found[1])
    behind = steps[_before_dropout(steps, last) :]
    doomed = {path for path, step in behind if not (_ends_maps(step) or isinstance(step, AvgPool2d))}

    def change(path: str, node: Node) -> Node | None:
        if path == found[1]:
            return Identity()
        return None if path in doomed or isinstance(node, Aux) else node

    less = rewrite(description, change)
    return Sequential() if less is None else less


def new_stem(description: Node, stem: str) -> Node:
    """The description with another beginning: "cifar", for images of about 32x32, has a 3x3 convolution of stride 1
    for the 7x7 of stride 2, and no max-pooling behind it.

    So do the networks for CIFAR begin in He et al. (2015), section 4.2, and Huang et al. (2016), section 3.
    ValueError for another stem, and where the network does not begin with what is replaced.
    """
    if stem != "cifar":
        raise InvalidValueError(f"unknown stem {stem!r}; there is 'cifar'")
    layers = list(main_path(description))
    weighted = [index for index, (_, layer) in enumerate(layers) if layer.weighted]
    path, conv = layers[weighted[0]] if weighted else ("", description)
    begin = layers[: weighted[1]] if len(weighted) > 1 else layers
    pools = [place for place, layer in begin if isinstance(layer, MaxPool2d)]
    if not (isinstance(conv, Conv2d) and conv.kernel_size == 7 and conv.stride == 2 and pools):
        raise InvalidValueError(
            f"stem='cifar' replaces a 7x7 convolution of stride 2 with a max-pooling behind it; "
            f"this network begins with {conv!r}"
        )
    small = dataclasses.replace(conv, kernel_size=3, stride=1, padding=1, dilation=1)
    return replace(replace(description, path, small), pools[0], None)


def cut(description: Node, path: str) -> Node:
    """The description up to and including `path`: `cut(resnet50.describe(), "layer3")` ends in layer3's output.

    Within a block it is the way to that path alone: of a branch, that branch; of a residual or dense body,
    no sum and no concatenation. Names persist, auxiliary heads are left out. PathError for an unknown path.
    """
    if not isinstance(description, Node):
        raise InvalidTypeError(
            f"cut() takes a description, got {quoted(description)}: cnnzoo.describe(…) gives that of a name"
        )
    find(description, path)
    return _cut(description, path.split(".") if path else [])


def _cut(node: Node, names: list[str]) -> Node:
    if not names:
        return Sequential(**dict(node.children)) if isinstance(node, Aux) else node
    assert isinstance(node, Join)
    children = dict(node.children)
    name, inner = names[0], _cut(children[names[0]], names[1:])
    order = list(children)
    target = children[name]
    if isinstance(target, Aux):
        before = order[: order.index(target.source) + 1]
    elif isinstance(node, Concat) or (isinstance(node, Residual) and name == "downsample"):
        before = []
    else:
        before = order[: order.index(name)]
    ahead = {own: children[own] for own in before if not isinstance(children[own], Aux)}
    whole = isinstance(node, Residual) and "downsample" in ahead
    return (Residual if whole else Sequential)(**ahead, **{name: inner})
