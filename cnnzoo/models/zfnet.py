"""ZFNet: Zeiler and Fergus (2013), figure 3."""

from ..arch import Conv2d, LocalResponseNorm, MaxPool2d, ReLU, Sequential
from ..registry import Paper, Pinned, register
from .alexnet import classifier

PAPER = Paper(
    title="Visualizing and Understanding Convolutional Networks",
    authors="Matthew D. Zeiler, Rob Fergus",
    year=2013,
    venue="ECCV 2014",
    arxiv="1311.2901",
)


@register(
    paper=PAPER,
    pinned=Pinned(
        params=62_357_608,
        macs=1_168_032_896,
        receptive_field=171,
        stages={
            "conv1": (96, 110, 110),
            "pool1": (96, 55, 55),
            "conv2": (256, 26, 26),
            "pool2": (256, 13, 13),
            "conv3": (384, 13, 13),
            "conv4": (384, 13, 13),
            "conv5": (256, 13, 13),
            "pool5": (256, 6, 6),
            "fc6": (4096,),
            "fc7": (4096,),
            "fc8": (1000,),
        },
    ),
)
def zfnet(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """AlexNet seen through: 7x7 and stride 2 where it began with 11x11 and 4, no groups; 62,357,608 parameters.

    1.168 G MACs. The 110, 55, 26 and 13 pixels of figure 3 take one pixel of padding in the first layer and
    pooling that rounds up. The constants of its normalisation are AlexNet's, which the paper does not print.
    """
    return Sequential(
        conv1=Conv2d(96, 7, stride=2, padding=1),
        relu1=ReLU(),
        pool1=MaxPool2d(3, stride=2, ceil_mode=True),
        norm1=LocalResponseNorm(5, alpha=5e-4, k=2.0),
        conv2=Conv2d(256, 5, stride=2),
        relu2=ReLU(),
        pool2=MaxPool2d(3, stride=2, ceil_mode=True),
        norm2=LocalResponseNorm(5, alpha=5e-4, k=2.0),
        conv3=Conv2d(384, 3, padding=1),
        relu3=ReLU(),
        conv4=Conv2d(384, 3, padding=1),
        relu4=ReLU(),
        conv5=Conv2d(256, 3, padding=1),
        relu5=ReLU(),
        pool5=MaxPool2d(3, stride=2, ceil_mode=True),
        **classifier(num_classes, dropout),
    )
