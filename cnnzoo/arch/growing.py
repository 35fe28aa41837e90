"""Concatenations that grow: blocks that read all values before them, or give all that their layers make."""

from __future__ import annotations

from .blocks import Block
from .join import Join
from .joins import CAT, Collect, Dense
from .node import Node
from .regions import children_of, is_function, keeps
from .sequential import Sequential
from .steps import INPUT, Outputs, Ref


def grown(block: Block) -> Sequential | None:
    """The block with a growing concatenation as layers that each append to what they read, where every layer reads
    all values before it and does nothing with them but concatenate them first. At inference such layers keep no
    more than what they have appended to alive."""
    for place, meeting in enumerate(block.steps):
        root, *made = meeting.reads
        layers = block.steps[max(place - len(made), 0) : place]
        if meeting.node != CAT or not made or [Ref(step.name) for step in layers] != made:
            continue
        joins = {
            step.name: Dense(**body)
            for number, step in enumerate(layers)
            if step.reads == meeting.reads[: number + 1]
            and block.readers[step.name] == len(made) - number
            and not step.looks
            and (body := _behind_cat(step.node, number + 1)) is not None
        }
        if len(joins) == len(made) and not {*joins, meeting.name} & block.pinned and not block.gives_several(root):
            read = dict(zip(joins, meeting.reads, strict=False))
            return block.instead(joins, {meeting.name: layers[-1].name}, read)
    return None


def _behind_cat(node: Node, entering: int) -> dict[str, Node] | None:
    """The children, one after the other, of a block that first concatenates the values, of this number, that enter;
    None where it is no such block."""
    if type(node) is not Sequential or node._plan is None or len(node._plan.steps) < len(node):
        return None
    first, *others = node._plan.steps
    every = tuple(Ref(INPUT, str(port)) for port in range(entering)) if entering > 1 else (Ref(INPUT),)
    read = [first.name, *(step.name for step in others)]
    in_turn = all(is_function(step) and step.reads == (Ref(name),) for step, name in zip(others, read, strict=False))
    return children_of(others) if first.node == CAT and first.reads in (every, (Ref(INPUT),)) and in_turn else None


def collected(block: Block) -> Join | None:
    """The `Collect` that all of a block is, or the block with children that give all that their layers make, one after
    the other, to a concatenation behind what they read."""
    last = len(block.steps) - 1
    if type(block.node) is Sequential and len(block.steps) == len(block.node):
        members = block.collection(block.steps, last)
        if members is not None and len(members) == last and members[0].reads == (Ref(INPUT),):
            join = Collect(**children_of(members))
            return join if keeps(join, block.node, block.pinned) else None
    named = {step.name: step for step in block.steps}
    for meeting in block.steps:
        body = named.get(meeting.reads[-1].source) if meeting.node == CAT and meeting.reads else None
        if body is None or meeting.reads != (*body.reads[:1], Ref(body.name)):
            continue
        if body.looks or block.readers[body.name] > 1:
            continue
        parts = _all_given(body.node)
        if parts and not {body.name, meeting.name} & block.pinned:
            return block.instead({body.name: Collect(**parts)}, {meeting.name: body.name})
    return None


def _all_given(node: Node) -> dict[str, Node] | None:
    """The children of a block, one after the other, of which it gives every value; None where it is no such block."""
    if type(node) is not Sequential or node._plan is None or len(node._plan.steps) < len(node):
        return None
    *layers, last = node._plan.steps
    names = [step.name for step in layers]
    in_turn = all(
        is_function(step) and step.reads == (Ref(name),) for step, name in zip(layers, [INPUT, *names], strict=False)
    )
    whole = isinstance(last.node, Outputs) and last.reads == tuple(map(Ref, names))
    return children_of(layers) if in_turn and whole else None
