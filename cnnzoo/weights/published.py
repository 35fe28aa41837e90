"""The weights that torchvision publishes, by registered name: where each file is, and what input it expects.

The files are those of torchvision's own weights; each carries the first digits of its SHA-256 in its name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import file_digest
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from ..arch import Node, ScaleShift, walk
from ..errors import InvalidTypeError, InvalidValueError
from ..words import distance, listed, quoted
from ..zoo import get_builder
from .headers import CheckpointError

FOLDER = "https://download.pytorch.org/models"

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of red, green and blue that torchvision normalises values in [0, 1] with."""

HALVES = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Those of TensorFlow's GoogLeNet: inputs in [-1, 1]."""


class Published(NamedTuple):
    """A published file, and what its network's input is normalised with: of an image with values in [0, 1], resized and
    cropped at the centre, the mean and standard deviation of red, green and blue, as in torchvision's transforms."""

    file: str
    mean: tuple[float, float, float] = IMAGENET[0]
    std: tuple[float, float, float] = IMAGENET[1]
    resize_size: int = 256
    crop_size: int = 224
    settings: Mapping[str, Any] = MappingProxyType({})
    """Keywords of the builder that go with the weights where nothing else is said, as in torchvision."""
    unconverted: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    """Mean and deviation where the network does not convert its input, if it can."""
    path: Path | None = None
    """Where the file is, if the user has it."""

    @property
    def url(self) -> str:
        return f"{FOLDER}/{self.file}"

    @property
    def sha256(self) -> str:
        """The first eight digits or ten."""
        return self.file.removesuffix(".pth").rpartition("-")[2]


