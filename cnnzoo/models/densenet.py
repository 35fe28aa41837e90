"""DenseNet: Huang, Liu, van der Maaten and Weinberger (2016), table 1; torchvision's names."""

from functools import lru_cache
from itertools import product

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
from ..registry import Paper, Pinned, register
from .stages import Depth, read_depth
from .variant import variant

PAPER = Paper(
    title="Densely Connected Convolutional Networks",
    authors="Gao Huang, Zhuang Liu, Laurens van der Maaten, Kilian Q. Weinberger",
    year=2016,
    venue="CVPR 2017",
    arxiv="1608.06993",
)


@lru_cache(maxsize=1 << 8)  # without it `cnnzoo match densenet121` takes 1.1 times as long
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


@lru_cache(maxsize=1 << 10)  # without it `cnnzoo match densenet121` takes 1.4 times as long
def transition(channels: int, dropout: float = 0.0) -> Sequential:
    """BN-ReLU-1x1, to half the channels where there is compression, then 2x2 average pooling."""
    return Sequential(
        norm=BatchNorm2d(),
        relu=ReLU(),
        conv=Conv2d(channels, 1, bias=False),
        dropout=Dropout(dropout) if dropout else None,
        pool=AvgPool2d(2),
    )


LAYERS = {
    121: (6, 12, 24, 16),
    161: (6, 12, 36, 24),
    169: (6, 12, 32, 32),
    201: (6, 12, 48, 32),
    264: (6, 12, 64, 48),
}
"""Table 1: layers in each dense block."""

KNOBS = {
    "growth": range(4, 49, 4),
    "depth": tuple(product((2, 4, 6), (4, 8, 12), range(12, 65, 4), range(8, 49, 8))),
}
"""All columns of table 1, and what lies around and between them."""


@lru_cache(maxsize=1 << 10)  # without it `cnnzoo match densenet121` takes 1.7 times as long
def dense_block(growth: int, count: int, dropout: float) -> Sequential:
    layer = dense_layer(growth, dropout)
    return Sequential(**{f"denselayer{number}": layer for number in range(1, count + 1)})


def densenet(num_classes: int, dropout: float, growth: int, depth: Depth) -> Sequential:
    """A column of table 1: the growth rate k, and the layers of each dense block; the stem has 2k maps."""
    channels = 2 * growth
    stem = Conv2d(channels, 7, stride=2, padding=3, bias=False)
    blocks: dict[str, Node] = {}
    for number, count in enumerate(read_depth(depth, 4), 1):
        if blocks:
            channels //= 2
            blocks[f"transition{number - 1}"] = transition(channels)
        blocks[f"denseblock{number}"] = dense_block(growth, count, dropout)
        channels += count * growth
    return Sequential(
        features=Sequential(
            conv0=stem,
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
    """The stem has 2k maps; the dense blocks, at 56, 28, 14 and 7 pixels, those given."""
    found = {
        f"features.denseblock{number}": (channels, 112 >> number, 112 >> number)
        for number, channels in enumerate(outputs, 1)
    }
    return {"features.conv0": (2 * growth, 112, 112), "features.pool0": (2 * growth, 56, 56), **found}


STAGES = {
    121: stages(32, 256, 512, 1024, 1024),
    161: stages(48, 384, 768, 2112, 2208),
    169: stages(32, 256, 512, 1280, 1664),
    201: stages(32, 256, 512, 1792, 1920),
    264: stages(32, 256, 512, 2304, 2688),
}
"""Table 1: the output of each dense block, behind that of the stem."""


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=7_978_856, macs=2_834_161_664, receptive_field=2071, stages=STAGES[121]),
)
def densenet121(
    num_classes: int = 1000, dropout: float = 0.0, growth: int = 32, depth: Depth = LAYERS[121]
) -> Sequential:
    """Growth 32, blocks of 6, 12, 24, 16 layers: 7,978,856 parameters, 2.834 G MACs."""
    return densenet(num_classes, dropout, growth, depth)


@variant(
    densenet121,
    growth=48,
    depth=LAYERS[161],
    params=28_681_000,
    macs=7_727_907_072,
    receptive_field=2967,
    stages=STAGES[161],
)
def densenet161() -> None:
    """Growth 48, blocks of 6, 12, 36, 24 layers: 28,681,000 parameters, 7.728 G MACs."""


@variant(
    densenet121, depth=LAYERS[169], params=14_149_480, macs=3_359_843_328, receptive_field=3351, stages=STAGES[169]
)
def densenet169() -> None:
    """Growth 32, blocks of 6, 12, 32, 32 layers: 14,149,480 parameters, 3.360 G MACs."""


@variant(
    densenet121, depth=LAYERS[201], params=20_013_928, macs=4_291_365_888, receptive_field=3863, stages=STAGES[201]
)
def densenet201() -> None:
    """Growth 32, blocks of 6, 12, 48, 32 layers: 20,013,928 parameters, 4.291 G MACs."""


@variant(
    densenet121, depth=LAYERS[264], params=33_337_704, macs=5_751_653_376, receptive_field=5399, stages=STAGES[264]
)
def densenet264() -> None:
    """Growth 32, blocks of 6, 12, 64, 48 layers: 33,337,704 parameters, 5.752 G MACs. Not in torchvision.

    Counted as the others are, its weighted layers are 265.
    """


