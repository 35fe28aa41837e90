"""What a printed figure may be of: each quantity from a report and the rows that the figure names."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple, TypeAlias

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


def size_before_stride(report: Report, rows: Rows) -> tuple[int, ...]:
    """Height and width of what enters, and the channels of what leaves: the size that a stride of 1 would leave."""
    return (*rows[0].input_shape[1:], rows[-1].output_shape[0])


def input_height_width_channels(report: Report, rows: Rows) -> tuple[int, ...]:
    """What the first of the rows reads, channels last; of a vector, as a map of one position."""
    channels, height, width = (*rows[0].input_shape, 1, 1)[:3]
    return height, width, channels


def filter_shape(report: Report, rows: Rows) -> tuple[int, ...]:
    """(height, width, maps read, filters), as TensorFlow has it; of one map each: (height, width, filters); of a linear
    layer: (inputs, outputs); of a pooling over all positions: their (height, width)."""
    if not rows[0].weights:
        return rows[0].input_shape[1:]
    filters, *read = rows[0].tensors["weight"]
    maps, *window = read
    return (*window, *read[: maps > 1 or not window], filters)


def share(quantity: str, chosen: Callable[[Report], int]) -> Callable[[Report, Rows], Value]:
    """The rows' part of a quantity in that of what is chosen."""
    return lambda report, rows: sum(row.least(quantity) for row in rows) / chosen(report)


def file_bytes(report: Report, rows: Rows) -> int:
    """Of 32 bits for each parameter and for each running statistic of batch normalisation."""
    return 4 * (rows[0].least("params") + PARTS["statistics"].how_many(report.rows, "params"))


def int8_bytes(report: Report, rows: Rows) -> int:
    """A byte for each parameter, and for each value of two maps as large as the largest that a weighted layer makes."""
    return rows[0].least("params") + 2 * max(prod(leaf.output_shape) for leaf in report.rows if leaf.macs)


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
    "size_before_stride": size_before_stride,
    "input_height_width_channels": input_height_width_channels,
    "filter_shape": filter_shape,
    "channels": lambda report, rows: rows[-1].output_shape[0],
    "max_poolings": lambda report, rows: sum(leaf.kind == "MaxPool2d" for leaf in report.rows),
    "macs_share": share("macs", lambda report: report[""].least("macs")),
    "params_share": share("params", lambda report: report[""].least("params")),
    "params_share_before_last": share(
        "params", lambda report: report[""].least("params") - report.rows[-1].least("params")
    ),
    "weights_share": share("weights", lambda report: sum(leaf.least("weights") for leaf in report.rows if leaf.macs)),
    "file_bytes": file_bytes,
    "int8_bytes": int8_bytes,
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
Krizhevsky et al. (2012), who do not divide it by the window; of "weights_share" the whole is that of convolutions and
linear layers."""


def _one(value: Any) -> Value:
    assert isinstance(value, int | tuple)  # a paper's network makes no map larger
    return value


class Part(NamedTuple):
    """What a publication may count in, or leave out, of a network's parameters or operations."""

    words: str
    how_many: Callable[[Rows, str], int]
    """How many there are in these layers, of a quantity: "params" or "macs"."""


def _count(quantity: str) -> Callable[[Row], int]:
    return {"params": lambda row: row.least("params"), "macs": lambda row: row.macs or 0}[quantity]


def _all_in(chosen: Callable[[Row], bool]) -> Callable[[Rows, str], int]:
    """The quantity in the layers that are chosen."""
    return lambda leaves, quantity: sum(map(_count(quantity), filter(chosen, leaves)))


def _last(leaves: Rows) -> Row:
    """The classifier: the last layer that multiplies."""
    return [leaf for leaf in leaves if leaf.macs][-1]


PARTS = {
    "classifier": Part("the classifier", lambda leaves, quantity: _count(quantity)(_last(leaves))),
    "linear": Part("the fully connected layers", _all_in(lambda leaf: leaf.kind == "Linear")),
    "norms": Part("the parameters of batch normalisation", _all_in(lambda leaf: leaf.kind.startswith("BatchNorm"))),
    "biases": Part(
        "the biases",
        lambda leaves, quantity: sum(leaf.biases or 0 for leaf in leaves if not leaf.kind.startswith("BatchNorm")),
    ),
    "upsampling": Part("the transposed convolutions", _all_in(lambda leaf: leaf.kind == "ConvTranspose2d")),
    "last_bias": Part("the classifier's bias", lambda leaves, quantity: _last(leaves).biases or 0),
    "statistics": Part(
        "the running statistics of batch normalisation",
        lambda leaves, quantity: sum((leaf.buffers or 0) - 1 for leaf in leaves if leaf.kind.startswith("BatchNorm")),
    ),
    "shortcuts": Part(
        "the additions of the shortcuts",
        lambda leaves, quantity: sum(leaf.additions or 0 for leaf in leaves if leaf.own and leaf.kind == "add"),
    ),
    "gates": Part(
        "the multiplications of the gates",
        lambda leaves, quantity: sum(leaf.multiplications or 0 for leaf in leaves if leaf.own and leaf.kind == "mul"),
    ),
    "gate_biases": Part(
        "the biases of the gates",
        lambda leaves, quantity: sum(leaf.biases or 0 for leaf in leaves if ".se." in leaf.path),
    ),
    "additions": Part(
        "an addition for each output of a convolution",
        lambda leaves, quantity: sum(prod(leaf.output_shape) for leaf in leaves if leaf.kind == "Conv2d"),
    ),
    "layer_norms": Part(
        "five operations for each output of a layer normalisation, as fvcore counts",
        lambda leaves, quantity: sum(
            5 * prod(leaf.output_shape) for leaf in leaves if leaf.kind.startswith("LayerNorm")
        ),
    ),
}
"""By name."""
