"""Networks that neither torchvision nor timm has, written as modules of torch as their papers and their authors have
them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Basic(nn.Module):
    """Two 3x3; where the shape changes, the shortcut takes every second pixel, and zeros for the channels it lacks."""

    def __init__(self, entering: int, width: int, stride: int, shortcut: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(entering, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride, self.shortcut, self.more = stride, shortcut, width - entering

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.shortcut:
            y = y + F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return F.relu(y)


class CifarResNet(nn.Module):
    """He et al. (2015), section 4.2."""

    def __init__(self, blocks: int, shortcut: bool = True) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        entering = 16
        for number, width in enumerate((16, 32, 64), 1):
            stage = nn.Sequential()
            for place in range(blocks):
                stage.append(Basic(entering, width, 2 if number > 1 and place == 0 else 1, shortcut))
                entering = width
            setattr(self, f"layer{number}", stage)
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


def resnet20(blocks: int = 3, shortcut: bool = True) -> nn.Module:
    return CifarResNet(blocks, shortcut)


class PreActUnit(nn.Module):
    """Convolutions (channels, kernel, stride, bias) behind a normalisation and a ReLU each; `way` is the shortcut's:
    "x", every `step`th pixel of what enters; "project", a 1x1 on what the first activation gives; "open", a 1x1 on what
    enters, which no activation follows."""

    def __init__(
        self, entering: int, convs: list[tuple[int, int, int, bool]], way: str, norm: dict[str, float], bias: bool
    ) -> None:
        super().__init__()
        self.way, self.count = way, len(convs)
        self.step = step = max(stride for _, _, stride, _ in convs)
        project = nn.Module()
        if way != "x":
            project.conv = nn.Conv2d(entering, convs[-1][0], 1, step, bias=bias)
        if way == "project":
            self.downsample = project
        for number, (width, kernel, stride, biased) in enumerate(convs, 1):
            if way != "open" or number > 1:
                setattr(self, f"norm{number}", nn.BatchNorm2d(entering, **norm))
            setattr(self, f"conv{number}", nn.Conv2d(entering, width, kernel, stride, kernel // 2, bias=biased))
            entering = width
        if way == "open":
            self.downsample = project

    def forward(self, x: Tensor) -> Tensor:
        first = x if self.way == "open" else F.relu(self.norm1(x))
        y = self.conv1(first)
        for number in range(2, self.count + 1):
            y = getattr(self, f"conv{number}")(F.relu(getattr(self, f"norm{number}")(y)))
        if self.way == "x":
            return y + x[:, :, :: self.step, :: self.step]
        return y + self.downsample.conv(first)


class PreActResNet(nn.Module):
    """A stem, stages of units, the last activation and a linear classifier."""

    def __init__(self, stem: nn.Module, units: list[list[nn.Module]], width: int, classes: int, norm: Any) -> None:
        super().__init__()
        self.stem = stem
        self.stages = nn.ModuleList()
        for each in units:
            stage = nn.Module()
            stage.blocks = nn.Sequential(*each)
            self.stages.append(stage)
        self.norm = nn.BatchNorm2d(width, **norm)
        self.head = nn.Module()
        self.head.fc = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for stage in self.stages:
            x = stage.blocks(x)
        x = F.relu(self.norm(x))
        return self.head.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


def stem(**layers: nn.Module) -> nn.Sequential:
    made = nn.Sequential()
    for name, layer in layers.items():
        made.add_module(name, layer)
    return made


def preresnet164(blocks: int = 18) -> nn.Module:
    """KaimingHe/resnet-1k-layers, resnet-pre-act.lua."""
    stages, entering = [], 16
    for number, width in enumerate((64, 128, 256)):
        units: list[nn.Module] = []
        for place in range(blocks):
            stride = 2 if number and place == 0 else 1
            convs = [(width // 4, 1, stride, False), (width // 4, 3, 1, False), (width, 1, 1, False)]
            units.append(PreActUnit(entering, convs, "x" if place else "project", {}, bias=False))
            entering = width
        stages.append(units)
    return PreActResNet(stem(conv=nn.Conv2d(3, 16, 3, 1, 1, bias=False)), stages, 256, 10, {})


def preresnet152(blocks: tuple[int, ...] = (3, 8, 36, 3)) -> nn.Module:
    """fb.resnet.torch, models/preresnet.lua."""
    stages, entering = [], 64
    for number, count in enumerate(blocks):
        units: list[nn.Module] = []
        width = 256 << number
        for place in range(count):
            stride = 2 if number and place == 0 else 1
            convs = [(width // 4, 1, 1, False), (width // 4, 3, stride, False), (width, 1, 1, False)]
            way = "x" if place else "project" if number else "open"
            units.append(PreActUnit(entering, convs, way, {}, bias=False))
            entering = width
        stages.append(units)
    first = stem(
        conv=nn.Conv2d(3, 64, 7, 2, 3, bias=False), norm=nn.BatchNorm2d(64), act=nn.ReLU(), pool=nn.MaxPool2d(3, 2, 1)
    )
    return PreActResNet(first, stages, 2048, 1000, {})


def resnet50v2(blocks: tuple[int, ...] = (3, 4, 6, 3)) -> nn.Module:
    """keras.applications.resnet: `stack2` of `block2`."""
    norm = {"eps": 1.001e-5, "momentum": 0.01}
    stages, entering = [], 64
    for number, count in enumerate(blocks):
        units: list[nn.Module] = []
        width = 256 << number
        for place in range(count):
            stride = 2 if number < 3 and place == count - 1 else 1
            convs = [(width // 4, 1, 1, False), (width // 4, 3, stride, False), (width, 1, 1, True)]
            units.append(PreActUnit(entering, convs, "x" if place else "project", norm, bias=True))
            entering = width
        stages.append(units)
    first = stem(conv=nn.Conv2d(3, 64, 7, 2, 3), pad=nn.ZeroPad2d(1), pool=nn.MaxPool2d(3, 2))
    return PreActResNet(first, stages, 2048, 1000, norm)


def wide_resnet28_10(depth: int = 28, factor: int = 10, kernels: tuple[int, ...] = (3, 3)) -> nn.Module:
    """szagoruyko/wide-residual-networks, models/wide-resnet.lua, and section 2 for other blocks."""
    stages, entering = [], 16
    for number, width in enumerate((16 * factor, 32 * factor, 64 * factor)):
        units: list[nn.Module] = []
        for place in range((depth - 4) // 6):
            stride = 2 if number and place == 0 else 1
            convs = [(width, kernel, 1 if each else stride, False) for each, kernel in enumerate(kernels)]
            units.append(PreActUnit(entering, convs, "x" if entering == width else "project", {}, bias=False))
            entering = width
        stages.append(units)
    return PreActResNet(stem(conv=nn.Conv2d(3, 16, 3, 1, 1, bias=False)), stages, 64 * factor, 10, {})


class DenseLayer(nn.Module):
    """BN-ReLU-convolution once or twice, and what enters before it."""

    def __init__(self, entering: int, convs: list[tuple[int, int]]) -> None:
        super().__init__()
        for number, (width, kernel) in enumerate(convs, 1):
            setattr(self, f"norm{number}", nn.BatchNorm2d(entering))
            setattr(self, f"conv{number}", nn.Conv2d(entering, width, kernel, padding=kernel // 2, bias=False))
            entering = width
        self.count = len(convs)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for number in range(1, self.count + 1):
            y = getattr(self, f"conv{number}")(F.relu(getattr(self, f"norm{number}")(y)))
        return torch.cat([x, y], 1)


class Transition(nn.Module):
    def __init__(self, entering: int, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(entering)
        self.conv = nn.Conv2d(entering, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(self.conv(F.relu(self.norm(x))), 2)


class CifarDenseNet(nn.Module):
    """liuzhuang13/DenseNet, models/densenet.lua."""

    def __init__(self, growth: int, layers: int, bc: bool) -> None:
        super().__init__()
        width = 2 * growth if bc else 16
        convs = [(4 * growth, 1), (growth, 3)] if bc else [(growth, 3)]
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(3, width, 3, padding=1, bias=False))
        for block in (1, 2, 3):
            if block > 1:
                left = width // 2 if bc else width
                self.features.add_module(f"transition{block - 1}", Transition(width, left))
                width = left
            dense = nn.Sequential()
            for number in range(1, layers + 1):
                dense.add_module(f"denselayer{number}", DenseLayer(width, convs))
                width += growth
            self.features.add_module(f"denseblock{block}", dense)
        self.features.add_module("norm_final", nn.BatchNorm2d(width))
        self.classifier = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(F.relu(self.features(x)), 1), 1))


def densenet40_12(growth: int = 12, layers: int = 12, bc: bool = False) -> nn.Module:
    return CifarDenseNet(growth, layers, bc)


def same(x: Tensor, kernel: tuple[int, int], stride: int) -> Tensor:
    """Zeros as Keras's padding "same" has them: as many behind as in front, or one more."""
    sides: list[int] = []
    for length, extent in zip(reversed(x.shape[2:]), reversed(kernel), strict=True):
        needed = max((-(-length // stride) - 1) * stride + extent - length, 0)
        sides += [needed // 2, needed - needed // 2]
    return F.pad(x, sides)


class KerasConv(nn.Module):
    """Conv2D or DepthwiseConv2D with padding="same", BatchNormalization, and a ReLU."""

    def __init__(
        self, entering: int, width: int, kernel: tuple[int, int], stride: int = 1, groups: int = 1, relu: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(entering, width, kernel, stride, groups=groups)
        self.bn = nn.BatchNorm2d(width, eps=0.001, momentum=0.01)
        self.kernel, self.stride, self.relu = kernel, stride, relu

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn(self.conv(same(x, self.kernel, self.stride)))
        return F.relu(y) if self.relu else y


class KerasBlock(nn.Module):
    def __init__(self, entering: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = KerasConv(entering, width, (3, 3), stride)
        self.conv2 = KerasConv(width, width, (3, 3), relu=False)
        if stride > 1:
            self.downsample = nn.Conv2d(entering, width, 1, stride)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv2(self.conv1(x)) + (self.downsample(x) if self.stride > 1 else x))


class Separable(nn.Module):
    def __init__(self, entering: int, width: int, stride: int) -> None:
        super().__init__()
        self.depthwise = KerasConv(entering, entering, (3, 3), stride, entering)
        self.pointwise = KerasConv(entering, width, (1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


class Keras(nn.Module):
    """A stem, blocks, an average and a dense layer, as mlcommons/tiny has them."""

    def __init__(self, pool: tuple[int, int] | None, fc: nn.Linear, **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.fc, self.pool, self.names = fc, pool, [*layers]

    def forward(self, x: Tensor) -> Tensor:
        for name in self.names:
            x = self.get_submodule(name)(x)
        x = F.avg_pool2d(x, self.pool) if self.pool else F.adaptive_avg_pool2d(x, 1)
        return self.fc(torch.flatten(x, 1))


def tiny_resnet8() -> nn.Module:
    blocks = {
        f"block{number}": KerasBlock(*one) for number, one in enumerate(((16, 16, 1), (16, 32, 2), (32, 64, 2)), 1)
    }
    return Keras(None, nn.Linear(64, 10), conv1=KerasConv(3, 16, (3, 3)), **blocks)


def tiny_ds_cnn() -> nn.Module:
    blocks = {f"block{number}": Separable(64, 64, 1) for number in (1, 2, 3, 4)}
    return Keras((24, 5), nn.Linear(64, 12), conv1=KerasConv(1, 64, (10, 4), 2), **blocks)


def tiny_mobilenet() -> nn.Module:
    blocks, entering = nn.Sequential(), 8
    for width, stride in [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)]:
        blocks.append(Separable(entering, width, stride))
        entering = width
    return Keras(None, nn.Linear(256, 2), conv1=KerasConv(3, 8, (3, 3), 2), blocks=blocks)


class Autoencoder(nn.Module):
    """The baseline of the DCASE 2020 challenge's task 2, keras_model.py: nine times Dense, BatchNormalization and a
    ReLU, and a Dense."""

    def __init__(self) -> None:
        super().__init__()
        widths = [640, 128, 128, 128, 128, 8, 128, 128, 128, 128]
        made = []
        for entering, width in pairwise(widths):
            layers = {"fc": nn.Linear(entering, width), "bn": nn.BatchNorm1d(width, eps=0.001, momentum=0.01)}
            made.append(nn.ModuleDict(layers))
        self.encoder, self.bottleneck, self.decoder = nn.ModuleList(made[:4]), made[4], nn.ModuleList(made[5:])
        self.fc = nn.Linear(128, 640)

    def forward(self, x: Tensor) -> Tensor:
        for block in (*self.encoder, self.bottleneck, *self.decoder):
            x = F.relu(block["bn"](block["fc"](x)))
        return self.fc(x)


def tiny_autoencoder() -> nn.Module:
    return Autoencoder()


def double(entering: int, width: int, padded: bool) -> nn.Module:
    layers: list[nn.Module] = []
    for channels in (entering, width):
        layers.append(nn.Conv2d(channels, width, 3, padding=int(padded), bias=not padded))
        layers += [nn.BatchNorm2d(width), nn.ReLU()] if padded else [nn.ReLU()]
    return nn.ModuleDict({"double_conv": nn.Sequential(*layers)})


class UNet(nn.Module):
    """Ronneberger et al. (2015), figure 1, without its dropout; `padded`, milesial's Pytorch-UNet: unet_model.py with
    bilinear=False, unet_parts.py."""

    def __init__(self, padded: bool) -> None:
        super().__init__()
        self.padded = padded
        self.inc = double(3 if padded else 1, 64, padded)
        for level in (1, 2, 3, 4):
            deeper = double(64 << level - 1, 64 << level, padded)
            setattr(self, f"down{level}", nn.ModuleDict({"maxpool_conv": nn.Sequential(nn.MaxPool2d(2), deeper)}))
        for level, width in enumerate((512, 256, 128, 64), 1):
            up = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
            setattr(self, f"up{level}", nn.ModuleDict({"up": up, "conv": double(2 * width, width, padded)}))
        self.outc = nn.ModuleDict({"conv": nn.Conv2d(64, 2, 1)})

    def forward(self, x: Tensor) -> Tensor:
        maps = [self.inc["double_conv"](x)]
        for level in (1, 2, 3, 4):
            pool, deeper = self.get_submodule(f"down{level}.maxpool_conv")
            maps.append(deeper["double_conv"](pool(maps[-1])))
        x = maps.pop()
        for level in (1, 2, 3, 4):
            up: Any = self.get_submodule(f"up{level}")
            x, skip = up["up"](x), maps.pop()
            down, right = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
            if self.padded:
                x = F.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2))
            else:
                top, left = down - down // 2, right - right // 2
                skip = skip[:, :, top : top + x.shape[2], left : left + x.shape[3]]
            x = up["conv"]["double_conv"](torch.cat([skip, x], 1))
        return self.outc["conv"](x)


def unet() -> nn.Module:
    return UNet(False)


def unet_padded() -> nn.Module:
    return UNet(True)


def make(model: str, **settings: Any) -> nn.Module:
    made: nn.Module = globals()[model](**settings)
    return made
