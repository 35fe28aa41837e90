"""What is said where a network, a size or a keyword does not fit: short, and in the words of whoever gave it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import cnnzoo
from cnnzoo.models import resnet18
from cnnzoo.pytorch.measuring.measure import MeasureError
from cnnzoo.pytorch.measuring.training import training_step
from cnnzoo.words import TORCHINFO

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


class Net(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.conv1 = layer

    def forward(self, x: Tensor) -> Any:
        return self.conv1(x)


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight, self.matrix = nn.Parameter(torch.rand(4, 3, 3, 3)), nn.Parameter(torch.rand(5, 4))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(x, self.weight) if x.dim() == 4 else x @ self.matrix


class Long(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError(f"The size is wrong. {'And this is why, at length. ' * 20}\nSecond line")


CASES: dict[str, tuple[Callable[[], nn.Module], Any, str]] = {
    "one channel": (lambda: Net(nn.Conv2d(1, 4, 3)), (3, 28, 28), "conv1 expects 1 channel, got 3"),
    "channels": (lambda: Net(nn.Conv2d(3, 4, 3)), (1, 28, 28), "conv1 expects 3 channels, got 1"),
    "of a batch": (lambda: Net(nn.Conv2d(3, 4, 3)), (2, 1, 28, 28), "conv1 expects 3 channels, got 1"),
    "of a grouped one": (lambda: Net(nn.Conv2d(4, 4, 3, groups=2)), (2, 8, 8), "conv1 expects 4 channels, got 2"),
    "of a signal": (lambda: Net(nn.Conv1d(3, 4, 3)), (1, 28), "conv1 expects 3 channels, got 1"),
    "transposed": (lambda: Net(nn.ConvTranspose2d(3, 4, 3)), (1, 8, 8), "conv1 expects 3 channels, got 1"),
    "last": (lambda: Net(nn.Conv2d(3, 4, 3)), (224, 200, 3), "did you mean 3x224x200?"),
    "last, of a batch": (lambda: Net(nn.Conv2d(3, 4, 3)), (8, 224, 200, 3), "did you mean 3x224x200?"),
    "batch norm": (lambda: nn.Sequential(nn.BatchNorm2d(4)), (3, 8, 8), "0 expects 4 channels, got 3"),
    "group norm": (lambda: nn.Sequential(nn.GroupNorm(2, 4)), (6, 8, 8), "0 expects 4 channels, got 6"),
    "layer norm": (lambda: nn.Sequential(nn.LayerNorm((4, 5))), (3, 4, 4), "0 expects 4x5 features, got 4x4"),
    "linear": (lambda: nn.Sequential(nn.Linear(5, 4)), (7,), "0 expects 5 features, got 7"),
    "not flattened": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(144, 2)),
        (3, 8, 8),
        "1 expects 144 features, got 6 (nn.Flatten before it",
    ),
    "the network itself": (lambda: nn.LSTM(10, 20), (5, 7), "it expects 10 features, got 7"),
    "cell": (lambda: nn.GRUCell(10, 20), (7,), "it expects 10 features, got 7"),
    "attention": (
        lambda: nn.TransformerEncoderLayer(32, 4, 64),
        (5, 16),
        "self_attn expects 32 features, got 16",
    ),
    "tokens": (lambda: nn.Embedding(10, 4), (7,), "dtypes=[torch.long]"),
    "a functional convolution": (Functional, (1, 8, 8), "a convolution expects 3 channels, got 1"),
    "a functional product": (Functional, (7,), "a product expects 5 features, got 7"),
    "a long error": (Long, (3,), "RuntimeError: The size is wrong"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_does_not_fit_is_named(name: str) -> None:
    make, size, said = CASES[name]
    with pytest.raises(MeasureError) as caught:
        cnnzoo.summary(make(), size)
    message = str(caught.value)
    assert said in message
    assert "\n" not in message
    assert len(message) < 250


def test_with_values_it_is_said_alike() -> None:
    """Torch's own words are others there."""
    for name, said in (
        ("a functional convolution", "expects 3 channels, got 1"),
        ("a functional product", "5 features"),
    ):
        make, size, _ = CASES[name]
        module = nn.Sequential(Valued(), make())
        with pytest.raises(MeasureError, match=said):
            cnnzoo.summary(module, size)


class Valued(nn.Module):
    """Asks for a value."""

    def forward(self, x: Tensor) -> Tensor:
        return x if float(x.sum()) > -1e9 else -x


def test_a_batch_of_one_in_training() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    with pytest.raises(MeasureError, match=r"at 1 .*say batch_size=2"):
        cnnzoo.summary(net, (4,), mode="train")
    with pytest.raises(RuntimeError, match="say batch_size=2"):
        training_step(net, (4,))
    assert cnnzoo.summary(net, (4,), mode="train", batch_size=2).total_macs == 16


@pytest.mark.parametrize(
    "given", [torch.rand(1, 3, 8, 8), [torch.rand(1, 3)], {"x": torch.rand(2)}, torch.rand(3).numpy()]
)
def test_a_tensor_goes_with_input_data(given: Any) -> None:
    with pytest.raises(TypeError, match="input_data="):
        cnnzoo.summary(nn.Linear(3, 4), given)


def test_of_a_name_a_tensor_s_size_is_asked_for() -> None:
    with pytest.raises(TypeError, match=r"input_size=tuple\(x.shape\)"):
        cnnzoo.summary("resnet18", torch.rand(1, 3, 64, 64))


@pytest.mark.parametrize("name", TORCHINFO)
def test_keywords_of_torchinfo_are_answered(name: str) -> None:
    models: list[tuple[Any, Any]] = [(nn.Linear(3, 4), (3,))]
    if name != "device":  # of create_model's, where it changes no figure
        models += [("alexnet", None), (resnet18.describe(), (3, 64, 64))]
    for model, size in models:
        with pytest.raises(TypeError) as caught:
            cnnzoo.summary(model, size, **{name: 1})
        assert TORCHINFO[name] in str(caught.value)


def test_what_the_answers_say_can_be_done() -> None:

    report = cnnzoo.summary(nn.Linear(3, 4), (3,))
    assert "MACs" in report.document(depth=2, columns=["macs"]).text("table")
    assert "Kernel" in report.document(columns=["kernel"]).text("table")


def test_a_forward_may_have_such_a_keyword() -> None:
    class Deep(nn.Linear):
        def forward(self, x: Tensor, depth: int = 1) -> Tensor:
            for _ in range(depth):
                x = super().forward(x)
            return x

    assert cnnzoo.summary(Deep(3, 3), (3,), depth=2).total_macs == 18


def test_channels_last_is_said() -> None:
    said = "channels come first: 224x224x3 has 224 of them; did you mean 3x224x224?"
    assert said in cnnzoo.summary("resnet18", (224, 224, 3)).notes
    assert said in cnnzoo.summary(nn.Linear(3, 4), (224, 224, 3)).notes
    assert said in cnnzoo.summary(nn.Linear(3, 4), (2, 224, 224, 3)).notes
    with pytest.raises(ValueError, match="did you mean 3x224x224"):
        cnnzoo.summary("vgg16", (224, 224, 3))
    for size in ((3, 32, 32), (64, 16, 16), (8, 8, 3), (3, 224, 3), (100, 1, 1), (256, 4, 4)):
        assert cnnzoo.summary(nn.ReLU(), size).notes == ()
