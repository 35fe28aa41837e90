"""What torch's functions are called in a description, a module for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from torch import Tensor, nn
from torch.nn import functional as F
from traced import Block, conv, is_it

from cnnzoo.arch import Cat, Conv2d, Dropout2d, From, Node, Sequential, StochasticDepth
from cnnzoo.pytorch.tracing import describe

SIZE = (4, 8, 8)
CONV = Conv2d(4, 3, padding=1)


def behind(function: Callable[[Tensor], Any]) -> nn.Module:
    """A convolution and a function of what it makes."""
    return Block(lambda self, x: function(self.conv(x)), conv=conv())


SAID: dict[str, tuple[nn.Module, dict[str, Any]]] = {
    "channels that are dropped": (behind(lambda y: F.dropout2d(y, 0.1, False)), {"dropout2d": Dropout2d(0.1)}),
    "maps that are taken for a volume of one sample": (
        behind(lambda y: F.dropout3d(y, 0.1, False)),
        {"dropout3d": StochasticDepth(0.1, "row")},
    ),
    "a repetition": (
        behind(lambda y: y.repeat(1, 3, 1, 1)),
        {"repeat": From("conv", "conv", "conv", Cat())},
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_function_is_a_layer(name):
    net, said = SAID[name]
    description = describe(net, SIZE)
    assert description == Sequential(conv=CONV, **said)
    is_it(net, description, SIZE, (4, 13, 9))


def shared() -> nn.Module:
    """A block at two paths, as DynUNet's are: of its list and of the block that runs it."""
    inner = nn.Sequential(conv(), nn.ReLU())
    outer = Block(lambda self, x: self.inner(x) + x, inner=inner)
    return Block(lambda self, x: self.blocks[1](self.outer(x)), blocks=nn.ModuleList([inner, conv()]), outer=outer)


def test_of_the_names_of_a_tensor_a_description_has_the_one_that_is_nearest():
    net = shared()
    description = describe(net, SIZE)
    assert "outer.inner.0.weight" in names_of(description)
    is_it(net, description, SIZE)


def names_of(description: Node) -> list[str]:
    from cnnzoo.calculate import calculate

    return [*calculate(description, SIZE).tensors]


def test_a_name_may_begin_with_an_underscore():
    net = Block(lambda self, x: self._conv(x), _conv=conv())
    assert describe(net, SIZE) == Sequential(_conv=CONV)
