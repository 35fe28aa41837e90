"""Who may import whom, and what a command loads."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from command import loaded
from installed import with_dependencies

from cnnzoo.extras import DISTRIBUTIONS

PACKAGE = Path(__file__).parents[1] / "cnnzoo"

TREE = (
    *(
        "errors",
        "extras",
        "files",
        "words",
        "plugins",
        "arch",
        "render",
        "report",
        "facts",
        "calculate",
        "totals",
        "values",
        "rewrites",
        "registry",
    ),
    *("models", "zoo", "published", "weights", "pytorch", "formats", "resolve", "create", "features", "cli", ""),
)
"""The rows of the package, from the one that imports nothing of ours to what a user names."""

MEANT = {
    ("registry", "create"): "calling a builder makes the module, as calling torchvision's functions does",
    ("registry", "features.summary"): "a builder reports itself",
    ("zoo", "weights.published"): "timm's list_models can leave those that have published weights",
    ("cli", ""): "it prints the version",
    ("features.train", ""): "the history of a run says the version",
    ("__main__", "cli"): "python -m cnnzoo is the command",
}
"""The imports of a lower row, and the reason for each."""

THEIRS = {
    "features.draw": {"matplotlib"},
    "features.filters": {"numpy", "PIL"},
    "features.heatmap": {"numpy"},
    "features.look": {"numpy"},
    "features.sweep": {"pyarrow"},
    "features.train": {"matplotlib", "numpy", "sklearn"},
    "cli": {"click"},
    "pytorch": {"torch", "torchinfo"},
    "pytorch.train": {"ignite", "safetensors"},
    "values": {"numpy"},
}
"""What of others a package imports, besides the standard library."""

MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def dotted(path: Path) -> list[str]:
    return [part for part in path.relative_to(PACKAGE).with_suffix("").parts if part != "__init__"]


NAMES = {".".join(dotted(path)): path for path in MODULES}


def imported(path: Path, tree: ast.AST) -> Iterator[list[str]]:
    """Absolute dotted names, without telling a module from what is in it."""
    here = ["cnnzoo", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) + 1 - node.level] if node.level else []
            module = [*base, *(node.module or "").split(".")] if node.module else base
            yield from ([*module, alias.name] for alias in node.names)


class Run(ast.NodeTransformer):
    """What runs at all, within functions too: nothing that is for type checkers alone."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if "TYPE_CHECKING" in ast.dump(node.test) else self.generic_visit(node)


