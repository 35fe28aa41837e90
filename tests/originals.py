"""Of which networks of torchvision, timm and pytorchcv registered networks are the same, where these are installed, and
of which that are written by hand.

A registered network's tensors have torchvision's names where torchvision has it, else timm's, else pytorchcv's; where
several have it, the others' files load when its tensors are renamed in their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import reduce
from types import MappingProxyType
from typing import Any, NamedTuple

import by_hand
import pytest
from libraries import stub_torchvision
from torch import nn

NONE: Mapping[str, Any] = MappingProxyType({})


class Original(NamedTuple):
    """A library's network, or `by_hand`'s: `model` as it is called there, made with `settings`, ours with `ours`."""

    library: str
    model: str
    settings: Mapping[str, Any] = NONE
    ours: Mapping[str, Any] = NONE
    side: int | tuple[int, int] = 64
    """Of the images that both are given; and a third as much more, unless it is `fixed`, as height and width are."""
    fixed: bool = False
    tolerance: float = 0
    """How far outputs may lie apart, as a share of the largest; 0: they are the same bits."""
    renamed: bool | Mapping[str, Any] = False
    """Whether its tensors have other names than ours, in the same order; or patterns that give ours of its names, where
    the order, too, is another."""

    def named(self, state: Mapping[str, Any], own: Iterable[str]) -> dict[str, str]:
        """Our name of each of its tensors."""
        if isinstance(self.renamed, bool):
            return dict(zip(state, own if self.renamed else state, strict=True))
        return {name: reduce(lambda text, one: re.sub(*one, text), self.renamed.items(), name) for name in state}

    def make(self) -> nn.Module:
        """The library's network, with weights of its own drawing; skips the test where it is not installed."""
        if self.library == "by_hand":
            return by_hand.make(self.model, **self.settings)
        stub_torchvision()  # first: timm imports torchvision too
        if self.library == "timm":
            made: nn.Module = pytest.importorskip("timm").create_model(self.model, **self.settings)
        elif self.library == "pytorchcv":
            made = pytest.importorskip("pytorchcv.model_provider").get_model(self.model, **self.settings)
        else:
            made = pytest.importorskip("torchvision.models").get_model(self.model, weights=None, **self.settings)
        return made


def named(library: str, *names: str, **how: Any) -> list[tuple[str, Original]]:
    """Networks whose name is the library's."""
    return [(name, Original(library, name, **how)) for name in names]


TIMM_REGNET = {
    r"^s(\d)\.b(\d+)": lambda found: f"trunk_output.block{found[1]}.block{found[1]}-{int(found[2]) - 1}",
    r"conv1\.": "f.a.",
    r"conv2\.": "f.b.",
    r"conv3\.": "f.c.",
    r"\.se\.": ".f.se.",
    r"downsample\.": "proj.",
    r"\.conv\.": ".0.",
    r"\.bn\.": ".1.",
    r"^head\.": "",
}
TIMM_SIZES = {
    "200mf": "002",
    "400mf": "004",
    "600mf": "006",
    "800mf": "008",
    "1_6gf": "016",
    "3_2gf": "032",
    "4gf": "040",
    "6_4gf": "064",
    "8gf": "080",
    "12gf": "120",
    "16gf": "160",
    "32gf": "320",
}

TIMM_CONVNEXT = {
    r"^stem\.": "features.0.",
    r"^stages\.(\d)\.downsample\.": lambda found: f"features.{2 * int(found[1])}.",
    r"^stages\.(\d)\.blocks\.": lambda found: f"features.{2 * int(found[1]) + 1}.",
    r"gamma": "layer_scale",
    r"conv_dw": "block.0",
    r"(\d)\.norm": r"\1.block.2",
    r"mlp\.fc1": "block.3",
    r"mlp\.fc2": "block.5",
    r"^head\.norm": "classifier.0",
    r"^head\.fc": "classifier.2",
}

