"""RegNet: Radosavovic, Kosaraju, Girshick, He and Dollár (2020), figures 15 and 16; torchvision's names.

The paper's networks are those of its authors' code; torchvision's, where its rounding gives other widths, are `_tv`.
"""

from collections.abc import Callable
from math import log
from typing import Any, ParamSpec, TypeAlias

from ..arch import AdaptiveAvgPool2d, Flatten, Inline, Linear, ReLU, Residual, Sequential, Shortcut, Sigmoid
from ..errors import InvalidValueError
from ..registry import Builder, Paper, Pinned, register
from .blocks import conv, divisible, squeeze_excitation
from .variant import variant

PAPER = Paper(
    title="Designing Network Design Spaces",
    authors="Ilija Radosavovic, Raj Prateek Kosaraju, Ross Girshick, Kaiming He, Piotr Dollár",
    year=2020,
    venue="CVPR 2020",
    arxiv="2003.13678",
)

P = ParamSpec("P")

KNOBS = {"w_0": range(8, 457, 8), "depth": range(12, 29)}
"""Depths are as in the paper's section 4."""

Stages: TypeAlias = list[tuple[int, int, int]]
"""Of each stage its blocks d, its width w and its group width g."""


def widths(depth: int, w_0: int, w_a: float, w_m: float, group_width: int, tv_rounding: bool) -> Stages:
    """The paper's rule. Widths grow linearly with the block, u_j = w_0 + w_a j (equation 2); each becomes the nearest
    power of w_m times w_0 (equations 3 and 4) and the nearest multiple of 8; blocks of equal width are a stage. A width
    that its groups do not divide becomes their nearest multiple, of two the even one as in the authors' code; with
    `tv_rounding` the upper one, and never less than nine tenths of it."""
    if depth < 1 or w_0 < 8 or w_0 % 8 or w_a < 0 or w_m <= 1 or group_width < 1:
        raise InvalidValueError(
            "a RegNet has depth and group_width of at least 1, w_0 a multiple of 8, w_a of at least 0 and w_m above 1, "
            f"got {depth=}, {w_0=}, {w_a=}, {w_m=}, {group_width=}"
        )
    powers = [round(log((w_0 + w_a * j) / w_0) / log(w_m)) for j in range(depth)]
    blocks = [8 * round(w_0 * w_m**power / 8) for power in powers]
    found = []
    for width in sorted({*blocks}):
        group = min(group_width, width)
        fitting = divisible(width, group) if tv_rounding else max(group, group * round(width / group))
        found.append((blocks.count(width), fitting, group))
    return found


