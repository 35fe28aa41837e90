"""What is priced without a report comes to what the report says."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import descriptions, maps, networks, shapes

import cnnzoo
from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Add,
    Aux,
    AvgPool2d,
    Concat,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    Identity,
    Linear,
    Node,
    ReLU,
    Residual,
    Sequential,
    ShapeError,
)
from cnnzoo.calculate import calculate
from cnnzoo.totals import Totals, totals

Shape = tuple[int, ...]
DROPPED = Sequential(Dropout(), Identity())
"""A block that makes no tensor."""

STRIDES = Concat(AvgPool2d(2), Conv2d(4, 2))
"""Branches of two strides: on maps of 2x2 both give one position."""
ALONG = Concat(AvgPool2d((2, 1)), Conv2d(4, (2, 1)))
"""The same along the height alone."""


def outcome(description: Node, size: Shape, priced: bool) -> object:
    """The figures, or what is said of a network that cannot be."""
    try:
        if priced:
            return totals(description, size)[1:]
        report = calculate(description, size)
        return tuple(report.totals[name] for name in Totals._fields[1:])
    except (ValueError, TypeError) as error:
        return repr(error)


@given(maps(side=40).flatmap(lambda size: st.tuples(networks(size, heads=1, steps=True), st.just(size))))
@example((Sequential(), (3, 4, 4)))
@example((Sequential(a=ReLU(), unread=Sequential(Conv2d(3, 1), Conv2d(3, 1)), end=Add("a", "a")), (3, 4, 4)))
@example((Sequential(Sequential(), Sequential()), (3, 4, 4)))
@example((Sequential(n0=Conv2d(9, 1), n1=DROPPED, n2=Conv2d(2, 1)), (3, 4, 4)))
@example((Residual(DROPPED), (3, 4, 4)))
@example((Residual(AdaptiveAvgPool2d(1), Conv2d(3, 1)), (3, 4, 4)))
@example((Sequential(Residual(Conv2d(8, 1)), Conv2d(2, 3)), (1, 4, 4)))
@example((Residual(Conv2d(8, 1), ReLU(), Conv2d(3, 1), downsample=DROPPED, relu=ReLU()), (3, 4, 4)))
@example((Residual(Conv2d(8, 1), downsample=Sequential(Conv2d(30, 1), Conv2d(8, 1))), (3, 4, 4)))
@example((Concat(Sequential(), DROPPED, Dense(Conv2d(50, 1), Conv2d(1, 1))), (3, 4, 4)))
@example((Sequential(n0=ReLU(), aux=Aux("n0", Conv2d(900, 1))), (3, 4, 4)))
@example((Aux("n0", Conv2d(9, 1)), (3, 4, 4)))
@example((Aux("n0", n1=Conv2d(9, 1), aux=Aux("n1", Conv2d(5, 1))), (3, 4, 4)))
@example((Sequential(Conv2d(4, (3, 1)), Flatten()), (3, 4, 4)))
@example((Sequential(Sequential(Conv2d(4, 3), Flatten(), Linear(2))), (3, 8, 8)))
@example((Sequential(AdaptiveAvgPool2d(1), AdaptiveAvgPool2d(2), Sequential(STRIDES)), (1, 9, 9)))
@example((Sequential(AdaptiveAvgPool2d((1, None)), AdaptiveAvgPool2d((2, None)), Sequential(ALONG)), (1, 9, 9)))
@example((Sequential(AdaptiveAvgPool2d(2), Dense(Conv2d(1, 1, padding=1), AdaptiveAvgPool2d(2))), (1, 1, 1)))
def test_as_the_report_of_networks(drawn: tuple[Node, Shape]) -> None:
    description, size = drawn
    assert outcome(description, size, priced=True) == outcome(description, size, priced=False)
    assert totals(description, size).output_shape == calculate(description, size)[""].output_shape


def test_the_input_of_a_block_is_held_while_a_block_in_it_runs() -> None:
    """By hand, in elements: the shortcut waits for 40, and the two convolutions hold 40 + 100, then 100 + 40."""
    nested = Residual(Sequential(Sequential(Conv2d(100, 1), Conv2d(40, 1))))
    for net in (nested, Sequential(nested), Residual(Conv2d(100, 1), Conv2d(40, 1))):
        assert totals(net, (40, 1, 1)).peak_activation_bytes == 4 * (40 + 100 + 40) == 720
        assert calculate(net, (40, 1, 1)).totals["peak_activation_bytes"] == 720


def test_a_tensor_is_freed_by_the_block_that_reads_it_last_whatever_else_is_held() -> None:
    """By hand, in elements, beside the 40 of the input: 100, 100 + 1, 1 + 200, 200 + 4, 4 + 44."""
    net = Dense(Sequential(Conv2d(100, 1), Sequential(Conv2d(1, 1), Conv2d(200, 1)), Conv2d(4, 1)))
    assert totals(net, (40, 1, 1)).peak_activation_bytes == 4 * (40 + 204) == 976
    assert calculate(net, (40, 1, 1)).totals["peak_activation_bytes"] == 976


@pytest.mark.parametrize("size", [(), (3, 0, 4), (3, 4.0, 4)])
def test_what_is_no_input_size_is_refused(size: Shape) -> None:
    with pytest.raises(ShapeError, match=r"^input_size must be positive whole numbers"):
        totals(Sequential(), size)


@given(descriptions(), shapes(least_rank=0))
def test_as_the_report_of_any_description_and_as_its_error(description: Node, size: Shape) -> None:
    assert outcome(description, size, priced=True) == outcome(description, size, priced=False)


@pytest.mark.wide
@pytest.mark.parametrize("name", cnnzoo.list_models())
def test_as_the_report_of_every_network_at_several_sizes(name: str) -> None:
    builder = cnnzoo.get_builder(name)
    for more in (0, 1, 33):
        size = tuple(length + place * more for place, length in enumerate(builder.input_size))
        assert outcome(builder.describe(), size, priced=True) == outcome(builder.describe(), size, priced=False)
