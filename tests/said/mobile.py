"""Networks of torchvision with depthwise convolutions: MobileNetV2 and V3, EfficientNet, ShuffleNet V2."""

from itertools import count

from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Cat,
    ChannelShuffle,
    Chunk,
    Conv2d,
    Dropout,
    Flatten,
    From,
    Hardsigmoid,
    Hardswish,
    Layer,
    Linear,
    MaxPool2d,
    Mean,
    Node,
    ReLU,
    ReLU6,
    Residual,
    Sequential,
    Sigmoid,
    SiLU,
    StochasticDepth,
)
from cnnzoo.models.blocks import conv, multiple_of_8, squeeze_excitation, with_shortcut

# MobileNetV2: Sandler et al. (2018), tables 1 and 2


def bottleneck(into: int, t: int, c: int, s: int) -> Node:
    """Table 1: t times the channels, a depthwise 3x3 of stride s, c channels without an activation."""
    expansion = [conv(t * into, 1, ReLU6())] if t > 1 else []
    depthwise = conv(t * into, 3, ReLU6(), stride=s, groups=t * into)
    body = Sequential(*expansion, depthwise, Conv2d(c, 1, bias=False), BatchNorm2d())
    return with_shortcut(into == c and s == 1, conv=body)


def bottlenecks(into: int, t: int, c: int, n: int, s: int) -> list[Node]:
    """A row of table 2: n blocks, of which the first has the stride."""
    return [bottleneck(into, t, c, s), *[bottleneck(c, t, c, 1)] * (n - 1)]


def mobilenet_v2(num_classes: int = 1000) -> Sequential:
    return Sequential(
        features=Sequential(
            conv(32, 3, ReLU6(), stride=2),
            *bottlenecks(32, 1, 16, 1, 1),
            *bottlenecks(16, 6, 24, 2, 2),
            *bottlenecks(24, 6, 32, 3, 2),
            *bottlenecks(32, 6, 64, 4, 2),
            *bottlenecks(64, 6, 96, 3, 1),
            *bottlenecks(96, 6, 160, 3, 2),
            *bottlenecks(160, 6, 320, 1, 1),
            conv(1280, 1, ReLU6()),
        ),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        classifier=Sequential(Dropout(0.2), Linear(num_classes)),
    )


# MobileNetV3: Howard et al. (2019), table 2

SLOW = BatchNorm2d(eps=0.001, momentum=0.01)


def bneck(into: int, kernel: int, exp: int, out: int, se: bool, nl: Layer, s: int) -> Node:
    """A row of table 2: the kernel, the expansion's channels, the output's, whether it is gated, the activation, the
    stride."""
    body = [
        *([conv(exp, 1, nl, norm=SLOW)] if exp != into else []),
        conv(exp, kernel, nl, stride=s, groups=exp, norm=SLOW),
        *([squeeze_excitation(exp, multiple_of_8(exp / 4), ReLU(), Hardsigmoid())] if se else []),
        conv(out, 1, norm=SLOW),
    ]
    return with_shortcut(into == out and s == 1, block=Sequential(*body))


def mobilenet_v3_small(num_classes: int = 1000) -> Sequential:
    return Sequential(
        features=Sequential(
            conv(16, 3, Hardswish(), stride=2, norm=SLOW),
            bneck(16, 3, 16, 16, True, ReLU(), 2),
            bneck(16, 3, 72, 24, False, ReLU(), 2),
            bneck(24, 3, 88, 24, False, ReLU(), 1),
            bneck(24, 5, 96, 40, True, Hardswish(), 2),
            bneck(40, 5, 240, 40, True, Hardswish(), 1),
            bneck(40, 5, 240, 40, True, Hardswish(), 1),
            bneck(40, 5, 120, 48, True, Hardswish(), 1),
            bneck(48, 5, 144, 48, True, Hardswish(), 1),
            bneck(48, 5, 288, 96, True, Hardswish(), 2),
            bneck(96, 5, 576, 96, True, Hardswish(), 1),
            bneck(96, 5, 576, 96, True, Hardswish(), 1),
            conv(576, 1, Hardswish(), norm=SLOW),
        ),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        classifier=Sequential(Linear(1024), Hardswish(), Dropout(0.2), Linear(num_classes)),
    )


