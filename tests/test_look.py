"""What is inside of networks with weights: values and pictures are those of the module, which stays as it was."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command import call
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_digits, load_sample_image
from small import small
from torch import nn

import cnnzoo
from cnnzoo.arch import AvgPool2d, Conv2d, Identity, Layer, MaxPool2d, Node, Residual, Sequential, rewrite
from cnnzoo.errors import CnnzooError, InvalidTypeError, InvalidValueError
from cnnzoo.features.draw.sheet import Picture, Text, bounds
from cnnzoo.features.look import look_field, look_maps, look_weights
from cnnzoo.features.look.colours import coloured, signed
from cnnzoo.features.look.field import GAUSSIAN
from cnnzoo.features.look.weights import shown
from cnnzoo.render.document import FORMATS
from cnnzoo.report import Report

NETWORK = "lenet5_modern"

DIGIT = np.kron(load_digits().images[0], np.ones((4, 4)))[2:30, 2:30].astype(np.uint8) * 15
"""28 by 28 pixels, from 0 to 225."""


@pytest.fixture
def trained(tmp_path: Path) -> str:
    """A file of weights that are no first ones."""
    state = cnnzoo.create_model(NETWORK).state_dict()
    generator = torch.Generator().manual_seed(1)
    path = str(tmp_path / "trained.safetensors")
    save_file({name: torch.randn(one.shape, generator=generator) / 10 for name, one in state.items()}, path)
    return path


def first(network: str, seed: int) -> nn.Module:
    """A network with the weights that a seed draws."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return cnnzoo.create_model(network)


# Weights


def test_weights_are_those_of_the_seed_and_of_the_file(trained: str) -> None:
    found = look_weights(NETWORK, "conv2", trained, seed=3)
    net = first(NETWORK, 3)
    assert (found.values["initial"] == net.conv2.weight.detach().numpy()).all()
    cnnzoo.load_checkpoint(net, trained)
    assert (found.values["trained"] == net.conv2.weight.detach().numpy()).all()
    again = look_weights(NETWORK, "conv2", net, seed=3)
    for name, values in found.values.items():
        assert (again.values[name] == values).all()
    given = look_weights(net, "conv2")
    assert (given.values["given"] == found.values["trained"]).all()


def test_the_table_has_what_torch_says(trained: str) -> None:
    found = look_weights(NETWORK, "conv1", trained)
    data = found.to_dict()
    for row in data["weights"]:
        values = torch.from_numpy(found.values[row["weights"]]).double()
        assert row["shape"] == tuple(values.shape)
        assert row["params"] == values.numel() == sum(row["histogram"])
        assert row["mean"] == pytest.approx(float(values.mean()))
        assert row["deviation"] == pytest.approx(float(values.std(correction=0)))
        assert (row["least"], row["greatest"]) == (float(values.min()), float(values.max()))
        counts = torch.histogram(values, torch.tensor(data["edges"], dtype=torch.double)).hist
        assert counts.int().tolist() == row["histogram"]
    assert data["edges"][-1] == -data["edges"][0] == found.furthest


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (nn.Conv2d(3, 96, 11), "64 of 96 kernels, as red, green and blue; grey is 0"),
        (nn.Conv2d(1, 6, 5), "6 kernels, blue below 0, orange above"),
        (nn.Conv2d(96, 96, 3, groups=96), "64 of 96 kernels, blue below 0, orange above"),
        (nn.Conv2d(64, 64, (3, 1)), "8 of 64 outputs down, 8 of 64 inputs across, blue below 0, orange above"),
        (nn.Conv2d(8, 16, 3, groups=2), "8 of 16 outputs down, 4 inputs across, blue below 0, orange above"),
        (nn.Conv2d(64, 32, 1), "32 outputs down, 64 inputs across, blue below 0, orange above"),
        (nn.Linear(64, 200), "128 of 200 outputs down, 64 inputs across, blue below 0, orange above"),
        (nn.BatchNorm2d(64), "a weight of 64 has no kernels to draw"),
        (nn.Conv3d(2, 2, 3), "a weight of 2x2x3x3x3 has no kernels to draw"),
    ],
)
def test_kernels_are_drawn_by_what_they_are(layer: nn.Module, said: str) -> None:
    """Each with its pixels in a frame, on a sheet that holds it."""
    found = look_weights(nn.Sequential(layer), "0")
    sheet = found.sheet()
    assert shown(found.shape) == said
    assert said in [mark.words for mark in sheet.marks if isinstance(mark, Text)]
    pictures = [mark for mark in sheet.marks if isinstance(mark, Picture)]
    for one in pictures:
        left, bottom, right, top = bounds(one)
        assert 0 <= left < right <= sheet.width
        assert 0 <= bottom < top <= sheet.height
        assert one.width / one.pixels.shape[1] == pytest.approx(one.height / one.pixels.shape[0])
    number = re.match(r"(\d+) (?:of \d+ )?(kernels|outputs down, (\d+))", said)
    wide = number and not (isinstance(layer, nn.Linear) or layer.kernel_size == (1, 1))
    assert len(pictures) == (int(number[1]) * int(number[3] or 1) if wide else len(found.shape) in (2, 4))


