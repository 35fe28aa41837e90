"""`cnnzoo verify [PATTERN]…`."""

from __future__ import annotations

import click

from ..features.verify import Verified, counts, document, verify
from ..published import REASONS
from ..words import counted, listed
from .common import bar, emit, module_option, named, output_options
from .completion import complete_name


@click.command(
    "verify",
    short_help="What papers print, beside what is true.",
    epilog=f"Reasons: {'; '.join(f'{name} ({words})' for name, words in REASONS.items())}.",
)
@click.argument("patterns", metavar="[PATTERN]…", nargs=-1, shell_complete=complete_name)
@module_option
@click.option(
    "--reason",
    "reasons",
    type=click.Choice(list(REASONS)),
    metavar="REASON",
    multiple=True,
    help="Only figures that differ for this reason; once for each.",
)
@click.option("--counts", "counting", is_flag=True, help="Only how many figures there are of each kind.")
@output_options
def verify_command(
    patterns: tuple[str, ...],
    module: str,
    reasons: tuple[str, ...],
    counting: bool,
    format_: str | None,
    output: str | None,
) -> None:
    """Print every figure that a publication prints of these networks beside the true one, and why they differ.

    \b
    cnnzoo verify resnet50
    cnnzoo verify --counts

    PATTERN is a name or stands for several ("res*", in quotes); default: all. The verdict is that the true figure is
    exact, rounds to the printed one or truncates to it; that it is explained: as read in another way, which is said and
    calculated, it does; that a slip is known, with its evidence; or that it disagrees. JSON and CSV have the exact
    values. Exits 1 where a figure disagrees.
    """
    found: list[Verified] = []
    with bar(named(patterns, module), str) as shown:
        for name in shown:
            found += verify(name)
    wrong = [one.figure for one in found if one.verdict == "disagrees"]
    chosen = [one for one in found if not reasons or one.reason in reasons]
    emit((counts if counting else document)(chosen), format_, output)
    if wrong:
        said = listed(f"{one.printed} {one.unit} {one.what} of {one.model} ({one.where})" for one in wrong)
        click.echo(f"Error: {counted(len(wrong), 'printed figures')} without an explanation: {said}", err=True)
        click.get_current_context().exit(1)
