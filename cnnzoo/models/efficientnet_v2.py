"""EfficientNetV2: Tan and Le (2021), table 4; torchvision's names."""

from collections.abc import Iterable
from itertools import count
from typing import TypeAlias

from ..arch import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Dropout,
    Flatten,
    Linear,
    Node,
    Residual,
    Sequential,
    SiLU,
    StochasticDepth,
)
from ..registry import Paper, Pinned, register
from .blocks import conv
from .efficientnet import mbconv
from .variant import variant

PAPER = Paper(
    title="EfficientNetV2: Smaller Models and Faster Training",
    authors="Mingxing Tan, Quoc V. Le",
    year=2021,
    venue="ICML 2021",
    arxiv="2104.00298",
)

Rows: TypeAlias = tuple[tuple[bool, int, int, int, int], ...]
"""A table's rows: whether the blocks are fused, their expansion, the stride of the first, channels, layers."""

NORM = BatchNorm2d(eps=0.001)


def fused_mbconv(into: int, expansion: int, channels: int, s: int, p: float) -> Node:
    """Figure 2, right: a full 3x3 in the place of the 1x1 that widens and the depthwise 3x3; no gate."""
    wide = conv(expansion * into, 3, SiLU(), stride=s, norm=NORM)
    body = Sequential(wide, conv(channels, 1, norm=NORM) if expansion > 1 else None)
    if into == channels and s == 1:
        return Residual(block=body, stochastic_depth=StochasticDepth(p, "row"))
    return Sequential(block=body)


S: Rows = (
    (True, 1, 1, 24, 2),
    (True, 4, 2, 48, 4),
    (True, 4, 2, 64, 4),
    (False, 4, 2, 128, 6),
    (False, 6, 1, 160, 9),
    (False, 6, 2, 256, 15),
)
"""Table 4."""

M: Rows = (
    (True, 1, 1, 24, 3),
    (True, 4, 2, 48, 5),
    (True, 4, 2, 80, 5),
    (False, 4, 2, 160, 7),
    (False, 6, 1, 176, 14),
    (False, 6, 2, 304, 18),
    (False, 6, 1, 512, 5),
)
L: Rows = (
    (True, 1, 1, 32, 4),
    (True, 4, 2, 64, 7),
    (True, 4, 2, 96, 7),
    (False, 4, 2, 192, 10),
    (False, 6, 1, 224, 19),
    (False, 6, 2, 384, 25),
    (False, 6, 1, 640, 7),
)
"""M and L as in the authors' code, which the paper leaves to it."""


def stages(side: int, rows: Iterable[tuple[bool, int, int, int, int]]) -> dict[str, tuple[int, ...]]:
    """What each stage gives for images of so many pixels a side, a multiple of 32."""
    channels = [(channels, stride) for _, _, stride, channels, _ in rows]
    found: dict[str, tuple[int, ...]] = {}
    for number, (each, stride) in enumerate([(channels[0][0], 2), *channels, (1280, 1)]):
        side //= stride
        found[f"features.{number}"] = (each, side, side)
    return found


@register(
    paper=PAPER,
    input_size=(3, 384, 384),
    pinned=Pinned(params=21_458_488, macs=8_365_617_152, receptive_field=1487, stages=stages(384, S)),
)
def efficientnet_v2_s(
    num_classes: int = 1000, dropout: float = 0.2, stochastic_depth_prob: float = 0.2, rows: Rows = S
) -> Sequential:
    """Fused blocks in the first three stages, as torchvision, for 384 pixels: 21,458,488 parameters, 8.366 G MACs."""
    into = rows[0][3]
    features: list[Node] = [conv(into, 3, SiLU(), stride=2, norm=NORM)]
    number, blocks = count(), sum(layers for *_, layers in rows)
    for fused, expansion, stride, channels, layers in rows:
        stage: list[Node] = []
        for s in (stride, *[1] * (layers - 1)):
            p = stochastic_depth_prob * next(number) / blocks
            if fused:
                stage.append(fused_mbconv(into, expansion, channels, s, p))
            else:
                stage.append(mbconv(into, expansion, 3, channels, s, p, NORM))
            into = channels
        features.append(Sequential(*stage))
    return Sequential(
        features=Sequential(*features, conv(1280, 1, SiLU(), norm=NORM)),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        classifier=Sequential(Dropout(dropout), Linear(num_classes)),
    )


@variant(
    efficientnet_v2_s,
    dropout=0.3,
    rows=M,
    input_size=(3, 480, 480),
    params=54_139_356,
    macs=24_582_460_384,
    receptive_field=2219,
    stages=stages(480, M),
)
def efficientnet_v2_m() -> None:
    """Deeper and wider, as torchvision, for 480 pixels: 54,139,356 parameters, 24.582 G MACs."""


@variant(
    efficientnet_v2_s,
    dropout=0.4,
    rows=L,
    input_size=(3, 480, 480),
    params=118_515_272,
    macs=56_079_699_008,
    receptive_field=3103,
    stages=stages(480, L),
)
def efficientnet_v2_l() -> None:
    """The largest, as torchvision, for 480 pixels: 118,515,272 parameters, 56.080 G MACs."""
