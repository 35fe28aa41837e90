"""What a sweep and a search take, from the command's start to its end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest

COMMAND = str(Path(sys.executable).with_name("cnnzoo"))
SWEEP = ("--width", "16:160:16", "--depth", "2:3x2:6x2:20:2x2", "--input-size", "64:352:32")


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_ten_thousand_resnets(ending: str, jobs: int, tmp_path: Path, say: Callable[[str], None]) -> None:
    """10 widths, 100 depths, 10 input sizes: all written within ten seconds on two cores."""
    file = tmp_path / f"out.{ending}"
    seconds = _seconds("sweep", "resnet50", *SWEEP, "--jobs", str(jobs), "-o", str(file))
    say(f"10,000 records of ResNet as {ending}, {jobs} jobs: {seconds:.2f} s")
    if ending != "parquet":
        assert len(file.read_text().splitlines()) == 10_000 + (ending == "csv")
    if jobs == 2:
        assert seconds < 10


@pytest.mark.parametrize(
    ("name", "grid", "count"),
    [
        ("resnet50", ("--width", "4:128:4", "--depth", "1:4x1:8x1:10x1"), 10_240),
        ("vgg16", ("--width", "8:80:8"), 10_240),
        ("densenet121", (), 9_072),
        ("resnet50", (), 73_728),
    ],
)
def test_the_nearest_of_ten_thousand(
    name: str, grid: tuple[str, ...], count: int, tmp_path: Path, say: Callable[[str], None]
) -> None:
    file = tmp_path / "out.txt"
    seconds = _seconds("match", name, "--params", "5M", "--macs", "1G", *grid, "-o", str(file))
    assert f"Priced     all {count:,} configurations" in file.read_text()
    say(f"the nearest of {count:,} configurations of {name}: {seconds:.2f} s")


def _seconds(*arguments: str) -> float:
    start = perf_counter()
    subprocess.run([COMMAND, *arguments], stderr=subprocess.PIPE, check=True)
    return perf_counter() - start
