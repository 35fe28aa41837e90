"""The zoo's register: a name, its builder, the paper it comes from, and figures that pin it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, update_wrapper
from inspect import Parameter, signature
from math import isfinite
from numbers import Number, Real
from types import MappingProxyType, UnionType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec, TypeAlias

from .arch.node import Node
from .arch.signal import Shape
from .errors import CnnzooError, InvalidTypeError, InvalidValueError
from .plugins import PluginError, called, is_ours
from .words import TORCHINFO, Range, hint, listed, quoted

if TYPE_CHECKING:
    from torch import nn

    from .report import Report

P = ParamSpec("P")

Knobs: TypeAlias = Mapping[str, Sequence[Any]]
"""The keywords by which a builder's network can be varied, and the values worth trying of each."""

Channels: TypeAlias = Mapping[str, Callable[[int], str]]
"""By a path what each of so many channels of its output is, in words."""


class Anchor(NamedTuple):
    """A box that a detector starts from; the last two pixels are part of it."""

    scale: int
    """Side of the square of about its area."""
    ratio: str
    """Width to height, as "2:1"."""
    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left + 1

    @property
    def height(self) -> int:
        return self.bottom - self.top + 1


class Anchors(NamedTuple):
    """The boxes that a detector starts from at every position of a map."""

    path: str
    """Of the layer that gives four coordinates for each of them."""
    boxes: tuple[Anchor, ...]
    """In the order of the layer's channels, in pixels from the first one of the position."""


@dataclass(frozen=True)
class Paper:
    """Where a network was published."""

    title: str
    authors: str
    """With commas between them; of the rest "et al."."""
    year: int
    """Of the first edition, which is arXiv's where it has one."""
    arxiv: str | None = None
    doi: str | None = None
    url: str | None = None
    """Of the edition whose sections are meant, where it has neither of the two."""
    venue: str | None = None
    """The conference or the journal, and the year there: "CVPR 2016"."""

    def __post_init__(self) -> None:
        if not (isinstance(self.title, str) and isinstance(self.authors, str) and isinstance(self.year, int)):
            raise InvalidTypeError(
                f"a Paper has a title, its authors and a year, got {quoted((self.title, self.authors, self.year))}"
            )

    @property
    def link(self) -> str | None:
        return f"arXiv:{self.arxiv}" if self.arxiv else f"doi:{self.doi}" if self.doi else self.url

    @property
    def citation(self) -> str:
        """`Simonyan, Zisserman (2014): Very Deep …, arXiv:1409.1556`."""
        names, others = self.names
        words = f"{', '.join(map(_surname, names))}{others} ({self.year}): {self.title}"
        return f"{words}, {self.link}" if self.link else words

    @property
    def names(self) -> tuple[list[str], str]:
        """The authors one by one, and ", et al." or " et al." if there are others."""
        names, others = self.authors, ""
        if found := re.search(r",? et al\.$", names):
            names, others = names[: found.start()], found[0]
        return names.split(", "), others


def _surname(name: str) -> str:
    """ "van der Maaten" of "Laurens van der Maaten": the last word, with particles before it, which begin small."""
    words = name.split()
    small = (place for place, word in enumerate(words) if word[0].islower())
    return " ".join(words[next(small, len(words) - 1) :])


@dataclass(frozen=True)
class Pinned:
    """What a network must come to at its registered input size; a test derives each again."""

    params: int
    macs: int
    receptive_field: int | tuple[int, int] | Range | None
    """Height and width where they differ, a range where positions do; None where a layer reads whole maps, as a
    normalisation over them does, and where the input is no map."""
    stages: Mapping[str, Shape] = field(default_factory=dict)
    """The output of each stage of the paper's table, by path."""
    aux_params: int = 0


Figures = Pinned
"""The old name of `Pinned`, for one version."""


KINDS: Mapping[type, tuple[Any, str]] = {
    bool: (int, "True or False"),
    int: (int, "a whole number"),
    float: (Real, "a number"),
    str: (Number | str, "a word"),
    tuple: (tuple | list, "a tuple"),
}
"""What a keyword takes that has a default of this type: what it may be, and how that is said."""


class UnknownModelError(CnnzooError, LookupError):
    """A name that is not registered; the message suggests near ones."""


