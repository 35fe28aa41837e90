"""What each operator costs: a dispatch mode that sees every one, functional or inside a layer, and its MACs.

The formulas are those of `torch.utils.flop_counter` (its FLOPs are 2 x MACs), and those here where it has
none or a wrong one. An operator is known to have MACs, known to have none, or unknown; never assumed free.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from functools import cache
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from .borrow import empty_like
from .operators import FREE, PLUMBING, row_kind, shape_of

aten = torch.ops.aten

Formula = Callable[..., int]
"""From an operator's arguments, shapes in the place of tensors, and `out_shape`, to its MACs."""


class Op(NamedTuple):
    """An operator that ran."""

    name: str
    """As a row calls it: conv2d, matmul, add."""
    macs: int | None
    """Of the whole batch; None is unknown."""
    output_shape: tuple[int, ...]
    output_bytes: int
    """0 for what is no new tensor of numbers: views, copies and indices."""
    input_shape: tuple[int, ...]
    reads: tuple[int, ...]
    """The ids of the network's own tensors among its arguments."""
    settings: Mapping[str, Any]
    why: str = ""
    """Why it is unknown."""


class Rule(NamedTuple):
    """What is known of an operator before it runs."""

    name: str
    macs: Formula | None = None
    free: bool = False
    quiet: bool = False
    """Whether it makes no row: a view, a copy, a constant."""
    decomposes: bool = False
    data: bool = False
    """Whether its output's shape, or a number that Python gets from it, depends on the data."""


def _product(a: Any, b: Any, **_: Any) -> int:
    """Of a matrix or vector with a matrix or vector: every element of `a`, times the columns of `b`."""
    return int(prod(a) * prod(b[1:]))


def _after_addend(formula: Formula) -> Formula:
    return lambda addend, *args, **kwargs: formula(*args, **kwargs)


def _batched(a: Any, b: Any, **_: Any) -> int:
    return int(prod(a) * b[2])


def _outer(a: Any, b: Any, **_: Any) -> int:
    return int(prod(a) * prod(b))


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """Every query with every key, and with every value, in each head."""
    batch, heads, queries, width = query
    return int(batch * heads * queries * key[2] * (width + value[3]))


