"""Products and sums with a number, and parameters whose name in the state dict is the path of their module."""

# Annotations are values here: torch.jit.script reads none of an attribute that is a string.

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class AtPath(nn.Module):
    """A module with one parameter, `weight`, or none: its key in the state dict is the module's own path, as of a
    parameter that a block has itself."""

    state_names: ClassVar[Mapping[str, str]] = {"weight": ""}
    """What the state dict calls a tensor behind the module's path, where that is not its name."""

    weight: Tensor | None

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        if f"{prefix}weight" in destination:
            destination[prefix[:-1]] = destination.pop(f"{prefix}weight")

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, metadata: Any, strict: bool, missing: list[str], *rest: Any
    ) -> None:
        if not prefix and "" in state_dict:
            state_dict = {"weight": state_dict[""]}
        super()._load_from_state_dict(state_dict, prefix, metadata, strict, missing, *rest)
        missing[:] = [prefix[:-1] if key == f"{prefix}weight" else key for key in missing]


def take_at_paths(net: nn.Module) -> None:
    """Let each module take from a state dict what its children have at their own paths, and save it before what its
    other children have."""
    for module in net.modules():
        if any(isinstance(child, AtPath) for child in module.children()):
            module.register_load_state_dict_pre_hook(_renamed)  # type: ignore[no-untyped-call]
            module.register_state_dict_post_hook(_first)  # type: ignore[no-untyped-call]


def _renamed(module: nn.Module, state_dict: Any, prefix: str, *rest: Any) -> None:
    for name, child in module.named_children():
        if isinstance(child, AtPath) and prefix + name in state_dict:
            state_dict[f"{prefix}{name}.weight"] = state_dict.pop(prefix + name)


def _first(module: nn.Module, state_dict: Any, prefix: str, *rest: Any) -> None:
    own = {prefix + name for name, child in module.named_children() if isinstance(child, AtPath)}
    for key in [key for key in state_dict if key.startswith(prefix) and key not in own]:
        state_dict[key] = state_dict.pop(key)


class _OneNumber(AtPath):
    """A number, or a parameter that begins as the number and is seen as of the shape `view` beside the input."""

    view: list[int]

    def __init__(
        self,
        number: float,
        shape: tuple[int, ...] | None,
        channels_last: bool,
        own: tuple[int, ...] | None,
        view: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.number = number
        self.shape = shape
        """That of the parameter with -1 for lengths of the input."""
        self.channels_last = channels_last
        self.view = list(view)
        self.register_parameter("weight", None if own is None else nn.Parameter(torch.empty(own)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        if self.weight is not None:
            nn.init.constant_(self.weight, self.number)

    def extra_repr(self) -> str:
        return f"{self.number}" if self.weight is None else f"{self.number}, shape={tuple(self.weight.shape)}"


class Scale(_OneNumber):
    """x times a number, or times a parameter."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight
        return x * self.number if weight is None else x * weight.view(self.view)


class Shift(_OneNumber):
    """x plus a number, or plus a parameter."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight
        return x + self.number if weight is None else x + weight.view(self.view)
