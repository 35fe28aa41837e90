"""Inception-v4 and Inception-ResNet-v2: Szegedy, Ioffe, Vanhoucke and Alemi (2016), figures 3 to 22; timm's names."""

from ..arch import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    Inline,
    Linear,
    MaxPool2d,
    Node,
    ReLU,
    Residual,
    Scale,
    Sequential,
)
from ..registry import Paper, Pinned, register
from .googlenet import conv_bn
from .inception_v3 import row, side_by_side, split, tall, wide

PAPER = Paper(
    title="Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    authors="Christian Szegedy, Sergey Ioffe, Vincent Vanhoucke, Alex Alemi",
    year=2016,
    venue="AAAI 2017",
    arxiv="1602.07261",
)

POOL = MaxPool2d(3, stride=2)


def conv3(channels: int) -> Sequential:
    """3x3, of the same size."""
    return conv_bn(channels, 3, padding=1)


def halved(channels: int) -> Sequential:
    """3x3 of stride 2 without padding, "V" in the figures."""
    return conv_bn(channels, 3, stride=2)


def pooled(channels: int) -> Sequential:
    """The mean of what a 3x3 window has of the map, and a 1x1."""
    return Sequential(AvgPool2d(3, stride=1, padding=1, count_include_pad=False), conv_bn(channels, 1))


def stem() -> list[Node]:
    """Figure 3: to 384 maps of 35x35, by way of three places where two branches meet."""
    mixed_4a = Concat(
        branch0=Sequential(conv_bn(64, 1), conv_bn(96, 3)),
        branch1=Sequential(conv_bn(64, 1), wide(64, 7), tall(64, 7), conv_bn(96, 3)),
    )
    return [
        halved(32),
        conv_bn(32, 3),
        conv3(64),
        Concat(maxpool=POOL, conv=halved(96)),
        mixed_4a,
        Concat(conv=halved(192), maxpool=POOL),
    ]


def inception_a() -> Concat:
    """Figure 4."""
    return Concat(
        branch0=conv_bn(96, 1),
        branch1=Sequential(conv_bn(64, 1), conv3(96)),
        branch2=Sequential(conv_bn(64, 1), conv3(96), conv3(96)),
        branch3=pooled(96),
    )


def reduction_a(k: int, l: int, m: int, n: int) -> Concat:  # noqa: E741 - the paper's letters
    """Figure 7 and table 1: 35x35 to 17x17."""
    return Concat(branch0=halved(n), branch1=Sequential(conv_bn(k, 1), conv3(l), halved(m)), branch2=POOL)


def inception_b() -> Concat:
    """Figure 5: 7x7 in two, and twice."""
    return Concat(
        branch0=conv_bn(384, 1),
        branch1=Sequential(conv_bn(192, 1), wide(224, 7), tall(256, 7)),
        branch2=Sequential(conv_bn(192, 1), tall(192, 7), wide(224, 7), tall(224, 7), wide(256, 7)),
        branch3=pooled(128),
    )


def reduction_b() -> Concat:
    """Figure 8: 17x17 to 8x8."""
    return Concat(
        branch0=Sequential(conv_bn(192, 1), halved(192)),
        branch1=Sequential(conv_bn(256, 1), wide(256, 7), tall(320, 7), halved(320)),
        branch2=POOL,
    )


def inception_c() -> Sequential:
    """Figure 6: 3x3 as a 1x3 beside a 3x1."""
    return side_by_side(
        branch0=conv_bn(256, 1),
        branch1=row(branch1_0=conv_bn(384, 1), branch1=split("branch1_1", 256)),
        branch2=row(
            branch2_0=conv_bn(384, 1),
            branch2_1=tall(448, 3),
            branch2_2=wide(512, 3),
            branch2=split("branch2_3", 256),
        ),
        branch3=pooled(256),
    )


@register(
    paper=PAPER,
    input_size=(3, 299, 299),
    pinned=Pinned(
        params=42_679_816,
        macs=12_253_974_624,
        receptive_field=2071,
        stages={
            "features.0": (32, 149, 149),
            "features.2": (64, 147, 147),
            "features.3": (160, 73, 73),
            "features.4": (192, 71, 71),
            "features.5": (384, 35, 35),
            "features.9": (384, 35, 35),
            "features.10": (1024, 17, 17),
            "features.17": (1024, 17, 17),
            "features.18": (1536, 8, 8),
            "features.21": (1536, 8, 8),
            "last_linear": (1000,),
        },
    ),
)
def inception_v4(num_classes: int = 1000, dropout: float = 0.2) -> Sequential:
    """Inception-v4: a stem, 4, 7 and 3 modules of three kinds, reductions between; 42,679,816 parameters.

    12.254 G MACs at 299. Dropout is what figure 9 calls a keep probability of 0.8.
    """
    return Sequential(
        features=Sequential(
            *stem(),
            *[inception_a()] * 4,
            reduction_a(192, 224, 256, 384),
            *[inception_b()] * 7,
            reduction_b(),
            *[inception_c()] * 3,
        ),
        global_pool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        head_drop=Dropout(dropout),
        last_linear=Linear(num_classes),
    )


