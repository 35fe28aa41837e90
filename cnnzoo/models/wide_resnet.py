"""Wide residual networks: Zagoruyko and Komodakis (2016); the names of torchvision, where it has them."""

from functools import lru_cache

from ..arch import BatchNorm2d, Conv2d, Residual, Sequential
from ..errors import InvalidValueError
from ..registry import Paper, Pinned, register
from .preresnet import classifier, pre_activated, preresnet, projected
from .resnet import BLOCKS, Dilate, bottleneck, resnet, stages
from .resnet import KNOBS as RESNET
from .stages import Depth, read_depth
from .variant import variant

PAPER = Paper(
    title="Wide Residual Networks",
    authors="Sergey Zagoruyko, Nikos Komodakis",
    year=2016,
    venue="BMVC 2016",
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


# For CIFAR: section 2 and table 1


@lru_cache(maxsize=1 << 10)
def stage(entering: int, width: int, count: int, stride: int, block: tuple[int, ...], dropout: float) -> Sequential:
    """`count` blocks of convolutions of these kernels, the stride on the first of all; table 1's conv2 to conv4."""

    def convs(stride: int) -> list[Conv2d]:
        strides = (stride, *[1] * (len(block) - 1))
        sizes = zip(block, strides, strict=True)
        return [Conv2d(width, kernel, stride=step, padding=kernel // 2, bias=False) for kernel, step in sizes]

    first, rest = (pre_activated(*convs(step), dropout=dropout) for step in (stride, 1))
    if entering == width and stride == 1:
        entry: Sequential | Residual = Residual(**first)
    else:
        entry = projected(Conv2d(width, 1, stride=stride, bias=False), **first)
    return Sequential(blocks=Sequential(entry, *[Residual(**rest)] * (count - 1)))


@register(
    paper=PAPER,
    input_size=(3, 32, 32),
    knobs={"widen": range(1, 13), "depth": tuple((n, n, n) for n in range(1, 9))},
    pinned=Pinned(
        params=36_479_194,
        macs=5_243_328_768,
        receptive_field=109,
        stages={"stem": (16, 32, 32), "stages.0": (160, 32, 32), "stages.1": (320, 16, 16), "stages.2": (640, 8, 8)},
    ),
)
def wide_resnet28_10(
    num_classes: int = 10,
    widen: int = 10,
    depth: Depth = (4, 4, 4),
    dropout: float = 0.0,
    block: tuple[int, ...] = (3, 3),
) -> Sequential:
    """WRN-28-10 for CIFAR-10, 10 times as wide as a ResNet: 36,479,194 parameters, 5.243 G MACs.

    It is 26 layers deep: the paper counts its three projections, and not the classifier. `block` are the kernels of a
    block's convolutions, (3, 1, 3) for B(3,1,3) of section 3; `dropout` stands between them.
    """
    if not block or not all(type(kernel) is int and kernel % 2 for kernel in block):
        raise InvalidValueError(f"block must be odd kernel sizes, as (3, 3) or (3, 1, 3), got {block!r}")
    n2, n3, n4 = read_depth(depth, 3)
    return preresnet(
        Sequential(conv=Conv2d(16, 3, padding=1, bias=False)),
        [
            stage(16, 16 * widen, n2, 1, tuple(block), dropout),
            stage(16 * widen, 32 * widen, n3, 2, tuple(block), dropout),
            stage(32 * widen, 64 * widen, n4, 2, tuple(block), dropout),
        ],
        classifier(num_classes),
        BatchNorm2d(),
    )


@variant(
    wide_resnet28_10,
    widen=8,
    depth=(2, 2, 2),
    params=10_961_370,
    macs=1_548_145_664,
    receptive_field=53,
    stages={"stages.0": (128, 32, 32), "stages.1": (256, 16, 16), "stages.2": (512, 8, 8)},
)
def wide_resnet16_8() -> None:
    """WRN-16-8 for CIFAR-10, 8 times as wide as a ResNet and 14 layers deep: 10,961,370 parameters, 1.548 G MACs."""


@variant(
    wide_resnet28_10,
    widen=4,
    depth=(6, 6, 6),
    params=8_949_210,
    macs=1_298_582_016,
    receptive_field=165,
    stages={"stages.0": (64, 32, 32), "stages.1": (128, 16, 16), "stages.2": (256, 8, 8)},
)
def wide_resnet40_4() -> None:
    """WRN-40-4 for CIFAR-10, 4 times as wide as a ResNet and 38 layers deep: 8,949,210 parameters, 1.299 G MACs."""
