"""`cnnzoo published [PATTERN]`."""

from __future__ import annotations

import click

from ..features.published import document
from ..zoo import matching
from .common import emit, output_options
from .completion import complete_name
from .listing import module_option


@click.command("published", short_help="What papers print, and what is true.")
@click.argument("pattern", default="*", shell_complete=complete_name)
@module_option
@output_options
def published_command(pattern: str, module: str, format_: str | None, output: str | None) -> None:
    """Print what publications print of the networks whose names match PATTERN, beside what is calculated, and why.

    \b
    cnnzoo published vgg16

    JSON and CSV have the exact values.
    """
    emit(document(matching(pattern, module)), format_, output)
