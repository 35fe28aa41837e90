"""What a registered name, a builder or a description means with `create_model`'s keywords: a description at a size."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..arch.node import Node
from ..arch.signal import Shape
from ..errors import InvalidTypeError, InvalidValueError
from ..registry import Builder
from ..words import TORCHINFO, quoted
from ..zoo import get_builder

if TYPE_CHECKING:
    from torch import nn

    from ..pytorch.modules.features import FeatureInfo
    from ..weights.published import Source

OF_MODULES = ("drop_head", "init", "zero_init_residual", "device", "dtype", "inplace", "progress")
"""`create_model`'s keywords that change no figure of the network."""

OF_WEIGHTS = ("pretrained", "weights", "checkpoint_path")
"""Those that say which weights are loaded; some come with keywords of the builder."""

EDITS = ("num_classes", "stem")
"""Those that change a description."""

TAKEN = ("in_chans", "features_only", "out_indices")
"""Those that say what it is given, and what is taken of it."""


class Named(NamedTuple):
    """A network by what a user called it."""

    description: Node
    builder: Builder[Any] | None
    """What it was made by; None for a description."""
    rewrites: tuple[str, ...]
    notes: tuple[str, ...]
    """What each rewrite did, or why it does not apply."""
    is_default: bool
    """Whether it is the registered network, as it is without keywords and rewrites."""
    source: Source
    """The weights that it is to have."""

    @property
    def name(self) -> str | None:
        return "+".join([self.builder.name, *self.rewrites]) if self.builder else None


class Design(NamedTuple):
    """A network at an input size."""

    named: Named
    description: Node
    """Where features are taken, up to the last of them."""
    sizes: tuple[Shape, ...]
    """(channels, height, width) of each input."""
    batch_size: int
    features: FeatureInfo | None

    @property
    def shape(self) -> Shape:
        """That of the first input."""
        return self.sizes[0]


