"""`cnnzoo tables --write | --check [DIR]`."""

from __future__ import annotations

import sys
from difflib import unified_diff
from pathlib import Path

import click

from ..features.draw import CannotDrawError
from ..features.tables import File, files, make, needs, sources
from .common import write as write_file


@click.command("tables", short_help="The documentation's tables, made or checked.")
@click.option("--write/--check", required=True, help="Bring the pages up to date, or exit with 1 where they are not.")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
def tables_command(write: bool, folder: Path) -> None:
    """Write the tables and pictures that README.md and docs/ show, or check that they are what the code says.

    \b
    cnnzoo tables --check

    DIR is a source checkout of cnnzoo; default: the current directory. A table stands in a page between two marks,
    which name it; `--check` prints what differs. Pictures take pip install 'cnnzoo[draw]', and are left alone without.
    """
    changed = [file for file in _files(folder) if file.now != file.then]
    if write:
        for file in changed:
            (folder / file.path).parent.mkdir(exist_ok=True)
            write_file(str(folder / file.path), file.then)
        click.echo("".join(f"{file.path} written\n" for file in changed), nl=False)
        return
    click.echo("".join(map(_diff, changed)), nl=False)
    if changed:
        names = ", ".join(str(file.path) for file in changed)
        click.echo(f"Error: not what the code says: {names}; `cnnzoo tables --write` writes it anew", err=True)
        click.get_current_context().exit(1)


def _files(folder: Path) -> list[File]:
    """All that the pages hold, with a progress bar where there is somebody to see it."""
    made, undrawn = [], []
    try:
        texts = sources(folder)
        show = sys.stderr is not None and sys.stderr.isatty()
        with click.progressbar(
            needs(texts), file=sys.stderr, hidden=not show, item_show_func=lambda need: need.name if need else ""
        ) as bar:
            for need in bar:
                try:
                    made.append((need, make(need)))
                except CannotDrawError as error:
                    undrawn.append(str(error))
        found = list(files(folder, texts, made))
    except FileNotFoundError as error:
        raise click.UsageError(f"{error}: give the directory of a source checkout of cnnzoo") from None
    if undrawn:
        click.echo(f"Warning: {len(undrawn)} pictures are left as they are: {undrawn[0]}", err=True)
    return found


def _diff(file: File) -> str:
    """The page as it is against the page as it should be; of a picture only that it differs."""
    if file.path.suffix != ".md":
        return f"{file.path} {'differs' if file.now else 'is missing'}\n"
    now, then = ((text or "").splitlines() for text in (file.now, file.then))
    lines = unified_diff(now, then, f"{file.path}, as it is", f"{file.path}, by the code", lineterm="")
    return "".join(f"{line}\n" for line in lines)
