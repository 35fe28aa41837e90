"""What a table of rows can show: for each column its header, its value, and how that is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ..report import Report, Row
from ..words import hint, quoted

Show = Callable[[Any], str]


class Column(NamedTuple):
    """`value` is exact and what data formats write; `show` is for the eye."""

    header: str
    value: Callable[[Any], Any]
    show: Show = str
    right: bool = True
    narrow: Literal["column", "cut", "room", "more room", "under", "name"] = "column"
    """What it is where lines are short, in a terminal or in print: a column as on a page, one of words that are cut
    before others go, one where the terminal has room for it ("more room" goes first), sentences under the table, or
    nothing, as the rows' names say it already."""
    short: Show | None = None
    """What text shows instead, in a terminal or a pipe, where all of it takes too much room; pages are exact."""
    known: Callable[[Any], int | None] = lambda row: None
    """The part that is known of a value that is unknown; None where there is none."""

    @property
    def in_text(self) -> Column:
        return self._replace(show=self.short or self.show)

    def cell(self, row: Any) -> str:
        """What the eye sees of a row; ≥ before what is known of the unknown."""
        value = self.value(row)
        part = self.known(row) if value is None else None
        return self.show(value) if part is None else f"≥ {self.show(part)}"


class UnknownColumnError(ValueError):
    """A column name that is none."""


def number(value: int | None) -> str:
    """1,234,567; a dash where nothing applies."""
    return "-" if value is None else f"{value:,}"


def count(value: int | None) -> str:
    """As `number`, but nothing is a dash: most layers do nothing of most kinds. The unknown is "?"."""
    return "?" if value is None else f"{value:,}" if value else "-"


def exactly(value: int | None) -> str:
    """1,234,567; the unknown is "?"."""
    return "?" if value is None else f"{value:,}"


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


def total_of(report: Report, name: str, show: Callable[[int], str] = "{:,}".format) -> str:
    """A total in a sentence: 1,234,567; "at least 1,234" where a part is unknown, "unknown" where all of it is."""
    value, part = report.totals[name], report.known.get(name)
    if value is None:
        return "unknown" if part is None else f"at least {show(part)}"
    return show(value)


def window(row: Row) -> str:
    """The settings in short: 3x3/2 is a kernel and its stride, p1 a padding of one that is neither none nor what keeps
    the size at stride 1, g2 two groups, d2 a dilation of two."""
    settings = row.settings
    if "kernel_size" not in settings:
        return ""
    kernel, groups = settings["kernel_size"], settings.get("groups") or 1
    stride, dilation = (_one(settings.get(name) or 1) for name in ("stride", "dilation"))
    text = sides(kernel if isinstance(kernel, tuple) else (kernel, kernel))
    text += f"/{sides(stride)}" if stride != 1 else ""
    padding = _one(settings.get("padding") or 0)
    text += f" p{sides(padding)}" if _pads(kernel, padding, dilation) else ""
    text += f" d{sides(dilation)}" if dilation != 1 else ""
    return text + (f" g{groups}" if groups != 1 else "")


def _one(value: Any) -> Any:
    """A tuple of equal numbers as the number."""
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


def _pads(kernel: Any, padding: Any, dilation: Any) -> bool:
    """Whether a padding is neither none, nor what keeps the size at stride 1, nor said in a word."""
    if isinstance(padding, str):
        return False
    axes = max(len(one) if isinstance(one, tuple) else 2 for one in (kernel, padding, dilation))
    each = [one if isinstance(one, tuple) else (one,) * axes for one in (kernel, padding, dilation)]
    return any(each[1]) and any(2 * pad != step * (side - 1) for side, pad, step in zip(*each, strict=False))


def _setting(name: str) -> Callable[[Row], Any]:
    return lambda row: row.settings.get(name)


def _figure(name: str) -> Callable[[Row], Any]:
    return lambda row: getattr(row, name)


def _sum(name: str, header: str, show: Show = count, short: Show | None = None) -> Column:
    """A figure of which a block has the sum."""
    return Column(header, _figure(name), show, short=short, known=lambda row: row.known.get(name))


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
    "params": _sum("params", "Params"),
    "trainable_params": _sum("trainable_params", "Trainable"),
    "weights": _sum("weights", "Weights"),
    "biases": _sum("biases", "Biases"),
    "buffers": _sum("buffers", "Buffers"),
    "macs": _sum("macs", "MACs"),
    "flops": _sum("flops", "FLOPs"),
    **{
        name: _sum(name, name.capitalize())
        for name in ("comparisons", "additions", "multiplications", "exponentials", "connections")
    },
    "depth": Column("Depth", _figure("depth"), number),
    "receptive_field": Column("Field", _figure("receptive_field"), sides),
    "effective_stride": Column("Eff. stride", _figure("effective_stride"), sides),
    "effective_padding": Column("Eff. padding", _figure("effective_padding"), sides),
    "activation_bytes": _sum("activation_bytes", "Activation", size_in_full, short=size),
    "live_bytes": Column("Live", _figure("live_bytes"), size_in_full, short=size),
    "stored_bytes": _sum("stored_bytes", "Stored", size_in_full, short=size),
    "aux": Column("Aux", _figure("aux"), lambda value: "yes" if value else "", right=False),
}


def spare(columns: Sequence[Column]) -> Column | None:
    """The one that goes first where there is too little room for all."""
    return next((one for narrow in ("more room", "room") for one in columns if one.narrow == narrow), None)


def pick(names: Iterable[str], columns: Mapping[str, Column] = COLUMNS) -> dict[str, Column]:
    """The columns of these names; `UnknownColumnError` with what may have been meant for another."""
    for name in names:
        if name not in columns:
            raise UnknownColumnError(f"unknown column {quoted(name)}; {hint(name, columns)}")
    return {name: columns[name] for name in names}
