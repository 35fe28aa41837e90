"""What flows along an edge of a network: a shape, and what one of its positions sees of the input."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple

from ..errors import CnnzooError
from ..words import MOST, quoted
from .axes import Axis as Axis
from .axes import Phases, union
from .axes import Window as Window

Shape = tuple[int, ...]


class ShapeError(CnnzooError, ValueError):
    """A size, a channel count or a join that cannot be; `place` is the path at which it was met."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(problem, place)
        self.problem = problem
        self.place = place

    def __str__(self) -> str:
        return f"at {self.place}: {self.problem}" if self.place else self.problem

    def at(self, place: str) -> ShapeError:
        """The same error with its place, unless a deeper place is already known."""
        return self if self.place else ShapeError(self.problem, place)


Field = tuple[Axis | Phases, Axis | Phases]
Windows = tuple[Window | Phases, Window | Phases]


class Turn(NamedTuple):
    """What a layer reads that gives the dimensions another order, by the places, from 0, at which they stood."""

    order: tuple[int, ...]


class Turned(NamedTuple):
    """The receptive field along height and along width of a position of a tensor whose dimensions are these in another
    order than (channels, height, width), by their places in that."""

    height: Axis | Phases
    width: Axis | Phases
    order: tuple[int, ...]


Seen = Field | Turned
Reads = Windows | Turn

PIXEL: Field = (Axis(), Axis())
POINTWISE: Windows = (Window(), Window())


class Signal(NamedTuple):
    """A tensor between two layers of a network, without its values, as the calculator hands it on."""

    shape: Shape
    """Per sample, channels first."""
    field: Seen | None = PIXEL
    """The receptive field of one of its positions; None where it is unknown."""
    depth: int = 0
    """Weighted layers on the longest way from the input to here."""
    source: int = 0
    """The number of the tensor: 0 is the input; a view has the number of the tensor that it is of."""
    pooled: bool = False
    """Whether all of it comes from a pooling to a fixed size, with nothing but pointwise layers since: then it is no
    map that a classifier could read, whatever its shape."""
    gated: tuple[()] | tuple[Seen | None] = ()
    """The receptive field together with those of the gates on the way, where that is another than `field`."""
    foreign: bool = False
    """Whether there is something on the way of which not all is known, so that `depth` is a part."""
    regions: int = 0
    """How many regions of the sample there is such a tensor of; 0 where it is of the whole sample."""


def advance(field: Field | None, windows: Windows | None) -> Field | None:
    """The receptive field behind a layer that reads through `windows`; unknown where its stride is beyond `MOST`, and
    where `Axis.through` does not know it."""
    if field is None or windows is None:
        return None
    if windows == POINTWISE:
        return field
    height = field[0].through(windows[0])
    same = field[0] == field[1] and windows[0] == windows[1]
    width = height if same else field[1].through(windows[1])
    if height is None or width is None:
        return None
    return (height, width) if height.stride <= MOST >= width.stride else None


def merge(signals: Sequence[Signal]) -> Field | None:
    """The receptive field where branches meet, maps of one size: their union, as `union` knows it, and unknown where
    height or width may be what they are concatenated along."""
    first, *others = fields = [signal.field for signal in signals]
    if {*map(type, fields)} != {tuple}:  # Turned or unknown
        return None
    if others.count(first) == len(others):
        return first  # type: ignore[return-value]
    heights, widths = zip(*fields, strict=True)
    shape = signals[0].shape
    rows, columns = shape[1:] if len(shape) == 3 else (1, 1)
    height = union(heights, rows)
    width = height if heights == widths and rows == columns else union(widths, columns)
    return None if height is None or width is None else (height, width)


def checked(shape: Shape, what: str) -> Shape:
    """The shape of a tensor, if torch can have one: a `ShapeError` where it is none, or has too many elements."""
    if type(shape) is not tuple or any(type(length) is not int or length < 0 for length in shape):
        raise ShapeError(f"{what} has the shape {quoted(shape)}, which no tensor has")
    if prod(shape) > MOST:
        raise ShapeError(f"{what} of {show(shape)} has more than 2**63 - 1 elements, which no tensor has")
    return shape


def show(shape: Iterable[int]) -> str:
    """A shape as errors print it: `(64, 112, 112)`."""
    return repr(tuple(shape))
