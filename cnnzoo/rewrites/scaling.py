"""The rewrite of a network's width."""

from __future__ import annotations

from collections.abc import Iterator
from math import lcm
from typing import Any, NamedTuple, TypeGuard

from ..arch import (
    Aux,
    Cat,
    ChannelShuffle,
    Chunk,
    Conv2d,
    ConvTranspose2d,
    Layer,
    Linear,
    Meeting,
    Multiply,
    Node,
    PadChannels,
    Shape,
    ShapeError,
    Slice,
    Stack,
    TableConv2d,
    walk,
)
from ..arch.detection import RegionPooling
from ..arch.steps import values_of
from ..arch.walker import Walker, child_path
from ..errors import InvalidValueError
from .edits import edited
from .registry import DoesNotApply, register_rewrite
from .runs import PROBE, channels, entering, output_shape, replace, tails


@register_rewrite("Howard et al. (2017), section 3.3")
def scale_width(description: Node, factor: float) -> Node:
    """Every layer's channels times `factor`, rounded to the nearest number that its groups, and those of what reads
    it, divide; the last layer, and that of an auxiliary head, keeps its classes."""
    check_factor("scale_width", factor)
    table = next((f"{path}: {node!r:.40}…" for path, node in walk(description) if isinstance(node, TableConv2d)), None)
    if table is not None:
        raise DoesNotApply(f"a table lists one by one the maps that are read at {table}")
    scaling = _Scaling(description, factor)
    image = Width(1, (0, *PROBE[1:]), (0, *PROBE[1:]))
    scaling.run("", description, entering(description, lambda: image))
    new = edited(description, scaling.edits)
    if new is description:
        raise DoesNotApply(f"{factor} times the channels of any layer rounds to what it has")
    return new


class UnfitError(DoesNotApply):
    """Raised where the network would not run at another width: sums, groups or padding that no longer fit."""


class Width(NamedTuple):
    """The shape of a value, before and after. Its channels are `each` times the input's, which are not known, and so
    many others; its other sides are those of an input that is as large as need be."""

    each: int
    before: Shape
    after: Shape

    @property
    def more(self) -> int:
        """How many channels there are more after than before."""
        return self.after[0] - self.before[0]

    @property
    def is_one(self) -> bool:
        """Whether it has one channel, which goes with any number."""
        return (self.each, self.before[0], self.after[0]) == (0, 1, 1)


