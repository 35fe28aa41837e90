"""What `cnnzoo train` and `cnnzoo evaluate` share: what a TARGET is for them, and options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..features.train.data import NAMES
from ..registry import Builder
from ..resolve.loading import find, split
from .common import arg_option, rewrite_option
from .completion import complete_target, complete_word
from .target import foreign, read_settings
from .types import InputSize, InputSizeType, TargetType

SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
SEED = click.IntRange(0, 2**32)


def complete_data(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The data sets that have a name, and folders."""
    names = [name for name in NAMES if name.startswith(incomplete)]
    try:
        folder = Path(incomplete if incomplete.endswith("/") else incomplete.rpartition("/")[0] or ".")
        below = sorted(f"{folder / one.name}/" for one in folder.iterdir() if one.is_dir())
    except (OSError, ValueError):
        return names
    return [*names, *(one for one in below if incomplete and one.startswith(incomplete))]


def learning_options(needs_data: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """TARGET and the options that say what it is, what it is given, and where it runs."""
    said = "" if needs_data else "; default: what WEIGHTS were trained on"
    options = (
        click.argument("target", type=TargetType(), metavar="TARGET", shell_complete=complete_target),
        rewrite_option,
        arg_option,
        click.option(
            "--data",
            required=needs_data,
            metavar="DATA",
            shell_complete=complete_data,
            help=f"{', '.join(NAMES)} or a folder{said}.",
        ),
        click.option(
            "--input-size",
            type=InputSizeType(),
            metavar="CxHxW",
            help="Scale pictures to it, or to a square: 28.  [default: as they are]",
        ),
        click.option(
            "--pictures", type=click.IntRange(2, 10**9), help="Use so many of those to train on.  [default: all]"
        ),
        click.option(
            "--device",
            metavar="DEVICE",
            shell_complete=complete_word(("cpu", "cuda")),
            help="Default: a GPU where there is one.",
        ),
    )

    def optioned(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return optioned


def found(target: str, rewrites: tuple[str, ...], pairs: tuple[str, ...]) -> dict[str, Any]:
    """What `train` and `evaluate` take for a TARGET: the builder, or the function that makes the network."""
    settings = read_settings(pairs)
    place, named = split(target)
    with foreign(target):
        model = find(place, settings)
    names = (*named, *rewrites)
    own = settings if isinstance(model, Builder) else {}
    return {"model": model, "name": "+".join([place, *names]), "rewrites": names, "arguments": own}


def scaled(input_size: InputSize | None) -> int | tuple[int, ...] | None:
    return None if input_size is None else input_size.image
