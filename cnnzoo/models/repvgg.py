"""RepVGG: Ding et al. (2021), table 2, as it is trained; timm's names. The rewrite `reparameterize` gives the network
that is deployed."""

from ..arch import (
    AdaptiveAvgPool2d,
    Add,
    BatchNorm2d,
    Conv2d,
    Flatten,
    From,
    Inline,
    Linear,
    ReLU,
    Residual,
    Sequential,
    Shortcut,
)
from ..registry import Paper, Pinned, register
from .stages import Depth, read_depth
from .variant import variant

PAPER = Paper(
    title="RepVGG: Making VGG-style ConvNets Great Again",
    authors="Xiaohan Ding, Xiangyu Zhang, Ningning Ma, Jungong Han, Guiguang Ding, Jian Sun",
    year=2021,
    venue="CVPR 2021",
    arxiv="2101.03697",
)


def conv(width: int, kernel: int, stride: int) -> Sequential:
    return Sequential(
        conv=Conv2d(width, kernel, stride=stride, padding=kernel // 2, bias=False),
        bn=BatchNorm2d(),
    )


def block(width: int) -> Sequential:
    """The sum of a 3x3, a 1x1 and the input, each normalised by itself (figure 2 b)."""
    return Sequential(
        identity=BatchNorm2d(),
        conv_kxk=From("input", conv(width, 3, 1)),
        conv_1x1=From("input", conv(width, 1, 1)),
        sum=Add("conv_kxk", "conv_1x1", "identity"),
        act=ReLU(),
    )


def halving_block(width: int) -> Sequential:
    """The sum of a 3x3 and a 1x1 of stride 2, each normalised by itself: the first of each stage."""
    return Sequential(
        sum=Inline(Residual, conv_kxk=conv(width, 3, 2), conv_1x1=Shortcut(conv(width, 1, 2))),
        act=ReLU(),
    )


A = (2, 4, 14, 1)
B = (4, 6, 16, 1)
"""Table 2: the layers of stages 2 to 5; the first stage has one."""


def stages(a: float, b: float) -> dict[str, tuple[int, ...]]:
    """Table 2: min(64, 64a), 64a, 128a, 256a and 512b maps at 112 to 7 pixels."""
    widths = {
        "stem": min(64, 64 * a),
        "stages.0": 64 * a,
        "stages.1": 128 * a,
        "stages.2": 256 * a,
        "stages.3": 512 * b,
    }
    return {path: (int(width), 112 >> step, 112 >> step) for step, (path, width) in enumerate(widths.items())}


@register(
    paper=PAPER,
    pinned=Pinned(params=9_108_968, macs=1_512_581_120, receptive_field=535, stages=stages(0.75, 2.5)),
)
def repvgg_a0(num_classes: int = 1000, depth: Depth = A, a: float = 0.75, b: float = 2.5) -> Sequential:
    """RepVGG-A0 as it is trained: 9,108,968 parameters, 1.513 G MACs.

    Deployed, as `repvgg_a0+reparameterize`, it has 8,309,384 and 1.361 G. `a` and `b` are table 2's factors of the
    64, 128 and 256 maps of the first stages, and of the 512 of the last.
    """
    return Sequential(
        stem=halving_block(int(min(64, 64 * a))),
        stages=Sequential(
            *(
                Sequential(halving_block(width), *[block(width)] * (count - 1))
                for width, count in zip(
                    (int(64 * a), int(128 * a), int(256 * a), int(512 * b)), read_depth(depth, 4), strict=True
                )
            )
        ),
        head=Sequential(global_pool=AdaptiveAvgPool2d(1), flatten=Flatten(), fc=Linear(num_classes)),
    )


@variant(repvgg_a0, a=1.0, b=2.5, params=14_092_264, macs=2_626_488_320, receptive_field=535, stages=stages(1.0, 2.5))
def repvgg_a1() -> None:
    """RepVGG-A1 as it is trained: 14,092,264 parameters, 2.626 G MACs.

    Deployed, as `repvgg_a1+reparameterize`, it has 12,789,864 and 2.364 G.
    """


@variant(repvgg_a0, a=1.5, b=2.75, params=28_210_600, macs=5_685_345_280, receptive_field=535, stages=stages(1.5, 2.75))
def repvgg_a2() -> None:
    """RepVGG-A2 as it is trained: 28,210,600 parameters, 5.685 G MACs.

    Deployed, as `repvgg_a2+reparameterize`, it has 25,499,944 and 5.117 G.
    """


@variant(
    repvgg_a0,
    depth=B,
    a=1.0,
    b=2.5,
    params=15_817_960,
    macs=3_397_191_680,
    receptive_field=647,
    stages=stages(1.0, 2.5),
)
def repvgg_b0() -> None:
    """RepVGG-B0 as it is trained: 15,817,960 parameters, 3.397 G MACs.

    Deployed, as `repvgg_b0+reparameterize`, it has 14,339,048 and 3.058 G.
    """


@variant(
    repvgg_a0,
    depth=B,
    a=2.0,
    b=4.0,
    params=57_415_016,
    macs=13_128_089_600,
    receptive_field=647,
    stages=stages(2.0, 4.0),
)
def repvgg_b1() -> None:
    """RepVGG-B1 as it is trained: 57,415,016 parameters, 13.128 G MACs.

    Deployed, as `repvgg_b1+reparameterize`, it has 51,829,480 and 11.815 G.
    """


@variant(
    repvgg_a0,
    depth=B,
    a=2.5,
    b=5.0,
    params=89_022_376,
    macs=20_418_170_880,
    receptive_field=647,
    stages=stages(2.5, 5.0),
)
def repvgg_b2() -> None:
    """RepVGG-B2 as it is trained: 89,022,376 parameters, 20.418 G MACs.

    Deployed, as `repvgg_b2+reparameterize`, it has 80,315,112 and 18.377 G.
    """


@variant(
    repvgg_a0,
    depth=B,
    a=3.0,
    b=5.0,
    params=123_085_288,
    macs=29_120_696_320,
    receptive_field=647,
    stages=stages(3.0, 5.0),
)
def repvgg_b3() -> None:
    """RepVGG-B3 as it is trained: 123,085,288 parameters, 29.121 G MACs.

    Deployed, as `repvgg_b3+reparameterize`, it has 110,960,872 and 26.209 G.
    """
