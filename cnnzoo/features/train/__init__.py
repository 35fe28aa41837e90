"""Training of any network as a classifier of pictures: steps, epochs, the best weights, and a history to go on from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ...arch import ShapeError
from ...arch.node import Node
from ...errors import CnnzooError, InvalidTypeError, InvalidValueError
from ...extras import need
from ...files import replace
from ...registry import Builder
from ...render.column import Column
from ...render.document import Document, Shown
from ...resolve import is_module
from ...words import counted, hint, quoted, shortened, sides
from .data import Data, read_data
from .settings import Epoch, Settings, best_of, read_history, to_epochs, to_lines

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ...pytorch.train import Told

__all__ = ["Data", "Epoch", "Settings", "Trained", "read_data", "read_history", "train"]

Model: TypeAlias = "str | Builder[Any] | Node | nn.Module | Callable[[], nn.Module | Node]"

HISTORY, BEST, STATE = "history.jsonl", "best.safetensors", "resume.pt"
"""The files of a run's folder."""


@dataclass(frozen=True, eq=False, repr=False)
class Trained(Shown):
    """A training that came to its end. It prints as a table of its epochs."""

    module: nn.Module
    """The network with its best weights, in eval mode."""
    settings: Settings
    history: tuple[Epoch, ...]
    data: Data
    folder: Path | None
    trained: int
    """Pictures that it was trained on."""
    validated: int
    """Pictures of the validation."""
    is_first: bool = True
    """Whether this is the process that writes, where there are several."""

    @property
    def best(self) -> Epoch:
        """The epoch of the highest validation accuracy, of equal ones the first: its weights are kept."""
        return best_of(list(self.history))

    def curves(self, format: str = "png") -> bytes:
        """Loss and accuracy by epoch as a picture: svg, png or pdf. It takes the extra `draw`."""
        from .curves import curves

        return curves({self.settings.model: self.history}, format)

    def document(self) -> Document:
        best, settings = self.best, self.settings
        said = [
            ("Data", f"{self.data}; {self.trained:,} to train on, {self.validated:,} for validation"),
            ("Training", described(settings)),
            ("Best", f"epoch {best.epoch}, {percent(best.val_accuracy)} of the validation"),
        ]
        if len(self.history) < settings.epochs:
            said.append(("", f"ended behind epoch {len(self.history)}: {settings.patience} were not better"))
        if self.folder is not None:
            said.append(("Weights", str(self.folder / BEST)))
        rows = [one._asdict() for one in self.history]
        data = {"settings": settings.to_dict(), "classes": list(self.data.classes), "best": best.epoch, "epochs": rows}
        names = [str(one.epoch) for one in self.history]
        caption = f"{settings.model} trained on {self.data.name}"
        return Document("Epoch", names, COLUMNS, rows, said, rows=rows, data=data, caption=caption)


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _loss(value: float) -> str:
    return f"{value:.4f}" if value < 1000 else f"{value:.4g}"


COLUMNS = {
    "loss": Column("Loss", lambda row: row["loss"], _loss),
    "accuracy": Column("Accuracy", lambda row: row["accuracy"], percent),
    "val_loss": Column("Validation loss", lambda row: row["val_loss"], _loss),
    "val_accuracy": Column("Accuracy", lambda row: row["val_accuracy"], percent),
    "learning_rate": Column("Rate", lambda row: row["learning_rate"], lambda value: f"{value:.3g}", narrow="room"),
    "seconds": Column("Seconds", lambda row: row["seconds"], lambda value: f"{value:.1f}", narrow="more room"),
}


def described(settings: Settings) -> str:
    """The settings in a line, as they would be said to a colleague."""
    augmented = [f"shifts by up to {settings.shift}"] * bool(settings.shift) + ["flips"] * settings.flip
    parts = [
        f"{settings.optimizer} at {settings.learning_rate:g}",
        *([f"{settings.schedule} schedule"] * (settings.schedule != "constant")),
        *([f"weight decay {settings.weight_decay:g}"] * bool(settings.weight_decay)),
        f"batches of {settings.batch_size}",
        *augmented,
        *(["bfloat16"] * settings.amp),
        f"seed {settings.seed}",
    ]
    return ", ".join(parts)


