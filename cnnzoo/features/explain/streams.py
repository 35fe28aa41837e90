"""What each layer and block of a network reads and gives, and how the receptive field has grown so far."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from ...arch import Collect, Dense, Difference, Gate, Join, Layer, Node, Residual, Shape, Signal
from ...arch.axes import PHASES, Phases
from ...arch.meetings import Meeting as Meet
from ...arch.sights import united
from ...arch.signal import PIXEL, POINTWISE, Field, Seen, Turn, Turned, Window, Windows
from ...arch.steps import INPUT, Several, entered_first, first_of, values_of
from ...arch.steps import Step as Run
from ...arch.turning import behind
from ...arch.walker import Walker, child_path
from ...calculate import names_of
from ...words import most_of

ALIKE: Windows = (Window(stride=0), Window(stride=0))
"""Of a layer all of whose positions see the same."""


class Step(NamedTuple):
    """A layer that reads more than single positions, or a join none of whose branches sees all of it."""

    path: str
    kind: str
    before: Field
    """The receptive field before the step; of a join, that of the branch that sees most."""
    after: Field
    shape: Shape
    """Of the output; where it has no height and width, stride and padding mean nothing."""
    windows: Windows = POINTWISE
    branches: tuple[tuple[str, Field], ...] = ()
    """Of a join: the name of each branch with its receptive field."""

    @property
    def lengths(self) -> tuple[int, ...]:
        """How many positions the output has along height and along width."""
        return self.shape[1:] if len(self.shape) == 3 else (1, 1)


class Meeting(NamedTuple):
    """Branches that see differently meet, and `branch` sees all that the others do."""

    path: str
    branch: str


class Stream(NamedTuple):
    """A tensor on its way: as a `Signal`, and how its receptive field has come about."""

    shape: Shape
    field: Seen | None
    maker: str
    """The path of the layer or the block whose output it is, or "the input"."""
    steps: tuple[Step, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    lost: str = ""
    """Why the receptive field is unknown."""


HELD = Stream((), None, "", lost="its layers run where a Run says so")
"""What a list of layers that `Run` alone runs reads and gives."""


class Streams(Walker[Stream]):
    """What each node of a description reads and gives at input sizes that it can take; `streams_of` makes it. Of layers
    that run again the first run counts, of several values the first."""

    def __init__(self, description: Node, input_sizes: tuple[Shape, ...]) -> None:
        self.reads: dict[str, str] = {}
        """What each node reads, by its path: whose outputs these are."""
        self.outputs: dict[str, Stream] = {}
        """What each node gives, by its path."""
        self.inputs: dict[str, Stream] = {}
        """What each node reads, by its path."""
        self.parts: dict[str, list[Stream]] = {}
        """What meets at each path: in a join of its own, or in a step."""
        self.runs: dict[str, dict[str, Run]] = {}
        """By the paths of layers that `Run` runs: the steps that run them, by their paths, in order."""
        self.join: Node = description
        """The join at `self.path`."""
        names = names_of(description, len(input_sizes))
        makers = [f"{INPUT}.{name}" for name in names] or ["the input"]
        entering = [_entering(size, maker) for size, maker in zip(input_sizes, makers, strict=True)]
        x: Any = Several(zip(names, entering, strict=True)) if names else entering[0]
        self.run("", description, x)

    def again(self, step: Run, x: Stream) -> Stream:
        layers = child_path(self.path, step.layers)
        self.runs.setdefault(layers, {})[child_path(self.path, step.name)] = step
        return super().again(step, x)

    def layer(self, layer: Layer, x: Stream) -> Stream:
        y = _through(self.path, layer, x)
        self._seen_at(x, x, y)
        return y

    def block(self, join: Join, x: Stream) -> Stream:
        outer, self.join = self.join, join
        y = super().block(join, x)
        self.join = outer
        self._seen_at(x, entered_first(join, self.path, x), first_of(y))
        return y

    def _seen_at(self, whole: Any, x: Stream, y: Stream) -> None:
        """Note what the node at `self.path` makes y of."""
        if self.path not in self.outputs:
            self.reads[self.path] = ", ".join(one.maker for one in values_of(whole))
            self.inputs[self.path], self.outputs[self.path] = x, y

    def meeting(self, meeting: Meet, parts: list[Stream], own: bool) -> Stream:
        y = self._met(meeting, parts, own)
        if not own:
            self._seen_at(Several((str(place), part) for place, part in enumerate(parts)), parts[0], y)
        return y

    def _met(self, meeting: Meet, parts: list[Stream], own: bool) -> Stream:
        """The branch that decides, and what it decides; else the union."""
        shapes = tuple(part.shape for part in parts)
        shape, kind = meeting.output_shape(shapes), meeting.operator if own else type(meeting).__name__
        self.parts.setdefault(self.path, parts)
        maker = f"{self.path} ({kind})".lstrip() if own else self.path
        if meeting._of_regions:
            lost = f"{maker} makes regions of all sizes one of {' x '.join(map(str, shape))}"
            return parts[0]._replace(shape=shape, maker=maker, field=None, lost=lost)
        layer = meeting.layer(shapes)
        if layer is not None:
            return _through(self.path, layer, parts[0])._replace(maker=maker)
        names = _names(self.join) if own else [part.maker for part in parts]
        field = united(meeting, [Signal(part.shape, part.field) for part in parts], shape)
        places = meeting.sights(shapes)  # a gate decides nothing
        names, parts = [names[place] for place in places], [parts[place] for place in places]
        branches = [(name, part.field) for name, part in zip(names, parts, strict=True)]
        known = tuple((name, field) for name, field in branches if field is not None and not isinstance(field, Turned))
        whole = [part for part in parts if part.field == field is not None]
        most, *_ = whole or sorted(parts, key=_seen, reverse=True)
        y = most._replace(shape=shape, maker=maker)
        if field is None:
            strides = f"branches of different effective strides: {_strides(known)}"
            several = len({(field[0].stride, field[1].stride) for _, field in known}) > 1
            differ = f"{maker} joins {strides if several else 'what does not meet position by position'}"
            return y._replace(field=None, lost=next((part.lost for part in parts if part.lost), differ))
        if most.field != field:
            assert not isinstance(most.field, Turned | None)
            assert not isinstance(field, Turned)
            step = Step(self.path, kind, most.field, field, shape, branches=known)
            return y._replace(field=field, steps=(*y.steps, step))
        if any(other != field for _, other in known):
            met = Meeting(self.path, next(name for name, other in known if other == field))
            return y._replace(meetings=(*y.meetings, met))
        return y


@lru_cache(maxsize=8)
def streams_of(description: Node, input_sizes: tuple[Shape, ...]) -> Streams:
    """The streams of a network, worked out once however many of its paths are explained."""
    return Streams(description, input_sizes)


def _entering(size: Shape, maker: str) -> Stream:
    """An input of this size."""
    lost = "" if len(size) == 3 else "the input has no height and width"
    return Stream(size, None if lost else PIXEL, maker, lost=lost)


def _through(path: str, layer: Layer, x: Stream) -> Stream:
    """What the layer at a path makes of a stream: its output's shape and receptive field, one step later."""
    y = x._replace(shape=layer.output_shape(x.shape), maker=path or "the input")
    windows = layer.windows(x.shape)
    if windows == POINTWISE and not isinstance(x.field, Turned):
        return y
    field = behind(layer, x.shape, x.field, windows)
    if x.field is None or (field is not None and field[:2] == x.field[:2] and (len(x.field), len(field)) != (2, 2)):
        return y._replace(field=field)  # of the same axes, in another order or kept in one
    if field is None or isinstance(windows, Turn) or isinstance(field, Turned) or isinstance(x.field, Turned):
        kind = layer.settings.get("operation", type(layer).__name__)
        name, why = f"{path} ({kind})" if path else kind, _lost(x.field, windows)
        return y._replace(field=None, lost=f"{name} {'has no word here' if layer.unstated else why}")
    step = Step(path, type(layer).__name__, x.field, field, y.shape, windows or ALIKE)
    return y._replace(field=field, steps=(*x.steps, step))


