"""`cnnzoo draw TARGET`."""

from __future__ import annotations

import logging
import os

import click

from ..features.compare import compare
from ..features.draw import DEPTH, DRAWN, FORMATS, KINDS, TABLES, TEXTS, draw
from ..render.document import FORMATS as OF_TABLES
from ..words import listed
from .common import arg_option, drawn_ending, emit, num_classes_option, output_option, put, to_stdout, write
from .completion import complete_path, complete_target
from .target import report_of
from .types import InputSize, InputSizeType, TargetType

ENDINGS = {**{f".{name}": name for name in FORMATS}, ".gv": "dot", ".mermaid": "mmd"}

REGIONS = "regions"
"""The kind of picture that compares networks."""


@click.command("draw", short_help="A picture of one network.")
@click.argument("names", type=TargetType(), nargs=-1, required=True, metavar="TARGET…", shell_complete=complete_target)
@click.option(
    "--kind", type=click.Choice((*KINDS, REGIONS)), default=KINDS[0], show_default=True, help="What the picture shows."
)
@click.option(
    "--depth", type=click.IntRange(1, 10**9), default=DEPTH, show_default=True, help="Levels of blocks opened."
)
@click.option(
    "--block",
    metavar="PATH",
    shell_complete=complete_path,
    help="One block of it, as layer1.0, instead of the whole network.",
)
@click.option(
    "--input-size", "input_sizes", type=InputSizeType(), metavar="CxHxW", multiple=True, help="As in `cnnzoo summary`."
)
@num_classes_option
@arg_option
@output_option("Write to FILE, all or nothing.")
@click.option(
    "--format",
    "format_",
    type=click.Choice((*FORMATS, *OF_TABLES)),
    metavar="FORMAT",
    help=f"{', '.join(FORMATS)}, of anchors {', '.join(OF_TABLES)}; default: by FILE's ending, or mmd or a table.",
)
def draw_command(
    names: tuple[str, ...],
    kind: str,
    depth: int,
    block: str | None,
    input_sizes: tuple[InputSize, ...],
    num_classes: int | None,
    pairs: tuple[str, ...],
    output: str | None,
    format_: str | None,
) -> None:
    """Draw TARGET: a name or anything else that `cnnzoo summary` takes.

    \b
    cnnzoo draw vgg16 -o vgg16.svg
    cnnzoo draw resnet50 --kind bars --depth 2 -o resnet50.pdf

    \b
    graph    its blocks, the shapes that flow between them, and what they cost
    volumes  boxes as large as its maps, where their shape changes
    bars     parameters and MACs of each layer or block
    field    what one position of each stage's output sees of the input
    anchors  the boxes that a detector starts from at a position, as a table, too
    regions  MACs over the number of regions of an image, of one TARGET or more

    Text (mmd for Mermaid, dot for Graphviz, of anchors a table) goes to stdout without a FILE. svg, png and pdf take
    pip install 'cnnzoo[draw]'.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # of fonts and folders that it sets up for itself
    tabled = _is_table(kind, format_, output)
    if not tabled:
        format_ = _format(kind, format_, output)
    if kind == REGIONS and block is not None:
        raise click.UsageError(f"--block is one block of a network; --kind {REGIONS} is of whole ones")
    if kind != REGIONS and len(names) > 1:
        raise click.UsageError(f"only --kind {REGIONS} takes several networks, got {len(names)}: {listed(names)}")
    reports = [report_of(name, input_sizes, pairs=pairs, num_classes=num_classes).whole() for name in names]
    if kind == REGIONS:
        drawn = compare(*reports).curves(str(format_))
    else:
        drawing = draw(reports[0], kind, depth=depth, block=block)
        if tabled:
            emit(drawing.document(), format_, output)
            return
        drawn = drawing.to(str(format_))
    if output is not None:
        write(output, drawn)
    else:
        with to_stdout():
            put(drawn)


def _is_table(kind: str, format_: str | None, output: str | None) -> bool:
    """Whether --format, FILE's ending or neither asks for the table of a kind that has one."""
    if kind in TABLES:
        return format_ not in FORMATS and not drawn_ending(format_, output, [f".{name}" for name in DRAWN])
    if format_ in OF_TABLES:
        raise click.UsageError(f"--format {format_} is for a table, and {kind} has none; {', '.join(TABLES)} has")
    return False


def _format(kind: str, format_: str | None, output: str | None) -> str:
    """What --format says, else FILE's ending; Mermaid where there is no FILE."""
    if output is None:
        if kind != "graph" or format_ in DRAWN:
            texts = " or ".join(TEXTS)
            raise click.UsageError(f"a picture goes to a file: give -o FILE.svg; only a graph can be text: {texts}")
        return format_ or "mmd"
    ending = os.path.splitext(output)[1].lower()
    if format_ is None and ending not in ENDINGS:
        raise click.UsageError(f"{output!r} does not say how to draw: its ending must be {', '.join(ENDINGS)}")
    return format_ or ENDINGS[ending]