# ShuffleNet V2: Ma et al. (2018), table 5 and figures 3c and 3d


def branch(channels: int, s: int) -> Sequential:
    """The right branch of figure 3."""
    return Sequential(
        Conv2d(channels, 1, bias=False),
        BatchNorm2d(),
        ReLU(),
        Conv2d(channels, 3, stride=s, padding=1, groups=channels, bias=False),
        BatchNorm2d(),
        Conv2d(channels, 1, bias=False),
        BatchNorm2d(),
        ReLU(),
    )


def unit(channels: int) -> Sequential:
    """Figure 3c: half of the channels pass by, and all are shuffled."""
    return Sequential(
        left=Chunk(2, 0),
        right=From("input", Chunk(2, 1)),
        branch2=branch(channels // 2, 1),
        cat=Cat("left", "branch2"),
        shuffle=ChannelShuffle(2),
    )


def down(into: int, channels: int) -> Sequential:
    """Figure 3d: both branches read all channels, at stride 2."""
    left = Sequential(
        Conv2d(into, 3, stride=2, padding=1, groups=into, bias=False),
        BatchNorm2d(),
        Conv2d(channels // 2, 1, bias=False),
        BatchNorm2d(),
        ReLU(),
    )
    return Sequential(
        branch1=left,
        branch2=From("input", branch(channels // 2, 2)),
        cat=Cat("branch1", "branch2"),
        shuffle=ChannelShuffle(2),
    )


def shuffle_stage(into: int, channels: int, repeat: int) -> Sequential:
    """Two rows of table 5: a unit of stride 2, and `repeat` units of stride 1."""
    return Sequential(down(into, channels), *[unit(channels)] * repeat)


def shufflenet_v2_x1_0(num_classes: int = 1000) -> Sequential:
    return Sequential(
        conv1=conv(24, 3, ReLU(), stride=2),
        maxpool=MaxPool2d(3, stride=2, padding=1),
        stage2=shuffle_stage(24, 116, 3),
        stage3=shuffle_stage(116, 232, 7),
        stage4=shuffle_stage(232, 464, 3),
        conv5=conv(1024, 1, ReLU()),
        globalpool=Mean((2, 3)),
        fc=Linear(num_classes),
    )


# EfficientNet: Tan and Le (2019), table 1


def mbconv(into: int, expansion: int, kernel: int, channels: int, s: int, p: float) -> Node:
    """MBConv1 or MBConv6, gated by a quarter of what enters; with a shortcut it is dropped with probability p."""
    wider = expansion * into
    body = Sequential(
        *([conv(wider, 1, SiLU())] if expansion > 1 else []),
        conv(wider, kernel, SiLU(), stride=s, groups=wider),
        squeeze_excitation(wider, into // 4, SiLU(), Sigmoid()),
        conv(channels, 1),
    )
    if into == channels and s == 1:
        return Residual(block=body, stochastic_depth=StochasticDepth(p, "row"))
    return Sequential(block=body)


def efficientnet_b0(num_classes: int = 1000) -> Sequential:
    number = count()

    def stage(into: int, expansion: int, kernel: int, channels: int, layers: int, s: int) -> Sequential:
        """A row of table 1, with the stride of its first layer; the probability grows with the depth."""
        first = [(into, s)] + [(channels, 1)] * (layers - 1)
        return Sequential(*(mbconv(c, expansion, kernel, channels, s, 0.2 * next(number) / 16) for c, s in first))

    return Sequential(
        features=Sequential(
            conv(32, 3, SiLU(), stride=2),
            stage(32, 1, 3, 16, 1, 1),
            stage(16, 6, 3, 24, 2, 2),
            stage(24, 6, 5, 40, 2, 2),
            stage(40, 6, 3, 80, 3, 2),
            stage(80, 6, 5, 112, 3, 1),
            stage(112, 6, 5, 192, 4, 2),
            stage(192, 6, 3, 320, 1, 1),
            conv(1280, 1, SiLU()),
        ),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        classifier=Sequential(Dropout(0.2), Linear(num_classes)),
    )
