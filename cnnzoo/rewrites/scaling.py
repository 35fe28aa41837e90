"""Rewrites of a network's width and depth."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, count, islice
from math import lcm
from typing import NamedTuple, TypeGuard

from ..arch import (
    Aux,
    Cat,
    Conv2d,
    ConvTranspose2d,
    Join,
    Layer,
    Linear,
    Meeting,
    Multiply,
    Node,
    PadChannels,
    Residual,
    Sequential,
    Stack,
    TableConv2d,
    walk,
)
from ..arch import rewrite as changed
from ..arch.edit import rebuilt
from ..arch.walker import Walker, child_path
from ..errors import InvalidValueError
from .registry import DoesNotApply, register_rewrite
from .runs import PROBE, channels, edited, output_shape, replace, tail


@register_rewrite("Howard et al. (2017), section 3.3")
def scale_width(description: Node, factor: float) -> Node:
    """Every layer's channels times `factor`, rounded to the nearest whole number that its groups divide; the last
    layer, and that of an auxiliary head, keeps its classes."""
    _check_factor("scale_width", factor)
    table = next((f"{path}: {node!r:.40}…" for path, node in walk(description) if isinstance(node, TableConv2d)), None)
    if table is not None:
        raise DoesNotApply(f"a table lists one by one the maps that are read at {table}")
    scaling = _Scaling(description, factor)
    scaling.run("", description, Width(1, 0, 0))
    new = edited(description, scaling.edits)
    if new is description:
        raise DoesNotApply(f"{factor} times the channels of any layer rounds to what it has")
    return new


class UnfitError(DoesNotApply):
    """Raised where the network would not run at another width: sums, groups or padding that no longer fit."""


class Width(NamedTuple):
    """How many channels there are: `each` times the input's, which are not known, and others, before and after."""

    each: int
    before: int
    after: int


