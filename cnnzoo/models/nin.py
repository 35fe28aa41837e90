"""Network in Network: Lin, Chen and Yan (2013), figure 2, as the authors' Caffe models say it."""

from ..arch import AdaptiveAvgPool2d, AvgPool2d, Conv2d, Dropout, Flatten, MaxPool2d, ReLU, Sequential
from ..registry import Paper, Pinned, register

PAPER = Paper(
    title="Network In Network",
    authors="Min Lin, Qiang Chen, Shuicheng Yan",
    year=2013,
    venue="ICLR 2014",
    arxiv="1312.4400",
)


def mlpconv(channels: int, kernel: int, *widths: int, stride: int = 1, padding: int = 0) -> Sequential:
    """A convolution, and a perceptron with hidden layers of these widths on each position: 1x1 convolutions
    (section 3.1)."""
    convs = [Conv2d(channels, kernel, stride=stride, padding=padding), *[Conv2d(width, 1) for width in widths]]
    return Sequential(*[layer for conv in convs for layer in (conv, ReLU())])


def pooled(stages: dict[str, Sequential | MaxPool2d | AvgPool2d | Dropout]) -> Sequential:
    """The stages, of which the last has a map for each class, and the mean of each map (section 3.2)."""
    return Sequential(**stages, avgpool=AdaptiveAvgPool2d(1), flatten=Flatten())


@register(
    paper=PAPER,
    pinned=Pinned(
        params=7_595_176,
        macs=1_100_188_800,
        receptive_field=195,
        stages={
            "mlpconv1": (96, 54, 54),
            "pool1": (96, 27, 27),
            "mlpconv2": (256, 27, 27),
            "pool2": (256, 13, 13),
            "mlpconv3": (384, 13, 13),
            "pool3": (384, 6, 6),
            "mlpconv4": (1000, 6, 6),
        },
    ),
)
def nin(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """The ImageNet network of the authors' Caffe model, without linear layers: 7,595,176 parameters, 1.100 G MACs.

    An eighth of AlexNet's parameters: the mean of a map for each class takes the place of 4096 and 4096 units. Pooling
    rounds up, as Caffe's does.
    """
    return pooled(
        {
            "mlpconv1": mlpconv(96, 11, 96, 96, stride=4),
            "pool1": MaxPool2d(3, stride=2, ceil_mode=True),
            "mlpconv2": mlpconv(256, 5, 256, 256, padding=2),
            "pool2": MaxPool2d(3, stride=2, ceil_mode=True),
            "mlpconv3": mlpconv(384, 3, 384, 384, padding=1),
            "pool3": MaxPool2d(3, stride=2, ceil_mode=True),
            "dropout": Dropout(dropout),
            "mlpconv4": mlpconv(1024, 3, 1024, num_classes, padding=1),
        }
    )


@register(
    paper=PAPER,
    input_size=(3, 32, 32),
    pinned=Pinned(
        params=966_986,
        macs=222_486_528,
        receptive_field=27,
        stages={
            "mlpconv1": (96, 32, 32),
            "pool1": (96, 16, 16),
            "mlpconv2": (192, 16, 16),
            "pool2": (192, 8, 8),
            "mlpconv3": (10, 8, 8),
        },
    ),
)
def nin_cifar10(num_classes: int = 10, dropout: float = 0.5) -> Sequential:
    """The CIFAR-10 network of the authors' Caffe model: three mlpconv layers, 966,986 parameters, 0.222 G MACs."""
    return pooled(
        {
            "mlpconv1": mlpconv(192, 5, 160, 96, padding=2),
            "pool1": MaxPool2d(3, stride=2, ceil_mode=True),
            "dropout1": Dropout(dropout),
            "mlpconv2": mlpconv(192, 5, 192, 192, padding=2),
            "pool2": AvgPool2d(3, stride=2, ceil_mode=True),
            "dropout2": Dropout(dropout),
            "mlpconv3": mlpconv(192, 3, 192, num_classes, padding=1),
        }
    )
