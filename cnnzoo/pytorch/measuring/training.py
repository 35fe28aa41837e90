"""What a training step costs: the MACs of a forward and of the backward pass behind it."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ...errors import CnnzooError
from ...report import Unknown
from .batches import may_be_once, told_apart
from .borrow import Loan, Twin, on_loan, on_meta, set_mode
from .counter import Counter, Op, mark
from .inputs import Inputs, dtype_of, read_dtype
from .operators import tensors_in
from .readings import read_inputs
from .refusals import refusal


class TrainingStepError(CnnzooError, RuntimeError):
    """A network that could not be run forward and backward on the meta device."""

    exit_code = 1


class TrainingStep(NamedTuple):
    """MACs per sample; `unknown` are operators whose work is not in them."""

    forward: int
    backward: int
    unknown: tuple[Unknown, ...] = ()

    @property
    def total(self) -> int:
        return self.forward + self.backward


def training_step(
    module: nn.Module,
    input_size: Any = None,
    *,
    input_data: Any = None,
    batch_size: int | None = None,
    dtype: str | torch.dtype | None = None,
    **forward: Any,
) -> TrainingStep:
    """Run a module forward in training and backward from all its outputs, on meta, and count both.

    Autograd works out the gradient of every weight that is trained and of every input on the way to one,
    each at the cost of the forward pass; so a first layer costs one gradient and not two, and behind
    frozen layers there is none. Arguments as for `measure`, and the module is left as it was found.
    """
    own = dtype_of(module) if dtype is None else read_dtype(dtype)
    twin = on_meta(None if dtype is None else own)
    failed: list[RuntimeError] = []
    for reading in read_inputs(module, input_size, input_data, batch_size, 0, own, forward):
        try:
            return _step(module, reading.inputs.moved("meta"), twin)
        except RuntimeError as error:
            failed.append(error)
    raise failed[0]


def _step(module: nn.Module, inputs: Inputs, twin: Twin) -> TrainingStep:
    """`TrainingStepError` where the network cannot be run so."""
    there, back = on_loan(module, twin, partial(_ran, inputs=inputs), grad=True)
    if inputs.batch_size > 1 and may_be_once([*there, *back], inputs.batch_size):
        more = on_loan(module, twin, partial(_ran, inputs=inputs.twice()), grad=True)
        there, back = (told_apart(*map(_priced, both)) for both in zip((there, back), more, strict=True))
    ops = [*there, *back]
    return TrainingStep(_macs(there, inputs), _macs(back, inputs), _unknown(ops))


def _ran(loan: Loan, inputs: Inputs) -> tuple[list[Op], list[Op]]:
    """The operators of a forward and those of the backward pass behind it."""
    set_mode(loan.module, True)
    mark(inputs)
    there: list[Op] = []
    back: list[Op] = []
    try:
        with Counter(there.append, loan.originals, real=False):
            outputs = tensors_in(loan.module(*inputs.args, **inputs.kwargs))
        wanted = [one for one in outputs if one.requires_grad]
        with Counter(back.append, frozenset(), real=False):
            _backward(wanted)
    except Exception as error:
        loan.failed(error)
        raise TrainingStepError(f"the training step cannot be run on meta: {refusal(error)}") from error
    for op in there:
        loan.touch(op.reads)
    return there, back


def _priced(ops: list[Op]) -> list[Op]:
    return [op for op in ops if op.macs != 0]


def _backward(outputs: list[Tensor]) -> None:
    if outputs:
        torch.autograd.backward(outputs, [torch.ones_like(one) for one in outputs])


def _macs(ops: list[Op], inputs: Inputs) -> int:
    batch = inputs.batch_size
    once = sum(op.macs or 0 for op in ops if op.once)
    return once + sum(op.macs or 0 for op in ops if not op.once) // batch


def _unknown(ops: list[Op]) -> tuple[Unknown, ...]:
    return tuple(dict.fromkeys(Unknown("", op.name, op.why) for op in ops if op.why))
