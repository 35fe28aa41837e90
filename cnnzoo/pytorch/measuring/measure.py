"""Any `torch.nn.Module` as a `Report`: it is run on the meta device, and watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import torch
from torch import nn

from ...errors import CnnzooError, InvalidTypeError, InvalidValueError
from ...report import ITEM_BYTES, Report, Unknown
from ...words import TORCHINFO, channels_last
from .batches import once_noted, run_batch
from .borrow import Loan, NoTwinError, Twin, copied, on_loan, on_meta, set_mode
from .counter import BY_DATA
from .inputs import Inputs, dtype_of, read_dtype, unbatched
from .leaves import Modules
from .operators import tensors_in
from .readings import Reading, read_inputs, takes_one_sample
from .refusals import refusal
from .rows import Rows
from .trace import Trace, first_line, kind_of
from .tree import modules, own_tensors, submodules

Shape = tuple[int, ...]

META = torch.device("meta")
"""As a context, what modules are made on: they then hold no values, and take no time to initialise."""


class MeasureError(CnnzooError, RuntimeError):
    """A network that could not be run to its end.

    `report` has the rows up to there, `path` and `kind` the module that failed, `input_shapes` what it was
    given; the network's own exception is the cause.
    """

    exit_code = 1

    def __init__(self, message: str, report: Report, path: str, kind: str, input_shapes: tuple[Shape, ...]) -> None:
        super().__init__(message)
        self.report = report
        self.path = path
        self.kind = kind
        self.input_shapes = input_shapes


class ValuesNeededError(MeasureError):
    """A network on meta whose forward depends on values, which it has not."""


class PartialError(CnnzooError, RuntimeError):
    """Something is unknown, and it was to be told `strict`ly; `report` has what is known."""

    exit_code = 1

    def __init__(self, report: Report) -> None:
        super().__init__(f"unknown: {'; '.join(map(str, report.unknown))}")
        self.report = report


def measure(
    module: nn.Module,
    input_size: Any = None,
    *,
    input_data: Any = None,
    batch_size: int | None = None,
    batch_dim: int | None = 0,
    dtype: str | torch.dtype | None = None,
    dtypes: Sequence[str | torch.dtype | None] | None = None,
    mode: str = "eval",
    strict: bool = False,
    model: str | None = None,
    **forward: Any,
) -> Report:
    """Run a module without computing anything, and report what it did, layer by layer.

    `input_size` is (channels, height, width), the same with the batch in front, or a sequence of sizes for
    several inputs. What a size means is seen from the layers that the network calls: one length is a sample's, a number
    alone is an image's side only where the first layer takes images; where one reading fails another is tried, and a
    note says which it was. `input_data` is a tensor, a sequence of positional inputs or a dict of named ones. The batch
    is the dimension `batch_dim`, and None says that there is none. `forward` goes to the module's forward.
    `dtype` is what the floating parameters and the inputs made from sizes have: by default as they are. `dtypes`,
    as in torchinfo, says it for each size where it is another: `measure(net, (1, 128), dtypes=[torch.long])`.
    Without an input nothing is run, and the report has parameters and buffers alone.

    A copy is run, whose tensors have no values, and the module stays as it is (`borrow.on_loan`). Where the
    values are needed (`report.notes` says so) it is run with copies of its tensors, and random inputs where
    only sizes are given. In `mode` "eval" modules that run in training only are rows with `aux`.

    Counts are per sample. What could not be counted is in `report.unknown`, and `report.status` is then
    "partial"; with `strict` that raises PartialError. Raises MeasureError where the network fails.
    """
    if not isinstance(module, nn.Module):
        raise InvalidTypeError(f"a module is measured, or a name or a description calculated; got {_met(module)}")
    if mode not in ("eval", "train"):
        raise InvalidValueError(f"mode must be 'eval' or 'train', got {mode!r}")
    for name in forward:
        if name in TORCHINFO and not _takes(module, name):
            raise InvalidTypeError(f"summary() takes no keyword {name!r}: {TORCHINFO[name]}")
    own = dtype_of(module) if dtype is None else read_dtype(dtype)
    if dtype is not None and not (own.is_floating_point or own.is_complex):
        raise InvalidValueError(
            f"dtype is of floating parameters, got {own}; that of an input is said by dtypes=[{own}]"
        )
    given = (input_size, input_data, batch_size, dtypes)
    if all(one is None for one in given) and not forward:
        report = _not_run(module, own, model)
    else:
        readings = read_inputs(module, input_size, input_data, batch_size, batch_dim, own, forward, dtypes)
        cast = None if dtype is None else own
        report = _first_that_holds([_Measuring(module, reading, own, cast, mode, model) for reading in readings])
    if strict and report.unknown:
        raise PartialError(report)
    return report


def _not_run(module: nn.Module, dtype: torch.dtype, model: str | None) -> Report:
    """What is known of a module without an input: its parameters and buffers, layer by layer."""
    trace = Trace(submodules(module))
    rows = Rows(Modules(trace.submodules, trace.tensors), Inputs((), {}, 1, True))
    rows.not_run()
    name = str(dtype).removeprefix("torch.")
    return Report(
        tuple(rows.rows),
        tuple(rows.frames),
        (),
        1,
        name if name in ITEM_BYTES else "float32",
        model,
        unknown=(Unknown("", kind_of(module), NOT_RUN), *rows.unknown),
        exact=rows.exact,
    )


NOT_RUN = "nothing was run, so that only its parameters are known; give input_size=(channels, height, width) for more"


def _met(given: Any) -> str:
    """What was given for a module."""
    if isinstance(given, type):
        return f"the class {given.__name__}: {given.__name__}(…) makes one"
    if isinstance(given, Mapping):
        return f"{type(given).__name__}: weights do not say how layers are joined; load them into a network"
    return type(given).__name__


def _takes(module: nn.Module, keyword: str) -> bool:
    """Whether it may be a keyword of the module's own forward."""
    try:
        taken = signature(module.forward).parameters.values()
    except (TypeError, ValueError):  # of a script
        return False
    return any(one.name == keyword or one.kind is one.VAR_KEYWORD for one in taken)


