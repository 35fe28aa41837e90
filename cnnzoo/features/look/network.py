"""The network that is looked into, as a module with weights."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ...arch.node import Node
from ...errors import InvalidTypeError, InvalidValueError
from ...registry import Builder
from ...resolve import is_module
from ...words import quoted
from ..summary import summary

if TYPE_CHECKING:
    from torch import nn

PARAMS = 10**9
"""Of a network that is made, at most; they take 4 GB."""

Network: TypeAlias = "str | Builder[Any] | Node | nn.Module"
"""What is looked into: what `create_model` takes, or a module."""

Trained: TypeAlias = "str | os.PathLike[str] | nn.Module | None"
"""A file of weights, or a module that has them."""


def module_of(network: Network, seed: int, settings: Mapping[str, Any]) -> nn.Module:
    """A module as it is, and anything else as a new one, whose weights are drawn by the seed."""
    from ...create import create_model
    from ...pytorch.look import seeded

    if is_module(network):
        return network  # type: ignore[return-value]
    params = summary(network, **settings).total_params or 0
    if params > PARAMS:
        raise InvalidValueError(
            f"{name_of(network)} has {params:,} parameters; what is looked into is made, with at most {PARAMS:,}"
        )
    with seeded(seed):
        return create_model(network, **settings)  # type: ignore[arg-type]


def trained_of(module: nn.Module, trained: Trained) -> tuple[nn.Module, str | os.PathLike[str] | None]:
    """The module that is trained, and the file whose weights it is to be given."""
    if is_module(trained):
        return trained, None  # type: ignore[return-value]
    if not isinstance(trained, str | os.PathLike):
        raise InvalidTypeError(f"trained is a file of weights or a module, got {quoted(trained)}")
    return module, trained


def name_of(network: Network) -> str:
    """What a network is called."""
    if isinstance(network, str):
        return network
    return network.name if isinstance(network, Builder) else type(network).__name__


def state_of(network: Network) -> str:
    """What its weights are called before it is trained."""
    return "given" if is_module(network) else "initial"


def file_of(trained: Trained) -> list[tuple[str, str]]:
    """What is said under a table of the file of weights."""
    return [("Trained", os.fspath(trained))] if isinstance(trained, str | os.PathLike) else []
