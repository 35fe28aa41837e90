"""A module's description, from one run of it on meta."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from typing import Any
from warnings import warn

import torch
from torch import nn

from ...arch import Aux, Node, Sequential, Shape, diff
from ...arch.folding import fold
from ...calculate import calculate, shapes_of
from ...errors import CnnzooError
from ..measuring.borrow import Loan, on_loan, on_meta, set_mode
from ..measuring.inputs import dtype_of
from ..measuring.tree import modules
from .blocks import Blocks
from .events import TracingError
from .record import Recorder, record
from .saying import BATCH
from .sizes import agree, elsewhere
from .unused import add_unused


def describe(module: nn.Module, input_size: Sequence[Any]) -> Node:
    """The description of a module for inputs of (N, *input_size), of several sizes for as many inputs.

    A copy of it is run on meta, and each layer and each function that it calls is turned into its word; its modules are
    blocks, and layers with tensors stand at their own paths. What runs in training only is an auxiliary head. It is run
    on more and larger maps, too, which tells what is worked out from their size (`agree`): a
    `DescribedAtOneSizeWarning` where that would be another description all the same. Raises `TracingError` where
    something has no word.
    """
    if type(module).__name__ == "OptimizedModule":  # torch.compile's, around the module
        module = module.get_submodule("_orig_mod")
    sizes = shapes_of(input_size)
    dtype = dtype_of(module)

    def run(loan: Loan, training: bool, sizes: Sequence[Shape] = sizes, batch: int = BATCH) -> Recorder:
        set_mode(loan.module, training)
        for one in modules(loan.module):
            if isinstance(one, nn.modules.batchnorm._NormBase):
                one.training = False
        given = [torch.empty(batch, *size, dtype=dtype, device="meta") for size in sizes]
        return record(loan, given)

    def read(loan: Loan, seen: Recorder, heads: Set[str] = frozenset()) -> Node:
        """The description of a run; it leaves out the children `heads`, which run in training."""
        if seen.unknown:
            calls = [*dict.fromkeys(seen.unknown)]
            more = f"; and {len(calls) - SHOWN} more" if len(calls) > SHOWN else ""
            raise TracingError(f"no description has words for all of it: {'; '.join(calls[:SHOWN])}{more}", calls)
        add_unused(loan.module, seen, heads)
        return Blocks(loan.module, seen).describe()

    def use(loan: Loan) -> Node:
        seen = run(loan, training=False)
        again = None
        for other in _elsewhere(sizes):
            with suppress(CnnzooError):  # that refuses such sizes
                again = run(loan, False, other, BATCH + 1)
                agree(seen, again)
                break
        names = [*module._modules.keys()]  # no mapping where it is scripted
        idle = {*names} - _tops(seen)
        trained = run(loan, training=True) if idle else seen
        heads = idle & _tops(trained)
        description = read(loan, seen, heads)
        changes = _changes(description, lambda: read(loan, again, heads)) if again is not None else ""
        if changes:
            here, there = f"{BATCH} inputs of {sizes}", f"{BATCH + 1} of {other}"
            warn(
                f"the description holds for {here} alone: for {there} it would be another at {changes}",
                DescribedAtOneSizeWarning,
                stacklevel=STACK,
            )
        if not heads or not isinstance(description, Sequential):
            return description
        return with_heads(description, read(loan, trained), names, heads)

    description = on_loan(module, on_meta(None), use)
    misfits = _misfits(module, description, sizes)
    if misfits:
        raise TracingError(
            f"the description has other tensors than the module: {', '.join(misfits[:SHOWN])} of {len(misfits)}"
        )
    return fold(description)


def _tops(seen: Recorder) -> set[str]:
    """The children of the network in which something ran."""
    return {path.partition(".")[0] for path in seen.called}


def _elsewhere(sizes: Sequence[Shape]) -> list[tuple[Shape, ...]]:
    """Sizes of other inputs, of which the first that the module takes is tried: maps with sides that are odd where
    these are even, and with sides twice as long, since many a module takes multiples of some number alone."""
    longer: list[Callable[[int], int]] = [elsewhere, lambda length: 2 * length]
    return [tuple((size[0], *map(more, size[1:])) if len(size) == 3 else size for size in sizes) for more in longer]


def _changes(description: Node, other: Callable[[], Node]) -> str:
    """Where another description differs, or what it has no words for; nothing where it is the same."""
    try:
        return ", ".join(dict.fromkeys(change.path for change in diff(description, other())))
    except TracingError as error:
        return "; ".join(error.unknown[:SHOWN]) or str(error)


STACK = 5
"""From the warning up to the caller of `describe`."""


class DescribedAtOneSizeWarning(UserWarning):
    """A module works a setting of a layer out from the size of its maps: the description is that at one size."""


SHOWN = 5
"""How much of what is wrong an error names."""


def _misfits(module: nn.Module, description: Node, sizes: Sequence[Shape]) -> list[str]:
    """The names of tensors that one has and the other has not, or has in another shape. Of the names of one tensor, as
    a module at several paths has them, the description needs one."""
    known = calculate(description, sizes).tensors
    state = module.state_dict(keep_vars=True)
    own = {key: tuple(tensor.shape) for key, tensor in state.items()}
    said = {id(tensor) for key, tensor in state.items() if key in known}
    others = {key for key, tensor in state.items() if key not in known and id(tensor) in said}
    return [key for key in {**own, **known} if known.get(key) != own.get(key) and key not in others]


def with_heads(description: Sequential, trained: Node, names: Sequence[str], heads: Set[str]) -> Sequential:
    """The description with those children `heads` that run in training only, in the order of all children's names."""
    plan = getattr(trained, "_plan", None)
    said = dict(description._said())
    for step in plan.steps if plan is not None else ():
        if step.name not in heads or not isinstance(step.node, Sequential):
            continue
        source = str(step.reads[0])
        if len(step.reads) != 1 or source not in said:
            raise TracingError(f"at {step.name}: it runs in training only, and reads no child of the network")
        before = next(name for name in [*reversed(names[: names.index(step.name)]), source] if name in said)
        children = [*said.items()]
        at = 1 + max([*said].index(before), [*said].index(source))
        said = dict([*children[:at], (step.name, Aux(source, **dict(step.node._said()))), *children[at:]])
    return Sequential(**said)
