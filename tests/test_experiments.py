"""The experiments of the documentation: each history is one that two epochs of the same command on fewer pictures have,
and committed weights give what their history says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command import call

import cnnzoo
from cnnzoo.features.train import read_history
from cnnzoo.features.train.settings import best_of

DOCS = Path(__file__).parents[1] / "docs" / "experiments"
RUNS = sorted((DOCS / "runs").glob("*.jsonl"))
WEIGHTS = sorted((DOCS / "runs").glob("*.safetensors"))


def option(name: str, value: Any) -> list[str]:
    """A setting as the command takes it."""
    said = f"--{name.replace('_', '-')}"
    if name == "input_size" and isinstance(value, list):
        value = "x".join(map(str, value))
    return [] if value in (None, False) else [said] if value is True else [said, str(value)]


@pytest.mark.wide(1)
@pytest.mark.parametrize("path", [one for one in RUNS if one.stem[-2:] not in ("-1", "-2")], ids=lambda path: path.stem)
def test_two_epochs_have_the_form_of_the_history(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digits stand for larger data."""
    monkeypatch.chdir(DOCS.parents[1])
    header, history = read_history(path)
    settings = {key: header[key] for key in header.keys() - {"cnnzoo", "torch", "model", "data", "arguments", "input"}}
    changed = {"epochs": 2, "pictures": 100, "input_size": header["input"]}
    options = [word for key, value in (settings | changed).items() for word in option(key, value)]
    done = call("train", header["model"], "--data", "digits", "--folder", str(tmp_path / "run"), *options)
    assert done.code == 0, done.err
    again, found = read_history(tmp_path / "run" / "history.jsonl")
    assert again.keys() == header.keys()
    assert {key for key in settings if again[key] != header[key]} <= changed.keys()
    assert [one.epoch for one in history] == [*range(1, len(history) + 1)]
    assert len(found) == 2
    assert found[0].learning_rate == history[0].learning_rate


def test_histories_and_weights_are_small() -> None:
    assert RUNS
    assert all(path.stat().st_size < 2_000_000 for path in [*RUNS, *WEIGHTS])
    assert {path.stem for path in WEIGHTS} <= {path.stem for path in RUNS}


@pytest.mark.parametrize("path", WEIGHTS, ids=lambda path: path.stem)
def test_weights_give_what_their_history_says(path: Path, wide: bool) -> None:
    header, history = read_history(path.with_suffix(".jsonl"))
    if header["data"] != "digits" and not (wide and Path("/usr/share/datasets/fashion-mnist").is_dir()):
        pytest.skip(f"of {header['data']}")
    found = cnnzoo.evaluate(header["model"], weights=path, part="validation")
    assert found.accuracy == pytest.approx(best_of(history).val_accuracy, abs=1.5 / found.count)
