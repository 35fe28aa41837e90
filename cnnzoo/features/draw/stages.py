"""The layers and blocks that a picture shows, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ...arch.edit import find, walk
from ...arch.joins import PLAIN
from ...arch.sequential import Aux, Sequential
from ...arch.steps import INPUT, Outputs
from ...report import Line, Report, Row

BRANCHED = ("Concat", "Residual", "Dense", "Collect", "Gate", "Difference")
"""Kinds of blocks whose children do not simply follow each other."""


def steps(report: Report, depth: int) -> Iterator[Row]:
    """Every layer, or the block around it that is `depth` levels down: they add up to the whole network."""
    return (line.row for line, opened in _opened(report, depth) if not opened)


def chain(report: Report, depth: int) -> Iterator[Row]:
    """As `steps`, but only sequences are opened, and without auxiliary heads and what never runs: each row reads the
    one before it, and perhaps others."""
    if report.blocks and (report.blocks[0].kind in BRANCHED or not _follows(report, report.blocks[0])):
        yield report.blocks[0]
        return
    closed = 0
    for line, opened in _opened(report, depth):
        if line.row.aux or not line.row.output_shape or 0 < closed < line.level:
            continue
        closed = line.level if opened and not (line.row.kind == "Sequential" and _follows(report, line.row)) else 0
        if closed or not opened:
            yield line.row


def skips(report: Report) -> bool:
    """Whether there are steps that read others than the one before them."""
    return any(isinstance(node, Sequential) and node._reads for _, node in walk(report.description or PLAIN))


def _follows(report: Report, row: Row) -> bool:
    """Whether each child of a block reads the one before it, and perhaps others; of a measured one that is not
    known."""
    block = find(report.description, row.path) if report.description is not None else None
    if not isinstance(block, Sequential) or block._plan is None:
        return True
    last = INPUT
    for step in block._plan.steps:
        if isinstance(step.node, Outputs | Aux):
            continue
        if step.layers or not any(ref.source == last and not ref.inner for ref in step.reads):
            return False
        last = step.name
    return True


def called(row: Row) -> str:
    """What a picture calls a row: its path, with the step if it is a block's own, and the call if it is another than
    the first."""
    if row.own:
        return f"{row.path} {row.name}".strip()
    return f"{row.path or row.kind} (call {row.call})" if row.call > 1 else row.path or row.kind


def _opened(report: Report, depth: int) -> Iterator[tuple[Line[Row], bool]]:
    """The lines of the tree, and whether the next one is inside of it."""
    lines = report.lines(depth, fold=False)
    yield from ((line, following.level > line.level) for line, following in pairwise(lines))
    yield from ((line, False) for line in lines[-1:])
