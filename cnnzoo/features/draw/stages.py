"""The layers and blocks that a picture shows, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ...report import Line, Report, Row

BRANCHED = ("Concat", "Residual", "Dense")
"""Kinds of blocks whose children do not simply follow each other."""


def steps(report: Report, depth: int) -> Iterator[Row]:
    """Every layer, or the block around it that is `depth` levels down: they add up to the whole network."""
    return (line.row for line, opened in _opened(report, depth) if not opened)


def chain(report: Report, depth: int) -> Iterator[Row]:
    """As `steps`, but only sequences are opened, and without auxiliary heads and what never runs: each row reads the
    one before it."""
    if report.blocks and report.blocks[0].kind in BRANCHED:
        yield report.blocks[0]
        return
    closed = 0
    for line, opened in _opened(report, depth):
        if line.row.aux or not line.row.output_shape or 0 < closed < line.level:
            continue
        closed = line.level if opened and line.row.kind != "Sequential" else 0
        if closed or not opened:
            yield line.row


def called(row: Row) -> str:
    """What a picture calls a row: its path, with the step if it is a block's own."""
    return f"{row.path} {row.name}".strip() if row.own else row.path or row.kind


def _opened(report: Report, depth: int) -> Iterator[tuple[Line[Row], bool]]:
    """The lines of the tree, and whether the next one is inside of it."""
    lines = report.lines(depth, fold=False)
    yield from ((line, following.level > line.level) for line, following in pairwise(lines))
    yield from ((line, False) for line in lines[-1:])
