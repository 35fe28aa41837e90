"""Modules that are layers of a description as they stand: torch.nn's own and those that `build` makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from torch import nn

from ...arch import Layer, Meeting, Node, Shape, ShapeError, StochasticDepth, Unused
from ...arch.kinds import kinds
from ...arch.rules import Shapes
from ..measuring.tree import Held, own_tensors, tensors_by_key
from .standardised import gamma_of
from .words import plain

HOMES = ("torch.nn.modules.", "cnnzoo.pytorch.modules.", "timm.layers.")
"""Where a module of a layer's name is that layer; timm's names are its own for layers that torch.nn lacks."""

HOOKS = ("_forward_hooks", "_forward_pre_hooks")


def leaf_of(module: nn.Module, shapes: list[Shape]) -> Node | None:
    """The layer that a module is, for inputs of these shapes without the batch; None where it is no layer as it stands:
    one that is hooked, wrapped, or has other tensors than the layer is seen by what it calls."""
    name = type(module).__name__
    kind: Any = kinds().get(ALSO.get(name, name))
    home = type(module).__module__
    if any(getattr(module, hooks) for hooks in HOOKS) or "forward" in vars(module):
        return None
    if type(module).__name__ in SKIPPED:
        return _skipped(module)
    if kind is None or not issubclass(kind, Layer | Meeting) or not home.startswith(HOMES):
        return None
    if any(getattr(module, name, value) != value for name, value in UNSAID.items()):
        return None
    try:
        node: Node = kind(**_settings(module, kind))
        return node if not isinstance(node, Layer) or _has_tensors_of(module, node, shapes) else None
    except (ShapeError, AttributeError):
        return None


ALSO = {"EvoNorm2dS0a": "EvoNorm2dS0"}
"""Other names of layers: this one is timm's of a larger eps."""

SKIPPED = ("DropPath", "StochasticDepth")
"""What drops whole samples in training, by the names that timm and torchvision have for it."""

UNSAID = {"padding_mode": "zeros", "return_indices": False, "divisor_override": None, "recompute_scale_factor": None}
"""Settings of torch.nn's modules that layers do not have, and what they are then."""


def _skipped(module: Any) -> Node | None:
    p = getattr(module, "p", getattr(module, "drop_prob", 0.0))
    return StochasticDepth(float(p or 0.0), getattr(module, "mode", "row"))


def _settings(module: Any, kind: Any) -> dict[str, Any]:
    found = {}
    for field in fields(kind):
        if field.name == "_":
            continue
        read = READ.get(field.name)
        found[field.name] = plain(getattr(module, field.name) if read is None else read(module))
    return found


def _bias(module: Any) -> bool:
    """Whether it has a bias; a normalisation without weights says nothing of one, which then is as by default."""
    if not getattr(module, "elementwise_affine", True):
        return True
    found = getattr(module, "bias", None)
    return found if isinstance(found, bool) else found is not None


def _gamma(module: Any) -> float:
    """That of timm's module, which keeps it times the root of how many weights an output channel has."""
    if hasattr(module, "gamma"):
        return float(module.gamma)
    return gamma_of(float(module.scale), module.weight[0].numel())


READ: Mapping[str, Callable[[Any], Any]] = {
    "bias": _bias,
    "normalized_dims": lambda module: len(module.normalized_shape),
    "factor": lambda module: module.number,
    "term": lambda module: module.number,
    "affine": lambda module: getattr(module, "affine", getattr(module, "weight", None) is not None),
    "gamma": _gamma,
    "channels_last": lambda module: getattr(module, "channels_last", getattr(module, "channel_dim", 1) == -1),
    "gain_init": lambda module: getattr(module, "gain_init", 1.0),
    "shared": lambda module: getattr(module, "shared", getattr(module, "channels", 0) is None),
    "apply_act": lambda module: getattr(module, "tau", getattr(module, "v", None)) is not None,
    "dim": lambda module: module.dim[0] if isinstance(module.dim, list) and len(module.dim) == 1 else module.dim,
}
"""How a setting is read where the module has it otherwise."""


def unused_of(module: nn.Module) -> Unused | None:
    """What a module is that hands its input on; None where it has no tensors."""
    held = tensors_by_key(module)
    return Unused(*stated(held)) if held else None


class Stated(NamedTuple):
    """The tensors of a layer that says of all of them what they are, as its settings have them."""

    parameters: Shapes
    buffer_tensors: Shapes
    non_persistent: tuple[str, ...]


def stated(held: Mapping[str, Held]) -> Stated:
    """What a layer says that has these tensors, by name."""
    return Stated(
        tuple((name, own.shape) for name, own in held.items() if not own.is_buffer),
        tuple((name, own.shape) for name, own in held.items() if own.is_buffer),
        tuple(name for name, own in held.items() if not own.is_persistent),
    )


def _has_tensors_of(module: nn.Module, layer: Layer, shapes: list[Shape]) -> bool:
    """Whether the module's own tensors are those of the layer."""
    if len(shapes) != 1 or module._modules:
        return False
    own = stated(own_tensors(module))
    said = layer.tensors(shapes[0]), layer.buffers(shapes[0])
    return (dict(own.parameters), dict(own.buffer_tensors), {*own.non_persistent}) == (*said, {*layer.non_persistent})
