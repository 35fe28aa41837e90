"""ResNet: He, Zhang, Ren and Sun (2015), table 1, and the plain nets beside it; torchvision's names.

The paper does not say which layer of a bottleneck has the stride. In its own networks, here `resnet50_v1` and so on, it
is the first 1x1: Goyal et al. (2017), section 5.1.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import product
from typing import Any, Literal, TypeAlias

from ..arch import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Flatten,
    Join,
    Linear,
    MaxPool2d,
    Node,
    PadChannels,
    ReLU,
    Residual,
    Sequential,
    ZeroPad2d,
)
from ..errors import InvalidValueError
from ..registry import Paper, Pinned, register
from .stages import Depth, read_depth
from .variant import variant

PAPER = Paper(
    title="Deep Residual Learning for Image Recognition",
    authors="Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun",
    year=2015,
    venue="CVPR 2016",
    arxiv="1512.03385",
)

Shortcut: TypeAlias = Literal["A", "B", "C", "D"]
Dilate: TypeAlias = tuple[bool, bool, bool] | None
Block: TypeAlias = Callable[..., Join]
"""A block of width and stride; `project`: its shortcut must change the shape; `before` and `after` are the dilations of
a 3x3 that the block's stride, if there is one, comes behind or before; then its own settings."""


def shortcut_path(
    option: Shortcut, channels: int, stride: int, project: bool, before: int = 1, after: int = 1
) -> Sequential | None:
    """Section 3.3 and 4.1, where `project` says that the shape must change: A, every second pixel and zeros for new
    channels there, no parameters; B, a 1x1 projection there; C, a projection on every shortcut. D is B behind an
    average over 2x2, so that the 1x1 leaves no pixel out: He et al. (2018), figure 2c."""
    if option not in ("A", "B", "C", "D"):
        raise InvalidValueError(
            f"shortcut must be 'A', 'B' or 'C' (section 4.1 of the paper) or 'D' (of ResNet-D), got {option!r}"
        )
    if option == "C" or (option == "B" and project):
        return Sequential(Conv2d(channels, 1, stride=stride, bias=False), BatchNorm2d())
    if option == "D" and project:
        return Sequential(
            average(stride, stride > 1 or before != after), Conv2d(channels, 1, bias=False), BatchNorm2d()
        )
    if project and option == "A":
        return Sequential(*[MaxPool2d(1, stride=stride)] * (stride > 1), PadChannels(channels))
    return None


def average(stride: int, halves: bool) -> Node | None:
    """Over 2x2, where a stage `halves` its maps, or would: where dilation replaces its stride, the maps keep their size
    by a zero behind, as timm's do."""
    if not halves:
        return None
    if stride == 1:
        return Sequential(ZeroPad2d((0, 1, 0, 1)), AvgPool2d(2, stride=1))
    return AvgPool2d(2, stride=stride, ceil_mode=True, count_include_pad=False)


def conv3x3(width: int, dilation: int, stride: int = 1, groups: int = 1) -> Conv2d:
    return Conv2d(width, 3, stride=stride, padding=dilation, dilation=dilation, groups=groups, bias=False)


def basic(
    width: int, stride: int, project: bool, before: int = 1, after: int = 1, shortcut: Shortcut = "B"
) -> Residual:
    """3x3, 3x3 (figure 5, left)."""
    return Residual(
        conv1=conv3x3(width, before, stride),
        bn1=BatchNorm2d(),
        relu1=ReLU(),
        conv2=conv3x3(width, after),
        bn2=BatchNorm2d(),
        downsample=shortcut_path(shortcut, width, stride, project, before, after),
        relu=ReLU(),
    )


def plain(width: int, stride: int, project: bool, before: int = 1, after: int = 1) -> Sequential:
    """The basic block without its shortcut (figure 3, middle)."""
    return Sequential(
        conv1=conv3x3(width, before, stride),
        bn1=BatchNorm2d(),
        relu1=ReLU(),
        conv2=conv3x3(width, after),
        bn2=BatchNorm2d(),
        relu=ReLU(),
    )


