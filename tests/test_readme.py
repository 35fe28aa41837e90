"""What the README shows is what happens, and the set-up that it promises is the one that is tested."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pages import blocks
from sessions import happens

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")
SET_UP = [
    "pip install -c constraints.txt . && cnnzoo summary vgg16",
    "pip install -c constraints.txt '.[test]' && pytest",
]


@pytest.mark.wide(0)
def test_everything_that_is_shown_happens(tmp_path: Path) -> None:
    assert {block.language for block in blocks(TEXT)} >= {"console", "sh", "python"}
    happens(README, tmp_path)


def test_links_lead_to_what_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", TEXT) if not link.startswith("https://")]
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_set_up_is_two_commands_and_ci_runs_the_one_of_the_tests() -> None:
    lines = [line for block in blocks(TEXT) if block.language == "sh" for line in block.text.splitlines()]
    assert [line for line in lines if line.startswith("pip ")] == SET_UP
    install, _, tests = SET_UP[1].partition(" && ")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert install.removeprefix("pip install ") in script
    assert f"\n{tests} --wide\n" in script


def test_constraints_pin_every_dependency_exactly() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert pins["torch"] == "2.13.0"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needs = [*project["dependencies"], *(need for extra in project["optional-dependencies"].values() for need in extra)]
    pinned = {name.lower() for name in pins}
    left_out = {"timm", "torchvision"}  # of the benchmarks: they pin torch themselves
    assert {re.split(r"[<>=\[ ]", need)[0].lower() for need in needs} - pinned <= left_out
