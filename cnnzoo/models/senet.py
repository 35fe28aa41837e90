"""Squeeze-and-excitation: Hu, Shen and Sun (2017), table 1 and section 6.1; timm's names."""

from typing import Any

from ..arch import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Gate,
    Linear,
    MaxPool2d,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
)
from ..registry import Paper, Pinned, register
from .blocks import squeeze_excitation
from .resnet import BLOCKS, KNOBS, Dilate, bottleneck, conv3x3, resnet, stage, stages
from .resnext import KNOBS as RESNEXT
from .stages import Depth, read_depth
from .variant import variant

PAPER = Paper(
    title="Squeeze-and-Excitation Networks",
    authors="Jie Hu, Li Shen, Samuel Albanie, Gang Sun, Enhua Wu",
    year=2017,
    venue="TPAMI 2020",
    arxiv="1709.01507",
)

REDUCTION = {"reduction": (2, 4, 8, 16, 32)}
"""Table 10."""


def excitation(channels: int, reduction: int) -> Gate:
    """Figure 3: what a residual branch makes, times a factor for each channel; `reduction` is r."""
    return squeeze_excitation(channels, max(1, channels // reduction), ReLU(), Sigmoid())


def se_bottleneck(
    width: int, stride: int, project: bool, before: int = 1, after: int = 1, reduction: int = 16, **settings: Any
) -> Residual:
    """A bottleneck with its gate behind the last normalisation, before the sum (table 1)."""
    return bottleneck(width, stride, project, before, after, se=excitation(4 * width, reduction), **settings)


@register(
    paper=PAPER,
    knobs={**REDUCTION, **KNOBS},
    pinned=Pinned(params=28_088_024, macs=4_091_699_200, receptive_field=427, stages=stages(4)),
)
def seresnet50(
    num_classes: int = 1000,
    reduction: int = 16,
    v1: bool = False,
    width: int = 64,
    depth: Depth = BLOCKS[50],
    output_stride: int = 32,
    replace_stride_with_dilation: Dilate = None,
) -> Sequential:
    """`resnet50` with a gate in each block, as timm: 28,088,024 parameters, 2,530,992 more.

    4.092 G MACs, for the 4.089 G of `resnet50`. What table 2 counts has the stride on the first 1x1, v1=True.
    """
    return resnet(
        se_bottleneck,
        num_classes,
        width,
        depth,
        output_stride,
        replace_stride_with_dilation,
        reduction=reduction,
        v1=v1,
    )


@variant(seresnet50, depth=BLOCKS[101], params=49_326_872, macs=7_806_148_608, receptive_field=971)
def seresnet101() -> None:
    """`resnet101` with a gate in each block, as timm: 49,326,872 parameters, 4,777,712 more.

    7.806 G MACs, for the 7.801 G of `resnet101`. What table 2 counts has the stride on the first 1x1, v1=True.
    """


@variant(seresnet50, depth=BLOCKS[152], params=66_821_848, macs=11_520_204_800, receptive_field=1451)
def seresnet152() -> None:
    """`resnet152` with a gate in each block, as timm: 66,821,848 parameters, 6,629,040 more.

    11.520 G MACs, for the 11.514 G of `resnet152`. What table 2 counts has the stride on the first 1x1, v1=True.
    """


@register(
    paper=PAPER,
    knobs={**REDUCTION, **RESNEXT},
    pinned=Pinned(params=27_559_896, macs=4_232_994_816, receptive_field=427, stages=stages(4)),
)
def seresnext50_32x4d(
    num_classes: int = 1000,
    reduction: int = 16,
    groups: int = 32,
    width_per_group: int = 4,
    width: int = 64,
    depth: Depth = BLOCKS[50],
    output_stride: int = 32,
    replace_stride_with_dilation: Dilate = None,
) -> Sequential:
    """`resnext50_32x4d` with a gate in each block, as timm: 27,559,896 parameters, 2,530,992 more.

    4.233 G MACs, for the 4.230 G of `resnext50_32x4d`.
    """
    return resnet(
        se_bottleneck,
        num_classes,
        width,
        depth,
        output_stride,
        replace_stride_with_dilation,
        reduction=reduction,
        groups=groups,
        width_per_group=width_per_group,
    )


@variant(seresnext50_32x4d, depth=BLOCKS[101], params=48_955_416, macs=7_974_739_968, receptive_field=971)
def seresnext101_32x4d() -> None:
    """`resnext101_32x4d` with a gate in each block, as timm: 48,955,416 parameters, 4,777,712 more.

    7.975 G MACs, for the 7.970 G of `resnext101_32x4d`.
    """


def se_block(width: int, stride: int, project: bool, before: int = 1, after: int = 1, reduction: int = 16) -> Residual:
    """SENet-154's block: half as many maps in front of the 3x3 as it makes, in 64 groups, and a 3x3 on a shortcut that
    halves the map, so that it leaves no pixel out."""
    return Residual(
        conv1=Conv2d(2 * width, 1, bias=False),
        bn1=BatchNorm2d(),
        relu1=ReLU(),
        conv2=conv3x3(4 * width, before, stride, groups=64),
        bn2=BatchNorm2d(),
        relu2=ReLU(),
        conv3=Conv2d(4 * width, 1, bias=False),
        bn3=BatchNorm2d(),
        se_module=excitation(4 * width, reduction),
        downsample=Sequential(
            conv3x3(4 * width, 1, stride) if stride > 1 else Conv2d(4 * width, 1, bias=False), BatchNorm2d()
        )
        if project
        else None,
        relu=ReLU(),
    )


@register(
    paper=PAPER,
    pinned=Pinned(
        params=115_088_984,
        macs=20_688_363_520,
        receptive_field=1455,
        stages={
            "layer0": (128, 112, 112),
            "layer1": (256, 56, 56),
            "layer2": (512, 28, 28),
            "layer3": (1024, 14, 14),
            "layer4": (2048, 7, 7),
        },
    ),
)
def senet154(
    num_classes: int = 1000, dropout: float = 0.2, reduction: int = 16, depth: Depth = BLOCKS[152]
) -> Sequential:
    """SENet-154, the appendix's, with timm's names, which are Caffe's: 115,088,984 parameters, 20.688 G MACs.

    ResNeXt-152 64x4d with gates, and all that helped: three 3x3 for the first 7x7, half of the maps in front of each
    3x3, 3x3 convolutions on the shortcuts that halve the map, and dropout. The first pooling rounds up, as Caffe's.
    """
    n2, n3, n4, n5 = read_depth(depth, 4)

    def stage_of(width: int, count: int, stride: int) -> Sequential:
        return stage(se_block, width, count, stride, True, 1, 1, reduction=reduction)

    return Sequential(
        layer0=Sequential(
            conv1=Conv2d(64, 3, stride=2, padding=1, bias=False),
            bn1=BatchNorm2d(),
            relu1=ReLU(),
            conv2=Conv2d(64, 3, padding=1, bias=False),
            bn2=BatchNorm2d(),
            relu2=ReLU(),
            conv3=Conv2d(128, 3, padding=1, bias=False),
            bn3=BatchNorm2d(),
            relu3=ReLU(),
        ),
        pool0=MaxPool2d(3, stride=2, ceil_mode=True),
        layer1=stage_of(64, n2, 1),
        layer2=stage_of(128, n3, 2),
        layer3=stage_of(256, n4, 2),
        layer4=stage_of(512, n5, 2),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        dropout=Dropout(dropout) if dropout else None,
        last_linear=Linear(num_classes),
    )
