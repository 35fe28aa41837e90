"""What each operator costs: a dispatch mode that sees every one, functional or inside a layer, and its MACs.

The formulas are those of `torch.utils.flop_counter` (its FLOPs are 2 x MACs), with what users register there, and
`formulas.OURS` where torch has none or a wrong one. An operator is known to have MACs, known to have none, or
unknown; never assumed free.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nested._internal.nested_tensor import NestedTensor
from torch.utils import flop_counter
from torch.utils._python_dispatch import TorchDispatchMode

from .borrow import empty_like
from .constants import Constants
from .formulas import OURS, Formula
from .operators import FREE, PLUMBING, row_kind, shape_of, tensors_in
from .repeats import Made, key_of, made_again

aten = torch.ops.aten


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
    quiet: bool = False
    """Whether it makes no row."""
    of_inputs: bool = True
    """Whether something that it was given was worked out from `mark`ed tensors."""
    once: bool = False
    """Whether its work is the same for any number of samples."""


class Rule(NamedTuple):
    """What is known of an operator before it runs."""

    name: str
    macs: Formula | None = None
    registered: Callable[..., int] | None = None
    """A rule that a user registered with torch: FLOPs from the arguments themselves, and `out_val`."""
    free: bool = False
    quiet: bool = False
    """Whether it makes no row: a view, a copy, a constant."""
    decomposes: bool = False
    data: bool = False
    """Whether its output's shape, or a number that Python gets from it, depends on the data."""


def _formula(packet: Any, registered: Any) -> Formula | None:
    if packet in OURS:
        return OURS[packet]
    plain = getattr(registered, "__wrapped__", None)
    if plain is None:  # none, or one that wants the tensors themselves
        return None
    return lambda *args, **kwargs: plain(*args, **kwargs) // 2


@cache
def _packet_of(func: Any) -> Any:
    """All overloads of an operator; `add` for `add_`: the work is the same, and torch describes it there alone."""
    packet = getattr(func, "_overloadpacket", func)
    if getattr(func, "namespace", "") != "aten":
        return packet
    name = str(packet.__name__)
    return getattr(aten, name.rstrip("_"), packet) if name.endswith("_") else packet


def rule_of(func: Any) -> Rule:
    """How the work of an operator of torch is counted: by ours, by what a user has registered for it with
    `torch.utils.flop_counter` until now, or not at all."""
    packet = _packet_of(func)
    return _rule(func, packet, flop_counter.flop_registry.get(packet))


@cache
def _rule(func: Any, packet: Any, registered: Any) -> Rule:
    namespace = str(getattr(func, "namespace", ""))
    name = str(packet.__name__)
    shown = name if namespace in ("aten", "") else f"{namespace}::{name}"
    if registered is not None and registered.__module__ != flop_counter.__name__:
        return Rule(shown, registered=registered)
    if not hasattr(func, "_overloadpacket"):
        return Rule(str(func))
    formula = _formula(packet, registered)
    if formula is not None:
        return Rule(name, formula)
    tags = {*func.tags, *getattr(getattr(packet, func._overloadname, None), "tags", ()), *_tags_of_each(packet)}
    if func.is_view:
        return Rule(name, free=True, quiet=True)
    if _decomposes(func):
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


def _tags_of_each(packet: Any) -> list[Any]:
    """Of `add` for `_foreach_add`, which is that of every tensor in a list."""
    each = getattr(aten, str(packet.__name__).rstrip("_").removeprefix("_foreach_"), packet)
    return [tag for name in each.overloads() for tag in getattr(each, name).tags] if each is not packet else []


def _decomposes(func: Any) -> bool:
    """Whether torch composes it of others; an operator of scripts on plain numbers is no kernel that it could ask."""
    if str(func.namespace).startswith("prim"):
        return False
    try:
        return bool(func._can_decompose())
    except RuntimeError:
        return False


BY_DATA = "what follows depends on the data"

MARK = "_cnnzoo_of_inputs"
"""An attribute of tensors that are worked out from the inputs."""


