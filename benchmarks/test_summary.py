"""The command's cold start against a process that imports the same libraries and prints as large a table.

Run it on an installed package: an editable install adds its own finder to every import.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

import cnnzoo

NAME = "vgg16"
COMMAND = str(Path(sys.executable).with_name("cnnzoo"))

BARE = """
import click, rich
from rich.console import Console
from rich.table import Table
table = Table()
for title in ("layer", "kernel", "output", "params", "macs"):
    table.add_column(title)
for row in range({rows}):
    table.add_row(f"layer {{row}}", "3x3", "512x14x14", "2,359,808", "462,422,016")
Console(width=200).print(table)
"""


def _run(*command: str) -> None:
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def _run_on_terminal(*command: str) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdout=theirs)
    os.close(theirs)
    with suppress(OSError):  # as Linux says that the other side is closed
        while os.read(ours, 1 << 16):
            pass
    os.close(ours)
    assert process.wait() == 0


@pytest.mark.parametrize(("where", "run"), [("to a pipe", _run), ("on a terminal", _run_on_terminal)])
def test_cold_summary_against_a_bare_process(ratio: Callable[..., float], where: str, run: Callable[..., None]) -> None:
    """At most 0.85, on a terminal 1.15."""
    rows = len(cnnzoo.summary(NAME).lines()) + 1
    bare = BARE.format(rows=rows)
    ratio(
        f"cold `cnnzoo summary {NAME}` {where} / bare process with click, rich and a table of {rows} rows",
        lambda: run(COMMAND, "summary", NAME),
        lambda: run(sys.executable, "-c", bare),
        30,
    )


def test_peak_memory_of_a_cold_summary(say: Callable[[str], None]) -> None:
    code = (
        "from cnnzoo.cli import cli\n"
        f"cli(['summary', '{NAME}'], standalone_mode=False)\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "open(2, 'w').write(peak.split()[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    say(f"peak memory of a cold `cnnzoo summary {NAME}`: {int(done.stderr) / 1024:.1f} MiB")
