"""Blocks that several families have, with torchvision's names."""

from collections.abc import Iterable

from ..arch import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Gate,
    Join,
    Layer,
    Linear,
    Mean,
    Node,
    Residual,
    Sequential,
    Sigmoid,
)


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


def inverted_residual(
    into: int,
    expanded: int,
    kernel: int,
    channels: int,
    activation: Layer,
    *,
    stride: int = 1,
    gate: Gate | None = None,
    norm: Layer = BatchNorm2d(),  # noqa: B008 - a value
) -> list[Join]:
    """A 1x1 that widens, unless nothing is wider; a depthwise convolution, which has the stride; a gate; and a 1x1 that
    narrows, without an activation: Sandler et al. (2018), section 3.3. What stands around it is `with_shortcut`."""
    return [
        *([conv(expanded, 1, activation, norm=norm)] if expanded != into else []),
        conv(expanded, kernel, activation, stride=stride, groups=expanded, norm=norm),
        *([gate] if gate else []),
        conv(channels, 1, norm=norm),
    ]


def separable_timm(
    into: int,
    channels: int,
    kernel: int,
    activation: Layer,
    *,
    stride: int = 1,
    mixed: Layer | None = None,
) -> Sequential:
    """A depthwise convolution, which has the stride, and a 1x1, `mixed` its activation: Howard et al. (2017), figure 3,
    with timm's names."""
    return Sequential(
        conv_dw=Conv2d(into, kernel, stride=stride, padding=kernel // 2, groups=into, bias=False),
        bn1=BatchNorm2d(),
        act1=activation,
        conv_pw=Conv2d(channels, 1, bias=False),
        bn2=BatchNorm2d(),
        act2=mixed,
    )


def inverted_residual_timm(
    into: int,
    expanded: int,
    kernel: int,
    channels: int,
    activation: Layer,
    *,
    stride: int = 1,
    squeezed: int | None = None,
) -> Sequential | Residual:
    """The same with timm's names, and gated by way of `squeezed` values."""
    body: dict[str, Node | None] = {
        "conv_dw": Conv2d(expanded, kernel, stride=stride, padding=kernel // 2, groups=expanded, bias=False),
        "bn2": BatchNorm2d(),
        "act2": activation,
        "se": squeeze_excitation_timm(expanded, squeezed, activation) if squeezed else None,
        "conv_pwl": Conv2d(channels, 1, bias=False),
        "bn3": BatchNorm2d(),
    }
    widened = {"conv_pw": Conv2d(expanded, 1, bias=False), "bn1": BatchNorm2d(), "act1": activation}
    return with_shortcut(into == channels and stride == 1, **widened, **body)


def squeeze_excitation_timm(channels: int, squeezed: int, activation: Layer, gate: Layer = Sigmoid()) -> Gate:  # noqa: B008
    """`squeeze_excitation` with timm's names."""
    return Gate(
        pool=Mean((2, 3), keepdim=True),
        conv_reduce=Conv2d(squeezed, 1),
        act1=activation,
        conv_expand=Conv2d(channels, 1),
        gate=gate,
    )


def mobile_timm(blocks: Iterable[Node], activation: Layer, num_classes: int, dropout: float) -> Sequential:
    """A stem of 32 maps, the stages, a 1x1 to 1280 maps and a classifier, with timm's names."""
    return Sequential(
        conv_stem=Conv2d(32, 3, stride=2, padding=1, bias=False),
        bn1=BatchNorm2d(),
        act1=activation,
        blocks=Sequential(*blocks),
        conv_head=Conv2d(1280, 1, bias=False),
        bn2=BatchNorm2d(),
        act2=activation,
        global_pool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        drop=Dropout(dropout),
        classifier=Linear(num_classes),
    )


def with_shortcut(shortcut: bool, **children: Node | None) -> Sequential | Residual:
    """The children in a row, with a shortcut around them or without: an inverted residual has one where it keeps the
    shape (Sandler et al., 2018, section 3.3)."""
    return Residual(**children) if shortcut else Sequential(**children)


KNOBS = {"width_mult": tuple(percent / 100 for percent in range(25, 151, 5))}
"""How wide networks of mobile kind are: a quarter of their channels to half as many more."""


def multiple_of_8(channels: float) -> int:
    """The nearest multiple of 8, the next where that is less than nine tenths: how networks of mobile kind round
    channels times a width."""
    return divisible(channels, 8)


def divisible(channels: float, divisor: int) -> int:
    """The nearest multiple of a divisor, upwards of two as near, the next where it is less than nine tenths:
    `_make_divisible` in torchvision."""
    nearest = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return nearest if nearest >= 0.9 * channels else nearest + divisor
