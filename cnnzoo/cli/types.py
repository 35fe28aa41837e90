"""The types of parameters: each makes a value of a word of the command line, or says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import click

from ..arch import Shape
from ..render.column import Column, pick
from ..resolve.loading import find, is_registered, split

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}
"""What a letter behind a number multiplies it with."""


class InputSize(NamedTuple):
    """What --input-size says: lengths, channels first, or the side of a square, and a dtype where one follows."""

    lengths: int | tuple[int, ...]
    dtype: str | None = None

    def __str__(self) -> str:
        lengths = "x".join(map(str, self.lengths)) if isinstance(self.lengths, tuple) else str(self.lengths)
        return lengths if self.dtype is None else f"{lengths}:{self.dtype}"

    @property
    def image(self) -> int | tuple[int, ...]:
        """The lengths as those of one image or a batch of them; a `BadParameter` where they are none."""
        if self.dtype is not None:
            said = f"{str(self)!r} says a dtype, which the inputs of a torch.nn.Module have; a description has --dtype"
            raise click.BadParameter(said, param_hint="'--input-size'")
        if isinstance(self.lengths, tuple) and len(self.lengths) not in (2, 3, 4):
            raise _no_size(str(self))
        return self.lengths


def read_input_size(text: str) -> InputSize:
    """3x224x224, 1x3x224x224 with the batch, 224 for a square, or tokens with their dtype as 1x128:int64."""
    spelled, colon, dtype = text.partition(":")
    if not re.fullmatch(r"\d{1,9}(x\d{1,9})*", spelled, re.ASCII):
        raise _no_size(spelled)
    first, *rest = map(int, spelled.split("x"))
    if 0 in (first, *rest):
        raise _no_size(spelled)
    return InputSize((first, *rest) if rest else first, dtype if colon else None)


def _no_size(text: str) -> click.BadParameter:
    return click.BadParameter(
        f"{text!r} is no input size; say channels x height x width as 3x224x224, "
        f"with the batch as 1x3x224x224, or 224 for a square",
        param_hint="'--input-size'",
    )


class InputSizeType(click.ParamType[InputSize]):
    """The size of an input, by `read_input_size`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> InputSize:
        return read_input_size(value)


class ShapeType(click.ParamType[Shape]):
    """64x56x56 as the shape of maps, 9216 as that of features; of four lengths the first is the batch."""

    name = "shape"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shape:
        if not re.fullmatch(r"[1-9]\d{0,8}(x[1-9]\d{0,8})*", value, re.ASCII):
            wanted = "say channels x height x width as 64x56x56, or features as 9216"
            raise click.UsageError(f"--in {value} is no shape; {wanted}", ctx)
        return tuple(map(int, value.split("x")))


class Count(click.ParamType[int]):
    """5M, 1.5G, 5e6 or 5_000_000 as a whole number."""

    name = "count"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d+(?:_\d+)*(?:\.\d+)?(?:[eE]\d{1,2})?)([kKmMgGbBtT]?)", str(value), re.ASCII)
        number = Decimal(found[1]) * UNITS[found[2].lower()] if found else Decimal(0)
        if number < 1 or number != int(number):
            self.fail(f"{value!r} is no budget; say 5M, 1.5G, 5e6 or 5_000_000", param, ctx)
        return int(number)


class Years(NamedTuple):
    """From the first to the last, both included."""

    first: int
    last: int


class YearsType(click.ParamType[Years]):
    """2015 as that year alone, 2015:2019 as a range, 2015: and :2019 as one that is open."""

    name = "years"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Years:
        found = re.fullmatch(r"(\d{4})?(:?)(\d{4})?", str(value), re.ASCII)
        if found is None or not (found[1] or found[3]) or bool(found[1] and found[3]) > bool(found[2]):
            self.fail(f"{value!r} is no year; say 2015, 2015:2019, 2015: or :2019", param, ctx)
        years = Years(int(found[1] or 0), int(found[3] or (9999 if found[2] else found[1])))
        if years.last < years.first:
            self.fail(f"{value!r} begins after its end", param, ctx)
        return years


class NamesType(click.ParamType[list[str]]):
    """A,B,C as a list; an `UnknownColumnError` for what is none of the `known` columns, where these are said."""

    name = "names"

    def __init__(self, known: Mapping[str, Column] | None = None) -> None:
        self.known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        names = [name.strip() for name in value.split(",")]
        if self.known is not None:
            pick(names, self.known)
        return names


class TargetType(click.ParamType[str]):
    """The name of a network, or where to find one; an `UnknownModelError` for what would be registered and is not."""

    name = "target"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        place, _ = split(value)
        if is_registered(place) and not set(place) & set("*?["):
            find(place, {})
        return str(value)