def test_pixels_are_the_values() -> None:
    values = np.array([[-2.0, 0.0], [1.0, 2.0]])
    pixels = signed(values, 2.0)
    assert pixels[..., 3].tolist() == [[255, 0], [128, 255]]
    assert (pixels[0, 0, :3] != pixels[1, 1, :3]).any()
    assert (pixels[1, 0, :3] == pixels[1, 1, :3]).all()
    grey = coloured(np.array([-2.0, 0.0, 2.0]).reshape(3, 1, 1), 2.0)
    assert grey.tolist() == [[[0, 128, 255, 255]]]


# Maps


def test_maps_are_what_layers_give(trained: str) -> None:
    """Of a picture of 0 to 255 that is brought to -1 to 1; of one layer as beside others, and of activations that later
    write over their input."""
    found = look_maps(NETWORK, DIGIT, ["conv1", "tanh1", "pool2"], trained)
    net = cnnzoo.create_model(NETWORK).eval()
    cnnzoo.load_checkpoint(net, trained)
    given = {}
    for path in found.maps:
        net.get_submodule(path).register_forward_hook(lambda module, x, y, path=path: given.update({path: y.clone()}))
    with torch.no_grad():
        net(torch.from_numpy(DIGIT)[None, None] / 127.5 - 1)
    for path, y in found.maps.items():
        assert np.allclose(y, given[path][0].numpy(), atol=1e-6)
        assert (look_maps(NETWORK, DIGIT, path, trained).maps[path] == y).all()
    assert (found.picture == DIGIT[None]).all()
    rows = {row["layer"]: row for row in found.document().records()}
    assert rows["pool2"]["output_shape"] == (16, 5, 5)
    assert rows["conv1"]["mean"] == pytest.approx(float(given["conv1"].mean()), rel=1e-4)


def test_pictures_are_normalised_as_published_weights_want_it() -> None:
    photograph = load_sample_image("flower.jpg")[:224, :224]
    net = cnnzoo.create_model("resnet18").eval()
    found = look_maps(net, photograph, "conv1")
    x = torch.from_numpy(photograph.copy()).permute(2, 0, 1) / 255
    mean, std = (torch.tensor(net.pretrained_cfg[one]).reshape(3, 1, 1) for one in ("mean", "std"))
    with torch.no_grad():
        y = net.conv1(((x - mean) / std)[None])[0]
    assert np.allclose(found.maps["conv1"], y.numpy(), atol=1e-5)
    texts = [mark.words for mark in found.sheet().marks if isinstance(mark, Text)]
    assert "64 maps of 112x112" in " ".join(texts)


# Effective receptive fields


def positive(net: nn.Module) -> None:
    """Weights above 0, of which no gradient cancels another."""
    for one in net.parameters():
        nn.init.constant_(one, 1 / one[0].numel() if one.dim() > 1 else 1.0)


def linear(description: Node, report: Report) -> Node:
    """The description as a chain of sums in which all that a position reads has a gradient: a maximum compares what a
    mean of its geometry reads, and what gives as much as it is given, position by position, is as it was."""

    def change(path: str, node: Node) -> Node:
        if isinstance(node, MaxPool2d):
            assert node.settings["dilation"] == 1
            return AvgPool2d(
                **{name: node.settings[name] for name in ("kernel_size", "stride", "padding", "ceil_mode")}
            )
        same = isinstance(node, Layer) and report[path].input_shape == report[path].output_shape
        return Identity() if same and not {"kernel_size", "filt_size"} & {*node.settings} else node

    return rewrite(description, change)


