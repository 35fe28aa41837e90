"""`cnnzoo list [PATTERN]…`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ..arch import Shape
from ..features.list import COLUMNS, by_family, document, entry
from ..render.column import in_order, pick
from ..resolve import describe
from ..zoo import get_builder
from .common import (
    columns_option,
    emit,
    module_option,
    named,
    picture_format,
    rewrite_option,
    scatter_options,
    sort_option,
    write,
)
from .completion import complete_name
from .types import Count, InputSize, InputSizeType, Years, YearsType


@click.command("list", short_help="The networks there are.", epilog=f"Columns: {', '.join(COLUMNS)}.")
@click.argument("patterns", metavar="[PATTERN]…", nargs=-1, shell_complete=complete_name)
@module_option
@click.option("--max-params", type=Count(), metavar="COUNT", help="Of at most so many parameters, as 5M.")
@click.option("--max-macs", type=Count(), metavar="COUNT", help="Of at most so many MACs, as 600M.")
@click.option(
    "--year", "years", type=YearsType(), metavar="YEARS", help="Of papers of 2015, 2015:2019, 2015: or :2019."
)
@click.option("--input", "size", type=InputSizeType(), metavar="CxHxW", help="Of inputs of 1x28x28, or of 32 a side.")
@rewrite_option
@sort_option(COLUMNS)
@columns_option(COLUMNS, "What to show of each network.")
@scatter_options
def list_command(
    patterns: tuple[str, ...],
    module: str,
    max_params: int | None,
    max_macs: int | None,
    years: Years | None,
    size: InputSize | None,
    rewrites: tuple[str, ...],
    sort: str | None,
    columns: list[str] | None,
    scatter: bool,
    format_: str | None,
    output: str | None,
) -> None:
    """List the networks whose names match a PATTERN ("res*", in quotes), each at its own input size, family by family.

    \b
    cnnzoo list "res*"
    cnnzoo list --max-params 5M --max-macs 600M --year 2017: --sort macs
    cnnzoo list -o zoo.svg

    With --rewrite only those that it changes, and what becomes of them. A picture is of parameters against MACs, by
    year and family; it takes pip install 'cnnzoo[draw]'.
    """
    picture = picture_format(scatter, format_, output)
    if sort is not None:
        pick([sort.removeprefix("-")], COLUMNS)
    found = named(patterns, module)
    names = [name for name in by_family(found) if _is_of(name, years, size)]
    if rewrites and names:
        names = _rewritten(names, rewrites)
    entries = [
        one
        for one in map(entry, names)
        if (max_params is None or one["params"] <= max_params)
        and (max_macs is None or (one["macs"] is not None and one["macs"] <= max_macs))
    ]
    if not entries:
        given = {"--max-params": max_params, "--max-macs": max_macs, "--year": years, "--input": size}
        said = " and ".join(option for option, value in given.items() if value is not None)
        raise click.UsageError(f"{said} leave none of the {len(found)} networks that the rest of the command names")
    if sort is not None:
        entries = in_order(entries, sort, COLUMNS)
    if picture and output:
        from ..features.list.picture import plot

        write(output, plot(entries, picture))
    else:
        emit(document(entries, columns, scatter), format_, output)


def _is_of(name: str, years: Years | None, size: InputSize | None) -> bool:
    builder = get_builder(name)
    return (years is None or years.first <= builder.paper.year <= years.last) and (
        size is None or _is_size(builder.input_size, size.image)
    )


def _is_size(own: Shape, said: int | Sequence[int]) -> bool:
    """Whether a size of one image, or of a batch, or the side of a square, is what a network takes."""
    return own[1:] == (said, said) if isinstance(said, int) else own[-len(said) :] == tuple(said)[-len(own) :]


def _rewritten(names: list[str], rewrites: tuple[str, ...]) -> list[str]:
    """The networks that the rewrites change, as targets."""
    changed = []
    for name in names:
        target = "+".join((name, *rewrites))
        if describe(target) != describe(name):
            changed.append(target)
    if not changed:
        raise click.UsageError(f"{' and '.join(rewrites)} changes none of {', '.join(names)}")
    return changed
