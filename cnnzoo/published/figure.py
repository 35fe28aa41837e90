"""A number that a publication prints of a registered network, and how what is calculated agrees with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from ..arch.edit import replace
from ..arch.node import Node
from ..calculate import calculate
from ..report import Report
from ..words import is_in, sides
from ..zoo import get_builder
from .quantities import PARTS, QUANTITIES, Value

Quotient: TypeAlias = tuple[int, int]

UNITS: dict[str, Quotient] = {
    "": (1, 1),
    "K": (1_000, 1),
    "x 10^4": (10_000, 1),
    "Ki": (1_024, 1),
    "M": (10**6, 1),
    "Mi": (2**20, 1),
    "G": (10**9, 1),
    "Gi": (2**30, 1),
    "%": (1, 100),
}

WRITTEN = {"K": "1000", "Ki": "1024", "Mi": "1024 x 1024", "Gi": "1024 x 1024 x 1024"}
"""Units in words, and how those are called that are written without their i."""

WORDS = {
    "params": "parameters",
    "macs": "multiply-adds",
    "flops": "FLOPs",
    "conv_outputs": "outputs of convolutions",
    "inputs": "input values",
    "depth": "weighted layers",
    "pixels": "pixels a side",
    "size_before_stride": "the size before the stride",
    "receptive_field": "pixels seen",
    "effective_stride": "pixels a step",
    "macs_share": "of the multiply-adds",
    "params_share": "of the parameters",
    "params_share_before_last": "of the parameters in front of the last layer",
    "weights_share": "of the weights of convolutions and linear layers",
    "file_bytes": "bytes of the file of weights",
    "int8_bytes": "bytes of weights and of the largest two maps, in 8 bits",
}
"""What a quantity is called in a sentence, where that is not its name."""

VERBS = {"exact": "is exact", "rounds": "rounds to it", "truncates": "truncates to it", "differs": "differs"}
"""What is said of a value, by how it agrees with what is printed."""

VERDICTS = {
    "exact": "exact",
    "rounds": "rounds to it",
    "truncates": "truncates to it",
    "explained": "explained",
    "slip": "a slip",
    "disagrees": "DISAGREES",
}
"""What may be said of a figure; in the order from right to wrong."""

REASONS = {
    "flops": "multiply-adds called FLOPs",
    "operations": "operations called multiply-adds",
    "input": "another input size",
    "stride": "a stride elsewhere",
    "network": "another network",
    "classifier": "without the classifier",
    "counted": "something more counted in, or left out",
    "unit": "a prefix that is a power of 1024, or is none",
    "rounding": "cut off or rounded up",
    "slip": "a slip",
    "none": "none found",
}
"""Why a printed figure is not the nearest to that of the network that it is of."""


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
    called: str = ""
    """The quantity that the publication says it is, where that is another one than it counts: "flops"."""
    with_parts: tuple[str, ...] = ()
    """What is counted in that the quantity leaves out: names in `PARTS`."""
    without: tuple[str, ...] = ()
    """What is left out that the quantity counts: names in `PARTS`."""
    rounding: str = ""
    """"up" where it is the next number above."""
    because: tuple[tuple[str, Any], ...] = ()
    """Fields of this figure that say how else it may be read, and agrees then; `settings` are added to its own."""
    slip: str = ""
    """Where it differs and no other reading gives it: the evidence that it is a slip."""
    note: str = ""
    """A remark on a figure that agrees."""

    @property
    def read(self) -> PrintedFigure:
        """The figure as it agrees, if it does: as what it counts, and as `because` says."""
        changes = dict(self.because)
        settings = tuple({**dict(self.settings), **dict(changes.pop("settings", ()))}.items())
        return self._replace(called="", because=(), settings=settings, **changes)

    @property
    def verdict(self) -> str:
        """One of `VERDICTS`: how the true value agrees, else whether it does as the figure is explained, else whether
        a slip is known."""
        if self.agreement != "differs":
            return self.agreement
        if (self.because or self.called) and self.read.agreement != "differs":
            return "explained"
        return "slip" if self.slip and not self.because else "disagrees"

    @property
    def reason(self) -> str | None:
        """One of `REASONS`; None where the nearest number is printed."""
        verdict = self.verdict
        if verdict != "explained":
            return {"truncates": "rounding", "slip": "slip", "disagrees": "none"}.get(verdict)
        changes = dict(self.because)
        settings = dict(changes.get("settings", ()))
        if changes.get("quantity") == "flops":
            return "operations"
        if "input_size" in settings:
            return "input"
        if settings.keys() & {"v1"} or any(name.startswith("stride_on") for name in settings.get("rewrites", ())):
            return "stride"
        if changes.get("quantity") == "size_before_stride":
            return "stride"
        if settings or "model" in changes:
            return "network"
        if {"classifier", "linear"} & {*changes.get("without", ())}:
            return "classifier"
        if changes.keys() & {"with_parts", "without"}:
            return "counted"
        return next((name for name in ("unit", "rounding") if name in changes), "flops" if self.called else "counted")

    @property
    def explanation(self) -> str:
        """As what it agrees, with the value: "As multiply-adds: 3,857,973,248 truncates to it"; "" where not."""
        if self.verdict != "explained":
            return ""
        reading = self.reading
        said = f"{reading[0].upper()}{reading[1:]}: " if reading else ""
        return f"{said}{self.read.value} {self.read._verb}"

    @property
    def why(self) -> str:
        """How it is explained or the evidence that it is a slip, and a remark."""
        first = self.explanation or (self.slip if self.verdict == "slip" else "")
        return f"{first.removesuffix('.')}. {self.note}" if first and self.note else first or self.note

    @property
    def reading(self) -> str:
        """How it is read where that is not as it stands there."""
        return ", ".join(self._readings())

    def _readings(self) -> Iterator[str]:
        read = self.read
        if self.called or read.quantity != self.quantity:
            yield f"as {read.what}"
        if read.model != self.model:
            yield f"of {read.model}"
        if read.paths != self.paths:
            yield f"of {_listed(read.paths)}"
        for word, names in (("without", read.without), ("with", read.with_parts)):
            if names:
                yield f"{word} {_listed([PARTS[name].words for name in names])}"
        for name, value in dict(self.because).get("settings", ()):
            yield _setting(name, value)
        if read.unit != self.unit:
            yield f"where {self.unit[0]} is {WRITTEN[read.unit]}"
        if read.digits != self.digits:
            yield f"to {read.digits} digits"

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
        """The true value of what it is said to be, as the calculator finds it."""
        return _exact(self)

    @property
    def agreement(self) -> str:
        """How it relates to what is printed: "exact", "rounds" (half rounds up), "truncates" or "differs"."""
        exact = self.exact
        if isinstance(self.printed, tuple) or isinstance(exact, tuple):
            return "exact" if self.printed == exact else "differs"
        number, place = _decimal(self.printed, self.digits)
        top, bottom = _quotient(exact)
        for unit in (UNITS[self.unit], place):
            top, bottom = top * unit[1], bottom * unit[0]
        if top == number * bottom:
            return "exact"
        if self.rounding == "up":
            return "rounds" if -(-top // bottom) == number else "differs"
        if (2 * top + bottom) // (2 * bottom) == number:
            return "rounds"
        return "truncates" if top // bottom == number else "differs"

    @property
    def what(self) -> str:
        """What it is of, in words."""
        quantity = self.called or self.quantity
        return WORDS.get(quantity, quantity.replace("_", " "))

    @property
    def value(self) -> str:
        """The true value in words, exact but for quotients."""
        exact = self.exact
        return f"{exact:,}" if isinstance(exact, int) else f"{exact:,.9g}" if isinstance(exact, float) else str(exact)

    @property
    def _verb(self) -> str:
        return "rounds up to it" if self.rounding else VERBS[self.agreement]

    def __str__(self) -> str:
        """`Table 2 prints 138 M parameters; 138,357,544 rounds to it`."""
        return self.sentence(self.model)

    def sentence(self, model: str) -> str:
        """The same as said of the network `model`, which the paper's may not quite be."""
        what = self.what
        if self.ratio:
            what = "for the {} of {} over those of {}".format(what, *self.ratio)
        if self.paths != ("",):
            what += f" in {', '.join(self.paths)}"
        printed = " ".join(filter(None, (str(self.printed), self.unit, what)))
        of = f" of {'+'.join((self.model, *self.rewrites))}" if self.model != model or self.rewrites else ""
        of += f" with {self.other}" if self.other else ""
        verdict = self.verdict
        if verdict == "explained":
            return f"{self.where} prints {printed}; {self.reading}, {self.read.value}{of} {self.read._verb}"
        why = f": {self.slip}" if verdict == "slip" else ""
        return f"{self.where} prints {printed}; {self.value}{of} {self._verb}{why}"

    def _of(self, model: str) -> Value:
        report = _report(model, self.settings if model == self.model else ())
        rows = tuple(report[path] for path in self.paths)
        quantity = self.called or self.quantity
        value: Any
        if quantity in QUANTITIES:
            value = QUANTITIES[quantity](report, rows)
        else:
            (value,) = {row.settings[quantity] for row in rows}
        if self.with_parts or self.without:
            leaves = tuple(
                leaf for leaf in report.rows if not leaf.aux and any(is_in(leaf.path, path) for path in self.paths)
            )
            value += sum(PARTS[name].how_many(leaves, quantity) for name in self.with_parts)
            value -= sum(PARTS[name].how_many(leaves, quantity) for name in self.without)
        return value  # type: ignore[no-any-return]


