"""What a network works out from the size of its maps is said so that it holds at other sizes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from traced import Block, conv, is_it

from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool2d,
    ConstantPad2d,
    Conv2d,
    Flatten,
    MaxPool2d,
    Node,
    Permute,
    ReLU,
    SamePad2d,
    Scale,
    Sequential,
    Slice,
    Unflatten,
    Upsample,
    UpsampleLike,
    ZeroPad2d,
)
from cnnzoo.pytorch.tracing import DescribedAtOneSizeWarning, describe
from cnnzoo.pytorch.tracing.sizes import STEP, elsewhere


def same(x: Tensor, extent: Any, stride: Any, value: float = 0.0) -> Tensor:
    """As TensorFlow pads for "same"; nothing is called where nothing is needed."""
    sides = []
    for length, size, step in zip(x.shape[:1:-1], extent[::-1], stride[::-1], strict=True):
        needed = max((-(-length // step) - 1) * step + size - length, 0)
        sides += [needed // 2, needed - needed // 2]
    return F.pad(x, sides, value=value) if any(sides) else x


def strided(kernel: int, stride: int, dilation: int = 1) -> nn.Conv2d:
    return nn.Conv2d(4, 4, kernel, stride, dilation=dilation)


class SameConv(nn.Conv2d):
    """A layer that pads by itself."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(same(x, self.kernel_size, self.stride))


SIZE = (4, 16, 16)
FIRST = Conv2d(4, 3, padding=1)


SAME: dict[str, tuple[nn.Module, Node]] = {
    "before a convolution": (
        Block(lambda self, x: self.conv(same(x, (3, 3), (2, 2))), conv=strided(3, 2)),
        Sequential(pad=SamePad2d(3, 2), conv=Conv2d(4, 3, stride=2)),
    ),
    "needed where sides are odd alone": (
        Block(lambda self, x: self.conv(same(x, (2, 2), (2, 2))), conv=strided(2, 2)),
        Sequential(pad=SamePad2d(2, 2), conv=Conv2d(4, 2, stride=2)),
    ),
    "of a dilated kernel": (
        Block(lambda self, x: self.conv(same(x, (5, 5), (3, 3))), conv=strided(3, 3, 2)),
        Sequential(pad=SamePad2d(5, 3), conv=Conv2d(4, 3, stride=3, dilation=2)),
    ),
    "along one side": (
        Block(
            lambda self, x: F.max_pool2d(self.conv(same(x, (2, 3), (2, 1))), 1), conv=nn.Conv2d(4, 4, (2, 3), (2, 1))
        ),
        Sequential(pad=SamePad2d((2, 3), (2, 1)), conv=Conv2d(4, (2, 3), stride=(2, 1)), max_pool2d=MaxPool2d(1)),
    ),
    "in layers, one after the other": (
        nn.Sequential(SameConv(4, 4, 3, 2), nn.ReLU(), SameConv(4, 4, 5, 2)),
        Sequential(
            **{"layer0_pad": SamePad2d(3, 2), "0": Conv2d(4, 3, stride=2), "1": ReLU()},
            **{"layer2_pad": SamePad2d(5, 2), "2": Conv2d(4, 5, stride=2)},
        ),
    ),
    "before a maximum": (
        Block(lambda self, x: F.max_pool2d(same(self.conv(x), (3, 3), (2, 2), -torch.inf), 3, 2), conv=conv()),
        Sequential(conv=FIRST, pad=SamePad2d(3, 2, "-inf"), max_pool2d=MaxPool2d(3, 2)),
    ),
    "before a mean": (
        Block(lambda self, x: F.avg_pool2d(same(self.conv(x), (3, 3), (2, 2)), 3, 2), conv=conv()),
        Sequential(conv=FIRST, pad=SamePad2d(3, 2), avg_pool2d=AvgPool2d(3, 2)),
    ),
}


@pytest.mark.parametrize("size", [SIZE, (4, 17, 17), (4, 14, 19)])
@pytest.mark.parametrize("name", SAME)
def test_padding_same_is_seen_at_any_size(name, size):
    net, description = SAME[name]
    traced = describe(net, size)
    assert traced == description
    is_it(net, traced, size, *((4, side, side + 1) for side in range(13, 19)))


