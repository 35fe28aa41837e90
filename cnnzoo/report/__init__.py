"""Reports: what every reader of an architecture gives, and its document."""

from .report import DEPTH, Report
from .rows import ITEM_BYTES, SUMMED, IntOrPair, Row, Shape, Unknown, added, key_of, known_sum
from .tree import Line

__all__ = [
    "DEPTH",
    "ITEM_BYTES",
    "SUMMED",
    "IntOrPair",
    "Line",
    "Report",
    "Row",
    "Shape",
    "Unknown",
    "added",
    "key_of",
    "known_sum",
]
