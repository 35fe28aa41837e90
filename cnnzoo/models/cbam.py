"""CBAM: Woo, Park, Lee and Kweon (2018), section 3; the authors' names."""

from typing import Any

from ..arch import (
    Add,
    BatchNorm2d,
    Concat,
    Conv2d,
    From,
    Gate,
    Linear,
    Max,
    Mean,
    ReLU,
    Residual,
    Run,
    Sequential,
    Sigmoid,
    Unflatten,
)
from ..registry import Paper, Pinned, register
from .resnet import BLOCKS, KNOBS, Dilate, bottleneck, resnet, stages
from .senet import REDUCTION
from .stages import Depth

PAPER = Paper(
    title="CBAM: Convolutional Block Attention Module",
    authors="Sanghyun Woo, Jongchan Park, Joon-Young Lee, In So Kweon",
    year=2018,
    venue="ECCV 2018",
    arxiv="1807.06521",
)


def channel_gate(channels: int, reduction: int) -> Gate:
    """A factor for each channel, from its mean and its maximum by the same two layers (equation 2)."""
    return Gate(
        mlp=Sequential(
            Mean((2, 3)),
            Linear(max(1, channels // reduction)),
            ReLU(),
            Linear(channels),
            max=From("input", Max((2, 3))),
            max1=Run("1"),
            max2=Run("2"),
            max3=Run("3"),
            sum=Add("3", "max3"),
        ),
        sigmoid=Sigmoid(),
        scale=Unflatten(1, (-1, 1, 1)),
    )


def spatial_gate() -> Gate:
    """A factor for each position, from the maximum and the mean of its channels by a 7x7 (equation 3)."""
    return Gate(
        compress=Concat(Max(1, keepdim=True), Mean(1, keepdim=True)),
        spatial=Sequential(conv=Conv2d(1, 7, padding=3, bias=False), bn=BatchNorm2d(momentum=0.01)),
        sigmoid=Sigmoid(),
    )


def cbam_bottleneck(
    width: int, stride: int, project: bool, before: int = 1, after: int = 1, reduction: int = 16, **settings: Any
) -> Residual:
    """A bottleneck with both gates, the channels' first, behind the last normalisation, before the sum (figure 3)."""
    gates = Sequential(ChannelGate=channel_gate(4 * width, reduction), SpatialGate=spatial_gate())
    return bottleneck(width, stride, project, before, after, cbam=gates, **settings)


@register(
    paper=PAPER,
    knobs={**REDUCTION, **KNOBS},
    pinned=Pinned(params=28_089_624, macs=4_095_573_110, receptive_field=427, stages=stages(4)),
)
def cbam_resnet50(
    num_classes: int = 1000,
    reduction: int = 16,
    v1: bool = False,
    width: int = 64,
    depth: Depth = BLOCKS[50],
    output_stride: int = 32,
    replace_stride_with_dilation: Dilate = None,
) -> Sequential:
    """`resnet50` with two gates in each block, one of channels and one of positions, as in the authors' code.

    28,089,624 parameters, 2,532,592 more; 4.096 G MACs, for the 4.089 G of `resnet50`. What table 4 counts has the
    stride on the first 1x1, v1=True.
    """
    return resnet(
        cbam_bottleneck,
        num_classes,
        width,
        depth,
        output_stride,
        replace_stride_with_dilation,
        reduction=reduction,
        v1=v1,
    )
