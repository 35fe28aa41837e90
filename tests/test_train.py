"""`cnnzoo train` and `evaluate`: the numbers of a plain loop of torch, a run that goes on, and what is refused."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import re
import runpy
import signal
import subprocess
import sys
from hashlib import sha256
from io import BytesIO, StringIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest
import torch
from command import call, command, environment, interruptible
from PIL import Image
from torch.nn import functional as F

import cnnzoo
from cnnzoo.arch import BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential
from cnnzoo.cli.train import bar
from cnnzoo.errors import CnnzooError, InvalidTypeError, InvalidValueError
from cnnzoo.features.evaluate import Evaluation
from cnnzoo.features.train.data import CLOTHES, Data, DataError, Pictures, read_data
from cnnzoo.features.train.settings import read_history
from cnnzoo.pytorch.train import NoLossError, Told
from cnnzoo.pytorch.train.batches import moved
from cnnzoo.pytorch.train.files import alone, replace
from cnnzoo.weights.headers import CheckpointError

NET = Sequential(
    conv=Conv2d(4, 3, padding=1), bn=BatchNorm2d(), relu=ReLU(), pool=MaxPool2d(4), flat=Flatten(), fc=Linear(10)
)
"""Small, for the digits of 8x8."""
FEW: dict[str, Any] = {"pictures": 300, "batch_size": 32, "epochs": 3}


def losses(trained: Any) -> list[tuple[float, ...]]:
    """The numbers of each epoch, but for the seconds."""
    return [one[:-1] for one in trained.history]


def test_it_is_a_plain_loop_of_torch() -> None:
    """The same first weights, and the same pictures in the same order, give the same weights to the bit."""
    seen: list[torch.Tensor] = []
    module = cnnzoo.create_model(NET, input_size=(1, 8, 8), init="torch")
    again = cnnzoo.create_model(NET, input_size=(1, 8, 8), init=None)
    again.load_state_dict(module.state_dict())
    hook = module.register_forward_pre_hook(lambda net, given: seen.append(given[0].clone()) if net.training else None)
    trained = cnnzoo.train(module, "digits", pictures=300, batch_size=32, epochs=1, optimizer="sgd", weight_decay=1e-3)
    hook.remove()
    assert [tuple(x.shape) for x in seen] == [(32, 1, 8, 8)] * (270 // 32)
    digits = read_data("digits").train
    known = {one.tobytes(): label for one, label in zip(digits.images, digits.labels, strict=True)}
    optimizer = torch.optim.SGD(again.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    for x in seen:
        classes = torch.tensor([known[one.tobytes()] for one in ((x + 1) * 127.5).round().byte().numpy()])
        optimizer.zero_grad()
        F.cross_entropy(again(x), classes).backward()
        optimizer.step()
    for name, value in again.state_dict().items():
        assert torch.equal(value, trained.module.state_dict()[name]), name


def test_the_validation_is_never_trained_on_and_the_rest_is_met_once_an_epoch() -> None:
    data = read_data("digits")
    images = np.arange(256, dtype=np.uint8).reshape(256, 1, 1, 1)
    seen: list[list[int]] = [[], []]

    class Spy(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen[self.training] += ((x.flatten() + 1) * 127.5).round().int().tolist()
            return super().forward(x.flatten(1))

    cnnzoo.train(
        Spy(1, 10), Data("all", data.classes, Pictures(images, np.zeros(256, np.int64))), epochs=2, batch_size=23
    )
    held, trained = set(seen[0][2:]), seen[1]  # behind the two with which its outputs are looked at
    assert len(held) == 26
    assert not held & set(trained)
    assert sorted(trained) == sorted([*({*range(256)} - held)] * 2)
    assert trained[:230] != trained[230:]


def test_moves_shift_and_turn() -> None:
    x = torch.arange(2 * 3 * 4 * 5, dtype=torch.uint8).view(2, 3, 4, 5)
    y = moved(x, torch.tensor([[1, 1, 1], [0, 2, 0]]), 1)
    assert torch.equal(y[0], x[0].flip(-1))
    assert torch.equal(y[1, :, 1:, :-1], x[1, :, :-1, 1:])
    assert not y[1, :, 0].any()
    assert not y[1, :, :, -1].any()


def test_the_best_weights_are_kept_and_come_back(tmp_path: Path) -> None:
    trained = cnnzoo.train(
        NET, "digits", folder=tmp_path, learning_rate=0.03, patience=2, seed=3, **{**FEW, "epochs": 30}
    )
    accuracies = [one.val_accuracy for one in trained.history]
    assert trained.best.epoch == accuracies.index(max(accuracies)) + 1 == len(accuracies) - 2 < 28
    header, history = read_history(tmp_path / "history.jsonl")
    assert tuple(history) == trained.history
    assert (header["seed"], header["model"]) == (3, "Sequential")
    for found in (
        cnnzoo.evaluate(trained.module, "digits", pictures=300),
        cnnzoo.evaluate(NET, "digits", tmp_path / "best.safetensors"),  # which say how many pictures there were
    ):
        assert (found.count, found.accuracy) == (30, max(accuracies))
        assert found.loss == pytest.approx(trained.best.val_loss)
    whole = cnnzoo.train(
        NET, "digits", folder=tmp_path, learning_rate=0.03, patience=2, seed=3, **{**FEW, "epochs": 30}
    )
    assert losses(whole) == losses(trained)
    svg = trained.curves("svg")
    assert b"validation" in svg


def test_an_interrupted_run_comes_to_the_same_numbers(tmp_path: Path) -> None:
    """With momentum, dropout, moves and a schedule."""
    net = Sequential(conv=Conv2d(4, 3), relu=ReLU(), drop=Dropout(0.3), flat=Flatten(), fc=Linear(10))
    given = {**FEW, "optimizer": "sgd", "schedule": "cosine", "flip": True, "shift": 1}
    whole = cnnzoo.train(net, "digits", **given)
    met = 0

    def interrupt(module: Any, _: Any) -> None:
        nonlocal met
        met += module.training
        if met > 12:  # in the second epoch of eight steps
            raise KeyboardInterrupt

    module = cnnzoo.create_model(net, input_size=(1, 8, 8))
    with pytest.raises(KeyboardInterrupt):
        cnnzoo.train(
            lambda: hooked(cnnzoo.create_model(net, input_size=(1, 8, 8)), interrupt),
            "digits",
            folder=tmp_path,
            name="net",
            **given,
        )
    assert len(read_history(tmp_path / "history.jsonl")[1]) == 1
    resumed = cnnzoo.train(module, "digits", folder=tmp_path, name="net", **given)
    assert losses(resumed) == losses(whole)
    for name, value in whole.module.state_dict().items():
        assert torch.equal(value, resumed.module.state_dict()[name])


def hooked(module: Any, hook: Any) -> Any:
    module.register_forward_pre_hook(hook)
    return module


@pytest.mark.wide(0)
def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    line = (
        "train",
        "fashion_cnn",
        "--data",
        "digits",
        "--input-size",
        "28",
        "--pictures",
        "400",
        "--epochs",
        "4",
        "--folder",
    )
    whole = call(*line, str(tmp_path / "whole"))
    assert whole.code == 0
    process = subprocess.Popen(command(*line, str(tmp_path / "killed")), env=environment(), stdout=-3, stderr=-3)
    history = tmp_path / "killed" / "history.jsonl"
    start = monotonic()
    while not history.exists() or len(history.read_text().splitlines()) < 3:
        assert process.poll() is None
        assert monotonic() - start < 120
        sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = history.read_text()
    assert call(*line, str(tmp_path / "killed")).code == 0
    assert history.read_text().startswith(kept)
    runs = [read_history(tmp_path / name / "history.jsonl")[1] for name in ("whole", "killed")]
    assert [one[:-1] for one in runs[0]] == [one[:-1] for one in runs[1]]
    best = [sha256((tmp_path / name / "best.safetensors").read_bytes()).hexdigest() for name in ("whole", "killed")]
    assert best[0] == best[1]


@pytest.mark.wide(0)
def test_two_processes_are_one(tmp_path: Path) -> None:
    """Under torchrun, with gloo: half of each batch for each, gradients averaged, sums added."""
    (tmp_path / "net.py").write_text(
        "from torch import nn, zeros\n"
        "class Net(nn.Sequential):\n"
        "    def __init__(self):\n"
        "        super().__init__(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 10))\n"
        "        self.register_buffer('seen', zeros(()))\n"
        "    def forward(self, x):\n"
        "        self.seen += self.training * x.mean()  # as a batch norm has means: each process has its own\n"
        "        return super().forward(x) * (1 + 1e-3 * self.seen)\n"
        "def net(): return Net()\n"
    )
    line = (
        "train",
        "net.py:net",
        "--data",
        "digits",
        "--pictures",
        "400",
        "--epochs",
        "2",
        "--shift",
        "1",
        "--batch-size",
        "40",
    )
    run = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "cnnzoo")
    done = subprocess.run(
        [sys.executable, *run, *line, "--folder", "two", "--format", "json"],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    two = json.loads(done.stdout)["epochs"]  # printed once
    os.chdir(tmp_path)
    one = json.loads(call(*line, "--folder", "one", "--format", "json").out)["epochs"]
    assert len(two) == len(one) == 2
    for ours, theirs in zip(one, two, strict=True):
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-4), name
    found = cnnzoo.evaluate(runpy.run_path("net.py")["net"](), weights="two")
    best = max(two, key=lambda epoch: epoch["val_accuracy"])
    assert found.loss == pytest.approx(best["val_loss"], rel=1e-6)


@pytest.mark.parametrize("target", ["googlenet_tv", "lenet5", "mobilenet_v2+scale_width=0.25"])
def test_any_network_is_fitted_to_the_data(target: str, wide: bool) -> None:
    """Auxiliary heads, distances instead of scores, rewrites."""
    if target == "googlenet_tv" and not wide:
        pytest.skip("larger")
    given = {"input_size": 32, "pictures": 40, "epochs": 1, "batch_size": 16}
    trained = cnnzoo.train(target, "digits", **given)
    assert trained.history[0].loss < 100
    assert str(trained).splitlines()[0].split()[0] == "Epoch"


def test_distances_are_least_for_the_class() -> None:
    trained = cnnzoo.train(
        "lenet5", "digits", input_size=32, epochs=3, pictures=600, learning_rate=3e-3, arguments={"init": "paper"}
    )
    assert trained.history[-1].accuracy > 0.5


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files as MNIST's, of which some are packed."""
    place = tmp_path / "FashionMNIST" / "raw"
    place.mkdir(parents=True)
    draw = np.random.default_rng(0)
    for part, count in (("train", 60), ("t10k", 20)):
        images = draw.integers(0, 256, (count, 8, 8), np.uint8)
        (place / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (place / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(count, dtype=np.uint8) % 10))
    return tmp_path


