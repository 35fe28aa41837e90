"""EfficientNet: Tan and Le (2019), table 1, scaled by equation 3, with torchvision's names; Lite0 with timm's."""

from dataclasses import replace
from itertools import count
from math import ceil

from ..arch import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    Node,
    ReLU6,
    Residual,
    SamePad2d,
    Sequential,
    Sigmoid,
    SiLU,
    StochasticDepth,
    rewrite,
)
from ..registry import Paper, Pinned, register
from .blocks import (
    conv,
    inverted_residual,
    inverted_residual_timm,
    mobile_timm,
    multiple_of_8,
    separable_timm,
    squeeze_excitation,
)
from .stages import read_depth
from .variant import variant

PAPER = Paper(
    title="EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    authors="Mingxing Tan, Quoc V. Le",
    year=2019,
    venue="ICML 2019",
    arxiv="1905.11946",
)


def mbconv(into: int, expansion: int, kernel: int, channels: int, s: int, p: float, norm: Layer) -> Node:
    """MBConv1 or MBConv6, gated by a quarter of what enters; with a shortcut it is dropped with probability p."""
    expanded = multiple_of_8(expansion * into)
    gate = squeeze_excitation(expanded, into // 4, SiLU(), Sigmoid())
    body = Sequential(*inverted_residual(into, expanded, kernel, channels, SiLU(), stride=s, gate=gate, norm=norm))
    if into == channels and s == 1:
        return Residual(block=body, stochastic_depth=StochasticDepth(p, "row"))
    return Sequential(block=body)


TABLE = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)
"""Table 1, stages 2 to 8: the expansion of MBConv, its kernel, channels, layers, and the stride of the first."""


