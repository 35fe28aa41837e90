"""Networks of torchvision, said with the vocabulary: its names of modules and tensors in its order, its outputs.

A call is a row of the paper's table, its arguments in the paper's order; the input's channels stand first where the
paper derives a width from them.
"""

from itertools import count

from said.inception import inception_v3
from said.mobile import efficientnet_b0, mobilenet_v2, mobilenet_v3_small, shufflenet_v2_x1_0

import cnnzoo
from cnnzoo.arch import (
    GELU,
    AdaptiveAvgPool2d,
    Add,
    Conv2d,
    Flatten,
    From,
    LayerNorm,
    LayerNorm2d,
    Linear,
    Node,
    Permute,
    ReLU,
    Residual,
    Scale,
    Sequential,
    Sigmoid,
    StochasticDepth,
)
from cnnzoo.models.blocks import conv, squeeze_excitation

# ConvNeXt: Liu et al. (2022), figure 4 and table 9


def convnext_block(dim: int, p: float) -> Residual:
    """Figure 4: a depthwise 7x7, a normalisation, four times the channels and back, a scale of each channel.

    torchvision's permutations are views, so that its next convolution adds up in another order: outputs differ by 1e-6
    of their norm, and are equal to the bit where its permutations are made contiguous.
    """
    return Residual(
        block=Sequential(
            Conv2d(dim, 7, padding=3, groups=dim),
            Permute((0, 2, 3, 1)),
            LayerNorm(eps=1e-6),
            Linear(4 * dim),
            GELU(),
            Linear(dim),
            Permute((0, 3, 1, 2)),
        ),
        layer_scale=Scale(1e-6, (-1, 1, 1)),
        stochastic_depth=StochasticDepth(p, "row"),
    )


def convnext_tiny(num_classes: int = 1000) -> Sequential:
    number = count()

    def stage(dim: int, blocks: int) -> Sequential:
        return Sequential(*(convnext_block(dim, 0.1 * next(number) / 17) for _ in range(blocks)))

    return Sequential(
        features=Sequential(
            Sequential(Conv2d(96, 4, stride=4), LayerNorm2d(eps=1e-6)),
            stage(96, 3),
            Sequential(LayerNorm2d(eps=1e-6), Conv2d(192, 2, stride=2)),
            stage(192, 3),
            Sequential(LayerNorm2d(eps=1e-6), Conv2d(384, 2, stride=2)),
            stage(384, 9),
            Sequential(LayerNorm2d(eps=1e-6), Conv2d(768, 2, stride=2)),
            stage(768, 3),
        ),
        avgpool=AdaptiveAvgPool2d(1),
        classifier=Sequential(LayerNorm2d(eps=1e-6), Flatten(), Linear(num_classes)),
    )


# RegNetY-400MF: Radosavovic et al. (2020)


def y_block(into: int, w: int, g: int, s: int) -> Node:
    """A bottleneck with b = 1: 1x1, 3x3 in groups of g channels, a gate of a quarter of what enters, 1x1."""
    f = Sequential(
        a=conv(w, 1, ReLU()),
        b=conv(w, 3, ReLU(), stride=s, groups=w // g),
        se=squeeze_excitation(w, round(into / 4), ReLU(), Sigmoid()),
        c=conv(w, 1),
    )
    if into == w and s == 1:
        return Residual(f=f, downsample=None, activation=ReLU())
    return Sequential(proj=conv(w, 1, stride=s), f=From("input", f), add=Add("proj", "f"), activation=ReLU())


def y_stage(number: int, into: int, d: int, w: int, g: int) -> Sequential:
    """d blocks of w channels, the first of stride 2."""
    blocks = [y_block(into, w, g, 2), *[y_block(w, w, g, 1)] * (d - 1)]
    return Sequential(**{f"block{number}-{place}": one for place, one in enumerate(blocks)})


def regnet_y_400mf(num_classes: int = 1000) -> Sequential:
    """d = (1, 3, 6, 6), w = (48, 104, 208, 440), g = 8."""
    return Sequential(
        stem=conv(32, 3, ReLU(), stride=2),
        trunk_output=Sequential(
            block1=y_stage(1, 32, 1, 48, 8),
            block2=y_stage(2, 48, 3, 104, 8),
            block3=y_stage(3, 104, 6, 208, 8),
            block4=y_stage(4, 208, 6, 440, 8),
        ),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        fc=Linear(num_classes),
    )


REGISTERED = ("squeezenet1_0",)

SAID = {
    **{name: cnnzoo.get_builder(name).describe for name in REGISTERED},
    **{
        one.__name__: one
        for one in (
            inception_v3,
            mobilenet_v2,
            mobilenet_v3_small,
            shufflenet_v2_x1_0,
            efficientnet_b0,
            convnext_tiny,
            regnet_y_400mf,
        )
    },
}
"""The networks by torchvision's names."""
