"""SqueezeNet: Iandola et al. (2016), table 1; torchvision's names."""

from ..arch import AdaptiveAvgPool2d, Concat, Conv2d, Dropout, Flatten, Inline, MaxPool2d, Node, ReLU, Sequential
from ..registry import Paper, Pinned, register

PAPER = Paper(
    title="SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
    authors="Forrest N. Iandola, Song Han, Matthew W. Moskewicz, Khalid Ashraf, William J. Dally, Kurt Keutzer",
    year=2016,
    arxiv="1602.07360",
)


def fire(s1: int, e1: int, e3: int) -> Sequential:
    """A row of table 1: #1x1 squeeze, #1x1 expand, #3x3 expand (section 3.2)."""
    return Sequential(
        squeeze=Conv2d(s1, 1),
        squeeze_activation=ReLU(),
        out=Inline(
            Concat,
            expand1x1_activation=Inline(Sequential, expand1x1=Conv2d(e1, 1), expand1x1_activation=ReLU()),
            expand3x3_activation=Inline(Sequential, expand3x3=Conv2d(e3, 3, padding=1), expand3x3_activation=ReLU()),
        ),
    )


def pool() -> MaxPool2d:
    """Rounds up, as Caffe does."""
    return MaxPool2d(3, stride=2, ceil_mode=True)


def squeezenet(num_classes: int, dropout: float, *features: Node) -> Sequential:
    return Sequential(
        features=Sequential(*features),
        classifier=Sequential(Dropout(dropout), Conv2d(num_classes, 1), ReLU(), AdaptiveAvgPool2d(1)),
        flatten=Flatten(),
    )


@register(
    paper=PAPER,
    pinned=Pinned(
        params=1_248_424,
        macs=818_924_576,
        receptive_field=155,
        stages={
            "features.0": (96, 109, 109),
            "features.2": (96, 54, 54),
            "features.5": (256, 54, 54),
            "features.10": (512, 27, 27),
            "features.12": (512, 13, 13),
            "classifier": (1000, 1, 1),
        },
    ),
)
def squeezenet1_0(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """The paper's (table 1), as torchvision: 1,248,424 parameters, 0.819 G MACs."""
    return squeezenet(
        num_classes,
        dropout,
        Conv2d(96, 7, stride=2),
        ReLU(),
        pool(),
        fire(16, 64, 64),
        fire(16, 64, 64),
        fire(32, 128, 128),
        pool(),
        fire(32, 128, 128),
        fire(48, 192, 192),
        fire(48, 192, 192),
        fire(64, 256, 256),
        pool(),
        fire(64, 256, 256),
    )


@register(
    paper=PAPER,
    pinned=Pinned(
        params=1_235_496,
        macs=349_151_936,
        receptive_field=207,
        stages={
            "features.0": (64, 111, 111),
            "features.2": (64, 55, 55),
            "features.4": (128, 55, 55),
            "features.7": (256, 27, 27),
            "features.12": (512, 13, 13),
            "classifier": (1000, 1, 1),
        },
    ),
)
def squeezenet1_1(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """The authors' later release, which pools earlier: 1,235,496 parameters, 0.349 G MACs for the 0.819 of 1.0."""
    return squeezenet(
        num_classes,
        dropout,
        Conv2d(64, 3, stride=2),
        ReLU(),
        pool(),
        fire(16, 64, 64),
        fire(16, 64, 64),
        pool(),
        fire(32, 128, 128),
        fire(32, 128, 128),
        pool(),
        fire(48, 192, 192),
        fire(48, 192, 192),
        fire(64, 256, 256),
        fire(64, 256, 256),
    )
