"""Classifiers as fully convolutional networks: outputs, maps at larger sizes, and what becomes of the pooling."""

import pytest
import torch
from small import gives_vector, small
from torch import nn

import cnnzoo
from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool2d,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
)
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.modules.fusion import carried
from cnnzoo.rewrites import convolutionalize, get_rewrite

UNLIKE = ("lenet5", "tiny_autoencoder")
"""Networks that end in Euclidean distances, and that have no maps."""


@pytest.fixture(params=cnnzoo.list_models())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.wide(4)
def test_it_applies_to_every_classifier_of_images_and_gives_a_map_of_larger_ones(name: str) -> None:
    builder = cnnzoo.get_builder(name)
    if not gives_vector(name):
        return
    report = builder.report()
    for pooling in ("", "=slide"):
        rewrite = get_rewrite(f"convolutionalize{pooling}", builder.input_size)
        reason = rewrite.why_not(report.description)
        if name in UNLIKE:
            assert reason
            continue
        channels, *own = builder.input_size
        given = calculate(rewrite(report.description), (channels, *(2 * side for side in own)))
        assert (reason, given[""].output_shape[:1]) == (None, report[""].output_shape)
        assert min(given[""].output_shape[1:]) > 1


@pytest.mark.wide(4)
def test_with_its_pooling_as_a_window_an_image_of_the_own_size_gives_the_same_scores(name: str) -> None:
    description, size = small(name)
    rewrite = get_rewrite("convolutionalize=slide", size)
    if rewrite.why_not(description):
        return
    net = build(description, size).eval().double()
    maps = build(rewrite(description), size).eval().double()
    maps.load_state_dict(carried(rewrite, description, net.state_dict()))
    image = torch.rand(2, *size, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(maps(image).flatten(1), net(image))


def test_a_class_activation_map_has_the_mean_that_the_network_gave() -> None:
    """Zhou et al. (2015), section 2: at any size, for a linear layer behind a global mean."""
    description, size = small("resnet18")
    net = build(description, size).eval().double()
    maps = build(convolutionalize(description), size).eval().double()
    maps.load_state_dict(carried(get_rewrite("convolutionalize"), description, net.state_dict()))
    image = torch.rand(1, 3, 150, 190, dtype=torch.float64)
    with torch.no_grad():
        found = maps(image)
        assert found.shape[2:] == (5, 6)
        torch.testing.assert_close(found.mean((2, 3)), net(image))


@pytest.mark.parametrize(
    ("target", "positions", "field"),
    [
        ("caffenet+convolutionalize", 10, 355),  # Long et al. (2014), section 3.1: 500 x 500 to 10 x 10, and table 1
        ("alexnet+convolutionalize", 10, 355),
        ("vgg16+convolutionalize", 9, 404),  # table 1
        ("vgg16+convolutionalize=slide", 9, 404),
        ("googlenet+convolutionalize=slide", 9, 907),  # table 1
        ("googlenet+convolutionalize", 15, 715),
        ("vgg16+convolutionalize=keep", 1, 660),
    ],
)
def test_at_500_pixels_it_gives_the_papers_maps(target: str, positions: int, field: int) -> None:
    report = cnnzoo.summary(target, 500)
    assert report[""].output_shape == (1000, positions, positions)
    assert report.receptive_field == field
    assert report.total_params == cnnzoo.summary(target.partition("+")[0]).total_params


@pytest.mark.parametrize(
    ("pooling", "window"),
    [
        (AdaptiveAvgPool2d(1), AvgPool2d(12, stride=1)),
        (AdaptiveMaxPool2d(1), MaxPool2d(12, stride=1)),
        (AdaptiveAvgPool2d((1, 12)), AvgPool2d((12, 1), stride=1)),
        (AdaptiveAvgPool2d(3), AvgPool2d(4)),
        (AdaptiveMaxPool2d((6, 4)), MaxPool2d((2, 3))),
        (AdaptiveAvgPool2d(12), None),
        (AdaptiveAvgPool2d(5), "has no windows that are alike on maps of 12x12"),
        (AdaptiveAvgPool2d(24), "has no windows that are alike on maps of 12x12"),
    ],
)
def test_windows_that_do_what_a_pooling_to_a_fixed_size_does(pooling, window) -> None:
    net = Sequential(conv=Conv2d(4, 3), pool=pooling, flatten=Flatten(), fc=Linear(5))
    if isinstance(window, str):
        assert window in convolutionalize.why_not(net, "slide", (3, 14, 14))
        return
    new = convolutionalize(net, "slide", (3, 14, 14))
    assert dict(new.children).get("pool") == window
    module = build(net, (3, 14, 14)).eval()
    slid = build(new, (3, 14, 14)).eval()
    slid.load_state_dict(carried(get_rewrite("convolutionalize=slide", (3, 14, 14)), net, module.state_dict()))
    image = torch.rand(2, 3, 14, 14)
    torch.testing.assert_close(slid(image).flatten(1), module(image))


def test_whoever_knows_the_size_says_it() -> None:
    net = Sequential(conv=Conv2d(4, 3), flatten=Flatten(), fc=Linear(5))
    assert "say it as convolutionalize=224" in convolutionalize.why_not(net)
    assert convolutionalize(net, 9).fc == convolutionalize(net, "drop", (3, 9, 9)).fc == Conv2d(5, 7)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 49, 5)).eval()
    described = cnnzoo.describe(module, (3, 9, 9), rewrites=["convolutionalize"])
    assert cnnzoo.summary(described, (3, 20, 20))[""].output_shape == (5, 12, 12)
    maps, loaded = cnnzoo.rebuild(module, (3, 9, 9), rewrites=["convolutionalize"])
    assert not loaded.kept
    image = torch.rand(2, 3, 9, 9)
    torch.testing.assert_close(maps(image).flatten(1), module(image))
    assert maps(torch.rand(1, 3, 30, 20)).shape == (1, 5, 22, 12)


@pytest.mark.parametrize("given", ["leave", "", "0", "-3", "2.5", "True", "None", "(7,7)"])
def test_what_is_no_word_of_it_is_told_the_words(given: str) -> None:
    with pytest.raises(cnnzoo.CnnzooError, match=r"drop, slide, keep, or the side of an input"):
        cnnzoo.describe(f"vgg11+convolutionalize={given}")


def test_layers_that_do_the_same_at_each_position_may_stand_behind_the_pooling() -> None:
    net = Sequential(Conv2d(4, 3), AdaptiveAvgPool2d(1), Conv2d(8, 1), ReLU(), Flatten(), Linear(5))
    assert [*convolutionalize(net)] == [Conv2d(4, 3), Conv2d(8, 1), ReLU(), Conv2d(5, 1)]
    spatial = Sequential(Conv2d(4, 3), AdaptiveAvgPool2d(1), Conv2d(8, 3, padding=1), Flatten(), Linear(5))
    assert convolutionalize(spatial, 9)[3] == Conv2d(5, 1)
