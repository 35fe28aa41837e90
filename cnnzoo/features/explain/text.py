"""Formulas as people write them: `⌊(224 + 2·3 − 7)/2⌋ + 1`, `64·112·112 · 3·7·7`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ...arch import Shape


def times(factors: Iterable[int]) -> str:
    """64·3·7·7; the product of nothing is 1."""
    return "·".join(f"{factor:,}" for factor in factors) or "1"


def signed(term: int) -> str:
    """A term of a sum; one below 0 in brackets."""
    return f"{term:,}" if term >= 0 else f"(−{-term:,})"


def plus(terms: Iterable[int]) -> str:
    """64 + 128 + 32, what is 0 left out."""
    return " + ".join(f"{term:,}" for term in terms if term) or "0"


def grouped(terms: Iterable[int] | Mapping[int, int]) -> str:
    """A sum as a factor, equal terms as one product: (6·3 + 9·4 + 6). A mapping gives how often each term is there."""
    counts = Counter(terms)
    parts = [f"{counts[term]:,}·{term:,}" if counts[term] > 1 else f"{term:,}" for term in sorted(counts)]
    return f"({' + '.join(parts)})" if counts.total() > 1 else parts[0]


def dimensions(shape: Shape) -> tuple[str, ...]:
    """The names of a shape's dimensions: channels, height and width of maps."""
    named: dict[int, tuple[str, ...]] = {1: ("features",), 3: ("channels", "height", "width")}
    return named.get(len(shape)) or tuple(f"dimension_{place}" for place in range(1, len(shape) + 1))
