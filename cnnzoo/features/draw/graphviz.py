"""DOT drawn by Graphviz, of the package pygraphviz."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from ...errors import CnnzooError

SCRIPT = """
import sys
from pygraphviz import AGraph
graph = AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot", args="-Gdpi=" + sys.argv[2]))
"""
"""In a process of its own: what the C libraries say does not reach the user's stderr, and they can be told which
fonts there are."""

FONTS = "<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>"
"""Those of matplotlib alone, so that the same text is as wide on every machine."""


class CannotDrawError(CnnzooError, RuntimeError):
    """Graphviz fails."""


DPI = {"svg": 72, "pdf": 72, "png": 192}


def draw(dot: str, format: str) -> bytes:
    """A picture, in one of the formats of `DPI`; the same for the same text, on any day."""
    from matplotlib import get_data_path

    with TemporaryDirectory() as folder:
        fonts = Path(folder, "fonts.conf")
        places = {"fonts": escape(str(Path(get_data_path(), "fonts", "ttf"))), "cache": escape(folder)}
        fonts.write_text(FONTS.format(**places), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-P", "-c", SCRIPT, format, str(DPI[format])],
            input=dot.encode(),
            capture_output=True,
            env={**os.environ, "FONTCONFIG_FILE": str(fonts), "TZ": "UTC"},
            check=False,
        )
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise CannotDrawError(f"Graphviz cannot draw it: {reason}")
    return re.sub(rb"/CreationDate \(D:\d{14}", b"/CreationDate (D:19700101000000", done.stdout)
