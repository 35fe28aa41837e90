"""ResNeXt: Xie, Girshick, Dollár, Tu and He (2016), table 1 and section 5.1; torchvision's names."""

from itertools import product

from ..arch import Sequential
from ..registry import Paper, Pinned, register
from .resnet import BLOCKS, Dilate, bottleneck, cifar, resnet, stages
from .stages import Depth
from .variant import variant

PAPER = Paper(
    title="Aggregated Residual Transformations for Deep Neural Networks",
    authors="Saining Xie, Ross Girshick, Piotr Dollár, Zhuowen Tu, Kaiming He",
    year=2016,
    venue="CVPR 2017",
    arxiv="1611.05431",
)

KNOBS = {
    "groups": (1, 2, 4, 8, 32, 64),
    "width_per_group": (4, 8, 14, 24, 40, 64),
    "depth": tuple(product((3,), (4,), range(1, 37), (3,))),
}
"""Cardinality and bottleneck width, as in tables 2 to 4, and the depth of conv4_x."""


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=25_028_904, macs=4_230_479_872, receptive_field=427, stages=stages(4)),
)
def resnext50_32x4d(
    num_classes: int = 1000,
    groups: int = 32,
    width_per_group: int = 4,
    width: int = 64,
    depth: Depth = BLOCKS[50],
    output_stride: int = 32,
    replace_stride_with_dilation: Dilate = None,
) -> Sequential:
    """ResNet-50 whose 3x3 reads its maps in 32 groups of 4, doubled at every stage; 25,028,904 parameters.

    528,128 fewer than `resnet50`, which is the same at 1 group of 64; 4.230 G MACs, for its 4.089 G.
    """
    return resnet(
        bottleneck,
        num_classes,
        width,
        depth,
        output_stride,
        replace_stride_with_dilation,
        groups=groups,
        width_per_group=width_per_group,
    )


@variant(resnext50_32x4d, depth=BLOCKS[101], params=44_177_704, macs=7_969_996_800, receptive_field=971)
def resnext101_32x4d() -> None:
    """ResNet-101 with 32 groups of 4 maps, as timm: 44,177,704 parameters, 371,456 fewer.

    7.970 G MACs, for the 7.801 G of `resnet101`.
    """


@variant(
    resnext50_32x4d,
    groups=64,
    depth=BLOCKS[101],
    params=83_455_272,
    macs=15_460_270_080,
    receptive_field=971,
)
def resnext101_64x4d() -> None:
    """The paper's largest (table 4): twice the work of ResNet-101 goes into 64 groups of 4 maps; 83,455,272 parameters.

    15.460 G MACs, for the 7.801 G of `resnet101`.
    """


@variant(
    resnext50_32x4d,
    width_per_group=8,
    depth=BLOCKS[101],
    params=88_791_336,
    macs=16_414_015_488,
    receptive_field=971,
)
def resnext101_32x8d() -> None:
    """32 groups of 8 maps, as torchvision: 88,791,336 parameters, 16.414 G MACs.

    The paper doubles the work of its `resnext101_32x4d` in the groups instead (table 4), `resnext101_64x4d`.
    """


# For CIFAR: section 5.3


@register(
    paper=PAPER,
    input_size=(3, 32, 32),
    knobs={
        "groups": (1, 2, 4, 8, 16),
        "width_per_group": (4, 8, 16, 32, 64),
        "depth": tuple((n, n, n) for n in range(1, 12)),
    },
    pinned=Pinned(
        params=34_426_698,
        macs=5_387_266_048,
        receptive_field=39,
        stages={"conv1": (64, 32, 32), "layer1": (256, 32, 32), "layer2": (512, 16, 16), "layer3": (1024, 8, 8)},
    ),
)
def resnext29_8x64d(
    num_classes: int = 10,
    groups: int = 8,
    width_per_group: int = 64,
    width: int = 64,
    depth: Depth = (3, 3, 3),
) -> Sequential:
    """29 layers for CIFAR-10, whose 3x3 reads its maps in 8 groups of 64: 34,426,698 parameters, 5.387 G MACs."""
    return cifar(bottleneck, num_classes, width, depth, groups=groups, width_per_group=width_per_group)


@variant(resnext29_8x64d, groups=16, params=68_155_210, macs=10_688_866_304, receptive_field=39)
def resnext29_16x64d() -> None:
    """29 layers for CIFAR-10, whose 3x3 reads its maps in 16 groups of 64: 68,155,210 parameters, 10.689 G MACs."""
