"""YOLO: Redmon et al. (2015), figure 3; Redmon and Farhadi, YOLO9000 (2016) and YOLOv3 (2018), as Darknet has them."""

from collections.abc import Iterable
from typing import Any

from ..arch import (
    Cat,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    From,
    Identity,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Outputs,
    PixelUnshuffle,
    Sequential,
    Unflatten,
    Upsample,
)
from ..arch.padding import ReplicationPad2d
from ..errors import InvalidValueError
from ..registry import Channels, Paper, Pinned, register
from ..words import Range
from .darknet import DARKNET19, DARKNET53, YOLO9000, YOLOV3, conv, stage, stages
from .variant import variant

PAPER = Paper(
    title="You Only Look Once: Unified, Real-Time Object Detection",
    authors="Joseph Redmon, Santosh Divvala, Ross Girshick, Ali Farhadi",
    year=2015,
    venue="CVPR 2016",
    arxiv="1506.02640",
)

SLOPE = 0.1
"""Of all activations where x is negative (equation 2)."""

FIGURE3 = (
    *((64, 7, 2), None, (192, 3, 1), None, (128, 1, 1), (256, 3, 1), (256, 1, 1), (512, 3, 1), None),
    *((256, 1, 1), (512, 3, 1)) * 4,
    *((512, 1, 1), (1024, 3, 1), None),
    *((512, 1, 1), (1024, 3, 1)) * 2,
)
"""Maps, kernel and stride of each convolution that section 2.2 trains on ImageNet first, and None for a 2x2 pooling."""

ADDED = ((1024, 3, 1), (1024, 3, 2), (1024, 3, 1), (1024, 3, 1))
"""The convolutions that are added for detection."""


