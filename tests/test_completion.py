"""Completion: what takes a name out of a known list offers it, and shells take what they are offered."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from inspect import signature
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from command import environment

import cnnzoo
from cnnzoo.arch import Layer, Node, walk
from cnnzoo.cli import COMMANDS, COMPLETE, cli
from cnnzoo.features.filters import FILTERS, RANDOM
from cnnzoo.features.savings import TECHNIQUES
from cnnzoo.features.train.data import NAMES
from cnnzoo.rewrites import list_rewrites
from cnnzoo.zoo import get_builder, list_models

COMMAND = {name: cli.get_command(click.Context(cli), name) for name in COMMANDS}
PARAMETERS = [
    pytest.param(name, param, id=f"{name} {param.opts[-1]}")
    for name, one in COMMAND.items()
    for param in one.params
    if not getattr(param, "is_flag", False)
]
SCRIPT = "from cnnzoo.cli import main; main()"


def offered(*words: str) -> list[tuple[str, str]]:
    """The kind and the value of each word that may stand for the last one."""
    found = ShellComplete(cli, {}, "cnnzoo", COMPLETE).get_completions(list(words[:-1]), words[-1])
    return [(item.type, item.value) for item in found]


def words(*typed: str) -> list[str]:
    found = offered(*typed)
    assert {kind for kind, _ in found} <= {"plain"}
    return [value for _, value in found]


# Every parameter of every command

NETWORK = "resnet18"
KEYWORDS = [f"{name}=" for name in signature(get_builder(NETWORK)).parameters]
PATHS = [path for path, _ in walk(cnnzoo.describe(NETWORK)) if path and "." not in path]
LAYERS = [name for name, kind in Node.kinds.items() if issubclass(kind, Layer) and kind is not Layer]

KNOWN = {
    "--arg": KEYWORDS,
    "--block": PATHS,
    "--curves": "file",
    "--data": [*NAMES],
    "--device": ["cpu", "cuda"],
    "--folder": "dir",
    "--by": [*TECHNIQUES, *list_rewrites()],
    "--knob": KEYWORDS,
    "--layer": PATHS,
    "--module": sorted({get_builder(name).__module__.rpartition(".")[2] for name in list_models()}),
    "--output": "file",
    "--rewrite": list_rewrites(),
    "--vary": ["width", "depth"],
    "FILE": "file",
    "NAME": list_models(),
    "NAME|LAYER": [*list_models(), *sorted(LAYERS)],
    "PICTURE": "file",
    "TARGET": list_models(),
    "TARGET…": list_models(),
    "WEIGHTS": "file",
    "[FILE]…": "file",
    "[FILTER]…": [*FILTERS, RANDOM],
    "[NAME]": list_models(),
    "[PATH|SETTING…]": PATHS,
    "[PATTERN]": list_models(),
    "[PATTERN]…": list_models(),
    "[TARGET]…": list_models(),
}
"""What is offered where nothing is typed yet: all values, or that the shell knows them. By the option, or by what the
usage line calls the argument."""

FREE = {"--key", "CxHxW", "N=NAME", "VALUE", "VALUES", "SIZES", "COUNT", "YEARS", "OLD=NEW", "ROWS|FILE", "ROW|FILE"}
"""What is typed where there is no list."""


def known(command: click.Command, param: click.Parameter) -> list[str] | str:
    """What a parameter must offer where nothing is typed of it yet."""
    name = param.opts[-1] if isinstance(param, click.Option) else param.make_metavar(click.Context(command))
    if isinstance(param.type, click.Choice):
        return list(param.type.choices)
    if isinstance(param.type, click.IntRange | click.FloatRange) or {name, param.metavar} & FREE:
        return []
    if name in ("--columns", "--sort"):  # the help ends with them
        return re.findall(r"\w+", command.epilog.partition(":")[2])
    assert name in KNOWN, f"say in KNOWN or FREE what is typed for {name}"
    return KNOWN[name]


@pytest.mark.parametrize(("name", "param"), PARAMETERS)
def test_every_parameter_offers_what_is_known_of_it(name: str, param: click.Parameter) -> None:
    arguments = [one for one in COMMAND[name].params if isinstance(one, click.Argument)]
    before = [NETWORK] * (arguments.index(param) if param in arguments else len(arguments))
    option = [] if param in arguments else [param.opts[-1]]
    expected = known(COMMAND[name], param)
    if isinstance(expected, str):
        assert offered(name, *before, *option, "") == [(expected, "")]
        return
    assert words(name, *before, *option, "") == expected
    for value in expected:
        begun = value[: len(value) // 2 + 1]
        assert words(name, *before, *option, begun) == [one for one in expected if one.startswith(begun)]
    assert words(name, *before, *option, "no such thing") == []


# What more there is to it


@pytest.mark.parametrize("begun", ["", "v", "vgg1", "resnet50", "quux"])
@pytest.mark.parametrize("name", ["summary", "list"])
def test_names_are_completed(name: str, begun: str) -> None:
    assert words(name, begun) == [one for one in list_models() if one.startswith(begun)]


TAKING = [
    pytest.param(name, number, id=f"{name} {number}")
    for name, one in COMMAND.items()
    for number, param in enumerate(param for param in one.params if isinstance(param, click.Argument))
    if param.make_metavar(click.Context(one)) in ("NAME", "NAME|LAYER", "TARGET", "TARGET…", "[TARGET]…")
]
"""Where a TARGET is typed: the command, and how many arguments are before it."""


@pytest.mark.parametrize(("name", "before"), TAKING)
def test_rewrites_are_completed_behind_plus_signs(name: str, before: int) -> None:
    rewrites = [f"googlenet+{one}" for one in list_rewrites()]
    assert words(name, *["vgg11"] * before, "googlenet+") == rewrites
    assert words(name, *["vgg11"] * before, "googlenet+drop_r") == ["googlenet+drop_reductions"]
    assert words(name, *["vgg11"] * before, "file.py:net+scale_width=0.5+drop_r") == [
        "file.py:net+scale_width=0.5+drop_reductions"
    ]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to be in, with what may be meant there."""
    monkeypatch.chdir(tmp_path)
    for folder in ("networks", ".hidden", "vision"):
        (tmp_path / folder).mkdir()
    for file in ("mine.py", "notes.txt", "networks/own.py", ".hidden.py", "vision.py"):
        text = "raise SystemExit\ndef small(): ...\nclass Large: ...\n_hidden = None\nslim = small\n"
        (tmp_path / file).write_text(text, encoding="utf-8")
    (tmp_path / "broken.py").write_text("def small(:", encoding="utf-8")


