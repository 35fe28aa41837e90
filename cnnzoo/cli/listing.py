"""`cnnzoo list [PATTERN]…`."""

from __future__ import annotations

from typing import Any

import click

from ..features.list import COLUMNS, document
from ..resolve import describe, design
from ..totals import totals
from ..zoo import get_builder, homes, matching
from .common import columns_option, emit, output_options, rewrite_option
from .completion import complete_name


def complete_module(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The modules in which networks are registered, by the last part of their names."""
    modules = sorted({home.rpartition(".")[2] for home in homes().values()})
    return [name for name in modules if name.startswith(incomplete)]


module_option = click.option(
    "--module",
    metavar="MODULE",
    default="",
    shell_complete=complete_module,
    help="Only networks of this module, as vgg; cnnzoo.models are those of no plugin.",
)


@click.command("list", short_help="The networks there are.", epilog=f"Columns: {', '.join(COLUMNS)}.")
@click.argument("patterns", metavar="[PATTERN]…", nargs=-1, shell_complete=complete_name)
@module_option
@rewrite_option
@columns_option(COLUMNS, "What to show of each network.")
@output_options
def list_command(
    patterns: tuple[str, ...],
    module: str,
    rewrites: tuple[str, ...],
    columns: list[str] | None,
    format_: str | None,
    output: str | None,
) -> None:
    """List the networks whose names match a PATTERN ("res*", in quotes), each at its own input size.

    \b
    cnnzoo list "res*"

    With --rewrite only those that it changes, and what becomes of them.
    """
    names = list(dict.fromkeys(name for pattern in patterns or ("*",) for name in matching(pattern, module)))
    if rewrites:
        names = _rewritten(names, rewrites)
    emit(document([_entry(name) for name in names], columns), format_, output)


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
    network = design(name)
    found = totals(network.description, network.sizes)
    return {
        "model": name,
        "params": found.params,
        "aux_params": found.aux_params,
        "macs": found.macs,
        "flops": None if found.macs is None else 2 * found.macs,
        "activations": found.activations,
        "depth": found.depth,
        "receptive_field": found.receptive_field,
        "input_size": network.shape,
        "year": builder.paper.year,
        "paper": builder.paper.title,
        "authors": builder.paper.authors,
        "link": builder.paper.link,
        "about": " ".join((builder.__doc__ or "").split()),
    }
