"""The formulas of what each element goes through by itself: activations, factors, dropouts."""

from __future__ import annotations

from ....arch import (
    ELU,
    GELU,
    Dropout,
    Dropout2d,
    Foreign,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    Layer,
    LeakyReLU,
    Mish,
    Pow,
    PReLU,
    ReLU,
    ReLU6,
    Scale,
    ScaledTanh,
    ScaleShift,
    Shape,
    Shift,
    Sigmoid,
    SiLU,
    Softmax,
    Square,
    StochasticDepth,
    Tanh,
    Unused,
    Work,
)
from ....arch.node import place_of
from ..text import times
from .base import Formulas, of


@of(Scale)
def _scale(layer: Scale, shape: Shape) -> Formulas:
    return Formulas({"multiplications": times(shape)})


@of(Shift)
def _shift(layer: Shift, shape: Shape) -> Formulas:
    return Formulas({"additions": times(shape)})


@of(
    ReLU,
    Sigmoid,
    Tanh,
    Square,
    Pow,
    ReLU6,
    Hardtanh,
    Hardsigmoid,
    Hardswish,
    LeakyReLU,
    PReLU,
    ELU,
    SiLU,
    Mish,
    GELU,
)
def _activation(layer: Layer, shape: Shape) -> Formulas:
    """So much of each kind of work for an element."""
    return Formulas(_for_each(layer.work((1,)), times(shape)))


def _for_each(work: Work, each: str) -> dict[str, str]:
    """The formula of each kind of work, which is done as often for each of so many: `3 · 64·7·7`."""
    return {kind: f"{count:,} · {each}" if count > 1 else each for kind, count in work._asdict().items()}


@of(ScaledTanh)
def _scaled_tanh(layer: ScaledTanh, shape: Shape) -> Formulas:
    each = times(shape)
    return Formulas({"multiplications": f"2 · {each}", "exponentials": each, "elements": each})


@of(ScaleShift)
def _scale_shift(layer: ScaleShift, shape: Shape) -> Formulas:
    return Formulas({"additions": times(shape), "multiplications": times(shape)})


@of(Softmax)
def _softmax(layer: Softmax, shape: Shape) -> Formulas:
    """An addition less than there are summands, for every sum."""
    each, length = times(shape), shape[place_of(layer, layer.dim, shape)]
    return Formulas({"additions": f"{each} − {each}/{length:,}", "multiplications": each, "exponentials": each})


@of(Dropout)
def _dropout(layer: Dropout, shape: Shape) -> Formulas:
    said = f"nothing at inference; in training each element is 0 with probability {layer.p:g}"
    return Formulas({"elements": times(shape)}, [("Does", said)])


@of(Dropout2d)
def _dropout_2d(layer: Dropout2d, shape: Shape) -> Formulas:
    said = f"nothing at inference; in training each channel is 0 with probability {layer.p:g}"
    return Formulas({"elements": f"{shape[0]:,}"}, [("Does", said)])


@of(Foreign)
def _foreign(layer: Foreign, shape: Shape) -> Formulas:
    macs = "its tensors and its MACs" if layer.measured_macs else "its tensors"
    return Formulas({}, [("Measured", f"{layer.operation}: {macs} are those of a run at {times(shape)}")])


@of(Unused)
def _unused(layer: Unused, shape: Shape) -> Formulas:
    return Formulas({}, [("Does", "hands its input on; no forward reads its tensors")])


@of(StochasticDepth)
def _stochastic_depth(layer: StochasticDepth, shape: Shape) -> Formulas:
    falls = "each sample falls by itself" if layer.mode == "row" else "all samples fall or none"
    said = f"nothing at inference; in training all is 0 with probability {layer.p:g}; {falls}"
    return Formulas({"elements": "1", "statistics": "1"}, [("Does", said)])
