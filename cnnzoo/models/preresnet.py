"""Pre-activation ResNets: He, Zhang, Ren and Sun (2016); the names of timm's `resnetv2`."""

from functools import lru_cache
from itertools import product

from ..arch import (
    AdaptiveAvgPool2d,
    Add,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    ModuleList,
    Node,
    ReLU,
    Residual,
    Run,
    Sequential,
    ZeroPad2d,
)
from ..registry import Paper, Pinned, register
from .stages import Depth, read_depth
from .variant import variant

PAPER = Paper(
    title="Identity Mappings in Deep Residual Networks",
    authors="Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun",
    year=2016,
    venue="ECCV 2016",
    arxiv="1603.05027",
)


def pre_activated(*convs: Conv2d, norm: BatchNorm2d = BatchNorm2d(), dropout: float = 0.0) -> dict[str, Node]:  # noqa: B008
    """Convolutions, each behind a normalisation and a ReLU (figure 4 (e)), all but the first behind a dropout, too."""
    layers: dict[str, Node] = {}
    for number, conv in enumerate(convs, 1):
        layers |= {f"norm{number}": norm, f"act{number}": ReLU()}
        if dropout and number > 1:
            layers[f"dropout{number}"] = Dropout(dropout)
        layers[f"conv{number}"] = conv
    return layers


def projected(projection: Conv2d, **body: Node) -> Sequential:
    """A unit whose shape changes: its first activation stands before both ways (appendix), so that the shortcut is a
    projection of what `act1` gives and not of what enters."""
    return Sequential(
        downsample=ModuleList(conv=projection),
        **body,
        shortcut=Run("downsample.conv", "act1"),
        sum=Add([*body][-1], "shortcut"),
    )


def bottleneck(width: int, stride: int = 1, first: int = 1, bias: bool = False) -> tuple[Conv2d, Conv2d, Conv2d]:
    """1x1, 3x3 and 1x1, `width` channels behind them and a quarter as many between; `first` and `stride` are the
    strides of the first two, `bias` is that of the last."""
    narrow = width // 4
    return (
        Conv2d(narrow, 1, stride=first, bias=False),
        Conv2d(narrow, 3, stride=stride, padding=1, bias=False),
        Conv2d(width, 1, bias=bias),
    )


@lru_cache(maxsize=1 << 10)
def stage(width: int, count: int, stride: int, early: bool = False) -> Sequential:
    """`count` units of bottlenecks, the first of them with the stride: on its 3x3 or, `early`, on its first 1x1."""
    first, middle = (stride, 1) if early else (1, stride)
    entry = projected(Conv2d(width, 1, stride=stride, bias=False), **pre_activated(*bottleneck(width, middle, first)))
    return Sequential(blocks=Sequential(entry, *[Residual(**pre_activated(*bottleneck(width)))] * (count - 1)))


def activated_stage(width: int, count: int) -> Sequential:
    """The first stage behind a stem that ends in an activation: its first unit has none before it (appendix)."""
    _, _, *body = pre_activated(*bottleneck(width)).items()
    entry = Residual(**dict(body), downsample=Sequential(conv=Conv2d(width, 1, bias=False)))
    return Sequential(blocks=Sequential(entry, *[Residual(**pre_activated(*bottleneck(width)))] * (count - 1)))


KERAS = BatchNorm2d(eps=1.001e-5, momentum=0.01)
"""Keras's settings; its momentum is what torch's leaves."""


@lru_cache(maxsize=1 << 10)
def keras_stage(width: int, count: int, stride: int) -> Sequential:
    """Keras's and TF-Slim's: the stride is on the last unit, whose shortcut takes every second pixel of what enters;
    the projection and the last 1x1 of each unit have biases."""
    body = pre_activated(*bottleneck(width, bias=True), norm=KERAS)
    entry, middle = projected(Conv2d(width, 1), **body), Residual(**body)
    last = Residual(
        **pre_activated(*bottleneck(width, stride, bias=True), norm=KERAS),
        downsample=MaxPool2d(1, stride=stride) if stride > 1 else None,
    )
    return Sequential(blocks=Sequential(entry, *[middle] * (count - 2), last))


def preresnet(stem: Sequential, stages: list[Sequential], head: Sequential, norm: BatchNorm2d) -> Sequential:
    """The stem, the stages, and the activation of the last sum (appendix)."""
    return Sequential(stem=stem, stages=Sequential(*stages), norm=norm, act=ReLU(), head=head)


def classifier(num_classes: int) -> Sequential:
    return Sequential(pool=AdaptiveAvgPool2d(1), flatten=Flatten(), fc=Linear(num_classes))


BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}
"""Units a stage of the nets for ImageNet."""

KNOBS = {
    "width": range(8, 129, 8),
    "depth": tuple(product((2, 3), (3, 4, 8, 12, 18, 24), (4, 6, 12, 18, 23, 30, 36), (2, 3))),
}
"""Around the nets for ImageNet."""

STAGES = {
    "stem.conv": (64, 112, 112),
    "stages.0": (256, 56, 56),
    "stages.1": (512, 28, 28),
    "stages.2": (1024, 14, 14),
    "stages.3": (2048, 7, 7),
    "head.pool": (2048, 1, 1),
}
"""Those of ResNet, for there are as many strides."""


