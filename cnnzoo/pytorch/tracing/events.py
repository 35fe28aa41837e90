"""What was called in a run: layers and meetings in the calls of modules, and the values that go between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, NamedTuple, TypeAlias

from torch import nn

from ...arch import Node
from ...errors import CnnzooError


class TracingError(CnnzooError, RuntimeError):
    """A module that is no description: one whose forward fails, or that takes or gives what no description does."""

    exit_code = 1


class UnsaidError(Exception):
    """Calls that the words for a part of a network do not say; what is at `path` is foreign then, or what is around."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"at {path or 'the network itself'}: {why}")
        self.path = path


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


class Span(NamedTuple):
    """Which of the operators of a run that cost something ran in a call, by their numbers."""

    start: int
    stop: int


class Lost(NamedTuple):
    """A call that no layer stands for: what it reads and makes, by the numbers of the values."""

    name: str
    """Of the function, or of the module's class."""
    reads: tuple[int, ...]
    makes: tuple[int, ...]
    span: Span
    keys: tuple[str, ...] = ()
    """The names of the network's own tensors that it reads, or what it reads was worked out from."""
    path: str | None = None
    """Of the module."""


class Call:
    """A module's forward in words: its events, in order."""

    def __init__(self, path: str, module: nn.Module | None) -> None:
        self.path = path
        self.module = module
        self.hint = path.rpartition(".")[2]
        self.free = False
        """Whether it may stand under another name, as the second call of a module without tensors does."""
        self.events: list[Op | Call] = []


class Frame:
    """A module's forward as it was recorded: what it called, with and without words, in order."""

    def __init__(self, path: str, module: nn.Module, given: Sequence[int] = (), start: int = 0) -> None:
        self.path = path
        self.module = module
        self.given = given
        """The values that it is given."""
        self.span = Span(start, start)
        self.events: list[Op | Lost | Frame] = []


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
        raise UnsaidError(_common(around, path), f"{path} runs in {around}, where it does not belong")
    return path.removeprefix(f"{around}.") if around else path


def _common(one: str, other: str) -> str:
    """The path of the innermost module around two."""
    pairs = zip(one.split("."), other.split("."), strict=False)
    return ".".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
