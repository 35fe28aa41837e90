"""Layers in a row, or step by step; what runs in training only, and what steps alone run."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from keyword import iskeyword
from typing import Any, TypeVar

from ..errors import InvalidTypeError
from ..words import listed, quoted
from .inline import Group, Inline, inlined, kept, lowered
from .join import Flow, Join
from .layers import Identity
from .meetings import Meeting
from .node import Node, Ports
from .signal import ShapeError
from .steps import INPUT, From, Outputs, Plan, Planner, Ref, Several, together

T = TypeVar("T")


class Sequential(Join):
    """g(f(x)); an empty one is the identity. An `Aux` among its children hangs on an earlier sibling.

    A child reads the child before it, the first one what enters. Steps read by name: `From("conv3", ReLU())`,
    `Add("a", "b")`, `Run("head", "p4")`, `Outputs("p3", "p4")`; a `ModuleList` holds layers that only `Run` runs. Names
    are checked here: they are earlier siblings, paths into these, or "input".
    """

    __slots__ = ("_gives", "_groups", "_plan", "_reads", "_takes")
    _inlines = True
    _takes_steps = True
    _takes_heads = True

    _reads: Mapping[str, Ports]
    """The names that a child reads, by its own name, where it does not read the child before it."""
    _plan: Plan | None
    """None for a chain of children that each take and give one value."""
    _groups: tuple[Group, ...]
    """The inlined joins, in order."""

    def __init__(self, /, *layers: Node | From | None, **named: Node | From | None) -> None:
        given: list[tuple[str, Any]] = [*zip(map(str, count()), layers), *named.items()]  # noqa: B905
        groups: tuple[Group, ...] = ()
        if any(isinstance(_node(child), Inline) for _, child in given):
            given, groups = lowered(given, INPUT)
            layers, named = (), dict(given)
        reads = {name: child.names for name, child in given if isinstance(child, From)}
        super().__init__(*map(_node, layers), **{name: _node(child) for name, child in named.items()})
        plan = self._planned(reads) if reads or any(child._is_step for child in self) else None
        slots = {
            "_reads": reads,
            "_plan": plan,
            "_takes": plan.takes if plan else (),
            "_gives": plan.gives if plan else (),
            "_groups": groups,
        }
        for slot, value in slots.items():
            object.__setattr__(self, slot, value)

    def _planned(self, reads: dict[str, Ports]) -> Plan:
        """Its steps in order; what is read as in a chain is taken out of `reads`."""
        planner = Planner(type(self).__name__)
        for name, child in self.children:
            if isinstance(child, ModuleList):
                planner.hold(name, child, reads.get(name, ()))
                continue
            names = reads.get(name, ())
            if isinstance(child, Aux):
                if names:
                    raise ShapeError(
                        f"{type(self).__name__}: the head {quoted(name)} reads {quoted(child.source)} alone"
                    )
                names = (child.source,)
            elif names == (planner.last,):
                del reads[name]
            planner.add(name, child, names)
        return planner.plan()

    @property
    def _heads(self) -> list[str]:
        """The names of the auxiliary heads among its children."""
        return [name for name, child in self.children if isinstance(child, Aux)]

    def _check(self, name: str, child: Any, before: Mapping[str, Node]) -> None:
        super()._check(name, child, before)
        if not isinstance(child, Aux):
            return
        if not name.isidentifier() or iskeyword(name) or name == "logits":
            raise ShapeError(
                f"{type(self).__name__}: an auxiliary head cannot be named {quoted(name)}: its name is a field of what "
                f"the network returns in training, beside `logits`; say aux1=Aux(…)"
            )
        source = before.get(child.source, child)
        if isinstance(source, Aux) or not source._makes:
            names = [own for own, other in before.items() if other._makes]
            raise ShapeError(
                f"Sequential: the auxiliary head {quoted(name)} hangs on {quoted(child.source)}, "
                f"which is none of the children before it ({listed(names) or 'none'})"
            )

    def _steps(self) -> list[tuple[str, Any]]:
        """Its children with what they read, those of inlined joins by themselves."""
        reads = self._reads
        return [(name, From(*reads[name], child) if name in reads else child) for name, child in self.children]

    def _said(self) -> list[tuple[str, Any]]:
        if not self._groups:
            return self._steps()
        owner = {name: group for group in self._groups for name in group.names()}
        said: dict[str, Any] = {}
        last = INPUT
        for name, child in self._steps():
            group = owner.get(name)
            if group is None:
                said[name] = child
            elif group.name not in said:
                read = child.names[0] if isinstance(child, From) else last
                inline = inlined(group, self._named)
                said[group.name] = inline if read == last else From(read, inline)
            last = name if _node(child)._makes else last
        return [*said.items()]

    def _with(self, children: Mapping[str, Any], bypass: bool = False) -> Join:
        """The same around other children; None is no child. A child of a name that stays reads what it read; where it
        read the child before it, and that is gone, what that one read. With `bypass` so does what read it by name; and
        for the last child, where that is gone and read by name, stands an Identity that gives what it read."""
        if self._plan is None:
            return super()._with(children)
        given = {name: child for name, child in children.items() if child is not None}
        reads = {step.name: tuple(map(str, step.reads)) for step in self._plan.steps}
        instead: dict[str, Ports] = {}
        """What is read in place of each step that is gone."""
        for name in reads:
            if name not in given:
                instead[name] = tuple(n for one in reads[name] for n in instead.get(one, (one,)))
        last = INPUT
        for name, child in given.items():
            names = self._reads.get(name, ())
            if isinstance(child, From | Aux | ModuleList):
                pass
            elif names:
                found = [n for one in names for n in instead.get(one, (one,))] if bypass else names
                given[name] = From(*found, child)
            elif name in reads and (gone := instead.get(reads[name][0], (last,))) != (last,):
                given[name] = From(*gone, child)
            last = name if _node(child)._makes else last
        end = next((step.name for step in reversed(self._plan.steps) if step.node._makes), INPUT)
        if bypass and end not in given and len(instead.get(end, ())) == 1 and instead[end] != (last,):
            given[end] = From(*instead[end], Identity())
        new = type(self)(*self._head, **given)
        if self._groups and new._plan is not None:
            every = {step.name: From(*map(str, step.reads), step.node) for step in new._plan.steps}
            said = {name: every.get(name) for name, _ in new.children}
            groups = [*new._groups, *(one for group in self._groups for one in kept(group, said, new._named))]
            groups.sort(key=lambda group: [*said].index(group.name))
            object.__setattr__(new, "_groups", tuple(groups))
        return new

    def flow(self, x: T, through: Flow[T]) -> T:
        if self._plan is not None:
            return self._stepped(self._plan, x, through)
        seen: dict[str, T] = {}
        for name, child in self.children:
            if isinstance(child, Aux):
                through.run(name, child, seen[child.source])
            else:
                x = seen[name] = through.run(name, child, x)
        return x

    def _stepped(self, plan: Plan, x: T, through: Flow[T]) -> T:
        seen: dict[str, Any] = {INPUT: x}

        def value(ref: Ref) -> Any:
            if ref.inner:
                return through.inner(f"{ref.source}.{ref.inner}")
            whole = seen[ref.source]
            return whole.part(ref.port) if ref.port else whole

        y: Any = x
        for step in plan.steps:
            read: Any = gathered([(str(ref), value(ref)) for ref in step.reads])
            node = step.node
            if isinstance(node, Meeting):
                y = through.meet(step.name, node, [*read.values()] if isinstance(read, Several) else [read])
            elif isinstance(node, Outputs):
                y = read
            elif step.layers:
                y = through.again(step, read)
            elif step.looks:
                y = through.look(step.name, node, read, step.looks)
            elif node._makes:
                y = through.run(step.name, node, read)
            else:
                through.run(step.name, node, read)
            seen[step.name] = y
        return y  # type: ignore[no-any-return]


def gathered(reads: list[tuple[str, Any]]) -> Any:
    """What is read by these names, together: the value, or several."""
    if len(reads) == 1:
        return reads[0][1]
    names = together([(text, tuple(value) if isinstance(value, Several) else ()) for text, value in reads])
    values = [one for _, value in reads for one in (value.values() if isinstance(value, Several) else [value])]
    return Several(zip(names, values, strict=True))


def _node(child: Any) -> Any:
    """A child without what it reads."""
    return child.node if isinstance(child, From) else child


class Aux(Sequential):
    """A side head that exists in training only: `Aux("inception4a", …)` reads that sibling's output.

    Szegedy et al. (2014), section 5. Its cost is counted apart and its output is not passed on.
    """

    __slots__ = ("source",)
    _inlines = False
    _is_head = True
    _is_step = False
    _makes = False
    _runs = False
    _head_names = ("source",)

    source: str

    def __init__(self, source: str, /, *layers: Node | None, **named: Node | None) -> None:
        if not isinstance(source, str):
            raise InvalidTypeError(f"Aux: source must be the name of an earlier child, got {quoted(source)}")
        object.__setattr__(self, "source", source)
        super().__init__(*layers, **named)


class ModuleList(Join):
    """Layers that `Run` runs, by their paths: `ModuleList(a, b)` gives no value where it stands."""

    __slots__ = ()
    _takes_steps = True
    _makes = False
    _runs = False
