"""Hostile inputs, made by changing valid ones: command lines, descriptions, sweep files, pages, modules and plugins.

`ENTRIES` has a function for each command, file reader and hook; it makes the input of a random generator's state.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import cache, partial
from importlib import import_module
from io import StringIO
from random import Random

import click
import hostile_checks
from hostile import Input
from hostile_sources import FACTORY, MODULES, PLUGIN, PLUGIN_LAYERS, PLUGINS, REWRITE, REWRITES

from cnnzoo import plugins
from cnnzoo.arch import FormatError, dumps, loads
from cnnzoo.calculate import calculate
from cnnzoo.cli import COMMANDS, main
from cnnzoo.zoo import get_builder


def warm() -> None:
    """Import what the commands import, so that it is there in every fork; plugins are loaded by each anew."""
    commands = (
        "summary lenet5",
        "compare lenet5 vgg11",
        "diff lenet5 alexnet",
        "list x*",
        "savings lenet5",
        "draw lenet5",
    )
    for line in (
        *commands,
        "explain lenet5 c1",
        "peers lenet5",
        "check lenet5 --sizes 1",
        "summary lenet5 -o /dev/null",
    ):
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()), suppress(SystemExit):
            main(line.split())
    import_module("cnnzoo.pytorch.train.files")
    for place in COMMANDS.values():
        import_module(f"cnnzoo.cli.{place.partition('.')[0]}")
    plugins._loaded.clear()


warm()
hostile_checks.watch()

NUMBERS = (
    "0",
    "-1",
    "1",
    "2",
    "3",
    "1.5",
    "1e400",
    "1e-400",
    "nan",
    "inf",
    "9" * 30,
    "9" * 400,
    "9" * 4999,
    str(2**63),
)
TOKENS = (
    *("", " ", "-", "--", "'", '"', "\n", "\t", "\x1b[31m", "é", "\u202e", "\udcff", "🦔", "a" * 100_000),
    *("0x" + "f" * 900, "(" * 5000, "[" * 5000, "-" * 3000 + "1", "1" + ",1" * 9000),
    *("{[]: 1}", "()", "{}", "None", "True", "f()", "%s%n", "=", "a=b=c"),
    *("1x1x1", "0x0x0", "999999999x999999999x999999999", "3x224x224", "1x3x8x8", "x", "3x", "7" + "x7" * 900),
    *("+", "+scale_width=0.5", "+scale_width=9999", "+scale_depth=9999", "+strip_aux", "+factorise=1xn", "+="),
    *("+ungroup" * 40, "*", "?", "[", "[a-", "**", "res*", ":", "::", "a:b", "1x128:int64"),
    *("net.py:make", "timm:x", "torchvision:resnet18", "a.py:f", "..", ".", "net.py", "x.json", "x.svg", "x.csv"),
    *("x.parquet", "nowhere/x.txt", "/dev/null", "/dev/full", "a" * 300 + ".json"),
    *("depth=999999999", "width=1e400", "num_classes=0", "strict=1", "lenet5", "resnet18", "googlenet"),
)

SMALL = ("lenet5", "lenet5_modern", "resnet18", "alexnet", "googlenet", "vgg11", "densenet121", "plain18")
SIZE = ("--input-size", "64")
FORMATS = ("table", "text", "json", "csv", "markdown", "latex", "html")


def changed(random: Random, arguments: list[str]) -> list[str]:
    """One to three changes, each of an argument or of their order; sometimes none."""
    for _ in range(random.choice((0, 0, 1, 1, 1, 2))):
        place = random.randrange(len(arguments) + 1)
        kind = random.randrange(9)
        if kind == 0 or not arguments:
            arguments.insert(place, random.choice(TOKENS))
        elif kind == 1:
            arguments.insert(place, random.choice(NUMBERS))
        else:
            place = min(place, len(arguments) - 1)
            arguments[place : place + 1] = _changed(random, kind, arguments[place])
    return arguments


def _changed(random: Random, kind: int, one: str) -> list[str]:
    if kind == 2:
        return []
    if kind == 3:
        return [one, one]
    if kind == 4:
        return [random.choice(TOKENS)]
    if kind == 5:
        return [one + random.choice(TOKENS)]
    if kind == 6 and re.search(r"\d", one):
        return [re.sub(r"\d+(\.\d+)?", lambda _: random.choice(NUMBERS), one, count=random.choice((0, 1)))]
    return [text_changed(random, one)]


def text_changed(random: Random, text: str) -> str:
    """A character left out, doubled or another one."""
    if not text:
        return text
    place = random.randrange(len(text))
    new = random.choice(("", text[place] * 2, random.choice("x=+,.:;-_0189[](){}\"'\\ \né")))
    return text[:place] + new + text[place + 1 :]


def bytes_changed(random: Random, data: bytes) -> bytes:
    """Bits flipped, a part left out, doubled or zero, an end torn off."""
    for _ in range(random.choice((1, 1, 2, 5))):
        start = random.randrange(len(data) + 1)
        stop = min(len(data), start + random.choice((1, 1, 4, 60, 2000)))
        part = data[start:stop]
        flipped = bytes(byte ^ (1 << random.randrange(8)) for byte in part[:1]) + part[1:]
        new = random.choice((b"", part * 2, bytes(len(part)), flipped, flipped, b"\xff" * len(part)))
        data = data[:start] if random.random() < 0.1 else data[:start] + new + data[stop:]
    return data


def command(entry: str, *choices: tuple[str, ...], random: Random, files: dict[str, bytes] | None = None) -> Input:
    arguments = changed(random, list(random.choice(choices)))
    return called(entry, [COMMAND_OF.get(entry, entry), *arguments], files or {"net.py": FACTORY.encode()})


COMMAND_OF = {"explain-layer": "explain", "module": "summary", "plugin": "list", "plugin-rewrite": "list"}


def called(entry: str, arguments: list[str], files: dict[str, bytes]) -> Input:
    def check(code: int, out: str) -> None:
        hostile_checks.check_reports()
        if code == 0 and entry == "summary" and not {"-o", "--columns", "--output", "csv"} & set(arguments):
            hostile_checks.check_printed(out)

    shown = [one if len(one) < 100 else f"{one[:40]!r}…({len(one)})" for one in arguments]
    return Input(entry, repr(shown), files, lambda: main(arguments) or 0, check)


def formatted(random: Random, *arguments: str) -> tuple[str, ...]:
    return (
        *arguments,
        *random.choice(
            ((), ("--format", random.choice(FORMATS)), ("-o", f"out.{random.choice(('json', 'txt', 'html'))}"))
        ),
    )


def summary(random: Random) -> Input:
    name = random.choice(SMALL)
    return command(
        "summary",
        formatted(random, name, "--num-classes", "10", "--batch-size", "4", "--dtype", "float16"),
        formatted(random, "resnet18", *SIZE, "--arg", "width=32", "--arg", "depth=1,1,1,1", "--depth", "2"),
        formatted(random, f"{name}+scale_width=0.5", "--rewrite", "scale_depth=2", "--all", "--columns", "kind,macs"),
        formatted(random, "net.py:make", "--input-size", "1x3x8x8", "--arg", "width=3", "--strict"),
        random=random,
    )


def listing(random: Random) -> Input:
    return command(
        "list",
        formatted(random, "lenet*", "--columns", "params,about", "--module", "lenet"),
        formatted(random, "vgg1*", "--rewrite", "scale_width=0.5"),
        random=random,
    )


def verify(random: Random) -> Input:
    return command(
        "verify", formatted(random, "vgg1*", "lenet5", "--module", "vgg", "--reason", "flops"), random=random
    )


def rewrites(random: Random) -> Input:
    return command("rewrites", formatted(random), random=random)


def compare(random: Random) -> Input:
    names = random.sample(SMALL, 2)
    return command(
        "compare",
        formatted(random, *names, "--sort", "-macs", "--columns", "params,macs"),
        ("lenet*", "net.py:make", "--input-size", "3x32x32", "--scatter"),
        (*names, "--num-classes", "7", "--batch-size", "2", "--rewrite", "scale_width=0.5", "-o", "out.json"),
        random=random,
    )


def diff(random: Random) -> Input:
    return command(
        "diff",
        formatted(random, "lenet5", "lenet5_modern", "--all", "--columns", "params"),
        formatted(random, "resnet18", "resnet18+scale_depth=2", *SIZE, "--num-classes", "5"),
        formatted(random, "lenet5", "net.py:make", "--input-size", "1x32x32"),
        random=random,
    )


def explain(random: Random) -> Input:
    return command(
        "explain",
        formatted(random, "resnet18", "layer2.0.conv1", *SIZE),
        formatted(random, "googlenet+drop_reductions", "inception3a", "--num-classes", "3"),
        formatted(random, "lenet5", "--rewrite", "ungroup"),
        random=random,
    )


def show(random: Random) -> Input:
    return command(
        "show",
        ("resnet18", "--source", "--num-classes", "10"),
        ("lenet5+scale_width=2", "--rewrite", "strip_aux", "-o", "out.py"),
        ("net.py:make", "--input-size", "1x3x8x8", "--arg", "width=3"),
        random=random,
    )


def explain_layer(random: Random) -> Input:
    return command(
        "explain-layer",
        formatted(random, "conv2d", "128", "kernel_size=3x1", "stride=2", "padding=1", "--in", "64x56x56"),
        ("maxpool", "3", "2", "ceil_mode=true", "dilation=2", "--in", "2x4x57x57"),
        ("AdaptiveAvgPool2d", "7x5", "--in", "16x13x224"),
        ("convtranspose2d", "8", "3", "stride=2", "output_padding=1", "--in", "4x9x9"),
        ("linear", "10", "--in", "9216", "--format", "json"),
        ("lrn", "5", "alpha=1e-3", "--in", "8x7x7"),
        ("TableConv2d", "((0,1),(1,2))", "3", "--in", "3x9x9"),
        ("flatten", "1", "-1", "--in", "4x5x6"),
        formatted(
            random, "conv2d", "--values", "--input", "1 2 / 3 4", "--kernel", "1 -1", "--bias", "0.5", "padding=1"
        ),
        ("maxpool", "2", "--values", "--in", "1x4x4", "-o", "out.svg"),
        random=random,
    )


def savings(random: Random) -> Input:
    return command(
        "savings",
        formatted(random, "googlenet", "--by", "pointwise", "--depth", "2"),
        formatted(random, "resnet18+scale_width=0.5", "--by", "factorise=1xn", *SIZE),
        formatted(random, "alexnet", "--arg", "num_classes=10", "--all"),
        formatted(random, "vgg1*", "--by", "stacks"),
        random=random,
    )


def match(random: Random) -> Input:
    return command(
        "match",
        formatted(random, "resnet18", "--params", "5M", "--width", "16:64:16", "--depth", "1x2x2:3x2", *SIZE),
        formatted(random, "vgg11", "--macs", "1.5G", "--at-most", "--width", "8,16", "--depth", "1", "--top", "3"),
        formatted(
            random, "lenet5_modern", "--params", "60k", "--vary", "width", "--width", "1,2", "--num-classes", "5,10"
        ),
        random=random,
    )


SWEEP = ("lenet5_modern", "--width", "1:6", "--num-classes", "5,10", "--input-size", "28,32", "--jobs", "1")


def sweep(random: Random) -> Input:
    return command(
        "sweep",
        (*SWEEP, "-o", "out.csv"),
        ("resnet18", "--width", "8,16", "--depth", "1x1x1:2x1", *SIZE, "--format", "jsonl", "--jobs", "2"),
        ("vgg11", "--knob", "width=8,16", "--rewrite", "scale_depth=2", "--jobs", "1", "-o", "out.parquet"),
        random=random,
    )


def draw(random: Random) -> Input:
    return command(
        "draw",
        ("lenet5", "--kind", "graph", "--depth", "2", "--format", random.choice(("mmd", "dot"))),
        ("resnet18", "--kind", random.choice(("volumes", "bars", "field")), "-o", "out.svg", *SIZE),
        ("net.py:make", "--kind", "bars", "--input-size", "3x8x8", "--arg", "width=2", "-o", "out.svg"),
        random=random,
    )


def filters(random: Random) -> Input:
    picture = PICTURE if random.random() < 0.5 else bytes_changed(random, PICTURE)
    return command(
        "filters",
        formatted(random, "photo.ppm", "blur", "sobel", "random", "--stride", "2", "--seed", "3"),
        ("photo.ppm", "--grey", "--size", "9", "--apart", "-o", "out.png"),
        random=random,
        files={"photo.ppm": picture},
    )


def heatmap(random: Random) -> Input:
    suffix = random.choice((".pt", ".safetensors"))
    weights, picture = saved()[suffix], b"P5 40 30 255\n" + bytes(index % 251 for index in range(40 * 30))
    if random.random() < 0.5:
        picture = bytes_changed(random, picture)
    else:
        weights = bytes_changed(random, weights)
    given = ("lenet5_modern", f"w{suffix}", "photo.pgm")
    return command(
        "heatmap",
        formatted(random, *given, "--class", "3=three", "--size", "40", "--mean", "0.5", "--std", "0.5"),
        (*given, "--top", "2", "-o", "out.jpg"),
        random=random,
        files={f"w{suffix}": weights, "photo.pgm": picture},
    )


def train(random: Random) -> Input:
    return learning(
        random,
        formatted(random, "net.py:make", "--arg", "width=2", "--data", ".", "--input-size", "3x8x8", "--epochs", "1"),
        ("lenet5_modern", "--data", ".", "--input-size", "28", "--epochs", "2", "--folder", "run", "--shift", "1"),
    )


def evaluate(random: Random) -> Input:
    return learning(
        random,
        formatted(random, "flat.py:net", "flat.safetensors", "--data", ".", "--part", "validation"),
        ("net.py:make", "flat.safetensors", "--data", ".", "--input-size", "3x8x8"),
        ("flat.py:net", "run", "--data", "."),
    )


FLAT = "from cnnzoo.arch import *\n\n\ndef net():\n    return Sequential(flat=Flatten(), fc=Linear(2))\n"


def learning(random: Random, *choices: tuple[str, ...]) -> Input:
    images, labels = bytes((0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 4, 0, 0, 0, 4)), bytes((0, 0, 8, 1, 0, 0, 0, 9))
    bias = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    weight = {"dtype": "F32", "shape": [2, 16], "data_offsets": [8, 136]}
    header = json.dumps({"fc.bias": bias, "fc.weight": weight}).encode()
    files = {
        "train-images-idx3-ubyte": images + bytes(range(144)),
        "train-labels-idx1-ubyte": labels + bytes((0, 1, 0) * 3),
        "net.py": FACTORY.encode(),
        "flat.py": FLAT.encode(),
        "flat.safetensors": len(header).to_bytes(8, "little") + header + bytes(136),
    }
    broken = random.choice([*files, *[""] * 5])
    entry = "train" if "--epochs" in choices[0] else "evaluate"
    changes = {broken: bytes_changed(random, files[broken])} if broken else {}
    return command(entry, *choices, random=random, files={**files, **changes})


PICTURE = b"P6 7 5 255\n" + bytes(range(3 * 7 * 5))


def look(random: Random) -> Input:
    weights = saved()[".safetensors"]
    return command(
        "look",
        formatted(random, "weights", "lenet5", "--layer", "c1", "--seed", "3"),
        formatted(random, "weights", "lenet5_modern", "w.safetensors", "--layer", "fc2", "--num-classes", "10"),
        formatted(random, "maps", "lenet5_modern", "w.safetensors", "photo.ppm", "--layer", "pool1", "--grey"),
        formatted(random, "field", "lenet5", "--layer", "s2", "--layer", "c3", "--samples", "1"),
        ("field", "net.py:make", "--layer", "1", "--input-size", "3x8x8", "--samples", "2", "-o", "out.svg"),
        ("weights", "net.py:make", "--layer", "0", "--input-size", "3x8x8", "--arg", "width=2", "-o", "out.svg"),
        random=random,
        files={"net.py": FACTORY.encode(), "w.safetensors": bytes_changed(random, weights), "photo.ppm": PICTURE},
    )


def check(random: Random) -> Input:
    return command("check", ("lenet5", "--sizes", "1"), ("lenet*", "--sizes", "2"), random=random)


def peers(random: Random) -> Input:
    return command(
        "peers",
        formatted(random, "lenet5_modern", "--batch-size", "2", "--num-classes", "3", "--columns", "figure,why"),
        formatted(random, "lenet*"),
        formatted(random, "net.py:make", "--input-size", "2x3x8x8", "--arg", "width=4"),
        random=random,
    )


PAGE = """# Page

