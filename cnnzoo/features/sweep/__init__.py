"""Every combination of what is varied of a network, one record each, as lines of text."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from math import prod
from typing import Any, Literal

from ...arch import Shape
from ...errors import InvalidValueError
from ...words import as_json, sides
from .family import Family, ImpossibleError

Record = dict[str, Any]
Format = Literal["csv", "jsonl"]

FIGURES = (
    *("params", "macs", "flops", "activations", "weighted_layers", "receptive_field", "peak_activation_bytes"),
    *("aux_params", "aux_macs"),
)
"""What a record says of a network: for one sample of float32 the totals of its report by the same names, with its
`depth` as the number of weighted layers."""


@dataclass(frozen=True)
class Sweep:
    """A family's networks at every combination of `axes`, at every input size; records are numbered from 0.

    The first axis varies slowest, the input size fastest. ValueError where an axis has the name of a figure.
    """

    family: Family
    axes: Mapping[str, tuple[Any, ...]]
    input_sizes: tuple[Shape, ...]

    def __post_init__(self) -> None:
        for taken in ("model", "input_size", *FIGURES, "error"):
            if taken in self.axes:
                raise InvalidValueError(
                    f"{taken!r} cannot be varied in a sweep: its records say something else by that name"
                )

    @property
    def count(self) -> int:
        """How many combinations there are, a record each."""
        return prod(map(len, self.axes.values())) * len(self.input_sizes)

    @property
    def fields(self) -> list[str]:
        return ["model", *self.axes, "input_size", *FIGURES, "error"]

    def point(self, number: int) -> tuple[dict[str, Any], Shape]:
        """The values of a combination, and its input size."""
        number, place = divmod(number, len(self.input_sizes))
        point = {}
        for name, values in reversed(list(self.axes.items())):
            number, position = divmod(number, len(values))
            point[name] = values[position]
        return {name: point[name] for name in self.axes}, self.input_sizes[place]

    def inputs(self, number: int) -> Record:
        """The fields of a combination's record that say which it is: the model, the values and the input size."""
        point, input_size = self.point(number)
        return {"model": self.family.target, **point, "input_size": input_size}

    def record(self, number: int) -> Record:
        """A combination and its figures; for one that cannot be they are None, and `error` says why."""
        record = self.inputs(number) | dict.fromkeys(FIGURES) | {"error": None}
        try:
            found = self.family.totals(*self.point(number))
        except ImpossibleError as error:
            return record | {"error": str(error)}
        named = {
            **found._asdict(),
            "flops": None if found.macs is None else 2 * found.macs,
            "weighted_layers": found.depth,
        }
        return record | {name: named[name] for name in FIGURES}


def header(sweep: Sweep, format: Format) -> str:
    return line({name: name for name in sweep.fields}, format) if format == "csv" else ""


def line(record: Record, format: Format) -> str:
    """A record as text; in CSV shapes are 3x224x224 and nothing is an empty cell."""
    if format == "jsonl":
        return json.dumps(record, default=as_json) + "\n"
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerow(map(_cell, record.values()))
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return sides(value)
    return " ".join(value.split()) if isinstance(value, str) else value  # a line has no others in it


def beginning(inputs: Record, format: Format) -> str:
    """The beginning of the line of a combination, up to its figures: where a file has that line, the combination was
    worked out in an earlier run."""
    return line(inputs, format).removesuffix("\n").removesuffix("}") + ","


def failures(written: bytes) -> int:
    """How many of these lines, of either format, are of combinations that cannot be."""
    return sum(not one.endswith((b",", b"null}")) for one in written.splitlines())
