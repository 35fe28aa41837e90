"""Which of a file's tensors are a network's, and under what names: chosen by what fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from math import prod
from typing import NamedTuple, TypeAlias

from ..arch.norms import COUNTER
from ..report import Shape
from ..words import quoted

Shapes: TypeAlias = Mapping[str, Shape]
"""A state dict's names and shapes."""

Dicts: TypeAlias = Mapping[str, Shapes]
"""The state dicts of a file, by the keys that lead to them."""


class Alias(NamedTuple):
    """Names as some writer has them, and as torchvision does."""

    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]
    note: str


def _component(old: str, new: str, note: str) -> Alias:
    return Alias(re.compile(rf"(?:(?<=\.)|^)(?:{old})\."), new, note)


LITE0 = {"conv_stem": "conv_stem", "bn0": "bn1", "conv_head": "conv_head", "bn1": "bn2", "fc": "classifier"}
"""timm's names of what is around the blocks of EfficientNet-Lite0, by those of lukemelas' EfficientNet-PyTorch."""

SEPARABLE = {"depthwise_conv": "conv_dw", "bn1": "bn1", "project_conv": "conv_pw", "bn2": "bn2"}
INVERTED = {
    "expand_conv": "conv_pw",
    "bn0": "bn1",
    "depthwise_conv": "conv_dw",
    "bn1": "bn2",
    "project_conv": "conv_pwl",
    "bn2": "bn3",
}
"""The same of what is in its first block, and in the others."""

LAYERS = (1, 2, 2, 3, 3, 4, 1)
"""Blocks of its stages, which are numbered without stages there."""


def _lite0(found: re.Match[str]) -> str:
    """timm's name of a layer that EfficientNet-PyTorch calls `_blocks.3._bn0` or `_fc`; as it is where it has none."""
    _, block, layer = found.groups()
    if block is None:
        return LITE0.get(layer, found[0])
    stages = [f"blocks.{stage}.{number}" for stage, count in enumerate(LAYERS) for number in range(count)]
    names = INVERTED if int(block) else SEPARABLE
    return f"{stages[int(block)]}.{names[layer]}" if int(block) < len(stages) and layer in names else found[0]


ALIASES = (
    _component("module", "", "'module.' was left out of its names (saved from DataParallel)"),
    _component("_orig_mod", "", "'_orig_mod.' was left out of its names (saved from torch.compile)"),
    _component(
        "_fsdp_wrapped_module|_checkpoint_wrapped_module", "", "the wrappers of FSDP were left out of its names"
    ),
    Alias(
        re.compile(r"(\bdenselayer\d+\.(?:norm|conv))\.([12]\.)"),
        r"\1\2",
        "names as in old DenseNet checkpoints, norm.1 for norm1, were joined",
    ),
    *(
        _component(rf"classifier\.{old}", f"classifier.{new}.", "the classifier's names are of VGG before 2017")
        for old, new in ((1, 0), (4, 3))
    ),
    *(
        _component(
            old, f"classifier.{new}.", "names as timm has them in VGG, pre_logits and head.fc, were read as such"
        )
        for old, new in ((r"pre_logits\.fc1", 0), (r"pre_logits\.fc2", 3), (r"head\.fc", 6))
    ),
    Alias(
        re.compile(
            r"(?:(?<=\.)|^)(_blocks\.(\d{1,2})\.)?_((?:conv_(?:stem|head)|(?:expand|depthwise|project)_conv|bn[0-2]|fc)(?=\.\w+$))"
        ),
        _lite0,
        "names as EfficientNet-PyTorch has them in EfficientNet-Lite0, _blocks.1._bn0, were read as timm's",
    ),
)
"""A name is read so where the network has none of its own: `modern` applies all of them."""

ALIASED = re.compile("|".join(alias.pattern.pattern for alias in ALIASES))

AVERAGED = re.compile(r"(?:^|[._])(?:ema|teacher|averaged|swa)(?:$|[._])", re.IGNORECASE)
"""A key or prefix of averaged weights, which are those that are evaluated: taken first of equals, as by timm."""

WRITERS = {"module.": " (saved from DataParallel)", "_orig_mod.": " (saved from torch.compile)"}

DEEPEST_PREFIX = 8
MOST_GROUPS = 64
MOST_CHANNELS = 1024
"""Channels of a file's first convolution that are still summed into one or repeated."""


class Group(NamedTuple):
    """The tensors of a file whose names are some network's, once `prefix` is left out."""

    key: str
    prefix: str
    names: Mapping[str, str]
    """The file's name of each, by the network's."""


class Reading(NamedTuple):
    """What of a file is taken for a network, and what that took."""

    key: str
    names: Mapping[str, str]
    """The name that the network has or would have, by the file's name."""
    shapes: Shapes
    """By the network's names."""
    stray: tuple[str, ...]
    """The file's names beside the prefix, which are left out."""
    choice: str | None
    """Which of several that fit as well was taken, and how to choose."""
    notes: tuple[str, ...]
    """What was done, in words; the choice is among them."""


def modern(name: str) -> str:
    """A name without what wrappers add to it, and as torchvision has it today."""
    for alias in ALIASES if ALIASED.search(name) else ():
        name = alias.pattern.sub(alias.replacement, name)
    return name


