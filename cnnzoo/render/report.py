"""A report as a document: the tree of its blocks and layers, and its totals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..report import Line, Report, Row
from .columns import COLUMNS, pick, sides, size
from .document import Document, Label

DEPTH = 3
"""How deep a table goes unless it is told, as in torchinfo."""

DEFAULT = {"kind": COLUMNS["kind"]._replace(narrow="name"), **pick(("kernel", "output_shape", "params", "macs"))}
"""Beside the tree; they fit a terminal of 80 columns."""

EVERY = tuple(name for name in COLUMNS if name != "kernel")
"""All columns but the one that says others in short."""


def document(
    report: Report, columns: Sequence[str] | None = None, depth: int | None = DEPTH, fold: bool = True
) -> Document:
    """The tree down to `depth` levels. CSV has the leaves in execution order, whatever `depth` and `fold` say, where
    every column of counts adds up to the totals, those of `aux` rows apart; JSON is `report.to_dict()`.

    Raises `UnknownColumnError`.
    """
    lines = report.lines(depth, fold)
    exact = pick(columns or EVERY)
    leaves = exact if "path" in exact else {**pick(["path"]), **exact}
    return Document(
        report.model or "network",
        [label(line) for line in lines],
        pick(columns) if columns else DEFAULT,
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
    path = f"{line.row.path} {line.name}" if line.row.is_join else f"{head}.{line.name}" if head else line.name
    return Label(f"{line.name}{times}", f"{path}{times}", line.guides, "" if line.row.is_join else _kind(line.row))


def _kind(row: Row) -> str:
    if row.call != 1:
        return f"{row.kind} (call {row.call})" if row.call else f"{row.kind} (not called)"
    return f"{row.kind} (apart)" if row.kind == "Aux" else row.kind


def footer(report: Report, lines: list[Line[Row]]) -> list[tuple[str, str]]:
    """What stands under the table of `lines`: a label and a sentence each."""
    total = report.totals
    shape = " and ".join(map(sides, (report.input_size, *report.more_inputs)))
    frozen = total["params"] - total["trainable_params"]
    said = [
        ("Input", f"{shape}, batch of {report.batch_size}, {report.dtype}"),
        (
            "Parameters",
            f"{total['params']:,} ({total['weights']:,} weights, {total['biases']:,} biases"
            f"{f'; {frozen:,} of them frozen' if frozen else ''}); buffers {total['buffers']:,}",
        ),
    ]
    if total["aux_params"]:
        said.append(
            (
                "Auxiliary",
                f"{total['aux_params']:,} parameters and {total['aux_macs']:,} MACs in heads that run in training "
                f"only, not in the totals; {total['params'] + total['aux_params']:,} parameters with them",
            )
        )
    said.append(("MACs", _macs(report)))
    said += [("Reductions", sentence) for sentence in _reductions(report)]
    if total["depth"] is not None:
        said.append(("Depth", f"{total['depth']} weighted layers"))
    if report.last_map is not None and total["depth"] is not None:
        settings = f"effective stride {sides(report.effective_stride)}, padding {sides(report.effective_padding)}"
        seen = "unknown" if report.receptive_field is None else f"{sides(report.receptive_field)} pixels; {settings}"
        said.append(("Receptive field", f"{seen}; at {report.last_map.path or 'the output'}, the last map"))
    said.append(("Memory", _memory(total)))
    said += [("Unknown" if number == 0 else "", str(one)) for number, one in enumerate(report.unknown)]
    said += [("Note" if number == 0 else "", note) for number, note in enumerate(report.notes)]
    if report.paper:
        said.append(("Paper", report.paper))
    said += [("Printed" if number == 0 else "", remark) for number, remark in enumerate(report.printed)]
    if any(line.times > 1 for line in lines):
        said.append(("×N", "a row for N equal neighbours; its figures are theirs together, and so below it"))
    return said


def _macs(report: Report) -> str:
    total = report.totals
    if total["macs"] is None:
        return "none are known"
    known = "at least " if report.unknown else ""
    return (
        f"{known}{total['macs']:,} a sample, of convolutions and linear layers without biases; "
        f"FLOPs = 2 x MACs = {total['flops']:,}"
    )


def _reductions(report: Report) -> Iterator[str]:
    """What 1x1 reductions save, if there are any: without one that narrows nothing needs to be rewritten."""
    if report.description is not None and any(map(_narrows, report.rows)):
        found = report.savings
        if found is not None and found.by == "reductions":
            yield found.sentence


def _narrows(row: Row) -> bool:
    """Whether it is a 1x1 convolution to fewer channels."""
    return row.kind == "Conv2d" and row.settings["kernel_size"] == 1 and row.output_shape[0] < row.input_shape[0]


def _memory(total: Mapping[str, Any]) -> str:
    if total["peak_bytes"] is None:
        return f"{size(total['param_bytes'])} parameters, {size(total['activation_bytes'])} outputs of all layers"
    return (
        f"{size(total['peak_bytes'])} at inference ({size(total['param_bytes'])} parameters, "
        f"{size(total['peak_activation_bytes'])} activations at the peak); "
        f"training stores {size(total['stored_bytes'])} of activations"
    )