FOUND = {
    "mi": ["mine.py:"],
    "mine.py": ["mine.py:"],
    "mine.py:": ["mine.py:small", "mine.py:Large", "mine.py:slim"],
    "mine.py:s": ["mine.py:small", "mine.py:slim"],
    "ne": ["networks/"],
    "networks/": ["networks/own.py:"],
    "networks/own.py:L": ["networks/own.py:Large"],
    "./": ["./broken.py:", "./mine.py:", "./networks/", "./vision.py:", "./vision/"],
    "./.": ["./.hidden.py:", "./.hidden/"],
    "vi": ["vision.py:", "vision/"],
    "no": [],
    "nowhere/": [],
    "broken.py:": [],
    "missing.py:": [],
    "notes.txt:": [],
    "pkg.mod:": [],
}
"""What is offered in the folder of `files`, by what is typed."""


@pytest.mark.parametrize(("name", "before"), TAKING)
@pytest.mark.usefixtures("files")
def test_files_are_completed_and_what_they_define(name: str, before: int) -> None:
    """A file's code is read and not run."""
    given = ["vgg11"] * before
    assert {begun: words(name, *given, begun) for begun in FOUND} == FOUND


def test_the_last_name_of_a_list_is_completed_and_none_twice() -> None:
    assert words("summary", "vgg16", "--columns", "params,ma") == ["params,macs"]
    assert words("summary", "vgg16", "--columns=params,ma") == ["params,macs"]
    assert words("summary", "vgg16", "--columns", "params,macs,para") == []
    assert words("match", "resnet18", "--vary", "width,") == ["width,depth"]


