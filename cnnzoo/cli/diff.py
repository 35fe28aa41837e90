"""`cnnzoo diff TARGET TARGET`."""

from __future__ import annotations

import click

from ..features.diff import diff
from ..features.diff.document import COLUMNS
from .common import CLASSES, arg_option, columns_option, emit, output_options
from .compare import target_report
from .completion import complete_target
from .types import InputSize, InputSizeType, TargetType


@click.command("diff", short_help="What changes from one network to another.", epilog=f"Columns: {', '.join(COLUMNS)}.")
@click.argument("before", type=TargetType(), metavar="TARGET", shell_complete=complete_target)
@click.argument("after", type=TargetType(), metavar="TARGET", shell_complete=complete_target)
@click.option("--input-size", type=InputSizeType(), metavar="CxHxW", help="Of both; default: each network's own.")
@click.option("--num-classes", type=CLASSES, help="Classes of each head; default: the network's own.")
@arg_option
@columns_option(COLUMNS, "What to show of each change.")
@click.option("--all", "unfold", is_flag=True, help="Every change by itself, those of only a name or a size too.")
@output_options
def diff_command(
    before: str,
    after: str,
    input_size: InputSize | None,
    num_classes: int | None,
    pairs: tuple[str, ...],
    columns: list[str] | None,
    unfold: bool,
    format_: str | None,
    output: str | None,
) -> None:
    """Print what is added (+), removed (-) and changed (~) from the first TARGET to the second, and what it costs.

    \b
    cnnzoo diff resnet50 resnet50_v1
    cnnzoo diff googlenet googlenet+drop_reductions
    cnnzoo diff resnet50 torchvision:resnet50

    TARGET is what `cnnzoo summary` takes. Layers are the same where their paths are, and where they are not, by
    order and kind. The differences add up to those of the totals, auxiliary heads apart. JSON and CSV have every
    change by itself. Exits 0 whether or not the networks differ.
    """
    found = diff(*(target_report(one, input_size, pairs=pairs, num_classes=num_classes) for one in (before, after)))
    document = found.document(columns, fold=not unfold)
    emit(document, format_, output)
