"""What the 1x1 reductions of a network save, in a sentence."""

from __future__ import annotations

from ...report import Report, Row


def reductions(report: Report) -> str | None:
    """What 1x1 reductions save, if there are any: without one that narrows nothing needs to be rewritten."""
    if not any(map(_narrows, report.rows)):
        return None
    from ...rewrites import DoesNotApply
    from ..savings.saved import saved

    try:
        return saved(report, "reductions").sentence
    except DoesNotApply:
        return None


def _narrows(row: Row) -> bool:
    """Whether it is a 1x1 convolution to fewer channels."""
    return row.kind == "Conv2d" and row.settings["kernel_size"] == 1 and row.output_shape[0] < row.input_shape[0]
