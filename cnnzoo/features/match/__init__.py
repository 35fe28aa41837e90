"""The configurations of a family nearest a budget: every one of its grid is priced, so they are the nearest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import inf, prod
from typing import Any, NamedTuple

from ...arch import Node, Shape
from ...errors import InvalidValueError
from ...totals import Totals
from ..sweep.family import Family, ImpossibleError


@dataclass(frozen=True)
class Budget:
    """The parameters and MACs that a network should have, auxiliary heads apart; None: any number.

    Raises ValueError where neither is said.
    """

    params: int | None = None
    macs: int | None = None
    at_most: bool = False
    """Whether a network may not have more of either."""

    def __post_init__(self) -> None:
        if not self.targets or any(target < 1 for target in self.targets.values()):
            raise InvalidValueError(
                f"a budget is a number of parameters, of MACs, or of both, each at least 1; got {self}"
            )

    @property
    def targets(self) -> dict[str, int]:
        """What is asked for, by the names of `Totals`."""
        named = {"params": self.params, "macs": self.macs}
        return {name: target for name, target in named.items() if target is not None}

    @property
    def unit(self) -> int:
        """The common denominator of all relative distances from the targets, so that they compare as exact integers:
        `distance(found) / unit` is the relative distance."""
        return prod(self.targets.values())

    def distance(self, found: Totals) -> int:
        """How far a network is from the targets, as a multiple of 1 / `unit`: the distance relative to the target, of
        two targets the larger one."""
        off: dict[str, int] = {name: abs(getattr(found, name) - target) for name, target in self.targets.items()}
        return max(self.unit // target * off[name] for name, target in self.targets.items())

    def takes(self, found: Totals) -> bool:
        """Whether a network may have these totals at all."""
        return not self.at_most or all(getattr(found, name) <= target for name, target in self.targets.items())


class Match(NamedTuple):
    """One configuration of a family: its parameters, its MACs and its distance from the budget."""

    point: dict[str, Any]
    params: int
    macs: int
    distance: Fraction
    """From the budget, relative to it: 1/100 is one per cent off."""


class Search(NamedTuple):
    """The nearest first, of so many that were priced; `impossible` others cannot be, the last of them for `why`."""

    matches: list[Match]
    priced: int
    impossible: int
    why: str


def match(
    family: Family,
    grid: Mapping[str, Sequence[Any]],
    input_size: Shape,
    budget: Budget,
    top: int,
    tell: Callable[[int], object] = lambda done: None,
) -> Search:
    """The `top` configurations of a grid nearest a budget.

    Of equally near ones the one with fewer parameters is first, then that with fewer MACs, then that which is earlier
    in the grid; of those that are the same network the first alone is found. `tell` hears how many are priced.
    Raises `ImpossibleError` where none can be, ValueError where none is within the budget.
    """
    ranked: list[tuple[int, int, int, int]] = []
    params, macs = inf, inf
    priced, impossible, why = 0, 0, ""
    for number, values in enumerate(product(*grid.values())):
        try:
            found = family.totals(dict(zip(grid, values, strict=True)), input_size)
            if found.macs is None:
                raise ImpossibleError("not all of its MACs are known")
        except ImpossibleError as error:
            impossible, why = impossible + 1, str(error)
        else:
            priced, params, macs = priced + 1, min(params, found.params), min(macs, found.macs)
            if budget.takes(found):
                ranked.append((budget.distance(found), found.params, found.macs, number))
        tell(number + 1)
    if not priced:
        raise ImpossibleError(f"none of the {impossible:,} configurations can be: {why}")
    if not ranked:
        raise InvalidValueError(
            f"none of the {priced:,} configurations is within the budget: they have at least "
            f"{params:,} parameters and {macs:,} MACs"
        )
    matches: list[Match] = []
    networks: list[Node] = []
    for distance, params, macs, number in sorted(ranked):
        if len(matches) == top:
            break
        point = _point(grid, number)
        network = family.describe(point, input_size)
        if network not in networks:
            networks.append(network)
            matches.append(Match(point, params, macs, Fraction(distance, budget.unit)))
    return Search(matches, priced, impossible, why)


def _point(grid: Mapping[str, Sequence[Any]], number: int) -> dict[str, Any]:
    """The configuration of a number in the order of `itertools.product`, in which the last knob varies fastest."""
    point = {}
    for knob, values in reversed(list(grid.items())):
        number, place = divmod(number, len(values))
        point[knob] = values[place]
    return {knob: point[knob] for knob in grid}