def design(
    model: str | Builder[Any] | Node,
    input_size: int | Iterable[Any] | None = None,
    *,
    rewrites: Iterable[str] = (),
    batch_size: int | None = None,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Design:
    """The network that `create_model` builds and `summary` calculates; `settings` are `create_model`'s keywords."""
    keywords = dict(settings)
    in_chans, features_only, out_indices = (keywords.pop(key, None) for key in TAKEN)
    said = keywords.pop("input_size", None)
    named = find(model, rewrites, keywords)
    own = named.builder.input_size if named.builder else None
    default = (in_chans or own[0], *own[1:]) if own else None
    size: Any = said if input_size is None else input_size
    sizes, batch = read_sizes(size, default, batch_size)
    shape = sizes[0]
    if in_chans not in (None, shape[0]):
        raise InvalidValueError(f"input_size {shape} has {shape[0]} channels, in_chans says {in_chans}")
    if not features_only:
        if out_indices is not None:
            raise InvalidValueError("out_indices are of maps: they go with features_only=True")
        return Design(named, named.description, sizes, batch, None)
    from ..arch.ends import cut
    from ..pytorch.modules.features import FeatureInfo

    info = FeatureInfo(named.description, shape, out_indices)
    return Design(named, cut(named.description, info.steps[-1]), sizes, batch, info)


def find(
    model: str | Builder[Any] | Node,
    rewrites: Iterable[str],
    settings: Mapping[str, Any],
    own_size: Shape | None = None,
) -> Named:
    """The network, rewritten first and edited then: `num_classes=0` leaves out its classifier, `stem` changes its
    beginning; other settings go to the builder. Those `OF_MODULES` are no keywords of a network. `own_size` is the
    input size of a description that was made at one; a builder says its own.

    Raises `UnknownModelError`, `UnknownRewriteError`, TypeError for an unknown keyword.
    """
    keywords = {key: value for key, value in settings.items() if key not in (*OF_MODULES, *EDITS)}
    num_classes, stem = map(settings.get, EDITS)
    names = read_names(rewrites)
    if isinstance(model, str):
        name, *more = model.split("+")
        model, names = get_builder(name), (*more, *names)
    elif not isinstance(model, Builder | Node):
        raise InvalidTypeError(f"expected a network's name, its builder or a description, got {type(model).__name__}")
    headless = type(num_classes) is int and num_classes == 0
    if num_classes is not None and not headless:
        keywords["num_classes"] = num_classes
    weights = {key: keywords.pop(key) for key in OF_WEIGHTS if key in keywords}
    source: Source = None
    if any(weights.values()):
        from ..weights.published import Published, find_weights

        source = find_weights(model.name if isinstance(model, Builder) else "", **weights)
        if isinstance(source, Published):
            keywords = {**source.settings, **keywords}
    if isinstance(model, Builder):
        model.check(keywords, (*EDITS, *TAKEN, "input_size", *OF_WEIGHTS, *OF_MODULES))
        builder, description = model, model.describe(**keywords)
    elif keywords:
        meant = "".join(f"; {TORCHINFO[name]}" for name in keywords if name in TORCHINFO)
        raise InvalidTypeError(f"a description takes no settings, got {', '.join(keywords)}{meant}")
    else:
        builder, description = None, model
    notes: tuple[str, ...] = ()
    if names:
        from ..rewrites import apply

        description, notes = apply(description, names, builder.input_size if builder else own_size)
    if headless or stem is not None:
        from ..arch import ends

        description = ends.without_head(description) if headless else description
        description = description if stem is None else ends.new_stem(description, stem)
    changed = keywords or names or headless or stem is not None
    return Named(description, builder, names, notes, builder is not None and not changed, source)


def read_names(rewrites: Iterable[str]) -> tuple[str, ...]:
    """Names of rewrites as they were given; TypeError for one text."""
    if isinstance(rewrites, str):
        raise InvalidTypeError(f"rewrites must be a list of names, got {rewrites!r}")
    return tuple(rewrites)


def read_sizes(size: Any, default: Shape | None, batch_size: int | None) -> tuple[tuple[Shape, ...], int]:
    """What `read_size` says of one input size, or of each of several, for as many inputs with one batch."""
    several = isinstance(size, list | tuple) and bool(size) and all(isinstance(one, list | tuple) for one in size)
    read = [read_size(one, default, batch_size) for one in (size if several else [size])]
    batches = {batch for _, batch in read}
    if len(batches) > 1:
        raise InvalidValueError(f"all inputs have one batch, got {' and '.join(map(str, sorted(batches)))}")
    return tuple(shape for shape, _ in read), batches.pop()


def read_size(size: int | Iterable[int] | None, default: Shape | None, batch_size: int | None) -> tuple[Shape, int]:
    """(channels, height, width) and the batch, from any of the ways to say an input size."""
    if size is None or isinstance(size, int):
        if default is None:
            raise InvalidValueError(
                "a description or a module has no input size of its own: give input_size=(channels, height, width), "
                "at a prompt --input-size 3x224x224"
            )
        sides = default[1:] or default  # a vector is as long as one number says
        shape = default if size is None else (*default[: -len(sides)], *[size] * len(sides))
    elif hasattr(size, "ndim"):
        raise InvalidTypeError("input_size takes numbers, not a tensor: input_size=tuple(x.shape)")
    else:
        shape = tuple(size) if isinstance(size, Iterable) and not isinstance(size, str) else (size,)
    if len(shape) == len(default or (0, 0, 0)) + 1:
        if batch_size not in (None, shape[0]):
            raise InvalidValueError(f"input_size {shape} says a batch of {shape[0]}, batch_size says {batch_size}")
        batch_size, *rest = shape
        shape = tuple(rest)
    if len(shape) not in (1, 2, 3) or any(type(length) is not int or length < 1 for length in shape):
        raise InvalidValueError(
            f"input_size must be (channels, height, width), (batch, channels, height, width) or one number, "
            f"all of them positive whole numbers; got {quoted(shape)}"
        )
    return shape, 1 if batch_size is None else batch_size


def describe(
    model: str | Builder[Any] | Node | nn.Module,
    input_size: Any = None,
    *,
    rewrites: Iterable[str] = (),
    **settings: Any,
) -> Node:
    """The description of a registered network, or of any `torch.nn.Module`, under `rewrites`, which a name may have
    behind plus signs.

    A module is run once, on the meta device, with inputs of `input_size`, as for `summary`: layers and blocks have the
    names that they have in it. `settings` are `create_model`'s, and go with a registered network. A rewrite that does
    not apply changes nothing. Raises what `summary` does, and `TracingError` where a module calls what has no word.
    """
    if is_module(model):
        from ..pytorch.tracing import describe as trace

        if settings:
            raise InvalidTypeError(f"a torch.nn.Module takes no settings, got {', '.join(settings)}")
        sizes, _ = read_sizes(input_size, None, None)
        return find(trace(model, sizes), rewrites, {}, sizes[0]).description  # type: ignore[arg-type]
    if input_size is not None:
        settings["input_size"] = input_size
    if isinstance(model, Node) and not settings.get("features_only"):
        return find(model, rewrites, settings).description
    return design(model, rewrites=rewrites, settings=settings).description  # type: ignore[arg-type]


def is_module(value: object) -> bool:
    """Whether it is a `torch.nn.Module`; where torch is not imported, nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)
