"""Steps: children of a Sequential that read by name, what is edited around them, and what is refused."""

from __future__ import annotations

import pytest

from cnnzoo.arch import Add, ModuleList, Node, ReLU, Run, Sequential
from cnnzoo.calculate import calculate

ROW = Sequential(x=ReLU(), y=ReLU())


@pytest.mark.parametrize(
    "net",
    [
        Sequential(a=ROW, b=ROW, end=Add("a.x", "b.x")),
        Sequential(held=ModuleList(ROW), a=Run("held.0"), b=Run("held.0"), end=Add("a.x", "b.x")),
    ],
)
def test_values_in_several_blocks_are_read_after_all_of_these(net: Node) -> None:
    assert calculate(net, (3, 4, 4))["end"].output_shape == (3, 4, 4)
