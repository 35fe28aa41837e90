"""DenseNet: Huang, Liu, van der Maaten and Weinberger (2016), table 1; torchvision's names."""

from ..arch import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    Node,
    ReLU,
    Sequential,
)
from ..registry import Figures, Paper, register

PAPER = Paper(
    title="Densely Connected Convolutional Networks",
    authors="Huang, Liu, van der Maaten, Weinberger",
    year=2016,
    arxiv="1608.06993",
)


def dense_layer(growth: int, dropout: float) -> Dense:
    """BN-ReLU-1x1(4k)-BN-ReLU-3x3(k), appended to its own input (section 3, "bottleneck layers")."""
    return Dense(
        norm1=BatchNorm2d(),
        relu1=ReLU(),
        conv1=Conv2d(4 * growth, 1, bias=False),
        norm2=BatchNorm2d(),
        relu2=ReLU(),
        conv2=Conv2d(growth, 3, padding=1, bias=False),
        dropout=Dropout(dropout) if dropout else None,
    )


def transition(channels: int) -> Sequential:
    """BN-ReLU-1x1 to half the channels, then 2x2 average pooling (compression 0.5)."""
    return Sequential(norm=BatchNorm2d(), relu=ReLU(), conv=Conv2d(channels, 1, bias=False), pool=AvgPool2d(2))


def densenet(growth: int, layers: tuple[int, ...], num_classes: int, dropout: float) -> Sequential:
    """A column of table 1: the growth rate k, and the layers of each dense block; the stem has 2k maps."""
    channels = 2 * growth
    blocks: dict[str, Node] = {}
    for number, count in enumerate(layers, 1):
        if blocks:
            channels //= 2
            blocks[f"transition{number - 1}"] = transition(channels)
        layer = dense_layer(growth, dropout)
        blocks[f"denseblock{number}"] = Sequential(**{f"denselayer{n}": layer for n in range(1, count + 1)})
        channels += count * growth
    return Sequential(
        features=Sequential(
            conv0=Conv2d(2 * growth, 7, stride=2, padding=3, bias=False),
            norm0=BatchNorm2d(),
            relu0=ReLU(),
            pool0=MaxPool2d(3, stride=2, padding=1),
            **blocks,
            norm5=BatchNorm2d(),
        ),
        relu=ReLU(),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        classifier=Linear(num_classes),
    )


def stages(growth: int, *outputs: int) -> dict[str, tuple[int, ...]]:
    """The output of each dense block of table 1, at 56, 28, 14 and 7 pixels."""
    found = {
        f"features.denseblock{number}": (channels, 112 >> number, 112 >> number)
        for number, channels in enumerate(outputs, 1)
    }
    return {"features.conv0": (2 * growth, 112, 112), "features.pool0": (2 * growth, 56, 56), **found}


@register(
    paper=PAPER,
    figures=Figures(
        params=7_978_856, macs=2_834_161_664, receptive_field=2071, stages=stages(32, 256, 512, 1024, 1024)
    ),
)
def densenet121(num_classes: int = 1000, dropout: float = 0.0) -> Sequential:
    """Growth 32, blocks of 6, 12, 24, 16 layers: 7,978,856 parameters, 2.834 G MACs."""
    return densenet(32, (6, 12, 24, 16), num_classes, dropout)


@register(
    paper=PAPER,
    figures=Figures(
        params=28_681_000, macs=7_727_907_072, receptive_field=2967, stages=stages(48, 384, 768, 2112, 2208)
    ),
)
def densenet161(num_classes: int = 1000, dropout: float = 0.0) -> Sequential:
    """Growth 48, blocks of 6, 12, 36, 24 layers: 28,681,000 parameters, 7.728 G MACs."""
    return densenet(48, (6, 12, 36, 24), num_classes, dropout)


@register(
    paper=PAPER,
    figures=Figures(
        params=14_149_480, macs=3_359_843_328, receptive_field=3351, stages=stages(32, 256, 512, 1280, 1664)
    ),
)
def densenet169(num_classes: int = 1000, dropout: float = 0.0) -> Sequential:
    """Growth 32, blocks of 6, 12, 32, 32 layers: 14,149,480 parameters, 3.360 G MACs."""
    return densenet(32, (6, 12, 32, 32), num_classes, dropout)


@register(
    paper=PAPER,
    figures=Figures(
        params=20_013_928, macs=4_291_365_888, receptive_field=3863, stages=stages(32, 256, 512, 1792, 1920)
    ),
)
def densenet201(num_classes: int = 1000, dropout: float = 0.0) -> Sequential:
    """Growth 32, blocks of 6, 12, 48, 32 layers: 20,013,928 parameters, 4.291 G MACs."""
    return densenet(32, (6, 12, 48, 32), num_classes, dropout)


@register(
    paper=PAPER,
    figures=Figures(
        params=33_337_704, macs=5_751_653_376, receptive_field=5399, stages=stages(32, 256, 512, 2304, 2688)
    ),
)
def densenet264(num_classes: int = 1000, dropout: float = 0.0) -> Sequential:
    """Growth 32, blocks of 6, 12, 64, 48 layers: 33,337,704 parameters, 5.752 G MACs. Not in torchvision.

    Counted as the others are, its weighted layers are 265.
    """
    return densenet(32, (6, 12, 64, 48), num_classes, dropout)
