"""What other tools print: the rules on small networks, and (marked `bench`) each rule against the tool itself."""

import contextlib
import csv
import io
import json
import os
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

import pytest
import torch
from cases import CASES, state
from command import call
from libraries import stub_torchvision
from small import small
from torch import nn

import cnnzoo
from cnnzoo import arch
from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Cat,
    ChannelShuffle,
    Chunk,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    From,
    Hardsigmoid,
    Hardswish,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    Mean,
    ReLU,
    ReLU6,
    Residual,
    Sequential,
    SiLU,
    Slice,
    StochasticDepth,
)
from cnnzoo.features.peers import KERAS_RESNETS, TOOLS, peer_numbers
from cnnzoo.pytorch import peers
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.peers import printed
from cnnzoo.render.document import FORMATS
from cnnzoo.resolve.loading import find, make
from cnnzoo.zoo import list_models

NAMES = [tool.name for tool in TOOLS]


def found(network, size=(3, 8, 8)):
    return {one.tool: one.figure for one in peer_numbers(cnnzoo.summary(network, size))}


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
        (Sequential(BatchNorm2d(track_running_stats=False)), (960, 0, 384, 768, 6, 0, 12)),
        (Sequential(BatchNorm2d(affine=False, track_running_stats=False)), (768, 0, 192, 384, 0, 0, 6)),
        (Sequential(ReLU()), (0, 0, 384, 0, 0, 0, 0)),
        (Sequential(ReLU6()), (0, 0, 192, 0, 0, 0, 0)),
        (Sequential(LeakyReLU(0.1)), (0, 0, 192, 0, 0, 0, 0)),
        (Sequential(SiLU()), (0, 0, 192, 0, 0, 0, 0)),
        (Sequential(Hardswish(), Hardsigmoid()), (0, 0, 0, 0, 0, 0, 0)),
        (Sequential(ChannelShuffle(3), Mean((2, 3), keepdim=True)), (0, 0, 0, 0, 0, 0, 0)),
        (Sequential(a=Chunk(3, 0), b=From("input", Slice(1, 3, dim=1)), c=Cat("a", "b")), (0, 0, 0, 0, 0, 0, 0)),
        (Sequential(Residual(ReLU(), StochasticDepth(0.2, "row"))), (0, 0, 384, 0, 0, 0, 0)),
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
        (Sequential(Conv2d(4, 3, padding="same", bias=False)), (0, 6912, 6912, 6912, 6912, 6912, 108)),
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
    by_tool = {one.tool: one for one in peer_numbers(cnnzoo.summary("lenet5"))}
    keras = by_tool["Keras"]
    assert keras.figure is None
    assert keras.relative is None
    assert keras.why == "Unknown: there is no rule for its RBF, ScaledTanh, Subsampling2d, TableConv2d."
    by_tool = {one.tool: one for one in peer_numbers(cnnzoo.summary("googlenet"))}
    assert "LocalResponseNorm" in by_tool["ptflops"].why
    assert "auxiliary heads" in by_tool["Keras"].why


def test_auxiliary_heads_do_not_run():
    heads, none = (cnnzoo.summary("googlenet_tv", aux_logits=on) for on in (True, False))
    given, without = ({one.tool: one.figure for one in peer_numbers(report)} for report in (heads, none))
    assert given.pop("Keras") is None
    assert without.pop("Keras") is not None
    assert given == without


def test_every_rule_names_kinds_that_there_are():
    kinds = {*arch.__all__, "add", "cat", "mul"}
    assert all(kind in kinds for tool in TOOLS for kind in tool.rule)


# The command


def test_in_every_format():
    report = cnnzoo.summary("resnet50")
    expected = [one._asdict() for one in peer_numbers(report)]
    out = {format_: call("peers", "resnet50", "--format", format_).succeeded() for format_ in FORMATS}
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
    out = {format_: call("peers", "lenet5", "--format", format_).succeeded() for format_ in FORMATS}
    assert json.loads(out["json"])["tools"][-2]["figure"] is None
    assert all("unknown" in out[format_] for format_ in ("table", "text", "markdown"))