def test_files_as_mnists(folder: Path) -> None:
    data = read_data(folder)
    assert data.classes == CLOTHES
    assert data.test is not None
    assert (data.shape, len(data.train), len(data.test)) == ((1, 8, 8), 60, 20)
    assert data.train.labels.tolist() == [*range(10)] * 6
    trained = cnnzoo.train(NET, data, epochs=1)
    assert cnnzoo.evaluate(trained.module, data).count == 20
    found = json.loads(call("train", "mnist_cnn", "--data", str(folder), "--epochs", "1", "--format", "json").out)
    assert found["classes"] == list(CLOTHES)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("train-images-idx3-ubyte.gz", b"nothing", "damaged gzip"),
        ("train-images-idx3-ubyte.gz", gzip.compress(b"\0\0\x08\x01" + bytes(12)), "begins with 00 00 08 01"),
        ("train-images-idx3-ubyte.gz", gzip.compress(b"\0\0\x08\x03" + b"\xff" * 12), "says that it is"),
        ("train-images-idx3-ubyte.gz", gzip.compress(idx(np.zeros((60, 8, 8), np.uint8))[:-1]), "and has 3,839"),
        ("train-images-idx3-ubyte.gz", gzip.compress(idx(np.zeros((60, 8, 8), np.uint8)) + b"x"), "and has more"),
        ("train-images-idx3-ubyte.gz", gzip.compress(idx(np.zeros((60, 8, 8), np.uint8)))[:40], "damaged gzip"),
        ("train-labels-idx1-ubyte", idx(np.zeros(61, np.uint8)), "60 pictures, train-labels-idx1-ubyte 61 labels"),
        ("train-labels-idx1-ubyte", idx(np.zeros(60, np.uint8))[:-1], "68 bytes in all, and has 67"),
        ("train-labels-idx1-ubyte", idx(np.full(60, 10, np.uint8)), "a label is 10, and there are 10 classes"),
        ("train-labels-idx1-ubyte", None, "has no train-labels-idx1-ubyte"),
    ],
    ids=[*map(str, range(10))],
)
def test_damaged_files_are_one_line(folder: Path, name: str, content: bytes | None, said: str) -> None:
    file = folder / "FashionMNIST" / "raw" / name
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(DataError) as error:
        read_data(folder)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder for each of two classes, in train and test."""
    draw = np.random.default_rng(0)
    for part, count in (("train", 8), ("test", 2)):
        for name in ("cat", "dog"):
            (tmp_path / part / name).mkdir(parents=True)
            for number in range(count):
                image = draw.integers(0, 256, (12, 12, 3), np.uint8)
                Image.fromarray(image).save(tmp_path / part / name / f"{number}.png")
    return tmp_path


def test_folders_of_pictures(pictures: Path) -> None:
    Image.fromarray(np.full((12, 12), 7, np.uint8)).save(pictures / "train" / "dog" / "grey.png")
    data = read_data(pictures)
    assert data.test is not None
    assert (data.classes, data.shape, len(data.train), len(data.test)) == (("cat", "dog"), (3, 12, 12), 17, 4)
    assert (data.train.images[-1] == 7).all()
    Image.new("RGB", (30, 20)).save(pictures / "train" / "dog" / "large.png")
    with pytest.raises(DataError, match=r"is 12x12, and .*large.png 20x30: say --input-size"):
        read_data(pictures)
    found = call(
        "train", "resnet20", "--data", str(pictures), "--input-size", "16", "--epochs", "1", "--format", "json"
    )
    assert json.loads(found.out)["classes"] == ["cat", "dog"]
    for file in (pictures / "train" / "cat").iterdir():
        file.unlink()
    with pytest.raises(DataError, match="the class 'cat' has no pictures in"):
        read_data(pictures)


def test_grey_pictures_for_the_test_and_a_class_called_train(pictures: Path) -> None:
    for file in (pictures / "test").glob("*/*.png"):
        Image.open(file).convert("L").save(file)
    data = read_data(pictures)
    assert data.test is not None
    assert (data.shape, data.test.images.shape) == ((3, 12, 12), (4, 3, 12, 12))
    assert (data.test.images[:, 0] == data.test.images[:, 1]).all()
    (pictures / "empty").mkdir()
    (pictures / "test").rename(pictures / "empty" / "test")
    (pictures / "train" / "dog").rename(pictures / "train" / "train")
    (pictures / "train").rename(pictures / "vehicles")
    assert read_data(pictures / "vehicles").classes == ("cat", "train")
    (pictures / "vehicles").rename(pictures / "train")
    (pictures / "test").mkdir()
    with pytest.raises(DataError, match=r"test has no folder of pictures for each class, as .*train has"):
        read_data(pictures)
    with pytest.raises(DataError, match=r"'x+ … x+' cannot be read: File name too long"):
        read_data("x" * 5000)


def test_classes_may_be_called_as_columns_are() -> None:
    confusion = Evaluation("net", "data", "test", ("class", "recall"), ((3, 1), (0, 2)), 0.5)
    assert confusion.document().text("csv") == "class,recall,as class,as recall\nclass,0.75,3,1\nrecall,1.0,0,2\n"
    assert confusion.document().text("text").splitlines()[2].split() == ["class", "75.00", "%", "3", "1"]


def test_bad_input_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    digits = ("--data", "digits", "--pictures", "100", "--epochs", "1")
    call("train", "resnet20", "--data", "nowhere").refused("'nowhere' is neither a data set nor a folder")
    call("train", "resnet20", "--data", "digitz").refused("did you mean digits?")
    call("train", "resnet20", "--data", str(tmp_path)).refused("no folder of pictures for each class")
    call("train", "vgg11", *digits).refused("pictures are 1x8x8: say --input-size CxHxW")
    call("train", "lenet5_modern", *digits, "--input-size", "28", "--arg", "num_classes=7").refused(
        "gives 7", "there are 10 classes"
    )
    call("train", "torch.nn:Identity", *digits).refused("gives 1x8x8")
    call("train", "resnet20", *digits, "--device", "nowhere").refused("device 'nowhere' cannot be used")
    call("train", "resnet20", *digits, "--curves", "x.gif").refused("a picture ends in .svg")
    for option, file, said in (
        ("-o", "nowhere/x.csv", "cannot write 'nowhere/x.csv': No such file"),
        ("-o", "x.png", "a table cannot be written as .png"),
        ("--curves", "nowhere/x.svg", "cannot write 'nowhere/x.svg'"),
    ):
        call("train", "resnet20", "--data", "nowhere", option, file).refused(said)  # first of all
    with pytest.raises(InvalidTypeError, match="did you mean epochs"):
        cnnzoo.train(NET, "digits", epoch=1)
    with pytest.raises(InvalidValueError, match="some must be on both sides"):
        cnnzoo.train(NET, "digits", pictures=4, validation=0.01)
    with pytest.raises(InvalidValueError, match=r"an input size is CxHxW .*, got 8.5"):
        cnnzoo.train(NET, "digits", input_size=8.5)
    with pytest.raises(InvalidValueError, match="did you mean adam"):
        cnnzoo.train(NET, "digits", optimizer="adm")
    stateful = type("Stateful", (Gives,), {"get_extra_state": lambda net: 1})
    for wrong, said in (
        (Gives(lambda y, training: ()), "gives tuple, not a tensor of scores"),
        (Gives(lambda y, training: {}["scores"]), "does not take pictures of 1x8x8: KeyError: 'scores'"),
        (Gives(lambda y, training: {}["x"] if training else y), "does not take pictures of 1x8x8 in training"),
        (Gives(lambda y, training: (y, y[:, :3]) if training else y), "gives 3 for a picture"),
        (Gives(lambda y, training: y.detach()), "has no gradient"),
        (Gives(lambda y, training: y if training else y / 0 * 0), "the loss of 30 pictures .* is nan"),
        (stateful(lambda y, training: y), "_extra_state in the state of Stateful is int"),
        (torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10, device="meta")), "is on the meta device"),
    ):
        with pytest.raises(CnnzooError, match=said):
            cnnzoo.train(wrong, "digits", folder=tmp_path / "wrong", **FEW)
        assert not any((tmp_path / "wrong").iterdir())
    with pytest.raises(NoLossError, match=r"the loss is (nan|inf) in epoch 2") as error:
        cnnzoo.train(Breaks(), "digits", folder=tmp_path / "nan", **FEW)
    assert error.value.exit_code == 1
    assert len(read_history(tmp_path / "nan" / "history.jsonl")[1]) == 1


class Gives(torch.nn.Sequential):
    """What it gives is made of ten scores, in training or not."""

    def __init__(self, change: Any) -> None:
        super().__init__(torch.nn.Flatten(), torch.nn.Linear(64, 10))
        self.change = change

    def forward(self, x: torch.Tensor) -> Any:
        return self.change(super().forward(x), self.training)


class Breaks(torch.nn.Sequential):
    """Its scores are no numbers from the second epoch on."""

    def __init__(self) -> None:
        super().__init__(torch.nn.Flatten(), torch.nn.Linear(64, 10))
        self.steps = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.steps += self.training
        return super().forward(x) * (float("nan") if self.steps > 10 else 1)


def test_a_folder_belongs_to_one_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    cnnzoo.train(NET, "digits", folder=folder, **{**FEW, "epochs": 1})
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert {*before} == {"best.safetensors", "history.jsonl", "resume.pt"}
    with pytest.raises(InvalidValueError, match="has another run: seed was 0 and is now 1"):
        cnnzoo.train(NET, "digits", folder=folder, seed=1, **{**FEW, "epochs": 1})
    (folder / "resume.pt").write_bytes(before["resume.pt"][:-100])
    with pytest.raises(CheckpointError, match=r"resume.pt cannot be read"):
        cnnzoo.train(NET, "digits", folder=folder, **{**FEW, "epochs": 1})
    (folder / "resume.pt").unlink()
    with pytest.raises(InvalidValueError, match="without resume"):
        cnnzoo.train(NET, "digits", folder=folder, **{**FEW, "epochs": 1})
    state = torch.load(BytesIO(before["resume.pt"]))
    for wrong in (
        b"no zip",
        state | {"history": [{"epoch": 1}]},
        state | {"header": state["header"] | {"seed": torch.zeros(2)}},
        state | {"optimizer": state["optimizer"] | {"state": {0: {"step": torch.tensor(1.0)}}}},
        state | {"model": {}},
    ):
        if isinstance(wrong, bytes):
            (folder / "resume.pt").write_bytes(wrong)
        else:
            torch.save(wrong, folder / "resume.pt")
        with pytest.raises(CnnzooError, match=r"does not fit|cannot be read|seed was") as error:
            cnnzoo.train(NET, "digits", folder=folder, **FEW)
        assert "\n" not in str(error.value)
    (folder / "resume.pt").unlink()
    os.mkfifo(folder / "resume.pt")
    with pytest.raises(CheckpointError, match="it is no file"):
        cnnzoo.train(NET, "digits", folder=folder, **FEW)
    (folder / "resume.pt").unlink()
    (folder / "resume.pt").write_bytes(before["resume.pt"])
    (folder / "history.jsonl").unlink()  # as where a run is killed before it is written
    with alone(folder), pytest.raises(InvalidValueError, match="another run writes to"):
        cnnzoo.train(NET, "digits", folder=folder, **{**FEW, "epochs": 1})
    cnnzoo.train(NET, "digits", folder=folder, **{**FEW, "epochs": 1})
    assert (folder / "history.jsonl").read_bytes() == before["history.jsonl"]
    assert len(cnnzoo.train(NET, "digits", folder=folder, **FEW).history) == 3  # more epochs at a constant rate
    with pytest.raises(CheckpointError, match="there is no file"):
        cnnzoo.evaluate(NET, weights=tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidValueError, match="cannot be written"):
        cnnzoo.train(NET, "digits", folder=tmp_path / "file" / "run", **FEW)
    with pytest.raises(CnnzooError, match="does not fit the network"):
        cnnzoo.evaluate("lenet5_modern", "digits", folder / "best.safetensors", input_size=28)


@pytest.mark.parametrize("columns", [60, 80])
def test_the_bar_fits_a_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A longer line would be left behind at each of its steps."""
    hours = itertools.count(0, 3600)
    monkeypatch.setattr("time.time", lambda: next(hours))
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("sys.stderr", terminal := StringIO())
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    with bar() as show:
        show.begin(100, 10)
        for told in (Told(1, 5, 2.3, 0.1), Told(10, 905, 123.4567, 1.0), Told(10, 999, 0.1, 0.5)):
            show.tell(told)
    lines = re.sub(r"\x1b\[[0-9?]*[a-zA-Z]", "", terminal.getvalue()).replace("\r", "\n").splitlines()
    assert any("10/10 loss 123.457 accuracy 100.0 %" in line for line in lines)
    assert max(map(len, lines)) <= columns


def test_what_cannot_be_written_whole_is_not_there(tmp_path: Path) -> None:
    def write(part: Path) -> None:
        part.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        replace(tmp_path / "best.safetensors", write)
    assert not any(tmp_path.iterdir())


@pytest.mark.wide(0)
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    line = command(
        "train", "fashion_cnn", "--data", "digits", "--input-size", "28", "--epochs", "50", "--folder", "run"
    )
    process = subprocess.Popen(
        line, cwd=tmp_path, env=environment(), stdout=-1, stderr=-1, text=True, preexec_fn=interruptible
    )
    while not (tmp_path / "run" / "history.jsonl").exists():
        assert process.poll() is None
        sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == "Error: interrupted; the same command goes on behind the last whole epoch\n"
