"""Rewrites of what follows the last maps: one pooling and one linear layer, convolutions, no auxiliary heads."""

from __future__ import annotations

from typing import NamedTuple

from ..arch import AdaptiveAvgPool2d, Aux, Conv2d, Flatten, Join, Layer, Linear, Node, find
from ..arch import replace as with_other
from ..arch import rewrite as changed
from ..arch.node import IntOrPair
from ..errors import InvalidValueError
from .edits import edited
from .registry import DoesNotApply, register_rewrite
from .runs import PROBE, Run, input_shapes, is_pointwise, output_shape, replace, tail


def pools_to_features(layer: Layer) -> bool:
    """Whether of each map it leaves one element, and no height and width."""
    return output_shape(layer, PROBE) == PROBE[:1]


def classifier(description: Node) -> Run:
    """The end of the network from its last flattening or pooling to features on: linear layers, and what is pointwise
    between them.

    Raises `DoesNotApply` where it does not end so.
    """
    run = tail(description)
    ends = (index for index, (_, layer) in enumerate(run) if isinstance(layer, Flatten) or pools_to_features(layer))
    start = max(ends, default=None)
    if start is None:
        raise DoesNotApply("the network does not end in a flattening and linear layers")
    for path, layer in run[start + 1 :]:
        if not isinstance(layer, Linear) and not is_pointwise(layer):
            raise DoesNotApply(f"behind the flattening stands {layer!r} at {path}, neither linear nor pointwise")
    whole = run[start].layer == Flatten() or pools_to_features(run[start].layer)
    if not whole or not any(isinstance(layer, Linear) for _, layer in run[start:]):
        raise DoesNotApply(f"at {run[start].path} whole maps are not flattened for a linear layer")
    return run[start:]


class Pooling(NamedTuple):
    """A pooling to a fixed size, with its path."""

    path: str
    layer: AdaptiveAvgPool2d


def pooling_before(description: Node, path: str) -> Pooling | None:
    """The average pooling to a fixed size right before a flattening that the last run has at that path."""
    run = tail(description)
    index = [leaf.path for leaf in run].index(path) - 1
    layer = run[index].layer if index >= 0 and isinstance(run[index + 1].layer, Flatten) else None
    return Pooling(run[index].path, layer) if isinstance(layer, AdaptiveAvgPool2d) else None


@register_rewrite("Lin et al. (2013), section 3.2")
def pool_head(description: Node) -> Node:
    """Global average pooling and one linear layer for a pooling to fixed maps and several linear layers."""
    flatten, *rest = classifier(description)
    linear = [index for index, (_, layer) in enumerate(rest) if isinstance(layer, Linear)]
    new = edited(description, {path: None for path, _ in rest[linear[0] : linear[-1]]})
    pooling = pooling_before(description, flatten.path)
    if pooling is not None:
        new = with_other(new, pooling.path, AdaptiveAvgPool2d(1))
    elif isinstance(flatten.layer, Flatten):
        new = _inserted(new, flatten.path, AdaptiveAvgPool2d(1))
    if new == description:
        raise DoesNotApply("its head is global average pooling and one linear layer")
    return new


def _inserted(description: Node, path: str, node: Node) -> Node:
    """The description with a node right before `path`, named "avgpool" or the next free name."""
    parent_path, _, last = path.rpartition(".")
    parent = find(description, parent_path)
    assert isinstance(parent, Join)
    taken = dict(parent.children)
    free = next(name for name in ("avgpool", *(f"avgpool{n}" for n in range(len(taken) + 1))) if name not in taken)
    children: dict[str, Node | None] = {}
    for name, child in parent.children:
        children |= {free: node, name: child} if name == last else {name: child}
    return with_other(description, parent_path, parent._with(children))


@register_rewrite("Long et al. (2014), section 3.1; Simonyan and Zisserman (2014), section 3.2")
def convolutionalize(description: Node, size: int | None = None) -> Node:
    """Each linear layer becomes a convolution of the same parameters: the first as large as the maps it reads,
    the others 1x1; nothing is flattened, and any size of input goes through.

    A pooling to a fixed size says how large those maps are; it stays, so that every size gives one position.
    `size` says at which side of a square input the linear layers read theirs. A pooling that changes nothing
    there goes, and larger inputs give a map of class scores.
    """
    if size is not None and (type(size) is not int or size < 1):
        raise InvalidValueError(
            f"convolutionalize takes the side of an input, as in convolutionalize=224; got {size!r}"
        )
    flatten, *rest = classifier(description)
    pooling = pooling_before(description, flatten.path)
    edits: dict[str, Node | None] = {flatten.path: None}
    if pools_to_features(flatten.layer):
        edits[flatten.path] = replace(flatten.layer, keepdim=True)
        kernel: IntOrPair = 1
    elif size is not None:
        shapes = input_shapes(description, (PROBE[0], size, size))
        shape = shapes.get(flatten.path, ())
        if len(shape) != 3:
            raise DoesNotApply(f"an input of {size}x{size} gives no maps at {flatten.path}")
        kernel = (shape[1], shape[2])
        if pooling is not None and shapes[pooling.path][1:] == kernel:
            edits[pooling.path] = None
    elif pooling is not None and (fixed := _fixed(pooling.layer)):
        kernel = fixed
    else:
        raise DoesNotApply(
            f"the size of the maps at {flatten.path} depends on the input's: say it as convolutionalize=224"
        )
    for path, layer in rest:
        if isinstance(layer, Linear):
            edits[path] = Conv2d(layer.out_features, kernel, bias=layer.bias)
            kernel = 1
    return edited(description, edits)


def _fixed(pooling: AdaptiveAvgPool2d) -> tuple[int, int] | None:
    """Height and width of its output, where neither is the input's."""
    size = pooling.output_size
    height, width = (size, size) if isinstance(size, int) else size
    return None if height is None or width is None else (height, width)


@register_rewrite("Szegedy et al. (2014), section 5")
def strip_aux(description: Node) -> Node:
    """Without auxiliary heads, which exist in training only."""
    new = changed(description, lambda _, node: None if isinstance(node, Aux) else node)
    if new is None or new is description:
        raise DoesNotApply("there is no auxiliary head")
    return new
