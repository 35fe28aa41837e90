"""Xception: Chollet (2016), figure 5; timm's names."""

from itertools import pairwise

from ..arch import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Inline,
    Linear,
    MaxPool2d,
    Node,
    ReLU,
    Residual,
    Sequential,
    Shortcut,
)
from ..registry import Paper, Pinned, register

PAPER = Paper(
    title="Xception: Deep Learning with Depthwise Separable Convolutions",
    authors="François Chollet",
    year=2016,
    venue="CVPR 2017",
    arxiv="1610.02357",
)


def separable(into: int, channels: int) -> Sequential:
    """A 3x3 for each map and a 1x1 across them, with nothing between (section 4.7)."""
    return Sequential(
        conv1=Conv2d(into, 3, padding=1, groups=into, bias=False), pointwise=Conv2d(channels, 1, bias=False)
    )


def module(*widths: int, stride: int = 1, begins: bool = True) -> Sequential | Residual:
    """ReLU, separable convolution and normalisation, from each width to the next; with a stride a pooling behind them
    and a 1x1 on the shortcut. `begins`: with a ReLU, which the first module lacks."""
    layers: list[Node] = []
    for into, channels in pairwise(widths):
        layers += [ReLU(), separable(into, channels), BatchNorm2d()]
    rep = Sequential(*layers[0 if begins else 1 :], *[MaxPool2d(3, stride=stride, padding=1)] * (stride > 1))
    if stride == 1:
        return Residual(rep=rep)
    skip = Inline(Sequential, skip=Conv2d(widths[-1], 1, stride=stride, bias=False), skipbn=BatchNorm2d())
    return Sequential(sum=Inline(Residual, skipbn=Shortcut(skip), rep=rep))


@register(
    paper=PAPER,
    input_size=(3, 299, 299),
    pinned=Pinned(
        params=22_855_952,
        macs=8_357_403_496,
        receptive_field=1083,
        stages={
            "conv1": (32, 149, 149),
            "conv2": (64, 147, 147),
            "block1": (128, 74, 74),
            "block2": (256, 37, 37),
            "block3": (728, 19, 19),
            "block11": (728, 19, 19),
            "block12": (1024, 10, 10),
            "conv4": (2048, 10, 10),
            "fc": (1000,),
        },
    ),
)
def xception(num_classes: int = 1000, dropout: float = 0.0) -> Sequential:
    """Inception modules taken to the end: separable convolutions with shortcuts; 22,855,952 parameters.

    8.357 G MACs at 299.
    """
    return Sequential(
        conv1=Conv2d(32, 3, stride=2, bias=False),
        bn1=BatchNorm2d(),
        act1=ReLU(),
        conv2=Conv2d(64, 3, bias=False),
        bn2=BatchNorm2d(),
        act2=ReLU(),
        block1=module(64, 128, 128, stride=2, begins=False),
        block2=module(128, 256, 256, stride=2),
        block3=module(256, 728, 728, stride=2),
        **{f"block{number}": module(728, 728, 728, 728) for number in range(4, 12)},
        block12=module(728, 728, 1024, stride=2),
        conv3=separable(1024, 1536),
        bn3=BatchNorm2d(),
        act3=ReLU(),
        conv4=separable(1536, 2048),
        bn4=BatchNorm2d(),
        act4=ReLU(),
        global_pool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        dropout=Dropout(dropout) if dropout else None,
        fc=Linear(num_classes),
    )
