"""Wide residual networks: Zagoruyko and Komodakis (2016); the names of torchvision, where it has them."""

from ..arch import Sequential
from ..registry import Paper, Pinned, register
from .resnet import BLOCKS, Dilate, bottleneck, resnet, stages
from .resnet import KNOBS as RESNET
from .stages import Depth
from .variant import variant

PAPER = Paper(
    title="Wide Residual Networks",
    authors="Zagoruyko, Komodakis",
    year=2016,
    arxiv="1605.07146",
)

# For ImageNet: section 3 and table 8


@register(
    paper=PAPER,
    knobs={"width_per_group": range(64, 257, 64), **RESNET},
    pinned=Pinned(params=68_883_240, macs=11_398_021_120, receptive_field=427, stages=stages(4)),
)
def wide_resnet50_2(
    num_classes: int = 1000,
    width_per_group: int = 2 * 64,
    width: int = 64,
    depth: Depth = BLOCKS[50],
    output_stride: int = 32,
    replace_stride_with_dilation: Dilate = None,
) -> Sequential:
    """ResNet-50 with twice the maps inside of each bottleneck, as torchvision: 68,883,240 parameters.

    11.398 G MACs, for the 4.089 G of `resnet50`; the outputs of the blocks are as wide as there.
    """
    return resnet(
        bottleneck,
        num_classes,
        width,
        depth,
        output_stride,
        replace_stride_with_dilation,
        width_per_group=width_per_group,
    )


@variant(wide_resnet50_2, depth=BLOCKS[101], params=126_886_696, macs=22_753_050_624, receptive_field=971)
def wide_resnet101_2() -> None:
    """ResNet-101 with twice the maps inside of each bottleneck, as torchvision: 126,886,696 parameters.

    22.753 G MACs, for the 7.801 G of `resnet101`.
    """
