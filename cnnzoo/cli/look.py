"""`cnnzoo look weights TARGET [FILE]`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import click

from ..errors import InvalidValueError
from ..resolve.loading import is_registered
from .common import (
    DRAWN,
    arg_option,
    drawn_ending,
    emit,
    format_option,
    input_size_option,
    num_classes_option,
    output_option,
    write,
)
from .completion import complete_path, complete_target
from .target import read_settings, report_of
from .types import InputSize, TargetType

if TYPE_CHECKING:
    from ..features.draw.pictured import Pictured

KINDS = ("weights",)


@click.command("look", short_help="Kernels before and after training.")
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@click.argument("name", type=TargetType(), metavar="TARGET", shell_complete=complete_target)
@click.argument("files", metavar="[FILE]…", nargs=-1, type=click.Path())
@click.option("--layer", metavar="PATH", required=True, shell_complete=complete_path, help="As layer1.0.conv1.")
@click.option("--seed", type=click.IntRange(0, 10**9), default=0, show_default=True, help="Of the first weights.")
@input_size_option
@num_classes_option
@arg_option
@output_option(f"Write to FILE, all or nothing; the picture where it ends in {', '.join(DRAWN)}.")
@format_option
def look_command(
    kind: str,
    name: str,
    files: tuple[str, ...],
    layer: str,
    seed: int,
    input_size: InputSize | None,
    num_classes: int | None,
    pairs: tuple[str, ...],
    output: str | None,
    format_: str | None,
) -> None:
    """Look inside TARGET: a name or anything else that `cnnzoo summary` takes.

    \b
    cnnzoo look weights lenet5 --layer c1
    cnnzoo look weights resnet18 trained.safetensors --layer conv1 -o conv1.svg

    \b
    weights  mean, deviation and histogram of a layer's weight, and its kernels

    FILE has trained weights, as for `cnnzoo check-weights`; they stand beside those that TARGET begins with, on one
    scale. Nothing in it is run. Pictures take pip install 'cnnzoo[draw]'.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # of fonts and folders that it sets up for itself
    drawn = drawn_ending(format_, output, DRAWN)
    network, settings = _network(name, seed, input_size, num_classes, pairs)
    found = _weights(network, files, layer, seed, settings)
    if drawn:
        write(str(output), found.to(drawn[1:]))
    else:
        emit(found.document(), format_, output)


def _weights(network: Any, files: tuple[str, ...], layer: str, seed: int, settings: dict[str, Any]) -> Pictured:
    from ..features.look import look_weights

    if len(files) > 1:
        raise click.UsageError("look weights takes one FILE of weights")
    return look_weights(network, layer, *files, seed=seed, **settings)


def _network(
    target: str, seed: int, input_size: InputSize | None, num_classes: int | None, pairs: tuple[str, ...]
) -> tuple[Any, dict[str, Any]]:
    """What the features take for a TARGET, a module with its values, and the settings that go with it."""
    if is_registered(target):
        size = {} if input_size is None else {"input_size": input_size.image}
        classes = {} if num_classes is None else {"num_classes": num_classes}
        return target, {**read_settings(pairs), **classes, **size}
    from ..features.summary import described
    from ..pytorch.look import seeded

    sizes = () if input_size is None else (input_size,)
    with seeded(seed):
        found = report_of(target, sizes, pairs=pairs, num_classes=num_classes, values=True)
    report = found.whole()
    if report.more_inputs:
        raise InvalidValueError(f"{target} takes several inputs; one is looked into that takes one image")
    network = found.module if "+" not in target else described(report, "it has no layers to look at").description
    return network, {"input_size": report.input_size}
