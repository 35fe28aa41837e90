"""Which registered network a checkpoint's tensors fit, and how they differ from a network's; no torch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from inspect import signature
from typing import Any, NamedTuple

from ..arch.ends import without_head
from ..arch.norms import COUNTER
from ..calculate import calculate
from ..errors import CnnzooError, InvalidValueError
from ..report import Report, Shape, key_of
from ..words import counted
from ..zoo import get_builder, list_sound_models
from .pickles import printable
from .reading import Dicts, Reading, Shapes, groups, read_as, same

TITLES = {"alexnet_tv": "torchvision's AlexNet", "googlenet_tv": "torchvision's GoogLeNet"}


class Difference(NamedTuple):
    """A tensor that the network or the file lacks (None), or whose shapes are not the same."""

    name: str
    network: Shape | None
    file: Shape | None

    def __str__(self) -> str:
        name, file = printable(self.name), printable(str(self.file))
        if self.file is None:
            return f"{name}: missing in the file, {self.network} in the network"
        if self.network is None:
            return f"{name}: unexpected, {file} in the file"
        return f"{name}: {file} in the file, {self.network} in the network"

    @property
    def classes(self) -> tuple[int, int] | None:
        """The first lengths, file's and network's, where they alone differ: in a last layer, the classes. The second
        may be the same ones, where scores are transposed."""
        shapes = [shape for shape in (self.file, self.network) if shape and shape[:1] == shape[1:2]]
        if len(shapes) == 2 and shapes[0][2:] == shapes[1][2:]:
            return shapes[0][0], shapes[1][0]
        return self._lengths(0)

    @property
    def channels(self) -> tuple[int, int] | None:
        """The input channels of a convolution, file's and network's, where they alone differ."""
        return self._lengths(1) if self.file and len(self.file) == 4 else None

    def _lengths(self, axis: int) -> tuple[int, int] | None:
        if not self.file or not self.network or len(self.file) != len(self.network):
            return None
        others = [lengths for place, lengths in enumerate(zip(self.file, self.network, strict=True)) if place != axis]
        return None if any(a != b for a, b in others) else (self.file[axis], self.network[axis])


class Fit(NamedTuple):
    """A registered network, and the settings that differ from its own."""

    name: str
    settings: Mapping[str, Any]

    def __str__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"{self.name}({settings})" if settings else self.name


def compare(file: Shapes, network: Shapes) -> list[Difference]:
    """The differences, in the network's order and then the file's."""
    wanted = _settled(file, network)
    both = {**wanted, **{name: None for name in file if name not in wanted}}
    return [Difference(name, shape, file.get(name)) for name, shape in both.items() if not same(file.get(name), shape)]


def _settled(file: Shapes, network: Shapes) -> Shapes:
    """The network's tensors, less its counters where the file has none."""
    if any(name.endswith(COUNTER) for name in file):
        return network
    return {name: shape for name, shape in network.items() if not name.endswith(COUNTER)}


def shapes(name: str, *, in_chans: int | None = None, **settings: Any) -> dict[str, Shape]:
    """A registered network's tensors, with `num_classes=0` those without its classifier; `UnknownModelError` for
    another name, ValueError for settings that no such network has."""
    return _report(name, in_chans, **settings).tensors


def _report(name: str, in_chans: int | None = None, **settings: Any) -> Report:
    builder = get_builder(name)
    channels, *size = builder.input_size
    shape = (in_chans or channels, *size)
    headless = settings.get("num_classes") == 0
    if headless:
        del settings["num_classes"]
    description = builder.describe(**settings)
    return calculate(without_head(description) if headless else description, shape)


@lru_cache(maxsize=512)
def _own(name: str) -> dict[str, Shape]:
    return shapes(name)


@lru_cache(maxsize=512)
def _headless(name: str) -> dict[str, Shape]:
    try:
        return shapes(name, num_classes=0)
    except InvalidValueError:  # it ends in no classifier
        return {}


def fits(dicts: Dicts) -> list[tuple[Fit, Reading]]:
    """The registered networks that tensors of a file fit, each with the settings that make them fit.

    Settings tried: the number of classes, 0 where the classifier is missing; the input's channels; and whether there
    are auxiliary heads. Of networks that fit different tensors, those count that leave out the fewest.
    """
    found = []
    for name, reading in _readings(dicts):
        settings = _settings(name, reading.shapes)
        if settings is not None:
            found.append((Fit(name, settings), reading))
    most = max((len(reading.names) for _, reading in found), default=0)
    return [(fit, reading) for fit, reading in found if len(reading.names) == most]


def _readings(dicts: Dicts) -> Iterator[tuple[str, Reading]]:
    """A file's tensors as those of each registered network."""
    names = list_sound_models()
    found = groups(dicts, {tensor for name in names for tensor in _own(name)})
    for name in names:
        yield name, read_as(dicts, _own(name), found)


def _fits(file: Shapes) -> list[Fit]:
    return [fit for fit, _ in fits({"": file})]


