"""What steps read in one network that they do not in another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...arch import Node, Outputs, Sequential, walk
from ...arch.steps import Ref
from ...arch.walker import child_path
from ...report import Report, Row
from .align import Pair


class _Read(NamedTuple):
    """What a step reads."""

    block: str
    """The path of the Sequential that it is a step of."""
    refs: tuple[Ref, ...]
    layers: str
    """The path of the layers that run: its own or, of a `Run`, theirs; of `Outputs`, of the block that gives."""
    said: str
    """How its change begins."""
    by_name: bool
    """Whether the step says it, or reads the step before it."""


def changed_reads(before: Report, after: Report, pairs: Sequence[Pair]) -> dict[int, list[str]]:
    """For the first row of what a step runs, by its `id`: "reads a → b", for each step of both networks that reads
    other values than it did. Where names have changed, values are told apart by the rows that make them."""
    if before.description is None or after.description is None:
        return {}
    one, other = _reads(before.description), _reads(after.description)
    if not one and not other:
        return {}
    new = _new_paths(pairs)
    rows: dict[str, Row] = {}
    for pair in pairs:
        if pair.before is not None and pair.after is not None:
            for path in _upwards(pair.after.path):
                rows.setdefault(path, pair.after)
    found: dict[int, list[str]] = {}
    for path, old in one.items():
        now = other.get(new.get(path, path))
        if now is None or not (old.by_name or now.by_name) or now.layers not in rows:
            continue
        if [_made(old.block, ref, new) for ref in old.refs] != [_made(now.block, ref, {}) for ref in now.refs]:
            row = rows[now.layers]
            whose = "" if row.path == new.get(path, path) else f"{path} "
            said = f"{whose}{now.said} {_listed(old.refs)} → {_listed(now.refs)}"
            found.setdefault(id(row), []).append(said)
    return found


def _reads(description: Node) -> dict[str, _Read]:
    """What each step reads, by its path."""
    found = {}
    for path, node in walk(description):
        if not isinstance(node, Sequential) or node._plan is None:
            continue
        for step in node._plan.steps:
            own = child_path(path, step.name)
            gives = isinstance(step.node, Outputs)
            layers = path if gives else child_path(path, step.layers) if step.layers else own
            by_name = step.name in node._reads
            found[own] = _Read(path, step.reads, layers, "gives" if gives else "reads", by_name)
    return found


def _new_paths(pairs: Sequence[Pair]) -> dict[str, str]:
    """The paths of rows, and of the blocks around them, as they were: what they are now, where that is another."""
    found: dict[str, str] = {}
    for old, now, _ in pairs:
        if old is not None and now is not None:
            one, other = old.path.split("."), now.path.split(".")
            while one and other:
                found.setdefault(".".join(one), ".".join(other))
                if one.pop() != other.pop():
                    break
    return {path: now for path, now in found.items() if path != now}


def _made(block: str, ref: Ref, new: Mapping[str, str]) -> tuple[str, str]:
    """Where the value is made that a step of a block reads, by its path now."""
    path = ".".join(filter(None, [block, ref.source, ref.inner]))
    return new.get(path, path), ref.port


def _upwards(path: str) -> list[str]:
    parts = path.split(".") if path else []
    return [".".join(parts[:count]) for count in range(len(parts) + 1)]


def _listed(refs: Sequence[Ref]) -> str:
    return ", ".join(map(str, refs))
