"""Pages of the course as notebooks, made when the site is built, and the link to each on its page.

What a page shows becomes cells without output: python with prompts one up to each output; a file of python one that
writes it; a command one that runs it; a picture that the commands draw one that shows it, while any other picture goes
along. Each exercise has an empty cell, and all answers, `<details>` of the page, are behind the last one.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from doctest import DocTestParser, Example
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pages import FENCE, FILE

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ANSWER = re.compile(r"^<details>\n<summary>(.*?)</summary>\n(.*?)^</details>\n", re.DOTALL | re.MULTILINE)
PICTURE = re.compile(r"!\[[^\]]*\]\(((?:\.\./)?pictures/([\w.-]+))\)")
COMMENT = re.compile(r"^<!--.*?-->\n", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
DRAWN = re.compile(r"""(?: -o |\(")([\w.-]+\.(?:svg|png))""")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?://)([^)]*)\)")
SET_UP = """\
import os, sysconfig

os.environ["PATH"] = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]  # commands of this Python
os.environ["COLUMNS"] = "200"  # of their tables"""


class Cell(NamedTuple):
    kind: str
    """"markdown" or "code"."""
    source: str
    output: str | None = None
    """What the page shows under it; a command of `sh` may print anything."""
    collapsed: bool = False
    """A heading that hides what is under it until it is opened."""


def cells(page: str) -> Iterator[Cell]:
    """The page's cells."""
    drawn = {name for block in FENCE.finditer(page) for name in DRAWN.findall(block[3])}
    first, *others = _cells(ANSWER.sub("\n```try\n```\n", page), drawn)
    yield first
    yield Cell("code", SET_UP)
    yield from others
    if answers := ANSWER.findall(page):
        yield Cell("markdown", "## Answers", collapsed=True)
        for title, answer in answers:
            yield from _cells(f"### {title}\n\n{answer}", drawn)


def _cells(text: str, drawn: set[str]) -> Iterator[Cell]:
    place = 0
    for block in FENCE.finditer(text):
        yield from _prose(text[place : block.start()], drawn)
        place = block.end()
        language, shown = block[1], block[3]
        if language == "python" and ">>> " in shown:
            yield from _examples(shown)
        elif file := FILE.match(shown):
            yield Cell("code", f"%%writefile {file[1]}\n{shown[file.end() :].rstrip()}")
        elif language == "console":
            yield from (Cell("code", f"!{command}", output) for command, output in COMMAND.findall(shown))
        elif language == "sh":
            yield from (Cell("code", f"!{command}") for command in shown.splitlines())
        elif language == "try":
            yield Cell("code", "")
        else:
            yield Cell("markdown", block[0])
    yield from _prose(text[place:], drawn)


def _examples(shown: str) -> Iterator[Cell]:
    sources = []
    for piece in DocTestParser().parse(shown):
        if isinstance(piece, Example):
            sources.append(piece.source)
            if piece.want:
                yield Cell("code", "".join(sources).rstrip(), piece.want)
                sources = []
    if sources:
        yield Cell("code", "".join(sources).rstrip())


def _prose(text: str, drawn: set[str]) -> Iterator[Cell]:
    place = 0
    for picture in PICTURE.finditer(text):
        if picture[2] in drawn:
            yield from _markdown(text[place : picture.start()])
            show = "SVG" if picture[2].endswith(".svg") else "Image"
            yield Cell("code", f'from IPython.display import {show}\n\n{show}("{picture[2]}")')
            place = picture.end()
    yield from _markdown(text[place:])


def _markdown(text: str) -> Iterator[Cell]:
    text = LINK.sub(_followed, COMMENT.sub("", text)).strip()
    if text:
        yield Cell("markdown", text)


def _followed(link: re.Match[str]) -> str:
    """A link to another page of the course leads to its notebook; the rest of the documentation is not at hand."""
    target = link[2].partition("#")[0]
    return f"[{link[1]}]({target.replace('.md', '.ipynb')})" if re.fullmatch(r"\d\d-[\w-]+\.md", target) else link[1]


def notebook(page: Path) -> dict[str, Any]:
    """A page as what an .ipynb has, nbformat 4.5."""
    made = []
    for number, cell in enumerate(cells(page.read_text(encoding="utf-8"))):
        metadata = {"jp-MarkdownHeadingCollapsed": True} if cell.collapsed else {}
        one = {"id": str(number), "cell_type": cell.kind, "metadata": metadata, "source": cell.source}
        if cell.kind == "code":
            one |= {"execution_count": None, "outputs": []}
        elif pictures := dict(PICTURE.findall(cell.source)):
            one["source"] = PICTURE.sub(lambda found: found[0].replace(found[1], f"attachment:{found[2]}"), cell.source)
            one["attachments"] = {name: _attachment(page.parent / file) for file, name in pictures.items()}
        made.append(one)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": made}


def _attachment(picture: Path) -> dict[str, str]:
    return {str(guess_type(picture.name)[0]): b64encode(picture.read_bytes()).decode()}


def _pages(app: Sphinx) -> list[Path]:
    return sorted((Path(app.srcdir) / "course").glob("[0-9]*.md")) if app.builder.format == "html" else []


def link(app: Sphinx, docname: str, source: list[str]) -> None:
    if Path(app.env.doc2path(docname)) in _pages(app):
        title, _, rest = source[0].partition("\n")
        to = f'<a href="{Path(docname).name}.ipynb" download>Download this page as a notebook</a>'
        source[0] = f'{title}\n\n<p class="notebook">{to}</p>\n{rest}'


def write(app: Sphinx, error: Exception | None) -> None:
    for page in _pages(app) if error is None else []:
        file = Path(app.outdir) / "course" / f"{page.stem}.ipynb"
        file.write_text(json.dumps(notebook(page), indent=1, ensure_ascii=False), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", link)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True}
