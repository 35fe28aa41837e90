"""ShuffleNet V2: Ma et al. (2018), table 5 and figure 3; torchvision's names."""

from ..arch import (
    BatchNorm2d,
    ChannelShuffle,
    Chunk,
    Concat,
    Conv2d,
    Inline,
    Linear,
    MaxPool2d,
    Mean,
    ReLU,
    Sequential,
)
from ..registry import Paper, Pinned, register
from .blocks import conv
from .variant import variant

PAPER = Paper(
    title="ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
    authors="Ningning Ma, Xiangyu Zhang, Hai-Tao Zheng, Jian Sun",
    year=2018,
    venue="ECCV 2018",
    arxiv="1807.11164",
)


def branch(channels: int, stride: int) -> Sequential:
    """The right branch of figure 3 (c) and (d): a 1x1, a depthwise 3x3, a 1x1, all as wide."""
    return Sequential(
        Conv2d(channels, 1, bias=False),
        BatchNorm2d(),
        ReLU(),
        Conv2d(channels, 3, stride=stride, padding=1, groups=channels, bias=False),
        BatchNorm2d(),
        Conv2d(channels, 1, bias=False),
        BatchNorm2d(),
        ReLU(),
    )


def unit(channels: int) -> Sequential:
    """Figure 3 (c): half of the channels pass by, and all are shuffled."""
    return Sequential(
        cat=Inline(
            Concat,
            left=Chunk(2, 0),
            branch2=Inline(Sequential, right=Chunk(2, 1), branch2=branch(channels // 2, 1)),
        ),
        shuffle=ChannelShuffle(2),
    )


def down(into: int, channels: int) -> Sequential:
    """Figure 3 (d): both branches read all channels, at stride 2."""
    return Sequential(
        cat=Inline(
            Concat,
            branch1=Sequential(
                Conv2d(into, 3, stride=2, padding=1, groups=into, bias=False),
                BatchNorm2d(),
                Conv2d(channels // 2, 1, bias=False),
                BatchNorm2d(),
                ReLU(),
            ),
            branch2=branch(channels // 2, 2),
        ),
        shuffle=ChannelShuffle(2),
    )


def stage(into: int, channels: int, repeat: int) -> Sequential:
    """Two rows of table 5: a unit of stride 2, and `repeat` of stride 1."""
    return Sequential(down(into, channels), *[unit(channels)] * repeat)


def stages(c2: int, c3: int, c4: int, c5: int) -> dict[str, tuple[int, ...]]:
    """The output sizes of table 5."""
    return {
        "conv1": (24, 112, 112),
        "maxpool": (24, 56, 56),
        "stage2": (c2, 28, 28),
        "stage3": (c3, 14, 14),
        "stage4": (c4, 7, 7),
        "conv5": (c5, 7, 7),
    }


X0_5, X1_0, X1_5, X2_0 = (48, 96, 192, 1024), (116, 232, 464, 1024), (176, 352, 704, 1024), (244, 488, 976, 2048)
"""Table 5: output channels."""


@register(
    paper=PAPER,
    pinned=Pinned(params=2_278_604, macs=144_907_992, receptive_field=527, stages=stages(*X1_0)),
)
def shufflenet_v2_x1_0(num_classes: int = 1000, channels: tuple[int, int, int, int] = X1_0) -> Sequential:
    """116 channels in stage 2, as torchvision: 2,278,604 parameters, 0.145 G MACs."""
    c2, c3, c4, c5 = channels
    return Sequential(
        conv1=conv(24, 3, ReLU(), stride=2),
        maxpool=MaxPool2d(3, stride=2, padding=1),
        stage2=stage(24, c2, 3),
        stage3=stage(c2, c3, 7),
        stage4=stage(c3, c4, 3),
        conv5=conv(c5, 1, ReLU()),
        globalpool=Mean((2, 3)),
        fc=Linear(num_classes),
    )


@variant(
    shufflenet_v2_x1_0,
    channels=X0_5,
    params=1_366_792,
    macs=40_476_448,
    receptive_field=527,
    stages=stages(*X0_5),
)
def shufflenet_v2_x0_5() -> None:
    """48 channels in stage 2, as torchvision: 1,366,792 parameters, 0.040 G MACs."""


@variant(
    shufflenet_v2_x1_0,
    channels=X1_5,
    params=3_503_624,
    macs=295_759_392,
    receptive_field=527,
    stages=stages(*X1_5),
)
def shufflenet_v2_x1_5() -> None:
    """176 channels in stage 2, as torchvision: 3,503,624 parameters, 0.296 G MACs."""


@variant(
    shufflenet_v2_x1_0,
    channels=X2_0,
    params=7_393_996,
    macs=583_253_464,
    receptive_field=527,
    stages=stages(*X2_0),
)
def shufflenet_v2_x2_0() -> None:
    """244 channels in stage 2 and 2048 in the last convolution, as torchvision: 7,393,996 parameters, 0.583 G MACs."""
