"""torchvision's networks become descriptions, where torchvision is installed."""

from __future__ import annotations

import pytest
from libraries import stub_torchvision
from traced import is_it

from cnnzoo.calculate import calculate
from cnnzoo.pytorch.measuring.measure import measure
from cnnzoo.pytorch.tracing import describe

THEIRS = {
    "alexnet": (96, 109),
    "convnext_tiny": (64, 77),
    "deeplabv3_mobilenet_v3_large": (64, 77),
    "densenet121": (64, 77),
    "efficientnet_b0": (64, 77),
    "efficientnet_v2_s": (64, 77),
    "fcn_resnet50": (64, 77),
    "googlenet": (64, 77),
    "inception_v3": (299, 312),
    "lraspp_mobilenet_v3_large": (64, 77),
    "mnasnet0_5": (64, 77),
    "mobilenet_v2": (64, 77),
    "mobilenet_v3_small": (64, 77),
    "regnet_y_400mf": (64, 77),
    "resnet18": (64, 77),
    "resnext50_32x4d": (64, 77),
    "shufflenet_v2_x0_5": (64, 77),
    "squeezenet1_0": (64, 77),
    "vgg11_bn": (64, 77),
}
"""A network of each family of torchvision's, with the sides of two images, of which the second is an odd one."""


@pytest.mark.wide
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", THEIRS)
def test_torchvisions_networks_are_what_is_built_of_their_descriptions(name):
    """ConvNeXt's to 1e-4: dimensions that are turned lie in memory otherwise here."""
    stub_torchvision()
    models = pytest.importorskip("torchvision.models")
    net = (
        models.get_model(name, weights=None, weights_backbone=None)
        if "_mobilenet_v3_l" in name or "fcn" in name
        else models.get_model(name, weights=None)
    )
    first, odd = ((3, side, side) for side in THEIRS[name])
    description = describe(net, first)
    measured, calculated = measure(net, first).totals, calculate(description, first).totals
    assert {key: measured[key] for key in SAME} == {key: calculated[key] for key in SAME}
    is_it(net, description, first, odd, within=1e-4 if "convnext" in name else 0)


SAME = ("params", "buffers", "macs", "aux_params", "aux_macs")
