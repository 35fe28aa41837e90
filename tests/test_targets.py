"""What TARGET may be on the command line, and what `cnnzoo summary` says of it."""

import csv
import json
import sys
import types

import pytest
import torch
from command import call
from torch import nn

import cnnzoo
from cnnzoo.cli.target import read_settings
from cnnzoo.resolve.loading import TargetError, find, make, own_size

SOURCE = """
import torch
from torch import nn
from cnnzoo.arch import Conv2d, Sequential
from cnnzoo.models import vgg11


def net(width=4, bias=True):
    return nn.Sequential(nn.Conv2d(3, width, 3, bias=bias), nn.ReLU())


def description(width=4):
    return Sequential(conv=Conv2d(width, 3))


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3), nn.Linear(10, 4)

    def forward(self, x, y):
        return self.a(x).mean((2, 3)) + self.b(y)


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(10, 4)

    def forward(self, x):
        return self.fc(x) if x.sum() > 0 else x


def tokens(width=6):
    return nn.Sequential(nn.Embedding(11, width), nn.Linear(width, 4))


class Captioned(nn.Module):
    def __init__(self):
        super().__init__()
        self.image, self.text = net(), tokens()

    def forward(self, x, y):
        return self.image(x).mean((2, 3)) + self.text(y).mean(1)


def failing():
    return nn.Sequential(net(), nn.Flatten(), nn.Linear(7, 3))


def looks_at_its_values():
    module = net()
    assert module[0].weight.sum().item() != 0
    return module


def broken():
    raise RuntimeError("no such luck")


made = 0


def counted(width=8):
    global made
    made += 1
    print("made", made)
    assert made == 1, "made twice"
    return Sequential(reduce=Conv2d(width, 1), conv=Conv2d(4, 3), conv2=Conv2d(width, 3))


def leaving():
    import sys
    sys.exit(0)


class Leaving(nn.Module):
    def forward(self, x):
        raise SystemExit


class Talking(nn.Module):
    def forward(self, x):
        print("I was called")
        return x


ready = net()
number = 3
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a module of networks, which is the working directory."""
    (tmp_path / "some_nets.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("some_nets", None)


def totals(*arguments):
    return json.loads(call("summary", *arguments, "--format", "json").succeeded())["totals"]


@pytest.mark.parametrize("target", ["some_nets:net", "some_nets.py:net", "{here}/some_nets.py:net", "some_nets:ready"])
def test_a_module_and_a_file(here, target):
    found = totals(target.format(here=here), "--input-size", "3x8x8")
    assert (found["params"], found["macs"]) == (112, 4 * 36 * 27)


def test_arguments_reach_the_factory(here):
    found = totals("some_nets:net", "--arg", "width=6", "--arg", "bias=False", "--input-size", "8")
    assert found["params"] == 6 * 27


def test_a_description_is_calculated(here):
    found = totals("some_nets:description", "--arg", "width=6", "--input-size", "3x8x8")
    assert (found["params"], found["depth"]) == (6 * 28, 1)
    assert totals("some_nets:vgg11") == cnnzoo.summary("vgg11").to_dict()["totals"]


def test_arguments_reach_a_registered_network():
    assert totals("lenet5_modern", "--arg", "num_classes=3") == totals("lenet5_modern", "--num-classes", "3")


def test_several_inputs(here):
    found = call("summary", "some_nets:Two", "--input-size", "3x8x8", "--input-size", "1x10").succeeded()
    assert "3x8x8 and 10, batch of 1" in found


@pytest.mark.parametrize("size", ["7:int64", "1x7:int64", "5x7:long"])
def test_tokens(here, size):
    """A dtype behind the size; of a number alone it says that it is no square."""
    found = json.loads(call("summary", "some_nets:tokens", "--input-size", size, "--format", "json").succeeded())
    assert (found["input_size"], found["totals"]["macs"]) == ([7], 7 * 24)


def test_an_image_and_tokens(here):
    arguments = ("--input-size", "8", "--input-size", "1x7:int64")
    assert totals("some_nets:Captioned", *arguments)["macs"] == 4 * 36 * 27 + 7 * 24
    assert totals("some_nets:Captioned", *arguments, "--dtype", "float16")["param_bytes"] == 2 * (112 + 66 + 28)


def test_a_hint_where_whole_numbers_are_wanted(here):
    result = call("summary", "some_nets:tokens", "--input-size", "1x7")
    assert result.code == 1
    assert result.err.endswith("; for whole numbers say their dtype: --input-size 1x128:int64\n")


def test_what_looks_at_its_values_is_made_with_them(here):
    assert totals("some_nets:looks_at_its_values", "--input-size", "8")["params"] == 112


def test_the_unknown_is_said_and_strictly_is_a_failure(here):
    arguments = ("summary", "some_nets:Branching", "--input-size", "1x10")
    out = call(*arguments).succeeded()
    assert "at least 40 a sample" in out
    assert "Unknown" in out
    result = call(*arguments, "--strict")
    assert (result.code, result.out) == (1, out)
    assert result.err.startswith("Error: not everything could be counted: Branching at the network itself")
    assert result.err.count("\n") == 1
    call("summary", "some_nets:net", "--input-size", "8", "--strict").succeeded()


def test_a_network_that_fails_shows_the_rows_before(here):
    result = call("summary", "some_nets:failing", "--input-size", "2x3x8x8")
    assert result.code == 1
    assert "972" not in result.out
    assert f"{4 * 36 * 27:,}" in result.out
    assert result.err.startswith("Error: at 2 (Linear), given (2, 144): 2 expects 7 features, got 144")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("some_nets:nett --input-size 8", "did you mean net?"),
        ("some_nets:net", "give --input-size"),
        ("some_nets:net --input-size 3x0x8", "no input size"),
        ("some_nets:net --input-size 8 --arg width", "no key=value"),
        ("some_nets:net --input-size 8 --arg depth=3", "unexpected keyword argument 'depth'"),
        ("some_nets:ready --input-size 8 --arg width=3", "it takes no width"),
        ("some_nets:number --input-size 8", "neither a torch.nn.Module nor a description"),
        ("some_nets:broken --input-size 8", "RuntimeError: no such luck"),
        ("some_nets:description --input-size 8", "input size"),
        ("no_such_module:net --input-size 8", "cannot import 'no_such_module'"),
        ("no_such_file.py:net --input-size 8", "no file"),
        ("some_nets:tokens --input-size 7:int46", "did you mean int16 or int64?"),
        ("some_nets:tokens --input-size 7:", "unknown dtype ''"),
        ("some_nets:tokens --input-size x:int64", "no input size"),
        ("some_nets:description --input-size 3x8x8:int64", "says a dtype"),
        ("vgg16 --input-size 224:int64", "says a dtype"),
        ("vgg16 --arg deepness=3", "no keyword 'deepness'"),
        ("vgg16 --input-size 224 --input-size 224", "each says its channels"),
        ("vgg16 --input-size 3x224x224 --input-size 3x224x224", "takes one value, and is given 2"),
        ("timm:resnet18", "timm"),
        (":net", "':net' names no network"),
        ("some_nets:", "'some_nets:' names no network"),
    ],
)
def test_bad_targets_are_refused(here, arguments, said, monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    call("summary", *arguments.split()).refused(said)


def test_libraries_by_their_prefix(monkeypatch):
    made = []

    def create_model(name, pretrained, **settings):
        made.append((name, pretrained, settings))
        module = nn.Sequential(nn.Conv2d(3, 4, 3))
        module.pretrained_cfg = {"input_size": (3, 12, 12)}
        return module

    def get_model(name, weights, **settings):
        made.append((name, weights, settings))
        return nn.Sequential(nn.Conv2d(3, 4, 3))

    monkeypatch.setitem(
        sys.modules, "timm", types.SimpleNamespace(create_model=create_model, list_models=lambda: ["a_net"])
    )
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    builders = {"a_net": lambda weights=None: ..., "a_detector": lambda weights=None, weights_backbone="DEFAULT": ...}
    torchvision = {"get_model": get_model, "list_models": lambda: [*builders], "get_model_builder": builders.get}
    monkeypatch.setitem(sys.modules, "torchvision.models", types.SimpleNamespace(**torchvision))
    assert totals("timm:a_net", "--arg", "num_classes=3")["macs"] == 4 * 100 * 27
    assert totals("torchvision:a_net")["macs"] == 4 * 222 * 222 * 27
    totals("torchvision:a_detector")
    call("summary", "timm:a_nett").refused("timm has no network 'a_nett'; did you mean a_net?")
    assert made == [
        ("a_net", False, {"num_classes": 3}),
        ("a_net", None, {}),
        ("a_detector", None, {"weights_backbone": None}),
    ]


def test_a_library_that_is_missing(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError("No module named 'timm'", name="timm")

    monkeypatch.setattr("cnnzoo.resolve.loading.import_module", missing)
    call("summary", "timm:resnet18").refused("cannot import 'timm'", "; pip install timm")


def test_a_library_that_does_not_import(monkeypatch):
    """As torchvision beside another build of torch: one line, and what to do."""

    def broken(name):
        raise RuntimeError("operator torchvision::nms does not exist\nand more")

    monkeypatch.setattr("cnnzoo.resolve.loading.import_module", broken)
    for target in ("torchvision:resnet18", "timm:resnet18"):
        said = call("summary", target).refused("torchvision::nms does not exist; ", "install both anew")
        assert said.count("\n") == 1


def test_settings_are_literals_or_words():
    assert read_settings(["a=1", "b=(2, 3)", "c=word", "d=None", "e=x=y"]) == {
        "a": 1,
        "b": (2, 3),
        "c": "word",
        "d": None,
        "e": "x=y",
    }


def test_modules_are_made_on_meta():
    (parameter, *_) = make(lambda: nn.Linear(2, 2)).parameters()
    assert parameter.is_meta
    assert torch.get_default_device().type == "cpu"
    assert own_size("nets:net", nn.Linear(2, 2)) is None
    with pytest.raises(TargetError):
        find("nowhere:net", {})


# Whether a target has a description is asked of the target


@pytest.mark.parametrize(
    "arguments",
    [
        "summary {} --input-size 3x9x9",
        "peers {} --input-size 3x9x9",
        "explain {} conv --input-size 3x9x9 --format html",
        "draw {} --input-size 3x9x9",
        "draw {} --kind bars -o bars.svg --input-size 3x9x9",
        "savings {} --by pointwise --input-size 3x9x9",
        "compare {} lenet5 --input-size 1x32x32",
        "diff lenet5 {} --input-size 1x32x32",
    ],
)
@pytest.mark.parametrize("target", ["some_nets.py:counted", "some_nets.py:counted+scale_width=2"])
def test_every_command_takes_a_description_and_makes_it_once(here, arguments, target):
    """What its factory prints is no part of the result."""
    result = call(*arguments.format(target).split())
    assert (result.code, result.err) == (0, "made 1\n")
    assert "made" not in result.out
    shown = (here / "bars.svg").read_text() if "bars" in arguments else result.out
    assert target in shown, "it is called what it was called by"


def test_a_factory_that_fails_is_called_once(here):
    (here / "once.py").write_text("def net():\n    print('called')\n    raise ValueError('no')\n")
    result = call("summary", "once.py:net", "--input-size", "8")
    assert result.err == "called\nError: once.py:net fails: ValueError: no\n"


def test_networks_of_one_s_own_keep_their_names(here):
    (here / "others.py").write_text(SOURCE)
    out = call("compare", "some_nets.py:description", "others.py:description", "others.py:net", "--input-size", "3x8x8")
    names = [line.split("  ")[0].strip() for line in out.succeeded().splitlines()[2:5]]
    assert names == ["some_nets.py:description", "others.py:description", "others.py:net"]
    out = call("diff", "some_nets.py:description", "others.py:net", "--input-size", "3x8x8").succeeded()
    assert "some_nets.py:description → others.py:net" in out.splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("explain some_nets:tokens 0 --input-size 7:int64", "a description takes positional inputs of floating"),
        ("draw some_nets:tokens --input-size 7:int64", "--kind bars"),
        ("savings some_nets:tokens --input-size 7:int64", "some_nets:tokens has no description: "),
        ("summary some_nets:tokens+scale_width=2 --input-size 7:int64", "rewrites go with one"),
        ("savings some_nets:net --input-size 3x8x8", "there is nothing to save"),
        ("summary some_nets:leaving --input-size 3x8x8", "some_nets:leaving fails: SystemExit: 0"),
        ("summary quits.py:net --input-size 3x8x8", "cannot run quits.py: SystemExit: 0"),
        ("summary some_nets.py", "as some_nets.py:net, some_nets.py:description, some_nets.py:Two"),
        ("explain broken.py", "as broken.py:NAME"),
        ("diff vgg16 no_such.py", "as no_such.py:NAME"),
        ("summary model.pth", "`cnnzoo check-weights model.pth`"),
        ("compare vgg16 weights/model.safetensors", "`cnnzoo check-weights weights/model.safetensors`"),
        *((f"{name} vgg11 --arg strict=1", "takes no keyword 'strict'") for name in ("summary", "explain", "draw")),
        *((f"summary vgg11 --arg {name}=1", f"no keyword '{name}'") for name in ("batch_size", "rewrites", "model")),
        ("explain vgg11 features.0 --input-size ", "no input size"),
        ("explain conv2d 3 --in 3x8x8 --input-size 8", "--in is of a layer"),
        ("explain conv2d 3 --in 3x8x8 --input-size ", "no input size"),
        ("compare resnet18 --arg stem=cifa", "unknown stem 'cifa'"),
    ],
)
def test_each_says_what_to_write(here, arguments, said):
    (here / "quits.py").write_text("import sys\nsys.exit(0)\n")
    (here / "broken.py").write_text("def (\n")
    call(*arguments.split(" ")).refused(said)