def mark(value: Any) -> None:
    for tensor in tensors_in(value):
        setattr(tensor, MARK, True)


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
        self._constants = Constants()
        self._again: dict[tuple[Any, ...], tuple[Made, Op]] = {}
        """By what operators were given, how to make what they gave, and what they cost."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = [*_given(args, kwargs)]
        if any(isinstance(one, NestedTensor) for one in given):  # it is composed of operators on all its values
            with self:
                return NestedTensor.__torch_dispatch__(func, types, args, kwargs)  # type: ignore[no-untyped-call]
        reads = tuple(id(one) for one in given if id(one) in self.own)
        of_inputs = any(hasattr(one, MARK) for one in given)
        key = key_of(func, args, kwargs) if not self.real else None
        if key is not None and key in self._again:
            make, op = self._again[key]
            self._see(op._replace(reads=reads, of_inputs=of_inputs))
            out = make(args)
            if of_inputs:
                mark(out)
            return out
        rule = rule_of(func)
        if rule.decomposes and not _nested(args):
            with self:
                out = func.decompose(*args, **kwargs)
            if out is not NotImplemented:
                return out
        out = run_operator(func, args, kwargs)
        if of_inputs:
            mark(out)
        if self.real and self._looks(func, rule, args, given, out):
            self.seen(Op(rule.name, None, (), 0, (), reads, {}, BY_DATA))
            return out
        op = self._op(rule, args, kwargs, out)._replace(reads=reads, of_inputs=of_inputs)
        again = made_again(func, key, args, out) if key is not None else None
        if key is not None and again is not None:
            self._again[key] = again, op
        self._see(op)
        return out

    def _looks(self, func: Any, rule: Rule, args: Any, given: list[Any], out: Any) -> bool:
        """Whether an operator looks at values that come of the input, a weight or a random number."""
        asked = [*_given(args[1:], {})] if rule.name in ("index", "masked_select") else given
        looks = rule.data and _by_data(rule, args) and not self._constants.hold(asked)
        self._constants.note(func, given, out)
        return looks

    def _see(self, op: Op) -> None:
        if op.reads or not op.quiet:
            self.seen(op)

    def _op(self, rule: Rule, args: Any, kwargs: Any, out: Any) -> Op:
        if rule.quiet:
            return Op(rule.name, 0, (), 0, (), (), {}, quiet=True)
        first = out[0] if isinstance(out, tuple | list) and out else out
        made = shape_of(first) if isinstance(first, Tensor) else ()
        size = first.numel() * first.element_size() if isinstance(first, Tensor) and first.is_floating_point() else 0
        macs, why = self._price(rule, args, kwargs, out, made)
        shape = next((shape_of(one) for one in args if isinstance(one, Tensor)), ())
        name, settings = row_kind(rule.name, args)
        return Op(name, macs, made, size, shape, (), settings, why)

    def _price(self, rule: Rule, args: Any, kwargs: Any, out: Any, made: tuple[int, ...]) -> tuple[int | None, str]:
        if rule.registered is not None:
            try:
                return int(rule.registered(*args, **kwargs, out_val=out)) // 2, ""
            except Exception as error:
                return None, f"the rule that is registered for it with torch fails: {error}"
        if not rule.free and _nested(args):
            return None, "its work depends on the lengths in a nested tensor"
        if rule.macs is None:
            return (0, "") if rule.free else (None, "no rule for its MACs")
        if any(isinstance(one, Tensor) and one.layout not in DENSE for one in args):
            return None, "its work depends on how many values are not zero"
        macs = rule.macs(*map(_shapes, args), **kwargs, out_shape=made)
        return macs, "" if macs is not None else "its work depends on the lengths of each sample"


def _given(args: Any, kwargs: Any) -> Iterator[Any]:
    """The arguments, and those in lists of them."""
    for one in (*args, *kwargs.values()):
        if isinstance(one, list | tuple):
            yield from one
        else:
            yield one


DENSE = (torch.strided, torch._mkldnn)  # type: ignore[attr-defined]


def _shapes(value: Any) -> Any:
    """A tensor's shape in its place, and so in a list of them."""
    if isinstance(value, Tensor):
        return tuple(value.shape)
    if isinstance(value, list | tuple) and value and isinstance(value[0], Tensor):
        return [tuple(one.shape) for one in value]
    return value


def _nested(args: Any) -> bool:
    """Whether tensors of several lengths are in one: they have operators of their own."""
    return any(isinstance(one, Tensor) and one.is_nested for one in args)


def _by_data(rule: Rule, args: Any) -> bool:
    """Taking by whole numbers gives a shape that is known; taking by a mask does not."""
    if rule.name != "index":
        return True
    return any(one is not None and one.dtype in (torch.bool, torch.uint8) for one in args[1])


def _meta_norm(x: Any, weight: Any, bias: Any, mean: Any, var: Any, *rest: Any, training: bool = False) -> Any:
    """What a batch norm returns, which torch would work out step by step in Python."""
    kept = x.shape[1] if training else 0
    return empty_like(x), x.new_empty(kept), x.new_empty(kept)


def _meta_convolution(x: Any, weight: Any, *rest: Any) -> Any:
    """A convolution whose channels fit: torch's rule does not look at those of a transposed one."""
    transposed, groups = rest[4], rest[6]
    expected = weight.shape[0] if transposed else weight.shape[1] * groups
    if x.dim() == weight.dim() and x.shape[1] != expected:
        shape = ", ".join(map(str, x.shape))
        raise RuntimeError(
            f"expected input[{shape}] to have {expected} channels, but got {x.shape[1]} channels instead"
        )
    return aten.convolution.default(x, weight, *rest)


def _meta_grouped(a: Any, b: Any, offs: Any = None, bias: Any = None, out_dtype: Any = None) -> Any:
    """What a product of matrices in groups returns; torch's own rule is that of one kernel of GPUs, in bfloat16."""
    if a.shape[-1] != b.shape[-2]:
        raise RuntimeError(f"a and b must have same reduction dim, but got {[*a.shape]} X {[*b.shape]}")
    groups = b.shape[:1] if a.dim() == b.dim() == 3 else offs.shape if a.dim() == b.dim() == 2 else ()
    return a.new_empty(*groups, a.shape[-2], b.shape[-1], dtype=out_dtype or a.dtype)


ON_META: dict[Any, Callable[..., Any]] = {
    aten.native_batch_norm.default: lambda *args: _meta_norm(*args, training=args[5]),
    aten._native_batch_norm_legit_no_training.default: _meta_norm,
    aten.convolution.default: _meta_convolution,
}
"""What operators return on meta, where torch's own rules are slow or narrow, or let pass what no kernel runs."""

if hasattr(aten, "_grouped_mm"):  # since torch 2.8
    ON_META[aten._grouped_mm.default] = _meta_grouped


def run_operator(func: Any, args: Any, kwargs: Any) -> Any:
    """The operator; where it mixes tensors on meta with constants elsewhere, the constants are put there too."""
    on_meta = ON_META.get(func)
    if on_meta is not None and args[0].is_meta:
        return on_meta(*args, **kwargs)
    try:
        return func(*args, **kwargs)
    except RuntimeError:
        tensors = [one for one in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        if len({one.is_meta for one in tensors}) < 2:
            raise
        args, kwargs = torch.utils._pytree.tree_map_only(Tensor, lambda one: one.to("meta"), (args, kwargs))
        return func(*args, **kwargs)
