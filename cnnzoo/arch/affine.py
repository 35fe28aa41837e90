"""Products with a number and sums with one, constant or trained.

An expression of numbers is a row of them: relu6(x + 3) / 6 is `Shift(3)`, `ReLU6()` and `Scale(1 / 6)`. A trained one
stands where the original has its parameter: the layer's own path is the parameter's name in the state dict. So a
`LayerScale` is `gamma=Scale(1e-6, (-1,))` in a block, and a StarReLU with its two parameters a Sequential of
`relu=ReLU()`, `square=Square()`, `scale=Scale(1, (1,))` and `bias=Shift(0, (1,))`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY
from math import prod
from typing import Any, ClassVar

from .node import Kept, Layer, Work, layer
from .rules import optional
from .signal import Shape, ShapeError, show


def _ones_and_lengths(value: Any) -> tuple[int, ...]:
    """The rule of the shape of a parameter."""
    lengths = tuple(value) if isinstance(value, tuple | list) else (0,)
    if any(type(one) is not int or one not in (1, -1) for one in lengths):
        raise ValueError("a tuple of ones, and -1 where it is as long as the input")
    return lengths


@layer
class _OneNumber(Layer):
    """Every element and a number, or a trained one of each channel.

    Without a `shape` the number is a constant. With one it is a parameter that begins as the number: () and (1,) are
    one for all elements, (-1,), (-1, 1, 1) and (1, -1, 1, 1) one for each channel of maps, (1, -1, -1) one for each
    element of tokens (L, C). But for (-1,) torch's rules of broadcasting say which dimension a -1 stands for: in
    (1, 1, -1) it is the last. (-1,) is of the channels: the first dimension, or with `channels_last` the last.
    """

    rules: ClassVar = {"shape": optional(_ones_and_lengths)}

    @property
    def _has_tensors(self) -> bool:
        return self.settings["shape"] is not None

    def beside(self, shape: Shape) -> tuple[int, ...]:
        """The shape of the parameter as torch broadcasts it, with -1 for the lengths of the input; () of a constant."""
        said: tuple[int, ...] = self.settings["shape"] or ()
        return (-1, *[1] * (len(shape) - 1)) if said == (-1,) and not self.settings["channels_last"] else said

    def view(self, shape: Shape) -> tuple[int, ...]:
        """The same with the lengths of an input of this shape."""
        beside = self.beside(shape)
        return tuple(shape[at] if one < 0 else 1 for at, one in enumerate(beside, -len(beside)))

    def own(self, shape: Shape) -> Shape | None:
        """The shape of the parameter; None of a constant."""
        said: tuple[int, ...] | None = self.settings["shape"]
        if said is None:
            return None
        return (max(self.view(shape)),) if said == (-1,) else self.view(shape)

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

    Of each channel it is the LayerScale of Touvron et al. (2021): (-1, 1, 1) in torchvision, (-1,) in timm, where
    tokens have it with `channels_last`.
    """

    factor: float
    shape: tuple[int, ...] | None = None
    _: KW_ONLY
    channels_last: bool = False

    def work(self, shape: Shape) -> Work:
        return Work(multiplications=prod(shape))

    def kept(self, shape: Shape) -> Kept:
        """Its input where the factor is trained."""
        return Kept(input=self.shape is not None)


@layer
class Shift(_OneNumber):
    """x + term, a constant; or with a `shape` a trained term that begins as `term`: of tokens' positions it is the
    positional embedding of Vaswani et al. (2017), (1, -1, -1)."""

    term: float
    shape: tuple[int, ...] | None = None
    _: KW_ONLY
    channels_last: bool = False

    def work(self, shape: Shape) -> Work:
        return Work(additions=prod(shape))
