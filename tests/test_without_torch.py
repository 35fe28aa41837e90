"""The command where torch is absent: a bare virtual environment with the wheel, click and no more."""

import json
import shutil
import subprocess
import sys
import venv
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from command import environment
from installed import with_dependencies

import cnnzoo

ROOT = Path(__file__).parents[1]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def run(*words: object) -> str:
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def copy(distribution: Distribution, site: Path) -> None:
    """Its files as they are installed here, so that no network is needed."""
    for file in distribution.files:
        if ".." not in file.parts and file.suffix != ".pyc":
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.locate(), site / file)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The folder of the environment's commands."""
    folder = tmp_path_factory.mktemp("bare")
    source = folder / "source"  # a build leaves its traces where it is done
    leave = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "cnnzoo", source / "cnnzoo", ignore=leave)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    run(*PIP, "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "-w", folder, source)
    venv.create(folder / "venv", symlinks=True, with_pip=False)
    commands = folder / "venv" / "bin"
    site = Path(run(commands / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    for one in with_dependencies("click", {}).values():
        copy(one, site)
    (wheel,) = folder.glob("*.whl")
    run(*PIP, "--python", commands / "python", "install", "--quiet", "--no-index", "--no-deps", wheel)
    return commands


def test_torch_is_really_absent(bare):
    script = "import importlib.util as u; print([n for n in ('torch', 'torchinfo', 'numpy') if u.find_spec(n)])"
    assert run(bare / "python", "-I", "-c", script) == "[]\n"
    where = run(bare / "python", "-I", "-c", "import cnnzoo; print(cnnzoo.__file__)").strip()
    assert Path(where).is_relative_to(bare.parent)


def test_the_main_job(bare):
    assert run(bare / "cnnzoo", "summary", "resnet50") == f"{cnnzoo.summary('resnet50')}\n"


def test_every_network_is_listed_with_its_figures(bare):
    entries = json.loads(run(bare / "cnnzoo", "list", "--format", "json"))
    assert {entry["model"] for entry in entries} == {*cnnzoo.list_models()}
    assert all(entry["params"] == cnnzoo.summary(entry["model"]).total_params for entry in entries)


def test_from_python(bare):
    printed = run(bare / "python", "-I", "-c", "import cnnzoo; print(cnnzoo.summary('lenet5'))")
    assert printed == f"{cnnzoo.summary('lenet5')}\n"


@pytest.mark.parametrize("arguments", [("check", "lenet5"), ("summary", "cnnzoo.pytorch.modules.forwards:RBF")])
def test_what_takes_torch_says_so(bare, arguments):
    done = subprocess.run(
        [bare / "cnnzoo", *arguments], capture_output=True, text=True, env=environment(), check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "torch" in done.stderr
    assert done.stderr.startswith("Error: ")


def test_values_say_that_they_take_numpy(bare):
    script = "import cnnzoo\ntry:\n    cnnzoo.values\nexcept cnnzoo.CnnzooError as error:\n    print(error)"
    said = "numpy must be installed for cnnzoo.values: pip install 'cnnzoo[values]'\n"
    assert run(bare / "python", "-I", "-c", script) == said


def test_the_schema_is_in_the_wheel(bare):
    script = "from importlib.resources import files; print(files('cnnzoo').joinpath('schema.json').read_text(), end='')"
    assert run(bare / "python", "-I", "-c", script) == (ROOT / "cnnzoo" / "schema.json").read_text()