@cache
def imports(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The modules of the package that one of its modules imports, and the packages of others."""
    ours, theirs = set(), set()
    for parts in imported(NAMES[name], Run().visit(ast.parse(NAMES[name].read_text(encoding="utf-8")))):
        if parts[0] == "cnnzoo":
            whole = ".".join(parts[1:])
            ours.add(whole if whole in NAMES else ".".join(parts[1:-1]))
        elif parts[0] not in sys.stdlib_module_names:
            theirs.add(parts[0])
    return frozenset(ours - {name}), frozenset(theirs)


def row(name: str) -> int:
    first = name.partition(".")[0]
    return TREE.index("" if first == "__main__" else first)


every = pytest.mark.parametrize("name", NAMES, ids=lambda name: f"cnnzoo.{name}")


@every
def test_a_module_imports_from_rows_above_its_own(name):
    below = {other for other in imports(name)[0] if row(other) > row(name)}
    assert below == {other for one, other in MEANT if one == name and row(other) > row(name)}


def test_there_are_no_circles():
    edges = {name: {other for other in imports(name)[0] if (name, other) not in MEANT} for name in NAMES}
    TopologicalSorter(edges).prepare()  # CycleError names them


@every
def test_only_some_packages_import_what_is_not_ours(name):
    allowed = {other for package, others in THEIRS.items() if f"{name}.".startswith(f"{package}.") for other in others}
    assert imports(name)[1] <= allowed


def test_measuring_never_sees_a_description():
    """Not even by way of what it imports, and not in a function either."""
    todo = {name for name in NAMES if name.startswith(("pytorch.measuring", "pytorch.peers"))}
    assert todo
    met = set()
    while todo:
        met.add(name := todo.pop())
        todo |= imports(name)[0] - met
    assert not {name.partition(".")[0] for name in met} & {
        *(
            "arch",
            "calculate",
            "facts",
            "totals",
            "rewrites",
            "registry",
            "models",
            "zoo",
            "resolve",
            "create",
            "features",
            "cli",
        )
    }


def test_no_module_imports_a_test_module():
    """What two of them need stands in a module of its own beside them."""
    for path in Path(__file__).parent.glob("*.py"):
        assert not re.findall(r"^ *(?:from|import) test_\w+", path.read_text(encoding="utf-8"), re.MULTILINE), path


def test_the_rules_can_be_broken(tmp_path):
    """The parser sees each way of importing, and leaves out what is left out."""
    path = PACKAGE / "models" / "invented.py"
    text = (
        "import torch.nn as nn, json\nfrom ..render.table import show\nfrom .. import cli, __version__\n"
        "from . import vgg\nclass A:\n    import rich\nif True:\n    from cnnzoo.create import create_model\n"
        "if TYPE_CHECKING:\n    import numpy\ndef f():\n    from ..calculate import calculate\n"
    )
    found = {".".join(parts) for parts in imported(path, Run().visit(ast.parse(text)))}
    assert found == {
        *("torch.nn", "json", "cnnzoo.render.table.show", "cnnzoo.cli", "cnnzoo.__version__"),
        *("cnnzoo.models.vgg", "rich", "cnnzoo.create.create_model", "cnnzoo.calculate.calculate"),
    }
    with pytest.raises(CycleError):
        TopologicalSorter({"one": {"other"}, "other": {"one"}}).prepare()


# What is loaded

LIGHT = set(with_dependencies("click", {}))
"""The distributions that the command may load from."""

OWNERS = packages_distributions()


@pytest.mark.parametrize(
    "statement",
    [
        "import cnnzoo",
        "import cnnzoo; cnnzoo.summary('resnet50').to_dict()",
        "from cnnzoo.cli import main; main(['summary', 'vgg16'])",
        "from cnnzoo.cli import main; main(['summary', 'googlenet', '--format', 'json'])",
        "from cnnzoo.cli import main; main(['--help'])",
        "from cnnzoo.cli import main; main(['list'])",
        "from cnnzoo.cli import main; main(['peers', 'resnet50'])",
        "from cnnzoo.cli import main; main(['match', 'alexnet', '--params', '5M'])",
        "from cnnzoo.cli import main; main(['sweep', 'resnet50', '--width', '32,64'])",
        "from cnnzoo.cli import main; main(['compare', 'resnet50', 'vgg*', '--scatter'])",
        "from cnnzoo.cli import main; main(['diff', 'resnet50', 'resnet50_v1'])",
        "from cnnzoo.cli import main; main(['explain', 'resnet50', 'layer4.2.conv3'])",
        "from cnnzoo.cli import main; main(['draw', 'resnet50'])",
        "from cnnzoo.cli import main; main(['savings', 'resnet50'])",
    ],
)
def test_neither_torch_nor_numpy_nor_any_other_package_is_loaded(statement):
    names = {name.partition(".")[0] for name in loaded(statement)} - {"cnnzoo", *sys.stdlib_module_names}
    assert not names & {"torch", "torchinfo", "numpy"}
    owners = {owner.lower() for name in names for owner in OWNERS.get(name, [name])}
    assert owners <= LIGHT
    if "main" not in statement:
        assert not names, "from Python, a report needs the standard library alone"


def test_importing_the_package_imports_next_to_nothing():
    ours = {name for name in loaded("import cnnzoo") if name.startswith("cnnzoo")}
    assert ours == {"cnnzoo"}


def test_what_the_command_needs_is_declared():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {need.partition(">")[0] for need in project["dependencies"]}
    assert declared == {"click", "torch", "torchinfo"}


def test_an_extra_has_what_is_said_to_be_in_it():
    """Of each call of `extras.need`, but for those by way of the drawings' own."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    met = set()
    for path in MODULES:
        if "need(" not in (text := path.read_text(encoding="utf-8")):
            continue
        for call in ast.walk(ast.parse(text)):
            match call:
                case ast.Call(ast.Name("need"), [ast.Constant(), ast.Constant(extra), _, *_] as given):
                    packages = {DISTRIBUTIONS.get(one.value, one.value) for one in given[2:]}
                    brought = [*project["dependencies"], *project["optional-dependencies"][extra]]
                    assert packages <= {one.partition(">")[0] for one in brought}, path
                    met.add(extra)
    assert met == {"draw", "filters", "parquet", "train", "values"}
