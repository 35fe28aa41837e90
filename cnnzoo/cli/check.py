"""`cnnzoo check [NAME…]`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import click

from ..resolve.loading import split
from ..words import all_sides, counted, sides
from .common import bar, input_size_option, put, to_stdout
from .completion import complete_target
from .target import matching, report_of
from .types import InputSize, TargetType

if TYPE_CHECKING:
    from ..features.check import Agreement
    from ..features.check.modules import Subject
    from ..pytorch.check import Proof

BATCHES = (1, 3)
SIZES = 3
MOST = 20
"""Differences that are shown of one network."""

Task: TypeAlias = "Callable[[], Agreement | Proof]"


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
    cnnzoo check path/to/file.py:Net --input-size 3x224x224

    TARGET is a registered name, with rewrites behind plus signs if you like, a pattern ("res*"), or anything else that
    `cnnzoo summary` takes; default: all registered. Compared are the paths, kinds, input and output shapes, every
    tensor, parameters, buffers, MACs and activations of every row and block, and the totals, at several input sizes
    and two batch sizes.

    A module is built again from its description, with its weights, and must give its outputs on random inputs: bit for
    bit, or as near as is said. Where it would give the same for any input, as a fresh network may, both have other
    weights. What has no word cannot be built: that is then not proven, and the totals alone are compared. Needs torch.
    Exits 1 where anything differs.
    """
    chosen = [name for given in names or ("*",) for name in matching(given)]
    subjects = [_subject(name, sizes, () if input_size is None else (input_size,)) for name in chosen]
    with bar([(one, task) for one in subjects for task in one.tasks], lambda task: task[0].name) as shown:
        for subject, task in shown:
            subject.add(task())
    figures = sum(one.figures for subject in subjects for one in subject.agreements)
    done = sum(len(subject.agreements) for subject in subjects)
    wrong = sorted({subject.name for subject in subjects if subject.wrong})
    lines = [_line(subject) for subject in subjects]
    lines.append(
        f"{counted(len(chosen), 'networks')}, {counted(done, 'comparisons')} of {counted(figures, 'figures')}: "
        f"{f'{len(wrong)} differ' if wrong else 'calculated equals measured'}"
    )
    with to_stdout():
        put("".join(f"{line}\n" for line in lines))
    if wrong:
        click.echo(f"Error: calculated and measured differ for {', '.join(wrong)}", err=True)
        click.get_current_context().exit(1)


class Checked(NamedTuple):
    """A network, what there is to compare of it, and what came of that."""

    name: str
    tasks: list[Task]
    agreements: list[Agreement]
    proofs: list[Proof]
    module: Subject | None = None
    """Of a module, what is compared."""

    def add(self, result: Agreement | Proof) -> None:
        from ..features.check import Agreement

        if isinstance(result, Agreement):
            self.agreements.append(result)
        else:
            self.proofs.append(result)

    @property
    def wrong(self) -> bool:
        return any(one.problem for one in self.proofs) or not all(one.agrees for one in self.agreements)


def _subject(name: str, count: int, input_sizes: tuple[InputSize, ...]) -> Checked:
    from ..features.check import check, sizes_for
    from ..features.check.modules import Subject
    from ..features.summary import described

    target = report_of(name, input_sizes, values=True)
    report = target.whole()
    whole = described(report, "there is nothing to compare its figures with")
    if target.module is None or split(name)[1]:  # what is rewritten is no more the module
        size = sizes_for(whole.description, whole.input_size, count)
        tasks: Iterator[Task] = (
            partial(check, whole.description, one, batch, name) for one in size for batch in BATCHES
        )
        return Checked(name, list(tasks), [], [])
    module = Subject(target.module, report)
    sizes = module.sizes(count)
    todo: list[Task] = [partial(module.figures, one, batch) for one in sizes for batch in BATCHES]
    if module.unproven is None:
        todo += [*(partial(module.proof, one, 2) for one in sizes), partial(module.proof, sizes[0], 3)]
    return Checked(name, todo, [], [], module)


def _line(subject: Checked) -> str:
    results, proofs = subject.agreements, subject.proofs
    shapes = ", ".join(dict.fromkeys(_sides(one.input_size) for one in results))
    figures = sum(one.figures for one in results)
    if not subject.wrong:
        line = f"{subject.name}: equal; {results[0].rows} rows, {figures:,} figures at {shapes}, batches of 1 and 3"
        return f"{line}{_proven(subject)}"
    lines = [f"{subject.name}: DIFFERS"]
    said = [(one, [*map(str, one.differences), *filter(None, [one.problem])]) for one in results]
    for one, differences in said:
        where = f"{_sides(one.input_size)}, batch of {one.batch_size}"
        lines += [f"  at {where}: {text}" for text in differences[:MOST]]
        lines += [f"  at {where}: and {len(differences) - MOST} more"] if len(differences) > MOST else []
    lines += [f"  at {_sides(one.sizes)}, batch of {one.batch_size}: {one.problem}" for one in proofs if one.problem]
    return "\n".join(lines)


def _proven(subject: Checked) -> str:
    """What is said of the outputs of a module."""
    from ..pytorch.check import WITHIN

    module = subject.module
    if module is None:
        return ""
    if module.unproven is not None:
        return f"; outputs not proven: {module.unproven}"
    if module.original.blind:
        return "; outputs not proven: they hardly depend on the inputs"
    off = max(one.off for one in subject.proofs)
    near = "bit for bit" if not off else f"to {off:.1e} of the largest, where {WITHIN:.0e} is allowed"
    whose = "weights filled by name" if module.original.filled else "its weights"
    return f"; built again with {whose}, it gives the same outputs, {near}, in batches of 2 and 3"


def _sides(size: Sequence[int] | Sequence[Sequence[int]]) -> str:
    """3x224x224; several sizes with "and" between."""
    several = [one for one in size if not isinstance(one, int)]
    return all_sides(several) if several else sides(size)
