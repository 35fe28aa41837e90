"""MobileNetV2: Sandler et al. (2018), tables 1 and 2; torchvision's names."""

from ..arch import AdaptiveAvgPool2d, Dropout, Flatten, Linear, Node, ReLU6, Sequential
from ..registry import Paper, Pinned, register
from .blocks import KNOBS, conv, inverted_residual, multiple_of_8, with_shortcut

PAPER = Paper(
    title="MobileNetV2: Inverted Residuals and Linear Bottlenecks",
    authors="Mark Sandler, Andrew Howard, Menglong Zhu, Andrey Zhmoginov, Liang-Chieh Chen",
    year=2018,
    venue="CVPR 2018",
    arxiv="1801.04381",
)


def bottleneck(into: int, t: int, c: int, s: int) -> Node:
    """Table 1: t times the channels, a depthwise 3x3 of stride s, c channels without an activation."""
    *wide, narrow = inverted_residual(into, t * into, 3, c, ReLU6(), stride=s)
    return with_shortcut(into == c and s == 1, conv=Sequential(*wide, *narrow))


TABLE = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Table 2: t, c, n, s. Each row is n blocks, of which the first has the stride."""


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(
        params=3_504_872,
        macs=300_774_272,
        receptive_field=491,
        stages={
            "features.0": (32, 112, 112),
            "features.1": (16, 112, 112),
            "features.3": (24, 56, 56),
            "features.6": (32, 28, 28),
            "features.10": (64, 14, 14),
            "features.13": (96, 14, 14),
            "features.16": (160, 7, 7),
            "features.17": (320, 7, 7),
            "features.18": (1280, 7, 7),
            "avgpool": (1280, 1, 1),
        },
    ),
)
def mobilenet_v2(num_classes: int = 1000, width_mult: float = 1.0, dropout: float = 0.2) -> Sequential:
    """Inverted residuals, as torchvision: 3,504,872 parameters, 0.301 G MACs.

    `width_mult` multiplies all channels but the last 1280, which only grow (section 4, as in the authors' code).
    """
    into = multiple_of_8(32 * width_mult)
    features: list[Node] = [conv(into, 3, ReLU6(), stride=2)]
    for t, c, n, s in TABLE:
        c = multiple_of_8(c * width_mult)
        features += [bottleneck(into, t, c, s), *[bottleneck(c, t, c, 1)] * (n - 1)]
        into = c
    return Sequential(
        features=Sequential(*features, conv(multiple_of_8(1280 * max(1.0, width_mult)), 1, ReLU6())),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        classifier=Sequential(Dropout(dropout), Linear(num_classes)),
    )