@register(
    paper=PAPER,
    input_size=(3, 32, 32),
    knobs={"width": range(4, 65, 4), "depth": tuple((n, n, n) for n in (*range(1, 19), 111))},
    pinned=Pinned(
        params=1_703_258,
        macs=244_500_992,
        receptive_field=255,
        stages={"stem": (16, 32, 32), "stages.0": (64, 32, 32), "stages.1": (128, 16, 16), "stages.2": (256, 8, 8)},
    ),
)
def preresnet164(num_classes: int = 10, width: int = 16, depth: Depth = (18, 18, 18)) -> Sequential:
    """164 layers of bottlenecks for CIFAR-10, 18 units a stage (section 4): 1,703,258 parameters, 0.245 G MACs.

    The stride is on a unit's first 1x1, as in the authors' code.
    """
    n1, n2, n3 = read_depth(depth, 3)
    return preresnet(
        Sequential(conv=Conv2d(width, 3, padding=1, bias=False)),
        [stage(4 * width, n1, 1), stage(8 * width, n2, 2, early=True), stage(16 * width, n3, 2, early=True)],
        classifier(num_classes),
        BatchNorm2d(),
    )


@variant(preresnet164, depth=(111, 111, 111), params=10_327_706, macs=1_487_849_984, receptive_field=1557)
def preresnet1001() -> None:
    """1001 layers of bottlenecks for CIFAR-10, 111 units a stage (section 4): 10,327,706 parameters, 1.488 G MACs."""


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=60_185_128, macs=11_513_626_624, receptive_field=1451, stages=STAGES),
)
def preresnet152(num_classes: int = 1000, width: int = 64, depth: Depth = BLOCKS[152]) -> Sequential:
    """152 layers with pre-activation for ImageNet (section 4.1): 60,185,128 parameters, 11.514 G MACs.

    As much work as `resnet152`, with its activations in other places: no projection has a normalisation.
    """
    n1, n2, n3, n4 = read_depth(depth, 4)
    return preresnet(
        Sequential(
            conv=Conv2d(width, 7, stride=2, padding=3, bias=False),
            norm=BatchNorm2d(),
            act=ReLU(),
            pool=MaxPool2d(3, stride=2, padding=1),
        ),
        [
            activated_stage(4 * width, n1),
            stage(8 * width, n2, 2),
            stage(16 * width, n3, 2),
            stage(32 * width, n4, 2),
        ],
        classifier(num_classes),
        BatchNorm2d(),
    )


@variant(preresnet152, depth=BLOCKS[200], params=64_666_152, macs=15_007_481_856, receptive_field=1707)
def preresnet200() -> None:
    """200 layers with pre-activation for ImageNet (section 4.1): 64,666,152 parameters, 15.007 G MACs."""


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=25_549_352, macs=4_089_184_256, receptive_field=427, stages=STAGES),
)
def resnetv2_50(num_classes: int = 1000, width: int = 64, depth: Depth = BLOCKS[50]) -> Sequential:
    """50 layers with pre-activation as timm has them: 25,549,352 parameters, 4.089 G MACs.

    The stem is a convolution alone, so that the first unit, too, begins with an activation; the classifier is a 1x1.
    """
    n1, n2, n3, n4 = read_depth(depth, 4)
    return preresnet(
        Sequential(
            conv=Conv2d(width, 7, stride=2, padding=3, bias=False),
            pool=MaxPool2d(3, stride=2, padding=1),
        ),
        [
            stage(4 * width, n1, 1),
            stage(8 * width, n2, 2),
            stage(16 * width, n3, 2),
            stage(32 * width, n4, 2),
        ],
        Sequential(pool=AdaptiveAvgPool2d(1), fc=Conv2d(num_classes, 1), flatten=Flatten()),
        BatchNorm2d(),
    )


@variant(resnetv2_50, depth=BLOCKS[101], params=44_541_480, macs=7_801_405_440, receptive_field=971)
def resnetv2_101() -> None:
    """101 layers with pre-activation as timm has them: 44,541,480 parameters, 7.801 G MACs."""


@variant(resnetv2_50, depth=BLOCKS[152], params=60_185_128, macs=11_513_626_624, receptive_field=1451)
def resnetv2_152() -> None:
    """152 layers with pre-activation as timm has them: 60,185,128 parameters, as `preresnet152`; 11.514 G MACs."""


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(
        params=25_568_360,
        macs=3_482_255_360,
        receptive_field=483,
        stages={
            "stem.conv": (64, 112, 112),
            "stages.0": (256, 28, 28),
            "stages.1": (512, 14, 14),
            "stages.2": (1024, 7, 7),
            "stages.3": (2048, 7, 7),
        },
    ),
)
def resnet50v2(num_classes: int = 1000, width: int = 64, depth: Depth = BLOCKS[50]) -> Sequential:
    """50 layers with pre-activation as Keras's ResNet50V2 and TF-Slim's resnet_v2_50: 25,568,360 parameters.

    The stride is on the last unit of a stage, and the first stage has one, too; convolutions that no normalisation
    follows have biases.
    """
    n1, n2, n3, n4 = read_depth(depth, 4)
    return preresnet(
        Sequential(
            conv=Conv2d(width, 7, stride=2, padding=3),
            pad=ZeroPad2d(1),
            pool=MaxPool2d(3, stride=2),
        ),
        [
            keras_stage(4 * width, n1, 2),
            keras_stage(8 * width, n2, 2),
            keras_stage(16 * width, n3, 2),
            keras_stage(32 * width, n4, 1),
        ],
        classifier(num_classes),
        KERAS,
    )


@variant(resnet50v2, depth=BLOCKS[101], params=44_577_896, macs=7_194_476_544, receptive_field=1027)
def resnet101v2() -> None:
    """101 layers with pre-activation as Keras's ResNet101V2: 44,577,896 parameters."""


@variant(resnet50v2, depth=BLOCKS[152], params=60_236_904, macs=10_906_697_728, receptive_field=1507)
def resnet152v2() -> None:
    """152 layers with pre-activation as Keras's ResNet152V2: 60,236,904 parameters."""
