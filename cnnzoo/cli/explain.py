"""`cnnzoo explain NAME PATH` and `cnnzoo explain LAYER … --in CxHxW`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any

import click

from ..arch import Layer, Shape
from ..arch.kinds import kinds
from ..calculate import calculate
from ..errors import InvalidValueError
from ..features.explain import Explanation, explain
from ..registry import UnknownModelError
from ..words import hint, quoted, read_literal, sides
from ..zoo import list_models
from .common import (
    arg_option,
    drawn_ending,
    emit,
    format_option,
    input_size_option,
    num_classes_option,
    output_option,
    rewrite_option,
    write,
)
from .completion import complete_path, complete_target
from .target import report_of
from .types import InputSize, ShapeType

if TYPE_CHECKING:
    from ..features.explain.walking import Walk

SHORT = {"bn": "BatchNorm2d", "lrn": "LocalResponseNorm"}
"""What people say for a layer, where it is not its name with or without the 2d."""

CHARACTERS = 20_000
"""Of a file of numbers, at most."""


def complete_network_or_layer(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """TARGETs, and the layers by their names in torch."""
    layers = sorted(kind.__name__ for kind in _kinds().values() if kind.__name__.startswith(incomplete))
    return [*complete_target(ctx, param, incomplete), *layers]


def complete_path_or_setting(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """KEY= for each setting of the layer that the command was given, or the paths in the network."""
    kind = _kind(ctx.params.get("name") or "")
    if kind is None:
        return complete_path(ctx, param, incomplete)
    return [f"{name}=" for name in signature(kind).parameters if name.startswith(incomplete)]


@click.command("explain", short_help="One layer's formulas, the numbers put in.")
@click.argument("name", metavar="NAME|LAYER", shell_complete=complete_network_or_layer)
@click.argument("rest", metavar="[PATH|SETTING…]", nargs=-1, shell_complete=complete_path_or_setting)
@input_size_option
@num_classes_option
@arg_option
@rewrite_option
@click.option(
    "--in",
    "reads",
    type=ShapeType(),
    metavar="CxHxW",
    help="What a LAYER of no network reads: 64x56x56, or 9216 features.",
)
@click.option("--values", is_flag=True, help="Each product and sum of a small convolution or pooling.")
@click.option("--input", "given", metavar="ROWS|FILE", help='What it reads, as "1 2 3 / 4 5 6"; "//" between channels.')
@click.option("--kernel", metavar="ROWS|FILE", help="Its weights; sizes that no SETTING says follow from them.")
@click.option("--bias", metavar="ROW|FILE", help="A number for each output channel; default: no bias.")
@output_option("Write to FILE, all or nothing; the values as a moving picture where it ends in .svg.")
@format_option
def explain_command(
    name: str,
    rest: tuple[str, ...],
    input_size: InputSize | None,
    num_classes: int | None,
    pairs: tuple[str, ...],
    rewrites: tuple[str, ...],
    reads: Shape | None,
    values: bool,
    given: str | None,
    kernel: str | None,
    bias: str | None,
    format_: str | None,
    output: str | None,
) -> None:
    """Print where each figure of a layer or a block comes from: its formulas, the numbers put in.

    \b
    cnnzoo explain resnet50 conv1
    cnnzoo explain alexnet+ungroup conv2 --input-size 448
    cnnzoo explain conv2d 128 kernel_size=3x1 stride=2 --in 64x56x56
    cnnzoo explain conv2d --values --input "1 2 3 / 4 5 6" --kernel "1 0 / 0 1"
    cnnzoo explain maxpool2d 2 --values --in 1x4x4 -o pooling.svg

    NAME is a registered network, with rewrites behind plus signs if you like, or anything else that `cnnzoo summary`
    takes. PATH is what `cnnzoo summary --all` calls a layer or a block; without a
    PATH it is the whole network. LAYER is a layer by its name in torch, with its
    settings by name or in torch's order, without the input channels.

    --values walks the window of a convolution, transposed or not, or of a pooling over a small input: each output with
    its products and their sum, exactly. ROWS are numbers with spaces between them, "/" between rows and "//" between
    channels, or a FILE of such; kernels stand in torch's order. Without --input or --kernel there are small numbers.
    """
    picture = drawn_ending(format_, output, [".svg"])
    if values:
        if (input_size, num_classes, pairs, rewrites) != (None, None, (), ()):
            raise click.UsageError("--values is of a layer in no network; --input-size and the like are a network's")
        walked = _walked(name, rest, reads, given, kernel, bias)
        if picture:
            write(str(output), walked.svg())
        else:
            emit(walked.document(), format_, output)
        return
    if (given, kernel, bias) != (None, None, None):
        raise click.UsageError("--input, --kernel and --bias go with --values")
    if picture:
        raise click.UsageError("a picture is of --values, the walk of a window; `cnnzoo draw` draws networks")
    if reads is not None:
        if input_size is not None or num_classes is not None or pairs or rewrites:
            raise click.UsageError("--in is of a layer in no network; --input-size and the like are a network's")
        explanation = _of_layer(name, rest, reads)
    else:
        about = {"pairs": pairs, "num_classes": num_classes, "rewrites": rewrites}
        explanation = _of_network(name, rest, input_size, **about)
    emit(explanation.document(), format_, output)


def _of_network(name: str, paths: Sequence[str], input_size: InputSize | None, **given: Any) -> Explanation:
    try:
        result = report_of(name, () if input_size is None else (input_size,), **given)
    except UnknownModelError:
        kind = _kind(name)
        if kind is None:
            raise
        raise InvalidValueError(f"{kind.__name__} is a layer: say what it reads, as --in 64x56x56") from None
    if len(paths) > 1:
        raise InvalidValueError(f"one PATH at a time, got {' and '.join(paths)}")
    return explain(result.whole(), *paths)


def _of_layer(name: str, arguments: Sequence[str], reads: Shape) -> Explanation:
    kind = _known(name, "its input size is --input-size")
    batch, shape = (reads[0], reads[1:]) if len(reads) == 4 else (1, reads)
    layer = _make(kind, arguments)
    return explain(calculate(layer, shape, batch_size=batch, model=kind.__name__))


def _walked(
    name: str, arguments: Sequence[str], reads: Shape | None, given: str | None, kernel: str | None, bias: str | None
) -> Walk:
    """The walk over what is given. A kernel says its size and the number of output channels where no argument does; a
    layer has a bias if one is given."""
    from ..features.explain.walking import grids, walk  # 8 ms that no other explanation needs

    kind = _known(name, "--values is of a layer, as conv2d")
    if (given is None) == (reads is None):
        raise InvalidValueError('--values takes what the layer reads: --input "1 2 / 3 4", or its shape: --in 1x5x5')
    maps = None if given is None else grids(_text(given), "input")
    kernels = None if kernel is None else grids(_text(kernel), "kernel")
    follows: dict[str, Any] = {}
    if kernels:
        groups = next((int(one[7:]) for one in arguments if re.fullmatch(r"groups=\d{1,9}", one, re.ASCII)), 1)
        channels = len(maps) if maps else (reads or (1,))[0]
        follows["out_channels"] = max(len(kernels) * groups // channels, 1)
        follows["kernel_size"] = len(kernels[0]), len(kernels[0][0])
    layer = _make(kind, [*arguments, *_missing(kind, arguments, follows)])
    if "bias" in layer.settings and not any(one.startswith("bias=") for one in arguments):
        layer = kind(**layer.settings | {"bias": bias is not None})
    return walk(layer, maps or reads, kernels, None if bias is None else _text(bias))


def _missing(kind: type[Layer], arguments: Sequence[str], follows: Mapping[str, Any]) -> Iterator[str]:
    """The settings that the layer has and the arguments do not say, as KEY=VALUE."""
    taken = list(signature(kind).parameters)
    bare = sum("=" not in argument for argument in arguments)
    said = {*taken[:bare], *(argument.partition("=")[0] for argument in arguments)}
    return (f"{key}={sides(value)}" for key, value in follows.items() if key in taken and key not in said)


def _text(given: str) -> str:
    """What a file has if there is one of that name, else the text itself."""
    if not os.path.isfile(given):
        return given
    try:
        with open(given, encoding="utf-8") as file:
            text = file.read(CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValueError(f"cannot read numbers from {given!r}: {error}") from None
    if len(text) > CHARACTERS:
        raise InvalidValueError(f"{given!r} has more than {CHARACTERS:,} characters, which is more than can be printed")
    return text


def _known(name: str, instead: str) -> type[Layer]:
    """The layer of a name, of a plugin too; InvalidValueError where there is none, with what to do of a network."""
    kind = _kind(name)
    networks = [] if kind else list_models()  # with which plugins are loaded, and their layers
    kind = kind or _kind(name)
    if kind is None:
        if name in networks:
            raise InvalidValueError(f"{name} is a network: {instead}")
        known = sorted(kind.__name__ for kind in _kinds().values())
        raise InvalidValueError(f"unknown layer {quoted(name)}; {hint(name, known)}")
    return kind


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _kinds() -> dict[str, type[Layer]]:
    return {_plain(name): kind for name, kind in kinds().items() if issubclass(kind, Layer) and kind is not Layer}


def _kind(name: str) -> type[Layer] | None:
    """The layer of a name in any case: Conv2d, conv_2d, conv."""
    known = _kinds()
    plain = _plain(SHORT.get(name.lower(), name))
    return known.get(plain) or known.get(f"{plain}2d")


def _make(kind: type[Layer], arguments: Iterable[str]) -> Layer:
    """The layer with its settings as VALUE, in the order of its signature, and as KEY=VALUE."""
    pairs = [argument.partition("=") for argument in arguments]
    values = [_value(value) for value, equals, _ in pairs if not equals]
    named = [(key, _value(value)) for key, equals, value in pairs if equals]
    taken = signature(kind)
    bare = [parameter.replace(annotation=Parameter.empty) for parameter in taken.parameters.values()]
    shown = f"{kind.__name__}{taken.replace(parameters=bare, return_annotation=Signature.empty)}"
    for place, (key, _) in enumerate(named):
        if key not in taken.parameters:
            raise InvalidValueError(f"{shown} takes no {key!r}; its input's channels follow from --in")
        if key in dict(named[:place]):
            raise InvalidValueError(f"{shown}: {key} is given twice")
    return kind(*values, **dict(named))


def _value(text: str) -> Any:
    """3x1 as a pair, 1x-1x0x2 as four, a Python literal, or a word."""
    if re.fullmatch(r"-?\d{1,19}(x-?\d{1,19})+", text, re.ASCII):
        return tuple(map(int, text.split("x")))
    return read_literal(text.capitalize() if text.lower() in ("true", "false", "none") else text)
