"""`cnnzoo check-weights FILE [NAME]`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ..weights.headers import Entry, Header, read_header
from ..weights.matching import Fit, compare, fits, likeliest, listed, nearest, shapes
from ..weights.pickles import printable
from ..weights.reading import Dicts, Reading, Shapes, adapted, read_as
from ..words import counted
from ..words import listed as enumerated
from .completion import complete_name

MOST = 40
"""Differences that the table shows; JSON has all."""


@click.command("check-weights", short_help="Which networks a file of weights fits.")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("name", required=False, shell_complete=complete_name)
@click.option(
    "--num-classes", type=click.IntRange(min=0), help="Classes of NAME's head, 0: without; default: the network's own."
)
@click.option("--key", help="Under which key of FILE, or beginning of names, its weights are; default: where they fit.")
@click.option(
    "--rename", metavar="OLD=NEW", multiple=True, help="What stands for the beginning OLD of names; as often as needed."
)
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def check_weights(
    file: Path, name: str | None, num_classes: int | None, key: str | None, rename: tuple[str, ...], format_: str
) -> None:
    """Say which registered networks FILE fits, or whether it fits NAME and in which tensors it does not.

    \b
    cnnzoo check-weights resnet18.pth
    cnnzoo check-weights backbone.safetensors resnet50 --num-classes 0

    FILE is safetensors or what torch.save wrote; it is read as load_checkpoint does. Only its header is read, nothing
    in it is run, and torch is not needed. Exits 0 where it fits, 1 where it does not, 2 where FILE cannot be read.
    """
    if num_classes is not None and not name:
        raise click.UsageError("--num-classes goes with a NAME; without one the file's own number is found")
    pairs = [one.partition("=") for one in rename]
    if not all(old and equals for old, equals, _ in pairs):
        raise click.UsageError("--rename takes the beginning of names and what stands for it, as in backbone.=")
    settings = {} if num_classes is None else {"num_classes": num_classes}
    network = shapes(name, **settings) if name else None
    header = read_header(file, key=key, rename={old: new for old, _, new in pairs} if pairs else None)
    dicts = header.shapes()
    result = _against(dicts, Fit(name, settings), network) if name and network else _against_all(dicts)
    reading, notes = result["reading"], [*result["reading"].notes, *result["adapted"]]
    if reading.stray:
        notes.append(f"left out: {enumerated(map(printable, reading.stray))}")
    notes += header.unread(reading.key)
    if format_ == "json":
        click.echo(json.dumps(_plain(header, notes, result), indent=2))
    else:
        click.echo("\n".join(_lines(header, result)))
        for note in notes:
            click.echo(f"Note: {note}", err=True)
    if not result["fits"]:
        click.get_current_context().exit(1)


def _against(dicts: Dicts, fit: Fit, network: Shapes) -> dict[str, Any]:
    reading = read_as(dicts, network)
    adapts = adapted(reading.shapes, network)
    differences = [one for one in compare(reading.shapes, network) if one.name not in adapts]
    step = "say --num-classes {classes}"
    return {
        "reading": reading,
        "adapted": [] if differences else [*adapts.values()],
        "fits": [] if differences else [fit],
        "compared_with": str(fit),
        "differences": differences,
        "reason": likeliest(reading.shapes, network, differences, step) if differences else None,
        "verdict": f"does not fit {fit}: {counted(len(differences), 'differences')}",
    }


def _against_all(dicts: Dicts) -> dict[str, Any]:
    result: dict[str, Any] = {"fits": [], "adapted": [], "compared_with": None, "differences": [], "reason": None}
    if found := fits(dicts):
        fit, reading = found[0]
        adapts = adapted(reading.shapes, shapes(fit.name, **fit.settings))
        return {**result, "fits": [one for one, _ in found], "reading": reading, "adapted": [*adapts.values()]}
    name, reading, differences = nearest(dicts)
    result["reading"] = reading
    if len(reading.shapes) == sum(difference.file is not None for difference in differences):
        result["reading"] = read_as(dicts, {})
        return {**result, "verdict": "fits no registered network, nor is any of its tensors one of theirs"}
    verdict = f"fits no registered network; nearest is {name}, with {counted(len(differences), 'differences')}"
    return {**result, "compared_with": name, "differences": differences, "verdict": verdict}


def _lines(header: Header, result: dict[str, Any]) -> list[str]:
    fitting = [str(fit) for fit in result["fits"]]
    if not fitting:
        lines = [f"  {line}" for line in listed(result["differences"], MOST)]
        return [f"{header.path} {result['verdict']}", *lines, *filter(None, [result["reason"]])]
    same = "; a file does not tell them apart" if len(fitting) > 1 else ""
    entries = _entries(header, result)
    about = f"({counted(len(entries), 'tensors')}, {', '.join(_dtypes(entries))})"
    return [f"{header.path} fits {' and '.join(fitting)} {about}{same}"]


def _entries(header: Header, result: dict[str, Any]) -> list[Entry]:
    """The file's tensors that are taken for a network's."""
    reading: Reading = result["reading"]
    return [header.dicts[reading.key][name] for name in reading.names]


def _dtypes(entries: list[Entry]) -> list[str]:
    return sorted({entry.dtype for entry in entries})


def _plain(header: Header, notes: list[str], result: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "file": str(header.path),
        "tensors": len(_entries(header, result)),
        "dtypes": _dtypes(_entries(header, result)),
        "notes": notes,
        "fits": [{"network": fit.name, "settings": dict(fit.settings)} for fit in result["fits"]],
        "compared_with": result["compared_with"],
        "differences": [difference._asdict() for difference in result["differences"]],
        "reason": result["reason"],
    }
