"""A described network executed without torch: the values that the built module gives in eval mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arch import Aux, Join, Layer, Node, ShapeError, walk
from ..arch.meetings import Meeting
from ..arch.norms import COUNTER
from ..arch.signal import show
from ..arch.steps import Several
from ..arch.walker import Walker
from ..calculate import calculate, names_of
from ..errors import InvalidTypeError, InvalidValueError
from ..report.rows import key_of
from ..words import listed, quoted
from .arrays import Array, floats, shaped
from .layers import FORWARDS, MEETINGS, Tensors

MOST = 3
"""Names of weights that a message lists."""


def run(description: Node, weights: Mapping[str, Any], *inputs: Any) -> Any:
    """What a description computes at inference: of inputs (N, *shape) its output, or a tuple of several.

    `weights` are arrays by the names of `Report.tensors`, as an .npz or .safetensors file has them, or
    `module.state_dict()`. Auxiliary heads do not run; their weights may be missing, and so may counters of batches.

    Raises `ShapeError` where shapes do not fit, with the layer's path or the weight's name, and `InvalidValueError`
    where weights are missing, or no layer's, or nothing here computes a layer.
    """
    with np.errstate(all="ignore"):  # infinities without warnings, as in torch
        y = Execution(description, weights, inputs).output()
    return tuple(y.values()) if isinstance(y, Several) else y


class Execution(Walker[Any]):
    """The walk of arrays through a description with its weights."""

    def __init__(self, description: Node, weights: Mapping[str, Any], inputs: Sequence[Any]) -> None:
        """Holds all that is given to what the description takes, before anything is computed."""
        if not isinstance(description, Layer | Join):
            raise InvalidTypeError(
                f"a description was expected, as cnnzoo.describe(name) gives, got {quoted(description)}"
            )
        arrays = [floats(f"input {number}", one) for number, one in enumerate(inputs)]
        if len({one.shape[:1] for one in arrays}) != 1 or not all(one.size for one in arrays):
            given = ", ".join(show(one.shape) for one in arrays)
            raise ShapeError(f"inputs must be (N, *shape) of as many images each, one at least, got {given or 'none'}")
        shapes = [one.shape[1:] for one in arrays]
        for path, node in walk(description):
            if isinstance(node, Layer) and type(node) not in FORWARDS:
                what = node.settings.get("operation", type(node).__name__)
                raise InvalidValueError(f"at {path or 'the top'}: {what} has no forward in cnnzoo.values.FORWARDS")
        self.description = description
        known = calculate(description, shapes).tensors
        needed = {
            name: shape
            for name, shape in known.items()
            if name.partition(".")[0] not in description._heads and not name.endswith(COUNTER)
        }
        if not isinstance(weights, Mapping):
            raise InvalidTypeError(f"weights must be a mapping of names to arrays, got {quoted(weights)}")
        if missing := [name for name in needed if name not in weights]:
            raise InvalidValueError(f"the weights lack {listed(missing, MOST)}; Report.tensors names what is needed")
        if other := [str(name) for name in weights if name not in known]:
            raise InvalidValueError(f"the weights have what no layer has: {listed(other, MOST)}")
        self.weights = {name: shaped(name, weights[name], shape) for name, shape in needed.items()}
        names = names_of(description, len(arrays))
        self.entering: Any = Several(zip(names, arrays, strict=True)) if names else arrays[0]

    def output(self) -> Any:
        return self.run("", self.description, self.entering)

    def tensors(self, layer: Layer, x: Array) -> Tensors:
        """Those of the layer at `self.path`, by their own names."""
        shape = x.shape[1:]
        names = [*layer.tensors(shape), *layer.buffers(shape)] if layer._has_tensors else []
        keys = {name: key_of(self.path, name) for name in names}
        return {name: self.weights[key] for name, key in keys.items() if key in self.weights}

    def layer(self, layer: Layer, x: Array) -> Array:
        return FORWARDS[type(layer)](layer, x, self.tensors(layer, x))

    def block(self, join: Join, x: Any) -> Any:
        return x if isinstance(join, Aux) else join.flow(x, self)

    def meeting(self, meeting: Meeting, parts: list[Array], own: bool) -> Array:
        return MEETINGS[type(meeting)](meeting, parts)
