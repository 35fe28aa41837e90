"""The registered networks, one paper a file; importing this package registers them, without torch."""

from .alexnet import alexnet, alexnet_tv, caffenet
from .densenet import densenet121, densenet161, densenet169, densenet201, densenet264
from .googlenet import googlenet, googlenet_tv
from .lenet import lenet5, lenet5_modern
from .resnet import (
    plain18,
    plain34,
    resnet18,
    resnet34,
    resnet50,
    resnet50_v1,
    resnet101,
    resnet101_v1,
    resnet152,
    resnet152_v1,
)
from .vgg import vgg11, vgg11_bn, vgg11_lrn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg16c, vgg19, vgg19_bn

__all__ = [
    "alexnet",
    "alexnet_tv",
    "caffenet",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "densenet264",
    "googlenet",
    "googlenet_tv",
    "lenet5",
    "lenet5_modern",
    "plain18",
    "plain34",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet50_v1",
    "resnet101",
    "resnet101_v1",
    "resnet152",
    "resnet152_v1",
    "vgg11",
    "vgg11_bn",
    "vgg11_lrn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg16c",
    "vgg19",
    "vgg19_bn",
]
