"""The report of a TARGET that is no registered name: it is made and measured, which takes torch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from ..api import summary
from ..arch.node import Node
from ..registry import Builder
from ..report import Report
from ..targets import Make, default_size, find, make, read_settings

if TYPE_CHECKING:
    from torch import nn

Sizes = tuple[int | tuple[int, ...], ...]


class Failure(click.ClickException):
    """What the network, not the user, did wrong: exit code 1."""

    exit_code = 1


def report_of(
    target: str, pairs: tuple[str, ...], sizes: Sizes, batch_size: int | None, dtype: str | None, extra: dict[str, Any]
) -> tuple[Report, Failure | None]:
    """The report, and what stopped it half way. Raises what is the user's own mistake as ValueError."""
    settings = {**read_settings(pairs), **extra}
    found = find(target, settings)
    if isinstance(found, Builder):
        found.check(settings)
        return summary(found, _one(sizes), batch_size=batch_size, dtype=dtype, **settings), None
    return _measured(target, found, sizes, batch_size, dtype)


def _measured(
    target: str, factory: Make, sizes: Sizes, batch_size: int | None, dtype: str | None
) -> tuple[Report, Failure | None]:
    made = make(factory)
    if isinstance(made, Node):
        return summary(made, _one(sizes), batch_size=batch_size, dtype=dtype), None
    from ..pytorch.measure import MeasureError, ValuesNeededError, measure

    name = os.path.basename(target)

    def report(module: nn.Module) -> Report:
        return measure(module, _size(target, module, sizes), batch_size=batch_size, dtype=dtype, model=name)

    try:
        try:
            return report(made), None
        except ValuesNeededError:
            whole = make(factory, values=True)
            assert not isinstance(whole, Node)
            return report(whole), None
    except MeasureError as error:
        return error.report, Failure(str(error))


def _one(sizes: Sizes) -> Any:
    if len(sizes) > 1:
        raise ValueError("a description has one input: give --input-size once")
    return sizes[0] if sizes else None


def _size(target: str, module: nn.Module, sizes: Sizes) -> Any:
    if not sizes:
        size = default_size(module) or ((3, 224, 224) if target.startswith("torchvision:") else None)
        if size is None:
            raise ValueError(f"{target} does not say what it takes: give --input-size")
        return size
    whole = [(3, size, size) if isinstance(size, int) else size for size in sizes]
    return whole[0] if len(whole) == 1 else whole