class _Scaling(Walker[Width | None]):
    """The flow of channels through layers that are scaled on the way; a filter a channel follows its channels. None:
    not known, as behind a flattening."""

    def __init__(self, description: Node, factor: float) -> None:
        self.factor = factor
        self.unscaled = set(_classifiers(description))
        into = channels(description)
        grouped = (
            node.groups for path, node in walk(description) if _is_grouped(node) and node.groups != into.get(path)
        )
        self.unit = lcm(*grouped)
        self.edits: dict[str, Node | None] = {}

    def meeting(self, meeting: Meeting, parts: list[Width | None], own: bool) -> Width | None:
        parts = parts[meeting.elements_of]
        known = [part for part in parts if part is not None]
        if isinstance(meeting, Cat) and meeting.dim == 1:
            return Width(*map(sum, zip(*known, strict=True))) if len(known) == len(parts) else None
        if isinstance(meeting, Stack | Cat):
            return None
        fits = [self._fits(one, other) for one, other in combinations(parts, 2)]
        if not all(fits):
            raise self._unfit(
                "what is multiplied by what" if isinstance(meeting, Multiply) else "what is added to what"
            )
        return min(known, default=None)

    @staticmethod
    def _fits(x: Width | None, y: Width | None) -> bool:
        if x is None or y is None:
            known = x or y
            return known is None or known.before == known.after
        off = x.before - y.before if x.each != y.each else 0  # which the input's own channels make up for
        return x.after - y.after == off

    def layer(self, layer: Layer, x: Width | None) -> Width | None:
        new = self.edits[self.path] = layer if self.path in self.unscaled else self._scaled(layer, x)
        if _is_grouped(new) and not _divides(new.groups, x):
            raise self._unfit(f"the groups of {new!r} and what reaches it")
        if isinstance(new, PadChannels) and isinstance(layer, PadChannels) and x is not None:
            more = new.out_channels - x.after, layer.out_channels - x.before
            if more[0] < (more[1] if x.each else 0):
                raise self._unfit(f"{new!r} and what reaches it")
        return _outputs(layer, new, x)

    def _unfit(self, what: str) -> UnfitError:
        return UnfitError(f"at {self.path or 'the end'}: {self.factor} times the channels, {what} no longer fit")

    def _scaled(self, layer: Layer, x: Width | None) -> Layer:
        if isinstance(layer, Linear):
            return replace(layer, out_features=self._times(layer.out_features, 1))
        if _is_grouped(layer) and x is not None and (x.each, x.before) == (0, layer.groups):
            return replace(layer, out_channels=layer.out_channels // layer.groups * x.after, groups=x.after)
        if isinstance(layer, Conv2d | ConvTranspose2d | PadChannels):
            return replace(layer, out_channels=self._times(layer.out_channels, self.unit))
        return layer

    def _times(self, channels: int, unit: int) -> int:
        return max(1, int(channels * self.factor / unit + 0.5)) * unit


def _divides(groups: int, x: Width | None) -> bool:
    """Whether the groups divide the channels after if they do before."""
    return x is None or (x.after - (x.before if x.each else 0)) % groups == 0


def _outputs(layer: Layer, new: Layer, x: Width | None) -> Width | None:
    """How many channels come out of a layer, and of what it has become; None where that is not known."""
    for name in ("out_channels", "out_features"):
        if name in layer.settings:
            return Width(0, layer.settings[name], new.settings[name])
    outputs = [output_shape(layer, (count, *PROBE[1:])) for count in (PROBE[0], 2 * PROBE[0])]
    return x if [y and y[0] for y in outputs] == [PROBE[0], 2 * PROBE[0]] else None


def _is_grouped(node: Node) -> TypeGuard[Conv2d | ConvTranspose2d]:
    return isinstance(node, Conv2d | ConvTranspose2d) and node.groups > 1


def _classifiers(description: Node) -> Iterator[str]:
    """The paths of the layers that give the classes: the last of the network and of each auxiliary head."""
    ends = [("", description), *((path, node) for path, node in walk(description) if isinstance(node, Aux))]
    for path, end in ends:
        weighted = [leaf.path for leaf in tail(end) if leaf.layer.weighted]
        if weighted:
            yield child_path(path, weighted[-1])


@register_rewrite("Tan and Le (2019), section 3.3")
def scale_depth(description: Node, factor: float) -> Node:
    """Every stage's number of blocks times `factor`, rounded, at least one; a stage is a row of blocks that are equal
    but for the first one's stride and projection. The first keeps its name and shape, others are repeated."""
    _check_factor("scale_depth", factor)
    stages = 0

    def change(path: str, node: Node) -> Node:
        nonlocal stages
        if not isinstance(node, Sequential):
            return node
        children: dict[str, Node | None] = {}
        for stage in _stages(node):
            stages += len(stage) > 1
            children |= dict(_repeated(stage, factor, node) if len(stage) > 1 else stage)
        return node if children == dict(node.children) else rebuilt(node, children, path)

    new = changed(description, change)
    if not stages:
        raise DoesNotApply("there is no stage of equal blocks")
    if new == description:
        raise DoesNotApply(f"{factor} times the blocks of any stage rounds to what it has")
    assert new is not None
    return new


Named = tuple[str, Node]


def _stages(row: Sequential) -> Iterator[list[Named]]:
    """The children of a Sequential in lists: blocks that are equal but for stride and shortcut are together in one."""
    stage: list[Named] = []
    for name, child in row.children:
        if stage and not (isinstance(child, Join) and _inside(stage[-1][1]) == _inside(child)):
            yield stage
            stage = []
        stage.append((name, child))
    if stage:
        yield stage


def _inside(block: Node) -> Node:
    """The block as it would stand inside of a stage: no stride, and a plain shortcut."""

    def change(_: str, node: Node) -> Node:
        if isinstance(node, Residual):
            return node._with({**dict(node.children), "downsample": None})
        return replace(node, stride=1) if isinstance(node, Conv2d) else node

    new = changed(block, change) if isinstance(block, Join) else block
    assert new is not None
    return new


def _repeated(stage: list[Named], factor: float, row: Sequential) -> list[Named]:
    """The stage with more or fewer of its blocks; further ones go on with the last one's number where it is free."""
    wanted = max(1, int(len(stage) * factor + 0.5))
    last, block = stage[-1]
    head = last.rstrip("0123456789")
    number = last[len(head) :]
    taken = {name for name, _ in row.children}
    following = (f"{head}{n}" for n in count(int(number) + 1)) if number else iter(())
    further = list(islice(following, max(0, wanted - len(stage))))
    if not number or taken & set(further):
        further = [f"{last}_{n}" for n in range(1, wanted - len(stage) + 1)]
    return [*stage[:wanted], *((name, block) for name in further)]


def _check_factor(name: str, factor: float) -> None:
    if not isinstance(factor, int | float) or isinstance(factor, bool) or not 0 < factor < 1e4:
        raise InvalidValueError(f"{name} takes a factor above 0, as in {name}=0.5; got {factor!r}")
