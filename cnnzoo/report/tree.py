"""The tree that a table shows, equal neighbours folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

from .rows import Row


class Part(Protocol):
    """What a tree is made of: a row of a report, or an entry of savings."""

    @property
    def name(self) -> str:
        """The name in the block above: the last part of the path."""

    def alike(self) -> object:
        """All that makes two neighbours equal."""

    def multiplied(self, count: int) -> Self:
        """One of these with the figures of `count` equal ones together."""


P = TypeVar("P", bound=Part)


class Line(NamedTuple, Generic[P]):
    """A row as the table shows it: its place in the tree and how many equal neighbours it stands for."""

    row: P
    name: str
    level: int
    times: int
    guides: tuple[bool, ...]
    """For each level above, and for its own, whether a sibling follows."""


class Branch(NamedTuple, Generic[P]):
    """A block with the branches in it; a layer has none."""

    row: P
    inner: list[Branch[P]]
    times: int = 1
    """Over how many rounds of a loop in the forward its row is summed."""

    def shape(self) -> tuple[Any, ...]:
        """All that makes two neighbours equal."""
        return (self.row.alike(), self.times, tuple((branch.row.name, branch.shape()) for branch in self.inner))


def tree(rows: Sequence[Row], blocks: Sequence[Row]) -> list[Branch[Row]]:
    """The top of the tree that the paths of the rows make."""
    top: list[Branch[Row]] = []
    branches: dict[str, Branch[Row]] = {}
    known = {block.path: block for block in blocks}

    def siblings(path: str | None) -> list[Branch[Row]]:
        if not path:
            return top
        if path not in branches:
            branches[path] = Branch(known[path], [])
            siblings(path.rpartition(".")[0]).append(branches[path])
        return branches[path].inner

    for row in rows:
        siblings(row.parent).append(Branch(row, []))
    return top


def _deep(branch: Branch[P]) -> int:
    """How many blocks its name names: what stands at other depths is not folded together."""
    return branch.row.name.count(".")


def lines(
    branches: list[Branch[P]],
    depth: int | None,
    fold: bool,
    leaves: bool = False,
    level: int = 1,
    guides: tuple[bool, ...] = (),
    times: int = 1,
) -> Iterator[Line[P]]:
    """The tree from top to bottom, as `Report.lines` gives it; with `leaves` equal neighbours that are no blocks are
    folded, too."""
    groups: list[list[Branch[P]]] = []
    for branch in branches:
        folds = fold and groups and (leaves or (branch.inner and groups[-1][0].inner))
        if folds and _deep(groups[-1][0]) == _deep(branch) and groups[-1][0].shape() == branch.shape():
            groups[-1].append(branch)
        else:
            groups.append([branch])
    for position, group in enumerate(groups):
        here = (*guides, position + 1 < len(groups))
        first, last = group[0].row, group[-1].row
        name = first.name if len(group) == 1 else spanned(first.name, last.name)
        count = times * len(group)
        yield Line(last.multiplied(count), name, level, len(group) * group[-1].times, here)
        if depth is None or level < depth:
            yield from lines(group[-1].inner, depth, fold, leaves, level + 1, here, count)


def spanned(first: str, last: str) -> str:
    """From the first name to the last; of paths that differ in one name, from that to that: `1-5.conv2`."""
    ones, others = first.split("."), last.split(".")
    if len(ones) == len(others) and sum(one != other for one, other in zip(ones, others, strict=True)) == 1:
        both = zip(ones, others, strict=True)
        return ".".join(one if one == other else _between(one, other) for one, other in both)
    return _between(first, last)


LONG = 40
"""How long two names are of which the first half of one and the last of the other will do."""


def _between(first: str, last: str) -> str:
    if len(first) + len(last) > LONG:  # each from one name to another
        first, last = first.partition("-")[0], last.rpartition("-")[2]
    return f"{first}-{last}"
