"""Networks of other packages, by entry point: real packages, built and installed here, offline."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from command import environment, spawn

import cnnzoo
from cnnzoo.zoo import list_models

PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "zoo"
version = "1.0"

[project.entry-points."cnnzoo.models"]
{models}

[project.entry-points."cnnzoo.rewrites"]
{rewrites}

[tool.setuptools]
py-modules = {modules}
"""

NETWORK = """\
from cnnzoo import Paper, Pinned, register
from cnnzoo.arch import Conv2d, Flatten, Linear, ReLU, Sequential

PAPER = Paper("A Tiny Network", "Nobody", 2024, arxiv="2401.00000")


@register(paper=PAPER, pinned=Pinned(params=776, macs=2664, receptive_field=3), input_size=(3, 8, 8))
def {name}({arguments}):
    return Sequential(conv=Conv2d(2, {kernel}), relu=ReLU(), flatten=Flatten(), fc=Linear(num_classes, bias=False))
"""

REWRITE = """\
from cnnzoo.arch import Dropout, rewrite
from cnnzoo.rewrites import DoesNotApply, register_rewrite


@register_rewrite("Doe (2026), section 1")
def without_dropout(description):
    new = rewrite(description, lambda path, node: None if isinstance(node, Dropout) else node)
    if new is description:
        raise DoesNotApply("there is no dropout in it")
    return new
"""

GOOD = {
    "zoo_tiny": NETWORK.format(name="tinynet", arguments="num_classes=10", kernel=3),
    "zoo_rewrites": REWRITE,
    "zoo_fixed": "num_classes = 5\n" + NETWORK.format(name="fixednet", arguments="", kernel=3),
}
BAD = {
    "zoo_taken": NETWORK.format(name="vgg16", arguments="num_classes=10", kernel=3),
    "zoo_broken": "import a_package_that_nobody_has\n",
    "zoo_syntax": "def network(:\n",
    "zoo_large": NETWORK.format(name="toolarge", arguments="num_classes=10", kernel=9),
}

BUILDER = """\
from cnnzoo import Paper, Pinned, register

PAPER = Paper("A Wrong Network", "Nobody", 2024)


@register(paper=PAPER, pinned=Pinned(params=1, macs=1, receptive_field=1))
def {name}():
    {body}
"""

WRONG = {
    "zoo_prints": "print('the plugin speaks')\n" + NETWORK.format(name="talks", arguments="num_classes=10", kernel=3),
    "zoo_leaves": "import sys\nsys.exit(0)\n",
    "zoo_none": BUILDER.format(name="gives_none", body="return None"),
    "zoo_exits": BUILDER.format(name="exits", body="raise SystemExit(0)"),
    "zoo_raises": BUILDER.format(name="raises", body="print('raising'); return {}['x']"),
    "zoo_rewrites_nothing": REWRITE.replace("without_dropout", "to_nothing").replace("return new", "return None"),
    "zoo_rewrites_out": REWRITE.replace("without_dropout", "way_out").replace("return new", "raise SystemExit(0)"),
}
"""What loads, and is wrong when it is called; and what does not load at all."""


