"""What a layer's formulas are, by which kind each function explains, and what those of sliding windows share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from ....arch import Layer, Shape, Window
from ....arch.node import IntOrPair, pair
from ..sliding import Sliding, roundings
from ..text import dimensions


class Formulas(NamedTuple):
    """`figures` by what they are the formula of: a dimension of the output ("height"), a tensor ("weight"), a count
    of the report ("macs"), or "elements" and "statistics", what autograd keeps besides input and output. Each is worth
    that figure."""

    figures: Mapping[str, str]
    said: Sequence[tuple[str, str]] = ()
    """What the formulas do not show, with a label."""


F = TypeVar("F", bound=Callable[..., Formulas])


FORMULAS: dict[type[Layer], Callable[..., Formulas]] = {}


def formulas_of(layer: Layer, shape: Shape) -> Formulas:
    """Its kind's own; none for a subclass, which may do otherwise."""
    kind = type(layer)
    return FORMULAS[kind](layer, shape) if kind in FORMULAS else Formulas({})


def of(*kinds: type[Layer]) -> Callable[[F], F]:
    """Make a function the one that explains these kinds."""

    def enter(function: F) -> F:
        FORMULAS.update(dict.fromkeys(kinds, function))
        return function

    return enter


def slides(layer: Layer, shape: Shape, dilation: IntOrPair = 1, ceil: bool = False) -> list[Sliding]:
    """The windows along height and width, padded evenly."""
    windows = [window for window in layer.windows(shape) or () if isinstance(window, Window)]
    axes = zip(shape[1:], windows, layer.output_shape(shape)[1:], pair(dilation), strict=True)
    return [Sliding(length, window, window.padding, fits, step, ceil) for length, window, fits, step in axes]


def slid(slides: Sequence[Sliding], out: Shape, figures: Mapping[str, str]) -> Formulas:
    """A layer of sliding windows: the lengths of its output, how they are rounded, and the other `figures`."""
    axes = dict(zip(dimensions(out)[1:], slides, strict=True))
    sizes = {name: side.size() for name, side in axes.items()}
    if any(side.dilation > 1 for side in slides):
        sizes |= {f"extent_{name}": side.extent() for name, side in axes.items()}
    said = roundings(slides)
    return Formulas({**sizes, **figures}, [("Rounding", said)] if said else [])


def both(height: str, width: str) -> str:
    """What is said of both axes, once where it is the same."""
    return f"rows and columns: {height}" if height == width else f"rows: {height}; columns: {width}"
