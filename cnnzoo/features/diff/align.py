"""Which row of one report is which of another: by path, and where the paths differ by order and kind."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from ...report import Report, Row, Shape

Match = tuple[int, int]
"""The numbers of two rows that are the same one, in the order of the report before and of that after."""


class Pair(NamedTuple):
    """A row before and what it is after; None where only one of the two has it."""

    before: Row | None
    after: Row | None
    moved: bool = False
    """Whether it runs before or after other rows of both reports than it did."""


def align(before: Report, after: Report) -> list[Pair]:
    """Every row of both, once, in the order of `after` and those of auxiliary heads last; what is gone stands where
    it was.

    Rows of one path are the same, and a layer is the block that has its path, with all that is in it. A path whose
    last part is a number says no more than a place: such rows, and those of other paths, are paired in their order by
    kind, settings, and the kind of the block around them.
    """
    return [pair for aux in (False, True) for pair in _align(_Side(before, after, aux), _Side(after, before, aux))]


def _align(old: _Side, new: _Side) -> list[Pair]:
    """Rows with names are matched by path, those between two matches by order and kind; a match out of order is a row
    that moved."""
    named = sorted(
        match
        for key, numbers in old.numbers.items()
        if len(numbers) == len(new.numbers.get(key, ())) and old.is_same(numbers[0], new, new.numbers[key][0])
        for match in zip(numbers, new.numbers[key], strict=True)
    )
    in_order = _rising(named)
    moved = {there: here for here, there in set(named) - set(in_order)}
    left = set(moved.values())
    end = (len(old.rows), len(new.rows))
    same = list(in_order)
    for (here, there), (stop, halt) in zip([(-1, -1), *in_order], [*in_order, end], strict=True):
        rest = [number for number in range(here + 1, stop) if number not in left]
        others = [number for number in range(there + 1, halt) if number not in moved]
        same += _in_order(old, rest, new, others)
    pairs: list[Pair] = []
    here = there = 0
    for stop, halt in [*sorted(same), end]:
        pairs += [Pair(old.rows[number], None) for number in range(here, stop) if number not in left]
        for number in range(there, halt):
            source = moved.get(number)
            pairs.append(Pair(None if source is None else old.rows[source], new.rows[number], source is not None))
        if (stop, halt) != end:
            pairs.append(Pair(old.rows[stop], new.rows[halt]))
        here, there = stop + 1, halt + 1
    return pairs


class _Side:
    """The rows of a report in auxiliary heads or out of them, with a block where the other report has a layer of that
    path."""

    def __init__(self, report: Report, other: Report, aux: bool) -> None:
        self.blocks = {block.path: block for block in report.blocks}
        layers = {row.path for row in other.rows if not row.own}
        self.rows: list[Row] = []
        met = set()
        for row in report.rows:
            path = next((path for path in outer(row) if path in layers), None)
            if row.aux != aux:
                continue
            if path is None or self.blocks[path].aux != aux:
                self.rows.append(row)
            elif path not in met:
                self.rows.append(self.blocks[path])
                met.add(path)
        self.numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
        """The numbers of the rows of a path; a block's own steps of two kinds are apart."""
        for number, row in enumerate(self.rows):
            self.numbers[row.path, row.kind if row.own else ""].append(number)

    def is_same(self, number: int, other: _Side, there: int) -> bool:
        """Whether two rows of one path are the same for sure: of one kind, or a layer and a block.

        A Flatten is not: it says nothing of what stands before and behind it.
        """
        one, two = self.rows[number], other.rows[there]
        return (
            (is_named(one) and one.kind == two.kind and not _only_reshapes(one))
            or one.path in self.blocks
            or two.path in other.blocks
        )

    def around(self, row: Row) -> Around:
        """The innermost block around a row that is no Sequential, which would be only a name."""
        path = row.parent
        while path and self.blocks[path].kind == "Sequential":
            path = path.rpartition(".")[0]
        return Around(self.blocks[path].kind, path) if path else Around()


def is_named(row: Row) -> bool:
    """Whether its path says more than a place among others."""
    return row.own or not row.path.rpartition(".")[2].isdecimal()


def outer(row: Row) -> list[str]:
    """The paths of the blocks around it, from the whole network inwards."""
    parts = row.parent.split(".") if row.parent else []
    return [".".join(parts[:count]) for count in range(len(parts) + 1)] if row.parent is not None else []


