"""`cnnzoo peers TARGET`."""

from __future__ import annotations

import click

from ..features.peers import document, peer_numbers
from .common import COUNT, arg_option, columns_option, emit, input_sizes_option, num_classes_option, output_options
from .completion import complete_target
from .target import matching, report_of
from .types import InputSize, TargetType


@click.command(
    "peers", short_help="What other tools print, and why.", epilog=f"Columns: {', '.join(document.COLUMNS)}."
)
@click.argument("name", type=TargetType(), metavar="TARGET", shell_complete=complete_target)
@input_sizes_option
@click.option("--batch-size", type=COUNT, help="Where a size does not show it.  [default: 1]")
@num_classes_option
@arg_option
@columns_option(document.COLUMNS, "What to show of each tool.")
@output_options
def peers_command(
    name: str,
    input_sizes: tuple[InputSize, ...],
    batch_size: int | None,
    num_classes: int | None,
    pairs: tuple[str, ...],
    columns: list[str] | None,
    format_: str | None,
    output: str | None,
) -> None:
    """Print what fvcore, ptflops, thop, torchinfo, torchvision and Keras print for TARGET, and why.

    \b
    cnnzoo peers resnet50

    TARGET is what `cnnzoo summary` takes. Figures are per sample and in eval mode; each is beside the MACs or
    parameters that `cnnzoo summary` prints. For a network with a description none of the tools is run: this package
    has a rule for each. For a module each tool that is installed is run on the CPU, in a process of its own that may
    take 20 seconds and 4 GB more memory, and what its rule says of the layers is beside it. A layer that a rule does
    not name makes the figure unknown. Of a pattern in quotes ("res*") each network is a row, each tool a column.
    """
    networks = {}
    for one in matching(name):
        found = report_of(one, input_sizes, pairs=pairs, num_classes=num_classes, batch_size=batch_size)
        networks[one] = [number._asdict() for number in peer_numbers(found.whole(), found.printed())]
    if name in networks:
        emit(document.document(name, networks[name], found.module is not None, columns), format_, output)
    else:
        emit(document.overview(networks), format_, output)
