"""Reports: what every reader of an architecture gives and every renderer takes; the standard library only."""

from .report import Report
from .rows import ITEM_BYTES, SUMMED, IntOrPair, Row, Shape, Unknown, added, known_sum
from .tree import Line

__all__ = ["ITEM_BYTES", "SUMMED", "IntOrPair", "Line", "Report", "Row", "Shape", "Unknown", "added", "known_sum"]
