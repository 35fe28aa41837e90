"""Res2Net: Gao, Cheng, Zhao, Zhang, Yang and Torr (2019), section 3; timm's names."""

from ..arch import Add, AvgPool2d, BatchNorm2d, Cat, Chunk, Conv2d, From, ModuleList, Node, ReLU, Run, Sequential
from ..registry import Paper, Pinned, register
from .resnet import BLOCKS, Dilate, conv3x3, resnet, shortcut_path, stages
from .resnext import KNOBS as RESNEXT
from .stages import Depth

PAPER = Paper(
    title="Res2Net: A New Multi-scale Backbone Architecture",
    authors="Shang-Hua Gao, Ming-Ming Cheng, Kai Zhao, Xin-Yu Zhang, Ming-Hsuan Yang, Philip Torr",
    year=2019,
    venue="TPAMI 2021",
    arxiv="1904.01169",
)


def bottle2neck(
    width: int, stride: int, project: bool, before: int = 1, after: int = 1, base_width: int = 26, scale: int = 4
) -> Sequential:
    """A bottleneck whose 3x3 is a 3x3 for each of `scale` parts of the maps but the last: each reads its part, and adds
    to it what the part before became (figure 2b). Where a stage begins each reads its own part alone, and the last
    part is pooled.

    A part has `base_width` maps where `width` is 64.
    """
    each = width * base_width // 64
    convs = ModuleList(*[conv3x3(each, before, stride)] * (scale - 1))
    parts: dict[str, Node | From] = {}
    for part in range(scale - 1):
        parts[f"part{part}"] = From("relu1", Chunk(scale, part))
        if part and not project:
            parts[f"sum{part}"] = Add(f"group{part - 1}", f"part{part}")
        parts[f"conv3x3_{part}"] = Run(f"convs.{part}")
        parts[f"norm{part}"] = Run(f"bns.{part}")
        parts[f"group{part}"] = ReLU()
    return Sequential(
        conv1=Conv2d(scale * each, 1, bias=False),
        bn1=BatchNorm2d(),
        relu1=ReLU(),
        convs=convs,
        bns=ModuleList(*[BatchNorm2d()] * (scale - 1)),
        **parts,
        last=From("relu1", Chunk(scale, scale - 1)),
        pool=AvgPool2d(3, stride=stride, padding=1) if project else None,
        groups=Cat(*(f"group{part}" for part in range(scale - 1)), "pool" if project else "last"),
        conv3=Conv2d(4 * width, 1, bias=False),
        bn3=BatchNorm2d(),
        downsample=From("input", shortcut_path("B", 4 * width, stride, project)) if project else None,
        sum=Add("bn3", "downsample" if project else "input"),
        relu=ReLU(),
    )


@register(
    paper=PAPER,
    knobs={"base_width": (14, 18, 26, 48), "scale": (2, 4, 6, 8), "depth": RESNEXT["depth"]},
    pinned=Pinned(params=25_699_120, macs=4_255_166_464, receptive_field=1131, stages=stages(4)),
)
def res2net50_26w_4s(
    num_classes: int = 1000,
    base_width: int = 26,
    scale: int = 4,
    width: int = 64,
    depth: Depth = BLOCKS[50],
    output_stride: int = 32,
    replace_stride_with_dilation: Dilate = None,
) -> Sequential:
    """Res2Net-50 of 4 scales of 26 maps, doubled at every stage: 25,699,120 parameters, 4.255 G MACs.

    142,088 parameters more than `resnet50`, whose MACs are 4.089 G; 1131 pixels seen for its 427, since the third 3x3
    of a block reads what the two before it made.
    """
    return resnet(
        bottle2neck,
        num_classes,
        width,
        depth,
        output_stride,
        replace_stride_with_dilation,
        base_width=base_width,
        scale=scale,
    )
