"""Rewrites of what follows the last maps: one pooling and one linear layer, convolutions, no auxiliary heads."""

from __future__ import annotations

from collections.abc import Iterable

from ..arch import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    Aux,
    AvgPool2d,
    Conv2d,
    Flatten,
    Join,
    Layer,
    Linear,
    Max,
    MaxPool2d,
    Mean,
    Node,
    Shape,
    find,
)
from ..arch import replace as with_other
from ..arch import rewrite as changed
from ..arch.node import IntOrPair, pair
from ..arch.signal import POINTWISE, Window
from ..errors import InvalidValueError
from ..words import listed, quoted, sides
from .edits import edited
from .registry import DoesNotApply, register_rewrite
from .runs import PROBE, Leaf, Run, input_shapes, is_pointwise, output_shape, replace, tail


def pools_to_features(layer: Layer) -> bool:
    """Whether of each map it leaves one element, and no height and width."""
    return output_shape(layer, PROBE) == PROBE[:1]


def classifier(description: Node) -> Run:
    """The end of the network from its last flattening or pooling to features on: linear layers, and what is pointwise
    between them.

    Raises `DoesNotApply` where it does not end so.
    """
    if description._regions:
        raise DoesNotApply("it classifies regions of an image, each of the same size")
    run = tail(description)
    ends = (index for index, (_, layer) in enumerate(run) if isinstance(layer, Flatten) or pools_to_features(layer))
    start = max(ends, default=None)
    if start is None:
        raise DoesNotApply("the network does not end in a flattening and linear layers")
    for path, layer in run[start + 1 :]:
        if not isinstance(layer, Linear) and not is_pointwise(layer):
            raise DoesNotApply(f"behind the flattening stands {layer!r} at {path}, neither linear nor pointwise")
    if run[start].layer != Flatten() and not pools_to_features(run[start].layer):
        raise DoesNotApply(f"at {run[start].path} whole maps are not flattened for a linear layer")
    return run[start:]


def pooling_before(description: Node, flatten: Leaf) -> Leaf | None:
    """The pooling to a fixed size before the last flattening, or that is one, with nothing between the two but layers
    that do the same at each position."""
    run = tail(description)
    if flatten.layer.pools:
        return flatten
    for leaf in reversed(run[: run.index(flatten)]):
        if leaf.layer.pools:
            return leaf if len(output_shape(leaf.layer, PROBE) or ()) == 3 else None
        if not is_pointwise(leaf.layer) and not is_1x1(leaf.layer):
            break
    return None


def is_1x1(layer: Layer) -> bool:
    """Whether it is a convolution that reads one position for each that it gives."""
    return isinstance(layer, Conv2d) and layer.windows(PROBE) == POINTWISE


@register_rewrite("Lin et al. (2013), section 3.2")
def pool_head(description: Node) -> Node:
    """Global average pooling and one linear layer for a pooling to fixed maps and several linear layers."""
    flatten, *rest = classifier(description)
    linear = [index for index, (_, layer) in enumerate(rest) if isinstance(layer, Linear)]
    if not linear:
        raise DoesNotApply(f"behind {flatten.path} is no linear layer")
    new = edited(description, {path: None for path, _ in rest[linear[0] : linear[-1]]})
    pooling = pooling_before(description, flatten)
    if pooling is None:
        new = _inserted(new, flatten.path, AdaptiveAvgPool2d(1))
    elif fixed(pooling.layer) != (1, 1):
        new = with_other(new, pooling.path, AdaptiveAvgPool2d(1))
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


def fixed(pooling: Layer) -> tuple[int, int] | None:
    """Height and width of what a pooling to a fixed size leaves; None where one of them is the input's."""
    shape = output_shape(pooling, PROBE) or PROBE
    height, width = shape[1:] or (1, 1)
    return None if PROBE[1] in (height, width) else (height, width)


SLIDING: dict[type[Layer], type[AvgPool2d | MaxPool2d]] = {
    AdaptiveAvgPool2d: AvgPool2d,
    AdaptiveMaxPool2d: MaxPool2d,
    Max: MaxPool2d,
    Mean: AvgPool2d,
}
"""The poolings of windows that do what those to a fixed size do."""

POOLINGS = ("drop", "slide", "keep")
"""What can become of the pooling before linear layers that become convolutions."""


