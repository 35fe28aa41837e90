"""The rewrite of a network's depth."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as Names
from itertools import count, islice

from ..arch import Aux, Conv2d, Join, Node, Residual, Sequential, StochasticDepth, walk
from ..arch import rewrite as changed
from ..arch.edit import rebuilt
from .edits import names_kept
from .registry import DoesNotApply, register_rewrite
from .runs import PROBE, channels, replace
from .scaling import check_factor


@register_rewrite("Tan and Le (2019), section 3.3")
def scale_depth(description: Node, factor: float) -> Node:
    """Every stage's number of blocks times `factor`, rounded, at least one; a stage is a row of blocks that are equal
    but for the first one's stride and projection. The first keeps its name and shape, others, whose convolutions keep
    the size of maps, are repeated. What is read or run by name is in no stage."""
    check_factor("scale_depth", factor)
    kept = names_kept(description)
    stages = 0

    def change(path: str, node: Node) -> Node:
        nonlocal stages
        if not isinstance(node, Sequential):
            return node
        children: dict[str, Node | None] = {}
        for stage in _stages(node, _named(node, path, kept)):
            stages += len(stage) > 1
            children |= dict(_repeated(stage, factor, node) if len(stage) > 1 else stage)
        return node if children == dict(node.children) else rebuilt(node, children, path)

    new = changed(description, change)
    if not stages:
        raise DoesNotApply("there is no stage of equal blocks")
    if new == description:
        raise DoesNotApply(f"{factor} times the blocks of any stage rounds to what it has")
    assert new is not None
    reaching = channels(new)  # which grow along a stage that appends
    for path, node in walk(new):
        if isinstance(node, Conv2d) and reaching.get(path, 0) % node.groups:
            raise DoesNotApply(f"at {path}: {factor} times the blocks, the groups of {node!r} no longer fit")
    return new


Named = tuple[str, Node]


def _named(row: Sequential, path: str, kept: Names[str]) -> set[str]:
    """The children of the Sequential at a path that other steps or heads name, or in which something has one of the
    names that are kept, and those that name what they read."""
    read = {name.partition(".")[0] for names in row._reads.values() for name in names}
    heads = {child.source for child in row if isinstance(child, Aux)}
    above = f"{path}." if path else ""
    inside = {one.removeprefix(above).partition(".")[0] for one in kept if one.startswith(above)}
    return {*row._reads} | read | heads | inside


def _stages(row: Sequential, named: Names[str]) -> Iterator[list[Named]]:
    """The children of a Sequential in lists: blocks that are equal but for stride and shortcut are together in one, but
    for those that are `named`."""
    stage: list[Named] = []
    for name, child in row.children:
        alike = stage and isinstance(child, Join) and _inside(stage[-1][1]) == _inside(child) and _keeps_size(child)
        if stage and not (alike and not named & {name, stage[-1][0]}):
            yield stage
            stage = []
        stage.append((name, child))
    if stage:
        yield stage


def _inside(block: Node) -> Node:
    """The block as it would stand inside of a stage: no stride, a plain shortcut, and no chance of being left out that
    grows with the depth."""

    def change(_: str, node: Node) -> Node:
        if isinstance(node, Residual):
            return node._with({**dict(node.children), node._shortcut: None})
        if isinstance(node, StochasticDepth):
            return replace(node, p=0.0)
        return replace(node, stride=1) if isinstance(node, Conv2d) else node

    new = changed(block, change) if isinstance(block, Join) else block
    assert new is not None
    return new


def _keeps_size(block: Node) -> bool:
    convolutions = (node for _, node in walk(block) if isinstance(node, Conv2d))
    return all(one.output_shape((one.groups, *PROBE[1:]))[1:] == PROBE[1:] for one in convolutions)


def _repeated(stage: list[Named], factor: float, row: Sequential) -> list[Named]:
    """The stage with more or fewer of its blocks; further ones go on with the last one's number where it is free."""
    wanted = max(1, int(len(stage) * factor + 0.5))
    last, block = stage[-1]
    head = last.rstrip("0123456789")
    number = last[len(head) :]
    taken = {name for name, _ in row.children}
    following = (f"{head}{n}" for n in count(int(number) + 1)) if number else iter(())
    further = list(islice(following, max(0, wanted - len(stage))))
    if not number or taken & set(further):
        further = [f"{last}_{n}" for n in range(1, wanted - len(stage) + 1)]
    return [*stage[:wanted], *((name, block) for name in further)]
