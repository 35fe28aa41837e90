"""The functions of the package: what they take, that they say what commands say, and that no module shadows them."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from command import call, environment

import cnnzoo
from cnnzoo.errors import InvalidTypeError
from cnnzoo.features.summary import NoDescriptionError

PACKAGE = Path(cnnzoo.__file__).parent
ONE = {
    "summary": ("lenet5",),
    "compare": ("lenet5", "lenet5_modern"),
    "diff": ("lenet5", "lenet5_modern"),
    "savings": ("alexnet",),
    "explain": ("lenet5", "c3"),
    "draw": ("lenet5",),
}
"""Of each function that is a command, too, what it is called with."""


@pytest.mark.parametrize("name", ONE)
def test_a_function_prints_what_its_command_does(name: str) -> None:
    found = getattr(cnnzoo, name)(*ONE[name])
    assert f"{found}\n" == call(name, *ONE[name]).succeeded()
    assert repr(found) == str(found)
    assert found._repr_html_().startswith("<")


@pytest.mark.parametrize("name", ONE)
def test_a_function_takes_a_name_a_builder_a_description_and_a_report(name: str) -> None:
    function, (network, *more) = getattr(cnnzoo, name), ONE[name]
    size = cnnzoo.get_builder(network).input_size
    wanted = str(function(network, *more))
    assert str(function(cnnzoo.get_builder(network), *more)) == wanted
    if name != "summary":
        assert str(function(cnnzoo.summary(network), *more)) == wanted
    assert str(function(cnnzoo.describe(network), *more, input_size=size)) != ""


@pytest.mark.parametrize("name", ["savings", "explain", "draw"])
def test_of_a_module_it_says_in_a_line_why_there_is_no_description(name: str) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(8, 4))
    module.register_forward_hook(lambda *_: None)
    with pytest.raises(NoDescriptionError, match=r"^the network has no description: .* it has hooks.*; \w") as caught:
        getattr(cnnzoo, name)(module, input_size=(3, 8))
    assert str(caught.value).count("\n") == 0


def test_a_module_can_be_drawn_as_bars() -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 1))
    assert cnnzoo.draw(module, "bars", input_size=(3, 8, 8)).to("svg").startswith(b"<?xml")


def test_a_notebook_shows_a_drawing_or_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = cnnzoo.draw("lenet5")
    image = re.fullmatch(
        r'<img src="data:image/svg\+xml;base64,(\S+)" alt="graph of lenet5" style="[^"]*">', drawing._repr_html_()
    )
    assert image is not None
    assert b64decode(image[1]) == drawing.to("svg")
    monkeypatch.setattr("cnnzoo.extras.find_spec", lambda name: None)
    assert "pip install &#x27;cnnzoo[draw]&#x27;" in drawing._repr_html_()


def test_a_drawing_is_that_of_the_command(tmp_path: Path) -> None:
    path = tmp_path / "one.svg"
    call("draw", "resnet18", "--kind", "volumes", "--block", "layer1", "--depth", "1", "-o", str(path)).succeeded()
    assert cnnzoo.draw("resnet18", "volumes", block="layer1", depth=1).to("svg") == path.read_bytes()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: cnnzoo.explain("lenet5", 3), "path is a text as 'layer1.0.conv1', got 3"),
        (lambda: cnnzoo.savings("alexnet", ["groups"]), "by is a technique's name, got ['groups']"),
        (lambda: cnnzoo.draw("lenet5", depth="2"), "depth is a number of levels, got '2'"),
    ],
)
def test_what_is_of_another_type_is_refused_when_it_is_given(call: Callable[[], object], said: str) -> None:
    with pytest.raises(InvalidTypeError) as refused:
        call()
    assert str(refused.value) == said


@pytest.mark.wide(0)
def test_no_module_shadows_a_function() -> None:
    """Neither by being there, nor by being imported."""
    assert [name for name in cnnzoo.__all__ if find_spec(f"cnnzoo.{name}")] == []
    paths = [path.relative_to(PACKAGE.parent).with_suffix("").parts for path in PACKAGE.rglob("*.py")]
    modules = [".".join(parts).removesuffix(".__init__") for parts in paths if parts[-1] != "__main__"]
    script = (
        f"import importlib, inspect\nfor name in {modules!r}: importlib.import_module(name)\nimport cnnzoo\n"
        "print([name for name in cnnzoo.__all__ if inspect.ismodule(getattr(cnnzoo, name))])\n"
        "print(cnnzoo.savings('googlenet').total.params_saved)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout.splitlines() == ["[]", "18307392"]
