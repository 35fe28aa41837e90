"""Networks of torchvision, said with the vocabulary: its names of modules and tensors in its order, its outputs.

A call is a row of the paper's table, its arguments in the paper's order; the input's channels stand first where the
paper derives a width from them.
"""

from said.mobile import efficientnet_b0, mobilenet_v2, mobilenet_v3_small, shufflenet_v2_x1_0

import cnnzoo

REGISTERED = ("squeezenet1_0", "regnet_y_400mf", "inception_v3", "convnext_tiny")

SAID = {
    **{name: cnnzoo.get_builder(name).describe for name in REGISTERED},
    **{
        one.__name__: one
        for one in (
            mobilenet_v2,
            mobilenet_v3_small,
            shufflenet_v2_x1_0,
            efficientnet_b0,
        )
    },
}
"""The networks by torchvision's names."""