def test_a_forward_that_ends_the_process_is_a_failure(here):
    result = call("summary", "some_nets:Leaving", "--input-size", "3x8x8")
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "SystemExit" in result.err or "sys.exit" in result.err


def test_what_a_forward_prints_is_no_part_of_the_result(here):
    result = call("summary", "some_nets:Talking", "--input-size", "3x8x8", "--format", "json")
    assert json.loads(result.out)["model"] == "some_nets:Talking"
    assert set(result.err.splitlines()) == {"I was called"}


@pytest.mark.parametrize("name", ["summary", "compare", "savings", "peers"])
def test_arguments_are_create_model_s(name):
    made = cnnzoo.summary("resnet18", stem="cifar", num_classes=0)
    arguments = ("resnet18", "--arg", "stem=cifar", "--num-classes", "0", "--format", "json")
    out = call(name, *arguments).succeeded()
    assert f"{made.total_params}" in out
    assert f"{made.total_macs}" in out


def test_a_factory_s_descriptions_are_varied(here):
    (here / "mine.py").write_text(
        "from cnnzoo.arch import Conv2d, Sequential\n"
        "def net(width=4, depth=1):\n"
        "    print('called')\n"
        "    return Sequential(*(Conv2d(width, 3, padding=1) for _ in range(depth)))\n"
    )
    size = ("--input-size", "3x8x8")
    found = call(
        "match", "mine.py:net", "--width", "4,8", "--knob", "depth=1,2", "--params", "800", *size, "--top", "1"
    )
    assert found.code == 0
    assert "cnnzoo summary mine.py:net --arg width=8 --arg depth=2 --input-size 3x8x8\n" in found.out
    assert "cnnzoo.create_model(net(width=8, depth=2), input_size=(3, 8, 8))" in found.out
    assert set(found.err.splitlines()) == {"called"}
    target = "mine.py:net+scale_width=2"
    swept = list(csv.DictReader(call("sweep", target, "--knob", "depth=2,3", *size, "--jobs", "1").out.splitlines()))
    wanted = [json.loads(call("summary", target, "--arg", f"depth={n}", *size, "--format", "json").out) for n in (2, 3)]
    assert [int(one["params"]) for one in swept] == [one["totals"]["params"] for one in wanted]
    assert wanted[0]["totals"]["params"] == 8 * 28 + 4 * 73
    assert call("check", "mine.py:net", *size, "--sizes", "1").out.startswith("mine.py:net: equal; ")
    assert call("match", "mine.py:net", "--width", "4", "--params", "800").err.endswith("--input-size 3x224x224\n")
    call("match", "some_nets.py:number", "--params", "5M", *size).refused("neither a torch.nn.Module nor a description")