@pytest.mark.parametrize("target", ["nowhere", "mine.py:small", "timm:resnet18"])
@pytest.mark.parametrize(
    ("name", "option"), [("draw", "--block"), ("summary", "--arg"), ("match", "--vary"), ("sweep", "--knob")]
)
@pytest.mark.usefixtures("files")
def test_nothing_is_offered_of_what_is_not_registered(name: str, option: str, target: str) -> None:
    """It would have to be run."""
    assert words(name, target, option, "") == []
    assert words(name, option, "") == []


def test_the_settings_of_a_layer_are_completed() -> None:
    assert words("explain", "conv2d", "64", "k") == ["kernel_size="]


# Shells


def test_the_shell_is_told() -> None:
    told = {COMPLETE: "bash_complete", "COMP_WORDS": "cnnzoo summary vgg1", "COMP_CWORD": "2"}
    script = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(script, capture_output=True, text=True, env=environment(**told), check=True, timeout=300)
    assert done.stdout.split() == [f"plain,{name}" for name in list_models("vgg1*")]
    assert done.stderr == ""


REPLIES = {
    "summary vgg16_": ["vgg16_bn"],
    "summary googlenet+drop_r": ["googlenet+drop_reductions"],
    "summary resnet18+scale_width = 0.5+drop_r": ["0.5+drop_reductions"],
    "summary networks/": ["networks/own.py:"],
    "summary mine.py :": ["small", "Large", "slim"],
    "summary mine.py : sm": ["small"],
    "diff mine.py : small mine.py : La": ["Large"],
    "summary vgg16 --columns params,ma": ["params,macs"],
    "summary vgg16 --columns = params,ma": ["params,macs"],
    "summary vgg16 --format = ": ["table", "text", "json", "csv", "markdown", "latex", "html"],
    "summary vgg16 ": [],
    "nothing vgg16": [],
}
"""What stands behind `cnnzoo`, in the words that bash makes of it, and what it is to put in place of the last."""


@pytest.mark.skipif(shutil.which("bash") is None, reason="takes bash")
@pytest.mark.usefixtures("files")
def test_bash_breaks_words_and_gets_what_stands_behind_the_break(tmp_path: Path) -> None:
    program = tmp_path / "cnnzoo"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{SCRIPT}' \"$@\"\n", encoding="utf-8")
    program.chmod(0o755)
    lines = [f'compopt() {{ :; }}; export PATH="{tmp_path}:$PATH"; eval "$({COMPLETE}=bash_source cnnzoo)"']
    for typed in REPLIES:
        broken = " ".join(f"'{word}'" for word in ["cnnzoo", *typed.split(" ")])
        lines.append(f"COMPREPLY=(); COMP_WORDS=({broken}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))")
        lines.append('_cnnzoo_completion cnnzoo; echo "${COMPREPLY[*]}"')
    done = subprocess.run(
        ["bash", "--norc", "-c", "\n".join(lines)], capture_output=True, text=True, env=environment(), check=True
    )
    assert done.stderr == ""
    assert [line.split() for line in done.stdout.splitlines()] == list(REPLIES.values())


@pytest.mark.parametrize(
    ("shell", "ours"),
    [("bash", "compopt -o nospace"), ("zsh", "compadd -U -V unsorted -S ''"), ("fish", "split -m 1")],
)
def test_what_is_changed_in_the_script_of_a_shell_is_there_to_be_changed(shell: str, ours: str) -> None:
    script = [sys.executable, "-c", SCRIPT]
    env = environment(**{COMPLETE: f"{shell}_source"})
    assert ours in subprocess.run(script, capture_output=True, text=True, env=env, check=True).stdout
