"""Products with a number and sums with one, constant or trained.

An expression of numbers is a row of them: relu6(x + 3) / 6 is `Shift(3)`, `ReLU6()` and `Scale(1 / 6)`. A trained one
stands where the original has its parameter: the layer's own path is the parameter's name in the state dict. So a
`LayerScale` is `gamma=Scale(1e-6, (-1,))` in a block, and a StarReLU with its two parameters a Sequential of
`relu=ReLU()`, `square=Square()`, `scale=Scale(1, (1,))` and `bias=Shift(0, (1,))`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

from .node import Kept, Layer, Work, layer
from .rules import is_whole, optional
from .signal import Shape, ShapeError, show


def _ones_and_channels(value: Any) -> tuple[int, ...]:
    """The rule of the shape of a parameter."""
    lengths = tuple(value) if isinstance(value, tuple | list) else (0,)
    if any(not is_whole(one, -1) or not one or one > 1 for one in lengths) or lengths.count(-1) > 1:
        raise ValueError("a tuple of ones, in which one may be -1 for the channels")
    return lengths


@layer
class _OneNumber(Layer):
    """Every element and a number, or a trained one of each channel.

    Without a `shape` the number is a constant. With one it is a parameter that begins as the number: () and (1,) are
    one for all elements, (-1,), (-1, 1, 1) and (1, -1, 1, 1) one for each channel of maps. But for (-1,) torch's rules
    of broadcasting say which dimension -1 stands for: in (1, 1, -1) it is the last, the channels of tokens (L, C).
    """

    rules: ClassVar = {"shape": optional(_ones_and_channels)}

    @property
    def _has_tensors(self) -> bool:
        return self.settings["shape"] is not None

    def beside(self, shape: Shape) -> tuple[int, ...]:
        """The shape of the parameter as torch broadcasts it, with -1 for the channels; () of a constant."""
        said: tuple[int, ...] = self.settings["shape"] or ()
        return (-1, *[1] * (len(shape) - 1)) if said == (-1,) else said

    def own(self, shape: Shape) -> Shape | None:
        """The shape of the parameter; None of a constant."""
        beside = self.beside(shape)
        length = shape[beside.index(-1) - len(beside)] if -1 in beside else 1
        said: tuple[int, ...] | None = self.settings["shape"]
        return None if said is None else tuple(length if one < 0 else one for one in said)

    def output_shape(self, shape: Shape) -> Shape:
        beside = self.beside(shape)
        if len(beside) > len(shape) + 1 or beside[: -len(shape)] == (-1,):
            raise ShapeError(
                f"{type(self).__name__}: a parameter of shape {beside} does not go with {show(shape)} and its batch; "
                f"{(-1, *[1] * (len(shape) - 1))} would fit"
            )
        return shape

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        own = self.own(shape)
        return {} if own is None else {"": own}

    def mixes(self, shape: Shape) -> Sequence[int] | None:
        return ()


@layer
class Scale(_OneNumber):
    """x * factor, a constant; or with a `shape` a trained factor that begins as `factor`.

    Of each channel it is the LayerScale of Touvron et al. (2021): (-1, 1, 1) in torchvision, (-1,) in timm.
    """

    factor: float
    shape: tuple[int, ...] | None = None

    def work(self, shape: Shape) -> Work:
        return Work(multiplications=prod(shape))

    def kept(self, shape: Shape) -> Kept:
        """Its input where the factor is trained."""
        return Kept(input=self.shape is not None)


@layer
class Shift(_OneNumber):
    """x + term, a constant; or with a `shape` a trained term that begins as `term`."""

    term: float
    shape: tuple[int, ...] | None = None

    def work(self, shape: Shape) -> Work:
        return Work(additions=prod(shape))
