"""The modules that torch.nn lacks: joins and what meets in steps, the layers of LeNet-5 and of shortcut option A, and
ConvNeXt's.

A join's forward calls its children by name, so a child that is assigned anew takes effect.
"""

# Annotations are values here: torch.jit.script reads none of an attribute that is a string.

from collections.abc import Callable, Mapping
from itertools import accumulate
from math import prod
from typing import List  # noqa: UP035 - what jit.script reads

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...arch.node import IntOrPair, pair
from .drawings import drawings
from .written import Written

Bound = Callable[[int], float]
"""From how many inputs an output reads, the largest weight to begin with."""


def torch_bound(fan_in: int) -> float:
    """What torch begins its own convolutions with: uniform within 1 / sqrt(fan-in)."""
    return float(fan_in**-0.5)


class Join(Written):
    """Named children; `written` gives a subclass its forward."""

    is_container = True
    """That `measure` is to treat it as a block even where it has no children: its own addition or concatenation is then
    a row of its own in the report, as it is where it has some."""
    checkpointed = False
    """Whether its activations are worked out again in the backward pass, not kept (`torch.utils.checkpoint`)."""
    __constants__ = ("checkpointed",)

    def __init__(self, children: Mapping[str, nn.Module | None]) -> None:
        super().__init__()
        for name, child in children.items():
            self.register_module(name, child)


class Residual(Join):
    """F(x) + x, or F(x) + S(x) where the shortcut has layers; children may follow the sum."""


class Difference(Join):
    """F(x) - x, or F(x) - S(x) where the shortcut has layers."""


class Dense(Join):
    """[x, F(x)]: the input with the body's maps after it, or [S(x), F(x)] where the shortcut has layers."""


class Concat(Join):
    """[f(x), g(x), …]: the branches' maps, one after the other."""


class Collect(Join):
    """[x, f(x), g(f(x)), …]: the input and what each child makes of what the one before it gave."""


class Gate(Join):
    """x · F(x), or S(x) · F(x) where the shortcut has layers."""


class Sequential(Join):
    """Steps, each of which reads what earlier ones give."""


class ModuleList(nn.Module):
    """Layers that the forward of a block around runs."""

    is_container = True

    def __init__(self, children: Mapping[str, nn.Module | None]) -> None:
        super().__init__()
        for name, child in children.items():
            self.register_module(name, child)


class Add(nn.Module):
    """a + b + …"""

    def forward(self, values: List[Tensor]) -> Tensor:  # noqa: UP006 - what jit.script reads
        total = values[0]
        for value in values[1:]:
            total = total + value
        return total


class Subtract(nn.Module):
    """a - b."""

    def forward(self, values: List[Tensor]) -> Tensor:  # noqa: UP006
        return values[0] - values[1]


class Divide(nn.Module):
    """a / b."""

    def forward(self, values: List[Tensor]) -> Tensor:  # noqa: UP006
        return values[0] / values[1]


class Multiply(nn.Module):
    """a · b."""

    def forward(self, values: List[Tensor]) -> Tensor:  # noqa: UP006
        return values[0] * values[1]


class MatMul(nn.Module):
    """The matrix product of each sample."""

    def forward(self, values: List[Tensor]) -> Tensor:  # noqa: UP006
        return torch.matmul(values[0], values[1])


class Cat(nn.Module):
    """Tensors one after the other along a dimension."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, values: List[Tensor]) -> Tensor:  # noqa: UP006
        return torch.cat(values, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Stack(Cat):
    """Tensors side by side along a new dimension."""

    def forward(self, values: List[Tensor]) -> Tensor:  # noqa: UP006
        return torch.stack(values, self.dim)


class UpsampleLike(nn.Module):
    """The first tensor at the height and width of the second."""

    def __init__(self, mode: str, align_corners: bool | None) -> None:
        super().__init__()
        self.mode = mode
        self.align_corners = align_corners

    def forward(self, values: List[Tensor]) -> Tensor:  # noqa: UP006
        size = values[1].shape[2:]
        return F.interpolate(values[0], size, mode=self.mode, align_corners=self.align_corners)

    def extra_repr(self) -> str:
        return f"mode={self.mode!r}"


class Aux(nn.Sequential):
    """A side head: `Headed` gives it the output of the sibling `source`, in training only."""

    source = ""

    def extra_repr(self) -> str:
        return f"source={self.source!r}"


class PadLike(nn.Module):
    """The first tensor, padded or cut to the height and width of the second."""

    def __init__(self, mode: str, before: int | None) -> None:
        super().__init__()
        self.mode = mode
        self.before = before

    def forward(self, values: List[Tensor]) -> Tensor:  # noqa: UP006
        height = values[1].shape[2] - values[0].shape[2]
        width = values[1].shape[3] - values[0].shape[3]
        left, top = width // 2, height // 2
        if self.before is not None:
            left = top = self.before
        return F.pad(values[0], [left, width - left, top, height - top], mode=self.mode)

    def extra_repr(self) -> str:
        return f"mode={self.mode!r}, before={self.before}"


class ScaledTanh(nn.Module):
    """amplitude * tanh(slope * x)."""

    def __init__(self, amplitude: float, slope: float) -> None:
        super().__init__()
        self.amplitude = amplitude
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return self.amplitude * torch.tanh(self.slope * x)

    def extra_repr(self) -> str:
        return f"amplitude={self.amplitude}, slope={self.slope:.4g}"


class ScaleShift(nn.Module):
    """x * scale + shift, by a constant of each channel, in the order of torchvision's GoogLeNet."""

    def __init__(self, scale: tuple[float, ...], shift: tuple[float, ...]) -> None:
        super().__init__()
        self.scale = list(scale)
        self.shift = list(shift)

    def forward(self, x: Tensor) -> Tensor:
        count = len(self.scale)
        return torch.cat([x[:, one : one + 1] * self.scale[one] + self.shift[one] for one in range(count)], 1)

    def extra_repr(self) -> str:
        return f"scale={tuple(self.scale)}, shift={tuple(self.shift)}"


