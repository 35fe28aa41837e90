"""Every layer says what torch's own says: whether it can be, its output's shape, its tensors, its MACs."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import strategies
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Shape
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnzoo import arch
from cnnzoo.arch import ShapeError
from cnnzoo.arch.node import Layer, Node

EXAMPLES = 20 * settings.default.max_examples
"""2,000 a layer, and 40,000 in the long profile."""

BATCH = 2
NOTHING = strategies.NOTHING


class Twin(NamedTuple):
    """How torch makes a layer, and the settings and shapes on which the two are compared."""

    make: Callable[..., nn.Module]
    """(input shape, device, settings) -> module"""
    settings: st.SearchStrategy[dict[str, Any]]
    shapes: st.SearchStrategy[Shape]
    refuses: bool = True
    """Whether there is anything to refuse."""


def from_channels(cls: type[nn.Module]) -> Callable[..., nn.Module]:
    return lambda shape, device, given: cls(shape[0], **given, device=device)


def alone(cls: type[nn.Module]) -> Callable[..., nn.Module]:
    return lambda shape, device, given: cls(**given)


MAPS = strategies.maps()
ANY = strategies.shapes()

TWINS = {
    "Conv2d": Twin(from_channels(nn.Conv2d), strategies.CONV, MAPS),
    "ConvTranspose2d": Twin(from_channels(nn.ConvTranspose2d), strategies.CONV_TRANSPOSE, strategies.maps(side=6)),
    "Linear": Twin(
        lambda shape, device, given: nn.Linear(shape[-1], **given, device=device), strategies.LINEAR, ANY
    ),
    "BatchNorm2d": Twin(from_channels(nn.BatchNorm2d), strategies.BATCH_NORM, MAPS),
    "LocalResponseNorm": Twin(alone(nn.LocalResponseNorm), strategies.LRN, ANY),
    "MaxPool2d": Twin(alone(nn.MaxPool2d), strategies.MAX_POOL, MAPS),
    "AvgPool2d": Twin(alone(nn.AvgPool2d), strategies.AVG_POOL, MAPS),
    "AdaptiveAvgPool2d": Twin(alone(nn.AdaptiveAvgPool2d), strategies.ADAPTIVE_POOL, MAPS),
    "ReLU": Twin(alone(nn.ReLU), NOTHING, ANY, refuses=False),
    "Sigmoid": Twin(alone(nn.Sigmoid), NOTHING, ANY, refuses=False),
    "Tanh": Twin(alone(nn.Tanh), NOTHING, ANY, refuses=False),
    "Softmax": Twin(alone(nn.Softmax), strategies.SOFTMAX, ANY),
    "Dropout": Twin(alone(nn.Dropout), strategies.DROPOUT, ANY),
    "Flatten": Twin(alone(nn.Flatten), strategies.FLATTEN, ANY),
    "Identity": Twin(alone(nn.Identity), NOTHING, ANY, refuses=False),
}
BY_HAND = {"Subsampling2d", "TableConv2d", "RBF", "ScaledTanh", "PadChannels"}
"""The layers that torch.nn lacks; they are counted by brute force further down."""


def test_every_layer_is_compared_or_counted_by_hand() -> None:
    ours = {
        name for name, cls in Node.kinds.items() if issubclass(cls, Layer) and cls.__module__.startswith("cnnzoo.")
    }
    assert ours - {"Layer"} == set(TWINS) | BY_HAND


def touches_the_batch(kind: str, given: dict[str, Any], rank: int) -> bool:
    """What torch allows and a layer of ours cannot mean: its shapes are per sample, dimension 0 is the batch."""
    first = {"Flatten": given.get("start_dim", 1), "Softmax": given.get("dim", 1)}.get(kind, 1)
    return first in (0, -rank)


def torch_output(twin: Twin, shape: Shape, given: dict[str, Any]) -> Shape | None:
    """The shape that torch gives on the CPU; None where it refuses. On meta it lets nonsense through."""
    try:
        return tuple(twin.make(shape, "cpu", given)(torch.ones(BATCH, *shape)).shape[1:])
    except (RuntimeError, ValueError, TypeError, IndexError):
        return None


def our_output(kind: str, shape: Shape, given: dict[str, Any]) -> Shape | None:
    try:
        return getattr(arch, kind)(**given).output_shape(shape)
    except ShapeError:
        return None


@pytest.mark.parametrize("kind", TWINS)
def test_shapes_tensors_macs_and_refusals_are_those_of_torch(kind: str) -> None:
    twin = TWINS[kind]
    tally: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES)
    @given(twin.settings, twin.shapes)
    def check(given: dict[str, Any], shape: Shape) -> None:
        ours, theirs = our_output(kind, shape, given), torch_output(twin, shape, given)
        if touches_the_batch(kind, given, len(shape) + 1):
            assert ours is None
            return
        assert ours == theirs
        tally["refused" if ours is None else "taken"] += 1
        if ours is not None:
            compare_on_meta(getattr(arch, kind)(**given), twin, shape, given)

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        check()
    least = EXAMPLES // 8
    assert tally["taken"] >= least
    assert tally["refused"] >= least if twin.refuses else tally["refused"] == 0


def compare_on_meta(layer: Layer, twin: Twin, shape: Shape, given: dict[str, Any]) -> None:
    module = twin.make(shape, "meta", given)
    with FlopCounterMode(display=False) as counter:
        output = module(torch.empty(BATCH, *shape, device="meta"))
    assert tuple(output.shape) == (BATCH, *layer.output_shape(shape))
    assert counter.get_total_flops() == 2 * BATCH * layer.macs(shape)
    assert shapes_of(module.named_parameters()) == list(layer.tensors(shape).items())
    assert shapes_of(module.named_buffers()) == list(layer.buffers(shape).items())
    assert shapes_of(module.state_dict().items()) == [*layer.tensors(shape).items(), *layer.buffers(shape).items()]


def shapes_of(tensors: Any) -> list[tuple[str, Shape]]:
    return [(name, tuple(tensor.shape)) for name, tensor in tensors]