PUBLISHED: dict[str, Published] = {
    "alexnet_tv": Published("alexnet-owt-7be5be79.pth"),
    "convnext_base": Published("convnext_base-6075fbad.pth", resize_size=232),
    "convnext_large": Published("convnext_large-ea097f82.pth", resize_size=232),
    "convnext_small": Published("convnext_small-0c510722.pth", resize_size=230),
    "convnext_tiny": Published("convnext_tiny-983f1562.pth", resize_size=236),
    "densenet121": Published("densenet121-a639ec97.pth"),
    "densenet161": Published("densenet161-8d451a50.pth"),
    "densenet169": Published("densenet169-b2777c0a.pth"),
    "densenet201": Published("densenet201-c1103571.pth"),
    "efficientnet_b0": Published("efficientnet_b0_rwightman-7f5810bc.pth"),
    "efficientnet_b1": Published("efficientnet_b1_rwightman-bac287d4.pth", crop_size=240),
    "efficientnet_b2": Published("efficientnet_b2_rwightman-c35c1473.pth", resize_size=288, crop_size=288),
    "efficientnet_b3": Published("efficientnet_b3_rwightman-b3899882.pth", resize_size=320, crop_size=300),
    "efficientnet_b4": Published("efficientnet_b4_rwightman-23ab8bcd.pth", resize_size=384, crop_size=380),
    "efficientnet_b5": Published("efficientnet_b5_lukemelas-1a07897c.pth", resize_size=456, crop_size=456),
    "efficientnet_b6": Published("efficientnet_b6_lukemelas-24a108a5.pth", resize_size=528, crop_size=528),
    "efficientnet_b7": Published("efficientnet_b7_lukemelas-c5b4e57e.pth", resize_size=600, crop_size=600),
    "efficientnet_v2_l": Published("efficientnet_v2_l-59c71312.pth", *HALVES, resize_size=480, crop_size=480),
    "efficientnet_v2_m": Published("efficientnet_v2_m-dc08266a.pth", resize_size=480, crop_size=480),
    "efficientnet_v2_s": Published("efficientnet_v2_s-dd5fe13b.pth", resize_size=384, crop_size=384),
    "googlenet_tv": Published(
        "googlenet-1378be20.pth", settings={"transform_input": True, "aux_logits": False}, unconverted=HALVES
    ),
    "inception_v3": Published(
        "inception_v3_google-0cc3c7bd.pth",
        resize_size=342,
        crop_size=299,
        settings={"transform_input": True},
        unconverted=HALVES,
    ),
    "mnasnet0_5": Published("mnasnet0.5_top1_67.823-3ffadce67e.pth"),
    "mnasnet0_75": Published("mnasnet0_75-7090bc5f.pth", resize_size=232),
    "mnasnet1_0": Published("mnasnet1.0_top1_73.512-f206786ef8.pth"),
    "mnasnet1_3": Published("mnasnet1_3-a4c69d6f.pth", resize_size=232),
    "mobilenet_v2": Published("mobilenet_v2-b0353104.pth"),
    "mobilenet_v3_large": Published("mobilenet_v3_large-8738ca79.pth"),
    "mobilenet_v3_small": Published("mobilenet_v3_small-047dcff4.pth"),
    "regnet_x_1_6gf": Published("regnet_x_1_6gf-e3633e7f.pth"),
    "regnet_x_3_2gf": Published("regnet_x_3_2gf-f342aeae.pth"),
    "regnet_x_8gf": Published("regnet_x_8gf-03ceed89.pth"),
    "regnet_x_16gf": Published("regnet_x_16gf-2007eb11.pth"),
    "regnet_x_32gf": Published("regnet_x_32gf-9d47f8d0.pth"),
    "regnet_x_400mf_tv": Published("regnet_x_400mf-adf1edd5.pth"),
    "regnet_x_800mf": Published("regnet_x_800mf-ad17e45c.pth"),
    "regnet_y_1_6gf": Published("regnet_y_1_6gf-b11a554e.pth"),
    "regnet_y_3_2gf": Published("regnet_y_3_2gf-b5a9779c.pth"),
    "regnet_y_8gf_tv": Published("regnet_y_8gf-d0d0e4a8.pth"),
    "regnet_y_16gf": Published("regnet_y_16gf-9e6ed7dd.pth"),
    "regnet_y_32gf": Published("regnet_y_32gf-4dee3f7a.pth"),
    "regnet_y_400mf": Published("regnet_y_400mf-c65dace8.pth"),
    "regnet_y_800mf_tv": Published("regnet_y_800mf-1b27b58c.pth"),
    "resnet18": Published("resnet18-f37072fd.pth"),
    "resnet34": Published("resnet34-b627a593.pth"),
    "resnet50": Published("resnet50-0676ba61.pth"),
    "resnet101": Published("resnet101-63fe2227.pth"),
    "resnet152": Published("resnet152-394f9c45.pth"),
    "resnext50_32x4d": Published("resnext50_32x4d-7cdf4587.pth"),
    "resnext101_32x8d": Published("resnext101_32x8d-8ba56ff5.pth"),
    "resnext101_64x4d": Published("resnext101_64x4d-173b62eb.pth", resize_size=232),
    "shufflenet_v2_x0_5": Published("shufflenetv2_x0.5-f707e7126e.pth"),
    "shufflenet_v2_x1_0": Published("shufflenetv2_x1-5666bf0f80.pth"),
    "shufflenet_v2_x1_5": Published("shufflenetv2_x1_5-3c479a10.pth", resize_size=232),
    "shufflenet_v2_x2_0": Published("shufflenetv2_x2_0-8be3c8ee.pth", resize_size=232),
    "squeezenet1_0": Published("squeezenet1_0-b66bff10.pth"),
    "squeezenet1_1": Published("squeezenet1_1-b8a52dc0.pth"),
    "vgg11": Published("vgg11-8a719046.pth"),
    "vgg11_bn": Published("vgg11_bn-6002323d.pth"),
    "vgg13": Published("vgg13-19584684.pth"),
    "vgg13_bn": Published("vgg13_bn-abd245e5.pth"),
    "vgg16": Published("vgg16-397923af.pth"),
    "vgg16_bn": Published("vgg16_bn-6c64b313.pth"),
    "vgg19": Published("vgg19-dcbb9e9d.pth"),
    "vgg19_bn": Published("vgg19_bn-c79401a0.pth"),
    "wide_resnet50_2": Published("wide_resnet50_2-95faca4d.pth"),
    "wide_resnet101_2": Published("wide_resnet101_2-32ee1156.pth"),
}