<!-- cnnzoo list lenet* --columns params -->

<!-- /cnnzoo -->

<!-- cnnzoo summary net.py:make --input-size 2x3x8x8 -->
<!-- /cnnzoo -->
"""


def tables(random: Random) -> Input:
    pages = {"README.md": b"# Nothing\n", "docs/page.md": PAGE.encode(), "net.py": FACTORY.encode()}
    for name in ("README.md", "docs/page.md"):
        if random.random() < 0.7:
            pages[name] = bytes_changed(random, pages[name])
    return command("tables", ("--check", "."), ("--write", "docs"), ("--check",), random=random, files=pages)


def check_weights(random: Random) -> Input:
    suffix = random.choice((".pt", ".safetensors"))
    data = saved()[suffix]
    data = bytes_changed(random, data) if random.random() < 0.8 else data
    return command(
        "check-weights",
        (f"w{suffix}",),
        (f"w{suffix}", "lenet5_modern", "--format", "json"),
        random=random,
        files={f"w{suffix}": data},
    )


def load_checkpoint(random: Random) -> Input:
    from cnnzoo import create_model
    from cnnzoo.weights.headers import CheckpointError

    suffix = random.choice((".pt", ".safetensors"))
    data = bytes_changed(random, saved()[suffix]) if random.random() < 0.9 else saved()[suffix]

    def call() -> int:
        try:
            create_model("lenet5_modern", pretrained=f"w{suffix}")
        except CheckpointError as error:
            click.echo(f"Error: {error}", err=True)
            return 2
        return 0

    return Input("load_checkpoint", f"{len(data)} bytes of {suffix}", {f"w{suffix}": data}, call)


@cache
def saved() -> dict[str, bytes]:
    """The weights of a small network in both formats."""
    import io

    import torch
    from safetensors.torch import save

    from cnnzoo import create_model

    state = create_model("lenet5_modern").state_dict()
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return {".pt": buffer.getvalue(), ".safetensors": save(state)}


def description(random: Random) -> Input:
    """A description's JSON with a value, a name or a character changed."""
    builder = get_builder(random.choice(SMALL))
    data = json.loads(dumps(builder.describe()))
    for _ in range(random.choice((0, 1, 1, 2))):
        _spoil(random, data)
    text = json.dumps(data)
    for _ in range(random.choice((0, 0, 1, 3))):
        text = text_changed(random, text)

    def call() -> int:
        try:
            read = loads(text)
            assert loads(dumps(read)) == read
            calculate(read, builder.input_size)
        except (FormatError, ValueError) as error:
            click.echo(f"Error: {error}", err=True)
            return 2
        return 0

    return Input(
        "description", f"{text[:200]}… ({len(text)})", {}, call, lambda code, out: hostile_checks.check_reports()
    )


