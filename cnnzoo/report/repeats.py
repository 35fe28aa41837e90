"""Layers that a forward calls again and again, as a loop over time steps does, folded into one round of the loop."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from .rows import Row, added
from .tree import Branch

TRIES = 8
"""How many lengths of a round are tried, those at which its first layer comes back."""


def rolled(branches: list[Branch[Row]]) -> list[Branch[Row]]:
    """Neighbours that repeat the calls before them are folded into those, with the sums of their figures.

    Greedy, from the first to the last: a round is the shortest run that is followed by one of the same layers, with
    the same shapes, all called again. Blocks are called once here; what is in them is folded for itself.
    """
    inside = [Branch(one.row, rolled(one.inner)) if one.inner else one for one in branches]
    keys = [*map(_key, inside)]
    coming = _comings(keys)
    found: list[Branch[Row]] = []
    at = 0
    while at < len(inside):
        size, rounds = _loop(inside, keys, coming, at)
        for place in range(at, at + size):
            same = inside[place : at + size * rounds : size]
            found.append(_together(same) if rounds > 1 else same[0])
        at += size * rounds
    return found


def _key(branch: Branch[Row]) -> Hashable:
    """What is the same in every round; None for a block."""
    row = branch.row
    return None if branch.inner else (row.path, row.kind, row.own, row.input_shape, row.output_shape, row.aux)


def _comings(keys: Sequence[Hashable]) -> list[int]:
    """For every place the next with the same key, or the end."""
    last: dict[Hashable, int] = {}
    coming = [len(keys)] * len(keys)
    for place in reversed(range(len(keys))):
        coming[place] = last.get(keys[place], len(keys))
        last[keys[place]] = place
    return coming


def _loop(branches: Sequence[Branch[Row]], keys: Sequence[Hashable], coming: Sequence[int], at: int) -> tuple[int, int]:
    """The length of the round that begins here, and how often it runs."""
    place = coming[at]
    for _ in range(TRIES):
        size = place - at
        if place + size > len(keys):
            break
        end = place
        while end + size <= len(keys) and _again(branches, keys, at, end, size):
            end += size
        if end > place:
            return size, (end - at) // size
        place = coming[place]
    return 1, 1


def _again(branches: Sequence[Branch[Row]], keys: Sequence[Hashable], at: int, then: int, size: int) -> bool:
    """Whether a round runs again `then`: no layer in it is new, and one at least is a layer and no mere operator."""
    for one in range(size):
        if keys[at + one] is None or keys[at + one] != keys[then + one]:
            return False
    rows = [branches[then + one].row for one in range(size)]
    return any(not row.own for row in rows) and all(row.own or row.call > 1 for row in rows)


def _together(same: Sequence[Branch[Row]]) -> Branch[Row]:
    rows = [one.row for one in same]
    return Branch(added(rows[0]._replace(known={}), rows), [], len(rows))
