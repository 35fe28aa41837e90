"""What a TARGET is, once for all commands: a network that is calculated, or made by its factory and described."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .. import resolve, zoo
from ..arch.node import Node
from ..errors import InvalidValueError
from ..features.summary import calculated, described
from ..registry import Builder
from ..report import Report
from ..report.rows import Shape
from ..resolve.loading import Make, is_registered, make, own_size, split
from ..resolve.loading import find as locate
from ..words import quoted, read_literal
from .types import InputSize

if TYPE_CHECKING:
    from torch import nn


class Failure(click.ClickException):
    """What the network, not the user, did wrong: exit code 1."""

    exit_code = 1


class Target(NamedTuple):
    """What was typed: its report, what stopped that half way, and of a module itself and its inputs."""

    report: Report
    failure: Failure | None = None
    module: nn.Module | None = None
    given: Mapping[str, Any] = {}

    def printed(self) -> dict[str, int | str] | None:
        """What other tools print for the module; None where there is none."""
        if self.module is None:
            return None
        from ..pytorch.peers import printed

        return printed(self.module, report=self.report, **self.given)

    def whole(self) -> Report:
        """The report, if nothing stopped it."""
        if self.failure is not None:
            raise self.failure
        return self.report


def report_of(
    target: str,
    input_sizes: tuple[InputSize, ...] = (),
    *,
    pairs: tuple[str, ...] = (),
    num_classes: int | None = None,
    rewrites: tuple[str, ...] = (),
    batch_size: int | None = None,
    dtype: str | None = None,
    values: bool = False,
) -> Target:
    """The report of a TARGET under the name that it was called by; its factory is called once. With `values` a module
    has them, and is not on meta.

    What the network prints goes to stderr. Raises what is the user's own mistake as ValueError or TypeError.
    """
    settings = read_settings(pairs) | ({} if num_classes is None else {"num_classes": num_classes})
    place, named = split(target)
    names = (*named, *rewrites)
    about: dict[str, Any] = {"batch_size": batch_size, "dtype": dtype}
    with foreign(target):
        found = locate(place, settings)
        made = found if isinstance(found, Builder) else make(found, values)
        if isinstance(made, Builder | Node):
            own = settings if isinstance(made, Builder) else {}
            report = calculated(made, _images(input_sizes), rewrites=names, settings=own, **about)
            return Target(report if report.model else replace(report, model="+".join([place, *names])))
        assert not isinstance(found, Builder)
        return _of_module(place, found, made, input_sizes, names, **about)


class Described(NamedTuple):
    """The description that was typed, and of a module the sizes at which it is that."""

    name: str
    description: Node
    sizes: tuple[Shape, ...] = ()
    one_size: str | None = None
    """That it is one of these sizes alone."""


def description_of(
    target: str,
    input_sizes: tuple[InputSize, ...] = (),
    *,
    pairs: tuple[str, ...] = (),
    num_classes: int | None = None,
    rewrites: tuple[str, ...] = (),
) -> Described:
    """The description of a TARGET; of one that is no module no input size is needed. Raises what `report_of` does, and
    `NoDescriptionError`."""
    settings = read_settings(pairs) | ({} if num_classes is None else {"num_classes": num_classes})
    place, named = split(target)
    names = (*named, *rewrites)
    with foreign(target):
        found = locate(place, settings)
        made = found if isinstance(found, Builder) else make(found)
        if isinstance(made, Builder | Node):
            own = settings if isinstance(made, Builder) else {}
            return Described("+".join([place, *names]), resolve.find(made, names, own).description)
        assert not isinstance(found, Builder)
        report = described(_of_module(place, found, made, input_sizes, names, None, None).whole(), "it has no source")
    sizes = (report.input_size, *report.more_inputs)
    return Described(report.model or place, report.description, sizes, report.one_size)


def matching(given: str) -> list[str]:
    """The registered names of a pattern, each with the rewrites behind it; of anything else it is the only one."""
    pattern, plus, rewrites = given.partition("+")
    if not is_registered(given) or not set(pattern) & set("*?["):
        return [given]
    return [f"{name}{plus}{rewrites}" for name in zoo.matching(pattern)]


def read_settings(pairs: Iterable[str]) -> dict[str, Any]:
    """`key=value` pairs as keyword arguments: Python literals, and else strings. ValueError for what is no pair."""
    settings = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise InvalidValueError(f"{pair!r} is no key=value")
        settings[key] = read_literal(value)
    return settings


@contextmanager
def foreign(target: str) -> Iterator[None]:
    """Around what runs code that is not ours: stdout is for the result alone, and the process ends where we say."""
    with redirect_stdout(sys.stderr):
        try:
            yield
        except SystemExit as end:
            code = quoted(end.code)
            raise Failure(f"{target} ends the process before there is a result: sys.exit({code})") from None
        except GeneratorExit as end:
            raise Failure(f"{target} fails: GeneratorExit") from end


def _images(sizes: tuple[InputSize, ...]) -> Any:
    """The input of a description, or as many as it takes."""
    images = [size.image for size in sizes]
    if len(images) < 2:
        return images[0] if images else None
    square = next((size for size in images if isinstance(size, int)), None)
    if square is not None:
        meant = f"--input-size 3x{square}x{square}, say, for {square}"
        raise InvalidValueError(f"of several inputs each says its channels: {meant}")
    return images


def _of_module(
    target: str,
    factory: Make,
    made: nn.Module,
    sizes: tuple[InputSize, ...],
    rewrites: tuple[str, ...],
    batch_size: int | None,
    dtype: str | None,
) -> Target:
    from ..features.summary.modules import of_module
    from ..pytorch.measuring.measure import MeasureError, ValuesNeededError

    given = {**_given(target, made, sizes), "batch_size": batch_size}
    about: dict[str, Any] = {"model": target, "dtype": dtype, "rewrites": rewrites, **given}
    try:
        try:
            return Target(of_module(made, **about), None, made, given)
        except ValuesNeededError:
            whole = make(factory, values=True)
            assert not isinstance(whole, Node)
            return Target(of_module(whole, **about), None, whole, given)
    except MeasureError as error:
        hint = "; for whole numbers say their dtype: --input-size 1x128:int64" if "Long" in str(error) else ""
        return Target(error.report, Failure(f"{error}{hint}"))


def _given(target: str, module: nn.Module, sizes: tuple[InputSize, ...]) -> dict[str, Any]:
    """What a module is measured with."""
    if sizes:
        first, *rest = (size.lengths for size in sizes)
        others = [(size,) if isinstance(size, int) else size for size in rest]
        return {"input_size": [first, *others] if rest else first, "dtypes": tuple(size.dtype for size in sizes)}
    size = own_size(target, module)
    if size is None:
        raise InvalidValueError(f"{target} does not say what it takes: give --input-size")
    return {"input_size": size}
