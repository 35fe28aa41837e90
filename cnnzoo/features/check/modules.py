"""Whether a module is what its description says: its figures, and its outputs beside those of what is built from it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...arch.node import Node
from ...arch.signal import Shape
from ...calculate import calculate
from ...errors import CnnzooError
from ...report import Report
from ..summary.modules import SAME, as_held, difference, of_module
from . import Agreement, check

if TYPE_CHECKING:
    from torch import nn

    from ...pytorch.check import Original, Proof


class Subject:
    """A module with its report. It is taken for the comparison: it may be given other weights (`Original`)."""

    def __init__(self, module: nn.Module, report: Report) -> None:
        self.module = module
        self.report = report
        self.model = report.model or "network"
        self.own = (report.input_size, *report.more_inputs)

    @property
    def unproven(self) -> str | None:
        """Why it cannot be built again; None where it can be."""
        if self.report.description is not None:
            return None
        parts = [one.place for one in self._whole.unknown]
        return (
            f"nothing is built of {', '.join(parts[:SHOWN])}{f' and {len(parts) - SHOWN} more' * (len(parts) > SHOWN)}"
        )

    @property
    def _whole(self) -> Report:
        """The calculated report: of a module with foreign parts, that beside the measured one."""
        found = self.report.described or self.report
        assert found.description is not None
        return found

    @cached_property
    def original(self) -> Original:
        from ...pytorch.check import Original

        return Original(self.module, self.own)

    def sizes(self, count: int) -> list[tuple[Shape, ...]]:
        """Its own input size and others that it takes, as its description does: with sides that are odd where these are
        even, twice as long, or neither."""
        from ...pytorch.tracing.sizes import elsewhere

        found = [self.own]
        others = [tuple((one[0], *map(elsewhere, one[1:])) if len(one) == 3 else one for one in self.own)]
        for step in range(1, 6):
            more = [(one[0], one[1] + 32 * step, one[2] + 39 * step) if len(one) == 3 else one for one in self.own]
            double = [(one[0], *(2**step * side for side in one[1:])) if len(one) == 3 else one for one in self.own]
            others += [tuple(more), tuple(double)]
        for other in dict.fromkeys(others):
            if len(found) < count and other not in found and self._takes(other):
                found.append(other)
        return found

    def _takes(self, sizes: tuple[Shape, ...]) -> bool:
        from ...pytorch.measuring.measure import measure

        if self.unproven is not None:  # what is foreign is known at one size
            return False
        try:
            measure(self.module, _given(sizes))
            calculate(self.description(sizes), sizes)
        except CnnzooError:
            return False
        return True

    def description(self, sizes: tuple[Shape, ...]) -> Node:
        """Its description; one that holds at one size alone, as it is at this."""
        if self._whole.one_size is None or sizes == self.own:
            return self._whole.description  # type: ignore[no-any-return]
        there = of_module(self.module, _given(sizes))
        return there.description or self._whole.description  # type: ignore[no-any-return]

    def figures(self, sizes: tuple[Shape, ...], batch_size: int) -> Agreement:
        """What is calculated beside what is measured of the module, and of what is built from its description."""
        from ...pytorch.measuring.measure import measure

        description = self.description(sizes)
        measured = measure(self.module, _given(sizes), batch_size=batch_size)
        found = calculate(description, sizes, batch_size=batch_size, dtype=self.report.dtype)
        differs = difference(as_held(found, measured, self.module), measured)
        size: Any = sizes if len(sizes) > 1 else sizes[0]
        if self.unproven is not None:
            return Agreement(self.model, size, batch_size, len(found.rows), len(SAME), (), differs)
        result = check(description, size, batch_size, self.model)
        return result if differs is None else result._replace(problem=differs)

    def proof(self, sizes: tuple[Shape, ...], batch_size: int) -> Proof:
        """Its outputs beside those of what is built from its description, with its weights."""
        return self.original.beside(self.description(sizes), sizes, batch_size)


SHOWN = 3
"""Foreign parts that are named."""


def _given(sizes: Sequence[Shape]) -> Any:
    return list(sizes) if len(sizes) > 1 else sizes[0]
