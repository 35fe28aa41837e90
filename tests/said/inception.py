"""torchvision's Inception v3: Szegedy et al. (2015), table 1 and figures 5 to 10."""

from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Aux,
    AvgPool2d,
    BatchNorm2d,
    Cat,
    Conv2d,
    Dropout,
    Flatten,
    From,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
)


def basic(channels: int, kernel: int | tuple[int, int], **settings: object) -> Sequential:
    return Sequential(
        conv=Conv2d(channels, kernel, bias=False, **settings),
        bn=BatchNorm2d(eps=0.001),
        relu=ReLU(),
    )


def wide(channels: int, length: int) -> Sequential:
    """1xn, of the same size."""
    return basic(channels, (1, length), padding=(0, length // 2))


def tall(channels: int, length: int) -> Sequential:
    """nx1, of the same size."""
    return basic(channels, (length, 1), padding=(length // 2, 0))


def inception_a(pool: int) -> Sequential:
    """Figure 5: two 3x3 in place of a 5x5; torchvision has the 5x5, too, where the figure has a 3x3."""
    return Sequential(
        branch1x1=basic(64, 1),
        branch5x5_1=From("input", basic(48, 1)),
        branch5x5_2=basic(64, 5, padding=2),
        branch3x3dbl_1=From("input", basic(64, 1)),
        branch3x3dbl_2=basic(96, 3, padding=1),
        branch3x3dbl_3=basic(96, 3, padding=1),
        pool=From("input", AvgPool2d(3, stride=1, padding=1)),
        branch_pool=basic(pool, 1),
        out=Cat("branch1x1", "branch5x5_2", "branch3x3dbl_3", "branch_pool"),
    )


def inception_b() -> Sequential:
    """Figure 10: convolutions of stride 2 beside a pooling of stride 2."""
    return Sequential(
        branch3x3=basic(384, 3, stride=2),
        branch3x3dbl_1=From("input", basic(64, 1)),
        branch3x3dbl_2=basic(96, 3, padding=1),
        branch3x3dbl_3=basic(96, 3, stride=2),
        branch_pool=From("input", MaxPool2d(3, stride=2)),
        out=Cat("branch3x3", "branch3x3dbl_3", "branch_pool"),
    )


def inception_c(c7: int) -> Sequential:
    """Figure 6, n = 7: a 7x7 as a 1x7 and a 7x1."""
    return Sequential(
        branch1x1=basic(192, 1),
        branch7x7_1=From("input", basic(c7, 1)),
        branch7x7_2=wide(c7, 7),
        branch7x7_3=tall(192, 7),
        branch7x7dbl_1=From("input", basic(c7, 1)),
        branch7x7dbl_2=tall(c7, 7),
        branch7x7dbl_3=wide(c7, 7),
        branch7x7dbl_4=tall(c7, 7),
        branch7x7dbl_5=wide(192, 7),
        pool=From("input", AvgPool2d(3, stride=1, padding=1)),
        branch_pool=basic(192, 1),
        out=Cat("branch1x1", "branch7x7_3", "branch7x7dbl_5", "branch_pool"),
    )


def inception_d() -> Sequential:
    """As figure 10, from 17x17 to 8x8."""
    return Sequential(
        branch3x3_1=basic(192, 1),
        branch3x3_2=basic(320, 3, stride=2),
        branch7x7x3_1=From("input", basic(192, 1)),
        branch7x7x3_2=wide(192, 7),
        branch7x7x3_3=tall(192, 7),
        branch7x7x3_4=basic(192, 3, stride=2),
        branch_pool=From("input", MaxPool2d(3, stride=2)),
        out=Cat("branch3x3_2", "branch7x7x3_4", "branch_pool"),
    )


def inception_e() -> Sequential:
    """Figure 7: a 3x3 as a 1x3 beside a 3x1."""
    return Sequential(
        branch1x1=basic(320, 1),
        branch3x3_1=From("input", basic(384, 1)),
        branch3x3_2a=wide(384, 3),
        branch3x3_2b=From("branch3x3_1", tall(384, 3)),
        branch3x3dbl_1=From("input", basic(448, 1)),
        branch3x3dbl_2=basic(384, 3, padding=1),
        branch3x3dbl_3a=wide(384, 3),
        branch3x3dbl_3b=From("branch3x3dbl_2", tall(384, 3)),
        pool=From("input", AvgPool2d(3, stride=1, padding=1)),
        branch_pool=basic(192, 1),
        out=Cat("branch1x1", "branch3x3_2a", "branch3x3_2b", "branch3x3dbl_3a", "branch3x3dbl_3b", "branch_pool"),
    )


def inception_v3(num_classes: int = 1000, aux_logits: bool = True) -> Sequential:
    """Without its head, which needs 299 pixels, it takes 75."""
    return Sequential(
        Conv2d_1a_3x3=basic(32, 3, stride=2),
        Conv2d_2a_3x3=basic(32, 3),
        Conv2d_2b_3x3=basic(64, 3, padding=1),
        maxpool1=MaxPool2d(3, stride=2),
        Conv2d_3b_1x1=basic(80, 1),
        Conv2d_4a_3x3=basic(192, 3),
        maxpool2=MaxPool2d(3, stride=2),
        Mixed_5b=inception_a(32),
        Mixed_5c=inception_a(64),
        Mixed_5d=inception_a(64),
        Mixed_6a=inception_b(),
        Mixed_6b=inception_c(128),
        Mixed_6c=inception_c(160),
        Mixed_6d=inception_c(160),
        Mixed_6e=inception_c(192),
        AuxLogits=Aux(
            "Mixed_6e",
            pool=AvgPool2d(5, stride=3),
            conv0=basic(128, 1),
            conv1=basic(768, 5),
            avgpool=AdaptiveAvgPool2d(1),
            flatten=Flatten(),
            fc=Linear(num_classes),
        )
        if aux_logits
        else None,
        Mixed_7a=inception_d(),
        Mixed_7b=inception_e(),
        Mixed_7c=inception_e(),
        avgpool=AdaptiveAvgPool2d(1),
        dropout=Dropout(0.5),
        flatten=Flatten(),
        fc=Linear(num_classes),
    )