def _spoil(random: Random, data: dict) -> None:
    """Another value or another name somewhere in it."""
    here = data
    while isinstance(here.get("children"), dict) and here["children"] and random.random() < 0.8:
        inner = random.choice(list(here["children"].values()))
        if not isinstance(inner, dict):
            break
        here = inner
    key = random.choice(list(here))
    values = (
        None,
        -1,
        0,
        10**30,
        10**400,
        1e300,
        "",
        "same",
        [1, 2],
        [[]],
        {},
        {"kind": "ReLU"},
        True,
        "x" * 5000,
        1.5,
    )
    if random.random() < 0.3:
        here[random.choice(("", "forward", "kind", "a.b", "__init__", "type", "x" * 5000, "children"))] = here.pop(key)
    else:
        here[key] = random.choice(values)


@cache
def swept(form: str) -> bytes:
    """A finished sweep file, made by a process of its own."""
    arguments = [sys.executable, "-m", "cnnzoo", "sweep", *SWEEP, "--format", form]
    return subprocess.run(arguments, check=True, capture_output=True).stdout


def resumed(random: Random) -> Input:
    """A sweep's file, changed and gone on with: it is then whole, or left as it was."""
    form = random.choice(("csv", "jsonl"))
    data = bytes_changed(random, swept(form)) if random.random() < 0.9 else swept(form)[: random.randrange(3000)]
    name = f"out.{form}"

    def call() -> int:
        return main(["sweep", *SWEEP, "-o", name]) or 0

    def check(code: int, out: str) -> None:
        with open(name, "rb") as file:
            assert file.read() == swept(form), "the file is not what an undisturbed sweep writes"

    return Input("resumed", f"{form}: {data[:80]!r}… ({len(data)})", {name: data}, call, check)