def test_options_reach_the_figures(tmp_path):
    said = call("peers", "vgg11", "--input-size", "64", "--num-classes", "7", "--format", "json").succeeded()
    report = cnnzoo.summary("vgg11", 64, num_classes=7)
    assert json.loads(said)["tools"] == [one._asdict() for one in peer_numbers(report)]
    file = tmp_path / "vgg11.json"
    call("peers", "vgg11", "--input-size", "64", "--num-classes", "7", "-o", str(file)).succeeded()
    assert file.read_text() == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("package.module:factory", "cannot import 'package.module'"),
        ("resnet51", "did you mean"),
        ("resnet50 --input-size 0", "no input size"),
        ("resnet50 --input-size 224 --input-size 224", "each says its channels"),
        ("resnet50 --num-classes -1", "--num-classes"),
        ("{here}/nets.py:small", "give --input-size"),
        ("{here}/nets.py:smal --input-size 8", "did you mean small?"),
        ("{here}/nets.py:described --input-size 3x8x8:int64", "says a dtype"),
    ],
)
def test_bad_input(arguments, said, here):
    done = call("peers", *arguments.format(here=here).split())
    assert said in done.refused()


def test_the_old_name_of_the_command_works():
    old, new = call("conventions", "lenet5"), call("peers", "lenet5")
    assert old.out == new.succeeded()
    assert (old.code, old.err) == (0, "Warning: `cnnzoo conventions` is now `cnnzoo peers`\n")
    assert "conventions" not in call("--help").succeeded()


# Measured modules

SOURCE = """
import torch
from torch import nn
from cnnzoo.arch import Conv2d, Sequential

def small(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU())

def described(width=4):
    return Sequential(Conv2d(width, 3))

def tokens():
    return nn.Sequential(nn.Embedding(11, 6), nn.Linear(6, 5))

def failing():
    return nn.Sequential(small(), nn.Linear(7, 3))

class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.image, self.vector = nn.Conv2d(3, 4, 3), nn.Linear(5, 4, bias=False)

    def forward(self, image, vector):
        return self.image(image).mean((2, 3)) + self.vector(vector)

class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 2)

    def forward(self, x):
        return self.layer(x) if x.sum() > 0 else x
"""


@pytest.fixture
def here(tmp_path):
    (tmp_path / "nets.py").write_text(SOURCE)
    yield tmp_path
    sys.modules.pop("nets", None)


def entries(target, *arguments):
    out = call("peers", target, *arguments, "--format", "json").succeeded()
    return {entry["tool"]: entry for entry in json.loads(out)["tools"]}


def of_module(module, input_size, **given):
    report = cnnzoo.summary(module, input_size, **given)
    return {one.tool: one for one in peer_numbers(report, printed(module, input_size, report, **given))}


def test_targets(here):
    def said(target, *arguments):
        return entries(f"{here}/nets.py:{target}", *arguments)

    # 4 x 27 weights at 36 positions, 144 outputs
    small = said("small", "--input-size", "8")
    assert {tool: entry["by_rule"] for tool, entry in small.items()} == {
        **dict.fromkeys(("fvcore", "thop", "torchvision"), 3888),
        **dict.fromkeys(("ptflops, aten backend", "torchinfo"), 3888 + 144),
        "ptflops": 3888 + 144 + 288,
        "Keras": 112,
        "keras.applications.resnet": None,
    }
    for tool in ("torchinfo", "torchvision", "Keras"):
        assert small[tool]["figure"] == small[tool]["by_rule"]
    assert small == said("small", "--input-size", "5x3x8x8"), "a sample's, whatever the batch"
    assert said("small", "--input-size", "8", "--arg", "width=8")["torchvision"]["figure"] == 2 * 3888
    tokens = said("tokens", "--input-size", "7:int64")
    assert (tokens["torchvision"]["figure"], tokens["torchvision"]["by_rule"]) == (7 * 30, None)
    described = said("described", "--input-size", "3x8x8")
    assert {tool: entry["figure"] for tool, entry in described.items()} == found(Sequential(Conv2d(4, 3)))


