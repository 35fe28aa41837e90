"""The networks of timm whose published weights a registered network loads, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Fit(NamedTuple):
    """A registered network and the one of timm that gives the same outputs with the same weights."""

    network: str
    model: str
    """timm's name of it, which its published weights have before the first dot."""
    settings: Mapping[str, Any] = MappingProxyType({})
    """Keywords of the registered network, where it is not timm's without."""
    renamed: bool = False
    """Whether timm's tensors have other names, so that `load_checkpoint` must be given `rename`."""


FITS = (
    Fit("convnextv2_atto", "convnextv2_atto"),
    Fit("convnextv2_base", "convnextv2_base"),
    Fit("convnextv2_femto", "convnextv2_femto"),
    Fit("convnextv2_huge", "convnextv2_huge"),
    Fit("convnextv2_large", "convnextv2_large"),
    Fit("convnextv2_nano", "convnextv2_nano"),
    Fit("convnextv2_pico", "convnextv2_pico"),
    Fit("convnextv2_tiny", "convnextv2_tiny"),
    Fit("cspdarknet53", "cspdarknet53", {"negative_slope": 0.01}),
    Fit("darknet53", "darknet53", {"negative_slope": 0.01}),
    Fit("densenet121", "densenet121"),
    Fit("densenet161", "densenet161"),
    Fit("densenet169", "densenet169"),
    Fit("densenet201", "densenet201"),
    Fit("dla34", "dla34"),
    Fit("dpn68", "dpn68"),
    Fit("dpn92", "dpn92"),
    Fit("ecaresnet50", "ecaresnet50d", {"deep_stem": True, "shortcut": "D"}),
    Fit("efficientnet_b0", "efficientnet_b0", renamed=True),
    Fit("efficientnet_b1", "efficientnet_b1", renamed=True),
    Fit("efficientnet_b2", "efficientnet_b2", renamed=True),
    Fit("efficientnet_b3", "efficientnet_b3", renamed=True),
    Fit("efficientnet_b4", "efficientnet_b4", renamed=True),
    Fit("efficientnet_lite0", "efficientnet_lite0"),
    Fit("tf_efficientnet_lite0", "tf_efficientnet_lite0"),
    Fit("ghostnet", "ghostnet_100"),
    Fit("hrnet_w18", "hrnet_w18"),
    Fit("hrnet_w32", "hrnet_w32"),
    Fit("inception_resnet_v2", "inception_resnet_v2"),
    Fit("inception_v3", "inception_v3", {"aux_logits": False}),
    Fit("inception_v4", "inception_v4"),
    Fit("mnasnet_a1", "semnasnet_100"),
    Fit("mobilenet_v1", "mobilenetv1_100"),
    Fit("mobilenet_v2", "mobilenetv2_100", renamed=True),
    Fit("regnet_x_1_6gf", "regnetx_016", renamed=True),
    Fit("regnet_x_3_2gf", "regnetx_032", renamed=True),
    Fit("regnet_x_4gf", "regnetx_040", renamed=True),
    Fit("regnet_x_6_4gf", "regnetx_064", renamed=True),
    Fit("regnet_x_8gf", "regnetx_080", renamed=True),
    Fit("regnet_x_12gf", "regnetx_120", renamed=True),
    Fit("regnet_x_16gf", "regnetx_160", renamed=True),
    Fit("regnet_x_32gf", "regnetx_320", renamed=True),
    Fit("regnet_x_200mf", "regnetx_002", renamed=True),
    Fit("regnet_x_400mf", "regnetx_004", renamed=True),
    Fit("regnet_x_600mf", "regnetx_006", renamed=True),
    Fit("regnet_x_800mf", "regnetx_008", renamed=True),
    Fit("regnet_y_1_6gf", "regnety_016", renamed=True),
    Fit("regnet_y_3_2gf", "regnety_032", renamed=True),
    Fit("regnet_y_4gf", "regnety_040", renamed=True),
    Fit("regnet_y_6_4gf", "regnety_064", renamed=True),
    Fit("regnet_y_8gf", "regnety_080", renamed=True),
    Fit("regnet_y_12gf", "regnety_120", renamed=True),
    Fit("regnet_y_16gf", "regnety_160", renamed=True),
    Fit("regnet_y_32gf", "regnety_320", renamed=True),
    Fit("regnet_y_200mf", "regnety_002", renamed=True),
    Fit("regnet_y_400mf", "regnety_004", renamed=True),
    Fit("regnet_y_600mf", "regnety_006", renamed=True),
    Fit("regnet_y_800mf", "regnety_008", renamed=True),
    Fit("repvgg_a0", "repvgg_a0"),
    Fit("repvgg_a1", "repvgg_a1"),
    Fit("repvgg_a2", "repvgg_a2"),
    Fit("repvgg_b0", "repvgg_b0"),
    Fit("repvgg_b1", "repvgg_b1"),
    Fit("repvgg_b2", "repvgg_b2"),
    Fit("repvgg_b3", "repvgg_b3"),
    Fit("res2net50_26w_4s", "res2net50_26w_4s", {"base_width": 26, "scale": 4}),
    Fit("res2net50_26w_4s", "res2net50_14w_8s", {"base_width": 14, "scale": 8}),
    Fit("res2net50_26w_4s", "res2net50_48w_2s", {"base_width": 48, "scale": 2}),
    Fit("resnet18", "resnet18"),
    Fit("resnet18d", "resnet18d"),
    Fit("resnet26d", "resnet26d"),
    Fit("resnet34", "resnet34"),
    Fit("resnet34d", "resnet34d"),
    Fit("resnet50", "resnet50"),
    Fit("resnet50d", "resnet50d"),
    Fit("resnet101", "resnet101"),
    Fit("resnet101d", "resnet101d"),
    Fit("resnet152", "resnet152"),
    Fit("resnet152d", "resnet152d"),
    Fit("resnetv2_50", "resnetv2_50"),
    Fit("resnetv2_101", "resnetv2_101"),
    Fit("resnext50_32x4d", "resnext50_32x4d"),
    Fit("resnext101_32x4d", "resnext101_32x4d"),
    Fit("resnext101_32x8d", "resnext101_32x8d"),
    Fit("resnext101_64x4d", "resnext101_64x4d"),
    Fit("senet154", "legacy_senet154"),
    Fit("seresnet50", "seresnet50"),
    Fit("seresnext50_32x4d", "seresnext50_32x4d"),
    Fit("seresnext101_32x4d", "seresnext101_32x4d"),
    Fit("vgg11", "vgg11"),
    Fit("vgg11_bn", "vgg11_bn"),
    Fit("vgg13", "vgg13"),
    Fit("vgg13_bn", "vgg13_bn"),
    Fit("vgg16", "vgg16"),
    Fit("vgg16_bn", "vgg16_bn"),
    Fit("vgg19", "vgg19"),
    Fit("vgg19_bn", "vgg19_bn"),
    Fit("wide_resnet50_2", "wide_resnet50_2"),
    Fit("wide_resnet101_2", "wide_resnet101_2"),
    Fit("xception", "legacy_xception"),
)
"""In the order of the networks. Outputs are compared by `tests/test_originals.py`; what it lacks, `tests/test_show.py`
names. timm's names in VGG are read as such."""