def block(into: int, width: int, group: int, stride: int, se_ratio: float | None) -> Sequential | Residual:
    """1x1, 3x3 in groups of so many channels, in Y a gate of a share of what enters the block, 1x1, none of them
    narrower (figure 4; b = 1); the shortcut of a block that changes the shape is a 1x1."""
    f = Sequential(
        a=conv(width, 1, ReLU()),
        b=conv(width, 3, ReLU(), stride=stride, groups=width // group),
        se=squeeze_excitation(width, round(se_ratio * into), ReLU(), Sigmoid()) if se_ratio else None,
        c=conv(width, 1),
    )
    if into == width and stride == 1:
        return Residual(f=f, downsample=None, activation=ReLU())
    projected = Inline(Residual, proj=Shortcut(conv(width, 1, stride=stride)), f=f)
    return Sequential(add=projected, activation=ReLU())


def stage(number: int, into: int, depth: int, width: int, group: int, se_ratio: float | None) -> Sequential:
    """So many blocks, the first of stride 2."""
    rest = [block(width, width, group, 1, se_ratio)] * (depth - 1)
    blocks = [block(into, width, group, 2, se_ratio), *rest]
    return Sequential(**{f"block{number}-{place}": one for place, one in enumerate(blocks)})


def regnet(num_classes: int, stages: Stages, se_ratio: float | None) -> Sequential:
    """A stem of 32 maps, the stages and the head (figure 3 a)."""
    trunk, into = {}, 32
    for number, (depth, width, group) in enumerate(stages, 1):
        trunk[f"block{number}"] = stage(number, into, depth, width, group, se_ratio)
        into = width
    return Sequential(
        stem=conv(32, 3, ReLU(), stride=2),
        trunk_output=Sequential(**trunk),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        fc=Linear(num_classes),
    )


def stages(*widths: int) -> dict[str, tuple[int, ...]]:
    """The outputs of the stages, as wide as figures 15 and 16 print them."""
    found = {
        f"trunk_output.block{number}": (width, 112 >> number, 112 >> number) for number, width in enumerate(widths, 1)
    }
    return {"stem": (32, 112, 112), **found, "fc": (1000,)}


def row(
    of: Builder[P],
    depth: int,
    w_0: int,
    w_a: float,
    w_m: float,
    group_width: int,
    widths: tuple[int, int, int, int],
    params: int,
    macs: int,
    receptive_field: int,
    **others: bool,
) -> Callable[[Callable[[], None]], Builder[P]]:
    """A network of figure 15 or 16, in its words: what the rule takes, the widths that it gives, and what pins it."""
    rule: dict[str, Any] = {"depth": depth, "w_0": w_0, "w_a": w_a, "w_m": w_m, "group_width": group_width, **others}
    pins: dict[str, Any] = {"params": params, "macs": macs, "receptive_field": receptive_field}
    return variant(of, **pins, stages=stages(*widths), **rule)


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=2_684_792, macs=199_039_872, receptive_field=543, stages=stages(24, 56, 152, 368)),
)
def regnet_x_200mf(
    num_classes: int = 1000,
    depth: int = 13,
    w_0: int = 24,
    w_a: float = 36.44,
    w_m: float = 2.49,
    group_width: int = 8,
    tv_rounding: bool = False,
) -> Sequential:
    """RegNetX of 200 MF: 1, 1, 4, 7 blocks of 24, 56, 152, 368 channels; 2,684,792 parameters, 0.199 G MACs."""
    return regnet(num_classes, widths(depth, w_0, w_a, w_m, group_width, tv_rounding), None)


@row(regnet_x_200mf, 22, 24, 24.48, 2.54, 16, (32, 64, 160, 384), 5_157_512, 397_677_568, 975)
def regnet_x_400mf() -> None:
    """RegNetX of 400 MF: 1, 2, 7, 12 blocks of 32, 64, 160, 384 channels; 5,157,512 parameters, 0.398 G MACs."""


@row(regnet_x_200mf, 22, 24, 24.48, 2.54, 16, (32, 64, 160, 400), 5_495_976, 413_812_608, 975, tv_rounding=True)
def regnet_x_400mf_tv() -> None:
    """torchvision's `regnet_x_400mf`: 32, 64, 160, 400 channels, by another rounding.

    5,495,976 parameters, 338,464 more than `regnet_x_400mf`; 0.414 G MACs.
    """


@row(regnet_x_200mf, 16, 48, 36.97, 2.24, 24, (48, 96, 240, 528), 6_196_040, 600_890_112, 607)
def regnet_x_600mf() -> None:
    """RegNetX of 600 MF: 1, 3, 5, 7 blocks of 48, 96, 240, 528 channels; 6,196,040 parameters, 0.601 G MACs."""


@row(regnet_x_200mf, 16, 56, 35.73, 2.28, 16, (64, 128, 288, 672), 7_259_656, 799_699_712, 543)
def regnet_x_800mf() -> None:
    """RegNetX of 800 MF: 1, 3, 7, 5 blocks of 64, 128, 288, 672 channels; 7,259,656 parameters, 0.800 G MACs."""


@row(regnet_x_200mf, 18, 80, 34.01, 2.25, 24, (72, 168, 408, 912), 9_190_136, 1_602_849_792, 471)
def regnet_x_1_6gf() -> None:
    """RegNetX of 1.6 GF: 2, 4, 10, 2 blocks of 72, 168, 408, 912 channels; 9,190,136 parameters, 1.603 G MACs."""


@row(regnet_x_200mf, 25, 88, 26.31, 2.25, 48, (96, 192, 432, 1008), 15_296_552, 3_176_621_952, 663)
def regnet_x_3_2gf() -> None:
    """RegNetX of 3.2 GF: 2, 6, 15, 2 blocks of 96, 192, 432, 1008 channels; 15,296,552 parameters, 3.177 G MACs."""


