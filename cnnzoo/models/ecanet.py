"""ECA-Net: Wang, Wu, Zhu, Li, Zuo and Hu (2020), section 3; timm's names."""

from math import log2
from typing import Any

from ..arch import Conv1d, Flatten, Gate, Mean, Residual, Sequential, Sigmoid, Unflatten
from ..registry import Paper, Pinned, register
from .resnet import BLOCKS, KNOBS, Dilate, Shortcut, bottleneck, resnet, stages
from .stages import Depth

PAPER = Paper(
    title="ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks",
    authors="Qilong Wang, Banggu Wu, Pengfei Zhu, Peihua Li, Wangmeng Zuo, Qinghua Hu",
    year=2020,
    venue="CVPR 2020",
    arxiv="1910.03151",
)


def kernel(channels: int) -> int:
    """Equation 12 with gamma = 2 and b = 1: from how many channels in a row a factor is worked out, an odd number."""
    nearest = int((log2(channels) + 1) / 2)
    return max(3, nearest + 1 - nearest % 2)


def channel_attention(channels: int) -> Gate:
    """A factor for each channel, from its mean and those of its neighbours: a convolution along the channels (figure
    2)."""
    k = kernel(channels)
    return Gate(
        pool=Mean((2, 3)),
        line=Unflatten(1, (1, -1)),
        conv=Conv1d(1, k, padding=k // 2, bias=False),
        gate=Sigmoid(),
        flat=Flatten(),
        maps=Unflatten(1, (-1, 1, 1)),
    )


def eca_bottleneck(
    width: int, stride: int, project: bool, before: int = 1, after: int = 1, **settings: Any
) -> Residual:
    """A bottleneck with its gate behind the last normalisation, before the sum."""
    return bottleneck(width, stride, project, before, after, se=channel_attention(4 * width), **settings)


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=25_557_118, macs=4_089_272_064, receptive_field=427, stages=stages(4)),
)
def ecaresnet50(
    num_classes: int = 1000,
    deep_stem: bool = False,
    shortcut: Shortcut = "B",
    width: int = 64,
    depth: Depth = BLOCKS[50],
    output_stride: int = 32,
    replace_stride_with_dilation: Dilate = None,
) -> Sequential:
    """`resnet50` with a gate of 5 or 7 parameters in each block: 25,557,118 parameters, 86 more.

    4.089 G MACs. deep_stem=True and shortcut="D" make it timm's `ecaresnet50d`. The authors' own trained network has
    kernels of 3, 5, 5 and 7 in its stages, for the 5, 5, 5 and 7 of equation 12.
    """
    return resnet(
        eca_bottleneck,
        num_classes,
        width,
        depth,
        output_stride,
        replace_stride_with_dilation,
        deep_stem=deep_stem,
        shortcut=shortcut,
    )
