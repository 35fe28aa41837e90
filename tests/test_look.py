"""What is inside of networks with weights: values and pictures are those of the module, which stays as it was."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command import call
from safetensors.torch import save_file
from torch import nn

import cnnzoo
from cnnzoo.errors import CnnzooError, InvalidTypeError, InvalidValueError
from cnnzoo.features.draw.sheet import Picture, Text, bounds
from cnnzoo.features.look import look_weights
from cnnzoo.features.look.colours import coloured, signed
from cnnzoo.features.look.weights import shown
from cnnzoo.render.document import FORMATS

NETWORK = "lenet5_modern"


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


# Of all that is looked at

LOOKS: dict[str, Callable[[Any, Any], Any]] = {
    "weights": lambda net, trained: look_weights(net, "conv2", trained, **size_of(net)),
}


def size_of(net: Any) -> dict[str, Any]:
    return {"input_size": (1, 28, 28)} if not isinstance(net, str | nn.Module) else {}


looks = pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)


@looks
def test_any_network_is_looked_at(look: Callable[..., Any], trained: str) -> None:
    """A name, one with rewrites, a builder, a description and a module."""
    wanted = str(look(NETWORK, trained))
    assert str(look(cnnzoo.get_builder(NETWORK), trained)) == wanted
    assert "trained" in str(look(f"{NETWORK}+drop_reductions", trained))
    assert "trained" in str(look(cnnzoo.describe(NETWORK), trained))
    assert "given" in str(look(first(NETWORK, 0), None))


@looks
def test_it_is_drawn_the_same_each_time(look: Callable[..., Any], trained: str) -> None:
    found = look(NETWORK, trained)
    for format_, begin in {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}.items():
        assert found.to(format_).startswith(begin)
    svg = found.to("svg")
    assert svg == look(NETWORK, trained).to("svg")
    assert len(svg) < 300_000


@looks
def test_a_notebook_shows_the_picture_and_the_table(look: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(NETWORK, None)
    assert found._repr_html_().startswith('<img src="data:image/svg+xml;base64,')
    assert "<table>" in found._repr_html_()
    assert found.figure().axes
    with pytest.raises(InvalidValueError, match="unknown format 'bmp'; there are svg, png, pdf"):
        found.to("bmp")
    monkeypatch.setattr("cnnzoo.features.draw.find_spec", lambda name: None)
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
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("training", [False, True])
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
        threading.Thread(target=lambda one=one: found.append(str(look(one, trained)))) for one in [NETWORK, net] * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(wanted * 3)
    assert torch.equal(before, torch.get_rng_state())


# The command

COMMANDS = {
    "weights": lambda trained: ("weights", NETWORK, trained, "--layer", "conv2"),
}


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
    """Its weights are drawn by the seed; with rewrites it is its description."""
    (tmp_path / "net.py").write_text(f"import cnnzoo\n\n\ndef make():\n    return cnnzoo.create_model({NETWORK!r})\n")
    target = f"{tmp_path}/net.py:make"
    for name in (target, f"{target}+drop_reductions"):
        words = [name if one == NETWORK else one for one in COMMANDS[kind](trained)]
        assert "trained" in call("look", *words, "--input-size", "1x28x28").succeeded()
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
        ("weights lenet5 a b --layer c1", ("takes one FILE",)),
        ("weights lenet5", ("--layer",)),
        ("weights lenet6 --layer c1", ("did you mean lenet5",)),
        ("weigths lenet5 --layer c1", ("weigths", "weights")),
        ("weights lenet5 --layer c1 -o a.bmp", (".bmp",)),
        ("weights vgg16+scale_width=40 --layer features.0", ("parameters", "at most 1,000,000,000")),
    ],
)
def test_what_cannot_be_is_said(words: str, said: tuple[str, ...]) -> None:
    call("look", *words.split()).refused(*said)


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
    with pytest.raises(InvalidValueError, match="is on the meta device"):
        look_weights(deepcopy(net).to("meta"), "c1")