WEIGHTS: dict[str, dict[str, Published]] = {
    "IMAGENET1K_V1": PUBLISHED,
    "IMAGENET1K_V2": {
        "efficientnet_b1": Published("efficientnet_b1-c27df63c.pth", resize_size=255, crop_size=240),
        "mobilenet_v2": Published("mobilenet_v2-7ebf99e0.pth", resize_size=232),
        "mobilenet_v3_large": Published("mobilenet_v3_large-5c1a4163.pth", resize_size=232),
        "regnet_x_1_6gf": Published("regnet_x_1_6gf-a12f2b72.pth", resize_size=232),
        "regnet_x_3_2gf": Published("regnet_x_3_2gf-7071aa85.pth", resize_size=232),
        "regnet_x_8gf": Published("regnet_x_8gf-2b70d774.pth", resize_size=232),
        "regnet_x_16gf": Published("regnet_x_16gf-ba3796d7.pth", resize_size=232),
        "regnet_x_32gf": Published("regnet_x_32gf-6eb8fdc6.pth", resize_size=232),
        "regnet_x_400mf_tv": Published("regnet_x_400mf-62229a5f.pth", resize_size=232),
        "regnet_x_800mf": Published("regnet_x_800mf-94a99ebd.pth", resize_size=232),
        "regnet_y_1_6gf": Published("regnet_y_1_6gf-0d7bc02a.pth", resize_size=232),
        "regnet_y_3_2gf": Published("regnet_y_3_2gf-9180c971.pth", resize_size=232),
        "regnet_y_8gf_tv": Published("regnet_y_8gf-dc2b1b54.pth", resize_size=232),
        "regnet_y_16gf": Published("regnet_y_16gf-3e4a00f9.pth", resize_size=232),
        "regnet_y_32gf": Published("regnet_y_32gf-8db6d4b5.pth", resize_size=232),
        "regnet_y_400mf": Published("regnet_y_400mf-e6988f5f.pth", resize_size=232),
        "regnet_y_800mf_tv": Published("regnet_y_800mf-58fc7688.pth", resize_size=232),
        "resnet50": Published("resnet50-11ad3fa6.pth", resize_size=232),
        "resnet101": Published("resnet101-cd907fc2.pth", resize_size=232),
        "resnet152": Published("resnet152-f82ba261.pth", resize_size=232),
        "resnext50_32x4d": Published("resnext50_32x4d-1a0047aa.pth", resize_size=232),
        "resnext101_32x8d": Published("resnext101_32x8d-110c445d.pth", resize_size=232),
        "wide_resnet50_2": Published("wide_resnet50_2-9ba9bcbe.pth", resize_size=232),
        "wide_resnet101_2": Published("wide_resnet101_2-d733dc28.pth", resize_size=232),
    },
    "IMAGENET1K_SWAG_E2E_V1": {
        "regnet_y_16gf": Published("regnet_y_16gf_swag-43afe44d.pth", resize_size=384, crop_size=384),
        "regnet_y_32gf": Published("regnet_y_32gf_swag-04fdfa75.pth", resize_size=384, crop_size=384),
    },
    "IMAGENET1K_SWAG_LINEAR_V1": {
        "regnet_y_16gf": Published("regnet_y_16gf_lc_swag-f3ec0043.pth", resize_size=224),
        "regnet_y_32gf": Published("regnet_y_32gf_lc_swag-e1583746.pth", resize_size=224),
    },
    "IMAGENET1K_FEATURES": {
        "vgg16": Published("vgg16_features-amdegroot-88682ab5.pth", (0.48235, 0.45882, 0.40784), (1 / 255,) * 3),
    },
}
"""By torchvision's name of the weights. Those of `IMAGENET1K_FEATURES` have no classifier: it is not a number."""