def is_read(description: Node, path: str) -> bool:
    """Whether it gives its value where it stands, as what is held to be run elsewhere does not."""
    try:
        return bool(cnnzoo.cut(description, path))
    except InvalidValueError:
        return False


@pytest.mark.wide(2, 14)
@pytest.mark.parametrize("name", cnnzoo.list_models())
def test_what_is_seen_is_the_calculated_field(name: str) -> None:
    """The last layer that sees an equal number of pixels everywhere, no gate on the way: there is a gradient in all of
    the calculated field's rows and columns, and in none beside it, on an input that goes further."""
    description, size = small(name)
    if len(size) != 3:
        return
    report = cnnzoo.summary(description, size)
    if report.more_inputs:
        with pytest.raises(InvalidValueError, match="of a network that takes one image"):
            look_field(description, report.rows[0].path, input_size=size)
        return
    maps = takewhile(lambda row: not row.pools, report.rows)  # behind which the map's size says the field
    known = [
        row
        for row in maps
        if len(row.output_shape) == 3 and isinstance(row.receptive_field, int) and row.effective_stride
        if row.gated_field == row.receptive_field <= 400 and not row.aux and not row.own and row.call == 1
        if is_read(description, row.path)
    ]
    assert known, "all begin with layers whose field is known"
    found = look_field(linear(description, report), known[-1].path, input_size=size, init=positive, samples=1)
    (one,) = found.fields
    assert one.calculated[2:] == (known[-1].receptive_field,) * 2
    top, left, height, width = one.calculated
    if one.power.shape == size[1:] and height > size[1]:  # at a larger size it would see another field
        assert one.reached == (0, 0, *size[1:])
        return
    assert one.reached == one.calculated
    assert 0 <= top < top + height <= one.power.shape[0] > height
    assert 0 <= left < left + width <= one.power.shape[1] > width
    assert one.inside == pytest.approx(1)


def test_random_weights_spread_as_a_sum_of_windows() -> None:
    """Luo et al. (2016), section 2: n convolutions of k with strides and dilations in front have the variance of n
    uniform windows, and so nearly a Gaussian."""
    layers = [Conv2d(16, 3), Conv2d(16, 3, stride=2), Conv2d(16, 3, dilation=2), Conv2d(16, 3), Conv2d(16, 3)]
    (one,) = look_field(Sequential(*layers), "4", input_size=(3, 64, 64), samples=48, init="torch").fields
    pace, variance = 1, 0.0
    for layer in layers:
        variance += (3**2 - 1) / 12 * (pace * layer.settings["dilation"]) ** 2
        pace *= layer.settings["stride"]
    for deviation in one.deviation:
        assert deviation == pytest.approx(variance**0.5, rel=0.06)
    assert one.within == pytest.approx(GAUSSIAN, abs=0.03)
    assert one.fit > 0.9
    assert one.reached == one.calculated
    assert 0 < one.effective < one.calculated[2]


def test_a_shortcut_keeps_the_field_small_and_a_dilation_makes_it_large() -> None:
    """Luo et al. (2016), section 3.2."""

    def deviation(net: Node) -> float:
        (one,) = look_field(net, "last", input_size=(8, 64, 64), samples=12, init="torch").fields
        return one.deviation[0]

    plain = [Sequential(Conv2d(8, 3, padding=1)) for _ in range(4)]
    wide = [Sequential(Conv2d(8, 3, padding=2, dilation=2)) for _ in range(4)]
    short = [Residual(*one) for one in plain]
    last = Conv2d(8, 1)
    one, other, third = (
        deviation(Sequential(**{f"b{n}": block for n, block in enumerate(blocks)}, last=last))
        for blocks in (plain, short, wide)
    )
    assert other < 0.9 * one < 0.9 * third
    assert third == pytest.approx(2 * one, rel=0.15)


def test_gates_see_what_the_calculated_field_leaves_out() -> None:
    found = look_field("mobilenet_v3_small", "features.2", samples=1)
    assert found.fields[0].inside < 1
    assert "is outside, by gates" in str(found)


