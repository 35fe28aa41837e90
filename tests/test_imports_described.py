"""What reads a description reads everybody's module: its summary is calculated, and every command takes it."""

from __future__ import annotations

import csv
import json
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from command import call
from said import written
from torch import Tensor, nn

import cnnzoo
from cnnzoo.arch import LeakyReLU, Node, replace
from cnnzoo.features.check.modules import Subject
from cnnzoo.features.summary import NoDescriptionError
from cnnzoo.features.summary.modules import difference
from cnnzoo.formats.source import source
from cnnzoo.pytorch.measuring.measure import measure
from cnnzoo.pytorch.tracing import DescribedAtOneSizeWarning, describe

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


def hooked():
    net = Net()
    net.fc.register_forward_hook(lambda fc, inputs, output: output)
    return net
'''


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file of networks, which is the working directory."""
    (tmp_path / "mine.py").write_text(NETS)
    monkeypatch.delitem(sys.modules, "mine", raising=False)  # another test's
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


def test_buffers_that_no_state_dict_has_are_the_module_s() -> None:
    class Blurred(nn.Conv2d):
        """A convolution that keeps something else."""

        def __init__(self) -> None:
            super().__init__(3, 4, 3)
            self.register_buffer("seen", torch.zeros(7), persistent=False)

    module = nn.Sequential(Blurred(), nn.ReLU())
    report, measured = cnnzoo.summary(module, SIZE), measure(module, SIZE)
    assert report.total_buffers == measured.total_buffers == 7
    if report.description is not None:
        assert report["0"].buffer_tensors == {"seen": (7,)}
        assert report.totals["buffer_bytes"] == 28


def test_a_norm_over_the_last_dimension_is_one_of_channels() -> None:
    """Which a permutation before and one behind it make it: it gives the same in another order of dimensions."""

    class Normed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.LayerNorm(4)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(self.conv(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    report = cnnzoo.summary(Normed(), (3, 9, 7))
    assert report["norm"].kind == "LayerNorm2d"
    assert (report["norm"].output_shape, report[""].output_shape) == ((4, 7, 5), (4, 7, 5))


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


@pytest.mark.parametrize("target", ["mine.py:Net", "mine.py:Net+drop_shortcuts"])
def test_the_configurations_of_a_factory_s_modules_are_priced(here: Path, target: str) -> None:
    """By its own keywords, and by the rewrites that scale what it makes; the command and the Python make them again."""
    size = ("--input-size", "3x12x12")
    given = ("--params", "9k", "--width", "4,8", "--knob", "channels=16,32", "--top", "1")
    out = call("match", target, *given, *size, "--format", "json").succeeded()
    (best,) = json.loads(out)["configurations"]
    assert best["knobs"]["width"] == 8
    again = call(*best["command"].split()[1:], "--format", "json").succeeded()
    assert json.loads(again)["totals"]["params"] == best["params"]
    made = eval(best["python"], {"cnnzoo": cnnzoo, "Net": partial(net, "Net")})
    assert sum(one.numel() for one in made.parameters()) == best["params"]
    assert made(torch.rand(1, *SIZE)).shape == (1, 10)


def test_a_module_s_sizes_and_keywords_are_swept(here: Path) -> None:
    """Each at its size, in other processes too; what cannot be is a record."""
    arguments = ("sweep", "mine.py:Net", "--width", "4,-8,8", "--input-size", "3x12x12,3x15x15")
    one, two = (call(*arguments, "--jobs", jobs) for jobs in ("1", "2"))
    assert one.code == 0
    assert one.out == two.out
    rows = list(csv.DictReader(one.out.splitlines()))
    for row, width, side in zip(rows, (4, 4, -8, -8, 8, 8), (12, 15) * 3, strict=True):
        if width < 0:
            assert row["params"] == ""
            assert "mine.py:Net fails: " in row["error"]
        else:
            report = cnnzoo.summary(net(width=width), (3, side, side))
            assert [int(row[name]) for name in ("params", "macs")] == [report.total_params, report.total_macs]
            assert int(row["receptive_field"]) == report.receptive_field


def test_a_module_that_foreign_parts_are_in_is_varied_around_them(here: Path) -> None:
    given = ("--params", "3k", "--top", "1", "--input-size", "3x12x12", "--format", "json")
    (best,) = json.loads(call("match", "mine.py:Attends", *given).succeeded())["configurations"]
    assert best["python"].startswith("cnnzoo.describe(Attends(), (3, 12, 12), rewrites=['scale_depth=")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("match mine.py:Net --params 5k", "input size"),
        ("match mine.py:hooked --params 5k --input-size 3x12x12", "nothing of it can be varied"),
        ("match mine.py:Net --params 5k --input-size 3x12x12 --knob widht=3", "it has depth, width, channels"),
        ("sweep mine.py:hooked --width 1,2 --input-size 3x12x12", "nothing of it can be varied"),
        ("sweep mine.py:Net --width 4", "input size"),
    ],
)
def test_what_cannot_be_varied_is_one_line(here: Path, arguments: str, said: str) -> None:
    call(*arguments.split()).refused(said)


# Its source


@pytest.mark.parametrize("name", [*cnnzoo.list_models(), *WRITTEN])
def test_the_source_is_the_description(name: str) -> None:
    """Run by itself, with the imports of its first line."""
    module, size = WRITTEN.get(name, (None, None))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DescribedAtOneSizeWarning)
        description = cnnzoo.describe(name) if module is None else cnnzoo.describe(module, size)
    text = source(description, ["first", "second"])
    names: dict[str, Any] = {}
    exec(text, names)
    assert names["network"] == description
    first, blank, *lines = text.splitlines()
    assert first.startswith("from cnnzoo.arch import ")
    assert "*" not in first
    assert [blank, *lines[:2]] == ["", "# first", "# second"]


def test_a_plugin_s_layer_is_imported_from_where_it_is(here: Path) -> None:
    (here / "layers.py").write_text(
        "from cnnzoo.arch import Layer, Sequential, layer\n"
        "@layer\nclass Sheared(Layer):\n    by: int = 1\n"
        "net = Sequential(shear=Sheared(2))\n"
    )
    try:
        out = call("show", "layers:net", "--source").succeeded()
    finally:
        Node.kinds.pop("Sheared", None)
    assert out == (
        "from cnnzoo.arch import Sequential\nfrom layers import Sheared\n\n"
        "# layers:net\nnetwork = Sequential(shear=Sheared(by=2))\n"
    )


@pytest.mark.parametrize("target", ["mine.py:Net", "mine.py:Net+drop_shortcuts+scale_width=2"])
def test_what_is_shown_is_a_target(here: Path, target: str) -> None:
    size = ("--input-size", "3x12x12")
    shown = call("show", target, *size, "-o", "shown.py")
    assert shown == (0, "", "")
    assert (here / "shown.py").read_text() == call("show", target, *size, "--source").succeeded()
    assert f"# {target} for inputs of 3x12x12\n" in (here / "shown.py").read_text()
    again, before = (
        json.loads(call("summary", one, *size, "--format", "json").succeeded()) for one in ("shown.py:network", target)
    )
    assert again["rows"] == before["rows"]
    assert again["totals"] == before["totals"]
    assert call("show", "shown.py:network").succeeded().partition("network = ")[2] in (here / "shown.py").read_text()


def test_what_has_no_word_is_shown_as_foreign(here: Path) -> None:
    size = ("--input-size", "3x12x12")
    call("show", "mine.py:Attends", *size, "-o", "shown.py").succeeded()
    assert "Foreign('scaled_dot_product_attention', (144, 16), (144, 16)" in (here / "shown.py").read_text()
    shown = json.loads(call("summary", "shown.py:network", *size, "--format", "json").succeeded())
    measured = measure(net("Attends"), SIZE)
    assert (shown["totals"]["params"], shown["totals"]["macs"]) == (measured.total_params, measured.total_macs)


def test_a_registered_network_is_shown_in_words_or_as_source() -> None:
    out = call("show", "resnet50_v1").succeeded()
    assert " ".join((cnnzoo.get_builder("resnet50_v1").__doc__ or "").split()[:8]) in out
    assert cnnzoo.get_builder("resnet50_v1").paper.citation in out
    assert "What differs" in out
    assert "resnet101" in out
    names: dict[str, Any] = {}
    for arguments, rewrites in (("resnet50_v1 --source", []), ("resnet50_v1+drop_shortcuts", ["drop_shortcuts"])):
        exec(call("show", *arguments.split()).succeeded(), names)
        assert names["network"] == cnnzoo.describe("resnet50_v1", rewrites=rewrites)
    exec(call("show", "resnet18", "--num-classes", "3").succeeded(), names)
    assert names["network"] == cnnzoo.describe("resnet18", num_classes=3)


def test_a_source_of_one_size_says_so(here: Path) -> None:
    (here / "sized.py").write_text(
        "from torch import nn\n"
        "class Sized(nn.Module):\n"
        "    def forward(self, x):\n"
        "        return nn.functional.avg_pool2d(x, x.shape[-1] // 5)\n"
    )
    out = call("show", "sized.py:Sized", "--input-size", "3x20x20").succeeded()
    assert "avg_pool2d=AvgPool2d(4" in out
    assert "\n# the description holds for " in out
    size = ("--input-size", "3x20x20")
    assert call("summary", "sized.py:Sized", *size).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("show mine.py:Net", "give --input-size"),
        ("show mine.py:hooked --input-size 3x12x12", "mine.py:hooked has no description: at fc: it has hooks"),
        ("show resnet5", "did you mean resnet50"),
        ("show mine.py:Nett --input-size 3x12x12", "did you mean Net?"),
        ("show resnet50 --arg widht=3", "did you mean width"),
    ],
)
def test_what_cannot_be_shown_is_one_line(here: Path, arguments: str, said: str) -> None:
    call(*arguments.split()).refused(said)


# Built again


def test_rebuilt_it_is_the_original_once_more() -> None:
    module = net().double().eval()
    module.block1.requires_grad_(False)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    again, loaded = cnnzoo.rebuild(module, SIZE)
    assert (loaded.dropped, loaded.kept) == ((), ())
    assert {*loaded.loaded} == {*before}
    x = torch.randn(2, *SIZE, dtype=torch.float64)
    assert torch.equal(again(x), module(x))
    assert again.training is False
    assert {name for name, one in again.named_parameters() if not one.requires_grad} == {
        name for name, one in module.named_parameters() if not one.requires_grad
    }
    with torch.no_grad():
        again.fc.weight.zero_()
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items()), "it is a copy"


def test_rewritten_it_keeps_the_weights_that_fit() -> None:
    module = net()
    again, loaded = cnnzoo.rebuild(module, SIZE, rewrites=["drop_reductions"])
    assert {*loaded.dropped} >= {"block1.reduce.weight", "block1.conv.weight"}
    assert {*loaded.kept} == {"block1.conv.weight", "block2.conv.weight"}
    assert {*loaded.loaded} | {*loaded.kept} == {*again.state_dict()}
    for name in loaded.loaded:
        assert torch.equal(again.state_dict()[name], module.state_dict()[name])
    assert again(torch.randn(2, *SIZE)).shape == (2, 10)
    assert "left out: block1.reduce.weight" in str(loaded)
    again, loaded = cnnzoo.rebuild(module, SIZE, rewrites=["drop_shortcuts"])
    assert (loaded.dropped, loaded.kept) == ((), ())
    x = torch.randn(2, *SIZE)
    stem = module.stem(x)
    block = module.block1
    assert torch.equal(again.block1(stem), torch.relu(block.conv(torch.relu(block.reduce(stem)))))


def test_what_cannot_be_rebuilt_says_why() -> None:
    with pytest.raises(cnnzoo.CnnzooError, match="create_model builds others"):
        cnnzoo.rebuild("resnet18", SIZE)  # type: ignore[arg-type]
    with pytest.raises(cnnzoo.CnnzooError, match="on the meta device"):
        cnnzoo.rebuild(net().to("meta"), SIZE)
    with pytest.raises(cnnzoo.CnnzooError, match="scaled_dot_product_attention"):
        cnnzoo.rebuild(net("Attends"), SIZE)


def test_a_state_that_is_no_tensor_is_left_out() -> None:
    class Stateful(nn.Linear):
        def get_extra_state(self) -> Any:
            return {"steps": 3}

    net = nn.Sequential(nn.Flatten(), Stateful(8, 4))
    assert cnnzoo.summary(net, (1, 2, 4)).total_params == 36
    again, loaded = cnnzoo.rebuild(net, (1, 2, 4))
    assert len(loaded.loaded) == 2
    x = torch.randn(3, 1, 2, 4)
    assert torch.equal(again(x), net(x))


# Whether it is its description

CHECKED = '''
from torch import nn


