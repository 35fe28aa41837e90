"""What of a network can be varied, and the network that a choice gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, NamedTuple

from ...arch import Node, Shape
from ...errors import CnnzooError
from ...registry import Builder
from ...resolve import find
from ...resolve.loading import Elsewhere, builder_of, own_size, split
from ...rewrites import DoesNotApply, get_rewrite
from ...rewrites.scaling import UnfitError
from ...totals import Totals, totals
from ..summary.described import described
from ..summary.modules import of_module

if TYPE_CHECKING:
    from torch import nn

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
    size: Shape | None = None
    """Of the input with which modules are described, where no other is said."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Family, (self.target, self.size)

    def at(self, size: Shape) -> Family:
        """The same with another input size."""
        other = Family(self.target, size)
        other.__dict__["builder"] = self.builder  # found once
        return other

    @cached_property
    def builder(self) -> Builder[Any]:
        return builder_of(split(self.target)[0])

    @cached_property
    def own_size(self) -> Shape | None:
        """The input size that its networks have if it is not said; None where nothing says it."""
        if not isinstance(self.builder, Elsewhere):
            return self.builder.input_size
        made = self.builder.made({})
        return None if isinstance(made, Node) else own_size(self.builder.place, made)

    @cached_property
    def is_of_modules(self) -> bool:
        """Whether its networks are modules, which are described."""
        return isinstance(self.builder, Elsewhere) and not isinstance(self.builder.made({}), Node)

    @cached_property
    def _described(self) -> dict[Any, Node]:
        """Modules' descriptions, by settings and input size."""
        return {}

    def network(self, settings: Mapping[str, Any], size: Shape | None = None) -> Node:
        """The network with these settings, under the target's rewrites; a module as it is at an input size. Raises what
        `describe` does, and `NoDescriptionError` for a module that has none."""
        rewrites = split(self.target)[1]
        if not isinstance(self.builder, Elsewhere):
            return find(self.builder, rewrites, settings).description
        key = (*sorted(settings.items(), key=str), size or self.size)
        if key not in self._described:
            self._described[key] = self._of(self.builder.made(settings), size or self.size)
        return find(self._described[key], rewrites, {}, size or self.size).description

    def _of(self, made: nn.Module | Node, size: Shape | None) -> Node:
        if isinstance(made, Node):
            return made
        report = of_module(made, size, model=split(self.target)[0])
        return described(report, "nothing of it can be varied").description  # type: ignore[no-any-return]

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
        return {one.name: one.default for one in self._parameters if one.kind in named}

    @property
    def _parameters(self) -> Iterable[Parameter]:
        return signature(self.builder).parameters.values()

    def check(self, knobs: Iterable[str]) -> None:
        """`UnknownKnobError` for the first that is neither one of the grid nor another keyword of the builder."""
        known = list(dict.fromkeys([*self.grid, *self._scales, *self._defaults]))
        if isinstance(self.builder, Elsewhere) and any(one.kind == one.VAR_KEYWORD for one in self._parameters):
            return  # as timm's, which says itself what it does not take
        for knob in knobs:
            if knob not in known:
                raise UnknownKnobError(f"{self.target} has no {knob!r} to vary; it has {', '.join(known) or 'nothing'}")

    def remarks(self) -> list[str]:
        """Which of the target's rewrites do not apply, and why. Raises what `describe` does for one that is unknown."""
        place, rewrites = split(self.target)
        plain = Family(place, self.size)
        plain.__dict__["builder"] = self.builder
        description, found = plain.network({}), []
        for rewrite in (get_rewrite(name, self.builder.input_size) for name in rewrites):
            reason = rewrite.why_not(description)
            found += [f"{rewrite.name} does not apply: {reason}"] if reason else []
            description = rewrite(description)
        return found

    def choice(self, point: Mapping[str, Any]) -> Choice:
        """The configuration at a point: what is not the default, as the builder's keywords and as rewrites."""
        target, settings = self.target, {}
        for knob, value in point.items():
            if knob not in self._scales:
                if knob not in self._defaults or value != self._defaults[knob]:
                    settings[knob] = value
            elif value != 1:
                target += f"+{self._scales[knob]}={value}"
        return Choice(target, settings)

    def describe(self, point: Mapping[str, Any], size: Shape | None = None) -> Node:
        """The network at a point, a module as it is at an input size; `ImpossibleError` where it would not run at that
        width."""
        target, settings = self.choice(point)
        scales = target.removeprefix(self.target).split("+")[1:]
        description = self.network(settings, size)
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
            return totals(self.describe(point, input_size), input_size)
        except CnnzooError as error:
            raise ImpossibleError(" ".join(str(error).split())) from error
