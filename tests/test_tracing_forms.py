"""A module's description is that of its copies and of what is made of it: it is one of calls and tensors."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from small import small
from strategies import networks
from torch import nn
from traced import figures, is_it

import cnnzoo
from cnnzoo.arch import Aux, Foreign, Node, Sequential, Shape, Unused, walk
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.tracing import describe

each = pytest.mark.parametrize("name", cnnzoo.list_models())

FORMS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "a copy": copy.deepcopy,
    "pickled": lambda net: pickle.loads(pickle.dumps(net)),
    "compiled": lambda net: torch.compile(net, backend="eager"),
}


@pytest.mark.parametrize("form", FORMS)
@given(st.data())
def test_another_form_of_a_module_is_the_same_description(form, data):
    size = (3, 17, 24)
    net = build(data.draw(networks(size, heads=1, steps=True)), size, init=None)
    assert describe(FORMS[form](net), size) == describe(net, size)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.wide(2)
@each
def test_another_form_of_a_registered_network_is_its_own_description(form, name):
    description, size = small(name)
    net = build(description, size)
    assert describe(FORMS[form](net), size) == describe(net, size)


@pytest.mark.wide
@each
def test_within_others_it_is_the_same_block(name):
    description, size = small(name)
    inner = build(description, size)
    net = nn.DataParallel(nn.Sequential(inner))
    if any(isinstance(node, Aux) for _, node in walk(description)):
        net = net.eval()  # heads are those of a network's own children
        assert not isinstance(describe(net, size), Foreign)
        return
    assert describe(net, size) == Sequential(module=Sequential(describe(inner, size)))


@given(st.data())
def test_what_fx_made_of_a_module_has_its_totals(data):
    """torch.fx keeps no calls of modules that are not torch.nn's: a layer of several functions is told as these, and as
    a Foreign where they work weights out."""
    size = (3, 17, 24)
    description = data.draw(networks(size, heads=0, steps=True))
    assume(not any(isinstance(node, Unused) for _, node in walk(description)))  # torch.fx keeps no tensors of those
    net = build(description, size, init=None)
    ours, traced = (calculate(describe(one, size), size).totals for one in (net, torch.fx.symbolic_trace(net)))
    assert {key: ours[key] for key in SAME} == {key: traced[key] for key in SAME}


SAME = ("params", "buffers", "macs")


@pytest.mark.wide
@each
def test_what_fx_made_of_a_registered_network_has_its_layers(name):
    """Those with tensors, and what is built of them gives the same; torch.fx keeps no calls of blocks and none of
    modules that are not torch's own, as a padding "same". LeNet-5's own modules work weights out."""
    description, size = small(name)
    net = torch.fx.symbolic_trace(build(description, size).eval())
    traced = describe(net, size)
    if name == "lenet5":
        assert isinstance(traced, Foreign)
        return
    assert layers(traced, size) == layers(without_heads(description), size)
    if not any(isinstance(node, Foreign) for _, node in walk(traced)):  # as ConvNeXt V2's norm of a map is
        is_it(net, traced, size)


def layers(description: Node, size: Shape) -> list[Any]:
    """The rows of torch's own layers that have tensors, by their names."""
    rows = figures(description, size)[0]
    found = [(kind, here, out, held, macs) for kind, here, out, held, _, macs in rows if held and hasattr(nn, kind)]
    return sorted(found, key=str)


def without_heads(description: Node) -> Node:
    """In eval mode torch.fx records no head."""
    assert isinstance(description, Sequential)
    return Sequential(**{name: node for name, node in description._said() if not isinstance(node, Aux)})
