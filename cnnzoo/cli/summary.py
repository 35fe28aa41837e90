"""`cnnzoo summary TARGET`."""

from __future__ import annotations

import click

from ..report import DEPTH, ITEM_BYTES
from ..report.columns import COLUMNS
from .common import (
    COUNT,
    arg_option,
    columns_option,
    emit,
    input_sizes_option,
    num_classes_option,
    output_options,
    rewrite_option,
)
from .completion import complete_target
from .target import report_of
from .types import InputSize, TargetType


@click.command("summary", short_help="One network, layer by layer.", epilog=f"Columns: {', '.join(COLUMNS)}.")
@click.argument("name", type=TargetType(), metavar="TARGET", shell_complete=complete_target)
@input_sizes_option
@click.option("--batch-size", type=COUNT, help="For memory; counts are per sample.  [default: 1]")
@click.option("--dtype", type=click.Choice(list(ITEM_BYTES)), help="For memory.  [default: float32, or a module's own]")
@num_classes_option
@arg_option
@rewrite_option
@click.option("--strict", is_flag=True, help="Exit with 1 if something could not be counted.")
@click.option("--depth", type=click.IntRange(min=1), help=f"Levels of the tree.  [default: {DEPTH}; with --all: every]")
@columns_option(COLUMNS, "What to show of each layer.")
@click.option("--all", "unfold", is_flag=True, help="Every row: do not fold equal neighbouring blocks into one.")
@output_options
def summary_command(
    name: str,
    input_sizes: tuple[InputSize, ...],
    batch_size: int | None,
    dtype: str | None,
    num_classes: int | None,
    pairs: tuple[str, ...],
    rewrites: tuple[str, ...],
    strict: bool,
    depth: int | None,
    columns: list[str] | None,
    unfold: bool,
    format_: str | None,
    output: str | None,
) -> None:
    """Print TARGET's layers with their output sizes, parameters and MACs, and its totals.

    \b
    cnnzoo summary vgg16
    cnnzoo summary googlenet+drop_reductions --columns output_shape,params
    cnnzoo summary path/to/file.py:factory --input-size 3x224x224

    TARGET is a registered name or any torch.nn.Module, which is then run without computing anything and, where it can
    be, described: pkg.mod:factory, path/to/file.py:factory, timm:name or torchvision:name; with rewrites behind plus
    signs if you like (googlenet+drop_reductions, timm:resnet50d+drop_shortcuts).

    JSON and CSV hold every leaf and every figure, whatever --depth says.
    """
    report, failure, *_ = report_of(
        name,
        input_sizes,
        pairs=pairs,
        num_classes=num_classes,
        rewrites=rewrites,
        batch_size=batch_size,
        dtype=dtype,
    )
    document = report.document(columns, depth or (None if unfold else DEPTH), not unfold)
    emit(document, format_, output)
    if failure is not None:
        raise failure
    if strict and report.unknown:
        click.echo(f"Error: not everything could be counted: {'; '.join(map(str, report.unknown))}", err=True)
        click.get_current_context().exit(1)
