"""A module's description, from one run of it on meta."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from functools import partial
from typing import Any
from warnings import warn

import torch
from torch import nn

from ...arch import Aux, Foreign, Node, Sequential, Shape, diff, rewrite
from ...arch.folding import fold
from ...calculate import calculate, shapes_of
from ...errors import CnnzooError
from ...words import all_sides
from ..measuring.batches import run_batch
from ..measuring.borrow import Loan, on_loan, on_meta, set_mode
from ..measuring.inputs import Inputs, dtype_of
from ..measuring.restore import Step, undoing
from ..measuring.trace import first_line
from ..measuring.tree import is_unmade, modules, tensors_by_key
from .blocks import Blocks
from .events import TracingError, UnsaidError
from .foreign import Foreigners
from .record import Recorder
from .sizes import STEP, agree, elsewhere
from .unused import add_unused
from .values import BATCH, OTHER_BATCH


def describe(module: nn.Module, input_size: Sequence[Any]) -> Node:
    """The description of a module for inputs of (N, *input_size), of several sizes for as many inputs.

    A copy of it is run on meta, and each layer and each function that it calls is turned into its word; its modules are
    blocks, and layers with tensors stand at their own paths. What has no word is a `Foreign` layer: the call alone, or
    the innermost module around it that makes one value of one. What runs in training only is an auxiliary head. It is
    run on more and larger maps, too, which tells what is worked out from their size (`agree`): a
    `DescribedAtOneSizeWarning` where that would be another description all the same.

    Raises `TracingError` where the module cannot be run, and where it is foreign as a whole and takes or gives several
    values, and for a module that pools regions of images.
    """
    if type(module).__name__ == "OptimizedModule":  # torch.compile's, around the module
        module = module.get_submodule("_orig_mod")
    for path, one in module.named_modules():
        if getattr(one, "pools_regions", False):
            raise TracingError(
                f"at {path or 'the network itself'}: {type(one).__name__} makes a batch of the regions of all images, "
                f"which is not traced; summary(module, …) measures it, and the description that built it says it"
            )
    sizes = shapes_of(input_size)
    dtype = dtype_of(module)

    def run(loan: Loan, sizes: Sequence[Shape], training: bool = False, batch: int = BATCH) -> Recorder:
        set_mode(loan.module, training)
        for one in modules(loan.module):
            if isinstance(one, nn.modules.batchnorm._NormBase):
                one.training = False
        return record(loan, sizes, dtype, batch)

    def use(loan: Loan) -> Node:
        seen = run(loan, sizes)
        again = None
        for other in _elsewhere(sizes):
            with suppress(CnnzooError):  # that refuses such sizes
                again = run(loan, other, batch=OTHER_BATCH)
                break
        names = [*module._modules.keys()]  # no mapping where it is scripted
        idle = {*names} - _tops(seen)
        trained = None
        if idle:
            with suppress(TracingError):  # it does not run in training, and so has no heads here
                trained = run(loan, sizes, training=True)
        heads = idle & _tops(trained) if trained is not None else set()
        description, changes = said(seen, again, heads)
        if changes:
            warn(
                f"the description holds for inputs of {all_sides(sizes)} alone: for a batch of {OTHER_BATCH} of "
                f"{all_sides(other)} it would be another {changes}",
                DescribedAtOneSizeWarning,
                stacklevel=STACK,
            )
        if trained is None or not heads or not isinstance(description, Sequential):
            return description
        return with_heads(description, said(trained)[0], names, heads)

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


def record(loan: Loan, sizes: Sequence[Shape], dtype: torch.dtype, batch: int) -> Recorder:
    """One run of a module on loan; TracingError where it fails."""
    found: list[Recorder] = []

    def watch(module: nn.Module, args: Sequence[Any]) -> Recorder:
        found.append(Recorder(module, args))
        return found[0]

    args = tuple(torch.empty(batch, *size, dtype=dtype, device="meta") for size in sizes)
    with undoing() as undo:
        _uncompiled(undo)
        trace = run_batch(loan, Inputs(args, {}, batch, 0), watch=watch)
    if isinstance(trace.error, TracingError):
        raise trace.error
    if trace.error is not None:
        where = trace.failing.path if trace.failing is not None else ""
        raise TracingError(f"at {where or 'the network itself'}: {first_line(trace.error)}") from trace.error
    if not found[0].outputs:
        raise TracingError("at the network itself: it gives no tensor that was worked out from its input")
    return found[0]


def _uncompiled(undo: list[Step]) -> None:
    """Until undone, what torch.compile made runs as it was before: a compiler would be given the recorder, too."""
    if "torch._dynamo" in sys.modules:
        stance = torch.compiler.set_stance("force_eager")
        undo.append(partial(stance.__exit__, None, None, None))


def said(run: Recorder, other: Recorder | None = None, heads: Set[str] = frozenset()) -> tuple[Node, str]:
    """The description of a run, with the words that there are, all foreign that they do not say, and without the
    children `heads`, which run in training; and where that of another run, at another size, is another one."""
    foreign: set[str] = set()
    while True:
        try:
            return _said(run, other, heads, foreign)
        except UnsaidError as error:
            path = error.path
            while path and (path in foreign or path not in run.called):
                path = path.rpartition(".")[0]
            if path in foreign:
                raise TracingError(str(error)) from error
            foreign.add(path)


def _said(run: Recorder, other: Recorder | None, heads: Set[str], foreign: Set[str]) -> tuple[Node, str]:
    told = Foreigners(run, foreign).told()
    beside, problem = None, ""
    if other is not None:
        try:
            beside = Foreigners(other, foreign).told()
            agree(told, beside)
        except TracingError as error:
            problem = str(error)
    add_unused(run.module, told, heads)
    description = Blocks(told).describe()
    if other is None or beside is None:
        return description, problem
    add_unused(other.module, beside, heads)
    try:
        changes = diff(_bare(description), _bare(Blocks(beside).describe()))
    except UnsaidError as error:
        return description, str(error)
    paths = dict.fromkeys(change.path for change in changes)
    return description, f"at {', '.join(paths)}" if paths else ""


def _bare(description: Node) -> Node:
    """The description without what was measured at one size."""

    def bare(path: str, node: Node) -> Node:
        return Foreign(node.operation, (), ()) if isinstance(node, Foreign) else node

    bared = rewrite(description, bare)
    assert bared is not None
    return bared


def _elsewhere(sizes: Sequence[Shape]) -> list[tuple[Shape, ...]]:
    """Sizes of other inputs, of which the first that the module takes is tried: maps with sides that are odd where
    these are even, and, since many a module takes multiples of some number alone, with sides longer by `STEP`, of which
    halves of halves are odd where those of these are even, and with sides twice as long."""
    longer: list[Callable[[int], int]] = [elsewhere, lambda length: length + STEP, lambda length: 2 * length]
    return [tuple((size[0], *map(more, size[1:])) if len(size) == 3 else size for size in sizes) for more in longer]


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
    own = tensors_by_key(module)
    said = {id(held.tensor) for key, held in own.items() if key in known}
    kept = module.state_dict(keep_vars=True).keys()
    missing = [key for key, held in own.items() if key in kept and key not in known and id(held.tensor) not in said]
    wrong = [key for key in known if key not in own or not (is_unmade(own[key]) or own[key].shape == known[key])]
    return [*missing, *wrong]


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
