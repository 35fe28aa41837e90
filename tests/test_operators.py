"""Every operator of torch is priced, free or unknown by intent, and the priced ones are what their kernels multiply."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import prod
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode, flop_registry, register_flop_formula

import cnnzoo
from cnnzoo.pytorch.measuring.counter import Counter, Op, rule_of, run_operator
from cnnzoo.pytorch.measuring.formulas import OURS

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")

aten = torch.ops.aten

HEAVY = re.compile(
    r"mm|mv|matmul|matrix|conv|linear|attention|encoder|dot|addr|lstm|gru|rnn|dist|affine_grid|einsum|trilinear$"
)
"""What may multiply matrices, by name."""

NOT_HEAVY = re.compile(
    r"gamma|cumm|dummy|hamming|matrix_H|fused_gru|fused_lstm|flatten_weight|hist|convert|to_int4pack|"
    r"mkldnn_reorder|upsample|linalg_(cross|diagonal|vector|_powsum)|_linalg_check|dist_backward|^dist|pdist"
)
"""What those letters name besides: these are elementwise, or copy."""

UNKNOWN = {
    "a matrix is solved or decomposed, step by step as its kernel does": (
        r"_?(cholesky|linalg_(?!vector_norm|cross|_powsum|check)|lu_unpack|geqrf|ormqr|triangular_solve|_compute_linear)"
    ),
    "Fourier transforms": r"_fft_",
    "the zeros in a sparse tensor are not multiplied": (r".*(sparse|spdiags|_spsolve|hspmm|coalesce|_coo(_|$)|_cslt_)"),
    "packed weights that have no shape here": r"quantized_(lstm|gru)$",
    "backward passes of fused layers, which autograd does not run on meta": (
        r"(_cudnn_rnn|miopen_rnn|mkldnn_rnn_layer|lstm_mps|mkldnn_linear|matmul|mps_convolution(_transpose)?|_slow_conv2d)"
        r"_backward"
    ),
    "attention with the lengths in its arguments": r"(_cudnn_attention_|_flash_attention_forward_no_dropout)",
    "torch's own tests": r"(_test_|_foobar)",
}
"""Patterns of names by the reason why their MACs are unknown."""


def overloads() -> list[tuple[str, Any]]:
    found = []
    for name in torch._C._dispatch_get_all_op_names():
        space, _, rest = name.partition("::")
        packet, _, overload = rest.partition(".")
        if space == "aten" and "out" not in overload:
            found.append((packet, getattr(getattr(aten, packet), overload or "default", None)))
    return [(name, func) for name, func in found if func is not None]


def test_every_operator_is_priced_or_free_or_unknown_by_intent() -> None:
    unknown, unmeant = set(), set(UNKNOWN)
    for name, func in overloads():
        rule = rule_of(func)
        if rule.macs or rule.free or rule.decomposes:
            continue
        reasons = [why for why, pattern in UNKNOWN.items() if re.match(pattern, name)]
        unmeant -= set(reasons)
        if not reasons:
            unknown.add(name)
    assert unknown == set()
    assert unmeant == set(), "a reason that no operator has"


def test_what_may_multiply_is_not_free() -> None:
    free = {
        name
        for name, func in overloads()
        if rule_of(func).free and not rule_of(func).macs and HEAVY.search(name) and not NOT_HEAVY.search(name)
    }
    assert free == set()


def counted(call: Callable[[], Any]) -> int | None:
    """What the counter says of a call with real tensors."""
    ops: list[Op] = []
    with torch.no_grad(), Counter(ops.append, frozenset(), real=False):
        call()
    return sum(op.macs for op in ops) if all(op.macs is not None for op in ops) else None


def multiplied(call: Callable[[], Any]) -> int:
    """Rows x columns x what is summed of each matrix product that its kernel runs, as torch's profiler sees them."""
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU], record_shapes=True) as seen:
        call()
    total = 0
    for event in seen.events():
        shapes = [shape for shape in event.input_shapes if shape]
        if event.name in ("aten::mm", "aten::bmm"):
            total += prod(shapes[0]) * shapes[1][-1]
        elif event.name in ("aten::addmm", "aten::addmm_", "aten::baddbmm"):
            total += prod(shapes[-2]) * shapes[-1][-1]
    return total


