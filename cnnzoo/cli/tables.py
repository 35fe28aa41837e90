"""`cnnzoo tables --write | --check [FILE…]`."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from difflib import unified_diff
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ..errors import CnnzooError
from ..features.draw import TABLES
from ..features.tables import MarkError, Region, filled, regions, shown
from ..words import hint, quoted
from . import COMMANDS, READING, cli, explained
from .common import OutputFile, bar, put, to_stdout
from .common import write as write_file

WIDTH = 80
"""Of a command's help in a page."""


@click.command("tables", short_help="Tables in Markdown files, filled or checked.")
@click.option("--write/--check", required=True, help="Fill the files, or print what differs and exit with 1.")
@click.argument("files", metavar="[FILE]…", nargs=-1, type=click.Path(exists=True, path_type=Path))
def tables_command(write: bool, files: tuple[Path, ...]) -> None:
    """Fill Markdown files with what the commands print that are said in them, or check that they have it.

    \b
    cnnzoo tables --check
    cnnzoo tables --write README.md docs

    A FILE says a command in a line of its own, and where its output ends in another:

    \b
    <!-- cnnzoo compare net.py:small resnet50 --columns params,macs -->
    <!-- /cnnzoo -->

    What is between them is replaced; an image between them, ![…](net.svg), is drawn. The command is run as if it was
    typed in the current folder, so that one that names a Python file runs it; one that writes is refused. Of a folder
    all .md files are taken; default: README.md and docs.
    """
    pages = list(dict.fromkeys(_pages(files or [path for path in map(Path, ("README.md", "docs")) if path.exists()])))
    if not pages:
        raise click.UsageError("there is no Markdown file: say which FILE, or a folder that has some")
    texts = {path: _read(path) for path in pages}
    then = _then(texts)
    changed = {path: data for path, data in then.items() if not path.exists() or path.read_bytes() != data}
    for path, data in changed.items():
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(str(path), data)
            click.echo(f"{path} written")
            continue
        if path in texts:
            with to_stdout():
                put("".join(_diff(str(path), texts[path], data.decode())).encode())
        click.echo(f"Error: {path} is not what its marks say; `cnnzoo tables --write` fills it", err=True)
    if changed and not write:
        click.get_current_context().exit(1)


def _pages(given: Iterable[Path]) -> Iterator[Path]:
    """The files, and of folders their Markdown; what begins with a dot or an underscore is none of it."""
    for path in given:
        if path.is_dir():
            inside = (one.relative_to(path) for one in sorted(path.rglob("*.md")))
            yield from (path / one for one in inside if not any(part[0] in "._" for part in one.parts))
        elif not path.is_file():
            raise click.UsageError(f"{path} is neither a file nor a folder")  # a device may have no end
        else:
            yield path


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise click.UsageError(f"cannot read {path}: {error.strerror or error}") from None


def _then(texts: dict[Path, str]) -> dict[Path, bytes]:
    """The pages and the pictures in them as the marks say, with a progress bar where there is somebody to see it."""
    todo = []
    for path, text in texts.items():
        try:
            todo += [(path, region) for region in regions(text)]
        except MarkError as error:
            raise MarkError(f"{path}:{error}") from None
    contents: dict[Path, list[str]] = defaultdict(list)
    pictures = {}
    with bar(todo, lambda one: one[1].command) as pending:
        for path, region in pending:
            try:
                made = _made(region)
            except (click.ClickException, CnnzooError, ModuleNotFoundError) as error:
                said = f"{path}:{region.first}: cnnzoo {region.command}: {explained(error)}"
                raise click.UsageError(said) from None
            if isinstance(made, bytes):
                pictures[path.parent / str(region.picture)] = made
            contents[path].append(region.inside.strip() if isinstance(made, bytes) else made)
    return {path: filled(text, contents[path]).encode() for path, text in texts.items()} | pictures


def _made(region: Region) -> str | bytes:
    """What the command of a mark prints, as Markdown, or the picture that it draws."""
    context = None
    with redirect_stdout(StringIO()) as out, TemporaryDirectory() as folder:
        drawn = Path(folder, "picture.svg")
        try:
            context = _context(region.command)
            if region.picture and context.params["format_"] not in (None, "svg"):
                raise click.UsageError("an image between the marks is drawn as SVG: leave --format out")
            if region.picture:
                context.params["output"] = str(drawn)
            elif context.params["format_"] is None:
                context.params["format_"] = _format(context)
            with context:
                context.command.invoke(context)
        except click.exceptions.Exit as end:
            if end.exit_code:
                raise click.UsageError(f"it exits with {end.exit_code}") from None
        if context and region.picture:
            return drawn.read_bytes()
    return shown(out.getvalue(), context.params["format_"] if context else "text")


def _context(command: str) -> click.Context:
    """A command as it is called, of which nothing has run yet; its help raises click's `Exit`.

    Raises a usage error for one that is not of `READING`, or writes.
    """
    try:
        name, *words = shlex.split(command)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if name not in COMMANDS:
        raise click.UsageError(f"no command {quoted(name)}; {hint(name, READING)}")
    if name not in READING and words != ["--help"]:
        raise click.UsageError(f"a mark runs what only reads: {', '.join(READING)}")
    parent = click.Context(cli, info_name="cnnzoo", terminal_width=WIDTH, **cli.context_settings)
    called = cli.get_command(parent, name)
    assert called is not None
    context = called.make_context(name, words, parent)
    for param in called.params:
        if isinstance(param.type, OutputFile) and context.params[str(param.name)] is not None:
            raise click.UsageError(
                "a mark takes no -o: its page has what is printed, or shows a picture: ![…](FILE.svg)"
            )
    return context


def _format(context: click.Context) -> str:
    """Markdown, or of a drawing that is no table Mermaid."""
    return "mmd" if context.command.name == "draw" and context.params["kind"] not in TABLES else "markdown"


def _diff(name: str, now: str, then: str) -> Iterator[str]:
    """As `patch` reads it."""
    lines = [list(StringIO(text, newline="\n")) for text in (now, then)]
    for line in unified_diff(lines[0], lines[1], name, name):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
