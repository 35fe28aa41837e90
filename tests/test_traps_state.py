"""A module that was described is as it was, whatever failed meanwhile; no activation is held; forms and precisions."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import torch
from cases import CASES, state
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules import module as hooks
from torch.overrides import _get_current_function_mode_stack
from traced import CONV, SIZE, conv, is_it, outputs
from trapped import block, told

from cnnzoo.arch import BatchNorm2d, Conv2d, Dropout, Foreign, Node, ReLU, Sequential
from cnnzoo.calculate import calculate
from cnnzoo.errors import CnnzooError
from cnnzoo.pytorch.tracing import TracingError, describe


def around() -> tuple[Any, ...]:
    """What torch keeps for all modules, and the states of random generators."""
    held = (hooks._global_forward_hooks, hooks._global_forward_pre_hooks)
    modes = (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype())
    return (*map(dict, held), *modes, _get_current_function_mode_stack(), torch.get_rng_state().tolist())


SIZED = [name for name, case in CASES.items() if not isinstance(case.given, Tensor | dict) and not case.kwargs]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SIZED)
def test_every_kind_of_module_is_as_it_was_and_told_with_its_parameters_and_macs(name: str) -> None:
    case = CASES[name]
    net = case.make()
    before, outside = state(net), around()
    description = None
    with suppress(TracingError):
        description = describe(net, case.given)
    assert state(net) == before
    assert around() == outside
    if description is not None:
        totals = calculate(description, case.given).totals
        assert (totals["params"], totals["macs"]) == (case.params, case.macs)


def trained() -> nn.Module:
    """In part in train mode and in part not, in part frozen, with hooks and gradients."""
    net = nn.Sequential(conv(), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(), conv())
    net(torch.rand(2, *SIZE)).sum().backward()
    net.train()
    net[1].eval()
    net[4].bias.requires_grad_(False)
    net[0].register_forward_hook(lambda m, args, y: None)
    net[4].register_full_backward_hook(lambda m, *grads: None)
    return net


def stopped(error: BaseException) -> Callable[..., Any]:
    def hook(module: nn.Module, args: Any) -> None:
        raise error

    return hook


FAILURES: dict[str, tuple[Callable[..., Any], type[BaseException]]] = {
    "an error": (stopped(ValueError("no")), TracingError),
    "an interrupt": (stopped(KeyboardInterrupt()), KeyboardInterrupt),
    "the end": (stopped(SystemExit(3)), SystemExit),
    "an error of its own": (stopped(CnnzooError("mine")), CnnzooError),
}


def test_a_module_that_was_described_is_as_it_was() -> None:
    net = trained()
    before, outside = state(net), around()
    assert describe(net, SIZE) == Sequential(CONV, BatchNorm2d(), ReLU(), Dropout(), CONV)
    assert state(net) == before
    assert around() == outside


@pytest.mark.parametrize("name", FAILURES)
def test_a_module_of_which_half_was_described_is_as_it_was(name: str) -> None:
    hook, error = FAILURES[name]
    net = trained()
    net[3].register_forward_pre_hook(hook)
    before, outside = state(net), around()
    with pytest.raises(error):
        describe(net, SIZE)
    assert state(net) == before
    assert around() == outside


def test_threads_describe_one_module_while_it_runs() -> None:
    net = nn.Sequential(*(nn.Sequential(conv(), nn.BatchNorm2d(4), nn.ReLU()) for _ in range(4))).eval()
    wanted, (y,) = describe(net, SIZE), outputs(net, SIZE)
    found: list[Node] = []
    same: list[bool] = []
    before = state(net)
    threads = [threading.Thread(target=lambda: found.append(describe(net, SIZE))) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) or not same:
        same.append(torch.equal(outputs(net, SIZE)[0], y))
    assert found == [wanted] * 3
    assert all(same)
    assert state(net) == before


HELD = """
import resource, torch
from torch import nn
from cnnzoo.pytorch.tracing import describe
net = nn.Sequential(*[nn.Conv2d(64, 64, 3, padding=1) for _ in range(16)])
describe(net, (64, 8, 8))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
describe(net, (64, 1024, 1024))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_no_activation_is_held() -> None:
    """One of them has 512 MiB."""
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 64


class Reads(nn.Module):
    """Cannot be made on meta: its constructor reads values."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(nn.Conv2d(int(width) - 1, int(width), 1) for width in torch.linspace(5, 6, 2)))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def test_what_cannot_be_made_on_meta_is_described() -> None:
    with pytest.raises(RuntimeError), torch.device("meta"):
        Reads()
    assert told(Reads(), SIZE) == Sequential(layers=Sequential(Conv2d(5, 1), Conv2d(6, 1)))


def look(module: nn.Module, args: Any, y: Tensor) -> None:
    assert (y.shape[1:], y.size(1), y.dtype, y.device.type) == (SIZE, 4, torch.float32, "meta") or len(y) == 3
    assert (y.dim(), y.ndim, y.grad, y.is_floating_point(), y.stride()[-1]) == (4, 4, None, True, 1)


def test_a_hook_that_looks_changes_nothing() -> None:
    net = nn.Sequential(conv(), nn.ReLU())
    for one in net.modules():
        one.register_forward_hook(look)
    assert describe(net, SIZE) == Sequential(CONV, ReLU())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_the_precision_of_a_module_is_none_of_its_description(dtype: torch.dtype) -> None:
    net = nn.Sequential(conv(), nn.BatchNorm2d(4), nn.ReLU()).to(dtype)
    assert describe(net, SIZE) == Sequential(CONV, BatchNorm2d(), ReLU())
    assert next(net.parameters()).dtype == dtype


def in_bfloat16(m: Any, x: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return F.relu(m.c(x)).float()


def test_casts_among_floating_numbers_are_handed_on() -> None:
    """bfloat16 has eight bits."""
    net = block(in_bfloat16)()
    description = describe(net, SIZE)
    assert description == Sequential(c=CONV, relu=ReLU())
    is_it(net, description, SIZE, within=2**-6)


def test_weights_that_two_layers_have_are_those_of_the_first() -> None:
    """No word says that a layer has the weights of another: they would be counted twice."""
    net = nn.Sequential(conv(), nn.ReLU(), conv())
    net[2].weight = net[0].weight
    again = Foreign("Conv2d", SIZE, SIZE, parameters={"bias": (4,)}, measured_macs=64 * 4 * 4 * 9)
    assert describe(net, SIZE) == Sequential(CONV, ReLU(), again)
