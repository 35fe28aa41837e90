"""`cnnzoo evaluate TARGET WEIGHTS --data DATA`."""

from __future__ import annotations

from typing import Any

import click

from ..features.evaluate import PARTS, evaluate
from .common import emit, output_options
from .learning import SEED, SHARE, found, learning_options, scaled
from .target import foreign
from .types import InputSize


@click.command("evaluate", short_help="What it takes pictures for.")
@learning_options(needs_data=False)
@click.argument("weights", metavar="WEIGHTS", type=click.Path())
@click.option(
    "--part", type=click.Choice(PARTS), help="Which pictures.  [default: test, validation where there are none]"
)
@click.option("--validation", type=SHARE, help="As in the training; default: what WEIGHTS say, 0.1.")
@click.option("--split-seed", type=SEED, help="As in the training; default: what WEIGHTS say, 0.")
@output_options
def evaluate_command(
    target: str,
    weights: str,
    rewrites: tuple[str, ...],
    pairs: tuple[str, ...],
    input_size: InputSize | None,
    output: str | None,
    format_: str | None,
    **given: Any,
) -> None:
    """Give TARGET its WEIGHTS, and count what it takes pictures of each class for: the confusion matrix.

    \b
    cnnzoo evaluate resnet20 run
    cnnzoo evaluate resnet20 other.pth --data fashion-mnist -o confusion.csv

    TARGET and DATA are as in `cnnzoo train`, WEIGHTS its folder, whose best.safetensors say on which DATA they were
    trained and how these were split and scaled, or any other file that fits. It takes pip install 'cnnzoo[train]'.
    """
    with foreign(target):
        result = evaluate(
            **found(target, rewrites, pairs), weights=weights, **{**given, "input_size": scaled(input_size)}
        )
    emit(result.document(), format_, output)
