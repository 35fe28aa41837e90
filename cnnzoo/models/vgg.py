"""VGG: Simonyan and Zisserman (2014), table 1; torchvision's names."""

from functools import lru_cache
from itertools import product

from ..arch import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    Sequential,
)
from ..registry import Paper, Pinned, register
from .stages import Depth, read_depth
from .variant import variant

PAPER = Paper(
    title="Very Deep Convolutional Networks for Large-Scale Image Recognition",
    authors="Karen Simonyan, Andrew Zisserman",
    year=2014,
    venue="ICLR 2015",
    arxiv="1409.1556",
)

STAGES = {"features": (512, 7, 7), "classifier.0": (4096,), "classifier.3": (4096,), "classifier.6": (1000,)}

DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Table 1: convolutions in each block of the columns A, B, C and D, E."""

KNOBS = {"width": range(8, 129, 8), "depth": tuple(product(range(1, 5), repeat=5))}
"""All columns of table 1 at 64 maps, and what lies around and between them."""


@lru_cache(maxsize=1 << 8)  # without it `cnnzoo match vgg16` takes 2.2 times as long
def block(channels: int, count: int, pointwise: bool, batch_norm: bool) -> tuple[Layer, ...]:
    """Convolutions with their ReLUs, and the pooling behind them; with `pointwise` the third and later are 1x1."""
    layers: list[Layer] = []
    for place in range(count):
        kernel = 1 if pointwise and place >= 2 else 3
        layers += [Conv2d(channels, kernel, padding=kernel // 2)]
        layers += [BatchNorm2d(), ReLU()] if batch_norm else [ReLU()]
    return (*layers, MaxPool2d(2))


@lru_cache(maxsize=1 << 8)  # without it `cnnzoo match vgg16` takes 1.2 times as long
def classifier(units: int, num_classes: int, dropout: float) -> Sequential:
    return Sequential(
        Linear(units),
        ReLU(),
        Dropout(dropout),
        Linear(units),
        ReLU(),
        Dropout(dropout),
        Linear(num_classes),
    )


def vgg(
    num_classes: int,
    dropout: float,
    width: int,
    depth: Depth,
    pointwise: bool = False,
    batch_norm: bool = False,
    first_norm: bool = False,
) -> Sequential:
    """A column of table 1: `depth` is the convolutions of each block, `width` the maps of the first.

    The next blocks have 2, 4, 8 and 8 times as many, the hidden linear layers 64 times as many units.
    """
    counts = read_depth(depth, 5)
    maps = (width, 2 * width, 4 * width, 8 * width, 8 * width)
    features = [
        layer
        for channels, count in zip(maps, counts, strict=True)
        for layer in block(channels, count, pointwise, batch_norm)
    ]
    if first_norm:
        features.insert(2, LocalResponseNorm(5, alpha=5e-4, k=2.0))
    return Sequential(
        features=Sequential(*features),
        avgpool=AdaptiveAvgPool2d(7),
        flatten=Flatten(),
        classifier=classifier(64 * width, num_classes, dropout),
    )


@register(
    paper=PAPER, knobs=KNOBS, pinned=Pinned(params=132_863_336, macs=7_609_090_048, receptive_field=150, stages=STAGES)
)
def vgg11(num_classes: int = 1000, dropout: float = 0.5, width: int = 64, depth: Depth = DEPTHS[11]) -> Sequential:
    """Configuration A, 11 weight layers: 132,863,336 parameters, 7.609 G MACs."""
    return vgg(num_classes, dropout, width, depth)


@register(
    paper=PAPER, knobs=KNOBS, pinned=Pinned(params=132_868_840, macs=7_609_090_048, receptive_field=150, stages=STAGES)
)
def vgg11_bn(num_classes: int = 1000, dropout: float = 0.5, width: int = 64, depth: Depth = DEPTHS[11]) -> Sequential:
    """`vgg11` with batch normalisation after every convolution: 5,504 parameters more. Not in the paper."""
    return vgg(num_classes, dropout, width, depth, batch_norm=True)


@register(
    paper=PAPER, knobs=KNOBS, pinned=Pinned(params=132_863_336, macs=7_609_090_048, receptive_field=150, stages=STAGES)
)
def vgg11_lrn(num_classes: int = 1000, dropout: float = 0.5, width: int = 64, depth: Depth = DEPTHS[11]) -> Sequential:
    """Configuration A-LRN: `vgg11` with AlexNet's normalisation after conv1.

    The same 132,863,336 parameters and 7.609 G MACs; normalised are 3,211,264 values. The authors saw
    no gain from it (section 4.1), so the other columns have none.
    """
    return vgg(num_classes, dropout, width, depth, first_norm=True)


@variant(vgg11, depth=DEPTHS[13], params=133_047_848, macs=11_308_466_176, receptive_field=156)
def vgg13() -> None:
    """Configuration B, 13 weight layers: 133,047,848 parameters, 11.308 G MACs."""


@variant(vgg11_bn, depth=DEPTHS[13], params=133_053_736, macs=11_308_466_176, receptive_field=156)
def vgg13_bn() -> None:
    """`vgg13` with batch normalisation after every convolution: 5,888 parameters more. Not in the paper."""


@register(
    paper=PAPER, knobs=KNOBS, pinned=Pinned(params=133_638_952, macs=11_770_888_192, receptive_field=156, stages=STAGES)
)
def vgg16c(num_classes: int = 1000, dropout: float = 0.5, width: int = 64, depth: Depth = DEPTHS[16]) -> Sequential:
    """Configuration C: the third convolution of blocks 3 to 5 is 1x1; 133,638,952 parameters, 11.771 G MACs.

    `vgg16` has 3x3 there: 4,718,592 parameters more, 15.470 G MACs, and 212 pixels seen for the 156 here.
    """
    return vgg(num_classes, dropout, width, depth, pointwise=True)


@variant(vgg11, depth=DEPTHS[16], params=138_357_544, macs=15_470_264_320, receptive_field=212)
def vgg16() -> None:
    """Configuration D, 16 weight layers: 138,357,544 parameters, 15.470 G MACs (15.347 G in convolutions)."""


@variant(vgg11_bn, depth=DEPTHS[16], params=138_365_992, macs=15_470_264_320, receptive_field=212)
def vgg16_bn() -> None:
    """`vgg16` with batch normalisation after every convolution: 8,448 parameters more. Not in the paper."""


@variant(vgg11, depth=DEPTHS[19], params=143_667_240, macs=19_632_062_464, receptive_field=268)
def vgg19() -> None:
    """Configuration E, 19 weight layers: 143,667,240 parameters, 19.632 G MACs."""


@variant(vgg11_bn, depth=DEPTHS[19], params=143_678_248, macs=19_632_062_464, receptive_field=268)
def vgg19_bn() -> None:
    """`vgg19` with batch normalisation after every convolution: 11,008 parameters more. Not in the paper."""
