"""What a training was told, and what each of its epochs came to: a run's history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any, NamedTuple

from ...errors import InvalidTypeError, InvalidValueError
from ...words import hint, quoted

OPTIMIZERS = {"adam": 1e-3, "adamw": 1e-3, "sgd": 0.05}
"""The optimisers, and the learning rate of each where none is said; sgd has a momentum of 0.9."""

SCHEDULES = ("constant", "cosine")
"""How the learning rate goes on: it stays, or falls to 0 as half a cosine (Loshchilov and Hutter 2016, no restarts)."""

MOST = 10**6
"""Epochs, and pictures of a batch, at most."""


@dataclass(frozen=True)
class Settings:
    """All on which the numbers of a run depend, but for the machine."""

    model: str
    data: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What else the builder was told."""
    input_size: tuple[int, ...] | None = None
    """What pictures are scaled to: the side of a square, or (channels, height, width); None as they are."""
    epochs: int = 10
    batch_size: int = 64
    """Of all processes together."""
    optimizer: str = "adam"
    learning_rate: float | None = None
    schedule: str = "constant"
    weight_decay: float = 0.0
    flip: bool = False
    """Whether pictures are turned left to right, each with a probability of one half."""
    shift: int = 0
    """Pixels by which pictures are moved in each direction, at most; black enters."""
    validation: float = 0.1
    """The share of the pictures to train on that is kept for validation."""
    split_seed: int = 0
    """Draws that share."""
    pictures: int | None = None
    """How many of the pictures to train on are used, drawn with `split_seed`; None for all."""
    seed: int = 0
    """Draws first weights, the order of pictures, shifts, flips and dropout."""
    amp: bool = False
    """Whether layers are computed in bfloat16 where torch's autocast does so."""
    patience: int | None = None
    """The training ends where so many epochs have not been better than the best; None for never."""

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise InvalidValueError(f"unknown optimizer {quoted(self.optimizer)}; {hint(self.optimizer, OPTIMIZERS)}")
        if self.schedule not in SCHEDULES:
            raise InvalidValueError(f"unknown schedule {quoted(self.schedule)}; {hint(self.schedule, SCHEDULES)}")
        size = self.input_size
        lengths: Any = (size,) if isinstance(size, int) else size or ()
        if not isinstance(lengths, tuple | list) or any(type(one) is not int for one in lengths):
            raise InvalidValueError(f"an input size is CxHxW or the side of a square, got {quoted(size)}")
        if self.learning_rate is None:
            object.__setattr__(self, "learning_rate", OPTIMIZERS[self.optimizer])
        for name, least, most in (
            ("epochs", 1, MOST),
            ("batch_size", 1, MOST),
            ("shift", 0, 1000),
            ("seed", 0, 2**32),
            ("split_seed", 0, 2**32),
            ("pictures", 2, 10**9),
            ("patience", 1, MOST),
        ):
            value = getattr(self, name)
            optional = name in ("pictures", "patience") and value is None
            if not optional and not (type(value) is int and least <= value <= most):
                raise InvalidValueError(f"{name} is a whole number from {least} to {most:,}, got {quoted(value)}")
        for name in ("learning_rate", "weight_decay", "validation"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
                raise InvalidValueError(f"{name} is a number that is not negative, got {quoted(value)}")
        if not 0 < self.validation < 1:
            raise InvalidValueError(f"validation is a share between 0 and 1, got {quoted(self.validation)}")

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=repr))
        return plain

    def difference(self, other: Mapping[str, Any]) -> str | None:
        """The first setting in which a run of before was told otherwise, in words; None where it is the same run.
        At a constant rate a run may go on for more epochs."""
        for name, value in self.to_dict().items():
            longer = name == "epochs" and self.schedule == "constant"
            if (was := json.dumps(other.get(name), default=repr)) != json.dumps(value) and not longer:
                return f"{name} was {was} and is now {json.dumps(value)}"
        return None


class Epoch(NamedTuple):
    """One pass over the pictures to train on, and what the network then made of those for validation."""

    epoch: int
    """From 1."""
    learning_rate: float
    """At its first step."""
    loss: float
    """The mean over the pictures trained on, each as it was met."""
    accuracy: float
    """The share of them whose class had the highest score."""
    val_loss: float
    val_accuracy: float
    seconds: float


def best_of(history: list[Epoch]) -> Epoch:
    """The epoch of the highest validation accuracy, of equal ones the first."""
    return max(history, key=lambda one: one.val_accuracy)


def to_lines(header: Mapping[str, Any], history: list[Epoch]) -> str:
    """A history as JSON lines: the settings and versions first, then each epoch."""
    return "".join(f"{json.dumps(one)}\n" for one in (header, *(epoch._asdict() for epoch in history)))


def to_epochs(lines: Iterable[Mapping[str, Any]]) -> list[Epoch]:
    """The epochs of a history's lines. TypeError or ValueError where they are none."""
    history = [Epoch(**line) for line in lines]
    if any(isinstance(value, bool) or not isinstance(value, int | float) for epoch in history for value in epoch):
        raise TypeError("an epoch has what is no number")
    if [one.epoch for one in history] != [*range(1, len(history) + 1)]:
        raise ValueError("its epochs are not 1, 2, 3 and so on")
    return history


def read_history(path: Any) -> tuple[dict[str, Any], list[Epoch]]:
    """The header of a history.jsonl, and its epochs. ValueError where it is none."""
    try:
        with open(path, encoding="utf-8") as file:
            header, *lines = map(json.loads, file)
        return dict(header), to_epochs(lines)
    except (ValueError, TypeError) as error:
        raise InvalidTypeError(f"{quoted(str(path))} is no history of a training: {error}") from None