def test_a_field_larger_than_the_memory_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnzoo.features.look.field.MEMORY", 1)
    found = look_field("resnet20", "layer3", samples=1)
    assert found.fields[0].power.shape == (32, 32)
    assert "its field is cut off by the input's edges" in str(found)
    assert found.to("svg")


def test_samples_are_averaged(trained: str) -> None:
    """The mean of two measurements of one sample each; trained weights stay, and the input alone is drawn."""
    both = look_field(NETWORK, "conv2", trained, samples=2, seed=5)
    ones = [look_field(NETWORK, "conv2", trained, samples=1, seed=seed) for seed in (5, 6)]
    assert [one.weights for one in both.fields] == ["initial", "trained"]
    for number, one in enumerate(both.fields):
        first, second = (other.fields[number].power for other in ones)
        differ = first != second
        shares = (one.power - second)[differ] / (first - second)[differ]  # as the samples' sums weigh them
        assert differ.any()
        assert np.allclose(shares, shares[0], atol=1e-4)
        assert 0 < shares[0] < 1


# Of all that is looked at

LOOKS: dict[str, Callable[[Any, Any], Any]] = {
    "weights": lambda net, trained: look_weights(net, "conv2", trained, **size_of(net)),
    "maps": lambda net, trained: look_maps(net, DIGIT, "conv2", trained, **size_of(net)),
    "field": lambda net, trained: look_field(net, "conv2", trained, samples=1, **size_of(net, nn.Module)),
}


def size_of(net: Any, also: type | tuple[()] = ()) -> dict[str, Any]:
    """The input size of what has none of its own."""
    return {"input_size": (1, 28, 28)} if isinstance(net, also) or not isinstance(net, str | nn.Module) else {}


looks = pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)


@looks
def test_any_network_is_looked_at(look: Callable[..., Any], trained: str) -> None:
    """A name, one with rewrites, a builder, a description and a module."""
    wanted = str(look(NETWORK, trained))
    assert str(look(cnnzoo.get_builder(NETWORK), trained)) == wanted
    assert trained in str(look(f"{NETWORK}+drop_reductions", trained))
    assert trained in str(look(cnnzoo.describe(NETWORK), trained))
    look(first(NETWORK, 0), None)


@looks
def test_it_is_drawn_the_same_each_time(look: Callable[..., Any], trained: str) -> None:
    svg = look(NETWORK, trained).to("svg")
    assert svg == look(NETWORK, trained).to("svg")
    assert svg.startswith(b"<?xml")
    assert len(svg) < 300_000


def test_a_notebook_shows_the_picture_and_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    found = look_weights(NETWORK, "conv1")
    shown = found._repr_html_()
    assert shown.startswith('<img src="data:image/svg+xml;base64,')
    assert "<table>" in shown
    assert found.figure().axes
    assert found.to("png").startswith(b"\x89PNG")
    assert found.to("pdf").startswith(b"%PDF")
    with pytest.raises(InvalidValueError, match="unknown format 'bmp'; there are svg, png, pdf"):
        found.to("bmp")
    monkeypatch.setattr("cnnzoo.extras.find_spec", lambda name: None)
    assert "pip install 'cnnzoo[draw]'" in found._repr_html_()


class Failing(nn.Module):
    """It draws random numbers, counts its calls, and fails where it is told to."""

    def __init__(self, fails: bool) -> None:
        super().__init__()
        self.conv2 = nn.Conv2d(1, 4, 3)
        self.dropout = nn.Dropout()
        self.norm = nn.BatchNorm2d(4)
        self.calls = [0]
        self.fails = fails

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls[0] += 1
        random.random()
        if self.fails:
            raise RuntimeError("it fails")
        return self.norm(self.conv2(self.dropout(x + torch.rand(1))))


def state(net: nn.Module) -> Any:
    """All that is to stay."""
    tensors = {name: one.clone() for name, one in net.state_dict().items()}
    hooks = [(len(one._forward_hooks), len(one._forward_pre_hooks), one.training) for one in net.modules()]
    grads = [(one.requires_grad, one.grad, one.data_ptr()) for one in net.parameters()]
    return tensors, hooks, grads, net.calls[0], torch.get_rng_state(), random.getstate(), torch.is_grad_enabled()