@pytest.mark.filterwarnings("error::cnnzoo.pytorch.tracing.DescribedAtOneSizeWarning")
def test_a_padding_that_does_not_ask_for_the_size_is_not_worked_out_from_it():
    """It is that of "same" at each size of even sides."""
    net = Block(lambda self, x: self.conv(F.pad(x, (0, 1, 0, 1))), conv=strided(3, 2))
    assert describe(net, SIZE) == Sequential(pad=ZeroPad2d((0, 1, 0, 1)), conv=Conv2d(4, 3, stride=2))
    net = Block(lambda self, x: F.max_pool2d(F.pad(self.conv(x), (1, 1, 1, 1), value=-torch.inf), 3, 2), conv=conv())
    wanted = Sequential(conv=FIRST, pad=ConstantPad2d(1, "-inf"), max_pool2d=MaxPool2d(3, 2))
    assert describe(net, SIZE) == wanted
    is_it(net, wanted, SIZE, (4, 15, 13))


def squares(self: Any, x: Tensor) -> Tensor:
    """Each 2x2 of the map as channels: of even sides alone."""
    batch, channels, height, width = x.shape
    x = self.conv(x).view(batch, channels, height // 2, 2, width // 2, 2)
    return x.permute(0, 3, 5, 1, 2, 4).reshape(batch, 4 * channels, height // 2, width // 2)


NUMBERS: dict[str, tuple[nn.Module, Node]] = {
    "a mean of the whole map": (
        Block(lambda self, x: F.avg_pool2d(self.conv(x), x.shape[2:]), conv=conv()),
        Sequential(conv=FIRST, avg_pool2d=AdaptiveAvgPool2d(1)),
    ),
    "a mean of each row": (
        Block(lambda self, x: F.avg_pool2d(self.conv(x), (1, x.shape[3])), conv=conv()),
        Sequential(conv=FIRST, avg_pool2d=AdaptiveAvgPool2d((None, 1))),
    ),
    "the largest of the whole map": (
        Block(lambda self, x: F.max_pool2d(self.conv(x), x.shape[2:]), conv=conv()),
        Sequential(conv=FIRST, max_pool2d=AdaptiveMaxPool2d(1)),
    ),
    "a length that the others leave": (
        Block(squares, conv=conv()),
        Sequential(
            conv=FIRST,
            unflatten=Unflatten(3, (-1, 2)),
            unflatten_1=Unflatten(2, (-1, 2)),
            permute=Permute((0, 3, 5, 1, 2, 4)),
            reshape=Flatten(1, 3),
        ),
    ),
    "up to the last but one": (
        Block(lambda self, x: self.conv(x)[:, :, : x.shape[2] - 1, 2 : x.shape[3]], conv=conv()),
        Sequential(conv=FIRST, slice=Slice(0, -1, 2), slice_1=Slice(2, None, 3)),
    ),
    "as large as the input, and cubic": (
        Block(lambda self, x: F.interpolate(F.max_pool2d(self.conv(x), 2), x.shape[2:], mode="bicubic"), conv=conv()),
        Sequential(
            conv=FIRST, max_pool2d=MaxPool2d(2), interpolate=UpsampleLike("max_pool2d", "input", mode="bicubic")
        ),
    ),
    "twice the size": (
        Block(lambda self, x: F.interpolate(self.conv(x), [2 * side for side in x.shape[2:]]), conv=conv()),
        Sequential(conv=FIRST, interpolate=Upsample(scale_factor=2)),
    ),
}


@pytest.mark.filterwarnings("error::cnnzoo.pytorch.tracing.DescribedAtOneSizeWarning")
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_follow_from_the_size_are_left_out(name):
    net, description = NUMBERS[name]
    traced = describe(net, SIZE)
    assert traced == description
    is_it(net, traced, SIZE, (4, 12, 12), (4, 18, 14), within=1e-6)


def test_what_holds_at_one_size_alone_says_so():
    net = Block(lambda self, x: self.conv(x) / x.shape[2], conv=conv())
    wanted = "for inputs of 4x16x16 alone: for a batch of 23 of 4x113x113 it would be another at div$"
    with pytest.warns(DescribedAtOneSizeWarning, match=wanted):
        assert describe(net, SIZE) == Sequential(conv=FIRST, div=Scale(1 / 16))


def test_a_network_that_takes_certain_sizes_alone_is_run_at_another_of_them():
    def halves(self: Any, x: Tensor) -> Tensor:
        if x.shape[2] % STEP:
            raise ValueError("a multiple")
        return self.conv(x) / x.shape[2]

    with pytest.warns(DescribedAtOneSizeWarning, match="of 4x64x64 it would be another at div$"):
        describe(Block(halves, conv=conv()), (4, 32, 32))


@pytest.mark.parametrize("length", [1, 2, 7, 32, 47, 224, 299])
def test_the_other_size_is_odd_where_the_first_is_even_however_often_it_is_halved(length):
    other = elsewhere(length)
    for times in range(6):
        assert (-(-length // 2**times) + -(-other // 2**times)) % 2, times
