"""`cnnzoo sweep NAME`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any

import click

from ..arch import Shape
from ..extras import need
from ..features.sweep import Format, Sweep, header
from ..features.sweep.family import Family
from ..features.sweep.files import Done, fill
from ..features.sweep.workers import cores, lines
from ..resolve import read_size
from ..words import counted
from .common import Interrupted, is_device, output_option, rewrite_option
from .completion import complete_target
from .knobs import MOST, check_family, knob_options, progress, read_values
from .types import TargetType, read_input_size

ENDINGS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


@click.command("sweep", short_help="Every combination, as CSV, JSON or Parquet.")
@click.argument("name", type=TargetType(), shell_complete=complete_target)
@knob_options
@rewrite_option
@click.option("--input-size", "sizes", metavar="SIZES", help="160,192,224 or 160:224:32 or 3x160x192.")
@click.option("--jobs", type=click.IntRange(1, 1024), help="Processes.  [default: one for each core]")
@output_option("Write FILE, or go on with it.")
@click.option("--format", "format_", type=click.Choice(["csv", "jsonl", "parquet"]), help="Default: by FILE, csv.")
def sweep_command(
    name: str,
    knobs: dict[str, tuple[Any, ...]],
    rewrites: tuple[str, ...],
    sizes: str | None,
    jobs: int | None,
    output: str | None,
    format_: str | None,
) -> None:
    """Write what NAME costs at every combination of the values given, one record each, in their order.

    \b
    cnnzoo sweep vgg16 --width 16:64
    cnnzoo sweep resnet18 --width 16:128:16 --input-size 160,224 -o resnet18.csv

    NAME is a registered network, or a function that gives a description or a module, which is then described at each
    size: pkg.mod:factory, path/to/file.py:factory, timm:name.

    VALUES are 32,48,64 or 16:128:8, of which both ends are in; a depth is 3x4x6x3, and 3x4x1:36x3 is 36 of them.
    What is not given stays as it is. A combination that cannot be is a record too: its `error` says why.

    Stop it at any moment, and the same command goes on behind the last whole record of FILE; the file is then the
    same, to the byte. Until then FILE.sum has its checksum. A file that is damaged or of another sweep is left alone.
    Parquet needs the extra `parquet`, and has its records in FILE.part until all are there.
    """
    if not knobs and sizes is None:
        raise click.UsageError("give something to vary: --width 32,48,64, --input-size 160:224:32, …")
    family = Family("+".join([name, *rewrites]))
    shapes = _shapes(family, sizes)
    family = family.at(shapes[0])
    check_family(family, knobs)
    sweep = Sweep(family, knobs, shapes)
    if sweep.count > MOST:
        raise click.UsageError(f"these are {sweep.count:,} combinations; at most {MOST:,} are")
    chosen = _format(format_, output)
    reached = 0

    def tell(done: int) -> None:
        nonlocal reached
        reached = done
        show(done)

    try:
        with progress(sweep.count) as show:
            done = _write(sweep, chosen, jobs or cores(), output, tell)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted after {reached:,} of {counted(sweep.count, 'combinations')}"
            + ("" if output is None else "; the same command goes on from there")
        ) from None
    except OSError as error:
        if output is None:
            raise
        raise click.UsageError(f"cannot write {output!r}: {error.strerror or error}") from None
    if output is not None:
        click.echo(f"{counted(done.records, 'combinations')} in {output}", err=True)
    if done.failures == sweep.count:
        raise click.ClickException(f"none of them can be: {sweep.record(0)['error']}")
    if done.failures:
        click.echo(f"{done.failures:,} of them cannot be: their `error` says why", err=True)


def _write(sweep: Sweep, format: str, jobs: int, output: str | None, tell: Callable[[int], None]) -> Done:
    """To FILE if it can be gone on with, and else from the beginning to what is there, or to stdout."""
    if format == "parquet":
        from ..features.sweep import parquet

        assert output is not None
        return parquet.fill(output, sweep, jobs, tell)
    form: Format = "jsonl" if format == "jsonl" else "csv"
    if output and not _is_stream(output):
        return fill(output, sweep, form, jobs, tell)
    if output is None and sys.stdout is None:
        raise OSError("standard output is closed")
    done = Done()
    with closing(lines(sweep, 0, form, jobs)) as chunks, click.open_file(output or "-", "w", "utf-8") as stream:
        stream.write(header(sweep, form))
        for chunk in chunks:
            stream.write(chunk.decode())
            stream.flush()
            done = done.and_also(chunk)
            if output or not sys.stdout.isatty():
                tell(done.records)
    return done


def _is_stream(output: str | None) -> bool:
    """Whether it is stdout or the like, where what is written cannot be read again."""
    return output is None or is_device(output)


def _shapes(family: Family, sizes: str | None) -> tuple[Shape, ...]:
    own = family.own_size or None
    if sizes is None:
        return (read_size(None, own, None)[0],)
    given = read_values(sizes, "--input-size")
    return tuple(dict.fromkeys(read_size(read_input_size(_spelled(size)).image, own, None)[0] for size in given))


def _spelled(size: Any) -> str:
    return "x".join(map(str, size)) if isinstance(size, tuple) else str(size)


def _format(format_: str | None, output: str | None) -> str:
    ending = os.path.splitext(output)[1].lower() if output and not _is_stream(output) else ".csv"
    if format_ is None and ending not in ENDINGS:
        raise click.UsageError(f"{output!r} does not end in {', '.join(ENDINGS)}: say --format")
    chosen = format_ or ENDINGS[ending]
    if chosen == "parquet" and _is_stream(output):
        raise click.UsageError("Parquet goes to a file: give -o FILE")
    if chosen == "parquet":
        need("Parquet", "parquet", "pyarrow")
    return chosen