def module(random: Random) -> Input:
    """A file of a network that is none, or does what it should not."""
    text = random.choice(MODULES)
    if random.random() < 0.3:
        text = text_changed(random, text)
    commands = (
        ("summary",),
        ("compare",),
        ("peers",),
        ("diff", "lenet5"),
        ("draw", "--kind", "bars", "-o", "o.svg"),
        ("draw",),
        ("explain",),
        ("savings", "--by", "scale_width=2"),
        ("show", "--source"),
        ("check", "--sizes", "1"),
        ("match", "--params", "1k", "--top", "1"),
        ("sweep", "--width", "3,4", "--jobs", "1"),
    )
    arguments = [*random.choice(commands), "net.py:make", "--input-size", "3x8x8"]
    return called("module", arguments, {"net.py": text.encode(errors="surrogatepass")})


USES = (
    ("list", "lenet*"),
    ("summary", "tinynet"),
    ("summary", "lenet5+twice"),
    ("explain", "twofold", "--in", "3x8x8"),
    ("check", "lenet5_modern", "--sizes", "1"),
    ("compare", "lenet5", "tinynet"),
    ("sweep", "tinynet", "--num-classes", "2,3", "--jobs", "1"),
    ("draw", "tinynet"),
    ("savings", "lenet5", "--by", "twice"),
    ("match", "tinynet", "--params", "1k", "--num-classes", "2,3"),
)
"""What is done where a package is installed."""


