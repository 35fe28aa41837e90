"""`cnnzoo heatmap TARGET FILE PICTURE`."""

from __future__ import annotations

from typing import Any

import click

from ..resolve.loading import is_registered, split
from .common import drawn_ending, emit, format_option, input_size_option, num_classes_option, output_option, write
from .completion import complete_target
from .target import report_of
from .types import InputSize, TargetType


class ClassType(click.ParamType[tuple[int, str]]):
    """A class and what it is called: 985 or 985=daisy."""

    name = "class"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, str]:
        number, _, name = value.partition("=")
        return click.IntRange(0, 10**9).convert(number, param, ctx), name


@click.command("heatmap", short_help="Where on a photograph a class is.")
@click.argument("target", type=TargetType(), metavar="TARGET", shell_complete=complete_target)
@click.argument("file", type=click.Path())
@click.argument("picture", metavar="PICTURE", type=click.Path())
@click.option(
    "--class",
    "classes",
    type=ClassType(),
    metavar="N=NAME",
    multiple=True,
    help="A class by its number, and what it is to be called; once for each.",
)
@click.option(
    "--top", type=click.IntRange(1, 100), default=5, show_default=True, help="Without --class, how many classes."
)
@click.option("--size", type=click.IntRange(1, 4096), help="Scale PICTURE's shorter side to so many pixels.")
@click.option(
    "--mean",
    type=float,
    metavar="VALUE",
    multiple=True,
    help="Taken off its values from 0 to 1; once for all channels or for each.",
)
@click.option(
    "--std",
    type=float,
    metavar="VALUE",
    multiple=True,
    help="What they are divided by. Default of both: the weights' own, or ImageNet's.",
)
@input_size_option
@num_classes_option
@output_option("Write to FILE, all or nothing; the pictures where it ends in .png or .jpg.")
@format_option
def heatmap_command(
    target: str,
    file: str,
    picture: str,
    classes: tuple[tuple[int, str], ...],
    top: int,
    size: int | None,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    input_size: InputSize | None,
    num_classes: int | None,
    output: str | None,
    format_: str | None,
) -> None:
    """Show where on PICTURE the network TARGET, with the weights in FILE, sees each class.

    \b
    cnnzoo heatmap vgg16 w.pth cat.jpg
    cnnzoo heatmap resnet50 mine.pth street.jpg --class 468=cab -o cabs.jpg

    The network's linear layers become convolutions, TARGET+convolutionalize, so that every place of a picture of any
    size has scores; TARGET+convolutionalize=slide keeps the pooling. --input-size is what a module was trained at. A
    table has the classes of the whole picture, and where on it each is most probable; a picture has it and the map of
    each class on it, or that of one --class alone. FILE is read as by `cnnzoo check-weights`; nothing in it is run. It
    takes pip install 'cnnzoo[filters]'.
    """
    from ..features.heatmap import heatmap

    drawn = drawn_ending(format_, output, [".png", ".jpg"])
    network, settings = _network(target, file, input_size, num_classes)
    scale: dict[str, Any] = {"size": size, "mean": mean or None, "std": std or None}
    found = heatmap(network, picture, dict(classes) or None, top=top, **scale, **settings)
    if drawn:
        write(str(output), found.to(drawn[1:]))
    else:
        emit(found.document(), format_, output)


def _network(
    target: str, file: str, input_size: InputSize | None, num_classes: int | None
) -> tuple[Any, dict[str, Any]]:
    """What `heatmap` takes for a TARGET with its weights, and the settings that go with it."""
    if is_registered(target):
        if input_size is not None:
            raise click.UsageError(f"{target} has an input size of its own; for another say +convolutionalize=256")
        return target, {"pretrained": file} | ({} if num_classes is None else {"num_classes": num_classes})
    place, rewrites = split(target)
    sizes = () if input_size is None else (input_size,)
    found = report_of(place, sizes, num_classes=num_classes, values=True)
    about = {"rewrites": rewrites, "input_size": found.whole().input_size}
    if found.module is None:
        return found.report.description, about | {"pretrained": file}
    from ..pytorch.modules.checkpoints import load_checkpoint

    load_checkpoint(found.module, file)
    return found.module, about
