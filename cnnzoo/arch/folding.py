"""Folding: what a description says in steps, said with joins where these say the same."""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import pairwise

from .blocks import Block, depth_of
from .edit import rebuilt
from .growing import collected, grown
from .join import DEEPEST, Join
from .meetings import Meeting
from .node import Node
from .regions import AROUND, SHORTCUTS, Around, Region, join_of, keeps
from .sequential import Sequential
from .steps import INPUT, From, Outputs, Ref, Run, Step
from .walker import child_path


def fold(description: Node) -> Node:
    """The description with joins in place of the steps that say what joins say: F(x) + x is a `Residual`, a
    concatenation of branches a `Concat`, [x, F(x)] a `Dense`, [x, f(x), g(f(x))] a `Collect`, x · F(x) a `Gate`,
    F(x) - x a `Difference`. A shortcut of layers that is not called `downsample`, or runs before the body, is marked as
    a `Shortcut`.

    A meeting folds where the values that meet are made one after the other, each by a chain of layers, of one value,
    and nothing else reads what is made in between: in terms of data flow, that value is their immediate dominator, and
    nothing escapes. Layers run in the same order as before, and layers with tensors keep their paths, so that figures
    and state dicts are the same; where a join would need another path for one of them, as with the flat branches of
    torchvision's Inception, it is inlined. Folding what is folded changes nothing.

    What meets behind a block that gives it several values, and nothing else, meets in that block.

    Layers that each concatenate all values before them, as torchvision writes DenseNet, append to what was concatenated
    before: the outputs are the same, and at inference less is alive.
    """
    while (folded := _folded(description, "", frozenset())) != description:
        description = folded  # in which more may fold
    return folded


def _folded(node: Node, path: str, pinned: frozenset[str]) -> Node:
    """The node at `path` folded; `pinned` are the paths in it that steps around it name: these stay what they are."""
    if not isinstance(node, Join):
        return node
    inside = _pinned_inside(node, pinned)
    children = {
        name: _folded(child, child_path(path, name), frozenset(inside.get(name, ()))) for name, child in node.children
    }
    if tuple(children.items()) != node.children:
        node = rebuilt(node, children, path)
    names = {one.partition(".")[0] for one in inside.pinned}
    if isinstance(node, Around) and node._marked:
        return _marked(node, names, depth_of(path))
    while isinstance(node, Sequential) and node._plan is not None:
        block = Block(node, node._plan, names, path)
        folded = (
            block.whole() or block.wrapped() or block.absorbed() or closed(block) or grown(block) or collected(block)
        )
        if folded is None:
            return block.inlined()
        node = folded
    return node


def closed(block: Block) -> Sequential | None:
    """The block with a meeting of all that the child before it gives, and that nothing else reads, in that child."""
    for body, meeting in pairwise(block.steps):
        alone = meeting.reads == (Ref(body.name),) and block.readers[body.name] == 1 and not body.looks
        if not isinstance(meeting.node, Meeting) or type(body.node) is not Sequential or not alone:
            continue
        *layers, (end, given) = body.node._said()
        several = isinstance(given, From) and isinstance(given.node, Outputs)
        if several and body.name not in block.pinned and meeting.name not in block.named:
            inner = Sequential(**dict(layers), **{end: From(*given.names, meeting.node)})
            join = _folded(inner, child_path(block.path, body.name), frozenset())
            return block.instead({body.name: join}, {meeting.name: body.name})
    return None


def _marked(node: Around, pinned: Set[str], depth: int) -> Join:
    """The same with the mark at the chain of layers at which it is set here, where that is another."""
    steps = [Step(name, child, ()) for name, child in node.children if not node._is_plain(name, child)]
    body, shortcut = ([step for step in steps if (step.name == node._marked) is marked] for marked in (False, True))
    meeting = next(meeting for meeting, kind in AROUND.items() if isinstance(node, kind))
    chains = [shortcut, body] if SHORTCUTS.get(meeting) == 0 else [body, shortcut]
    made = join_of(Region(Ref(INPUT), chains, Step("", meeting, ()), len(steps), steps))
    fits = made is not None and depth + made.levels <= DEEPEST and keeps(made.join(), node, pinned)
    return made.join() if made is not None and fits else node


class _Inside(dict[str, set[str]]):
    """The paths in the children of a node that steps name, by child, as they stand; `pinned` are those in the node."""

    pinned: set[str]


def _pinned_inside(node: Join, pinned: Iterable[str]) -> _Inside:
    found = _Inside()
    found.pinned = set()
    paths = [*pinned]
    for step in node._plan.steps if isinstance(node, Sequential) and node._plan is not None else ():
        paths += [child_path(step.layers or step.name, inner) for inner in step.looks]
        paths += [step.layers] * bool(step.layers)
    children = dict(node.children)
    while paths:
        path = paths.pop()
        if path in found.pinned:
            continue
        found.pinned.add(path)
        name, _, rest = path.partition(".")
        if not rest:
            continue
        child = children[name]
        if isinstance(child, Run):
            paths.append(child_path(child.layers, rest))
        else:
            found.setdefault(name, set()).add(rest)
    return found
