"""What of a network can be varied, and the network that a choice gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, signature
from typing import Any, NamedTuple

from ...arch import Node, Shape
from ...errors import CnnzooError
from ...registry import Builder
from ...resolve import find
from ...resolve.loading import builder_of, split
from ...rewrites import DoesNotApply, get_rewrite
from ...rewrites.scaling import UnfitError
from ...totals import Totals, totals

SCALES = {"width": "scale_width", "depth": "scale_depth"}
"""The rewrites that vary a network whose builder registers no knobs."""

FACTORS = {
    "width": tuple(sixtyfourths / 64 for sixtyfourths in range(1, 129)),
    "depth": tuple(quarters / 4 for quarters in range(1, 9)),
}
"""The factors that are tried for width and for depth where none are given."""


class UnknownKnobError(CnnzooError, ValueError):
    """A name of something that a network does not let vary; the message says what it does."""


class ImpossibleError(CnnzooError, ValueError):
    """A configuration that cannot be, or cannot take its input; the message says why."""


class Choice(NamedTuple):
    """A configuration of a family, as `describe`, `summary` and `create_model` take it."""

    target: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class Family:
    """The networks that a target becomes when it is varied: a registered name or a function elsewhere, or with rewrites
    behind plus signs."""

    target: str

    def __reduce__(self) -> tuple[Any, ...]:
        return Family, (self.target,)

    @cached_property
    def builder(self) -> Builder[Any]:
        return builder_of(split(self.target)[0])

    @cached_property
    def grid(self) -> dict[str, Sequence[Any]]:
        """The knobs, and the values worth trying of each.

        A builder registers its own. Of a network that has none the width and the depth are factors, where the
        rewrites `scale_width` and `scale_depth` apply.
        """
        return dict(self.builder.knobs) or {knob: FACTORS[knob] for knob in self._scales}

    @cached_property
    def _scales(self) -> dict[str, str]:
        if self.builder.knobs:
            return {}
        description = self.describe({})
        return {
            knob: rewrite
            for knob, rewrite in SCALES.items()
            if knob not in self._defaults and get_rewrite(f"{rewrite}=2").why_not(description) is None
        }

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        named = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        given = signature(self.builder).parameters.values()
        return {one.name: one.default for one in given if one.kind in named}

    def check(self, knobs: Iterable[str]) -> None:
        """`UnknownKnobError` for the first that is neither one of the grid nor another keyword of the builder."""
        known = list(dict.fromkeys([*self.grid, *self._scales, *self._defaults]))
        for knob in knobs:
            if knob not in known:
                raise UnknownKnobError(f"{self.target} has no {knob!r} to vary; it has {', '.join(known) or 'nothing'}")

    def remarks(self) -> list[str]:
        """Which of the target's rewrites do not apply, and why. Raises what `describe` does for one that is unknown."""
        description, found = self.builder.describe(), []
        for rewrite in map(get_rewrite, split(self.target)[1]):
            reason = rewrite.why_not(description)
            found += [f"{rewrite.name} does not apply: {reason}"] if reason else []
            description = rewrite(description)
        return found

    def choice(self, point: Mapping[str, Any]) -> Choice:
        """The configuration at a point: what is not the default, as the builder's keywords and as rewrites."""
        target, settings = self.target, {}
        for knob, value in point.items():
            if knob not in self._scales:
                if value != self._defaults[knob]:
                    settings[knob] = value
            elif value != 1:
                target += f"+{self._scales[knob]}={value}"
        return Choice(target, settings)

    def describe(self, point: Mapping[str, Any]) -> Node:
        """The network at a point; `ImpossibleError` where it would not run at that width."""
        target, settings = self.choice(point)
        scales = target.removeprefix(self.target).split("+")[1:]
        description = find(self.builder, split(self.target)[1], settings).description
        for scale in map(get_rewrite, scales):
            try:
                description = scale.function(description)
            except UnfitError as error:
                raise ImpossibleError(str(error)) from None
            except DoesNotApply:
                pass  # the same network
        return description

    def totals(self, point: Mapping[str, Any], input_size: Shape) -> Totals:
        """The totals of the network at a point; `ImpossibleError` where there is none."""
        try:
            return totals(self.describe(point), input_size)
        except CnnzooError as error:
            raise ImpossibleError(" ".join(str(error).split())) from error
