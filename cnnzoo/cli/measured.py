"""The report of a TARGET that is no registered name: it is made and measured, which takes torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..api import summary
from ..arch.node import Node
from ..registry import Builder
from ..report import Report
from ..targets import Make, default_size, find, is_registered, make, read_settings
from .common import read_input_size

if TYPE_CHECKING:
    from torch import nn


class Failure(click.ClickException):
    """What the network, not the user, did wrong: exit code 1."""

    exit_code = 1


class Inputs(NamedTuple):
    """The sizes of a network's inputs, and their dtypes where they have one of their own."""

    sizes: tuple[int | tuple[int, ...], ...] = ()
    dtypes: tuple[str | None, ...] = ()

    @property
    def image(self) -> int | tuple[int, ...] | None:
        """The one input of a description."""
        if len(self.sizes) > 1:
            raise ValueError("a description has one input: give --input-size once")
        if any(self.dtypes):
            raise ValueError(f"a description takes no {self.dtypes[0]}: its input is as --dtype says")
        return self.sizes[0] if self.sizes else None


class Result(NamedTuple):
    """A report, what stopped it half way, and for a measured one the module with the sizes of its inputs."""

    report: Report
    failure: Failure | None = None
    module: nn.Module | None = None
    given: Mapping[str, Any] = {}

    def printed(self) -> dict[str, int | str] | None:
        """What other tools print for the module; None where there is none."""
        if self.module is None:
            return None
        from ..pytorch.conventions import printed

        return printed(self.module, report=self.report, **self.given)


def read_inputs(values: tuple[str, ...], measured: bool) -> Inputs:
    """What --input-size says; of a `measured` module a dtype may follow: 1x128:int64."""
    found = [value.partition(":") if measured else (value, "", "") for value in values]
    sizes = tuple(read_input_size(size, measured) for size, _, _ in found)
    return Inputs(sizes, tuple(dtype if colon else None for _, colon, dtype in found))


def report_of(
    target: str,
    pairs: tuple[str, ...],
    inputs: Inputs,
    batch_size: int | None,
    dtype: str | None,
    extra: Mapping[str, Any],
    rewrites: tuple[str, ...] = (),
) -> Result:
    """Raises what is the user's own mistake as ValueError."""
    settings = {**read_settings(pairs), **extra}
    about: dict[str, Any] = {"batch_size": batch_size, "dtype": dtype}
    if is_registered(target):
        return Result(summary(target, inputs.image, rewrites=rewrites, **about, **settings))
    found = find(target, settings)
    if isinstance(found, Builder):
        found.check(settings)
        return Result(summary(found, inputs.image, rewrites=rewrites, **about, **settings))
    made = make(found)
    if isinstance(made, Node):
        return Result(summary(made, inputs.image, rewrites=rewrites, **about))
    if rewrites:
        raise ValueError(f"{target} is a torch.nn.Module: rewrites go with registered names and descriptions")
    return _measured(target, found, made, inputs, **about)


def _measured(
    target: str, factory: Make, made: nn.Module, inputs: Inputs, batch_size: int | None, dtype: str | None
) -> Result:
    from ..pytorch.measure import MeasureError, ValuesNeededError, measure

    name = os.path.basename(target)
    given = {**_given(target, made, inputs), "batch_size": batch_size}
    try:
        try:
            return Result(measure(made, model=name, dtype=dtype, **given), None, made, given)
        except ValuesNeededError:
            whole = make(factory, values=True)
            assert not isinstance(whole, Node)
            return Result(measure(whole, model=name, dtype=dtype, **given), None, whole, given)
    except MeasureError as error:
        hint = "; for whole numbers say their dtype: --input-size 1x128:int64" if "Long" in str(error) else ""
        return Result(error.report, Failure(f"{error}{hint}"))


def _given(target: str, module: nn.Module, inputs: Inputs) -> dict[str, Any]:
    """What a module is measured with."""
    if inputs.sizes:
        first, *rest = inputs.sizes
        others = [(size,) if isinstance(size, int) else size for size in rest]
        return {"input_size": [first, *others] if rest else first, "dtypes": inputs.dtypes}
    size = default_size(module) or ((3, 224, 224) if target.startswith("torchvision:") else None)
    if size is None:
        raise ValueError(f"{target} does not say what it takes: give --input-size")
    return {"input_size": size}
