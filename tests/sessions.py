"""What a page of the documentation shows, done in a folder and a process of its own."""

import subprocess
import sys
from pathlib import Path

from command import environment


def session(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Do what a page shows, in a folder and a process of its own."""
    return subprocess.run(
        [sys.executable, str(Path(__file__).with_name("pages.py")), *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )


def happens(page: Path, folder: Path) -> None:
    done = session(str(page), str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
