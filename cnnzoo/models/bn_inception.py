"""BN-Inception: Ioffe and Szegedy (2015), figure 5; and with squeeze-and-excitation: Hu et al. (2017), table 2."""

from ..arch import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    Concat,
    Dropout,
    Flatten,
    Inline,
    Linear,
    MaxPool2d,
    Node,
    ReLU,
    Sequential,
    Sigmoid,
)
from ..registry import Paper, Pinned, register
from .blocks import squeeze_excitation
from .googlenet import conv_bn
from .senet import PAPER as SE_PAPER

PAPER = Paper(
    title="Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
    authors="Sergey Ioffe, Christian Szegedy",
    year=2015,
    venue="ICML 2015",
    arxiv="1502.03167",
)


AVERAGE, MAXIMUM = AvgPool2d(3, stride=1, padding=1), MaxPool2d(3, stride=1, padding=1)


def conv(channels: int, kernel: int, stride: int = 1) -> Sequential:
    return conv_bn(channels, kernel, stride=stride, padding=kernel // 2, eps=1e-5)


def single(reduce: int, channels: int, stride: int = 1) -> Sequential:
    """1x1, 3x3."""
    return Sequential(conv(reduce, 1), conv(channels, 3, stride))


def double(reduce: int, channels: int, stride: int = 1) -> Sequential:
    """1x1 and two 3x3, which take the place of GoogLeNet's 5x5."""
    return Sequential(conv(reduce, 1), conv(channels, 3), conv(channels, 3, stride))


def inception(
    c1: int, c3: tuple[int, int], d3: tuple[int, int], pool: AvgPool2d | MaxPool2d, proj: int
) -> dict[str, Node]:
    """The branches of a row of figure 5."""
    return {
        "branch1": conv(c1, 1),
        "branch2": single(*c3),
        "branch3": double(*d3),
        "branch4": Sequential(pool, conv(proj, 1)),
    }


def reduction(c3: tuple[int, int], d3: tuple[int, int]) -> dict[str, Node]:
    """The branches of a row with stride 2, whose pooling passes on what it reads."""
    return {"branch1": single(*c3, 2), "branch2": double(*d3, 2), "branch3": MaxPool2d(3, stride=2, ceil_mode=True)}


MODULES = {
    "3a": inception(64, (64, 64), (64, 96), AVERAGE, 32),
    "3b": inception(64, (64, 96), (64, 96), AVERAGE, 64),
    "3c": reduction((128, 160), (64, 96)),
    "4a": inception(224, (64, 96), (96, 128), AVERAGE, 128),
    "4b": inception(192, (96, 128), (96, 128), AVERAGE, 128),
    "4c": inception(160, (128, 160), (128, 160), AVERAGE, 128),
    "4d": inception(96, (128, 192), (160, 192), AVERAGE, 128),
    "4e": reduction((128, 192), (192, 256)),
    "5a": inception(352, (192, 320), (160, 224), AVERAGE, 128),
    "5b": inception(352, (192, 320), (192, 224), MAXIMUM, 128),
}
"""Figure 5: #1x1, (#3x3 reduce, #3x3), (double #3x3 reduce, double #3x3), pool and its projection."""


def network(modules: dict[str, Node], num_classes: int, dropout: float) -> Sequential:
    return Sequential(
        conv1=conv(64, 7, 2),
        maxpool1=MaxPool2d(3, stride=2, ceil_mode=True),
        conv2=conv(64, 1),
        conv3=conv(192, 3),
        maxpool2=MaxPool2d(3, stride=2, ceil_mode=True),
        **{f"inception{name}": module for name, module in modules.items()},
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        dropout=Dropout(dropout) if dropout else None,
        fc=Linear(num_classes),
    )


CHANNELS = {
    "3a": 256,
    "3b": 320,
    "3c": 576,
    "4a": 576,
    "4b": 576,
    "4c": 608,
    "4d": 608,
    "4e": 1056,
    "5a": 1024,
    "5b": 1024,
}
"""What the rows of figure 5 add up to; of 4c, 4d and 4e it prints 576, 576 and 1024."""

STAGES = {
    "conv1": (64, 112, 112),
    "maxpool1": (64, 56, 56),
    "conv3": (192, 56, 56),
    "maxpool2": (192, 28, 28),
    **{
        f"inception{name}": (channels, *[28 if name < "3c" else 14 if name < "4e" else 7] * 2)
        for name, channels in CHANNELS.items()
    },
    "avgpool": (1024, 1, 1),
    "fc": (1000,),
}


@register(
    paper=PAPER,
    pinned=Pinned(params=11_285_224, macs=2_032_600_064, receptive_field=699, stages=STAGES),
)
def bn_inception(num_classes: int = 1000, dropout: float = 0.0) -> Sequential:
    """Inception with batch normalisation and two 3x3 for each 5x5, as of figure 5; 11,285,224 parameters, 2.033 G MACs.

    The table as printed has so many; the paper's 13.6 M is no count of it. Its first
        convolution is an ordinary one here, where the text has a separable one of multiplier 8, and torch's eps of 1e-5
        stands in the normalisations, of which the paper says none.
    """
    return network({name: Concat(**branches) for name, branches in MODULES.items()}, num_classes, dropout)


def gated(name: str, reduction: int) -> Sequential:
    """A module and its gate: Hu et al. (2017), figure 2."""
    channels = CHANNELS[name]
    gate = squeeze_excitation(channels, channels // reduction, ReLU(), Sigmoid())
    return Sequential(out=Inline(Concat, **MODULES[name]), se=gate)


@register(
    paper=SE_PAPER,
    pinned=Pinned(params=11_931_622, macs=2_033_239_424, receptive_field=699, stages=STAGES),
)
def se_bn_inception(num_classes: int = 1000, dropout: float = 0.0, reduction: int = 16) -> Sequential:
    """BN-Inception with a squeeze-and-excitation behind each of its ten modules; 11,931,622 parameters.

    646,398 more than `bn_inception`, for nearly the same 2.033 G MACs.
    """
    return network({name: gated(name, reduction) for name in MODULES}, num_classes, dropout)