def bottleneck(
    width: int,
    stride: int,
    project: bool,
    before: int = 1,
    after: int = 1,
    shortcut: Shortcut = "B",
    v1: bool = False,
    groups: int = 1,
    width_per_group: int = 64,
    **gate: Node,
) -> Residual:
    """1x1 down, 3x3, 1x1 up by four (figure 5, right); the stride is on the 3x3, or with `v1` on the first 1x1.

    The 3x3 reads and makes `groups` times `width_per_group` maps where `width` is 64, as ResNeXt's and wide ones do.
    A `gate`, by its name, is what the widened maps go through before the sum.
    """
    inner = max(1, width * width_per_group // 64) * groups
    return Residual(
        conv1=Conv2d(inner, 1, stride=stride if v1 else 1, bias=False),
        bn1=BatchNorm2d(),
        relu1=ReLU(),
        conv2=conv3x3(inner, after, groups=groups) if v1 else conv3x3(inner, before, stride, groups),
        bn2=BatchNorm2d(),
        relu2=ReLU(),
        conv3=Conv2d(4 * width, 1, bias=False),
        bn3=BatchNorm2d(),
        **gate,
        downsample=shortcut_path(shortcut, 4 * width, stride, project, before, after),
        relu=ReLU(),
    )


BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Table 1: blocks in conv2_x to conv5_x."""

KNOBS = {
    "width": range(8, 129, 8),
    "depth": tuple(product(range(1, 5), range(1, 9), range(1, 37), range(1, 5))),
}
"""All columns of table 1 at 64 maps, and what lies around and between them."""


@lru_cache(maxsize=1 << 8)  # without it `cnnzoo match resnet50` takes 1.4 times as long
def stem(width: int, deep: bool = False) -> Mapping[str, Node]:
    """A 7x7 of stride 2, or `deep`: three 3x3, of half as many maps but for the last; He et al. (2018), figure 2b."""
    conv1: Node = Conv2d(width, 7, stride=2, padding=3, bias=False)
    if deep:
        conv1 = Sequential(
            Conv2d(width // 2, 3, stride=2, padding=1, bias=False),
            BatchNorm2d(),
            ReLU(),
            Conv2d(width // 2, 3, padding=1, bias=False),
            BatchNorm2d(),
            ReLU(),
            Conv2d(width, 3, padding=1, bias=False),
        )
    return {
        "conv1": conv1,
        "bn1": BatchNorm2d(),
        "relu": ReLU(),
        "maxpool": MaxPool2d(3, stride=2, padding=1),
    }


@lru_cache(maxsize=1 << 10)  # without it `cnnzoo match resnet50` takes 8 times as long
def stage(
    block: Block, width: int, count: int, stride: int, project: bool, before: int, after: int, **settings: Any
) -> Sequential:
    """`count` blocks, the first of them with the stride; `project`: its shortcut must change the shape. The first
    block's layers up to the stride have the dilation `before`, all others `after`."""
    rest = [block(width, 1, False, after, after, **settings)] * (count - 1)
    return Sequential(block(width, stride, project, before, after, **settings), *rest)


def strides(output_stride: int, replace_stride_with_dilation: Dilate) -> list[tuple[int, int, int]]:
    """Stride, dilation before and dilation after it, of conv3_x to conv5_x: where a stride is replaced, what follows
    reads as far apart as it would have, and sees as much of the input (Chen et al., 2015, section 3.1).

    `output_stride` is timm's, of the network with its stem of stride 4; the flags are torchvision's.
    """
    if output_stride not in (8, 16, 32):
        raise InvalidValueError(f"output_stride must be 8, 16 or 32, got {output_stride!r}")
    flags = [output_stride == 8, output_stride <= 16]
    replaced = (False, *flags) if replace_stride_with_dilation is None else replace_stride_with_dilation
    if not isinstance(replaced, tuple | list) or [type(one) for one in replaced] != [bool] * 3:
        raise InvalidValueError(
            f"replace_stride_with_dilation must be three of True and False, for layer2 to layer4, got {replaced!r}"
        )
    found, dilation = [], 1
    for flag in replaced:
        before, dilation = dilation, dilation * (2 if flag else 1)
        found.append((1 if flag else 2, before, dilation))
    return found


def resnet(
    block: Block,
    num_classes: int,
    width: int,
    depth: Depth,
    output_stride: int,
    replace_stride_with_dilation: Dilate,
    deep_stem: bool = False,
    **settings: Any,
) -> Sequential:
    """A column of table 1: `width` maps enter conv2_x and every stage doubles them; `depth` is blocks a stage, and
    `settings` are the blocks' own."""
    n2, n3, n4, n5 = read_depth(depth, 4)
    widens = block not in (basic, plain)
    s3, s4, s5 = strides(output_stride, replace_stride_with_dilation)

    def stage_of(width: int, count: int, stride: int, before: int, after: int, project: bool = True) -> Sequential:
        return stage(block, width, count, stride, project, before, after, **settings)

    return Sequential(
        **stem(width, deep_stem),
        layer1=stage_of(width, n2, 1, 1, 1, widens),
        layer2=stage_of(2 * width, n3, *s3),
        layer3=stage_of(4 * width, n4, *s4),
        layer4=stage_of(8 * width, n5, *s5),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        fc=Linear(num_classes),
    )


def stages(expansion: int) -> dict[str, tuple[int, ...]]:
    """The output sizes of table 1, by the names used here."""
    sizes = {"layer1": 56, "layer2": 28, "layer3": 14, "layer4": 7}
    maps = {name: (64 * expansion << step, size, size) for step, (name, size) in enumerate(sizes.items())}
    return {"conv1": (64, 112, 112), **maps, "avgpool": (64 * expansion << 3, 1, 1), "fc": (1000,)}


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=11_689_512, macs=1_814_073_344, receptive_field=435, stages=stages(1)),
)
def resnet18(
    num_classes: int = 1000,
    shortcut: Shortcut = "B",
    width: int = 64,
    depth: Depth = BLOCKS[18],
    output_stride: int = 32,
    replace_stride_with_dilation: Dilate = None,
) -> Sequential:
    """18 layers of basic blocks; 11,689,512 parameters, 1.814 G MACs with option B, as torchvision.

    Option A has 11,515,688 and 1.795 G, option C 12,043,816 and 1.878 G.
    """
    return resnet(basic, num_classes, width, depth, output_stride, replace_stride_with_dilation, shortcut=shortcut)


