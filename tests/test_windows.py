"""Layers with windows that torch.nn lacks, against loops over windows and torch's functions."""

from __future__ import annotations

from typing import Any

import strategies
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Shape

from cnnzoo import arch
from cnnzoo.arch.node import pair
from cnnzoo.pytorch.modules.build import build

EXAMPLES = settings.default.max_examples
BATCH = 2


@settings(max_examples=EXAMPLES)
@given(
    strategies.maps(side=20),
    strategies.int_or_pair(1, 7),
    strategies.int_or_pair(1, 4),
    st.sampled_from([0.0, 0.5, "-inf"]),
)
def test_a_same_padding_lets_one_window_begin_at_each_stride(
    shape: Shape, extent: Any, stride: Any, value: float | str
) -> None:
    layer = arch.SamePad2d(extent, stride, value)
    x = torch.randn(BATCH, *shape)
    padded = build(layer, shape)(x)
    assert layer.output_shape(shape) == tuple(padded.shape[1:])
    bounds = []
    for length, reach, step, made in zip(shape[1:], pair(extent), pair(stride), padded.shape[2:], strict=True):
        windows = [range(begin, begin + reach) for begin in range(0, length, step)]
        needed = max(max(windows[-1]) + 1 - length, 0)
        bounds.append(range(needed // 2, needed // 2 + length))
        assert made == length + needed
        assert (made - reach) // step + 1 == len(windows)
    inside = padded[:, :, bounds[0].start : bounds[0].stop, bounds[1].start : bounds[1].stop]
    assert torch.equal(inside, x)
    inside.zero_()
    padded.nan_to_num_(neginf=-7.0)
    assert padded.sum() == (padded.numel() - x.numel()) * (-7.0 if value == "-inf" else value)