def install(modules: dict[str, str], folder: Path) -> str:
    """Install a package of these modules, each with an entry point of its name, and say where to."""
    entries: dict[str, list[str]] = {"models": [], "rewrites": []}
    for module, text in modules.items():
        entries["rewrites" if "register_rewrite" in text else "models"].append(f'{module} = "{module}"')
        (folder / f"{module}.py").write_text(text)
    groups = {group: "\n".join(lines) for group, lines in entries.items()}
    (folder / "pyproject.toml").write_text(PYPROJECT.format(modules=[*modules], **groups))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(folder / "site")]
    done = subprocess.run([*pip, *offline, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return str(folder / "site")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return install(GOOD, tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    return install(BAD, tmp_path_factory.mktemp("bad"))


def test_a_plugin_s_networks_are_listed_among_the_others(good):
    out = spawn("list", "--format", "csv", PYTHONPATH=good).succeeded()
    names = [line.partition(",")[0] for line in out.splitlines()[1:]]
    assert sorted(names) == sorted([*list_models(), "fixednet", "tinynet"])
    assert "tinynet,776,0,2664," in out


def test_a_plugin_s_network_is_a_network(good):
    out = spawn("summary", "tinynet", "--num-classes", "3", PYTHONPATH=good).succeeded()
    assert "Nobody (2024): A Tiny Network, arXiv:2401.00000" in out
    assert "272 (270 weights, 2 biases)" in out
    script = "import cnnzoo; print(cnnzoo.summary('tinynet').total_params, 'tinynet' in cnnzoo.list_models('t*'))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        env=environment(PYTHONPATH=good),
        check=True,
    )
    assert done.stdout == "776 True\n"


def test_a_plugin_s_rewrite_is_one_of_them(good):
    out = spawn("list", "*", "--rewrite", "without_dropout", "--format", "csv", PYTHONPATH=good).succeeded()
    names = [line.partition(",")[0] for line in out.splitlines()[1:]]
    dropped = [name for name in list_models() if "Dropout" in repr(cnnzoo.describe(name))]
    assert sorted(names) == sorted(f"{name}+without_dropout" for name in dropped)
    spawn("summary", "tinynet+without_dropot", PYTHONPATH=good).refused("did you mean without_dropout?")
    out = spawn("summary", "resnet18+without_dropout", PYTHONPATH=good).succeeded()
    assert "without_dropout does not apply: there is no dropout in it" in out


def test_a_plugin_s_network_is_suggested_and_completed(good):
    spawn("summary", "tinynt", PYTHONPATH=good).refused("did you mean tinynet?")
    words = {"_CNNZOO_COMPLETE": "bash_complete", "COMP_WORDS": "cnnzoo summary tinyn", "COMP_CWORD": "2"}
    script = [sys.executable, "-c", "from cnnzoo.cli import main; main()"]
    env = environment(PYTHONPATH=good, **words)
    assert subprocess.run(script, capture_output=True, text=True, env=env, check=True).stdout == "plain,tinynet\n"


def test_a_setting_that_a_plugin_s_network_lacks_is_one_line(good):
    spawn("summary", "fixednet", PYTHONPATH=good).succeeded()
    spawn("summary", "fixednet", "--num-classes", "3", PYTHONPATH=good).refused("fixednet", "num_classes")


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    return install(WRONG, tmp_path_factory.mktemp("wrong"))


@pytest.mark.wide(1)
@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "*", "--format", "csv"),
        ("compare", "[aegrt]*", "--format", "csv"),
        ("list", "*", "--rewrite", "ungroup", "--format", "csv"),
        ("check-weights", "weights.safetensors"),
    ],
)
def test_a_plugin_s_network_that_is_wrong_is_left_out(wrong, tmp_path, arguments):
    header = b'{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (tmp_path / "weights.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with_them = spawn(*arguments, PYTHONPATH=wrong, cwd=tmp_path)
    without = spawn(*arguments, cwd=tmp_path)
    assert with_them.code == without.code
    assert [line for line in with_them.out.splitlines() if not line.startswith("talks,")] == without.out.splitlines()
    assert sorted(set(with_them.err.splitlines()) - set(without.err.splitlines())) == [
        "Warning: exits is left out: exits fails: SystemExit: 0",
        "Warning: gives_none is left out: gives_none gives NoneType, no description",
        "Warning: raises is left out: raises fails: KeyError: 'x'",
        "Warning: the plugin zoo_leaves (zoo_leaves) could not be loaded: SystemExit: 0",
        "raising",
        "the plugin speaks",
    ]


@pytest.mark.wide
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("summary gives_none", "gives_none gives NoneType, no description"),
        ("explain exits", "exits fails: SystemExit: 0"),
        ("draw raises", "raises fails: KeyError: 'x'"),
        ("check raises", "raises fails: KeyError: 'x'"),
        ("summary alexnet+to_nothing", "to_nothing gives NoneType, no description"),
        ("diff alexnet alexnet+way_out", "alexnet+way_out: way_out fails: SystemExit: 0"),
        ("savings alexnet --by way_out", "way_out fails: SystemExit: 0"),
        ("list a* --rewrite to_nothing", "to_nothing gives NoneType, no description"),
    ],
)
def test_what_a_plugin_does_wrong_is_one_error(wrong, arguments, said):
    result = spawn(*arguments.split(), PYTHONPATH=wrong)
    assert (result.code, result.out) == (2, "")
    assert "Traceback" not in result.err
    assert result.err.splitlines()[-1] == f"Error: {said}"


@pytest.mark.wide(0)
def test_broken_plugins_are_a_line_each_and_break_nothing(bad):
    result = spawn("list", "--format", "csv", PYTHONPATH=bad)
    assert result.code == 0
    assert sorted(line.partition(",")[0] for line in result.out.splitlines()[1:]) == sorted(list_models())
    lines = sorted(result.err.splitlines())
    assert len(lines) == len(BAD)
    broken, syntax, taken, large = lines
    assert broken == (
        "Warning: the plugin zoo_broken (zoo_broken) could not be loaded: "
        "ModuleNotFoundError: No module named 'a_package_that_nobody_has'"
    )
    assert re.match(r"Warning: the plugin zoo_syntax \(zoo_syntax\) could not be loaded: SyntaxError: ", syntax)
    assert re.match(
        r"Warning: the plugin zoo_taken .*: model 'vgg16' is already registered by cnnzoo.models.vgg", taken
    )
    assert re.match(r"Warning: toolarge is left out: ShapeError: at conv: Conv2d: kernel 9 .* is larger than", large)


def test_what_is_ours_stays_ours(bad):
    assert spawn("summary", "vgg16", PYTHONPATH=bad).succeeded() == spawn("summary", "vgg16").succeeded()


def test_a_misspelt_name_is_still_one_error(bad):
    result = spawn("summary", "vgg61", PYTHONPATH=bad)
    *warned, error = result.err.splitlines()
    assert (result.code, result.out, len(warned)) == (2, "", 3)
    assert all(line.startswith("Warning: the plugin zoo_") for line in warned)
    assert error.startswith("Error: unknown model 'vgg61'; did you mean vgg")


def test_from_python_a_broken_plugin_is_a_warning(bad):
    script = "import cnnzoo; print(len(cnnzoo.list_models()))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(PYTHONPATH=bad), check=True
    )
    assert done.stdout == f"{len(list_models()) + 1}\n", "toolarge is registered; whether it can run is not asked"
    assert done.stderr.count("UserWarning: the plugin zoo_") == 3
