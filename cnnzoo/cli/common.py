"""What the commands share: how names and sizes are read, and where results go."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from errno import EACCES, ENOENT
from functools import wraps
from typing import Any, TypeVar

import click

from ..render.column import Column
from ..render.document import FORMATS, Document
from ..words import REPEATED, shortened
from ..zoo import matching
from .completion import complete_list, complete_module, complete_rewrite, complete_setting, complete_word
from .types import InputSizeType, NamesType

T = TypeVar("T")

ENDINGS = {
    ".json": "json",
    ".csv": "csv",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".tex": "latex",
    ".html": "html",
    ".htm": "html",
}
DRAWN = (".svg", ".png", ".pdf")


COUNT = click.IntRange(1, 10**9)
CLASSES = click.IntRange(0, 10**9)

input_size_option = click.option(
    "--input-size",
    type=InputSizeType(),
    metavar="CxHxW",
    help="3x224x224, 1x3x224x224 or 224; default: the network's own.",
)
input_sizes_option = click.option(
    "--input-size",
    "input_sizes",
    type=InputSizeType(),
    metavar="CxHxW",
    multiple=True,
    help="3x224x224, 1x3x224x224 or 224, tokens as 1x128:int64; default: the network's own. Once for each input.",
)
num_classes_option = click.option(
    "--num-classes", type=CLASSES, help="Classes of the head, 0 for none; default: the network's own."
)
arg_option = click.option(
    "--arg",
    "pairs",
    metavar="KEY=VALUE",
    multiple=True,
    shell_complete=complete_setting,
    help="An argument of what makes the network.",
)
rewrite_option = click.option(
    "--rewrite",
    "rewrites",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_rewrite,
    help="Rewrite the network first: drop_reductions, scale_width=0.5, …; once for each.",
)


def columns_option(known: Mapping[str, Column], help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--columns, which of these to show."""
    return click.option(
        "--columns", type=NamesType(known), metavar="NAME,…", shell_complete=complete_list(known), help=help
    )


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--format and -o, as every command has them."""

    @wraps(command)
    def called(format_: str | None, output: str | None, **given: Any) -> Any:
        if output is not None and (format_ is None or ending_of(output) in DRAWN):  # before any work is done for it
            check_ending(output)
        return command(format_=format_, output=output, **given)

    decorated: Callable[..., Any] = called
    decorated = output_option("Write to FILE, all or nothing.")(decorated)
    return format_option(decorated)


format_option = click.option(
    "--format", "format_", type=click.Choice(FORMATS), help="Default: table, or by FILE's ending."
)


module_option = click.option(
    "--family",
    "--module",
    "module",
    metavar="MODULE",
    default="",
    shell_complete=complete_module,
    help="Only networks of this module, as vgg; cnnzoo.models are those of no plugin.",
)


def named(patterns: Sequence[str], module: str) -> list[str]:
    """The networks that one of the patterns matches, of all where there are none, and of the module; each once."""
    return list(dict.fromkeys(name for pattern in patterns or ("*",) for name in matching(pattern, module)))


def scatter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--scatter, -o and --format of a table that can be a picture; the command reads them by `picture_format`."""
    options = (
        click.option("--scatter", is_flag=True, help="Draw parameters against MACs under the table."),
        output_option(f"Write to FILE, all or nothing; the scatter as a picture where it ends in {', '.join(DRAWN)}."),
        format_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def picture_format(scatter: bool, format_: str | None, output: str | None) -> str | None:
    """The format of the picture that FILE's ending asks for; a usage error where there is none and the scatter or FILE
    cannot be written, before any work is done for it."""
    ending = drawn_ending(format_, output, DRAWN)
    if ending:
        return ending[1:]
    if scatter and chosen_format(format_, output) not in ("table", "text"):
        raise click.UsageError("--scatter is drawn under a table or text, or with -o FILE.svg as a picture")
    return None


def drawn_ending(format_: str | None, output: str | None, endings: Collection[str]) -> str:
    """FILE's ending where it is one of these, which ask for a picture; else empty, and a usage error for an ending that
    is no table's either. With --format the ending says nothing."""
    if format_ is not None or output is None:
        return ""
    ending = ending_of(output)
    if ending in endings:
        return ending
    check_ending(output)
    return ""


def sort_option(known: Iterable[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--sort, by one of these columns."""
    return click.option(
        "--sort",
        metavar="COLUMN",
        shell_complete=complete_word(known),
        help="From the least up; -COLUMN is from the most down.",
    )


class Interrupted(click.ClickException):
    """Ctrl-C in work that can be gone on with, which the message says; the exit code is a shell's for it."""

    exit_code = 130


class OutputFile(click.Path):
    """The name of a file to write to."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not value:
            self.fail("'' is no name of a file", param, ctx)
        return super().convert(value, param, ctx)


def output_option(help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """-o, for what it says it is."""
    return click.option("-o", "--output", type=OutputFile(dir_okay=False), metavar="FILE", help=help)


def check_ending(output: str) -> None:
    """A usage error for an ending that says another format than those of tables; none at all is a table."""
    ending = ending_of(output)
    if ending in ENDINGS or not ending or is_device(output):
        return
    drawings = "; `cnnzoo draw` makes drawings" if ending in DRAWN else ""
    raise click.BadParameter(
        f"a table cannot be written as {shortened(ending, REPEATED)}, but as {', '.join(ENDINGS)}, or as --format "
        f"says{drawings}",
        param_hint="'-o' / '--output'",
    )


def is_device(output: str) -> bool:
    """Whether it is stdout or the like, which is written as it is and takes no other's name."""
    return os.path.exists(output) and not os.path.isfile(output)


def ending_of(output: str) -> str:
    """.svg of any.SVG; empty where there is none."""
    return os.path.splitext(output)[1].lower()


def chosen_format(format_: str | None, output: str | None) -> str:
    """What --format says, else FILE's ending, else a table, in ASCII where stdout has no more than that."""
    if format_ is not None:
        return format_
    if output is not None:
        return ENDINGS.get(ending_of(output), "table")
    try:
        "├└│─×".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return "text"
    return "table"


def emit(document: Document, format_: str | None, output: str | None) -> None:
    """Write a document in its `chosen_format` to FILE, to a terminal (in its width and colours), or to a pipe."""
    chosen = chosen_format(format_, output)
    if output is not None:
        write(output, document.text(chosen))
        return
    with to_stdout():
        try:
            if chosen in ("table", "text") and sys.stdout.isatty():
                from ..render.terminal import to_terminal

                codes = os.environ.get("TERM", "").lower() not in ("dumb", "unknown")
                click.echo(to_terminal(document, terminal_width(), plain=chosen == "text", codes=codes), nl=False)
            else:
                put(document.text(chosen))
        except UnicodeEncodeError as error:
            character = f"{error.object[error.start]!a}; try --format text"
            raise click.UsageError(f"stdout is {sys.stdout.encoding} and has no {character}") from None


def terminal_width() -> int:
    """The columns of the terminal at stdout: what COLUMNS says, else what it has itself."""
    from ..render.table import WIDTH

    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and len(columns) < 10 and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or WIDTH
    except (OSError, ValueError):  # what calls itself a terminal and has no file number
        return WIDTH


@contextmanager
def to_stdout() -> Iterator[None]:
    """Around what writes there: an OSError with its reason where that cannot be."""
    if sys.stdout is None:
        raise OSError("standard output is closed")
    try:
        yield
    except BrokenPipeError:
        # as another error: on this one click ends without a word
        raise OSError("its reader was gone before all of it was written") from None


def is_watched() -> bool:
    """Whether stderr is a terminal, where progress is shown."""
    return sys.stderr is not None and sys.stderr.isatty()


def bar(items: Sequence[T], name: Callable[[T], str]) -> AbstractContextManager[Iterable[T]]:
    """The items, with a progress bar on stderr, where that is a terminal, that says the `name` of the one at work."""

    def said(one: T | None) -> str:
        return "" if one is None else shortened(name(one), 24)

    return click.progressbar(items, file=sys.stderr, width=0, hidden=not is_watched(), item_show_func=said)


def put(content: str | bytes) -> None:
    """Write to stdout in one go, so that what a pipe takes whole is there before `head` has seen enough of it.

    Of one write an unbuffered stdout (PYTHONUNBUFFERED) may take less than all; what cannot be encoded is an error
    before anything is written.
    """
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:  # a text stream that someone put there
        sys.stdout.write(content.decode() if isinstance(content, bytes) else content)
        return
    if isinstance(content, str):
        content = content.encode(sys.stdout.encoding or "utf-8", sys.stdout.errors or "strict")
    left = memoryview(content)
    sys.stdout.flush()
    while left:
        left = left[stream.write(left) :]
    stream.flush()


def write(output: str, content: str | bytes) -> None:
    """All of the content or nothing: a temporary file beside `output` takes its name at the end."""
    import tempfile

    data = content.encode() if isinstance(content, str) else content
    made = None
    try:
        if is_device(output):
            with open(output, "wb") as file:
                file.write(data)
            return
        target = _target(output)
        handle, made = tempfile.mkstemp(dir=os.path.dirname(target), prefix=f".{os.path.basename(target)}.")
        with open(handle, "wb") as file:
            file.write(data)
        os.chmod(made, _mode(target))
        os.replace(made, target)
        made = None
    except OSError as error:
        raise click.UsageError(f"cannot write {output!r}: {error.strerror or error}") from None
    finally:
        if made is not None:
            with suppress(OSError):
                os.unlink(made)


def check_place(output: str) -> None:
    """A usage error where a file could not be written: said before the long work whose result it is to have."""
    try:
        folder = os.path.dirname(_target(output))
        if not is_device(output) and not os.access(folder, os.W_OK | os.X_OK):
            number = EACCES if os.path.isdir(folder) else ENOENT
            raise OSError(number, os.strerror(number))
    except OSError as error:
        raise click.UsageError(f"cannot write {output!r}: {error.strerror or error}") from None


def _target(output: str) -> str:
    """What a link leads to, which may not be there yet. OSError for links that lead to themselves."""
    try:
        return os.path.realpath(output, strict=True)
    except FileNotFoundError:
        return os.path.realpath(output)


def _mode(target: str) -> int:
    """The file's own permissions, or what a new file would get."""
    if os.path.exists(target):
        return os.stat(target).st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
