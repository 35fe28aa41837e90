"""Files that a sweep fills: killed at any moment and started again it goes on behind the last whole record."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain
from typing import BinaryIO, NamedTuple

from ...errors import CnnzooError
from . import Format, Sweep, beginning, failures, header, line
from .workers import lines

try:
    import fcntl
except ImportError:  # where there are no such locks
    fcntl = None  # type: ignore[assignment]


class SweepFileError(CnnzooError, ValueError):
    """A file that this sweep cannot go on with; the message says why not."""


class Done(NamedTuple):
    """How many records are written, and how many of them are of combinations that cannot be."""

    records: int = 0
    failures: int = 0

    def and_also(self, written: bytes) -> Done:
        return Done(self.records + written.count(b"\n"), self.failures + failures(written))


def fill(path: str, sweep: Sweep, format: Format, jobs: int, tell: Callable[[int], object]) -> Done:
    """Write the records that are not yet in a file; `tell` hears how many are.

    Until all are there, `path`.sum vouches for what was written: the file goes on behind it if its CRC-32 is right.
    What nothing vouches for, such as a file that was finished before, is calculated again and compared.

    Raises `SweepFileError` for a file that another process is writing or that has something else in it than records
    of this sweep; it is left as it is.
    """
    with _opened(path) as file:
        found = _resume(file, path, sweep, format)
        tell(found.done.records)
        done, sums = found.done, f"{path}.sum"
        with closing(lines(sweep, done.records, format, jobs)) as chunks:
            file.seek(found.end)
            for chunk in chunks:
                there = file.read(len(chunk))
                if not chunk.startswith(there):
                    raise _differs(path, done.records + bool(header(sweep, format)), there, chunk)
                file.write(chunk[len(there) :])
                file.flush()
                done = done.and_also(chunk)
                found = Vouched(done, found.end + len(chunk), zlib.crc32(chunk, found.crc))
                found.write(sums)
                tell(done.records)
        os.fsync(file.fileno())
    with suppress(FileNotFoundError):
        os.unlink(sums)
    return done


class Vouched(NamedTuple):
    """The beginning of a file that is as it was written: its records, its bytes, and their CRC-32."""

    done: Done = Done()
    end: int = 0
    crc: int = 0

    def write(self, path: str) -> None:
        with open(path, "wb", buffering=0) as file:
            file.write(f"{self.end} {self.crc}\n".encode())

    @staticmethod
    def read(path: str) -> tuple[int, int]:
        """The bytes and their CRC-32; none where that is not known."""
        try:
            with open(path, "rb") as file:
                said = file.read(100)
        except FileNotFoundError:
            return 0, 0
        end, _, crc = said.removesuffix(b"\n").partition(b" ")
        whole = said.endswith(b"\n") and end.isdigit() and crc.isdigit()
        return (int(end), int(crc)) if whole else (0, 0)


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


def _resume(file: BinaryIO, path: str, sweep: Sweep, format: Format) -> Vouched:
    """What of the file need not be calculated again; leaves it without the line that was torn."""
    head = header(sweep, format).encode()
    begins = (beginning(sweep.inputs(number), format).encode() for number in range(sweep.count))
    done, end, crc, last = Done(), 0, 0, b""
    said = Vouched.read(f"{path}.sum")
    vouched = Vouched()
    for number, (found, wanted) in enumerate(zip(file, chain([head] if head else [], begins, [b""]))):  # noqa: B905
        torn = not found.endswith(b"\n")
        if not wanted or not (found.startswith(wanted) or (torn and wanted.startswith(found))):
            raise _other(path, number, found, wanted)
        if torn:
            break
        end, crc = end + len(found), zlib.crc32(found, crc)
        if found != head:
            done, last = done.and_also(found), found
        if end == said[0] and crc != said[1]:
            raise SweepFileError(
                f"{path} is damaged: its first {number + 1:,} lines are not as they were written; "
                "give another file, or remove that one"
            )
        if found == head or end == said[0]:
            vouched = Vouched(done, end, crc)
    if last and last != (again := line(sweep.record(done.records - 1), format).encode()):
        raise _other(path, number, last, again)
    file.seek(end)
    file.truncate()
    if head and not end:
        file.write(head)
        vouched = Vouched(Done(), len(head), zlib.crc32(head))
    return vouched


def _differs(path: str, before: int, found: bytes, wanted: bytes) -> SweepFileError:
    """Of the first line of a chunk, behind so many, that is not what it should be."""
    pairs = zip(found.splitlines(), wanted.splitlines(), strict=False)
    place, (one, other) = next((place, pair) for place, pair in enumerate(pairs) if pair[0] != pair[1])
    return SweepFileError(
        f"{path} is damaged: its line {before + place + 1} is {_short(one)}, and should be {_short(other)}; "
        "give another file, or remove that one"
    )


def _other(path: str, number: int, found: bytes, wanted: bytes) -> SweepFileError:
    ours = f"this one's is {_short(wanted)}" if wanted else "this one has no more"
    return SweepFileError(
        f"{path} is of another sweep: its line {number + 1} is {_short(found)}, and {ours}; "
        "give another file, or remove that one"
    )


def _short(text: bytes) -> str:
    shown = text.decode(errors="replace").rstrip("\n")
    return repr(shown if len(shown) <= 60 else f"{shown[:60]}…")
