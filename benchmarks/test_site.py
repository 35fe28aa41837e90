"""All tables, pictures and pages from nothing: a minute on two cores."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).parents[1]
COMMAND = str(Path(sys.executable).with_name("cnnzoo"))
LIMIT = 60
"""Seconds."""


def test_everything_is_generated_within_a_minute(tmp_path: Path, say: Callable[[str], None]) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("_build", "*.svg"))
    shutil.copytree(ROOT / "cnnzoo" / "models", tmp_path / "cnnzoo" / "models")
    shutil.copy(ROOT / "docs" / "_static" / "icon.svg", tmp_path / "docs" / "_static")
    for page in (tmp_path / "docs").rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        page.write_text(
            re.sub(r"(<!-- begin .*?-->\n).*?(<!-- end )", r"\1\2", text, flags=re.DOTALL), encoding="utf-8"
        )
    started = perf_counter()
    subprocess.run([COMMAND, "tables", "--write", str(tmp_path)], check=True, capture_output=True)
    written = perf_counter()
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "-j", "2", str(tmp_path / "docs"), str(tmp_path / "site")]
    subprocess.run(build, check=True)
    built = perf_counter()
    say(f"tables and pictures from nothing: {written - started:.1f} s; the site from them: {built - written:.1f} s")
    assert built - started < LIMIT
    for page in (tmp_path / "docs").rglob("*.md"):
        assert page.read_text(encoding="utf-8") == (ROOT / page.relative_to(tmp_path)).read_text(encoding="utf-8")