def r(*shape: int) -> Tensor:
    return torch.rand(*shape)


PRODUCTS: dict[str, Callable[[], Any]] = {
    "bilinear": lambda: F.bilinear(r(5, 6), r(5, 7), r(3, 6, 7)),
    "bilinear, positions": lambda: F.bilinear(r(2, 4, 6), r(2, 4, 7), r(3, 6, 7)),
    "_trilinear": lambda: aten._trilinear(r(5, 6), r(3, 6, 7), r(5, 7), [1, 3], [0], [1, 2], [2, 3]),
    "_trilinear, unrolled over a sum": lambda: aten._trilinear(
        r(5, 6), r(3, 6, 7), r(5, 7), [1, 3], [0], [1, 2], [2, 3], 2
    ),
    "_trilinear, without a sum": lambda: aten._trilinear(r(5, 6), r(6, 7), r(5, 7), [2], [0], [1], [], 0),
    "_trilinear, one sum": lambda: aten._trilinear(r(5, 6), r(6, 7), r(5, 7), [2], [0], [1], [1], 2),
    "affine_grid": lambda: F.affine_grid(r(2, 2, 3), [2, 1, 4, 5], align_corners=False),
    "affine_grid, 3d": lambda: F.affine_grid(r(2, 3, 4), [2, 1, 4, 5, 3], align_corners=True),
    "_foreach_mm": lambda: torch._foreach_mm([r(3, 4), r(5, 2)], [r(4, 6), r(2, 2)]),
    "mm": lambda: torch.mm(r(3, 4), r(4, 5)),
    "addbmm": lambda: torch.addbmm(r(3, 5), r(2, 3, 4), r(2, 4, 5)),
    "matmul": lambda: r(2, 3, 4) @ r(4, 5),
    "einsum": lambda: torch.einsum("bij,bjk,kl->bil", r(2, 3, 4), r(2, 4, 5), r(5, 6)),
    "tensordot": lambda: torch.tensordot(r(2, 3, 4), r(3, 4, 5), 2),
    "chain_matmul": lambda: torch.linalg.multi_dot([r(2, 3), r(3, 4), r(4, 5)]),
    "cov": lambda: torch.cov(r(4, 9)),
    "baddbmm": lambda: torch.baddbmm(r(2, 3, 5), r(2, 3, 4), r(2, 4, 5)),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_products_are_those_that_the_kernel_runs(name: str) -> None:
    call = PRODUCTS[name]
    found = counted(call)
    assert found == multiplied(call)
    assert (found == 0) == (name == "_trilinear, without a sum")


DISTANCES: dict[str, tuple[Callable[[], Any], int]] = {
    "cdist": (lambda: torch.cdist(r(30, 6), r(7, 6)), 30 * 7 * 6),
    "batched": (lambda: torch.cdist(r(2, 30, 6), r(2, 7, 6)), 2 * 30 * 7 * 6),
    "broadcast": (lambda: torch.cdist(r(3, 1, 30, 6), r(2, 7, 6)), 6 * 30 * 7 * 6),
    "small": (lambda: torch.cdist(r(5, 6), r(7, 6)), 5 * 7 * 6),
    "small by products": (lambda: torch.cdist(r(5, 6), r(7, 6), compute_mode="use_mm_for_euclid_dist"), 5 * 7 * 6),
    "without products": (lambda: torch.cdist(r(30, 6), r(7, 6), compute_mode="donot_use_mm_for_euclid_dist"), 1260),
    "Manhattan": (lambda: torch.cdist(r(30, 6), r(7, 6), p=1), 0),
    "_cdist_forward": (lambda: aten._cdist_forward(r(30, 6), r(7, 6), 2.0, None), 1260),
    "_euclidean_dist": (lambda: aten._euclidean_dist(r(4, 6), r(7, 6)), 4 * 7 * 6),
    "pdist": (lambda: torch.pdist(r(5, 6)), 10 * 6),
    "pdist, Manhattan": (lambda: torch.pdist(r(5, 6), 1), 0),
}


@pytest.mark.parametrize("name", DISTANCES)
def test_a_distance_costs_the_same_by_any_kernel(name: str) -> None:
    """Each of its pairs of points as many products as they have coordinates."""
    call, macs = DISTANCES[name]
    assert counted(call) == macs


def grouped(*shapes: tuple[int, ...], ends: list[int] | None = None) -> Callable[[], Any]:
    offs = None if ends is None else torch.tensor(ends, dtype=torch.int32)
    return lambda: torch._grouped_mm(*(torch.ones(*shape, dtype=torch.bfloat16) for shape in shapes), offs=offs)


GROUPED = {
    "3d, 3d": (grouped((2, 16, 8), (2, 8, 24)), 2 * 16 * 8 * 24),
    "rows": (grouped((16, 8), (2, 8, 24), ends=[7, 16]), 16 * 8 * 24),
    "columns": (grouped((2, 16, 8), (8, 24), ends=[8, 24]), 16 * 8 * 24),
    "sums": (grouped((16, 24), (24, 8), ends=[8, 24]), 16 * 24 * 8),
}


@pytest.mark.parametrize("name", GROUPED)
def test_grouped_products(name: str) -> None:
    call, macs = GROUPED[name]
    assert counted(call) == macs


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_experts_are_measured_on_meta(dtype: torch.dtype) -> None:
    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(4, 8, 16, dtype=dtype))

        def forward(self, x: Tensor) -> Tensor:
            ends = torch.tensor([2, 3, 3, 6], dtype=torch.int32, device=x.device)
            return torch._grouped_mm(x, self.weight, offs=ends)

    report = cnnzoo.summary(Experts(), input_data=torch.randn(6, 8, dtype=dtype), batch_dim=None)
    assert (report.total_macs, report.status, report.notes) == (6 * 8 * 16, "complete", ())
    assert report.rows[0].output_shape == (6, 16)