@variant(resnet18, depth=BLOCKS[34], params=21_797_672, macs=3_663_761_408, receptive_field=899)
def resnet34() -> None:
    """34 layers of basic blocks; 21,797,672 parameters, 3.664 G MACs with option B, as torchvision.

    The 3.6e9 of table 1 is option A: 21,623,848 parameters and 3.644 G; option C has 22,716,840 and 3.831 G.
    """


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=25_557_032, macs=4_089_184_256, receptive_field=427, stages=stages(4)),
)
def resnet50(
    num_classes: int = 1000,
    shortcut: Shortcut = "B",
    width: int = 64,
    depth: Depth = BLOCKS[50],
    output_stride: int = 32,
    replace_stride_with_dilation: Dilate = None,
) -> Sequential:
    """50 layers of bottlenecks with the stride on the 3x3, as in every current checkpoint and in torchvision.

    25,557,032 parameters as the paper's `resnet50_v1`; 4.089 G MACs for its 3.858 G, and a position of
    the last map sees 427 pixels for its 483.
    """
    return resnet(bottleneck, num_classes, width, depth, output_stride, replace_stride_with_dilation, shortcut=shortcut)


@variant(resnet50, depth=BLOCKS[101], params=44_549_160, macs=7_801_405_440, receptive_field=971)
def resnet101() -> None:
    """101 layers of bottlenecks with the stride on the 3x3, as torchvision; 44,549,160 parameters.

    7.801 G MACs for the 7.570 G of the paper's `resnet101_v1`; 971 pixels seen for its 1027.
    """


