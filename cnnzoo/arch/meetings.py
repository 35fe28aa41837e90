"""What becomes of several values where they meet: their sum, difference or product, or all of them in one tensor."""

from __future__ import annotations

from itertools import accumulate
from math import prod
from typing import Any, ClassVar, TypeAlias

from ..words import listed
from .node import ALL, Kept, Layer, Leaf, Ports, Work, leaf, place_of
from .rules import _integer, choice, optional
from .shaping import Upsample
from .signal import Shape, ShapeError, checked, show
from .steps import From

Shapes: TypeAlias = tuple[Shape, ...]


@leaf
class Meeting(Leaf):
    """A leaf that makes one value of several. `Add("a", "b")` is a step that reads the values of these names; `Add()`,
    without names, is what happens there, as `net.out` gives it."""

    operator: ClassVar[str] = ""
    """What torch calls it: the kind of its row where it is a join's own."""
    least: ClassVar[int] = 1
    most: ClassVar[int | None] = None
    """How many values may meet."""
    elements_of: ClassVar[slice] = slice(None)
    """Which of the values its output is made of; of the others the shape counts alone."""
    _takes = ALL
    _runs = False
    keeps_inputs: ClassVar[bool] = False
    """Whether autograd keeps what its output is made of for the backward pass."""
    pools: ClassVar[bool] = False
    """Whether it is a pooling to a fixed size."""
    unstated: ClassVar[tuple[str, ...]] = ()
    """The figures of its row, by their names in a report, that are unknown."""
    why: ClassVar[str] = ""
    """Why they are unknown."""
    mixes: ClassVar[bool] = False
    """Whether an element of the output is made of elements at many positions, so that what it sees is not known."""

    def __new__(cls, *names: str, **settings: Any) -> Any:
        if not names:
            return super().__new__(cls)
        return From(*names, cls(**settings))

    def _reading(self, names: str) -> str:
        kind, _, settings = repr(self).partition("(")
        return f"{kind}({names}{settings if settings == ')' else ', ' + settings}"

    def output_shape(self, shapes: Shapes) -> Shape:
        """The shape of the output; a `ShapeError` where values of these shapes cannot meet."""
        raise NotImplementedError

    def work(self, shapes: Shapes) -> Work:
        """What it does, per sample."""
        return Work()

    def macs(self, shapes: Shapes) -> int:
        """Multiply-accumulates per sample."""
        return 0

    def pairs(self, shapes: Shapes) -> list[Shape]:
        """The shapes of what two values at a time make, element by element, one value after the other."""
        return []

    def layer(self, shapes: Shapes) -> Layer | None:
        """The layer that makes the same of the first value alone, where there is one."""
        return None

    def kept(self, shapes: Shapes) -> Kept:
        """Elements and indices that autograd keeps for the backward pass, beside inputs."""
        return Kept()

    def sights(self, shapes: Shapes) -> range:
        """Which of the values a position of the output sees, so that its receptive field is theirs together."""
        return range(len(shapes))

    def _enter(self, given: Ports) -> None:
        count = len(given) or 1
        if count < self.least or (self.most is not None and count > self.most):
            raise ShapeError(f"{type(self).__name__} takes {self.least} values, and is given {count}")


def broadcast(kind: str, shapes: Shapes) -> Shape:
    """The shape of an operation on each pair of elements: as torch's, but values have as many dimensions each."""
    first = shapes[0]
    for shape in shapes:
        if len(shape) != len(first) or any(len({*lengths} - {1}) > 1 for lengths in zip(first, shape, strict=True)):
            wanted = f"{show(first)}, or 1 in place of some of these lengths, would fit"
            raise ShapeError(f"{kind}: {show(shape)} does not go with {show(first)}; {wanted}")
        first = tuple(map(_longer, first, shape))
    return checked(first, f"{kind}: an output")


def _longer(one: int, other: int) -> int:
    return other if one == 1 else one


