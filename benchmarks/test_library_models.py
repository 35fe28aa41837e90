"""Small models of five libraries measured, and what of it is right told by counts that are not ours.

The MACs are those of `torch.utils.flop_counter` on the CPU, and by hand those of the operators that it does not know.
The run ends with what was found, and with what torchinfo and fvcore make of the same models.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Iterator
from importlib import import_module
from math import prod
from time import perf_counter
from typing import Any, ClassVar, NamedTuple

import fvcore.nn
import pytest
import torch
import torchinfo
from libraries import stub_torchvision
from library_models import LIBRARIES, Model
from snapshot import snapshot
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

import cnnzoo

pytestmark = pytest.mark.filterwarnings("ignore")

MODELS = [pytest.param(library, name, id=f"{library}:{name}") for library, held in LIBRARIES.items() for name in held]
BATCHES = (1, 3)
PRODUCTS = {"conv", "linear", "matmul", "bmm", "addmm", "baddbmm", "einsum"}
"""fvcore's names for what has MACs; it also counts normalisation and pooling."""
aten = torch.ops.aten


class Found(NamedTuple):
    """Of one model, at a batch of one."""

    params: int
    macs: int
    seconds: float
    torchinfo: tuple[int, int, float] | str
    """Its parameters, its mult-adds and its time, or how it fails."""
    fvcore: int | str
    """Its count of products, or how it fails."""


FOUND: list[Found] = []


@pytest.fixture(autouse=True, scope="module")
def _offline() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("YOLO_OFFLINE", "1")
        torch.set_num_threads(1)
        stub_torchvision()
        yield


def build(library: str, model: Model) -> nn.Module:
    """A model in eval mode, with the weights of seed 0."""
    torch.manual_seed(0)
    return model.build(import_module(library)).eval()


def given(model: Model, batch: int) -> Any:
    """`input_data` for it: a dict of tensors, or a list where the forward takes them by position."""
    generator = torch.Generator().manual_seed(1)
    made = {name: one.tensor(batch, generator) for name, one in model.inputs.items()}
    return [made[""]] if "" in made else made


def run(module: nn.Module, data: Any) -> list[Tensor]:
    with torch.no_grad():
        out = module(**data) if isinstance(data, dict) else module(*data)
    return [one for one in tree_leaves(out) if isinstance(one, Tensor)]


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """FLOPs: each query with each key, and the weights with the values."""
    return int(2 * prod(query[:3]) * key[2] * (query[3] + value[3]))


def _grouped(rows: Any, weights: Any, *_: Any, **__: Any) -> int:
    """FLOPs: each row with the matrix of its group."""
    return int(2 * prod(rows) * weights[-1])


def _distances(some: Any, others: Any, *_: Any, **__: Any) -> int:
    """FLOPs: each point with each other, coordinate by coordinate."""
    return int(2 * prod(some) * others[-2])


BY_HAND = {
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._grouped_mm: _grouped,
    aten._euclidean_dist: _distances,
}


def independent_macs(module: nn.Module, data: Any) -> int:
    """Of the whole batch, really computed; without oneDNN, whose recurrent layers are one operator."""
    with FlopCounterMode(display=False, custom_mapping=BY_HAND) as counter, torch.backends.mkldnn.flags(enabled=False):
        run(module, data)
    return int(counter.get_total_flops()) // 2


@pytest.mark.parametrize(("library", "name"), MODELS)
def test_measured(library: str, name: str) -> None:
    """Counts equal, nothing unknown, and the model is as it was, in a mixed mode and with frozen parts."""
    model = LIBRARIES[library][name]
    module = build(library, model).requires_grad_(False)
    inputs = [given(model, batch) for batch in BATCHES]
    macs = [independent_macs(module, data) for data in inputs]
    params = sum(one.numel() for one in module.parameters())
    for number, parameter in enumerate(module.parameters()):
        parameter.requires_grad_(number % 4 != 0)  # by which torch chooses kernels that round differently
    outputs = [run(module, data) for data in inputs]
    for number, part in enumerate(module.modules()):
        part.training = number % 3 == 0
    before = snapshot(module)
    start = perf_counter()
    reports = [cnnzoo.summary(module, input_data=data) for data in inputs]
    seconds = (perf_counter() - start) / len(BATCHES)
    assert before.differs(snapshot(module)) == []
    gc.collect()
    assert not [one for one in gc.get_objects() if isinstance(one, Tensor) and one.is_meta]
    for report, batch, expected in zip(reports, BATCHES, macs, strict=True):
        assert report.total_params + report.aux_params == params
        assert (report.status, report.unknown) == ("complete", ())
        assert report.total_macs * batch == expected
    module.eval()
    for data, expected in zip(inputs, outputs, strict=True):
        again = run(module, data)
        assert len(again) == len(expected) > 0
        assert all(torch.equal(one, other) for one, other in zip(again, expected, strict=True))
    FOUND.append(Found(params, macs[0], seconds, _torchinfo(module, inputs[0]), _fvcore(module, inputs[0])))


