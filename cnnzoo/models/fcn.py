"""Fully convolutional networks: Long, Shelhamer and Darrell (2015), with the names of the authors' Caffe networks, and
torchvision's."""

from itertools import takewhile
from typing import Any

from ..arch import (
    Add,
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    From,
    MaxPool2d,
    Node,
    Outputs,
    PadLike,
    ReLU,
    Sequential,
    UpsampleLike,
)
from ..registry import Builder, Paper, Pinned, register
from ..words import Range
from .alexnet import caffenet
from .googlenet import googlenet
from .resnet import resnet50, resnet101
from .vgg import DEPTHS

PAPER = Paper(
    title="Fully Convolutional Networks for Semantic Segmentation",
    authors="Jonathan Long, Evan Shelhamer, Trevor Darrell",
    year=2014,
    venue="CVPR 2015",
    arxiv="1411.4038",
)

POOLS = {
    "pool1": (64, 349, 349),
    "pool2": (128, 175, 175),
    "pool3": (256, 88, 88),
    "pool4": (512, 44, 44),
    "pool5": (512, 22, 22),
    "fc7": (4096, 16, 16),
    "score": (21, 500, 500),
}
"""Of 500x500, as the authors time it."""


def vgg16() -> dict[str, Node]:
    """Configuration D up to its last pooling, with 100 zeros around the image, so that something is left of any."""
    layers: dict[str, Node] = {}
    for block, (width, count) in enumerate(zip((64, 128, 256, 512, 512), DEPTHS[16], strict=True), 1):
        for number in range(1, count + 1):
            layers[f"conv{block}_{number}"] = Conv2d(width, 3, padding=100 if not layers else 1)
            layers[f"relu{block}_{number}"] = ReLU()
        layers[f"pool{block}"] = MaxPool2d(2, stride=2, ceil_mode=True)
    return layers


def up_to(end: str, network: Any) -> dict[str, Node]:
    """The layers of a network in front of one of them."""
    return dict(takewhile(lambda child: child[0] != end, network.children))


def scores(kernel: int, num_classes: int, dropout: float) -> dict[str, Node]:
    """The fully connected layers as convolutions, the first of which reads as many positions as it read before, and a
    score for each class (section 4.1)."""
    return {
        "fc6": Conv2d(4096, kernel),
        "relu6": ReLU(),
        "drop6": Dropout(dropout),
        "fc7": Conv2d(4096, 1),
        "relu7": ReLU(),
        "drop7": Dropout(dropout),
        "score_fr": Conv2d(num_classes, 1),
    }


def up(num_classes: int, kernel: int, stride: int) -> ConvTranspose2d:
    """Larger by the stride: each position is spread over a window twice as large, and begins as bilinear interpolation
    of its own class (section 3.3). As in the authors' networks all classes are read for each."""
    return ConvTranspose2d(num_classes, kernel, stride=stride, bias=False)


def crop(source: str, like: str, offset: int) -> From:
    """What lies over `like`, which begins `offset` rows and columns in."""
    made: From = PadLike(source, like, before=-offset)
    return made


def fused(upscore: str, pool: str, num_classes: int, offset: int) -> dict[str, Node | From]:
    """The scores so far at twice the size, under the name `upscore`, and to them the scores of what a pooling gave."""
    score = f"score_{pool}"
    return {
        upscore: up(num_classes, 4, 2),
        score: From(pool, Conv2d(num_classes, 1)),
        f"{score}c": crop(score, upscore, offset),
        f"fuse_{pool}": Add(upscore, f"{score}c"),
    }


