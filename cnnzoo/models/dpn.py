"""Dual path networks: Chen, Li, Xiao, Jin, Yan and Feng (2017), table 1; timm's names."""

from ..arch import (
    AdaptiveAvgPool2d,
    Add,
    BatchNorm2d,
    Cat,
    Conv2d,
    Flatten,
    From,
    MaxPool2d,
    Node,
    ReLU,
    Sequential,
    Slice,
)
from ..registry import Paper, Pinned, register

PAPER = Paper(
    title="Dual Path Networks",
    authors="Yunpeng Chen, Jianan Li, Huaxin Xiao, Xiaojie Jin, Shuicheng Yan, Jiashi Feng",
    year=2017,
    venue="NeurIPS 2017",
    arxiv="1707.01629",
)

NORM = BatchNorm2d(eps=0.001)


def conv(channels: int, kernel: int, stride: int = 1, groups: int = 1) -> Sequential:
    """Normalisation and ReLU before the convolution, as with pre-activation."""
    layer = Conv2d(channels, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)
    return Sequential(bn=NORM, relu=ReLU(), conv=layer)


def dual_path(reduced: int, width: int, growth: int, stride: int = 1, project: bool = False) -> Sequential:
    """Figure 2 (d): of what a block makes, `width` channels are added to the residual path, and `growth` stand behind
    those of the dense path. A block that begins a stage makes both paths of what enters it by a 1x1."""
    projection = f"c1x1_w_s{stride}"
    steps = {projection: conv(width + 2 * growth, 1, stride)} if project else {}
    return Sequential(
        **steps,
        residual=Slice(0, width),
        dense=From(projection if project else "input", Slice(width, None)),
        c1x1_a=From("input", conv(reduced, 1)),
        c3x3_b=conv(reduced, 3, stride, groups=32),
        c1x1_c=conv(width + growth, 1),
        to_add=Slice(0, width),
        to_append=From("c1x1_c", Slice(width, None)),
        sum=Add("residual", "to_add"),
        out=Cat("sum", "dense", "to_append"),
    )


def dpn(
    stem: Conv2d, reduced: int, width: int, depth: tuple[int, ...], growth: tuple[int, ...], num_classes: int
) -> Sequential:
    """A column of table 1: blocks of each stage and by how many channels each lengthens the dense path; `reduced` maps
    in groups and `width` on the residual path, of the first stage and twice as many in each further one."""
    blocks: dict[str, Node] = {}
    for stage, (count, more) in enumerate(zip(depth, growth, strict=True)):
        for place in range(count):
            stride = 2 if stage and not place else 1
            block = dual_path(reduced << stage, width << stage, more, stride, project=not place)
            blocks[f"conv{stage + 2}_{place + 1}"] = block
    return Sequential(
        features=Sequential(
            conv1_1=Sequential(conv=stem, bn=NORM, relu=ReLU()),
            conv1_pool=MaxPool2d(3, stride=2, padding=1),
            **blocks,
            conv5_bn_ac=Sequential(bn=NORM, relu=ReLU()),
        ),
        global_pool=AdaptiveAvgPool2d(1),
        classifier=Conv2d(num_classes, 1),
        flatten=Flatten(),
    )


@register(
    paper=PAPER,
    pinned=Pinned(
        params=12_611_602,
        macs=2_326_163_456,
        receptive_field=615,
        stages={
            "features.conv1_1": (10, 112, 112),
            "features.conv1_pool": (10, 56, 56),
            "features.conv2_3": (144, 56, 56),
            "features.conv3_4": (320, 28, 28),
            "features.conv4_12": (704, 14, 14),
            "features.conv5_3": (832, 7, 7),
        },
    ),
)
def dpn68(num_classes: int = 1000) -> Sequential:
    """DPN-68 of the authors' later release, with a 3x3 stem of 10 maps: 12,611,602 parameters, 2.326 G MACs.

    Before the classifier stands a ReLU, as in timm 1.0.31, whose source names an ELU that its network does not have.
    """
    stem = Conv2d(10, 3, stride=2, padding=1, bias=False)
    return dpn(stem, 128, 64, (3, 4, 12, 3), (16, 32, 32, 64), num_classes)


@register(
    paper=PAPER,
    pinned=Pinned(
        params=37_668_392,
        macs=6_501_684_224,
        receptive_field=875,
        stages={
            "features.conv1_1": (64, 112, 112),
            "features.conv1_pool": (64, 56, 56),
            "features.conv2_3": (336, 56, 56),
            "features.conv3_4": (704, 28, 28),
            "features.conv4_20": (1552, 14, 14),
            "features.conv5_3": (2688, 7, 7),
        },
    ),
)
def dpn92(num_classes: int = 1000) -> Sequential:
    """DPN-92: residual paths of 256 to 2048 channels, dense ones that grow beside: 37,668,392 parameters.

    6.502 G MACs.
    """
    stem = Conv2d(64, 7, stride=2, padding=3, bias=False)
    return dpn(stem, 96, 256, (3, 4, 20, 3), (16, 32, 24, 128), num_classes)
