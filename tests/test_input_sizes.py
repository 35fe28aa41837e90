"""What an input size means, by the network that is given it; MACs are worked out by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from command import call
from torch import Tensor, nn

import cnnzoo
from cnnzoo.arch import AdaptiveAvgPool2d, Conv2d, Flatten, From, Run, Sequential, ShapeError, Subtract
from cnnzoo.pytorch.measuring.training import training_step
from cnnzoo.pytorch.peers import printed

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


class Generator(nn.Module):
    """A linear layer, and convolutions behind it that are defined before it where `first`."""

    def __init__(self, first: bool = False) -> None:
        super().__init__()
        if first:
            self.conv = nn.Conv2d(11, 4, 1)
        self.fc = nn.Linear(128, 11)
        self.conv = nn.Conv2d(11, 4, 1)

    def forward(self, z: Tensor) -> Tensor:
        return self.conv(self.fc(z).view(-1, 11, 1, 1))


class Two(nn.Module):
    """An image and a vector."""

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Conv2d(3, 4, 3)
        self.vector = nn.Linear(7, 4)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.image(x).mean((2, 3)) + self.vector(y)


class Denoiser(nn.Module):
    """A map, a number for each sample, and a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Linear(1, 4)
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.text = nn.Linear(5, 4)

    def forward(self, x: Tensor, time: Tensor, text: Tensor) -> Tensor:
        batch, _, _ = text.shape
        assert time.shape == (batch,)
        return self.conv(x) + (self.time(time[:, None]) + self.text(text).mean(1))[:, :, None, None]


class Blocks(nn.Module):
    """A transformer's own arithmetic, of linear layers alone."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(8, 24)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, tokens, 3, width).unbind(2)
        return (q @ k.mT).softmax(-1) @ v


class Pair(nn.Module):
    """Attention from one sequence to another."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        made: Tensor = self.attention(x, y, y)[0]
        return made


def sequential(*layers: nn.Module) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(*layers)


GENERATOR = 128 * 11 + 11 * 4
LSTM = 4 * 20 * (10 + 20)  # a step of 10 features and 20 states
ENCODER = 4 * 32 * 32 + 2 * 32 * 64 + 2 * 16 * 32  # a token among 16 of 32 features
TWO = 4 * 36 * 27 + 28
DENOISER = 64 * 4 * 36 + 4 + 7 * 20
BLOCKS = 6 * 8 * 24 + 2 * 6 * 6 * 8

