"""MobileNetV3: Howard et al. (2019), tables 1 and 2; torchvision's names."""

from ..arch import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Dropout,
    Flatten,
    Hardsigmoid,
    Hardswish,
    Layer,
    Linear,
    Node,
    ReLU,
    Sequential,
)
from ..registry import Paper, Pinned, register
from .blocks import KNOBS, conv, inverted_residual, multiple_of_8, squeeze_excitation, with_shortcut

PAPER = Paper(
    title="Searching for MobileNetV3",
    authors=(
        "Andrew Howard, Mark Sandler, Grace Chu, Liang-Chieh Chen, Bo Chen, Mingxing Tan, Weijun Wang, Yukun Zhu, "
        "Ruoming Pang, Vijay Vasudevan, Quoc V. Le, Hartwig Adam"
    ),
    year=2019,
    venue="ICCV 2019",
    arxiv="1905.02244",
)

SLOW = BatchNorm2d(eps=0.001, momentum=0.01)
"""A decay of 0.99 (section 6.1.1)."""

RE, HS = ReLU(), Hardswish()


def bneck(into: int, kernel: int, exp: int, out: int, se: bool, nl: Layer, s: int) -> Node:
    """A row of the tables: the kernel, the expansion's channels, the output's, whether it is gated, the activation, the
    stride. The gate is by way of a quarter of the expansion's channels (section 5.3)."""
    gate = squeeze_excitation(exp, multiple_of_8(exp // 4), ReLU(), Hardsigmoid()) if se else None
    body = inverted_residual(into, exp, kernel, out, nl, stride=s, gate=gate, norm=SLOW)
    return with_shortcut(into == out and s == 1, block=Sequential(*body))


LARGE = (
    (3, 16, 16, False, RE, 1),
    (3, 64, 24, False, RE, 2),
    (3, 72, 24, False, RE, 1),
    (5, 72, 40, True, RE, 2),
    (5, 120, 40, True, RE, 1),
    (5, 120, 40, True, RE, 1),
    (3, 240, 80, False, HS, 2),
    (3, 200, 80, False, HS, 1),
    (3, 184, 80, False, HS, 1),
    (3, 184, 80, False, HS, 1),
    (3, 480, 112, True, HS, 1),
    (3, 672, 112, True, HS, 1),
    (5, 672, 160, True, HS, 2),
    (5, 960, 160, True, HS, 1),
    (5, 960, 160, True, HS, 1),
)
"""Table 1: kernel, exp size, #out, SE, NL, s."""

SMALL = (
    (3, 16, 16, True, RE, 2),
    (3, 72, 24, False, RE, 2),
    (3, 88, 24, False, RE, 1),
    (5, 96, 40, True, HS, 2),
    (5, 240, 40, True, HS, 1),
    (5, 240, 40, True, HS, 1),
    (5, 120, 48, True, HS, 1),
    (5, 144, 48, True, HS, 1),
    (5, 288, 96, True, HS, 2),
    (5, 576, 96, True, HS, 1),
    (5, 576, 96, True, HS, 1),
)
"""Table 2, in the columns of table 1."""


def mobilenet_v3(
    rows: tuple[tuple[int, int, int, bool, Layer, int], ...],
    last: int,
    num_classes: int,
    width_mult: float,
    dropout: float,
) -> Sequential:
    """`last` channels are between the two 1x1 behind the pooling, which are linear layers here."""
    into = multiple_of_8(16 * width_mult)
    features: list[Node] = [conv(into, 3, HS, stride=2, norm=SLOW)]
    for kernel, exp, out, se, nl, s in rows:
        exp, out = (multiple_of_8(channels * width_mult) for channels in (exp, out))
        features.append(bneck(into, kernel, exp, out, se, nl, s))
        into = out
    return Sequential(
        features=Sequential(*features, conv(6 * into, 1, HS, norm=SLOW)),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        classifier=Sequential(
            Linear(multiple_of_8(last * width_mult)), Hardswish(), Dropout(dropout), Linear(num_classes)
        ),
    )


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(
        params=5_483_032,
        macs=216_589_760,
        receptive_field=595,
        stages={
            "features.0": (16, 112, 112),
            "features.1": (16, 112, 112),
            "features.3": (24, 56, 56),
            "features.6": (40, 28, 28),
            "features.10": (80, 14, 14),
            "features.12": (112, 14, 14),
            "features.15": (160, 7, 7),
            "features.16": (960, 7, 7),
            "avgpool": (960, 1, 1),
            "classifier.0": (1280,),
        },
    ),
)
def mobilenet_v3_large(num_classes: int = 1000, width_mult: float = 1.0, dropout: float = 0.2) -> Sequential:
    """Table 1, as torchvision: 5,483,032 parameters, 0.217 G MACs."""
    return mobilenet_v3(LARGE, 1280, num_classes, width_mult, dropout)


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(
        params=2_542_856,
        macs=56_510_400,
        receptive_field=639,
        stages={
            "features.0": (16, 112, 112),
            "features.1": (16, 56, 56),
            "features.3": (24, 28, 28),
            "features.6": (40, 14, 14),
            "features.8": (48, 14, 14),
            "features.11": (96, 7, 7),
            "features.12": (576, 7, 7),
            "avgpool": (576, 1, 1),
            "classifier.0": (1024,),
        },
    ),
)
def mobilenet_v3_small(num_classes: int = 1000, width_mult: float = 1.0, dropout: float = 0.2) -> Sequential:
    """Table 2, as torchvision: 2,542,856 parameters, 0.057 G MACs.

    Table 3 prints 2.9 M, as 1280 channels behind the pooling would make, for table 2's 1024.
    """
    return mobilenet_v3(SMALL, 1024, num_classes, width_mult, dropout)
