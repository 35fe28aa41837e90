"""timm's networks without attention become descriptions, where timm is installed: 50 that are drawn with a seed."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Any

import pytest
import torch
from libraries import stub_torchvision
from torch import nn
from torch.overrides import TorchFunctionMode
from traced import as_views, is_it, outputs

from cnnzoo.arch import Shape, walk
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.measuring.measure import measure
from cnnzoo.pytorch.tracing import describe

pytestmark = [pytest.mark.wide, pytest.mark.filterwarnings("ignore")]

SEED = 14
LARGEST = 100_000_000
"""Parameters; larger networks are not drawn: each is made twice here, with weights."""

NETWORKS = [
    "tf_efficientnet_b5",
    "mixnet_xxl",
    "regnetz_c16_evos",
    "densenet201",
    "nf_regnet_b2",
    "regnety_006",
    "regnetz_e8",
    "regnetx_016",
    "dla102x2",
    "rexnetr_150",
    "hardcorenas_c",
    "convformer_s18",
    "poolformer_s36",
    "focalnet_small_lrf",
    "efficientnetv2_rw_m",
    "convformer_b36",
    "densenet169",
    "repvgg_a1",
    "res2net101_26w_4s",
    "repvgg_b0",
    "resnetv2_101d",
    "mobilenetv3_large_150d",
    "repvgg_b3g4",
    "fbnetc_100",
    "ecaresnet50d",
    "darknet53",
    "mobilenetv4_conv_medium",
    "resnest200e",
    "cs3darknet_focus_x",
    "mobilenetv3_small_075",
    "seresnet152d",
    "hgnetv2_b1",
    "efficientnet_b3",
    "lcnetv2_large",
    "lcnet_150",
    "resnet50c",
    "efficientnet_es_pruned",
    "resnet101_clip_gap",
    "regnetx_080",
    "tf_efficientnet_b7",
    "resnet26",
    "res2net50_14w_8s",
    "res2net50_26w_8s",
    "gmlp_s16_224",
    "fbnetv3_d",
    "mixnet_s",
    "resnet34d",
    "eca_nfnet_l2",
    "resnet152c",
    "dla60",
]

WITHIN = {"convformer_s18": 1e-4, "convformer_b36": 1e-4, "focalnet_small_lrf": 1e-3, "gmlp_s16_224": 1e-4}
"""Of the largest output, where dimensions that are turned lie in memory otherwise here, and equal where they do not;
all others are equal."""

ATTENTION = {"scaled_dot_product_attention", "matmul", "__matmul__", "bmm", "baddbmm", "einsum", "lstm"}
"""Functions that multiply two values of a network as matrices, as attention and conditional convolutions do."""


class Watch(TorchFunctionMode):
    """Sees whether something attends: products of matrices, and softmax over the last dimension, of positions."""

    attends = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        kwargs = kwargs or {}
        of_positions = name == "softmax" and kwargs.get("dim", args[1] if len(args) > 1 else None) == -1
        self.attends = self.attends or name in ATTENTION or of_positions
        return func(*args, **kwargs)


def is_drawn(net: nn.Module, size: Shape) -> bool:
    watch = Watch()
    with watch, torch.no_grad():
        net.eval()(torch.empty(2, *size, device="meta"))
    return not watch.attends and sum(one.numel() for one in net.parameters()) <= LARGEST


def taken(net: nn.Module, *sides: int) -> Shape:
    """Images of the first of these sides that a network takes, or of its own."""
    own: Shape = net.default_cfg["input_size"]
    for size in (*((3, side, side) for side in sides), own):
        with suppress(RuntimeError, AssertionError):
            outputs(net, size)
            return size
    raise AssertionError(f"it does not take its own {own}")


@pytest.mark.long
def test_the_networks_are_those_that_are_drawn() -> None:
    stub_torchvision()
    timm = pytest.importorskip("timm")
    drawn = []
    names = sorted(timm.list_models())
    Random(SEED).shuffle(names)
    for name in names[: names.index(NETWORKS[-1]) + 1]:
        with torch.device("meta"):
            net = timm.create_model(name)
        if is_drawn(net, net.default_cfg["input_size"]):
            drawn.append(name)
    assert drawn == NETWORKS
    assert len(drawn) == 50


FOREIGN = {"regnetz_c16_evos": "an EvoNorm without its activation is written with a reshape that has no word"}
"""Networks of which a part is foreign, and why."""


@pytest.mark.wide(0, 20)
@pytest.mark.parametrize("name", NETWORKS, ids="timm {}".format)
def test_timms_networks_are_what_is_built_of_their_descriptions(name: str) -> None:
    """At two sizes and batches, of which the second side is odd wherever the network itself takes that."""
    stub_torchvision()
    timm = pytest.importorskip("timm")
    net = timm.create_model(name).eval()
    size, other = taken(net, 64, 96), taken(net, 77, 96, 128)
    description = describe(net, size)
    if name in FOREIGN:
        pytest.xfail(FOREIGN[name])
    assert not [path for path, node in walk(description) if type(node).__name__ == "Foreign"]
    measured, calculated = measure(net, size).totals, calculate(description, size).totals
    assert {key: measured[key] for key in SAME} == {key: calculated[key] for key in SAME}
    is_it(net, description, size, within=WITHIN.get(name, 0.0))
    is_it(net, description, other, within=WITHIN.get(name, 0.0), batches=(3,))
    if name in WITHIN:
        with as_views():
            is_it(net, description, size)


SAME = ("params", "buffers", "macs", "aux_params", "aux_macs")
