"""The networks of the package itself, by family; those of plugins are no business of its pages."""

from __future__ import annotations

from typing import Any

from ...errors import InvalidValueError
from ...registry import Builder
from ...zoo import get_builder, list_models

MODELS = f"{__package__.partition('.')[0]}.models."


def families() -> dict[str, list[Builder[Any]]]:
    """The networks of each module of `cnnzoo.models`, by its name; the family of the oldest paper first."""
    members: dict[str, list[Builder[Any]]] = {}
    for builder in map(get_builder, list_models()):
        if builder.__module__.startswith(MODELS):
            members.setdefault(builder.__module__.removeprefix(MODELS), []).append(builder)
    years = {name: min(builder.paper.year for builder in own) for name, own in members.items()}
    return {name: members[name] for name in sorted(members, key=lambda name: (years[name], name))}


def family_of(name: str) -> list[Builder[Any]]:
    """The networks of one family; ValueError, with those there are, for another name."""
    known = families()
    if name not in known:
        raise InvalidValueError(f"there is no family {name!r}, but {', '.join(known)}")
    return known[name]
