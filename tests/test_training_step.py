"""The MACs of a training step against counts by hand."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnzoo.models import resnet18
from cnnzoo.pytorch.measuring.training import training_step

CONVOLUTIONS = {
    # weights of one output map x output positions x output maps
    "plain": (nn.Conv2d(6, 4, 3), 6 * 9 * 36 * 4),
    "grouped": (nn.Conv2d(6, 4, 3, groups=2), 3 * 9 * 36 * 4),
    "depthwise": (nn.Conv2d(6, 6, 3, groups=6), 9 * 36 * 6),
    "depthwise, multiplier 2": (nn.Conv2d(6, 12, 3, groups=6), 9 * 36 * 12),
    "strided": (nn.Conv2d(6, 4, 3, stride=2, padding=1), 6 * 9 * 16 * 4),
    "dilated": (nn.Conv2d(6, 4, 3, dilation=2), 6 * 9 * 16 * 4),
    # weights of one input map x input positions x input maps
    "transposed": (nn.ConvTranspose2d(6, 4, 3, stride=2), 4 * 9 * 64 * 6),
    "transposed, grouped": (nn.ConvTranspose2d(6, 4, 3, stride=2, groups=2), 2 * 9 * 64 * 6),
}


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_first_layer_needs_the_weights_gradient_alone(name, batch):
    convolution, macs = CONVOLUTIONS[name]
    assert training_step(convolution, (batch, 6, 8, 8)) == (macs, macs, ())


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_later_layer_needs_the_inputs_gradient_too(name):
    convolution, macs = CONVOLUTIONS[name]
    scale = nn.BatchNorm2d(6)  # trained, and without MACs of its own
    assert training_step(nn.Sequential(scale, convolution), (2, 6, 8, 8)) == (macs, 2 * macs, ())


NET = (3888, 1152, 192)


def net() -> nn.Sequential:
    """3 x 3 x 3 at 6 x 6 for 4 maps, 3 x 3 x 2 at 4 x 4 for 4 maps, 64 x 3."""
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3, groups=2), nn.Flatten(), nn.Linear(64, 3))


@pytest.mark.parametrize(
    ("frozen", "backward"),
    [
        ((), 3888 + 2 * 1152 + 2 * 192),
        ((0,), 1152 + 2 * 192),
        ((0, 2), 192),
        ((2,), 3888 + 1152 + 2 * 192),
        ((4,), 3888 + 2 * 1152 + 192),
        ((0, 2, 4), 0),
    ],
)
def test_frozen_layers_cost_what_the_gradients_through_them_cost(frozen, backward):
    module = net()
    for number in frozen:
        module[number].requires_grad_(False)
    assert training_step(module, (2, 3, 8, 8)) == (sum(NET), backward, ())


def test_the_module_is_left_without_gradients():
    module = net().eval()
    training_step(module, (2, 3, 8, 8))
    assert all(parameter.grad is None and not parameter.is_meta for parameter in module.parameters())
    assert not module.training


def test_torch_agrees_where_nothing_is_grouped_and_overcounts_where_it_is():
    with torch.device("meta"):
        plain = resnet18()
        grouped = nn.Sequential(nn.BatchNorm2d(6), nn.Conv2d(6, 6, 3, groups=6))
    for module, size, excess in ((plain, (2, 3, 64, 64), 0), (grouped, (2, 6, 8, 8), 5 * 9 * 36 * 6)):
        step = training_step(module, size)
        module.train()
        with FlopCounterMode(display=False) as counter:
            module(torch.empty(size, device="meta")).sum().backward()
        assert counter.get_total_flops() == 2 * size[0] * (step.total + excess)