def test_what_is_made_on_meta_has_the_shape_that_is_real() -> None:
    for shapes, ends in [
        (((2, 6, 8), (2, 8, 16)), None),
        (((6, 8), (2, 8, 16)), [2, 6]),
        (((2, 6, 8), (8, 16)), [8, 16]),
        (((6, 16), (16, 8)), [8, 16]),
    ]:
        offs = None if ends is None else torch.tensor(ends, dtype=torch.int32)
        real = torch._grouped_mm(*(torch.ones(*shape, dtype=torch.bfloat16) for shape in shapes), offs=offs)
        on_meta = run_operator(
            aten._grouped_mm.default, [torch.ones(*shape, device="meta") for shape in shapes], {"offs": offs}
        )
        assert (on_meta.shape, on_meta.device.type) == (real.shape, "meta")


def flops(call: Callable[[], Any]) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


X, W = r(2, 4, 7, 9), r(6, 4, 3, 3)
X3, W3 = r(2, 4, 5, 6, 7), r(6, 4, 3, 3, 3)

SAME: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "slow_conv_dilated2d": (
        lambda: aten.slow_conv_dilated2d(X, W, [3, 3], None, [2, 1], [1, 1], [1, 2]),
        lambda: F.conv2d(X, W, None, (2, 1), 1, (1, 2)),
    ),
    "slow_conv_dilated3d": (
        lambda: aten.slow_conv_dilated3d(X3, W3, [3, 3, 3], None, [1, 1, 1], [1, 1, 1], [1, 1, 1]),
        lambda: F.conv3d(X3, W3, None, 1, 1),
    ),
    "thnn_conv2d": (
        lambda: torch._C._nn.thnn_conv2d(X, W, (3, 3), None, (2, 2), (1, 1)),
        lambda: F.conv2d(X, W, None, 2, 1),
    ),
    "slow_conv3d": (
        lambda: torch._C._nn.slow_conv3d(X3, W3, (3, 3, 3), None, (1, 1, 1), (1, 1, 1)),
        lambda: F.conv3d(X3, W3, None, 1, 1),
    ),
    "slow_conv_transpose2d": (
        lambda: aten.slow_conv_transpose2d(X, r(4, 6, 3, 3), [3, 3], None, [2, 2], [1, 1], [0, 0], [1, 1]),
        lambda: F.conv_transpose2d(X, r(4, 6, 3, 3), None, 2, 1),
    ),
    "slow_conv_transpose3d": (
        lambda: aten.slow_conv_transpose3d(X3, r(4, 6, 3, 3, 3), [3, 3, 3], None, [2, 2, 2], [1, 1, 1]),
        lambda: F.conv_transpose3d(X3, r(4, 6, 3, 3, 3), None, 2, 1),
    ),
    "mkldnn_convolution": (
        lambda: aten.mkldnn_convolution(X, r(6, 2, 3, 3), None, [1, 1], [2, 2], [1, 1], 2),
        lambda: F.conv2d(X, r(6, 2, 3, 3), None, 2, 1, groups=2),
    ),
    "_weight_int8pack_mm": (
        lambda: aten._weight_int8pack_mm(r(5, 32).bfloat16(), torch.ones(16, 32, dtype=torch.int8), r(16).bfloat16()),
        lambda: F.linear(r(5, 32), r(16, 32)),
    ),
    "mkldnn_linear": (
        lambda: torch._C._nn.mkldnn_linear(r(5, 6).to_mkldnn(), r(3, 6).to_mkldnn()),
        lambda: F.linear(r(5, 6), r(3, 6)),
    ),
    "_native_multi_head_attention": (
        lambda: aten._native_multi_head_attention(*[r(2, 5, 8)] * 3, 8, 2, r(24, 8), r(24), r(8, 8), r(8)),
        lambda: F.multi_head_attention_forward(
            *[r(5, 2, 8)] * 3, 8, 2, r(24, 8), r(24), None, None, False, 0.0, r(8, 8), r(8)
        ),
    ),
    "_scaled_dot_product_attention_math": (
        lambda: F.scaled_dot_product_attention(r(2, 4, 5, 8), r(2, 2, 7, 8), r(2, 2, 7, 8), enable_gqa=True),
        lambda: r(2, 4, 5, 8) @ r(2, 4, 8, 7) @ r(2, 4, 7, 8),
    ),
    "attention without heads": (
        lambda: F.scaled_dot_product_attention(r(2, 5, 8), r(2, 7, 8), r(2, 7, 6)),
        lambda: r(2, 5, 8) @ r(2, 8, 7) @ r(2, 7, 6),
    ),
    "lstm": (
        lambda: nn.LSTM(6, 4, 2, bidirectional=True, proj_size=3)(r(5, 2, 6)),
        lambda: lstm_by_hand(),
    ),
}


