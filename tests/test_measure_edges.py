"""Measured modules at the edges: forwards that fail, deep nests, long loops, weights read in unusual ways."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases import CASES, measured, of
from torch import Tensor, nn

from cnnzoo.pytorch import peers as peers_of_modules
from cnnzoo.pytorch.measuring.measure import MeasureError, measure
from cnnzoo.pytorch.measuring.tree import MOST, modules, submodules

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


# Parameters are the module's, not the run's.


def failing(place: int, module: nn.Module) -> None:
    """Make the forward of the module at a place among its modules fail."""

    def forward(*args: Any, **kwargs: Any) -> Any:
        raise ValueError("a shape that does not fit")

    modules(module)[place].forward = forward  # type: ignore[method-assign]


@pytest.mark.parametrize("name", [name for name in CASES if "script" not in name and "traced" not in name])
def test_a_forward_that_fails_has_all_parameters(name: str) -> None:
    """Wherever it fails: in each of the modules in turn."""
    case = CASES[name]
    number = len(modules(case.make()))
    for place in range(number):
        module = case.make()
        if any(map(nn.parameter.is_lazy, module.parameters())):
            return
        failing(place, module)
        params = sum(one.numel() for one in module.parameters())
        buffers = sum(one.numel() for key, one in module.state_dict(keep_vars=True).items()) - params
        try:
            report = measured(case, module)
        except MeasureError as error:
            report = error.report
            assert report.status == "partial"
            assert report.total_macs is None
            assert report.totals["activations"] is None
            assert f"{params - report.aux_params:,} (" in str(report) or not params
        assert report.total_params is not None
        assert report.total_params + report.aux_params == params
        if len({*module.state_dict()}) == len([*module.parameters()]) + len([*module.buffers()]):
            assert report.totals["buffers"] + report.totals["aux_buffers"] == buffers


def test_a_failing_leaf_has_its_parameters_and_unknown_macs() -> None:
    net = nn.Sequential(nn.Conv2d(1, 8, 5), nn.Flatten(), nn.Linear(10, 3), nn.Linear(3, 2))
    with pytest.raises(MeasureError) as caught:
        measure(net, (3, 8, 8))
    report = caught.value.report
    assert report.total_params == sum(one.numel() for one in net.parameters())
    assert [(row.path, row.call, row.macs) for row in report.rows] == [("0", 1, None), ("2", 0, None), ("3", 0, None)]
    with pytest.raises(MeasureError) as caught:
        measure(net, (1, 8, 8))
    assert caught.value.report.known["macs"] == 8 * 16 * 25


def test_what_a_forward_puts_in_a_parameters_place_is_not_the_networks() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        y: Tensor = self.a(x)
        self.a = nn.Linear(5, 9)
        self.b.weight = nn.Parameter(torch.ones(7, 7))
        return y

    module = of(forward, a=lambda: nn.Linear(5, 4), b=lambda: nn.Linear(4, 4))()
    assert measure(module, (5,)).total_params == 24 + 20


# Nests.


def nested(levels: int, block: Callable[[nn.Module], nn.Module] = nn.Sequential) -> nn.Module:
    net: nn.Module = nn.Linear(4, 4)
    for _ in range(levels):
        net = block(net)
    return net


class Twice(nn.Module):
    """Holds a module under two names, so that each level doubles the names below."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.a = self.b = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.a(x)  # type: ignore[no-any-return]


class Peer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)  # type: ignore[no-any-return]


def peers() -> nn.Module:
    """Every one holds all, itself as well: the names of paths among them are more than a million."""
    found = [Peer() for _ in range(10)]
    for peer in found:
        peer.peers = nn.ModuleList(found)
    return nn.Sequential(*found)


def around() -> nn.Module:
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    net[0].outer = net
    return net


@pytest.mark.parametrize(
    ("make", "linear"),
    [
        (lambda: nested(60), 1),
        (lambda: nested(150), 1),
        (lambda: nested(60, Twice), 1),
        (peers, 10),
        (around, 1),
    ],
)
def test_a_nest_takes_no_longer_than_its_modules(make: Callable[[], nn.Module], linear: int) -> None:
    net = make()
    start = time.process_time()
    report = measure(net, (4,))
    assert time.process_time() - start < 40  # counted as often as it is met, it would never end
    assert (report.total_params, report.total_macs, report.status) == (20 * linear, 16 * linear, "complete")
    assert str(report)


