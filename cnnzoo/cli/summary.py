"""`cnnzoo summary NAME`."""

from __future__ import annotations

from functools import partial
from inspect import signature, unwrap
from typing import Any

import click

from ..api import summary
from ..registry import UnknownModelError, get_builder
from ..render import COLUMNS, DEPTH, pick, render, renderables
from ..report import ITEM_BYTES
from .common import chosen_format, complete_name, emit, output_options, read_input_size

COUNT = click.IntRange(1, 10**9)


@click.command("summary", short_help="One network, layer by layer.", epilog=f"Columns: {', '.join(COLUMNS)}.")
@click.argument("name", shell_complete=complete_name)
@click.option(
    "--input-size",
    metavar="CxHxW",
    callback=read_input_size,
    help="3x224x224, 1x3x224x224 or 224; default: the network's own.",
)
@click.option("--batch-size", type=COUNT, help="For memory; counts are per sample.  [default: 1]")
@click.option("--dtype", type=click.Choice(list(ITEM_BYTES)), default="float32", help="For memory.", show_default=True)
@click.option("--num-classes", type=COUNT, help="Classes of the head; default: the network's own.")
@click.option("--depth", type=click.IntRange(min=1), help=f"Levels of the tree.  [default: {DEPTH}; with --all: every]")
@click.option("--columns", metavar="NAME,…", help="What to show of each layer.")
@click.option("--all", "unfold", is_flag=True, help="Every row: do not fold equal neighbouring blocks into one.")
@output_options
def summary_command(
    name: str,
    input_size: Any,
    batch_size: int | None,
    dtype: str,
    num_classes: int | None,
    depth: int | None,
    columns: str | None,
    unfold: bool,
    format_: str | None,
    output: str | None,
) -> None:
    """Print NAME's layers with their output sizes, parameters and MACs, and its totals.

    JSON and CSV hold every leaf and every figure, whatever --depth says.
    """
    settings = {} if num_classes is None else {"num_classes": num_classes}
    try:
        _check_settings(name, settings)
        report = summary(name, input_size, batch_size=batch_size, dtype=dtype, **settings)
        names = [column.strip() for column in columns.split(",")] if columns is not None else None
        chosen = pick(names)
    except (UnknownModelError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    format_ = chosen_format(format_, output)
    level = depth or (None if unfold else DEPTH)
    text = partial(render, report, format_, columns=names, depth=level, fold=not unfold)
    tables = partial(renderables, report, chosen, report.lines(level, not unfold), format_ == "text")
    emit(text, output, tables if format_ in ("table", "text") else None)


def _check_settings(name: str, settings: dict[str, Any]) -> None:
    """A network from elsewhere may take no num_classes."""
    try:
        signature(unwrap(get_builder(name))).bind(**settings)
    except TypeError as error:
        raise click.UsageError(f"{name}: {error}") from None
