"""What other tools print: the rules on small networks, and (marked `bench`) each rule against the tool itself."""

import contextlib
import csv
import io
import json
import os
from functools import cache
from importlib.util import find_spec

import pytest
import torch
from command import call
from libraries import stub_torchvision

import cnnzoo
from cnnzoo import arch
from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    Sequential,
)
from cnnzoo.conventions import KERAS_RESNETS, TOOLS, figures
from cnnzoo.pytorch.build import build
from cnnzoo.registry import list_models
from cnnzoo.render import FORMATS

NAMES = [tool.name for tool in TOOLS]


def found(network, size=(3, 8, 8)):
    return {figure.tool: figure.figure for figure in figures(cnnzoo.summary(network, size))}


# By hand

PLAIN = dict.fromkeys(NAMES[:-1])
"""Of a network without a name."""


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        # 4 x 3 x 9 weights at 64 positions: 6,912 MACs, and 256 outputs with a bias
        (Sequential(Conv2d(4, 3, padding=1, bias=False)), (6912, 6912, 6912, 6912, 6912, 6912, 108)),
        (Sequential(Conv2d(4, 3, padding=1)), (6912, 7168, 7168, 6912, 7168, 6912, 112)),
        # 6 x 1 x 9 weights at 64 positions: a third of the input channels is read
        (Sequential(Conv2d(6, 3, padding=1, groups=3)), (3456, 3840, 3840, 3456, 3840, 3456, 60)),
        # 192 elements in three channels
        (Sequential(BatchNorm2d()), (384, 0, 384, 768, 6, 0, 12)),
        (Sequential(BatchNorm2d(affine=False)), (192, 0, 192, 384, 0, 0, 6)),
        (Sequential(BatchNorm2d(track_running_stats=False)), (None, 0, 384, 768, 6, 0, 12)),
        (Sequential(ReLU()), (0, 0, 384, 0, 0, 0, 0)),
        (Sequential(MaxPool2d(2)), (0, 0, 384, 0, 0, 0, 0)),
        # 48 outputs; adaptive: 192 inputs, 48 outputs
        (Sequential(AvgPool2d(2)), (0, 0, 384, 48, 0, 0, 0)),
        (Sequential(AdaptiveAvgPool2d(4)), (192, 0, 384, 240, 0, 0, 0)),
        (Sequential(Flatten(), Linear(10)), (1920, 1930, 1930, 1920, 1930, 1920, 1930)),
        (Sequential(LocalResponseNorm(5)), (0, 0, None, 0, 0, 0, 0)),
        # 3 x 4 x 4 weights at 64 input positions; torchinfo puts them at the 256 of the output
        (
            Sequential(ConvTranspose2d(4, 2, stride=2, bias=False)),
            (3072, 3072, 3072, None, 12288, 3072, 48),
        ),
        (Sequential(Conv2d(4, 3, padding="same", bias=False)), (None, 6912, 6912, 6912, 6912, 6912, 108)),
    ],
    ids=repr,
)
def test_by_hand(network, expected):
    assert found(network) == {**PLAIN, **dict(zip(NAMES, expected, strict=False)), NAMES[-1]: None}


@pytest.mark.parametrize(
    ("name", "tool", "expected"),
    [
        ("resnet50", "torchvision", 4_089_184_256),
        ("resnet50", "Keras", 25_610_152),
        ("resnet50", "keras.applications.resnet", 25_636_712),
        ("densenet121", "Keras", 8_062_504),
        ("vgg16", "Keras", 138_357_544),
    ],
)
def test_known_figures(name, tool, expected):
    assert found(name, None)[tool] == expected


def test_what_no_rule_names_is_unknown_and_said():
    """Never 0, and never a sum of the rest."""
    by_tool = {figure.tool: figure for figure in figures(cnnzoo.summary("lenet5"))}
    keras = by_tool["Keras"]
    assert keras.figure is None
    assert keras.relative is None
    assert keras.why == "Unknown: there is no rule for its RBF, ScaledTanh, Subsampling2d, TableConv2d."
    by_tool = {figure.tool: figure for figure in figures(cnnzoo.summary("googlenet"))}
    assert "LocalResponseNorm" in by_tool["ptflops"].why
    assert "auxiliary heads" in by_tool["Keras"].why


def test_auxiliary_heads_do_not_run():
    heads, none = (cnnzoo.summary("googlenet_tv", aux_logits=on) for on in (True, False))
    given, without = ({one.tool: one.figure for one in figures(report)} for report in (heads, none))
    assert given.pop("Keras") is None
    assert without.pop("Keras") is not None
    assert given == without


