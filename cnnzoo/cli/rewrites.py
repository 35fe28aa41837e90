"""`cnnzoo rewrites`."""

from __future__ import annotations

import click

from ..features.rewrites import document
from .common import emit, output_options


@click.command("rewrites", short_help="What stands behind a plus sign.")
@output_options
def rewrites_command(format_: str | None, output: str | None) -> None:
    """List the rewrites: what each does to a network, and whose argument it stands for.

    \b
    cnnzoo rewrites

    One that ends in =… takes a value, as resnet18+scale_width=0.5 does.
    """
    emit(document(), format_, output)
