"""The MACs of operators whose work their shapes decide, where `torch.utils.flop_counter` has no rule or a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch


class _Aten:
    """torch's operators by name; for one that the installed torch has not, its name, which no operator is equal to."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch.ops.aten, name, name)


aten = _Aten()

Formula = Callable[..., int | None]
"""From an operator's arguments, shapes in the place of tensors, and `out_shape`, to its MACs; None is unknown."""


def _product(a: Any, b: Any, **_: Any) -> int:
    """Of a matrix or vector with a matrix or vector: every element of `a`, times the columns of `b`."""
    return int(prod(a) * prod(b[1:]))


def _after_addend(formula: Formula) -> Formula:
    return lambda addend, *args, **kwargs: formula(*args, **kwargs)


def _batched(a: Any, b: Any, **_: Any) -> int:
    return int(prod(a) * b[2])


def _outer(a: Any, b: Any, **_: Any) -> int:
    return int(prod(a) * prod(b))


def _each(a: Any, b: Any, **_: Any) -> int:
    """Of a list of matrices with another."""
    return sum(map(_product, a, b))


def _grouped(a: Any, b: Any, *_: Any, **__: Any) -> int:
    """Of matrices in groups: M·K·N where an offset cuts rows, columns or what is summed, which is each in one group."""
    return _batched(a, b) if len(a) == len(b) == 3 else int(a[-2] * a[-1] * b[-1])


def _linear(x: Any, *_: Any, out_shape: Any, **__: Any) -> int:
    """Whatever form its weights are packed in: every output is a sum over the features of the input."""
    return int(prod(out_shape) * x[-1])


def _linear_backward(x: Any, grad: Any, weight: Any, wants: Any, **_: Any) -> int:
    return int(prod(x) * weight[0] * (bool(wants[0]) + bool(wants[1])))


def _convolution(x: Any, weight: Any, *_: Any, out_shape: Any, **__: Any) -> int:
    """All weights at every position of the output."""
    dims = len(weight) - 2
    return int(prod(x[: -dims - 1]) * prod(out_shape[-dims:]) * prod(weight))


def _transposed_convolution(x: Any, weight: Any, *_: Any, **__: Any) -> int:
    """All weights at every position of the input."""
    dims = len(weight) - 2
    return int(prod(x[: -dims - 1]) * prod(x[-dims:]) * prod(weight))


def _convolution_backward(grad: Any, x: Any, weight: Any, *rest: Any, **_: Any) -> int:
    """The forward pass's MACs for each of the two gradients that are asked for, input and weight.

    Of the rest the last is which, and the fourth from the end whether it is transposed. `torch.utils.flop_counter`
    2.13 takes a grouped convolution's weight gradient for that of an ungrouped one.
    """
    wants, transposed = rest[-1], rest[-4]
    each = x[0] * prod((x if transposed else grad)[2:]) * prod(weight)
    return int(each * (bool(wants[0]) + bool(wants[1])))


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """Every query with every key, and with every value, in each head; of (batch, heads, length, width)."""
    return int(prod(query[:-1]) * key[-2] * (query[-1] + value[-1]))