@register_rewrite(
    "Long et al. (2014), section 3.1; Simonyan and Zisserman (2014), section 3.2; Zhou et al. (2015), section 2"
)
def convolutionalize(description: Node, pooling: str | int = "drop", input_size: Shape | None = None) -> Node:
    """Each linear layer becomes a convolution of the same weights, the first as large as the maps that it reads at the
    network's own input size, so that larger images give a map of class scores. The pooling to a fixed size before them
    goes; =slide makes it a window that slides, as large as it is at that size; =keep leaves it as it is, so that images
    of any size give one position.

    An image of the own size gives the outputs that it gave, at one position, where there is no pooling, where it
    changes nothing at that size, as VGG's, and with "slide". Without a global pooling it gives a class activation map,
    whose mean is what a single linear layer gave.

    `input_size` is the own size; a registered network's is known. `convolutionalize=224`, the side of a square in place
    of a word, is "drop" at that size.
    """
    own: Shape | None = input_size
    if type(pooling) is int and pooling > 0:
        own, pooling = (PROBE[0], pooling, pooling), POOLINGS[0]
    if pooling not in POOLINGS:
        raise InvalidValueError(
            f"convolutionalize takes what becomes of the pooling, {listed(POOLINGS)}, or the side of an input, as in "
            f"convolutionalize=224; got {quoted(pooling)}"
        )
    flatten, *rest = classifier(description)
    found = pooling_before(description, flatten)
    linear = [(path, layer) for path, layer in rest if isinstance(layer, Linear)]
    if found is None and not linear:
        raise DoesNotApply(f"before {flatten.path} is no pooling to a fixed size, behind it no linear layer")
    edits: dict[str, Node | None] = {flatten.path: None}
    if pooling == "keep" and found == flatten:
        edits[flatten.path] = replace(flatten.layer, keepdim=True)
    elif pooling != "keep" and found is not None:
        edits[found.path] = None if pooling == "drop" else _sliding(found, _maps(description, found, own))
    kernel: IntOrPair | None = None if found is None else fixed(found.layer)
    if kernel is None:
        kernel = _pair(_maps(description, flatten, own)[1:])
    if pooling == "drop" and found is not None and linear and own is not None:
        there, read = _maps(description, found, own)[1:], pair(kernel)
        if any(have < needed for have, needed in zip(there, read, strict=True)):
            raise DoesNotApply(
                f"the maps at {found.path} are {sides(there)} at an input of {sides(own[1:])}, of which its "
                f"pooling makes {sides(read)}: say it as convolutionalize=keep"
            )
    for path, layer in linear:
        edits[path] = Conv2d(layer.out_features, kernel, bias=layer.bias)
        kernel = 1
    return edited(description, edits)


def _maps(description: Node, leaf: Leaf, input_size: Shape | None) -> tuple[int, int, int]:
    """The shape of the maps that a layer reads at the network's own input size."""
    if input_size is None or len(input_size) != 3:
        raise DoesNotApply(
            f"the size of the maps at {leaf.path} depends on the input's: say it as convolutionalize=224"
        )
    shape = input_shapes(description, input_size).get(leaf.path, ())
    if len(shape) != 3:
        raise DoesNotApply(f"an input of {sides(input_size[1:])} gives no maps at {leaf.path}")
    channels, height, width = shape
    return channels, height, width


def _sliding(pooling: Leaf, shape: Shape) -> Layer | None:
    """The pooling of a fixed window that does what one to a fixed size does on maps of this shape; one that leaves one
    position slides by one. None where it changes nothing."""
    found = pooling.layer.windows(shape)
    windows = [one for one in found or () if isinstance(one, Window) and one.stride]
    kind = SLIDING.get(type(pooling.layer))
    if kind is None or len(windows) < 2:
        raise DoesNotApply(
            f"{pooling.layer!r} at {pooling.path} has no windows that are alike on maps of {sides(shape[1:])}, so that "
            f"none slides"
        )
    positions = pooling.layer.output_shape(shape)[1:] or (1, 1)
    kernel = _pair(one.kernel for one in windows)
    stride = _pair(1 if count == 1 else one.stride for count, one in zip(positions, windows, strict=True))
    return None if kernel == stride == 1 else kind(kernel, stride)


def _pair(lengths: Iterable[int]) -> IntOrPair:
    """Height and width, as one number where they are equal."""
    height, width = lengths
    return height if height == width else (height, width)


@register_rewrite("Szegedy et al. (2014), section 5")
def strip_aux(description: Node) -> Node:
    """Without auxiliary heads, which exist in training only."""
    new = changed(description, lambda _, node: None if isinstance(node, Aux) else node)
    if new is None or new is description:
        raise DoesNotApply("there is no auxiliary head")
    return new
