"""The command line: parse, call, render. Bad input is one line on stderr and exit code 2."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from .. import __version__
from ..words import hint, quoted, shortened

COMMANDS = {
    "summary": "summary.summary_command",
    "list": "listing.list_command",
    "compare": "compare.compare_command",
    "diff": "diff.diff_command",
    "explain": "explain.explain_command",
    "savings": "savings.savings_command",
    "match": "match.match_command",
    "sweep": "sweep.sweep_command",
    "draw": "draw.draw_command",
    "check": "check.check_command",
    "check-weights": "check_weights.check_weights",
    "conventions": "conventions.conventions_command",
    "tables": "tables.tables_command",
}
"""Where each command is; only the one that is called is imported."""


NEEDED = ("torch", "torchinfo")
"""What some commands take, and others do without."""


class Commands(click.Group):
    """The commands of `COMMANDS`, in its order."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(".")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"no command {quoted(args[0])}; {hint(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.command(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="cnnzoo")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Convolutional networks as data: every layer's shape, parameters, work and receptive field.

    \b
    cnnzoo summary vgg16              one network, layer by layer
    cnnzoo list "res*"                the networks there are
    cnnzoo compare vgg16 resnet50     networks side by side
    cnnzoo diff resnet50 resnet50_v1  what changes from one to the other, and what it costs
    cnnzoo explain resnet50 conv1     where a layer's figures come from
    cnnzoo savings googlenet          what its 1x1 reductions save, block by block
    cnnzoo match resnet50 --params 5M the configurations nearest a budget
    cnnzoo sweep vgg16 --width 16:64  what every combination costs
    cnnzoo draw vgg16 -o vgg16.svg    a picture: blocks, volumes, bars or receptive field
    cnnzoo check "res*"               proof that what is calculated is what runs
    cnnzoo check-weights FILE [NAME]  which network a checkpoint fits
    cnnzoo conventions resnet50       what other tools print for it, and why
    cnnzoo tables --check             whether the documentation's tables are what the code says

    Completion of model names: eval "$(_CNNZOO_COMPLETE=bash_source cnnzoo)", or zsh_source, fish_source.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


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
        except ModuleNotFoundError as error:
            if error.name not in NEEDED:
                raise
            status = _fail(f"this takes {error.name}, which is not installed: pip install {error.name}")
        except OSError as error:
            status = _fail(f"the output could not be written: {error.strerror or error}")
            _close_stdout()
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int = 2) -> int:
    click.echo(f"Error: {shortened(' '.join(message.split()))}", err=True)
    return status


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    """A warning as one line; Python's own also shows the line of source that gave it."""
    click.echo(f"Warning: {shortened(' '.join(str(message).split()))}", err=True)


def _close_stdout() -> None:
    """Nothing more is to be written: keep the interpreter from trying once again when it ends."""
    with suppress(AttributeError):  # where there is no stdout at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
