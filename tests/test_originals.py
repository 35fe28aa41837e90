"""Registered networks are those of torchvision and timm: tensors, figures and outputs, where the libraries are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from originals import ORIGINALS, Original
from reference import fill, image
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import cnnzoo
from cnnzoo.features.summary import summary

each = pytest.mark.parametrize(
    ("name", "original"), ORIGINALS, ids=[f"{name} {original.library}" for name, original in ORIGINALS]
)


def sizes(name: str, original: Original) -> list[tuple[int, int, int]]:
    channels = cnnzoo.get_builder(name).input_size[0]
    if isinstance(original.side, tuple):
        return [(channels, *original.side)]
    more = [] if original.fixed else [original.side + original.side // 3]
    return [(channels, side, side) for side in [original.side, *more]]


def without_chance(net: nn.Module) -> nn.Module:
    """The network, of which nothing drops out."""
    for module in net.modules():
        for chance in ("drop_rate", "drop_prob", "p"):
            if isinstance(getattr(module, chance, None), float):
                setattr(module, chance, 0.0)
    return net


def together(outputs: Any) -> torch.Tensor:
    """The output, or several of them one behind the other, by name or not."""
    if isinstance(outputs, torch.Tensor):
        return outputs
    return torch.cat([*(outputs.values() if isinstance(outputs, dict) else outputs)])


@pytest.mark.wide(2, 100)
@pytest.mark.filterwarnings("ignore")
@each
def test_is_its_original(name: str, original: Original) -> None:
    """The names, their order and their shapes; parameters; MACs, by torch's own counter; the outputs of the same
    weights, and in training what batch normalisation keeps of them, so that its momentum is the same."""
    theirs, ours = original.make(), cnnzoo.create_model(name, init=None, **original.ours)
    state, own = theirs.state_dict(), ours.state_dict()
    named = original.named(state, own)
    if original.renamed is True:
        assert [one.shape for one in own.values()] == [one.shape for one in state.values()]
    else:  # a scale of each channel may have lengths of 1 for the map, too
        shapes = {named[key]: one.squeeze().shape for key, one in state.items()}
        assert {key: one.squeeze().shape for key, one in own.items()} == shapes
    if not original.renamed:
        assert [one.shape for one in own.values()] == [one.shape for one in state.values()]
        assert list(own) == list(state)
    filled = fill(own)
    ours.load_state_dict(filled)
    state.update({key: filled[named[key]].reshape(one.shape) for key, one in state.items()})
    theirs.load_state_dict(state)  # which has versions, too
    params = sum(one.numel() for one in theirs.parameters())
    for size in sizes(name, original):
        report = summary(name, size, **original.ours)
        assert report.total_params + report.totals["aux_params"] == params
        x = image(size, 2)
        with torch.no_grad():
            with FlopCounterMode(display=False) as counter:
                wanted = together(theirs.eval()(x))
            assert counter.get_total_flops() == 2 * len(x) * report.total_macs
            found = together(ours.eval()(x))
        scale = wanted.abs().max().item()
        assert 0 < scale < float("inf")
        assert (found - wanted).abs().max().item() <= original.tolerance * scale
    with torch.no_grad():
        without_chance(ours).train()(x)
        without_chance(theirs).train()(x)
    kept = dict(ours.named_buffers())
    for key, wanted in theirs.named_buffers():
        found = kept[named[key]]
        assert torch.allclose(found, wanted, rtol=1e-4, atol=1e-5 * wanted.abs().max().item())