class _Scaling(Walker[Any]):
    """The flow of channels through layers that are scaled on the way; a filter a channel follows its channels. None:
    not known."""

    def __init__(self, description: Node, factor: float) -> None:
        self.factor = factor
        self.unscaled = set(_classifiers(description))
        self.units = units(description)
        self.edits: dict[str, Node | None] = {}
        self.read: dict[str, Width | None] = {}
        """What each layer read when it first ran, by path."""

    def meeting(self, meeting: Meeting, parts: list[Width | None], own: bool) -> Width | None:
        if isinstance(meeting, RegionPooling):
            maps = parts[0]
            if maps is None or maps.each:
                return None
            return Width(0, meeting.of(maps.before[0]), meeting.of(maps.after[0]))
        read = parts[meeting.elements_of]
        known = [part for part in read if part is not None]
        if isinstance(meeting, Cat) and meeting.dim == 1:
            if len(known) < len(read):
                return None
            each, before, after = zip(*known, strict=True)
            sides = before[0][1:]
            channels = [sum(shape[0] for shape in shapes) for shapes in (before, after)]
            return Width(sum(each), (channels[0], *sides), (channels[1], *sides))
        if meeting.mixes:
            return self._beside(meeting, known) if len(known) == len(read) else None
        apart = isinstance(meeting, Stack | Cat)
        if len(read) > 1:
            alike = len({part.more for part in known if apart or not part.is_one}) <= 1
            if len(known) < len(read) or not alike:
                what = (
                    "is multiplied by" if isinstance(meeting, Multiply) else "stands beside" if apart else "is added to"
                )
                raise self._unfit(f"what {what} what")
        if apart or not known:
            return self._beside(meeting, known) if apart else None
        widest = max(known, key=lambda part: (part.each, part.before))
        sides = tuple(map(max, zip(*(part.before[1:] for part in parts if part is not None), strict=False)))
        return Width(widest.each, (widest.before[0], *sides), (widest.after[0], *sides))

    @staticmethod
    def _beside(meeting: Meeting, parts: list[Width]) -> Width | None:
        """What becomes of values that are multiplied as matrices, stacked, or concatenated along another dimension than
        the channels."""
        try:
            before, after = (meeting.output_shape(shapes) for shapes in list(zip(*parts, strict=True))[1:])
        except ShapeError:
            return None
        return None if any(part.each for part in parts) else Width(0, before, after)

    def layer(self, layer: Layer, x: Width | None) -> Width | None:
        new = layer if self.path in self.unscaled else self._scaled(layer, x)
        again = self.path in self.edits
        if again and (new != self.edits[self.path] or (_holds(layer) and not _as_wide(x, self.read[self.path]))):
            raise self._unfit(f"what {layer!r} reads when it runs again")
        self.edits[self.path] = new
        self.read.setdefault(self.path, x)
        if _is_grouped(new) and not _divides(new.groups, x):
            raise self._unfit(f"the groups of {new!r} and what reaches it")
        if isinstance(new, PadChannels) and isinstance(layer, PadChannels):
            more = x and (new.out_channels - x.after[0], layer.out_channels - x.before[0])
            if x is None or not more or more[0] < (more[1] if x.each else 0):
                raise self._unfit(f"{new!r} and what reaches it")
        return self._outputs(layer, new, x)

    def _outputs(self, layer: Layer, new: Layer, x: Width | None) -> Width | None:
        """What comes out of a layer, and of what it has become; None where that is not known."""
        if isinstance(layer, Linear) and isinstance(new, Linear) and (x is None or len(x.before) == 1):
            return Width(0, (layer.out_features,), (new.out_features,))
        if x is not None and not x.each:
            before, after = output_shape(layer, x.before), output_shape(new, x.after)
            if before is not None and after is None:
                raise self._unfit(f"{new!r} and what reaches it")
            return None if before is None or after is None else Width(0, before, after)
        sides = PROBE[1:] if x is None else x.before[1:]
        more = 0 if x is None else x.more
        counts = (PROBE[0], PROBE[0] + more, 2 * PROBE[0])
        one, other, twice = (output_shape(layer, (count, *sides)) for count in counts)
        if more and one and not other:
            raise self._unfit(f"{new!r} and what reaches it")
        if one is None or twice is None:
            return None
        if one == twice:
            return Width(0, one, output_shape(new, (PROBE[0], *sides)) or one)
        if x is not None and (one[0], twice[0]) == (PROBE[0], 2 * PROBE[0]):
            return Width(x.each, (x.before[0], *one[1:]), (x.after[0], *one[1:]))
        return None

    def _unfit(self, what: str) -> UnfitError:
        return UnfitError(f"at {self.path or 'the end'}: {self.factor} times the channels, {what} no longer fit")

    def _scaled(self, layer: Layer, x: Width | None) -> Layer:
        if isinstance(layer, Linear):
            return replace(layer, out_features=self._times(layer.out_features, 1))
        if _is_grouped(layer) and x is not None and (x.each, x.before[0]) == (0, layer.groups):
            return replace(layer, out_channels=layer.out_channels // layer.groups * x.after[0], groups=x.after[0])
        if isinstance(layer, Slice) and layer.dim == 1 and x is not None and not x.each and x.more:
            start, stop = (
                place and self._times(abs(place), 1) * (1 if place > 0 else -1) for place in (layer.start, layer.stop)
            )
            return replace(layer, start=start, stop=stop)
        if isinstance(layer, PadChannels) and layer.before:
            layer = replace(layer, before=self._times(layer.before, 1))
        if isinstance(layer, Conv2d | ConvTranspose2d | PadChannels):
            return replace(layer, out_channels=self._times(layer.out_channels, self.units[self.path]))
        return layer

    def _times(self, channels: int, unit: int) -> int:
        return max(1, int(channels * self.factor / unit + 0.5)) * unit if unit else channels


def units(description: Node) -> dict[str, int]:
    """By path, of what number the channels that a layer chooses must stay a multiple: of the least one that its groups
    divide, those of all that reads it, and those of all that is added to it. 0 for one channel that goes with any
    number, as a gate's factor for each position: it stays one."""
    found = _Units(description)
    found.run("", description, entering(description, frozenset))
    return {path: 0 if path in found.single else found.unit[found.owner(path)] for path in found.unit}


class _Units(Walker[Any]):
    """The flow of the layers, by path, that choose the channels of a value. Those whose values meet one by one choose
    alike: a forest of disjoint sets, each with its least common multiple."""

    def __init__(self, description: Node) -> None:
        self.into = channels(description)
        self.made: dict[str, int] = {}
        """The channels that each layer chooses."""
        self.single: set[str] = set()
        """Those of one channel that meets more."""
        self.alike: dict[str, str] = {}
        self.unit: dict[str, int] = {}

    def owner(self, path: str) -> str:
        """The one that stands for all that choose as the layer at a path does."""
        while path in self.alike:
            path = self.alike[path]
        return path

    def divided(self, chosen: frozenset[str], parts: int) -> None:
        for owner in map(self.owner, chosen):
            self.unit[owner] = lcm(self.unit[owner], parts)

    def layer(self, layer: Layer, x: frozenset[str]) -> frozenset[str]:
        parts = _parts(layer, self.into.get(self.path))
        self.divided(x, parts)
        if isinstance(layer, Chunk | Slice) and layer.dim == 1:
            return frozenset()  # what is added to a part has a part of the channels, and is rounded as they are
        if not isinstance(layer, Conv2d | ConvTranspose2d | PadChannels):
            return frozenset(x)
        self.made[self.path] = layer.out_channels
        self.unit.setdefault(self.path, 1)
        y = frozenset({self.path})
        self.divided(y, parts)
        return y | x if _is_grouped(layer) and parts == 1 else y  # a filter a channel has as many as it reads

    def meeting(self, meeting: Meeting, parts: list[frozenset[str]], own: bool) -> frozenset[str]:
        if meeting.elements_of == slice(1):
            return _Sized(parts[0])
        together = frozenset[str]().union(*parts)
        if not isinstance(meeting, Cat | Stack) and together:
            if any(self.made[path] > 1 for path in together):
                single = {path for part in parts if all(self.made[path] == 1 for path in part) for path in part}
                self.single |= single
                together -= single
            first, *others = sorted({self.owner(path) for path in together})
            for other in others:
                self.alike[other] = first
                self.unit[first] = lcm(self.unit[first], self.unit[other])
        return together


class _Sized(frozenset[str]):
    """The layers that choose the channels of a value which was brought to the size of another."""


def _parts(layer: Layer, channels: int | None) -> int:
    """Into how many equal parts a layer takes channels apart, at the least, unless that is each by itself."""
    settings = layer.settings
    chunks = settings["chunks"] if isinstance(layer, Chunk) and layer.dim == 1 else 1
    grouped = settings.get("groups", 1) if isinstance(layer, Conv2d | ConvTranspose2d | ChannelShuffle) else 1
    return lcm(*(parts for parts in (chunks, grouped, settings.get("num_groups", 1)) if parts != channels))


def _holds(layer: Layer) -> bool:
    """Whether a layer may have tensors."""
    return (type(layer).tensors, type(layer).buffers) != (Layer.tensors, Layer.buffers)


def _as_wide(x: Width | None, y: Width | None) -> bool:
    """Whether values of as many channels before have as many after."""
    return x is not None and y is not None and x.more == y.more


def _divides(groups: int, x: Width | None) -> bool:
    """Whether the groups divide the channels after if they do before."""
    return x is not None and (x.more if x.each else x.after[0]) % groups == 0


def _is_grouped(node: Node) -> TypeGuard[Conv2d | ConvTranspose2d]:
    return isinstance(node, Conv2d | ConvTranspose2d) and node.groups > 1


def _classifiers(description: Node) -> Iterator[str]:
    """The paths of the layers that give the classes: the last of the network and of each auxiliary head."""
    ends = [("", description), *((path, node) for path, node in walk(description) if isinstance(node, Aux))]
    for path, end in ends:
        for run in tails(end):
            weighted = [leaf.path for leaf in run if leaf.layer.weighted]
            if weighted:
                yield child_path(path, weighted[-1])
        for value in values_of(_Units(end).run("", end, entering(end, frozenset))):
            if isinstance(value, _Sized):  # a map of classes that is as large as the image
                yield from (child_path(path, chooser) for chooser in value)


def check_factor(name: str, factor: float) -> None:
    """Raise where a factor is none."""
    if not isinstance(factor, int | float) or isinstance(factor, bool) or not 0 < factor < 1e4:
        raise InvalidValueError(f"{name} takes a factor above 0, as in {name}=0.5; got {factor!r}")
