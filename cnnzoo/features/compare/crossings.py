"""From how many regions of an image on one network costs more than another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...words import counted, listed

Record = dict[str, Any]


def crossings(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Of each network the others that cost fewer MACs from some number of regions on, and that number."""
    found = []
    for more in records:
        if said := sorted((first, less["model"]) for less in records if (first := crossing(more, less)) is not None):
            others = listed([f"{name} from {counted(first, 'regions')} on" for first, name in said])
            found.append(("Crossing", f"{more['model']} costs more than {others}"))
    return found


def crossing(more: Record, less: Record) -> int | None:
    """The number of regions from which on the one network costs more MACs than the other; None where it does not come
    to do so, or that is unknown."""
    if None in (more["image_macs"], more["region_macs"], less["image_macs"], less["region_macs"]):
        return None
    ahead, each = less["image_macs"] - more["image_macs"], more["region_macs"] - less["region_macs"]
    return int(ahead // each + 1) if ahead >= 0 and each > 0 else None
