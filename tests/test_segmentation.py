"""Networks that give a map of classes: it is as large as the image, lies over it, and begins as interpolation."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

import cnnzoo
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.modules.init import interpolating

PADDED = [
    "fcn32s",
    "fcn16s",
    "fcn8s",
    "fcn_alexnet",
    "fcn_googlenet",
    "unet_padded",
    "fcn_resnet50",
    "deeplabv3_resnet50",
]
CROPS = {
    "fcn32s": {"score": 19},
    "fcn16s": {"score_pool4c": 5, "score": 27},
    "fcn8s": {"score_pool4c": 5, "score_pool3c": 9, "score": 31},
    "fcn_alexnet": {"score": 18},
}
"""The offsets in the authors' prototxts."""


@given(st.sampled_from(PADDED), st.integers(64, 700), st.integers(64, 700))
def test_the_output_is_as_large_as_the_image_whatever_its_size(name, height, width):
    """And of what is cut to that size nothing is missing, where there are zeros around the image."""
    report = calculate(cnnzoo.describe(name), (3, height, width))
    assert report[""].output_shape[1:] == (height, width)
    for path, offset in CROPS.get(name, {}).items():
        row, like = report[path], report[path].output_shape
        assert row.settings["before"] == -offset
        assert all(before >= after + offset for before, after in zip(row.input_shape[1:], like[1:], strict=True))


@pytest.mark.parametrize("name", ["fcn32s", "fcn_alexnet", "fcn_googlenet"])
def test_scores_lie_over_the_middle_of_what_they_see(name):
    report = cnnzoo.summary(name)
    score, up, crop = report["score_fr"], report["upscore"], report["score"]
    middle = (score.receptive_field - 1) / 2 - score.effective_padding
    assert middle == (up.settings["kernel_size"] - 1) / 2 + crop.settings["before"]


@pytest.mark.parametrize(("kernel", "stride"), [(4, 2), (16, 8), (32, 16), (64, 32), (63, 32)])
def test_transposed_convolutions_begin_as_bilinear_interpolation(kernel, stride):
    """Of each class by itself, where nothing lies outside; a window of odd size keeps the values where they are."""
    layer = nn.ConvTranspose2d(3, 3, kernel, stride, bias=False)
    interpolating(layer)
    x = torch.randn(2, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = layer(x)
    odd = kernel % 2
    size = [(side - 1) * stride + 1 if odd else side * stride for side in x.shape[2:]]
    wanted = F.interpolate(x, size, mode="bilinear", align_corners=bool(odd))
    edge = stride - 1 if odd else stride // 2
    found = found[:, :, edge : edge + size[0], edge : edge + size[1]]
    inside = slice(stride, -stride)
    assert torch.allclose(found[:, :, inside, inside], wanted[:, :, inside, inside], atol=1e-5)


@pytest.mark.parametrize("init", ["torchvision", "paper"])
def test_fcn_begins_so_and_with_the_paper_s_scores_of_0(init):
    net = cnnzoo.create_model("fcn_googlenet", init=init)
    like = nn.ConvTranspose2d(21, 21, 63, 32, bias=False)
    interpolating(like)
    assert net.upscore.weight.equal(like.weight)
    assert bool(net.score_fr.weight.eq(0).all()) == (init == "paper")


def test_with_an_auxiliary_head_there_are_two_outputs():
    report = cnnzoo.summary("fcn_resnet50", 64, aux_loss=True)
    assert report.outputs == {"out": (21, 64, 64), "aux": (21, 64, 64)}
    # torchvision 0.29: sum(p.numel() for p in fcn_resnet50(weights=None, weights_backbone=None, aux_loss=True))
    assert report.total_params == 35_322_218


def test_a_graph_says_what_is_cut_and_what_is_padded():
    signs = re.findall(r"<br/>(crop|pad)\b", cnnzoo.draw("fcn8s", "graph", depth=1).to("mmd").decode())
    assert signs == ["crop"] * 3