@variant(resnet50, depth=BLOCKS[152], params=60_192_808, macs=11_513_626_624, receptive_field=1451)
def resnet152() -> None:
    """152 layers of bottlenecks with the stride on the 3x3, as torchvision; 60,192,808 parameters.

    11.514 G MACs for the 11.282 G of the paper's `resnet152_v1`; 1451 pixels seen for its 1507.
    """


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=25_557_032, macs=3_857_973_248, receptive_field=483, stages=stages(4)),
)
def resnet50_v1(
    num_classes: int = 1000,
    shortcut: Shortcut = "B",
    width: int = 64,
    depth: Depth = BLOCKS[50],
    output_stride: int = 32,
    replace_stride_with_dilation: Dilate = None,
) -> Sequential:
    """The paper's 50-layer network: the stride on a bottleneck's first 1x1. 3.858 G MACs, 483 pixels seen.

    Its 25,557,032 parameters are named and shaped as those of `resnet50`, whose checkpoints would load
    without a word.
    """
    return resnet(
        bottleneck, num_classes, width, depth, output_stride, replace_stride_with_dilation, shortcut=shortcut, v1=True
    )


@variant(resnet50_v1, depth=BLOCKS[101], params=44_549_160, macs=7_570_194_432, receptive_field=1027)
def resnet101_v1() -> None:
    """The paper's 101-layer network: the stride on a bottleneck's first 1x1. 7.570 G MACs, 1027 pixels seen.

    Its 44,549,160 parameters are named and shaped as those of `resnet101`.
    """


@variant(resnet50_v1, depth=BLOCKS[152], params=60_192_808, macs=11_282_415_616, receptive_field=1507)
def resnet152_v1() -> None:
    """The paper's 152-layer network: the stride on a bottleneck's first 1x1. 11.282 G MACs, 1507 pixels seen.

    Its 60,192,808 parameters are named and shaped as those of `resnet152`.
    """


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=11_515_688, macs=1_794_805_760, receptive_field=435, stages=stages(1)),
)
def plain18(
    num_classes: int = 1000,
    width: int = 64,
    depth: Depth = BLOCKS[18],
    output_stride: int = 32,
    replace_stride_with_dilation: Dilate = None,
) -> Sequential:
    """The 18-layer net without shortcuts (section 4.1): `resnet18` less its three projections.

    11,515,688 parameters, 173,824 fewer; 1.795 G MACs.
    """
    return resnet(plain, num_classes, width, depth, output_stride, replace_stride_with_dilation)


@variant(plain18, depth=BLOCKS[34], params=21_623_848, macs=3_644_493_824, receptive_field=899)
def plain34() -> None:
    """The 34-layer net without shortcuts (figure 3, middle): `resnet34` less its three projections.

    21,623,848 parameters, 173,824 fewer; 3.644 G MACs.
    """


CIFAR_KNOBS = {"width": range(4, 65, 4), "depth": tuple((n, n, n) for n in (*range(1, 19), 200))}
"""All nets of section 4.2, and what lies around and between those of at most 110 layers."""


def cifar(block: Block, num_classes: int, width: int, depth: Depth, **settings: Any) -> Sequential:
    """Section 4.2, for images of 32 pixels: a 3x3, and three stages on maps of 32, 16 and 8, each with twice the
    channels of the one before; of n blocks each, of two layers, the net has 6n + 2 layers."""
    n1, n2, n3 = read_depth(depth, 3)
    return Sequential(
        conv1=conv3x3(width, 1),
        bn1=BatchNorm2d(),
        relu=ReLU(),
        layer1=stage(block, width, n1, 1, block is bottleneck, 1, 1, **settings),
        layer2=stage(block, 2 * width, n2, 2, True, 1, 1, **settings),
        layer3=stage(block, 4 * width, n3, 2, True, 1, 1, **settings),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        fc=Linear(num_classes),
    )


