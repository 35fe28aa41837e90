"""What a name, a builder or a description means: the same to `summary`, `describe` and `create_model`."""

import pytest
import torch

import cnnzoo
from cnnzoo.arch import Conv2d, Flatten, Linear, Sequential
from cnnzoo.resolve import OF_MODULES
from cnnzoo.zoo import get_builder, list_models

EDITS = (
    {"num_classes": 0},
    {"num_classes": 7, "in_chans": 2},
    {"stem": "cifar"},
    {"features_only": True},
    {"features_only": True, "out_indices": [0]},
)
TINY = Sequential(conv=Conv2d(4, 3), flatten=Flatten(), fc=Linear(2))

each = pytest.mark.parametrize("name", list_models())


@pytest.mark.wide(2)
@pytest.mark.parametrize("name", ["lenet5", "alexnet", "googlenet", "resnet18", "densenet121"])
def test_what_create_model_builds_can_be_reported(name):
    """Every keyword that says what the network is: as many parameters as the module has, and as many MACs measured."""
    for edit in EDITS:
        if "stem" in edit and name != "resnet18":
            continue
        module = cnnzoo.create_model(name, **edit, init=None, device="meta")
        report = cnnzoo.summary(name, **edit)
        assert report.total_params + report.aux_params == sum(one.numel() for one in module.parameters())
        measured = cnnzoo.summary(module, report.input_size)
        assert (measured.total_macs, measured.total_params) == (report.total_macs, report.total_params), edit
        assert report.printed == ()
        description = cnnzoo.describe(name, **edit)
        assert cnnzoo.summary(description, report.input_size).rows == report.rows


@each
def test_what_only_a_module_has_changes_no_figure(name):
    assert cnnzoo.summary(name, **dict.fromkeys(set(OF_MODULES) - {"dtype"}, True)) == cnnzoo.summary(name)


def test_a_size_and_channels_that_do_not_agree():
    with pytest.raises(ValueError, match="has 3 channels, in_chans says 1"):
        cnnzoo.summary("resnet18", (3, 64, 64), in_chans=1)
    assert cnnzoo.summary("resnet18", 64, in_chans=1).input_size == (1, 64, 64)


def test_one_number_is_a_side_of_maps_or_the_length_of_a_vector():
    assert cnnzoo.summary("tiny_autoencoder", 320) == cnnzoo.summary("tiny_autoencoder", in_chans=320)
    assert cnnzoo.summary("tiny_autoencoder", 320).input_size == (320,)
    report = cnnzoo.summary("tiny_autoencoder", (4, 320))
    assert (report.input_size, report.batch_size) == ((320,), 4)


def test_a_comparison_takes_them():
    found = cnnzoo.compare("resnet18", "resnet34", stem="cifar", num_classes=10, input_size=32)
    assert [one["params"] for one in found.networks] == [
        cnnzoo.create_model(name, stem="cifar", num_classes=10, device="meta").fc.weight.numel()
        + cnnzoo.summary(name, 32, stem="cifar", num_classes=0).total_params
        + 10
        for name in ("resnet18", "resnet34")
    ]


def test_a_description_is_built():
    module = cnnzoo.create_model(TINY, input_size=(3, 8, 8), num_classes=0)
    assert [name for name, _ in module.named_children()] == ["conv", "flatten", "fc"]
    assert module(torch.rand(2, 3, 8, 8)).shape == (2, 144)
    assert cnnzoo.describe(TINY) is TINY
    assert cnnzoo.describe(TINY, rewrites=["scale_width=2"]).conv == Conv2d(8, 3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: cnnzoo.create_model(TINY), "no input size of its own: give input_size="),
        (lambda: cnnzoo.create_model(TINY, True, input_size=(3, 8, 8)), "published weights go with a registered"),
        (lambda: cnnzoo.create_model(TINY, input_size=(3, 8, 8), width=3), "takes no settings, got width"),
        (lambda: cnnzoo.create_model(None), "name, its builder or a description, got NoneType"),
        (lambda: cnnzoo.describe(18, num_classes=3), "name, its builder or a description, got int"),
        (lambda: cnnzoo.describe(cnnzoo.create_model(TINY, input_size=(3, 8, 8))), "or a module has no input size"),
        (lambda: cnnzoo.create_model("resnet18", out_indices=[3]), "features_only=True"),
        (lambda: cnnzoo.summary("resnet18", drop_rate=0.1), "takes no keyword 'drop_rate'; say dropout="),
        (lambda: cnnzoo.summary("vgg16", stem="cifar"), "stem='cifar' replaces a 7x7"),
        (lambda: cnnzoo.sumary, "no attribute 'sumary'; did you mean summary?"),
    ],
)
def test_what_is_not_meant_says_what_to_write(wrong, said):
    with pytest.raises((ValueError, TypeError, AttributeError), match=said):
        wrong()


def test_modules_are_found_in_the_package():
    assert cnnzoo.models.resnet18 is get_builder("resnet18")
    assert cnnzoo.rewrites.list_rewrites


def test_a_report_s_rows_are_what_is_in_it():
    report = cnnzoo.summary("lenet5")
    assert [*report] == [*report.rows]


def test_a_row_that_is_not_there_has_neighbours() -> None:
    with pytest.raises(KeyError, match=r"no row 'layer4\.2\.conv1'; did you mean layer4\.[01]\.conv1"):
        cnnzoo.summary("resnet18")["layer4.2.conv1"]
