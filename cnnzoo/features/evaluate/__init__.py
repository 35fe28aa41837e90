"""What a trained network makes of pictures that it has not seen: its accuracy, and which classes it takes for which."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import InvalidTypeError, InvalidValueError
from ...extras import need
from ...render.column import Column
from ...render.document import Document, Shown
from ...words import counted, hint, quoted
from ..train import BEST, Data, Model, made, name_of, percent, read, shape_of, split_of
from ..train.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["PARTS", "Evaluation", "evaluate"]

PARTS = ("test", "validation", "train")

SAID = ("input_size", "validation", "split_seed", "pictures")
"""The settings of a training on which it depends what is evaluated; a file of weights says them."""


@dataclass(frozen=True, repr=False)
class Evaluation(Shown):
    """The classes of pictures, and what a network took them for. It prints as the confusion matrix."""

    model: str
    data: str
    part: str
    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    """How many pictures of each class (row) had the highest score for each (column)."""
    loss: float
    """The mean cross-entropy."""

    @property
    def count(self) -> int:
        """Pictures."""
        return sum(map(sum, self.confusion))

    @property
    def correct(self) -> int:
        return sum(row[number] for number, row in enumerate(self.confusion))

    @property
    def accuracy(self) -> float:
        return self.correct / self.count

    def document(self) -> Document:
        rows: list[dict[str, Any]] = [
            {"class": name, "of": sum(row), "recall": row[number] / sum(row) if sum(row) else None, "as": list(row)}
            for number, (name, row) in enumerate(zip(self.classes, self.confusion, strict=True))
        ]

        def column(number: int) -> Column:
            return Column(self.classes[number], lambda row: row["as"][number], lambda n: f"{n:,}" if n else "-")

        keys = [f"as {name}" if name in ("class", "recall") else name for name in self.classes]
        columns = {
            "recall": Column("Correct", lambda row: row["recall"], lambda one: "-" if one is None else percent(one)),
            **{key: column(number) for number, key in enumerate(keys)},
        }
        said = [
            ("Rows", "the pictures of each class; columns: what they were taken for"),
            ("Accuracy", f"{percent(self.accuracy)}, {self.correct:,} of {counted(self.count, 'pictures')}"),
            ("Loss", f"{self.loss:.4f}"),
            ("Data", f"{self.data}, {self.part}"),
        ]
        data = {
            "model": self.model,
            "data": self.data,
            "part": self.part,
            "accuracy": self.accuracy,
            "loss": self.loss,
            "classes": list(self.classes),
            "confusion": [list(row) for row in self.confusion],
        }
        flat = [
            {"class": row["class"], "recall": row["recall"], **dict(zip(keys, row["as"], strict=True))} for row in rows
        ]
        caption = f"{self.model} on {self.data}"
        return Document("Class", list(self.classes), columns, rows, said, rows=flat, data=data, caption=caption)


def evaluate(
    model: Model,
    data: str | os.PathLike[str] | Data | None = None,
    weights: str | os.PathLike[str] | None = None,
    *,
    part: str | None = None,
    rewrites: Iterable[str] = (),
    arguments: Mapping[str, Any] | None = None,
    device: str | None = None,
    name: str | None = None,
    batch_size: int = 256,
    **settings: Any,
) -> Evaluation:
    """The accuracy and the confusion matrix of a network with its weights:
    `cnnzoo.evaluate("lenet5_modern", weights="run")`.

    `model` and `data` are as in `train`; `weights` are a run's folder, or a file as `load_checkpoint` reads it, and may
    be left out for a module. A run's weights say which data they are of. `part` is "test", or "validation" where the
    data have no pictures for a test, or "train": the split is the training's, as its file of weights says it, or as
    `settings` do: `validation`, `split_seed`, `pictures`, `input_size`. Raises what `train` does, and CheckpointError
    for a file that does not fit.
    """
    need("evaluating", "train", "torch", "numpy", "ignite", "safetensors")
    for key in settings:
        if key not in SAID:
            raise InvalidTypeError(f"evaluate() takes no keyword {quoted(key)}; {hint(key, SAID)}")
    from ...pytorch.modules.checkpoints import load_checkpoint
    from ...pytorch.train import Classifier, measured, processes
    from ...pytorch.train.batches import Pictures
    from ...pytorch.train.files import read_about
    from ...weights.headers import CheckpointError

    if weights is not None and os.path.isdir(weights):
        weights = os.path.join(weights, BEST)
    if weights is not None and not os.path.exists(weights):
        raise CheckpointError(f"there is no file {quoted(os.fspath(weights))}: give a run's folder, or its weights")
    about = {} if weights is None else read_about(weights)
    if data is None and not isinstance(about.get("data"), str):
        raise InvalidValueError(f"{weights or 'a module'} does not say on which data it was trained: give --data")
    names = (rewrites,) if isinstance(rewrites, str) else tuple(rewrites)
    called = name or "+".join([name_of(model), *names])
    kept = {key: about[key] for key in SAID if about.get(key) is not None}
    size = kept.get("input_size")
    kept |= {"input_size": tuple(size)} if isinstance(size, list) else {}
    told = Settings(model=called, data="", **{**kept, **{key: one for key, one in settings.items() if one is not None}})
    found = read(data if data is not None else about["data"], told.input_size)
    chosen = part or ("validation" if found.test is None else "test")
    if chosen not in PARTS:
        raise InvalidValueError(f"unknown part {quoted(chosen)}; {hint(chosen, PARTS)}")
    if chosen == "test" and found.test is None:
        raise InvalidValueError(f"{found.name} has no pictures for a test: say --part validation")
    shape = shape_of(found, told.input_size)
    with processes(device) as place:
        net = made(model, shape, len(found.classes), names, arguments or {})
        classifier = Classifier(net, called, place)
        classifier.check(shape, len(found.classes))  # after which lazy layers have their weights, too
        if weights is not None:
            load_checkpoint(net, weights)
        one = found.test if chosen == "test" else found.train
        assert one is not None
        pictures = Pictures(one.images, one.labels, shape, 0, place)
        sums = classifier.sums(pictures, _numbers(found, told, chosen), batch_size)
    loss, _, confusion = measured(sums, len(found.classes))
    return Evaluation(called, found.name, chosen, found.classes, tuple(map(tuple, confusion)), loss)


def _numbers(data: Data, settings: Settings, part: str) -> Tensor:
    from ...pytorch.train.batches import permutation

    if part == "test":
        assert data.test is not None
        return permutation(len(data.test), 0)
    trained, held = split_of(data, settings)
    return held if part == "validation" else trained
