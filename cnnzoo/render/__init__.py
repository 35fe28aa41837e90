"""Documents: a table, what stands under it, and its exact values, written in any of `FORMATS`."""

from .column import Column, UnknownColumnError
from .document import FORMATS, Document, Label, Shown

__all__ = ["FORMATS", "Column", "Document", "Label", "Shown", "UnknownColumnError"]