@row(regnet_x_200mf, 23, 96, 38.65, 2.43, 40, (80, 240, 560, 1360), 22_118_248, 3_964_498_816, 615)
def regnet_x_4gf() -> None:
    """RegNetX of 4 GF: 2, 5, 14, 2 blocks of 80, 240, 560, 1360 channels; 22,118,248 parameters, 3.964 G MACs."""


@row(regnet_x_200mf, 17, 184, 60.83, 2.07, 56, (168, 392, 784, 1624), 26_209_256, 6_460_291_264, 407)
def regnet_x_6_4gf() -> None:
    """RegNetX of 6.4 GF: 2, 4, 10, 1 blocks of 168, 392, 784, 1624 channels; 26,209,256 parameters, 6.460 G MACs."""


@row(regnet_x_200mf, 23, 80, 49.56, 2.88, 120, (80, 240, 720, 1920), 39_572_648, 7_995_132_416, 583)
def regnet_x_8gf() -> None:
    """RegNetX of 8 GF: 2, 5, 15, 1 blocks of 80, 240, 720, 1920 channels; 39,572,648 parameters, 7.995 G MACs."""


@row(regnet_x_200mf, 19, 168, 73.36, 2.37, 112, (224, 448, 896, 2240), 46_106_056, 12_086_678_016, 455)
def regnet_x_12gf() -> None:
    """RegNetX of 12 GF: 2, 5, 11, 1 blocks of 224, 448, 896, 2240 channels; 46,106,056 parameters, 12.087 G MACs."""


@row(regnet_x_200mf, 22, 216, 55.59, 2.1, 128, (256, 512, 896, 2048), 54_278_536, 15_940_755_456, 535)
def regnet_x_16gf() -> None:
    """RegNetX of 16 GF: 2, 6, 13, 1 blocks of 256, 512, 896, 2048 channels; 54,278,536 parameters, 15.941 G MACs."""


@row(regnet_x_200mf, 23, 320, 69.86, 2.0, 168, (336, 672, 1344, 2520), 107_811_560, 31_735_929_792, 551)
def regnet_x_32gf() -> None:
    """RegNetX of 32 GF: 2, 7, 13, 1 blocks of 336, 672, 1344, 2520 channels; 107,811,560 parameters, 31.736 G MACs."""


@register(
    paper=PAPER,
    knobs=KNOBS,
    pinned=Pinned(params=3_162_996, macs=199_514_080, receptive_field=543, stages=stages(24, 56, 152, 368)),
)
def regnet_y_200mf(
    num_classes: int = 1000,
    depth: int = 13,
    w_0: int = 24,
    w_a: float = 36.44,
    w_m: float = 2.49,
    group_width: int = 8,
    tv_rounding: bool = False,
    se_ratio: float = 0.25,
) -> Sequential:
    """RegNetY of 200 MF: 1, 1, 4, 7 blocks of 24, 56, 152, 368 channels; 3,162,996 parameters, 0.200 G MACs."""
    return regnet(num_classes, widths(depth, w_0, w_a, w_m, group_width, tv_rounding), se_ratio)


@row(regnet_y_200mf, 16, 48, 27.89, 2.09, 8, (48, 104, 208, 440), 4_344_144, 401_842_848, 575)
def regnet_y_400mf() -> None:
    """RegNetY of 400 MF: 1, 3, 6, 6 blocks of 48, 104, 208, 440 channels; 4,344,144 parameters, 0.402 G MACs."""


@row(regnet_y_200mf, 15, 48, 32.54, 2.32, 16, (48, 112, 256, 608), 6_055_160, 601_220_992, 479)
def regnet_y_600mf() -> None:
    """RegNetY of 600 MF: 1, 3, 7, 4 blocks of 48, 112, 256, 608 channels; 6,055,160 parameters, 0.601 G MACs."""


@row(regnet_y_200mf, 14, 56, 38.84, 2.4, 16, (64, 128, 320, 768), 6_263_168, 797_176_832, 383)
def regnet_y_800mf() -> None:
    """RegNetY of 800 MF: 1, 3, 8, 2 blocks of 64, 128, 320, 768 channels; 6,263,168 parameters, 0.797 G MACs."""


