"""Folding: what a description says in steps, said with joins where these say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from .edit import rebuilt, walk
from .inline import Inline
from .join import DEEPEST, Join
from .joins import ADD, CAT, MULTIPLY, PLAIN, SUBTRACT, Collect, Concat, Dense, Difference, Gate, Residual
from .meetings import Meeting
from .node import Layer, Node
from .parts import Chunk, Slice
from .sequential import Aux, Sequential
from .shortcut import Shortcut, unmarked
from .steps import INPUT, From, Outputs, Plan, Ref, Run, Step
from .walker import child_path

Chain: TypeAlias = list[Step]

Around: TypeAlias = Residual | Gate | Dense | Difference

NOTHING: Mapping[str, Ref] = {}

AROUND: Mapping[Meeting, type[Around]] = {ADD: Residual, MULTIPLY: Gate, CAT: Dense, SUBTRACT: Difference}
"""The join of two values by how they meet."""

SHORTCUTS: Mapping[Meeting, int] = {CAT: 0, SUBTRACT: 1}
"""Which of two values is the shortcut's, where their order counts."""

SHORTCUT = "downsample"
"""The child of a `Residual` that is its shortcut."""


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
    return _folded(description, "", frozenset())


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
        return _marked(node, names, _depth(path))
    while isinstance(node, Sequential) and node._plan is not None:
        block = _Block(node, node._plan, names, path)
        folded = (
            block.whole() or block.wrapped() or block.absorbed() or block.closed() or block.grown() or block.collected()
        )
        if folded is None:
            return block.inlined()
        node = folded
    return node


def _depth(path: str) -> int:
    """How many joins are around what is at a path."""
    return path.count(".") + bool(path)


def _marked(node: Around, pinned: Set[str], depth: int) -> Join:
    """The same with the mark at the chain of layers at which it is set here, where that is another."""
    steps = [Step(name, child, ()) for name, child in node.children if not node._is_plain(name, child)]
    body, shortcut = ([step for step in steps if (step.name == node._marked) is marked] for marked in (False, True))
    meeting = next(meeting for meeting, kind in AROUND.items() if isinstance(node, kind))
    chains = [shortcut, body] if SHORTCUTS.get(meeting) == 0 else [body, shortcut]
    made = _join(_Region(Ref(INPUT), chains, Step("", meeting, ()), len(steps), steps))
    fits = made is not None and depth + made.levels <= DEEPEST and _keeps(made.join(), node, pinned)
    return made.join() if made is not None and fits else node


def _keeps(join: Join, node: Join, pinned: Set[str]) -> bool:
    """Whether a join has the children of these names as they are in a node."""
    stood = {(name, child) for name, child in node.children if name in pinned}
    return stood <= {(name, child) for name, child in join.children if not join._is_plain(name, child)}


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


class _Region(NamedTuple):
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
            key=lambda chain: order[next((step for step in chain if not _is_view(step)), chain[0]).name],
        )

    def runs_as(self, chains: list[Chain]) -> bool:
        """Whether its layers run chain by chain, in this order."""
        own = [step.name for step in self.steps if not _is_view(step)]
        return own == [step.name for chain in chains for step in chain if not _is_view(step)]


class _Made(NamedTuple):
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