def assert_same(one: Any, other: Any) -> None:
    for name, tensor in one[0].items():
        assert torch.equal(tensor, other[0][name])
    assert torch.equal(one[4], other[4])
    assert one[1:4] == other[1:4]
    assert one[5:] == other[5:]


@looks
@pytest.mark.parametrize(("fails", "training"), [(False, True), (True, False)])
def test_a_module_stays_as_it_was(look: Callable[..., Any], fails: bool, training: bool, trained: str) -> None:
    """Whatever fails: its forward, or the file that does not fit."""
    net = Failing(fails).train(training)
    net.conv2.bias.requires_grad_(False)
    before = state(net)
    for file in (None, trained):
        with suppress(CnnzooError, RuntimeError):
            look(net, file)
        assert_same(before, state(net))


@looks
def test_names_leave_random_numbers_as_they_were(look: Callable[..., Any]) -> None:
    before, of_numpy = torch.get_rng_state(), np.random.get_state()[1].copy()
    look(NETWORK, None)
    assert torch.equal(before, torch.get_rng_state())
    assert (np.random.get_state()[1] == of_numpy).all()


@looks
def test_threads_see_the_same(look: Callable[..., Any], trained: str) -> None:
    net = first(NETWORK, 0)
    wanted = [str(look(NETWORK, trained)), str(look(net, trained))]
    before, found = torch.get_rng_state(), []
    threads = [
        threading.Thread(target=lambda one=one: found.append(str(look(one, trained)))) for one in [NETWORK, net] * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(wanted * 2)
    assert torch.equal(before, torch.get_rng_state())


# The command

COMMANDS = {
    "weights": lambda trained: ("weights", NETWORK, trained, "--layer", "conv2"),
    "maps": lambda trained: ("maps", NETWORK, trained, digit(trained), "--layer", "conv2"),
    "field": lambda trained: ("field", NETWORK, trained, "--layer", "conv2", "--samples", "1"),
}


def digit(trained: str) -> str:
    """The digit as a file beside the weights."""
    path = Path(trained).with_name("picture")
    Image.fromarray(DIGIT).save(path, "PNG")
    return str(path)


@pytest.mark.parametrize("kind", COMMANDS)
def test_the_command_prints_what_the_function_does(kind: str, trained: str, tmp_path: Path) -> None:
    words, found = COMMANDS[kind](trained), LOOKS[kind](NETWORK, trained)
    assert call("look", *words).succeeded() == f"{found}\n"
    for format_ in FORMATS:
        assert call("look", *words, "--format", format_).succeeded() == found.document().text(format_)
    out = tmp_path / "out.svg"
    assert call("look", *words, "-o", str(out)).succeeded() == ""
    assert out.read_bytes() == found.to("svg")
    assert json.loads(call("look", *words, "--format", "json").succeeded())


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_file_of_python_is_looked_at(kind: str, trained: str, tmp_path: Path) -> None:
    """Its weights are drawn by the seed; with rewrites it is its description, which may be in a file, too."""
    (tmp_path / "net.py").write_text(f"import cnnzoo\n\n\ndef make():\n    return cnnzoo.create_model({NETWORK!r})\n")
    target = f"{tmp_path}/net.py:make"
    (tmp_path / "said.py").write_text(f"import cnnzoo\n\nnet = cnnzoo.describe({NETWORK!r})\n")
    for name in (target, f"{target}+drop_reductions", f"{tmp_path}/said.py:net"):
        words = [name if one == NETWORK else one for one in COMMANDS[kind](trained)]
        assert trained in call("look", *words, "--input-size", "1x28x28").succeeded()
    html = call(
        "look", "weights", target, "--layer", "conv1", "--input-size", "1x28x28", "--format", "html"
    ).succeeded()
    assert f"{target}, conv1: Conv2d" in html
    one, other, third = (
        call("look", "weights", target, "--layer", "conv1", "--input-size", "1x28x28", "--seed", seed).succeeded()
        for seed in ("1", "1", "2")
    )
    assert one == other != third


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("weights lenet5 --layer c2", ("no layer 'c2'; did you mean c1 or",)),
        ("weights resnet18 --layer layer1.0.con1", ("no layer 'layer1.0.con1'; did you mean layer1.0.conv1",)),
        ("weights resnet18 --layer layer1.0", ("is a block: say which layer of it, layer1.0.conv1",)),
        ("weights resnet18 --layer relu", ("relu (ReLU) is a layer without a weight; those with one are conv1, bn1",)),
        ("weights lenet5 absent.pth --layer c1", ("absent.pth", "does not exist")),
        ("weights lenet5 a b --layer c1", ("takes at most one file of WEIGHTS, got 2 files",)),
        ("weights lenet5 --layer c1 --layer c3", ("takes one --layer",)),
        ("weights lenet5 --layer c1 --grey", ("--grey is of maps",)),
        ("weights lenet5 --layer c1 --samples 3", ("--samples is of field",)),
        ("maps lenet5 --layer c1", ("takes [WEIGHTS] PICTURE, got 0 files",)),
        ("maps lenet5 absent.png --layer c1", ("'absent.png' is no file",)),
        ("maps lenet5 absent.pth PICTURE --layer c1", ("absent.pth does not exist",)),
        ("maps lenet5 PICTURE --layer c4", ("no layer 'c4'; did you mean c1",)),
        ("maps lenet5 PICTURE --layer f6", ("f6 gives 84, which are no maps",)),
        ("maps resnet18 PICTURE --layer conv1", ("picture has 1 channel, and resnet18 takes 3",)),
        (
            "maps lenet5 COLOURED --layer c1",
            ("3 channels, and lenet5 takes 1; make it grey: grey=True, at a prompt --grey",),
        ),
        ("maps tiny_autoencoder PICTURE --layer encoder", ("takes 640, and a picture is channels, height and width",)),
        ("field lenet5 --layer c4", ("there is no 'c4'; did you mean c1",)),
        ("field lenet5 --layer f6", ("f6 gives 84, no maps: it has no receptive field; the last maps are those of",)),
        ("field lenet5 absent.pth --layer c1", ("absent.pth does not exist",)),
        ("field lenet5 --layer c1 --samples 0", ("--samples",)),
        ("weights lenet5", ("--layer",)),
        ("weights lenet6 --layer c1", ("did you mean lenet5",)),
        ("weigths lenet5 --layer c1", ("weigths", "weights")),
        ("weights lenet5 --layer c1 -o a.bmp", (".bmp",)),
        ("weights vgg16+scale_width=40 --layer features.0", ("parameters", "at most 1,000,000,000")),
    ],
)
def test_what_cannot_be_is_said(words: str, said: tuple[str, ...], trained: str, tmp_path: Path) -> None:
    coloured = tmp_path / "coloured"
    Image.new("RGB", (30, 30)).save(coloured, "PNG")
    files = {"PICTURE": digit(trained), "COLOURED": str(coloured)}
    call("look", *(files.get(one, one) for one in words.split())).refused(*said)