@register(
    paper=PAPER,
    input_size=(3, 500, 500),
    pinned=Pinned(
        params=136_152_917,
        macs=181_365_854_976,
        receptive_field=436,
        stages={**POOLS, "upscore": (21, 544, 544)},
    ),
)
def fcn32s(num_classes: int = 21, dropout: float = 0.5) -> Sequential:
    """FCN-32s: VGG-16 without its classifier gives a score for each class at every 32nd pixel, and one transposed
    convolution brings it to the size of the image; 136,152,917 parameters, 181.366 G MACs.

    Padding and crops are those of the authors' voc-fcn32s, so that an image of any size gives scores of that size. The
    transposed convolution, 1,806,336 of the parameters, begins as bilinear interpolation of each class by itself; in
    the paper's experiments it was then learnt, as it is here, in the networks that were published it is fixed.
    """
    return Sequential(
        **vgg16(),
        **scores(7, num_classes, dropout),
        upscore=up(num_classes, 64, 32),
        score=crop("upscore", "input", 19),
    )


@register(
    paper=PAPER,
    input_size=(3, 500, 500),
    pinned=Pinned(
        params=134_815_994,
        macs=181_448_086_272,
        receptive_field=Range(436, 468),
        stages={**POOLS, "upscore2": (21, 34, 34), "upscore16": (21, 560, 560)},
    ),
)
def fcn16s(num_classes: int = 21, dropout: float = 0.5) -> Sequential:
    """FCN-16s: the scores are doubled, those of pool4 are added, and the sum is brought to the size of the image;
    134,815,994 parameters, 181.448 G MACs.

    1,336,923 fewer than `fcn32s`, whose transposed convolution has windows of 64x64 for 32x32. Padding and crops are
    those of the authors' voc-fcn16s.
    """
    return Sequential(
        **vgg16(),
        **scores(7, num_classes, dropout),
        **fused("upscore2", "pool4", num_classes, 5),
        upscore16=up(num_classes, 32, 16),
        score=crop("upscore16", "input", 27),
    )


@register(
    paper=PAPER,
    input_size=(3, 500, 500),
    pinned=Pinned(
        params=134_489_759,
        macs=181_529_034_048,
        receptive_field=Range(436, 468),
        stages={**POOLS, "upscore2": (21, 34, 34), "upscore_pool4": (21, 70, 70), "upscore8": (21, 568, 568)},
    ),
)
def fcn8s(num_classes: int = 21, dropout: float = 0.5) -> Sequential:
    """FCN-8s: the sum of FCN-16s is doubled, the scores of pool3 are added, and the sum is brought to the size of the
    image; 134,489,759 parameters, 181.529 G MACs.

    326,235 fewer than `fcn16s`. Padding and crops are those of the authors' voc-fcn8s, in which nothing is multiplied
    before it is added; in voc-fcn8s-atonce pool4's and pool3's maps are.
    """
    return Sequential(
        **vgg16(),
        **scores(7, num_classes, dropout),
        **fused("upscore2", "pool4", num_classes, 5),
        **fused("upscore_pool4", "pool3", num_classes, 9),
        upscore8=up(num_classes, 16, 8),
        score=crop("upscore8", "input", 31),
    )


@register(
    paper=PAPER,
    input_size=(3, 500, 500),
    pinned=Pinned(
        params=58_704_590,
        macs=21_424_487_968,
        receptive_field=Range(355, 387),
        stages={
            "pool1": (96, 86, 86),
            "pool2": (256, 43, 43),
            "pool5": (256, 21, 21),
            "score_fr": (21, 16, 16),
            "upscore": (21, 543, 543),
            "score": (21, 500, 500),
        },
    ),
)
def fcn_alexnet(num_classes: int = 21, dropout: float = 0.5) -> Sequential:
    """FCN-AlexNet, on `caffenet`, as the authors' voc-fcn-alexnet: 58,704,590 parameters, 21.424 G MACs.

    Its transposed convolution has windows of 63x63, as what a score sees is an odd number of pixels, 355, and its
    1,750,329 parameters begin as bilinear interpolation.
    """
    return Sequential(
        **up_to("flatten", caffenet.describe()) | {"conv1": Conv2d(96, 11, stride=4, padding=100)},
        **scores(6, num_classes, dropout),
        upscore=up(num_classes, 63, 32),
        score=crop("upscore", "input", 18),
    )


