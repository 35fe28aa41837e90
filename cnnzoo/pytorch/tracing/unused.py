"""Tensors that a run does not read: of modules that are never run, and parameters of blocks that nothing asks for."""

from __future__ import annotations

from collections.abc import Mapping, Set

from torch import nn

from ...arch import Layer, Unused
from ...report.rows import key_of
from ...words import prefixes
from ..measuring.tree import Held, tensors_by_key
from .events import Event, Op, calls, ops, within
from .foreign import Told
from .leaves import stated


def add_unused(root: nn.Module, run: Told, heads: Set[str]) -> None:
    """Let what no layer of a run has be held by layers that hand their input on, each the largest module in which
    nothing ran; those of the children `heads`, which run in training, are left out."""
    every = tensors_by_key(root)
    left = _left(every, run, heads)
    events: list[Event] = [*calls([run.call]), *ops([run.call])]
    ran = {event.path for event in events if event.path is not None}
    around = {prefix for path in ran for prefix in prefixes(path)}
    used = {prefix for key in every.keys() - left.keys() for prefix in prefixes(key)}
    groups: dict[str, list[str]] = {}
    for key in left:
        place = next(prefix for prefix in prefixes(key) if prefix == key or prefix not in around | used)
        groups.setdefault(place, []).append(key)
    for place, keys in groups.items():
        _insert(run, Unused(*stated({key[len(place) + 1 :]: left[key] for key in keys})), place)


def _left(every: Mapping[str, Held], run: Told, heads: Set[str]) -> dict[str, Held]:
    """The tensors that no layer has, each by the first of its names."""
    said = set()
    for op in ops([run.call]):
        if op.owns and isinstance(op.node, Layer):
            shape = run.values.shapes[op.reads[0]]
            names = (*op.node.tensors(shape), *op.node.buffers(shape))
            said |= {key_of(op.path or "", name) for name in names}
    known = {id(every[key].tensor) for key in said if key in every}
    found: dict[int, str] = {}
    for key, held in every.items():
        if id(held.tensor) not in known and key.partition(".")[0] not in heads:
            found.setdefault(id(held.tensor), key)
    return {key: every[key] for key in found.values()}


def _insert(run: Told, node: Unused, place: str) -> None:
    """Put a layer in each call of the module that is nearest around it, behind the last of its siblings that ran."""
    every = [call for call in calls([run.call]) if within(call.path, place) and any(ops(call.events))]
    nearest = max((call.path for call in every), key=len)
    for call in [call for call in every if call.path == nearest]:
        beside = place.rpartition(".")[0]
        last = [at for at, event in enumerate(call.events) if any(ops([event]))]
        siblings = [at for at in last if within(beside, call.events[at].path or "")] if beside != nearest else []
        at = (siblings or last)[-1]
        order = [*ops([run.call])]
        before = [*ops([call.events[at]])]
        later = order[order.index(before[-1]) + 1 :]
        read = {value for op in later for value in op.reads} | {*run.outputs}
        value = next((op.made for op in reversed(before) if op.made in read), before[-1].made)
        made = run.values.add(run.values.shapes[value], True)
        for op in later:
            op.reads = [made if one == value else one for one in op.reads]
        run.outputs[:] = [made if one == value else one for one in run.outputs]
        event: Event = Op(node, [value], made, place, place.rpartition(".")[2], True)
        call.events.insert(at + 1, event)
