"""Networks as modules of torch, by timm's and torchvision's names and keywords."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .arch.node import Node
from .registry import Builder
from .resolve import design
from .zoo import get_builder

if TYPE_CHECKING:
    import torch
    from torch import nn

    from .pytorch.modules.init import Scheme
    from .weights.published import Source


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
    `num_classes=0` leaves out the classifier (`ends.without_head`); `stem="cifar"` is for images of about
    32x32 (`ends.new_stem`). `input_size`, as in `summary`, matters where a linear layer reads maps;
    `in_chans` changes its channels. With `features_only` the module returns a list of maps, the last one at
    each stride, or those of `out_indices`; its `feature_info` has their channels, reductions and names.

    `init` is "torchvision", "paper", "torch", a function of the module, or None for no work at all
    (`cnnzoo.pytorch.modules.init`); with `zero_init_residual` each residual branch begins at 0. `pretrained` is a path,
    which timm calls `checkpoint_path`, or True for the first weights that torchvision publishes; `weights` are any of
    these, by name, "DEFAULT" or a member of torchvision's enum; `progress` shows how far they are downloaded. With
    another `num_classes` their classifier is left out, with `drop_head` that of a file, too (`load_checkpoint`). The
    mean and deviation that the input of published weights is normalised with are in the module's `pretrained_cfg`.

    `inplace`, as in torchvision, lets activations overwrite their input where nothing else needs it: outputs and
    gradients are the same, memory and time less. `settings` go to the builder. Raises what `summary` does, and
    ValueError where the network has no such head, stem or scheme.
    """
    from .pytorch.modules.build import build
    from .pytorch.modules.checkpoints import load_pretrained
    from .pytorch.modules.features import Features, introduced
    from .pytorch.modules.init import find_scheme, zero_residuals
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
    net = build(description, found.sizes, init=begin, device=device, dtype=dtype, inplace=inplace)
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
