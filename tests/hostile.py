"""Commands, file readers and plugin hooks under attack: `python tests/hostile.py --each 50`.

Inputs are made by changing valid ones (`hostile_inputs`). Each runs in a fork of this process with 20 s of processor
time and 1 GiB of memory more than it has. Right is exit code 0 where the input is valid, and its figures are then found
again by torch (`hostile_checks`); and else 1 or 2, with one short message and no traceback. Prints how many inputs each
entry had and how they ended, and what was wrong; exits with 1 where anything was.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SECONDS = 20
MEMORY = 1 << 30
WAITED = 120
"""Seconds after which a process that waits for something is ended, on a busy machine too."""
LONGEST = 2000
"""Characters of all that stands on stderr."""
BUG = 99
"""Exit code of an exception that nothing caught."""
WRONG = 98
"""Exit code of a valid input whose figures are not found again."""


class Input(NamedTuple):
    """What to run: `call` in a folder of these `files`."""

    entry: str
    said: str
    """What it is, to try it again by hand."""
    files: dict[str, bytes]
    call: Callable[[], int]
    """Returns the exit code, or exits with it."""
    check: Callable[[int, str], None] = lambda code, out: None
    """AssertionError where what a valid input gave is not right."""


class Outcome(NamedTuple):
    code: int
    out: str
    err: str
    seconds: float

    def fault(self) -> str:
        """What is wrong with it; "" is nothing."""
        if self.code not in (0, 1, 2):
            return f"it ends with {self.code}: {self.err.strip()[-600:]}"
        if "Traceback" in self.err or "Traceback" in self.out:
            return f"it shows a traceback: {self.err[-600:]}"
        if len(self.err) > LONGEST:
            return f"it says {len(self.err):,} characters: {self.err[:200]}"
        errors = [line for line in self.err.splitlines() if line.startswith("Error: ")]
        if len(errors) != (self.code > 0) and not (self.code == 1 and not errors and self.out.strip()):
            return f"it ends with {self.code} and says {len(errors)} errors: {self.err[:300]!r}"
        return ""


def run(one: Input) -> Outcome:
    """Run an input in a fork of this process, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        inner = Path(folder, "a", "b", "c")  # so that a path may go up
        inner.mkdir(parents=True)
        for name, data in one.files.items():
            Path(inner, name).parent.mkdir(parents=True, exist_ok=True)
            Path(inner, name).write_bytes(data)
        started = time.monotonic()
        child = os.fork()
        if not child:
            _run_here(one, inner, Path(folder))
        deadline, status, used = started + WAITED, 0, None
        pause = 0.001
        while used is None:
            done, status, rusage = os.wait4(child, os.WNOHANG)
            if done:
                used = rusage
            elif time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
            else:
                time.sleep(pause)
                pause = min(0.05, pause * 1.5)
        out, err = (Path(folder, name).read_text(errors="replace") for name in ("out", "err"))
        return Outcome(os.waitstatus_to_exitcode(status), out, err, used.ru_utime + used.ru_stime)


def _run_here(one: Input, inner: Path, folder: Path) -> None:
    """In the fork: never returns."""
    os.setpgid(0, 0)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(inner)
    data = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmData"))
    resource.setrlimit(resource.RLIMIT_DATA, (int(data.split()[1]) * 1024 + MEMORY, -1))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 600))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    code = BUG
    try:
        try:
            code = one.call()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        sys.stdout.flush()
        resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS + 600, SECONDS + 600))
        if code in (0, 1):
            one.check(code, (folder / "out").read_text(errors="replace"))
    except BaseException as error:
        import traceback

        code = WRONG if code == 0 and isinstance(error, AssertionError) else BUG
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def attack(each: int, seed: int, entries: list[str]) -> tuple[Counter[tuple[str, int]], list[str]]:
    """How many inputs of each entry ended with which code, and what was wrong."""
    from hostile_inputs import ENTRIES

    counts: Counter[tuple[str, int]] = Counter()
    faults: list[str] = []
    for entry in entries or ENTRIES:
        for number in range(each):
            one = ENTRIES[entry](random.Random(f"{entry} {seed} {number}"))
            outcome = run(one)
            counts[entry, outcome.code] += 1
            fault = outcome.fault()
            if fault:
                faults.append(f"{entry} {number} of seed {seed}: {one.said[:600]}\n    {fault}")
                say(faults[-1])
        codes = {code: count for (of, code), count in sorted(counts.items()) if of == entry}
        say(f"{entry}: {sum(codes.values())} inputs, {', '.join(f'{n} with {code}' for code, n in codes.items())}")
    return counts, faults


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=50, help="inputs of each entry")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("entries", nargs="*", help="default: all")
    given = parser.parse_args()
    counts, faults = attack(given.each, given.seed, given.entries)
    say(f"{counts.total()} inputs, {len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
