"""Blocks that several families have, with torchvision's names."""

from ..arch import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Gate, Layer, Node, Residual, Sequential


def conv(
    channels: int,
    kernel: int,
    activation: Layer | None = None,
    *,
    stride: int = 1,
    groups: int = 1,
    norm: Layer = BatchNorm2d(),  # noqa: B008 - a value
) -> Sequential:
    """A convolution that keeps the size, or a stride's share of it, normalised and activated: torchvision's
    `Conv2dNormActivation`."""
    return Sequential(
        Conv2d(channels, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False),
        norm,
        activation,
    )


def squeeze_excitation(channels: int, squeezed: int, activation: Layer, gate: Layer) -> Gate:
    """A factor for each of so many channels, worked out from their means by way of `squeezed` values: Hu et al. (2017),
    figure 2, with 1x1 convolutions for its fully connected layers."""
    return Gate(
        avgpool=AdaptiveAvgPool2d(1),
        fc1=Conv2d(squeezed, 1),
        activation=activation,
        fc2=Conv2d(channels, 1),
        scale_activation=gate,
    )


def with_shortcut(shortcut: bool, **children: Node) -> Sequential | Residual:
    """The children in a row, with a shortcut around them or without: an inverted residual has one where it keeps the
    shape (Sandler et al., 2018, section 3.3)."""
    return Residual(**children) if shortcut else Sequential(**children)


def multiple_of_8(channels: float) -> int:
    """The nearest multiple of 8, the next where that is less than nine tenths: how networks of mobile kind round
    channels times a width."""
    return divisible(channels, 8)


def divisible(channels: float, divisor: int) -> int:
    """The nearest multiple of a divisor, upwards of two as near, the next where it is less than nine tenths:
    `_make_divisible` in torchvision."""
    nearest = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return nearest if nearest >= 0.9 * channels else nearest + divisor
