"""Blocks: a Sequential with steps, and what it is with joins in place of some of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .inline import Inline
from .join import DEEPEST, Join
from .joins import CAT, Collect
from .meetings import Meeting
from .node import Node
from .regions import SHORTCUT, Chain, Region, children_of, is_bare, is_function, is_view, join_of, keeps
from .sequential import Aux, Sequential
from .steps import INPUT, From, Plan, Ref, Step

NOTHING: Mapping[str, Ref] = {}


class Block:
    """A Sequential with steps at a path, in which the children of the names `pinned` have to keep their names and their
    values."""

    def __init__(self, node: Sequential, plan: Plan, pinned: set[str], path: str) -> None:
        self.node = node
        self.steps = plan.steps
        self.pinned = pinned
        self.path = path
        self.depth = depth_of(path)
        self.places = {step.name: place for place, step in enumerate(self.steps)}
        self.readers = Counter(ref.source for step in self.steps for ref in step.reads)
        self.named = pinned | {
            ref.source
            for step in self.steps
            for ref in step.reads
            if isinstance(step.node, Aux) or (len(step.reads) > 1 and not isinstance(step.node, Meeting))
        }
        """The children whose names matter: those that are pinned, and what is read or given together by name."""
        self.regions = [
            region for place in range(len(self.steps)) if (region := self._region(self.steps, place)) is not None
        ]

    def whole(self) -> Join | None:
        """The join that all of it is; what follows a sum is a part of a `Residual`."""
        if type(self.node) is not Sequential or len(self.steps) < len(self.node) or len(self.regions) != 1:
            return None
        region = self.regions[0]
        behind = self.steps[region.place + 1 :]
        before, made = region.meeting.name, join_of(region)
        for step in behind:
            if not is_function(step) or step.reads != (Ref(before),) or self.readers[before] > 1:
                return None
            before = step.name
        if made is None or region.root != Ref(INPUT) or len(region.steps) < region.place:
            return None
        if self.depth + made.levels > DEEPEST or not all(map(is_bare, made.moved)):
            return None
        join, tail = made.join(), children_of(behind)
        if tail and (not join._meets or SHORTCUT in tail):
            return None
        join = join._with({**dict(join.children), **tail})
        return join if keeps(join, self.node, self.pinned) else None

    def wrapped(self) -> Sequential | None:
        """The same with all regions of layers without tensors in joins, which stand where the meetings stood."""
        joins: dict[str, From] = {}
        gone: set[str] = set()
        for region in self.regions:
            made, names = join_of(region), {step.name for step in region.steps}
            if made is None or names & self.pinned or not all(map(is_bare, region.steps)):
                continue
            if self.depth + 1 + made.levels > DEEPEST:
                continue
            joins[region.meeting.name] = From(str(region.root), made.join())
            gone |= names
        if not joins:
            return None
        return self._around({name: joins.get(name, child) for name, child in self.node._steps() if name not in gone})

    def absorbed(self) -> Sequential | None:
        """The same with all children that are chains, and read by a meeting with what they read, as the joins of
        these."""
        joins: dict[str, Join] = {}
        names: dict[str, str] = {}
        for region in self.regions:
            meeting, steps, made = region.meeting, region.steps, join_of(region)
            if made is None or made.marked or len(region.chains) != 2 or len(steps) != 1 or meeting.name in self.named:
                continue
            (body,) = steps
            chain = body.node
            if type(chain) is not Sequential or chain._plan is not None or SHORTCUT in dict(chain.children):
                continue
            if body.name not in self.named:
                joins[body.name] = made.kind(**dict(chain.children))
                names[meeting.name] = body.name
        return self.instead(joins, names)

    def inlined(self) -> Sequential:
        """The same with all regions that are left as joins without a path of their own."""
        planned = {step.name: step for step in self.steps}
        found: list[Step] = []
        for name, child in self.node.children:
            found.append(planned.get(name) or Step(name, child, ()))
            region = self._region(found, len(found) - 1)
            made = None if region is None else join_of(region, inline=True)
            members = self.collection(found, len(found) - 1)
            if members is not None:
                inline = Inline(Collect, **children_of(members))
                found[-1 - len(members) :] = [Step(name, inline, members[0].reads)]
                self.readers[members[0].reads[0].source] -= 1
            if region is not None and made is not None and self.depth + made.levels <= DEEPEST:
                names = {name, *(step.name for step in region.steps)}
                found = [step for step in found if step.name not in names]
                found.append(Step(name, made.inline(), (region.root,)))
                self.readers[region.root.source] -= len(region.chains) - 1  # all of it reads that once
        said: dict[str, Any] = {}
        for step in found:
            node = step.node if step.node._is_inlined else self.node._named[step.name]
            reads = () if isinstance(node, Aux) else step.reads
            said[step.name] = From(*map(str, reads), node) if reads else node
        return self._around(dict(self._around(said)._said()))  # a chain, without a plan, where steps say no more

    def collection(self, steps: Sequence[Step], place: int) -> Chain | None:
        """The layers, each of what the one before it makes, that the concatenation at that place puts behind what the
        first one reads; None where it is none of these."""
        meeting = steps[place]
        root, *made = meeting.reads or (Ref(INPUT),)
        members = [*steps[max(place - len(made), 0) : place]]
        if meeting.node != CAT or len(made) < 2 or [Ref(step.name) for step in members] != made:
            return None
        in_turn = all(
            is_function(step) and step.reads == (read,) and self.readers[step.name] == 1 + (step is not members[-1])
            for step, read in zip(members, meeting.reads, strict=False)
        )
        return members if in_turn and not self.gives_several(root) else None

    def instead(
        self, joins: Mapping[str, Node], names: Mapping[str, str], read: Mapping[str, Ref] = NOTHING
    ) -> Sequential | None:
        """The same with joins in place of the children of these names, and the names of others in place of meetings;
        `read` is what a child reads that does not read what it did."""
        if not joins:
            return None
        said: dict[str, Any] = {}
        for name, child in self.node.children:
            reads = (str(read[name]),) if name in read else self.node._reads.get(name, ())
            if name not in names:
                node = joins.get(name, child)
                said[name] = From(*(names.get(one, one) for one in reads), node) if reads else node
        return self._around(said)

    def _around(self, said: Mapping[str, Any]) -> Sequential:
        return type(self.node)(*self.node._head, **said)

    def _region(self, steps: Sequence[Step], place: int) -> Region | None:
        """The region of the meeting at that place whose layers are those before it; None where there is none."""
        meeting = steps[place]
        if not isinstance(meeting.node, Meeting):
            return None
        named = {step.name: step for step in steps}
        most = 1 if len(meeting.reads) == 1 else place
        found = [self._behind(ref, named, most) for ref in meeting.reads]
        root = found[0][1]
        chains = [chain for chain, _ in found]
        if any(other != root for _, other in found) or self.gives_several(root):
            return None
        names = {step.name for chain in chains for step in chain}
        region = [step for step in steps[:place] if step.name in names]
        ordered = [step for step in steps[:place] if not is_view(step)]
        count = sum(not is_view(step) for step in region)
        if any(step.name not in names for step in ordered[len(ordered) - count :]):
            return None
        return Region(root, chains, meeting, place, region)

    def gives_several(self, ref: Ref) -> bool:
        whole = ref == Ref(ref.source) != Ref(INPUT)
        return whole and bool(self.steps[self.places[ref.source]].node._gives)

    def _behind(self, ref: Ref, named: Mapping[str, Step], most: int) -> tuple[Chain, Ref]:
        """The chain of at most so many layers, read by nothing else, that ends in a value, and what it begins with."""
        chain: Chain = []
        while len(chain) < most and ref == Ref(ref.source) != Ref(INPUT):
            step = named[ref.source]
            if not is_function(step) or self.readers[ref.source] > 1:
                break
            chain.append(step)
            (ref,) = step.reads
        return chain[::-1], ref


def depth_of(path: str) -> int:
    """How many joins are around what is at a path."""
    return path.count(".") + bool(path)
