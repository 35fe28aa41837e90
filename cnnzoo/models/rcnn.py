"""Detection region by region: R-CNN (Girshick et al., 2013), SPP-net (He et al., 2014), Fast R-CNN (Girshick, 2015) and
Faster R-CNN (Ren et al., 2015)."""

from dataclasses import replace
from math import sqrt
from typing import Any

from ..arch import (
    Conv2d,
    Dropout,
    Flatten,
    From,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    Node,
    Outputs,
    Regions,
    ReLU,
    Resize,
    RoIPool,
    RoIPyramidPool,
    Sequential,
)
from ..registry import Anchor, Anchors, Channels, Paper, Pinned, register
from .alexnet import caffenet
from .vgg import vgg16

RCNN = Paper(
    title="Rich feature hierarchies for accurate object detection and semantic segmentation",
    authors="Ross Girshick, Jeff Donahue, Trevor Darrell, Jitendra Malik",
    year=2013,
    venue="CVPR 2014",
    arxiv="1311.2524",
)
SPPNET = Paper(
    title="Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    authors="Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun",
    year=2014,
    venue="ECCV 2014",
    arxiv="1406.4729",
)
FAST = Paper(title="Fast R-CNN", authors="Ross Girshick", year=2015, venue="ICCV 2015", arxiv="1504.08083")
FASTER = Paper(
    title="Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks",
    authors="Shaoqing Ren, Kaiming He, Ross Girshick, Jian Sun",
    year=2015,
    venue="NeurIPS 2015",
    arxiv="1506.01497",
)

SIZE = (3, 600, 1000)
"""Of an image whose shorter side is 600 pixels and the longer one at most 1000 (Fast R-CNN, section 5)."""

STRIDE = 16
"""Pixels of the image from one position of the last maps to the next, of both ZF and VGG-16."""

PYRAMID = (6, 3, 2, 1)
"""Bins along each side of the four levels, 50 in all, that SPP-net detects with (section 4.1)."""

SCALES = (128, 256, 512)
"""Sides of the squares that have about the areas of the anchors (Faster R-CNN, section 3.1.1)."""

RATIOS = {"2:1": 0.5, "1:1": 1.0, "1:2": 2.0}
"""Width to height of the anchors, and height over width."""