def train(
    model: Model,
    data: str | os.PathLike[str] | Data,
    *,
    rewrites: Iterable[str] = (),
    arguments: Mapping[str, Any] | None = None,
    folder: str | os.PathLike[str] | None = None,
    device: str | None = None,
    name: str | None = None,
    tell: Callable[[Told], None] | None = None,
    begin: Callable[[int, int, int], None] | None = None,
    **settings: Any,
) -> Trained:
    """A network trained to tell classes of pictures apart: `cnnzoo.train("lenet5_modern", "digits", epochs=5)`.

    `model` is a registered network, by name or builder, a description, a module, which is then trained itself, or a
    function that makes one of the two: its parameters are drawn with the seed. A builder is told the number of
    classes, and `arguments`; every network must give one score for each. `data` is "digits", "fashion-mnist", "mnist",
    a folder (`read_data`) or a `Data`; pictures enter as numbers from -1 to 1.

    `settings` are the fields of `Settings`: `epochs`, `batch_size`, `optimizer`, `learning_rate`, `schedule`,
    `weight_decay`, `flip`, `shift`, `validation`, `split_seed`, `pictures`, `seed`, `input_size`, `amp`, `patience`.
    The module that is returned has the weights of the epoch with the highest validation accuracy.

    With a `folder` these are in best.safetensors, each epoch is a line of history.jsonl, and resume.pt is what the same
    call goes on from: a run that was killed comes to the numbers of one that was not, on the same machine. Among the
    processes of torchrun each batch is shared. `tell` hears several times a second how far it is, `begin` first of all
    the steps of an epoch, the epochs, and how many of these were there.

    Raises CnnzooError: `DataError` for the data, InvalidValueError for a network that they do not fit, and for a
    folder that has another run, `NoLossError` where the loss is no number, after which the folder has the last epoch.
    """
    need("training", "train", "torch", "numpy", "ignite", "safetensors")
    known = [one.name for one in fields(Settings) if one.name not in ("model", "data", "arguments")]
    for key in settings:
        if key not in known:
            raise InvalidTypeError(f"train() takes no keyword {quoted(key)}; {hint(key, known)}")
    names = (rewrites,) if isinstance(rewrites, str) else tuple(rewrites)
    called = name or "+".join([name_of(model), *names])
    told = Settings(
        model=called,
        data=data.name if isinstance(data, Data) else os.fspath(data),
        arguments=dict(arguments or {}),
        **settings,
    )
    found = read(data, told.input_size)
    return _trained(model, found, told, names, Path(folder) if folder is not None else None, device, tell, begin)


def read(data: str | os.PathLike[str] | Data, input_size: Sequence[int] | int | None) -> Data:
    """The data set, its pictures scaled where it is a folder of them."""
    if isinstance(data, Data):
        return data
    lengths = (input_size,) if isinstance(input_size, int) else tuple(input_size or ())
    return read_data(data, max(lengths[-2:]) if lengths else None)


def name_of(model: Model) -> str:
    if isinstance(model, str):
        return model
    if isinstance(model, Builder):
        return model.name
    return getattr(model, "__name__", None) or type(model).__name__


def shape_of(data: Data, input_size: Sequence[int] | int | None) -> tuple[int, ...]:
    """(channels, height, width) of what the network is given."""
    own = data.shape
    if input_size is None:
        return own
    lengths = (input_size,) * 2 if isinstance(input_size, int) else tuple(input_size)
    shape = (own[0], *lengths) if len(lengths) == 2 else lengths
    if len(shape) != 3 or any(type(one) is not int or not 1 <= one <= 4096 for one in shape):
        raise InvalidValueError(f"an input size is CxHxW or the side of a square, up to 4096; got {quoted(input_size)}")
    if shape[0] != own[0] and own[0] != 1:
        raise InvalidValueError(f"pictures of {data.name} have {own[0]} channels, and --input-size says {shape[0]}")
    return shape


def made(
    model: Model, shape: tuple[int, ...], classes: int, rewrites: tuple[str, ...], arguments: Mapping[str, Any]
) -> nn.Module:
    """The network for pictures of a shape; the builder of a registered one is told the number of classes."""
    from ...create import create_model, rebuild
    from ...zoo import get_builder

    if isinstance(model, str):
        first, *more = model.split("+")
        model, rewrites = get_builder(first), (*more, *rewrites)
    if not isinstance(model, Builder | Node) and not is_module(model):
        if not callable(model):
            raise InvalidTypeError(
                f"train takes a network's name, a builder, a description, a torch.nn.Module or a function that makes "
                f"one, got {quoted(model)}"
            )
        model = model()
    if is_module(model):
        return rebuild(model, shape, rewrites=rewrites).module if rewrites else model  # type: ignore[arg-type,return-value]
    given = dict(arguments)
    if isinstance(model, Builder) and model.takes("num_classes"):
        given.setdefault("num_classes", classes)
    try:
        return create_model(model, rewrites=rewrites, input_size=shape, **given)  # type: ignore[arg-type]
    except ShapeError as error:
        raise InvalidValueError(
            f"{error}; pictures are {sides(shape)}: say --input-size CxHxW, to which they are scaled"
        ) from None


