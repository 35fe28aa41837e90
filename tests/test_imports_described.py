"""What reads a description reads everybody's module: its summary is calculated, and every command takes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from command import call
from said import written
from torch import Tensor, nn

import cnnzoo
from cnnzoo.features.summary import NoDescriptionError
from cnnzoo.features.summary.modules import difference
from cnnzoo.pytorch.measuring.measure import measure

NETS = '''
import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.reduce = nn.Conv2d(channels, width, 1)
        self.conv = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, x):
        return F.relu(x + self.conv(F.relu(self.reduce(x))))


class Net(nn.Module):
    """Two residual blocks and a classifier."""

    def __init__(self, width=4, channels=16):
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, padding=1)
        self.block1 = Block(channels, width)
        self.block2 = Block(channels, width)
        self.fc = nn.Linear(channels, 10)

    def forward(self, x):
        return self.fc(self.block2(self.block1(self.stem(x))).mean((2, 3)))


class Attends(Net):
    def forward(self, x):
        x = self.block2(self.block1(self.stem(x))).flatten(2).transpose(1, 2)
        return self.fc(F.scaled_dot_product_attention(x, x, x).mean(1))
'''


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file of networks, which is the working directory."""
    (tmp_path / "mine.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def net(name: str = "Net", **settings: Any) -> nn.Module:
    names: dict[str, Any] = {"__name__": "mine"}
    exec(NETS, names)
    module: nn.Module = names[name](**settings)
    return module


SIZE = (3, 12, 12)

PAIR = ((3, 19, 19), (3, 19, 19))
WRITTEN = {
    "unet": (written.UNet(4), (3, 32, 48)),
    "unet_2015": (written.UNet(4, 0), (3, 188, 188)),
    "resizing_unet": (written.ResizingUNet(4), (3, 16, 16)),
    "siamese": (written.Siamese(), PAIR),
    "retinanet": (written.RetinaNet(), (3, 32, 32)),
}


# The report of a module


@pytest.mark.filterwarnings("ignore:the description holds")  # U-Net crops by what the size of the maps leaves
@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_measured_and_more_is_calculated(name: str) -> None:
    """At the size, the batch and in the dtype that were asked for."""
    module, size = WRITTEN[name]
    report, measured = cnnzoo.summary(module, size, batch_size=3, dtype="float16"), measure(module, size)
    assert report.description is not None
    assert (report.batch_size, report.dtype, report.notes) == (3, "float16", ())
    assert (report.total_params, report.total_macs) == (measured.total_params, measured.total_macs)
    assert measured.depth is None
    assert None not in report.totals.values()
    assert report == cnnzoo.summary(cnnzoo.describe(module, size), size, batch_size=3, dtype="float16")


def test_paths_are_the_module_s() -> None:
    module = net()
    report = cnnzoo.summary(module, SIZE)
    for path, one in module.named_modules():
        assert report[path].params == sum(parameter.numel() for parameter in one.parameters())
    assert {*report.tensors} == {*module.state_dict()}


def test_what_only_a_module_knows_is_kept() -> None:
    """Which parameters are frozen."""
    module = net()
    module.block1.requires_grad_(False)
    module.fc.bias.requires_grad_(False)
    report, measured = cnnzoo.summary(module, SIZE), measure(module, SIZE)
    assert report.description is not None
    for path in ("", "block1", "block1.conv", "block2", "fc"):
        assert report[path].trainable_params == measured[path].trainable_params
    assert report.trainable_params == measured.trainable_params < report.total_params


def test_bytes_are_those_of_the_tensors() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 2).double()

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.conv(x).mean((2, 3)).double())

    report = cnnzoo.summary(Mixed(), SIZE)
    assert report.totals["param_bytes"] == 4 * 112 + 8 * 10
    assert report.total_params == 122


def test_a_lone_parameter_is_a_bias_by_its_name() -> None:
    class Affine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.scale, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))

        def forward(self, x: Tensor) -> Tensor:
            return self.scale * self.conv(x) + self.bias

    report, measured = cnnzoo.summary(Affine(), SIZE), measure(Affine(), SIZE)
    assert report.description is not None
    assert report.totals["biases"] == measured.totals["biases"] == 5
    assert report.totals["weights"] == measured.totals["weights"] == 109


# What has none


def hooked() -> nn.Module:
    module = net()
    module.block1.register_forward_hook(lambda block, inputs, output: output * 0)
    return module


def tied() -> nn.Module:
    module = net()
    module.block2.conv.weight = module.block1.conv.weight
    return module


