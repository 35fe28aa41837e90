"""Arrays in four numbers."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from ...render.column import Column

if TYPE_CHECKING:
    from ...values.arrays import Array


MOMENTS = {
    name: Column(name.capitalize(), itemgetter(name), "{:.4f}".format)
    for name in ("mean", "deviation", "least", "greatest")
}
"""The columns of `moments`."""


def moments(values: Array) -> dict[str, float]:
    """Mean, deviation, least and greatest of an array."""
    return {
        "mean": float(values.mean(dtype=np.float64)),
        "deviation": float(values.std(dtype=np.float64)),
        "least": float(values.min()),
        "greatest": float(values.max()),
    }
