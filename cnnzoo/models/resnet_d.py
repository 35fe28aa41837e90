"""ResNet-D: He, Zhang, Zhang, Zhang, Xie and Li (2018), section 4 and figure 2; timm's names."""

from ..arch import Sequential
from ..registry import Paper, Pinned, register
from .resnet import BLOCKS, KNOBS, Dilate, Shortcut, basic, bottleneck, resnet, stages
from .stages import Depth
from .variant import variant

PAPER = Paper(
    title="Bag of Tricks for Image Classification with Convolutional Neural Networks",
    authors="Tong He, Zhi Zhang, Hang Zhang, Zhongyue Zhang, Junyuan Xie, Mu Li",
    year=2018,
    venue="CVPR 2019",
    arxiv="1812.01187",
)


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=11_708_744, macs=2_053_713_920, receptive_field=439, stages=stages(1)),
)
def resnet18d(
    num_classes: int = 1000,
    shortcut: Shortcut = "D",
    width: int = 64,
    depth: Depth = BLOCKS[18],
    output_stride: int = 32,
    replace_stride_with_dilation: Dilate = None,
) -> Sequential:
    """`resnet18` with both tweaks of ResNet-D, as timm: three 3x3 for the first 7x7, and an average over 2x2 before the
    1x1 of a shortcut, which then leaves no pixel out.

    11,708,744 parameters, 19,232 more, and 2.054 G MACs, for the 1.814 G of `resnet18`; 20 layers deep.
    """
    return resnet(
        basic,
        num_classes,
        width,
        depth,
        output_stride,
        replace_stride_with_dilation,
        deep_stem=True,
        shortcut=shortcut,
    )


@variant(resnet18d, depth=BLOCKS[34], params=21_816_904, macs=3_903_401_984, receptive_field=903)
def resnet34d() -> None:
    """`resnet34` with both tweaks of ResNet-D, as timm: 21,816,904 parameters, 19,232 more.

    3.903 G MACs, for the 3.664 G of `resnet34`; 36 layers deep.
    """


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=16_014_408, macs=2_581_897_216, receptive_field=199, stages=stages(4)),
)
def resnet26d(
    num_classes: int = 1000,
    shortcut: Shortcut = "D",
    width: int = 64,
    depth: Depth = BLOCKS[18],
    output_stride: int = 32,
    replace_stride_with_dilation: Dilate = None,
) -> Sequential:
    """Two bottlenecks a stage, with both tweaks of ResNet-D: timm's, no network of the paper; 16,014,408 parameters.

    2.582 G MACs; 28 layers deep.
    """
    return resnet(
        bottleneck,
        num_classes,
        width,
        depth,
        output_stride,
        replace_stride_with_dilation,
        deep_stem=True,
        shortcut=shortcut,
    )


@variant(resnet26d, depth=BLOCKS[50], params=25_576_264, macs=4_328_824_832, receptive_field=431)
def resnet50d() -> None:
    """ResNet-50-D of table 5: 25,576,264 parameters, 19,232 more than `resnet50`, which is ResNet-50-B there.

    4.329 G MACs, for the 4.089 G of `resnet50`; 431 pixels seen for its 427, and 52 layers deep. With shortcut="B" it
    is ResNet-50-C, of as many.
    """


@variant(resnet26d, depth=BLOCKS[101], params=44_568_392, macs=8_041_046_016, receptive_field=975)
def resnet101d() -> None:
    """`resnet101` with both tweaks of ResNet-D, as timm: 44,568,392 parameters, 19,232 more.

    8.041 G MACs, for the 7.801 G of `resnet101`; 103 layers deep.
    """


@variant(resnet26d, depth=BLOCKS[152], params=60_212_040, macs=11_753_267_200, receptive_field=1455)
def resnet152d() -> None:
    """`resnet152` with both tweaks of ResNet-D, as timm: 60,212,040 parameters, 19,232 more.

    11.753 G MACs, for the 11.514 G of `resnet152`; 154 layers deep.
    """
