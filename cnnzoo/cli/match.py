"""`cnnzoo match NAME`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from shlex import quote
from typing import Any

import click

from ..arch import Foreign, Shape, walk
from ..errors import CnnzooError
from ..features.match import Budget, Match, match
from ..features.match import document as matches
from ..features.sweep.family import Family
from ..resolve import read_size
from ..resolve.loading import LIBRARIES, Constant, is_registered, split
from .common import emit, output_options, rewrite_option
from .completion import complete_list, complete_target, given_target
from .knobs import MOST, check_family, knob_options, progress
from .types import Count, InputSize, InputSizeType, NamesType, TargetType


def complete_knobs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The knobs of the registered network that the command was given, in a list with commas."""
    try:
        return complete_list(Family(given_target(ctx)).grid)(ctx, param, incomplete)
    except CnnzooError:
        return []


@click.command("match", short_help="The configurations nearest a budget.")
@click.argument("name", type=TargetType(), shell_complete=complete_target)
@click.option("--params", type=Count(), metavar="COUNT", help="Parameters, as 5M or 5_000_000.")
@click.option("--macs", type=Count(), metavar="COUNT", help="MACs of one sample, as 1.5G.")
@click.option("--at-most", is_flag=True, help="Nothing over the budget.")
@click.option(
    "--vary",
    type=NamesType(),
    metavar="NAME,…",
    shell_complete=complete_knobs,
    help="Vary these alone; default: every knob.",
)
@knob_options
@rewrite_option
@click.option(
    "--input-size", type=InputSizeType(), metavar="CxHxW", help="3x224x224 or 224; default: the network's own."
)
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True, help="Configurations to print.")
@output_options
def match_command(
    name: str,
    params: int | None,
    macs: int | None,
    at_most: bool,
    vary: list[str] | None,
    knobs: dict[str, tuple[Any, ...]],
    rewrites: tuple[str, ...],
    input_size: InputSize | None,
    top: int,
    format_: str | None,
    output: str | None,
) -> None:
    """Print the configurations of NAME's family that are nearest a budget of parameters, MACs or both.

    \b
    cnnzoo match resnet50 --params 5M
    cnnzoo match densenet121 --macs 1G --at-most --vary growth

    Every configuration of the family's grid is priced, so these are the nearest. How far off one is, is relative to
    the budget; with both, it is the larger of the two distances. Of equally near ones the smaller is first.

    NAME is a registered network, or a function that gives a description or a module, which is then described, its
    keywords as knobs: pkg.mod:factory, path/to/file.py:factory, timm:name.

    The knobs are what the family's builder registers: width and depth of ResNet and VGG, growth and depth of
    DenseNet, the width_mult of a MobileNet. Of other networks width and depth are factors of the rewrites scale_width
    and scale_depth.

    VALUES give a knob another grid: 32,48,64 or 16:128:8, of which both ends are in, or for a depth 3x4x1:36x3.
    """
    if params is None and macs is None:
        raise click.UsageError("give a budget: --params 5M, --macs 1G, or both")
    family = Family("+".join([name, *rewrites]))
    shape, _ = read_size(None if input_size is None else input_size.image, family.own_size or None, None)
    family = family.at(shape)
    check_family(family, [*knobs, *(vary or ())])
    grid = _grid(family, vary, knobs)
    budget = Budget(params, macs, at_most)
    with progress(prod(map(len, grid.values()))) as tell:
        search = match(family, grid, shape, budget, top, tell)
    found = {
        "model": family.target,
        "input_size": shape,
        "budget": {**budget.targets, "at_most": at_most},
        "values": {knob: len(values) for knob, values in grid.items()},
        "priced": search.priced,
        "impossible": search.impossible,
        "why": search.why or None,
        "configurations": [_configuration(family, one, input_size, shape) for one in search.matches],
    }
    emit(matches.document(found), format_, output)


def _grid(family: Family, varied: list[str] | None, knobs: dict[str, tuple[Any, ...]]) -> dict[str, Sequence[Any]]:
    """The values to try: those given, and those of the family for what is to be varied without."""
    for knob in varied or ():
        if knob not in family.grid and knob not in knobs:
            raise click.UsageError(f"{family.target} has no values of its own for {knob!r}: give them too")
    whole = {knob: values for knob, values in family.grid.items() if varied is None or knob in varied}
    grid = {**whole, **knobs}
    if not grid:
        raise click.UsageError(
            f"{family.target} has nothing to vary: it has no knobs, and neither scale_width nor scale_depth applies"
        )
    count = prod(map(len, grid.values()))
    if count > MOST:
        raise click.UsageError(f"these are {count:,} configurations; at most {MOST:,} are")
    return grid


def _configuration(family: Family, found: Match, input_size: InputSize | None, shape: Shape) -> dict[str, Any]:
    """What is said of one, with what makes it again on the command line and in Python."""
    target, settings = family.choice(found.point)
    pairs = [f"--arg {quote(f'{name}={_argument(value)}')}" for name, value in settings.items()]
    size = [] if input_size is None else [f"--input-size {input_size}"]
    return {
        "knobs": found.point,
        "params": found.params,
        "macs": found.macs,
        "distance": float(found.distance),
        "command": " ".join(["cnnzoo summary", quote(target), *pairs, *size]),
        "python": _python(family, target, settings, shape),
    }


def _python(family: Family, target: str, settings: Mapping[str, Any], shape: Shape) -> str:
    """What makes the module in Python."""
    keywords = [f"{name}={value!r}" for name, value in settings.items()]
    place, rewrites = split(target)
    if is_registered(place):
        return f"cnnzoo.create_model({', '.join([repr(target), *keywords])})"
    library, _, name = place.rpartition(":")
    if library in LIBRARIES:
        module, function, _ = LIBRARIES[library]
        call = f"{module}.{function}({', '.join([repr(name), *keywords])})"
    else:
        call = name if isinstance(family.builder, Constant) else f"{name}({', '.join(keywords)})"
    more = [f"rewrites={list(rewrites)}"] if rewrites else []
    if not family.is_of_modules:
        return f"cnnzoo.create_model({', '.join([call, f'input_size={shape}', *more])})"
    if not rewrites:
        return call
    given = ", ".join([call, str(shape), *more])
    foreign = any(isinstance(node, Foreign) for _, node in walk(family.network({})))
    return f"cnnzoo.describe({given})" if foreign else f"cnnzoo.rebuild({given}).module"


def _argument(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
