"""timm's and torchvision's networks measured, a family after the other, against counts that are not ours.

Marked `bench`: it needs both libraries and some minutes. The MACs are checked against `torch.utils.flop_counter`,
on meta and in eval mode, where it sees every product.
"""

from __future__ import annotations

import gc
import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from command import call
from libraries import stub_torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import cnnzoo
from cnnzoo.resolve.loading import find, make, own_size

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("ignore")]

SIZES = {"torchvision:inception_v3": (3, 299, 299)}
"""Where neither the network says its size nor 224 will do: below this its auxiliary head fails."""


def families(library: str) -> list[str]:
    """The files in which a library registers networks, found without importing it."""
    found = find_spec(library)
    if found is None or found.origin is None:
        return []
    files = Path(found.origin).with_name("models").glob("[!_]*.py")
    return sorted(file.stem for file in files if "\n@register_model" in file.read_text(encoding="utf-8"))


TIMM, TORCHVISION = families("timm"), families("torchvision")


@pytest.fixture(autouse=True)
def _libraries() -> None:
    stub_torchvision()  # first: timm imports torchvision too
    pytest.importorskip("torchvision")
    pytest.importorskip("timm")


@pytest.fixture(autouse=True)
def _tidy() -> Any:
    yield
    gc.collect()  # some networks are built on the CPU, and hold cycles


def independent_macs(module: nn.Module, size: tuple[int, ...]) -> float:
    """Half of torch's FLOPs. Without gradients to follow, as its tracker of modules fails where none come."""
    module.eval().requires_grad_(False).to("meta")
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        module(torch.empty(1, *size))
    return counter.get_total_flops() / 2


def look(module: nn.Module) -> list[object]:
    """What a measurement may not change: every tensor itself, mode and hooks."""
    tensors = [(name, id(one)) for name, one in module.state_dict(keep_vars=True).items()]
    modules = [
        (path, one.training, len(one._forward_hooks), len(one._forward_pre_hooks))
        for path, one in module.named_modules()
    ]
    return [*tensors, *modules]


def check(target: str) -> None:
    module = make(find(target, {}))
    assert isinstance(module, nn.Module)
    size = SIZES.get(target) or own_size(target.partition(":")[0], module) or (3, 224, 224)
    params, before = sum(one.numel() for one in module.parameters()), look(module)
    report = cnnzoo.summary(module, size)
    assert look(module) == before
    assert (report.status, report.unknown) == ("complete", ())
    assert report.total_params + report.aux_params == params
    assert report.total_macs == independent_macs(module, size)


def test_there_are_forty_families() -> None:
    assert len(TIMM) >= 40
    assert len(TORCHVISION) >= 15


@pytest.mark.parametrize("family", TIMM)
def test_timm(family: str) -> None:
    """The first and the last network of each family, by name."""
    names = import_module("timm").list_models(module=family)
    for name in sorted({names[0], names[-1]}):
        check(f"timm:{name}")


@pytest.mark.parametrize("family", TORCHVISION)
def test_torchvision(family: str) -> None:
    """Every network for classification."""
    models = import_module("torchvision.models")
    for name in models.list_models(module=models):
        if models.get_model_builder(name).__module__.endswith(f".{family}"):
            check(f"torchvision:{name}")


@pytest.mark.parametrize("target", ["timm:resnet18", "torchvision:resnet18"])
def test_command(target: str) -> None:
    """Theirs has our ResNet-18's numbers, and the command says so in the same words."""
    theirs = json.loads(call("summary", target, "--format", "json").succeeded())
    ours = json.loads(call("summary", "resnet18", "--format", "json").succeeded())
    for total in ("params", "macs"):
        assert theirs["totals"][total] == ours["totals"][total]
    assert "11,689,512" in call("summary", target).succeeded()
