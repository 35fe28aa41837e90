"""Modules become the descriptions that they are: the same names and outputs, the same figures."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from said import graphs, written
from small import small
from strategies import networks
from torch import Tensor, nn
from torch.nn import functional as F
from traced import CONV, SIZE, Block, conv, figures, is_it

import cnnzoo
from cnnzoo.arch import (
    BatchNorm2d,
    ChannelShuffle,
    Concat,
    Conv2d,
    Flatten,
    Gate,
    LayerNorm2d,
    Linear,
    Mean,
    Node,
    ReLU,
    Residual,
    Run,
    Scale,
    Sequential,
    Sigmoid,
    UpsampleLike,
    walk,
)
from cnnzoo.arch.folding import fold
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.tracing import TracingError, describe


@pytest.mark.wide
@pytest.mark.parametrize("name", cnnzoo.list_models())
def test_a_registered_network_is_its_own_description(name):
    description, size = small(name)
    traced = describe(build(description, size, device="meta"), size)
    # a module does not say what steps are called
    by_name = any(isinstance(node, Sequential) and node._plan is not None for _, node in walk(description))
    found, wanted = calculate(traced, size), calculate(description, size)
    assert traced == description or (by_name and (found.totals, found.tensors) == (wanted.totals, wanted.tensors))
    is_it(build(description, size), traced, size)


PAIR = ((3, 19, 19), (3, 19, 19))
GRAPHS = {
    "unet": (graphs.unet(4), (3, 32, 48)),
    "unet_2015": (graphs.unet_2015(4), (3, 188, 188)),
    "resizing_unet": (graphs.resizing_unet(4), (3, 21, 13)),
    "siamese": (graphs.siamese(), PAIR),
    "siamese_in_one": (graphs.siamese_in_one(), (6, 19, 19)),
    "retinanet": (graphs.retinanet(), (3, 40, 72)),
    "unread": (graphs.unread(), (3, 9, 7)),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_is_its_own_description(name):
    description, size = GRAPHS[name]
    traced = describe(build(description, size), size)
    assert figures(traced, size) == figures(description, size)
    is_it(build(description, size), traced, size)


@given(st.data())
def test_any_description_is_its_own(data):
    """`describe` sees calls and tensors alone."""
    size = data.draw(st.sampled_from([(3, 24, 24), (2, 17, 24)]))
    description = data.draw(networks(size, heads=1, steps=True))
    net = build(description, size, device="meta")
    traced = describe(net, size)
    if not any(_is_told_otherwise(node) for _, node in walk(description)):
        assert traced == fold(description)
    assert figures(traced, size) == figures(description, size)
    assert [*build(traced, size, device="meta").state_dict()] == [*net.state_dict()]


def _is_told_otherwise(node: Node) -> bool:
    """Whether it takes or gives several values, of which a run tells neither names nor an order, or looks into a block,
    whose run gives what is looked at; x · x is a Square."""
    plan = getattr(node, "_plan", None)
    return (
        node == Gate() or bool(node._takes or node._gives) or any(step.looks for step in (plan.steps if plan else ()))
    )


ORIGINALS = {
    "unet": (written.UNet(4), (3, 32, 48), (3, 16, 16)),
    "unet_2015": (written.UNet(4, 0), (3, 188, 188)),
    "resizing_unet": (written.ResizingUNet(4), (3, 16, 16), (3, 21, 13)),
    "siamese": (written.Siamese(), PAIR),
    "siamese_in_one": (written.SiameseInOne(), (6, 19, 19), (6, 32, 25)),
    "retinanet": (written.RetinaNet(), (3, 32, 32), (3, 40, 72)),
}


@pytest.mark.filterwarnings("ignore:the description holds")  # U-Net crops by what the size of the maps leaves
@pytest.mark.parametrize("name", ORIGINALS)
def test_a_module_written_by_hand_is_what_is_built_of_its_description(name):
    net, *sizes = ORIGINALS[name]
    is_it(net, describe(net, sizes[0]), *sizes)


def channels_last(norm: nn.Module, x: Tensor) -> Tensor:
    return F.layer_norm(x.permute(0, 2, 3, 1), (4,), norm.weight, norm.bias).permute(0, 3, 1, 2)


class NormAct(nn.BatchNorm2d):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(super().forward(x))


def gated(self: Any, x: Tensor) -> Tensor:
    x += self.gamma * self.conv(x)
    return F.relu_(x)


def shuffled(self: Any, x: Tensor) -> Tensor:
    batch, channels, height, width = x.shape
    x = x.view(batch, 2, channels // 2, height, width).transpose(1, 2).contiguous().view(batch, -1, height, width)
    return self.conv(x)


CASES: dict[str, tuple[nn.Module, Node]] = {
    "a layer": (conv(), CONV),
    "functions": (
        Block(lambda self, x: torch.flatten(F.relu(self.conv(x)).mean((2, 3)), 1), conv=conv()),
        Sequential(conv=CONV, relu=ReLU(), mean=Mean((2, 3))),
    ),
    "a shortcut": (
        Block(lambda self, x: x + self.norm(self.conv(x)), conv=conv(), norm=nn.BatchNorm2d(4)),
        Residual(conv=CONV, norm=BatchNorm2d()),
    ),
    "a module without tensors that runs twice is two layers": (
        Block(lambda self, x: self.act(self.conv(self.act(x))), conv=conv(), act=nn.ReLU()),
        Sequential(act=ReLU(), conv=CONV, act_1=ReLU()),
    ),
    "one with tensors runs again": (
        Block(lambda self, x: self.conv(self.conv(x).sigmoid()), conv=conv()),
        Sequential(conv=CONV, sigmoid=Sigmoid(), conv_1=Run("conv")),
    ),
    "what hands its input on is told apart from it": (
        Block(lambda self, x: x * self.conv(self.drop(x)), conv=conv(), drop=nn.Dropout(0.1)),
        Gate(drop=cnnzoo.arch.Dropout(0.1), conv=CONV),
    ),
    "a parameter of the block": (
        Block(gated, conv=conv(), gamma=nn.Parameter(torch.ones(4, 1, 1))),
        Residual(conv=CONV, gamma=Scale(1.0, (-1, 1, 1)), downsample=None, relu=ReLU()),
    ),
    "a layer around functions": (
        Block(
            lambda self, x: self.norm(self.conv(x)),
            conv=conv(),
            norm=NormAct(4),
        ),
        Sequential(conv=CONV, norm=BatchNorm2d(), norm_relu=ReLU()),
    ),
    "channels last": (
        Block(lambda self, x: channels_last(self.norm, x), norm=nn.LayerNorm(4)),
        Sequential(norm=LayerNorm2d()),
    ),
    "a shuffle": (Block(shuffled, conv=conv()), Sequential(channelshuffle=ChannelShuffle(2), conv=CONV)),
    "a list that is run in turn": (
        Block(lambda self, x: F.relu(self.convs[1](F.relu(self.convs[0](x)))), convs=nn.ModuleList([conv(), conv()])),
        Sequential(convs=Sequential(CONV, relu=ReLU(), **{"1": CONV}), relu=ReLU()),
    ),
    "branches of a list": (
        Block(lambda self, x: torch.cat([one(x) for one in self.convs], 1), convs=nn.ModuleList([conv(), conv(4, 8)])),
        Sequential(convs=Concat(CONV, Conv2d(8, 3, padding=1))),
    ),
    "the size of another value": (
        Block(lambda self, x: F.interpolate(self.conv(x)[:, :, ::1], size=x.shape[2:]), conv=nn.Conv2d(4, 4, 3)),
        Sequential(conv=Conv2d(4, 3), interpolate=UpsampleLike("conv", "input")),
    ),
    "a hooked layer": (
        Block(lambda self, x: self.conv(x), conv=conv()),
        Sequential(conv=CONV, relu=ReLU()),
    ),
}
CASES["a hooked layer"][0].conv.register_forward_hook(lambda module, args, y: F.relu(y))


@pytest.mark.parametrize("name", CASES)
def test_calls_become_words(name):
    net, description = CASES[name]
    traced = describe(net, SIZE)
    assert traced == description
    is_it(net, traced, SIZE, (4, 9, 7))


def test_a_head_runs_in_training_only():
    head = cnnzoo.arch.Sequential(pool=cnnzoo.arch.AdaptiveAvgPool2d(1), flat=Flatten(), fc=Linear(3))
    description = Sequential(
        stem=CONV, aux1=cnnzoo.arch.Aux("stem", **dict(head.children)), act=ReLU(), end=Flatten(), fc=Linear(3)
    )
    assert describe(build(description, SIZE), SIZE) == description


REFUSED: dict[str, tuple[nn.Module, str]] = {
    "the batch among positions": (
        Block(lambda self, x: self.conv(x).flatten(0, 1), conv=conv()),
        "at the network itself: no description has words for how its parts meet; as a whole it would have to take one "
        "value and give one with the batch first: of 19 samples it takes 1, and gives (76, 8, 8)",
    ),
    "two values": (
        Block(lambda self, x: (self.conv(x).sort(1)[0], x), conv=conv()),
        "of 19 samples it takes 1, and gives (19, 4, 8, 8), (19, 4, 8, 8)",
    ),
    "values": (Block(lambda self, x: self.a(x) if x.sum() > 0 else x, a=conv()), "at the network itself: "),
    "nothing": (Block(lambda self, x: None), "it gives no tensor that was worked out from its input"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_description_is_named(name):
    net, problem = REFUSED[name]
    state = dict(vars(net))
    with pytest.raises(TracingError, match=r".") as caught:
        describe(net, SIZE)
    assert problem in str(caught.value)
    assert vars(net) == state
    assert net.training, "the module is as it was"
    assert not net._forward_hooks
    with torch.no_grad():
        assert net.a(torch.zeros(1, 4, 8, 8)).shape if "a" in net._modules else True


def test_the_module_stays_as_it_is():
    net = nn.Sequential(conv(), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout()).train()
    before = {key: (id(value), value.clone()) for key, value in net.state_dict(keep_vars=True).items()}
    cnnzoo.describe(net, SIZE)
    after = net.state_dict(keep_vars=True)
    assert all(id(after[key]) == one and torch.equal(after[key], value) for key, (one, value) in before.items())
    assert all(module.training for module in net.modules())


def test_timms_layers_that_torch_lacks_are_known_by_name():
    """As timm's GlobalResponseNorm is: it keeps where its channels are, not whether they are last."""
    ours = build(cnnzoo.arch.GlobalResponseNorm(), SIZE)
    theirs = type("GlobalResponseNorm", (type(ours),), {"__module__": "timm.layers.grn"})
    theirs.forward = lambda self, x: x * self.weight.view(1, -1, 1, 1)  # which is not looked at
    ours.__class__, ours.channel_dim = theirs, 1
    del ours.channels_last
    run = Block(lambda self, x: self.norm(x), norm=ours)
    assert describe(run, SIZE) == Sequential(norm=cnnzoo.arch.GlobalResponseNorm())


class TestPublic:
    def test_a_module_is_described_at_a_size(self):
        description = cnnzoo.describe(nn.Sequential(conv(), nn.ReLU()), (4, 8, 8))
        assert description == Sequential(CONV, ReLU())
        assert cnnzoo.describe(nn.Sequential(conv(), nn.ReLU()), (16, 4, 8, 8)) == description
        assert cnnzoo.summary(description, (4, 8, 8)).totals["receptive_field"] == 3

    def test_without_a_size_it_is_asked_for(self):
        with pytest.raises(ValueError, match="a description or a module has no input size of its own"):
            cnnzoo.describe(conv())

    def test_a_module_takes_no_settings(self):
        with pytest.raises(TypeError, match=r"a torch\.nn\.Module takes no settings, got num_classes"):
            cnnzoo.describe(conv(), SIZE, num_classes=3)

    def test_rewrites_apply(self):
        net = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        assert cnnzoo.describe(net, SIZE, rewrites=["fuse_batchnorm"]) == Sequential(**{"0": CONV, "2": ReLU()})
