"""The weights that torchvision publishes, by registered name: where each file is, and what input it expects.

The files are those of `IMAGENET1K_V1` in torchvision's own weights; each carries the first eight digits of
its SHA-256 in its name. Later weights of the same networks load by path.
"""

from __future__ import annotations

from typing import NamedTuple

from ..registry import get_builder
from ..words import distance
from .headers import CheckpointError

FOLDER = "https://download.pytorch.org/models"

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of red, green and blue that torchvision normalises values in [0, 1] with."""

HALVES = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Those of TensorFlow's GoogLeNet: inputs in [-1, 1]."""


class Published(NamedTuple):
    """A published file, and the mean and standard deviation that its network's input is normalised with."""

    file: str
    mean: tuple[float, float, float] = IMAGENET[0]
    std: tuple[float, float, float] = IMAGENET[1]

    @property
    def url(self) -> str:
        return f"{FOLDER}/{self.file}"

    @property
    def sha256(self) -> str:
        """The first eight digits."""
        return self.file.removesuffix(".pth").rpartition("-")[2]


PUBLISHED = {
    "alexnet_tv": Published("alexnet-owt-7be5be79.pth"),
    "densenet121": Published("densenet121-a639ec97.pth"),
    "densenet161": Published("densenet161-8d451a50.pth"),
    "densenet169": Published("densenet169-b2777c0a.pth"),
    "densenet201": Published("densenet201-c1103571.pth"),
    "googlenet_tv": Published("googlenet-1378be20.pth", *HALVES),
    "resnet18": Published("resnet18-f37072fd.pth"),
    "resnet34": Published("resnet34-b627a593.pth"),
    "resnet50": Published("resnet50-0676ba61.pth"),
    "resnet101": Published("resnet101-63fe2227.pth"),
    "resnet152": Published("resnet152-394f9c45.pth"),
    "vgg11": Published("vgg11-8a719046.pth"),
    "vgg11_bn": Published("vgg11_bn-6002323d.pth"),
    "vgg13": Published("vgg13-19584684.pth"),
    "vgg13_bn": Published("vgg13_bn-abd245e5.pth"),
    "vgg16": Published("vgg16-397923af.pth"),
    "vgg16_bn": Published("vgg16_bn-6c64b313.pth"),
    "vgg19": Published("vgg19-dcbb9e9d.pth"),
    "vgg19_bn": Published("vgg19_bn-c79401a0.pth"),
}


def published(name: str) -> Published:
    """The file published for a registered network; CheckpointError, naming its nearest kin, where there is none."""
    family = get_builder(name).__module__
    if name in PUBLISHED:
        return PUBLISHED[name]
    kin = [other for other in PUBLISHED if get_builder(other).__module__ == family]
    nearest = min(kin, key=lambda other: distance(name, other), default=None)
    hint = f"; of its family, `{nearest}` has" if nearest else ""
    raise CheckpointError(f"no weights are published for `{name}`{hint}; pretrained= also takes a file's path")
