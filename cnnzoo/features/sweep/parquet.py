"""A sweep as a Parquet file, made of its finished JSON lines; the extra `parquet` brings pyarrow."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from ...errors import InvalidValueError
from ...files import replace
from . import FIGURES, Record, Sweep, files
from .files import Done, SweepFileError

KEY = b"cnnzoo.sweep"
GROUP = 1 << 16
"""Records in a row group."""


def fill(path: str, sweep: Sweep, jobs: int, tell: Callable[[int], object]) -> Done:
    """As `files.fill`; the records are in `path`.part until all are there.

    ValueError where the values of an axis are of kinds that do not go into one column.
    """
    schema, part = _schema(sweep), f"{path}.part"
    if os.path.exists(path):
        done = _read(path, schema)
    else:
        done = files.fill(part, sweep, "jsonl", jobs, tell)
        _convert(part, path, schema)
    with suppress(FileNotFoundError):
        os.unlink(part)
    return done


def _read(path: str, schema: pyarrow.Schema) -> Done:
    """What is in a finished file; `SweepFileError` where it is of another sweep."""
    try:
        found = parquet.read_metadata(path)
    except pyarrow.ArrowInvalid:
        raise SweepFileError(f"{path} is no Parquet file; give another file, or remove that one") from None
    if (found.metadata or {}).get(KEY) != schema.metadata[KEY]:
        raise SweepFileError(f"{path} is of another sweep; give another file, or remove that one")
    possible = 0
    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as table:
            for batch in table.iter_batches(GROUP):
                possible += batch["error"].null_count
    except (OSError, pyarrow.ArrowException):
        raise SweepFileError(f"{path} is damaged; give another file, or remove that one") from None
    return Done(found.num_rows, found.num_rows - possible)


def _convert(part: str, path: str, schema: pyarrow.Schema) -> None:
    def write(made: Path) -> None:
        with (
            open(part, encoding="utf-8") as lines,
            parquet.ParquetWriter(made, schema, write_page_checksum=True) as table,
        ):
            while records := [_read_line(line) for line in islice(lines, GROUP)]:
                try:
                    table.write_table(pyarrow.Table.from_pylist(records, schema))
                except (OverflowError, pyarrow.ArrowInvalid) as error:
                    raise InvalidValueError(
                        f"a figure is too large for a column of Parquet: {error}; CSV takes any"
                    ) from None

    replace(Path(path), write)


def _read_line(line: str) -> Record:
    """A record with both sides of its receptive field, which in a column are always two, and numbers: of a range the
    most."""
    record: Record = json.loads(line)
    field = record["receptive_field"]
    sides = field if isinstance(field, list | None) else [field, field]
    return record | {"receptive_field": sides and [side["most"] if isinstance(side, dict) else side for side in sides]}


def _schema(sweep: Sweep) -> pyarrow.Schema:
    types = {"model": pyarrow.string()}
    types |= {name: _type(name, values) for name, values in sweep.axes.items()}
    types |= {"input_size": pyarrow.list_(pyarrow.int64())}
    types |= dict.fromkeys(FIGURES, pyarrow.int64())
    types |= {"receptive_field": pyarrow.list_(pyarrow.int64()), "error": pyarrow.string()}
    identity = json.dumps([sweep.family.target, list(sweep.axes.items()), sweep.input_sizes])
    return pyarrow.schema(list(types.items()), metadata={KEY: identity})


def _type(name: str, values: tuple[Any, ...]) -> pyarrow.DataType:
    try:
        return pyarrow.infer_type([list(value) if isinstance(value, tuple) else value for value in values])
    except pyarrow.ArrowInvalid:
        raise InvalidValueError(
            f"the values of {name} are of several kinds, which no column of Parquet takes"
        ) from None
