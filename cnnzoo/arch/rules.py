"""What the settings of layers are held to, and the one form that each is brought to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import inf, ulp
from sys import float_info
from typing import Any, TypeAlias, TypeVar

from ..errors import InvalidValueError
from ..words import MOST, quoted

Scale: TypeAlias = float | tuple[float, float]
Shapes: TypeAlias = tuple[tuple[str, tuple[int, ...]], ...]
"""The shapes of tensors by name."""
T = TypeVar("T")


def is_whole(value: Any, least: int) -> bool:
    """Whether it is a whole number of at least so much; ValueError where it is one beyond `MOST`."""
    if type(value) is int and abs(value) > MOST:
        raise ValueError(f"at most {MOST:,}")
    return type(value) is int and value >= least


def whole(least: int) -> Callable[[Any], int]:
    """The rule of a count."""

    def rule(value: Any) -> int:
        if not is_whole(value, least):
            raise ValueError(f"a whole number of at least {least}")
        return int(value)

    return rule


def count_of(name: str, value: Any) -> int:
    """What was given as the argument of this name, a count of at least 1; InvalidValueError where it is none."""
    try:
        return whole(1)(value)
    except ValueError as error:
        raise InvalidValueError(f"{name} must be {error}, got {quoted(value)}") from None


def _integer(value: Any) -> int:
    if not is_whole(value, -MOST):
        raise TypeError("a whole number")
    return int(value)


def one_or_pair(least: int, *words: str | None) -> Callable[[Any], Any]:
    """An int or a pair of ints; a pair of equals is the int, so that equal layers are equal values.

    A word stands alone; None, as in torch, for a side.
    """

    def rule(value: Any) -> Any:
        if is_whole(value, least) or (isinstance(value, str) and value in words):
            return value
        sides = tuple(value) if isinstance(value, tuple | list) else ()
        if len(sides) == 2 and all(is_whole(one, least) or (one is None and None in words) for one in sides):
            return sides[0] if sides[0] is not None and sides[0] == sides[1] else sides
        spelled = "".join(f" or {word!r}" for word in words)
        raise ValueError(f"a whole number of at least {least} or a pair of them{spelled}")

    return rule


def single(least: int, *words: str) -> Callable[[Any], Any]:
    """A whole number, alone or in a tuple as torch keeps it along one axis, or one of the words."""

    def rule(value: Any) -> Any:
        if isinstance(value, str) and value in words:
            return value
        one = value[0] if isinstance(value, tuple | list) and len(value) == 1 else value
        if not is_whole(one, least):
            spelled = "".join(f" or {word!r}" for word in words)
            raise ValueError(f"a whole number of at least {least}{spelled}")
        return one

    return rule


def sides_of(value: Any) -> Any:
    """The rule of four whole numbers; four equal ones are the number."""
    sides = (value,) * 4 if type(value) is int else tuple(value) if isinstance(value, tuple | list) else ()
    if len(sides) != 4 or not all(is_whole(one, -MOST) for one in sides):
        raise ValueError("a whole number or four of them (left, right, top, bottom)")
    return sides[0] if len(set(sides)) == 1 else sides


def sizes_of(least: int) -> Callable[[Any], tuple[int, ...]]:
    """The rule of a list of whole numbers, with one at least."""

    def rule(value: Any) -> tuple[int, ...]:
        if not isinstance(value, tuple | list) or not value or not all(is_whole(one, least) for one in value):
            raise ValueError(f"whole numbers of at least {least}")
        return tuple(value)

    return rule


def dims_of(value: Any) -> Any:
    """The rule of a dimension or several, none of which is 0, the batch; a single one is the number."""
    dims = tuple(value) if isinstance(value, tuple | list) else (value,)
    if not dims or not all(is_whole(one, -MOST) and one for one in dims):
        raise ValueError("whole numbers other than 0, the batch")
    return dims[0] if len(dims) == 1 else dims


def _scale(value: Any) -> Scale:
    """A number above 0, or a pair of them; a pair of equals is the number."""
    above = _number("a number above 0 or a pair of them", ulp(0.0))
    if not isinstance(value, tuple | list):
        return above(value)
    if len(value) != 2:
        raise ValueError("a number above 0 or a pair of them")
    height, width = map(above, value)
    return height if height == width else (height, width)


def choice(*words: str) -> Callable[[Any], str]:
    """The rule of a setting that is one of a few words."""

    def rule(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError(" or ".join(map(repr, words)))
        return value

    return rule


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError("True or False")
    return value


def _number(wanted: str, least: float = -inf, most: float = inf) -> Callable[[Any], float]:
    def rule(value: Any) -> float:
        if type(value) not in (int, float) or not least <= value <= most or abs(value) > float_info.max:
            raise ValueError(wanted)
        return float(value)

    return rule


def _fill(value: Any) -> float | str:
    """A number, or infinity as a word: so that it is the same in a repr and in JSON, which has none."""
    word = str(value) if type(value) is float else value
    return word if word in ("inf", "-inf") else _number("a number, 'inf' or '-inf'")(value)


def _numbers(value: Any) -> tuple[float, ...]:
    if not isinstance(value, tuple | list) or not value:
        raise TypeError("a number for each channel")
    return tuple(map(_any_number, value))


def shapes_by_name(value: Any) -> Shapes:
    """The shapes of tensors by name, from pairs or from a mapping."""
    wanted = "pairs of a name and a shape, as (('weight', (64, 64)),)"
    pairs = value.items() if isinstance(value, Mapping) else value
    if isinstance(pairs, str) or not isinstance(pairs, Iterable):
        raise ValueError(wanted)
    found = []
    for pair in pairs:
        name, shape = pair if isinstance(pair, tuple | list) and len(pair) == 2 else (None, None)
        if not isinstance(name, str) or not isinstance(shape, tuple | list) or not all(is_whole(n, 0) for n in shape):
            raise ValueError(wanted)
        found.append((name, tuple(shape)))
    return tuple(found)


def names(value: Any) -> tuple[str, ...]:
    """The rule of names."""
    if not isinstance(value, tuple | list) or not all(isinstance(one, str) for one in value):
        raise ValueError("names")
    return tuple(value)


def optional(rule: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda value: None if value is None else rule(value)


_any_number = _number("a number")

RULES: dict[str, Callable[[Any], Any]] = {
    "out_channels": whole(1),
    "out_features": whole(1),
    "groups": whole(1),
    "size": whole(1),
    "kernel_size": one_or_pair(1),
    "extent": one_or_pair(1),
    "stride": one_or_pair(1),
    "padding": one_or_pair(0, "same", "valid"),
    "output_padding": one_or_pair(0),
    "dilation": one_or_pair(1),
    "output_size": one_or_pair(1, None),
    "dim": _integer,
    "chunks": whole(1),
    "index": whole(0),
    "start": _integer,
    "stop": optional(_integer),
    "start_dim": _integer,
    "end_dim": _integer,
    "bias": _flag,
    "affine": _flag,
    "elementwise_affine": _flag,
    "track_running_stats": _flag,
    "ceil_mode": _flag,
    "keepdim": _flag,
    "count_include_pad": _flag,
    "p": _number("a probability", 0, 1),
    "eps": _number("a number above 0", ulp(0.0)),
    "exponent": _any_number,
    "correction": whole(0),
    "momentum": optional(_any_number),
    "alpha": _any_number,
    "beta": _any_number,
    "k": _any_number,
    "amplitude": _any_number,
    "negative_slope": _any_number,
    "min_val": _any_number,
    "max_val": _any_number,
    "init": _any_number,
    "gamma": _any_number,
    "gain_init": _any_number,
    "factor": _any_number,
    "term": _any_number,
    "channels_last": _flag,
    "apply_act": _flag,
    "num_parameters": whole(1),
    "num_groups": whole(1),
    "upscale_factor": whole(1),
    "downscale_factor": whole(1),
    "scale_factor": optional(_scale),
    "align_corners": optional(_flag),
    "aligned": _flag,
    "spatial_scale": _number("a number above 0", ulp(0.0)),
    "levels": sizes_of(1),
    "normalized_dims": whole(1),
    "slope": _any_number,
    "value": _fill,
    "scale": _numbers,
    "shift": _numbers,
}
"""How a setting of that name is checked and brought into its one form, whatever layer has it: a function that returns
the value, or raises with what it must be (`Layer.__post_init__` puts the sentence together)."""
