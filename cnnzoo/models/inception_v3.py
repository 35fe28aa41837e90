"""Inception v3: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna (2015), table 1 and figures 5 to 10; torchvision's names.

Table 1 is the paper's v2; v3 adds batch normalisation to the auxiliary head (section 8). As in the authors' released
network and in torchvision, the first modules have a 5x5 where figure 5 has a single 3x3 on that branch.
"""

from ..arch import (
    AdaptiveAvgPool2d,
    Aux,
    AvgPool2d,
    Concat,
    Dropout,
    Flatten,
    Inline,
    Linear,
    MaxPool2d,
    Node,
    Sequential,
)
from ..registry import Paper, Pinned, register
from .googlenet import TRANSFORM_INPUT, conv_bn

PAPER = Paper(
    title="Rethinking the Inception Architecture for Computer Vision",
    authors="Christian Szegedy, Vincent Vanhoucke, Sergey Ioffe, Jonathon Shlens, Zbigniew Wojna",
    year=2015,
    venue="CVPR 2016",
    arxiv="1512.00567",
)


def wide(channels: int, length: int) -> Sequential:
    """1xn, of the same size."""
    return conv_bn(channels, (1, length), padding=(0, length // 2))


def tall(channels: int, length: int) -> Sequential:
    """nx1, of the same size."""
    return conv_bn(channels, (length, 1), padding=(length // 2, 0))


def row(**layers: Node) -> Inline:
    """Layers in a row, which stand side by side with those of other branches."""
    return Inline(Sequential, **layers)


def pooled(channels: int) -> Inline:
    return row(pool=AvgPool2d(3, stride=1, padding=1), branch_pool=conv_bn(channels, 1))


def side_by_side(**branches: Node) -> Sequential:
    return Sequential(out=Inline(Concat, **branches))


def inception_a(pool: int) -> Sequential:
    """Figure 5: two 3x3 in place of a 5x5, beside a 5x5."""
    return side_by_side(
        branch1x1=conv_bn(64, 1),
        branch5x5_2=row(branch5x5_1=conv_bn(48, 1), branch5x5_2=conv_bn(64, 5, padding=2)),
        branch3x3dbl_3=row(
            branch3x3dbl_1=conv_bn(64, 1),
            branch3x3dbl_2=conv_bn(96, 3, padding=1),
            branch3x3dbl_3=conv_bn(96, 3, padding=1),
        ),
        branch_pool=pooled(pool),
    )


def inception_b() -> Sequential:
    """Figure 10: convolutions of stride 2 beside a pooling of stride 2, from 35x35 to 17x17."""
    return side_by_side(
        branch3x3=conv_bn(384, 3, stride=2),
        branch3x3dbl_3=row(
            branch3x3dbl_1=conv_bn(64, 1),
            branch3x3dbl_2=conv_bn(96, 3, padding=1),
            branch3x3dbl_3=conv_bn(96, 3, stride=2),
        ),
        branch_pool=MaxPool2d(3, stride=2),
    )


def inception_c(c7: int) -> Sequential:
    """Figure 6, n = 7: a 7x7 as a 1x7 and a 7x1, and two of them."""
    return side_by_side(
        branch1x1=conv_bn(192, 1),
        branch7x7_3=row(branch7x7_1=conv_bn(c7, 1), branch7x7_2=wide(c7, 7), branch7x7_3=tall(192, 7)),
        branch7x7dbl_5=row(
            branch7x7dbl_1=conv_bn(c7, 1),
            branch7x7dbl_2=tall(c7, 7),
            branch7x7dbl_3=wide(c7, 7),
            branch7x7dbl_4=tall(c7, 7),
            branch7x7dbl_5=wide(192, 7),
        ),
        branch_pool=pooled(192),
    )


def inception_d() -> Sequential:
    """As figure 10, from 17x17 to 8x8, with a 7x7 as a 1x7 and a 7x1."""
    return side_by_side(
        branch3x3_2=row(branch3x3_1=conv_bn(192, 1), branch3x3_2=conv_bn(320, 3, stride=2)),
        branch7x7x3_4=row(
            branch7x7x3_1=conv_bn(192, 1),
            branch7x7x3_2=wide(192, 7),
            branch7x7x3_3=tall(192, 7),
            branch7x7x3_4=conv_bn(192, 3, stride=2),
        ),
        branch_pool=MaxPool2d(3, stride=2),
    )


def split(name: str, channels: int) -> Inline:
    """A 1x3 beside a 3x1 that read the same."""
    return Inline(Concat, **{f"{name}a": wide(channels, 3), f"{name}b": tall(channels, 3)})


def inception_e() -> Sequential:
    """Figure 7: a 3x3 as a 1x3 beside a 3x1."""
    return side_by_side(
        branch1x1=conv_bn(320, 1),
        branch3x3=row(branch3x3_1=conv_bn(384, 1), branch3x3=split("branch3x3_2", 384)),
        branch3x3dbl=row(
            branch3x3dbl_1=conv_bn(448, 1),
            branch3x3dbl_2=conv_bn(384, 3, padding=1),
            branch3x3dbl=split("branch3x3dbl_3", 384),
        ),
        branch_pool=pooled(192),
    )


def head(num_classes: int) -> Aux:
    """Section 4, figure 8: on the last module of 17x17, average pooling 5x5/3, a 1x1, a 5x5 on what is left, a
    classifier."""
    return Aux(
        "Mixed_6e",
        pool=AvgPool2d(5, stride=3),
        conv0=conv_bn(128, 1),
        conv1=conv_bn(768, 5),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        fc=Linear(num_classes),
    )


STAGES = {
    "Conv2d_1a_3x3": (32, 149, 149),
    "Conv2d_2a_3x3": (32, 147, 147),
    "Conv2d_2b_3x3": (64, 147, 147),
    "maxpool1": (64, 73, 73),
    "Conv2d_4a_3x3": (192, 71, 71),
    "maxpool2": (192, 35, 35),
    "Mixed_5d": (288, 35, 35),
    "Mixed_6a": (768, 17, 17),
    "Mixed_6e": (768, 17, 17),
    "Mixed_7a": (1280, 8, 8),
    "Mixed_7c": (2048, 8, 8),
    "fc": (1000,),
}


@register(
    paper=PAPER,
    input_size=(3, 299, 299),
    outputs={"AuxLogits": "aux_logits"},
    pinned=Pinned(params=23_834_568, macs=5_713_216_096, receptive_field=1311, stages=STAGES, aux_params=3_326_696),
)
def inception_v3(
    num_classes: int = 1000, dropout: float = 0.5, aux_logits: bool = True, transform_input: bool = False
) -> Sequential:
    """Inception v3 as its authors released it and torchvision has it: 23,834,568 parameters, 5.713 G MACs at 299.

    The auxiliary head has 3,326,696 parameters more and exists in training only (`aux_logits=False` leaves it out: the
    network then takes images from 75 pixels on). The published weights come from TensorFlow and expect an input in
    [-1, 1]: `transform_input`, which goes with them, converts one that is normalised by ImageNet's mean and deviation.
    """
    return Sequential(
        transform_input=TRANSFORM_INPUT if transform_input else None,
        Conv2d_1a_3x3=conv_bn(32, 3, stride=2),
        Conv2d_2a_3x3=conv_bn(32, 3),
        Conv2d_2b_3x3=conv_bn(64, 3, padding=1),
        maxpool1=MaxPool2d(3, stride=2),
        Conv2d_3b_1x1=conv_bn(80, 1),
        Conv2d_4a_3x3=conv_bn(192, 3),
        maxpool2=MaxPool2d(3, stride=2),
        Mixed_5b=inception_a(32),
        Mixed_5c=inception_a(64),
        Mixed_5d=inception_a(64),
        Mixed_6a=inception_b(),
        Mixed_6b=inception_c(128),
        Mixed_6c=inception_c(160),
        Mixed_6d=inception_c(160),
        Mixed_6e=inception_c(192),
        AuxLogits=head(num_classes) if aux_logits else None,
        Mixed_7a=inception_d(),
        Mixed_7b=inception_e(),
        Mixed_7c=inception_e(),
        avgpool=AdaptiveAvgPool2d(1),
        dropout=Dropout(dropout),
        flatten=Flatten(),
        fc=Linear(num_classes),
    )