def test_every_rule_names_kinds_that_there_are():
    kinds = {*vars(arch), "add", "cat"}
    assert all(kind in kinds for tool in TOOLS for kind in tool.rule)


# The command


def test_in_every_format():
    report = cnnzoo.summary("resnet50")
    expected = [figure._asdict() for figure in figures(report)]
    out = {format_: call("conventions", "resnet50", "--format", format_).succeeded() for format_ in FORMATS}
    assert json.loads(out["json"]) == {"model": "resnet50", "tools": expected}
    cells = list(csv.DictReader(io.StringIO(out["csv"])))
    assert [cell["figure"] for cell in cells] == [str(entry["figure"]) for entry in expected]
    for format_ in ("table", "text", "markdown"):
        for entry in expected:
            assert entry["tool"] in out[format_]
            assert f"{entry['figure']:,}" in out[format_]
    assert out["text"].isascii()
    assert all("equal" in out[format_] for format_ in ("table", "text", "markdown"))


def test_what_is_unknown_is_printed_so():
    out = {format_: call("conventions", "lenet5", "--format", format_).succeeded() for format_ in FORMATS}
    assert json.loads(out["json"])["tools"][-2]["figure"] is None
    assert all("unknown" in out[format_] for format_ in ("table", "text", "markdown"))


def test_options_reach_the_figures(tmp_path):
    said = call("conventions", "vgg11", "--input-size", "64", "--num-classes", "7", "--format", "json").succeeded()
    report = cnnzoo.summary("vgg11", 64, num_classes=7)
    assert json.loads(said)["tools"] == [figure._asdict() for figure in figures(report)]
    file = tmp_path / "vgg11.json"
    call("conventions", "vgg11", "--input-size", "64", "--num-classes", "7", "-o", str(file)).succeeded()
    assert file.read_text() == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("torchvision:resnet50", "only registered names"),
        ("package.module:factory", "only registered names"),
        ("resnet51", "did you mean"),
        ("resnet50 --input-size 0", "no input size"),
        ("resnet50 --num-classes 0", "--num-classes"),
    ],
)
def test_bad_input(arguments, said):
    done = call("conventions", *arguments.split())
    assert said in done.refused()


# Against the tools themselves


def fvcore(module, size):
    from fvcore.nn import FlopCountAnalysis

    return FlopCountAnalysis(module, torch.zeros(1, *size)).unsupported_ops_warnings(False).total()


def ptflops_aten(module, size):
    return _ptflops(module, size, "aten")


def ptflops(module, size):
    return _ptflops(module, size, "pytorch")


def _ptflops(module, size, backend):
    from ptflops import get_model_complexity_info

    options = {"as_strings": False, "print_per_layer_stat": False, "verbose": False}
    return get_model_complexity_info(module, size, backend=backend, **options)[0]


def thop(module, size):
    from thop import profile

    return profile(module, (torch.zeros(1, *size),), verbose=False)[0]


def torchinfo(module, size):
    from torchinfo import summary

    return summary(module, (1, *size), verbose=0).total_mult_adds