def convolutions(rows: Iterable[tuple[int, int, int] | None], first: int = 1) -> Sequential:
    """The convolutions with their activations, numbered from `first` on, and the poolings."""
    layers: dict[str, Any] = {}
    for row in rows:
        number = first + sum(isinstance(layer, Conv2d) for layer in layers.values())
        if row is None:
            layers[f"pool{number - 1}"] = MaxPool2d(2)
            continue
        maps, kernel, stride = row
        layers[f"conv{number}"] = Conv2d(maps, kernel, stride=stride, padding=kernel // 2)
        layers[f"act{number}"] = LeakyReLU(SLOPE)
    return Sequential(**layers)


def of_a_cell(count: int) -> str:
    return (
        "5b to 5b + 4 are x, y, width, height and confidence of the cell's box b, from 0 on, and then come its classes"
    )


def of_anchors(count: int) -> str:
    return "x, y, width, height, objectness and classes of one anchor after the other"


CELLS: Channels = {"output": of_a_cell}
ANCHORS: Channels = {"output": of_anchors}
LEVELS: Channels = {f"head{level}.pred": of_anchors for level in (5, 4, 3)}


def predicted(boxes: int, classes: int, *, once: bool = False) -> int:
    """Values of a cell: five of every box, and of each box or `once` the classes."""
    if boxes < 1 or classes < 0:
        raise InvalidValueError(f"a cell has at least one box, and no fewer than 0 classes; got {boxes} and {classes}")
    return 5 * boxes + classes * (1 if once else boxes)


def cells(boxes: int, classes: int, grid: int) -> dict[str, Linear | Unflatten]:
    """Of each of grid x grid cells x, y, width, height and confidence of every box, and the classes (section 2)."""
    channels = predicted(boxes, classes, once=True)
    return {"fc2": Linear(channels * grid**2), "output": Unflatten(1, (channels, grid, grid))}


@register(
    paper=PAPER,
    input_size=(3, 448, 448),
    channels=CELLS,
    pinned=Pinned(
        params=271_703_550,
        macs=20_285_153_280,
        receptive_field=1133,
        stages={
            "features.pool1": (64, 112, 112),
            "features.pool2": (192, 56, 56),
            "features.pool6": (512, 28, 28),
            "features.pool16": (1024, 14, 14),
            "added.conv22": (1024, 7, 7),
            "added.conv24": (1024, 7, 7),
            "fc1": (4096,),
            "output": (30, 7, 7),
        },
    ),
)
def yolo_v1(classes: int = 20, grid: int = 7, boxes: int = 2, dropout: float = 0.5) -> Sequential:
    """The network of figure 3: 24 convolutions and two linear layers read an image of 448x448 once, and give 7x7 cells.

    271,703,550 parameters, 20.285 G MACs. A cell has x, y, width, height and confidence of two boxes and the
    probabilities of 20 classes (S = 7, B = 2 and C = 20 of section 2): 30 channels. Darknet's yolov1.cfg is another
    network: its convolutions are normalised, it has a locally connected layer of 256 maps for the first linear layer,
    and three boxes a cell.
    """
    return Sequential(
        features=convolutions(FIGURE3),
        added=convolutions(ADDED, 21),
        flatten=Flatten(),
        fc1=Linear(4096),
        act=LeakyReLU(SLOPE),
        drop=Dropout(dropout),
        **cells(boxes, classes, grid),
    )


def pooled(width: int, last: int) -> dict[str, Any]:
    """Six 3x3 convolutions, each of twice the maps of the one before it, and a 2x2 pooling behind each, the last one of
    stride `last`."""
    stages: dict[str, Any] = {}
    for number in range(1, 7):
        stages[f"conv{number}"] = conv(width * 2 ** (number - 1), 3, SLOPE)
        stages[f"pool{number}"] = MaxPool2d(2) if number < 6 or last == 2 else same_pool()
    return stages


def same_pool() -> Sequential:
    """A 2x2 pooling of stride 1 that keeps the size: at the right and lower edges it reads what there is."""
    return Sequential(pad=ReplicationPad2d((0, 1, 0, 1)), pool=MaxPool2d(2, stride=1))


@register(
    paper=PAPER,
    input_size=(3, 448, 448),
    channels=CELLS,
    pinned=Pinned(
        params=27_095_374,
        macs=1_608_015_360,
        receptive_field=830,
        stages={
            "features.pool1": (16, 224, 224),
            "features.pool5": (256, 14, 14),
            "features.conv7": (1024, 7, 7),
            "features.conv8": (256, 7, 7),
            "output": (30, 7, 7),
        },
    ),
)
def yolo_v1_fast(classes: int = 20, grid: int = 7, boxes: int = 2) -> Sequential:
    """Fast YOLO as Darknet released it, yolov1-tiny.cfg: eight normalised convolutions and a linear layer.

    27,095,374 parameters, 1.608 G MACs. The paper prints no table of it; it says 9 convolutional layers for the 24 of
    `yolo_v1` (section 2.2), as many as there are layers with weights here.
    """
    return Sequential(
        features=Sequential(**pooled(16, 2), conv7=conv(1024, 3, SLOPE), conv8=conv(256, 3, SLOPE)),
        flatten=Flatten(),
        **cells(boxes, classes, grid),
    )


@register(
    paper=YOLO9000,
    input_size=(3, 416, 416),
    channels=ANCHORS,
    pinned=Pinned(
        params=50_655_389,
        macs=14_680_167_424,
        receptive_field=566,
        stages={
            "features.stage5.unit5": (512, 26, 26),
            "features.stage6.unit5": (1024, 13, 13),
            "passthrough": (256, 13, 13),
            "output": (125, 13, 13),
        },
    ),
)
def yolo_v2(classes: int = 20, anchors: int = 5) -> Sequential:
    """YOLOv2: the convolutions of `darknet19`, three more, and one that gives five boxes of each of 13x13 cells.

    50,655,389 parameters, 14.680 G MACs. Each box has its own classes, five values and 20 of them: 125 channels. The
    maps of 26x26, four neighbours of which become channels, reach the last 3x3, too (section 2, "Fine-Grained
    Features"); Darknet orders these channels otherwise than torch's PixelUnshuffle.
    """
    return Sequential(
        features=Sequential(
            **{
                f"stage{number}": Sequential(
                    **({f"pool{number - 1}": MaxPool2d(2)} if number > 1 else {}),
                    **stage(32 * 2 ** (number - 1), count, SLOPE),
                )
                for number, count in enumerate(DARKNET19, 1)
            }
        ),
        conv1=conv(1024, 3, SLOPE),
        conv2=conv(1024, 3, SLOPE),
        passthrough=From("features.stage5.unit5", Sequential(conv=conv(64, 1, SLOPE), reorg=PixelUnshuffle(2))),
        cat=Cat("passthrough", "conv2"),
        conv3=conv(1024, 3, SLOPE),
        output=Conv2d(predicted(anchors, classes), 1),
    )


@register(
    paper=YOLO9000,
    input_size=(3, 416, 416),
    channels=ANCHORS,
    pinned=Pinned(
        params=15_861_773,
        macs=3_485_520_896,
        receptive_field=318,
        stages={
            "features.pool5": (256, 13, 13),
            "features.pool6": (512, 13, 13),
            "features.conv8": (1024, 13, 13),
            "output": (125, 13, 13),
        },
    ),
)
def yolo_v2_tiny(classes: int = 20, anchors: int = 5, last: int = 1024) -> Sequential:
    """Tiny YOLOv2, yolov2-tiny-voc.cfg: the convolutions of `yolo_v1_fast`, and one that gives five boxes of each cell.

    15,861,773 parameters, 3.486 G MACs. The sixth pooling has a stride of 1, so that there are 13x13 cells. Darknet's
    yolov2-tiny.cfg, for the 80 classes of COCO, has 512 maps in its last 3x3.
    """
    return Sequential(
        features=Sequential(**pooled(16, 1), conv7=conv(1024, 3, SLOPE), conv8=conv(last, 3, SLOPE)),
        output=Conv2d(predicted(anchors, classes), 1),
    )


def neck(width: int, pyramid: bool = False) -> Sequential:
    """1x1 to `width` maps and 3x3 to twice as many, five in all; with `pyramid` 5x5, 9x9 and 13x13 poolings of the maps
    beside these, and a 1x1, behind the third."""
    five = [conv(width, 1, SLOPE), conv(2 * width, 3, SLOPE)] * 2 + [conv(width, 1, SLOPE)]
    if pyramid:
        pools = {f"pool{kernel}": MaxPool2d(kernel, stride=1, padding=kernel // 2) for kernel in (5, 9, 13)}
        five[3:3] = [Sequential(spp=Concat(**pools, maps=Identity())), conv(width, 1, SLOPE)]
    return Sequential(*five)


def predictor(width: int, channels: int) -> Sequential:
    """A 3x3 and a 1x1 that gives each cell's boxes, not normalised."""
    return Sequential(conv=conv(width, 3, SLOPE), pred=Conv2d(channels, 1))


def enlarged(width: int) -> Sequential:
    """A 1x1, and each of its pixels as a square of four."""
    return Sequential(conv=conv(width, 1, SLOPE), up=Upsample(scale_factor=2))


@register(
    paper=YOLOV3,
    input_size=(3, 416, 416),
    channels=LEVELS,
    pinned=Pinned(
        params=61_949_149,
        macs=32_932_037_632,
        receptive_field=Range(949, 981),
        stages={
            "stages.2": (256, 52, 52),
            "stages.3": (512, 26, 26),
            "stages.4": (1024, 13, 13),
            "head5": (255, 13, 13),
            "head4": (255, 26, 26),
            "head3": (255, 52, 52),
        },
    ),
)
def yolo_v3(classes: int = 80, anchors: int = 3, pyramid: bool = False) -> Sequential:
    """YOLOv3: Darknet-53, and three boxes of each cell of its maps of 13x13, 26x26 and 52x52 (section 2.3).

    61,949,149 parameters, 32.932 G MACs. Each box has its own classes: five values and 80 of them. What the lowest
    resolution comes to is enlarged and stands beside the maps of the next one, and so on.
    """
    channels = predicted(anchors, classes)
    return Sequential(
        stem=Sequential(conv1=conv(32, 3, SLOPE)),
        stages=stages(32, DARKNET53, SLOPE),
        neck5=neck(512, pyramid),
        head5=predictor(1024, channels),
        up5=From("neck5", enlarged(256)),
        cat4=Cat("up5", "stages.3"),
        neck4=neck(256),
        head4=predictor(512, channels),
        up4=From("neck4", enlarged(128)),
        cat3=Cat("up4", "stages.2"),
        neck3=neck(128),
        head3=predictor(256, channels),
        out=Outputs("head5", "head4", "head3"),
    )


@variant(
    yolo_v3,
    pyramid=True,
    params=62_998_749,
    macs=70_724_486_144,
    receptive_field=Range(1333, 1365),
    input_size=(3, 608, 608),
    stages={"neck5.3": (2048, 19, 19), "head5": (255, 19, 19), "head4": (255, 38, 38), "head3": (255, 76, 76)},
)
def yolo_v3_spp() -> None:
    """YOLOv3 with a pyramid of poolings at its lowest resolution, for images of 608: 62,998,749 parameters, 70.724 G
    MACs.

    Unlike the pyramid of SPP-net it keeps the size: maxima of 5x5, 9x9 and 13x13 neighbours stand beside the maps.
    """


@register(
    paper=YOLOV3,
    input_size=(3, 416, 416),
    channels={level: LEVELS[level] for level in ("head5.pred", "head4.pred")},
    pinned=Pinned(
        params=8_852_366,
        macs=2_782_480_896,
        receptive_field=286,
        stages={
            "features.conv5": (256, 26, 26),
            "features.pool6": (512, 13, 13),
            "head5": (255, 13, 13),
            "head4": (255, 26, 26),
        },
    ),
)
def yolo_v3_tiny(classes: int = 80, anchors: int = 3) -> Sequential:
    """Tiny YOLOv3: the convolutions of `yolo_v1_fast`, and three boxes of each cell of 13x13 and 26x26.

    8,852,366 parameters, 2.782 G MACs.
    """
    channels = predicted(anchors, classes)
    return Sequential(
        features=Sequential(**pooled(16, 1), conv7=conv(1024, 3, SLOPE)),
        neck5=conv(256, 1, SLOPE),
        head5=predictor(512, channels),
        up5=From("neck5", enlarged(128)),
        cat4=Cat("up5", "features.conv5"),
        head4=predictor(256, channels),
        out=Outputs("head5", "head4"),
    )
