"""Networks as modules of torch, by timm's and torchvision's names and keywords."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .arch.node import Node
from .errors import InvalidTypeError, InvalidValueError
from .registry import Builder
from .resolve import describe, design, is_module, read_names, read_sizes
from .words import quoted
from .zoo import get_builder

if TYPE_CHECKING:
    import torch
    from torch import nn

    from .pytorch.modules.checkpoints import Loaded
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


class Rebuilt(NamedTuple):
    """A module that was built from another one's description, and what it has of the other's weights."""

    module: nn.Module
    loaded: Loaded
    """By name, which tensors have the original's values (`loaded`), which of the original's were left out (`dropped`),
    and which of the new ones have their first values (`kept`)."""


def rebuild(
    module: nn.Module,
    input_size: Any,
    *,
    rewrites: Iterable[str] = (),
    init: str | Scheme | None = "torch",
    inplace: bool = False,
) -> Rebuilt:
    """A module of another one's description under `rewrites`, with those of its weights whose names and shapes it has:
    `net, loaded = cnnzoo.rebuild(net, (3, 224, 224), rewrites=["drop_shortcuts"])`.

    Layers and blocks keep their names, so that a tensor of another name or shape is one that a rewrite changed: these
    begin as `init` says (`create_model`). Not so under `fuse_batchnorm`, `reparameterize` and `convolutionalize`: what
    these change is worked out from the weights that there are, and counts as loaded. Mode, dtype, device and what is
    frozen are the original's, which stays as it was. Without `rewrites` it is the original once more. `input_size` is
    as in `summary`. Raises what `describe` does, `ShapeError` where the rewritten network does not take the input,
    ValueError for a module on the meta device.
    """
    from .pytorch.measuring.inputs import dtype_of
    from .pytorch.modules.build import build
    from .pytorch.modules.checkpoints import take_matching
    from .pytorch.modules.fusion import carried
    from .pytorch.modules.init import find_scheme
    from .rewrites import get_rewrite

    if not is_module(module):
        raise InvalidTypeError(f"rebuild takes a torch.nn.Module, got {quoted(module)}; create_model builds others")
    kept = module.state_dict(keep_vars=True)
    state: Mapping[str, torch.Tensor] = {name: one for name, one in kept.items() if hasattr(one, "requires_grad")}
    if any(value.is_meta for value in state.values()):
        raise InvalidValueError("the module is on the meta device and has no weights to keep")
    sizes, _ = read_sizes(input_size, None, None)
    description = describe(module, sizes)
    for rewrite in [get_rewrite(name, sizes[0]) for name in read_names(rewrites)]:
        state, description = carried(rewrite, description, state), rewrite(description)
    scheme = find_scheme(init, "", "") if isinstance(init, str) else init
    device = next((value.device for value in state.values()), None)
    net = build(description, sizes, init=scheme, device=device, dtype=dtype_of(module), inplace=inplace)
    loaded = take_matching(net, state)
    own = net.state_dict(keep_vars=True)
    for name in loaded.loaded:
        own[name].requires_grad_(state[name].requires_grad)
    return Rebuilt(net.train(module.training), loaded)


def get_model(name: str, **config: Any) -> nn.Module:
    """A registered network by name, as in torchvision: `get_model("resnet50", weights=None, num_classes=10)`."""
    model: nn.Module = get_builder(name)(**config)
    return model