def groups(dicts: Dicts, known: Collection[str]) -> list[Group]:
    """The file's tensors by dict and prefix, where without the prefix their names are `known`; largest first.

    A name as it stands counts before one that `modern` made.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for key, shapes in dicts.items():
        for form in (str, modern):
            for name in shapes:
                full = form(name)
                if form is str or full != name:
                    for prefix in prefixes(full):
                        if full[len(prefix) :] in known:
                            found.setdefault((key, prefix), {}).setdefault(full[len(prefix) :], name)
    largest = sorted(found.items(), key=lambda one: -len(one[1]))[:MOST_GROUPS]
    return [Group(key, prefix, names) for (key, prefix), names in largest]


def prefixes(name: str) -> Iterator[str]:
    """The beginnings of a name that end in a dot, the empty one first."""
    end = 0
    for _ in range(DEEPEST_PREFIX):
        yield name[:end]
        end = name.find(".", end) + 1
        if not end:
            return


def same(file: Shape | None, network: Shape | None) -> bool:
    """Whether two tensors are of one shape, or of those of a linear layer and of the convolution that does the same."""
    if file == network or file is None or network is None:
        return file == network
    flat = min(len(file), len(network)) == 2 < max(len(file), len(network))
    return flat and file[0] == network[0] and prod(file) == prod(network)


def adapted(file: Shapes, network: Shapes) -> dict[str, str]:
    """The tensors whose shapes loading adapts, and how in words.

    A linear layer's weight becomes that of the convolution over the same maps, and back. The first convolution's
    weights are summed over the input's channels where the network has one, else repeated and scaled by file's channels
    over network's, so that a constant image gives the same: timm's rule.
    """
    first = next((name for name, shape in network.items() if len(shape) == 4), None)
    words = {}
    for name, wanted in network.items():
        there = file.get(name)
        if there is not None and there != wanted and same(there, wanted):
            words[name] = f"{name} was reshaped from {there} to {wanted}"
        elif name == first and there is not None and there != wanted and _other_channels(there, wanted):
            m, n = there[1], wanted[1]
            how = "summed into 1" if n == 1 else f"repeated to {n} and scaled by {m}/{n}"
            words[name] = f"{name}: its {m} input channel{'s were' if m > 1 else ' was'} {how}"
    return words


def _other_channels(file: Shape, network: Shape) -> bool:
    """Whether two shapes of convolutions differ in their input channels alone."""
    return len(file) == 4 and (file[0], *file[2:]) == (network[0], *network[2:]) and 1 <= file[1] <= MOST_CHANNELS


def read_as(dicts: Dicts, network: Shapes, found: list[Group] | None = None) -> Reading:
    """The file's tensors as those of a network: the dict and the prefix under which most of them fit.

    Of several that fit equally, a key of averaged weights is taken first, then names that stand as the network has
    them, then a prefix of averaged weights, then the shorter prefix, then the file's order. A tensor beside the prefix
    that has a name of the network is taken too; other such are left out. `found` are the file's `groups`, where known.
    """
    ranked: list[tuple[tuple[int, ...], Group]] = []
    for group in groups(dicts, network) if found is None else found:
        if ranked and len(group.names) < max(rank[0] for rank, _ in ranked):
            break
        own = {new: old for new, old in group.names.items() if new in network and not new.endswith(COUNTER)}
        if own:
            count = sum(same(dicts[group.key][old], network[new]) for new, old in own.items())
            plain = sum(old == group.prefix + new for new, old in own.items())
            averaged = bool(AVERAGED.search(group.key)), not group.prefix, bool(AVERAGED.search(group.prefix))
            ranked.append(((count, len(own), averaged[0], plain, *averaged[1:], -len(group.prefix)), group))
    if not ranked:
        key = max(dicts, key=lambda key: len(dicts[key]))
        return Reading(key, {name: name for name in dicts[key]}, dicts[key], (), None, ())
    best, group = max(ranked, key=lambda one: one[0])
    taken = {*group.names.values()}
    equal = [
        other
        for rank, other in ranked
        if rank[0] == best[0] > 0 and (other.key != group.key or taken.isdisjoint(other.names.values()))
    ]
    return _read(dicts[group.key], network, group, equal)


def _read(shapes: Shapes, network: Shapes, group: Group, equal: list[Group]) -> Reading:
    """The group's tensors, those beside its prefix that have names of the network, and what is left out."""
    taken = {old: new for new, old in group.names.items() if new in network}
    under = [name for name in shapes if name not in taken and name.startswith(group.prefix)]
    taken |= {name: name[len(group.prefix) :] for name in under}
    done = {*taken.values()}
    outer = [*prefixes(group.prefix)][::-1]
    beside = ((begin + new, new) for new in network if new not in done for begin in outer)
    for name, new in beside:
        if new not in done and name in shapes and name not in taken:
            taken[name] = new
            done.add(new)
    names = {name: taken[name] for name in shapes if name in taken}
    stray = tuple(name for name in shapes if name not in taken)
    notes = [f"the tensors were under {quoted(group.key)}"] if group.key else []
    choice = _choice(group, equal) if equal else None
    notes += [choice] if choice else []
    if group.prefix:
        writer = WRITERS.get(group.prefix, "")
        notes.append(f"{quoted(group.prefix)}, with which its names start{writer}, was left out")
    changed = [old for old, new in names.items() if not any(old == begin + new for begin in outer)]
    notes += dict.fromkeys(alias.note for alias in ALIASES if any(alias.pattern.search(old) for old in changed))
    return Reading(group.key, names, {new: shapes[old] for old, new in names.items()}, stray, choice, tuple(notes))


def _choice(group: Group, equal: list[Group]) -> str:
    """Which of several was taken, and how to take the next."""
    other = next((one for one in equal if one.key != group.key), equal[0])
    this, that = (group.key, other.key) if other.key != group.key else (group.prefix, other.prefix)
    more = f" and {len(equal) - 1} more" if len(equal) > 1 else ""
    where = "of load_checkpoint or check-weights"
    return f"{quoted(this)} was taken; {quoted(that)}{more} would fit as well: choose with key={quoted(that)} {where}"
