"""What a table of rows can show: for each column its header, its value, and how that is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from ..report import Row
from ..words import hint, quoted


class Column(NamedTuple):
    """`value` is exact and what data formats write; `show` is for the eye."""

    header: str
    value: Callable[[Any], Any]
    show: Callable[[Any], str] = str
    right: bool = True
    narrow: Literal["column", "room", "under", "name"] = "column"
    """What it is where lines are short, in a terminal or in print: a column as on a page, one where the terminal has
    room for it, sentences under the table, or nothing, as the rows' names say it already."""
    short: Callable[[Any], str] | None = None
    """What text shows instead, in a terminal or a pipe, where all of it takes too much room; pages are exact."""

    @property
    def in_text(self) -> Column:
        return self._replace(show=self.short or self.show)

    def cell(self, row: Any) -> str:
        """What the eye sees of a row."""
        return self.show(self.value(row))


class UnknownColumnError(ValueError):
    """A column name that is none."""


def number(value: int | None) -> str:
    """1,234,567; a dash where nothing applies."""
    return "-" if value is None else f"{value:,}"


def count(value: int | None) -> str:
    """As `number`, but nothing is a dash: most layers do nothing of most kinds. The unknown is "?"."""
    return "?" if value is None else f"{value:,}" if value else "-"


def sides(value: Any, sep: str = "x") -> str:
    """A shape or a pair as 64x112x112; a single number as it is."""
    if value is None:
        return "-"
    return sep.join(map(str, value)) if isinstance(value, tuple) else str(value)


def size(value: int | None) -> str:
    """Bytes as MB = 10^6, kB or bytes; the unknown is "?"."""
    if value is None:
        return "?"
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if value >= scale:
            hundredths = (100 * value + scale // 2) // scale
            return f"{hundredths // 100:,}.{hundredths % 100:02} {unit}"
    return f"{value} bytes"


def size_in_full(value: int | None) -> str:
    """Bytes as 1,234,567 B; the unknown is "?"."""
    return "?" if value is None else f"{value:,} B"


def window(row: Row) -> str:
    """The settings in short: 3x3/2 is a kernel and its stride, g2 two groups, d2 a dilation of two."""
    settings = row.settings
    if "kernel_size" not in settings:
        return ""
    kernel, stride, dilation, groups = (
        settings.get(name) or 1 for name in ("kernel_size", "stride", "dilation", "groups")
    )
    text = sides(kernel if isinstance(kernel, tuple) else (kernel, kernel))
    text += f"/{sides(stride)}" if stride != 1 else ""
    text += f" d{sides(dilation)}" if dilation != 1 else ""
    return text + (f" g{groups}" if groups != 1 else "")


def _setting(name: str) -> Callable[[Row], Any]:
    return lambda row: row.settings.get(name)


def _figure(name: str) -> Callable[[Row], Any]:
    return lambda row: getattr(row, name)


COLUMNS: dict[str, Column] = {
    "path": Column("Path", _figure("path"), right=False),
    "kind": Column("Kind", _figure("kind"), right=False),
    "kernel": Column("Kernel", window, right=False),
    **{
        name: Column(name.replace("_", " ").capitalize(), _setting(name), sides, right=False)
        for name in ("kernel_size", "stride", "padding", "dilation", "groups")
    },
    "input_shape": Column("Input", _figure("input_shape"), sides, right=False),
    "output_shape": Column("Output", _figure("output_shape"), sides, right=False),
    "params": Column("Params", _figure("params"), count),
    "weights": Column("Weights", _figure("weights"), count),
    "biases": Column("Biases", _figure("biases"), count),
    "buffers": Column("Buffers", _figure("buffers"), count),
    "macs": Column("MACs", _figure("macs"), count),
    "flops": Column("FLOPs", _figure("flops"), count),
    **{
        name: Column(name.capitalize(), _figure(name), count)
        for name in ("comparisons", "additions", "multiplications", "exponentials", "connections")
    },
    "depth": Column("Depth", _figure("depth"), number),
    "receptive_field": Column("Field", _figure("receptive_field"), sides),
    "effective_stride": Column("Eff. stride", _figure("effective_stride"), sides),
    "effective_padding": Column("Eff. padding", _figure("effective_padding"), sides),
    "activation_bytes": Column("Activation", _figure("activation_bytes"), size_in_full, short=size),
    "live_bytes": Column("Live", _figure("live_bytes"), size_in_full, short=size),
    "stored_bytes": Column("Stored", _figure("stored_bytes"), size_in_full, short=size),
    "aux": Column("Aux", _figure("aux"), lambda value: "yes" if value else "", right=False),
}


def pick(names: Iterable[str], columns: Mapping[str, Column] = COLUMNS) -> dict[str, Column]:
    """The columns of these names; `UnknownColumnError` with what may have been meant for another."""
    for name in names:
        if name not in columns:
            raise UnknownColumnError(f"unknown column {quoted(name)}; {hint(name, columns)}")
    return {name: columns[name] for name in names}
