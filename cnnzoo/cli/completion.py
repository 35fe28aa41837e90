"""Completion: what may stand where the shell's cursor is.

Each function is a parameter's `shell_complete`: it gives the whole values that begin as what was typed so far.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from inspect import Parameter, signature
from typing import TypeAlias

import click

from ..arch import walk
from ..errors import CnnzooError
from ..resolve import describe
from ..resolve.loading import is_registered, names_in, split
from ..zoo import get_builder, list_models, modules

Complete: TypeAlias = Callable[[click.Context, click.Parameter, str], list[str]]


def complete_name(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The registered networks."""
    return list_models(f"{incomplete}*")


def complete_module(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The modules in which networks are registered, by the last part of their names."""
    return [name for name in modules() if name.startswith(incomplete)]


def complete_target(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The registered networks, or files and what is defined in one; behind a plus sign the rewrites."""
    target, plus, rewrite = incomplete.rpartition("+")
    if plus:
        return [f"{target}+{name}" for name in complete_rewrite(ctx, param, rewrite)]
    return complete_name(ctx, param, incomplete) or _in_files(incomplete)


def complete_rewrite(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The registered rewrites."""
    from ..rewrites import list_rewrites

    return [name for name in list_rewrites() if name.startswith(incomplete)]


def complete_path(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The paths in the registered network that the command was given, a part further than what was typed."""
    target = given_target(ctx)
    try:
        paths = [path for path, _ in walk(describe(target))] if target else []
    except CnnzooError:
        return []
    depth = incomplete.count(".")
    return [path for path in paths if path and path.startswith(incomplete) and path.count(".") <= depth]


def complete_setting(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """KEY= for each keyword of the registered network that the command was given."""
    try:
        taken = signature(get_builder(split(given_target(ctx))[0])).parameters.values()
    except CnnzooError:
        return []
    return [f"{one.name}=" for one in taken if one.kind != Parameter.VAR_KEYWORD and one.name.startswith(incomplete)]


def complete_word(names: Iterable[str]) -> Complete:
    """One of `names`."""
    return lambda ctx, param, incomplete: [name for name in names if name.startswith(incomplete)]


def complete_list(names: Iterable[str]) -> Complete:
    """Of a list with commas its last name: one of `names` that is not yet in it."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        before, comma, begun = incomplete.rpartition(",")
        there = before.split(",")
        return [f"{before}{comma}{name}" for name in names if name.startswith(begun) and name not in there]

    return complete


def given_target(ctx: click.Context) -> str:
    """The first TARGET that was typed, if it is of a registered network: what is elsewhere would be run to know it."""
    arguments = (param for param in ctx.command.params if isinstance(param, click.Argument))
    argument = next(param for param in arguments if not isinstance(param.type, click.Choice))
    # click reads no arguments where the last option has no value yet, and leaves them in `args`
    given = ctx.params.get(argument.name or "") or ctx.args or ""
    target = given if isinstance(given, str) else given[0]
    return target if is_registered(target) else ""


def _in_files(begun: str) -> list[str]:
    """Folders, files of Python, and behind a file's colon what is defined in it, which is read and not run."""
    file, colon, name = begun.partition(":")
    if colon:
        return [f"{file}:{one}" for one in names_in(file) if one.startswith(name)] if file.endswith(".py") else []
    folder, name = os.path.split(begun)
    found = []
    with suppress(OSError), os.scandir(folder or ".") as entries:
        for entry in entries:
            if entry.name.startswith(name) and (name or not entry.name.startswith(".")):
                path = os.path.join(folder, entry.name)
                found += [f"{path}/"] if entry.is_dir() else [f"{path}:"] if path.endswith(".py") else []
    return sorted(found)
