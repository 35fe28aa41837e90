"""Parameters that blocks have themselves: a description says them as layers, at the path that is their name."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import cnnzoo
from cnnzoo.arch import (
    GELU,
    Conv2d,
    L2Norm,
    LayerNorm2d,
    Linear,
    Mean,
    Node,
    ReLU,
    Residual,
    Scale,
    Sequential,
    Shift,
    Square,
    StochasticDepth,
    dumps,
    loads,
)
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.modules.features import FeatureInfo, Features

SIZE = (6, 9, 8)


class Block(nn.Module):
    """A block of ConvNeXt with timm's name for its factors."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.gamma = nn.Parameter(torch.randn(6, *shape))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) * self.gamma.view(-1, 1, 1) + x


class StarReLU(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.randn(1))
        self.bias = nn.Parameter(torch.randn(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale * F.relu(x) ** 2 + self.bias


class Whole(nn.Module):
    """Parameters of a network itself, of blocks in it, and of a block without other children."""

    def __init__(self) -> None:
        super().__init__()
        self.skip_gain = nn.Parameter(torch.randn(()))
        self.stage = nn.Sequential(Block(1, 1), Block())
        self.act = StarReLU()
        self.scale_weight = nn.Parameter(torch.randn(6))
        self.fc = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.act(self.stage(x * self.skip_gain))
        y = self.scale_weight.view(1, -1, 1, 1) * F.normalize(y)
        return self.fc(y.mean((2, 3)))


def block(*shape: int) -> Residual:
    return Residual(conv=Conv2d(6, 3, padding=1, groups=6), gamma=Scale(1e-6, shape))


WHOLE = Sequential(
    skip_gain=Scale(0, ()),
    stage=Sequential(block(-1, 1, 1), block(-1)),
    act=Sequential(relu=ReLU(), square=Square(), scale=Scale(1, (1,)), bias=Shift(0, (1,))),
    normed=L2Norm(affine=False),
    scale_weight=Scale(20, (-1,)),
    pool=Mean((2, 3)),
    fc=Linear(3),
)


@pytest.fixture
def whole() -> tuple[nn.Module, nn.Module]:
    """The original, and what is built of its description, with its weights."""
    torch.manual_seed(0)
    original, built = Whole(), build(WHOLE, SIZE)
    assert built.load_state_dict(original.state_dict()) == ([], [])
    return original, built


def test_they_have_the_original_s_names_and_shapes_and_its_outputs(whole: tuple[nn.Module, nn.Module]) -> None:
    original, built = whole
    x = torch.randn(2, *SIZE)
    assert torch.equal(original(x), built(x))
    shapes = {name: tuple(tensor.shape) for name, tensor in original.state_dict().items()}
    assert [*shapes.items()] == [*calculate(WHOLE, SIZE).tensors.items()]
    saved = built.state_dict()
    assert [(name, tuple(tensor.shape)) for name, tensor in saved.items()] == [*shapes.items()]
    assert original.load_state_dict(saved) == ([], [])
    assert {one.data_ptr() for one in built.parameters()} == {one.data_ptr() for one in saved.values()}


def test_a_block_s_own_come_first_wherever_they_run() -> None:
    """In the whole, in a block, and behind another network's tensors in a state dict that both fill."""
    net = Sequential(
        stem=Conv2d(6, 1),
        block=Sequential(inner=block(-1), after=Scale(1, ()), fc=Conv2d(6, 1), last=Shift(0, ())),
        gain=Scale(1, ()),
    )
    expected = [
        "gain",
        "stem.weight",
        "stem.bias",
        "block.after",
        "block.last",
        "block.inner.gamma",
        "block.inner.conv.weight",
        "block.inner.conv.bias",
        "block.fc.weight",
        "block.fc.bias",
    ]
    built = build(net, SIZE)
    assert list(built.state_dict()) == list(calculate(net, SIZE).tensors) == expected
    assert list(cnnzoo.summary(built, SIZE).tensors) == expected
    together = {"other": torch.ones(1)}
    built.block.state_dict(destination=together, prefix="block.")
    assert list(together) == ["other", *expected[3:]]
    assert list(copy.deepcopy(built).state_dict()) == list(pickle.loads(pickle.dumps(built)).state_dict()) == expected


def test_they_begin_as_their_number() -> None:
    state = build(WHOLE, SIZE).state_dict()
    begun = {"skip_gain": 0, "stage.0.gamma": 1e-6, "stage.1.gamma": 1e-6, "act.scale": 1, "act.bias": 0}
    for name, value in {**begun, "scale_weight": 20}.items():
        assert torch.equal(state[name], torch.full_like(state[name], value))


def test_what_is_missing_or_too_much_is_named_as_in_the_file(whole: tuple[nn.Module, nn.Module]) -> None:
    original, built = whole
    state = original.state_dict()
    less = {name: tensor for name, tensor in state.items() if name not in ("act.scale", "stage.1.gamma")}
    found = built.load_state_dict({**less, "act.more": torch.ones(1)}, strict=False)
    assert sorted(found.missing_keys) == ["act.scale", "stage.1.gamma"]
    assert found.unexpected_keys == ["act.more"]
    with pytest.raises(RuntimeError, match=r"act\.scale"):
        built.load_state_dict(less)
    with pytest.raises(RuntimeError, match="size mismatch"):
        built.load_state_dict({**state, "act.scale": torch.ones(2)})


@pytest.mark.parametrize("again", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_takes_the_names_too(whole: tuple[nn.Module, nn.Module], again) -> None:
    original, built = whole
    other = again(build(WHOLE, SIZE))
    assert other.load_state_dict(built.state_dict()) == ([], [])
    assert other.stage[0].load_state_dict(original.stage[0].state_dict()) == ([], [])
    x = torch.randn(2, *SIZE)
    assert torch.equal(other(x), original(x))


def test_calculated_and_measured_agree_on_them() -> None:
    calculated, measured = calculate(WHOLE, SIZE), cnnzoo.summary(build(WHOLE, SIZE), SIZE)
    assert calculated.tensors == measured.tensors
    for one, other in zip(calculated.rows, measured.rows, strict=True):
        assert (one.path, one.kind, one.output_shape) == (other.path, other.kind, other.output_shape)
        assert (one.tensors, one.params, one.weights) == (other.tensors, other.params, other.weights)


def test_every_one_has_a_gradient_and_a_checkpoint_fits(whole: tuple[nn.Module, nn.Module], tmp_path) -> None:
    original, built = whole
    built(torch.randn(2, *SIZE)).sum().backward()
    assert all(parameter.grad is not None for parameter in built.parameters())
    torch.save(original.state_dict(), tmp_path / "whole.pt")
    other = build(WHOLE, SIZE)
    cnnzoo.load_checkpoint(other, tmp_path / "whole.pt")
    x = torch.randn(2, *SIZE)
    assert torch.equal(other(x), original(x))


def test_maps_from_inside_take_a_parameter_beside_them() -> None:
    net = Sequential(conv=Conv2d(6, 3), gain=Scale(2, ()), pool=Mean((2, 3)), fc=Linear(2))
    maps = Features(build(net, SIZE), FeatureInfo(net, SIZE))
    assert maps.load_state_dict({**maps.state_dict(), "gain": torch.tensor(3.0)}) == ([], [])
    x = torch.randn(2, *SIZE)
    assert torch.equal(maps(x)[0], maps.conv(x) * 3)


def test_torchvisions_block_has_its_names() -> None:
    net = Sequential(
        Residual(
            block=Sequential(
                Conv2d(6, 7, padding=3, groups=6), LayerNorm2d(eps=1e-6), Conv2d(24, 1), GELU(), Conv2d(6, 1)
            ),
            layer_scale=Scale(1e-6, (-1, 1, 1)),
            stochastic_depth=StochasticDepth(0.1, "row"),
        )
    )
    tensors = calculate(net, SIZE).tensors
    assert tensors["0.layer_scale"] == (6, 1, 1)
    assert loads(dumps(net)) == net
    assert set(build(net, SIZE).state_dict()) == set(tensors)


def test_a_layer_alone_is_its_own_parameter() -> None:
    layer: Node = Scale(0.5, (-1,))
    net = build(layer, SIZE)
    assert list(net.state_dict()) == [""]
    assert net.load_state_dict({"": torch.arange(6.0)}) == ([], [])
    assert torch.equal(net(torch.ones(1, *SIZE))[0, :, 0, 0], torch.arange(6.0))