@leaf
class _Elementwise(Meeting):
    """An operation on elements at the same place; a length of 1 goes with any other."""

    @property
    def called(self) -> str:
        """What an error calls it."""
        return type(self).__name__

    def output_shape(self, shapes: Shapes) -> Shape:
        return broadcast(self.called, shapes)

    def pairs(self, shapes: Shapes) -> list[Shape]:
        return list(accumulate(shapes, lambda *pair: broadcast(self.called, pair)))[1:]

    def operations(self, shapes: Shapes) -> int:
        """How many pairs of elements meet."""
        return sum(map(prod, self.pairs(shapes)))


@leaf
class Add(_Elementwise):
    """a + b + …: `Add("conv2", "shortcut")`."""

    operator: ClassVar[str] = "add"

    def work(self, shapes: Shapes) -> Work:
        return Work(additions=self.operations(shapes))


@leaf
class Subtract(_Elementwise):
    """a - b: `Subtract("a", "b")`."""

    operator: ClassVar[str] = "sub"

    least: ClassVar[int] = 2
    most: ClassVar[int | None] = 2

    def work(self, shapes: Shapes) -> Work:
        return Work(additions=self.operations(shapes))


@leaf
class Divide(_Elementwise):
    """a / b: `Divide("a", "b")`."""

    least: ClassVar[int] = 2
    most: ClassVar[int | None] = 2
    keeps_inputs: ClassVar[bool] = True

    def work(self, shapes: Shapes) -> Work:
        return Work(multiplications=self.operations(shapes))


@leaf
class Multiply(_Elementwise):
    """a · b: `Multiply("input", "gate")`. What is broadcast over the other's positions is a gate, and no part of the
    receptive field."""

    operator: ClassVar[str] = "mul"

    least: ClassVar[int] = 2
    most: ClassVar[int | None] = 2
    keeps_inputs: ClassVar[bool] = True

    def work(self, shapes: Shapes) -> Work:
        return Work(multiplications=self.operations(shapes))

    def sights(self, shapes: Shapes) -> range:
        size = broadcast(self.called, shapes)[1:]
        whole = [place for place, shape in enumerate(shapes) if shape[1:] == size]
        return range(whole[0], whole[0] + 1) if len(whole) == 1 else range(len(shapes))


@leaf
class _Gating(Multiply):
    """x · F(x) in a `Gate`: a position sees what it sees of x, whatever F makes."""

    @property
    def called(self) -> str:
        return "Multiply"

    def sights(self, shapes: Shapes) -> range:
        return range(1)


@leaf
class MatMul(Meeting):
    """The matrix product (..., N, K) · (..., K, M) of each sample, as in attention: `MatMul("scores", "values")`."""

    least: ClassVar[int] = 2
    most: ClassVar[int | None] = 2
    keeps_inputs: ClassVar[bool] = True
    mixes: ClassVar[bool] = True

    def output_shape(self, shapes: Shapes) -> Shape:
        one, other = shapes
        if len(one) < 2 or len(one) != len(other) or one[:-2] != other[:-2] or one[-1] != other[-2]:
            fits = f"({', '.join(map(str, (*one[:-2], one[-1])))}, any)" if len(one) > 1 else "matrices"
            raise ShapeError(f"MatMul: no matrix product of {show(one)} and {show(other)}; {fits} would fit")
        return checked((*one[:-1], other[-1]), "a matrix product")

    def macs(self, shapes: Shapes) -> int:
        return prod(shapes[0]) * shapes[1][-1]


@leaf
class Cat(Meeting):
    """The values one after the other along dimension `dim`, the batch being 0: `Cat("a", "b")`, along the channels."""

    operator: ClassVar[str] = "cat"

    dim: int = 1

    def output_shape(self, shapes: Shapes) -> Shape:
        place = place_of(self, self.dim, shapes[0])
        first = shapes[0]
        for shape in shapes:
            if len(shape) != len(first) or _without(shape, place) != _without(first, place):
                what = "maps" if self.dim == 1 and len(first) == 3 else "values"
                fits = first[1:] if self.dim == 1 else (*first[:place], "any", *first[place + 1 :])
                raise ShapeError(f"cannot concatenate {show(shape)} after {show(first)}; {what} of {fits} would fit")
        total = sum(shape[place] for shape in shapes)
        return checked((*first[:place], total, *first[place + 1 :]), "a concatenation")


