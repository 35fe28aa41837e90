"""The arithmetic of parameters and MACs with its numbers put in: `1·1·192·96 + 3·3·96·128 + 224`.

A formula is worth its figure: `·` is a product, `/` a division without a remainder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from math import prod

from ...report import Row, Shape


def params_formula(rows: Sequence[Row]) -> str:
    """The weights of each layer that multiplies and accumulates, kernel, inputs and outputs; biases and all other
    parameters are the last summand. A layer that runs again has no more of them."""
    weights = [row for row in rows if row.macs and row.call == 1]
    others = sum(row.least("params") for row in rows) - sum(row.least("weights") for row in weights)
    return _sum([*_counted(map(_product, weights)), *([str(others)] if others else [])])


def macs_formula(rows: Iterable[Row]) -> str:
    """The weights times the positions that they are used at, together for neighbours that have the same."""
    terms = []
    for positions, here in groupby((row for row in rows if row.macs), _positions):
        if positions is None:
            terms += [str(row.macs) for row in here]
            continue
        products = _counted(map(_product, here))
        if positions:
            whole = _sum(products) if len(products) == 1 else f"({_sum(products)})"
            products = [f"{whole} · {'·'.join(map(str, positions))}"]
        terms += products
    return _sum(terms)


def _sum(terms: Sequence[str]) -> str:
    return " + ".join(terms) or "0"


def _counted(terms: Iterable[str]) -> list[str]:
    """Terms of a sum with equal neighbours as one product: `3·(1·1·64·64)`."""
    counted = [(term, len(list(equals))) for term, equals in groupby(terms)]
    return [term if times == 1 else f"{times}·({term})" for term, times in counted]


def _product(row: Row) -> str:
    """A layer's weights; a group reads its share of the inputs, a table connects as many maps as there are kernels."""
    outputs, inputs, *kernel = row.tensors.get("weight", (0, 0))
    if prod((outputs, inputs, *kernel)) != _weights(row):
        return str(_weights(row))
    groups = row.settings.get("groups", 1)
    read = [f"({inputs * groups}/{groups})" if groups > 1 else str(inputs)] if "table" not in row.settings else []
    return "·".join([*map(str, kernel), *read, str(outputs)])


def _positions(row: Row) -> Shape | None:
    """Where a layer's weights are used: at each position of its output, or its input, of every region; None where that
    is not so."""
    ways = (row.output_shape[1:], row.input_shape[1:], row.output_shape[:-1])
    each = (row.regions,) if row.regions else ()
    return next((shape for way in ways if prod(shape := (*each, *way)) * _weights(row) == row.macs), None)


def _weights(row: Row) -> int:
    """How many weights the layer has, though it be the second time that it runs."""
    first = (prod(shape) for name, shape in row.tensors.items() if not name.endswith("bias"))
    return row.least("weights") if row.call == 1 else sum(first)