class Around(NamedTuple):
    """The block that says how a row is used: the innermost one around it that is no Sequential."""

    kind: str = ""
    path: str = ""


def _rising(matches: Sequence[Match]) -> list[Match]:
    """As many of the matches as possible whose rows come in the same order in both reports.

    The longest increasing subsequence of the second numbers, by patience sorting, O(n log n); `matches` are sorted by
    their first numbers.
    """
    ends: list[int] = []
    chosen: list[int] = []
    before: list[int | None] = []
    for number, (_, there) in enumerate(matches):
        length = bisect_left(ends, there)
        ends[length : length + 1] = [there]
        chosen[length : length + 1] = [number]
        before.append(chosen[length - 1] if length else None)
    found: list[Match] = []
    last = chosen[-1] if chosen else None
    while last is not None:
        found.append(matches[last])
        last = before[last]
    return found[::-1]


def _in_order(old: _Side, here: Sequence[int], new: _Side, there: Sequence[int]) -> list[Match]:
    """Which rows of one stretch are which of another, so that they are the most alike in all and no two pairs cross.

    A weighted longest common subsequence by dynamic programming, O(n·m): `best[i][j]` is the largest sum of `_alike`
    over pairs of the rows from the i-th on and those from the j-th on.
    """
    if not here or not there:
        return []
    ones, others = [old.rows[number] for number in here], [new.rows[number] for number in there]
    inside = [new.around(row) for row in others]
    rest = array("q", [0] * (len(others) + 1))
    best = [rest]
    for one in reversed(ones):
        around = old.around(one)
        below, rest = rest, array("q", [0] * (len(others) + 1))
        for number in range(len(others) - 1, -1, -1):
            score = _alike(one, others[number], around, inside[number])
            rest[number] = max(below[number], rest[number + 1], score and score + below[number + 1])
        best.append(rest)
    best.reverse()
    found: list[Match] = []
    first = second = 0
    while first < len(ones) and second < len(others):
        if best[first][second] == best[first + 1][second]:
            first += 1
        elif best[first][second] == best[first][second + 1]:
            second += 1
        else:
            found.append((here[first], there[second]))
            first, second = first + 1, second + 1
    return found


def _alike(one: Row, other: Row, around: Around, inside: Around) -> int:
    """How much speaks for two rows being the same one; 0 where they are not. `around` and `inside` are their blocks.

    Layers of two kinds that do one job, a convolution and a linear layer say, are the same where as many values enter
    and leave: equal sizes at both ends weigh more than an equal kind.
    """
    same_path, same_kind = one.path == other.path, one.kind == other.kind
    if one.own != other.own:
        return 0
    if not same_path and around.kind != inside.kind and around.path != inside.path:
        return 0
    if same_kind and _only_reshapes(one) and _only_reshapes(other):
        return 1 + same_path + (one.name == other.name)
    fed_alike, gives_alike = (
        _same_size(one.input_shape, other.input_shape),
        _same_size(one.output_shape, other.output_shape),
    )
    if not same_kind and not (fed_alike and gives_alike and _serve_alike(one, other)):
        return (6 if is_named(one) else 1) * same_path
    shared = one.settings.keys() & other.settings.keys()
    equal = sum(one.settings[name] == other.settings[name] for name in shared)
    settings = (4 * equal // len(shared) if shared else 4) * same_kind
    return 8 * same_kind + settings + 2 * same_path + 5 * (fed_alike + gives_alike) + (one.name == other.name)


def _same_size(one: Shape, other: Shape) -> bool:
    """Whether two shapes hold as many values: (120, 1, 1) and (120,) do."""
    return prod(one) == prod(other)


def _only_reshapes(row: Row) -> bool:
    """Whether a layer gives what it is given in another shape, as Flatten does; a mean of one position is no less a
    pooling."""
    reshapes = row.input_shape != row.output_shape and _same_size(row.input_shape, row.output_shape)
    return reshapes and not row.tensors and row.role != "pooling"


def _serve_alike(one: Row, other: Row) -> bool:
    """Whether two layers of different kinds do one job; a convolution may take a linear layer's place."""
    roles = {one.role, other.role}
    return roles == {"pooling"} or roles <= {"convolution", "linear"}
