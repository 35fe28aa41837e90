"""A share of `hostile.py`, with a seed that stays; all of it by hand: `pytest -m long tests/test_hostile.py`."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("hostile.py")
ENTRIES = 29


def attacked(each: int, seed: int) -> str:
    """What the script prints; it must find nothing wrong."""
    arguments = [sys.executable, str(SCRIPT), "--each", str(each), "--seed", str(seed)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.wide(0)
@pytest.mark.skipif(sys.platform != "linux", reason="its limits are Linux's")
def test_hostile_inputs_end_in_a_result_or_in_one_short_message(wide):
    each = 3 if wide else 1
    assert f"{each * ENTRIES} inputs, 0 faults" in attacked(each, 0)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1])
def test_a_thousand_hostile_inputs_end_in_a_result_or_in_one_short_message(seed, capsys):
    said = attacked(50, seed)
    with capsys.disabled():
        sys.stdout.write(f"\n{said}")
    assert f"{50 * ENTRIES} inputs, 0 faults" in said
