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
from ..measuring.refusals import refusal
from ..measuring.trace import first_line
from ..modules.forwards import RBF
from .batches import Pictures, Plan, mixed

if TYPE_CHECKING:
    from ...features.train.settings import Epoch, Settings

TORCH = str(torch.__version__)

AUXILIARY = 0.3
"""What the loss of an auxiliary head counts (Szegedy et al. 2014, section 5)."""

ADAM = {"step", "exp_avg", "exp_avg_sq"}
"""What torch's Adam and AdamW keep of each parameter."""

PAUSE = 0.3
"""Seconds between looks at the loss: a GPU is waited for each time."""


class FailedError(CnnzooError):
    """A training that cannot go on."""

    exit_code = 1


class NoLossError(FailedError):
    """A loss that is no number any more."""


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
    except (RuntimeError, AssertionError, ImportError) as error:
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

    def __init__(self, module: nn.Module, name: str, device: torch.device, amp: bool = False) -> None:
        if any(one.is_meta for one in (*module.parameters(), *module.buffers())):
            raise InvalidValueError(f"{name} is on the meta device and has no values")
        self.last = torch.channels_last if device.type == "cuda" else torch.contiguous_format
        self.module = module.to(device)
        if device.type == "cuda":
            self.module.to(memory_format=self.last)  # type: ignore[call-overload]
        self.name = name
        self.device = device
        self.amp = amp
        self.sign = -1 if any(isinstance(one, RBF) for one in module.modules()) else 1
        """LeNet-5's outputs are distances, of which the least is the class (equation 9)."""

    def scores(self, net: nn.Module, x: Tensor) -> list[Tensor]:
        """Of the network, and behind them those of its auxiliary heads in training. InvalidValueError where it fails,
        or gives anything else."""
        mode = " in training" if net.training else ""
        try:
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.amp):
                y = net(x.contiguous(memory_format=self.last))
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever the module's own code raises
            if net is not self.module and "gloo" in str(error):
                raise  # of DistributedDataParallel, which sends buffers in its forward
            given = f"pictures of {sides(tuple(x.shape[1:]))}"
            said = str(error) if isinstance(error, CnnzooError) else refusal(error)
            raise InvalidValueError(f"{self.name} does not take {given}{mode}: {said}; {SCALED}") from error
        found = list(y) if isinstance(y, tuple | list) and y else [y]
        for one in found:
            if not isinstance(one, Tensor):
                raise InvalidValueError(f"{self.name} gives {type(one).__name__}{mode}, not a tensor of scores")
        return [self.sign * one.float() for one in found]

    def check(self, shape: tuple[int, ...], classes: int) -> None:
        """InvalidValueError where it does not take such pictures, gives other than a score for each class, or has a
        state that is not all tensors."""
        with torch.no_grad():
            outputs = self.scores(self.module.eval(), torch.zeros((2, *shape), device=self.device))
        self.fit(outputs[0], (2, classes))
        for name, value in self.module.state_dict().items():
            if not isinstance(value, Tensor):
                raise InvalidValueError(f"{name} in the state of {self.name} is {type(value).__name__}, not a tensor")

    def fit(self, scores: Tensor, shape: tuple[int, int]) -> None:
        """InvalidValueError where scores are not of a shape, (pictures, classes)."""
        if (found := tuple(scores.shape)) != shape:
            raise InvalidValueError(
                f"{self.name} gives {sides(found[1:]) or 'one number'} for a picture, and there are {shape[1]} "
                f"classes: it must give one score for each, as --arg num_classes={shape[1]} says where what makes it "
                f"takes that"
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
        found = summed(total)
        if not isfinite(whole := float(found[-1])):
            raise NoLossError(f"the loss of {len(chosen):,} pictures that {self.name} is tried on is {whole}")
        return found


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
        """Go on behind an epoch. ValueError, or what torch raises, where the state is that of another training."""
        self.classifier.module.load_state_dict(state["model"])
        own = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict(state["optimizer"])
        if [group | {"lr": 0} for group in self.optimizer.state_dict()["param_groups"]] != [
            group | {"lr": 0} for group in own
        ]:
            raise ValueError("its optimizer has other settings")
        for parameter, held in self.optimizer.state.items():
            for name, value in held.items():
                if not isinstance(value, Tensor) or value.shape not in ((), parameter.shape):
                    raise ValueError(f"{name} of its optimizer is no tensor of {sides(tuple(parameter.shape))}")
            if {*held} != ({"momentum_buffer"} if self.settings.optimizer == "sgd" else ADAM):
                raise ValueError("its optimizer is another")
        if self.stopping:
            kept = state["stopping"]
            if not all(isinstance(kept.get(name), int | float) for name in ("counter", "best_score")):
                raise ValueError("what it counts for its early end is no number")
            self.stopping.load_state_dict(kept)
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
            raise CnnzooError(f"memory is out: {first_line(error)}; say a smaller --batch-size") from None
        except RuntimeError as error:
            if self.world == 1:
                raise
            raise FailedError(f"a process of torchrun is lost: {first_line(error)}") from error

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
        for one in (first, *others):
            self.classifier.fit(one, (each, self.classes))
        loss = own = F.cross_entropy(first, classes)
        for other in others:
            loss = loss + AUXILIARY * F.cross_entropy(other, classes)
        self.optimizer.zero_grad(set_to_none=True)
        self._backward(loss)
        self.optimizer.step()
        with torch.no_grad():
            self.sums += torch.stack([own.detach() * each, (first.argmax(1) == classes).sum()])
        if monotonic() - self.looked > PAUSE:
            self._look(engine.state.epoch, number + 1, self.sums, each, ends=self.world == 1)

    def _backward(self, loss: Tensor) -> None:
        try:
            loss.backward()  # type: ignore[no-untyped-call]
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            if self.world > 1:
                raise  # of another process, perhaps
            raise FailedError(f"{self.settings.model} has no gradient: {first_line(error)}") from error

    def _look(self, epoch: int, done: int, sums: Tensor, each: int, *, ends: bool) -> tuple[float, float]:
        """The mean loss and the accuracy of an epoch so far. A loss that is no number ends the training, among several
        processes behind an epoch, of which all know it."""
        loss, right = sums.tolist()
        if ends and not isfinite(loss):
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
        loss, accuracy = self._look(epoch, self.steps, summed(self.sums.clone()), self.batch, ends=True)
        if self.world > 1:  # running means and variances are each process's own: all try what the first one writes
            for buffer in self.classifier.module.buffers():
                torch.distributed.broadcast(buffer, 0)
        state = self.evaluator.run([0])
        seconds = monotonic() - self.started
        rate = self.rate((epoch - 1) * self.steps)
        held: Any = state.output
        val_loss, val_accuracy = held
        return self.record(epoch, rate, loss, accuracy, val_loss, val_accuracy, round(seconds, 3))