class Builder(Generic[P]):
    """A registered function that returns a description; calling it gives the network as a `torch.nn.Module`."""

    def __init__(
        self,
        function: Callable[P, Node],
        paper: Paper,
        pinned: Pinned,
        input_size: Shape,
        knobs: Knobs,
        outputs: Mapping[str, str] | None = None,
        channels: Channels = MappingProxyType({}),
        anchors: Anchors | None = None,
    ) -> None:
        update_wrapper(self, function)
        self.name = function.__name__
        self.paper = paper
        self.pinned = pinned
        self.input_size = input_size
        self.knobs = knobs
        self.outputs = outputs
        self.channels = channels
        self.anchors = anchors
        self.variant_of: Builder[P] | None = None
        """The builder whose function it is with other defaults, if it has none of its own."""
        self._function = function
        self._cached = lru_cache(maxsize=16, typed=True)(self._described)

    def __call__(self, *args: Any, **settings: Any) -> nn.Module:
        """The network as a module: what `cnnzoo.create_model` gives for it, with the same keywords."""
        from .create import create_model

        return create_model(self, **signature(self._function).bind_partial(*args).arguments, **settings)

    def describe(self, *args: P.args, **kwargs: P.kwargs) -> Node:
        """The description; descriptions are values, so the same arguments may give the same object.

        TypeError, with what may have been meant, for a keyword that the builder does not take.
        """
        self.check(kwargs)
        try:
            hash((args, *kwargs.values()))
        except TypeError:
            return self._described(*args, **kwargs)
        return self._cached(*args, **kwargs)  # type: ignore[arg-type]

    def _described(self, *args: Any, **kwargs: Any) -> Node:
        if is_ours(self._function):
            self._check_values(kwargs)
        try:
            with called(self.name, self._function):
                made = self._function(*args, **kwargs)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            of_parts = any(isinstance(value, tuple | list) for value in kwargs.values())
            if isinstance(error, CnnzooError) or not (of_parts or isinstance(error, ArithmeticError)):
                raise
            said = ", ".join(f"{name}={quoted(value)}" for name, value in kwargs.items())
            raise InvalidValueError(f"{self.name}() cannot be made with {said}: {error}") from error
        if not isinstance(made, Node):
            raise PluginError(f"{self.name} gives {type(made).__name__}, no description")
        return made

    def _check_values(self, given: Mapping[str, Any]) -> None:
        """`InvalidTypeError` for a value of another kind than the keyword's default."""
        for name, value in given.items():
            if name == "num_classes" and isinstance(value, Number | str):
                continue  # the classifier says more
            keyword = self._parameters[name]
            if isinstance(keyword.annotation, UnionType):
                continue  # the builder says more
            kind = type(keyword.default)
            takes, words = KINDS.get(kind, (object, ""))
            if not isinstance(value, takes) or (kind is float and not isfinite(value)):
                wanted = "a number" if name == "num_classes" else words
                raise InvalidTypeError(f"{self.name}() takes {name} as {wanted}, got {quoted(value)}")

    def check(self, given: Iterable[str], also: Iterable[str] = ()) -> None:
        """TypeError for the first of the given keywords that is neither the builder's nor one of `also`."""
        taken = list(dict.fromkeys([*self._keywords, *also]))
        for name in given:
            if name not in taken and "**" not in taken:
                meant = (TORCHINFO | ELSEWHERE).get(name) or hint(name, taken, f"it takes {listed(taken)}")
                raise InvalidTypeError(f"{self.name}() takes no keyword {quoted(name)}; {meant}")

    def takes(self, keyword: str) -> bool:
        """Whether a keyword is the builder's."""
        return not {keyword, "**"}.isdisjoint(self._keywords)

    @cached_property
    def _parameters(self) -> Mapping[str, Parameter]:
        return signature(self._function).parameters

    @cached_property
    def _keywords(self) -> tuple[str, ...]:
        """The function's keywords; "**" stands for any."""
        return tuple("**" if one.kind is one.VAR_KEYWORD else one.name for one in self._parameters.values())

    def report(self, input_size: Any = None, **settings: Any) -> Report:
        """What `cnnzoo.summary` gives for this network."""
        from .features.summary import summary

        return summary(self, input_size, **settings)

    def __reduce__(self) -> str:
        return self.name  # copied and pickled as a function is: by its name in its module

    def __repr__(self) -> str:
        return f"<cnnzoo builder {self.name}: {self.paper.citation}>"


