"""The pages of a source checkout, what they need of the code, and what they are with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from ...errors import CnnzooError, InvalidValueError
from ..draw import CannotDrawError
from .marks import MarkError, filled, regions
from .pictures import drawn, shown
from .regions import content
from .zoo import families

FAMILY = """\
# {family}

<!-- begin networks {family} -->
<!-- end networks {family} -->

## What is printed, and what is true

<!-- begin printed {family} -->
<!-- end printed {family} -->

## The code

```{{literalinclude}} ../../cnnzoo/models/{family}.py
```
"""
"""The page of a family that has none yet."""


class Need(NamedTuple):
    """A region's content or a picture that a page shows."""

    what: Literal["region", "picture"]
    name: str
    place: str
    """The page, and the line of a region."""


class File(NamedTuple):
    """A page or a picture, as it is and as the code says; None where there is none."""

    path: Path
    now: str | None
    then: str


def sources(root: Path) -> dict[Path, str]:
    """README.md and the pages in docs/, by their paths from `root`, with a first text for a family that has none.

    Raises FileNotFoundError where there is no docs/, OSError and ValueError for a page that cannot be read.
    """
    docs = root / "docs"
    if not docs.is_dir():
        raise FileNotFoundError(f"there is no docs/ in {root.resolve()}")
    found = [path.relative_to(root) for path in (root / "README.md", *sorted(docs.rglob("*.md"))) if path.exists()]
    texts = {path: _read(root / path) for path in found if not any(part[0] in "._" for part in path.parts)}
    own = Path("docs", "families")
    if (root / own).is_dir():
        for family in families():
            texts.setdefault(own / f"{family}.md", FAMILY.format(family=family))
    return texts


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidValueError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from None


def needs(texts: Mapping[Path, str]) -> list[Need]:
    """All that the pages show. Raises `MarkError`, with the page and the line, where marks do not go together."""
    return [need for path, text in texts.items() for need in _needs(path, text)]


def _needs(path: Path, text: str) -> Iterator[Need]:
    try:
        for region in regions(text):
            yield Need("region", region.name, f"{path}:{region.line}")
    except MarkError as error:
        raise MarkError(f"{path}:{error}") from None
    for name in shown(text):
        yield Need("picture", name, str(path))


def make(need: Need) -> str:
    """What fulfils it. ValueError, with its place, where nothing does; `CannotDrawError` for a picture."""
    try:
        return content(need.name) if need.what == "region" else drawn(need.name)
    except CannotDrawError:
        raise
    except CnnzooError as error:
        raise InvalidValueError(f"{need.place}: {need.what} {need.name!r}: {error}") from None


def files(root: Path, texts: Mapping[Path, str], made: Iterable[tuple[Need, str]]) -> Iterator[File]:
    """Every page, and every picture that was `made`."""
    contents: dict[str, dict[str, str]] = {"region": {}, "picture": {}}
    for need, text in made:
        contents[need.what][need.name] = text
    then = {path: filled(text, contents["region"]) for path, text in texts.items()}
    then |= {Path("docs", "pictures", f"{name}.svg"): text for name, text in contents["picture"].items()}
    for path, text in then.items():
        yield File(path, _read(root / path) if (root / path).exists() else None, text)