def _settings(name: str, file: Shapes) -> dict[str, Any] | None:
    if file.keys() == _settled(file, _own(name)).keys():
        settings: dict[str, Any] = {}
    elif not file.keys() < _own(name).keys():
        return None
    elif file.keys() == _settled(file, _headless(name)).keys():
        settings = {"num_classes": 0}
    elif "aux_logits" in _parameters(name):
        settings = {"aux_logits": False}
    else:
        return None
    for difference in compare(file, shapes(name, **settings)):
        if difference.classes and "num_classes" in _parameters(name):
            settings.setdefault("num_classes", difference.classes[0])
        elif difference.channels:
            settings["in_chans"] = difference.channels[0]
        else:
            return None
    try:
        return None if compare(file, shapes(name, **settings)) else settings
    except CnnzooError:  # no network has such settings
        return None


def _parameters(name: str) -> Collection[str]:
    return signature(get_builder(name)).parameters


def nearest(dicts: Dicts) -> tuple[str, Reading, list[Difference]]:
    """The registered network of which most tensors are in the file, by name and shape, and in which it differs.

    Of equals, the one with the fewest differences.
    """

    def rank(found: tuple[str, Reading, list[Difference]]) -> tuple[int, int]:
        _, reading, differences = found
        differing = {difference.name for difference in differences}
        return sum(one not in differing and not one.endswith(COUNTER) for one in reading.shapes), -len(differences)

    found = ((name, reading, compare(reading.shapes, _own(name))) for name, reading in _readings(dicts))
    return max(found, key=rank)


def auxiliary(file: Shapes, network: Shapes) -> set[str]:
    """The tensors of the auxiliary heads that the file has and the network has not."""
    extra = file.keys() - network.keys()
    return {name for fit in (_fits(file)[:1] if extra else ()) for name in _auxiliary(fit)} & extra


def heads(file: Shapes, network: Shapes) -> set[str]:
    """The differing tensors that are a classifier of another number of classes, or a head that one side lacks."""
    differences = compare(file, network)
    classes = {difference.classes for difference in differences if difference.classes}
    lacking = {difference.name for difference in differences if None in (difference.file, difference.network)}
    known = (*_fits(file)[:1], *_fits(network)[:1]) if lacking else ()
    found = {name for fit in known for name in _auxiliary(fit) | _classifier(fit)} & lacking
    return found | {difference.name for difference in differences if difference.classes and len(classes) == 1}


def _auxiliary(fit: Fit) -> set[str]:
    rows = _report(fit.name, **fit.settings).rows
    return {key_of(row.path, name) for row in rows if row.aux for name in (*row.tensors, *row.buffer_tensors)}


def _classifier(fit: Fit) -> set[str]:
    """The tensors whose shape the number of classes decides."""
    if "num_classes" not in _parameters(fit.name):
        return set()
    one, two = (shapes(fit.name, **{**fit.settings, "num_classes": classes}) for classes in (1, 2))
    return {name for name in one if one[name] != two[name]}


def likeliest(file: Shapes, network: Shapes, differences: Collection[Difference], step: str) -> str | None:
    """Why the two differ so, and what to do, as far as can be told; `step` helps where {classes} are the reason."""
    classes = {one.classes for one in differences if one.classes}
    channels = {one.channels for one in differences if one.channels and not one.classes}
    if len(classes) <= 1 and len(channels) <= 1 and all(one.classes or one.channels for one in differences):
        words = "the file's first convolution reads {0} channels, the network's {1}: build it with in_chans={0}"
        reasons = [words.format(*both) for both in channels]
        words = "the file's classifier has {} classes, the network's {}: "
        reasons += [words.format(*both) + step.format(classes=both[0]) for both in classes]
        return "; ".join(reasons)
    here, there = _fits(network), _fits(file)
    if not there:
        name, _, others = nearest({"": file})
        if not file.keys() & network.keys():
            return "none of the file's names is one of the network's: it is a checkpoint of something else"
        return (
            f"nearest to the file is {name}, with {counted(len(others), 'differences')}"
            if len(others) < len(differences)
            else None
        )
    if {fit.name for fit in here} & {fit.name for fit in there}:
        if there[0].settings.get("num_classes") == 0:
            return f"the file has no classifier: {step.format(classes=0)}"
        return f"the file is of `{there[0]}`, the network is `{here[0]}`: build the network as the file has it"
    if not here:
        return f"the file fits {' or '.join(f'`{fit}`' for fit in there)}; the network is another, or was changed"
    title = TITLES.get(there[0].name, "a checkpoint of another network")
    return f"this is {title}: use {' or '.join(f'`{fit}`' for fit in there)}"


def listed(differences: Collection[Difference], most: int = 12) -> list[str]:
    """A line for each difference, up to `most`; the last says how many more there are."""
    lines = [str(difference) for difference in list(differences)[:most]]
    return [*lines, f"and {len(differences) - most} more"] if len(differences) > most else lines
