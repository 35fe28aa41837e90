"""What measuring a network costs, against torchinfo's own summary of it on meta, and that it keeps nothing."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torchinfo
from torch import nn

import cnnzoo
from cnnzoo.pytorch.measuring.measure import measure

SIZE = (3, 224, 224)


@pytest.fixture(params=["resnet152", "densenet201"])
def network(request: pytest.FixtureRequest) -> tuple[str, nn.Module]:
    torch.set_num_threads(1)
    return request.param, cnnzoo.create_model(request.param, device="meta")


def test_measuring_against_torchinfo(network: tuple[str, nn.Module], ratio: Callable[..., float]) -> None:
    """At most one and a half times as long as torchinfo, which counts less."""
    name, module = network
    median = ratio(
        f"measuring {name} / torchinfo.summary on meta",
        lambda: measure(module, SIZE),
        lambda: torchinfo.summary(module, (1, *SIZE), device="meta", verbose=0),
        15,
    )
    assert median <= 1.5


def test_describing_against_measuring(network: tuple[str, nn.Module], ratio: Callable[..., float]) -> None:
    """At most twice as long, with the second run at another size that the description is compared at."""
    name, module = network
    median = ratio(
        f"describing {name} / measuring it", lambda: cnnzoo.describe(module, SIZE), lambda: measure(module, SIZE), 9
    )
    assert median <= 2


def test_memory_over_repeated_measurements(network: tuple[str, nn.Module], say: Callable[[str], None]) -> None:
    """What is kept is kept in every round of ten; what the allocator takes once is not."""
    name, module = network
    occupied = []
    for _ in range(6):
        for _ in range(10):
            measure(module, SIZE)
        gc.collect()
        occupied.append(_resident())
    grown = [(after - before) // 1024 for before, after in pairwise(occupied)]
    say(f"memory over rounds of ten measurements of {name}: {grown} KiB more")
    assert min(grown) < 100


def _resident() -> int:
    """The bytes of memory that the process occupies."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
