"""`cnnzoo show TARGET`."""

from __future__ import annotations

import click

from ..features.show import bibtex, card
from ..formats.source import source
from ..resolve.loading import is_registered, split
from ..words import all_sides, quoted
from ..zoo import get_builder
from .common import (
    arg_option,
    check_ending,
    emit,
    ending_of,
    format_option,
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


@click.command("show", short_help="What a network is, its citation, its source.")
@click.argument("name", type=TargetType(), metavar="TARGET", shell_complete=complete_target)
@click.option("--source", "as_source", is_flag=True, help="As a file of Python that defines it.")
@click.option("--bibtex", "as_bibtex", is_flag=True, help="Its paper as an entry for BibTeX.")
@input_sizes_option
@num_classes_option
@arg_option
@rewrite_option
@format_option
@output_option("Write to FILE, all or nothing; source where it ends in .py, an entry where it ends in .bib.")
def show_command(
    name: str,
    as_source: bool,
    as_bibtex: bool,
    input_sizes: tuple[InputSize, ...],
    num_classes: int | None,
    pairs: tuple[str, ...],
    rewrites: tuple[str, ...],
    format_: str | None,
    output: str | None,
) -> None:
    """Print what TARGET is: a registered network beside its family, with its paper and whose weights it loads; or the
    description of any as source.

    \b
    cnnzoo show resnet50
    cnnzoo show resnet50 --bibtex
    cnnzoo show resnet50+drop_shortcuts --source
    cnnzoo show path/to/file.py:Net --input-size 3x224x224 -o net.py

    TARGET is what `cnnzoo summary` takes. What is no registered network as it is, is shown as source: a file that
    defines `network`, which is then a TARGET of its own, as net.py:network. A module is run once on the meta device,
    with inputs of --input-size; its layers and blocks keep their names.
    """
    place, more = split(name)
    ending = ending_of(output or "")
    as_bibtex = as_bibtex or (ending == ".bib" and not as_source)
    as_source = as_source or (ending == ".py" and not as_bibtex)
    changed = bool(more or rewrites or pairs or num_classes is not None)
    if as_source and as_bibtex:
        raise click.UsageError("--source and --bibtex are two texts: say one of them")
    if as_bibtex and not is_registered(place):
        raise click.UsageError(f"{quoted(place)} is no registered network: no paper of it is known")
    if not (as_source or as_bibtex or changed) and is_registered(place):
        if format_ is None and output is not None:
            check_ending(output)
        emit(card(get_builder(place)), format_, output)
        return
    if format_ not in (None, "text", "markdown"):
        said = f"--format {format_} is of a registered network as it is; source and entries are text or markdown"
        raise click.UsageError(said)
    if as_bibtex:
        text = bibtex(get_builder(place).paper)
    else:
        found = description_of(name, input_sizes, pairs=pairs, num_classes=num_classes, rewrites=rewrites)
        size = f" for inputs of {all_sides(found.sizes)}" if found.sizes else ""
        text = source(found.description, [f"{found.name}{size}", *filter(None, [found.one_size])])
    if format_ == "markdown":
        text = f"```{'bibtex' if as_bibtex else 'python'}\n{text}```\n"
    if output is not None:
        write(output, text)
        return
    with to_stdout():
        put(text)
