"""Every registered network in small: its blocks, at most two of a kind, with an eighth of the channels."""

from dataclasses import replace

import torch
from torch import nn

import cnnzoo
from cnnzoo.arch import Conv2d, Dense, Linear, Node, PadChannels, Residual, Sequential, rewrite
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.modules.init import as_torch, weighted

FAMILIES = ["lenet5", "alexnet", "vgg11_bn", "googlenet", "resnet18", "resnet50", "densenet121"]
"""One network of each family, and of ResNet one of each block."""

SIDES = {"alexnet": 96, "caffenet": 96, "googlenet": 144, "lenet5": 32, "lenet5_modern": 28}
"""The side of the images where it is not 64: what the network can still take."""


def small(name: str, classes: int = 10) -> tuple[Sequential, tuple[int, int, int]]:
    """A registered network's description in small, and its input size."""
    builder = cnnzoo.get_builder(name)
    side = SIDES.get(name, 64)
    description = rewrite(builder.describe(num_classes=classes), _narrow)
    assert isinstance(description, Sequential)
    return description, (builder.input_size[0], side, side)


def _narrow(path: str, node: Node) -> Node:
    if isinstance(node, Conv2d | PadChannels) and node.out_channels >= 32:
        return replace(node, out_channels=node.out_channels // 8)
    if isinstance(node, Linear) and node.out_features >= 512:
        return replace(node, out_features=node.out_features // 16)
    if isinstance(node, Sequential) and all(isinstance(child, Dense | Residual) for child in node):
        return node[:2]
    return node


def lively(net: nn.Module) -> None:
    """He normal, and biases above zero: of a few ReLUs side by side, not all are dead."""
    as_torch(net)
    for layer in weighted(net):
        nn.init.kaiming_normal_(layer.weight)
        if layer.bias is not None:
            nn.init.constant_(layer.bias, 0.1)


def small_net(name: str) -> tuple[nn.Module, torch.Tensor]:
    """The module, the same at every call, and two images for it."""
    torch.manual_seed(0)
    description, size = small(name)
    net = build(description, size, init=lively)
    return net, torch.randn(2, *size, generator=torch.Generator().manual_seed(1))