def plugin(entry: str, group: str, good: str, bad: tuple[str, ...], random: Random) -> Input:
    """A package that registers something by entry point, changed."""
    text = random.choice((good, *bad))
    if text == good or random.random() < 0.3:
        for _ in range(random.choice((1, 1, 2))):
            lines = text.split("\n")
            place = random.randrange(len(lines))
            lines[place] = random.choice(
                ("", text_changed(random, lines[place]), re.sub(r"\d+", random.choice(NUMBERS), lines[place]))
            )
            text = "\n".join(lines)
    info = "site/evil-1.0.dist-info"
    files = {
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n",
        f"{info}/entry_points.txt": f"[cnnzoo.{group}]\nevil = evil_plugin\n".encode(),
        "site/evil_plugin.py": text.encode(errors="surrogatepass"),
    }
    arguments = list(random.choice(USES))
    made = called(entry, arguments, files)

    def call() -> int:
        sys.path.insert(0, "site")
        return made.call()

    def check(code: int, out: str) -> None:
        made.check(code, out)
        assert arguments[0] != "list" or ("lenet5 " in out and "60,000" in out), out

    return made._replace(call=call, check=check, said=f"{arguments} with {text!r}")


ENTRIES: dict[str, Callable[[Random], Input]] = {
    "summary": summary,
    "list": listing,
    "verify": verify,
    "rewrites": rewrites,
    "compare": compare,
    "diff": diff,
    "explain": explain,
    "show": show,
    "explain-layer": explain_layer,
    "savings": savings,
    "match": match,
    "sweep": sweep,
    "draw": draw,
    "filters": filters,
    "look": look,
    "heatmap": heatmap,
    "train": train,
    "evaluate": evaluate,
    "check": check,
    "check-weights": check_weights,
    "peers": peers,
    "tables": tables,
    "load_checkpoint": load_checkpoint,
    "description": description,
    "resumed": resumed,
    "module": module,
    "plugin": partial(plugin, "plugin", "models", PLUGIN, PLUGINS),
    "plugin-rewrite": partial(plugin, "plugin-rewrite", "rewrites", REWRITE, REWRITES),
    "plugin-layer": partial(plugin, "plugin-layer", "models", PLUGIN_LAYERS[0], PLUGIN_LAYERS[1:]),
}
assert set(COMMANDS) <= set(ENTRIES)
