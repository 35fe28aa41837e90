"""`cnnzoo list [PATTERN]`."""

from __future__ import annotations

from typing import Any

import click

from ..features.list import document
from ..features.summary import summary
from ..resolve import describe
from ..zoo import get_builder, matching
from .common import emit, output_options, rewrite_option
from .completion import complete_name


@click.command("list", short_help="The networks there are.")
@click.argument("pattern", default="*", shell_complete=complete_name)
@rewrite_option
@output_options
def list_command(pattern: str, rewrites: tuple[str, ...], format_: str | None, output: str | None) -> None:
    """List the networks whose names match PATTERN ("res*", in quotes), each at its own input size.

    \b
    cnnzoo list "res*"

    With --rewrite only those that it changes, and what becomes of them.
    """
    names = matching(pattern)
    if rewrites:
        names = _rewritten(names, rewrites)
    emit(document([_entry(name) for name in names]), format_, output)


def _rewritten(names: list[str], rewrites: tuple[str, ...]) -> list[str]:
    """The networks that the rewrites change, as targets."""
    changed = []
    for name in names:
        target = "+".join((name, *rewrites))
        if describe(target) != describe(name):
            changed.append(target)
    if not changed:
        raise click.UsageError(f"{' and '.join(rewrites)} changes none of {', '.join(names)}")
    return changed


def _entry(name: str) -> dict[str, Any]:
    builder = get_builder(name.partition("+")[0])
    report = summary(name)
    return {
        "model": name,
        "params": report.total_params,
        "aux_params": report.aux_params,
        "macs": report.total_macs,
        "depth": report.depth,
        "receptive_field": report.receptive_field,
        "input_size": report.input_size,
        "year": builder.paper.year,
        "paper": builder.paper.title,
        "authors": builder.paper.authors,
        "link": builder.paper.link,
    }
