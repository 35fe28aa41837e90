"""VGG-F, VGG-M and VGG-S, in the paper CNN-F, M and S: Chatfield, Simonyan, Vedaldi and Zisserman (2014), table 1."""

from ..arch import Conv2d, LocalResponseNorm, MaxPool2d, ReLU, Sequential
from ..registry import Paper, Pinned, register
from .alexnet import classifier

PAPER = Paper(
    title="Return of the Devil in the Details: Delving Deep into Convolutional Nets",
    authors="Ken Chatfield, Karen Simonyan, Andrea Vedaldi, Andrew Zisserman",
    year=2014,
    venue="BMVC 2014",
    arxiv="1405.3531",
)

NORM = LocalResponseNorm(5, alpha=5e-4, k=2.0)
"""AlexNet's."""


def network(
    conv1: Conv2d,
    conv2: Conv2d,
    pools: tuple[MaxPool2d, MaxPool2d, MaxPool2d],
    width: int,
    num_classes: int,
    dropout: float,
    norm2: LocalResponseNorm | None = NORM,
) -> Sequential:
    """A row of table 1: its first two convolutions and its poolings; conv3 to conv5 are 3x3 of `width` maps."""
    return Sequential(
        conv1=conv1,
        relu1=ReLU(),
        norm1=NORM,
        pool1=pools[0],
        conv2=conv2,
        relu2=ReLU(),
        norm2=norm2,
        pool2=pools[1],
        conv3=Conv2d(width, 3, padding=1),
        relu3=ReLU(),
        conv4=Conv2d(width, 3, padding=1),
        relu4=ReLU(),
        conv5=Conv2d(width, 3, padding=1),
        relu5=ReLU(),
        pool5=pools[2],
        **classifier(num_classes, dropout),
    )


def pool(kernel: int, stride: int) -> MaxPool2d:
    """Rounds up, as Caffe's does."""
    return MaxPool2d(kernel, stride=stride, ceil_mode=True)


def stages(*maps: tuple[int, int]) -> dict[str, tuple[int, ...]]:
    """Channels and pixels behind conv1, pool1, conv2, pool2, conv5 and pool5."""
    names = ("conv1", "pool1", "conv2", "pool2", "conv5", "pool5")
    found = {name: (channels, side, side) for name, (channels, side) in zip(names, maps, strict=True)}
    return {**found, "fc6": (4096,), "fc8": (1000,)}


@register(
    paper=PAPER,
    pinned=Pinned(
        params=60_834_536,
        macs=724_005_632,
        receptive_field=195,
        stages=stages((64, 54), (64, 27), (256, 27), (256, 13), (256, 13), (256, 6)),
    ),
)
def vgg_f(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """CNN-F, "fast", nearly AlexNet: 11x11 of stride 4, no groups, fewer maps; 60,834,536 parameters, 0.724 G MACs."""
    pools = (pool(3, 2), pool(3, 2), pool(3, 2))
    return network(Conv2d(64, 11, stride=4), Conv2d(256, 5, padding=2), pools, 256, num_classes, dropout)


@register(
    paper=PAPER,
    pinned=Pinned(
        params=102_908_520,
        macs=1_676_172_320,
        receptive_field=171,
        stages=stages((96, 109), (96, 54), (256, 26), (256, 13), (512, 13), (512, 6)),
    ),
)
def vgg_m(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """CNN-M, "medium", nearly ZFNet: 7x7 of stride 2, stride 2 again; 102,908,520 parameters, 1.676 G MACs."""
    pools = (pool(3, 2), pool(3, 2), pool(3, 2))
    return network(Conv2d(96, 7, stride=2), Conv2d(256, 5, stride=2, padding=1), pools, 512, num_classes, dropout)


@register(
    paper=PAPER,
    pinned=Pinned(
        params=102_908_520,
        macs=2_927_705_120,
        receptive_field=137,
        stages=stages((96, 109), (96, 37), (256, 35), (256, 18), (512, 18), (512, 6)),
    ),
)
def vgg_s(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """CNN-S, "slow", nearly OverFeat's accurate model: stride 1 in the second layer; 102,908,520 parameters.

    2.928 G MACs, for the 1.676 G of `vgg_m`, which has as many parameters.
    """
    pools = (pool(3, 3), pool(2, 2), pool(3, 3))
    return network(Conv2d(96, 7, stride=2), Conv2d(256, 5, padding=1), pools, 512, num_classes, dropout, norm2=None)
