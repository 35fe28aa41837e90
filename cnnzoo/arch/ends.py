"""Edits that people make to a published network, on its description: another head, another stem, less of it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as Names
from typing import Any

from ..errors import InvalidTypeError, InvalidValueError
from ..words import is_in, quoted
from . import (
    Aux,
    AvgPool2d,
    Concat,
    Conv2d,
    Dropout,
    Dropout2d,
    Flatten,
    From,
    Identity,
    Join,
    Layer,
    MaxPool2d,
    ModuleList,
    Node,
    Outputs,
    Residual,
    Sequential,
    find,
    rewrite,
    walk,
)
from .node import Leaf
from .steps import Plan, Ref, Step
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
    layers are one step. Of a Sequential that reads by name so is what nothing but the next step reads, up to its end,
    and before that it stands itself for the rest."""
    if not isinstance(node, Sequential):
        yield path, node
        return
    if node._plan is not None:
        steps = [step for step in node._plan.steps if step.node._makes or isinstance(step.node, Outputs)]
        ended = [*_chained(steps)]
        if len(ended) < len(steps):
            yield path, node
        for step in reversed(ended):
            inner = child_path(path, step.name)
            yield from [(inner, step.node)] if step is ended[-1] and len(step.reads) > 1 else chain(step.node, inner)
        return
    for name, child in node.children:
        if not isinstance(child, Aux):
            yield from chain(child, child_path(path, name))


def _chained(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps from the last one back, as long as each gives one value that the next one alone reads, whole."""
    run = {step.layers.partition(".")[0] for step in steps if step.layers}
    read = Counter(ref.source for step in steps for ref in step.reads)
    behind = None
    for step in reversed(steps):
        apart = bool(step.layers or step.looks or step.name in run or step.node._gives or not step.node._makes)
        if apart or (behind is not None and (behind.reads != (Ref(step.name),) or read[step.name] > 1)):
            return
        yield step
        behind = step


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
    if isinstance(step, Leaf):
        return isinstance(step, Identity) or (isinstance(step, Layer) and step.weighted)
    return any(isinstance(node, Layer) and node.weighted for _, node in walk(step))


def _ends_maps(step: Node) -> bool:
    return isinstance(step, Layer) and (step.pools or isinstance(step, Flatten))


def _before_dropout(steps: list[tuple[str, Node]], index: int) -> int:
    """The index of a step, or of the first of the dropouts right before it."""
    while index and isinstance(steps[index - 1][1], Dropout | Dropout2d):
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
    changed = {path: small, pools[0]: None}
    new = rewrite(description, lambda place, node: changed.get(place, node))
    assert new is not None
    return new


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


def _cut(node: Node, names: list[str], above: str = "") -> Node:
    if not names:
        return Sequential(**dict(node._said())) if isinstance(node, Aux) else node
    assert isinstance(node, Join)
    children = dict(node.children)
    name, order = names[0], list(children)
    target, here = children[name], child_path(above, names[0])
    if isinstance(node, ModuleList) or isinstance(target, ModuleList):
        raise InvalidValueError(f"cut: {here} is held in a ModuleList and gives no value; a step that runs it does")
    inner = _cut(target, names[1:], here)
    if isinstance(node, Sequential) and node._plan is not None:
        needed, run = _needed(node._plan, name)
        before = {own: children[own] for own in order[: order.index(name)] if own in needed}
        ahead = {
            own: _run(child, own, run) if isinstance(child, ModuleList) else child for own, child in before.items()
        }
        step: Any = From(target.source, inner) if isinstance(target, Aux) else inner
        return Sequential(**dict(node._said()))._with({**ahead, name: step})
    if isinstance(target, Aux):
        earlier = order[: order.index(target.source) + 1]
    elif isinstance(node, Concat) or name == node._shortcut:
        earlier = []
    else:
        earlier = order[: order.index(name)]
    ahead = {own: children[own] for own in earlier if not isinstance(children[own], Aux)}
    if node._meets in ahead:
        return Residual(**ahead, **{name: inner})
    ahead.pop(node._shortcut, None)
    return Sequential(**ahead, **{name: inner})


def _needed(plan: Plan, name: str) -> tuple[set[str], set[str]]:
    """The children that a step reads, and those that these read or run in turn; and the paths of the layers run."""
    needed, run = {name}, set()
    for step in reversed(plan.steps):
        if step.name in needed:
            needed |= {ref.source for ref in step.reads}
            if step.layers:
                needed.add(step.layers.partition(".")[0])
                run.add(step.layers)
    return needed, run


def _run(node: Node, path: str, run: Names[str]) -> Node | None:
    """A node at a path with the layers that run; None where it has none."""
    if any(is_in(path, one) for one in run):
        return node
    found = {name: _run(child, f"{path}.{name}", run) for name, child in getattr(node, "children", ())}
    return node._with(found) if isinstance(node, Join) and any(found.values()) else None