def test_a_nest_too_deep_to_run_is_known_to_the_last_parameter() -> None:
    with pytest.raises(MeasureError, match="RecursionError") as caught:
        measure(nested(2000), (4,))
    assert caught.value.report.total_params == 20


@pytest.mark.parametrize("name", CASES)
def test_places_are_those_of_torch(name: str) -> None:
    module = CASES[name].make()
    assert submodules(module) == [*module.named_modules(remove_duplicate=False)]
    assert modules(module) == [*module.modules()]


def test_places_without_end_are_cut() -> None:
    net = nested(40, Twice)
    found = submodules(net)
    assert len(found) == 1 + 2 * 40 < MOST
    assert {id(place.module) for place in found} == {id(one) for one in net.modules()}


@pytest.mark.wide(0)
def test_torchinfo_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers_of_modules, "SECONDS", 2)
    net = nested(60)
    told = peers_of_modules.printed(net, (4,), measure(net, (4,)))
    assert "not done after 2 seconds" in str(told["torchinfo"])
    assert told["torchvision"] == 16


# Loops.


@pytest.mark.wide(1)
@pytest.mark.parametrize(
    ("make", "given", "macs"),
    [
        (lambda: nn.LSTM(10, 20, batch_first=True), torch.rand(1, 2000, 10), 2000 * 80 * 30),
        (lambda: nn.Sequential(*[nn.Linear(4, 4) for _ in range(4000)]), torch.rand(1, 4), 4000 * 16),
    ],
)
def test_long_networks_take_linear_time(make: Callable[[], nn.Module], given: Tensor, macs: int) -> None:
    net = make()
    start = time.process_time()
    report = measure(net, input_data=given)
    assert time.process_time() - start < 20  # one or two where nothing else runs
    assert report.total_macs == macs


def test_an_operator_on_meta_is_worked_out_once_and_priced_each_time() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        for size in (1, 2, 2, 3, 3, 3):
            x = (x.new_ones(size, 5) @ self.w).sum(0, keepdim=True).sigmoid_().add_(1).expand(1, 5)
        return x.chunk(5, 1)[0]

    report = measure(of(forward, w=lambda: nn.Parameter(torch.rand(5, 5)))(), (5,))
    assert report.total_macs == 14 * 25


class Recurrent(nn.Module):
    """A cell of its own, one of torch's and a block, called in loops."""

    def __init__(self) -> None:
        super().__init__()
        self.wx, self.wh, self.act = nn.Linear(5, 4), nn.Linear(4, 4), nn.Tanh()
        self.cell = nn.LSTMCell(4, 4)
        self.block = nn.Sequential(nn.Linear(4, 4), self.act)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(x.shape[0], 4, device=x.device)
        for step in range(x.shape[1]):
            h = self.act(self.wx(x[:, step]) + self.wh(h))
        state = (h, h)
        for _ in range(50):
            state = self.cell(h, state)
        for _ in range(3):
            h = self.block(h + state[0])
        return self.act(self.wh(h))


def test_repeated_calls_fold_to_one_row() -> None:
    report = measure(Recurrent(), input_data=torch.rand(2, 50, 5))
    lines = report.lines()
    assert [(line.name, line.times, line.row.macs, line.row.params) for line in lines] == [
        ("wx", 50, 1000, 24),
        ("wh", 50, 800, 20),
        ("(add)", 50, 0, 0),
        ("act", 50, 0, 0),
        ("cell", 50, 6400, 160),
        ("(add)", 1, 0, 0),
        ("block", 1, 48, 20),
        ("0", 3, 48, 20),
        ("1", 3, 0, 0),
        ("(add)", 1, 0, 0),
        ("(add)", 1, 0, 0),
        ("wh", 1, 16, 0),
        ("act", 1, 0, 0),
    ]
    assert sum(line.row.macs for line in lines if line.level == 1) == report.total_macs
    assert len(report.lines(fold=False)) == len(report.rows) + 1
    assert "cell ×50" in str(report)
    assert "(call 51)" in str(report)  # wh once more
    assert "Tanh (call" not in str(report)


