"""What the package offers to Python and to the command line alike."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .arch.node import Node
from .arch.signal import ShapeError
from .calculate import calculate
from .published import remarks
from .registry import Builder, get_builder
from .report import Report
from .resolve import design, find
from .words import channels_last

if TYPE_CHECKING:
    import torch
    from torch import nn

    from .pytorch.init import Scheme
    from .weights.published import Source


def summary(
    model: str | Builder[Any] | Node | nn.Module,
    input_size: Any = None,
    *,
    input_data: Any = None,
    batch_size: int | None = None,
    dtype: str | torch.dtype | None = None,
    strict: bool = False,
    rewrites: Iterable[str] = (),
    **settings: Any,
) -> Report:
    """The `Report` of a registered network, by name or builder, of a description, or of any `torch.nn.Module`.

    `input_size` is (channels, height, width), with the batch in front as in torchinfo, or one number for
    a square of the registered channels; by default what the network is registered with. `settings` are
    `create_model`'s, `num_classes=10` or `stem="cifar"`, and the builder's own; what only a module has, as
    `pretrained`, changes no figure. `rewrites` are applied in their order; behind a name a plus sign says the
    same: "googlenet+drop_reductions". One that does not apply changes nothing, and a note says why.
    Raises `UnknownModelError`, `UnknownRewriteError`, `ShapeError` where a layer cannot take what reaches it,
    ValueError for a size that is none, TypeError for an unknown setting.

    A module is measured, not calculated (`cnnzoo.pytorch.measure`): it takes a size, several of them, or
    `input_data`, and `settings` go to its forward; without any of it nothing is run, and the report has parameters
    alone. `dtype` is by default the module's own, else float32.
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
    return calculated(model, input_size, rewrites=rewrites, batch_size=batch_size, dtype=dtype, settings=settings)


def calculated(
    model: str | Builder[Any] | Node,
    input_size: Any,
    *,
    rewrites: Iterable[str],
    batch_size: int | None,
    dtype: str | torch.dtype | None,
    settings: Mapping[str, Any],
) -> Report:
    """`summary` of what is no module, its settings apart from its keywords."""
    found = design(model, input_size, rewrites=rewrites, batch_size=batch_size, settings=settings)
    named = found.named
    hint = channels_last(found.shape)
    about: dict[str, Any] = {"model": named.name, "notes": (*named.notes, hint) if hint else named.notes}
    if named.builder:
        about["paper"] = named.builder.paper.citation
        if named.is_default and (found.shape, found.features) == (named.builder.input_size, None):
            about["printed"] = remarks(named.builder)
    kind = str(dtype or "float32").removeprefix("torch.")
    try:
        return calculate(found.description, found.shape, batch_size=found.batch_size, dtype=kind, **about)
    except ShapeError as error:
        raise ShapeError(f"{error.problem}; {hint}", error.place) if hint else error from None


def describe(model: str | Builder[Any] | Node, *, rewrites: Iterable[str] = (), **settings: Any) -> Node:
    """The description of a registered network under `rewrites`, which a name may have behind plus signs.

    `settings` are `create_model`'s. A rewrite that does not apply changes nothing. Raises what `summary` does.
    """
    if isinstance(model, Node) and not settings.get("features_only"):
        return find(model, rewrites, settings).description
    return design(model, rewrites=rewrites, settings=settings).description


def create_model(
    model: str | Builder[Any] | Node,
    pretrained: bool | Source = False,
    *,
    rewrites: Iterable[str] = (),
    num_classes: int | None = None,
    in_chans: int | None = None,
    input_size: int | Iterable[int] | None = None,
    stem: Literal["cifar"] | None = None,
    features_only: bool = False,
    out_indices: int | Sequence[int] | None = None,
    drop_head: bool = False,
    init: str | Scheme | None = "torchvision",
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    inplace: bool = True,
    zero_init_residual: bool = False,
    weights: Any = None,
    checkpoint_path: str | os.PathLike[str] | None = None,
    progress: bool = True,
    **settings: Any,
) -> nn.Module:
    """A registered network, by name or builder, or a description, as a `torch.nn.Module`.

    The keywords are timm's where it has them; those that say what the network is go to `summary` and `describe`, too.

    `rewrites` are applied to the description first, in their order: `["drop_reductions", "scale_width=0.5"]`.
    `num_classes=0` leaves out the classifier (`edits.without_head`); `stem="cifar"` is for images of about
    32x32 (`edits.new_stem`). `input_size`, as in `summary`, matters where a linear layer reads maps;
    `in_chans` changes its channels. With `features_only` the module returns a list of maps, the last one at
    each stride, or those of `out_indices`; its `feature_info` has their channels, reductions and names.

    `init` is "torchvision", "paper", "torch", a function of the module, or None for no work at all
    (`cnnzoo.pytorch.init`); with `zero_init_residual` each residual branch begins at 0. `pretrained` is a path, which
    timm calls `checkpoint_path`, or True for the first weights that torchvision publishes; `weights` are any of these,
    by name, "DEFAULT" or a member of torchvision's enum; `progress` shows how far they are downloaded. With another
    `num_classes` their classifier is left out, with `drop_head` that of a file, too (`load_checkpoint`). The mean and
    deviation that the input of published weights is normalised with are in the module's `pretrained_cfg`.

    `inplace`, as in torchvision, lets ReLUs overwrite their input where nothing else needs it: outputs and gradients
    are the same, memory and time less. `settings` go to the builder. Raises what `summary` does, and ValueError where
    the network has no such head, stem or scheme.
    """
    from .pytorch.build import build
    from .pytorch.checkpoints import load_pretrained
    from .pytorch.features import Features, introduced
    from .pytorch.init import find_scheme, zero_residuals
    from .weights.published import Published, config_of

    settings |= {"num_classes": num_classes, "in_chans": in_chans, "stem": stem}
    settings |= {"features_only": features_only, "out_indices": out_indices}
    settings |= {"pretrained": pretrained, "weights": weights, "checkpoint_path": checkpoint_path}
    found = design(model, input_size, rewrites=rewrites, settings=settings)
    builder, source = found.named.builder, found.named.source
    name, family = (builder.name, builder.__module__) if builder else ("", "")
    description = found.named.description if source else found.description
    scheme = find_scheme(init, name, family) if isinstance(init, str) else init
    other_classes = isinstance(source, Published) and num_classes not in (None, 1000)
    drop_head = drop_head or num_classes == 0 or other_classes
    replaced = source and not drop_head  # every parameter is loaded
    begin = None if replaced else scheme
    net = build(description, found.shape, init=begin, device=device, dtype=dtype, inplace=inplace)
    if zero_init_residual:
        zero_residuals(net)
    load_pretrained(net, name, source, drop_head=drop_head, progress=progress)
    if found.features:
        net = Features(net, found.features)
    config = config_of(name, source, found.named.description)
    return introduced(net, found.named.description, found.shape, config, builder.outputs if builder else None)


def get_model(name: str, **config: Any) -> nn.Module:
    """A registered network by name, as in torchvision: `get_model("resnet50", weights=None, num_classes=10)`."""
    model: nn.Module = get_builder(name)(**config)
    return model
