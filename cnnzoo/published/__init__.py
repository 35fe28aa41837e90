"""What publications print of the registered networks, as data, beside what the calculator finds.

A family's figures are in the JSON file of its name, read when first asked for: only what is printed is
typed in there, what is true is calculated. `str(figure)` says both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from ..calculate import calculate
from ..registry import Builder
from ..report import Report
from ..zoo import get_builder
from .quantities import QUANTITIES, Value

Quotient: TypeAlias = tuple[int, int]

UNITS: dict[str, Quotient] = {
    "": (1, 1),
    "K": (1_000, 1),
    "Ki": (1_024, 1),
    "M": (10**6, 1),
    "Mi": (2**20, 1),
    "G": (10**9, 1),
    "Gi": (2**30, 1),
    "%": (1, 100),
}

TOTALS = ("params", "macs", "connections")
"""The quantities of a whole network that `remarks` compares with the paper."""

WORDS = {
    "params": "parameters",
    "macs": "multiply-adds",
    "flops": "operations",
    "conv_outputs": "outputs of convolutions",
    "inputs": "input values",
    "depth": "weighted layers",
    "pixels": "pixels a side",
    "receptive_field": "pixels seen",
    "effective_stride": "pixels a step",
}
"""What a quantity is called in a sentence, where that is not its name."""

VERBS = {
    "exact": "{value} is exact",
    "rounds": "{value} rounds to it",
    "truncates": "{value} truncates to it",
    "differs": "{value} differs: {note}",
}


class PrintedFigure(NamedTuple):
    """A number, or a tuple of them, that a publication prints of a registered network."""

    model: str
    quantity: str
    """One of `QUANTITIES`, or a layer's setting: "groups"."""
    printed: str | tuple[Any, ...]
    """As it stands there: "11.30"; a shape is a tuple."""
    where: str
    """Table, figure or section."""
    source: str
    """The publication, as authors (year): title."""
    link: str
    unit: str = ""
    """One of `UNITS`."""
    digits: int | None = None
    """How many digits of it are significant, where a trailing zero is none."""
    paths: tuple[str, ...] = ("",)
    """The layers or blocks that it is of; "" is the whole network."""
    settings: tuple[tuple[str, Any], ...] = ()
    """The builder's settings, the input size and the names of rewrites, where they are not the defaults."""
    ratio: tuple[str, str] | None = None
    """The two networks whose quotient it is."""
    note: str = ""
    """Why it is what it is; always there where it differs."""

    @property
    def rewrites(self) -> tuple[str, ...]:
        """The rewrites of the network that it is of."""
        return tuple(dict(self.settings).get("rewrites", ()))

    @property
    def other(self) -> str:
        """The other settings, as they are given."""
        return ", ".join(f"{name}={value!r}" for name, value in self.settings if name != "rewrites")

    @property
    def exact(self) -> Value:
        """The true value, as the calculator finds it."""
        if self.ratio:
            top, bottom = map(self._of, self.ratio)
            return top / bottom  # type: ignore[operator]  # a ratio is of counts
        return self._of(self.model)

    @property
    def agreement(self) -> str:
        """How it relates to what is printed: "exact", "rounds" (half rounds up), "truncates" or "differs"."""
        if isinstance(self.printed, tuple) or isinstance(self.exact, tuple):
            return "exact" if self.printed == self.exact else "differs"
        number, place = _decimal(self.printed, self.digits)
        top, bottom = _quotient(self.exact)
        for unit in (UNITS[self.unit], place):
            top, bottom = top * unit[1], bottom * unit[0]
        if top == number * bottom:
            return "exact"
        if (2 * top + bottom) // (2 * bottom) == number:
            return "rounds"
        return "truncates" if top // bottom == number else "differs"

    def __str__(self) -> str:
        """`Table 2 prints 138 M parameters; 138,357,544 rounds to it`."""
        return self.sentence(self.model)

    def sentence(self, model: str) -> str:
        """The same as said of the network `model`, which the paper's may not quite be."""
        what = WORDS.get(self.quantity, self.quantity.replace("_", " "))
        if self.ratio:
            what = "for the {} of {} over those of {}".format(what, *self.ratio)
        if self.paths != ("",):
            what += f" in {', '.join(self.paths)}"
        printed = " ".join(filter(None, (str(self.printed), self.unit, what)))
        value = str(self.exact) if isinstance(self.exact, tuple) else f"{self.exact:,.9g}"
        if isinstance(self.exact, int):
            value = f"{self.exact:,}"
        if self.model != model or self.rewrites:
            value += f" of {'+'.join((self.model, *self.rewrites))}"
        if self.other:
            value += f" with {self.other}"
        return f"{self.where} prints {printed}; {VERBS[self.agreement].format(value=value, note=self.note)}"

    def _of(self, model: str) -> Value:
        report = _report(model, self.settings if model == self.model else ())
        rows = tuple(report[path] for path in self.paths)
        if self.quantity in QUANTITIES:
            return QUANTITIES[self.quantity](report, rows)
        (value,) = {row.settings[self.quantity] for row in rows}
        return value  # type: ignore[no-any-return]