def _lost(field: Seen, windows: Windows | None) -> str:
    """Why the receptive field behind a layer is unknown."""
    if isinstance(field, Turned):
        return "is not known to read along the channels alone, which do not come first"
    if windows is None:
        return "does not read windows that come again evenly apart"
    phases = [axis for axis in (*field, *windows) if isinstance(axis, Phases)]
    if any(axis.is_ragged for axis in phases):
        return "reads positions some of which see nothing, or see less far than those before them"
    return f"comes to more than {PHASES} positions that see differently" if phases else "has a stride beyond 2**63"


def _seen(part: Stream) -> int:
    """How much a branch sees at most, height and width together; 0 where it is unknown."""
    return sum(most_of(axis.size) for axis in (part.field or ())[:2])


def _names(join: Node) -> list[str]:
    if isinstance(join, Difference | Residual):
        return ["the body", "the shortcut"]
    if isinstance(join, Dense | Gate):
        return ["the shortcut" if join._shortcut else "the input", "the body"]
    assert isinstance(join, Join)
    return ["the input"] * isinstance(join, Collect) + [name for name, _ in join.children]


def _strides(branches: tuple[tuple[str, Field], ...]) -> str:
    return ", ".join(f"{name} {field[0].stride}x{field[1].stride}" for name, field in branches)
