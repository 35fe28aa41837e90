"""The report of any `torch.nn.Module`: calculated where its description is all that was measured, else measured."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...calculate import calculate
from ...errors import CnnzooError
from ...report import Report, Row
from ...report.rows import key_of
from ...resolve import read_names
from ...words import counted
from .described import described
from .reductions import reductions

if TYPE_CHECKING:
    from torch import nn

    from ...arch.node import Node

SHOWN = 3
"""Parts without a word that a note names."""

SAME = ("params", "buffers", "macs", "aux_params", "aux_macs", "aux_buffers")
"""The figures that a description and a measurement state alike, of the whole and of what is at a path. Elements of
outputs they do not: a view that a forward takes itself, as of `x.flatten(1)`, is a layer in a description and no work
in a measurement."""


def of_module(
    module: nn.Module,
    input_size: Any = None,
    *,
    rewrites: Iterable[str] = (),
    input_data: Any = None,
    dtypes: Sequence[Any] | None = None,
    batch_dim: int | None = 0,
    mode: str = "eval",
    model: str | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    strict: bool = False,
    **forward: Any,
) -> Report:
    """The report of a module, which is measured, and traced into its description where its inputs are positional
    floating tensors, in eval mode.

    Where every call has a word, and parameters, buffers and MACs are those that were measured, for every path that both
    know, the report is calculated from the description: it has receptive fields, depth, memory and other work, too. Of
    the measurement it keeps what only a module says: frozen parameters, the bytes of each tensor's own dtype, notes.
    Else it is the measured report: a note says what has no word, and `described` is the calculated one, in which that
    is foreign; or a note says where the two differ, and `undescribed` why there is no description. Raises what
    `measure` does, and `NoDescriptionError` where there are `rewrites` and none.
    """
    from ...pytorch.measuring.measure import measure

    about: dict[str, Any] = {"batch_size": batch_size, "dtype": dtype, "strict": strict, "mode": mode, "model": model}
    given: dict[str, Any] = {"input_data": input_data, "dtypes": dtypes, "batch_dim": batch_dim, **forward}
    measured = measure(module, input_size, **about, **given)
    odd = _unlike_images(measured, input_data, dtypes, batch_dim, mode, forward)
    report = replace(measured, undescribed=odd) if odd else _read(module, measured)
    names = read_names(rewrites)
    return rewritten(described(report, "rewrites go with one"), names) if names else report


def rewritten(report: Report, names: Sequence[str]) -> Report:
    """The report of the description under rewrites, at the same size; its notes say what each did."""
    from ...rewrites import apply

    description, notes = apply(report.description, names, report.input_size)
    return _calculated(
        description,
        report,
        model=report.model and "+".join([report.model, *names]),
        notes=(*report.notes, *notes),
        one_size=report.one_size,
    )


def _unlike_images(
    measured: Report, data: Any, dtypes: Sequence[Any] | None, batch_dim: int | None, mode: str, forward: Any
) -> str | None:
    """Why a module that was measured so is not traced; None where it can be."""
    if measured.unknown:
        return "; ".join(map(str, measured.unknown))
    if forward:
        return f"its forward was given {', '.join(forward)}, and a description takes positional inputs alone"
    if mode != "eval" or batch_dim != 0:
        return "a description is of evaluation, with the batch first"
    tensors = list(data) if isinstance(data, list | tuple) else [] if data is None else [data]
    kinds = [getattr(one, "dtype", None) for one in tensors]
    if isinstance(data, dict) or any("float" not in str(kind) for kind in [*kinds, *filter(None, dtypes or ())]):
        return "a description takes positional inputs of floating numbers alone"
    return None


def _read(module: nn.Module, measured: Report) -> Report:
    """The calculated report of a module that was measured, or the measured with the reason."""
    from ...pytorch.tracing import DescribedAtOneSizeWarning, describe, why_not

    reason = why_not(module)
    if reason is not None:
        return replace(measured, undescribed=reason)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            description = describe(module, (measured.input_size, *measured.more_inputs))
        limits = [str(one.message) for one in caught if issubclass(one.category, DescribedAtOneSizeWarning)]
        found = as_held(_calculated(description, measured, one_size=next(iter(limits), None)), measured, module)
    except CnnzooError as error:
        return replace(measured, undescribed=str(error))
    except RecursionError:
        return replace(measured, undescribed="its modules are nested too deep")
    differs = difference(found, measured)
    if differs is not None:
        said = f"not described: {differs}"
        return replace(measured, notes=(*measured.notes, said), undescribed=differs)
    if found.totals["trainable_params"] != found.totals["params"]:
        found = replace(found, notes=(*found.notes, ALL_TRAINED))
    return _noted(measured, found) if found.unknown else found


ALL_TRAINED = "what training stores is what it does where all parameters are trained"
"""The note of a report of which some are not."""

BYTES = ("param_bytes", "buffer_bytes")
"""Totals in the bytes of each tensor's own dtype."""


