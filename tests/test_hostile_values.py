"""Values that are too many, too large, too deep or no values at all: one short error each, and no time or memory."""

from itertools import pairwise
from time import process_time

import pytest

from cnnzoo.arch import Aux, Conv2d, Dense, Identity, Residual, Sequential, ShapeError, Window, find
from cnnzoo.arch.joins import DEEPEST, LARGEST
from cnnzoo.arch.pooling import Shares
from cnnzoo.calculate import calculate


@pytest.fixture
def quick():
    """What takes more than two seconds of this process's time is not linear."""
    started = process_time()
    yield
    assert process_time() - started < 2


@pytest.mark.parametrize("length", range(1, 40))
def test_the_shares_of_an_adaptive_pooling_are_those_that_are_listed(length):
    for cells in range(1, 40):
        listed = [(i * length // cells, -(-(i + 1) * length // cells)) for i in range(cells)]
        sizes = [stop - start for start, stop in listed]
        steps = [after - before for (before, _), (after, _) in pairwise(listed)]
        shares = Shares(length, cells)
        assert shares.kernels == {size: sizes.count(size) for size in sizes}
        assert shares.read == sum(sizes)
        uniform = len(set(sizes)) == 1 and len(set(steps)) <= 1
        assert shares.window == (Window(sizes[0], steps[0] if steps else length) if uniform else None)


def test_checks_of_children_are_linear(quick):
    many = 40_000
    wide = Sequential(**{f"n{number}": Identity() for number in range(many)}, aux=Aux("n7", Identity()))
    assert len(wide) == many + 1
    assert find(wide, f"n{many - 1}") == Identity()
    with pytest.raises(ShapeError, match="two children are named '5'"):
        Sequential(*[Identity()] * many, **{"5": Identity()})


def test_a_description_has_so_many_layers_and_joins_and_no_more(quick):
    whole = Sequential(*[Identity()] * (LARGEST - 1))
    assert len(whole) == LARGEST - 1
    with pytest.raises(ShapeError, match="100,001 layers and joins; a description has at most 100,000"):
        Sequential(*[Identity()] * LARGEST)
    with pytest.raises(ShapeError, match="at most 100,000"):
        Residual(body=whole)


def nested(kind, levels):
    node = Conv2d(3, 1)
    for _ in range(levels):
        node = kind(node)
    return node


def test_what_doubles_is_counted_as_often_as_it_stands_there(quick):
    with pytest.raises(ShapeError, match="at most 100,000"):
        nested(lambda node: Dense(node, node), DEEPEST)


@pytest.mark.parametrize("kind", [Sequential, Residual, Dense])
def test_a_description_has_so_many_levels_and_no_more(kind):
    whole = nested(kind, DEEPEST - 1)
    with pytest.raises(ShapeError, match="nested more than 64 levels deep"):
        nested(kind, DEEPEST + 1)
    assert eval(repr(whole)) == whole
    if kind is not Dense:
        assert calculate(whole, (3, 1, 1)).total_params == 12
