"""`cnnzoo savings TARGET`."""

from __future__ import annotations

import click

from ..features.savings import TECHNIQUES, DoesNotApply, savings
from ..features.savings.document import overview
from ..report import DEPTH
from .common import arg_option, emit, input_size_option, num_classes_option, output_options, rewrite_option
from .completion import complete_rewrite, complete_target
from .target import matching, report_of
from .types import InputSize, TargetType


def complete_technique(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The techniques and the registered rewrites."""
    return [*(name for name in TECHNIQUES if name.startswith(incomplete)), *complete_rewrite(ctx, param, incomplete)]


@click.command("savings", short_help="What its reductions, groups or sharing save.")
@click.argument("name", type=TargetType(), metavar="TARGET", shell_complete=complete_target)
@click.option(
    "--by",
    metavar="NAME",
    shell_complete=complete_technique,
    help=f"{', '.join(TECHNIQUES)}, or any rewrite (factorise=1xn); default: what the family is known for.",
)
@input_size_option
@num_classes_option
@arg_option
@rewrite_option
@click.option("--depth", type=click.IntRange(min=1), help=f"Levels of the tree.  [default: {DEPTH}; with --all: every]")
@click.option("--all", "unfold", is_flag=True, help="Every row: do not fold equal neighbours into one.")
@output_options
def savings_command(
    name: str,
    by: str | None,
    input_size: InputSize | None,
    num_classes: int | None,
    pairs: tuple[str, ...],
    rewrites: tuple[str, ...],
    depth: int | None,
    unfold: bool,
    format_: str | None,
    output: str | None,
) -> None:
    """Print what TARGET saves by the technique that its family is known for, place by place, with the arithmetic.

    \b
    cnnzoo savings googlenet
    cnnzoo savings resnet18 --by pointwise
    cnnzoo savings "vgg*"

    The network without it is a whole network, really rewritten and calculated: the 1x1 reductions of GoogLeNet, ResNet
    and DenseNet gone, VGG's stacks of 3x3 one large kernel each, AlexNet's groups and LeNet's table read in full; the
    convolutions of SPP-net and Fast R-CNN, which run once for all regions of an image, run on each. With --by pointwise
    every 1x1 is a 3x3; with --by and any rewrite TARGET as it is stands beside the rewritten one.

    TARGET is a registered name, with rewrites behind plus signs if you like (resnet18+scale_width=0.5), or anything
    else that `cnnzoo summary` takes. JSON and CSV hold every place. Of a pattern in quotes each network that saves
    anything is a row.
    """
    sizes = () if input_size is None else (input_size,)
    found, reasons = [], []
    names = matching(name)
    for one in names:
        result = report_of(one, sizes, pairs=pairs, num_classes=num_classes, rewrites=rewrites)
        try:
            found.append(savings(result.whole(), by))
        except DoesNotApply as reason:
            reasons.append(f"{one}: {reason}")
    if not found:
        raise click.UsageError(reasons[0] if names == [name] else f"none of {name} does: {reasons[0]}")
    if names == [name]:
        document = found[0].document(depth or (None if unfold else DEPTH), not unfold)
    else:
        document = overview(found, by)
    emit(document, format_, output)
