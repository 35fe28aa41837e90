"""Darknet: Redmon and Farhadi, YOLO9000 (2016), table 6, and YOLOv3 (2018), table 1; Wang et al., CSPNet (2019).

The names of Darknet-19 are pytorchcv's, of the others timm's.
"""

from itertools import product

from ..arch import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Chunk,
    Concat,
    Conv2d,
    Flatten,
    Inline,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Node,
    Residual,
    Sequential,
)
from ..registry import Paper, Pinned, register
from .stages import Depth, read_depth

YOLO9000 = Paper(
    title="YOLO9000: Better, Faster, Stronger",
    authors="Joseph Redmon, Ali Farhadi",
    year=2016,
    venue="CVPR 2017",
    arxiv="1612.08242",
)
YOLOV3 = Paper(
    title="YOLOv3: An Incremental Improvement", authors="Joseph Redmon, Ali Farhadi", year=2018, arxiv="1804.02767"
)
CSPNET = Paper(
    title="CSPNet: A New Backbone that can Enhance Learning Capability of CNN",
    authors="Chien-Yao Wang, Hong-Yuan Mark Liao, I-Hau Yeh, Yueh-Hua Wu, Ping-Yang Chen, Jun-Wei Hsieh",
    year=2019,
    venue="CVPR Workshops 2020",
    arxiv="1911.11929",
)


