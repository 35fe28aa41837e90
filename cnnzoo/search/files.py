"""Files that a sweep fills: killed at any moment and started again it goes on behind the last whole record."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import chain
from typing import BinaryIO, NamedTuple

from .sweep import Format, Sweep, beginning, failures, header, line
from .workers import lines

try:
    import fcntl
except ImportError:  # where there are no such locks
    fcntl = None  # type: ignore[assignment]


class SweepFileError(ValueError):
    """A file that this sweep cannot go on with; the message says why not."""


class Done(NamedTuple):
    """How many records are written, and how many of them are of combinations that cannot be."""

    records: int = 0
    failures: int = 0

    def and_also(self, written: bytes) -> Done:
        return Done(self.records + written.count(b"\n"), self.failures + failures(written))


def fill(path: str, sweep: Sweep, format: Format, jobs: int, tell: Callable[[int], object]) -> Done:
    """Write the records that are not yet in a file; `tell` hears how many are.

    Raises `SweepFileError` for a file that another process is writing or that has something else in it than records
    of this sweep; it is left as it is.
    """
    with _opened(path) as file:
        done = _resume(file, path, sweep, format)
        tell(done.records)
        with closing(lines(sweep, done.records, format, jobs)) as chunks:
            for chunk in chunks:
                file.write(chunk)
                file.flush()
                done = done.and_also(chunk)
                tell(done.records)
        os.fsync(file.fileno())
    return done


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """A file to read and to write, made where there is none, and for no other process at the same time."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as file:
        if fcntl is not None:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                raise SweepFileError(f"another process is writing {path}") from None
        yield file


def _resume(file: BinaryIO, path: str, sweep: Sweep, format: Format) -> Done:
    """What is in the file already; leaves it at the place of the next record, without the line that was torn."""
    head = header(sweep, format).encode()
    begins = (beginning(sweep.inputs(number), format).encode() for number in range(sweep.count))
    done, end, last = Done(), 0, b""
    for number, (found, wanted) in enumerate(zip(file, chain([head] if head else [], begins, [b""]))):  # noqa: B905
        torn = not found.endswith(b"\n")
        if not wanted or not (found.startswith(wanted) or (torn and wanted.startswith(found))):
            raise _other(path, number, found, wanted)
        if torn:
            break
        end += len(found)
        if found != head:
            done, last = done.and_also(found), found
    if last and last != (again := line(sweep.record(done.records - 1), format).encode()):
        raise _other(path, number, last, again)
    file.seek(end)
    file.truncate()
    if not end:
        file.write(head)
    return done


def _other(path: str, number: int, found: bytes, wanted: bytes) -> SweepFileError:
    ours = f"this one's is {_short(wanted)}" if wanted else "this one has no more"
    return SweepFileError(
        f"{path} is of another sweep: its line {number + 1} is {_short(found)}, and {ours}; "
        "give another file, or remove that one"
    )


def _short(text: bytes) -> str:
    shown = text.decode(errors="replace").rstrip("\n")
    return repr(shown if len(shown) <= 60 else f"{shown[:60]}…")
