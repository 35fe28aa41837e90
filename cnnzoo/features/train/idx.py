"""The format of MNIST's files (yann.lecun.com/exdb/mnist), packed or not, read within the bounds of their header."""

from __future__ import annotations

import gzip
import os
import zlib
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from ...errors import CnnzooError
from ...words import sides

if TYPE_CHECKING:
    from ...values.arrays import Array


BYTES = 2**31
"""Of all pictures of a part, at most: they are held in memory, and on the device."""


class DataError(CnnzooError, ValueError):
    """Data that are not there, or not what they should be; the message is one line."""


def read_idx(path: Path, dimensions: int) -> Array:
    """The array of unsigned bytes in an idx file of so many dimensions; its name ends in .gz where it is packed.

    No more is read, or unpacked, than its header says and `BYTES` allow. Raises `DataError`.
    """
    import numpy as np

    try:
        with cast(IO[bytes], gzip.open(path) if path.suffix == ".gz" else path.open("rb")) as file:
            head = file.read(4 + 4 * dimensions)
            if head[:4] != bytes((0, 0, 8, dimensions)) or len(head) < 4 + 4 * dimensions:
                raise DataError(
                    f"{path} is no idx file of {dimensions} dimensions of bytes: it begins with {head[:4].hex(' ')}, "
                    f"not {bytes((0, 0, 8, dimensions)).hex(' ')}"
                )
            shape = tuple(int.from_bytes(head[place : place + 4], "big") for place in range(4, len(head), 4))
            size = prod(shape)
            if not 0 < size <= BYTES:
                raise DataError(f"{path} says that it is {sides(shape)}; from 1 to {BYTES:,} bytes are taken")
            if path.suffix != ".gz" and os.path.getsize(path) != len(head) + size:
                raise DataError(
                    f"{path} says that it is {sides(shape)}, {len(head) + size:,} bytes in all, and has "
                    f"{os.path.getsize(path):,}"
                )
            data = file.read(size + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is a damaged gzip file: {error}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(data) != size:
        found = "more" if len(data) > size else f"{len(data):,}"
        raise DataError(f"{path} says that it is {sides(shape)}, {size:,} bytes, and has {found}")
    return np.frombuffer(data, np.uint8).reshape(shape).copy()
