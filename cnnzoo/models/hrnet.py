"""HRNet: Wang et al. (2019), Deep High-Resolution Representation Learning, with its head for classification; timm's
names."""

from itertools import product
from typing import Any

from ..arch import (
    AdaptiveAvgPool2d,
    Add,
    BatchNorm2d,
    Conv2d,
    Flatten,
    From,
    Linear,
    ModuleList,
    Node,
    Outputs,
    ReLU,
    Run,
    Sequential,
    Upsample,
)
from ..registry import Paper, Pinned, register
from .blocks import conv
from .resnet import basic, bottleneck, conv3x3, stage
from .variant import variant

PAPER = Paper(
    title="Deep High-Resolution Representation Learning for Visual Recognition",
    authors=(
        "Jingdong Wang, Ke Sun, Tianheng Cheng, Borui Jiang, Chaorui Deng, Yang Zhao, Dong Liu, Yadong Mu, "
        "Mingkui Tan, Xinggang Wang, Wenyu Liu, Bin Xiao"
    ),
    year=2019,
    venue="TPAMI 2021",
    arxiv="1908.07919",
)


def fuse(widths: tuple[int, ...], source: int, target: int) -> Sequential:
    """From one resolution to another (figure 3): up by a 1x1 and nearest pixels, down by a 3x3 of stride 2 for each
    halving."""
    last = widths[target]
    if source > target:
        return Sequential(Conv2d(last, 1, bias=False), BatchNorm2d(), Upsample(scale_factor=2 ** (source - target)))
    down = [conv(widths[source], 3, ReLU(), stride=2)] * (target - source - 1)
    return Sequential(*down, Sequential(conv3x3(last, 1, stride=2), BatchNorm2d()))


def exchange(*widths: int) -> Sequential:
    """Four basic blocks at each resolution; then each becomes the sum of all, brought to its size (figure 3)."""
    places = range(len(widths))
    steps: dict[str, Any] = {f"b{place}": Run(f"branches.{place}", f"input.{place}") for place in places}
    for target, source in product(places, places):
        if source != target:
            steps[f"from{source}to{target}"] = Run(f"fuse_layers.{target}.{source}", f"b{source}")
        if source == places[-1]:
            parts = (f"b{place}" if place == target else f"from{place}to{target}" for place in places)
            steps[f"sum{target}"] = Add(*parts)
            steps[f"x{target}"] = ReLU()
    return Sequential(
        branches=ModuleList(*(stage(basic, width, 4, 1, False, 1, 1) for width in widths)),
        fuse_layers=ModuleList(
            *(
                ModuleList(**{str(source): fuse(widths, source, target) for source in places if source != target})
                for target in places
            )
        ),
        **steps,
        out=Outputs(*(f"x{place}" for place in places)),
    )


def biased(width: int, kernel: int, stride: int = 1) -> Sequential:
    return Sequential(Conv2d(width, kernel, stride=stride, padding=kernel // 2), BatchNorm2d(), ReLU())


def head(num_classes: int) -> dict[str, Node]:
    """From the highest resolution down each becomes a bottleneck's maps, to which those from above are added (figure
    12); then a 1x1 to 2048 maps."""
    widths = (32, 64, 128, 256)
    return {
        "incre_modules": ModuleList(*(Sequential(bottleneck(width, 1, True)) for width in widths)),
        "downsamp_modules": ModuleList(*(biased(4 * width, 3, stride=2) for width in widths[1:])),
        "head0": Run("incre_modules.0", "stage4.x0"),
        "head1": Run("incre_modules.1", "stage4.x1"),
        "down1": Run("downsamp_modules.0", "head0"),
        "sum1": Add("head1", "down1"),
        "head2": Run("incre_modules.2", "stage4.x2"),
        "down2": Run("downsamp_modules.1", "sum1"),
        "sum2": Add("head2", "down2"),
        "head3": Run("incre_modules.3", "stage4.x3"),
        "down3": Run("downsamp_modules.2", "sum2"),
        "sum3": Add("head3", "down3"),
        "final_layer": biased(2048, 1),
        "global_pool": AdaptiveAvgPool2d(1),
        "flatten": Flatten(),
        "classifier": Linear(num_classes),
    }


def stages(width: int) -> dict[str, tuple[int, ...]]:
    """The highest resolution of each stage, and what the head gives."""
    maps = dict.fromkeys(("stage2", "stage3", "stage4"), (width, 56, 56))
    return {"conv1": (64, 112, 112), "layer1": (256, 56, 56), **maps, "final_layer": (2048, 7, 7)}


@register(
    paper=PAPER,
    pinned=Pinned(params=21_299_004, macs=4_283_537_072, receptive_field=2847, stages=stages(18)),
)
def hrnet_w18(num_classes: int = 1000, channels: int = 18) -> Sequential:
    """HRNet-W18: up to four resolutions side by side, of 18 to 144 maps, that exchange what they know again and again.

    21,299,004 parameters, 4.284 G MACs.
    """
    one, two, three, four = (channels * 2**place for place in range(4))
    return Sequential(
        conv1=conv3x3(64, 1, stride=2),
        bn1=BatchNorm2d(),
        act1=ReLU(),
        conv2=conv3x3(64, 1, stride=2),
        bn2=BatchNorm2d(),
        act2=ReLU(),
        layer1=stage(bottleneck, 64, 4, 1, True, 1, 1),
        transition1=ModuleList(conv(one, 3, ReLU()), Sequential(conv(two, 3, ReLU(), stride=2))),
        t0=Run("transition1.0", "layer1"),
        t1=Run("transition1.1", "layer1"),
        stage2=From("t0", "t1", Sequential(exchange(one, two))),
        transition2=ModuleList(**{"2": Sequential(conv(three, 3, ReLU(), stride=2))}),
        t2=Run("transition2.2", "stage2.x1"),
        stage3=From("stage2", "t2", Sequential(*[exchange(one, two, three)] * 4)),
        transition3=ModuleList(**{"3": Sequential(conv(four, 3, ReLU(), stride=2))}),
        t3=Run("transition3.3", "stage3.x2"),
        stage4=From("stage3", "t3", Sequential(*[exchange(one, two, three, four)] * 3)),
        **head(num_classes),
    )


@variant(hrnet_w18, channels=32, params=41_232_680, macs=8_921_133_056, receptive_field=2847, stages=stages(32))
def hrnet_w32() -> None:
    """HRNet-W32: HRNet-W18 with 32 to 256 maps; 41,232,680 parameters, 8.921 G MACs."""
