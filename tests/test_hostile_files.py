"""Hostile files of weights end in a verdict or one short message, in 20 s and 1 GiB, and nothing in them runs.

`HOSTILE_FILES=3000 pytest -m long tests/test_hostile_files.py` tries all those made by hand, as large as the readers'
limits, and 3,000 that are changed at random.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hostile_files import PAYLOAD, hostile_files, hostile_paths

COMMON = """
import contextlib, io, json, resource, signal, sys, time, warnings
from pathlib import Path

def limit():
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 30), -1))

def try_each(run):
    for line in sys.stdin:
        name, path = json.loads(line)
        print(json.dumps({"name": name}), flush=True)
        signal.setitimer(signal.ITIMER_PROF, 20)  # of this process's work
        signal.alarm(120)  # for what waits, and for a busy machine
        start = time.process_time()
        done = run(path)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        print(json.dumps({"name": name, "seconds": time.process_time() - start, **done}), flush=True)
"""

CHECK = f"""{COMMON}
from cnnzoo.cli import main

def check(path):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(["check-weights", path])
        except SystemExit as stopped:
            code = stopped.code
    return {{"code": code, "out": out.getvalue(), "err": err.getvalue()}}

from cnnzoo.weights.matching import fits
fits({{"": {{"a": (1,)}}}})
limit()
try_each(check)
assert not {{"torch", "numpy", "safetensors"}} & set(sys.modules)
"""

LOAD = f"""{COMMON}
import torch
from cnnzoo import CheckpointError
from cnnzoo.pytorch.modules.checkpoints import load_checkpoint
from cnnzoo.weights.headers import read_header

net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
single = torch.nn.Linear(2, 2, bias=False)

def load(path):
    outcomes = []
    for module in (net, single):
        before = {{name: value.clone() for name, value in module.state_dict().items()}}
        try:
            load_checkpoint(module, path)
            outcomes.append("")
        except CheckpointError as error:
            outcomes.append(str(error))
            after = module.state_dict()
            same = [torch.equal(after[name].view(-1).view(torch.uint8), value.view(-1).view(torch.uint8))
                    for name, value in before.items()]
            assert all(same), "a network was changed by a file that was refused"
    code = 0 if "" in outcomes else 1
    return {{"code": code, "out": "", "err": min(outcomes, key=len), "known": known(path) if code == 0 else None}}

def known(path):
    # whether the header says what torch does, where torch reads the file
    try:
        contents = torch.load(path, weights_only=True)
    except Exception:
        return None
    found = [({{}}, contents)]
    for depth in range(3):
        found += [(key, value) for _, one in found for key, value in one.items() if isinstance(value, dict)]
    tensors = {{(name, tuple(value.shape), str(value.dtype)[6:])
               for _, one in found for name, value in one.items() if isinstance(value, torch.Tensor)}}
    header = read_header(path)
    own = {{(name, one.shape, one.dtype) for entries in header.dicts.values() for name, one in entries.items()}}
    return own <= tensors

warnings.simplefilter("ignore")
with contextlib.suppress(CheckpointError):
    load_checkpoint(net, "/dev/null")
limit()
try_each(load)
"""


def outcomes(script: str, tries: list[tuple[str, str]], folder: Path) -> list[dict[str, Any]]:
    """What each try came to; a process that does not survive one fails with that one's name."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        input="\n".join(map(json.dumps, tries)),
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (done.returncode, lines[-1:], done.stderr[-2000:])
    return [line for line in lines if "code" in line]


def survives(script: str, tries: list[tuple[str, str]], folder: Path) -> dict[int, int]:
    """Every try ends as it may; how many ended with which code."""
    found = outcomes(script, tries, folder)
    assert [one["name"] for one in found] == [name for name, _ in tries]
    for one in found:
        assert one["code"] in (0, 1, 2), one
        assert "Traceback" not in one["err"], one
        assert len(one["out"]) < 10_000, one["name"]
        assert len(one["err"]) < 4_000, one["name"]
        assert one["out"].isascii() or one["out"].isprintable() or "\x1b" not in one["out"], one["name"]
        if one["code"] == 2:
            assert len(one["err"].splitlines()) == 1, one
            assert len(one["err"]) < 1_000, one["name"]
        assert one.get("known") is not False, one["name"]
    assert not list(folder.rglob(PAYLOAD))
    return {code: sum(one["code"] == code for one in found) for code in (0, 1, 2)}


def written(folder: Path, files: Iterable[tuple[str, bytes, str]]) -> list[tuple[str, str]]:
    tries = []
    for number, (name, data, suffix) in enumerate(files):
        path = folder / f"{number}{suffix}"
        path.write_bytes(data)
        tries.append((name, str(path)))
    return tries


@pytest.mark.wide(0)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_some(tmp_path, wide):
    count, every = (40, 60) if wide else (10, 240)
    tries = written(tmp_path, hostile_files(count=count, every=every))
    assert sum(survives(CHECK, tries, tmp_path).values()) == len(tries)
    survives(LOAD, tries, tmp_path)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("script", [CHECK, LOAD], ids=["check-weights", "load_checkpoint"])
def test_all(script, tmp_path):
    files = hostile_files(count=int(os.environ.get("HOSTILE_FILES", "300")), big=True)
    while tries := written(tmp_path, islice(files, 60)):
        print(survives(script, tries, tmp_path))  # noqa: T201  (with -s: how many ended with which code)


def test_what_is_no_file(tmp_path, wide):
    tries = [(name, str(path)) for name, path in hostile_paths(tmp_path).items() if "\0" not in str(path)]
    for script in (CHECK, LOAD) if wide else (CHECK,):
        codes = survives(script, tries, tmp_path)
        assert codes[0] == 0
