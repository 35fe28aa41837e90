"""VGG: Simonyan and Zisserman (2014), table 1; torchvision's names."""

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
from ..registry import Figures, Paper, register

PAPER = Paper(
    title="Very Deep Convolutional Networks for Large-Scale Image Recognition",
    authors="Simonyan, Zisserman",
    year=2014,
    arxiv="1409.1556",
)

STAGES = {"features": (512, 7, 7), "classifier.0": (4096,), "classifier.3": (4096,), "classifier.6": (1000,)}


def vgg(
    blocks: tuple[tuple[int | tuple[int, int], ...], ...],
    num_classes: int,
    dropout: float,
    batch_norm: bool = False,
    first_norm: bool = False,
) -> Sequential:
    """A column of table 1: per block the convolutions' channels, or (channels, kernel) where it is not 3x3."""
    features: list[Layer] = []
    for block in blocks:
        for conv in block:
            channels, kernel = conv if isinstance(conv, tuple) else (conv, 3)
            features += [Conv2d(channels, kernel, padding=kernel // 2)]
            features += [BatchNorm2d(), ReLU()] if batch_norm else [ReLU()]
            if first_norm and len(features) == 2:
                features.append(LocalResponseNorm(5, alpha=5e-4, k=2.0))
        features.append(MaxPool2d(2))
    return Sequential(
        features=Sequential(*features),
        avgpool=AdaptiveAvgPool2d(7),
        flatten=Flatten(),
        classifier=Sequential(
            Linear(4096),
            ReLU(),
            Dropout(dropout),
            Linear(4096),
            ReLU(),
            Dropout(dropout),
            Linear(num_classes),
        ),
    )


A = ((64,), (128,), (256, 256), (512, 512), (512, 512))
B = ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512))
C = ((64, 64), (128, 128), (256, 256, (256, 1)), (512, 512, (512, 1)), (512, 512, (512, 1)))
D = ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3)
E = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4)


@register(
    paper=PAPER,
    figures=Figures(params=132_863_336, macs=7_609_090_048, receptive_field=150, stages=STAGES),
)
def vgg11(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """Configuration A, 11 weight layers: 132,863,336 parameters, 7.609 G MACs."""
    return vgg(A, num_classes, dropout)


@register(
    paper=PAPER,
    figures=Figures(params=132_868_840, macs=7_609_090_048, receptive_field=150, stages=STAGES),
)
def vgg11_bn(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """`vgg11` with batch normalisation after every convolution: 5,504 parameters more. Not in the paper."""
    return vgg(A, num_classes, dropout, batch_norm=True)


@register(
    paper=PAPER,
    figures=Figures(params=132_863_336, macs=7_609_090_048, receptive_field=150, stages=STAGES),
)
def vgg11_lrn(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """Configuration A-LRN: `vgg11` with AlexNet's normalisation after conv1.

    The same 132,863,336 parameters and 7.609 G MACs; normalised are 3,211,264 values. The authors saw
    no gain from it (section 4.1), so the other columns have none.
    """
    return vgg(A, num_classes, dropout, first_norm=True)


@register(
    paper=PAPER,
    figures=Figures(params=133_047_848, macs=11_308_466_176, receptive_field=156, stages=STAGES),
)
def vgg13(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """Configuration B, 13 weight layers: 133,047,848 parameters, 11.308 G MACs."""
    return vgg(B, num_classes, dropout)


@register(
    paper=PAPER,
    figures=Figures(params=133_053_736, macs=11_308_466_176, receptive_field=156, stages=STAGES),
)
def vgg13_bn(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """`vgg13` with batch normalisation after every convolution: 5,888 parameters more. Not in the paper."""
    return vgg(B, num_classes, dropout, batch_norm=True)


@register(
    paper=PAPER,
    figures=Figures(params=133_638_952, macs=11_770_888_192, receptive_field=156, stages=STAGES),
)
def vgg16c(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """Configuration C: the third convolution of blocks 3 to 5 is 1x1; 133,638,952 parameters, 11.771 G MACs.

    `vgg16` has 3x3 there: 4,718,592 parameters more, 15.470 G MACs, and 212 pixels seen for the 156 here.
    """
    return vgg(C, num_classes, dropout)


@register(
    paper=PAPER,
    figures=Figures(params=138_357_544, macs=15_470_264_320, receptive_field=212, stages=STAGES),
)
def vgg16(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """Configuration D, 16 weight layers: 138,357,544 parameters, 15.470 G MACs (15.347 G in convolutions)."""
    return vgg(D, num_classes, dropout)


@register(
    paper=PAPER,
    figures=Figures(params=138_365_992, macs=15_470_264_320, receptive_field=212, stages=STAGES),
)
def vgg16_bn(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """`vgg16` with batch normalisation after every convolution: 8,448 parameters more. Not in the paper."""
    return vgg(D, num_classes, dropout, batch_norm=True)


@register(
    paper=PAPER,
    figures=Figures(params=143_667_240, macs=19_632_062_464, receptive_field=268, stages=STAGES),
)
def vgg19(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """Configuration E, 19 weight layers: 143,667,240 parameters, 19.632 G MACs."""
    return vgg(E, num_classes, dropout)


@register(
    paper=PAPER,
    figures=Figures(params=143_678_248, macs=19_632_062_464, receptive_field=268, stages=STAGES),
)
def vgg19_bn(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """`vgg19` with batch normalisation after every convolution: 11,008 parameters more. Not in the paper."""
    return vgg(E, num_classes, dropout, batch_norm=True)
