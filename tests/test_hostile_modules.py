"""Modules that are none, or nested beyond measure: one line each."""

import pytest
from torch import nn

import cnnzoo
from cnnzoo.pytorch.measuring.measure import MeasureError


class Bare(nn.Module):
    """Without `super().__init__()`."""

    def __init__(self):
        self.width = 3

    def forward(self, x):
        return x


class Around(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Bare.__new__(Bare)

    def forward(self, x):
        return x


def nested(levels: int) -> nn.Module:
    net: nn.Module = nn.Conv2d(3, 4, 1)
    for _ in range(levels):
        net = nn.Sequential(net)
    return net


def in_itself() -> nn.Module:
    net = nn.Sequential(nn.Conv2d(3, 3, 1))
    net.add_module("me", net)
    return net


def in_each_other() -> nn.Module:
    one, other = nn.Sequential(nn.Conv2d(3, 3, 1)), nn.Sequential()
    one.other, other.one = other, one
    return one


@pytest.mark.parametrize(("net", "path"), [(Bare(), "the network"), (Around(), "inner")])
def test_a_module_that_was_not_initialised_is_said(net, path):
    with pytest.raises(TypeError, match=rf"at {path}: Bare.__init__ must call super\(\).__init__\(\)"):
        cnnzoo.summary(net, (3, 8, 8))


@pytest.mark.parametrize("make", [lambda: nested(600), in_itself, in_each_other])
def test_what_torch_itself_cannot_run_for_depth_fails_as_the_network_does(make):
    with pytest.raises(MeasureError, match="RecursionError"):
        cnnzoo.summary(make(), (3, 8, 8))


def test_what_torch_can_run_is_measured_however_deep():
    assert cnnzoo.summary(nested(100), (3, 8, 8)).total_macs == 12 * 64
