"""The training of a module as a classifier: steps of torch, in the loop of pytorch-ignite.

ignite has what is easily wrong in a loop of one's own: epochs that go on behind the last one of a run that was killed,
early stopping with its counter, and sums over the processes of torchrun.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import cos, isfinite, pi
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events
from ignite.handlers import EarlyStopping
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from ...errors import CnnzooError, InvalidValueError
from ...words import sides
from ..modules.forwards import RBF
from .batches import Pictures, Plan, mixed

if TYPE_CHECKING:
    from ...features.train.settings import Epoch, Settings

TORCH = str(torch.__version__)

AUXILIARY = 0.3
"""What the loss of an auxiliary head counts (Szegedy et al. 2014, section 5)."""

PAUSE = 0.3
"""Seconds between looks at the loss: a GPU is waited for each time."""


class NoLossError(CnnzooError):
    """A loss that is no number any more."""

    exit_code = 1


class Told(NamedTuple):
    """How far a training is."""

    epoch: int
    step: int
    """Of all epochs."""
    loss: float
    """Of this epoch so far."""
    accuracy: float


@contextmanager
def processes(device: str | torch.device | None) -> Iterator[torch.device]:
    """The device of this process, among those of torchrun if it is one of them: a GPU each, or the CPU with gloo."""
    try:
        found = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        if found.type == "meta":
            raise RuntimeError("it holds no values")
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        said = str(error).splitlines()[0]
        raise InvalidValueError(f"device {str(device)!r} cannot be used: {said}; say cpu") from None
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield found
        return
    if found.type == "cuda":
        found = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(found)
    idist.initialize("nccl" if found.type == "cuda" else "gloo")
    try:
        yield found
    finally:
        idist.finalize()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """What is drawn within is drawn with the seed; what is drawn after it is as if nothing had been."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(mixed(seed, 0))
        yield


def is_first() -> bool:
    """Whether this is the process that writes."""
    return idist.get_rank() == 0