def flop_counter(module, size):
    """torchvision's `_ops` as torchvision makes them: its published ones are of its own networks alone."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(1, *size))
    return counter.get_total_flops() / 2


RUN = {
    "fvcore": fvcore,
    "ptflops, aten backend": ptflops_aten,
    "ptflops": ptflops,
    "thop": thop,
    "torchinfo": torchinfo,
    "torchvision": flop_counter,
}
PACKAGES = {"ptflops, aten backend": "ptflops", "torchvision": "torch"}
SIDES = {"lenet5": 32, "lenet5_modern": 28, "googlenet": 96, "googlenet_tv": 96}
"""The side of the images; as small as the network can still take, and not divisible by what it pools."""


def real(tool, module, size):
    """What the tool says of a module, in eval mode."""
    stub_torchvision()  # which ptflops imports where it is installed
    pytest.importorskip(PACKAGES.get(tool, tool))
    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        return RUN[tool](module.eval(), size)


def sides(name):
    side = SIDES.get(name, 72)
    return (cnnzoo.get_builder(name).input_size[0], side, side)


@pytest.mark.bench
@pytest.mark.parametrize("name", list_models())
@pytest.mark.parametrize("tool", RUN)
def test_against_the_tool(tool, name, record_property):
    size = sides(name)
    try:
        expected = found(name, size)[tool]
    except cnnzoo.ShapeError:
        size = cnnzoo.get_builder(name).input_size
        expected = found(name, size)[tool]
    said = real(tool, cnnzoo.create_model(name, input_size=size, init=None), size)
    record_property("outcome", "unknown" if expected is None else "equal")
    if expected is not None:
        assert said == expected


LAYERS = [
    Sequential(Conv2d(4, 3, padding=1, stride=2, groups=1), BatchNorm2d(), ReLU(), MaxPool2d(2)),
    Sequential(Conv2d(6, (3, 1), groups=3, dilation=2), BatchNorm2d(affine=False), AvgPool2d(3, stride=2)),
    Sequential(BatchNorm2d(track_running_stats=False)),
    Sequential(Conv2d(4, 3, padding="same")),
    Sequential(ConvTranspose2d(4, 3, stride=2, padding=1)),
    Sequential(ConvTranspose2d(6, 2, stride=2, groups=3, bias=False)),
    Sequential(AdaptiveAvgPool2d(7), Flatten(), Linear(10, bias=False), Linear(3)),
    Sequential(AdaptiveAvgPool2d((3, 5))),
    Sequential(AvgPool2d(3, stride=2, padding=1, ceil_mode=True), MaxPool2d(2, ceil_mode=True)),
    Sequential(Conv2d(4, 1), arch.Sigmoid(), arch.Tanh(), arch.Identity(), arch.Dropout(0.5)),
    Sequential(Conv2d(4, 1), LocalResponseNorm(3), arch.PadChannels(9), arch.ScaledTanh()),
    Sequential(Conv2d(4, 1), arch.Residual(Conv2d(4, 1), downsample=Conv2d(4, 1))),
    Sequential(Conv2d(4, 1), arch.Concat(Conv2d(4, 1), Conv2d(2, 1)), arch.Dense(Conv2d(3, 1))),
    Sequential(Flatten(), Linear(10), arch.Softmax()),
]


@pytest.mark.bench
@pytest.mark.parametrize("network", LAYERS, ids=repr)
@pytest.mark.parametrize("tool", RUN)
def test_layers_against_the_tool(tool, network):
    size = (3, 17, 20)
    expected = found(network, size)[tool]
    if expected is not None:
        assert real(tool, build(network, size), size) == expected


@cache
def torchvision_ops():
    stub_torchvision()
    models = pytest.importorskip("torchvision.models")
    named = {name: next(iter(models.get_model_weights(name))) for name in models.list_models(module=models)}
    return {name: weights.meta["_ops"] for name, weights in named.items()}


@pytest.mark.bench
@pytest.mark.parametrize("name", list_models())
def test_against_what_torchvision_publishes(name):
    theirs = name.removesuffix("_tv")
    if theirs not in torchvision_ops() or f"{name}_tv" in list_models():
        pytest.skip("torchvision has no such network")
    assert round(found(name, None)["torchvision"] / 1e9, 3) == torchvision_ops()[theirs]


@cache
def keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    if not all(map(find_spec, ("keras", "h5py", "optree"))):
        pytest.skip("Keras is not installed")
    import keras

    return keras


def keras_layer(row):
    """The layer of Keras of a row's kind, or None where it has no weights."""
    layers, settings = keras().layers, row.settings
    if row.kind == "Conv2d":
        made = layers.Conv2D(
            settings["out_channels"],
            settings["kernel_size"],
            groups=settings["groups"],
            use_bias=settings["bias"],
            data_format="channels_first",
        )
    elif row.kind == "Linear":
        made = layers.Dense(settings["out_features"], use_bias=settings["bias"])
    elif row.kind == "BatchNorm2d":
        made = layers.BatchNormalization(axis=1, center=settings["affine"], scale=settings["affine"])
    else:
        assert not row.params
        return None
    made.build((None, *row.input_shape))
    return made


@pytest.mark.bench
@pytest.mark.parametrize("name", list_models())
def test_against_layers_of_keras(name):
    report = cnnzoo.summary(name)
    expected = found(name, None)["Keras"]
    if expected is None:
        return
    made = [keras_layer(row) for row in report.rows]
    assert sum(layer.count_params() for layer in made if layer) == expected


KERAS_NAMES = {
    **{f"densenet{depth}": f"DenseNet{depth}" for depth in (121, 169, 201)},
    **{f"vgg{depth}": f"VGG{depth}" for depth in (16, 19)},
    **{name: name.replace("resnet", "ResNet").removesuffix("_v1") for name in KERAS_RESNETS},
}


@pytest.mark.bench
@pytest.mark.parametrize("name", KERAS_NAMES)
def test_against_the_networks_of_keras(name):
    tool = "keras.applications.resnet" if name in KERAS_RESNETS else "Keras"
    theirs = getattr(keras().applications, KERAS_NAMES[name])(weights=None)
    assert theirs.count_params() == found(name, None)[tool]
