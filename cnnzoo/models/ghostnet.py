"""GhostNet: Han et al. (2019), table 1; timm's names."""

from ..arch import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    Hardsigmoid,
    Layer,
    Linear,
    Node,
    ReLU,
    Residual,
    Sequential,
    Shortcut,
)
from ..registry import Paper, Pinned, register
from .blocks import KNOBS, divisible, squeeze_excitation_timm

PAPER = Paper(
    title="GhostNet: More Features from Cheap Operations",
    authors="Kai Han, Yunhe Wang, Qi Tian, Jianyuan Guo, Chunjing Xu, Chang Xu",
    year=2019,
    venue="CVPR 2020",
    arxiv="1911.11907",
)


def ghost(channels: int, activation: Layer | None = None) -> Sequential:
    """Half of the maps by a 1x1, and of each of these another by a depthwise 3x3 (figure 2b, with s = 2 and d = 3)."""
    half = channels // 2
    return Sequential(
        primary_conv=Sequential(Conv2d(half, 1, bias=False), BatchNorm2d(), activation),
        cheap_operation=Dense(
            Conv2d(half, 3, padding=1, groups=half, bias=False),
            BatchNorm2d(),
            activation,
        ),
    )


def depthwise(channels: int, kernel: int, stride: int) -> Conv2d:
    return Conv2d(channels, kernel, stride=stride, padding=kernel // 2, groups=channels, bias=False)


def bottleneck(into: int, kernel: int, exp: int, out: int, se: bool, stride: int) -> Node:
    """Figure 3: a ghost module that widens, a depthwise convolution if there is a stride, a gate, and a ghost module
    that narrows; the shortcut is a depthwise convolution and a 1x1 where it changes the shape."""
    apart = (
        None
        if into == out and stride == 1
        else Shortcut(
            Sequential(depthwise(into, kernel, stride), BatchNorm2d(), Conv2d(out, 1, bias=False), BatchNorm2d())
        )
    )
    return Residual(
        ghost1=ghost(exp, ReLU()),
        conv_dw=depthwise(exp, kernel, stride) if stride > 1 else None,
        bn_dw=BatchNorm2d() if stride > 1 else None,
        se=squeeze_excitation_timm(exp, divisible(exp / 4, 4), ReLU(), Hardsigmoid()) if se else None,
        ghost2=ghost(out),
        shortcut=apart,
    )


TABLE = (
    ((3, 16, 16, False, 1),),
    ((3, 48, 24, False, 2),),
    ((3, 72, 24, False, 1),),
    ((5, 72, 40, True, 2),),
    ((5, 120, 40, True, 1),),
    ((3, 240, 80, False, 2),),
    (
        (3, 200, 80, False, 1),
        (3, 184, 80, False, 1),
        (3, 184, 80, False, 1),
        (3, 480, 112, True, 1),
        (3, 672, 112, True, 1),
    ),
    ((5, 672, 160, True, 2),),
    ((5, 960, 160, False, 1), (5, 960, 160, True, 1), (5, 960, 160, False, 1), (5, 960, 160, True, 1)),
)
"""Table 1: the kernel, #exp, #out, SE and stride of each bottleneck, as MobileNetV3's, in the stages of the authors'
code."""


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(
        params=5_182_508,
        macs=141_150_512,
        receptive_field=1171,
        stages={
            "conv_stem": (16, 112, 112),
            "blocks.0": (16, 112, 112),
            "blocks.2": (24, 56, 56),
            "blocks.4": (40, 28, 28),
            "blocks.5": (80, 14, 14),
            "blocks.6": (112, 14, 14),
            "blocks.8": (160, 7, 7),
            "blocks.9": (960, 7, 7),
            "conv_head": (1280, 1, 1),
        },
    ),
)
def ghostnet(num_classes: int = 1000, width_mult: float = 1.0, dropout: float = 0.2) -> Sequential:
    """MobileNetV3's blocks of ghost modules, as timm: 5,182,508 parameters, 0.141 G MACs.

    `width_mult` is 0.5, 1 or 1.3 in table 7.
    """

    def scaled(channels: int) -> int:
        return divisible(channels * width_mult, 4)

    into, exp = scaled(16), 0
    stem = into
    blocks: list[Node] = []
    for rows in TABLE:
        stage: list[Node] = []
        for kernel, exp, out, se, stride in rows:
            stage.append(bottleneck(into, kernel, scaled(exp), scaled(out), se, stride))
            into = scaled(out)
        blocks.append(Sequential(*stage))
    last = Sequential(conv=Conv2d(scaled(exp), 1, bias=False), bn1=BatchNorm2d(), act1=ReLU())
    return Sequential(
        conv_stem=Conv2d(stem, 3, stride=2, padding=1, bias=False),
        bn1=BatchNorm2d(),
        act1=ReLU(),
        blocks=Sequential(*blocks, Sequential(last)),
        global_pool=AdaptiveAvgPool2d(1),
        conv_head=Conv2d(1280, 1),
        act2=ReLU(),
        flatten=Flatten(),
        drop=Dropout(dropout),
        classifier=Linear(num_classes),
    )
