"""A page of the documentation as a session: `python pages.py PAGE FOLDER` does in FOLDER, in order, what it shows.

- python with prompts: examples as of doctest; what was defined before is there
- python or toml with a comment of its name in the first line: a file of that name
- console: each command after "$ " prints what stands under it, errors too
- sh: each command succeeds; a package is installed beside the others, without network
- text, and what Sphinx includes: not run

The files of `weights` beside PAGE are in FOLDER, and its `nets.py` and folder `runs`. A block that begins with
```console needs=timm is left alone where there is no such package. A picture of the page that its commands draw is what
they draw.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import site
import subprocess
import sys
from collections.abc import Callable, Iterator
from difflib import unified_diff
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

FENCE = re.compile(r"^```(\{?[\w-]*\}?)(?: needs=(\w+))?[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PICTURE = re.compile(r"!\[[^\]]*\]\((pictures/([\w.-]+\.(?:svg|png|jpg)))\)")
NOT_RUN = ("text", "mermaid", "bibtex", "{literalinclude}", "{toctree}", "{eval-rst}")
FILE = re.compile(r"# ([\w/]+\.\w+)\n")
SET_UP = "pip install -c constraints.txt "
"""What only a fresh machine can do; `.ci/run` does."""
PIP = "-m pip install --quiet --no-index --no-deps --no-build-isolation --disable-pip-version-check --target"


class Block(NamedTuple):
    language: str
    text: str
    line: int
    start: int
    """Where the text begins in the page."""
    needs: str | None = None
    """A package without which it is left alone."""

    @property
    def can_be_played(self) -> bool:
        return self.needs is None or find_spec(self.needs) is not None


class PageError(Exception):
    """What is shown cannot be done."""


def blocks(page: str) -> list[Block]:
    return [
        Block(found[1], found[3], page.count("\n", 0, found.start()) + 1, found.start(3), found[2])
        for found in FENCE.finditer(page)
    ]


class Session:
    """What the blocks of a page have in common: a folder, names, and installed packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "page"}
        self.packages = folder / "site"
        self.program = "cnnzoo"
        sys.path.insert(0, str(folder))

    def play(self, block: Block) -> str:
        """The block as it is when it is done; `PageError` where that cannot be."""
        self.program = "cnnzoo" if block.needs is None else "stubbed"
        file = FILE.match(block.text)
        if block.language == "console":
            return "".join(self._transcript(block.text))
        if block.language == "python" and ">>> " in block.text:
            return "".join(self._examples(block.text))
        if block.language == "sh":
            for line in block.text.splitlines():
                self._succeed(line)
        elif block.language in ("python", "toml") and file:
            path = self.folder / file[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text[file.end() :], encoding="utf-8")
        elif block.language not in NOT_RUN:
            raise PageError(f"nothing runs a block of {block.language!r}")
        return block.text

    def _transcript(self, text: str) -> Iterator[str]:
        for said in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command = said.partition("\n")[0]
            code, printed = self._shell(command)
            if code and "Error: " not in printed:
                raise PageError(f"{command}: exit code {code}\n{printed}")
            yield f"$ {command}\n{printed}"

    def _succeed(self, line: str) -> None:
        if line.startswith(SET_UP):
            return
        if line.startswith("pip install "):
            line = f"python {PIP} {self.packages} {line.removeprefix('pip install ')}"
            site.addsitedir(str(self.packages))
        code, printed = self._shell(line)
        if code:
            raise PageError(f"{line}: exit code {code}\n{printed}")

    def _shell(self, command: str) -> tuple[int, str]:
        command = re.sub(r"(^|[|&] *)cnnzoo ", rf"\1python -m {self.program} ", command)
        done = subprocess.run(
            re.sub(r"(^|[|&] *)python ", rf"\1{sys.executable} ", command),
            shell=True,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(self.packages), *sys.path])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def _examples(self, text: str) -> Iterator[str]:
        os.chdir(self.folder)
        pieces = doctest.DocTestParser().parse(text)
        examples = [piece for piece in pieces if isinstance(piece, doctest.Example)]
        test = doctest.DocTest(examples, self.names, "page", None, 0, None)
        runner = Runner()
        runner.run(test, out=lambda said: None, clear_globs=False)
        self.names = test.globs
        for piece in pieces:
            if isinstance(piece, str):
                yield piece
                continue
            first, *others = piece.source.splitlines()
            yield f">>> {first}\n"
            yield from (f"... {line}".rstrip() + "\n" for line in others)
            got = runner.got[piece.lineno]
            fits = doctest.OutputChecker().check_output(piece.want, got, doctest.ELLIPSIS)
            yield piece.want if fits else re.sub(r"^$(?=\n)", "<BLANKLINE>", got, flags=re.MULTILINE)


class Runner(doctest.DocTestRunner):
    """Keeps what each example printed, by its line."""

    def __init__(self) -> None:
        super().__init__()
        self.got: dict[int, str] = {}

    def report_success(self, out: Callable[[str], object], test: doctest.DocTest, example: doctest.Example, got: str):
        self.got[example.lineno] = got

    report_failure = report_success

    def report_unexpected_exception(self, out, test, example, exc_info):
        raise PageError(f"{example.source}{exc_info[0].__name__}: {exc_info[1]}") from exc_info[1]


def main(page: str, folder: str, write: bool = False) -> int:
    path, session = Path(page).resolve(), Session(Path(folder).resolve())
    for weights in (*path.parent.glob("weights/*"), *path.parent.glob("nets.py")):
        shutil.copy(weights, session.folder)
    if (path.parent / "runs").exists():
        shutil.copytree(path.parent / "runs", session.folder / "runs", dirs_exist_ok=True)
    text = path.read_text(encoding="utf-8")
    parts, place, wrong = [], 0, 0
    for block in blocks(text):
        if not block.can_be_played:
            continue
        try:
            played = session.play(block)
            lines = unified_diff(block.text.splitlines(True), played.splitlines(True), "as shown", "as it is", n=1)
            said = "".join(lines)
        except PageError as error:
            played, said = block.text, f"{error}\n"
        if said:
            sys.stdout.write(f"{path.name}:{block.line}: {block.language}\n{said}\n")
            wrong = 1
        parts += [text[place : block.start], played]
        place = block.start + len(block.text)
    if write:
        path.write_text("".join([*parts, text[place:]]), encoding="utf-8")
    for shown, name in PICTURE.findall(text):
        drawn, kept = session.folder / name, path.parent / shown
        if not drawn.exists() or (kept.exists() and kept.read_bytes() == drawn.read_bytes()):
            continue
        sys.stdout.write(f"{path.name}: {shown} is not what is drawn\n")
        wrong = 1
        if write:
            kept.write_bytes(drawn.read_bytes())
    return wrong


if __name__ == "__main__":
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    sys.exit(main(*(word for word in sys.argv[1:] if word not in options), write="--write" in options))