@lru_cache(maxsize=8192)
def _exact(figure: PrintedFigure) -> Value:
    if figure.ratio:
        top, bottom = map(figure._of, figure.ratio)
        return top / bottom  # type: ignore[operator]  # a ratio is of counts
    return figure._of(figure.model)


def _listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def _setting(name: str, value: Any) -> str:
    if name == "input_size":
        return f"at {sides(value)}"
    if name == "rewrites":
        return f"with {_listed(value)}"
    if name == "replace":
        return f"with {_listed([f'{_one_line(node)} for {path}' for path, node in value])}"
    return f"with {name}={value!r}"


def _one_line(node: Node) -> str:
    """Its repr, which of a block has several lines."""
    return " ".join(repr(node).split()).replace("( ", "(").replace(", )", ")")


@lru_cache(maxsize=64)
def _report(model: str, settings: tuple[tuple[str, Any], ...]) -> Report:
    builder = get_builder(model)
    given = {"input_size": builder.input_size, "rewrites": (), "replace": (), **dict(settings)}
    size, rewrites, replaced = (given.pop(name) for name in ("input_size", "rewrites", "replace"))
    description: Node = builder.describe(**given)
    for path, node in replaced:
        description = replace(description, path, node)
    if rewrites:
        from ..rewrites import get_rewrite  # only here: no other figure needs them

        for name in rewrites:
            description = get_rewrite(name, builder.input_size).rewritten(description)
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