def _noted(measured: Report, found: Report) -> Report:
    """The measured report of a module, parts of whose description are foreign: a note says which."""
    parts = [one.place for one in found.unknown]
    more = f"; and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    said = f"no words for {counted(len(parts), 'parts')}: {'; '.join(parts[:SHOWN])}{more}"
    return replace(measured, notes=(*measured.notes, said), described=found)


def _calculated(description: Node, like: Report, **about: Any) -> Report:
    """The report of a description with the size, batch and dtype of another, and by default its name and notes."""
    own = {"model": like.model, "notes": like.notes, "reductions": reductions, **about}
    sizes = (like.input_size, *like.more_inputs)
    return calculate(description, sizes, batch_size=like.batch_size, dtype=like.dtype, **own)


def difference(calculated: Report, measured: Report) -> str | None:
    """Where the calculated report of a module's description is not what was measured: the first path that differs, the
    figure and both values. None where all that both state is the same: parameters, buffers and MACs of the layers and
    blocks that both have and of the whole, what layers with tensors give, whatever the order of its dimensions (a
    LayerNorm2d is a LayerNorm between two permutations), and what the network gives."""
    ours, theirs = _by_path(calculated), _by_path(measured)
    held = (row for row in calculated.rows if row.kind != "Unused")  # which gives what another layer gave
    layers = {row.path for row in held if row.tensors or row.buffer_tensors}
    for path in filter(theirs.__contains__, ours):
        figures = ("params", "buffers", "macs", *(("output_shape",) if path in layers or not path else ()))
        for figure in (*figures, *(() if path else ("more_outputs",))):
            one, other = (getattr(side[path], figure) for side in (ours, theirs))
            if one != other and not (path and figure == "output_shape" and sorted(one) == sorted(other)):
                return _words(path, figure, one, other)
    for name in SAME:
        if calculated.totals[name] != measured.totals[name]:
            return _words("", f"total {name}", calculated.totals[name], measured.totals[name])
    return None


def _words(path: str, figure: str, one: Any, other: Any) -> str:
    said = [f"{value:,}" if isinstance(value, int) else str(value) for value in (one, other)]
    return f"at {path or 'the network itself'}: {figure} {said[0]} calculated, {said[1]} measured"


def _by_path(report: Report) -> dict[str, Row]:
    """The layers, each by its first call, and then the blocks, the inner ones first: what differs is found deep."""
    found: dict[str, Row] = {}
    for row in (*report.rows, *reversed(report.blocks)):
        if not row.own and row.call:
            found.setdefault(row.path, row)
    return found


def as_held(calculated: Report, measured: Report, module: nn.Module) -> Report:
    """The calculated report of a module's description with what the module and its measurement alone say of tensors:
    which are trained, which are in no state dict, and their bytes."""
    found = replace(calculated, rows=tuple(_as_held(calculated.rows, measured.rows, module)))
    exact = {name: measured.exact[name] for name in BYTES if measured.exact[name] != found.totals[name]}
    return replace(found, exact=exact)


def _as_held(rows: Sequence[Row], measured: Sequence[Row], module: nn.Module) -> Iterator[Row]:
    """The rows as the module holds their tensors: less the parameters that it does not train, with the buffers that its
    state dict leaves out. A parameter that stands alone, whose layer goes by its name, is a bias where that says so."""
    state = module.state_dict(keep_vars=True)
    frozen = {name: one.numel() for name, one in state.items() if not getattr(one, "requires_grad", True)}
    biases = {name for name, _ in module.named_parameters() if "bias" in name.rpartition(".")[2]}
    unsaved = {row.path: row for row in measured if not row.own and row.call == 1 and row.buffer_tensors}
    for row in rows:
        if row.path in unsaved and row.call == 1 and not (row.own or row.buffer_tensors):
            held = unsaved[row.path]
            row = row._replace(buffers=held.buffers, buffer_tensors=held.buffer_tensors)
        if not row.params:
            yield row
            continue
        still = sum(frozen.get(key_of(row.path, name), 0) for name in row.tensors)
        own = row._replace(weights=0, biases=row.params) if "" in row.tensors and row.path in biases else row
        yield own._replace(trainable_params=row.params - still)
