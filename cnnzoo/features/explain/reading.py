"""Who reads what, in sentences: where a layer or a block stands, how a block's children meet, and what runs again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod

from ...arch import Collect, Concat, Dense, Difference, Gate, Join, ModuleList, Node, Residual, Sequential, Shape, find
from ...arch.meetings import Meeting
from ...arch.steps import INPUT, Outputs, Ref, Run, Step
from ...arch.walker import child_path
from ...report import Row
from ...words import is_in, sides
from .equations import Equation
from .streams import Streams
from .text import times


def together(words: Iterable[str]) -> str:
    """a, b and c."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def shown(shapes: Sequence[Shape]) -> str:
    return together(map(sides, shapes))


def passing(what: str, row: Row) -> str:
    """A layer or a block with the sizes of what it reads and gives, where it is run as one."""
    taken, given = (row.input_shape, *row.more_inputs), (row.output_shape, *row.more_outputs)
    return f"{what}: {shown(taken)} → {shown(given)}" if row.output_shape else what


def place(description: Node, row: Row, made_by: str) -> str:
    """Where a layer or a block stands and what it reads: by the names of its block's steps or, of a chain, whose
    output it is."""
    parent, _, name = row.path.rpartition(".")
    block = find(description, parent)
    plan = block._plan if isinstance(block, Sequential) else None
    reads = (
        next((together(map(_named, step.reads)) for step in plan.steps if step.name == name), "") if plan else made_by
    )
    where = f"{row.path}, in a {type(block).__name__}"
    where = f"{where}, reads {reads}" if reads else where
    return f"{where}; it runs in training only" if row.aux else where


def elsewhere(node: Node, path: str) -> str:
    """What stands at a path at which nothing is computed, and where that is."""
    parent = path.rpartition(".")[0]
    if isinstance(node, Run):
        return f"the layers of {child_path(parent, node.layers)} run again; explain {child_path(parent, node.layers)}"
    what = "names of values that leave" if isinstance(node, Outputs) else "a plain shortcut, which hands its input on"
    return f"{what}; explain {parent or 'the whole network'}"


def _named(ref: Ref) -> str:
    return "the input" if ref == Ref(INPUT) else str(ref)


def meets(join: Join, row: Row, parts: Sequence[Shape], equations: Sequence[Equation]) -> str:
    """How the children of a block meet."""
    if isinstance(join, Difference | Gate | Residual):
        shape = parts[0] if isinstance(join, Residual) else row.output_shape
        sign = "+" if isinstance(join, Residual) else "-" if isinstance(join, Difference) else "·"
        work = "multiplications" if isinstance(join, Gate) else "additions"
        met = f" {sign} ".join(map(sides, parts))
        return f"{met}, element by element: {times(shape)} = {prod(shape):,} {work}"
    if isinstance(join, Collect | Concat | Dense):
        channels = equations[0]
        return f"one after the other along the {channels.figure}: {channels.formula} = {channels.value:,}"
    if isinstance(join, ModuleList):
        return "nowhere: they are run by Run, each by itself"
    if isinstance(join, Sequential) and join._plan is not None:
        return "; ".join(_stepped(join._plan.steps))
    return "each child reads what the one before gives" if join.children else "nothing: the input is handed on"


def _stepped(steps: Sequence[Step]) -> Iterator[str]:
    """What each step reads that does not read the one before it alone."""
    last, chained, told = INPUT, False, False
    for step in steps:
        reads = together(map(_named, step.reads))
        plain = step.reads == (Ref(last),) and not step.layers and not isinstance(step.node, Meeting | Outputs)
        chained, told = chained or plain, told or not plain
        if isinstance(step.node, Outputs):
            yield f"it gives {reads}"
        elif step.layers:
            yield f"{step.name} runs {step.layers} on {reads}"
        elif not plain:
            yield f"{step.name} reads {reads}"
        last = step.name if step.node._makes else last
    if chained:
        yield f"each {'other ' if told else ''}child reads what the one before gives"


def runs(description: Node, streams: Streams, path: str, has_params: bool) -> Iterator[tuple[str, str]]:
    """As what the layers at a path, or those around them, run in steps of other names, and on what."""
    for layers, steps in streams.runs.items():
        if not is_in(path, layers):
            continue
        said = [f"as {own} on {together(map(_named, step.reads))}" for own, step in steps.items()]
        if _is_held(description, layers):
            yield "Runs as", said.pop(0).removeprefix("as ")
        if said:
            yield "Runs again", f"{', '.join(said)}{'; its parameters count once' if has_params else ''}"


def _is_held(description: Node, path: str) -> bool:
    """Whether what is at a path runs by `Run` alone."""
    parts = path.split(".")
    around = (find(description, ".".join(parts[:count])) for count in range(len(parts)))
    return any(isinstance(node, ModuleList) for node in around)
