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
from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Aux,
    BlurPool2d,
    Collect,
    Concat,
    Conv2d,
    FilterResponseNormTlu2d,
    Flatten,
    Foreign,
    Node,
    Residual,
    Sequential,
    Shape,
    Unused,
    walk,
)
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.tracing import describe

each = pytest.mark.parametrize("name", cnnzoo.list_models())

FORMS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "a copy": copy.deepcopy,
    "pickled": lambda net: pickle.loads(pickle.dumps(net)),
    "compiled": lambda net: torch.compile(net, backend="eager"),
}


@pytest.mark.wide(1)
@pytest.mark.parametrize("form", FORMS)
@given(st.data())
def test_another_form_of_a_module_is_the_same_description(form, data):
    size = (3, 17, 24)
    net = build(data.draw(networks(size, heads=1, steps=True)), size, init=None)
    assert describe(FORMS[form](net), size) == describe(net, size)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.wide(2, 20)
@each
def test_another_form_of_a_registered_network_is_its_own_description(form, name):
    description, size = small(name)
    net = build(description, size)
    assert describe(FORMS[form](net), size) == describe(net, size)


@pytest.mark.wide(3, 20)
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


def test_a_call_without_a_word_has_no_tensors_of_those_with_one():
    """torch.fx calls no layer's module: its maximum with `tau` is foreign, its weight and bias are in words. Between
    them stands what is no part of the layer."""
    size = (3, 17, 24)
    description = Sequential(
        n0=Collect(
            a=Residual(conv=Conv2d(3, 3, padding=1), blur=BlurPool2d(), pool=AdaptiveAvgPool2d((17, 24))),
            b=FilterResponseNormTlu2d(),
        ),
        mean=Concat(Flatten(), Flatten()),
    )
    net = torch.fx.symbolic_trace(build(description, size, init=None))
    assert calculate(describe(net, size), size).totals["params"] == calculate(description, size).totals["params"]


SAME = ("params", "buffers", "macs")


@pytest.mark.wide(3, 20)
@each
def test_what_fx_made_of_a_registered_network_has_its_layers(name):
    """And is described the same, but for those `OTHERWISE`; what is built of either gives the same. LeNet-5's own
    modules, of which torch.fx keeps no call, work weights out."""
    description, size = small(name)
    net = torch.fx.symbolic_trace(build(description, size).eval())
    traced = describe(net, size)
    if name == "lenet5":
        assert isinstance(traced, Foreign)
        return
    wanted = without_heads(description)
    if any(type(node).__name__ in TOLD or getattr(node, "_plan", None) is not None for _, node in walk(wanted)):
        assert weighted(traced, size) == weighted(wanted, size)
    else:
        assert layers(traced, size) == layers(wanted, size)
    first = cnnzoo.get_builder(name).variant_of
    assert (traced == wanted) == ((first.name if first else name) not in OTHERWISE.split())
    if not any(isinstance(node, Foreign) for _, node in walk(traced)):  # as ConvNeXt V2's norm of a map is
        is_it(net, traced, size)


OTHERWISE = """
cbam_resnet50 convnext_tiny convnextv2_atto cspdarknet53 darknet53 deeplabv3_resnet50 deeplabv3_resnet101 dla34 dpn68
dpn92 ecaresnet50 efficientnet_b0 fcn8s fcn16s fcn32s fcn_alexnet fcn_googlenet fcn_resnet50 fcn_resnet101
efficientnet_lite0 efficientnet_v2_s ghostnet hrnet_w18 inception_resnet_v2 inception_v3 inception_v4 mnasnet1_0
mnasnet_a1 preresnet152 preresnet164 repvgg_a0 res2net50_26w_4s resnet20 resnet50v2 resnetv2_50 se_bn_inception
shufflenet_v2_x1_0 squeezenet1_0 squeezenet1_1 tiny_ds_cnn tiny_mobilenet tiny_resnet8 unet wide_resnet28_10
xception yolo_v2 yolo_v3 yolo_v3_tiny
"""
"""Networks in which something meets at the end of a block that torch.fx keeps no call of, or in a module that is not
torch's: it is told around the block, or as what the module does. Their variants are, too."""

TOLD = {"GlobalResponseNorm", "SamePad2d", "Scale", "StochasticDepth"}
"""Of whose modules torch.fx keeps what they do at that size, and no call."""


def layers(description: Node, size: Shape) -> list[Any]:
    """The rows without the paths of layers that have no tensors."""
    rows = figures(description, size)[0]
    return [(kind, here if held else here[1:], out, held, macs) for kind, here, out, held, _, macs in rows]


def weighted(description: Node, size: Shape) -> list[Any]:
    """The rows of torch's own layers that have tensors, by their names."""
    found = [row for row in layers(description, size) if row[3] and hasattr(nn, row[0])]
    return sorted(found, key=str)


def without_heads(description: Node) -> Node:
    """In eval mode torch.fx records no head."""
    assert isinstance(description, Sequential)
    return Sequential(**{name: node for name, node in description._said() if not isinstance(node, Aux)})
