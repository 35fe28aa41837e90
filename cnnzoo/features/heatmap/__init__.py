"""Where on a picture a classifier sees its classes: the scores of each position, with linear layers as convolutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from ...arch import Node, ShapeError
from ...calculate import calculate
from ...errors import InvalidTypeError, InvalidValueError
from ...extras import need
from ...report.rows import along_axes
from ...resolve import OF_WEIGHTS
from ...words import quoted, sides
from ...words import size as bytes_as_text
from .maps import HeatMap, Peak, Side

if TYPE_CHECKING:
    from torch import nn

    from ...report import Report
    from ...values.arrays import Array

__all__ = ["HeatMap", "Peak", "Side", "heatmap"]

REWRITE = "convolutionalize"

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of red, green and blue, from 0 to 1, with which most networks are trained."""

TOP = 5
"""How many classes are shown where none are said."""

BYTES = 4 * 10**9
"""Of weights and activations at once, at most."""


def heatmap(
    model: Any,
    picture: Any,
    classes: Sequence[int] | Mapping[int, str] | None = None,
    *,
    top: int = TOP,
    size: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    input_size: Any = None,
    **settings: Any,
) -> HeatMap:
    """The score maps of a picture: where on it a trained classifier sees each of its classes.

    `model` is what `create_model` takes, and `settings` are its, with `pretrained` a file of weights; or a trained
    `torch.nn.Module` and the `input_size` that it was trained at. Its linear layers become convolutions
    (`convolutionalize`; say `rewrites=["convolutionalize=slide"]` for another way), so that the picture is taken as it
    is, or with its shorter side scaled to `size` pixels. It is the path of a file or an array, as for
    `cnnzoo.filters`, and from 0 to 1 less `mean` over `std`: by default those of the weights where they are known, else
    ImageNet's; for networks of another number of channels than three 0 and 1.

    `classes` are shown, by default the `top` ones of the whole picture; they may be given names, {985: "daisy"}. Raises
    what `create_model` does, and InvalidValueError where the network gives no maps, or what their positions see is not
    known, and for a picture that is none, too large or too small.
    """
    need("heat maps", "filters", "numpy", "PIL")
    import numpy as np

    from ...pytorch.look import maps, with_weights

    found = _convolutional(model, input_size, settings)
    name, net, channels = found.name, found.net, found.shape[0]
    title, x = _read(picture, channels, size)
    report = _reported(found, x.shape)
    mean, std = (
        _of_channels(what, said, getattr(net, "pretrained_cfg", {}).get(what), default, channels)
        for what, said, default in (("mean", mean, IMAGENET[0]), ("std", std, IMAGENET[1]))
    )
    scores = with_weights(net, None, lambda net: maps(net, [""], x, mean, std)[""], own=True)
    if not np.isfinite(scores).all():
        raise InvalidValueError(f"{name} gives scores for {title} that are no numbers")
    ranked = np.argsort(-scores.mean(axis=(1, 2)), kind="stable")[:top]
    named = classes if isinstance(classes, Mapping) else dict.fromkeys(ranked if classes is None else classes, "")
    shown = {int(one): name for one, name in named.items()}
    for one in shown:
        if not 0 <= one < len(scores):
            raise InvalidValueError(f"class {one} is none of {name}, whose classes are 0 to {len(scores) - 1}")
    said = [("Normalised", f"from 0 to 1, less {_numbers(mean)}, over {_numbers(std)}")]
    return HeatMap(name, title, x, scores, _sides_of(report, name), shown, said)


class Found(NamedTuple):
    """A network whose linear layers are convolutions."""

    name: str
    net: nn.Module
    description: Node
    why_not: str | None
    """Why they are not."""
    shape: tuple[int, ...]
    """Of the images that it was trained with."""


