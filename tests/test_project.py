"""What the files around the package say of it: its version, how it is cited, and what is checked before a commit."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from command import environment

import cnnzoo

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

METADATA = """
from setuptools.build_meta import prepare_metadata_for_build_wheel
print(prepare_metadata_for_build_wheel("made"))
"""
"""What pip runs, in the folder of the sources, to learn what it installs."""


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def values(key: str, text: str) -> list[str]:
    """What follows a key of YAML, on the same line, wherever it stands."""
    return re.findall(rf"^[ -]*{key}: *(.+)$", text, re.MULTILINE)


def test_the_version_stands_in_one_place(tmp_path: Path) -> None:
    """Building reads it there without running the package, which may import what is not installed."""
    assert "version" not in PROJECT
    assert not values("version", read("CITATION.cff"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "cnnzoo").mkdir()
    source = read("cnnzoo/__init__.py") + "\nimport not_installed\n"
    (tmp_path / "cnnzoo" / "__init__.py").write_text(source, encoding="utf-8")
    (tmp_path / "made").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", METADATA], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (made,) = tmp_path.glob("made/*/METADATA")
    assert f"\nVersion: {cnnzoo.__version__}\n" in made.read_text(encoding="utf-8")


def test_the_changelog_begins_with_this_version() -> None:
    assert re.search(r"^## (\S+)", read("CHANGELOG.md"), re.MULTILINE)[1] == cnnzoo.__version__


def test_the_citation_says_what_the_project_says() -> None:
    citation = read("CITATION.cff")
    assert values("cff-version", citation) == ["1.2.0"]
    assert values("license", citation) == [PROJECT["license"]]
    assert values("message", citation)
    assert values("title", citation)
    assert values("name", citation) == ["The cnnzoo contributors"]
    assert citation.partition("keywords:")[2].split("\n  - ")[1:] == [
        *PROJECT["keywords"][:-1],
        f"{PROJECT['keywords'][-1]}\n",
    ]


def test_a_commit_is_checked_by_what_a_submission_is() -> None:
    """The hooks are the lines of `.ci/run` between its installation and its tests, and the workflow is `.ci/run`."""
    lines = read(".ci/run").splitlines()
    (install,) = (number for number, line in enumerate(lines) if "pip install" in line and "[test]" in line)
    checks = lines[install + 1 : lines.index("", install)]
    assert values("entry", read(".pre-commit-config.yaml")) == checks
    assert "pytest --wide" in lines[install + 1 + len(checks) :]
    assert values("run", read(".github/workflows/ci.yml")) == [".ci/run"]