class Cropped(nn.Module):
    """A description that holds at one size: it crops by what the size leaves."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

    def forward(self, x):
        x = self.conv(x)
        return self.fc(x[:, :, x.shape[2] % 7 :].mean((2, 3)))


class Flat(nn.Module):
    """It gives the same for every input until it has other weights."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)
        nn.init.zeros_(self.fc.weight)

    def forward(self, x):
        return self.fc(self.conv(x).mean((2, 3)))


class Blind(Flat):
    def forward(self, x):
        return super().forward(x) * 0.0
'''


@pytest.fixture
def checked(here: Path) -> Path:
    (here / "checked.py").write_text(CHECKED)
    return here


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("mine.py:Net", "built again with its weights, it gives the same outputs, bit for bit"),
        ("checked.py:Flat", "built again with weights filled by name, it gives the same outputs, bit for bit"),
        ("checked.py:Cropped", "it gives the same outputs, bit for bit"),
        ("checked.py:Blind", "outputs not proven: they hardly depend on the inputs"),
        ("mine.py:Attends", "outputs not proven: nothing is built of scaled_dot_product_attention at scaled_dot"),
        ("mine.py:Net+drop_shortcuts", "batches of 1 and 3\n"),
    ],
)
def test_a_module_is_checked(checked: Path, target: str, said: str) -> None:
    """Its figures and its outputs, at several sizes and in several batches."""
    out = call("check", target, "--input-size", "3x20x20", "--sizes", "2").succeeded()
    assert out.startswith(f"{target}: equal; ")
    assert said in out
    sizes = out.partition(" figures at ")[2].partition(", batches")[0].split(", ")
    assert sizes[0] == "3x20x20"
    if "Attends" not in target:
        assert len(sizes) == 2
    if "bit for bit" in said:
        assert all(int(side) % 2 for side in sizes[1].split("x")[1:]), "another size is odd where this one is even"


def test_several_values_are_checked() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.other = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 1)

        def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
            return {"one": self.one(x), "other": self.other(y).mean((2, 3))}

    sizes = ((3, 9, 9), (3, 8, 6))
    subject = Subject(Two(), cnnzoo.summary(Two(), sizes))
    assert len(subject.sizes(2)) == 2
    for size in subject.sizes(2):
        assert subject.figures(size, 3).agrees
        assert (subject.proof(size, 2).off, subject.proof(size, 2).problem) == (0, None)


def test_outputs_that_differ_are_said_with_the_place(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all figures are equal: an activation of another kind."""

    def other(module: nn.Module, size: Any) -> Node:
        return replace(true(module, size), "block1.relu", LeakyReLU(0.5))

    true = describe
    monkeypatch.setattr("cnnzoo.pytorch.tracing.describe", other)
    result = call("check", "mine.py:Net", "--input-size", "3x12x12", "--sizes", "1")
    assert result.code == 1
    assert result.out.startswith("mine.py:Net: DIFFERS\n  at 3x12x12, batch of 2: outputs differ by ")
    assert "of the largest, first at block1.conv\n" in result.out
    assert result.err == "Error: calculated and measured differ for mine.py:Net\n"


def test_figures_that_differ_elsewhere_are_said(here: Path) -> None:
    """Of a module that does other things with larger maps: each size has a description of its own."""
    (here / "wrong.py").write_text(
        "from torch import nn\n"
        "class Wrong(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.conv = nn.Conv2d(3, 4, 3, padding=1)\n"
        "    def forward(self, x):\n"
        "        return self.conv(x) if x.shape[2] < 50 else self.conv(nn.functional.max_pool2d(x, 2))\n"
    )
    size = ("--input-size", "3x12x12", "--sizes", "3")
    assert call("check", "wrong.py:Wrong", *size).code == 0
    module = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1))
    subject = Subject(module, cnnzoo.summary(module, SIZE))
    module[0].stride = (2, 2)
    assert "at 0: macs" in str(subject.figures((SIZE,), 1).problem)


def test_what_has_no_description_cannot_be_checked(here: Path) -> None:
    call("check", "mine.py:hooked", "--input-size", "3x12x12").refused("at fc: it has hooks")
    call("check", "mine.py:Nett", "--input-size", "3x12x12").refused("did you mean Net?")
    call("check", "mine.py:Net").refused("give --input-size")


# Found by breaking it


class Averaged(nn.Module):
    """A network with a frozen copy that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.online, self.target = net(), net().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.online(x)


def test_a_copy_that_never_runs_is_one_note_and_no_reason() -> None:
    report = cnnzoo.summary(Averaged(), SIZE)
    assert report.undescribed is None
    assert report.notes == (
        "never called: target",
        "what training stores is what it does where all parameters are trained",
    )
    assert report.total_params == 2 * cnnzoo.summary(net(), SIZE).total_params


def test_meetings_that_would_nest_too_deep_stay_steps() -> None:
    from cnnzoo.arch import fold

    class Long(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(nn.Conv2d(3, 3, 1) for _ in range(70))

        def forward(self, x: Tensor) -> Tensor:
            y = x
            for layer in self.layers:
                y = layer(y) + x
            return y

    description = describe(Long(), SIZE)
    assert fold(description) == description


def test_arguments_that_are_needed_are_said(here: Path) -> None:
    (here / "needs.py").write_text("def net(classes, *, width, depth=2):\n    pass\n")
    said = "; give --arg classes=VALUE, --arg width=VALUE"
    call("summary", "needs.py:net", "--input-size", "3x12x12").refused(said)
