"""The zoo's register: a name, its builder, the paper it comes from, and figures that pin it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache, update_wrapper
from inspect import signature
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeAlias

from .arch.node import Node
from .arch.signal import Shape
from .plugins import PluginError, called, is_ours, load_plugins
from .words import TORCHINFO, hint, listed, quoted

if TYPE_CHECKING:
    from torch import nn

    from .report import Report

P = ParamSpec("P")

Knobs: TypeAlias = Mapping[str, Sequence[Any]]
"""The keywords by which a builder's network can be varied, and the values worth trying of each."""

PLUGINS = "cnnzoo.models"
"""The entry point group: each entry names a module, or a builder in one, that registers networks."""


@dataclass(frozen=True)
class Paper:
    """Where a network was published."""

    title: str
    authors: str
    year: int
    arxiv: str | None = None
    doi: str | None = None
    url: str | None = None
    """Of the edition whose sections are meant, where it has neither of the two."""

    def __post_init__(self) -> None:
        if not (isinstance(self.title, str) and isinstance(self.authors, str) and isinstance(self.year, int)):
            raise TypeError(
                f"a Paper has a title, its authors and a year, got {quoted((self.title, self.authors, self.year))}"
            )

    @property
    def link(self) -> str | None:
        return f"arXiv:{self.arxiv}" if self.arxiv else f"doi:{self.doi}" if self.doi else self.url

    @property
    def citation(self) -> str:
        """`Simonyan, Zisserman (2014): Very Deep …, arXiv:1409.1556`."""
        words = f"{self.authors} ({self.year}): {self.title}"
        return f"{words}, {self.link}" if self.link else words


@dataclass(frozen=True)
class Pinned:
    """What a network must come to at its registered input size; a test derives each again."""

    params: int
    macs: int
    receptive_field: int
    stages: Mapping[str, Shape] = field(default_factory=dict)
    """The output of each stage of the paper's table, by path."""
    aux_params: int = 0


Figures = Pinned
"""The old name of `Pinned`, for one version."""


class UnknownModelError(LookupError):
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
    ) -> None:
        update_wrapper(self, function)
        self.name = function.__name__
        self.paper = paper
        self.pinned = pinned
        self.input_size = input_size
        self.knobs = knobs
        self.outputs = outputs
        self._function = function
        self._cached = lru_cache(maxsize=16, typed=True)(self._described)

    def __call__(self, *args: Any, **settings: Any) -> nn.Module:
        """The network as a module: what `cnnzoo.create_model` gives for it, with the same keywords."""
        from .api import create_model

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
        with called(self.name, self._function):
            made = self._function(*args, **kwargs)
        if not isinstance(made, Node):
            raise PluginError(f"{self.name} gives {type(made).__name__}, no description")
        return made

    def check(self, given: Iterable[str], also: Iterable[str] = ()) -> None:
        """TypeError for the first of the given keywords that is neither the builder's nor one of `also`."""
        taken = list(dict.fromkeys([*self._keywords, *also]))
        for name in given:
            if name not in taken and "**" not in taken:
                meant = (TORCHINFO | ELSEWHERE).get(name) or hint(name, taken, f"it takes {listed(taken)}")
                raise TypeError(f"{self.name}() takes no keyword {quoted(name)}; {meant}")

    @cached_property
    def _keywords(self) -> tuple[str, ...]:
        """The function's keywords; "**" stands for any."""
        return tuple(
            "**" if one.kind is one.VAR_KEYWORD else one.name for one in signature(self._function).parameters.values()
        )

    def report(self, input_size: Any = None, **settings: Any) -> Report:
        """What `cnnzoo.summary` gives for this network."""
        from .api import summary

        return summary(self, input_size, **settings)

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

_builders: dict[str, Builder[Any]] = {}