SIZES: dict[str, tuple[Callable[[], nn.Module], Any, int, tuple[int, ...], int]] = {
    # network, size, MACs a sample, sample, batch
    "one length": (Generator, (128,), GENERATOR, (128,), 1),
    "one length in a batch": (Generator, (4, 128), GENERATOR, (128,), 4),
    "a number that is no image": (Generator, 128, GENERATOR, (128,), 1),
    "a convolution is defined first but called later": (lambda: Generator(True), 128, GENERATOR, (128,), 1),
    "a number to a perceptron": (sequential(nn.Linear(128, 10)), 128, 1280, (128,), 1),
    "a number to a perceptron of images": (
        sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 2)),
        8,
        4 * 36 * 27 + 288,
        (3, 8, 8),
        1,
    ),
    "a number to a grey network": (sequential(nn.Conv2d(1, 4, 3)), 8, 4 * 36 * 9, (1, 8, 8), 1),
    "a number, of signals": (sequential(nn.Conv1d(2, 4, 3)), 8, 4 * 6 * 6, (2, 8), 1),
    "a number, of volumes": (sequential(nn.Conv3d(1, 2, 3)), 5, 2 * 27 * 27, (1, 5, 5, 5), 1),
    "a number, norm first": (sequential(nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1)), 5, 25 * 8, (4, 5, 5), 1),
    "a number, functional": (lambda: Functional(), 5, 3 * 3 * 2 * 27, (3, 5, 5), 1),
    "a sequence in a batch": (lambda: nn.LSTM(10, 20, batch_first=True), (1, 5, 10), 5 * LSTM, (5, 10), 1),
    "sequences in a batch": (lambda: nn.LSTM(10, 20, batch_first=True), (3, 5, 10), 5 * LSTM, (5, 10), 3),
    "one sequence": (lambda: nn.LSTM(10, 20, batch_first=True), (5, 10), 5 * LSTM, (5, 10), 1),
    "one sequence, time first": (lambda: nn.LSTM(10, 20), (5, 10), 5 * LSTM, (5, 10), 1),
    "GRU": (lambda: nn.GRU(10, 20), (5, 10), 5 * LSTM // 4 * 3, (5, 10), 1),
    "a linear layer before the recurrent one": (
        sequential(nn.Linear(10, 10), nn.LSTM(10, 20, batch_first=True)),
        (5, 10),
        5 * (LSTM + 100),
        (5, 10),
        1,
    ),
    "encoder layer": (
        lambda: nn.TransformerEncoderLayer(32, 4, 64, batch_first=True),
        (1, 16, 32),
        16 * ENCODER,
        (16, 32),
        1,
    ),
    "encoder layer, a batch": (
        lambda: nn.TransformerEncoderLayer(32, 4, 64, batch_first=True),
        (2, 16, 32),
        16 * ENCODER,
        (16, 32),
        2,
    ),
    "encoder layer, a sample": (
        lambda: nn.TransformerEncoderLayer(32, 4, 64, batch_first=True),
        (16, 32),
        16 * ENCODER,
        (16, 32),
        1,
    ),
    "encoder layer, a sample, time first": (
        lambda: nn.TransformerEncoderLayer(32, 4, 64),
        (16, 32),
        16 * ENCODER,
        (16, 32),
        1,
    ),
    "linear attention, a batch": (Blocks, (1, 6, 8), BLOCKS, (6, 8), 1),
    "linear attention, a sample": (Blocks, (6, 8), BLOCKS, (6, 8), 1),
    "an image flattened": (sequential(nn.Flatten(), nn.Linear(48, 2)), (6, 8), 96, (6, 8), 1),
    "a cell": (lambda: nn.GRUCell(10, 20), (3, 10), 3 * 20 * 30, (10,), 3),
    "a sample each": (Two, [(3, 8, 8), (7,)], TWO, (3, 8, 8), 1),
    "a number among several is a length": (Two, [(3, 8, 8), 7], TWO, (3, 8, 8), 1),
    "a batch each": (Two, [(2, 3, 8, 8), (2, 7)], TWO, (3, 8, 8), 2),
    "a batch of one each": (Two, [(1, 3, 8, 8), (1, 7)], TWO, (3, 8, 8), 1),
    "a batch in one of them": (Two, [(2, 3, 8, 8), (7,)], TWO, (3, 8, 8), 2),
    "two sequences": (lambda: Pair(), [(6, 8), (5, 8)], 2 * 6 * 64 + 2 * 5 * 64 + 2 * 6 * 5 * 8, (6, 8), 1),
    "two sequences in a batch": (lambda: Pair(), [(3, 6, 8), (3, 5, 8)], 768 + 640 + 480, (6, 8), 3),
    "a batch of numbers": (Denoiser, [(1, 4, 8, 8), (1,), (1, 7, 5)], DENOISER, (4, 8, 8), 1),
    "a batch of three numbers": (Denoiser, [(3, 4, 8, 8), (3,), (3, 7, 5)], DENOISER, (4, 8, 8), 3),
}


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(2, 3, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(x, self.weight)


@pytest.mark.parametrize("name", SIZES)
def test_a_size_is_read_as_the_network_takes_it(name: str) -> None:
    make, size, macs, sample, batch = SIZES[name]
    report = cnnzoo.summary(make(), size)
    assert (report.total_macs, report.input_size, report.batch_size) == (macs, sample, batch)
    assert report.status == "complete"


@pytest.mark.wide
@pytest.mark.parametrize("name", SIZES)
def test_other_tools_are_told_the_same_size(name: str) -> None:
    make, size, macs, _, _ = SIZES[name]
    module = make()
    report = cnnzoo.summary(module, size)
    if "LSTM" in str(module) or "GRU" in str(module) or "Attention" in str(module):
        return  # these tools see into none of them
    assert printed(module, size, report)["torchvision"] == macs


@pytest.mark.parametrize(
    ("make", "size"),
    [(lambda: nn.LSTM(10, 20, batch_first=True), (5, 10)), (sequential(nn.Flatten(), nn.Linear(48, 2)), (6, 8))],
)
def test_how_a_size_was_read_is_noted(make: Callable[[], nn.Module], size: Any) -> None:
    note = cnnzoo.summary(make(), size).notes[0]
    assert note.startswith(f"input size {'x'.join(map(str, size))} is read as one sample")
    assert cnnzoo.summary(sequential(nn.Conv2d(3, 4, 3))(), (2, 3, 8, 8)).notes == ()


def test_of_a_layer_with_time_first_the_batch_is_not_guessed() -> None:
    report = cnnzoo.summary(nn.LSTM(10, 20), (7, 5, 10))
    assert (report.input_size, report.batch_size, report.total_macs) == ((5, 10), 7, 5 * LSTM)
    assert "batch_first=False: say batch_dim=1" in report.notes[0]
    report = cnnzoo.summary(nn.LSTM(10, 20), (7, 5, 10), batch_dim=1)
    assert (report.input_size, report.batch_size, report.total_macs) == ((7, 10), 5, 7 * LSTM)
    assert report.rows[0].output_shape == (7, 20)


@pytest.mark.parametrize("batch", [1, 3])
def test_batch_dim_is_any(batch: int) -> None:
    encoder = nn.TransformerEncoderLayer(32, 4, 64)
    for given in ({"input_size": (16, batch, 32)}, {"input_data": torch.rand(16, batch, 32)}):
        report = cnnzoo.summary(encoder, **given, batch_dim=1)
        assert (report.input_size, report.batch_size) == ((16, 32), batch)
        assert report.total_macs == 16 * ENCODER
    report = cnnzoo.summary(encoder, (16, 32), batch_dim=1, batch_size=batch)
    assert (report.total_macs, report.batch_size) == (16 * ENCODER, batch)
    report = cnnzoo.summary(nn.Conv2d(3, 4, 3), (3, 8, 8), batch_dim=None)
    assert (report.input_size, report.total_macs) == ((3, 8, 8), 4 * 36 * 27)


@pytest.mark.parametrize(
    ("batch_dim", "why"), [(-1, "place from 0"), (True, "place from 0"), ("0", "place from 0"), (4, "behind")]
)
def test_a_batch_dim_that_is_none_is_refused(batch_dim: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        cnnzoo.summary(nn.Conv2d(3, 4, 3), (3, 8, 8), batch_dim=batch_dim)
    with pytest.raises(ValueError, match="batch_dim"):
        cnnzoo.summary(nn.Conv2d(3, 4, 3), input_data=torch.rand(1, 3, 8, 8), batch_dim=batch_dim)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"input_size": "3x8x8"}, "positive whole numbers, as (3, 224, 224); got ('3x8x8',)"),
        ({"input_size": (3, 10**9, 10**9)}, "larger than any tensor"),
        ({"input_size": (3, 2**63, 8)}, "larger than any tensor"),
        ({"input_size": 10**30}, "larger than any tensor"),
        ({"batch_size": 2**62}, "larger than any tensor"),
        *(({"batch_size": batch}, f"at least 1, got {batch!r}") for batch in (0, -1, 2.5, "2", True)),
        ({"dtypes": torch.half}, "dtypes=[torch.float16]"),
        ({"dtypes": "half"}, "dtypes=['half']"),
        ({"dtype": torch.int8}, "dtypes=[torch.int8]"),
    ],
)
def test_what_no_tensor_has_is_refused_before_one_is_made(said: dict[str, Any], why: str) -> None:
    given = {"input_size": (3, 8, 8), **said}
    with pytest.raises((ValueError, TypeError), match=re.escape(why)):
        cnnzoo.summary(nn.Conv2d(3, 4, 3), **given)


