"""Errors for users are one line each, whichever command meets them; a defect of the package shows its traceback."""

import functools
import gc
import inspect
from importlib import import_module
from pkgutil import walk_packages

import pytest
from command import call

import cnnzoo
from cnnzoo import CnnzooError
from cnnzoo.arch import Conv2d
from cnnzoo.cli import COMMANDS
from cnnzoo.errors import InvalidTypeError, InvalidValueError
from cnnzoo.rewrites import Rewrite

PAGE = "<!-- cnnzoo summary lenet5_modern -->\n<!-- /cnnzoo -->\n"

ARGUMENTS = {
    "summary": ("lenet5_modern",),
    "list": ("lenet*",),
    "compare": ("lenet5_modern", "vgg11"),
    "diff": ("lenet5_modern", "vgg11"),
    "explain": ("lenet5_modern",),
    "savings": ("resnet50",),
    "match": ("resnet50", "--macs", "4G", "--width", "64", "--depth", "2"),
    "sweep": ("vgg11", "--width", "32", "--jobs", "1"),
    "draw": ("lenet5_modern",),
    "filters": ("photo.pgm", "blur"),
    "look": ("weights", "lenet5_modern", "--layer", "conv1"),
    "heatmap": ("lenet5_modern", "weights.safetensors", "photo.pgm", "--size", "28"),
    "train": ("lenet5_modern", "--data", "digits", "--input-size", "28"),
    "evaluate": ("lenet5_modern", "weights.safetensors", "--data", "digits", "--input-size", "28"),
    "check": ("lenet5_modern", "--sizes", "1"),
    "check-weights": ("weights.safetensors", "lenet5_modern"),
    "peers": ("lenet5_modern",),
    "verify": ("vgg11",),
    "rewrites": (),
    "show": ("lenet5_modern",),
    "tables": ("--check", "."),
}
"""For each command what is calculated while it works."""

DEFECTS = (TypeError, ValueError, KeyError, AttributeError, RuntimeError)

INTERNAL = {"Broken", "Failure", "Interrupted", "NeedsOriginalError", "NoTwinError", "NoWordError", "UnruledError"} | {
    "UnsaidError"
}
"""Exceptions that are met before a user would see them, and those of click."""

commands = pytest.mark.parametrize("name", COMMANDS)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Where every command of `ARGUMENTS` can run, with nothing calculated before it."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(PAGE)
    (tmp_path / "photo.pgm").write_bytes(b"P5 3 3 255\n123456789")
    (tmp_path / "weights.safetensors").touch()
    monkeypatch.chdir(tmp_path)
    for one in gc.get_objects():
        if type(one) is functools._lru_cache_wrapper and (one.__module__ or "").startswith("cnnzoo."):
            one.cache_clear()
    return tmp_path


def raising(error, monkeypatch):
    """Let an error be raised where the shape of a convolution is worked out, which all commands do but the list of
    rewrites and what is shown of a network, and where what a rewrite does and what a network takes is said."""

    def fail(*_):
        raise error

    monkeypatch.setattr(Conv2d, "output_shape", fail)
    monkeypatch.setattr(Rewrite, "summary", property(fail))
    monkeypatch.setattr("cnnzoo.features.show.sides", fail)


@pytest.mark.wide(3, 30)
@commands
@pytest.mark.parametrize("kind", DEFECTS)
def test_a_defect_shows_its_traceback(name, kind, here, monkeypatch):
    error = kind("a defect")
    raising(error, monkeypatch)
    with pytest.raises(kind) as caught:
        call(name, *ARGUMENTS[name])
    assert caught.value is error
    assert caught.traceback[-1].name == "fail"


@pytest.mark.wide(3, 30)
@commands
@pytest.mark.parametrize("kind", [CnnzooError, InvalidValueError, InvalidTypeError])
def test_an_error_for_the_user_is_one_line(name, kind, here, monkeypatch):
    raising(kind("no such\nthing"), monkeypatch)
    result = call(name, *ARGUMENTS[name])
    if name == "sweep":  # each combination is a record, whose `error` it is
        assert (result.code, result.err.splitlines()[-1]) == (1, "Error: none of them can be: no such thing")
    else:
        result.refused("no such thing")


@pytest.mark.wide(7)
@commands
def test_they_run_where_nothing_is_raised(name, here):
    from safetensors.torch import save_file

    save_file(cnnzoo.create_model("lenet5_modern").state_dict(), "weights.safetensors")
    result = call(name, *ARGUMENTS[name])
    assert result.code == (1 if name == "tables" else 0), result


@pytest.mark.parametrize("kind", DEFECTS)
def test_a_defect_in_measuring_shows_its_traceback(kind, here, monkeypatch):
    error = kind("a defect")

    def read_inputs(*_):
        raise error

    (here / "net.py").write_text("from torch import nn\ndef net():\n    return nn.Linear(2, 3)\n")
    monkeypatch.setattr("cnnzoo.pytorch.measuring.measure.read_inputs", read_inputs)
    with pytest.raises(kind) as caught:
        call("summary", "net.py:net", "--input-size", "2")
    assert caught.value is error


def test_every_error_for_users_has_the_one_base():
    found = {}
    for module in walk_packages(cnnzoo.__path__, "cnnzoo."):
        if not module.name.endswith("__main__"):
            for name, one in inspect.getmembers(import_module(module.name), inspect.isclass):
                ours = issubclass(one, BaseException) and one.__module__.startswith("cnnzoo.") and name[0] != "_"
                if ours and not issubclass(one, Warning):
                    found[name] = one
    assert {name for name, one in found.items() if not issubclass(one, CnnzooError)} <= INTERNAL
    assert len(found) > 20
    assert {one.exit_code for one in found.values() if issubclass(one, CnnzooError)} == {1, 2}
