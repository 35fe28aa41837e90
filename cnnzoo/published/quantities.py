"""What a printed figure may be of: each quantity from a report and the rows that the figure names."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, TypeAlias

from ..report import Report, Row
from ..words import is_in

Value: TypeAlias = int | float | tuple[Any, ...]
Rows: TypeAlias = tuple[Row, ...]


def depth(report: Report, rows: Rows) -> int:
    """Weighted layers on the longest way through the rows."""
    before = 0
    for leaf in report.rows:
        if is_in(leaf.path, rows[0].path):
            break
        before = before if leaf.aux else leaf.depth or 0  # a calculated report has no unknown
    return (rows[-1].depth or 0) - before


def filters(report: Report, rows: Rows) -> tuple[int, ...]:
    """Output channels of each convolution in the rows, in order."""
    return tuple(
        leaf.output_shape[0]
        for row in rows
        for leaf in report.rows
        if "kernel_size" in leaf.settings and leaf.weights and is_in(leaf.path, row.path)
    )


def blocks(report: Report, rows: Rows) -> tuple[int, ...]:
    """For each of the rows, how many blocks stand directly in it."""
    return tuple(sum(block.parent == row.path and block.path != "" for block in report.blocks) for row in rows)


def kernels(report: Report, rows: Rows) -> tuple[int, ...]:
    """(number, height, width, maps that each of them reads)."""
    number, maps, height, width = rows[0].tensors["weight"]
    return number, height, width, maps


def height_width_channels(report: Report, rows: Rows) -> tuple[int, ...]:
    """The output's shape, channels last."""
    channels, height, width = rows[-1].output_shape
    return height, width, channels


QUANTITIES: dict[str, Callable[[Report, Rows], Value]] = {
    "params": lambda report, rows: sum(row.least("params") for row in rows),
    "weights": lambda report, rows: sum(row.least("weights") for row in rows),
    "macs": lambda report, rows: sum(row.macs or 0 for row in rows),
    "flops": lambda report, rows: 2 * sum(row.macs or 0 for row in rows),
    "conv_outputs": lambda report, rows: sum(
        prod(leaf.output_shape)
        for row in rows
        for leaf in report.rows
        if leaf.kind == "Conv2d" and is_in(leaf.path, row.path)
    ),
    "connections": lambda report, rows: sum(row.connections or 0 for row in rows),
    "neurons": lambda report, rows: sum(prod(row.output_shape) for row in rows),
    "inputs": lambda report, rows: prod(rows[0].input_shape),
    "input_shape": lambda report, rows: rows[0].input_shape,
    "output_shape": lambda report, rows: rows[-1].output_shape,
    "height_width_channels": height_width_channels,
    "pixels": lambda report, rows: rows[-1].output_shape[-1],
    "depth": depth,
    "filters": filters,
    "kernels": kernels,
    "blocks": blocks,
    "receptive_field": lambda report, rows: _one(rows[-1].receptive_field),
    "effective_stride": lambda report, rows: _one(rows[-1].effective_stride),
    "alpha": lambda report, rows: max(row.settings["alpha"] / row.settings["size"] for row in rows),
}
"""By name. Counts are sums over the rows, a shape or a field is the last row's; "alpha" is LRN's as in
Krizhevsky et al. (2012), who do not divide it by the window."""


def _one(value: Any) -> Value:
    assert isinstance(value, int | tuple)  # a paper's network makes no map larger
    return value