class Classifier:
    """A module on a device, as what gives each class a score."""

    def __init__(self, module: nn.Module, device: torch.device, amp: bool = False) -> None:
        self.last = torch.channels_last if device.type == "cuda" else torch.contiguous_format
        self.module = module.to(device)
        if device.type == "cuda":
            self.module.to(memory_format=self.last)  # type: ignore[call-overload]
        self.device = device
        self.amp = amp
        self.sign = -1 if any(isinstance(one, RBF) for one in module.modules()) else 1
        """LeNet-5's outputs are distances, of which the least is the class (equation 9)."""

    def scores(self, net: nn.Module, x: Tensor) -> list[Tensor]:
        """Of the network, and behind them those of its auxiliary heads in training."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.amp):
            y = net(x.contiguous(memory_format=self.last))
        return [self.sign * one.float() for one in (y if isinstance(y, tuple | list) else [y])]

    def check(self, shape: tuple[int, ...], classes: int, name: str) -> None:
        """InvalidValueError where it does not take such pictures, or gives other than a score for each class."""
        size = sides(shape)
        try:
            with torch.no_grad():
                outputs = self.scores(self.module.eval(), torch.zeros((2, *shape), device=self.device))
        except CnnzooError as error:
            raise InvalidValueError(f"{error}; pictures are {size}: {SCALED}") from None
        except (RuntimeError, ValueError, TypeError, AttributeError, IndexError) as error:
            said = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
            raise InvalidValueError(f"{name} does not take pictures of {size}: {said}; {SCALED}") from None
        if (found := tuple(outputs[0].shape)) != (2, classes):
            raise InvalidValueError(
                f"{name} gives {sides(found[1:]) or 'one number'} for a picture, and there are {classes} classes: it "
                f"must give one score for each, as --arg num_classes={classes} says where what makes it takes that"
            )

    def sums(self, pictures: Pictures, chosen: Tensor, size: int) -> Tensor:
        """A matrix of how many of the chosen pictures of each class (row) had which highest score (column), and the sum
        of their losses in its last element, over all processes."""
        self.module.eval()
        total: Tensor | None = None
        with torch.no_grad():
            for part in torch.split(chosen[idist.get_rank() :: idist.get_world_size()].to(self.device), size):
                x, classes = pictures.batch(Plan(part))
                y = self.scores(self.module, x)[0]
                count = y.shape[1]
                matrix = torch.bincount(classes * count + y.argmax(1), minlength=count * count).double()
                loss = F.cross_entropy(y, classes, reduction="sum").double()
                one = torch.cat([matrix, loss[None]])
                total = one if total is None else total + one
        assert total is not None
        return summed(total)


SCALED = "say --input-size CxHxW, to which they are scaled"


def summed(value: Tensor) -> Tensor:
    """The sum over all processes."""
    result: Any = idist.all_reduce(value)
    return result  # type: ignore[no-any-return]


def measured(sums: Tensor, classes: int) -> tuple[float, float, list[list[int]]]:
    """The mean loss, the accuracy and the confusion matrix of `Classifier.sums`."""
    matrix = sums[:-1].view(classes, classes)
    count = float(matrix.sum())
    confusion = [[int(one) for one in row] for row in matrix.tolist()]
    return float(sums[-1]) / count, float(matrix.trace()) / count, confusion


def made(settings: Settings, module: nn.Module) -> torch.optim.Optimizer:
    """The optimiser that the settings say."""
    parameters = [one for one in module.parameters() if one.requires_grad]
    assert settings.learning_rate is not None
    given: dict[str, Any] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    if not parameters:
        raise InvalidValueError(f"{settings.model} has no parameters to train")
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, momentum=0.9, **given)
    return (torch.optim.Adam if settings.optimizer == "adam" else torch.optim.AdamW)(parameters, **given)


class Run:
    """A training: `go` to its end, from an epoch's end on where there is a state of one. `record` is made of what each
    epoch comes to; features have it, for histories are read without torch."""

    def __init__(
        self,
        classifier: Classifier,
        pictures: Pictures,
        chosen: tuple[Tensor, Tensor],
        settings: Settings,
        classes: int,
        record: type[Epoch],
    ) -> None:
        self.classifier, self.pictures, self.settings, self.classes = classifier, pictures, settings, classes
        self.record = record
        self.chosen, self.held = chosen
        self.world = idist.get_world_size()
        self.batch = min(settings.batch_size, len(self.chosen)) // self.world * self.world
        if not self.batch or len(self.held) < self.world or settings.batch_size % self.world:
            raise InvalidValueError(
                f"{self.world} processes share batches of {settings.batch_size} and {len(self.held)} pictures for "
                f"validation: the first must be a multiple of them, and the second no fewer"
            )
        self.steps = len(self.chosen) // self.batch
        """Of an epoch; pictures that are left over wait for the next."""
        self.optimizer = made(settings, classifier.module)
        self.net = DistributedDataParallel(classifier.module) if self.world > 1 else classifier.module
        self.trainer = Engine(self._step)
        self.evaluator = Engine(self._evaluate)
        self.trainer.add_event_handler(Events.EPOCH_STARTED, self._begin)
        self.stopping: EarlyStopping | None = None
        if settings.patience:
            self.stopping = EarlyStopping(settings.patience, lambda engine: float(engine.state.output[1]), self.trainer)
            self.evaluator.add_event_handler(Events.COMPLETED, self.stopping)
        telling: list[Any] = [self.trainer, self.evaluator, *filter(None, [self.stopping])]
        for one in telling:
            one.logger.setLevel(logging.CRITICAL)  # what is to be said is said by who called
        self.sums = torch.zeros(2, dtype=torch.float64, device=classifier.device)

    def state(self) -> dict[str, Any]:
        """What `load` goes on from."""
        return {
            "model": self.classifier.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "stopping": dict(self.stopping.state_dict()) if self.stopping else {},
        }

    def load(self, state: Mapping[str, Any], epoch: int) -> None:
        """Go on behind an epoch."""
        self.classifier.module.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.stopping:
            self.stopping.load_state_dict(state["stopping"])
        self.trainer.load_state_dict({"epoch": epoch, "max_epochs": self.settings.epochs, "epoch_length": self.steps})

    @property
    def is_over(self) -> bool:
        """Whether its patience was over in the epoch that it goes on from."""
        return bool(self.stopping and self.stopping.counter >= self.stopping.patience)

    def go(self, passed: Callable[[Epoch], None], tell: Callable[[Told], None] | None) -> None:
        """To the end; `passed` hears of each epoch, `tell` several times a second how far it is."""
        self.tell = tell

        def end(engine: Engine) -> None:
            passed(self._end())

        self.trainer.add_event_handler(Events.EPOCH_COMPLETED, end)
        try:
            self.trainer.run(range(self.steps), max_epochs=self.settings.epochs, epoch_length=self.steps)
        except torch.OutOfMemoryError as error:
            raise CnnzooError(f"memory is out: {str(error).splitlines()[0]}; say a smaller --batch-size") from None
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            each = self.batch // self.world
            raise InvalidValueError(f"a batch of {each} a process is too small for a batch norm: {error}") from None

    def rate(self, step: int) -> float:
        """The learning rate of a step, from 0."""
        first = float(self.settings.learning_rate or 0)
        if self.settings.schedule == "constant":
            return first
        return first * (1 + cos(pi * step / (self.steps * self.settings.epochs))) / 2

    def _begin(self, engine: Engine) -> None:
        settings, epoch = self.settings, engine.state.epoch
        self.net.train()
        self.plan = self.pictures.plan(self.chosen, mixed(settings.seed, epoch), settings.flip)
        torch.manual_seed(mixed(settings.seed, epoch, idist.get_rank()))  # dropout
        self.sums.zero_()
        self.started = self.looked = monotonic()

    def _step(self, engine: Engine, number: int) -> None:
        step = engine.state.iteration - 1
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(step)
        each = self.batch // self.world
        start = number * self.batch + idist.get_rank() * each
        x, classes = self.pictures.batch(self.plan.part(start, start + each))
        first, *others = self.classifier.scores(self.net, x)
        loss = own = F.cross_entropy(first, classes)
        for other in others:
            loss = loss + AUXILIARY * F.cross_entropy(other, classes)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        with torch.no_grad():
            self.sums += torch.stack([own.detach() * each, (first.argmax(1) == classes).sum()])
        if monotonic() - self.looked > PAUSE:
            self._look(engine.state.epoch, number + 1, self.sums, each)

    def _look(self, epoch: int, done: int, sums: Tensor, each: int) -> tuple[float, float]:
        """The mean loss and the accuracy of an epoch so far."""
        loss, right = sums.tolist()
        if not isfinite(loss):
            raise NoLossError(
                f"the loss is {loss} in epoch {epoch}, within its first {done} of {self.steps} steps: say a learning "
                f"rate below {self.settings.learning_rate}"
            )
        found = loss / (done * each), right / (done * each)
        if self.tell is not None:
            self.tell(Told(epoch, (epoch - 1) * self.steps + done, *found))
        self.looked = monotonic()
        return found

    def _evaluate(self, engine: Engine, number: int) -> tuple[float, float]:
        sums = self.classifier.sums(self.pictures, self.held, max(self.settings.batch_size // self.world, 256))
        return measured(sums, self.classes)[:2]

    def _end(self) -> Epoch:
        epoch = self.trainer.state.epoch
        loss, accuracy = self._look(epoch, self.steps, summed(self.sums.clone()), self.batch)
        state = self.evaluator.run([0])
        seconds = monotonic() - self.started
        rate = self.rate((epoch - 1) * self.steps)
        held: Any = state.output
        val_loss, val_accuracy = held
        return self.record(epoch, rate, loss, accuracy, val_loss, val_accuracy, round(seconds, 3))