def figures(model: str | Builder[Any]) -> tuple[PrintedFigure, ...]:
    """All that is printed of a registered network, whoever prints it; nothing for a network of a plugin."""
    builder = get_builder(model) if isinstance(model, str) else model
    return tuple(figure for figure in _family(_name_of_family(builder)).figures if figure.model == builder.name)


@lru_cache(maxsize=256)
def remarks(model: str | Builder[Any]) -> tuple[str, ...]:
    """What the network's own paper prints of it as a whole, beside what is true: a line a figure; of one with settings
    only where the paper prints none without.

    Where the network is a variant of the paper's, the figures are the paper's network's, and say so.
    """
    builder = get_builder(model) if isinstance(model, str) else model
    variants, printed = _family(_name_of_family(builder))
    if not printed:
        return ()
    of = variants.get(builder.name, builder.name)
    own = [
        figure
        for figure in printed
        if figure.model == of
        and figure.link == builder.paper.link
        and figure.quantity in TOTALS
        and figure.paths == ("",)
        and not figure.ratio
        and "input_size" not in dict(figure.settings)
    ]
    plain = {figure.quantity for figure in own if not figure.settings}
    own = [figure for figure in own if not (figure.settings and figure.quantity in plain)]
    none = () if any(figure.quantity == "params" for figure in own) else ("the paper prints no parameter count",)
    return (*(figure.sentence(builder.name) for figure in own), *none)


def _name_of_family(builder: Builder[Any]) -> str:
    package, _, name = builder.__module__.rpartition(".")
    return name if package == f"{__package__.rpartition('.')[0]}.models" else ""


class _Family(NamedTuple):
    """What is in a family's file."""

    variants: dict[str, str]
    """Networks that are no paper's, each with the paper's network that it is a variant of."""
    figures: tuple[PrintedFigure, ...]


@lru_cache(maxsize=32)
def _family(name: str) -> _Family:
    """What is printed of the networks of a family; nothing where it has no file, as those of plugins."""
    file = os.path.join(os.path.dirname(__file__), f"{name}.json")
    if not name or not os.path.exists(file):
        return _Family({}, ())
    with open(file, encoding="utf-8") as stream:
        data = json.load(stream)
    return _Family(data["variants"], tuple(_figures(data["sources"])))


def _figures(sources: list[dict[str, Any]]) -> Iterator[PrintedFigure]:
    """A source has tables, a table has rows; what a table says holds for each of its rows."""
    for source in sources:
        for table in source["tables"]:
            for row in table["rows"]:
                given = {key: value for key, value in {**table, **row}.items() if key != "rows"}
                given |= {key: _tuples(given[key]) for key in ("printed", "ratio") if key in given}
                given["paths"] = tuple(given.pop("path", "").split()) or ("",)
                settings = given.get("settings", {})
                given["settings"] = tuple((name, _tuples(value)) for name, value in settings.items())
                for model in given.pop("model").split():
                    yield PrintedFigure(model=model, source=source["source"], link=source["link"], **given)


def _tuples(value: Any) -> Any:
    """The value, with tuples for lists."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


@lru_cache(maxsize=64)
def _report(model: str, settings: tuple[tuple[str, Any], ...]) -> Report:
    builder = get_builder(model)
    given = {"input_size": builder.input_size, "rewrites": (), **dict(settings)}
    size, rewrites = given.pop("input_size"), given.pop("rewrites")
    description = builder.describe(**given)
    if rewrites:
        from ..rewrites import get_rewrite  # only here: no other figure needs them

        for name in rewrites:
            description = get_rewrite(name).rewritten(description)
    return calculate(description, size)


def _decimal(printed: str, digits: int | None = None) -> tuple[int, Quotient]:
    """ "11.30" is 1130 times (1, 100); of "15300" to 3 digits only 153 are meant, times (100, 1)."""
    whole, _, part = printed.replace(",", "").partition(".")
    number = whole + part
    spare = 0 if digits is None else len(number) - digits
    return int(number[: len(number) - spare]), (10**spare, 10 ** len(part))


def _quotient(value: float) -> Quotient:
    """A number as a quotient of integers; a float by its shortest decimal."""
    if isinstance(value, int):
        return value, 1
    number, (top, bottom) = _decimal(f"{value:.17f}" if "e" in repr(value) else repr(value))
    return number * top, bottom