def read_weights(name: str, weights: Any) -> Published | None:
    """What torchvision's `weights` mean for a registered network: None, "DEFAULT" for the newest, "IMAGENET1K_V2",
    "ResNet50_Weights.IMAGENET1K_V2", or a member of torchvision's enum. ValueError for weights of another network,
    CheckpointError where the network has none."""
    if weights is None:
        return None
    if isinstance(weights, Published):
        return weights
    if isinstance(weights, str):
        kind, _, tag = weights.rpartition(".")
    else:
        kind, tag = type(weights).__name__, getattr(weights, "name", "")
    published(name)
    own: dict[str, Published] = {other: files[name] for other, files in WEIGHTS.items() if name in files}
    if kind and kind.lower() != f"{name.removesuffix('_tv')}_weights":
        raise InvalidValueError(f"weights={quoted(weights)} are not of {name}, which has {listed(own)} and DEFAULT")
    if tag == "DEFAULT":
        tag = "IMAGENET1K_V2" if "IMAGENET1K_V2" in own else "IMAGENET1K_V1"
    if tag not in own:
        takes = "pretrained= takes the path of another file"
        raise InvalidValueError(f"weights={quoted(weights)}: {name} has {listed(own)} and DEFAULT; {takes}")
    return own[tag]


def get_weight(name: str) -> Published:
    """Published weights by torchvision's name, "ResNet50_Weights.DEFAULT" or "ResNet50_Weights.IMAGENET1K_V1": their
    file, and the mean and deviation of the images that go with them."""
    network = name.partition("_Weights")[0].lower()
    weights = read_weights(f"{network}_tv" if f"{network}_tv" in PUBLISHED else network, name)
    assert weights is not None
    return weights


Source: TypeAlias = "Published | str | os.PathLike[str] | None"
"""Where weights are: a published file, or the path of another."""


def find_weights(
    name: str,
    pretrained: bool | Source = None,
    weights: Any = None,
    checkpoint_path: str | os.PathLike[str] | None = None,
) -> Source:
    """What `create_model`'s keywords for weights say together; ValueError where two of them say something."""
    path = pretrained or checkpoint_path
    if not name and (weights or path is True):
        raise InvalidValueError(
            "published weights go with a registered network; of a description, pretrained= is the path of a file"
        )
    said = {"pretrained": pretrained, "weights": weights, "checkpoint_path": checkpoint_path}
    given = {key: value for key, value in said.items() if value}
    if len(given) > 1:
        raise InvalidValueError(f"{' and '.join(given)} both say which weights: give one of them")
    if weights:
        return read_weights(name, weights)
    path = pretrained or checkpoint_path
    if isinstance(path, Published):
        return path
    if path and not isinstance(path, bool | str | os.PathLike):
        raise InvalidTypeError(f"{given.popitem()[0]}= takes the path of a file of weights, got {quoted(path)}")
    return published(name) if path is True else _known(name, path) if path else None


def _known(name: str, path: str | os.PathLike[str]) -> Source:
    """A path, or the published file that is there by its content, if keywords of the builder go with it."""
    for files in WEIGHTS.values():
        weights = files.get(name)
        if weights is not None and weights.settings and Path(path).is_file():
            with Path(path).open("rb") as file:
                if file_digest(file, "sha256").hexdigest().startswith(weights.sha256):
                    return weights._replace(path=Path(path))
    return path


def config_of(name: str, source: Source, description: Node) -> dict[str, Any]:
    """What timm's `pretrained_cfg` says of weights and of the images that go with them; where no published ones are
    loaded, of the first that are published, and nothing where there are none."""
    weights = source if isinstance(source, Published) else PUBLISHED.get(name)
    if weights is None:
        return {"architecture": name}
    converts = any(isinstance(node, ScaleShift) for _, node in walk(description))
    mean, std = (weights.mean, weights.std) if converts or weights.unconverted is None else weights.unconverted
    image = {"mean": mean, "std": std, "interpolation": "bilinear", "crop_pct": weights.crop_size / weights.resize_size}
    return {"architecture": name, "url": weights.url, **image}


def published(name: str) -> Published:
    """The first file published for a registered network; CheckpointError, with its nearest kin, where there is none."""
    family = get_builder(name).__module__
    if name in PUBLISHED:
        return PUBLISHED[name]
    kin = [other for other in PUBLISHED if get_builder(other).__module__ == family]
    nearest = min(kin, key=lambda other: distance(name, other), default=None)
    hint = f"; of its family, `{nearest}` has" if nearest else ""
    raise CheckpointError(f"no weights are published for `{name}`{hint}; pretrained= also takes a file's path")
