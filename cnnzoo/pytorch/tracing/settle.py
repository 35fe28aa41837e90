"""Which calls are blocks, and which are the layers in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ...arch import Node
from .events import Call, Event, Op, UnsaidError, free, inside, loosen, ops, owns
from .phrases import shorten


def settle(call: Call, readers: Counter[int]) -> list[Event]:
    """What a call is in the block around it: the block that it is, its only layer, or, where its tensors are one
    layer's and there is more, all of it, in the names of the block around."""
    events: list[Event] = []
    for event in call.events:
        events += settle(event, readers) if isinstance(event, Call) else [event]
    if not events:
        return []
    call.events = events
    shorten(call, readers)
    events = call.events
    name = call.path.rpartition(".")[2]
    if len(events) == 1 and isinstance(events[0], Op):
        only = events[0]
        has_children = bool(getattr(call.module, "_modules", ())) or hasattr(call.module, "is_container")
        if only.path == call.path or (only.path is None and not has_children and call.path):
            only.path, only.hint = call.path, name
            return [only]
    if not any(isinstance(event, Op) and event.path == call.path for event in events):
        return [call]
    for event in events:
        if event.path == call.path:
            continue
        if owns(event):
            raise UnsaidError(call.path, f"it has tensors itself, around those of {event.path}")
        below = event.hint if free(event) or event.path is None else inside(call.path, event.path)
        loosen(event)
        event.hint = f"{name}_{below.replace('.', '_')}"
    return events


def without_dead(events: Sequence[Event], outputs: Sequence[int]) -> list[Event]:
    """The same without parts of tensors that nobody reads: they are no work."""
    while True:
        read = {value for op in ops(events) for value in op.reads} | {*outputs}
        dead = {id(op) for op in ops(events) if op.made not in read and op.path is None and _is_part(op.node)}
        if not dead:
            return [*events]
        events = [*_left(events, dead)]


def _left(events: Sequence[Event], dead: set[int]) -> Iterator[Event]:
    for event in events:
        if isinstance(event, Call):
            event.events = [*_left(event.events, dead)]
        if id(event) not in dead:
            yield event


def _is_part(node: Node) -> bool:
    return type(node).__name__ in ("Chunk", "Slice", "Flatten", "Unflatten")
