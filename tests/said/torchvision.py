"""Networks of torchvision that are registered and whose outputs with the reference weights are known."""

import cnnzoo

REGISTERED = (
    *("squeezenet1_0", "regnet_y_400mf", "inception_v3", "convnext_tiny", "mobilenet_v2", "mobilenet_v3_small"),
    *("shufflenet_v2_x1_0", "efficientnet_b0"),
)

SAID = {name: cnnzoo.get_builder(name).describe for name in REGISTERED}
"""The networks by torchvision's names."""
