"""Builders that are another with other defaults, as the columns of a paper's table are."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from inspect import signature, unwrap
from types import FunctionType
from typing import Any, ParamSpec

from ..arch import Shape
from ..registry import Builder, register
from ..words import Range

P = ParamSpec("P")


def variant(
    of: Builder[P],
    *,
    params: int,
    macs: int,
    receptive_field: int | tuple[int, int] | Range | None,
    stages: Mapping[str, Shape] | None = None,
    input_size: Shape | None = None,
    **defaults: Any,
) -> Callable[[Callable[[], None]], Builder[P]]:
    """Register `of` with other defaults under the name and the docstring of the decorated function, which has no body.

    What pins it is given as in `Pinned`, the stages' outputs and the input size only where they are not those of `of`;
    paper and knobs are. TypeError for a default of what is no keyword of `of`.
    """
    of.check(defaults)
    function = unwrap(of)
    values = tuple(defaults.get(one.name, one.default) for one in signature(of).parameters.values())
    pinned = replace(of.pinned, params=params, macs=macs, receptive_field=receptive_field)
    pinned = replace(pinned, stages=stages) if stages else pinned
    size = input_size or of.input_size

    def enrol(named: Callable[[], None]) -> Builder[P]:
        # A copy and no wrapper: its signature, errors and tracebacks are those of a function written out.
        code = function.__code__.replace(co_name=named.__name__, co_qualname=named.__qualname__)
        copy = FunctionType(code, function.__globals__, argdefs=values)
        copy.__doc__, copy.__annotations__ = named.__doc__, function.__annotations__
        made: Builder[P] = register(
            paper=of.paper, pinned=pinned, input_size=size, knobs=of.knobs, channels=of.channels
        )(copy)
        made.variant_of = of
        return made

    return enrol