def test_layers_that_are_not_called_again_do_not_fold() -> None:
    net = nn.Sequential(*[nn.Linear(4, 4) for _ in range(6)])
    assert len(measure(net, (4,)).lines()) == 6
    relu = nn.ReLU()
    net = nn.Sequential(nn.Linear(4, 4), relu, nn.Linear(4, 4), relu)
    assert [line.times for line in measure(net, (4,)).lines()] == [1, 1, 1, 1]


# What is said.


def test_weights_read_in_a_list_are_read() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        weight = torch.cat([self.q.weight, self.k.weight])
        return nn.functional.linear(self.first(x), weight=weight, bias=self.v.bias.repeat(2))

    held = {name: lambda: nn.Linear(4, 4) for name in ("q", "k", "v", "first")}
    report = measure(of(forward, **held)(), (4,))
    assert report.notes == ()
    assert report.total_params == 80
    assert report.status == "complete"


def test_modules_in_a_list_are_said_to_be_in_a_list() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        return self.named["a"][0](self.listed[1](x)) + nn.Linear(4, 4)(x)  # type: ignore[no-any-return]

    module = of(forward)()
    module.listed = [nn.ReLU(), nn.Linear(4, 4)]
    module.named = {"a": (nn.Linear(4, 4),)}
    said = [str(one) for one in measure(nn.Sequential(module), (4,)).unknown]
    assert len(said) == 3
    assert "Linear at 0: it is kept in the list listed, where torch does not register it: use nn.ModuleList" in said[0]
    assert "it is kept in the dict named" in said[1]
    assert "it is made in the forward" in said[2]


def test_what_holds_nothing_is_not_missed() -> None:
    module = of(lambda m, x: m.a(x), a=lambda: nn.Linear(4, 4), drop=nn.Dropout, idle=lambda: nn.Linear(4, 4))()
    assert measure(module, (4,)).notes == ("never called: idle",)


# What a forward makes itself is not the data.

MADE: dict[str, Callable[[Tensor], Any]] = {
    "ones": lambda x: torch.ones(x.shape, dtype=torch.bool).all(),
    "ones like": lambda x: (torch.ones_like(x) * 2).max() > 1,
    "arange": lambda x: torch.arange(x.shape[0]).sum() >= 0,
    "in place": lambda x: x.new_zeros(3).add_(1).min() > 0,
    "from a number": lambda x: torch.tensor([x.shape[0], 2]).max() > 1,
    "nonzero": lambda x: torch.ones(3).nonzero().shape[0] == 3,
    "a mask": lambda x: x[torch.ones(x.shape[0], dtype=torch.bool)].shape[0] > 0,
}

DATA: dict[str, Callable[[Any, Tensor], Any]] = {
    "the input": lambda m, x: x.sum() > -1e9,
    "a weight": lambda m, x: m.a.weight.sum() > -1e9,
    "chance": lambda m, x: torch.rand(3).sum() >= 0,
    "filled by chance": lambda m, x: torch.zeros(3).uniform_().sum() >= 0,
    "written into": lambda m, x: torch.zeros(3).copy_(x[0, :3]).sum() > -1e9,
    "written into a part": lambda m, x: part(torch.zeros(3), x).sum() > -1e9,
    "nonzero": lambda m, x: x.nonzero().shape[0] >= 0,
    "both": lambda m, x: (torch.ones(3).all(), x.sum() > -1e9)[1],
}


def part(made: Tensor, x: Tensor) -> Tensor:
    made[0] = x[0, 0]
    return made


def asking(ask: Callable[[Any, Tensor], Any]) -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        return self.a(x) if ask(self, x) else x

    return of(forward, a=lambda: nn.Linear(5, 4))()


@pytest.mark.parametrize("name", MADE)
def test_what_a_forward_makes_itself_is_no_data(name: str) -> None:
    report = measure(asking(lambda m, x: MADE[name](x)), (2, 5))
    assert (report.total_macs, report.unknown) == (20, ())


@pytest.mark.parametrize("name", DATA)
def test_what_comes_of_data_is_data(name: str) -> None:
    report = measure(asking(lambda m, x: bool(torch.ones_like(x).all()) and DATA[name](m, x)), (2, 5))
    assert report.status == "partial"
    assert "depends on" in str(report.unknown[0])
