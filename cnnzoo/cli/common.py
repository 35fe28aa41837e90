"""What the commands share: how names and sizes are read, and where results go."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
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


def read_input_size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | tuple[int, ...] | None:
    """3x224x224, 1x3x224x224 with the batch, or 224 for a square."""
    if value is None:
        return None
    lengths = [int(part) for part in value.split("x")] if re.fullmatch(r"\d+(x\d+)*", value, re.ASCII) else []
    if len(lengths) not in (1, 3, 4) or 0 in lengths:
        raise click.BadParameter(
            f"{value!r} is no input size; say channels x height x width as 3x224x224, "
            f"with the batch as 1x3x224x224, or 224 for a square",
            ctx,
            param,
        )
    return lengths[0] if len(lengths) == 1 else tuple(lengths)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--format and -o, as every command has them."""
    path = click.Path(dir_okay=False, path_type=Path)
    options: tuple[Callable[[Any], Any], ...] = (
        click.option("-o", "--output", type=path, metavar="FILE", help="Write to FILE, all or nothing."),
        click.option("--format", "format_", type=click.Choice(FORMATS), help="Default: table, or by FILE's ending."),
    )
    for option in options:
        command = option(command)
    return command


def chosen_format(format_: str | None, output: Path | None) -> str:
    """What --format says, else FILE's ending, else a table."""
    return format_ or (ENDINGS.get(output.suffix.lower()) if output else None) or "table"


def emit(text: Callable[[], str], output: Path | None, pictured: Callable[[], list[Table]] | None) -> None:
    """Write a result to FILE, to a terminal (what is `pictured`, in its width and colours), or to a pipe."""
    if output is not None:
        write(output, text())
        return
    if pictured is not None and click.get_text_stream("stdout").isatty():
        from rich.console import Console

        show(Console(), pictured())
        return
    click.echo(text(), nl=False)


def write(output: Path, text: str) -> None:
    """All of the text or nothing: a temporary file beside `output` takes its name at the end."""
    made = None
    try:
        target = Path(os.path.realpath(output))
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8")  # /dev/stdout and the like have no half-written state
            return
        handle, made = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(made, _mode(target))
        os.replace(made, target)
    except OSError as error:
        if made is not None:
            with suppress(OSError):
                os.unlink(made)
        raise click.UsageError(f"cannot write {str(output)!r}: {error.strerror or error}") from None


def _mode(target: Path) -> int:
    """The file's own permissions, or what a new file would get."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