ELSEWHERE = {
    "act_layer": "layers are exchanged in the description: cnnzoo.arch.rewrite",
    "block_config": "DenseNet's is depth=",
    "cache_dir": "torch.hub.set_dir() says where files are kept",
    "drop_path_rate": "there is no stochastic depth",
    "drop_rate": "say dropout=, which VGG, AlexNet and GoogLeNet have in their heads, DenseNet in its layers",
    "exportable": "every network can be exported as it is",
    "features": "features_only=True gives maps, num_classes=0 features",
    "global_pool": "the pooling is a layer of its own; net.forward_features gives the maps before it",
    "grad_checkpointing": "call net.set_grad_checkpointing()",
    "groups": "ResNeXt is not among the networks",
    "growth_rate": "DenseNet's is growth=",
    "init_weights": "init= says how parameters begin",
    "memory_efficient": "call net.set_grad_checkpointing()",
    "no_jit": "nothing is scripted",
    "norm_layer": "layers are exchanged in the description: cnnzoo.arch.rewrite",
    "num_init_features": "a DenseNet's stem has twice growth= maps",
    "pretrained_cfg": "weights= and pretrained= say which weights; net.pretrained_cfg says what they expect",
    "pretrained_cfg_overlay": "weights= and pretrained= say which weights; net.pretrained_cfg says what they expect",
    "scriptable": "every network can be traced and exported as it is",
    "weights_backbone": "these networks classify: weights= says which weights",
    "width_per_group": "a ResNet's is width=",
    "zero_init_last": "zero_init_residual=True",
}
"""Keywords of timm's and torchvision's networks that builders have by another name, or not at all."""

BUILDERS: dict[str, Builder[Any]] = {}
"""Every builder that was registered so far, by its name; `zoo.get_builder` imports the others."""

HOMES: dict[str, str] = {}
"""The module that registers it, of each network of this package, imported or not."""


def register(
    *,
    paper: Paper,
    pinned: Pinned = None,  # type: ignore[assignment]  # required, but for the old keyword
    input_size: Shape = (3, 224, 224),
    knobs: Knobs = MappingProxyType({}),
    outputs: Mapping[str, str] | None = None,
    channels: Channels = MappingProxyType({}),
    anchors: Anchors | None = None,
    figures: Pinned | None = None,
) -> Callable[[Callable[P, Node]], Builder[P]]:
    """Register a function under its own name; `input_size`, (channels, height, width) or (features,), is what it is
    reported at by default, and `num_classes`, where it classifies, its first keyword.

    `knobs` are keywords of the function with the values that `cnnzoo match` tries: `{"width": range(8, 129, 8)}`.
    `outputs` are what a module in training calls the outputs of its auxiliary heads, by head, in their order.
    `channels` say what the channels of a detector's outputs are, by the path of what gives them, and
    `anchors` the boxes that it starts from at each position.
    `figures` is the old name of `pinned`, for one version.
    Raises ValueError where the name is taken, TypeError for what is of another type and for a knob that is no keyword.
    """
    if figures is not None:
        warnings.warn("register(figures=Figures(…)) is now pinned=Pinned(…)", DeprecationWarning, stacklevel=2)
        pinned = figures
    for keyword, value, kind in (("paper", paper, Paper), ("pinned", pinned, Pinned), ("knobs", knobs, Mapping)):
        if not isinstance(value, kind):
            raise InvalidTypeError(f"register() takes {keyword} as a {kind.__name__}, got {quoted(value)}")

    def enrol(function: Callable[P, Node]) -> Builder[P]:
        name = function.__name__
        home = BUILDERS[name].__module__ if name in BUILDERS else HOMES.get(name, function.__module__)
        if name in BUILDERS or home != function.__module__:
            raise InvalidValueError(
                f"model {name!r} is already registered by {home}; {function.__module__} must give its own another name"
            )
        builder = Builder(function, paper, pinned, input_size, knobs, outputs, channels, anchors)
        builder.check(knobs)
        BUILDERS[name] = builder
        return builder

    return enrol
