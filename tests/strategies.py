"""Random settings of every layer, sound and unsound, and random descriptions that fit an input size."""

from __future__ import annotations

from math import prod

from hypothesis import strategies as st

from cnnzoo.arch import (
    RBF,
    AdaptiveAvgPool2d,
    Aux,
    AvgPool2d,
    BatchNorm2d,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Dense,
    Dropout,
    Flatten,
    Identity,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    PadChannels,
    ReLU,
    Residual,
    ScaledTanh,
    Sequential,
    ShapeError,
    Sigmoid,
    Softmax,
    Subsampling2d,
    TableConv2d,
    Tanh,
)
from cnnzoo.arch.node import Layer, Node

Shape = tuple[int, ...]


def int_or_pair(low: int, high: int) -> st.SearchStrategy:
    one = st.integers(low, high)
    return one | st.tuples(one, one)


def maps(channels: int = 6, side: int = 12) -> st.SearchStrategy[Shape]:
    return st.tuples(st.integers(1, channels), st.integers(1, side), st.integers(1, side))


def shapes(least_rank: int = 1, most_rank: int = 4) -> st.SearchStrategy[Shape]:
    return st.lists(st.integers(1, 5), min_size=least_rank, max_size=most_rank).map(tuple)


@st.composite
def spoiled(draw, sound: st.SearchStrategy[dict], **unsound: st.SearchStrategy) -> dict:
    """Sound settings, one time in five with one of them replaced by an unsound value."""
    given = dict(draw(sound))
    if not draw(st.integers(0, 4)):
        name = draw(st.sampled_from(sorted(unsound)))
        given[name] = draw(unsound[name])
    return given


def below(least: int) -> st.SearchStrategy:
    """Whole numbers that are too small, alone and in a pair, and what is no whole number."""
    small = st.integers(least - 2, least - 1)
    return small | st.tuples(st.just(least), small) | st.sampled_from([1.5, "wide", (least, 2, 2)])


counts = st.integers(1, 6)

CONV = spoiled(
    st.fixed_dictionaries(
        {"out_channels": counts, "kernel_size": int_or_pair(1, 4)},
        optional={
            "stride": int_or_pair(1, 4),
            "padding": int_or_pair(0, 3) | st.sampled_from(["same", "valid"]),
            "dilation": int_or_pair(1, 4),
            "groups": st.integers(1, 3),
            "bias": st.booleans(),
        },
    ),
    out_channels=st.integers(-1, 0),
    kernel_size=below(1),
    stride=below(1),
    padding=below(0) | st.just("full"),
    dilation=below(1),
    groups=st.integers(-1, 0),
)
CONV_TRANSPOSE = spoiled(
    st.fixed_dictionaries(
        {"out_channels": counts, "kernel_size": int_or_pair(1, 4)},
        optional={
            "stride": int_or_pair(1, 4),
            "padding": int_or_pair(0, 4),
            "output_padding": int_or_pair(0, 2),
            "groups": st.integers(1, 3),
            "bias": st.booleans(),
            "dilation": int_or_pair(1, 3),
        },
    ),
    out_channels=st.integers(-1, 0),
    kernel_size=below(1),
    stride=below(1),
    padding=below(0) | st.just("same"),
    output_padding=below(0),
    groups=st.integers(-1, 0),
    dilation=below(1),
)
LINEAR = spoiled(
    st.fixed_dictionaries({"out_features": counts}, optional={"bias": st.booleans()}),
    out_features=st.sampled_from([-1, 1.5]),
)
BATCH_NORM = spoiled(
    st.fixed_dictionaries(
        {},
        optional={
            "eps": st.floats(1e-9, 1),
            "momentum": st.floats(-1, 2) | st.none(),
            "affine": st.booleans(),
            "track_running_stats": st.booleans(),
        },
    ),
    eps=st.floats(-1, 0),
)
LRN = spoiled(
    st.fixed_dictionaries(
        {"size": st.integers(1, 9)},
        optional={"alpha": st.floats(0, 1), "beta": st.floats(-1, 1), "k": st.floats(0.5, 2)},
    ),
    size=st.integers(-2, 0) | st.just(1.5),
)
MAX_POOL = spoiled(
    st.fixed_dictionaries(
        {"kernel_size": int_or_pair(1, 5)},
        optional={
            "stride": int_or_pair(1, 5) | st.none(),
            "padding": int_or_pair(0, 2),
            "dilation": int_or_pair(1, 3),
            "ceil_mode": st.booleans(),
        },
    ),
    kernel_size=below(1),
    stride=below(1),
    padding=below(0) | st.just("same"),
    dilation=below(1),
)
AVG_POOL = spoiled(
    st.fixed_dictionaries(
        {"kernel_size": int_or_pair(1, 5)},
        optional={
            "stride": int_or_pair(1, 5) | st.none(),
            "padding": int_or_pair(0, 2),
            "ceil_mode": st.booleans(),
            "count_include_pad": st.booleans(),
        },
    ),
    kernel_size=below(1),
    stride=below(1),
    padding=below(0) | st.just("same"),
)
side = st.integers(1, 9) | st.none()
ADAPTIVE_POOL = spoiled(
    st.fixed_dictionaries({"output_size": st.integers(1, 9) | st.tuples(side, side)}),
    output_size=st.integers(-3, -1) | st.sampled_from([None, 1.5, (2, -1), (1, 2, 3)]),
)
SOFTMAX = st.fixed_dictionaries({"dim": st.integers(-6, 6)})
DROPOUT = spoiled(
    st.fixed_dictionaries({}, optional={"p": st.floats(0, 1)}),
    p=st.floats(-2, -0.01) | st.floats(1.01, 2),
)
FLATTEN = st.fixed_dictionaries({}, optional={"start_dim": st.integers(-6, 5), "end_dim": st.integers(-6, 5)})
NOTHING = st.just({})