@pytest.mark.parametrize("name", ["torch", "numpy"])
def test_a_file_that_would_be_taken_for_torch_is_refused(here, name):
    (here / "mine.py").write_text("from cnnzoo.arch import Linear\nnet = Linear(3)\n")
    (here / f"{name}.py").write_text("net = 3\n")
    for file in ("mine.py", f"{name}.py", str(here / "mine.py")):
        call("summary", f"{file}:net", "--input-size", "8").refused(f"would be taken for {name} by all that imports it")


def test_a_dtype_is_of_a_module_s_input(here):
    call("summary", "vgg16", "--input-size", "3x224x224:int64").refused("says a dtype", "--dtype")


def test_a_description_in_a_file_is_what_a_registered_one_is(here):
    (here / "mine.py").write_text(
        "from cnnzoo.arch import Conv2d, Flatten, Linear, Sequential\n"
        "small = Sequential(conv=Conv2d(8, 1), conv2=Conv2d(16, 3, padding=1), flatten=Flatten(), fc=Linear(10))\n"
    )
    size = ("--input-size", "3x8x8")
    for command in ("summary", "explain", "savings --by pointwise", "draw", "check", "compare"):
        assert call(*command.split(), "mine.py:small", *size).code == 0, command
    assert "small+scale_width=2" in call("summary", "mine.py:small+scale_width=2", *size).succeeded()
    found = call("match", "mine.py:small", "--params", "5k", *size, "--top", "1", "--format", "json").succeeded()
    (best,) = json.loads(found)["configurations"]
    assert best["python"].startswith("cnnzoo.create_model(small, input_size=(3, 8, 8), rewrites=['scale_width=")
    again = call(*best["command"].split()[1:], "--format", "json").succeeded()
    assert json.loads(again)["totals"]["params"] == best["params"]
    rows = list(csv.DictReader(call("sweep", "mine.py:small", "--width", "1,2", *size, "--jobs", "2").out.splitlines()))
    assert [int(row["params"]) for row in rows] == [
        json.loads(call("summary", f"mine.py:small+scale_width={n}", *size, "--format", "json").out)["totals"]["params"]
        for n in (1, 2)
    ]


def test_one_of_several_targets_is_named_once(here):
    said = call("compare", "some_nets.py:net", "lenet5").refused("some_nets.py:net does not say what it takes")
    assert said.count("some_nets.py:net") == 1
