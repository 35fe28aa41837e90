"""`cnnzoo check-weights FILE [NAME]`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ..registry import UnknownModelError
from ..weights.headers import CheckpointError, Header, read_header
from ..weights.matching import (
    Fit,
    Shapes,
    compare,
    count,
    fits,
    known_names,
    likeliest,
    listed,
    nearest,
    renamed,
    shapes,
)
from .common import complete_name

MOST = 40
"""Differences that the table shows; JSON has all."""


@click.command("check-weights", short_help="Which networks a file of weights fits.")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("name", required=False, shell_complete=complete_name)
@click.option("--num-classes", type=click.IntRange(min=1), help="Classes of NAME's head; default: the network's own.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def check_weights(file: Path, name: str | None, num_classes: int | None, format_: str) -> None:
    """Say which registered networks FILE fits, or whether it fits NAME and in which tensors it does not.

    FILE is safetensors or what torch.save wrote. Only its header is read, nothing in it is run, and torch is
    not needed. Exits 0 where it fits, 1 where it does not, 2 where FILE cannot be read.
    """
    if num_classes and not name:
        raise click.UsageError("--num-classes goes with a NAME; without one the file's own number is found")
    settings = {"num_classes": num_classes} if num_classes else {}
    try:
        network = shapes(name, **settings) if name else None
        header = read_header(file)
    except (UnknownModelError, CheckpointError, TypeError) as error:
        raise click.UsageError(str(error)) from None
    names, notes = renamed(header.entries, network or known_names())
    found = {names[old]: shape for old, shape in header.shapes.items()}
    result = _against(found, Fit(name, settings), network) if name and network else _against_all(found)
    if format_ == "json":
        click.echo(json.dumps(_plain(header, notes, result), indent=2))
    else:
        click.echo("\n".join(_lines(header, result)))
        for note in notes:
            click.echo(f"Note: {note}", err=True)
    if not result["fits"]:
        click.get_current_context().exit(1)


def _against(found: Shapes, fit: Fit, network: Shapes) -> dict[str, Any]:
    differences = compare(found, network)
    return {
        "fits": [] if differences else [fit],
        "compared_with": str(fit),
        "differences": differences,
        "reason": likeliest(found, network, differences, "say --num-classes {classes}") if differences else None,
        "verdict": f"does not fit {fit}: {count(differences)}",
    }


def _against_all(found: Shapes) -> dict[str, Any]:
    result = {"fits": fits(found), "compared_with": None, "differences": [], "reason": None}
    if result["fits"]:
        return result
    name, differences = nearest(found)
    if len(found) == sum(difference.file is not None for difference in differences):
        return {**result, "verdict": "fits no registered network, nor is any of its tensors one of theirs"}
    verdict = f"fits no registered network; nearest is {name}, with {count(differences)}"
    return {**result, "compared_with": name, "differences": differences, "verdict": verdict}


def _lines(header: Header, result: dict[str, Any]) -> list[str]:
    fitting = [str(fit) for fit in result["fits"]]
    if not fitting:
        lines = [f"  {line}" for line in listed(result["differences"], MOST)]
        return [f"{header.path} {result['verdict']}", *lines, *filter(None, [result["reason"]])]
    same = "; a file does not tell them apart" if len(fitting) > 1 else ""
    dtypes = ", ".join(_dtypes(header))
    return [f"{header.path} fits {' and '.join(fitting)} ({len(header.entries)} tensors, {dtypes}){same}"]


def _dtypes(header: Header) -> list[str]:
    return sorted({entry.dtype for entry in header.entries.values()})


def _plain(header: Header, notes: tuple[str, ...], result: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "file": str(header.path),
        "tensors": len(header.entries),
        "dtypes": _dtypes(header),
        "notes": list(notes),
        "fits": [{"network": fit.name, "settings": dict(fit.settings)} for fit in result["fits"]],
        "compared_with": result["compared_with"],
        "differences": [difference._asdict() for difference in result["differences"]],
        "reason": result["reason"],
    }
