"""What no description says is not told as something else, and what proves a description can fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases import of
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations
from traced import CONV, SIZE, conv, is_it
from trapped import Make, block, gamma, hooked, relu_, told

from cnnzoo.arch import (
    Conv2d,
    ConvTranspose2d,
    Hardtanh,
    ReLU,
    Scale,
    Sequential,
    Shift,
)
from cnnzoo.pytorch.tracing import describe

# What no description says


class InPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        return x.mul_(2)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return grads[0]


def after(*does: Callable[[Any, Tensor, Tensor], Any]) -> Make:
    """A module that does these to what its convolution gives, which then goes on."""

    def run(m: Any, x: Tensor) -> Tensor:
        y = m.c(x)
        for do in does:
            do(m, x, y)
        return m.d(F.relu(y))

    return block(run, d=conv, i=nn.Identity, relu=relu_)


def add_to_half(m: Any, x: Tensor, y: Tensor) -> None:
    y[:, :2] += 1


def written_short(m: Any, x: Tensor) -> Tensor:
    """The shortcut is another tensor in the memory that the activation writes over."""
    y = m.c(x)
    short = y[:]
    return m.c(m.relu(y)) + short


def written_half(m: Any, x: Tensor) -> Tensor:
    one, other = m.c(x).chunk(2, 1)
    one += 1
    return torch.cat([other, one], 1)


def in_inference(m: Any, x: Tensor) -> Tensor:
    with torch.inference_mode():
        y = m.c(x)
        y[:, :2].add_(1)
        return F.relu(y)


def broadcast(m: Any, x: Tensor) -> Tensor:
    return m.c(x).mean((2, 3), keepdim=True).expand_as(x).sum((2, 3))


def writes_weights(m: Any, x: Tensor) -> Tensor:
    m.c.weight.data.mul_(2)
    return m.c(x)


def writes_weights_openly(m: Any, x: Tensor) -> Tensor:
    m.c.weight.mul_(2)
    return m.c(x)


mine = torch.library.Library("cnnzoo_tests", "DEF")
mine.define("add(Tensor x, Tensor y) -> Tensor")
mine.impl("add", lambda x, y: x + 2 * y, "CompositeExplicitAutograd")


@torch.jit.script
def relu(x: Tensor) -> Tensor:
    return x * 2


NOT_TOLD: dict[str, Make] = {
    "a part is written over": after(add_to_half),
    "a part is set": after(lambda m, x, y: y.__setitem__((slice(None), 0), 0)),
    "a chunk is written over": after(lambda m, x, y: y.chunk(2, 1)[0].relu_()),
    "what was detached is written over": after(lambda m, x, y: y.detach().add_(1)),
    "its data are written over": after(lambda m, x, y: y.data.add_(1)),
    "its data are taken, and it is written over": after(lambda m, x, y: [d := y.data, y.add_(1), m.d(d)]),
    "a copy is written into it": after(lambda m, x, y: y.copy_(x)),
    "it is made another": after(lambda m, x, y: y.set_(x)),
    "many are written over at once": after(lambda m, x, y: torch._foreach_add_([y], 1.0)),
    "a sum is written out": after(lambda m, x, y: torch.add(x, y, out=y)),
    "an activation in place behind an identity": after(lambda m, x, y: m.relu(m.i(y))),
    "a shortcut is written over": block(written_short, relu=relu_),
    "a chunk is read beside its written twin": block(written_half),
    "a part is written over in inference mode": block(in_inference),
    "written over in an autograd function": block(lambda m, x: InPlace.apply(m.c(x))),
    "what is broadcast is summed": block(broadcast),
    "the batch is mixed": block(lambda m, x: m.c(x) - m.c(x).mean(0, keepdim=True)),
    "a parameter along the batch": block(lambda m, x: m.c(x) * m.g, g=gamma(2, 1, 1, 1)),
    "the batch is turned": block(lambda m, x: m.c(x).flip(0)),
    "softmax over the batch": lambda: nn.Sequential(conv(), nn.Softmax(0)),
    "the batch is flattened": lambda: nn.Sequential(conv(), nn.Flatten(0)),
    "normalised with the batch": block(lambda m, x: F.layer_norm(m.c(x), x.shape)),
    "dropout that is always on": block(lambda m, x: F.dropout(m.c(x), 0.5)),
    "random numbers": block(lambda m, x: m.c(x) + torch.rand_like(x)),
    "random numbers of its own": block(lambda m, x: m.c(x) + torch.rand(x.shape, device=x.device)),
    "integers": block(lambda m, x: m.c(x).to(torch.int32)),
    "rounded by a cast": block(lambda m, x: m.c(x).to(torch.int32).float()),
    "a parameter that is rounded": block(lambda m, x: m.c(x) * m.g.to(torch.int32)[:, None, None], g=gamma(4)),
    "a parameter that is turned": block(lambda m, x: m.c(x) * m.g.flip(0)[:, None, None], g=gamma(4)),
    "an operator of another's": block(lambda m, x: torch.ops.cnnzoo_tests.add(x, m.c(x))),
    "a scripted function": block(lambda m, x: relu(m.c(x))),
    "its value": block(lambda m, x: m.c(x) * x.mean().item()),
    "what values decide": block(lambda m, x: m.c(x) if x.sum() > 0 else x),
    "mapped over the batch": block(lambda m, x: torch.func.vmap(lambda y: y * 2)(m.c(x))),
    "other weights handed in": block(
        lambda m, x: torch.func.functional_call(m.c, {key: 2 * one for key, one in m.c.named_parameters()}, (x,))
    ),
    "the weights of another": block(
        lambda m, x: torch.func.functional_call(m.c, dict(m.d.named_parameters()), (m.d(x),)), d=conv
    ),
    "weights and bias of two": block(lambda m, x: F.conv2d(x, m.c.weight, m.d.bias), d=conv),
    "weights that are written": block(writes_weights),
    "weights that are written openly": block(writes_weights_openly),
    "nothing": block(lambda m, x: (m.c(x), None)[1]),
    "a parameter": block(lambda m, x: (m.c(x), m.g), g=gamma(4)),
    "complex": block(lambda m, x: torch.fft.rfft2(m.c(x)).abs()),
    "weight norm": lambda: nn.Sequential(parametrizations.weight_norm(conv())),
    "spectral norm": lambda: nn.Sequential(parametrizations.spectral_norm(conv())),
    "a hook on the network": hooked("", lambda m, args, y: y * 2),
    "a hook on the network that writes": hooked("", lambda m, args, y: [y.add_(1), None][1]),
    "scripted within": lambda: nn.Sequential(torch.jit.script(nn.Sequential(conv(), nn.ReLU())), nn.ReLU()),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NOT_TOLD)
def test_what_has_no_word_is_not_told_as_something_else(name: str) -> None:
    net = NOT_TOLD[name]().eval()
    before = {key: (id(one), one._version) for key, one in net.state_dict(keep_vars=True).items()}
    assert told(net, SIZE) is None
    assert {key: (id(one), one._version) for key, one in net.state_dict(keep_vars=True).items()} == before


def up(m: Any, x: Tensor) -> Tensor:
    return m.up(F.max_pool2d(x, 2), x.shape[2:])


def test_a_size_that_is_asked_for_is_not_left_out():
    """What a transposed convolution is given beside its input changes what it gives."""
    net = of(up, up=lambda: nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1))()
    description = told(net, SIZE)
    assert description is not None
    assert description.up == ConvTranspose2d(4, 3, stride=2, padding=1, output_padding=1)


def test_a_compiled_module_is_the_one_inside():
    net = nn.Sequential(conv(), nn.ReLU())
    assert describe(torch.compile(net, backend="eager"), SIZE) == Sequential(CONV, ReLU())
    assert describe(nn.Sequential(nn.Sequential(net)), SIZE) == Sequential(Sequential(Sequential(CONV, ReLU())))


# The proof itself


def hardly(m: Any, x: Tensor) -> Tensor:
    return m.c(x) * 1e-9 + 1


def test_outputs_that_hardly_depend_on_inputs_prove_nothing():
    net = block(hardly)()
    with pytest.raises(AssertionError):
        is_it(net, Sequential(c=CONV, mul=Scale(1e-9), add=Shift(1.0)), SIZE)
    with pytest.raises(AssertionError):
        is_it(net, Sequential(c=CONV, mul=Scale(1e-9), add=Shift(1.0)), SIZE, within=1e-4)


@pytest.mark.parametrize(
    "other",
    [
        Sequential(c=CONV),
        Sequential(c=CONV, act=Hardtanh(-9.0, 9.0)),
        Sequential(c=Conv2d(4, 3, padding=1, bias=False)),
    ],
)
def test_another_description_is_no_proof(other):
    net = block(lambda m, x: F.relu(m.c(x)))()
    is_it(net, Sequential(c=CONV, act=ReLU()), SIZE)
    with pytest.raises((AssertionError, RuntimeError)):
        is_it(net, other, SIZE)
