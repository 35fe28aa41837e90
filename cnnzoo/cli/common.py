"""What the commands share: how names and sizes are read, and where results go."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from ..registry import list_models
from ..render import FORMATS, show

if TYPE_CHECKING:
    from rich.table import Table

ENDINGS = {".json": "json", ".csv": "csv", ".md": "markdown", ".markdown": "markdown", ".txt": "text"}


def complete_name(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The registered names that begin so, for the shell."""
    return list_models(f"{incomplete}*")


def read_input_size(value: str, measured: bool = False) -> int | tuple[int, ...]:
    """3x224x224, 1x3x224x224 with the batch, or 224 for a square; a measured module may take any number of lengths."""
    lengths = [int(part) for part in value.split("x")] if re.fullmatch(r"\d{1,9}(x\d{1,9})*", value, re.ASCII) else []
    if not lengths or 0 in lengths or (len(lengths) not in (1, 3, 4) and not measured):
        raise click.BadParameter(
            f"{value!r} is no input size; say channels x height x width as 3x224x224, "
            f"with the batch as 1x3x224x224, or 224 for a square",
            param_hint="'--input-size'",
        )
    return lengths[0] if len(lengths) == 1 else tuple(lengths)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--format and -o, as every command has them."""
    path = click.Path(dir_okay=False)
    options: tuple[Callable[[Any], Any], ...] = (
        click.option("-o", "--output", type=path, metavar="FILE", help="Write to FILE, all or nothing."),
        click.option("--format", "format_", type=click.Choice(FORMATS), help="Default: table, or by FILE's ending."),
    )
    for option in options:
        command = option(command)
    return command


def chosen_format(format_: str | None, output: str | None) -> str:
    """What --format says, else FILE's ending, else a table, in ASCII where stdout has no more than that."""
    if format_ is not None:
        return format_
    if output is not None:
        return ENDINGS.get(os.path.splitext(output)[1].lower(), "table")
    try:
        "├└│─×".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return "text"
    return "table"


def emit(text: Callable[[], str], output: str | None, pictured: Callable[[], list[Table]] | None) -> None:
    """Write a result to FILE, to a terminal (what is `pictured`, in its width and colours), or to a pipe."""
    if output is not None:
        write(output, text())
        return
    if sys.stdout is None:
        raise OSError("standard output is closed")
    try:
        if pictured is not None and sys.stdout.isatty():
            from rich.console import Console

            show(Console(markup=False, emoji=False), pictured())
        else:
            _put(text())
    except BrokenPipeError:
        # as another error: on this one click ends without a word
        raise OSError("its reader was gone before all of it was written") from None
    except UnicodeEncodeError as error:
        character = error.object[error.start]
        raise click.UsageError(f"stdout is {sys.stdout.encoding} and has no {character!a}; try --format text") from None


def _put(text: str) -> None:
    """Write to stdout in one go, so that what a pipe takes whole is there before `head` has seen enough of it.

    Of one write an unbuffered stdout (PYTHONUNBUFFERED) may take less than all; what cannot be encoded is an error
    before anything is written.
    """
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:  # a text stream that someone put there
        sys.stdout.write(text)
        return
    left = memoryview(text.encode(sys.stdout.encoding or "utf-8", sys.stdout.errors or "strict"))
    sys.stdout.flush()
    while left:
        left = left[stream.write(left) :]
    stream.flush()


def write(output: str, text: str) -> None:
    """All of the text or nothing: a temporary file beside `output` takes its name at the end."""
    import tempfile

    made = None
    try:
        if os.path.exists(output) and not os.path.isfile(output):  # /dev/stdout and the like take no other's name
            with open(output, "w", encoding="utf-8") as file:
                file.write(text)
            return
        target = os.path.realpath(output)
        handle, made = tempfile.mkstemp(dir=os.path.dirname(target), prefix=f".{os.path.basename(target)}.")
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(made, _mode(target))
        os.replace(made, target)
        made = None
    except OSError as error:
        raise click.UsageError(f"cannot write {output!r}: {error.strerror or error}") from None
    finally:
        if made is not None:
            with suppress(OSError):
                os.unlink(made)


def _mode(target: str) -> int:
    """The file's own permissions, or what a new file would get."""
    if os.path.exists(target):
        return os.stat(target).st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
