"""`cnnzoo check [NAME…]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ..words import counted, sides
from .common import bar, input_size_option, put, to_stdout
from .completion import complete_target
from .target import matching, report_of
from .types import InputSize, TargetType

if TYPE_CHECKING:
    from ..arch.node import Node
    from ..features.check import Agreement

BATCHES = (1, 3)
SIZES = 3
MOST = 20
"""Differences that are shown of one network."""


@click.command("check", short_help="Prove that calculated equals measured.")
@click.argument("names", type=TargetType(), nargs=-1, metavar="[TARGET]…", shell_complete=complete_target)
@click.option(
    "--sizes", type=click.IntRange(1, 8), default=SIZES, show_default=True, help="Input sizes of each network."
)
@input_size_option
def check_command(names: tuple[str, ...], sizes: int, input_size: InputSize | None) -> None:
    """Build each network, measure it while it runs, and compare with what is calculated, row by row.

    \b
    cnnzoo check "res*"
    cnnzoo check googlenet+drop_reductions --sizes 1

    TARGET is a registered name, with rewrites behind plus signs if you like, a pattern ("res*"), or what gives a
    description: pkg.mod:factory, path/to/file.py:factory; default: all registered. Compared are the paths, kinds, input
    and output shapes, every tensor, parameters, buffers, MACs and activations of every row and block, and the totals,
    at several input sizes and two batch sizes. Needs torch. Exits 1 where anything differs.
    """
    from ..features.check import check

    chosen = [name for given in names or ("*",) for name in matching(given)]
    tasks = list(_tasks(chosen, sizes, () if input_size is None else (input_size,)))
    done: list[Agreement] = []
    with bar(tasks, lambda task: task[0]) as shown:
        for name, description, size, batch in shown:
            done.append(check(description, size, batch, name))
    lines = [_line(name, [one for one in done if one.model == name]) for name in chosen]
    wrong = sorted({one.model for one in done if not one.agrees})
    figures = sum(one.figures for one in done)
    lines.append(
        f"{counted(len(chosen), 'networks')}, {counted(len(done), 'comparisons')} of {counted(figures, 'figures')}: "
        f"{f'{len(wrong)} differ' if wrong else 'calculated equals measured'}"
    )
    with to_stdout():
        put("".join(f"{line}\n" for line in lines))
    if wrong:
        click.echo(f"Error: calculated and measured differ for {', '.join(wrong)}", err=True)
        click.get_current_context().exit(1)


def _tasks(
    targets: list[str], count: int, input_sizes: tuple[InputSize, ...]
) -> Iterator[tuple[str, Node, tuple[int, ...], int]]:
    from ..features.check import sizes_for
    from ..features.summary import described

    for target in targets:
        report = described(report_of(target, input_sizes).whole(), "there is nothing to compare its figures with")
        description = report.description
        for size in sizes_for(description, report.input_size, count):
            for batch in BATCHES:
                yield target, description, size, batch


def _line(name: str, results: list[Agreement]) -> str:
    sizes = ", ".join(dict.fromkeys(sides(one.input_size) for one in results))
    figures = sum(one.figures for one in results)
    if all(one.agrees for one in results):
        return f"{name}: equal; {results[0].rows} rows, {figures:,} figures at {sizes}, batches of 1 and 3"
    lines = [f"{name}: DIFFERS"]
    for one in results:
        said = [str(difference) for difference in one.differences] + ([one.problem] if one.problem else [])
        where = f"{sides(one.input_size)}, batch of {one.batch_size}"
        lines += [f"  at {where}: {text}" for text in said[:MOST]]
        lines += [f"  at {where}: and {len(said) - MOST} more"] if len(said) > MOST else []
    return "\n".join(lines)
