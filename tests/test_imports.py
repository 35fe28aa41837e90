"""Who may import whom, and what a command loads."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from command import loaded
from installed import with_dependencies

PACKAGE = Path(__file__).parents[1] / "cnnzoo"

LEVELS = {
    # level 0
    "words": (),
    "arch": (),
    "report": (),
    # level 1
    "plugins": (),
    "registry": ("arch", "plugins"),
    "models": ("arch", "registry"),
    "calculate": ("arch", "report", "plugins"),
    "cost": ("arch", "calculate", "report"),
    "rewrites": ("arch", "plugins"),
    "edits": ("arch",),
    "savings": ("rewrites", "calculate", "cost", "render", "report"),
    "published": ("registry", "calculate", "report"),
    "weights": ("arch", "calculate", "edits", "registry", "report"),
    "render": ("report", "rich"),
    "conventions": ("report",),
    "explain": ("arch", "report"),
    "draw": ("arch", "calculate", "render", "report"),
    # level 2
    "pytorch": ("torch", "torchinfo", "report"),
    "pytorch.build": ("torch", "arch", "calculate", "edits", "plugins"),
    "pytorch.fusion": ("torch", "arch", "rewrites"),
    "pytorch.features": ("torch", "arch", "calculate", "report"),
    "pytorch.checkpoints": ("torch", "report", "weights"),
    # level 3
    "targets": ("arch", "registry"),
    "agreement": ("arch", "calculate", "registry", "report"),
    "resolve": ("arch", "registry"),
    "": ("api", "cli"),
    "api": ("arch", "calculate", "published", "registry", "report", "resolve"),
    "comparison": ("api", "arch", "registry", "render", "report"),
    "search": ("arch", "cost", "pyarrow", "registry", "resolve", "rewrites", "targets"),
    "difference": ("api", "arch", "registry", "render", "report"),
    "tables": (
        *("api", "cli", "click", "comparison", "conventions", "difference", "draw", "published", "registry"),
        *("render", "report", "rewrites", "savings"),
    ),
    "cli": (
        *("", "click", "api", "arch", "conventions", "published", "registry", "render", "report", "resolve", "targets"),
        *("calculate", "comparison", "difference", "draw", "explain", "savings", "search", "tables", "weights"),
    ),
}
"""What each module or package imports at its top, and so whenever it is imported: the table of the design.
`words` is for all.

The standard library goes without saying, and so does a package's own inside. What a module of `pytorch` has no
row for may import what the row of `pytorch` says; only those with a row of their own see descriptions."""

WITHIN = {
    "registry": ("api", "models", "weights"),
    "report": ("render", "savings"),
    "render": (),
    "draw": ("matplotlib",),
    "cli": ("rich",),
    "targets": ("pytorch.measure",),
    "resolve": ("edits", "pytorch.features", "rewrites", "weights"),
    "agreement": ("pytorch.build", "pytorch.measure"),
}
"""What functions alone may import besides; for level 3 it is everything but torch itself."""

MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def dotted(path: Path) -> list[str]:
    return [part for part in path.relative_to(PACKAGE).with_suffix("").parts if part != "__init__"]


def unit_of(parts: list[str]) -> str:
    """The row of the table that a module belongs to."""
    if parts in ([], ["__main__"]):
        return ""
    return ".".join(parts[:2]) if parts[0] == "pytorch" and len(parts) > 1 else parts[0]


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


class Top(ast.NodeTransformer):
    """What runs when a module is imported: no bodies of functions, nothing that is for type checkers alone."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        return None

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef  # noqa: N815

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if "TYPE_CHECKING" in ast.dump(node.test) else self.generic_visit(node)


