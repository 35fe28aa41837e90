"""What was called in a run: layers and meetings in the calls of modules, and the values that go between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from torch import nn

from ...arch import Node
from ...errors import CnnzooError


class TracingError(CnnzooError, RuntimeError):
    """A module that is no description; `unknown` has each call without a word, with its path."""

    exit_code = 1

    def __init__(self, message: str, unknown: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.unknown = tuple(unknown)


class Op:
    """A layer or a meeting: what it reads and makes, by the numbers of the values."""

    def __init__(self, node: Node, reads: Sequence[int], made: int, path: str | None, hint: str, owns: bool) -> None:
        self.node = node
        self.reads = [*reads]
        self.made = made
        self.path = path
        """Where its tensors, or its module, are; None where its name is free."""
        self.hint = hint
        self.owns = owns
        """Whether it has tensors."""


class Call:
    """A module's forward: its events, in order."""

    def __init__(self, path: str, module: nn.Module | None) -> None:
        self.path = path
        self.module = module
        self.hint = path.rpartition(".")[2]
        self.free = False
        """Whether it may stand under another name, as the second call of a module without tensors does."""
        self.events: list[Op | Call] = []


Event: TypeAlias = Op | Call


def free(event: Event) -> bool:
    return event.path is None if isinstance(event, Op) else event.free


def owns(event: Event) -> bool:
    return event.owns if isinstance(event, Op) else any(map(owns, event.events))


def ops(events: Sequence[Event]) -> Iterator[Op]:
    """The layers and meetings, in their order."""
    for event in events:
        if isinstance(event, Op):
            yield event
        else:
            yield from ops(event.events)


def calls(events: Sequence[Event]) -> Iterator[Call]:
    """The calls, each before those in it."""
    for event in events:
        if isinstance(event, Call):
            yield event
            yield from calls(event.events)


def made_by(event: Event) -> list[int]:
    return [op.made for op in ops([event])]


def taken(call: Call) -> list[int]:
    """The values that a block reads and does not make, by their first reading."""
    made: set[int] = set()
    found: dict[int, None] = {}
    for op in ops(call.events):
        found |= dict.fromkeys(value for value in op.reads if value not in made)
        made.add(op.made)
    return [*found]


def sign(event: Event) -> Any:
    """What an event does, whatever the values: equal for two calls of the same layers."""
    places: dict[int, Any] = {}
    found = []
    for number, op in enumerate(ops([event])):
        read = [places.setdefault(value, ("input", len(places))) for value in op.reads]
        found.append((op.node, tuple(read)))
        places[op.made] = number
    return tuple(found)


def loosen(event: Event) -> None:
    """Let an event without tensors go by any name."""
    if isinstance(event, Op):
        event.path = None
    else:
        event.free = True


def within(around: str, path: str) -> bool:
    """Whether a path is that of a module below another."""
    return not around or path.startswith(f"{around}.")


def inside(around: str, path: str) -> str:
    """The way from one path to another below it."""
    if around and not path.startswith(f"{around}."):
        raise TracingError(f"at {path}: it runs in {around}, and belongs elsewhere")
    return path.removeprefix(f"{around}.") if around else path