class Subsampling2d(nn.Module):
    """The sum of each window, times the map's coefficient, plus the map's bias."""

    def __init__(self, channels: int, kernel_size: IntOrPair) -> None:
        super().__init__()
        self.channels = channels
        self.kernel_size = pair(kernel_size)
        self.window = prod(self.kernel_size)
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.reset_parameters()

    def reset_parameters(self, bound: Bound = torch_bound) -> None:
        limit = bound(self.window)
        nn.init.uniform_(self.weight, -limit, limit)
        nn.init.uniform_(self.bias, -limit, limit)

    def forward(self, x: Tensor) -> Tensor:
        sums = F.avg_pool2d(x, self.kernel_size) * self.window
        return sums * self.weight[:, None, None] + self.bias[:, None, None]

    def extra_repr(self) -> str:
        return f"{self.channels}, kernel_size={self.kernel_size}"


class TableConv2d(nn.Module):
    """A convolution with one kernel for each input map that an output map reads, and no others."""

    def __init__(self, table: tuple[tuple[int, ...], ...], kernel_size: IntOrPair) -> None:
        super().__init__()
        self.table = table
        self.inputs = [number for row in table for number in row]
        self.reads = [len(row) for row in table]
        """How many input maps each output map reads."""
        self.stops = [0, *accumulate(self.reads)]
        self.kernel_size = pair(kernel_size)
        self.weight = nn.Parameter(torch.empty(sum(map(len, table)), 1, *self.kernel_size))
        self.bias = nn.Parameter(torch.empty(len(table)))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self, bound: Bound = torch_bound) -> None:
        for weights, bias in zip(torch.split(self.weight, self.reads), torch.split(self.bias, 1), strict=True):
            limit = bound(weights.numel())
            nn.init.uniform_(weights, -limit, limit)
            nn.init.uniform_(bias, -limit, limit)

    def forward(self, x: Tensor) -> Tensor:
        given = x.unbind(1)
        read = torch.stack([given[number] for number in self.inputs], 1)
        maps = F.conv2d(read, self.weight, groups=len(self.inputs))
        sums = [maps[:, self.stops[one] : self.stops[one + 1]].sum(1) for one in range(len(self.reads))]
        return torch.stack(sums, 1) + self.bias[:, None, None]

    def extra_repr(self) -> str:
        return f"{len(self.table)}, kernel_size={self.kernel_size}, connections={len(self.inputs)}"


class RBF(nn.Module):
    """The squared distance to each class's centre. The centres are a buffer: they are not trained."""

    centres: Tensor

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.register_buffer("centres", torch.empty(out_features, in_features))
        self.reset_centres()

    def reset_centres(self) -> None:
        """The `drawings` of the classes."""
        out_features, in_features = self.centres.shape
        self.centres.copy_(torch.tensor(drawings(out_features, in_features)))

    def forward(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(1) - self.centres).pow(2).sum(2)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}"


class PadChannels(nn.Module):
    """Zero maps after the last, and `before` the first."""

    def __init__(self, in_channels: int, out_channels: int, before: int = 0) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.before = before

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, (0, 0, 0, 0, self.before, self.out_channels - self.before - self.in_channels))

    def extra_repr(self) -> str:
        before = f", before={self.before}" if self.before else ""
        return f"{self.in_channels}, {self.out_channels}{before}"


class LayerNorm2d(nn.LayerNorm):
    """Over the channels of (N, C, H, W). As torchvision's, but its output lies in memory as other layers' does."""

    def forward(self, x: Tensor) -> Tensor:
        last = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
        return last.permute(0, 3, 1, 2).contiguous()


class StochasticDepth(nn.Module):
    """In training zero with probability p and else divided by 1 - p; after one seed as torchvision's."""

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        survival = 1 - self.p
        noise = x.new_empty([x.shape[0] if self.mode == "row" else 1] + [1] * (x.dim() - 1)).bernoulli_(survival)
        if survival > 0:
            noise.div_(survival)
        return x * noise

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode}"


class Permute(nn.Module):
    """The dimensions in another order, and the elements in memory in that order, too."""

    def __init__(self, dims: tuple[int, ...]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.dims).clone(memory_format=torch.contiguous_format)

    def extra_repr(self) -> str:
        return f"dims={self.dims}"