def _torchinfo(module: nn.Module, data: Any) -> tuple[int, int, float] | str:
    start = perf_counter()
    try:
        info = torchinfo.summary(module, input_data=data, verbose=0, mode="eval")
    except Exception as error:
        return type(error).__name__
    return info.total_params, info.total_mult_adds, perf_counter() - start


class _Positional(nn.Module):
    """A model whose inputs come by position, for fvcore, which passes no keywords."""

    def __init__(self, inner: nn.Module, names: list[str]) -> None:
        super().__init__()
        self.inner = inner
        self.names = names

    def forward(self, *inputs: Tensor) -> list[Tensor]:
        return run(self.inner, dict(zip(self.names, inputs, strict=True)) if self.names else inputs)


def _fvcore(module: nn.Module, data: Any) -> int | str:
    names = list(data) if isinstance(data, dict) else []
    inputs = tuple(data.values()) if isinstance(data, dict) else tuple(data)
    try:
        analysis = fvcore.nn.FlopCountAnalysis(_Positional(module, names), inputs).unsupported_ops_warnings(False)
        counts = analysis.uncalled_modules_warnings(False).by_operator()
    except Exception as error:
        return type(error).__name__
    return int(sum(count for name, count in counts.items() if name in PRODUCTS))


def test_what_was_found(say: Callable[[str], None]) -> None:
    """Thirty models and more, and the same of other tools."""
    if len(FOUND) < len(MODELS):
        pytest.skip("not every model was measured, or not every one well")
    say(f"{len(FOUND)} models: parameters and MACs equal, all of them as they were; {_total('seconds'):.1f} s")
    theirs = [(one, one.torchinfo) for one in FOUND if not isinstance(one.torchinfo, str)]
    same = sum(one.params == params for one, (params, _, _) in theirs)
    near = sum(abs(one.macs - macs) * 100 <= one.macs for one, (_, macs, _) in theirs)
    time = sum(seconds for _, (_, _, seconds) in theirs)
    say(f"torchinfo: {len(theirs)} run, parameters of {same} equal, mult-adds of {near} within 1 %; {time:.1f} s")
    products = [(one.macs, one.fvcore) for one in FOUND if not isinstance(one.fvcore, str)]
    equal = sum(macs == count for macs, count in products)
    say(f"fvcore: {len(products)} run, convolutions and products of {equal} equal")


def _total(name: str) -> float:
    return float(sum(getattr(one, name) for one in FOUND))


def test_there_are_thirty_models_of_five_libraries() -> None:
    assert len(MODELS) >= 30
    assert len(LIBRARIES) == 5
    assert all(len(held) >= 6 for held in LIBRARIES.values())


class _Config(dict):  # type: ignore[type-arg]
    """A dictionary with attributes, as configurations are."""


class _Small(nn.Module):
    kept: ClassVar[list[int]] = []

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 2)
        self.config = _Config(one=1, two=[2])
        self.config.three = {3}
        self.order = OrderedDict(one=1, two=2)


CHANGES: dict[str, Callable[[Any], object]] = {
    "a value": lambda net: net.fc.weight.data.zero_(),
    "a value, its version kept": lambda net: net.fc.weight.detach().numpy().fill(7),
    "another tensor of the same values": lambda net: setattr(net.fc, "weight", nn.Parameter(net.fc.weight.detach())),
    "a parameter frozen": lambda net: net.fc.bias.requires_grad_(False),
    "a gradient": lambda net: net.fc(torch.ones(1, 2)).sum().backward(),
    "on meta": lambda net: net.to("meta"),
    "a mode": lambda net: net.fc.eval(),
    "a hook": lambda net: net.fc.register_forward_hook(print),
    "an attribute": lambda net: setattr(net, "new", 1),
    "an item": lambda net: net.config.update(one=2),
    "an item of an item": lambda net: net.config["two"].append(3),
    "an attribute of a dictionary": lambda net: net.config.three.add(4),
    "an order": lambda net: net.order.move_to_end("one"),
    "a class attribute": lambda net: _Small.kept.append(1),
    "random numbers": lambda net: torch.rand(1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_snapshot_sees(change: str) -> None:
    net = _Small()
    before = snapshot(net)
    assert before.differs(snapshot(net)) == []
    CHANGES[change](net)
    assert before.differs(snapshot(net))