@register(
    paper=PAPER,
    input_size=(3, 500, 500),
    pinned=Pinned(
        params=7_745_406,
        macs=8_153_606_425,
        receptive_field=Range(715, 747),
        stages={
            "maxpool1": (64, 125, 125),
            "maxpool2": (192, 62, 62),
            "maxpool3": (480, 31, 31),
            "inception5b": (1024, 15, 15),
            "upscore": (21, 511, 511),
            "score": (21, 500, 500),
        },
    ),
)
def fcn_googlenet(num_classes: int = 21, dropout: float = 0.4) -> Sequential:
    """FCN-GoogLeNet, on `googlenet` without its average pooling (section 4.1): 7,745,406 parameters, 8.154 G MACs.

    The authors published no such network: nothing is put around the image here but what GoogLeNet has, and windows of
    63x63 and the crop are so that the scores lie over what they see, 715 pixels, in the middle.
    """
    return Sequential(
        **up_to("avgpool", googlenet.describe(aux_logits=False)),
        dropout=Dropout(dropout),
        score_fr=Conv2d(num_classes, 1),
        upscore=up(num_classes, 63, 32),
        score=crop("upscore", "input", 1),
    )


def dilated(trunk: Builder[Any]) -> Sequential:
    """The maps of a ResNet whose last two stages have dilation for their stride, so that they stay an eighth of the
    image."""
    described: Any = trunk.describe(replace_stride_with_dilation=(False, True, True))
    maps: Sequential = described[:-3]
    return maps


def head(width: int, num_classes: int) -> Sequential:
    """torchvision's `FCNHead`: a 3x3 to a quarter of the channels, and a score for each class at each position."""
    return Sequential(
        Conv2d(width, 3, padding=1, bias=False), BatchNorm2d(), ReLU(), Dropout(0.1), Conv2d(num_classes, 1)
    )


def segmenting(backbone: Sequential, classifier: Sequential, num_classes: int, aux_loss: bool) -> Sequential:
    """torchvision's `_SimpleSegmentationModel`: scores of the backbone's last maps, brought to the size of the image,
    and with `aux_loss` those of the stage before, which are worked out at inference, too."""
    if not aux_loss:
        return Sequential(
            backbone=backbone, classifier=classifier, out=UpsampleLike("classifier", "input", mode="bilinear")
        )
    return Sequential(
        backbone=backbone,
        classifier=classifier,
        aux_classifier=From("backbone.layer3", head(256, num_classes)),
        aux=UpsampleLike("aux_classifier", "input", mode="bilinear"),
        out=UpsampleLike("classifier", "input", mode="bilinear"),
        both=Outputs("out", "aux"),
    )


@register(
    paper=PAPER,
    pinned=Pinned(
        params=32_957_013,
        macs=26_484_498_432,
        receptive_field=451,
        stages={
            "backbone.layer2": (512, 28, 28),
            "backbone.layer3": (1024, 28, 28),
            "backbone.layer4": (2048, 28, 28),
            "classifier": (21, 28, 28),
            "out": (21, 224, 224),
        },
    ),
)
def fcn_resnet50(num_classes: int = 21, aux_loss: bool = False) -> Sequential:
    """torchvision's: ResNet-50 whose last two stages have dilation for their stride, a 3x3, and a score for each class
    at every 8th pixel, brought to the size of the image bilinearly; 32,957,013 parameters, 26.484 G MACs.

    What torchvision returns as "out" is returned itself; with `aux_loss` two values are, out and aux, in training and
    at inference. Its published weights have both, and were trained on images of 520 pixels.
    """
    return segmenting(dilated(resnet50), head(512, num_classes), num_classes, aux_loss)


@register(
    paper=PAPER,
    pinned=Pinned(params=51_949_141, macs=41_333_383_168, receptive_field=995, stages=fcn_resnet50.pinned.stages),
)
def fcn_resnet101(num_classes: int = 21, aux_loss: bool = False) -> Sequential:
    """torchvision's: `fcn_resnet50` on ResNet-101; 51,949,141 parameters, 41.333 G MACs."""
    return segmenting(dilated(resnet101), head(512, num_classes), num_classes, aux_loss)
