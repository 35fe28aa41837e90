"""`cnnzoo list [PATTERN]`."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import click

from ..api import summary
from ..registry import get_builder, list_models
from ..render import listing
from .common import chosen_format, complete_name, emit, output_options


@click.command("list", short_help="The networks there are.")
@click.argument("pattern", default="*", shell_complete=complete_name)
@output_options
def list_command(pattern: str, format_: str | None, output: str | None) -> None:
    """List the networks whose names match PATTERN ("res*", in quotes), each at its own input size."""
    names = list_models(pattern)
    if not names:
        raise click.UsageError(f"no model matches {pattern!r}; `cnnzoo list` lists all")
    entries = []
    for name in names:
        try:
            entries.append(_entry(name))
        except Exception as error:  # a plugin's network may be wrong in any way; the others are not
            warnings.warn(f"{name} is left out: {type(error).__name__}: {error}", stacklevel=1)
    format_ = chosen_format(format_, output)
    tables = partial(listing.renderables, entries, format_ == "text")
    emit(partial(listing.render, entries, format_), output, tables if format_ in ("table", "text") else None)


def _entry(name: str) -> dict[str, Any]:
    builder = get_builder(name)
    report = summary(builder)
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
