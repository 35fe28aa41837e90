"""The rewrite that makes one convolution of several side by side whose outputs are added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as Paths
from typing import Any, NamedTuple

from ..arch import Add, BatchNorm2d, Conv2d, From, Identity, Join, Meeting, Node, Residual, Sequential, Shift, find
from ..arch.edit import rebuilt
from ..arch.joins import PLAIN
from ..arch.node import pair
from ..arch.steps import INPUT
from ..arch.walker import child_path
from ..words import is_in
from .edits import names_kept
from .registry import DoesNotApply, register_rewrite
from .runs import Calls, Value, channels, entering, paddings, replace


class Branch(NamedTuple):
    """A part of a sum: the convolution of a value, normalised; where it has no convolution, the value itself."""

    conv: str | None
    """The path of its convolution."""
    norm: str | None
    """The path of its batch normalisation."""


class Parallel(NamedTuple):
    """A sum of branches of one value, which one convolution can work out at inference."""

    into: str
    """The path of that convolution: the one of the largest kernel."""
    branches: tuple[Branch, ...]
    gone: frozenset[str]
    """The paths of the sum and of all other layers of the branches."""


def parallel(description: Node) -> list[Parallel]:
    """Every sum of branches that one convolution can work out; a sum that is a part of another one goes with that."""
    sums = _Sums()
    sums.run("", description, entering(description, Value))
    known, kept = channels(description), names_kept(description)
    found: list[Parallel] = []
    done: set[str] = set()
    for value, (path, own, _) in reversed(sums.made_of.items()):
        if path in done:
            continue
        tree = _Tree(sums, value)
        into = _into(description, tree.branches, known) if tree.of_one else None
        block = path if own else path.rpartition(".")[0]
        paths = tree.layers | tree.steps
        if into is None or not all(is_in(one, block) for one in (*paths, *tree.joins)):
            continue
        if any(name != block and is_in(name, block) and _touches(name, paths) for name in kept):
            continue
        done |= tree.steps | tree.joins
        found.append(Parallel(into, tuple(tree.branches), frozenset((paths | tree.joins) - {into})))
    return found[::-1]


@register_rewrite("Ding et al. (2021), RepVGG, section 3.3 and figure 4")
def reparameterize(description: Node) -> Node:
    """Each sum of convolutions of one value, and of that value, with their batch normalisations or without, is worked
    out by the convolution of the largest kernel, as it can be at inference: `rebuild` gives it the weights.
    """
    found = parallel(description)
    if not found:
        raise DoesNotApply(
            "there is no sum of convolutions of one value, alike in stride and groups, "
            "with nothing but a batch normalisation behind each"
        )
    edit = _Edit({one.into for one in found}, {path for one in found for path in one.gone})
    return edit.at("", description)


class _Sums(Calls):
    """The calls of a description, with the parts of each sum."""

    def __init__(self) -> None:
        super().__init__()
        self.made_of: dict[Value, tuple[str, bool, list[Value]]] = {}
        """The path of each sum, whether a join stands there, and its parts, by the value that it makes."""
        self.times: Counter[str] = Counter()

    def meeting(self, meeting: Meeting, parts: list[Value], own: bool) -> Value:
        y = super().meeting(meeting, parts, own)
        if isinstance(meeting, Add):
            self.made_of[y] = (self.path, own, parts)
            self.times[self.path] += 1
        return y


class _Tree:
    """A sum down to the value that it is of, through sums that are a part of it."""

    def __init__(self, sums: _Sums, value: Value) -> None:
        self.sums = sums
        self.branches: list[Branch] = []
        self.sources: list[Value] = []
        self.layers: set[str] = set()
        self.steps: set[str] = set()
        """The paths of sums that are steps."""
        self.joins: set[str] = set()
        """The paths of residual blocks."""
        self.once = True
        self._sum(value)

    @property
    def of_one(self) -> bool:
        return self.once and len({id(source) for source in self.sources}) == 1

    def _sum(self, value: Value) -> None:
        path, own, parts = self.sums.made_of[value]
        self.once &= self.sums.times[path] == 1
        (self.joins if own else self.steps).add(path)
        for part in parts:
            self._branch(part)

    def _branch(self, value: Value) -> None:
        norm: str | None = None
        while value.readers == 1:
            if value in self.sums.made_of and norm is None:
                return self._sum(value)
            path = value.path
            if path is None or len(self.sums.made[path]) > 1:
                break
            layer = self.sums.layers[path]
            ((before, _),) = self.sums.made[path]
            if type(layer) is Conv2d:
                self.layers.add(path)
                return self._end(before, path, norm)
            if type(layer) is BatchNorm2d and layer.track_running_stats and norm is None:
                norm = path
            elif not isinstance(layer, Identity) and layer != Shift(0.0):
                break
            self.layers.add(path)
            value = before
        return self._end(value, None, norm)

    def _end(self, source: Value, conv: str | None, norm: str | None) -> None:
        self.sources.append(source)
        self.branches.append(Branch(conv, norm))


IDENTITY = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
"""What a convolution has that can hand on what it reads."""


def _into(description: Node, branches: Sequence[Branch], known: Mapping[str, int]) -> str | None:
    """The path of the convolution that can do the work of all branches; None where there is none."""
    found = {branch.conv: find(description, branch.conv) for branch in branches if branch.conv}
    convs = {path: conv for path, conv in found.items() if isinstance(conv, Conv2d)}
    if not convs:
        return None
    path = max(convs, key=lambda one: sum(pair(convs[one].kernel_size)))
    into = convs[path]
    fits = all(_fits(conv, into) for conv in convs.values())
    if any(branch.conv is None for branch in branches):
        fits = fits and known.get(path) == into.out_channels and _fits(replace(into, **IDENTITY), into)
    return path if fits else None


def _fits(conv: Conv2d, into: Conv2d) -> bool:
    """Whether a kernel can stand in the middle of another one, and gives the same then."""
    before, around = paddings(conv), paddings(into)
    alike = (conv.out_channels, conv.groups, pair(conv.stride)) == (into.out_channels, into.groups, pair(into.stride))
    if before is None or around is None or not alike:
        return False
    sides = zip(
        *map(pair, (conv.kernel_size, into.kernel_size, conv.dilation, into.dilation)), before, around, strict=True
    )
    return all(
        own <= size
        and (size - own) % 2 == 0
        and (own == 1 or own_step == step)
        and 2 * (around - before) == step * (size - own)
        for own, size, own_step, step, before, around in sides
    )


def _touches(name: str, paths: Paths[str]) -> bool:
    return any(is_in(name, one) or is_in(one, name) for one in paths)


class _Edit:
    """The description without what is gone, and a bias at what does its work."""

    def __init__(self, into: Paths[str], gone: Paths[str]) -> None:
        self.into = into
        self.gone = gone

    def at(self, path: str, node: Node) -> Node:
        if path in self.into:
            assert isinstance(node, Conv2d)
            return replace(node, bias=True)
        if not isinstance(node, Join):
            return node
        if isinstance(node, Sequential) and node._plan is not None:
            return self._stepped(path, node)
        children: dict[str, Node | None] = {}
        for name, child in node.children:
            own = child_path(path, name)
            children[name] = None if self._is_gone(own, child) else self.at(own, child)
        if path in self.gone and isinstance(node, Residual):
            left = {name: child for name, child in children.items() if child is not None and child != PLAIN}
            return Sequential(**left)
        return node if tuple(children.items()) == node.children else rebuilt(node, children, path)

    def _is_gone(self, path: str, node: Node) -> bool:
        if not isinstance(node, Join):
            return path in self.gone
        left = [(name, child) for name, child in node.children if child != PLAIN]
        return bool(left) and all(self._is_gone(child_path(path, name), child) for name, child in left)

    def _stepped(self, path: str, node: Sequential) -> Node:
        assert node._plan is not None
        reads = {step.name: [str(ref) for ref in step.reads] for step in node._plan.steps}
        instead: dict[str, str] = {}
        """What is read in place of each value that is gone."""
        working: set[str] = set()
        """The names of the values that a convolution makes which does the work of others."""
        children: dict[str, Any] = {}
        last = INPUT
        for name, child in node.children:
            own = child_path(path, name)
            read = [_read(one, instead) for one in reads.get(name, ())]
            if self._is_gone(own, child):
                left = [new for one, new in zip(reads[name], read, strict=True) if one in working]
                working |= {name} if left else set()
                instead[name] = (left or read)[0]
                children[name] = None
                continue
            new = self.at(own, child)
            children[name] = From(*read, new) if read and new._makes else new
            working |= {name} if any(is_in(one, own) for one in self.into) else set()
            last = name if new._makes else last
        end = next((step.name for step in reversed(node._plan.steps) if step.node._makes), INPUT)
        if instead.get(end, last) != last:
            children[end] = From(instead[end], Identity())
        return rebuilt(node, children, path, bypass=False)


def _read(name: str, instead: Mapping[str, str]) -> str:
    source, dot, rest = name.partition(".")
    return f"{instead.get(source, source)}{dot}{rest}"
