"""`cnnzoo conventions NAME`."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from ..api import summary
from ..conventions import figures
from ..registry import UnknownModelError, get_builder
from ..render import conventions
from .common import chosen_format, complete_name, emit, output_options, read_input_size


@click.command("conventions", short_help="What other tools print, and why.")
@click.argument("name", shell_complete=complete_name)
@click.option("--input-size", metavar="CxHxW", help="3x224x224, 1x3x224x224 or 224; default: the network's own.")
@click.option("--num-classes", type=click.IntRange(1, 10**9), help="Classes of the head; default: the network's own.")
@output_options
def conventions_command(
    name: str, input_size: str | None, num_classes: int | None, format_: str | None, output: str | None
) -> None:
    """Print what fvcore, ptflops, thop, torchinfo, torchvision and Keras print for NAME, and why.

    NAME is a registered network. Figures are per sample and in eval mode; each is beside the MACs or parameters
    that `cnnzoo summary` prints. None of the tools is run: where the rule of one does not say what it makes of a
    layer, its figure is unknown.
    """
    if ":" in name:
        raise click.UsageError(f"{name}: only registered names are supported so far; `cnnzoo list` lists them")
    settings: dict[str, Any] = {} if num_classes is None else {"num_classes": num_classes}
    try:
        get_builder(name).check(settings)
        size = None if input_size is None else read_input_size(input_size)
        report = summary(name, size, **settings)
    except (UnknownModelError, ValueError, TypeError) as error:
        raise click.UsageError(str(error)) from None
    entries = [figure._asdict() for figure in figures(report)]
    format_ = chosen_format(format_, output)
    text = partial(conventions.render, name, entries, format_)
    tables = partial(conventions.renderables, name, entries, format_ == "text")
    emit(text, output, tables if format_ in ("table", "text") else None)
