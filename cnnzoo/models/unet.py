"""U-Net: Ronneberger, Fischer and Brox (2015), figure 1, and its padded version with batch normalisation; the names of
milesial's Pytorch-UNet."""

from collections.abc import Callable, Sequence

from ..arch import (
    BatchNorm2d,
    Cat,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    From,
    MaxPool2d,
    Node,
    PadLike,
    ReLU,
    Sequential,
)
from ..arch.join import LARGEST
from ..errors import InvalidValueError
from ..registry import Paper, Pinned, register
from ..words import Range, quoted

PAPER = Paper(
    title="U-Net: Convolutional Networks for Biomedical Image Segmentation",
    authors="Olaf Ronneberger, Philipp Fischer, Thomas Brox",
    year=2015,
    venue="MICCAI 2015",
    arxiv="1505.04597",
)

KNOBS = {"width": range(8, 129, 8), "depth": range(1, 6)}


def valid(width: int) -> Sequential:
    """Two 3x3 without padding, each of which takes a pixel from every side."""
    return Sequential(double_conv=Sequential(Conv2d(width, 3), ReLU(), Conv2d(width, 3), ReLU()))


def padded(width: int) -> Sequential:
    """Two 3x3 that keep the size, each normalised."""
    return Sequential(
        double_conv=Sequential(
            Conv2d(width, 3, padding=1, bias=False),
            BatchNorm2d(),
            ReLU(),
            Conv2d(width, 3, padding=1, bias=False),
            BatchNorm2d(),
            ReLU(),
        )
    )


def cropped_up(width: int) -> Sequential:
    """The up-convolution of what comes from below, behind the middle of the map that is copied, and two 3x3."""
    return Sequential(
        up=From("input.0", ConvTranspose2d(width, 2, stride=2)),
        crop=PadLike("input.1", "up"),
        cat=Cat("crop", "up"),
        conv=valid(width),
    )


def padded_up(width: int) -> Sequential:
    """The same with padded convolutions; where a map had an odd length, it is the lower one that is padded."""
    return Sequential(
        up=From("input.0", ConvTranspose2d(width, 2, stride=2)),
        pad=PadLike("up", "input.1"),
        cat=Cat("input.1", "pad"),
        conv=padded(width),
    )


def network(
    double: Callable[[int], Node],
    up: Callable[[int], Node],
    num_classes: int,
    width: int,
    depth: int,
    dropout: Sequence[Node] = (),
) -> Sequential:
    """A U of `width` maps at the top and twice as many after each of `depth` poolings; `dropout` stands behind the two
    deepest pairs of convolutions."""
    if depth < 1 or depth > LARGEST:
        raise InvalidValueError(f"depth must be a whole number of poolings of at least 1, got {quoted(depth)}")
    levels = {"inc": double(width)}
    for level in range(1, depth + 1):
        ends = dropout if level > depth - 2 else ()
        levels[f"down{level}"] = Sequential(maxpool_conv=Sequential(MaxPool2d(2), double(width << level), *ends))
    *skips, below = levels
    ups: dict[str, From] = {}
    for level, skip in enumerate(reversed(skips), 1):
        ups[f"up{level}"] = From(below, skip, up(width << depth - level))
        below = f"up{level}"
    return Sequential(**levels, **ups, outc=Sequential(conv=Conv2d(num_classes, 1)))


@register(
    paper=PAPER,
    knobs=KNOBS,
    input_size=(1, 572, 572),
    pinned=Pinned(
        params=31_030_658,
        macs=150_428_424_448,
        receptive_field=Range(188, 204),
        stages={
            "inc": (64, 568, 568),
            "down1": (128, 280, 280),
            "down2": (256, 136, 136),
            "down3": (512, 64, 64),
            "down4": (1024, 28, 28),
            "up1": (512, 52, 52),
            "up2": (256, 100, 100),
            "up3": (128, 196, 196),
            "up4": (64, 388, 388),
            "outc": (2, 388, 388),
        },
    ),
)
def unet(num_classes: int = 2, width: int = 64, depth: int = 4, dropout: float = 0.5) -> Sequential:
    """Figure 1: 3x3 convolutions without padding, so that 572x572 pixels of one channel give 388x388 of two classes;
    31,030,658 parameters, 150.428 G MACs.

    Of the map that is copied, the middle is taken. The dropout "at the end of the contracting path" (section 3.1)
    stands where the authors' network has it, behind the two deepest pairs of convolutions.
    """
    return network(valid, cropped_up, num_classes, width, depth, [Dropout(dropout)])


@register(
    paper=PAPER,
    knobs=KNOBS,
    input_size=(3, 256, 256),
    pinned=Pinned(
        params=31_037_698,
        macs=48_171_581_440,
        receptive_field=Range(188, 204),
        stages={
            "inc": (64, 256, 256),
            "down1": (128, 128, 128),
            "down2": (256, 64, 64),
            "down3": (512, 32, 32),
            "down4": (1024, 16, 16),
            "up1": (512, 32, 32),
            "up2": (256, 64, 64),
            "up3": (128, 128, 128),
            "up4": (64, 256, 256),
            "outc": (2, 256, 256),
        },
    ),
)
def unet_padded(num_classes: int = 2, width: int = 64, depth: int = 4) -> Sequential:
    """U-Net as most people have it, with milesial's names: padded, so that the output is as large as the image, of
    whatever size, and with batch normalisation; 31,037,698 parameters, 48.172 G MACs.

    7,040 parameters more than `unet`: three channels enter the first convolution for one, and a norm has two a channel
    where the convolution had a bias.
    """
    return network(padded, padded_up, num_classes, width, depth)