def _attention_backward(grad: Any, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """The scores once more, and two products for each of the two of the forward pass."""
    return int(prod(query[:-1]) * key[-2] * (3 * query[-1] + 2 * value[-1]))


def _heads_last(formula: Formula, place: int) -> Formula:
    """Of (batch, length, heads, width); unknown where the argument at this place has the lengths of each sample."""

    def of_dense(*args: Any, **_: Any) -> int | None:
        if args[place] is not None:
            return None
        swapped = [
            (*one[:-3], one[-2], one[-3], one[-1]) if isinstance(one, tuple) and len(one) == 4 else one for one in args
        ]
        return formula(*swapped)

    return of_dense


def _multi_head_attention(query: Any, key: Any, value: Any, width: int, *_: Any, **__: Any) -> int:
    """Four projections, those of keys and values at the keys' positions, and the attention between them."""
    batch, queries, _ = query
    return int(batch * width * (2 * width * (queries + key[1]) + 2 * queries * key[1]))


def _encoder_layer(x: Any, width: int, *rest: Any, **_: Any) -> int:
    """Self-attention, then two linear layers."""
    first, second = rest[12], rest[14]
    return _multi_head_attention(x, x, x, width) + int(prod(x[:-1]) * (prod(first) + prod(second)))


def _recurrent(x: Any, *weights: Any) -> int:
    """Every matrix, those of the states too, at every position of every sequence."""
    return int(prod(x[:-1]) * sum(prod(one) for one in weights if len(one) == 2))


def _distances(a: Any, *_: Any, out_shape: Any, **__: Any) -> int:
    """Of Euclidean distances: a sum of as many products as there are coordinates, for each pair of points.

    So many whether torch takes differences, or over 25 points multiplies matrices with two columns more.
    """
    return int(prod(out_shape) * a[-1])


def _by_norm(a: Any, *rest: Any, out_shape: Any, **_: Any) -> int:
    """Of distances in another norm than the Euclidean there are no products."""
    return _distances(a, out_shape=out_shape) if 2.0 in rest else 0


def _trilinear(a: Any, b: Any, c: Any, new_a: Any, new_b: Any, new_c: Any, summed: Any, at: int = 1, **_: Any) -> int:
    """A product of a and b, then one with c, for each position of the dimension `at`; `new_…` are axes of length 1."""
    x, y, z = (_widened(shape, new) for shape, new in ((a, new_a), (b, new_b), (c, new_c)))
    first = [axis for axis in summed if axis in new_c and axis != at]
    second = [axis for axis in summed if axis not in new_c and axis != at]
    steps = max(x[at], y[at], z[at])
    x[at] = y[at] = z[at] = 1
    made = [1 if axis in first else max(pair) for axis, pair in enumerate(zip(x, y, strict=True))]
    return steps * (_pair(x, y, first) + _pair(made, z, second))


def _widened(shape: Any, new: Any) -> list[int]:
    lengths = list(shape)
    for axis in sorted(new):
        lengths.insert(axis, 1)
    return lengths


def _pair(a: list[int], b: list[int], summed: list[int]) -> int:
    """Of a product over all axes, element by element where none is summed; what one alone has is summed before it."""
    if not summed:
        return 0
    pairs = enumerate(zip(a, b, strict=True))
    return prod(min(pair) if axis in summed else max(pair) for axis, pair in pairs)


OURS: dict[Any, Formula] = {
    aten.mv: _product,
    aten.addmv: _after_addend(_product),
    aten.dot: lambda a, b, **_: prod(a),
    aten.vdot: lambda a, b, **_: prod(a),
    aten.addr: _after_addend(_outer),
    aten.addbmm: _after_addend(_batched),
    aten._int_mm: _product,
    aten._scaled_mm_v2: lambda a, b, *_, **__: _product(a, b),
    aten._addmm_activation: _after_addend(_product),
    aten._foreach_mm: _each,
    **dict.fromkeys((aten._grouped_mm, aten._scaled_grouped_mm, aten._scaled_grouped_mm_v2), _grouped),
    **dict.fromkeys(
        (
            aten.mkldnn_linear,
            aten._mixed_dtypes_linear,
            aten._weight_int8pack_mm,
            aten._weight_int4pack_mm,
            aten._weight_int4pack_mm_for_cpu,
            aten._weight_int4pack_mm_with_scales_and_zeros,
            aten._dyn_quant_matmul_4bit,
            aten._wrapped_quantized_linear_prepacked,
            aten.fbgemm_linear_int8_weight,
            aten.fbgemm_linear_int8_weight_fp32_activation,
            aten.fbgemm_linear_fp16_weight,
            aten.fbgemm_linear_fp16_weight_fp32_activation,
        ),
        _linear,
    ),
    aten.linear_backward: _linear_backward,
    aten.conv_tbc: lambda x, weight, *_, out_shape, **__: prod(out_shape[:2]) * prod(weight),
    **dict.fromkeys(
        (
            aten.cudnn_convolution,
            aten.cudnn_convolution_relu,
            aten.cudnn_convolution_add_relu,
            aten.miopen_convolution,
            aten.miopen_convolution_relu,
            aten.miopen_convolution_add_relu,
            aten.miopen_depthwise_convolution,
            aten.mkldnn_convolution,
            aten._mps_convolution,
            aten._nnpack_spatial_convolution,
            aten._conv_depthwise2d,
            aten.conv_depthwise3d,
            aten._slow_conv2d_forward,
            aten.slow_conv3d_forward,
            aten.slow_conv_dilated2d,
            aten.slow_conv_dilated3d,
        ),
        _convolution,
    ),
    **dict.fromkeys(
        (
            aten.cudnn_convolution_transpose,
            aten.miopen_convolution_transpose,
            aten._mps_convolution_transpose,
            aten.slow_conv_transpose2d,
            aten.slow_conv_transpose3d,
        ),
        _transposed_convolution,
    ),
    aten.convolution_backward: _convolution_backward,
    aten.convolution_backward_overrideable: _convolution_backward,
    **dict.fromkeys(
        (
            aten._scaled_dot_product_flash_attention_for_cpu,
            aten._scaled_dot_product_fused_attention_overrideable,
            aten._scaled_dot_product_attention_math_for_mps,
            aten._triton_scaled_dot_attention,
        ),
        _attention,
    ),
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
    aten._scaled_dot_product_fused_attention_overrideable_backward: _attention_backward,
    aten._flash_attention_forward: _heads_last(_attention, 3),
    aten._efficient_attention_forward: _heads_last(_attention, 4),
    aten._flash_attention_backward: _heads_last(_attention_backward, 6),
    aten._efficient_attention_backward: _heads_last(_attention_backward, 6),
    aten._native_multi_head_attention: _multi_head_attention,
    aten._triton_multi_head_attention: _multi_head_attention,
    aten._transformer_encoder_layer_fwd: _encoder_layer,
    aten._cudnn_rnn: lambda x, weights, *_, **__: _recurrent(x, *weights),
    aten.miopen_rnn: lambda x, weights, *_, **__: _recurrent(x, *weights),
    aten._lstm_mps: lambda x, states, weights, *_, **__: _recurrent(x, *weights),
    aten.mkldnn_rnn_layer: lambda x, of_input, of_state, *_, **__: _recurrent(x, of_input, of_state),
    aten._euclidean_dist: _distances,
    aten._cdist_forward: lambda a, b, p, *_, **out: _by_norm(a, p, **out),
    aten._pdist_forward: lambda a, p=2.0, **out: _by_norm(a, p, **out),
    aten._trilinear: _trilinear,
    aten.affine_grid_generator: lambda theta, *_, out_shape, **__: prod(out_shape) * theta[-1],
    aten.cudnn_affine_grid_generator: lambda theta, *_, out_shape, **__: prod(out_shape) * theta[-1],
    aten.cudnn_affine_grid_generator_backward: lambda grad, *_, **__: prod(grad) * (grad[-1] + 1),
}
