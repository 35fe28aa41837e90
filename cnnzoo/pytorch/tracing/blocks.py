"""The calls of a run as blocks: each module a Sequential of steps, under the names of the original."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ...arch import From, Join, ModuleList, Node, Outputs, Run, Sequential
from ...arch.join import TAKEN
from ...arch.steps import INPUT
from .events import Call, Event, Op, UnsaidError, calls, free, inside, loosen, made_by, ops, owns, sign, taken
from .foreign import Told
from .settle import settle, without_dead


class Blocks:
    """Makes the description of a run in words; `describe()` is all of it."""

    def __init__(self, run: Told) -> None:
        self.root: Any = run.call.module
        self.run = run
        self.reads: Counter[int] = Counter(run.outputs)
        """How often each value is read."""
        self.gives: dict[str, list[int]] = {}
        """By the path of a module with tensors: which of the values that it makes are read around it, in any of its
        calls; by their places among all that it makes."""
        self.kept: dict[str, Node] = {}
        """The nodes of the modules with tensors, by path, once they have run."""
        self.signs: dict[str, Any] = {}
        self.paths: dict[int, str] = {}

    def describe(self) -> Node:
        for op in ops(self.run.call.events):
            self.reads.update(op.reads)
        whole = settle(self.run.call, self.reads)
        if len(whole) == 1 and isinstance(whole[0], Op) and whole[0].path == "":
            return whole[0].node
        top = self.run.call
        top.events = whole if whole != [top] else top.events
        top.events = without_dead(top.events, self.run.outputs)
        self.reads = Counter([*self.run.outputs, *(value for op in ops(top.events) for value in op.reads)])
        self._group(top)
        self._note_gives(top)
        return self._block(top, self.run.inputs, self.run.outputs)

    # Which values leave a block

    def _note_gives(self, call: Call) -> None:
        for event in call.events:
            if isinstance(event, Call):
                inside = Counter(value for op in ops(event.events) for value in op.reads)
                made = made_by(event)
                places = [place for place, value in enumerate(made) if self.reads[value] > inside[value]]
                known = self.gives.setdefault(self._key(event), [])
                known += [place for place in places if place not in known]
                known.sort()
                self._note_gives(event)

    def _key(self, call: Call) -> str:
        return call.path if owns(call) else f"{call.path} {id(call)}"

    def _given(self, call: Call) -> list[int]:
        made = made_by(call)
        return [made[place] for place in self.gives[self._key(call)] if place < len(made)]

    # What stands below a module that is not called itself

    def _group(self, call: Call) -> None:
        """Calls of modules two levels down are those of a block between, where nothing else is called meanwhile."""
        ran: set[str] = set()
        again: set[int] = set()
        for event in call.events:
            if owns(event):
                inner = {one.path or "" for one in [event, *calls([event]), *ops([event])] if owns(one)}
                if event.path in ran:
                    again.add(id(event))
                ran |= inner
            elif event.path is not None and not free(event):
                if event.path in ran:
                    loosen(event)
                ran.add(event.path)
        for name in dict.fromkeys(filter(None, (self._deep(call, event, again) for event in call.events))):
            where = [at for at, event in enumerate(call.events) if self._deep(call, event, again) == name]
            span = call.events[where[0] : where[-1] + 1]
            prefix = f"{call.path}.{name}" if call.path else name
            if all(free(event) or (event.path or "").startswith(f"{prefix}.") for event in span):
                block = Call(prefix, None)
                block.events = span
                call.events[where[0] : where[-1] + 1] = [block]
        for event in call.events:
            if isinstance(event, Call):
                self._group(event)

    def _deep(self, call: Call, event: Event, again: set[int]) -> str | None:
        """The first name on the way to an event more than one level below the call."""
        if free(event) or event.path is None or id(event) in again:
            return None
        first, _, rest = inside(call.path, event.path).partition(".")
        return first if rest else None

    # Blocks

    def _block(self, call: Call, takes: list[int], gives: list[int]) -> Sequential:
        refs = {value: f"{INPUT}.{place}" for place, value in enumerate(takes)}
        if len(takes) == 1:
            refs = {takes[0]: INPUT}
        names = Names(self._names(call))
        children: dict[str, Any] = {}
        ports: dict[str, tuple[str, ...]] = {}
        last = INPUT
        held = self._held(call)
        for event in call.events:
            read = event.reads if isinstance(event, Op) else taken(event)
            texts = whole([refs[value] for value in read], ports)
            below = None if free(event) or event.path is None else inside(call.path, event.path)
            if below is not None and (event.path in self.kept or "." in below):
                if event.path not in self.kept:
                    self.kept[event.path or ""] = self._node(event)
                    first = below.partition(".")[0]
                    if first not in children:
                        children[first] = held[first]
                if sign(event) != self.signs.setdefault(event.path or "", sign(event)):
                    raise UnsaidError(event.path or "", "its second call does other things than its first")
                node: Node = self.kept[event.path or ""]
                name, child = names.new(event.hint), Run(below)
            else:
                node = child = self._node(event)
                name = below or names.new(event.hint)
                if below is not None and owns(event):
                    self._keep(event, node)
            children[name] = child if texts == [last] else From(*texts, child)
            ports[name] = node._gives
            made = [event.made] if isinstance(event, Op) else self._given(event)
            refs |= {
                value: f"{name}.{port}" if port else name
                for value, port in zip(made, node._gives or ("",), strict=False)
            }
            last = name
        self._fill(held, children, call)
        wanted = whole([refs[value] for value in gives], ports)
        if wanted and wanted != [last]:
            children[names.new("out")] = Outputs(*wanted)
        return Sequential(**children)

    def _keep(self, event: Event, node: Node) -> None:
        """Note what has run, so that it can run again."""
        self.kept[event.path or ""] = node
        self.signs[event.path or ""] = sign(event)

    def _node(self, event: Event) -> Node:
        if isinstance(event, Op):
            return event.node
        given = self._given(event)
        return self._block(event, taken(event), given)

    def _names(self, call: Call) -> set[str]:
        module: Any = self.root.get_submodule(call.path)
        return {*module._modules.keys(), *module._parameters, *module._buffers}

    def _held(self, call: Call) -> dict[str, Any]:
        """Placeholders of the children whose modules `Run` runs."""
        names = (self._deep(call, event, set()) for event in call.events)
        return dict.fromkeys(filter(None, names), HELD)

    def _fill(self, held: dict[str, Any], children: dict[str, Any], call: Call) -> None:
        for name in held:
            if children.get(name) is HELD:
                prefix = f"{call.path}.{name}" if call.path else name
                paths = [
                    event.path
                    for event in call.events
                    if not free(event) and (event.path or "").startswith(f"{prefix}.")
                ]
                children[name] = self._list(prefix, sorted({*filter(None, paths)}, key=_order))

    def _list(self, prefix: str, paths: Sequence[str]) -> Join:
        names = dict.fromkeys(inside(prefix, path).partition(".")[0] for path in paths)
        found: dict[str, Node] = {}
        for name in names:
            path = f"{prefix}.{name}"
            found[name] = (
                self.kept[path]
                if path in paths
                else self._list(path, [one for one in paths if one.startswith(f"{path}.")])
            )
        return ModuleList(**found)


HELD = object()


class Names:
    """Names for what has none of its own in a block."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken | TAKEN | {INPUT}

    def new(self, hint: str) -> str:
        plain = hint if hint and not hint[0].isdigit() else f"layer{hint}"
        number = 0
        name = plain
        while name in self.taken or hasattr(Sequential, name):
            number += 1
            name = f"{plain}_{number}"
        self.taken.add(name)
        return name


def whole(texts: list[str], ports: dict[str, tuple[str, ...]]) -> list[str]:
    """The name of a child in place of those of all the values that it gives."""
    found: list[str] = []
    at = 0
    while at < len(texts):
        name = texts[at].rpartition(".")[0]
        each = [f"{name}.{port}" for port in ports.get(name, ())]
        if each and texts[at : at + len(each)] == each:
            found.append(name)
            at += len(each)
        else:
            found.append(texts[at])
            at += 1
    return found


def _order(path: str) -> list[Any]:
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in path.split(".")]
