"""The networks there are: what the package and its plugins register, by name."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from . import registry
from .plugins import PluginError, is_ours, load_plugins
from .registry import Builder, UnknownModelError
from .words import hint, listed, quoted

if TYPE_CHECKING:
    from .report import Report

PLUGINS = "cnnzoo.models"
"""The entry point group: each entry names a module, or a builder in one, that registers networks."""


def homes() -> dict[str, str]:
    """The module of each registered network, by its name: no family is imported to know it, but all plugins are."""
    from . import models  # noqa: F401  (it says what its families hold)

    load_plugins(PLUGINS)
    return registry.HOMES | {name: builder.__module__ for name, builder in registry.BUILDERS.items()}


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
    wanted = [*_listed(filter), *_listed(include)] if filter != "*" else _listed(include)
    unwanted = [*_listed(exclude_filters), *_listed(exclude)]
    families = _listed(getattr(module, "__name__", module))
    if pretrained:
        from .weights.published import PUBLISHED
    names = (
        name
        for name, home in homes().items()
        if (not wanted or any(fnmatchcase(name, pattern) for pattern in wanted))
        and not any(fnmatchcase(name, pattern) for pattern in unwanted)
        and (not families or any(f".{family}." in f".{home}." for family in families))
        and (not pretrained or name in PUBLISHED)
    )
    return sorted(names, key=natural)


def modules() -> list[str]:
    """The families: the last parts of the names of the modules in which networks are registered."""
    return sorted({home.rpartition(".")[2] for home in homes().values()})


def matching(pattern: str, module: str = "") -> list[str]:
    """`list_sound_models`, of which there must be one: `UnknownModelError`, with what may have been meant."""
    if module and not list_models(module=module):
        near = hint(module, modules(), f"there are {listed(modules())}")
        raise UnknownModelError(f"no family {quoted(module)}; {near}")
    names = list_sound_models(pattern, module)
    if not names:
        near = hint(pattern, list_models(), "`cnnzoo list` lists all")
        of = f" in {quoted(module)}" if module else ""
        raise UnknownModelError(f"no model matches {quoted(pattern)}{of}; {near}")
    return names


def list_sound_models(filter: str = "*", module: str = "") -> list[str]:
    """Of `list_models` those that can be reported; of a plugin's network that cannot a warning says why."""
    found = []
    for name in list_models(filter, module):
        builder = get_builder(name)
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
    from . import models

    if name in registry.HOMES:
        found: Builder[Any] = getattr(models, name)
        return found
    if name not in homes():
        raise UnknownModelError(_unknown(name))
    return registry.BUILDERS[name]


get_model_builder = get_builder
"""torchvision's name for it."""

model_entrypoint = get_builder
"""timm's name for it."""


def natural(name: str) -> list[tuple[int, str]]:
    """A sort key that puts resnet50 before resnet101."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _unknown(name: str) -> str:
    network, _, tag = name.partition(".")
    if tag and network in homes():
        return (
            f"unknown model {quoted(name)}: {quoted(tag)} names weights in timm; here create_model({network!r}, "
            f"weights='DEFAULT') has torchvision's, and pretrained= takes the path of a file"
        )
    return f"unknown model {quoted(name)}; {hint(name, homes(), '`cnnzoo list` lists all')}"


def builder_of(report: Report) -> Builder[Any] | None:
    """The builder of the registered network that a report is of, rewritten or not; None for another network, even one
    of its name."""
    try:
        builder = get_builder((report.model or "").partition("+")[0])
    except UnknownModelError:
        return None
    return builder if builder.paper.citation == report.paper else None
