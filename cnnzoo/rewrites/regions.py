"""The rewrite of what detectors compute once for all regions of an image."""

from __future__ import annotations

from typing import Any

from ..arch import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    From,
    Node,
    Regions,
    Resize,
    RoIAlign,
    RoIPool,
    RoIPyramidPool,
    Sequential,
    SpatialPyramidPool,
)
from ..arch.node import IntOrPair, Ports
from ..arch.steps import INPUT, Step
from .registry import DoesNotApply, register_rewrite

IMAGE, BOXES = f"{INPUT}.0", f"{INPUT}.1"
"""What a network with regions takes."""


@register_rewrite("He et al. (2014), sections 1 and 4; Girshick (2015), section 1")
def warp_regions(description: Node, size: IntOrPair = 224) -> Node:
    """The convolutions run on each region by itself, warped out of the image to 224x224 as in R-CNN, and no longer once
    on the whole image.

    `warp_regions=112` warps to 112x112; 224x224 is what ZF-5 and VGG-16 take as classifiers. All layers keep their
    names and their parameters: what pooled a region of the shared maps pools the whole of its own maps, to the same
    size.
    """
    if not description._regions:
        raise DoesNotApply("it looks at no regions of an image")
    if type(description) is not Sequential:
        raise DoesNotApply("its regions are cut out of the image, and nothing runs once for all of them")
    shared = _shared(description)
    taken = description._named
    warp = next(name for name in ("warp", *map("warp{}".format, range(len(taken)))) if name not in taken)
    children: dict[str, Any] = {warp: Resize(size)}
    for name, child in description._steps():
        node, reads = _read(child)
        own = [warp if one == IMAGE else one for one in reads if one != BOXES]
        one = _of_its_own_maps(node, name) if name == shared.name and isinstance(node, Regions) else node
        children[name] = From(*own, one) if own else one
    return Regions(description._regions, **children)


def _shared(description: Sequential) -> Step:
    """The step of the regions, which alone reads the maps that all before it makes of the image, and gives all that
    the network gives."""
    plan = description._plan
    if sum(isinstance(child, Regions) for child in description) != 1:
        raise DoesNotApply("it has not one Regions in its outermost Sequential")
    (shared,) = (step for step in plan.steps if isinstance(step.node, Regions)) if plan else (None,)
    if plan is None or shared is None or shared.reads[0].source == INPUT:
        raise DoesNotApply("there are no maps of the whole image that its regions are cut out of")
    others = [step for step in plan.steps if step is not shared]
    maps, boxes = shared.reads
    if plan.takes != ("0", "1") or str(boxes) != BOXES or any(boxes in step.reads for step in others):
        raise DoesNotApply("it takes other values than an image and the boxes of its regions")
    also = next((step.name for step in others if maps in step.reads), None)
    if also is not None:
        raise DoesNotApply(f"{also} reads {maps}, too: it needs the maps of the whole image")
    if plan.steps[-1] is not shared:
        raise DoesNotApply(f"it gives more than {shared.name}, which is all that comes of a region by itself")
    return shared


def _of_its_own_maps(regions: Regions, path: str) -> Sequential:
    """What runs on a region behind maps that are its own: the same layers, poolings of the whole of these maps."""
    children: dict[str, Any] = {}
    for name, child in regions._steps():
        node, reads = _read(child)
        match node:
            case RoIPool():
                node = AdaptiveMaxPool2d(node.output_size)
            case RoIAlign():
                node = AdaptiveAvgPool2d(node.output_size)
            case RoIPyramidPool():
                node = SpatialPyramidPool(node.levels)
            case Resize():
                raise DoesNotApply(f"no layer does with whole maps what {path}.{name} does with regions of them")
        children[name] = From(*reads, node) if reads else node
    return Sequential(**children)


def _read(child: Node | From) -> tuple[Node, Ports]:
    """A child, and the names that it reads where it does not read the child before it."""
    return (child.node, child.names) if isinstance(child, From) else (child, ())
