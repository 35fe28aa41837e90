"""LeNet-5: LeCun, Bottou, Bengio and Haffner (1998), and what is called LeNet today."""

from ..arch import (
    RBF,
    AvgPool2d,
    Conv2d,
    Flatten,
    Layer,
    Linear,
    ScaledTanh,
    Sequential,
    Sigmoid,
    Subsampling2d,
    TableConv2d,
    Tanh,
)
from ..registry import Paper, Pinned, register

PAPER = Paper(
    title="Gradient-Based Learning Applied to Document Recognition",
    authors="Yann LeCun, Léon Bottou, Yoshua Bengio, Patrick Haffner",
    year=1998,
    venue="Proceedings of the IEEE 1998",
    doi="10.1109/5.726791",
)
TEXTBOOK = Paper(
    title="Dive into Deep Learning",
    authors="Aston Zhang, Zachary C. Lipton, Mu Li, Alexander J. Smola",
    year=2021,
    arxiv="2106.11342",
)

TABLE_I = (
    (0, 1, 2),
    (1, 2, 3),
    (2, 3, 4),
    (3, 4, 5),
    (0, 4, 5),
    (0, 1, 5),
    (0, 1, 2, 3),
    (1, 2, 3, 4),
    (2, 3, 4, 5),
    (0, 3, 4, 5),
    (0, 1, 4, 5),
    (0, 1, 2, 5),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)
"""Table I: the maps of S2 that each of the 16 maps of C3 reads."""


@register(
    paper=PAPER,
    input_size=(1, 32, 32),
    pinned=Pinned(
        params=60_000,
        macs=325_680,
        receptive_field=32,
        stages={
            "c1": (6, 28, 28),
            "s2": (6, 14, 14),
            "c3": (16, 10, 10),
            "s4": (16, 5, 5),
            "c5": (120, 1, 1),
            "f6": (84,),
            "output": (10,),
        },
    ),
)
def lenet5(num_classes: int = 10) -> Sequential:
    """LeNet-5 of section II.B, to the letter: the 60,000 parameters and 340,908 connections of section II.A.

    C3 reads S2 by table I (1,516 parameters; read in full it would have 2,416), subsampling has a
    trainable coefficient and bias a map, every layer up to F6 ends in 1.7159 tanh(2x/3), and the output
    is the squared distance to fixed centres, so the least one is the class. `lenet5_modern` is what
    textbooks call LeNet.
    """
    return Sequential(
        c1=Conv2d(6, 5),
        tanh1=ScaledTanh(),
        s2=Subsampling2d(2),
        tanh2=ScaledTanh(),
        c3=TableConv2d(TABLE_I, 5),
        tanh3=ScaledTanh(),
        s4=Subsampling2d(2),
        tanh4=ScaledTanh(),
        c5=Conv2d(120, 5),
        tanh5=ScaledTanh(),
        flatten=Flatten(),
        f6=Linear(84),
        tanh6=ScaledTanh(),
        output=RBF(num_classes),
    )


def modern(num_classes: int, activation: type[Layer]) -> Sequential:
    """Two convolutions, each averaged over 2x2, and three linear layers."""

    def activated(number: int) -> dict[str, Layer]:
        return {f"{activation.__name__.lower()}{number}": activation()}

    return Sequential(
        conv1=Conv2d(6, 5, padding=2),
        **activated(1),
        pool1=AvgPool2d(2),
        conv2=Conv2d(16, 5),
        **activated(2),
        pool2=AvgPool2d(2),
        flatten=Flatten(),
        fc1=Linear(120),
        **activated(3),
        fc2=Linear(84),
        **activated(4),
        fc3=Linear(num_classes),
    )


STAGES = {
    "conv1": (6, 28, 28),
    "pool1": (6, 14, 14),
    "conv2": (16, 10, 10),
    "pool2": (16, 5, 5),
    "fc1": (120,),
    "fc2": (84,),
    "fc3": (10,),
}


@register(
    paper=PAPER,
    input_size=(1, 28, 28),
    pinned=Pinned(params=61_706, macs=416_520, receptive_field=16, stages=STAGES),
)
def lenet5_modern(num_classes: int = 10) -> Sequential:
    """What is called LeNet today, on 28x28 digits: 61,706 parameters, 1,706 more than the paper's.

    conv2 reads all six maps (2,416 parameters for 1,516), pooling has no parameters (44 fewer), the
    output is linear (850 more). tanh and average pooling are kept; the padding of conv1 makes up for
    the smaller input.
    """
    return modern(num_classes, Tanh)


@register(
    paper=TEXTBOOK,
    input_size=(1, 28, 28),
    pinned=Pinned(params=61_706, macs=416_520, receptive_field=16, stages=STAGES),
)
def lenet5_sigmoid(num_classes: int = 10) -> Sequential:
    """LeNet as the textbook has it in section 7.6: `lenet5_modern` with sigmoids, of the same 61,706 parameters."""
    return modern(num_classes, Sigmoid)