def split_of(data: Data, settings: Settings) -> tuple[Tensor, Tensor]:
    """The numbers of the pictures that are trained on, and of those for validation."""
    from ...pytorch.train.batches import permutation

    order = permutation(len(data.train), settings.split_seed)[: settings.pictures]
    held = round(len(order) * settings.validation)
    if not 0 < held < len(order):
        raise InvalidValueError(
            f"of {counted(len(order), 'pictures')} a share of {settings.validation:g} for validation is {held}: some "
            f"must be on both sides"
        )
    return order[held:], order[:held]


def _trained(
    model: Model,
    data: Data,
    settings: Settings,
    rewrites: tuple[str, ...],
    folder: Path | None,
    device: str | None,
    tell: Callable[[Told], None] | None,
    begin: Callable[[int, int, int], None] | None,
) -> Trained:
    from ... import __version__
    from ...pytorch.train import TORCH, Classifier, Run, is_first, processes, seeded
    from ...pytorch.train.batches import Pictures
    from ...pytorch.train.files import alone, read_weights, write_state, write_weights
    from ...weights.headers import CheckpointError

    shape = shape_of(data, settings.input_size)
    chosen = split_of(data, settings)
    classes = len(data.classes)
    header = {"cnnzoo": __version__, "torch": TORCH, **settings.to_dict(), "input": list(shape)}
    if folder is not None:
        _open(folder)
    with processes(device) as place, seeded(settings.seed, place), ExitStack() as stack:
        first = is_first()
        if folder is not None and first:
            stack.enter_context(alone(folder))
        state = None if folder is None else _kept(folder, settings)
        net = made(model, shape, classes, rewrites, settings.arguments)
        classifier = Classifier(net, settings.model, place, settings.amp)
        classifier.check(shape, classes)
        pictures = Pictures(data.train.images, data.train.labels, shape, settings.shift, place)
        run = Run(classifier, pictures, chosen, settings, classes, Epoch)
        history = list[Epoch]()
        best: dict[str, Tensor] = {}
        if state is not None:
            assert folder is not None
            try:
                history = to_epochs(state["history"])
                best = read_weights(folder / BEST)
                net.load_state_dict(best)
                run.load(state, len(history))
            except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
                said = shortened(" ".join(str(error).split()) or type(error).__name__)
                raise CheckpointError(f"{folder}: its run does not fit {settings.model}: {said}") from None
        if begin is not None and first:
            begin(run.steps, settings.epochs, len(history))

        def write_history(folder: Path) -> None:
            text = to_lines(header, history)
            replace(folder / HISTORY, lambda part: part.write_text(text, encoding="utf-8"))

        def passed(one: Epoch) -> None:
            nonlocal best
            history.append(one)
            better = best_of(history) is history[-1]
            if better:
                best = {key: value.detach().clone() for key, value in net.state_dict().items()}
            if folder is None or not first:
                return
            if better:
                about = {**header, "epoch": one.epoch, "classes": list(data.classes)}
                write_weights(folder / BEST, best, about)
            kept = [epoch._asdict() for epoch in history]
            write_state(folder / STATE, {**run.state(), "header": header, "history": kept})
            write_history(folder)

        try:
            if folder is not None and state is not None and first:
                write_history(folder)  # a run may have been killed before
            if len(history) < settings.epochs and not run.is_over:
                run.go(passed, tell if first else None)
        except OSError as error:
            raise CnnzooError(f"{folder} cannot be written: {error.strerror or error}") from None
        net.load_state_dict(best)
    return Trained(net.eval(), settings, tuple(history), data, folder, len(chosen[0]), len(chosen[1]), first)


def _kept(folder: Path, settings: Settings) -> dict[str, Any] | None:
    """What a run of the same settings left in a folder to go on from, None where it left nothing. Raises
    InvalidValueError where there is another run, CheckpointError where its file is none."""
    from ...pytorch.train.files import read_state

    if (folder / STATE).exists():
        state = read_state(folder / STATE)
        if difference := settings.difference(state["header"]):
            raise InvalidValueError(f"{folder} has another run: {difference}; give another folder")
        return state
    if (folder / HISTORY).exists():
        raise InvalidValueError(f"{folder} has a {HISTORY} without {STATE}, to go on from: give another folder")
    return None


def _open(folder: Path) -> None:
    """A folder that can be written to, made where it is not there. Raises InvalidValueError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise InvalidValueError(f"the folder {quoted(str(folder))} cannot be written: {error.strerror}") from None
