"""What `cnnzoo match` and `cnnzoo sweep` share: how the values of knobs are read, and a bar for long work."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from functools import wraps
from itertools import product
from math import prod
from time import monotonic
from typing import Any

import click

from ..errors import InvalidValueError
from ..features.sweep.family import Family
from ..words import quoted, read_literal
from .common import is_watched
from .completion import complete_setting

MOST = 10**7
"""Combinations of one run."""

VALUES = 10**5
"""Values of one option."""

SHORTHANDS = ("width", "depth", "growth", "num_classes")
"""The knobs that have an option of their own."""

NUMBER = r"\d{1,9}(?:\.\d{1,9})?"
PART = rf"{NUMBER}(?::{NUMBER}(?::{NUMBER})?)?"


def knob_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--width, --depth, … and --knob, given to the command as `knobs`: names and values."""

    @wraps(command)
    def called(knob: tuple[str, ...], **given: Any) -> Any:
        short = {name: text for name in SHORTHANDS if (text := given.pop(name)) is not None}
        return command(knobs=_read_knobs(short, knob), **given)

    options = [
        click.option("--width", metavar="VALUES", help="Maps of the first stage, or a factor for all layers."),
        click.option("--depth", metavar="VALUES", help="Blocks of each stage as 3x4x6x3, or a factor for them."),
        click.option("--growth", metavar="VALUES", help="DenseNet's growth rate."),
        click.option("--num-classes", metavar="VALUES", help="Classes of the head."),
        click.option(
            "--knob",
            metavar="NAME=VALUES",
            multiple=True,
            shell_complete=complete_setting,
            help="Any other keyword of the builder.",
        ),
    ]
    decorated: Callable[..., Any] = called
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


def _read_knobs(short: Mapping[str, str], pairs: tuple[str, ...]) -> dict[str, tuple[Any, ...]]:
    knobs = {name: read_values(text, f"--{name.replace('_', '-')}") for name, text in short.items()}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"{quoted(pair)} is no NAME=VALUES", param_hint="'--knob'")
        if name in knobs:
            raise click.BadParameter(f"{name} is given twice", param_hint="'--knob'")
        knobs[name] = read_values(text, "--knob")
    return knobs


def read_values(text: str, option: str) -> tuple[Any, ...]:
    """32,48,64; 16:128:8 is 16, 24, …, 128; 3x4x6x3 is one value of four, and 3x4x1:36x3 are 36 of them; A,B are words.

    Equal values are one.
    """
    values: list[Any] = []
    for item in text.split(","):
        if re.fullmatch(rf"{PART}(?:x{PART})*", item, re.ASCII):
            parts = [_read_range(part, option) for part in item.split("x")]
            _check_count(len(values) + prod(map(len, parts)), option)
            values += parts[0] if len(parts) == 1 else product(*parts)
        else:
            values.append(_literal(item.strip(), option))
    return tuple(dict.fromkeys(values))


def _read_range(part: str, option: str) -> list[int | float]:
    """A number, or all from the first to the last in steps, both included."""
    first, last, step = [*map(Fraction, part.split(":")), None, None][:3]
    assert first is not None
    last, step = first if last is None else last, Fraction(1) if step is None else step
    if last < first or not step:
        raise click.BadParameter(
            f"{quoted(part)} is no range; say first:last:step as in 16:128:8, which is 16, 24, …, 128",
            param_hint=f"'{option}'",
        )
    count = int((last - first) / step) + 1
    _check_count(count, option)
    if "." in part:
        return [float(first + place * step) for place in range(count)]
    return list(range(int(first), int(last) + 1, int(step)))


def _check_count(count: int, option: str) -> None:
    if count > VALUES:
        raise click.BadParameter(f"these are {count:,} values; at most {VALUES:,} are", param_hint=f"'{option}'")


def _literal(item: str, option: str) -> Any:
    """A Python literal or a word."""
    try:
        value = read_literal(item)
        hash(value)
    except TypeError:  # what can change, as a list, is no value
        value = item
    except InvalidValueError as error:
        raise click.BadParameter(str(error), param_hint=f"'{option}'") from None
    if value == item and not re.fullmatch(r"[^\W\d][\w.+-]*", item):
        raise click.BadParameter(
            f"{quoted(item)} is no value; say 32,48,64 or 16:128:8 or 3x4x6x3", param_hint=f"'{option}'"
        )
    return value


def check_family(family: Family, knobs: Iterable[str]) -> None:
    """`UnknownKnobError` where it has not all these knobs; a rewrite that does not apply to it is a warning."""
    family.check(knobs)
    for remark in family.remarks():
        warnings.warn(remark, stacklevel=1)


@contextmanager
def progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, if that is a terminal, from the second second on; what is given hears how much is done."""
    started = monotonic()
    with ExitStack() as stack:
        bar: Any = None

        def tell(done: int) -> None:
            nonlocal bar
            if bar is None and is_watched() and monotonic() - started > 1:
                bar = stack.enter_context(click.progressbar(length=total, file=sys.stderr, width=0))
            if bar is not None:
                bar.update(done - bar.pos)

        yield tell
