"""The command line: parse, call, render. Bad input is one line on stderr and exit code 2."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress

import click

from .. import __version__
from .listing import list_command
from .summary import summary_command


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="cnnzoo")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Convolutional networks as data: every layer's shape, parameters, work and receptive field.

    \b
    cnnzoo summary vgg16       one network, layer by layer
    cnnzoo list "res*"         the networks there are

    Completion of model names: eval "$(_CNNZOO_COMPLETE=bash_source cnnzoo)", or zsh_source, fish_source.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


cli.add_command(summary_command)
cli.add_command(list_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; exits 0, 1 where a check failed, 2 where the input was bad."""
    with warnings.catch_warnings():
        warnings.showwarning = _warn
        try:
            status = cli(args=arguments, prog_name="cnnzoo", standalone_mode=False)
        except click.ClickException as error:
            status = _fail(error.format_message(), error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            status = _fail("interrupted", 130)
            _close_stdout()
        except OSError as error:
            status = _fail(f"the output could not be written: {error.strerror or error}")
            _close_stdout()
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int = 2) -> int:
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    return status


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    """A warning as one line; Python's own also shows the line of source that gave it."""
    click.echo(f"Warning: {' '.join(str(message).split())}", err=True)


def _close_stdout() -> None:
    """Nothing more is to be written: keep the interpreter from trying once again when it ends."""
    with suppress(AttributeError, OSError):  # where there is no stdout, or none of the system's
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
