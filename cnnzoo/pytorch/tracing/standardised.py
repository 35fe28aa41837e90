"""Convolutions by weights that a forward works out from the network's own."""

from __future__ import annotations

from math import inf, nextafter

from torch import Tensor

from ...arch import Conv2d, ScaledStdConv2d, StdConv2d
from .values import Values
from .words import Recipe, Said


def standardised(said: Said, values: Values) -> Said:
    """A convolution whose weights are the network's own behind a batch norm that takes each output channel for a
    channel of a batch of one, as timm's are: one of standardised weights."""
    node, weight = said.nodes[0] if said.nodes else None, said.own.get("weight")
    made = None if weight is None else values.recipe(weight)
    norm = _norm(*made.args, **made.kwargs) if made is not None and made.name == "batch_norm" else None
    if type(node) is not Conv2d or weight is None or norm is None:
        return said
    each, scales, eps = norm
    if each.shape[:2] != (1, node.out_channels) or each.numel() != weight.numel():
        return said
    own = {**said.own, "weight": values.own(each)}
    if scales is None:
        return Said((StdConv2d(**node.settings, eps=eps),), said.reads, own)
    product = values.recipe(scales) or Recipe("mul", (values.own(scales), 1.0), {})
    numbers = [one for one in product.args if isinstance(one, int | float)]
    gains = [one for one in product.args if isinstance(one, Tensor)]
    if product.name not in ("mul", "rmul") or len(numbers) != 1 or len(gains) != 1:
        return said
    gamma = gamma_of(numbers[0], weight[0].numel())
    word = ScaledStdConv2d(**node.settings, eps=eps, gamma=gamma)
    return Said((word,), said.reads, {**own, "gain": values.own(gains[0])})


def _norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Tensor, Tensor | None, float] | None:
    """What a batch norm without running statistics normalises, by what it scales that, and its eps."""
    if running_mean is not None or bias is not None or input.shape[0] != 1:
        return None
    return input, weight, eps


def gamma_of(scale: float, count: int) -> float:
    """The shortest number whose product with count ** -0.5 is the scale, bit for bit."""
    exact = scale * count**0.5
    near = (float(f"{exact:.{digits}g}") for digits in range(1, 18))
    ulps = (nextafter(exact, to) for to in (-inf, inf))
    return next((gamma for gamma in (*near, *ulps) if gamma * count**-0.5 == scale), exact)
