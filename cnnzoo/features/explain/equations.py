"""Equations: a figure of a layer, a block or a step, its formula with the numbers put in, and what that is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from ...arch import Cat, Kept, MatMul, Meeting, Shape
from ...arch.detection import RegionPooling
from ...arch.layers import extent_of
from ...arch.node import IntOrPair, pair
from ...report import Row
from ...report.rows import Extent, Pace, listed
from .text import dimensions, plus, times

WORK = ("comparisons", "additions", "multiplications", "exponentials")


class Equation(NamedTuple):
    """`formula` is worth `value`; "" where there is none. A pair has two: that of height; that of width. So has a
    range: that of its least to that of its most."""

    path: str
    figure: str
    """A dimension of the output, a tensor, a figure by its name in the report, or the "extent_…" of a kernel."""
    formula: str
    value: Extent
    kernel: Extent | None = None
    stride: Pace | None = None
    padding: IntOrPair | None = None
    """Of a step of the receptive field: the window that the layer reads, dilation included."""
    effective_stride: Pace | None = None
    effective_padding: IntOrPair | None = None
    """Of a step of the receptive field: effective stride and padding behind it, where its output is maps."""

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {name: listed(value) for name, value in self._asdict().items()}


def of_layer(row: Row, formulas: Mapping[str, str]) -> Iterator[Equation]:
    """A layer's figures but for what autograd keeps."""

    def figure(name: str, value: int, formula: str = "") -> Equation:
        return Equation(row.path, name, formulas.get(name, formula), value)

    for axis, side in enumerate(dimensions(row.output_shape)[1:]):
        if f"extent_{side}" in formulas:
            kernel, dilation = (pair(row.settings[name])[axis] for name in ("kernel_size", "dilation"))
            yield figure(f"extent_{side}", extent_of(kernel, dilation))
    for name, length in zip(dimensions(row.output_shape), row.output_shape, strict=True):
        if name in formulas:
            yield figure(name, length)
    for total, tensors in (("params", row.tensors), ("buffers", row.buffer_tensors)):
        for name, shape in tensors.items():
            yield figure(name or total, prod(shape), times(shape))
        if len(tensors) > 1:
            yield figure(total, getattr(row, total), plus(map(prod, tensors.values())))
    yield from _counts(row, formulas)
    if "connections" in formulas:
        connections = of_each(row, formulas["connections"])
        yield Equation(row.path, "connections", connections, row.connections or 0)


def of_each(row: Row, formula: str) -> str:
    """The formula for all regions that a row is of, from that of one."""
    each = f"({formula})" if " " in formula else formula
    return f"{row.regions:,} · {each}" if row.regions > 1 else formula


class _Stored(NamedTuple):
    """Something that autograd may keep of a layer, and its bytes."""

    words: str
    size: int
    formula: str


def stored(row: Row, kept: Kept, formulas: Mapping[str, str], element: int, batch: int) -> tuple[str, str]:
    """The formula of the bytes that autograd keeps, and in words what they are; "" where there are none.

    `element` is the bytes of one; those of an index are 8.
    """
    item, index = element * batch, 8 * batch
    elements = formulas.get("elements", f"{kept.elements:,}")
    indices = times(row.output_shape) if kept.indices == prod(row.output_shape) else f"{kept.indices:,}"
    parts = [
        _Stored("its output", kept.output * prod(row.output_shape) * item, f"{item:,}·{times(row.output_shape)}"),
        _Stored("what it works out on the way", kept.elements * item, f"{item:,}·{elements}"),
        _Stored("where each output comes from", kept.indices * index, f"{index:,}·{indices}"),
        _Stored(
            "what all samples share",
            kept.statistics * element,
            f"{element:,}·{formulas.get('statistics', f'{kept.statistics:,}')}",
        ),
    ]
    needed = [part for part in parts if part.size]
    rest = (row.stored_bytes or 0) - sum(part.size for part in needed)
    again = ""
    if kept.input:
        entered = _Stored("its input", prod(row.input_shape) * item, f"{item:,}·{times(row.input_shape)}")
        if rest > entered.size:
            entered = _Stored("the tensor that its input is a part of", rest, f"{item:,}·{rest // item:,}")
        again = "" if rest else "; a layer before keeps the input already"
        needed.insert(0, entered)
    words = " and ".join(part.words for part in needed)
    known = needed[1:] if again else needed
    if sum(part.size for part in known) != row.stored_bytes:
        return "", words
    return " + ".join(part.formula for part in known), words + again


def of_meeting(
    row: Row, meeting: Meeting, shapes: tuple[Shape, ...], formulas: Mapping[str, str], item: int
) -> Iterator[Equation]:
    """The figures of values of these shapes that meet in a step, an element of which has `item` bytes for all samples;
    `formulas` are those of the layer that makes the same of the first value, where there is one."""
    if isinstance(meeting, Cat):
        axis = meeting.dim - 1 if meeting.dim > 0 else meeting.dim
        lengths = plus(shape[axis] for shape in shapes)
        yield Equation(row.path, dimensions(row.output_shape)[axis], lengths, row.output_shape[axis])
    if isinstance(meeting, RegionPooling):
        work, elements = meeting.work(shapes), prod(row.output_shape)
        formulas = {name: f"{getattr(work, name) // elements:,}·{times(row.output_shape)}" for name in WORK}
    pairs = " + ".join(map(times, meeting.pairs(shapes)))
    macs = f"{times(shapes[0])} · {shapes[1][-1]:,}" if isinstance(meeting, MatMul) else ""
    yield from _counts(row, {**dict.fromkeys(WORK, pairs), "macs": macs, **formulas})
    if row.stored_bytes:
        every = " + ".join(f"{item:,}·{times(shape)}" for shape in shapes)
        whole = row.stored_bytes == item * sum(map(prod, shapes))
        yield Equation(
            row.path,
            "stored_bytes",
            every if whole else f"{item:,}·{row.stored_bytes // item:,}",
            row.stored_bytes,
        )


def of_block(row: Row, inner: Sequence[Row], parts: Sequence[Shape]) -> Iterator[Equation]:
    """A block's figures: the sums of its children's and its own step's, auxiliary heads apart; `parts` are the shapes
    that it concatenates."""
    if parts:
        yield Equation(
            row.path, dimensions(row.output_shape)[0], plus(shape[0] for shape in parts), row.output_shape[0]
        )
    names = ("params", "buffers", "macs", *WORK)
    sums = {name: plus(getattr(one, name) for one in inner if one.aux == row.aux) for name in names}
    for name in ("params", "buffers"):
        if getattr(row, name):
            yield Equation(row.path, name, sums[name], getattr(row, name))
    yield from _counts(row._replace(regions=0), sums)


def _counts(row: Row, formulas: Mapping[str, str]) -> Iterator[Equation]:
    """MACs, FLOPs and the other work that there is."""
    formulas = {**formulas, "flops": f"2·{row.macs or 0:,}"}
    if row.regions:
        formulas |= {name: of_each(row, formulas[name]) for name in ("macs", *WORK) if formulas.get(name)}
    for name in ("macs", "flops", *WORK):
        if getattr(row, name):
            yield Equation(row.path, name, formulas.get(name, ""), getattr(row, name))
