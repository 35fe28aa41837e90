"""Built modules against hand-written ones of the same tensors, and building without and with initialisation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from by_hand import BY_HAND
from torch import nn

import cnnzoo

BATCH = 4


@pytest.fixture(params=sorted(BY_HAND))
def pair(request: pytest.FixtureRequest) -> tuple[str, nn.Module, nn.Module]:
    """A network and its peer with the same weights; their outputs are the same to the bit."""
    torch.set_num_threads(1)
    ours, peer = cnnzoo.create_model(request.param), BY_HAND[request.param]()
    assert list(ours.state_dict()) == list(peer.state_dict())
    peer.load_state_dict(ours.state_dict())
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(ours.eval()(x), peer.eval()(x))
    return request.param, ours, peer


def test_forward(pair: tuple[str, nn.Module, nn.Module], ratio: Callable[..., float]) -> None:
    name, ours, peer = pair
    x = torch.randn(BATCH, 3, 224, 224)
    with torch.inference_mode():
        ratio(f"{name} forward / hand-written", lambda: ours(x), lambda: peer(x), 15)


def test_forward_and_backward(pair: tuple[str, nn.Module, nn.Module], ratio: Callable[..., float]) -> None:
    name, ours, peer = pair
    x = torch.randn(BATCH, 3, 224, 224)

    def step(net: nn.Module) -> None:
        net.train()
        net(x).sum().backward()
        net.zero_grad(set_to_none=False)

    ratio(f"{name} forward and backward / hand-written", lambda: step(ours), lambda: step(peer), 10)


@pytest.mark.parametrize("way", ["init=None", "meta"])
def test_building_vgg16_without_initialisation(ratio: Callable[..., float], way: str) -> None:
    settings = {"init": None} if way == "init=None" else {"device": "meta"}
    ratio(
        f"building vgg16 with random initialisation / with {way}",
        lambda: cnnzoo.create_model("vgg16", init="torch"),
        lambda: cnnzoo.create_model("vgg16", **settings),
        5,
    )