def test_weights_that_do_not_fit_are_said(trained: str) -> None:
    call("look", "weights", "resnet18", trained, "--layer", "conv1").refused("does not fit the network", "conv1.weight")
    other = first("resnet18", 0)
    with pytest.raises(InvalidValueError, match="no layer 'fc3'; did you mean fc"):
        look_weights(NETWORK, "fc3", other)
    with pytest.raises(InvalidValueError, match="conv1 is 64x3x7x7 and 16x3x3x3"):
        look_weights(first("resnet18", 0), "conv1", first("resnet20", 0))
    with pytest.raises(InvalidTypeError, match="trained is a file of weights or a module, got 3"):
        look_weights(NETWORK, "conv1", 3)  # type: ignore[arg-type]


def test_weights_that_are_no_numbers_are_said() -> None:
    net = first(NETWORK, 0)
    with torch.no_grad():
        net.conv1.weight[0, 0, 0, :2] = torch.nan
    with pytest.raises(InvalidValueError, match="conv1 has 2 weights that are no numbers"):
        look_weights(net, "conv1")
    with pytest.raises(InvalidValueError, match="0 is lazy and has no weight before its first forward"):
        look_weights(nn.Sequential(nn.LazyConv2d(4, 3)), "0")
    with pytest.raises(InvalidValueError, match="takes 64, and a picture is channels, height and width"):
        look_maps(net, np.zeros((8, 8)), "conv1", input_size=64)
    with pytest.raises(InvalidValueError, match="is on the meta device"):
        look_weights(deepcopy(net).to("meta"), "c1")
