"""A window that slides along one axis: the formula of how often it fits, and what it leaves unread."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import NamedTuple

from ...arch import Window
from ...arch.pooling import Shares


class Sliding(NamedTuple):
    """`fits` windows over `length` positions with `after` more of padding behind them; taps are `dilation` apart."""

    length: int
    window: Window
    after: int
    fits: int
    dilation: int = 1
    ceil: bool = False
    """Whether the last window may reach beyond the padding."""

    @property
    def padded(self) -> int:
        return self.window.padding + self.length + self.after

    @property
    def kernel(self) -> int:
        """Positions that a window reads along the axis, those that dilation leaves out not counted."""
        return (self.window.kernel - 1) // self.dilation + 1

    @property
    def last(self) -> int:
        """Where the last window begins, counted from the beginning of the padding."""
        return (self.fits - 1) * self.window.stride

    @property
    def left(self) -> int:
        """Positions behind the last window; below 0, those that it reaches beyond the padding."""
        return self.padded - self.last - self.window.kernel

    @property
    def dropped(self) -> bool:
        """Whether rounding up would give one window more, which began beyond the input and the padding before it."""
        return self.ceil and self.left > 0

    @property
    def skipped(self) -> int:
        """Positions of the padded input before the last window's end that no tap reads.

        Tap t of window n reads t dilation + n stride. With both divided by their greatest common divisor, tap
        t + stride of window n - dilation reads the same position: of these the one of the largest t counts.
        """
        kernel, stride = self.kernel, self.window.stride
        common = gcd(self.dilation, stride)
        again = max(0, kernel - stride // common) * max(0, self.fits - self.dilation // common)
        inside = min(kernel, -(-(self.padded - self.last) // self.dilation))  # taps of the last window
        return min(self.last + self.window.kernel, self.padded) - (kernel * self.fits - again - (kernel - inside))

    def size(self) -> str:
        """The formula of `fits`."""
        kernel, stride, padding = self.window
        around = f"2·{padding:,}" if self.after == padding else f"({padding:,} + {self.after:,})"
        left, right = "⌈⌉" if self.ceil else "⌊⌋"
        formula = f"{left}({self.length:,} + {around} − {kernel:,})/{stride:,}{right} + 1"
        return f"{formula} − 1" if self.dropped else formula

    def extent(self) -> str:
        """The formula of the window's size."""
        return f"{self.dilation:,}·({self.kernel:,} − 1) + 1"

    def rounding(self, positions: str) -> str:
        """Whether the division is exact, and what no window reads; `positions` are "rows". Nothing to say is ""."""
        said = []
        division = f"{self.padded - self.window.kernel:,}/{self.window.stride:,}"
        if self.left:
            said.append(f"{division} is rounded {'up' if self.ceil else 'down'}")
        elif self.window.stride > 1:
            said.append(f"{division} is exact")
        if self.dropped:
            said.append("a last window would begin beyond the input and the padding before it, and is left out")
        if self.left < 0:
            said.append(f"the last window reaches {-self.left:,} beyond the edge")
        if self.left > 0:
            padding = min(self.left, self.after)
            which = ("it is" if self.left == 1 else "they are") if padding == self.left else f"{padding:,} of them are"
            last = "the last" if self.left == 1 else f"the last {self.left:,}"
            around = f"padded {positions} ({which} padding)" if padding else positions
            said.append(f"no window reads {last} of the {self.padded:,} {around}")
        if self.skipped:
            said.append(f"{self.skipped:,} {positions} between are read by none")
        return ", ".join(said)


def roundings(sides: Sequence[Sliding]) -> str:
    """Of all axes, in one sentence where they are equal."""
    if len(sides) == 1:
        return sides[0].rounding("positions")
    height, width = sides
    if height == width:
        return height.rounding("rows and columns")
    return "; ".join(filter(None, (height.rounding("rows"), width.rounding("columns"))))


def shares(side: Shares) -> str:
    """Which positions each cell of an adaptive pooling reads: from its first to before its last."""
    length, count = side
    if count == 1:
        return f"one window of all {length:,}"
    cells = [(cell * length // count, -(-(cell + 1) * length // count) - 1) for cell in range(min(count, 8))]
    shown = ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in cells)
    more = ", …" if count > 8 else ""
    return f"cell i of {count:,} reads ⌊i·{length:,}/{count:,}⌋ to ⌈(i + 1)·{length:,}/{count:,}⌉ − 1: {shown}{more}"
