"""`cnnzoo conventions TARGET`."""

from __future__ import annotations

import click

from ..features.peers import document as conventions
from ..features.peers import figures
from .common import COUNT, arg_option, emit, input_sizes_option, num_classes_option, output_options
from .completion import complete_target
from .target import report_of


@click.command("conventions", short_help="What other tools print, and why.")
@click.argument("name", metavar="TARGET", shell_complete=complete_target)
@input_sizes_option
@click.option("--batch-size", type=COUNT, help="Where a size does not show it.  [default: 1]")
@num_classes_option
@arg_option
@output_options
def conventions_command(
    name: str,
    input_sizes: tuple[str, ...],
    batch_size: int | None,
    num_classes: int | None,
    pairs: tuple[str, ...],
    format_: str | None,
    output: str | None,
) -> None:
    """Print what fvcore, ptflops, thop, torchinfo, torchvision and Keras print for TARGET, and why.

    \b
    cnnzoo conventions resnet50

    TARGET is what `cnnzoo summary` takes. Figures are per sample and in eval mode; each is beside the MACs or
    parameters that `cnnzoo summary` prints. None of the tools is run, except torchinfo on a module: where a tool's
    rule does not say what it makes of a layer, or where that depends on the device, its figure is unknown.
    """
    found = report_of(name, input_sizes, pairs=pairs, num_classes=num_classes, batch_size=batch_size)
    entries = [figure._asdict() for figure in figures(found.whole(), found.printed())]
    emit(conventions.document(name, entries), format_, output)