def _attention_backward(grad: Any, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """The scores once more, and two products for each of the two of the forward pass."""
    batch, heads, queries, width = query
    return int(batch * heads * queries * key[2] * (3 * width + 2 * value[3]))


def _convolution_backward(
    grad: Any,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    *rest: Any,
    **_: Any,
) -> int:
    """The forward pass's MACs for each of the two gradients that are asked for, input and weight.

    `torch.utils.flop_counter` 2.13 takes a grouped convolution's weight gradient for that of an ungrouped one.
    """
    wants = rest[-1]
    each = x[0] * prod((x if transposed else grad)[2:]) * prod(weight)
    return int(each * (bool(wants[0]) + bool(wants[1])))


OURS: dict[Any, Formula] = {
    aten.convolution_backward: _convolution_backward,
    aten.mv: _product,
    aten.addmv: _after_addend(_product),
    aten.dot: lambda a, b, **_: prod(a),
    aten.vdot: lambda a, b, **_: prod(a),
    aten.addr: _after_addend(_outer),
    aten.addbmm: _after_addend(_batched),
    aten._int_mm: _product,
    aten._addmm_activation: _after_addend(_product),
    aten.conv_tbc: lambda x, weight, *_, out_shape, **__: prod(out_shape[:2]) * prod(weight),
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
    aten._scaled_dot_product_fused_attention_overrideable: _attention,
}
"""Formulas that `torch.utils.flop_counter` has not, or has wrong."""


def _formula(packet: Any) -> Formula | None:
    if packet in OURS:
        return OURS[packet]
    theirs = flop_registry.get(packet)
    if theirs is None:
        return None
    plain = getattr(theirs, "__wrapped__", None)
    if plain is None:  # one that wants the tensors themselves
        return None
    return lambda *args, **kwargs: plain(*args, **kwargs) // 2


def _out_of_place(packet: Any) -> Any:
    """`add` for `add_`: in place the work is the same, and torch describes it there alone."""
    name = str(packet.__name__)
    return getattr(aten, name.rstrip("_"), packet) if name.endswith("_") else packet


@cache
def rule_of(func: Any) -> Rule:
    packet = getattr(func, "_overloadpacket", None)
    if packet is None:
        return Rule(str(func))
    namespace = str(func.namespace)
    if namespace == "aten":
        packet = _out_of_place(packet)
    name = str(packet.__name__)
    shown = name if namespace == "aten" else f"{namespace}::{name}"
    formula = _formula(packet)
    if formula is not None:
        return Rule(name, formula)
    tags = {*func.tags, *getattr(getattr(packet, func._overloadname, None), "tags", ())}
    if func.is_view:
        return Rule(name, free=True, quiet=True)
    if func._can_decompose() and not namespace.startswith("prim"):
        return Rule(name, decomposes=True)
    base = name.rstrip("_")
    plain = base.removesuffix("_backward")
    known = base in FREE or plain in FREE or base in PLUMBING
    by_tag = bool(tags & {torch.Tag.pointwise, torch.Tag.reduction, torch.Tag.inplace_view})
    ours = namespace in ("aten", "prim", "prims", "profiler")
    return Rule(
        shown,
        free=ours and (known or by_tag or namespace in ("prim", "profiler")),
        quiet=base in PLUMBING or namespace in ("prim", "profiler"),
        data=bool(tags & {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}),
    )


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is active every operator is run, priced, and handed to `seen`.

    `own` are the ids of the network's tensors. On meta only constants have values that can be looked at;
    where the tensors are `real`, what is looked at may have come from the input.
    """

    supports_higher_order_operators = True

    def __init__(self, seen: Callable[[Op], None], own: Container[int], real: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen = seen
        self.own = own
        self.real = real

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        rule = rule_of(func)
        if rule.decomposes and not _nested(args):
            with self:
                out = func.decompose(*args, **kwargs)
            if out is not NotImplemented:
                return out
        out = _meta_norm(func, args) if func in NORMS else None
        if out is None:
            out = run_operator(func, args, kwargs)
        reads = tuple(id(one) for one in args if id(one) in self.own)
        if rule.data and self.real and _by_data(rule, args):
            macs = 0 if rule.free else None
            self.seen(Op(rule.name, macs, (), 0, (), reads, {}, "what follows depends on the data"))
            return out
        if rule.quiet:
            if reads:
                self.seen(Op(rule.name, 0, (), 0, (), reads, {}))
            return out
        first = out[0] if isinstance(out, tuple | list) and out else out
        made = shape_of(first) if isinstance(first, Tensor) else ()
        size = first.numel() * first.element_size() if isinstance(first, Tensor) and first.is_floating_point() else 0
        macs, why = self._price(rule, args, kwargs, made)
        shape = next((shape_of(one) for one in args if isinstance(one, Tensor)), ())
        name, settings = row_kind(rule.name, args)
        self.seen(Op(name, macs, made, size, shape, reads, settings, why))
        return out

    def _price(self, rule: Rule, args: Any, kwargs: Any, made: tuple[int, ...]) -> tuple[int | None, str]:
        if not rule.free and _nested(args):
            return None, "its work depends on the lengths in a nested tensor"
        if rule.macs is not None:
            tensors = [one for one in args if isinstance(one, Tensor)]
            if any(one.layout != torch.strided or one.is_quantized for one in tensors):
                return None, "its work depends on how many values are not zero"
            shapes = [one.shape if isinstance(one, Tensor) else one for one in args]
            return rule.macs(*shapes, **kwargs, out_shape=made), ""
        return (0, "") if rule.free else (None, "no rule for its MACs")


def _nested(args: Any) -> bool:
    """Whether tensors of several lengths are in one: they have operators of their own."""
    return any(isinstance(one, Tensor) and one.is_nested for one in args)


def _by_data(rule: Rule, args: Any) -> bool:
    """Taking by whole numbers gives a shape that is known; taking by a mask does not."""
    if rule.name != "index":
        return True
    return any(one is not None and one.dtype in (torch.bool, torch.uint8) for one in args[1])


NORMS = {aten.native_batch_norm.default, aten._native_batch_norm_legit_no_training.default}


def _meta_norm(func: Any, args: Any) -> Any:
    """What a batch norm returns on meta, where torch would work it out step by step in Python."""
    x = args[0]
    if not x.is_meta:
        return None
    training = func is aten.native_batch_norm.default and args[5]
    kept = x.shape[1] if training else 0
    return empty_like(x), x.new_empty(kept), x.new_empty(kept)


def run_operator(func: Any, args: Any, kwargs: Any) -> Any:
    """The operator; where it mixes tensors on meta with constants elsewhere, the constants are put there too."""
    try:
        return func(*args, **kwargs)
    except RuntimeError:
        tensors = [one for one in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        if len({one.is_meta for one in tensors}) < 2:
            raise
        args, kwargs = torch.utils._pytree.tree_map_only(Tensor, lambda one: one.to("meta"), (args, kwargs))
        return func(*args, **kwargs)
