"""Small modules with a convolution, and what a trace of them is held to."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from cases import of
from torch import nn
from traced import conv, is_it

from cnnzoo.arch import Node, walk
from cnnzoo.pytorch.tracing import DescribedAtOneSizeWarning, TracingError, describe

Make = Callable[[], nn.Module]


def relu_() -> nn.ReLU:
    return nn.ReLU(inplace=True)


def block(run: Callable[..., Any], **held: Any) -> Make:
    """A module with a convolution `c` and this forward."""
    return of(run, c=conv, **held)


def gamma(*shape: int) -> Callable[[], nn.Parameter]:
    return lambda: nn.Parameter(torch.rand(shape))


def told(net: nn.Module, *sizes: Any, within: float = 0.0) -> Node | None:
    """The description of a module, proved at all of the sizes; None where something has no word."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DescribedAtOneSizeWarning)
        try:
            description = describe(net, sizes[0])
        except TracingError:
            return None
    if any(type(node).__name__ == "Foreign" for _, node in walk(description)):
        return None
    is_it(net, description, *sizes, within=within)
    return description


def hooked(place: str, hook: Callable[..., Any], before: bool = False, **settings: Any) -> Make:
    def make() -> nn.Module:
        net = nn.Sequential(conv(), nn.Sequential(conv(), nn.ReLU()))
        one = net.get_submodule(place)
        (one.register_forward_pre_hook if before else one.register_forward_hook)(hook, **settings)
        return net

    return make