def _convolutional(model: Any, input_size: Any, settings: dict[str, Any]) -> Found:
    """The network with its weights, its linear layers as convolutions."""
    from ...create import create_model, rebuild
    from ...resolve import describe, design, is_module, read_names, read_sizes
    from ...rewrites import apply, get_rewrite

    names = (*read_names(settings.pop("rewrites", ())), REWRITE)
    if is_module(model):
        if input_size is None:
            raise InvalidValueError("of a module say the input_size that it was trained at: (3, 224, 224)")
        if settings:
            raise InvalidTypeError(f"a torch.nn.Module takes no settings, got {', '.join(settings)}")
        (shape, *_), _ = read_sizes(input_size, None, None)
        description = describe(model, shape)
        why_not = None
        for rewrite in (get_rewrite(name, shape) for name in names):
            why_not, description = rewrite.why_not(description), rewrite(description)
        net = rebuild(model, shape, rewrites=names).module
        return Found(type(model).__name__, net, description, why_not, shape)
    if not any(settings.get(one) for one in OF_WEIGHTS):
        raise InvalidValueError("a heat map is of trained weights: say pretrained=, the path of a file")
    notes: tuple[str, ...] = ()
    if isinstance(model, Node):
        (shape, *_), _ = read_sizes(input_size, None, None)
        (model, notes), names = apply(model, names, shape), ()
    found = design(model, input_size, rewrites=names, settings=settings)
    net = create_model(model, rewrites=names, input_size=input_size, **settings)
    refused = [note for note in (*notes, *found.named.notes) if "does not apply" in note]
    return Found(found.named.name or "the network", net, found.description, next(iter(refused), None), found.shape)


def _read(picture: Any, channels: int, size: int | None) -> tuple[str, Array]:
    """A picture's name, and its values as (channels, height, width)."""
    import numpy as np

    from ..filters.pictures import read, scaled

    if channels not in (1, 3):
        raise InvalidValueError(f"the network takes {channels} channels, and a picture has one or three")
    name, x = read(picture, channels == 1, None)
    x = x if size is None else scaled(x, size)
    return name, np.broadcast_to(x, (channels, *x.shape[1:]))


def _reported(found: Found, shape: tuple[int, ...]) -> Report:
    """The report of the network over a picture; InvalidValueError where it gives no map of it, or not in `BYTES`."""
    name, _, description, why_not, own = found
    why = f"; {why_not}" if why_not else ""
    if description._regions:
        raise InvalidValueError(f"{name} takes boxes beside a picture, and a heat map is of a picture alone")
    try:
        report = calculate(description, shape, model=name)
    except ShapeError as error:
        raise InvalidValueError(f"{name} takes no picture of {sides(shape[1:])}: {error}{why}") from None
    if report[""].more_outputs:
        raise InvalidValueError(f"{name} gives several outputs, {', '.join(report.outputs)}, and a heat map is of one")
    if len(report[""].output_shape) != 3:
        raise InvalidValueError(
            f"{name} gives no map of scores: {why_not or 'it gives ' + sides(report[''].output_shape)}"
        )
    if report.total_params != calculate(description, own).total_params:
        raise InvalidValueError(f"{name} takes no picture of {sides(shape[1:])}: its weights are for {sides(own)}{why}")
    needed = report.totals["peak_bytes"]
    if needed is None or needed > BYTES:
        raise InvalidValueError(
            f"{name} takes {bytes_as_text(needed)} for a picture of {sides(shape[1:])}, more than "
            f"{bytes_as_text(BYTES)}: say size=, at a prompt --size"
        )
    return report


def _sides_of(report: Report, name: str) -> tuple[Side, Side]:
    """How the network's output lies on its input."""
    last = next(row for row in reversed(report.rows) if not row.aux)
    values = (last.receptive_field, last.effective_stride, last.effective_padding)
    pairs = [*map(along_axes, values)]
    known = last is report.last_map and all(type(length) is int for one in pairs for length in one)
    if not known or 0 in pairs[1]:
        raise InvalidValueError(
            f"what a position of {name}'s map sees of the picture is not known, so it has no place on it"
        )
    down, across = zip(*pairs, strict=True)
    return Side(*down), Side(*across)


def _of_channels(what: str, said: Any, own: Any, default: Sequence[float], channels: int) -> tuple[float, ...]:
    """The mean or deviation that the values of each channel are normalised with."""
    plain = 0.0 if what == "mean" else 1.0
    found = said if said is not None else own or (default if channels == len(default) else (plain,))
    values = tuple(float(one) for one in (found if isinstance(found, Sequence) else (found,)))
    values = values * channels if len(values) == 1 else values
    good = all(isfinite(one) and (what == "mean" or one > 0) for one in values)
    if len(values) != channels or not good:
        least = "numbers" if what == "mean" else "numbers above 0"
        raise InvalidValueError(f"{what} takes one number or {channels}, {least}; got {quoted(said)}")
    return values


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{one:g}" for one in dict.fromkeys(values))