def stages(side: int, *channels: int) -> dict[str, tuple[int, ...]]:
    """What each stage of table 1 gives for images of so many pixels a side; each stride halves it, rounding up."""
    found: dict[str, tuple[int, ...]] = {}
    for number, (each, stride) in enumerate(zip(channels, (2, 1, 2, 2, 2, 1, 2, 1, 1), strict=True)):
        side = -(-side // stride)
        found[f"features.{number}"] = (each, side, side)
    return found


@register(
    paper=PAPER,
    knobs={
        "width_mult": tuple(percent / 100 for percent in range(50, 201, 10)),
        "depth_mult": (1.0, 1.1, 1.2, 1.4, 1.8, 2.2, 2.6, 3.1),
    },
    pinned=Pinned(
        params=5_288_548,
        macs=385_814_752,
        receptive_field=851,
        stages=stages(224, 32, 16, 24, 40, 80, 112, 192, 320, 1280),
    ),
)
def efficientnet_b0(
    num_classes: int = 1000,
    width_mult: float = 1.0,
    depth_mult: float = 1.0,
    dropout: float = 0.2,
    stochastic_depth_prob: float = 0.2,
    bn_eps: float = 1e-5,
    bn_momentum: float = 0.1,
) -> Sequential:
    """The network that the others are scaled from, as torchvision: 5,288,548 parameters, 0.386 G MACs."""
    norm = BatchNorm2d(eps=bn_eps, momentum=bn_momentum)
    into = multiple_of_8(32 * width_mult)
    depths = read_depth(tuple(ceil(row[3] * depth_mult) for row in TABLE), len(TABLE))
    features: list[Node] = [conv(into, 3, SiLU(), stride=2, norm=norm)]
    number, blocks = count(), sum(depths)
    for (expansion, kernel, maps, _, stride), layers in zip(TABLE, depths, strict=True):
        channels = multiple_of_8(maps * width_mult)
        stage: list[Node] = []
        for s in (stride, *[1] * (layers - 1)):
            p = stochastic_depth_prob * next(number) / blocks
            stage.append(mbconv(into, expansion, kernel, channels, s, p, norm))
            into = channels
        features.append(Sequential(*stage))
    return Sequential(
        features=Sequential(*features, conv(4 * into, 1, SiLU(), norm=norm)),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        classifier=Sequential(Dropout(dropout), Linear(num_classes)),
    )


@variant(
    efficientnet_b0,
    depth_mult=1.1,
    input_size=(3, 240, 240),
    params=7_794_184,
    macs=686_802_832,
    receptive_field=1183,
    stages=stages(240, 32, 16, 24, 40, 80, 112, 192, 320, 1280),
)
def efficientnet_b1() -> None:
    """1.1 times as deep, for 240 pixels: 7,794,184 parameters, 0.687 G MACs."""


@variant(
    efficientnet_b0,
    width_mult=1.1,
    depth_mult=1.2,
    dropout=0.3,
    input_size=(3, 260, 260),
    params=9_109_994,
    macs=993_561_872,
    receptive_field=1183,
    stages=stages(260, 32, 16, 24, 48, 88, 120, 208, 352, 1408),
)
def efficientnet_b2() -> None:
    """1.1 times as wide and 1.2 times as deep, for the authors' 260 pixels: 9,109,994 parameters, 0.994 G MACs.

    torchvision measures its weights at 288.
    """


@variant(
    efficientnet_b0,
    width_mult=1.2,
    depth_mult=1.4,
    dropout=0.3,
    input_size=(3, 300, 300),
    params=12_233_232,
    macs=1_827_141_392,
    receptive_field=1407,
    stages=stages(300, 40, 24, 32, 48, 96, 136, 232, 384, 1536),
)
def efficientnet_b3() -> None:
    """1.2 times as wide and 1.4 times as deep, for 300 pixels: 12,233,232 parameters, 1.827 G MACs."""


@variant(
    efficientnet_b0,
    width_mult=1.4,
    depth_mult=1.8,
    dropout=0.4,
    input_size=(3, 380, 380),
    params=19_341_616,
    macs=4_393_771_024,
    receptive_field=1799,
    stages=stages(380, 48, 24, 32, 56, 112, 160, 272, 448, 1792),
)
def efficientnet_b4() -> None:
    """1.4 times as wide and 1.8 times as deep, for 380 pixels: 19,341,616 parameters, 4.394 G MACs."""


@variant(
    efficientnet_b0,
    width_mult=1.6,
    depth_mult=2.2,
    dropout=0.4,
    bn_eps=0.001,
    bn_momentum=0.01,
    input_size=(3, 456, 456),
    params=30_389_784,
    macs=10_266_384_752,
    receptive_field=2131,
    stages=stages(456, 48, 24, 40, 64, 128, 176, 304, 512, 2048),
)
def efficientnet_b5() -> None:
    """1.6 times as wide and 2.2 times as deep, for 456 pixels: 30,389,784 parameters, 10.266 G MACs.

    Its normalisation, as that of B6 and B7, has the paper's momentum in torchvision, 0.01 (section 5.2), and an eps of
    0.001.
    """


@variant(
    efficientnet_b0,
    width_mult=1.8,
    depth_mult=2.6,
    dropout=0.5,
    bn_eps=0.001,
    bn_momentum=0.01,
    input_size=(3, 528, 528),
    params=43_040_704,
    macs=19_067_593_536,
    receptive_field=2523,
    stages=stages(528, 56, 32, 40, 72, 144, 200, 344, 576, 2304),
)
def efficientnet_b6() -> None:
    """1.8 times as wide and 2.6 times as deep, for 528 pixels: 43,040,704 parameters, 19.068 G MACs."""


@variant(
    efficientnet_b0,
    width_mult=2.0,
    depth_mult=3.1,
    dropout=0.5,
    bn_eps=0.001,
    bn_momentum=0.01,
    input_size=(3, 600, 600),
    params=66_347_960,
    macs=37_745_884_192,
    receptive_field=3079,
    stages=stages(600, 64, 32, 48, 80, 160, 224, 384, 640, 2560),
)
def efficientnet_b7() -> None:
    """Twice as wide and 3.1 times as deep, for 600 pixels: 66,347,960 parameters, 37.746 G MACs."""


LITE = Paper(
    title="Higher accuracy on vision models with EfficientNet-Lite",
    authors="Renjie Liu",
    year=2020,
    url="https://blog.tensorflow.org/2020/03/higher-accuracy-on-vision-models-with-efficientnet-lite.html",
)


@register(
    paper=LITE,
    pinned=Pinned(
        params=4_652_008,
        macs=385_187_552,
        receptive_field=851,
        stages={
            "conv_stem": (32, 112, 112),
            "blocks.0": (16, 112, 112),
            "blocks.1": (24, 56, 56),
            "blocks.2": (40, 28, 28),
            "blocks.3": (80, 14, 14),
            "blocks.4": (112, 14, 14),
            "blocks.5": (192, 7, 7),
            "blocks.6": (320, 7, 7),
            "conv_head": (1280, 7, 7),
        },
    ),
)
def efficientnet_lite0(num_classes: int = 1000, dropout: float = 0.2, tensorflow: bool = False) -> Sequential:
    """`efficientnet_b0` without its gates and with ReLU6, for integers, as timm: 4,652,008 parameters, 0.385 G MACs.

    636,540 parameters fewer, all of them of the gates. `tensorflow` is where zeros are put: `tf_efficientnet_lite0`.
    """
    into = 32
    blocks: list[Node] = []
    for expansion, kernel, channels, layers, stride in TABLE:
        stage: list[Node] = []
        for s in (stride, *[1] * (layers - 1)):
            if expansion == 1:
                stage.append(separable_timm(into, channels, kernel, ReLU6(), stride=s))
            else:
                stage.append(inverted_residual_timm(into, expansion * into, kernel, channels, ReLU6(), stride=s))
            into = channels
        blocks.append(Sequential(*stage))
    net = mobile_timm(blocks, ReLU6(), num_classes, dropout)
    return rewrite(net, as_in_tensorflow) if tensorflow else net  # type: ignore[return-value]


def as_in_tensorflow(path: str, node: Node) -> Node:
    """TensorFlow's "same" before what has a stride, which puts the odd zero behind, and its `epsilon`."""
    if isinstance(node, BatchNorm2d):
        return replace(node, eps=1e-3)
    children: dict[str, Node] = {}
    named = node.children if isinstance(node, Sequential) else ()
    for name, child in named:
        if isinstance(child, Conv2d) and child.stride != 1:
            children[f"{name}_pad"] = SamePad2d(child.kernel_size, child.stride)
            child = replace(child, padding=0)
        children[name] = child
    return Sequential(**children) if len(children) > len(named) else node


@variant(efficientnet_lite0, tensorflow=True, params=4_652_008, macs=385_187_552, receptive_field=851)
def tf_efficientnet_lite0() -> None:
    """`efficientnet_lite0` as TensorFlow trains it, as timm: 4,652,008 parameters, 0.385 G MACs.

    At a stride its "same" puts the odd zero behind, where torch's padding is before and behind, and the batch norms
    have an eps of 0.001. Both have the same tensors, so that nothing in a file tells which of them it is of; images are
    to be normalised with a mean and a deviation of 0.5.
    """