WITHOUT = {
    "hooks": (hooked, {}, "at block1: it has hooks"),
    "tied": (tied, {}, "block1.conv.weight and block2.conv.weight are one tensor"),
    "scripted": (lambda: torch.jit.trace(net(), torch.rand(1, *SIZE)), {}, "it is scripted"),
    "training": (net, {"mode": "train"}, "of evaluation"),
    "by name": (net, {"input_data": {"x": torch.rand(1, *SIZE)}}, "positional inputs of floating numbers"),
    "nothing run": (net, {"input_size": None}, "nothing was run"),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", WITHOUT)
def test_of_others_the_report_is_the_measured_and_says_why(name: str) -> None:
    """Why is said where a description is asked for."""
    make, given, why = WITHOUT[name]
    module, given = make(), {"input_size": None if "input_data" in given else SIZE, **given}
    report, measured = cnnzoo.summary(module, **given), measure(module, **given)
    assert report.description is None
    assert (report.rows, report.totals) == (measured.rows, measured.totals)
    assert report.notes == measured.notes
    for ask in (cnnzoo.explain, cnnzoo.draw, cnnzoo.savings):
        with pytest.raises(NoDescriptionError, match=r"^the network has no description: ") as caught:
            ask(report)
        assert why in str(caught.value)


def test_what_is_foreign_in_part_is_measured_and_has_a_description() -> None:
    """A note says what has no word; explain, savings and rewrites take the description, where that is foreign."""
    module = net("Attends")
    report, measured = cnnzoo.summary(module, SIZE), measure(module, SIZE)
    said = "no words for 1 part: scaled_dot_product_attention at scaled_dot_product_attention"
    assert report.notes == (*measured.notes, said)
    assert (report.rows, report.totals, report.description) == (measured.rows, measured.totals, None)
    assert cnnzoo.explain(report, "fc").row.params == measured["fc"].params
    found = report.described
    assert found is not None
    assert (found.total_params, found.total_macs) == (measured.total_params, measured.total_macs)
    assert found.unknown[0].path == "scaled_dot_product_attention"


def test_where_a_description_is_not_what_was_measured_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first path that differs, inside before around, and both values."""
    module = net()
    other = cnnzoo.describe(net(width=8), SIZE)
    monkeypatch.setattr("cnnzoo.pytorch.tracing.describe", lambda *_, **__: other)
    report = cnnzoo.summary(module, SIZE)
    said = "at block1.reduce: params 136 calculated, 68 measured"
    assert report.notes == (f"not described: {said}",)
    assert (report.description, report.totals) == (None, measure(module, SIZE).totals)
    with pytest.raises(NoDescriptionError, match=said):
        cnnzoo.explain(report)


OTHERS = [
    (nn.Conv2d(3, 4, 3, bias=False), SIZE, "at 0: params 108 calculated, 112 measured"),
    (nn.Conv2d(3, 4, 3, stride=2), SIZE, "at 0: macs 2,700 calculated, 10,800 measured"),
    (nn.Conv2d(3, 4, 3), (3, 7, 22), "at 0: output_shape (4, 5, 20) calculated, (4, 10, 10) measured"),
    (
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, affine=False)),
        SIZE,
        "buffers 9 calculated, 0 measured",
    ),
    (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten()), SIZE, "output_shape (400,) calculated, (4, 10, 10) measured"),
    (nn.Conv2d(3, 4, 3), SIZE, None),
]


@pytest.mark.parametrize(("other", "size", "said"), OTHERS)
def test_a_difference_in_any_figure_is_found(other: nn.Module, size: Any, said: str | None) -> None:
    """Between a network with one convolution and others."""
    whole = other if isinstance(other, nn.Sequential) else nn.Sequential(other)
    found = difference(cnnzoo.summary(whole, size), measure(nn.Sequential(nn.Conv2d(3, 4, 3)), SIZE))
    assert found is None if said is None else said in str(found)


# At a prompt


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("summary {}", "Receptive field  7 pixels"),
        ("summary {}+drop_shortcuts", "{}+drop_shortcuts"),
        ("summary {} --rewrite drop_shortcuts", "{}+drop_shortcuts"),
        ("explain {} block1.conv", "16·4·3·3"),
        ("savings {}", "1x1 reductions"),
        ("draw {}", "block1"),
        ("diff {} {}+drop_shortcuts", "block{1-2} (add)"),
        ("compare {} {}+scale_width=2 lenet5_modern --input-size 3x32x32", "{}+scale_width=2"),
    ],
)
@pytest.mark.parametrize("target", ["mine.py:Net", "mine:Net"])
def test_every_command_takes_a_module(here: Path, arguments: str, shown: str, target: str) -> None:
    """A file's and a module's, piped."""
    given = arguments.replace("{}", target).split()
    size = [] if "--input-size" in given else ["--input-size", "3x12x12"]
    assert shown.replace("{}", target) in call(*given, *size).succeeded()


def test_the_settings_are_the_factory_s(here: Path) -> None:
    size = ("--input-size", "3x12x12", "--format", "json")
    out = call("summary", "mine.py:Net", "--arg", "width=8", *size).succeeded()
    assert json.loads(out)["totals"]["params"] == cnnzoo.summary(net(width=8), SIZE).total_params


def test_a_rewritten_module_is_a_rewritten_description(here: Path) -> None:
    rewritten = cnnzoo.summary(net(), SIZE, rewrites=["drop_shortcuts", "scale_width=2"])
    description = cnnzoo.describe(net(), SIZE, rewrites=["drop_shortcuts", "scale_width=2"])
    assert rewritten.description == description
    assert rewritten.total_params == cnnzoo.summary(description, SIZE).total_params
    assert len(rewritten.notes) == 2
    with pytest.raises(cnnzoo.CnnzooError, match="list of names"):
        cnnzoo.summary(net(), SIZE, rewrites="drop_shortcuts")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("explain mine.py:Net blok1 --input-size 3x12x12", "did you mean block1"),
        ("explain mine.py:Net block1.con --input-size 3x12x12", "did you mean conv"),
        ("draw mine.py:Net --block blok1 --input-size 3x12x12", "did you mean block1"),
        ("summary mine.py:Net+drop_shortcut --input-size 3x12x12", "did you mean drop_shortcuts"),
        ("savings mine.py:Net", "give --input-size"),
    ],
)
def test_what_is_wrong_is_one_line(here: Path, arguments: str, said: str) -> None:
    call(*arguments.split()).refused(said)


def test_a_wrong_size_is_the_network_s_failure(here: Path) -> None:
    result = call("explain", "mine.py:Net", "--input-size", "4x12x12")
    assert (result.code, result.out, result.err.count("\n")) == (1, "", 1)
    assert "at stem (Conv2d)" in result.err
