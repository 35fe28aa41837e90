"""Formats for programs: JSON and CSV, with the exact integers."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from io import StringIO
from typing import Any

from ..report import Report
from .columns import COLUMNS, pick, sides

EVERY = tuple(name for name in COLUMNS if name != "kernel")
"""All columns but the one that says others in short."""


def to_json(data: Any) -> str:
    return json.dumps(data, indent=2) + "\n"


def to_csv(header: Sequence[str], cells: Sequence[Sequence[Any]]) -> str:
    """Shapes as 64x112x112, nothing known as an empty cell."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([sides(cell) if isinstance(cell, tuple) else cell for cell in row] for row in cells)
    return out.getvalue()


def report_csv(report: Report, names: Sequence[str] | None) -> str:
    """The leaves in execution order; every column of counts adds up to the totals, those of `aux` rows apart."""
    columns = pick(names, EVERY)
    chosen = columns if "path" in columns else {**pick(["path"]), **columns}
    return to_csv(list(chosen), [[column.value(row) for column in chosen.values()] for row in report.rows])