def test_a_module_of_two_inputs(here):
    two = entries(f"{here}/nets.py:Two", "--input-size", "3x8x8", "--input-size", "5")
    # 4 x 27 weights at 36 positions with 144 biases, 20 weights
    assert two["torchvision"]["figure"] == two["torchvision"]["ours"] == 3888 + 20
    assert two["torchinfo"]["figure"] == 3888 + 144 + 20
    assert two["torchinfo"]["relative"] == (3888 + 144 + 20) / (3888 + 20)


def test_every_format_has_what_the_tools_say_and_what_their_rules_do(here):
    given = (f"{here}/nets.py:small", "--input-size", "8", "--format")
    for format_ in ("table", "text", "markdown"):
        out = call("peers", *given, format_).succeeded()
        assert "By its rule" in out
        assert "4,032" in out
    (first, *_) = csv.DictReader(io.StringIO(call("peers", *given, "csv").succeeded()))
    assert first["by_rule"] == "3888"
    assert "By its rule" not in call("peers", "lenet5").succeeded(), "where nothing is run, it is the figure"


def test_a_target_that_fails(here):
    result = call("peers", f"{here}/nets.py:failing", "--input-size", "8")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("Error: at 1 (Linear), given (1, 4, 6, 6)")


def test_what_depends_on_values_is_run_with_values(here):
    branching = entries(f"{here}/nets.py:Branching", "--input-size", "8")
    assert branching["torchvision"]["figure"] == 16
    assert branching["torchinfo"]["figure"] == 18


@pytest.mark.wide(4, 20)
@pytest.mark.parametrize("name", list_models())
def test_rules_and_tools_on_modules_are_those_on_descriptions(name, monkeypatch):
    """Of a built module the rules make what they make of its description, and so does what needs no installing; where a
    rule is missing, it is said for what."""
    monkeypatch.setattr(peers, "TOOLS", {tool: peers.TOOLS[tool] for tool in ("torchinfo", "torchvision")})
    description, size = small(name)
    calculated = {one.tool: one for one in peer_numbers(cnnzoo.summary(description, size))}
    measured = of_module(build(description, size, init=None, device="meta"), size)
    for tool, one in measured.items():
        assert one.by_rule is None or one.by_rule == calculated[tool].figure
    for tool in ("torchinfo", "torchvision"):
        unruled = calculated[tool].why.startswith("Unknown: there is no rule for its ")
        assert calculated[tool].figure == (None if unruled else measured[tool].figure)


def test_a_layer_that_is_called_twice_counts_twice_but_for_its_parameters():
    layer = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3))
    numbers = of_module(nn.Sequential(layer, layer), (3, 8, 8))
    assert numbers["torchinfo"].figure == numbers["torchinfo"].by_rule == 2 * (84 * 64 + 6)
    assert numbers["fvcore"].by_rule == 2 * (81 * 64 + 2 * 192)
    assert numbers["Keras"].by_rule == 84 + 12


# Tools that are not there, fail, or do not end


@pytest.fixture
def thop_that(tmp_path, monkeypatch):
    """Put a thop with this body of `profile` in the place of the installed one, and run no other tool."""

    def install(body):
        package = tmp_path / "thop"
        package.mkdir()
        (package / "__init__.py").write_text(
            f"import os, time, torch\ndef profile(model, args, verbose):\n    {body}\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "thop", raising=False)
        monkeypatch.setattr(peers, "TOOLS", {"thop": peers.TOOLS["thop"]})

    return install


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("raise ValueError('no such layer')", "Fails: ValueError: no such layer"),
        ("os.kill(os.getpid(), 11)", "Fails: its process ends with SIGSEGV."),
        ("raise SystemExit(3)", "Fails: its process ends with exit code 3."),
        ("time.sleep(60)", "Skipped: not done after 1 second."),
        ("torch.zeros(10**10).add_(1)", "Skipped: it takes more than 4 GB of memory."),
        ("import nothing_like_it", "Fails: ModuleNotFoundError: No module named 'nothing_like_it'"),
    ],
)
def test_a_tool_that_fails_says_so_in_its_row(body, why, thop_that, monkeypatch, capfd):
    thop_that(body)
    monkeypatch.setattr(peers, "SECONDS", 1 if "sleep" in body else 20)
    numbers = of_module(nn.Sequential(nn.Flatten(), nn.Linear(192, 10)), (3, 8, 8))
    assert numbers["thop"].figure is numbers["thop"].relative is None
    assert why in numbers["thop"].why
    assert numbers["thop"].by_rule == 1920
    assert capfd.readouterr() == ("", "")