@leaf
class Stack(Meeting):
    """The values side by side along a new dimension `dim`, the batch being 0: `Stack("a", "b")` is (2, C, H, W)."""

    dim: int = 1

    def output_shape(self, shapes: Shapes) -> Shape:
        place = place_of(self, self.dim, (len(shapes), *shapes[0]))
        first = shapes[0]
        for shape in shapes:
            if shape != first:
                raise ShapeError(f"cannot stack {show(shape)} on {show(first)}; equal shapes would fit")
        return checked((*first[:place], len(shapes), *first[place:]), "a stack")


def _without(shape: Shape, place: int) -> Shape:
    return (*shape[:place], *shape[place + 1 :])


@leaf
class UpsampleLike(Meeting):
    """The first value at the height and width of the second: `UpsampleLike("p5", "c4")` is `Upsample(size)`, whatever
    size that is."""

    rules: ClassVar = Upsample.rules
    least: ClassVar[int] = 2
    most: ClassVar[int | None] = 2
    elements_of: ClassVar[slice] = slice(1)

    mode: str = "nearest"
    align_corners: bool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        Upsample(1, mode=self.mode, align_corners=self.align_corners)  # raises what does not go together

    def layer(self, shapes: Shapes) -> Upsample:
        like = shapes[1]
        if len(like) != 3:
            raise ShapeError(f"UpsampleLike takes the size of maps (channels, height, width), got {show(like)}")
        return Upsample((like[1], like[2]), mode=self.mode, align_corners=self.align_corners)

    def output_shape(self, shapes: Shapes) -> Shape:
        return checked(self.layer(shapes).output_shape(shapes[0]), "UpsampleLike: an output")

    def work(self, shapes: Shapes) -> Work:
        return self.layer(shapes).work(shapes[0])


@leaf
class PadLike(Meeting):
    """The first value padded to the height and width of the second, half of it before and the odd one behind; where it
    is larger it is cut: `PadLike("up", "skip")` is what U-Nets do before they concatenate, whatever the size of the
    image. `mode` is torch's: "constant" puts zeros, "replicate" repeats the edges, "reflect" mirrors. With `before`
    that many rows and columns are put before, or cut where it is below 0, and the rest behind: -19 is Caffe's Crop with
    an offset of 19."""

    rules: ClassVar = {"mode": choice("constant", "replicate", "reflect"), "before": optional(_integer)}
    least: ClassVar[int] = 2
    most: ClassVar[int | None] = 2
    elements_of: ClassVar[slice] = slice(1)

    mode: str = "constant"
    before: int | None = None

    @property
    def keeps_inputs(self) -> bool:  # type: ignore[override]
        return self.mode != "constant"

    def layer(self, shapes: Shapes) -> Layer:
        from .padding import ReflectionPad2d, ReplicationPad2d, ZeroPad2d  # which few networks say

        if any(len(shape) != 3 for shape in shapes):
            raise ShapeError(f"PadLike takes maps (channels, height, width), got {listed(map(show, shapes))}")
        height, width = (wanted - length for length, wanted in zip(shapes[0][1:], shapes[1][1:], strict=True))
        kind = {"constant": ZeroPad2d, "replicate": ReplicationPad2d, "reflect": ReflectionPad2d}[self.mode]
        left, top = (side // 2 if self.before is None else self.before for side in (width, height))
        return kind((left, width - left, top, height - top))

    def output_shape(self, shapes: Shapes) -> Shape:
        return checked(self.layer(shapes).output_shape(shapes[0]), "PadLike: an output")