def anchors_of_a_position() -> tuple[Anchor, ...]:
    """The anchors of one position, as generate_anchors.py of the authors' py-faster-rcnn has them.

    They have the middle of a square of `STRIDE` pixels. The width of a box of each ratio with that square's area is
    rounded to whole pixels, then its height of the rounded width; both are multiplied by 8, 16 and 32. The anchors of
    128 pixels are 184x96, 128x128 and 88x176, of 108, 100 and 95 % of the area.
    """
    boxes = []
    for name, ratio in RATIOS.items():
        width = round(sqrt(STRIDE**2 / ratio))
        height = round(width * ratio)
        for scale in SCALES:
            across, down = (side * scale // STRIDE for side in (width, height))
            left, top = (STRIDE - across) // 2, (STRIDE - down) // 2
            boxes.append(Anchor(scale, name, left, top, left + across - 1, top + down - 1))
    return tuple(boxes)


ANCHORS = Anchors("rpn.deltas", anchors_of_a_position())


def zf() -> Sequential:
    """The five convolutions of ZFNet, each layer padded by half of its window (SPP-net, appendix A)."""
    pool = MaxPool2d(3, stride=2, padding=1, ceil_mode=True)
    return Sequential(
        conv1=Conv2d(96, 7, stride=2, padding=3),
        relu1=ReLU(),
        norm1=LocalResponseNorm(3, alpha=5e-5),
        pool1=pool,
        conv2=Conv2d(256, 5, stride=2, padding=2),
        relu2=ReLU(),
        norm2=LocalResponseNorm(3, alpha=5e-5),
        pool2=pool,
        conv3=Conv2d(384, 3, padding=1),
        relu3=ReLU(),
        conv4=Conv2d(384, 3, padding=1),
        relu4=ReLU(),
        conv5=Conv2d(256, 3, padding=1),
        relu5=ReLU(),
    )


def vgg() -> Sequential:
    """The thirteen convolutions of VGG-16, by torchvision's names; the four poolings between them round up, as Caffe's
    do."""
    network: Any = vgg16.describe()
    layers = dict(network.features[:30].children)
    return Sequential(
        **{name: replace(one, ceil_mode=True) if isinstance(one, MaxPool2d) else one for name, one in layers.items()}
    )


def hidden(dropout: float) -> dict[str, Node]:
    """fc6 and fc7, of 4,096 units each."""
    return {
        "fc6": Linear(4096),
        "relu6": ReLU(),
        "drop6": Dropout(dropout),
        "fc7": Linear(4096),
        "relu7": ReLU(),
        "drop7": Dropout(dropout),
    }


def heads(classes: int) -> dict[str, Node]:
    """Scores of the classes and of the background, and four coordinates for each of them (Fast R-CNN, section 2.1)."""
    return {
        "cls_score": Linear(classes + 1),
        "bbox_pred": From("drop7", Linear(4 * (classes + 1))),
        "out": Outputs("cls_score", "bbox_pred"),
    }


def scored(count: int) -> str:
    return f"0 is the background, 1 to {count - 1} are the classes"


def moved(count: int) -> str:
    return (
        f"4c to 4c + 3 are x, y, width and height of the box as one of class c, 0 to {count // 4 - 1}, 0 the background"
    )


def proposed(count: int) -> str:
    return f"0 to {count // 2 - 1} score the background at each anchor, {count // 2} to {count - 1} an object there"


def shifted(count: int) -> str:
    return f"4a to 4a + 3 are x, y, width and height relative to anchor a, 0 to {count // 4 - 1}"


SCORES: Channels = {"regions.cls_score": scored}
HEADS: Channels = {**SCORES, "regions.bbox_pred": moved}
PROPOSALS: Channels = {**HEADS, "rpn.objectness": proposed, "rpn.deltas": shifted}
"""As in the authors' Caffe models."""


@register(
    paper=RCNN,
    input_size=SIZE,
    channels=SCORES,
    pinned=Pinned(
        params=56_954_261,
        macs=1_440_793_664_000,
        receptive_field=None,
        stages={
            "regions.warp": (3, 227, 227),
            "regions.pool5": (256, 6, 6),
            "regions.fc7": (4096,),
            "regions.cls_score": (21,),
        },
    ),
)
def rcnn_alexnet(classes: int = 20, regions: int = 2000, dropout: float = 0.5) -> Sequential:
    """R-CNN: each of 2000 regions of an image is warped to 227x227 and goes through all of `caffenet` by itself.

    56,954,261 parameters, 1440.794 G MACs. The last layer, for 20 classes and the background, is what the network is
    trained with (section 2.3); at test time a support vector machine for each class reads fc7 instead, which is 4096
    MACs a region fewer. Boxes are warped without the context of 16 pixels around them.
    """
    network: Any = caffenet.describe(dropout=dropout)
    layers = {name: layer for name, layer in network.children if name != "fc8"}
    return Sequential(regions=Regions(regions, warp=Resize(227), **layers, cls_score=Linear(classes + 1)))


def sppnet(trunk: Sequential, classes: int, regions: int, levels: tuple[int, ...], dropout: float) -> Sequential:
    return Sequential(
        features=From("input.0", trunk),
        regions=From(
            "features",
            "input.1",
            Regions(
                regions,
                spp=RoIPyramidPool(levels, 1 / STRIDE),
                **hidden(dropout),
                cls_score=Linear(classes + 1),
            ),
        ),
    )


@register(
    paper=SPPNET,
    input_size=SIZE,
    channels=SCORES,
    pinned=Pinned(
        params=73_026_709,
        macs=154_313_412_096,
        receptive_field=139,
        stages={"features.conv5": (256, 39, 64), "regions.spp": (12_800,), "regions.fc7": (4096,)},
    ),
)
def sppnet_zf5(
    classes: int = 20, regions: int = 2000, levels: tuple[int, ...] = PYRAMID, dropout: float = 0.5
) -> Sequential:
    """SPP-net on the five convolutions of ZFNet: they read the image once, and 50 bins of each region are classified.

    73,026,709 parameters, 154.313 G MACs. The bins are grids of 6x6, 3x3, 2x2 and 1x1 over the region, 256 maxima in
    each: 12800 values, whatever its size. The last layer is of the 21 classes that it is trained with; at test time
    support vector machines read fc7 instead.
    """
    return sppnet(zf(), classes, regions, levels, dropout)


@register(
    paper=SPPNET,
    input_size=SIZE,
    channels=SCORES,
    pinned=Pinned(
        params=136_443_733,
        macs=427_310_927_872,
        receptive_field=196,
        stages={"features.29": (512, 38, 63), "regions.spp": (25_600,), "regions.fc7": (4096,)},
    ),
)
def sppnet_vgg16(
    classes: int = 20, regions: int = 2000, levels: tuple[int, ...] = PYRAMID, dropout: float = 0.5
) -> Sequential:
    """SPP-net on the 13 convolutions of VGG-16, as Fast R-CNN is compared with it (Girshick, 2015, section 4.1).

    136,443,733 parameters, 427.311 G MACs.
    """
    return sppnet(vgg(), classes, regions, levels, dropout)


def roi_heads(classes: int, regions: int, size: int, dropout: float) -> Regions:
    """RoI pooling to `size` x `size`, two hidden layers, and the two heads."""
    return Regions(
        regions,
        roi_pool=RoIPool(size, 1 / STRIDE),
        flatten=Flatten(),
        **hidden(dropout),
        **heads(classes),
    )


@register(
    paper=FAST,
    input_size=SIZE,
    channels=HEADS,
    pinned=Pinned(
        params=134_690_729,
        macs=423_804_751_872,
        receptive_field=196,
        stages={
            "features.29": (512, 38, 63),
            "regions.roi_pool": (512, 7, 7),
            "regions.cls_score": (21,),
            "regions.bbox_pred": (84,),
        },
    ),
)
def fast_rcnn_vgg16(classes: int = 20, regions: int = 2000, dropout: float = 0.5) -> Sequential:
    """Fast R-CNN on VGG-16: the largest of each of 7x7 shares of a region, and two heads: classes and boxes.

    134,690,729 parameters, 423.805 G MACs, more than half of which are done 2000 times, once a region. The paper's
    truncated SVD of fc6 and fc7 (section 3.1) is no part of it.
    """
    return Sequential(
        features=From("input.0", vgg()),
        regions=From("features", "input.1", roi_heads(classes, regions, 7, dropout)),
    )


def proposals(width: int, anchors: int) -> Sequential:
    """The region proposal network (figure 3): a 3x3, and for each anchor two scores and four coordinates."""
    return Sequential(
        conv=Conv2d(width, 3, padding=1),
        relu=ReLU(),
        objectness=Conv2d(2 * anchors, 1),
        deltas=From("relu", Conv2d(4 * anchors, 1)),
        out=Outputs("objectness", "deltas"),
    )


def faster(
    trunk: Sequential, width: int, size: int, classes: int, regions: int, anchors: int, dropout: float
) -> Sequential:
    return Sequential(
        features=From("input.0", trunk),
        rpn=From("features", proposals(width, anchors)),
        regions=From("features", "input.1", roi_heads(classes, regions, size, dropout)),
        out=Outputs("rpn.objectness", "rpn.deltas", "regions.cls_score", "regions.bbox_pred"),
    )


@register(
    paper=FASTER,
    input_size=SIZE,
    channels=PROPOSALS,
    anchors=ANCHORS,
    pinned=Pinned(
        params=137_078_239,
        macs=225_573_931_008,
        receptive_field=228,
        stages={
            "features.29": (512, 38, 63),
            "rpn.objectness": (18, 38, 63),
            "rpn.deltas": (36, 38, 63),
            "regions.cls_score": (21,),
            "regions.bbox_pred": (84,),
        },
    ),
)
def faster_rcnn_vgg16(
    classes: int = 20, regions: int = 300, anchors: int = len(ANCHORS.boxes), dropout: float = 0.5
) -> Sequential:
    """Faster R-CNN on VGG-16: a region proposal network gives the 300 regions that `fast_rcnn_vgg16`'s heads look at.

    137,078,239 parameters, 225.574 G MACs. It gives two scores and four coordinates for each of 9 anchors at each
    position, and the heads' outputs for the regions it is given: what becomes of the former, the choice of 300 boxes
    without their near duplicates, is not part of a network here.
    """
    return faster(vgg(), 512, 7, classes, regions, anchors, dropout)


@register(
    paper=FASTER,
    input_size=SIZE,
    channels=PROPOSALS,
    anchors=ANCHORS,
    pinned=Pinned(
        params=59_294_751,
        macs=33_722_863_104,
        receptive_field=171,
        stages={
            "features.conv5": (256, 39, 64),
            "rpn.objectness": (18, 39, 64),
            "rpn.deltas": (36, 39, 64),
            "regions.cls_score": (21,),
            "regions.bbox_pred": (84,),
        },
    ),
)
def faster_rcnn_zf(
    classes: int = 20, regions: int = 300, anchors: int = len(ANCHORS.boxes), dropout: float = 0.5
) -> Sequential:
    """Faster R-CNN on the five convolutions of ZFNet, with RoI pooling to 6x6.

    59,294,751 parameters, 33.723 G MACs.
    """
    return faster(zf(), 256, 6, classes, regions, anchors, dropout)
