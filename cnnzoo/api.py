"""What the package offers to Python and to the command line alike."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .arch.node import Node
from .arch.signal import Shape
from .calculate import calculate
from .published import remarks
from .registry import Builder, get_builder
from .report import Report

if TYPE_CHECKING:
    import torch
    from torch import nn

    from .pytorch.init import Scheme


def summary(
    model: str | Builder[Any] | Node | nn.Module,
    input_size: Any = None,
    *,
    input_data: Any = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    strict: bool = False,
    rewrites: Iterable[str] = (),
    **settings: Any,
) -> Report:
    """The `Report` of a registered network, by name or builder, of a description, or of any `torch.nn.Module`.

    `input_size` is (channels, height, width), with the batch in front as in torchinfo, or one number for
    a square of the registered channels; by default what the network is registered with. `settings` go
    to the builder: `num_classes=10`. `rewrites` are applied in their order; behind a name a plus sign says the
    same: "googlenet+drop_reductions". One that does not apply changes nothing, and a note says why.
    Raises `UnknownModelError`, `UnknownRewriteError`, `ShapeError` where a layer cannot take what reaches it,
    ValueError for a size that is none, TypeError for an unknown setting.

    A module is measured, not calculated (`cnnzoo.pytorch.measure`): it takes a size, several of them, or
    `input_data`, and `settings` go to its forward. `dtype` is by default the module's own, else float32.
    With `strict` it is an error if something could not be counted.
    """
    if not isinstance(model, str | Builder | Node):
        from .pytorch.measure import measure

        if rewrites:
            raise TypeError("rewrites go with a description: a torch.nn.Module is measured as it is")
        given = {"input_data": input_data, "batch_size": batch_size, "dtype": dtype, "strict": strict}
        return measure(model, input_size, **given, **settings)
    if input_data is not None:
        raise TypeError("input_data goes with a torch.nn.Module: names and descriptions are calculated from input_size")
    default, about = None, dict[str, Any]()
    if isinstance(model, Node):
        if settings:
            raise TypeError(f"a description takes no settings, got {', '.join(settings)}")
        description, names = model, [*rewrites]
    else:
        builder, names = _named(model, rewrites)
        description, default = builder.describe(**settings), builder.input_size
        about = {"model": "+".join([builder.name, *names]), "paper": builder.paper.citation}
    shape, batch = read_size(input_size, default, batch_size)
    if names:
        description, about["notes"] = _rewritten(description, names)
    elif about and shape == default and not settings:
        about["printed"] = remarks(builder)
    return calculate(description, shape, batch_size=batch, dtype=dtype or "float32", **about)


def describe(model: str | Builder[Any], *, rewrites: Iterable[str] = (), **settings: Any) -> Node:
    """The description of a registered network under `rewrites`, which a name may have behind plus signs.

    `settings` go to the builder. A rewrite that does not apply changes nothing. Raises what `summary` does.
    """
    builder, names = _named(model, rewrites)
    return _rewritten(builder.describe(**settings), names)[0]


def _named(model: str | Builder[Any], rewrites: Iterable[str]) -> tuple[Builder[Any], list[str]]:
    """The builder, and the names of the rewrites, those behind its name first."""
    if isinstance(rewrites, str):
        raise TypeError(f"rewrites must be a list of names, got {rewrites!r}")
    name, *more = model.split("+") if isinstance(model, str) else [model]
    return get_builder(name) if isinstance(name, str) else name, [*more, *rewrites]


def _rewritten(description: Node, names: Sequence[str]) -> tuple[Node, tuple[str, ...]]:
    """The description under these rewrites, and what each says; the rewrites are imported where there are any."""
    if not names:
        return description, ()
    from .rewrites import apply

    return apply(description, names)


def read_size(size: int | Iterable[int] | None, default: Shape | None, batch_size: int | None) -> tuple[Shape, int]:
    """(channels, height, width) and the batch, from any of the ways to say an input size."""
    if size is None or isinstance(size, int):
        if default is None:
            raise ValueError("a description has no input size of its own: give input_size=(channels, height, width)")
        shape = default if size is None else (default[0], size, size)
    else:
        shape = tuple(size)
    if len(shape) == 4:
        if batch_size not in (None, shape[0]):
            raise ValueError(f"input_size {shape} says a batch of {shape[0]}, batch_size says {batch_size}")
        batch_size, *rest = shape
        shape = tuple(rest)
    if len(shape) not in (1, 3) or any(type(length) is not int or length < 1 for length in shape):
        raise ValueError(
            f"input_size must be (channels, height, width), (batch, channels, height, width) or one number, "
            f"all of them positive whole numbers; got {shape}"
        )
    return shape, 1 if batch_size is None else batch_size


def create_model(
    model: str | Builder[Any],
    pretrained: bool | str | os.PathLike[str] = False,
    *,
    rewrites: Iterable[str] = (),
    num_classes: int | None = None,
    in_chans: int | None = None,
    input_size: int | Iterable[int] | None = None,
    stem: Literal["cifar"] | None = None,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    drop_head: bool = False,
    init: str | Scheme | None = "torchvision",
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    inplace: bool = True,
    **settings: Any,
) -> nn.Module:
    """A registered network, by name or builder, as a `torch.nn.Module`; the keywords are timm's where it has them.

    `rewrites` are applied to the description first, in their order: `["drop_reductions", "scale_width=0.5"]`.
    `num_classes=0` leaves out the classifier (`edits.without_head`); `stem="cifar"` is for images of about
    32x32 (`edits.new_stem`). `input_size`, as in `summary`, matters where a linear layer reads maps;
    `in_chans` changes its channels. With `features_only` the module returns a list of maps, the last one at
    each stride, or those of `out_indices`; its `feature_info` has their channels, reductions and names.

    `init` is "torchvision", "paper", "torch", a function of the module, or None for no work at all
    (`cnnzoo.pytorch.init`). `pretrained` is a path, or True for the weights that torchvision publishes;
    `drop_head` lets their classifier have other classes (`load_checkpoint`). `inplace`, as in
    torchvision, lets ReLUs overwrite their input where nothing else needs it: outputs and gradients are the
    same, memory and time less. `settings` go to the builder. Raises what `summary` does, and
    ValueError where the network has no such head, stem or scheme.
    """
    from . import edits
    from .pytorch.build import build
    from .pytorch.checkpoints import load_pretrained
    from .pytorch.features import FeatureInfo, Features
    from .pytorch.init import find_scheme

    builder, names = _named(model, rewrites)
    builder.check(settings, create_model.__kwdefaults__ or ())
    if num_classes:
        settings["num_classes"] = num_classes
    description = describe(builder, rewrites=names, **settings)
    if num_classes == 0:
        description = edits.without_head(description)
    if stem is not None:
        description = edits.new_stem(description, stem)
    shape, _ = read_size(input_size, (in_chans or builder.input_size[0], *builder.input_size[1:]), None)
    if in_chans not in (None, shape[0]):
        raise ValueError(f"input_size {shape} has {shape[0]} channels, in_chans says {in_chans}")
    info = FeatureInfo(description, shape, out_indices) if features_only else None
    if info and not pretrained:
        description = edits.cut(description, info.steps[-1])
    scheme = find_scheme(init, builder.name, builder.__module__) if isinstance(init, str) else init
    drop_head = drop_head or num_classes == 0
    replaced = pretrained and not drop_head  # every parameter is loaded
    net = build(description, shape, init=None if replaced else scheme, device=device, dtype=dtype, inplace=inplace)
    load_pretrained(net, builder.name, pretrained, drop_head=drop_head)
    return Features(net, info) if info else net


def get_model(name: str, **config: Any) -> nn.Module:
    """A registered network by name, as in torchvision: `get_model("resnet50", weights=None, num_classes=10)`."""
    model: nn.Module = get_builder(name)(**config)
    return model
