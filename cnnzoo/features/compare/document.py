"""Networks side by side, as `cnnzoo compare` prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from ...errors import InvalidValueError
from ...render.column import Column, pick
from ...render.document import Document
from ...words import exactly, short, sides
from .scatter import Plane, Point, axis, draw

Record = Mapping[str, Any]


def times(ratio: float | None) -> str:
    """A ratio to three digits: ×2.36, and ×1 only for what is exactly as much."""
    if ratio is None:
        return "?"
    if ratio == 1:
        return "×1"
    return f"×{ratio:.2g}" if 0 < ratio < 0.1 else f"×{ratio:,.{2 if ratio < 9.995 else 1 if ratio < 99.95 else 0}f}"


def _known(value: Any) -> str:
    return "?" if value is None else sides(value)


def _some(value: int | None) -> str:
    """A count; nothing is a dash."""
    return "?" if value is None else f"{value:,}" if value else "-"


def _in_short(value: int | None) -> str:
    return short(value) if value else _some(value)


def _count(name: str, header: str, unit: str = "") -> Column:
    digits, in_short = partial(exactly, unit=unit), partial(short, unit=unit)
    return Column(header, itemgetter(name), digits, short=in_short, known=lambda one: one.get(f"known_{name}"))


def _figure(name: str, column: Column) -> dict[str, Column]:
    """A figure, and how many times the first network's it is."""
    ratio = f"{name}_ratio"
    return {name: column, ratio: Column("×", itemgetter(ratio), times)}


COLUMNS = {
    **_figure("params", _count("params", "Params")),
    **_figure("macs", _count("macs", "MACs")),
    **_figure("flops", _count("flops", "FLOPs")),
    **_figure("activations", _count("activations", "Act.")),
    **_figure("peak_bytes", _count("peak_bytes", "Memory", "B")),
    **_figure("depth", Column("Depth", itemgetter("depth"), _known)),
    **_figure("receptive_field", Column("Field", itemgetter("receptive_field"), _known)),
    "regions": Column("Regions", itemgetter("regions"), _some),
    "image_macs": Column("MACs an image", itemgetter("image_macs"), _some, short=_in_short),
    "region_macs": Column("MACs a region", itemgetter("region_macs"), _some, short=_in_short),
    "year": Column("Year", itemgetter("year"), _known),
    "aux_params": _count("aux_params", "Aux. params"),
    "aux_macs": _count("aux_macs", "Aux. MACs"),
    "stored_bytes": _count("stored_bytes", "Stored", "B"),
    "input_size": Column("Input", itemgetter("input_size"), sides, right=False),
    "batch_size": Column("Batch", itemgetter("batch_size")),
    "dtype": Column("Dtype", itemgetter("dtype"), right=False),
    "status": Column("Status", itemgetter("status"), right=False),
    "known_params": _count("known_params", "Known params"),
    "known_macs": _count("known_macs", "Known MACs"),
    "known_flops": _count("known_flops", "Known FLOPs"),
}
"""`known_…` are what is known of a total that is unknown, for CSV; the eye sees it in the total's place, behind a ≥."""

DEFAULT = (
    *("params", "params_ratio", "macs", "macs_ratio", "flops", "activations", "peak_bytes", "depth"),
    *("receptive_field", "year"),
)
OF_REGIONS = ("params", "macs", "macs_ratio", "image_macs", "region_macs", "regions", "year")
"""Where a network looks at regions."""
ROOM = ("flops", "activations", "year", "depth", "receptive_field")
"""Those of `DEFAULT` for which a terminal must have room."""

PER_SAMPLE = "per sample, as text in three digits (all other formats are exact)"
FIGURES = {
    "flops": "FLOPs = 2 x MACs",
    "activations": "Act. is the outputs of all layers, in elements",
    "peak_bytes": "Memory is parameters, buffers and activations at the peak of inference",
}
"""What is said of columns, where they are shown."""


def document(
    networks: Sequence[Record],
    first: str,
    notes: Sequence[tuple[str, str]],
    names: Sequence[str] | None,
    scatter: bool,
) -> Document:
    """A row for each network. Data formats have the exact figures, and all of them unless some are named."""
    default = OF_REGIONS if any(one["regions"] for one in networks) else DEFAULT
    columns = pick(names or default, COLUMNS)
    if names is None:
        columns |= {name: column._replace(narrow="room") for name, column in columns.items() if name in ROOM}
    told = [said for name, said in FIGURES.items() if name in columns]
    said = [("Input", _inputs(networks)), ("Figures", "; ".join([PER_SAMPLE, *told]))]
    if any(name.endswith("_ratio") for name in columns) and len(networks) > 1:
        said.append(("×", f"times {first}; ×1 is exactly as much"))
    said += notes
    if scatter:
        left_out = ", ".join(one["model"] for one in networks if not _drawn(one))
        said += [("Not drawn", f"{left_out}, of unknown parameters or MACs")] if left_out else []
    return Document(
        "Model",
        [one["model"] for one in networks],
        columns,
        networks,
        said,
        rows=[{"model": one["model"], **{name: one[name] for name in names or COLUMNS}} for one in networks],
        data={"first": first, "networks": [dict(one) for one in networks], "said": [list(one) for one in notes]},
        caption="Networks compared",
        drawing=partial(draw, plane(networks)) if scatter else None,
    )


def plane(networks: Sequence[Record]) -> Plane:
    """Parameters against MACs, of the networks of which both are known; ValueError where there is none."""
    known = [Point(one["model"], one["params"], one["macs"]) for one in networks if _drawn(one)]
    if not known:
        raise InvalidValueError("there is nothing to draw: no network's parameters and MACs are known")
    return Plane(known, axis("Parameters", [one.x for one in known]), axis("MACs", [one.y for one in known]))


def _drawn(one: Record) -> bool:
    return one["params"] is not None and one["macs"] is not None


def _inputs(networks: Sequence[Record]) -> str:
    """3x224x224, batch of 1, float32; where not all have the same, the others with their networks."""
    alike: dict[str, list[str]] = {}
    for one in networks:
        given = f"{sides(one['input_size'])}, batch of {one['batch_size']}, {one['dtype']}"
        alike.setdefault(given, []).append(one["model"])
    most = max(alike, key=lambda given: len(alike[given]))
    others = [f"for {' and '.join(models)} {given}" for given, models in alike.items() if given != most]
    return "; ".join([most, *others])