def lstm_by_hand() -> None:
    """Two layers, two directions, five steps of two samples: 16 gates of the input and of the projected state."""
    for width in (6, 6):
        for _ in range(2):
            F.linear(r(5, 2, width), r(16, width)), F.linear(r(5, 2, 3), r(16, 3)), F.linear(r(5, 2, 4), r(3, 4))


@pytest.mark.parametrize("name", SAME)
def test_one_form_costs_what_another_does(name: str) -> None:
    one, other = SAME[name]
    with torch.backends.mkldnn.flags(enabled=name.startswith("mkldnn")):
        assert counted(one) == flops(other) // 2 > 0


def test_the_whole_encoder_layer() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    attention, x = layer.self_attn, r(2, 5, 8)

    def fused() -> Tensor:
        made: Tensor = aten._transformer_encoder_layer_fwd(
            x,
            8,
            2,
            *(attention.in_proj_weight, attention.in_proj_bias, attention.out_proj.weight, attention.out_proj.bias),
            *(False, False, layer.norm1.eps, layer.norm1.weight, layer.norm1.bias),
            *(layer.norm2.weight, layer.norm2.bias),
            *(layer.linear1.weight, layer.linear1.bias, layer.linear2.weight, layer.linear2.bias),
        )
        return made

    with torch.no_grad():
        torch.testing.assert_close(fused(), layer(x))
    assert counted(fused) == cnnzoo.summary(layer, input_data=x).total_macs * 2


