"""Formats for programs: JSON and CSV, with the exact integers."""

from __future__ import annotations

import csv
import json
from io import StringIO

from ..words import as_json, sides
from .document import Document


def to_json(document: Document) -> str:
    data = document.records() if document.data is None else document.data
    return json.dumps(data, indent=2, default=as_json) + "\n"


def to_csv(document: Document) -> str:
    """Shapes as 64x112x112, nothing known as an empty cell."""
    records = document.records()
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(records[0] if records else ["name", *document.columns])
    for record in records:
        writer.writerow([sides(cell) if isinstance(cell, tuple) else cell for cell in record.values()])
    return out.getvalue()
