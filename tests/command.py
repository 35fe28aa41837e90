"""The command `cnnzoo`: in this process, in another, and on a terminal of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import IO, Any, NamedTuple

from cnnzoo.cli import main

RENDERING = (
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "TERM",
    "TTY_COMPATIBLE",
    "PYTHONIOENCODING",
    "PYTHONUNBUFFERED",
)
"""What changes how things look, and so is as the test says and not as the machine is."""


class Result(NamedTuple):
    code: int
    out: str
    err: str

    def succeeded(self) -> str:
        assert (self.code, self.err) == (0, "")
        return self.out

    def refused(self, *said: str) -> str:
        """One line on stderr, exit code 2, nothing on stdout; and the line says all of this."""
        assert (self.code, self.out) == (2, ""), self
        assert self.err.startswith("Error: "), self.err
        assert self.err.count("\n") == 1, self.err
        assert self.err.endswith("\n")
        for words in said:
            assert words in self.err
        return self.err


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def call(*arguments: str, stdout: StringIO | None = None) -> Result:
    """Run the command in this process."""
    out, err = stdout or StringIO(), StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main(arguments)
    except SystemExit as end:
        return Result(int(end.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("the command ends by an exit")


def environment(**changes: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in RENDERING} | changes


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cnnzoo", *arguments]


def interruptible() -> None:
    """In a process that is to be interrupted, before it begins: in the background of a shell Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def spawn(*arguments: str, stdout: int | IO[Any] = subprocess.PIPE, cwd: Path | None = None, **env: str) -> Result:
    """Run the command in another process."""
    done = subprocess.run(
        command(*arguments),
        stdout=stdout,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=environment(**env),
        cwd=cwd,
        timeout=300,
        check=False,
    )
    return Result(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())


def on_terminal(*arguments: str, columns: int = 80, **env: str) -> str:
    """What the command writes to a terminal of so many columns; it must succeed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**{"TERM": "xterm"} | env)
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # as Linux says that the other side is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    assert process.wait(300) == 0
    return written.decode().replace("\r\n", "\n")


def without_codes(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def table_lines(text: str) -> list[str]:
    """The lines of the table, which ends at the first empty line."""
    return [line.rstrip() for line in text.partition("\n\n")[0].splitlines()]


def loaded(statement: str) -> set[str]:
    """The modules in a process of its own after a statement, without those of a bare process."""
    modules = []
    for source in ("pass", statement):
        script = f"import sys\ntry:\n    {source}\nexcept SystemExit as end:\n    assert not end.code\n"
        script += "print(*sorted(sys.modules), file=sys.stderr)"
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), check=True
        )
        modules.append(set(done.stderr.split()))
    return modules[1] - modules[0]
