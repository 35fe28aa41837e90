"""`cnnzoo draw TARGET`."""

from __future__ import annotations

import logging
import os

import click

from ..features.draw import DEPTH, DRAWN, FORMATS, KINDS, TEXTS, draw
from .common import arg_option, num_classes_option, output_option, put, to_stdout, write
from .completion import complete_path, complete_target
from .target import report_of
from .types import InputSize, InputSizeType, TargetType

ENDINGS = {**{f".{name}": name for name in FORMATS}, ".gv": "dot", ".mermaid": "mmd"}


@click.command("draw", short_help="A picture of one network.")
@click.argument("name", type=TargetType(), metavar="TARGET", shell_complete=complete_target)
@click.option("--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True, help="What the picture shows.")
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
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Default: by FILE's ending, or mmd without one.")
def draw_command(
    name: str,
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

    Text (mmd for Mermaid, dot for Graphviz) goes to stdout without a FILE. svg, png and pdf take
    pip install 'cnnzoo[draw]'.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # of fonts and folders that it sets up for itself
    format_ = _format(kind, format_, output)
    result = report_of(name, input_sizes, pairs=pairs, num_classes=num_classes)
    drawn = draw(result.whole(), kind, depth=depth, block=block).to(format_)
    if output is not None:
        write(output, drawn)
    else:
        with to_stdout():
            put(drawn)


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
