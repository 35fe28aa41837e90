"""`cnnzoo train TARGET --data DATA`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..features.train import train
from ..features.train.settings import MOST, OPTIMIZERS, SCHEDULES
from .common import DRAWN, Interrupted, OutputFile, check_place, emit, ending_of, is_watched, output_options, write
from .learning import SEED, SHARE, found, learning_options, scaled
from .target import foreign
from .types import InputSize

if TYPE_CHECKING:
    from ..pytorch.train import Told


@click.command("train", short_help="Train it on pictures.")
@learning_options(needs_data=True)
@click.option("--epochs", type=click.IntRange(1, MOST), default=10, show_default=True)
@click.option(
    "--batch-size", type=click.IntRange(1, MOST), default=64, show_default=True, help="Of all processes together."
)
@click.option("--optimizer", type=click.Choice(list(OPTIMIZERS)), default="adam", show_default=True)
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, 1e9),
    help="Of the first step.  [default: " + ", ".join(f"{name} {rate:g}" for name, rate in OPTIMIZERS.items()) + "]",
)
@click.option(
    "--schedule",
    type=click.Choice(SCHEDULES),
    default=SCHEDULES[0],
    show_default=True,
    help="Keep the rate, or let it fall to 0.",
)
@click.option("--weight-decay", type=click.FloatRange(0, 1e9), default=0.0, show_default=True)
@click.option("--flip", is_flag=True, help="Turn pictures left to right, at random.")
@click.option(
    "--shift",
    type=click.IntRange(0, 1000),
    default=0,
    show_default=True,
    help="Move them by up to so many pixels, at random.",
)
@click.option(
    "--validation", type=SHARE, default=0.1, show_default=True, help="The share of pictures kept for validation."
)
@click.option("--split-seed", type=SEED, default=0, show_default=True, help="Draws them.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of weights, order, moves and dropout.")
@click.option("--amp", is_flag=True, help="Compute in bfloat16 where torch's autocast does.")
@click.option("--patience", type=click.IntRange(1, MOST), help="End behind so many epochs without a better one.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False),
    metavar="FOLDER",
    help="Keep weights and history there, and go on from them.",
)
@click.option(
    "--curves",
    type=OutputFile(dir_okay=False),
    metavar="PICTURE",
    help=f"Draw loss and accuracy: {', '.join(DRAWN)}.",
)
@output_options
def train_command(
    target: str,
    rewrites: tuple[str, ...],
    pairs: tuple[str, ...],
    input_size: InputSize | None,
    curves: str | None,
    output: str | None,
    format_: str | None,
    **given: Any,
) -> None:
    """Train TARGET to tell classes of pictures apart, and print what each epoch came to.

    \b
    cnnzoo train plain20 --data digits
    cnnzoo train resnet20 --data fashion-mnist --flip --folder run
    torchrun --nproc-per-node 2 -m cnnzoo train fashion_cnn --data fashion-mnist

    TARGET is a network as for `cnnzoo summary`: a name, with rewrites behind plus signs, path/to/file.py:factory,
    timm:name. It is built for the pictures' channels and classes. DATA is digits (scikit-learn's), fashion-mnist (of
    Debian's dataset-fashion-mnist, or in data/FashionMNIST/raw), mnist (in data/MNIST/raw), or a folder that has such
    files, or a folder of pictures for each class, itself or in train and test.

    FOLDER gets best.safetensors, the weights of the best epoch by validation accuracy; history.jsonl, a line for each
    epoch; and resume.pt: stop it at any moment, and the same command goes on behind the last whole epoch and comes to
    the same numbers. It takes pip install 'cnnzoo[train]'. Exits 1 where the loss is no number any more.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    if curves is not None and ending_of(curves) not in DRAWN:
        raise click.BadParameter(f"a picture ends in {', '.join(DRAWN)}", param_hint="'--curves'")
    if curves is not None:
        from ..features.draw import need

        need("matplotlib")
    for file in filter(None, (curves, output)):
        check_place(file)
    folder = given["folder"]
    options = {**given, "input_size": scaled(input_size)}
    with foreign(target), bar() as show:

        def begin(steps: int, epochs: int, there: int) -> None:
            show.begin(steps, epochs)
            if there:
                click.echo(f"{folder} has {there} of {epochs} epochs{', and goes on' * (there < epochs)}", err=True)

        try:
            result = train(**found(target, rewrites, pairs), tell=show.tell, begin=begin, **options)
        except KeyboardInterrupt:
            kept = (
                "the same command goes on behind the last whole epoch"
                if folder
                else "nothing is kept, without --folder"
            )
            raise Interrupted(f"interrupted; {kept}") from None
    if not result.is_first:
        return
    if curves is not None:
        write(curves, result.curves(ending_of(curves)[1:]))
    emit(result.document(), format_, output)


class Bar:
    """A progress bar that says the epoch, its loss and its accuracy."""

    def __init__(self) -> None:
        self.epochs = 0
        self.shown: Any = None

    def begin(self, steps: int, epochs: int) -> None:
        self.epochs = epochs
        if is_watched():
            length = steps * epochs
            self.shown = click.progressbar(length=length, file=sys.stderr, width=0, item_show_func=self._said)
            self.shown.__enter__()

    def _said(self, told: Told | None) -> str:
        if told is None:
            return ""
        return f"{told.epoch}/{self.epochs} loss {told.loss:.3f} accuracy {100 * told.accuracy:.1f} %"

    def tell(self, told: Told) -> None:
        if self.shown is not None:
            self.shown.update(told.step - self.shown.pos, told)


@contextmanager
def bar() -> Iterator[Bar]:
    """A bar from `begin` on, which ends its line however the training ends."""
    made = Bar()
    try:
        yield made
    finally:
        if made.shown is not None:
            made.shown.render_finish()
