"""Regions of an image, each of which a detector looks at by itself, and the poolings that make all of one size."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from ..words import quoted
from .join import Join
from .meetings import Meeting, Shapes
from .node import IntOrPair, Kept, Layer, Node, Ports, Work, layer, leaf, maps, pair
from .pooling import Shares
from .rules import one_or_pair, whole
from .sequential import Sequential
from .signal import Shape, ShapeError, Windows, checked, show
from .steps import INPUT, From, Ref


class Regions(Sequential):
    """Layers that run once for each of n regions of an image, as in R-CNN (Girshick et al. 2013) and its successors:
    `From("features", "input.1", Regions(2000, pool=RoIPool(7, 1 / 16), flatten=Flatten(), fc=Linear(21)))`.

    It takes maps and boxes. Its first child makes each region of the maps one of a fixed size: `RoIPool`, `RoIAlign`,
    `RoIPyramidPool` or `Resize`; what is behind is said of one region, as in any Sequential. MACs, other work and
    activations count for every region, parameters once. What it gives are the regions of all images in one batch, so
    that nothing outside computes with it.

    Boxes are (x1, y1, x2, y2) in pixels of the image: a network with regions takes input sizes such as
    `((3, 600, 1000), (300, 4))`, and of (3, 600, 1000) alone n boxes are taken. A module takes as many as it is given:
    (N, n, 4), or torchvision's `Tensor[K, 5]` or list of N `Tensor[L, 4]`. The receptive field in it is unknown.
    """

    __slots__ = ("n",)
    _inlines = False
    _takes_heads = False
    _takes_regions = True
    _head_names = ("n",)

    n: int

    def __init__(self, n: int, /, *layers: Node | From | None, **named: Node | From | None) -> None:
        try:
            object.__setattr__(self, "n", whole(1)(n))
        except (TypeError, ValueError) as error:
            raise ShapeError(f"Regions: n must be {error}, got {quoted(n)}") from None
        super().__init__(*layers, **named)
        if not self.children or not isinstance(self.children[0][1], RegionPooling):
            raise ShapeError(f"Regions: its first child must be one of {POOLINGS}: it makes regions of one size")
        assert self._plan is not None
        for step in self._plan.steps:
            pools, inside = isinstance(step.node, RegionPooling), all(ref.source != INPUT for ref in step.reads)
            if pools == inside or (pools and step.reads != (Ref(INPUT),)):
                wanted = f"From({INPUT!r}, …)" if pools else "what the pooling of the regions gives"
                raise ShapeError(f"Regions: {quoted(step.name)} must read {wanted}: maps and boxes enter together")
        object.__setattr__(self, "_takes", ("0", "1"))
        object.__setattr__(self, "_regions", self.n)

    def _enter(self, given: Ports) -> None:
        if len(given) != 2:
            count = len(given) or "one value"
            raise ShapeError(f'takes maps and boxes, and is given {count}: From("features", "input.1", Regions(…))')

    def _check(self, name: str, child: Any, before: Any) -> None:
        super()._check(name, child, before)
        if isinstance(child, Join) and child._regions:
            raise ShapeError(f"Regions: {quoted(name)} has regions of its own; a region has none in it")


@leaf
class RegionPooling(Meeting):
    """What makes regions of maps, which boxes say, all of one size: a step that reads both. Shapes and figures are of
    one region."""

    least: ClassVar[int] = 2
    most: ClassVar[int | None] = 2
    elements_of: ClassVar[slice] = slice(1)
    mixes: ClassVar[bool] = True
    pools: ClassVar[bool] = True
    _of_regions = True

    def __new__(cls, *args: Any, **settings: Any) -> Any:
        return object.__new__(cls)

    _reading = Node._reading

    def of(self, channels: int) -> Shape:
        """What it makes of a region of maps with so many channels."""
        raise NotImplementedError

    def output_shape(self, shapes: Shapes) -> Shape:
        of, boxes = shapes
        channels, _, _ = maps(self, of)
        if len(boxes) != 2 or boxes[1] != 4:
            raise ShapeError(f"{type(self).__name__} takes boxes (n, 4) of x1, y1, x2, y2, got {show(boxes)}")
        shape = self.of(channels)
        checked((boxes[0], *shape), f"{type(self).__name__}: an output for all regions")
        return shape


POOLINGS = "RoIPool, RoIAlign, RoIPyramidPool or Resize"


def _ratio(value: Any) -> int:
    """The rule of a sampling ratio: what is not above 0 is -1, as many as there are positions."""
    ratio = max(whole(-1)(value), 0) or -1
    if ratio > 100:
        raise ValueError("a whole number from -1 to 100")
    return ratio


@leaf
class _ToASize(RegionPooling):
    """What the region poolings share whose regions are all of one height and width."""

    rules: ClassVar = {"output_size": one_or_pair(1)}

    output_size: IntOrPair
    spatial_scale: float = 1.0

    def of(self, channels: int) -> Shape:
        return (channels, *pair(self.output_size))


@leaf
class RoIPool(_ToASize):
    """(C, H, W) -> (C, *output_size) for each region: the largest of each of equal shares of it, 0 where a share lies
    outside of the map. Girshick (2015), section 2.1.

    `spatial_scale` are positions of the map for a pixel of the image: 1 / 16 behind four strides of 2. Corners are
    rounded to whole positions, which a region has both of, and a region has at least one position, as in torchvision.
    How many elements it compares depends on the boxes, and is unknown.
    """

    unstated: ClassVar[tuple[str, ...]] = ("comparisons",)
    why: ClassVar[str] = "how many elements it compares depends on the sizes of the boxes"

    def kept(self, shapes: Shapes) -> Kept:
        """Where in the map each maximum was."""
        return Kept(indices=prod(self.output_shape(shapes)))


@leaf
class RoIPyramidPool(RegionPooling):
    """(C, H, W) -> (C * bins,) for each region: `RoIPool` of each of the `levels`, flattened, one after the other;
    (4, 2, 1) are 16 + 4 + 1 = 21 bins. It is `SpatialPyramidPool` of a region; He et al. (2014), section 4.1.

    The paper takes a region's first position as floor(x1 / 16) + 1 and its last as ceil(x2 / 16) - 1; here, both are
    rounded, as `RoIPool` does.
    """

    unstated: ClassVar[tuple[str, ...]] = RoIPool.unstated
    why: ClassVar[str] = RoIPool.why

    levels: tuple[int, ...]
    spatial_scale: float = 1.0

    def of(self, channels: int) -> Shape:
        return (channels * sum(side**2 for side in self.levels),)

    def kept(self, shapes: Shapes) -> Kept:
        return Kept(indices=prod(self.output_shape(shapes)))


@leaf
class RoIAlign(_ToASize):
    """(C, H, W) -> (C, *output_size) for each region: the mean of samples in each of equal shares of it, each sample
    bilinear between four positions; nothing is rounded. He et al. (2017), section 3.

    `sampling_ratio` samples along each side of a share; where it is not above 0, as many as a share has positions, so
    that the work depends on the boxes, and is unknown. With `aligned` a pixel lies at its centre, half a position
    further; without it a region is at least one position wide and high. All as in torchvision.
    """

    rules: ClassVar = {**_ToASize.rules, "sampling_ratio": _ratio}

    sampling_ratio: int = -1
    aligned: bool = False

    @property
    def unstated(self) -> tuple[str, ...]:  # type: ignore[override]
        return () if self.sampling_ratio > 0 else ("additions", "multiplications", "stored_bytes")

    @property
    def why(self) -> str:  # type: ignore[override]
        return "how many samples it takes depends on the sizes of the boxes"

    def work(self, shapes: Shapes) -> Work:
        """Of each sample four products and their sum, and the mean of the samples."""
        samples = max(self.sampling_ratio, 0) ** 2
        each = Work(additions=4 * samples - 1, multiplications=4 * samples + 1) if samples else Work()
        return each.of(prod(self.output_shape(shapes)))

    def kept(self, shapes: Shapes) -> Kept:
        """Where each of four positions of each sample is, and its share; of each row of samples where each share's
        begin, and how many they are, twice."""
        ratio, shares = max(self.sampling_ratio, 0), prod(pair(self.output_size))
        return Kept(elements=4 * ratio**2 * shares, indices=(4 * ratio**2 + 3 * ratio) * shares)


@leaf
class Resize(_ToASize):
    """(C, H, W) -> (C, *output_size) for each region: the crop `[y1:y2, x1:x2]` at that size, bilinear, as
    `torch.nn.functional.interpolate` gives it: R-CNN's warp; Girshick et al. (2013), appendix A, without context around
    the box. Corners are rounded to whole positions and brought into the map, of which a crop has at least one.
    """

    pools: ClassVar[bool] = False

    def work(self, shapes: Shapes) -> Work:
        """Of each element a mean of four by their distances, as in an `Upsample`."""
        return Work(additions=3, multiplications=4).of(prod(self.output_shape(shapes)))

    def kept(self, shapes: Shapes) -> Kept:
        made = prod(pair(self.output_size))
        return Kept(elements=4 * made, indices=7 * made)


@layer
class SpatialPyramidPool(Layer):
    """(C, H, W) -> (C * bins,), whatever the size of the map: the largest of each bin of grids with `levels` x `levels`
    bins, flattened, one grid after the other; (4, 2, 1) are 16 + 4 + 1 = 21 bins, (6, 3, 2, 1) 50. He et al. (2014).

    Bin i of n goes from floor(i H / n) to ceil((i + 1) H / n), as in the paper's appendix A and in `AdaptiveMaxPool2d`.
    On a map of one size the paper says it as windows of ceil(H / n) every floor(H / n) (section 2.3), which are the
    same on its 13x13; on its 10x10 these leave the last of ten positions out for n = 4, and with these bins all is
    read.
    """

    pools: ClassVar[bool] = True
    keeps_input: ClassVar[bool] = True

    levels: tuple[int, ...]

    def output_shape(self, shape: Shape) -> Shape:
        channels, _, _ = maps(self, shape)
        return (channels * sum(side**2 for side in self.levels),)

    def fan_in(self, shape: Shape) -> int:
        _, height, width = shape
        return shape[0] * sum(Shares(height, side).read * Shares(width, side).read for side in self.levels)

    def work(self, shape: Shape) -> Work:
        return Work(comparisons=self.fan_in(shape) - prod(self.output_shape(shape)))

    def windows(self, shape: Shape) -> Windows | None:
        """None: features of several grids see bins of several sizes."""
        return None

    def kept(self, shape: Shape) -> Kept:
        """Its input, and where in it each maximum was."""
        return Kept(input=True, indices=prod(self.output_shape(shape)))