ORIGINALS: list[tuple[str, Original]] = [
    # alexnet
    ("alexnet_tv", Original("torchvision", "alexnet")),
    # darknet
    ("cspdarknet53", Original("timm", "cspdarknet53", ours={"negative_slope": 0.01})),
    ("darknet19", Original("pytorchcv", "darknet19", side=224, fixed=True, tolerance=1e-6)),  # averages windows of 7x7
    ("darknet53", Original("timm", "darknet53", ours={"negative_slope": 0.01})),
    # convnext: permutations that are views make convolutions add up in another order
    *named("torchvision", "convnext_tiny", "convnext_small", "convnext_base", "convnext_large", tolerance=2e-6),
    *named("timm", "convnext_tiny", "convnext_xlarge", renamed=TIMM_CONVNEXT, tolerance=2e-6),
    # convnext_v2
    *named("timm", "convnextv2_atto", "convnextv2_femto", "convnextv2_pico", "convnextv2_nano", tolerance=2e-6),
    *named("timm", "convnextv2_tiny", "convnextv2_base", "convnextv2_large", tolerance=2e-6),
    # deeplabv3, fcn
    *named("torchvision", "fcn_resnet50", "deeplabv3_resnet50", settings={"weights_backbone": None}),
    *named(
        "torchvision",
        "fcn_resnet101",
        "deeplabv3_resnet101",
        settings={"weights_backbone": None, "aux_loss": True},
        ours={"aux_loss": True},
    ),
    # densenet
    *named("torchvision", "densenet121", "densenet161", "densenet169", "densenet201"),
    *named("timm", "densenet121", "densenet161", "densenet169", "densenet201"),
    *named("by_hand", "densenet40_12"),
    ("densenet100_12", Original("by_hand", "densenet40_12", {"layers": 32})),
    ("densenet100_24", Original("by_hand", "densenet40_12", {"layers": 32, "growth": 24})),
    ("densenet_bc100_12", Original("by_hand", "densenet40_12", {"layers": 16, "bc": True})),
    ("densenet_bc190_40", Original("by_hand", "densenet40_12", {"layers": 31, "growth": 40, "bc": True})),
    ("densenet_bc250_24", Original("by_hand", "densenet40_12", {"layers": 41, "growth": 24, "bc": True})),
    # dla
    *named("timm", "dla34", side=96),
    # dpn
    *named("timm", "dpn68", "dpn92"),
    # efficientnet
    *named("torchvision", *(f"efficientnet_b{number}" for number in range(8))),
    *named("timm", *(f"efficientnet_b{number}" for number in range(5)), renamed=True, tolerance=1e-6),
    *named("timm", "efficientnet_lite0", "tf_efficientnet_lite0"),
    # efficientnet_v2
    *named("torchvision", "efficientnet_v2_s", "efficientnet_v2_m", "efficientnet_v2_l"),
    # ghostnet
    ("ghostnet", Original("timm", "ghostnet_100")),
    ("ghostnet", Original("timm", "ghostnet_130", ours={"width_mult": 1.3})),
    # googlenet
    ("googlenet_tv", Original("torchvision", "googlenet")),
    # hrnet
    *named("timm", "hrnet_w18", "hrnet_w32", side=96),
    # inception_v3
    ("inception_v3", Original("torchvision", "inception_v3", side=299)),
    ("inception_v3", Original("timm", "inception_v3", ours={"aux_logits": False}, side=96)),
    # inception_v4
    *named("timm", "inception_v4", "inception_resnet_v2", side=96),
    # mnasnet
    *named("torchvision", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3"),
    ("mnasnet_a1", Original("timm", "semnasnet_100")),
    # mobilenet_v1
    ("mobilenet_v1", Original("timm", "mobilenetv1_100")),
    # mobilenet_v2
    *named("torchvision", "mobilenet_v2"),
    *named("torchvision", "mobilenet_v2", settings={"width_mult": 1.4}, ours={"width_mult": 1.4}),
    *named("torchvision", "mobilenet_v2", settings={"width_mult": 0.35}, ours={"width_mult": 0.35}),
    ("mobilenet_v2", Original("timm", "mobilenetv2_100", renamed=True)),
    # mobilenet_v3
    *named("torchvision", "mobilenet_v3_large", "mobilenet_v3_small"),
    *named("torchvision", "mobilenet_v3_small", settings={"width_mult": 0.75}, ours={"width_mult": 0.75}),
    # preresnet
    *named("by_hand", "preresnet164", "preresnet152", "resnet50v2"),
    ("preresnet200", Original("by_hand", "preresnet152", {"blocks": (3, 24, 36, 3)})),
    ("resnet101v2", Original("by_hand", "resnet50v2", {"blocks": (3, 4, 23, 3)})),
    ("resnet152v2", Original("by_hand", "resnet50v2", {"blocks": (3, 8, 36, 3)})),
    *named("timm", "resnetv2_50", "resnetv2_101", "resnetv2_152"),
    # regnet
    *[
        (f"regnet_{kind}_{size}", Original("torchvision", f"regnet_{kind}_{size}"))
        for kind in "xy"
        for size in ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")
        if (kind, size) not in {("x", "400mf"), ("y", "800mf"), ("y", "8gf")}
    ],
    ("regnet_x_400mf_tv", Original("torchvision", "regnet_x_400mf")),
    ("regnet_y_800mf_tv", Original("torchvision", "regnet_y_800mf")),
    ("regnet_y_8gf_tv", Original("torchvision", "regnet_y_8gf")),
    *[
        (f"regnet_{kind}_{size}", Original("timm", f"regnet{kind}_{number}", renamed=TIMM_REGNET))
        for kind in "xy"
        for size, number in TIMM_SIZES.items()
    ],
    # repvgg
    *named("timm", "repvgg_a0", "repvgg_a1", "repvgg_a2", "repvgg_b0", "repvgg_b1", "repvgg_b2", "repvgg_b3"),
    # resnet
    *named("torchvision", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    *named("timm", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    *named("by_hand", "resnet20"),
    *((f"resnet{6 * n + 2}", Original("by_hand", "resnet20", {"blocks": n})) for n in (5, 7, 9, 18)),  # 1202 overflow
    *((f"plain{6 * n + 2}", Original("by_hand", "resnet20", {"blocks": n, "shortcut": False})) for n in (3, 5, 7, 9)),
    # cbam, ecanet, senet
    ("ecaresnet50", Original("timm", "ecaresnet50d", ours={"deep_stem": True, "shortcut": "D"})),
    *named("timm", "seresnet50", "seresnet101", "seresnet152", "seresnext50_32x4d", "seresnext101_32x4d"),
    ("senet154", Original("timm", "legacy_senet154")),
    # res2net
    *(
        ("res2net50_26w_4s", Original("timm", model, ours={"base_width": base_width, "scale": scale}))
        for model, base_width, scale in (
            ("res2net50_26w_4s", 26, 4),
            ("res2net50_14w_8s", 14, 8),
            ("res2net50_48w_2s", 48, 2),
        )
    ),
    # resnet_d
    *named("timm", "resnet18d", "resnet26d", "resnet34d", "resnet50d", "resnet101d", "resnet152d"),
    ("resnet26d", Original("timm", "resnet26d", settings={"output_stride": 8}, ours={"output_stride": 8})),
    # resnext
    *named("torchvision", "resnext50_32x4d", "resnext101_64x4d", "resnext101_32x8d"),
    *named("timm", "resnext50_32x4d", "resnext101_32x4d", "resnext101_64x4d", "resnext101_32x8d"),
    (
        "resnext29_16x64d",
        Original("pytorchcv", "resnext29_16x64d_cifar10", side=32, fixed=True, tolerance=1e-6, renamed=True),
    ),  # averages windows of 8x8
    # shufflenet
    *[
        (
            f"shufflenet_g{groups}",
            Original("pytorchcv", f"shufflenet_g{groups}_w1", side=224, fixed=True, tolerance=1e-6),
        )
        for groups in (1, 2, 3, 4, 8)  # averages windows of 7x7
    ],
    *[
        ("shufflenet_g3", Original("pytorchcv", name, ours={"width_mult": width}, side=224, fixed=True, tolerance=1e-6))
        for name, width in (("shufflenet_g3_wd4", 0.25), ("shufflenet_g3_wd2", 0.5))
    ],
    # shufflenet_v2
    *named("torchvision", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0"),
    # squeezenet
    *named("torchvision", "squeezenet1_0", "squeezenet1_1"),
    # tiny
    *named("by_hand", "tiny_resnet8", "tiny_mobilenet"),
    ("tiny_ds_cnn", Original("by_hand", "tiny_ds_cnn", side=(49, 10))),
    ("tiny_autoencoder", Original("by_hand", "tiny_autoencoder", side=())),
    # vgg
    *named("torchvision", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"),
    # unet
    *named("by_hand", "unet", side=188),
    *named("by_hand", "unet_padded"),
    # wide_resnet
    *named("torchvision", "wide_resnet50_2", "wide_resnet101_2"),
    *named("timm", "wide_resnet50_2", "wide_resnet101_2"),
    *named("by_hand", "wide_resnet28_10"),
    ("wide_resnet16_8", Original("by_hand", "wide_resnet28_10", {"depth": 16, "factor": 8})),
    ("wide_resnet40_4", Original("by_hand", "wide_resnet28_10", {"depth": 40, "factor": 4})),
    *(
        (
            "wide_resnet28_10",
            Original("by_hand", "wide_resnet28_10", {"factor": 2, "kernels": kernels}, {"widen": 2, "block": kernels}),
        )
        for kernels in ((1, 3, 1), (3, 1), (3, 1, 3))
    ),
    # xception
    ("xception", Original("timm", "legacy_xception")),
]
"""With the registered name of each."""