def conv(channels: int, kernel: int, slope: float, stride: int = 1) -> Sequential:
    """A convolution that keeps the size, or half of it, normalised, then x where that is positive and `slope` times x
    elsewhere."""
    return Sequential(
        conv=Conv2d(channels, kernel, stride=stride, padding=kernel // 2, bias=False),
        bn=BatchNorm2d(),
        activ=LeakyReLU(slope),
    )


DARKNET19 = (1, 1, 3, 3, 5, 5)
"""Table 6 of YOLO9000: the convolutions between two poolings."""

DARKNET53 = (1, 2, 8, 8, 4)
"""Table 1 of YOLOv3: the residual blocks of each resolution."""


def stage(width: int, count: int, slope: float) -> dict[str, Node]:
    """3x3 convolutions of `width` maps, and between them 1x1 convolutions to half as many, `count` in all."""
    return {
        f"unit{number}": conv(width, 3, slope) if number % 2 else conv(width // 2, 1, slope)
        for number in range(1, count + 1)
    }


@register(
    paper=YOLO9000,
    knobs={"width": range(8, 65, 8), "depth": tuple(product((1,), (1,), (1, 3), (1, 3, 5), (3, 5, 7), (3, 5, 7)))},
    pinned=Pinned(
        params=20_842_376,
        macs=2_790_989_824,
        receptive_field=374,
        stages={
            "features.stage1.unit1": (32, 224, 224),
            "features.stage2.unit1": (64, 112, 112),
            "features.stage3.unit3": (128, 56, 56),
            "features.stage4.unit3": (256, 28, 28),
            "features.stage5.unit5": (512, 14, 14),
            "features.stage6.unit5": (1024, 7, 7),
            "output.final_conv": (1000, 7, 7),
        },
    ),
)
def darknet19(
    num_classes: int = 1000, width: int = 32, depth: Depth = DARKNET19, negative_slope: float = 0.1
) -> Sequential:
    """Darknet-19, which YOLOv2 begins from: 3x3 convolutions, 1x1 reductions between them, and five poolings.

    20,842,376 parameters, 2.791 G MACs.
    """
    counts = read_depth(depth, 6)
    stages = {
        f"stage{number}": Sequential(
            **stage(width * 2 ** (number - 1), count, negative_slope),
            **({f"pool{number}": MaxPool2d(2)} if number < len(counts) else {}),
        )
        for number, count in enumerate(counts, 1)
    }
    return Sequential(
        features=Sequential(**stages),
        output=Sequential(final_conv=Conv2d(num_classes, 1), final_pool=AdaptiveAvgPool2d(1)),
        flatten=Flatten(),
    )


def block(reduced: int, width: int, slope: float) -> Residual:
    """1x1, 3x3 (table 1 of YOLOv3); nothing follows the sum."""
    return Residual(conv1=conv(reduced, 1, slope), conv2=conv(width, 3, slope))


def stages(width: int, counts: tuple[int, ...], slope: float) -> Sequential:
    """Of each resolution a 3x3 of stride 2 to twice the maps, and so many blocks; `width` maps enter."""
    return Sequential(
        *(
            Sequential(
                conv_down=conv(width * 2**number, 3, slope, stride=2),
                blocks=Sequential(*[block(width * 2 ** (number - 1), width * 2**number, slope)] * count),
            )
            for number, count in enumerate(counts, 1)
        )
    )


def head(num_classes: int) -> Sequential:
    return Sequential(global_pool=AdaptiveAvgPool2d(1), flatten=Flatten(), fc=Linear(num_classes))


KNOBS = {"width": range(8, 65, 8), "depth": tuple(product((1, 2), (1, 2, 3), (2, 4, 6, 8), (2, 4, 6, 8), (1, 2, 4)))}

STAGES = {
    "stem": (32, 256, 256),
    "stages.0": (64, 128, 128),
    "stages.1": (128, 64, 64),
    "stages.2": (256, 32, 32),
    "stages.3": (512, 16, 16),
    "stages.4": (1024, 8, 8),
}
"""Table 1 of YOLOv3: the output of each row of blocks."""


@register(
    paper=YOLOV3,
    input_size=(3, 256, 256),
    knobs=KNOBS,
    pinned=Pinned(params=41_609_928, macs=9_285_115_904, receptive_field=725, stages=STAGES),
)
def darknet53(
    num_classes: int = 1000, width: int = 32, depth: Depth = DARKNET53, negative_slope: float = 0.1
) -> Sequential:
    """Darknet-53, which YOLOv3 begins from: residual blocks of 1x1 and 3x3, and convolutions of stride 2 for poolings.

    41,609,928 parameters, 9.285 G MACs. timm's activations have slope 0.01 where x is negative, Darknet's 0.1.
    """
    return Sequential(
        stem=Sequential(conv1=conv(width, 3, negative_slope)),
        stages=stages(width, read_depth(depth, 5), negative_slope),
        head=head(num_classes),
    )


def cross_stage(width: int, count: int, slope: float, first: bool) -> Sequential:
    """Half of the maps go around the residual blocks, half through them and a transition; a second transition reads
    both (figure 3 b). The halves have `width` maps in the first stage, whose blocks reduce them as Darknet-53's do, and
    half as many in the others, whose blocks do not."""
    half = width if first else width // 2
    return Sequential(
        conv_down=conv(width, 3, slope, stride=2),
        conv_exp=conv(2 * half, 1, slope),
        cross=Inline(
            Concat,
            around=Chunk(2, 0),
            conv_transition_b=Inline(
                Sequential,
                through=Chunk(2, 1),
                blocks=Sequential(*[block(width // 2, half, slope)] * count),
                conv_transition_b=conv(half, 1, slope),
            ),
        ),
        conv_transition=conv(width, 1, slope),
    )


@register(
    paper=CSPNET,
    input_size=(3, 256, 256),
    knobs=KNOBS,
    pinned=Pinned(params=27_642_184, macs=6_533_652_480, receptive_field=725, stages=STAGES),
)
def cspdarknet53(
    num_classes: int = 1000, width: int = 32, depth: Depth = DARKNET53, negative_slope: float = 0.1
) -> Sequential:
    """Darknet-53 of cross stage partial blocks, which YOLOv4 begins from: half of the maps go around each stage.

    27,642,184 parameters, 6.534 G MACs for the 41,609,928 and 9.285 G of `darknet53`. As in the authors' classifier
    activations are leaky; YOLOv4's are Mish (Bochkovskiy et al., 2020, section 3.4). timm's have slope 0.01 where x is
    negative, Darknet's 0.1.
    """
    return Sequential(
        stem=Sequential(conv1=conv(width, 3, negative_slope)),
        stages=Sequential(
            *(
                cross_stage(width * 2**number, count, negative_slope, first=number == 1)
                for number, count in enumerate(read_depth(depth, 5), 1)
            )
        ),
        head=head(num_classes),
    )
