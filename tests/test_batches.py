"""Counts a sample are the same at any batch, whatever is done on weights alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize, spectral_norm

import cnnzoo
from cnnzoo.pytorch.measuring.training import training_step

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")


class LowRank(nn.Module):
    """Added to a weight: the product of two thin matrices."""

    def __init__(self, rows: int, columns: int, rank: int) -> None:
        super().__init__()
        self.up, self.down = nn.Parameter(torch.rand(rows, rank)), nn.Parameter(torch.rand(rank, columns))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + (self.up @ self.down).view_as(weight)


def adapted(layer: nn.Module, rank: int = 2) -> nn.Module:
    rows = layer.weight.shape[0]
    parametrize.register_parametrization(layer, "weight", LowRank(rows, layer.weight.numel() // rows, rank))
    return layer


class Merged(nn.Linear):
    """LoRA that is merged in each forward."""

    def __init__(self) -> None:
        super().__init__(6, 5)
        self.a, self.b = nn.Parameter(torch.rand(3, 6)), nn.Parameter(torch.rand(5, 3))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight + self.b @ self.a, self.bias)


class Queries(nn.Module):
    """Parameters spread over the batch: what is done with them is done for each sample."""

    def __init__(self) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.rand(4, 6))
        self.project, self.keys = nn.Linear(6, 5), nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.queries.expand(len(x), -1, -1)) @ self.keys(x).mT


class Bias(nn.Module):
    """A table of positions through a small network, as in Swin v2: once for all samples."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("table", torch.rand(7, 2))
        self.table_mlp, self.layer = nn.Linear(2, 6), nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + self.table_mlp(self.table).mean(0)


class Start(nn.Module):
    """A recurrent cell whose first state is zeros for every sample."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        state = torch.zeros(len(x), 5, device=x.device)
        for step in x.unbind(1):
            state = self.cell(step, state)
        return state


class Positions(nn.Module):
    """Numbers made in the forward, once."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(1, 6)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.embed(torch.arange(7.0, device=x.device)[:, None])


class Power(nn.Module):
    """A product of weights alone, whose MACs every batch divides."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(8, 8))

    def forward(self, x: Tensor) -> Tensor:
        return x @ (self.weight @ self.weight)


CASES: dict[str, tuple[Callable[[], nn.Module], Any, int, int]] = {
    # network, sample, MACs a sample, and those of them that are done once
    "low rank, linear": (lambda: adapted(nn.Linear(6, 5)), (6,), 30 + 5 * 2 * 6, 60),
    "low rank, convolution": (lambda: adapted(nn.Conv2d(3, 4, 3)), (3, 8, 8), 36 * 108 + 4 * 2 * 27, 216),
    "low rank, inside": (lambda: nn.Sequential(nn.ReLU(), adapted(nn.Linear(6, 5))), (6,), 90, 60),
    "merged": (Merged, (6,), 30 + 5 * 3 * 6, 90),
    "spectral norm": (lambda: parametrizations.spectral_norm(nn.Linear(6, 5)), (6,), 30 + 30 + 5, 35),
    "spectral norm of a convolution": (
        lambda: parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)),
        (3, 8, 8),
        36 * 108 + 108 + 4,
        112,
    ),
    "spectral norm, by hooks": (lambda: spectral_norm(nn.Linear(6, 5)), (6,), 30 + 30 + 5, 35),
    "weight norm": (lambda: parametrizations.weight_norm(nn.Linear(6, 5)), (6,), 30, 0),
    "queries": (Queries, (7, 6), 4 * 30 + 7 * 30 + 4 * 7 * 5, 0),
    "a table": (Bias, (6,), 36 + 7 * 12, 84),
    "a first state": (Start, (7, 6), 7 * 15 * 11, 0),
    "LSTM": (lambda: nn.LSTM(6, 5, batch_first=True), (7, 6), 7 * 20 * 11, 0),
    "positions": (Positions, (7, 6), 42, 42),
    "a power": (Power, (8,), 64 + 512, 512),
}


@pytest.mark.parametrize("name", CASES)
def test_a_sample_costs_the_same_in_any_batch(name: str) -> None:
    make, sample, macs, once = CASES[name]
    for batch in (1, 2, 3, 8):
        report = cnnzoo.summary(make(), sample, batch_size=batch)
        assert (report.total_macs, report.status, report.batch_size) == (macs, "complete", batch)
        said = [note for note in report.notes if "once for the whole batch" in note]
        assert len(said) == (once > 0 and batch > 1)
        assert all(note.startswith(f"{once:,} MACs") for note in said)


@pytest.mark.parametrize("name", CASES)
def test_a_training_step_costs_the_same_in_any_batch(name: str) -> None:
    make, sample, _, _ = CASES[name]
    steps = [training_step(make(), sample, batch_size=batch) for batch in (1, 3, 4)]
    assert steps[0] == steps[1] == steps[2]
    assert steps[0].unknown == ()


def test_the_rows_are_as_the_weights_are() -> None:
    """A batch that is as long as a weight has rows takes nothing of its shape."""
    report = cnnzoo.summary(CASES["low rank, inside"][0](), (6,), batch_size=5)
    (adapter,) = (row for row in report.rows if row.kind == "LowRank")
    assert (adapter.input_shape, adapter.output_shape, adapter.macs) == ((5, 6), (5, 6), 60)
    steps = nn.Sequential(nn.Identity(), Power())
    steps.forward = lambda x: steps[0](x) @ (steps[1].weight @ steps[1].weight)  # type: ignore[method-assign]
    first, second = (row for row in cnnzoo.summary(steps, (8,), batch_size=8).rows if row.macs)
    assert (first.input_shape, first.output_shape, first.macs) == ((8, 8), (8, 8), 512)
    assert (second.output_shape, second.macs) == ((8,), 64)


def test_what_cannot_be_told_is_unknown() -> None:
    class Moody(Power):
        """With another batch it does something else."""

        def forward(self, x: Tensor) -> Tensor:
            weight = self.weight @ self.weight if len(x) == 3 else self.weight
            return x @ weight

    report = cnnzoo.summary(Moody(), (8,), batch_size=3)
    assert report.status == "partial"
    assert "with another batch the network does other work" in str(report.unknown[0])


def test_what_is_no_whole_number_names_its_operator() -> None:
    class Pairs(nn.Module):
        """One sample less than there are."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 5)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x[1:]).relu() @ torch.ones(5, 3, device=x.device)

    report = cnnzoo.summary(Pairs(), (6,), batch_size=4)
    assert [(one.path, one.what) for one in report.unknown] == [("layer", "linear"), ("", "matmul")]


def test_real_tensors_are_told_apart_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    from cnnzoo.pytorch.measuring import measure as module

    def refuse(dtype: Any) -> Callable[[Tensor], Tensor]:
        def twin(tensor: Tensor) -> Tensor:
            raise module.NoTwinError("no meta today")

        return twin

    monkeypatch.setattr(module, "on_meta", refuse)
    assert cnnzoo.summary(Merged(), (6,), batch_size=5).total_macs == 120
