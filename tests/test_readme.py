"""What the README shows is what happens."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import cnnzoo
from cnnzoo.registry import _builders

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
SET_UP = [
    "pip install -c constraints.txt . && cnnzoo summary vgg16",
    "pip install -c constraints.txt '.[test]' && pytest",
]


def blocks(language: str) -> list[str]:
    return [text for own, text in BLOCKS if own == language]


def run(command: str, folder: Path) -> str:
    words = command.replace("cnnzoo ", f"{sys.executable} -m cnnzoo ", 1)
    done = subprocess.run(words, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("block", blocks("console"))
def test_transcripts_are_what_the_command_prints(block: str, tmp_path: Path) -> None:
    command, _, printed = block.partition("\n")
    assert run(command.removeprefix("$ "), tmp_path) == printed


def test_every_command_runs(tmp_path: Path) -> None:
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("cnnzoo ")]
    assert commands
    for command in commands:
        run(command, tmp_path)


def test_python_examples_give_what_they_show() -> None:
    known = dict(_builders)
    try:
        examples = doctest.DocTestParser().get_doctest(
            "\n".join(blocks("python")), {"__name__": "readme"}, "README.md", "README.md", 0
        )
        assert examples.examples
        assert doctest.DocTestRunner().run(examples).failed == 0
    finally:
        _builders.clear()
        _builders.update(known)


def test_set_up_is_two_commands_and_ci_runs_the_one_of_the_tests() -> None:
    pip = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("pip ")]
    assert pip == SET_UP
    install, _, tests = SET_UP[1].partition(" && ")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert install.removeprefix("pip install ") in script
    assert re.search(rf"^{tests}\b", script, re.MULTILINE)


def test_constraints_pin_every_dependency_exactly() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert pins["torch"] == "2.13.0"
    named = {"click", "rich", "torchinfo", "pytest", "hypothesis", "jsonschema", "mypy", "ruff"}
    assert named <= set(pins)


def test_the_version_is_the_same_in_both_places() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == cnnzoo.__version__
