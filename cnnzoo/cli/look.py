"""`cnnzoo look weights|maps|field TARGET [FILE]…`."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ..errors import InvalidValueError
from ..resolve.loading import is_registered
from ..words import counted
from .common import (
    DRAWN,
    arg_option,
    bar,
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
    from ..features.look import Field, Maps, Weights

KINDS = ("weights", "maps", "field")


@click.command("look", short_help="Kernels, maps and fields, trained or not.")
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@click.argument("name", type=TargetType(), metavar="TARGET", shell_complete=complete_target)
@click.argument("files", metavar="[FILE]…", nargs=-1, type=click.Path())
@click.option(
    "--layer",
    "layers",
    metavar="PATH",
    multiple=True,
    required=True,
    shell_complete=complete_path,
    help="As layer1.0.conv1; of maps and field once for each.",
)
@click.option("--seed", type=click.IntRange(0, 10**9), default=0, show_default=True, help="Of the first weights.")
@click.option("--grey", is_flag=True, help="Of maps: make one channel of the PICTURE's colours.")
@click.option("--samples", type=click.IntRange(1, 10**4), help="Of field: gradients that are averaged; default: 16.")
@input_size_option
@num_classes_option
@arg_option
@output_option(f"Write to FILE, all or nothing; the picture where it ends in {', '.join(DRAWN)}.")
@format_option
def look_command(
    kind: str,
    name: str,
    files: tuple[str, ...],
    layers: tuple[str, ...],
    seed: int,
    grey: bool,
    samples: int | None,
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
    cnnzoo look maps resnet18 trained.pth cat.jpg --layer conv1 --layer layer1
    cnnzoo look field vgg16 --layer features.16 -o field.svg

    \b
    weights [WEIGHTS]        a layer's weight: numbers, histogram, kernels
    maps [WEIGHTS] PICTURE   what layers make of a picture
    field [WEIGHTS]          what the middle of a map sees of each pixel, in
                             the calculated receptive field (Luo et al. 2016)

    WEIGHTS is a file of trained ones, as for `cnnzoo check-weights`; nothing in it is run. Of weights and field they
    stand beside those that TARGET begins with. A PICTURE is what `cnnzoo filters` takes, and takes
    pip install 'cnnzoo[filters]'; drawing takes pip install 'cnnzoo[draw]'.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # of fonts and folders that it sets up for itself
    drawn = drawn_ending(format_, output, DRAWN)
    if grey and kind != "maps":
        raise click.UsageError("--grey is of maps, which have a PICTURE")
    if samples is not None and kind != "field":
        raise click.UsageError("--samples is of field, which averages gradients")
    most = 2 if kind == "maps" else 1
    if len(files) > most or (kind == "maps" and not files):
        said = "[WEIGHTS] PICTURE" if kind == "maps" else "at most one file of WEIGHTS"
        raise click.UsageError(f"look {kind} takes {said}, got {counted(len(files), 'files')}")
    if kind == "weights" and len(layers) > 1:
        raise click.UsageError("look weights takes one --layer")
    network, settings = _network(name, seed, input_size, num_classes, pairs)
    found = _looked(kind, network, files, layers, settings | {"seed": seed}, grey, samples)
    found = replace(found, network=name)  # a module and a description have no name of their own
    if drawn:
        write(str(output), found.to(drawn[1:]))
    else:
        emit(found.document(), format_, output)


def _looked(
    kind: str,
    network: Any,
    files: tuple[str, ...],
    layers: tuple[str, ...],
    settings: dict[str, Any],
    grey: bool,
    samples: int | None,
) -> Weights | Maps | Field:
    from ..features.look import Measuring, look_maps, look_weights

    if kind == "weights":
        return look_weights(network, *layers, *files, **settings)
    if kind == "maps":
        *trained, picture = files
        return look_maps(network, picture, layers, *trained, grey=grey, **settings)
    measuring = Measuring(network, layers, *files, **settings | ({} if samples is None else {"samples": samples}))
    with bar(measuring.todo, lambda one: f"{one[0]} {one[1]}") as todo:
        for one in todo:
            measuring.add(one)
    return measuring.result()


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
    network = (
        found.module
        if found.module is not None and "+" not in target
        else described(report, "it has no layers to look at").description
    )
    return network, {"input_size": report.input_size}