@row(regnet_y_200mf, 14, 56, 38.84, 2.4, 16, (64, 144, 320, 784), 6_432_512, 833_856_256, 383, tv_rounding=True)
def regnet_y_800mf_tv() -> None:
    """torchvision's `regnet_y_800mf`: 64, 144, 320, 784 channels, by another rounding.

    6,432,512 parameters, 169,344 more than `regnet_y_800mf`; 0.834 G MACs.
    """


@row(regnet_y_200mf, 27, 48, 20.71, 2.65, 24, (48, 120, 336, 888), 11_202_430, 1_612_076_160, 727)
def regnet_y_1_6gf() -> None:
    """RegNetY of 1.6 GF: 2, 6, 17, 2 blocks of 48, 120, 336, 888 channels; 11,202,430 parameters, 1.612 G MACs."""


@row(regnet_y_200mf, 21, 80, 42.63, 2.66, 24, (72, 216, 576, 1512), 19_436_338, 3_176_482_752, 519)
def regnet_y_3_2gf() -> None:
    """RegNetY of 3.2 GF: 2, 5, 13, 1 blocks of 72, 216, 576, 1512 channels; 19,436,338 parameters, 3.176 G MACs."""


@row(regnet_y_200mf, 22, 96, 31.41, 2.24, 64, (128, 192, 512, 1088), 20_646_656, 3_973_288_448, 567)
def regnet_y_4gf() -> None:
    """RegNetY of 4 GF: 2, 6, 12, 2 blocks of 128, 192, 512, 1088 channels; 20,646,656 parameters, 3.973 G MACs."""


@row(regnet_y_200mf, 25, 112, 33.22, 2.27, 72, (144, 288, 576, 1296), 30_583_252, 6_355_204_992, 647)
def regnet_y_6_4gf() -> None:
    """RegNetY of 6.4 GF: 2, 7, 14, 2 blocks of 144, 288, 576, 1296 channels; 30,583,252 parameters, 6.355 G MACs."""


@row(regnet_y_200mf, 17, 192, 76.82, 2.19, 56, (168, 448, 896, 2016), 39_180_068, 7_963_057_312, 407)
def regnet_y_8gf() -> None:
    """RegNetY of 8 GF: 2, 4, 10, 1 blocks of 168, 448, 896, 2016 channels; 39,180,068 parameters, 7.963 G MACs."""


@row(regnet_y_200mf, 17, 192, 76.82, 2.19, 56, (224, 448, 896, 2016), 39_381_472, 8_473_070_592, 407, tv_rounding=True)
def regnet_y_8gf_tv() -> None:
    """torchvision's `regnet_y_8gf`: 224, 448, 896, 2016 channels, by another rounding.

    39,381,472 parameters, 201,404 more than `regnet_y_8gf`; 8.473 G MACs.
    """


@row(regnet_y_200mf, 19, 168, 73.36, 2.37, 112, (224, 448, 896, 2240), 51_822_544, 12_092_376_576, 455)
def regnet_y_12gf() -> None:
    """RegNetY of 12 GF: 2, 5, 11, 1 blocks of 224, 448, 896, 2240 channels; 51,822,544 parameters, 12.092 G MACs."""


@row(regnet_y_200mf, 18, 200, 106.23, 2.48, 112, (224, 448, 1232, 3024), 83_590_140, 15_911_510_272, 439)
def regnet_y_16gf() -> None:
    """RegNetY of 16 GF: 2, 4, 11, 1 blocks of 224, 448, 1232, 3024 channels; 83,590,140 parameters, 15.912 G MACs."""


@row(regnet_y_200mf, 20, 232, 115.89, 2.53, 232, (232, 696, 1392, 3712), 145_046_770, 32_279_552_832, 487)
def regnet_y_32gf() -> None:
    """RegNetY of 32 GF: 2, 5, 12, 1 blocks of 232, 696, 1392, 3712 channels; 145,046,770 parameters, 32.280 G MACs."""


@row(regnet_y_200mf, 27, 456, 160.83, 2.52, 264, (528, 1056, 2904, 7392), 644_812_894, 127_517_815_680, 679)
def regnet_y_128gf() -> None:
    """RegNetY of 128 GF, which is in no table of the paper; as in torchvision: 644,812,894 parameters.

    2, 7, 17, 1 blocks of 528, 1056, 2904, 7392 channels; 127.518 G MACs.
    """
