"""A report as a document: the tree of its blocks and layers, and its totals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..render.column import pick
from ..render.document import Document, Label
from ..words import counted, sides, size
from .columns import COLUMNS, total_of
from .rows import Row
from .tree import Line

if TYPE_CHECKING:
    from .report import Report


def _kind(row: Row) -> str:
    """The kind, and what is unusual about the row."""
    if not row.call:
        return f"{row.kind} (not called)"
    if row.call > 1 and (row.tensors or row.buffer_tensors):  # its parameters were counted before
        return f"{row.kind} (call {row.call})"
    if "operation" in row.settings:
        return f"{row.settings['operation']} (foreign)"
    if row.kind == "Aux":
        return f"{row.kind} (apart)"
    several = [(len(row.more_inputs), "in"), (len(row.more_outputs), "out")]
    said = ", ".join(f"{count + 1} {way}" for count, way in several if count)
    return f"{row.kind} ({said})" if said else row.kind


DEFAULT = {
    "kind": COLUMNS["kind"]._replace(value=_kind, narrow="name"),
    **pick(("kernel", "output_shape", "params", "macs"), COLUMNS),
}
"""Beside the tree; they fit a terminal of 80 columns."""

REGIONS = {"kind": DEFAULT["kind"], **pick(("kernel", "output_shape", "regions", "params", "macs"), COLUMNS)}
"""The same where layers run on regions."""

EVERY = tuple(name for name in COLUMNS if name != "kernel")
"""All columns but the one that says others in short."""


def document(report: Report, columns: Sequence[str] | None, depth: int | None, fold: bool) -> Document:
    """The tree down to `depth` levels. CSV has the leaves in execution order, whatever `depth` and `fold` say, where
    every column of counts adds up to the totals, those of `aux` rows apart; JSON is `report.to_dict()`.

    Raises `UnknownColumnError`.
    """
    lines = report.lines(depth, fold)
    exact = pick(columns or EVERY, COLUMNS)
    leaves = exact if "path" in exact else {**pick(["path"], COLUMNS), **exact}
    return Document(
        report.model or "network",
        [label(line) for line in lines],
        pick(columns, COLUMNS) if columns else REGIONS if any(row.regions for row in report.rows) else DEFAULT,
        [line.row for line in lines],
        footer(report, lines),
        report[""] if report.blocks else None,
        [{name: column.value(row) for name, column in leaves.items()} for row in report.rows],
        report.to_dict(),
        f"{report.model or 'A network'}, layer by layer",
    )


def label(line: Line[Row]) -> Label:
    """A line's place in the tree with its name, and its kind."""
    times = f" ×{line.times}" if line.times > 1 else ""
    head, _, _ = line.row.path.rpartition(".")
    path = f"{line.row.path} {line.name}" if line.row.own else f"{head}.{line.name}" if head else line.name
    return Label(f"{line.name}{times}", f"{path}{times}", line.guides, "" if line.row.own else _kind(line.row))


def footer(report: Report, lines: list[Line[Row]]) -> list[tuple[str, str]]:
    """What stands under the table of `lines`: a label and a sentence each."""
    total = report.totals
    shape = " and ".join(sides(size or None) for size in (report.input_size, *report.more_inputs))
    said = [("Input", f"{shape}, batch of {report.batch_size}, {report.dtype}"), ("Parameters", _parameters(report))]
    if report.outputs:
        said.insert(1, ("Outputs", ", ".join(f"{name} {sides(shape)}" for name, shape in report.outputs.items())))
    if total["aux_params"] != 0:
        said.append(("Auxiliary", _auxiliary(report)))
    said.append(("MACs", _macs(report)))
    if any(row.regions for row in report.rows):
        said.append(("Regions", _regions(report)))
    reductions = report.reductions and report.reductions(report)
    said += [("Reductions", reductions)] if reductions else []
    if total["depth"] is not None or "depth" in report.known:
        said.append(("Depth", total_of(report, "depth", lambda depth: counted(depth, "weighted layers"))))
    if report.last_map is not None:
        said.append(("Receptive field", receptive_field(report.last_map, report[""])))
    said.append(("Memory", _memory(report)))
    said += [("Unknown" if number == 0 else "", str(one)) for number, one in enumerate(report.unknown)]
    said += [("Note" if number == 0 else "", note) for number, note in enumerate(report.notes)]
    if report.paper:
        said.append(("Paper", report.paper))
    said += [("Printed" if number == 0 else "", remark) for number, remark in enumerate(report.printed)]
    if any(line.times > 1 for line in lines):
        calls = ", or calls in turn" if any(row.call > 1 for row in report.rows) else ""
        said.append(("×N", f"a row for N equal neighbours{calls}; its figures are theirs together, and so below it"))
    return said


def _parameters(report: Report) -> str:
    params, trained = report.totals["params"], report.totals["trainable_params"]
    frozen = "" if params == trained or None in (params, trained) else f"; {params - trained:,} of them frozen"
    weights, biases, buffers = (total_of(report, name) for name in ("weights", "biases", "buffers"))
    return f"{total_of(report, 'params')} ({weights} weights, {biases} biases{frozen}); buffers {buffers}"


def _auxiliary(report: Report) -> str:
    params, more = report.totals["params"], report.totals["aux_params"]
    return (
        f"{total_of(report, 'aux_params')} parameters and {total_of(report, 'aux_macs')} MACs in heads that run in "
        f"training only, not in the totals"
        f"{'' if None in (params, more) else f'; {params + more:,} parameters with them'}"
    )


def _macs(report: Report) -> str:
    known = total_of(report, "macs")
    if known == "unknown":
        return "none are known"
    return (
        f"{known} a sample, of convolutions and linear layers without biases; "
        f"FLOPs = 2 x MACs = {total_of(report, 'flops')}"
    )


def _regions(report: Report) -> str:
    """How the MACs are split, and what a row is of."""
    once, each = report.apart("macs")
    numbers = {row.regions: None for row in report.rows if row.regions}
    counts = ", ".join(f"{number:,}" for number in numbers)
    split = "" if None in (once, each) else f"{once:,} MACs for the image, {each:,} for each region; "
    return f"{counts} of an image; {split}their rows have the shapes of one, and the counts of all"


def receptive_field(last: Row, whole: Row) -> str:
    """That of the last map, and that of the output where it is another."""
    output = whole.receptive_field
    gates = (
        f" ({sides(last.gated_field or 'unknown')} with its gates)" if last.gated_field != last.receptive_field else ""
    )
    settings = f"effective stride {sides(last.effective_stride)}, padding {sides(last.effective_padding)}"
    if last.effective_stride == 0:
        settings = f"all positions see the same, padding {sides(last.effective_padding)}"
    pixels = "pixel" if last.receptive_field == 1 else "pixels"
    seen = "unknown" if last.receptive_field is None else f"{sides(last.receptive_field)} {pixels}{gates}; {settings}"
    which = "the first output" if whole.more_outputs else "the output"
    more = "" if output == last.receptive_field else f"; {which} sees {sides(output or 'unknown')}"
    return f"{seen}; at {last.path or 'the output'}, the last map{more}"


def _memory(report: Report) -> str:
    params, outputs, peak, alive, stored = (
        total_of(report, f"{name}_bytes", size) for name in ("param", "activation", "peak", "peak_activation", "stored")
    )
    if report.totals["peak_bytes"] is None and "peak_bytes" not in report.known:
        return f"{params} parameters, {outputs} outputs of all layers"
    return (
        f"{peak} at inference ({params} parameters, {alive} activations at the peak); "
        f"training stores {stored} of activations"
    )