def test_what_ptflops_prints_where_it_fails_is_its_reason(tmp_path, monkeypatch):
    (tmp_path / "ptflops.py").write_text(
        "import sys\n"
        "def get_model_complexity_info(model, size, **given):\n"
        "    print('not finished')\n"
        "    print('ValueError: no such layer', file=sys.stderr)\n"
        "    return None, None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "ptflops", raising=False)
    monkeypatch.setattr(peers, "TOOLS", {"ptflops": peers.TOOLS["ptflops"]})
    assert of_module(nn.Linear(4, 4), (4,))["ptflops"].why == "Fails: ValueError: no such layer"


def test_nothing_that_a_tool_starts_outlives_it(thop_that, tmp_path):
    """A process, and one that it forks; what asks for input gets none."""
    started = tmp_path / "started"
    thop_that(
        "import subprocess, sys; child = os.fork() or time.sleep(60); sleep = subprocess.Popen(['sleep', '60']); "
        f"open({str(started)!r}, 'w').write(f'{{child}} {{sleep.pid}} {{sys.stdin.read()}}'); return 5, 5"
    )
    assert of_module(nn.Linear(4, 4), (4,))["thop"].figure == 5
    child, sleep = map(int, started.read_text().split())
    latest = monotonic() + 20
    while any(map(running, (child, sleep))):
        assert monotonic() < latest


def running(pid):
    """Whether there is such a process; one that has ended may wait for whoever collects it."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_tool_changes_nothing_in_this_process(thop_that):
    thop_that("model.train(); model.extra = torch.zeros(1); torch.relu = None; print('words'); return 5, 5")
    module, relu = nn.Sequential(nn.Linear(4, 4)).eval(), torch.relu
    before = state(module)
    assert of_module(module, (4,))["thop"].figure == 5
    assert state(module) == before
    assert torch.relu is relu


def test_a_tool_that_is_not_installed_says_how_to_get_it(here, monkeypatch):
    for package in ("fvcore", "ptflops", "thop"):
        monkeypatch.setitem(sys.modules, package, None)
    small = entries(f"{here}/nets.py:small", "--input-size", "8")
    for tool in ("fvcore", "thop", "ptflops", "ptflops, aten backend"):
        assert small[tool]["figure"] is None
        assert small[tool]["why"] == f"Not installed: pip install {tool.partition(',')[0]}"
        assert small[tool]["by_rule"] is not None


def test_where_no_process_can_be_forked_no_tool_is_run(monkeypatch):
    monkeypatch.setattr(peers, "get_all_start_methods", lambda: ["spawn"])
    assert "cannot fork" in of_module(nn.Linear(4, 4), (4,))["torchinfo"].why


def test_lazy_layers_are_not_run():
    module = nn.Sequential(nn.LazyLinear(3))
    assert "lazy" in of_module(module, (4,))["torchinfo"].why
    assert isinstance(module[0], nn.LazyLinear)


@pytest.mark.wide(3, 20)
@pytest.mark.parametrize("name", CASES)
def test_the_module_is_left_as_it_was_found(name):
    case = CASES[name]
    if isinstance(case.given, torch.Tensor | dict) or case.kwargs:
        return
    module = case.make()
    before = state(module)
    of_module(module, case.given)
    assert state(module) == before


# Against the tools themselves


SIDES = {"lenet5": 32, "lenet5_modern": 28, "googlenet": 96, "googlenet_tv": 96}
"""The side of the images; as small as the network can still take, and not divisible by what it pools."""


def real(tool, module, *args):
    """What the tool says of a module, in eval mode and in this process."""
    stub_torchvision()  # which ptflops imports where it is installed
    pytest.importorskip(peers.TOOLS[tool].package)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return peers.TOOLS[tool].number(module.eval(), args)


def sides(name):
    side = SIDES.get(name, 72)
    return (cnnzoo.get_builder(name).input_size[0], side, side)


@pytest.mark.bench
@pytest.mark.parametrize("name", list_models())
@pytest.mark.parametrize("tool", peers.TOOLS)
def test_against_the_tool(tool, name, record_property):
    size = sides(name)
    try:
        expected = found(name, size)[tool]
    except cnnzoo.ShapeError:
        size = cnnzoo.get_builder(name).input_size
        expected = found(name, size)[tool]
    said = real(tool, cnnzoo.create_model(name, input_size=size, init=None), torch.zeros(1, *size))
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
    Sequential(Conv2d(4, 1), arch.Gate(arch.AdaptiveAvgPool2d(1), Conv2d(2, 1), ReLU(), Conv2d(4, 1), arch.Sigmoid())),
    Sequential(
        Conv2d(4, 1), arch.Gate(arch.Concat(arch.Max(1, keepdim=True), arch.Mean(1, keepdim=True)), Conv2d(1, 1))
    ),
    Sequential(
        Conv2d(4, 1), arch.Mean((2, 3)), arch.Unflatten(1, (1, -1)), arch.Conv1d(2, 3, padding=1), arch.Flatten()
    ),
    Sequential(Conv2d(4, 1), arch.Chunk(2, 0), Conv2d(3, 1)),
    Sequential(Conv2d(6, 1), ReLU6(), SiLU(), LeakyReLU(0.1), Hardswish(), Hardsigmoid(), ChannelShuffle(2)),
    Sequential(Conv2d(6, 1), Chunk(2, 0), Mean((2, 3))),
    Sequential(arch.LayerNorm(), arch.GELU(), arch.LayerNorm(bias=False), arch.LayerNorm(elementwise_affine=False)),
    Sequential(arch.LayerNorm2d(), arch.Scale(0.1, (-1, 1, 1)), arch.Scale(0.5), arch.GlobalResponseNorm()),
    Sequential(arch.Permute((0, 2, 3, 1)), arch.LayerNorm(), arch.Permute((0, 3, 1, 2)), arch.GELU("tanh")),
    Sequential(Flatten(2), arch.BatchNorm1d(), arch.BatchNorm1d(affine=False)),
]


@pytest.mark.bench
@pytest.mark.parametrize("network", LAYERS, ids=repr)
@pytest.mark.parametrize("tool", peers.TOOLS)
def test_layers_against_the_tool(tool, network):
    size = (3, 17, 20)
    expected = found(network, size)[tool]
    if expected is not None:
        assert real(tool, build(network, size), torch.zeros(1, *size)) == expected


NETWORKS = {
    64: "torchvision:mobilenet_v2 torchvision:regnet_y_400mf torchvision:swin_t torchvision:convnext_tiny",
    96: "torchvision:googlenet timm:ghostnet_100 timm:resnest14d timm:poolformer_s12",
    224: "torchvision:vit_b_16 timm:levit_128s",
}
"""Networks of other families by the side of their images."""


@pytest.mark.bench
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("side", "target"), [(side, target) for side in NETWORKS for target in NETWORKS[side].split()])
def test_a_tool_says_the_same_in_a_process_of_its_own(side, target, record_property):
    """Of a network on meta, whose tensors are zeros there, as of one with values."""
    stub_torchvision()
    pytest.importorskip(target.partition(":")[0])
    factory = find(target, {"init_weights": False} if target.endswith("googlenet") else {})
    size = (3, side, side)
    numbers = of_module(make(factory), size)
    known = {tool for tool in peers.TOOLS if numbers[tool].figure is not None}
    record_property("outcome", ", ".join(sorted(known)))
    assert known >= {"torchinfo", "torchvision"}
    for tool in known:
        assert real(tool, make(factory, values=True), torch.zeros(1, *size)) == numbers[tool].figure, tool


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


@pytest.mark.bench
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["mobilenet_v2", "densenet169", "regnet_x_800mf", "convnext_small", "swin_s"])
def test_measured_against_what_torchvision_publishes(name):
    published = torchvision_ops()[name]
    weights = next(iter(import_module("torchvision.models").get_model_weights(name)))
    side = weights.transforms.keywords["crop_size"]
    module = make(find(f"torchvision:{name}", {}))
    assert round(of_module(module, (3, side, side))["torchvision"].figure / 1e9, 3) == published


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
    elif row.kind in ("BatchNorm1d", "BatchNorm2d"):
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
