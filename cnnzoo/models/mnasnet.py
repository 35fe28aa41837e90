"""MnasNet: Tan et al. (2018), figure 7: A1 with timm's names, B1 with torchvision's."""

from itertools import chain

from ..arch import (
    BatchNorm2d,
    Dropout,
    Linear,
    Mean,
    Node,
    ReLU,
    Sequential,
)
from ..registry import Paper, Pinned, register
from .blocks import (
    KNOBS,
    conv,
    inverted_residual,
    inverted_residual_timm,
    mobile_timm,
    multiple_of_8,
    separable_timm,
    with_shortcut,
)
from .variant import variant

PAPER = Paper(
    title="MnasNet: Platform-Aware Neural Architecture Search for Mobile",
    authors="Mingxing Tan, Bo Chen, Ruoming Pang, Vijay Vasudevan, Mark Sandler, Andrew Howard, Quoc V. Le",
    year=2018,
    venue="CVPR 2019",
    arxiv="1807.11626",
)

SLOW = BatchNorm2d(momentum=0.0003)
"""A decay of 0.9997 (section 5)."""


def mbconv(into: int, k: int, c: int, s: int, t: int) -> Node:
    """MBConv of expansion t, with a depthwise kxk of stride s, all its layers in a row."""
    layers = chain.from_iterable(inverted_residual(into, t * into, k, c, ReLU(), stride=s, norm=SLOW))
    return with_shortcut(into == c and s == 1, layers=Sequential(*layers))


TABLE = ((3, 24, 2, 3, 3), (5, 40, 2, 3, 3), (5, 80, 2, 6, 3), (3, 96, 1, 6, 2), (5, 192, 2, 6, 4), (3, 320, 1, 6, 1))
"""B1's kernel, channels, stride, expansion and layers, after a separable convolution of 16."""


def stages(*channels: int) -> dict[str, tuple[int, ...]]:
    """What the first convolution, the separable one, the six stages and the last convolution give."""
    paths = ("0", "6", "8", "9", "10", "11", "12", "13", "14")
    sides = (112, 112, 56, 28, 14, 14, 7, 7, 7)
    outputs = zip(paths, (*channels, 1280), sides, strict=True)
    return {f"layers.{path}": (each, side, side) for path, each, side in outputs}


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(
        params=4_383_312,
        macs=314_415_872,
        receptive_field=843,
        stages=stages(32, 16, 24, 40, 80, 96, 192, 320),
    ),
)
def mnasnet1_0(num_classes: int = 1000, width_mult: float = 1.0, dropout: float = 0.2) -> Sequential:
    """B1, which has no gates, as torchvision: 4,383,312 parameters, 0.314 G MACs."""
    c0, into = (multiple_of_8(channels * width_mult) for channels in (32, 16))
    blocks: list[Node] = []
    for k, c, s, t, n in TABLE:
        c = multiple_of_8(c * width_mult)
        blocks.append(Sequential(mbconv(into, k, c, s, t), *[mbconv(c, k, c, 1, t)] * (n - 1)))
        into = c
    return Sequential(
        layers=Sequential(
            *conv(c0, 3, ReLU(), stride=2, norm=SLOW),
            *conv(c0, 3, ReLU(), groups=c0, norm=SLOW),
            *conv(multiple_of_8(16 * width_mult), 1, norm=SLOW),
            *blocks,
            *conv(1280, 1, ReLU(), norm=SLOW),
        ),
        pool=Mean((2, 3)),
        classifier=Sequential(Dropout(dropout), Linear(num_classes)),
    )


@variant(
    mnasnet1_0,
    width_mult=0.5,
    params=2_218_512,
    macs=104_455_968,
    receptive_field=843,
    stages=stages(16, 8, 16, 24, 40, 48, 96, 160),
)
def mnasnet0_5() -> None:
    """B1 at half of the channels, as torchvision: 2,218,512 parameters, 0.104 G MACs."""


@variant(
    mnasnet1_0,
    width_mult=0.75,
    params=3_170_208,
    macs=215_493_104,
    receptive_field=843,
    stages=stages(24, 16, 24, 32, 64, 72, 144, 240),
)
def mnasnet0_75() -> None:
    """B1 at three quarters of the channels, as torchvision: 3,170,208 parameters, 0.215 G MACs."""


@variant(
    mnasnet1_0,
    width_mult=1.3,
    params=6_282_256,
    macs=526_362_432,
    receptive_field=843,
    stages=stages(40, 24, 32, 56, 104, 128, 248, 416),
)
def mnasnet1_3() -> None:
    """B1 at 1.3 times the channels, as torchvision: 6,282,256 parameters, 0.526 G MACs."""


A1 = (
    (6, 3, 24, False, 2, 2),
    (3, 5, 40, True, 3, 2),
    (6, 3, 80, False, 4, 2),
    (6, 3, 112, True, 2, 1),
    (6, 5, 160, True, 3, 2),
    (6, 3, 320, False, 1, 1),
)
"""Figure 7 (a): expansion, kernel, channels, whether it is gated, layers, and the stride of the first."""


@register(
    paper=PAPER,
    pinned=Pinned(
        params=3_887_038,
        macs=311_579_072,
        receptive_field=659,
        stages={
            "conv_stem": (32, 112, 112),
            "blocks.0": (16, 112, 112),
            "blocks.1": (24, 56, 56),
            "blocks.2": (40, 28, 28),
            "blocks.3": (80, 14, 14),
            "blocks.4": (112, 14, 14),
            "blocks.5": (160, 7, 7),
            "blocks.6": (320, 7, 7),
            "conv_head": (1280, 7, 7),
        },
    ),
)
def mnasnet_a1(num_classes: int = 1000, dropout: float = 0.2) -> Sequential:
    """What the search found, with gates in three of its stages, as timm: 3,887,038 parameters, 0.312 G MACs.

    496,274 parameters fewer than B1.
    """
    into = 16
    blocks: list[Node] = [Sequential(separable_timm(32, into, 3, ReLU()))]
    for expansion, kernel, channels, se, layers, stride in A1:
        stage: list[Node] = []
        for s in (stride, *[1] * (layers - 1)):
            squeezed = into // 4 if se else None
            stage.append(
                inverted_residual_timm(into, expansion * into, kernel, channels, ReLU(), stride=s, squeezed=squeezed)
            )
            into = channels
        blocks.append(Sequential(*stage))
    return mobile_timm(blocks, ReLU(), num_classes, dropout)