CIFAR_STAGES = {
    "conv1": (16, 32, 32),
    "layer1": (16, 32, 32),
    "layer2": (32, 16, 16),
    "layer3": (64, 8, 8),
    "avgpool": (64, 1, 1),
    "fc": (10,),
}
"""The table of section 4.2."""


@register(
    paper=PAPER,
    input_size=(3, 32, 32),
    knobs=CIFAR_KNOBS,
    pinned=Pinned(params=269_722, macs=40_551_040, receptive_field=81, stages=CIFAR_STAGES),
)
def resnet20(num_classes: int = 10, shortcut: Shortcut = "A", width: int = 16, depth: Depth = (3, 3, 3)) -> Sequential:
    """20 layers for CIFAR-10 (section 4.2); option A, so 269,722 parameters, as `plain20`; 0.041 G MACs."""
    return cifar(basic, num_classes, width, depth, shortcut=shortcut)


@variant(resnet20, depth=(5, 5, 5), params=464_154, macs=68_862_592, receptive_field=137)
def resnet32() -> None:
    """32 layers for CIFAR-10, 5 blocks a stage (section 4.2); 464,154 parameters, 0.069 G MACs."""


@variant(resnet20, depth=(7, 7, 7), params=658_586, macs=97_174_144, receptive_field=193)
def resnet44() -> None:
    """44 layers for CIFAR-10, 7 blocks a stage (section 4.2); 658,586 parameters, 0.097 G MACs."""


@variant(resnet20, depth=(9, 9, 9), params=853_018, macs=125_485_696, receptive_field=249)
def resnet56() -> None:
    """56 layers for CIFAR-10, 9 blocks a stage (section 4.2); 853,018 parameters, 0.125 G MACs."""


@variant(resnet20, depth=(18, 18, 18), params=1_727_962, macs=252_887_680, receptive_field=501)
def resnet110() -> None:
    """110 layers for CIFAR-10, 18 blocks a stage (section 4.2); 1,727,962 parameters, 0.253 G MACs."""


@variant(resnet20, depth=(200, 200, 200), params=19_421_274, macs=2_829_238_912, receptive_field=5597)
def resnet1202() -> None:
    """1202 layers for CIFAR-10, 200 blocks a stage (section 4.2); 19,421,274 parameters, 2.829 G MACs."""


@register(
    paper=PAPER,
    input_size=(3, 32, 32),
    knobs=CIFAR_KNOBS,
    pinned=Pinned(params=269_722, macs=40_551_040, receptive_field=81, stages=CIFAR_STAGES),
)
def plain20(num_classes: int = 10, width: int = 16, depth: Depth = (3, 3, 3)) -> Sequential:
    """The 20-layer net for CIFAR-10 without shortcuts (section 4.2): 269,722 parameters as `resnet20`, whose shortcuts
    have none; 0.041 G MACs."""
    return cifar(plain, num_classes, width, depth)


@variant(plain20, depth=(5, 5, 5), params=464_154, macs=68_862_592, receptive_field=137)
def plain32() -> None:
    """The 32-layer net for CIFAR-10 without shortcuts (section 4.2): 464,154 parameters as `resnet32`."""


@variant(plain20, depth=(7, 7, 7), params=658_586, macs=97_174_144, receptive_field=193)
def plain44() -> None:
    """The 44-layer net for CIFAR-10 without shortcuts (section 4.2): 658,586 parameters as `resnet44`."""


@variant(plain20, depth=(9, 9, 9), params=853_018, macs=125_485_696, receptive_field=249)
def plain56() -> None:
    """The 56-layer net for CIFAR-10 without shortcuts (section 4.2): 853,018 parameters as `resnet56`."""
