"""Which positions those of a map read that `torch.nn.Upsample` made larger or smaller, along one axis."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from struct import pack, unpack

from .axes import PHASES, Phases, Span, Window, periodic

EXACT = 2**21
"""Where positions count to less than this, float32 is precise enough to tell which of the input's one lies between."""


def nearest(length: int, out: int, scale: float | None) -> Window | Phases | None:
    """Of the mode "nearest", from `length` to `out` positions; None where it is not known.

    Position i reads floor(c i), c being 1 / `scale`, or length / out, in float32. Where c is rounded down, a product
    that is a whole number comes out as one only while c is less than 2**-25 too small.
    """
    ratio = _ratio(length, out, scale)
    if ratio is None or ratio - _single(length, out, scale) > ratio / 2**25:
        return None
    return _read(ratio, Fraction(0), 0)


def linear(length: int, out: int, scale: float | None, align_corners: bool) -> Window | Phases | None:
    """Of the mode "bilinear", from `length` to `out` positions; None where it is not known.

    Position i lies at (i + 1/2) c - 1/2, c as in `nearest`, or where corners are aligned at i (length - 1) / (out - 1),
    and reads the two around it, or the one where it lies; of one position, all read that.
    """
    if length == 1:
        return nearest(length, out, scale)
    if align_corners:
        ratio = Fraction(length - 1, max(out - 1, 1)) if out != length else Fraction(1)
        precise = ratio.denominator <= PHASES and out * ratio.numerator < EXACT
        return _read(ratio, Fraction(0), 1) if precise else None
    found = _ratio(length, out, scale)
    return None if found is None else _read(found, (found - 1) / 2, 1)


def _single(length: int, out: int, scale: float | None) -> Fraction:
    """Positions of the input from one of the output to the next, as torch works them out in float32."""
    (rounded,) = unpack("f", pack("f", length / out if scale is None else 1 / scale))
    return Fraction(rounded)


def _ratio(length: int, out: int, scale: float | None) -> Fraction | None:
    """The ratio of small numbers that float32 rounds; None where there is none, where positions are too many, and where
    some of torch's loops take another, that of the lengths, for maps of as much or of twice as much."""
    single = _single(length, out, scale)
    ratio = single.limit_denominator(PHASES)
    if out in (length, 2 * length) and ratio != Fraction(length, out):
        return None
    return ratio if abs(single - ratio) <= ratio / 2**24 and out * ratio.numerator < EXACT else None


def _read(ratio: Fraction, offset: Fraction, more: int) -> Window | Phases:
    """Position i reads from floor(ratio i + offset) to, with one `more`, the ceiling."""
    spans = []
    for position in range(ratio.denominator):
        place = ratio * position + offset
        spans.append(Span(floor(place), 1 + more * (ceil(place) - floor(place))))
    return periodic(spans, ratio.numerator, Window)
