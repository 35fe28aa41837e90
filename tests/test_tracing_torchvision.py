"""torchvision's networks become descriptions, where torchvision is installed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from libraries import stub_torchvision
from torch import nn
from traced import as_views, is_it

from cnnzoo.arch import Node, walk
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.measuring.measure import measure
from cnnzoo.pytorch.tracing import DescribedAtOneSizeWarning, describe

CLASSIFIERS = """
alexnet convnext_base convnext_large convnext_small convnext_tiny densenet121 densenet161 densenet169 densenet201
efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 efficientnet_b5 efficientnet_b6
efficientnet_b7 efficientnet_v2_l efficientnet_v2_m efficientnet_v2_s googlenet inception_v3 mnasnet0_5 mnasnet0_75
mnasnet1_0 mnasnet1_3 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small regnet_x_16gf regnet_x_1_6gf regnet_x_32gf
regnet_x_3_2gf regnet_x_400mf regnet_x_800mf regnet_x_8gf regnet_y_128gf regnet_y_16gf regnet_y_1_6gf regnet_y_32gf
regnet_y_3_2gf regnet_y_400mf regnet_y_800mf regnet_y_8gf resnet101 resnet152 resnet18 resnet34 resnet50
resnext101_32x8d resnext101_64x4d resnext50_32x4d shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5
shufflenet_v2_x2_0 squeezenet1_0 squeezenet1_1 vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn
wide_resnet101_2 wide_resnet50_2
"""
SEGMENTING = """
deeplabv3_mobilenet_v3_large deeplabv3_resnet101 deeplabv3_resnet50 fcn_resnet101 fcn_resnet50
lraspp_mobilenet_v3_large
"""
SIDES = {"alexnet": (96, 109), "inception_v3": (299, 312)}
"""The sides of two images, of which the second is an odd one, where smaller ones are refused."""

FIRST = """
alexnet convnext_tiny deeplabv3_mobilenet_v3_large densenet121 efficientnet_b0 efficientnet_v2_s fcn_resnet50
googlenet inception_v3 lraspp_mobilenet_v3_large mnasnet0_5 mobilenet_v2 mobilenet_v3_small regnet_x_400mf
regnet_y_400mf resnet18 resnext50_32x4d shufflenet_v2_x0_5 squeezenet1_0 vgg11_bn
"""
"""The smallest of each family; the others are of the same blocks."""


def maker(name: str) -> Callable[[], nn.Module]:
    """Makes torchvision's network without its weights."""
    stub_torchvision()
    models = pytest.importorskip("torchvision.models")
    backbone: dict[str, Any] = {"weights_backbone": None} if name in SEGMENTING.split() else {}
    return lambda: models.get_model(name, weights=None, **backbone).eval()


def described(net: nn.Module, size: tuple[int, ...]) -> Node:
    """The description, which holds at any size, has a word for all, and counts what is measured."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DescribedAtOneSizeWarning)
        description = describe(net, size)
    assert "Foreign" not in {type(node).__name__ for _, node in walk(description)}
    measured, calculated = measure(net, size).totals, calculate(description, size).totals
    assert {key: measured[key] for key in SAME} == {key: calculated[key] for key in SAME}
    return description


SAME = ("params", "buffers", "macs", "aux_params", "aux_macs")


@pytest.mark.wide(1)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", (CLASSIFIERS + SEGMENTING).split())
def test_torchvisions_networks_are_described_without_a_missing_word(name):
    """On meta, but for RegNets, which draw their weights where there are none."""
    make = maker(name)
    with nullcontext() if name.startswith("regnet") else torch.device("meta"):
        net = make()
    described(net, (3, *[SIDES.get(name, (64, 77))[0]] * 2))


@pytest.mark.wide(1, 8)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FIRST.split())
def test_torchvisions_networks_are_what_is_built_of_their_descriptions(name):
    """ConvNeXt's to 1e-4: dimensions that are turned lie in memory otherwise here; where they do not, it is equal."""
    net = maker(name)()
    first, odd = ((3, side, side) for side in SIDES.get(name, (64, 77)))
    description = described(net, first)
    within = 1e-4 if "convnext" in name else 0
    is_it(net, description, first, odd, within=within)
    is_it(net, description, first, within=within, batches=[3])
    if within:
        with as_views():
            is_it(net, description, first)


def test_all_of_torchvisions_convolutional_networks_are_here():
    stub_torchvision()
    models = pytest.importorskip("torchvision.models")
    classifiers = {name for name in models.list_models(module=models) if not name.startswith(("vit", "swin", "maxvit"))}
    assert classifiers == {*CLASSIFIERS.split()}
    assert {*models.list_models(module=models.segmentation)} == {*SEGMENTING.split()}
