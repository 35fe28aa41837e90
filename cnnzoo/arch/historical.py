"""Layers that networks of 1998 to 2015 need: LRN, LeNet-5's own, and the parameter-free shortcut."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from ..words import MOST, quoted
from .node import IntOrPair, Kept, Layer, Work, layer, maps, pair
from .rules import whole
from .signal import Shape, ShapeError, Window, Windows, show


@layer
class LocalResponseNorm(Layer):
    """x / (k + alpha / size * sum of the squares of `size` neighbouring channels) ** beta.

    Krizhevsky et al. (2012), section 3.3, where alpha is not divided by size: their alpha = 1e-4 over
    5 channels is `alpha=5e-4` here, as it is in torch and Caffe.
    """

    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) < 2:
            raise ShapeError(f"LocalResponseNorm needs channels with positions, got {show(shape)}")
        return shape

    def work(self, shape: Shape) -> Work:
        """An element's square, scaled sum and quotient; the window's sum and k; one power."""
        count = prod(shape)
        return Work(additions=self.size * count, multiplications=3 * count, exponentials=count)

    def kept(self, shape: Shape) -> Kept:
        """Its input, the padded squares, the base of the power, and the power."""
        return Kept(input=True, elements=(3 * shape[0] + self.size - 1) * prod(shape[1:]))


@layer
class ScaledTanh(Layer):
    """amplitude * tanh(slope * x); LeCun et al. (1998), equation 6 and appendix A."""

    amplitude: float = 1.7159
    slope: float = 2 / 3

    def work(self, shape: Shape) -> Work:
        return Work(multiplications=2 * prod(shape), exponentials=prod(shape))

    def kept(self, shape: Shape) -> Kept:
        """The output of tanh before it is scaled."""
        return Kept(elements=prod(shape))


@layer
class ScaleShift(Layer):
    """x * scale + shift, by a constant of each channel; nothing of it is trained or stored.

    It brings an input that is normalised by one mean and deviation to another's, as torchvision's pretrained
    GoogLeNet does inside (`transform_input`).
    """

    scale: tuple[float, ...]
    shift: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.scale) != len(self.shift):
            raise ShapeError(
                f"ScaleShift: scale and shift must have a number for each channel, got {self.scale} and {self.shift}"
            )

    def output_shape(self, shape: Shape) -> Shape:
        if len(self.scale) != shape[0]:
            raise ShapeError(f"ScaleShift: {show(shape)} has {shape[0]} channels, scale has {len(self.scale)}")
        return shape

    def work(self, shape: Shape) -> Work:
        return Work(additions=prod(shape), multiplications=prod(shape))


@layer
class Subsampling2d(Layer):
    """(C, H, W) -> (C, H / kernel_size, W / kernel_size): a window's sum times a coefficient plus a bias.

    One coefficient and one bias a map, both trainable; windows do not overlap. LeCun et al. (1998),
    section II.B, layers S2 and S4.
    """

    weighted: ClassVar[bool] = True

    kernel_size: IntOrPair

    def output_shape(self, shape: Shape) -> Shape:
        channels, *size = maps(self, shape)
        out = [length // kernel for length, kernel in zip(size, pair(self.kernel_size), strict=True)]
        if not all(out):
            raise ShapeError(
                f"Subsampling2d: nothing is left of {show(shape)} under kernel {self.kernel_size}; "
                f"it takes at least {show(pair(self.kernel_size))}"
            )
        return (channels, *out)

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": shape[:1], "bias": shape[:1]}

    def work(self, shape: Shape) -> Work:
        outputs = prod(self.output_shape(shape))
        return Work(additions=outputs * prod(pair(self.kernel_size)), multiplications=outputs)

    def fan_in(self, shape: Shape) -> int:
        return prod(self.output_shape(shape)) * prod(pair(self.kernel_size))

    def windows(self, shape: Shape) -> Windows | None:
        height, width = (Window(kernel, kernel) for kernel in pair(self.kernel_size))
        return height, width

    def kept(self, shape: Shape) -> Kept:
        """Its input, and the sums before they are scaled."""
        return Kept(input=True, elements=prod(self.output_shape(shape)))


@layer
class TableConv2d(Layer):
    """A convolution in which output map i reads only the input maps `table[i]`.

    (C, H, W) -> (len(table), H - kernel + 1, W - kernel + 1); one kernel a connection, one bias an
    output map. LeCun et al. (1998), table I.
    """

    weighted: ClassVar[bool] = True

    table: tuple[tuple[int, ...], ...]
    kernel_size: IntOrPair

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            table = tuple(tuple(row) for row in self.table)
        except TypeError:
            table = ()
        if not table or any(
            not row or any(type(one) is not int or not 0 <= one <= MOST for one in row) or len(set(row)) < len(row)
            for row in table
        ):
            raise ShapeError(
                "TableConv2d: table must list, for each output map, the different input maps it reads, "
                f"got {quoted(self.table)}"
            )
        self._set("table", table)

    def output_shape(self, shape: Shape) -> Shape:
        channels, *size = maps(self, shape)
        last = max(map(max, self.table))
        if last >= channels:
            raise ShapeError(
                f"TableConv2d: the table reads map {last}, counted from 0; {show(shape)} has {channels} "
                f"and it takes at least {last + 1}"
            )
        out = [length - kernel + 1 for length, kernel in zip(size, pair(self.kernel_size), strict=True)]
        if min(out) < 1:
            raise ShapeError(
                f"TableConv2d: kernel {self.kernel_size} is larger than the input {show(shape)}; "
                f"it takes at least {show(pair(self.kernel_size))}"
            )
        return (len(self.table), *out)

    def connections(self) -> int:
        """Pairs of an input and an output map that a kernel connects."""
        return sum(map(len, self.table))

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": (self.connections(), 1, *pair(self.kernel_size)), "bias": (len(self.table),)}

    def macs(self, shape: Shape) -> int:
        return self.connections() * prod(pair(self.kernel_size)) * prod(self.output_shape(shape)[1:])

    def work(self, shape: Shape) -> Work:
        return Work(additions=prod(self.output_shape(shape)))

    def windows(self, shape: Shape) -> Windows | None:
        height, width = (Window(kernel) for kernel in pair(self.kernel_size))
        return height, width

    def kept(self, shape: Shape) -> Kept:
        """The input maps, each as often as it is read."""
        return Kept(elements=self.connections() * prod(shape[1:]))


@layer
class RBF(Layer):
    """(C,) -> (out_features,): the squared distance to each class's fixed centre.

    LeCun et al. (1998), equation 7: the centres are drawings of the characters and are not trained, so
    they are a buffer.
    """

    weighted: ClassVar[bool] = True

    out_features: int

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise ShapeError(f"RBF needs features (C,), got {show(shape)}; Flatten() before it would fit")
        return (self.out_features,)

    def buffers(self, shape: Shape) -> dict[str, Shape]:
        return {"centres": (self.out_features, shape[0])}

    def work(self, shape: Shape) -> Work:
        """A difference, its square and the sum, for every input and output."""
        each = self.fan_in(shape)
        return Work(additions=2 * each - self.out_features, multiplications=each)

    def fan_in(self, shape: Shape) -> int:
        return self.out_features * shape[0]

    def kept(self, shape: Shape) -> Kept:
        """The difference of each input from each centre."""
        return Kept(elements=self.fan_in(shape))


@layer
class PadChannels(Layer):
    """(C, H, W) -> (out_channels, H, W): zeros after the last channel, and as many as `before` in front of the first;
    He et al. (2015), shortcut option A."""

    rules: ClassVar = {"before": whole(0)}

    out_channels: int
    before: int = 0

    def output_shape(self, shape: Shape) -> Shape:
        channels, height, width = maps(self, shape)
        if channels + self.before > self.out_channels:
            behind = f" behind {self.before} of zeros" if self.before else ""
            raise ShapeError(
                f"PadChannels: {show(shape)}{behind} already has more than {self.out_channels} channels; "
                f"at least {channels + self.before} would fit"
            )
        return (self.out_channels, height, width)
