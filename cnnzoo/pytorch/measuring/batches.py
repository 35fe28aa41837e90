"""Which work a batch multiplies, and which is done once, as that on weights is: a spectral norm, a low-rank adapter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .borrow import Loan
from .counter import Op, mark
from .inputs import Inputs
from .readings import takes_one_sample
from .trace import Call, Trace, Watch, run

UNTOLD = "with another batch the network does other work, so that what one sample's is cannot be told"


def run_batch(loan: Loan, inputs: Inputs, *, real: bool = False, watch: Watch | None = None) -> Trace:
    """A run in which operators whose work does not depend on how many samples there are, are marked so.

    Where there is any that is not worked out from the inputs, or is no whole number for each sample, this is seen from
    another run, of twice as many samples.
    """
    mark(inputs)
    watcher = watch(loan.module, inputs.args) if watch is not None else None
    found = run(loan, inputs.args, inputs.kwargs, real=real, watcher=watcher)
    several = inputs.batch_size > 1 and found.root is not None and found.error is None
    if several and not takes_one_sample(found.root, inputs):
        _tell_apart(loan, found, inputs, real)
    if watcher is not None:
        watcher.done(found)
    return found


def _tell_apart(loan: Loan, found: Trace, inputs: Inputs, real: bool) -> None:
    """Mark the operators of a run whose work is the same for any number of samples."""
    sites = [*_sites(found.root)] if found.root is not None else []
    if may_be_once([events[place] for events, place in sites], inputs.batch_size):
        again = run(loan, *inputs.twice()[:2], real=real)
        more = [events[place] for events, place in _sites(again.root)] if again.root and again.error is None else []
        told = told_apart([events[place] for events, place in sites], more)
        for (events, place), op in zip(sites, told, strict=True):
            events[place] = op


def may_be_once(ops: Sequence[Op], batch_size: int) -> bool:
    return any(op.macs and (not op.of_inputs or op.macs % batch_size) for op in ops)


def told_apart(ops: Sequence[Op], more: Sequence[Op]) -> list[Op]:
    """The same operators, marked where they cost as much among those of twice as many samples.

    Where the latter are others, and not twice the work in all, what may be done once is unknown.
    """
    if more and sum(op.macs or 0 for op in more) == 2 * sum(op.macs or 0 for op in ops):
        return [*ops]
    if [op.name for op in ops] != [op.name for op in more]:
        return [op if op.of_inputs or not op.macs else op._replace(macs=None, why=UNTOLD) for op in ops]
    return [
        op._replace(once=True) if op.macs and op.macs == other.macs else op for op, other in zip(ops, more, strict=True)
    ]


def once_noted(found: Trace) -> list[str]:
    """What to say of work that is done once."""
    if found.root is None:
        return []
    macs: dict[str, int] = {}
    for call in _calls(found.root):
        for op in call.events:
            if isinstance(op, Op) and op.once:
                macs[call.path] = macs.get(call.path, 0) + (op.macs or 0)
    if not macs:
        return []
    where = ", ".join(path or "the network itself" for path in macs)
    return [
        f"{sum(macs.values()):,} MACs are done once for the whole batch, on weights, and each sample has all: {where}"
    ]


def _calls(call: Call) -> Iterator[Call]:
    yield call
    for inner in call.calls():
        yield from _calls(inner)


def priced(root: Call) -> list[Op]:
    """The operators of a run that cost something, or may, in their order."""
    return [events[place] for events, place in _sites(root)]


def share(ops: Sequence[Op], batch_size: int) -> tuple[int, list[tuple[str, str]]]:
    """The MACs of one sample as far as they are known, and the operators of which they are not, with the reasons."""
    unknown = [(op.name, op.why) for op in ops if op.macs is None]
    once = sum(op.macs or 0 for op in ops if op.once)
    each, rest = divmod(sum(op.macs or 0 for op in ops) - once, batch_size)
    if rest:
        name = next(op.name for op in ops if (op.macs or 0) % batch_size and not op.once)
        why = f"{each * batch_size + rest:,} MACs are no whole number for each of {batch_size} samples"
        unknown.append((name, why))
    return once + each, unknown


def _sites(call: Call) -> Iterator[tuple[list[Any], int]]:
    """Where operators with MACs stand, in their order."""
    for place, event in enumerate(call.events):
        if isinstance(event, Call):
            yield from _sites(event)
        elif event.macs != 0:
            yield call.events, place