def residual(channels: int, scale: float, activation: ReLU | None = ReLU(), **branches: Node) -> Sequential:  # noqa: B008
    """Branches, a 1x1 without normalisation to as many channels as enter, and the sum, of which the body has a share
    that keeps training stable (section 3.3)."""
    body = {"mixed": Inline(Concat, **branches), "conv2d": Conv2d(channels, 1), "scale": Scale(scale)}
    return Sequential(sum=Inline(Residual, **body), act=activation)


def block35(scale: float = 0.17) -> Sequential:
    """Figure 16, Inception-ResNet-A."""
    return residual(
        320,
        scale,
        branch0=conv_bn(32, 1),
        branch1=Sequential(conv_bn(32, 1), conv3(32)),
        branch2=Sequential(conv_bn(32, 1), conv3(48), conv3(64)),
    )


def block17(scale: float = 0.1) -> Sequential:
    """Figure 17, Inception-ResNet-B."""
    return residual(
        1088,
        scale,
        branch0=conv_bn(192, 1),
        branch1=Sequential(conv_bn(128, 1), wide(160, 7), tall(192, 7)),
    )


def block8(scale: float = 0.2, activation: ReLU | None = ReLU()) -> Sequential:  # noqa: B008
    """Figure 19, Inception-ResNet-C."""
    return residual(
        2080,
        scale,
        activation,
        branch0=conv_bn(192, 1),
        branch1=Sequential(conv_bn(192, 1), wide(224, 3), tall(256, 3)),
    )


@register(
    paper=PAPER,
    input_size=(3, 299, 299),
    pinned=Pinned(
        params=55_843_464,
        macs=13_155_794_016,
        receptive_field=3039,
        stages={
            "conv2d_1a": (32, 149, 149),
            "conv2d_2b": (64, 147, 147),
            "maxpool_3a": (64, 73, 73),
            "conv2d_4a": (192, 71, 71),
            "maxpool_5a": (192, 35, 35),
            "mixed_5b": (320, 35, 35),
            "repeat": (320, 35, 35),
            "mixed_6a": (1088, 17, 17),
            "repeat_1": (1088, 17, 17),
            "mixed_7a": (2080, 8, 8),
            "block8": (2080, 8, 8),
            "conv2d_7b": (1536, 8, 8),
            "classif": (1000,),
        },
    ),
)
def inception_resnet_v2(num_classes: int = 1000, dropout: float = 0.2) -> Sequential:
    """Inception-ResNet-v2 as its authors released it: 55,843,464 parameters, 13.156 G MACs at 299.

    10, 20 and 10 residual modules, where the paper's figure 15 has 5, 10 and 5; Inception v3's stem, 320, 1088 and 2080
    channels for its 384, 1152 and 2144, and shares of 0.17, 0.1 and 0.2 of each body in its sum.
    """
    mixed_5b = Concat(
        branch0=conv_bn(96, 1),
        branch1=Sequential(conv_bn(48, 1), conv_bn(64, 5, padding=2)),
        branch2=Sequential(conv_bn(64, 1), conv3(96), conv3(96)),
        branch3=pooled(64),
    )
    mixed_7a = Concat(
        branch0=Sequential(conv_bn(256, 1), halved(384)),
        branch1=Sequential(conv_bn(256, 1), halved(288)),
        branch2=Sequential(conv_bn(256, 1), conv3(288), halved(320)),
        branch3=POOL,
    )
    return Sequential(
        conv2d_1a=halved(32),
        conv2d_2a=conv_bn(32, 3),
        conv2d_2b=conv3(64),
        maxpool_3a=POOL,
        conv2d_3b=conv_bn(80, 1),
        conv2d_4a=conv_bn(192, 3),
        maxpool_5a=POOL,
        mixed_5b=mixed_5b,
        repeat=Sequential(*[block35()] * 10),
        mixed_6a=reduction_a(256, 256, 384, 384),
        repeat_1=Sequential(*[block17()] * 20),
        mixed_7a=mixed_7a,
        repeat_2=Sequential(*[block8()] * 9),
        block8=block8(1.0, None),
        conv2d_7b=conv_bn(1536, 1),
        global_pool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        head_drop=Dropout(dropout),
        classif=Linear(num_classes),
    )
