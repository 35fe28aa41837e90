"""ShuffleNet: Zhang et al. (2017), table 1; pytorchcv's names."""

from ..arch import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    ChannelShuffle,
    Concat,
    Conv2d,
    Flatten,
    Inline,
    Linear,
    MaxPool2d,
    Node,
    ReLU,
    Residual,
    Sequential,
)
from ..errors import InvalidValueError
from ..registry import Paper, Pinned, register
from .variant import variant

PAPER = Paper(
    title="ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices",
    authors="Xiangyu Zhang, Xinyu Zhou, Mengxiao Lin, Jian Sun",
    year=2017,
    venue="CVPR 2018",
    arxiv="1707.01083",
)


def body(narrow: int, channels: int, groups: int, first: int, stride: int) -> dict[str, Node]:
    """A grouped 1x1 to a quarter of the channels, a shuffle, a depthwise 3x3, and a grouped 1x1; `first`: the groups of
    the first 1x1."""
    return {
        "compress_conv1": Conv2d(narrow, 1, groups=first, bias=False),
        "compress_bn1": BatchNorm2d(),
        "compress_activ": ReLU(),
        "c_shuffle": ChannelShuffle(groups),
        "dw_conv2": Conv2d(narrow, 3, stride=stride, padding=1, groups=narrow, bias=False),
        "dw_bn2": BatchNorm2d(),
        "expand_conv3": Conv2d(channels, 1, groups=groups, bias=False),
        "expand_bn3": BatchNorm2d(),
    }


def unit(channels: int, groups: int) -> Residual:
    """Figure 2 (b)."""
    return Residual(**body(channels // 4, channels, groups, groups, 1), downsample=None, activ=ReLU())


def down(into: int, channels: int, groups: int, first: int) -> Sequential:
    """Figure 2 (c): what enters is averaged and appended to as many maps as lack."""
    return Sequential(
        cat=Inline(
            Concat,
            expand_bn3=Inline(Sequential, **body(channels // 4, channels - into, groups, first, 2)),
            avgpool=AvgPool2d(3, stride=2, padding=1),
        ),
        activ=ReLU(),
    )


def stage(into: int, channels: int, groups: int, first: int, repeat: int) -> Sequential:
    """Two rows of table 1: a unit of stride 2 and `repeat` of stride 1."""
    units: list[Node] = [down(into, channels, groups, first), *[unit(channels, groups)] * repeat]
    return Sequential(**{f"unit{number}": one for number, one in enumerate(units, 1)})


CHANNELS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
"""Table 1: the output channels of stage 2, by groups; each later stage has twice as many."""


def stages(groups: int) -> dict[str, tuple[int, ...]]:
    """The output sizes of table 1."""
    sides = {f"features.stage{number}": (CHANNELS[groups] << number - 1, 56 >> number) for number in (1, 2, 3)}
    sizes = {"features.init_block.conv": (24, 112), "features.init_block": (24, 56), **sides}
    return {path: (channels, side, side) for path, (channels, side) in sizes.items()}


@register(
    paper=PAPER,
    pinned=Pinned(params=1_865_728, macs=137_460_672, receptive_field=527, stages=stages(3)),
)
def shufflenet_g3(
    num_classes: int = 1000, width_mult: float = 1.0, groups: int = 3, stem_channels: int | None = None
) -> Sequential:
    """3 groups: 1,865,728 parameters, 0.137 G MACs.

    `width_mult` is the paper's s, which multiplies the channels: 0.25, 0.5, 1.5 or 2. The first 1x1 of stage 2 has no
    groups, as what it reads has few channels (section 3.3). `stem_channels` are those of the first convolution, by
    default 24 times s: the authors' code has 24 at 1.5, and 16 at 0.5 with 8 groups, which do not divide what 12 would
    leave to make.
    """
    if groups not in CHANNELS:
        raise InvalidValueError(f"groups must be 1, 2, 3, 4 or 8 (table 1), got {groups!r}")
    c1, c2 = int(24 * width_mult) if stem_channels is None else stem_channels, CHANNELS[groups]
    c2, c3, c4 = (int(width_mult * channels) for channels in (c2, 2 * c2, 4 * c2))
    return Sequential(
        features=Sequential(
            init_block=Sequential(
                conv=Conv2d(c1, 3, stride=2, padding=1, bias=False),
                bn=BatchNorm2d(),
                activ=ReLU(),
                pool=MaxPool2d(3, stride=2, padding=1),
            ),
            stage1=stage(c1, c2, groups, 1, 3),
            stage2=stage(c2, c3, groups, groups, 7),
            stage3=stage(c3, c4, groups, groups, 3),
            final_pool=AdaptiveAvgPool2d(1),
        ),
        flatten=Flatten(),
        output=Linear(num_classes),
    )


@variant(shufflenet_g3, groups=1, params=1_531_936, macs=143_078_976, receptive_field=527, stages=stages(1))
def shufflenet_g1() -> None:
    """One group, with nothing to shuffle: 1,531,936 parameters, 0.143 G MACs."""


@variant(shufflenet_g3, groups=2, params=1_733_848, macs=140_836_512, receptive_field=527, stages=stages(2))
def shufflenet_g2() -> None:
    """2 groups: 1,733,848 parameters, 0.141 G MACs."""


@variant(shufflenet_g3, groups=4, params=1_968_344, macs=134_339_776, receptive_field=527, stages=stages(4))
def shufflenet_g4() -> None:
    """4 groups: 1,968,344 parameters, 0.134 G MACs."""


@variant(shufflenet_g3, groups=8, params=2_434_768, macs=138_365_952, receptive_field=527, stages=stages(8))
def shufflenet_g8() -> None:
    """8 groups: 2,434,768 parameters, 0.138 G MACs."""
