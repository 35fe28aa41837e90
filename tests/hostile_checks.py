"""The figures of a valid input, found again by another way: every layer by torch on the meta device."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnzoo.calculate import calculate
from cnnzoo.features.sweep import family
from cnnzoo.report import Report, Row

INPUTS = {"Conv2d": 0, "ConvTranspose2d": 0, "BatchNorm2d": 0, "Linear": -1}
"""Which length of its input torch is told first."""
LAYERS = 60
"""Different layers of a report that are made anew."""

reports: list[Report] = []
priced: list[tuple[Any, Any, Any]] = []


def watch() -> None:
    """From now on keep all reports and totals that this process makes."""
    make, price = Report.__init__, family.totals

    def kept(self: Report, *given: Any, **named: Any) -> None:
        make(self, *given, **named)
        reports.append(self)

    def totals(description: Any, input_size: Any) -> Any:
        found = price(description, input_size)
        priced.append((description, input_size, found))
        return found

    Report.__init__ = kept  # type: ignore[method-assign]
    family.totals = totals


def check_reports() -> None:
    """AssertionError where a figure of a report that was calculated, or of totals, is not found again."""
    for description, input_size, found in priced[:20]:
        totals = calculate(description, input_size).totals
        assert all(totals[name] == getattr(found, name) for name in found._fields[1:]), found
    for report in reports[:40]:
        if report.description is not None:
            check_rows(report)


def check_rows(report: Report) -> None:
    main = [row for row in report.rows if not row.aux]
    once = [row for row in main if row.call == 1]  # layers that run again have their tensors once
    assert report.totals["params"] == sum(prod(shape) for row in once for shape in row.tensors.values())
    assert report.totals["macs"] == sum(row.macs or 0 for row in main)
    different = {(row.kind, repr(row.settings), row.input_shape): row for row in report.rows if not row.own}
    for row in list(different.values())[:LAYERS]:
        if hasattr(nn, row.kind):
            check_row(row)


def check_row(row: Row) -> None:
    """A layer's output, tensors and MACs against torch's own of the same settings."""
    largest = max(prod(row.input_shape), prod(row.output_shape), *map(prod, row.tensors.values()), 1)
    if largest >= 1 << 60 or (row.macs or 0) >= 1 << 60:
        return  # of which torch cannot count the bytes
    first = [row.input_shape[INPUTS[row.kind]]] if row.kind in INPUTS else []
    with torch.device("meta"):
        module = getattr(nn, row.kind)(*first, **row.settings).eval()
        with FlopCounterMode(display=False) as counted, torch.no_grad():
            output = module(torch.empty(1, *row.input_shape))
    assert tuple(output.shape[1:]) == row.output_shape, row
    assert {name: tuple(one.shape) for name, one in module.named_parameters()} == dict(row.tensors), row
    assert counted.get_total_flops() == 2 * (row.macs or 0), row


def check_printed(out: str) -> None:
    """AssertionError where the parameters of the last report stand nowhere in what was printed."""
    params = reports[-1].totals["params"]
    assert any(one in out for one in (f"{params:,}", str(params), f"{params:,}".replace(",", "{,}"))), params
