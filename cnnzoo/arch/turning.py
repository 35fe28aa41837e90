"""The receptive field behind a layer, in whatever order the dimensions of its input are."""

from __future__ import annotations

from .node import Layer, Node
from .signal import Reads, Seen, Shape, Turn, Turned, advance


def behind(node: Node, shape: Shape, field: Seen | None, windows: Reads | None) -> Seen | None:
    """The receptive field behind a layer, or behind a block whose `windows` are known: of what reads a tensor of this
    shape, of which a position sees `field`. Unknown where a layer reads along height or width of maps whose channels do
    not come first."""
    if not (isinstance(field, Turned) or isinstance(windows, Turn)):
        return advance(field, windows)
    if field is None:
        return None
    before = field.order if isinstance(field, Turned) else (0, 1, 2)
    if not isinstance(windows, Turn):
        mixed = node.mixes(shape) if isinstance(node, Layer) else None
        return None if mixed is None or any(before[place] for place in mixed) else field
    height, width, *_ = field
    order = tuple(before[place] for place in windows.order)
    return (height, width) if order == (0, 1, 2) else Turned(height, width, order)
