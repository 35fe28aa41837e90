"""The tree that a table shows, equal neighbours folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .rows import SUMMED, Row


class Line(NamedTuple):
    """A row as the table shows it: its place in the tree and how many equal neighbours it stands for."""

    row: Row
    name: str
    level: int
    times: int
    guides: tuple[bool, ...]
    """For each level above, and for its own, whether a sibling follows."""


class Branch(NamedTuple):
    """A row and what is in it."""

    row: Row
    inner: list[Branch]

    def shape(self) -> tuple[Any, ...]:
        """All that makes two neighbours equal: everything but the path and what grows with the depth."""
        row = self.row._replace(
            path="",
            depth=0,
            receptive_field=None,
            effective_stride=None,
            effective_padding=None,
            live_bytes=0,
        )
        return (row, tuple((branch.row.name, branch.shape()) for branch in self.inner))


def tree(rows: Sequence[Row], blocks: Sequence[Row]) -> list[Branch]:
    """The top of the tree that the paths of the rows make."""
    top: list[Branch] = []
    branches: dict[str, Branch] = {}
    known = {block.path: block for block in blocks}

    def siblings(path: str | None) -> list[Branch]:
        if not path:
            return top
        if path not in branches:
            branches[path] = Branch(known[path], [])
            siblings(path.rpartition(".")[0]).append(branches[path])
        return branches[path].inner

    for row in rows:
        siblings(row.parent).append(Branch(row, []))
    return top


def lines(
    branches: list[Branch],
    depth: int | None,
    fold: bool,
    level: int = 1,
    guides: tuple[bool, ...] = (),
    times: int = 1,
) -> Iterator[Line]:
    """The tree from top to bottom, as `Report.lines` gives it."""
    groups: list[list[Branch]] = []
    for branch in branches:
        if fold and groups and branch.inner and groups[-1][0].inner and groups[-1][0].shape() == branch.shape():
            groups[-1].append(branch)
        else:
            groups.append([branch])
    for position, group in enumerate(groups):
        here = (*guides, position + 1 < len(groups))
        first, last = group[0].row, group[-1].row
        name = first.name if len(group) == 1 else f"{first.name}-{last.name}"
        count = times * len(group)
        ones = {field: getattr(first, field) for field in SUMMED}
        sums: dict[str, Any] = {field: None if value is None else value * count for field, value in ones.items()}
        yield Line(last._replace(**sums), name, level, len(group), here)
        if depth is None or level < depth:
            yield from lines(group[-1].inner, depth, fold, level + 1, here, count)