def test_a_name_takes_torchs_dtypes() -> None:
    assert cnnzoo.summary("lenet5", dtype=torch.half) == cnnzoo.summary("lenet5", dtype="float16")


def test_tensors_without_a_batch_are_one_sample() -> None:
    assert cnnzoo.summary(nn.LSTM(10, 20), input_data=torch.rand(5, 10)).total_macs == 5 * LSTM
    assert cnnzoo.summary(nn.Linear(5, 4), input_data=torch.rand(5)).total_macs == 20
    assert cnnzoo.summary(nn.Linear(5, 4), input_data=torch.rand(3, 5)).total_macs == 20


def test_two_batches_are_refused() -> None:
    with pytest.raises(ValueError, match="different batch sizes: 2 and 3"):
        cnnzoo.summary(Two(), [(2, 3, 8, 8), (3, 7)])


def test_a_training_step_reads_sizes_alike() -> None:
    assert training_step(Blocks(), (6, 8)).forward == BLOCKS
    assert training_step(nn.LSTM(10, 20, batch_first=True), (5, 10)).forward == 5 * LSTM
    assert training_step(Generator(), 128).forward == GENERATOR


NETS = """
from torch import nn

def mlp():
    return nn.Sequential(nn.Linear(128, 10))

class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.image, self.vector = nn.Conv2d(3, 4, 3), nn.Linear(7, 4)

    def forward(self, x, y):
        return self.image(x).mean((2, 3)) + self.vector(y)
"""


