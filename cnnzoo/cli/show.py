"""`cnnzoo show TARGET`."""

from __future__ import annotations

import click

from ..features.show import card
from ..formats.source import source
from ..resolve.loading import is_registered, split
from ..words import all_sides
from ..zoo import get_builder
from .common import (
    arg_option,
    input_sizes_option,
    num_classes_option,
    output_option,
    put,
    rewrite_option,
    to_stdout,
    write,
)
from .completion import complete_target
from .target import description_of
from .types import InputSize, TargetType


@click.command("show", short_help="What a network is, or its description as source.")
@click.argument("name", type=TargetType(), metavar="TARGET", shell_complete=complete_target)
@click.option("--source", "as_source", is_flag=True, help="As a file of Python that defines it.")
@input_sizes_option
@num_classes_option
@arg_option
@rewrite_option
@output_option("Write to FILE, all or nothing.")
def show_command(
    name: str,
    as_source: bool,
    input_sizes: tuple[InputSize, ...],
    num_classes: int | None,
    pairs: tuple[str, ...],
    rewrites: tuple[str, ...],
    output: str | None,
) -> None:
    """Print what TARGET is, a registered network in the words of its docstring, or the description of any.

    \b
    cnnzoo show resnet50
    cnnzoo show resnet50+drop_shortcuts --source
    cnnzoo show path/to/file.py:Net --input-size 3x224x224 -o net.py

    TARGET is what `cnnzoo summary` takes. What is no registered network as it is, is shown as source: a file that
    defines `network`, which is then a TARGET of its own, as net.py:network. A module is run once on the meta device,
    with inputs of --input-size; its layers and blocks keep their names.
    """
    place, more = split(name)
    if is_registered(place) and not (as_source or more or rewrites or pairs or num_classes is not None):
        text = card(get_builder(place))
    else:
        found = description_of(name, input_sizes, pairs=pairs, num_classes=num_classes, rewrites=rewrites)
        size = f" for inputs of {all_sides(found.sizes)}" if found.sizes else ""
        text = source(found.description, [f"{found.name}{size}", *filter(None, [found.one_size])])
    if output is not None:
        write(output, text)
        return
    with to_stdout():
        put(text)
