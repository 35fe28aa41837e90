"""The receptive field behind a layer, in whatever order the dimensions of its input are."""

from __future__ import annotations

from .axes import Phases, fixed
from .node import Layer, Node
from .signal import Field, Reads, Seen, Shape, Turn, Turned, advance


def behind(node: Node, shape: Shape, field: Seen | None, windows: Reads | None) -> Seen | None:
    """The receptive field behind a layer, or behind a block whose `windows` are known: of what reads a tensor of this
    shape, of which a position sees `field`. Where all that a layer reads sees the same, so does all that it makes.
    Unknown where it reads along height or width of maps whose channels do not come first."""
    if field is None:
        return None
    if not (isinstance(field, Turned) or isinstance(windows, Turn)):
        alike = windows is None and isinstance(node, Layer) and _is_alike(field, shape)
        return (fixed(field[0]), fixed(field[1])) if alike else advance(field, windows)
    before = field.order if isinstance(field, Turned) else (0, 1, 2)
    if not isinstance(windows, Turn):
        mixed = node.mixes(shape) if isinstance(node, Layer) else None
        return None if mixed is None or any(before[place] for place in mixed) else field
    height, width, *_ = field
    order = tuple(before[place] for place in windows.order)
    return (height, width) if order == (0, 1, 2) else Turned(height, width, order)


def _is_alike(field: Field, shape: Shape) -> bool:
    """Whether all elements of a tensor see the same: it has one position, or comes from what has one."""
    if len(shape) == 1 or (len(shape) == 3 and shape[1:] == (1, 1)):
        return True
    return field[0].stride == 0 == field[1].stride and not any(isinstance(axis, Phases) for axis in field)
