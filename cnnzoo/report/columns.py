"""What a table of rows can show, and totals in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..render.column import Column, Show
from ..words import count, number, sides, size, size_in_full
from .rows import Row

if TYPE_CHECKING:
    from .report import Report


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
    kernel, groups = settings.get("kernel_size") or settings.get("filt_size"), settings.get("groups") or 1
    if kernel is None:
        return ""
    stride, dilation = (_one(settings.get(name) or 1) for name in ("stride", "dilation"))
    axes = 1 if len(row.input_shape) == 2 else 2  # of sequences (channels, length)
    text = sides(kernel if isinstance(kernel, tuple) else (kernel,) * axes)
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
    """The column of a figure of which a block has the sum of its rows'."""
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
    "regions": Column("Regions", _figure("regions"), lambda count: f"×{count:,}" if count else "", narrow="room"),
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
    "gated_field": Column("With gates", _figure("gated_field"), sides),
    "activation_bytes": _sum("activation_bytes", "Activation", size_in_full, short=size),
    "live_bytes": Column("Live", _figure("live_bytes"), size_in_full, short=size),
    "stored_bytes": _sum("stored_bytes", "Stored", size_in_full, short=size),
    "aux": Column("Aux", _figure("aux"), lambda value: "yes" if value else "", right=False),
}