# For CIFAR: section 4.2 and table 2


@lru_cache(maxsize=1 << 8)
def cifar_layer(growth: int, bottleneck: bool, dropout: float) -> Dense:
    """BN-ReLU-3x3(k), appended to its own input, or behind a bottleneck; the dropout is behind each convolution."""
    drop = Dropout(dropout) if dropout else None
    if not bottleneck:
        return Dense(norm1=BatchNorm2d(), relu1=ReLU(), conv1=Conv2d(growth, 3, padding=1, bias=False), dropout1=drop)
    return Dense(
        norm1=BatchNorm2d(),
        relu1=ReLU(),
        conv1=Conv2d(4 * growth, 1, bias=False),
        dropout1=drop,
        norm2=BatchNorm2d(),
        relu2=ReLU(),
        conv2=Conv2d(growth, 3, padding=1, bias=False),
        dropout2=drop,
    )


def cifar(num_classes: int, dropout: float, growth: int, depth: Depth, bc: bool) -> Sequential:
    """Three dense blocks on maps of 32, 16 and 8 pixels. With `bc` layers have bottlenecks, transitions keep half of
    the channels (compression), and the stem has 2k maps for 16."""
    channels = 2 * growth if bc else 16
    blocks: dict[str, Node] = {"conv0": Conv2d(channels, 3, padding=1, bias=False)}
    for number, count in enumerate(read_depth(depth, 3), 1):
        if number > 1:
            channels = channels // 2 if bc else channels
            blocks[f"transition{number - 1}"] = transition(channels, dropout)
        layer = cifar_layer(growth, bc, dropout)
        blocks[f"denseblock{number}"] = Sequential(**{f"denselayer{each}": layer for each in range(1, count + 1)})
        channels += count * growth
    return Sequential(
        features=Sequential(**blocks, norm_final=BatchNorm2d()),
        relu=ReLU(),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        classifier=Linear(num_classes),
    )


CIFAR_KNOBS = {"growth": range(4, 49, 4), "depth": tuple((n, n, n) for n in range(1, 42))}
"""All rows of table 2, and what lies around and between them."""


def cifar_stages(stem: int, *outputs: int) -> dict[str, tuple[int, ...]]:
    """The stem and the dense blocks, at 32, 16 and 8 pixels."""
    blocks = {
        f"features.denseblock{number}": (maps, 64 >> number, 64 >> number) for number, maps in enumerate(outputs, 1)
    }
    return {"features.conv0": (stem, 32, 32), **blocks}


@register(
    paper=PAPER,
    input_size=(3, 32, 32),
    knobs=CIFAR_KNOBS,
    pinned=Pinned(params=1_019_722, macs=264_812_928, receptive_field=174, stages=cifar_stages(16, 160, 304, 448)),
)
def densenet40_12(
    num_classes: int = 10, dropout: float = 0.0, growth: int = 12, depth: Depth = (12, 12, 12)
) -> Sequential:
    """40 layers for CIFAR-10, growth 12, no bottlenecks, no compression: 1,019,722 parameters, 0.265 G MACs."""
    return cifar(num_classes, dropout, growth, depth, bc=False)


@variant(
    densenet40_12,
    depth=(32, 32, 32),
    params=6_979_642,
    macs=1_769_516_448,
    receptive_field=454,
    stages=cifar_stages(16, 400, 784, 1168),
)
def densenet100_12() -> None:
    """100 layers for CIFAR-10, growth 12, no bottlenecks, no compression: 6,979,642 parameters."""


@variant(
    densenet40_12,
    growth=24,
    depth=(32, 32, 32),
    params=27_249_082,
    macs=6_889_347_744,
    receptive_field=454,
    stages=cifar_stages(16, 784, 1552, 2320),
)
def densenet100_24() -> None:
    """100 layers for CIFAR-10, growth 24, no bottlenecks, no compression: 27,249,082 parameters."""


@register(
    paper=PAPER,
    input_size=(3, 32, 32),
    knobs=CIFAR_KNOBS,
    pinned=Pinned(params=769_162, macs=287_929_692, receptive_field=230, stages=cifar_stages(24, 216, 300, 342)),
)
def densenet_bc100_12(
    num_classes: int = 10, dropout: float = 0.0, growth: int = 12, depth: Depth = (16, 16, 16)
) -> Sequential:
    """100 layers for CIFAR-10, growth 12, with bottlenecks and compression: 769,162 parameters, for the 6,979,642 of
    `densenet100_12` without."""
    return cifar(num_classes, dropout, growth, depth, bc=True)


@variant(
    densenet_bc100_12,
    growth=40,
    depth=(31, 31, 31),
    params=25_624_430,
    macs=9_301_945_740,
    receptive_field=440,
    stages=cifar_stages(80, 1320, 1900, 2190),
)
def densenet_bc190_40() -> None:
    """190 layers for CIFAR-10, growth 40, with bottlenecks and compression: 25,624,430 parameters."""


@variant(
    densenet_bc100_12,
    growth=24,
    depth=(41, 41, 41),
    params=15_324_406,
    macs=5_418_785_724,
    receptive_field=580,
    stages=cifar_stages(48, 1032, 1500, 1734),
)
def densenet_bc250_24() -> None:
    """250 layers for CIFAR-10, growth 24, with bottlenecks and compression: 15,324,406 parameters."""
