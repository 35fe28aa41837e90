"""How deep a family's stages are, as its builders are told."""

from typing import TypeAlias

from ..arch.join import LARGEST
from ..errors import InvalidValueError
from ..words import quoted

Depth: TypeAlias = int | tuple[int, ...]
"""Blocks, layers or convolutions of each stage, in the order of the paper's table; one number where they are equal."""


def read_depth(depth: Depth, stages: int) -> tuple[int, ...]:
    """The depth of each of so many stages; ValueError for what is none."""
    counts = tuple(depth) if isinstance(depth, tuple | list) else (depth,) * stages
    if len(counts) != stages or any(type(count) is not int or count < 1 for count in counts):
        raise InvalidValueError(f"depth must be {stages} whole numbers of at least 1, one a stage, got {quoted(depth)}")
    if sum(counts) > LARGEST:
        raise InvalidValueError(f"depth must be at most {LARGEST:,} in all, as many as a description has layers")
    return counts