def register(
    *,
    paper: Paper,
    pinned: Pinned = None,  # type: ignore[assignment]  # required, but for the old keyword
    input_size: Shape = (3, 224, 224),
    knobs: Knobs = MappingProxyType({}),
    outputs: Mapping[str, str] | None = None,
    figures: Pinned | None = None,
) -> Callable[[Callable[P, Node]], Builder[P]]:
    """Register a function under its own name; `input_size` is what it is reported at by default.

    `knobs` are keywords of the function with the values that `cnnzoo match` tries: `{"width": range(8, 129, 8)}`.
    `outputs` are what a module in training calls the outputs of its auxiliary heads, by head, in their order.
    `figures` is the old name of `pinned`, for one version.
    Raises ValueError where the name is taken, TypeError for what is of another type and for a knob that is no keyword.
    """
    if figures is not None:
        warnings.warn("register(figures=Figures(…)) is now pinned=Pinned(…)", DeprecationWarning, stacklevel=2)
        pinned = figures
    for keyword, value, kind in (("paper", paper, Paper), ("pinned", pinned, Pinned), ("knobs", knobs, Mapping)):
        if not isinstance(value, kind):
            raise TypeError(f"register() takes {keyword} as a {kind.__name__}, got {quoted(value)}")

    def enrol(function: Callable[P, Node]) -> Builder[P]:
        name = function.__name__
        if name in _builders:
            raise ValueError(
                f"model {name!r} is already registered by {_builders[name].__module__}; "
                f"{function.__module__} must give its own another name"
            )
        builder = Builder(function, paper, pinned, input_size, knobs, outputs)
        builder.check(knobs)
        _builders[name] = builder
        return builder

    return enrol


def list_models(
    filter: str | Iterable[str] = "*",
    module: str | Iterable[str] = "",
    pretrained: bool = False,
    exclude_filters: str | Iterable[str] = (),
    *,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
) -> list[str]:
    """Registered names that match any of the patterns (`res*`) and none of `exclude`, in natural order.

    `module` leaves those of a family, "resnet" or "cnnzoo.models.resnet"; `pretrained` those with published weights.
    The first four arguments are timm's, `include` and `exclude` torchvision's names of the first and the fourth.
    """
    _load_plugins()
    wanted = [*_listed(filter), *_listed(include)] if filter != "*" else _listed(include)
    unwanted = [*_listed(exclude_filters), *_listed(exclude)]
    families = _listed(getattr(module, "__name__", module))
    if pretrained:
        from .weights.published import PUBLISHED
    names = (
        name
        for name, builder in _builders.items()
        if (not wanted or any(fnmatchcase(name, pattern) for pattern in wanted))
        and not any(fnmatchcase(name, pattern) for pattern in unwanted)
        and (not families or any(f".{family}." in f".{builder.__module__}." for family in families))
        and (not pretrained or name in PUBLISHED)
    )
    return sorted(names, key=natural)


def list_sound_models(filter: str = "*") -> list[str]:
    """Of `list_models` those that can be reported; of a plugin's network that cannot a warning says why."""
    found = []
    for name in list_models(filter):
        builder = _builders[name]
        try:
            if not is_ours(builder._function):
                builder.report()
            found.append(name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin's network may be wrong in any way; the others are not
            why = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            warnings.warn(f"{name} is left out: {why}", stacklevel=2)
    return found


def _listed(patterns: str | Iterable[str]) -> list[str]:
    return [one for one in ([patterns] if isinstance(patterns, str) else patterns) if one]


def is_model(name: str) -> bool:
    """Whether a network of that name is registered; timm's function."""
    return name in list_models()


def get_builder(name: str) -> Builder[Any]:
    """The builder of a registered name; `UnknownModelError`, with what may have been meant, for another."""
    import cnnzoo.models  # noqa: F401  (its modules register what they hold)

    if name not in _builders:
        _load_plugins()
    if name not in _builders:
        raise UnknownModelError(_unknown(name))
    return _builders[name]


get_model_builder = get_builder
"""torchvision's name for it."""

model_entrypoint = get_builder
"""timm's name for it."""


def natural(name: str) -> list[tuple[int, str]]:
    """A sort key that puts resnet50 before resnet101."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _unknown(name: str) -> str:
    network, _, tag = name.partition(".")
    if tag and network in _builders:
        return (
            f"unknown model {quoted(name)}: {quoted(tag)} names weights in timm; here create_model({network!r}, "
            f"weights='DEFAULT') has torchvision's, and pretrained= takes the path of a file"
        )
    return f"unknown model {quoted(name)}; {hint(name, _builders, '`cnnzoo list` lists all')}"


def _load_plugins() -> None:
    import cnnzoo.models  # noqa: F401

    load_plugins(PLUGINS)
