"""Marks in a Markdown page that say a command, and between them what the command prints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import StringIO
from typing import NamedTuple

from ...errors import InvalidValueError

MARK = re.compile(r"\ufeff?( {0,3})<!--[ \t]*(/?)cnnzoo(?=\s|-->)((?:(?!-->).)*-->[ \t]*$)?", re.DOTALL)
"""A line that begins as a mark does: its indentation, whether it is the second one, and all the rest of it if that is
nothing else. A byte order mark may be in front."""

FENCE = re.compile(r"\ufeff?(?:[ \t]|[-+*][ \t]|\d{1,9}[.)][ \t])*(`{3,}(?=[^`]*$)|~{3,})")
"""A line that begins a fenced code block, in an item of a list too."""

IMAGE = re.compile(r"\s*!\[[^\]]*\]\(([^\s():]+\.svg)\)\s*")

LINKS = {
    r"\barXiv:(\d{4}\.\d{5}|\d{4}\.\d{4})\b": r"[\g<0>](https://arxiv.org/abs/\1)",
    r"\bdoi:(10\.[^\s,;)|]*\w)": r"[\g<0>](https://doi.org/\1)",
    r"(?<![(<\"])https://[^\s|)]*\w": r"<\g<0>>",
}
"""What becomes a link."""

LANGUAGES = {"mmd": "mermaid", "table": "text"}
"""What a fenced code block calls a format of ours, where that is not its name."""


class MarkError(InvalidValueError):
    """Marks that do not go together; the message begins with the line."""


class Region(NamedTuple):
    """A mark, its second one, and what stands between them."""

    command: str
    """What is said behind `cnnzoo`."""
    first: int
    last: int
    """The lines of the marks, from 1."""
    indent: str
    inside: str

    @property
    def picture(self) -> str | None:
        """The file that is shown, if there is an image and nothing else between the marks."""
        found = IMAGE.fullmatch(self.inside)
        return found[1] if found else None


def regions(text: str) -> list[Region]:
    """The regions of a page, whose marks stand on lines of their own outside of fenced code blocks.

    Raises `MarkError` where a mark has other text on its line, says no command, has no second one, or stands between
    two others.
    """
    lines = _lines(text)
    found: list[Region] = []
    opened: Region | None = None
    fence = ""
    for number, line in enumerate((line.rstrip("\r\n") for line in lines), 1):
        if fence:
            closing = line.strip()
            fence = "" if set(closing) == {fence[0]} and len(closing) >= len(fence) else fence
        elif block := FENCE.match(line):
            fence = block[1]
        elif mark := MARK.match(line):
            indent, second, rest = mark.groups()
            if rest is None:
                raise MarkError(f"{number}: a mark stands on one line, with nothing else on it")
            command = rest.rpartition("-->")[0].strip()
            if second and command:
                raise MarkError(f"{number}: the second mark is <!-- /cnnzoo --> and says no command")
            if not second and opened:
                raise MarkError(f"{number}: a mark before <!-- /cnnzoo --> for the one in line {opened.first}")
            if not second and not command:
                raise MarkError(f"{number}: the mark says no command, as <!-- cnnzoo summary vgg16 --> does")
            if second and not opened:
                raise MarkError(f"{number}: <!-- /cnnzoo --> with no mark before it")
            if opened:
                found.append(opened._replace(last=number, inside="".join(lines[opened.first : number - 1])))
            opened = None if second else Region(command, number, number, indent, "")
    if opened:
        raise MarkError(f"{opened.first}: the mark has no <!-- /cnnzoo --> behind it")
    return found


def filled(text: str, contents: Iterable[str]) -> str:
    """The page with these contents between the marks of its regions, in order; all else is as it was.

    What is written ends its lines, and is indented, as the mark before it is.
    """
    lines = _lines(text)
    parts: list[str] = []
    place = 0
    for region, content in zip(regions(text), contents, strict=True):
        mark = lines[region.first - 1]
        inside = (f"{region.indent}{line}".rstrip() for line in content.strip("\n").split("\n"))
        end = mark[len(mark.rstrip("\r\n")) :]
        parts += [*lines[place : region.first], end.join(["", *inside, "", ""])]
        place = region.last - 1
    return "".join([*parts, *lines[place:]])


def shown(text: str, format: str) -> str:
    """What a command prints as Markdown: a code block where it is none, and with links where it is."""
    if format != "markdown":
        fence = "`" * max([3, *(len(ticks) + 1 for ticks in re.findall("`{3,}", text))])
        return f"{fence}{LANGUAGES.get(format, format)}\n{text.rstrip()}\n{fence}"
    if FENCE.match(text):
        return text
    for pattern, link in LINKS.items():
        text = re.sub(pattern, link, text)
    return text


def _lines(text: str) -> list[str]:
    """With their ends, which are those of files and not all that `str.splitlines` takes for one."""
    return list(StringIO(text, newline=""))