def _first_that_holds(readings: Sequence[_Measuring]) -> Report:
    """The report of the first reading of a size that runs and is meant for such a network; MeasureError of the
    likeliest where none runs."""
    ran: list[Report] = []
    failed: list[tuple[Reading, MeasureError]] = []
    for one in readings:
        try:
            report = one.report(failed[0][0] if failed else None)
        except MeasureError as error:
            if isinstance(error, ValuesNeededError) and not failed:
                raise
            failed.append((one.reading, error))
            continue
        ran.append(report)
        if one.holds:
            return report
    if ran:
        return ran[0]
    raise failed[0][1]


class _Measuring:
    """The runs that one measurement takes."""

    def __init__(
        self,
        module: nn.Module,
        reading: Reading,
        dtype: torch.dtype,
        cast: torch.dtype | None,
        mode: str,
        model: str | None,
    ) -> None:
        self.module = module
        self.reading = reading
        self.inputs = reading.inputs
        self.holds = True
        """Whether the network is such as the reading is meant for."""
        self.dtype = dtype
        self.cast = cast
        self.mode = mode
        self.model = model
        self.notes: list[str] = []
        self.unknown: list[Unknown] = []
        self.by_item = False
        """Whether they are of a number that the forward asks for, as it may of what it made itself."""

    def report(self, instead_of: Reading | None) -> Report:
        """MeasureError where the network cannot be run; `instead_of` is a reading with which it could not."""
        said = [self.reading.note(instead_of), *map(channels_last, self.inputs.shapes)]
        self.notes += [note for note in said if note]
        try:
            found, report = self._run(self.inputs.moved("meta"), on_meta(self.cast), real=False)
        except NoTwinError as error:
            self.notes.append(f"run with real tensors: {error}")
            return self._real()
        if found.error is None or not _may_run_elsewhere(found.error):
            return self._or_error(found, report)
        where = found.failing.path if found.failing is not None else ""
        reason = first_line(found.error)
        self.notes.append(f"run with real tensors, since on meta {where or 'the network'} fails: {reason}")
        if _asks_for_values(found.error):
            kind = found.failing.kind if found.failing is not None else kind_of(self.module)
            self.unknown.append(Unknown(where, kind, f"what it does depends on values: {reason}"))
            self.by_item = "item()" in reason
        return self._real(found, report)

    def _real(self, found: Trace | None = None, report: Report | None = None) -> Report:
        tensors = [held.tensor for one in modules(self.module) for held in own_tensors(one).values()]
        given = tensors_in([self.inputs.args, self.inputs.kwargs])
        if any(one.is_meta for one in tensors):
            assert found is not None
            assert report is not None
            raise self._error(found, report, ValuesNeededError)
        device = next((one.device for one in tensors), torch.device("cpu"))
        if any(one.is_meta for one in given):
            self.notes.append("its inputs are random numbers")
        return self._or_error(*self._run(self.inputs.moved(device), copied(self.cast), real=True))

    def _run(self, inputs: Inputs, twin: Twin, real: bool) -> tuple[Trace, Report]:
        def use(loan: Loan) -> tuple[Trace, Report]:
            notes = list(self.notes)
            set_mode(loan.module, self.mode == "train")
            found = run_batch(loan, inputs, real=real)
            self.holds = self.reading.holds(found.root)
            if self.inputs.batched and takes_one_sample(found.root, inputs):
                self.inputs = unbatched(self.inputs)
                if self.reading.size:
                    notes.append(f"input size {self.reading.size} is one sample: a layer takes it without a batch")
            elif inputs.batched:
                notes += once_noted(found)
            rows = Rows(Modules(found.submodules, found.tensors), self.inputs)
            rows.add(found)
            if found.error is None and self.mode == "eval" and rows.modules.uncalled():
                notes += self._run_heads(loan, inputs, rows, real)
            return found, self._finished(rows, found, notes)

        return on_loan(self.module, twin, use)

    @staticmethod
    def _run_heads(loan: Loan, inputs: Inputs, rows: Rows, real: bool) -> list[str]:
        """Once more, in training: what is called now alone is an auxiliary head. Batch norms stay as they
        were, since of a batch of one they may refuse to take statistics."""
        set_mode(loan.module, True)
        for module in modules(loan.module):
            if isinstance(module, nn.modules.batchnorm._NormBase):
                module.training = False
        trained = run_batch(loan, inputs, real=real)
        if trained.error is not None:
            return [f"in training it does not run, and so has no auxiliary heads here: {first_line(trained.error)}"]
        rows.add(trained, aux=True)
        return []

    def _finished(self, rows: Rows, found: Trace, notes: list[str]) -> Report:
        seen = any(one.why == BY_DATA for one in rows.unknown)
        asked = self.unknown if seen or not self.by_item else []
        if not seen:
            for one in asked:
                rows.add_unseen(one.path)
        rows.finish(found.error is None)
        if rows.unused:
            notes.append(f"never called: {', '.join(rows.uncalled())}")
        unknown = [*asked, *rows.unknown]
        if found.error is not None and found.failing is not None:
            call = found.failing
            unknown.append(Unknown(call.path, call.kind, "it fails, so that nothing behind it is reached"))
        name = str(self.dtype).removeprefix("torch.")
        shapes = self.inputs.shapes
        return Report(
            tuple(rows.rows),
            tuple(rows.frames),
            shapes[0],
            self.inputs.batch_size,
            name if name in ITEM_BYTES else "float32",
            self.model,
            more_inputs=shapes[1:],
            unknown=tuple(unknown),
            notes=tuple(notes),
            exact=rows.exact,
        )

    def _or_error(self, found: Trace, report: Report) -> Report:
        if found.error is not None:
            raise self._error(found, report, MeasureError)
        return report

    def _error(self, found: Trace, report: Report, kind: type[MeasureError]) -> MeasureError:
        call = found.failing
        path, module = (call.path, call.kind) if call is not None else ("", kind_of(self.module))
        shapes = tuple(call.input_shapes) if call is not None else ()
        given = f"given {' and '.join(map(str, shapes))}" if shapes else "given no tensor"
        assert found.error is not None
        failed = None if call is None else call.submodule.module
        why = refusal(found.error, failed, shapes[0] if shapes else (), path)
        said = [why, *filter(None, map(channels_last, self.inputs.shapes))]
        message = f"at {path or 'the network itself'} ({module}), {given}: {'; '.join(said)}"
        error = kind(message, report, path, module, shapes)
        error.__cause__ = found.error
        return error


SHAPES = ("shape", "size", "dimension", "channels", "reduction dim", "argument")
"""What errors speak of that have nothing to do with values."""

VALUES = ("item()", "out of meta", "numpy", "nonzero", "data pointer", "storage", "data-independent")
"""What errors on meta speak of where a network asks for values."""


def _may_run_elsewhere(error: BaseException) -> bool:
    """Whether a network that fails on meta may well run where tensors have values."""
    text = str(error).lower()
    if isinstance(error, RecursionError):
        return False
    of_meta = isinstance(error, NotImplementedError) or "meta" in text or _asks_for_values(error)
    return of_meta or not any(word in text for word in SHAPES)


def _asks_for_values(error: BaseException) -> bool:
    return any(word in str(error) for word in VALUES)