@pytest.mark.parametrize(
    ("name", "sizes", "macs"),
    [("mlp", ["128"], 1280), ("mlp", ["4x128"], 1280), ("Two", ["3x8x8", "7"], TWO), ("Two", ["8", "7"], TWO)],
)
def test_a_prompt_says_the_same(tmp_path: Path, name: str, sizes: list[str], macs: int) -> None:
    file = tmp_path / "nets.py"
    file.write_text(NETS)
    options = [part for size in sizes for part in ("--input-size", size)]
    found = json.loads(call("summary", f"{file}:{name}", *options, "--format", "json").succeeded())
    assert (found["totals"]["macs"], found["status"]) == (macs, "complete")


def nested(layout: torch.layout) -> Tensor:
    made: Tensor = torch.nested.nested_tensor([torch.rand(5, 6), torch.rand(3, 6)], layout=layout)
    return made


def test_a_jagged_tensor_is_counted_by_its_values() -> None:
    """Five positions and three."""
    net = nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    for given in (nested(torch.jagged), {"input": nested(torch.jagged)}):
        report = cnnzoo.summary(net, input_data=given)
        assert (report.total_macs, report.status, report.batch_size) == (8 * (24 + 8), "complete", 1)
        assert (report.input_size, report.totals["input_bytes"]) == ((8, 6), 8 * 6 * 4)
        assert report.notes[0] == "counts are of all samples in a nested tensor"
        assert "MACs" in str(report)


def test_of_another_nested_tensor_the_work_is_unknown() -> None:
    report = cnnzoo.summary(nn.Linear(6, 4), input_data=nested(torch.strided))
    assert (report.status, report.totals["macs"]) == ("partial", None)
    assert "depends on the lengths in a nested tensor" in str(report.unknown[0])
    assert "MACs" in str(report)


class TestSeveralInputs:
    """A description that takes several values has as many input sizes."""

    PAIR = Sequential(
        tower=From("input.0", Sequential(conv=Conv2d(4, 3), pool=AdaptiveAvgPool2d(1), flat=Flatten())),
        other=Run("tower", "input.1"),
        end=Subtract("tower", "other"),
    )

    def test_are_calculated_built_and_measured(self):
        sizes = [(3, 9, 9), (3, 12, 10)]
        report = cnnzoo.summary(self.PAIR, sizes, batch_size=2)
        assert (report.input_size, report.more_inputs, report.batch_size) == ((3, 9, 9), ((3, 12, 10),), 2)
        assert report.total_params == 3 * 4 * 9 + 4
        assert report.total_macs == 108 * (7 * 7 + 10 * 8)
        net = cnnzoo.create_model(self.PAIR, input_size=sizes)
        assert net(torch.zeros(2, *sizes[0]), torch.ones(2, *sizes[1])).shape == (2, 4)
        assert cnnzoo.summary(net, [(2, *size) for size in sizes]).total_macs == report.total_macs
        assert cnnzoo.summary(self.PAIR, [(2, *size) for size in sizes]).batch_size == 2

    @pytest.mark.parametrize(
        ("sizes", "said"),
        [
            ((3, 9, 9), r"the network asks for input.0, and is given one value"),
            ([(3, 9, 9)] * 3, r"given 3 inputs, of which it reads input.0, input.1"),
            ([(2, 3, 9, 9), (3, 9, 9)], "all inputs have one batch, got 1 and 2"),
            ([(3, 9, 9), 9], "got .*9, 9"),
            ([(3, 9, 9), (4, 9, 9)], r"at tower.conv: has tensors of .* and would need"),
        ],
    )
    def test_that_do_not_fit_are_refused(self, sizes, said):
        with pytest.raises(ValueError, match=said):
            cnnzoo.summary(self.PAIR, sizes)

    def test_of_a_network_that_takes_one_are_refused(self):
        with pytest.raises(ShapeError, match="takes one value, and is given 2"):
            cnnzoo.summary("lenet5", [(1, 32, 32)] * 2)

    def test_at_a_prompt(self, tmp_path):
        file = tmp_path / "pair.py"
        file.write_text(f"from cnnzoo.arch import *\npair = {self.PAIR!r}\n")
        sizes = ["--input-size", "3x9x9", "--input-size", "3x12x10"]
        result = call("summary", f"{file}:pair", *sizes, "--format", "json")
        found = json.loads(result.succeeded())
        assert (found["input_size"], found["more_inputs"]) == ([3, 9, 9], [[3, 12, 10]])
        assert found["totals"]["params"] == 3 * 4 * 9 + 4
