"""Regions: what lies between a value and a place where values meet that are made of it, and the join that it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple, TypeAlias

from .edit import walk
from .inline import Inline
from .join import Join
from .joins import ADD, CAT, MULTIPLY, PLAIN, SUBTRACT, Concat, Dense, Difference, Gate, Residual
from .meetings import Meeting
from .node import Layer, Node
from .parts import Chunk, Slice
from .sequential import Sequential
from .shortcut import Shortcut, unmarked
from .steps import Outputs, Ref, Step

Chain: TypeAlias = list[Step]

Around: TypeAlias = Residual | Gate | Dense | Difference

AROUND: Mapping[Meeting, type[Around]] = {ADD: Residual, MULTIPLY: Gate, CAT: Dense, SUBTRACT: Difference}
"""The join of two values by how they meet."""

SHORTCUTS: Mapping[Meeting, int] = {CAT: 0, SUBTRACT: 1}
"""Which of two values is the shortcut's, where their order counts."""

SHORTCUT = "downsample"
"""The child of a `Residual` that is its shortcut."""


class Region(NamedTuple):
    """What lies between a value and a meeting."""

    root: Ref
    """The value of which all that meets is made."""
    chains: list[Chain]
    """The layers that make each of the values that meet; none where that is the root itself."""
    meeting: Step
    place: int
    """Of the meeting among the steps."""
    steps: Chain
    """All layers of the chains, in the order in which they run: one after the other, but for views."""

    @property
    def runs(self) -> list[Chain]:
        """The chains that have layers, in the order in which they begin."""
        order = {step.name: place for place, step in enumerate(self.steps)}
        return sorted(
            filter(None, self.chains),
            key=lambda chain: order[next((step for step in chain if not is_view(step)), chain[0]).name],
        )

    def runs_as(self, chains: list[Chain]) -> bool:
        """Whether its layers run chain by chain, in this order."""
        own = [step.name for step in self.steps if not is_view(step)]
        return own == [step.name for chain in chains for step in chain if not is_view(step)]


class Made(NamedTuple):
    """The join that a region is."""

    kind: type[Concat | Around]
    children: Mapping[str, Node | Shortcut]
    moved: Chain
    """The steps that have another path in the join than among its children."""

    @property
    def levels(self) -> int:
        """How many levels of joins it has, itself included."""
        return 1 + max((unmarked(child)._levels for child in self.children.values()), default=0)

    def join(self) -> Join:
        children: Mapping[str, Any] = self.children
        return self.kind(**children)

    @property
    def marked(self) -> bool:
        """Whether one of its children is its shortcut's."""
        return any(isinstance(child, Shortcut) for child in self.children.values())

    def inline(self) -> Inline:
        children: Mapping[str, Any] = self.children
        return Inline(self.kind, **children)


def join_of(region: Region, inline: bool = False) -> Made | None:
    """The join that is a region, where there is one; with `inline` it has no path of its own."""
    meeting, chains, full = region.meeting.node, region.chains, region.runs
    if meeting == CAT and all(chains) and region.runs_as(chains):
        moved = [step for chain in chains if len(chain) > 1 for step in chain]
        if inline or len(chains) != 2 or all(map(is_bare, moved)):
            return Made(Concat, {chain[-1].name: _one(chain, inline) for chain in chains}, moved)
    if len(chains) != 2 or meeting not in AROUND:
        return None
    in_turn = region.runs_as(full)
    made = _summed(full, in_turn) if meeting == ADD and not inline else None
    return made or _around(region, in_turn, inline)


def _summed(full: list[Chain], in_turn: bool) -> Made | None:
    """The sum of two chains, of which the second may be the shortcut of a `Residual`, `downsample`."""
    body, shortcut = [*full, [], []][:2]
    if _is_shortcut(body) and not shortcut:
        body, shortcut = shortcut, body
    moved = [] if _is_shortcut(shortcut) else shortcut
    if not in_turn or not all(map(is_bare, moved)) or any(step.name == SHORTCUT for step in body):
        return None
    return Made(Residual, {**children_of(body), SHORTCUT: _one(shortcut)}, moved)


def _around(region: Region, in_turn: bool, inline: bool) -> Made | None:
    """Two chains that meet, of which one is marked as the shortcut, where it has layers: by its place where their order
    counts, else that called `downsample`, else that of fewer layers, else that which begins last. What is marked is one
    child: a chain of several can be made one where it runs in turn, and either has no tensors or is inlined, as one of
    less than half the layers is."""
    full, meeting = region.runs, region.meeting.node
    assert isinstance(meeting, Meeting)
    kind, place = AROUND[meeting], SHORTCUTS.get(meeting)

    def is_able(chain: Chain) -> bool:
        return len(chain) == 1 or (in_turn and (inline or all(map(is_bare, chain))))

    if place is not None:
        shortcut = region.chains[place]
        if not is_able(shortcut):
            return None
    elif len(full) == 2:
        able = [*filter(is_able, reversed(full))]
        lighter = min(full, key=_nodes)
        if not able or (not inline and lighter not in able and 2 * _nodes(lighter) < _nodes(able[0])):
            return None  # which may yet be inlined
        shortcut = next(filter(_is_shortcut, full), min(able, key=_nodes))
    else:
        shortcut = next(filter(_is_shortcut, full), [])
    names = {step.name for step in shortcut}
    if kind is Residual and SHORTCUT in {step.name for step in region.steps} - names:
        return None
    children: dict[str, Node | Shortcut] = {
        step.name: Shortcut(_one(shortcut, inline)) if step.name in names else step.node
        for step in region.steps
        if step not in shortcut[:-1]
    }
    return Made(kind, children, shortcut if len(shortcut) > 1 else [])


def _nodes(chain: Chain) -> int:
    return sum(step.node._nodes for step in chain)


def _is_shortcut(chain: Chain) -> bool:
    return [step.name for step in chain] == [SHORTCUT]


def keeps(join: Join, node: Join, pinned: Set[str]) -> bool:
    """Whether a join has the children of these names as they are in a node."""
    stood = {(name, child) for name, child in node.children if name in pinned}
    return stood <= {(name, child) for name, child in join.children if not join._is_plain(name, child)}


def is_view(step: Step) -> bool:
    """Whether it is a part of a value that is no tensor of its own: when it is taken is of no matter."""
    return isinstance(step.node, Chunk | Slice) and step.node.is_view


def is_function(step: Step) -> bool:
    """Whether a step is a child of one value, which makes one that later steps read as a whole."""
    node = step.node
    alone = not step.layers and not step.looks and not isinstance(node, Meeting | Outputs)
    return alone and (node._is_inlined or not node._is_step) and not node._is_head


def is_bare(step: Step) -> bool:
    """Whether no layer in it has tensors."""
    return not any(isinstance(node, Layer) and node._has_tensors for _, node in walk(step.node))


def children_of(chain: Sequence[Step]) -> dict[str, Node]:
    return {step.name: step.node for step in chain}


def _one(chain: Chain, inline: bool = False) -> Node:
    """The node that a chain is."""
    if len(chain) == 1:
        return chain[0].node
    return Inline(Sequential, **children_of(chain)) if inline else Sequential(**children_of(chain)) if chain else PLAIN
