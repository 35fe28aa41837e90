"""The networks of MLPerf Tiny: Banbury et al. (2021), table 1, as the Keras models of its reference code have them."""

from ..arch import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    ReLU,
    Residual,
    SamePad2d,
    Sequential,
)
from ..registry import Paper, Pinned, register

PAPER = Paper(
    title="MLPerf Tiny Benchmark",
    authors=(
        "Colby Banbury, Vijay Janapa Reddi, Peter Torelli, Jeremy Holleman, Nat Jeffries, Csaba Kiraly, "
        "Pietro Montino, David Kanter, Sebastian Ahmed, Danilo Pau, et al."
    ),
    year=2021,
    venue="NeurIPS Datasets and Benchmarks 2021",
    arxiv="2106.07597",
)

NORM = BatchNorm2d(eps=0.001, momentum=0.01)
"""Keras's settings; its momentum is what torch's leaves."""


def conv(
    channels: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    groups: int = 1,
    activation: Layer | None = ReLU(),  # noqa: B008 - a value
) -> Sequential:
    """A convolution with a bias and Keras's padding "same", normalised and activated."""
    return Sequential(
        pad=SamePad2d(kernel, stride) if kernel != 1 else None,
        conv=Conv2d(channels, kernel, stride=stride, groups=groups),
        bn=NORM,
        act=activation,
    )


def basic(channels: int, stride: int = 1) -> Residual:
    """Two 3x3; the projection, where there is a stride, is without a normalisation."""
    return Residual(
        conv1=conv(channels, 3, stride),
        conv2=conv(channels, 3, activation=None),
        downsample=Conv2d(channels, 1, stride=stride) if stride > 1 else None,
        act=ReLU(),
    )


def separable(into: int, channels: int, stride: int = 1) -> Sequential:
    """A depthwise 3x3, which has the stride, and a 1x1."""
    return Sequential(depthwise=conv(into, 3, stride, groups=into), pointwise=conv(channels, 1))


@register(
    paper=PAPER,
    input_size=(3, 32, 32),
    pinned=Pinned(
        params=78_186,
        macs=12_501_632,
        receptive_field=25,
        stages={"conv1": (16, 32, 32), "block1": (16, 32, 32), "block2": (32, 16, 16), "block3": (64, 8, 8)},
    ),
)
def tiny_resnet8(num_classes: int = 10, width: int = 16) -> Sequential:
    """A ResNet of 8 layers for CIFAR-10, image classification in MLPerf Tiny: 78,186 parameters, 0.013 G MACs.

    Keras counts 78,666, the running statistics of batch normalisation among them.
    """
    return Sequential(
        conv1=conv(width, 3),
        block1=basic(width),
        block2=basic(2 * width, 2),
        block3=basic(4 * width, 2),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        fc=Linear(num_classes),
    )


@register(
    paper=PAPER,
    input_size=(1, 49, 10),
    pinned=Pinned(
        params=23_756,
        macs=2_656_768,
        receptive_field=(72, 28),
        stages={"conv1": (64, 25, 5), "block4": (64, 25, 5), "avgpool": (64, 1, 1)},
    ),
)
def tiny_ds_cnn(num_classes: int = 12, width: int = 64) -> Sequential:
    """Depthwise separable convolutions on 49 frames of 10 coefficients, keyword spotting in MLPerf Tiny.

    23,756 parameters, 0.003 G MACs. Keras counts 24,908, the running statistics of batch normalisation among them.
    The average is over 24 of the 25 frames that are left.
    """
    return Sequential(
        conv1=conv(width, (10, 4), 2),
        dropout1=Dropout(0.2),
        block1=separable(width, width),
        block2=separable(width, width),
        block3=separable(width, width),
        block4=separable(width, width),
        dropout2=Dropout(0.4),
        avgpool=AvgPool2d((24, 5)),
        flatten=Flatten(),
        fc=Linear(num_classes),
    )


@register(
    paper=PAPER,
    input_size=(3, 96, 96),
    pinned=Pinned(
        params=216_322,
        macs=7_489_664,
        receptive_field=315,
        stages={"conv1": (8, 48, 48), "blocks.0": (16, 48, 48), "blocks.12": (256, 3, 3)},
    ),
)
def tiny_mobilenet(num_classes: int = 2, width: int = 8) -> Sequential:
    """MobileNet of a quarter of the channels for images of 96 pixels, visual wake words in MLPerf Tiny.

    216,322 parameters, 0.007 G MACs. Keras counts 221,794, the running statistics of batch normalisation among them.
    Unlike `mobilenet_v1_025` it has biases in its convolutions, ReLU, and zeros on one side only before a stride.
    """
    w = width
    rows = [(1, 2, 1), (2, 4, 2), (4, 4, 1), (4, 8, 2), (8, 8, 1), (8, 16, 2)]
    rows += [(16, 16, 1)] * 5 + [(16, 32, 2), (32, 32, 1)]
    return Sequential(
        conv1=conv(w, 3, 2),
        blocks=Sequential(*(separable(w * into, w * channels, stride) for into, channels, stride in rows)),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        fc=Linear(num_classes),
    )


def dense(features: int) -> Sequential:
    """A linear layer with a bias, normalised as everywhere here, and activated."""
    return Sequential(fc=Linear(features), bn=BatchNorm1d(eps=NORM.eps, momentum=NORM.momentum), act=ReLU())


@register(
    paper=PAPER,
    input_size=(640,),
    pinned=Pinned(
        params=267_928,
        macs=264_192,
        receptive_field=None,
        stages={"encoder": (128,), "bottleneck": (8,), "decoder": (128,), "fc": (640,)},
    ),
)
def tiny_autoencoder(features: int = 640, width: int = 128, bottleneck: int = 8) -> Sequential:
    """Ten linear layers that give back what they read, anomaly detection in MLPerf Tiny: 267,928 parameters.

    It reads 5 frames of 128 mel bands as one vector and has no classes: of the sound of a machine that it was not
    trained on, it gives back less. `features` is how many values it gives, as many as it reads. Keras counts 269,992,
    the running statistics of batch normalisation among them.
    """
    return Sequential(
        encoder=Sequential(*(dense(width) for _ in range(4))),
        bottleneck=dense(bottleneck),
        decoder=Sequential(*(dense(width) for _ in range(4))),
        fc=Linear(features),
    )