def test_what_no_processor_here_runs_follows_its_formula() -> None:
    """The kernels of GPUs are given the shapes of what the CPU counts."""
    lstm = nn.LSTM(6, 4, 2, bidirectional=True, proj_size=3)
    weights = [tuple(one.shape) for one in lstm.parameters()]
    assert OURS[aten._cudnn_rnn]((5, 2, 6), weights) == flops(lstm_by_hand) // 2
    assert OURS[aten.mkldnn_rnn_layer]((5, 2, 6), (16, 6), (16, 4), (16,), (16,)) == 10 * 16 * 10
    q, k = (2, 5, 4, 8), (2, 7, 4, 8)  # batch, length, heads, width
    dense = 2 * 4 * 5 * 7 * 16
    assert OURS[aten._flash_attention_forward](q, k, k, None, None, 5, 7, 0.0, False, False) == dense
    assert OURS[aten._efficient_attention_forward](q, k, k, None, None, None, None, None) == dense
    assert OURS[aten._flash_attention_forward](q[1:], k[1:], k[1:], (3,), (3,), 5, 7) is None
    assert OURS[aten._flash_attention_backward](q, q, k, k, q, (2,), None, None, 5, 7) == dense // 2 * 5
    x, weight = (2, 4, 9, 9), (6, 4, 3, 3)
    fused = OURS[aten.cudnn_convolution]
    assert fused(x, weight, [1, 1], [2, 2], [1, 1], 1, True, out_shape=(2, 6, 5, 5)) == 2 * 25 * 216
    assert OURS[aten.cudnn_convolution_transpose](x, weight, [1, 1], out_shape=(2, 4, 11, 11)) == 2 * 81 * 216


@torch.library.custom_op("cnnzoo_test::thrice", mutates_args=())
def thrice(x: Tensor) -> Tensor:
    return 3 * x


@thrice.register_fake
def _(x: Tensor) -> Tensor:
    return torch.empty_like(x)


class Thrice(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return thrice(x)


@pytest.mark.parametrize("raw", [False, True])
def test_a_rule_registered_with_torch_is_seen_at_any_time(raw: bool) -> None:
    packet = torch.ops.cnnzoo_test.thrice
    assert cnnzoo.summary(Thrice(), (4, 5)).totals["macs"] is None

    def rule(x: Any, *, out_shape: Any = None, out_val: Any = None) -> int:
        return 2 * 10 * prod(x.shape if raw else x)

    try:
        register_flop_formula(packet, get_raw=raw)(rule)
        report = cnnzoo.summary(Thrice(), (4, 5))
        assert (report.total_macs, report.status) == (50, "complete")
        flop_registry[packet] = lambda *args, **kwargs: 1 / 0
        report = cnnzoo.summary(Thrice(), (4, 5))
        assert "the rule that is registered for it with torch fails: division" in str(report.unknown[0])
    finally:
        del flop_registry[packet]
    assert cnnzoo.summary(Thrice(), (4, 5)).totals["macs"] is None
