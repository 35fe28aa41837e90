"""What other tools print for a module: it is run on the meta device and watched where each of them looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn
from torch._ops import HigherOrderOperator
from torch.nn.parameter import is_lazy
from torch.utils.flop_counter import flop_registry

from ...report import Report
from ..measuring.borrow import on_loan, on_meta
from ..measuring.inputs import Inputs, dtype_of
from ..measuring.readings import read_inputs
from ..measuring.trace import first_line
from ..measuring.tree import modules, mult_adds, parameters, places
from .tools import (
    BATCH_NORMS,
    CONVOLUTIONS,
    FVCORE,
    PTFLOPS,
    PTFLOPS_ATEN,
    PTFLOPS_FUNCTIONS,
    PTFLOPS_OPTIONAL,
    THOP,
    TRANSPOSED,
    OfModule,
    OfOperator,
    UnruledError,
)
from .watch import Called, Dispatched, Operator, watch_calls, watch_dispatch

aten = torch.ops.aten


class _Seen(NamedTuple):
    """A module, its inputs, and the two runs in which it was watched."""

    module: nn.Module
    inputs: Inputs
    called: Called
    dispatched: Dispatched


def printed(
    module: nn.Module,
    input_size: Any,
    report: Report,
    *,
    batch_size: int | None = None,
    dtypes: Sequence[str | torch.dtype | None] | None = None,
) -> dict[str, int | str]:
    """By tool, its number for one sample in eval mode, or why that is unknown.

    Sizes and dtypes are those with which the module was measured, and `report` is what came of it. The module is
    lent, as for `measure`.
    """
    readings = read_inputs(module, input_size, None, batch_size, 0, dtype_of(module), {}, dtypes)
    measured = (report.input_size, *report.more_inputs)
    reading = next((one for one in readings if one.inputs.shapes == measured), readings[0])
    inputs = reading.inputs.single()
    if any(map(is_lazy, parameters(module))):
        return dict.fromkeys([*TOOLS, "Keras"], "its lazy layers are not made yet")
    keras = {"Keras": _told(_keras, module, report)}
    try:
        called, dispatched = watch_calls(module, inputs), watch_dispatch(module, inputs, PTFLOPS_FUNCTIONS)
    except Exception as error:
        return {**dict.fromkeys(TOOLS, f"on the meta device it fails: {first_line(error)}"), **keras}
    seen = _Seen(module, inputs, called, dispatched)
    return {**{name: _told(tool, seen) for name, tool in TOOLS.items()}, **keras}


def _told(tool: Callable[..., int], *given: Any) -> int | str:
    try:
        return tool(*given)
    except UnruledError as error:
        return str(error)
    except Exception as error:  # where the tool's own code has the same
        return f"the tool itself fails: {first_line(error)}"


# Tools that hook modules


def _thop(seen: _Seen) -> int:
    _no_script(seen.module)
    _no_fused_encoder(seen.module)
    counts = _of_modules(seen.dispatched, THOP)
    visits = Counter(_visits(seen.dispatched.module))
    twice = next((one for one in counts if visits[one] > 1), None)
    if twice is not None:
        raise UnruledError(f"a {type(twice).__name__} stands in two modules, and is hooked twice")

    def total(module: nn.Module) -> float:
        if module in counts and not isinstance(module, nn.Sequential):
            return counts[module]
        return sum(map(total, module.children()))

    return int(total(seen.dispatched.module))


def _ptflops(seen: _Seen) -> int:
    _no_script(seen.module)
    for kind in seen.dispatched.kinds.values():
        if f"{kind.__module__}.{kind.__qualname__}" in PTFLOPS_OPTIONAL:
            raise UnruledError(f"there is no rule for its {kind.__name__}")
    counts = _of_modules(seen.dispatched, PTFLOPS)
    kinds = seen.dispatched.kinds

    def total(module: nn.Module) -> float:
        if kinds[module] in PTFLOPS:
            return counts.get(module, 0)
        return sum(map(total, module.children()))

    return int(total(seen.dispatched.module) + sum(count() for count in seen.dispatched.patched))


def _of_modules(run: Dispatched, rules: Mapping[type[nn.Module], OfModule]) -> dict[nn.Module, float]:
    """By module, what all its calls add."""
    counts: dict[nn.Module, float] = {}
    for module, given, made in run.modules:
        rule = rules.get(run.kinds[module])
        if rule is not None:
            counts[module] = counts.get(module, 0) + rule(module, given[0], made)
    return counts


def _visits(module: nn.Module) -> Iterator[nn.Module]:
    """As `Module.apply` goes: a module in two others is met twice."""
    for child in module.children():
        yield from _visits(child)
    yield module


TORCHINFO_LEVELS = 12


def _torchinfo(seen: _Seen) -> int:
    _no_fused_encoder(seen.module)
    if max(place.path.count(".") for place in places(seen.module)) > TORCHINFO_LEVELS:
        raise UnruledError("it would take too long: each level of blocks in blocks doubles its time")
    try:
        return on_loan(seen.module, on_meta(None), lambda loan: mult_adds(loan.module, seen.inputs.args))
    except RuntimeError as error:
        raise UnruledError(f"on the meta device torchinfo fails: {first_line(error.__cause__ or error)}") from error


def _no_script(module: nn.Module) -> None:
    if any(isinstance(one, torch.jit.ScriptModule) for one in modules(module)):
        raise UnruledError("it fails on scripted modules")


def _no_fused_encoder(module: nn.Module) -> None:
    """Where no gradients are recorded torch may run such a layer without calling what is in it."""
    if any(isinstance(one, nn.TransformerEncoder | nn.TransformerEncoderLayer) for one in modules(module)):
        raise UnruledError("the device decides whether the layers of its Transformer encoder are called")


# Tools that see operators

COMPOSED = {aten.linear, aten.matmul, aten.conv1d, aten.conv2d, aten.conv3d}
"""What autograd would have taken apart."""

RECURRENT = {aten.lstm, aten.gru, aten.rnn_tanh, aten.rnn_relu}


def _fvcore(seen: _Seen) -> int:
    _no_script(seen.module)
    _no_fused_attention(seen.module)
    if seen.called.functions:
        raise UnruledError("a trace does not show what its own torch.autograd.Function does")
    if any(operator.packet in FVCORE for operator in seen.called.unused):
        raise UnruledError("a trace may leave out what it computes in vain")
    return _of_operators(seen.called.operators, FVCORE)


def _ptflops_aten(seen: _Seen) -> int:
    _no_script(seen.module)
    _no_choice_of_kernels(seen)
    return _of_operators(seen.dispatched.operators, PTFLOPS_ATEN)


def _flop_counter(seen: _Seen) -> int:
    """Half of what torch.utils.flop_counter counts."""
    _no_choice_of_kernels(seen)
    rules = {
        packet: lambda y, *args, packet=packet, **kwargs: flop_registry[packet](*args, **kwargs, out_val=y)
        for packet in flop_registry
    }
    return _of_operators(seen.dispatched.operators, rules) // 2


def _of_operators(operators: list[Operator], rules: Mapping[Any, OfOperator]) -> int:
    if any(isinstance(operator.packet, HigherOrderOperator) for operator in operators):
        raise UnruledError("what it does depends on values")
    return sum(rules[packet](out, *args, **kwargs) for packet, out, args, kwargs in operators if packet in rules)


def _no_choice_of_kernels(seen: _Seen) -> None:
    """Whether these tools see the products in a layer depends on the kernel that torch takes for it."""
    _no_fused_attention(seen.module)
    called = {operator.packet for operator in seen.called.operators}
    if aten.scaled_dot_product_attention in called:
        raise UnruledError("the device decides whether it sees the products of scaled_dot_product_attention")
    if called & RECURRENT:
        raise UnruledError("the device decides whether it sees the products of a recurrent layer")
    if any(operator.packet in COMPOSED for operator in seen.dispatched.operators):
        raise UnruledError("it runs in inference mode, where operators are composed of others")


def _no_fused_attention(module: nn.Module) -> None:
    """Frozen, attention may run as one operator in eval mode even while gradients are recorded."""
    for one in modules(module):
        if isinstance(one, nn.MultiheadAttention) and not any(weight.requires_grad for weight in one.parameters()):
            raise UnruledError("the device decides whether it sees the products of frozen attention")


# Keras, by the layers that it has too

IN_KERAS = (
    *(*CONVOLUTIONS, *TRANSPOSED, *BATCH_NORMS),
    *(nn.Linear, nn.LayerNorm, nn.GroupNorm, nn.Embedding),
)


def _keras(module: nn.Module, report: Report) -> int:
    layers: dict[str, Any] = {place.path: place.module for place in places(module)}
    total = 0
    strange: set[str] = set()
    for row in report.rows:
        layer, kind = layers[row.path], type(layers[row.path])
        if row.aux or not (row.tensors or row.buffer_tensors):
            continue
        if row.own:
            strange.add(f"{kind.__name__}'s own tensors")
        elif row.params is None:
            strange.add(f"{row.kind}'s unknown parameters")
        elif row.call == 0:
            strange.add(f"{row.kind} that is never called")
        elif kind not in IN_KERAS or (kind in TRANSPOSED and layer.groups > 1):
            strange.add(row.kind)
        total += row.least("params") + (2 * row.input_shape[0] if kind in BATCH_NORMS and row.call == 1 else 0)
    if strange:
        raise UnruledError(f"there is no rule for its {', '.join(sorted(strange))}")
    return total


TOOLS: dict[str, Callable[[_Seen], int]] = {
    "fvcore": _fvcore,
    "ptflops, aten backend": _ptflops_aten,
    "ptflops": _ptflops,
    "thop": _thop,
    "torchinfo": _torchinfo,
    "torchvision": _flop_counter,
}
"""Those whose number depends on how the module runs."""
