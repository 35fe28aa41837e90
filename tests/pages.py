"""A page of the documentation as a session: `python pages.py PAGE FOLDER` does in FOLDER, in order, what it shows.

- python with prompts: run as a doctest, what was defined before is there
- python or toml with a comment of its name in the first line: a file of that name
- console: each command after "$ " prints what stands under it, errors too
- sh: each command succeeds; a package is installed beside the others, without network
- text, and what Sphinx includes: not run

Exits 1, and says where it was otherwise.
"""

from __future__ import annotations

import doctest
import os
import re
import site
import subprocess
import sys
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any, NamedTuple

FENCE = re.compile(r"^```(\{?[\w-]*\}?)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_RUN = ("text", "mermaid", "{literalinclude}", "{toctree}", "{eval-rst}")
SET_UP = "pip install -c constraints.txt "
"""What only a fresh machine can do; `.ci/run` does."""


class Block(NamedTuple):
    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    return [Block(found[1], found[2], page.count("\n", 0, found.start()) + 1) for found in FENCE.finditer(page)]


class Session:
    """What the blocks of a page have in common: a folder, names, and installed packages."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "page"}
        self.packages = folder / "site"
        sys.path.insert(0, str(folder))

    def run(self, block: Block) -> str:
        """What was not as it should be; nothing where all was."""
        first, _, rest = block.text.partition("\n")
        if block.language == "console":
            return "".join(self._transcript(block.text))
        if block.language == "sh":
            return "".join(self._command(line) for line in block.text.splitlines() if not line.startswith(SET_UP))
        if block.language == "python" and ">>> " in block.text:
            return self._doctest(block)
        if block.language in ("python", "toml") and re.fullmatch(r"# [\w/]+\.\w+", first):
            file = self.folder / first.removeprefix("# ")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(rest, encoding="utf-8")
            return ""
        return "" if block.language in NOT_RUN else f"nothing runs a block of {block.language!r}\n"

    def _transcript(self, text: str) -> Iterator[str]:
        for said in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, expected = said.partition("\n")
            code, printed = self._shell(command)
            if printed != expected:
                lines = unified_diff(expected.splitlines(True), printed.splitlines(True), "page", f"$ {command}")
                yield "".join(lines)
            elif code and "Error: " not in printed:
                yield f"{command}: exit code {code}\n"

    def _command(self, line: str) -> str:
        if line.startswith("pip install"):
            pip = "pip install --quiet --no-index --no-deps --no-build-isolation --disable-pip-version-check --target"
            line = f"{sys.executable} -m {pip} {self.packages} {line.split()[-1]}"
            site.addsitedir(str(self.packages))
        code, printed = self._shell(line)
        return f"{line}: exit code {code}\n{printed}" if code else ""

    def _shell(self, command: str) -> tuple[int, str]:
        command = re.sub(r"(^|[|&] *)(cnnzoo|python) ", rf"\1{sys.executable} -m \2 ", command)
        done = subprocess.run(
            command.replace("-m python ", ""),
            shell=True,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.packages), "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def _doctest(self, block: Block) -> str:
        os.chdir(self.folder)
        said: list[str] = []
        examples = doctest.DocTestParser().get_doctest(block.text, self.names, self.name, self.name, block.line)
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples, out=said.append, clear_globs=False)
        self.names = examples.globs
        return "".join(said)


def main(page: str, folder: str) -> int:
    path, session = Path(page), Session(Path(page).name, Path(folder))
    wrong = 0
    for block in blocks(path.read_text(encoding="utf-8")):
        said = session.run(block)
        if said:
            sys.stdout.write(f"{path.name}:{block.line}: {block.language}\n{said}\n")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
