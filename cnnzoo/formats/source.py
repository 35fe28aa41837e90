"""A description as a file of Python that defines it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from ..arch import Node
from ..arch.kinds import kinds

NAME = "network"
"""What the file calls the description."""


def source(description: Node, about: Iterable[str] = ()) -> str:
    """A file of Python that defines `network`, which is the description: its repr, with imports of its words in front,
    those of `cnnzoo.arch` in the first line; `about` are comments between the two."""
    text = repr(description)
    named = {one.id for one in ast.walk(ast.parse(text, mode="eval")) if isinstance(one, ast.Name)}
    comments = "".join(f"# {line}\n" for line in about)
    return f"{''.join(_imports(named))}\n{comments}{NAME} = {text}\n"


def _imports(names: set[str]) -> Iterator[str]:
    """A line for each module that has some of the names; a plugin's layers are in a module of its own."""
    homes: dict[str, list[str]] = {ARCH: []}
    for name in sorted(names):
        kind = kinds().get(name)
        home = ARCH if kind is None else kind.__module__
        homes.setdefault(ARCH if home.startswith(f"{ARCH}.") else home, []).append(name)
    return (f"from {home} import {', '.join(words)}\n" for home, words in homes.items() if words)


ARCH = "cnnzoo.arch"
"""Where the words of descriptions are."""
