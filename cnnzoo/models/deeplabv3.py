"""DeepLabv3: Chen, Papandreou, Schroff and Adam (2017), as torchvision has it."""

from ..arch import AdaptiveAvgPool2d, BatchNorm2d, Concat, Conv2d, Dropout, ReLU, Sequential, UpsampleLike
from ..registry import Paper, Pinned, register
from .fcn import dilated, segmenting
from .resnet import resnet50, resnet101

PAPER = Paper(
    title="Rethinking Atrous Convolution for Semantic Image Segmentation",
    authors="Liang-Chieh Chen, George Papandreou, Florian Schroff, Hartwig Adam",
    year=2017,
    arxiv="1706.05587",
)


def conv(kernel: int, rate: int = 1) -> Sequential:
    """A convolution to 256 maps that keeps their size, normalised and activated; its positions lie `rate` apart."""
    padding = rate * (kernel // 2)
    return Sequential(Conv2d(256, kernel, padding=padding, dilation=rate, bias=False), BatchNorm2d(), ReLU())


def pyramid(*rates: int) -> Sequential:
    """Atrous spatial pyramid pooling (figure 5): a 1x1, a 3x3 at each rate, and the mean of all positions."""
    return Sequential(
        convs=Concat(
            conv(1),
            *(conv(3, rate) for rate in rates),
            Sequential(AdaptiveAvgPool2d(1), *conv(1), out=UpsampleLike("3", "input", mode="bilinear")),
        ),
        project=Sequential(*conv(1), Dropout(0.5)),
    )


def head(num_classes: int) -> Sequential:
    """torchvision's `DeepLabHead`: the pyramid, a 3x3, and a score for each class at each position."""
    return Sequential(pyramid(12, 24, 36), *conv(3), Conv2d(num_classes, 1))


@register(
    paper=PAPER,
    pinned=Pinned(
        params=39_638_869,
        macs=31_310_548_992,
        receptive_field=1027,
        stages={
            "backbone.layer2": (512, 28, 28),
            "backbone.layer3": (1024, 28, 28),
            "backbone.layer4": (2048, 28, 28),
            "classifier.0": (256, 28, 28),
            "out": (21, 224, 224),
        },
    ),
)
def deeplabv3_resnet50(num_classes: int = 21, aux_loss: bool = False) -> Sequential:
    """torchvision's: the trunk of its `fcn_resnet50`, and a pyramid of four convolutions whose positions lie 1, 12, 24
    and 36 apart, with the mean of the image; 39,638,869 parameters, 31.311 G MACs.

    What it returns is what `fcn_resnet50` does. At 224 pixels the maps are 28x28, and most of a window that is 73 wide
    lies outside; the published weights were trained on images of 520.
    """
    return segmenting(dilated(resnet50), head(num_classes), num_classes, aux_loss)


@register(
    paper=PAPER,
    pinned=Pinned(
        params=58_630_997, macs=46_159_433_728, receptive_field=1571, stages=deeplabv3_resnet50.pinned.stages
    ),
)
def deeplabv3_resnet101(num_classes: int = 21, aux_loss: bool = False) -> Sequential:
    """torchvision's: `deeplabv3_resnet50` on ResNet-101; 58,630,997 parameters, 46.159 G MACs."""
    return segmenting(dilated(resnet101), head(num_classes), num_classes, aux_loss)