class _Block:
    """A Sequential with steps at a path, in which the children of the names `pinned` have to keep their names and their
    values."""

    def __init__(self, node: Sequential, plan: Plan, pinned: set[str], path: str) -> None:
        self.node = node
        self.plan = plan
        self.steps = plan.steps
        self.pinned = pinned
        self.path = path
        self.depth = _depth(path)
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
        before, made = region.meeting.name, _join(region)
        for step in behind:
            if not _is_function(step) or step.reads != (Ref(before),) or self.readers[before] > 1:
                return None
            before = step.name
        if made is None or region.root != Ref(INPUT) or len(region.steps) < region.place:
            return None
        if self.depth + made.levels > DEEPEST or not all(map(_is_bare, made.moved)):
            return None
        join, tail = made.join(), _named(behind)
        if tail and (not join._meets or SHORTCUT in tail):
            return None
        join = join._with({**dict(join.children), **tail})
        return join if _keeps(join, self.node, self.pinned) else None

    def wrapped(self) -> Sequential | None:
        """The same with all regions of layers without tensors in joins, which stand where the meetings stood."""
        joins: dict[str, From] = {}
        gone: set[str] = set()
        for region in self.regions:
            made, names = _join(region), {step.name for step in region.steps}
            if made is None or names & self.pinned or not all(map(_is_bare, region.steps)):
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
            meeting, steps, made = region.meeting, region.steps, _join(region)
            if made is None or made.marked or len(region.chains) != 2 or len(steps) != 1 or meeting.name in self.named:
                continue
            (body,) = steps
            chain = body.node
            if type(chain) is not Sequential or chain._plan is not None or SHORTCUT in dict(chain.children):
                continue
            if body.name not in self.named:
                joins[body.name] = made.kind(**dict(chain.children))
                names[meeting.name] = body.name
        return self._instead(joins, names)

    def closed(self) -> Sequential | None:
        """The same with a meeting of all that the child before it gives, and that nothing else reads, in that child."""
        for body, meeting in pairwise(self.steps):
            alone = meeting.reads == (Ref(body.name),) and self.readers[body.name] == 1 and not body.looks
            if not isinstance(meeting.node, Meeting) or type(body.node) is not Sequential or not alone:
                continue
            *layers, (end, given) = body.node._said()
            several = isinstance(given, From) and isinstance(given.node, Outputs)
            if several and body.name not in self.pinned and meeting.name not in self.named:
                inner = Sequential(**dict(layers), **{end: From(*given.names, meeting.node)})
                join = _folded(inner, child_path(self.path, body.name), frozenset())
                return self._instead({body.name: join}, {meeting.name: body.name})
        return None

    def grown(self) -> Sequential | None:
        """The same with a growing concatenation as layers that each append to what they read, where every layer reads
        all values before it and does nothing with them but concatenate them first. At inference such layers keep no
        more than what they have appended to alive."""
        for place, meeting in enumerate(self.steps):
            root, *made = meeting.reads
            layers = self.steps[max(place - len(made), 0) : place]
            if meeting.node != CAT or not made or [Ref(step.name) for step in layers] != made:
                continue
            joins = {
                step.name: Dense(**body)
                for number, step in enumerate(layers)
                if step.reads == meeting.reads[: number + 1]
                and self.readers[step.name] == len(made) - number
                and not step.looks
                and (body := _behind_cat(step.node, number + 1)) is not None
            }
            if len(joins) == len(made) and not {*joins, meeting.name} & self.pinned and not self._gives_several(root):
                read = dict(zip(joins, meeting.reads, strict=False))
                return self._instead(joins, {meeting.name: layers[-1].name}, read)
        return None

    def _instead(
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

    def collected(self) -> Join | None:
        """The `Collect` that all of it is, or the same with children that give all that their layers make, one after
        the other, to a concatenation behind what they read."""
        last = len(self.steps) - 1
        if type(self.node) is Sequential and len(self.steps) == len(self.node):
            members = self._collection(self.steps, last)
            if members is not None and len(members) == last and members[0].reads == (Ref(INPUT),):
                join = Collect(**_named(members))
                return join if _keeps(join, self.node, self.pinned) else None
        for meeting in self.steps:
            body = next((step for step in self.steps if meeting.reads == (*step.reads[:1], Ref(step.name))), None)
            if meeting.node != CAT or body is None or body.looks or self.readers[body.name] > 1:
                continue
            parts = _all_given(body.node)
            if parts and not {body.name, meeting.name} & self.pinned:
                return self._instead({body.name: Collect(**parts)}, {meeting.name: body.name})
        return None

    def _collection(self, steps: Sequence[Step], place: int) -> Chain | None:
        """The layers, each of what the one before it makes, that the concatenation at that place puts behind what the
        first one reads; None where it is none of these."""
        meeting = steps[place]
        root, *made = meeting.reads or (Ref(INPUT),)
        members = [*steps[max(place - len(made), 0) : place]]
        if meeting.node != CAT or len(made) < 2 or [Ref(step.name) for step in members] != made:
            return None
        in_turn = all(
            _is_function(step) and step.reads == (read,) and self.readers[step.name] == 1 + (step is not members[-1])
            for step, read in zip(members, meeting.reads, strict=False)
        )
        return members if in_turn and not self._gives_several(root) else None

    def inlined(self) -> Sequential:
        """The same with all regions that are left as joins without a path of their own."""
        planned = {step.name: step for step in self.steps}
        found: list[Step] = []
        for name, child in self.node.children:
            found.append(planned.get(name) or Step(name, child, ()))
            region = self._region(found, len(found) - 1)
            made = None if region is None else _join(region, inline=True)
            members = self._collection(found, len(found) - 1)
            if members is not None:
                inline = Inline(Collect, **_named(members))
                found[-1 - len(members) :] = [Step(name, inline, members[0].reads)]
                self.readers[members[0].reads[0].source] -= 1
            if region is not None and made is not None:
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

    def _around(self, said: Mapping[str, Any]) -> Sequential:
        return type(self.node)(*self.node._head, **said)

    def _region(self, steps: Sequence[Step], place: int) -> _Region | None:
        """The region of the meeting at that place whose layers are those before it; None where there is none."""
        meeting = steps[place]
        if not isinstance(meeting.node, Meeting):
            return None
        named = {step.name: step for step in steps}
        most = 1 if len(meeting.reads) == 1 else place
        found = [self._behind(ref, named, most) for ref in meeting.reads]
        root = found[0][1]
        chains = [chain for chain, _ in found]
        if any(other != root for _, other in found) or self._gives_several(root):
            return None
        names = {step.name for chain in chains for step in chain}
        region = [step for step in steps[:place] if step.name in names]
        ordered = [step for step in steps[:place] if not _is_view(step)]
        count = sum(not _is_view(step) for step in region)
        if any(step.name not in names for step in ordered[len(ordered) - count :]):
            return None
        return _Region(root, chains, meeting, place, region)

    def _gives_several(self, ref: Ref) -> bool:
        whole = ref == Ref(ref.source) != Ref(INPUT)
        return whole and bool(self.steps[self.places[ref.source]].node._gives)

    def _behind(self, ref: Ref, named: Mapping[str, Step], most: int) -> tuple[Chain, Ref]:
        """The chain of at most so many layers, read by nothing else, that ends in a value, and what it begins with."""
        chain: Chain = []
        while len(chain) < most and ref == Ref(ref.source) != Ref(INPUT):
            step = named[ref.source]
            if not _is_function(step) or self.readers[ref.source] > 1:
                break
            chain.append(step)
            (ref,) = step.reads
        return chain[::-1], ref


def _join(region: _Region, inline: bool = False) -> _Made | None:
    """The join that is a region, where there is one; with `inline` it has no path of its own."""
    meeting, chains, full = region.meeting.node, region.chains, region.runs
    if meeting == CAT and all(chains) and region.runs_as(chains):
        moved = [step for chain in chains if len(chain) > 1 for step in chain]
        if inline or len(chains) != 2 or all(map(_is_bare, moved)):
            return _Made(Concat, {chain[-1].name: _one(chain, inline) for chain in chains}, moved)
    if len(chains) != 2 or meeting not in AROUND:
        return None
    in_turn = region.runs_as(full)
    made = _summed(full, in_turn) if meeting == ADD and not inline else None
    return made or _around(region, in_turn, inline)


def _is_view(step: Step) -> bool:
    """Whether it is a part of a value that is no tensor of its own: when it is taken is of no matter."""
    return isinstance(step.node, Chunk | Slice) and step.node.is_view


def _summed(full: list[Chain], in_turn: bool) -> _Made | None:
    """The sum of two chains, of which the second may be the shortcut of a `Residual`, `downsample`."""
    body, shortcut = [*full, [], []][:2]
    if _is_shortcut(body) and not shortcut:
        body, shortcut = shortcut, body
    moved = [] if _is_shortcut(shortcut) else shortcut
    if not in_turn or not all(map(_is_bare, moved)) or any(step.name == SHORTCUT for step in body):
        return None
    return _Made(Residual, {**_named(body), SHORTCUT: _one(shortcut)}, moved)


def _around(region: _Region, in_turn: bool, inline: bool) -> _Made | None:
    """Two chains that meet, of which one is marked as the shortcut, where it has layers: by its place where their order
    counts, else that called `downsample`, else that of fewer layers, else that which begins last. What is marked is one
    child: a chain of several can be made one where it runs in turn, and either has no tensors or is inlined."""
    full, meeting = region.runs, region.meeting.node
    assert isinstance(meeting, Meeting)
    kind, place = AROUND[meeting], SHORTCUTS.get(meeting)

    def is_able(chain: Chain) -> bool:
        return len(chain) == 1 or (in_turn and (inline or all(map(_is_bare, chain))))

    if place is not None:
        shortcut = region.chains[place]
        if not is_able(shortcut):
            return None
    elif len(full) == 2:
        able = [*filter(is_able, reversed(full))]
        if not able:
            return None
        lighter = min(able, key=lambda chain: sum(step.node._nodes for step in chain))
        shortcut = next(filter(_is_shortcut, full), lighter)
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
    return _Made(kind, children, shortcut if len(shortcut) > 1 else [])


def _is_shortcut(chain: Chain) -> bool:
    return [step.name for step in chain] == [SHORTCUT]


def _behind_cat(node: Node, entering: int) -> dict[str, Node] | None:
    """The children, one after the other, of a block that first concatenates the values, of this number, that enter;
    None where it is no such block."""
    if type(node) is not Sequential or node._plan is None or len(node._plan.steps) < len(node):
        return None
    first, *others = node._plan.steps
    every = tuple(Ref(INPUT, str(port)) for port in range(entering)) if entering > 1 else (Ref(INPUT),)
    read = [first.name, *(step.name for step in others)]
    in_turn = all(_is_function(step) and step.reads == (Ref(name),) for step, name in zip(others, read, strict=False))
    return _named(others) if first.node == CAT and first.reads in (every, (Ref(INPUT),)) and in_turn else None


def _all_given(node: Node) -> dict[str, Node] | None:
    """The children of a block, one after the other, of which it gives every value; None where it is no such block."""
    if type(node) is not Sequential or node._plan is None or len(node._plan.steps) < len(node):
        return None
    *layers, last = node._plan.steps
    names = [step.name for step in layers]
    in_turn = all(
        _is_function(step) and step.reads == (Ref(name),) for step, name in zip(layers, [INPUT, *names], strict=False)
    )
    whole = isinstance(last.node, Outputs) and last.reads == tuple(map(Ref, names))
    return _named(layers) if in_turn and whole else None


def _is_function(step: Step) -> bool:
    """Whether a step is a child of one value, which makes one that later steps read as a whole."""
    node = step.node
    alone = not step.layers and not step.looks and not isinstance(node, Meeting | Outputs)
    return alone and (node._is_inlined or not node._is_step) and not node._is_head


def _is_bare(step: Step) -> bool:
    """Whether no layer in it has tensors."""
    return not any(isinstance(node, Layer) and node._has_tensors for _, node in walk(step.node))


def _named(chain: Sequence[Step]) -> dict[str, Node]:
    return {step.name: step.node for step in chain}


def _one(chain: Chain, inline: bool = False) -> Node:
    """The node that a chain is."""
    if len(chain) == 1:
        return chain[0].node
    return Inline(Sequential, **_named(chain)) if inline else Sequential(**_named(chain)) if chain else PLAIN
