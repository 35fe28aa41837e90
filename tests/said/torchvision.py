"""Networks of torchvision, said with the vocabulary: its names of modules and tensors in its order, its outputs.

A call is a row of the paper's table, its arguments in the paper's order; the input's channels stand first where the
paper derives a width from them.
"""

from itertools import count

from said.mobile import efficientnet_b0, mobilenet_v2, mobilenet_v3_small, shufflenet_v2_x1_0

import cnnzoo
from cnnzoo.arch import (
    GELU,
    AdaptiveAvgPool2d,
    Conv2d,
    Flatten,
    LayerNorm,
    LayerNorm2d,
    Linear,
    Permute,
    Residual,
    Scale,
    Sequential,
    StochasticDepth,
)

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


REGISTERED = ("squeezenet1_0", "regnet_y_400mf", "inception_v3")

SAID = {
    **{name: cnnzoo.get_builder(name).describe for name in REGISTERED},
    **{
        one.__name__: one
        for one in (
            mobilenet_v2,
            mobilenet_v3_small,
            shufflenet_v2_x1_0,
            efficientnet_b0,
            convnext_tiny,
        )
    },
}
"""The networks by torchvision's names."""
