"""ConvNeXt V2: Woo, Debnath, Hu, Chen, Liu, Kweon and Xie (2023), figure 5 and table 13; timm's names."""

from ..arch import (
    GELU,
    AdaptiveAvgPool2d,
    Conv2d,
    Dropout,
    Flatten,
    GlobalResponseNorm,
    LayerNorm,
    Linear,
    Permute,
    Residual,
    Sequential,
    StochasticDepth,
)
from ..registry import Paper, Pinned, register
from .convnext import NORM, chances, downsampling
from .stages import Depth, read_depth
from .variant import variant

PAPER = Paper(
    title="ConvNeXt V2: Co-designing and Scaling ConvNets with Masked Autoencoders",
    authors="Sanghyun Woo, Shoubhik Debnath, Ronghang Hu, Xinlei Chen, Zhuang Liu, In So Kweon, Saining Xie",
    year=2023,
    venue="CVPR 2023",
    arxiv="2301.00808",
)


def block(dim: int, conv_mlp: bool, chance: float) -> Residual:
    """Figure 5, right: ConvNeXt's block with a global response normalisation between its two linear layers, in place of
    the scale behind them; with `conv_mlp` these are 1x1 convolutions."""
    layers = {"conv_dw": Conv2d(dim, 7, padding=3, groups=dim)}
    drop_path = StochasticDepth(chance, "row") if chance else None
    if conv_mlp:
        mlp = Sequential(fc1=Conv2d(4 * dim, 1), act=GELU(), grn=GlobalResponseNorm(), fc2=Conv2d(dim, 1))
        return Residual(**layers, norm=NORM, mlp=mlp, drop_path=drop_path)
    return Residual(
        **layers,
        last=Permute((0, 2, 3, 1)),
        norm=LayerNorm(eps=1e-6),
        mlp=Sequential(fc1=Linear(4 * dim), act=GELU(), grn=GlobalResponseNorm(channels_last=True), fc2=Linear(dim)),
        first=Permute((0, 3, 1, 2)),
        drop_path=drop_path,
    )


def stages(width: int) -> dict[str, tuple[int, ...]]:
    found = {f"stages.{number}": (width << number, 56 >> number, 56 >> number) for number in range(4)}
    return {"stem": (width, 56, 56), **found, "head.fc": (1000,)}


@register(
    paper=PAPER,
    pinned=Pinned(params=3_708_400, macs=547_332_480, receptive_field=None, stages=stages(40)),
)
def convnextv2_atto(
    num_classes: int = 1000,
    drop_rate: float = 0.0,
    drop_path_rate: float = 0.0,
    width: int = 40,
    depth: Depth = (2, 2, 6, 2),
    conv_mlp: bool = True,
) -> Sequential:
    """ConvNeXt V2 Atto, of 2, 2, 6, 2 blocks of 40 to 320 channels: 3,708,400 parameters, 0.547 G MACs."""
    counts = read_depth(depth, 4)
    chance = chances(drop_path_rate, counts)

    def stage(number: int, count: int) -> Sequential:
        dim = width << number
        blocks = Sequential(*[block(dim, conv_mlp, next(chance)) for _ in range(count)])
        return Sequential(downsample=downsampling(dim) if number else None, blocks=blocks)

    return Sequential(
        stem=Sequential(Conv2d(width, 4, stride=4), NORM),
        stages=Sequential(*[stage(number, count) for number, count in enumerate(counts)]),
        head=Sequential(
            global_pool=AdaptiveAvgPool2d(1),
            norm=NORM,
            flatten=Flatten(),
            drop=Dropout(drop_rate) if drop_rate else None,
            fc=Linear(num_classes),
        ),
    )


@variant(convnextv2_atto, width=48, params=5_233_240, macs=779_629_824, receptive_field=None, stages=stages(48))
def convnextv2_femto() -> None:
    """ConvNeXt V2 Femto, of 2, 2, 6, 2 blocks of 48 to 384 channels: 5,233,240 parameters, 0.780 G MACs."""


@variant(convnextv2_atto, width=64, params=9_066_280, macs=1_367_055_360, receptive_field=None, stages=stages(64))
def convnextv2_pico() -> None:
    """ConvNeXt V2 Pico, of 2, 2, 6, 2 blocks of 64 to 512 channels: 9,066,280 parameters, 1.367 G MACs."""


@variant(
    convnextv2_atto,
    width=80,
    depth=(2, 2, 8, 2),
    params=15_623_800,
    macs=2_445_528_320,
    receptive_field=None,
    stages=stages(80),
)
def convnextv2_nano() -> None:
    """ConvNeXt V2 Nano, of 2, 2, 8, 2 blocks of 80 to 640 channels: 15,623,800 parameters, 2.446 G MACs."""


@variant(
    convnextv2_atto,
    width=96,
    depth=(3, 3, 9, 3),
    conv_mlp=False,
    params=28_635_496,
    macs=4_455_531_264,
    receptive_field=None,
    stages=stages(96),
)
def convnextv2_tiny() -> None:
    """ConvNeXt V2 Tiny, of 3, 3, 9, 3 blocks of 96 to 768 channels: 28,635,496 parameters, 4.456 G MACs."""


@variant(
    convnextv2_atto,
    width=128,
    depth=(3, 3, 27, 3),
    conv_mlp=False,
    params=88_717_800,
    macs=15_354_729_472,
    receptive_field=None,
    stages=stages(128),
)
def convnextv2_base() -> None:
    """ConvNeXt V2 Base, of 3, 3, 27, 3 blocks of 128 to 1024 channels: 88,717,800 parameters, 15.355 G MACs."""


@variant(
    convnextv2_atto,
    width=192,
    depth=(3, 3, 27, 3),
    conv_mlp=False,
    params=197_956_840,
    macs=34_361_433_600,
    receptive_field=None,
    stages=stages(192),
)
def convnextv2_large() -> None:
    """ConvNeXt V2 Large, of 3, 3, 27, 3 blocks of 192 to 1536 channels: 197,956,840 parameters, 34.361 G MACs."""


@variant(
    convnextv2_atto,
    width=352,
    depth=(3, 3, 27, 3),
    conv_mlp=False,
    params=660_289_640,
    macs=114_922_100_480,
    receptive_field=None,
    stages=stages(352),
)
def convnextv2_huge() -> None:
    """ConvNeXt V2 Huge, of 3, 3, 27, 3 blocks of 352 to 2816 channels: 660,289,640 parameters, 114.922 G MACs."""
