"""Several functions in a row for which a description has one word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from ...arch import (
    ChannelShuffle,
    Flatten,
    Hardsigmoid,
    Layer,
    LayerNorm,
    LayerNorm2d,
    Node,
    Permute,
    ReLU6,
    Scale,
    Shift,
    Unflatten,
)
from .events import Call, Op


def _norm_of_channels(nodes: Sequence[Node]) -> Layer | None:
    """Channels brought last, normalised and brought back, as torchvision's and timm's LayerNorm2d do."""
    first, norm, last = nodes
    if not isinstance(norm, LayerNorm) or norm.normalized_dims != 1:
        return None
    if (first, last) != (Permute((0, 2, 3, 1)), Permute((0, 3, 1, 2))):
        return None
    return LayerNorm2d(eps=norm.eps, elementwise_affine=norm.elementwise_affine, bias=norm.bias)


def _shuffle(nodes: Sequence[Node]) -> Layer | None:
    """Channels as a table of groups, turned and read again: Zhang et al. (2017), ShuffleNet, section 3.1."""
    first, turn, last = nodes
    if not isinstance(first, Unflatten) or first.dim != 1 or len(first.unflattened_size) != 2:
        return None
    if turn != Permute((0, 2, 1, 3, 4)) or last != Flatten(1, 2):
        return None
    return ChannelShuffle(first.unflattened_size[0])


def _hard_sigmoid(nodes: Sequence[Node]) -> Layer | None:
    """relu6(x + 3) / 6, as it was written before torch had it."""
    return Hardsigmoid() if [*nodes] == [Shift(3.0), ReLU6(), Scale(1 / 6)] else None


PHRASES: Sequence[Callable[[Sequence[Node]], Layer | None]] = (_norm_of_channels, _shuffle, _hard_sigmoid)
"""Each takes three layers in a row, and gives the one that does the same."""


def shorten(call: Call, readers: Counter[int]) -> None:
    """Put one word for functions in a row that have one, where nobody else reads what is between them."""
    at = 0
    while at + 3 <= len(call.events):
        three = [event for event in call.events[at : at + 3] if isinstance(event, Op)]
        word = _word(three, readers) if len(three) == 3 else None
        if word is not None:
            first, _, last = three
            own = next((one for one in three if one.owns), last)
            call.events[at : at + 3] = [
                Op(word, first.reads, last.made, own.path, type(word).__name__.lower(), own.owns)
            ]
        at += 1


def _word(three: Sequence[Op], readers: Counter[int]) -> Layer | None:
    for one, other in pairwise(three):
        if other.reads != [one.made] or readers[one.made] != 1:
            return None
    if any(one.path is not None and not one.owns for one in three):  # modules with paths of their own
        return None
    nodes = [one.node for one in three]
    return next((word for phrase in PHRASES if (word := phrase(nodes)) is not None), None)
