"""MobileNet: Howard et al. (2017), table 1; timm's names."""

from ..arch import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, Flatten, Layer, Linear, ReLU6, Sequential
from ..registry import Paper, Pinned, register
from .blocks import KNOBS, multiple_of_8, separable_timm
from .variant import variant

PAPER = Paper(
    title="MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    authors=(
        "Andrew G. Howard, Menglong Zhu, Bo Chen, Dmitry Kalenichenko, Weijun Wang, Tobias Weyand, Marco Andreetto, "
        "Hartwig Adam"
    ),
    year=2017,
    arxiv="1704.04861",
)


def stage(into: int, channels: int, stride: int, count: int, activation: Layer = ReLU6()) -> Sequential:  # noqa: B008 - a value
    """The rows of table 1 at one size: `count` times a depthwise 3x3 and a 1x1, the first with the stride."""
    rows = [(into, stride), *[(channels, 1)] * (count - 1)]
    return Sequential(*(separable_timm(c, channels, 3, activation, stride=s, mixed=activation) for c, s in rows))


def stages(width_mult: float) -> dict[str, tuple[int, ...]]:
    """The output sizes of table 1."""
    sizes = {"conv_stem": (32, 112), "blocks.0": (64, 112), "blocks.1": (128, 56), "blocks.2": (256, 28)}
    sizes |= {"blocks.3": (512, 14), "blocks.4": (1024, 7), "global_pool": (1024, 1)}
    return {path: (int(width_mult * channels), side, side) for path, (channels, side) in sizes.items()}


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=4_231_976, macs=568_740_352, receptive_field=315, stages=stages(1)),
)
def mobilenet_v1(
    num_classes: int = 1000, width_mult: float = 1.0, shallow: bool = False, dropout: float = 0.0
) -> Sequential:
    """28 layers, of which 13 are depthwise: 4,231,976 parameters, 0.569 G MACs; for images of any size.

    `shallow` is without the five blocks of 512 maps at 14x14 pixels (section 4.2): 2,887,976 parameters and 0.307 G.
    As in the authors' code and in timm the activation is ReLU6, which is ReLU in figure 3, and channels are rounded to
    multiples of 8.
    """
    c0, c1, c2, c3, c4, c5 = (multiple_of_8(width_mult * channels) for channels in (32, 64, 128, 256, 512, 1024))
    return Sequential(
        conv_stem=Conv2d(c0, 3, stride=2, padding=1, bias=False),
        bn1=BatchNorm2d(),
        act1=ReLU6(),
        blocks=Sequential(
            stage(c0, c1, 1, 1),
            stage(c1, c2, 2, 2),
            stage(c2, c3, 2, 2),
            stage(c3, c4, 2, 1 if shallow else 6),
            stage(c4, c5, 2, 2),
        ),
        global_pool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        drop=Dropout(dropout) if dropout else None,
        classifier=Linear(num_classes),
    )


@variant(mobilenet_v1, width_mult=0.75, params=2_585_560, macs=325_400_448, receptive_field=315, stages=stages(0.75))
def mobilenet_v1_075() -> None:
    """Three quarters of the channels (section 3.3): 2,585,560 parameters, 0.325 G MACs."""


@variant(mobilenet_v1, width_mult=0.5, params=1_331_592, macs=149_497_088, receptive_field=315, stages=stages(0.5))
def mobilenet_v1_050() -> None:
    """Half of the channels (section 3.3): 1,331,592 parameters, 0.149 G MACs."""


@variant(mobilenet_v1, width_mult=0.25, params=470_072, macs=41_030_272, receptive_field=315, stages=stages(0.25))
def mobilenet_v1_025() -> None:
    """A quarter of the channels (section 3.3): 470,072 parameters, 0.041 G MACs."""
