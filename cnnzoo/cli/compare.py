"""`cnnzoo compare TARGET…`."""

from __future__ import annotations

from typing import Any

import click

from ..errors import CnnzooError, InvalidValueError
from ..features.compare import Comparison, compare
from ..features.compare.document import COLUMNS
from ..registry import UnknownModelError
from ..report import ITEM_BYTES, Report
from .common import (
    CLASSES,
    COUNT,
    arg_option,
    columns_option,
    emit,
    picture_format,
    rewrite_option,
    scatter_options,
    sort_option,
    write,
)
from .completion import complete_target
from .target import Failure, matching, report_of
from .types import InputSize, InputSizeType, TargetType


@click.command("compare", short_help="Networks side by side.", epilog=f"Columns: {', '.join(COLUMNS)}.")
@click.argument(
    "targets", type=TargetType(), nargs=-1, required=True, metavar="TARGET…", shell_complete=complete_target
)
@click.option("--input-size", type=InputSizeType(), metavar="CxHxW", help="Of all; default: each network's own.")
@click.option("--batch-size", type=COUNT, help="For memory; counts are per sample.  [default: 1]")
@click.option("--dtype", type=click.Choice(list(ITEM_BYTES)), help="For memory.  [default: float32, or a module's own]")
@click.option("--regions", type=COUNT, help="Boxes of an image, for networks that look at regions of it.")
@click.option("--num-classes", type=CLASSES, help="Classes of each head; default: the network's own.")
@arg_option
@rewrite_option
@sort_option(COLUMNS)
@columns_option(COLUMNS, "What to show of each network.")
@scatter_options
def compare_command(
    targets: tuple[str, ...],
    input_size: InputSize | None,
    batch_size: int | None,
    dtype: str | None,
    regions: int | None,
    num_classes: int | None,
    pairs: tuple[str, ...],
    rewrites: tuple[str, ...],
    sort: str | None,
    columns: list[str] | None,
    scatter: bool,
    output: str | None,
    format_: str | None,
) -> None:
    """Print TARGETs side by side, and how many times the first one's each figure is.

    \b
    cnnzoo compare vgg16 resnet50
    cnnzoo compare "resnet*" "densenet*" --sort -macs --scatter
    cnnzoo compare googlenet googlenet+drop_reductions timm:mobilenetv3_small_100

    TARGET is a registered name or a pattern of names, with rewrites behind plus signs if you like, or anything else
    that `cnnzoo summary` takes. JSON and CSV have the exact figures. A picture takes pip install 'cnnzoo[draw]'.
    """
    picture = picture_format(scatter, format_, output)
    chosen = [target for given in targets for target in matching(given)]
    about = {"batch_size": batch_size, "dtype": dtype, "num_classes": num_classes, "rewrites": rewrites}
    found = compare(*[target_report(target, input_size, pairs=pairs, **about) for target in chosen], regions=regions)
    found = found if sort is None else found.sorted(sort)
    if picture and output:
        write(output, _drawn(found, picture))
    else:
        emit(found.document(columns, scatter), format_, output)


def target_report(
    target: str,
    input_size: InputSize | None,
    **given: Any,
) -> Report:
    """The report of one of several targets; what is wrong with it is said with its name."""
    try:
        report, failure, *_ = report_of(target, () if input_size is None else (input_size,), **given)
    except UnknownModelError:
        raise
    except CnnzooError as error:
        said = str(error)
        raise InvalidValueError(said if said.startswith(target) else f"{target}: {said}") from None
    if failure is not None:
        raise Failure(f"{target}: {failure.message}")
    return report


def _drawn(comparison: Comparison, format_: str) -> bytes:
    from ..features.compare.picture import plot

    return plot(comparison.plane(), format_)
