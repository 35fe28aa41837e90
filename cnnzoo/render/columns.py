"""What a table of rows can show: for each column its header, its value, and how that is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..report import Line, Report, Row


class Column(NamedTuple):
    """`value` is exact and what data formats write; `show` is for the eye."""

    header: str
    value: Callable[[Any], Any]
    show: Callable[[Any], str] = str
    right: bool = True

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
    "activation_bytes": Column("Activation", _figure("activation_bytes"), size),
    "live_bytes": Column("Live", _figure("live_bytes"), size),
    "stored_bytes": Column("Stored", _figure("stored_bytes"), size),
    "aux": Column("Aux", _figure("aux"), lambda value: "yes" if value else "", right=False),
}

DEFAULT = ("kernel", "output_shape", "params", "macs")
"""Beside the tree; they fit a terminal of 80 columns."""


def pick(names: Sequence[str] | None, default: Sequence[str] = DEFAULT) -> dict[str, Column]:
    """The columns of these names; `UnknownColumnError` with what may have been meant for another."""
    for name in names or ():
        if name not in COLUMNS:
            from difflib import get_close_matches

            close = get_close_matches(name.lower(), COLUMNS, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(COLUMNS)}"
            raise UnknownColumnError(f"unknown column {name!r}; {hint}")
    return {name: COLUMNS[name] for name in names or default}


def tree(line: Line, plain: bool = False) -> tuple[str, str]:
    """A line's place in the tree with its name, and its kind."""
    ways = ("  ", "| ", "`-", "|-") if plain else ("  ", "│ ", "└─", "├─")
    lead = "".join(ways[follows] for follows in line.guides[:-1]) + ways[2 + line.guides[-1]]
    times = f" {'x' if plain else '×'}{line.times}" if line.times > 1 else ""
    return f"{lead}{line.name}{times}", "" if line.row.is_join else _kind(line.row)


def _kind(row: Row) -> str:
    if row.call != 1:
        return f"{row.kind} (call {row.call})" if row.call else f"{row.kind} (not called)"
    return f"{row.kind} (apart)" if row.kind == "Aux" else row.kind


def footer(report: Report, lines: list[Line]) -> list[tuple[str, str]]:
    """What stands under the table of `lines`: a label and a sentence each."""
    total = report.totals
    shape = " and ".join(map(sides, (report.input_size, *report.more_inputs)))
    frozen = total["params"] - total["trainable_params"]
    said = [
        ("Input", f"{shape}, batch of {report.batch_size}, {report.dtype}"),
        (
            "Parameters",
            f"{total['params']:,} ({total['weights']:,} weights, {total['biases']:,} biases"
            f"{f'; {frozen:,} of them frozen' if frozen else ''}); buffers {total['buffers']:,}",
        ),
    ]
    if total["aux_params"]:
        said.append(
            (
                "Auxiliary",
                f"{total['aux_params']:,} parameters and {total['aux_macs']:,} MACs in heads that run in training "
                f"only, not in the totals; {total['params'] + total['aux_params']:,} parameters with them",
            )
        )
    said.append(("MACs", _macs(report)))
    if total["depth"] is not None:
        said.append(("Depth", f"{total['depth']} weighted layers"))
    if report.last_map is not None and total["depth"] is not None:
        settings = f"effective stride {sides(report.effective_stride)}, padding {sides(report.effective_padding)}"
        seen = "unknown" if report.receptive_field is None else f"{sides(report.receptive_field)} pixels; {settings}"
        said.append(("Receptive field", f"{seen}; at {report.last_map.path or 'the output'}, the last map"))
    said.append(("Memory", _memory(total)))
    said += [("Unknown" if number == 0 else "", str(one)) for number, one in enumerate(report.unknown)]
    said += [("Note" if number == 0 else "", note) for number, note in enumerate(report.notes)]
    if report.paper:
        said.append(("Paper", report.paper))
    said += [("Printed" if number == 0 else "", remark) for number, remark in enumerate(report.printed)]
    if any(line.times > 1 for line in lines):
        said.append(("×N", "a row for N equal neighbours; its figures are theirs together, and so below it"))
    return said


def _macs(report: Report) -> str:
    total = report.totals
    if total["macs"] is None:
        return "none are known"
    known = "at least " if report.unknown else ""
    return (
        f"{known}{total['macs']:,} a sample, of convolutions and linear layers without biases; "
        f"FLOPs = 2 x MACs = {total['flops']:,}"
    )


def _memory(total: Mapping[str, Any]) -> str:
    if total["peak_bytes"] is None:
        return f"{size(total['param_bytes'])} parameters, {size(total['activation_bytes'])} outputs of all layers"
    return (
        f"{size(total['peak_bytes'])} at inference ({size(total['param_bytes'])} parameters, "
        f"{size(total['peak_activation_bytes'])} activations at the peak); "
        f"training stores {size(total['stored_bytes'])} of activations"
    )
