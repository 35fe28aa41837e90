"""The report of a network, with what its paper prints and what its 1x1 reductions save."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ...arch.node import Node
from ...arch.signal import ShapeError
from ...calculate import calculate
from ...errors import InvalidTypeError
from ...published import remarks
from ...registry import Builder
from ...report import Report
from ...resolve import design
from ...words import channels_last
from .described import NoDescriptionError, described
from .reductions import reductions

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["Network", "NoDescriptionError", "calculated", "described", "reductions", "reported", "summary"]

Network: TypeAlias = "str | Builder[Any] | Node | nn.Module | Report"
"""What the features take: what `summary` takes, or its report."""


def summary(
    model: str | Builder[Any] | Node | nn.Module,
    input_size: Any = None,
    *,
    input_data: Any = None,
    batch_size: int | None = None,
    dtype: str | torch.dtype | None = None,
    strict: bool = False,
    rewrites: Iterable[str] = (),
    **settings: Any,
) -> Report:
    """The `Report` of a registered network, by name or builder, of a description, or of any `torch.nn.Module`.

    `input_size` is (channels, height, width), with the batch in front as in torchinfo, or one number for
    a square of the registered channels; by default what the network is registered with. `settings` are
    `create_model`'s, `num_classes=10` or `stem="cifar"`, and the builder's own; what only a module has, as
    `pretrained`, changes no figure. `rewrites` are applied in their order; behind a name a plus sign says the
    same: "googlenet+drop_reductions". One that does not apply changes nothing, and a note says why.
    Raises `UnknownModelError`, `UnknownRewriteError`, `ShapeError` where a layer cannot take what reaches it,
    ValueError for a size that is none, TypeError for an unknown setting.

    A module is run on the meta device (`cnnzoo.pytorch.measuring.measure`): it takes a size, several of them, or
    `input_data`, and `settings` go to its forward; without any of it nothing is run, and the report has parameters
    alone. Where it can be described, the report is calculated from its description (`modules.of_module`); where not, a
    note says why, and `rewrites` are a `NoDescriptionError`. `dtype` is by default the module's own, else float32.
    With `strict` it is an error if something could not be counted.
    """
    if not isinstance(model, str | Builder | Node):
        from .modules import of_module

        given = {"input_data": input_data, "batch_size": batch_size, "dtype": dtype, "strict": strict}
        return of_module(model, input_size, rewrites=rewrites, **given, **settings)
    if input_data is not None:
        raise InvalidTypeError(
            "input_data goes with a torch.nn.Module: names and descriptions are calculated from input_size"
        )
    return calculated(model, input_size, rewrites=rewrites, batch_size=batch_size, dtype=dtype, settings=settings)


def calculated(
    model: str | Builder[Any] | Node,
    input_size: Any,
    *,
    rewrites: Iterable[str],
    batch_size: int | None,
    dtype: str | torch.dtype | None,
    settings: Mapping[str, Any],
) -> Report:
    """`summary` of what is no module, its settings apart from its keywords."""
    found = design(model, input_size, rewrites=rewrites, batch_size=batch_size, settings=settings)
    named = found.named
    hint = channels_last(found.shape)
    about: dict[str, Any] = {
        "model": named.name,
        "reductions": reductions,
        "notes": (*named.notes, hint) if hint else named.notes,
    }
    if named.builder:
        about["paper"] = named.builder.paper.citation
        if named.is_default and (found.shape, found.features) == (named.builder.input_size, None):
            about["printed"] = remarks(named.builder)
    kind = str(dtype or "float32").removeprefix("torch.")
    try:
        return calculate(found.description, found.sizes, batch_size=found.batch_size, dtype=kind, **about)
    except ShapeError as error:
        raise ShapeError(f"{error.problem}; {hint}", error.place) if hint else error from None


def reported(network: Network, input_size: Any = None, **given: Any) -> Report:
    """A report as it is, and the `summary` of anything else."""
    return network if isinstance(network, Report) else summary(network, input_size, **given)
