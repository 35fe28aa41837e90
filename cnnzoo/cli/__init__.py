"""The command line: parse, call, render. Bad input is one line on stderr and exit code 2."""

from __future__ import annotations

import atexit
import gc
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

import click

from .. import __version__
from ..errors import CnnzooError
from ..words import hint, quoted, shortened, visible

SECTIONS = {
    "Look at a network": {
        "summary": "summary.summary_command",
        "list": "listing.list_command",
        "explain": "explain.explain_command",
        "show": "show.show_command",
        "look": "look.look_command",
        "rewrites": "rewrites.rewrites_command",
    },
    "Ask what it costs": {
        "compare": "compare.compare_command",
        "diff": "diff.diff_command",
        "savings": "savings.savings_command",
        "match": "match.match_command",
        "sweep": "sweep.sweep_command",
    },
    "Prove it": {
        "check": "check.check_command",
        "verify": "verify.verify_command",
        "peers": "peers.peers_command",
    },
    "Use it": {
        "train": "train.train_command",
        "evaluate": "evaluate.evaluate_command",
        "check-weights": "check_weights.check_weights",
    },
    "Write about it": {
        "draw": "draw.draw_command",
        "filters": "filters.filters_command",
        "heatmap": "heatmap.heatmap_command",
        "tables": "tables.tables_command",
    },
}
"""The commands by the question that they answer, and where each is. `--help` says of each the first example in its help
and its short help."""

COMMANDS = {name: place for commands in SECTIONS.values() for name, place in commands.items()}
"""Where each command is; only the one that is called is imported."""

RENAMED = {"conventions": "peers", "published": "verify"}
"""Names that commands had in the version before; they are in no list, and work with a line on stderr."""

READING = (
    *("summary", "list", "explain", "rewrites", "compare", "diff", "savings", "match"),
    *("verify", "show", "peers", "draw"),
)
"""What a mark in a page may run: these write nothing unless they are told where to."""

COMPLETE = "_CNNZOO_COMPLETE"
"""The variable by which a shell asks for completion; click derives it from the command's name."""

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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = {name: _row(name, self.get_command(ctx, name)) for name in COMMANDS}
        width = max(len(example) for example, _ in rows.values())
        for question, names in SECTIONS.items():
            with formatter.section(question):
                formatter.write_dl([(rows[name][0].ljust(width), rows[name][1]) for name in names])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args[0] in RENAMED:
            name = RENAMED[args[0]]
            if not ctx.resilient_parsing:
                click.echo(f"Warning: `cnnzoo {args[0]}` is now `cnnzoo {name}`", err=True)
            args = [name, *args[1:]]
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"no command {quoted(args[0])}; {_meant(args[0])}")
        return super().resolve_command(ctx, args)


def _meant(word: str) -> str:
    """What may have been meant by a word in a command's place: a network's name stands behind one."""
    from ..zoo import is_model

    return f"say `cnnzoo summary {word}`" if is_model(word.partition("+")[0]) else hint(word, COMMANDS)


def _row(name: str, command: click.Command | None) -> tuple[str, str]:
    """What the list of all says of a command: the first example in its help, without `cnnzoo`, and what it does."""
    assert command is not None
    example = re.search(rf"^ *cnnzoo ({name}\b.*)", command.help or "", re.MULTILINE)
    return example[1] if example else name, command.short_help or ""


@click.command(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\n"  # click wraps no paragraph that begins so
    f'Completion in bash: eval "$({COMPLETE}=bash_source cnnzoo)"\n'
    "In zsh it is zsh_source, in fish fish_source.",
)
@click.version_option(__version__, prog_name="cnnzoo")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Convolutional networks as data: shapes, parameters, work, receptive fields."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; exits 0, 1 where a check failed, 2 where the input was bad.

    An error that is meant for the user is one line on stderr; any other is a defect, and goes through to its traceback.
    """
    atexit.register(gc.freeze)  # else the interpreter, before it ends, searches all there is for garbage: 10 ms
    with warnings.catch_warnings(), _few_collections():
        warnings.showwarning = _warn
        if COMPLETE in os.environ:
            import_module(f"{__name__}.shells")
            warnings.simplefilter("ignore")
        try:
            status = cli(args=arguments, prog_name="cnnzoo", standalone_mode=False)
        except (click.ClickException, CnnzooError, ModuleNotFoundError) as error:
            status = _fail(explained(error), getattr(error, "exit_code", 2))
        except (click.Abort, KeyboardInterrupt):
            status = _fail("interrupted", 130)
        except OSError as error:
            status = _fail(f"the output could not be written: {error.strerror or error}")
            _close_stdout()
    sys.exit(status if isinstance(status, int) else 0)


@contextmanager
def _few_collections() -> Iterator[None]:
    """A command imports and makes a lot that stays: it is searched for garbage less often (4 % of a cold summary)."""
    before = gc.get_threshold()
    gc.set_threshold(20_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def explained(error: click.ClickException | CnnzooError | ModuleNotFoundError) -> str:
    """What an error says to the user; one of a module that no command is known to take is raised again."""
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, CnnzooError):
        return str(error)
    if error.name not in NEEDED:
        raise error
    return f"this takes {error.name}, which is not installed: pip install {error.name}"


def _fail(message: str, status: int = 2) -> int:
    _say("Error", message)
    return status


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    """A warning as one line; Python's own also shows the line of source that gave it."""
    _say("Warning", str(message))


def _say(label: str, message: str) -> None:
    click.echo(f"{label}: {shortened(visible(' '.join(message.split())))}", err=True)


def _close_stdout() -> None:
    """Nothing more is to be written: keep the interpreter from trying once again when it ends."""
    with suppress(AttributeError):  # where there is no stdout at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
