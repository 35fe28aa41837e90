"""Functions with weights or windows: convolutions, normalisations, poolings and reductions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from .... import arch
from ..words import WORDS, NoWordError, Said, Word, dim_of, pair_of, refuse, said, word


@word()
def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Said:
    settings = {"stride": stride, "padding": padding, "dilation": dilation}
    sides: dict[str, Any] = {name: pair_of(value) for name, value in settings.items()}
    node = arch.Conv2d(weight.shape[0], pair_of(weight.shape[2:]), **sides, groups=groups, bias=bias is not None)
    return said(node, input, weight=weight, bias=bias)


@word()
def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Said:
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "kernel_size": tuple(weight.shape[2:])}
    node = arch.Conv1d(weight.shape[0], **settings, groups=groups, bias=bias is not None)
    return said(node, input, weight=weight, bias=bias)


@word()
def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Said:
    settings = {"stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation}
    sides: dict[str, Any] = {name: pair_of(value) for name, value in settings.items()}
    channels = weight.shape[1] * groups
    node = arch.ConvTranspose2d(channels, pair_of(weight.shape[2:]), **sides, groups=groups, bias=bias is not None)
    return said(node, input, weight=weight, bias=bias)


@word()
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Said:
    return said(arch.Linear(weight.shape[0], bias=bias is not None), input, weight=weight, bias=bias)


@word()
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Said:
    if training and running_mean is not None:
        raise NoWordError("it normalises by the batch although it has statistics of the training")
    kind = arch.BatchNorm2d if input.dim() == 4 else arch.BatchNorm1d
    node = kind(eps=eps, momentum=momentum, affine=weight is not None, track_running_stats=running_mean is not None)
    own = {"running_mean": running_mean, "running_var": running_var}
    return said(node, input, weight=weight, bias=bias, **own)


@word()
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Said:
    node = arch.GroupNorm(num_groups, eps=eps, affine=weight is not None, bias=bias is not None or weight is None)
    return said(node, input, weight=weight, bias=bias)


@word()
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Said:
    settings = {"elementwise_affine": weight is not None, "bias": bias is not None or weight is None}
    node = arch.LayerNorm(eps=eps, normalized_dims=len(normalized_shape), **settings)
    return said(node, input, weight=weight, bias=bias)


@word()
def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Said:
    node = arch.RMSNorm(eps=eps, elementwise_affine=weight is not None, normalized_dims=len(normalized_shape))
    return said(node, input, weight=weight)


@word()
def prelu(input: Tensor, weight: Tensor) -> Said:
    return said(arch.PReLU(weight.numel()), input, weight=weight)


@word()
def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Said:
    refuse({"return_indices": return_indices})
    node = arch.MaxPool2d(
        pair_of(kernel_size), pair_of(stride), pair_of(padding), pair_of(dilation), ceil_mode=ceil_mode
    )
    return said(node, input)


@word()
def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Said:
    refuse({"divisor_override": divisor_override})
    node = arch.AvgPool2d(pair_of(kernel_size), pair_of(stride), pair_of(padding), ceil_mode, count_include_pad)
    return said(node, input)


@word()
def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Said:
    return said(arch.AdaptiveAvgPool2d(pair_of(output_size)), input)


@word()
def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Said:
    refuse({"return_indices": return_indices})
    return said(arch.AdaptiveMaxPool2d(pair_of(output_size)), input)


def _reduction(kind: type[Any]) -> Word:
    def reduce(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Said:
        return said(kind(_dims(input, dim), keepdim), input)

    return reduce


def _dims(input: Tensor, dim: Any) -> tuple[int, ...]:
    """The dimensions that a reduction is over."""
    each = () if dim is None else (dim,) if isinstance(dim, int) else dim
    dims = tuple(dim_of(one, input) for one in each)
    if not dims or 0 in dims:
        raise NoWordError("it is over the batch, too")
    return dims


WORDS |= {"mean": _reduction(arch.Mean), "sum": _reduction(arch.Sum), "amax": _reduction(arch.Max)}


def _variance(input: Tensor, dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> arch.Var:
    return arch.Var(_dims(input, dim), keepdim, correction=int(unbiased) if correction is None else correction)


@word()
def var(input: Tensor, dim: Any = None, unbiased: Any = True, keepdim: bool = False, *, correction: Any = None) -> Said:
    return said(_variance(input, dim, unbiased, keepdim, correction), input)


@word()
def std(input: Tensor, dim: Any = None, unbiased: Any = True, keepdim: bool = False, *, correction: Any = None) -> Said:
    return Said((_variance(input, dim, unbiased, keepdim, correction), arch.Pow(0.5)), (input,))
