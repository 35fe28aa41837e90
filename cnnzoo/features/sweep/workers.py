"""A sweep's lines, made on several cores and given in their order."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...errors import CnnzooError
from . import Format, Sweep, line

if TYPE_CHECKING:
    from multiprocessing import Process
    from multiprocessing.connection import Connection

CHUNK = 64
"""Records that are made, sent and written together."""


class WorkerError(CnnzooError, RuntimeError):
    """A process that made records ended before it had made them all."""

    exit_code = 1


def cores() -> int:
    """How many cores of the processor this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def lines(sweep: Sweep, first: int, format: Format, jobs: int) -> Generator[bytes, None, None]:
    """The lines of the records from `first` on, a chunk at a time, in their order whatever the number of jobs."""
    starts = range(first, sweep.count, CHUNK)
    jobs = min(jobs, len(starts))
    if jobs < 2:
        yield from (_chunk(sweep, start, format) for start in starts)
        return
    from multiprocessing import Pipe, Process

    processes: list[Process] = []
    readers: list[Connection] = []
    try:
        for worker in range(jobs):
            reader, writer = Pipe(duplex=False)
            process = Process(target=_work, args=(reader, writer, sweep, starts[worker::jobs], format), daemon=True)
            with _interrupts_ignored():
                process.start()
            writer.close()  # so that the worker's end is the only one, and its death is the end of the pipe
            processes.append(process)
            readers.append(reader)
        for number, start in enumerate(starts):
            try:
                yield readers[number % jobs].recv_bytes()
            except EOFError:
                raise WorkerError(f"the process that made record {start} ended before it had") from None
    finally:
        for process in processes:
            process.terminate()
            process.join()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """What is started meanwhile ignores Ctrl-C, which is for the process that writes."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(reader: Connection, writer: Connection, sweep: Sweep, starts: range, format: Format) -> None:
    """Send chunks through a pipe, which fills up where they are made faster than they are read."""
    reader.close()  # so that the pipe breaks when the process that reads is no more
    try:
        for start in starts:
            writer.send_bytes(_chunk(sweep, start, format))
    except BrokenPipeError:
        pass  # who reads is gone


def _chunk(sweep: Sweep, start: int, format: Format) -> bytes:
    numbers = range(start, min(start + CHUNK, sweep.count))
    return "".join(line(sweep.record(number), format) for number in numbers).encode()
