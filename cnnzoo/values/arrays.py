"""Arrays as they are given: numbers with so many dimensions, or an error that says what would fit."""

from __future__ import annotations

from typing import Any, TypeAlias

from ..arch import Shape, ShapeError
from ..arch.signal import show
from ..errors import InvalidTypeError
from ..extras import need
from ..words import quoted

need("cnnzoo.values", "values", "numpy")

import numpy as np  # noqa: E402

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def floats(what: str, given: Any) -> Array:
    """Numbers as an array, whole ones as float64; `InvalidTypeError` where they are none."""
    try:
        found = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:  # ragged lists; tensors of torch that numpy cannot read
        raise InvalidTypeError(f"{what} must be an array of numbers: {str(error).splitlines()[0]}") from None
    if found.dtype.kind in "iub":
        return found.astype(np.float64)
    if found.dtype.kind != "f":
        raise InvalidTypeError(f"{what} must be an array of numbers, got {quoted(given)}")
    return found


def maps(what: str, given: Any) -> Array:
    """Numbers as (images, channels, height, width), one at least."""
    found = floats(what, given)
    if found.ndim != 4 or not found.size:
        raise ShapeError(f"{what} must be (images, channels, height, width) and not empty, got {show(found.shape)}")
    return found


def shaped(what: str, given: Any, shape: Shape) -> Array:
    """Numbers of that shape."""
    found = floats(what, given)
    if found.shape != shape:
        raise ShapeError(f"{what} has the shape {show(found.shape)}; {show(shape)} would fit")
    return found
