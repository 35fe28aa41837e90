"""Every registered network in small: of equal blocks in a row two, and an eighth or a quarter of the channels where
there are more than 64, for images as small as it takes."""

from inspect import signature

import torch
from torch import nn

import cnnzoo
from cnnzoo.arch import Conv2d, Join, Node, Sequential, Shape, ShapeError, rewrite, walk
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.modules.init import as_torch, weighted
from cnnzoo.rewrites import scale_width

FAMILIES = [
    "mnist_deep_cnn",
    "lenet5",
    "alexnet",
    "vgg11_bn",
    "googlenet",
    "resnet18",
    "resnet50",
    "preresnet164",
    "tiny_resnet8",
    "densenet121",
    "cspdarknet53",
    "yolo_v1",
    "faster_rcnn_zf",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "ghostnet",
    "shufflenet_g3",
    "shufflenet_v2_x1_0",
    "squeezenet1_1",
    "regnet_y_200mf",
    "resnet18d",
    "resnext50_32x4d",
    "wide_resnet50_2",
    "se_bn_inception",
    "inception_v3",
    "inception_resnet_v2",
    "xception",
    "repvgg_a0",
    "convnext_tiny",
    "convnextv2_atto",
    "nin_cifar10",
    "zfnet",
    "dpn68",
    "vgg_f",
    "dla34",
    "hrnet_w18",
    "seresnext50_32x4d",
    "cbam_resnet50",
    "ecaresnet50",
    "res2net50_26w_4s",
    "efficientnet_v2_s",
    "mnasnet1_0",
    "unet",
    "fcn_alexnet",
    "deeplabv3_resnet50",
]
"""One network of each family, none a variant, and of ResNet one of each block."""

OF_EVERY_KIND = [
    *("mnist_deep_cnn", "lenet5", "alexnet", "googlenet", "preresnet164", "tiny_resnet8", "densenet121"),
    *("cspdarknet53", "mobilenet_v1", "mobilenet_v3_small", "shufflenet_v2_x1_0", "convnext_tiny", "convnextv2_atto"),
    *("nin_cifar10", "dpn68", "hrnet_w18", "cbam_resnet50", "ecaresnet50", "efficientnet_v2_s"),
    *("unet", "deeplabv3_resnet50"),
]
"""Of these those that have, together, every kind of layer and block."""

SIDES = (64, 96, 144, 224, 299)
"""The side of the images: the first that the network can take, but no more than it is registered at."""


def takes_classes(name: str) -> bool:
    """Whether a registered network is told how many classes there are."""
    return "num_classes" in signature(cnnzoo.get_builder(name)).parameters


def gives_vector(name: str) -> bool:
    """Whether a registered network gives one vector, as a classifier does, and no maps or several values."""
    whole = cnnzoo.get_builder(name).report()[""]
    return len(whole.output_shape) == 1 and not whole.more_outputs


def small(name: str, classes: int = 10) -> tuple[Sequential, Shape]:
    """A registered network's description in small, and its input size."""
    builder = cnnzoo.get_builder(name)
    channels, *sides = builder.input_size
    wanted = {"num_classes": classes, "stochastic_depth_prob": 0.0}  # without the latter blocks are equal
    taken = {keyword: value for keyword, value in wanted.items() if keyword in signature(builder).parameters}
    description = rewrite(builder.describe(**taken), _shorter)
    widths = [node.out_channels for _, node in walk(description) if isinstance(node, Conv2d)]
    if max(widths, default=0) > 64:
        description = scale_width(description, 1 / 8 if min(widths) >= 32 else 1 / 4)
    assert isinstance(description, Sequential)
    sizes = ((channels, *(min(side, sides[0]) for _ in sides)) for side in SIDES)
    return description, next(size for size in sizes if takes(description, size))


def _shorter(path: str, node: Node) -> Node:
    """A row of blocks without those behind the second, if they are the same."""
    if isinstance(node, Sequential) and len(node) > 2:
        _, second, *others = node
        return node[:2] if isinstance(second, Join) and {*others} == {second} else node
    return node


def takes(description: Node, size: Shape) -> bool:
    """Whether a description can be calculated at an input size."""
    try:
        return bool(calculate(description, size).rows)
    except ShapeError:
        return False


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
    images = torch.randn(2, *size, generator=torch.Generator().manual_seed(1))
    settle(net, images)
    return net, images


def settle(net: nn.Module, images: torch.Tensor) -> None:
    """Give batch norms the statistics of the images where without them values grow from block to block, until gates
    are shut or open and rounding decides which."""
    with torch.no_grad():
        if net.eval()(images).abs().max() > 500:
            momentum = {module: module.momentum for module in net.modules() if isinstance(module, nn.BatchNorm2d)}
            for norm in momentum:
                norm.momentum = 1.0
            net.train()(images)
            for norm, own in momentum.items():
                norm.momentum = own
    net.train()
