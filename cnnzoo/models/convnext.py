"""ConvNeXt: Liu, Mao, Wu, Feichtenhofer, Darrell and Xie (2022), figure 4 and table 9; torchvision's names."""

from collections.abc import Iterator
from itertools import product

from ..arch import (
    GELU,
    AdaptiveAvgPool2d,
    Conv2d,
    Flatten,
    LayerNorm,
    LayerNorm2d,
    Linear,
    Node,
    Permute,
    Residual,
    Scale,
    Sequential,
    StochasticDepth,
)
from ..registry import Paper, Pinned, register
from .stages import Depth, read_depth
from .variant import variant

PAPER = Paper(
    title="A ConvNet for the 2020s",
    authors="Zhuang Liu, Hanzi Mao, Chao-Yuan Wu, Christoph Feichtenhofer, Trevor Darrell, Saining Xie",
    year=2022,
    venue="CVPR 2022",
    arxiv="2201.03545",
)

BLOCKS = {"tiny": (3, 3, 9, 3), "small": (3, 3, 27, 3)}
"""Section 3: blocks of each stage; base, large and xlarge are as deep as small."""

KNOBS = {
    "width": range(16, 257, 16),
    "depth": tuple(product(range(1, 4), range(1, 4), range(1, 28), range(1, 4))),
}
"""All networks of section 3, and what lies around and between them."""

NORM = LayerNorm2d(eps=1e-6)


def block(dim: int, layer_scale: float, chance: float) -> Residual:
    """Figure 4: a depthwise 7x7, a normalisation, four times the channels and back, a scale of each channel; the linear
    layers read channels last."""
    return Residual(
        block=Sequential(
            Conv2d(dim, 7, padding=3, groups=dim),
            Permute((0, 2, 3, 1)),
            LayerNorm(eps=1e-6),
            Linear(4 * dim),
            GELU(),
            Linear(dim),
            Permute((0, 3, 1, 2)),
        ),
        layer_scale=Scale(layer_scale, (-1, 1, 1)),
        stochastic_depth=StochasticDepth(chance, "row"),
    )


def chances(rate: float, depth: tuple[int, ...]) -> Iterator[float]:
    """Of dropping each block: from none in the first to `rate` in the last (Huang et al., 2016)."""
    count = sum(depth)
    return (rate * number / max(1, count - 1) for number in range(count))


def downsampling(dim: int) -> Sequential:
    """A normalisation and a 2x2 of stride 2, apart from the blocks (section 2.6)."""
    return Sequential(NORM, Conv2d(dim, 2, stride=2))


def stages(*dims: int) -> dict[str, tuple[int, ...]]:
    """The output sizes of table 9."""
    found = {f"features.{2 * number + 1}": (dim, 56 >> number, 56 >> number) for number, dim in enumerate(dims)}
    return {"features.0": (dims[0], 56, 56), **found, "avgpool": (dims[-1], 1, 1), "classifier": (1000,)}


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=28_589_128, macs=4_455_531_264, receptive_field=1688, stages=stages(96, 192, 384, 768)),
)
def convnext_tiny(
    num_classes: int = 1000,
    stochastic_depth_prob: float = 0.1,
    layer_scale: float = 1e-6,
    width: int = 96,
    depth: Depth = BLOCKS["tiny"],
) -> Sequential:
    """ConvNeXt-T, of 3, 3, 9, 3 blocks of 96 to 768 channels: 28,589,128 parameters, 4.456 G MACs."""
    counts, dims = read_depth(depth, 4), [width << number for number in range(4)]
    chance = chances(stochastic_depth_prob, counts)
    features: list[Node] = [Sequential(Conv2d(width, 4, stride=4), NORM)]
    for number, (dim, count) in enumerate(zip(dims, counts, strict=True)):
        features += [downsampling(dim)] if number else []
        features += [Sequential(*[block(dim, layer_scale, next(chance)) for _ in range(count)])]
    return Sequential(
        features=Sequential(*features),
        avgpool=AdaptiveAvgPool2d(1),
        classifier=Sequential(NORM, Flatten(), Linear(num_classes)),
    )


@variant(
    convnext_tiny,
    depth=BLOCKS["small"],
    stochastic_depth_prob=0.4,
    params=50_223_688,
    macs=8_683_712_256,
    receptive_field=3416,
)
def convnext_small() -> None:
    """ConvNeXt-S, of 3, 3, 27, 3 blocks of 96 to 768 channels: 50,223,688 parameters, 8.684 G MACs."""


@variant(
    convnext_tiny,
    depth=BLOCKS["small"],
    width=128,
    stochastic_depth_prob=0.5,
    params=88_591_464,
    macs=15_354_729_472,
    receptive_field=3416,
    stages=stages(128, 256, 512, 1024),
)
def convnext_base() -> None:
    """ConvNeXt-B, of 3, 3, 27, 3 blocks of 128 to 1024 channels: 88,591,464 parameters, 15.355 G MACs."""


@variant(
    convnext_tiny,
    depth=BLOCKS["small"],
    width=192,
    stochastic_depth_prob=0.5,
    params=197_767_336,
    macs=34_361_433_600,
    receptive_field=3416,
    stages=stages(192, 384, 768, 1536),
)
def convnext_large() -> None:
    """ConvNeXt-L, of 3, 3, 27, 3 blocks of 192 to 1536 channels: 197,767,336 parameters, 34.361 G MACs."""


@variant(
    convnext_tiny,
    depth=BLOCKS["small"],
    width=256,
    stochastic_depth_prob=0.5,
    params=350_196_968,
    macs=60_921_030_656,
    receptive_field=3416,
    stages=stages(256, 512, 1024, 2048),
)
def convnext_xlarge() -> None:
    """ConvNeXt-XL, of 3, 3, 27, 3 blocks of 256 to 2048 channels: 350,196,968 parameters, 60.921 G MACs.

    Not in torchvision; timm has it.
    """