class Run(Top):
    """What runs at all."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self.generic_visit(node)

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef  # noqa: N815


def units(path: Path, which: type[Top]) -> set[str]:
    """The rows of the table, and the packages of others, that a module imports."""
    names = set()
    for parts in imported(path, which().visit(ast.parse(path.read_text(encoding="utf-8")))):
        if parts[0] == "cnnzoo":
            known = (PACKAGE / parts[1]).with_suffix(".py").exists() or (PACKAGE / parts[1]).is_dir()
            names.add(unit_of(parts[1:]) if known else "")
        elif parts[0] not in sys.stdlib_module_names:
            names.add(parts[0])
    return names - {unit_of(dotted(path)), "words"}


every = pytest.mark.parametrize("path", MODULES, ids=lambda path: ".".join(["cnnzoo", *dotted(path)]))


@every
def test_a_module_imports_only_what_its_level_may(path):
    own = unit_of(dotted(path))
    package = own.partition(".")[0]
    assert package in LEVELS, f"say in DESIGN.md and here what {package} may import"
    siblings = {name for name in map(unit_of, map(dotted, MODULES)) if package == "pytorch" == name.partition(".")[0]}
    assert units(path, Top) - siblings <= set(LEVELS.get(own, LEVELS[package]))


@every
def test_only_the_torch_package_imports_torch(path):
    if "pytorch" not in dotted(path):
        assert not units(path, Run) & {"torch", "torchinfo", "torchvision", "numpy"}


@every
def test_only_level_3_and_what_is_said_so_imports_from_above_within_functions(path):
    own = unit_of(dotted(path))
    if own not in ("", "api", "cli") and not own.startswith("pytorch"):
        assert units(path, Run) <= {*LEVELS[own], *WITHIN.get(own, ())}


def test_measuring_never_sees_a_description():
    """Not even by way of what it imports, and not in a function either."""
    todo = {unit for unit in map(unit_of, map(dotted, MODULES)) if unit.startswith("pytorch.")} - {*LEVELS}
    assert todo
    met = set()
    while todo:
        unit = todo.pop()
        met.add(unit)
        for path in MODULES:
            if unit_of(dotted(path)) == unit and unit != "report":  # a report only prints itself by what is above it
                todo |= units(path, Run) - met
    assert not met & {"arch", "calculate", "registry", "models", "api", "edits", "rewrites", ""}


def test_no_module_imports_a_test_module():
    """What two of them need stands in a module of its own beside them."""
    for path in Path(__file__).parent.glob("*.py"):
        assert not re.findall(r"^ *(?:from|import) test_\w+", path.read_text(encoding="utf-8"), re.MULTILINE), path


def test_the_rules_can_be_broken(tmp_path):
    """The parser sees each way of importing, and leaves out what is left out."""
    path = PACKAGE / "models" / "invented.py"
    text = (
        "import torch.nn as nn, json\nfrom ..render.table import show\nfrom .. import cli, __version__\n"
        "from . import vgg\nclass A:\n    import rich\nif True:\n    from cnnzoo.api import summary\n"
        "if TYPE_CHECKING:\n    import numpy\ndef f():\n    from ..calculate import calculate\n"
    )
    source = tmp_path / "source.py"
    source.write_text(text)
    found = {".".join(parts) for parts in imported(path, Top().visit(ast.parse(text)))}
    assert found == {
        *("torch.nn", "json", "cnnzoo.render.table.show", "cnnzoo.cli", "cnnzoo.__version__"),
        *("cnnzoo.models.vgg", "rich", "cnnzoo.api.summary"),
    }
    assert "cnnzoo.calculate.calculate" in {".".join(parts) for parts in imported(path, Run().visit(ast.parse(text)))}


# What is loaded

LIGHT = set(with_dependencies("click", {}))
"""The distributions that the command may load from where it writes to a pipe; on a terminal rich comes to it."""

OWNERS = packages_distributions()


@pytest.mark.parametrize(
    "statement",
    [
        "import cnnzoo",
        "import cnnzoo; cnnzoo.summary('resnet50').to_dict()",
        "from cnnzoo.cli import main; main(['summary', 'vgg16'])",
        "from cnnzoo.cli import main; main(['summary', 'googlenet', '--format', 'json'])",
        "from cnnzoo.cli import main; main(['list'])",
        "from cnnzoo.cli import main; main(['conventions', 'resnet50'])",
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
    declared = {need.partition(">")[0] for need in distribution("cnnzoo").requires if "extra" not in need}
    assert declared == {"click", "rich", "torch", "torchinfo"}
