"""What other tools add for what they see: a module's call, a function of torch's, an operator.

Each rule is the tool's own, right or wrong, in the versions of `constraints.txt`. What no table here names the tool
takes for nothing, or it stands among what is said to be unruled.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

OfModule = Callable[[Any, Tensor, Any], float]
"""From a module, its first input and its output."""

OfOperator = Callable[..., int]
"""From an operator's output and arguments."""


class UnruledError(ValueError):
    """A number that cannot be told; the message says why."""


def unruled(module: nn.Module, x: Tensor, y: Any) -> int:
    raise UnruledError(f"there is no rule for its {type(module).__name__}")


def nothing(module: nn.Module, x: Tensor, y: Any) -> int:
    return 0


def inputs(module: nn.Module, x: Tensor, y: Any) -> int:
    return x.numel()


def outputs(module: nn.Module, x: Tensor, y: Tensor) -> int:
    return y.numel()


def each(rule: OfModule, *kinds: type[nn.Module]) -> dict[type[nn.Module], OfModule]:
    return dict.fromkeys(kinds, rule)


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
NORMS = (*BATCH_NORMS, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d, nn.LayerNorm)
AVERAGES = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
MAXIMA = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
ADAPTIVE_AVERAGES = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
ADAPTIVE_MAXIMA = (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)
RECURRENT = (nn.RNN, nn.GRU, nn.LSTM, nn.RNNCell, nn.GRUCell, nn.LSTMCell)


# thop hooks modules of these very classes


def _thop_convolution(module: Any, x: Tensor, y: Tensor) -> int:
    return int(y.numel() * (x.shape[1] // module.groups) * prod(module.weight.shape[2:]))


def _thop_norm(module: nn.Module, x: Tensor, y: Tensor) -> int:
    affine = getattr(module, "affine", False) or getattr(module, "elementwise_affine", False)
    return (4 if affine else 2) * x.numel()


def _thop_softmax(module: nn.Softmax, x: Tensor, y: Tensor) -> int:
    features = x.shape[module.dim]  # type: ignore[index]
    return x.numel() // features * (3 * features - 1)


def _thop_adaptive(module: nn.Module, x: Tensor, y: Tensor) -> int:
    """In floating point, and cut off."""
    share = prod(given / made for given, made in zip(x.shape[2:], y.shape[2:], strict=True))
    return int((share + 1) * y.numel())


def _thop_upsample(module: nn.Upsample, x: Tensor, y: Tensor) -> int:
    return {"nearest": 1, "linear": 5, "bilinear": 11, "bicubic": 259}.get(module.mode, 0) * y.numel()


def _linear(module: nn.Linear, x: Tensor, y: Tensor) -> int:
    return module.in_features * y.numel()


THOP: dict[type[nn.Module], OfModule] = {
    **each(_thop_convolution, *CONVOLUTIONS, *TRANSPOSED),
    **each(_thop_norm, *NORMS, nn.SyncBatchNorm),
    **each(nothing, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.Dropout, nn.PixelShuffle, nn.ZeroPad2d, nn.Sequential),
    **each(nothing, *MAXIMA, *ADAPTIVE_MAXIMA),
    **each(outputs, *AVERAGES),
    **each(_thop_adaptive, *ADAPTIVE_AVERAGES),
    **each(_thop_upsample, nn.Upsample, nn.UpsamplingBilinear2d, nn.UpsamplingNearest2d),
    **each(unruled, *RECURRENT),
    nn.PReLU: inputs,
    nn.Softmax: _thop_softmax,
    nn.Linear: _linear,
}


# ptflops hooks modules of these very classes, and puts functions of its own in the place of torch's


def _ptflops_convolution(module: Any, x: Tensor, y: Tensor) -> int:
    at = x if isinstance(module, TRANSPOSED) else y
    each = prod(module.kernel_size) * module.in_channels * (module.out_channels // module.groups)
    biases = x.shape[0] * prod(y.shape[1:]) if module.bias is not None else 0
    return int(each * x.shape[0] * prod(at.shape[2:]) + biases)


def _ptflops_norm(module: nn.Module, x: Tensor, y: Tensor) -> int:
    return (2 if getattr(module, "affine", False) else 1) * x.numel()


def _ptflops_linear(module: nn.Linear, x: Tensor, y: Tensor) -> int:
    return int((x.shape[-1] + (module.bias is not None)) * y.shape[-1] * prod(x.shape[:-1]))


def _ptflops_upsample(module: nn.Module, x: Tensor, y: Tensor) -> int:
    return y[0].numel()


PTFLOPS: dict[type[nn.Module], OfModule] = {
    **each(_ptflops_convolution, *CONVOLUTIONS, *TRANSPOSED),
    **each(_ptflops_norm, *NORMS, nn.GroupNorm),
    **each(outputs, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.GELU),
    **each(inputs, *MAXIMA, *AVERAGES, *ADAPTIVE_MAXIMA, *ADAPTIVE_AVERAGES),
    **each(unruled, *RECURRENT, nn.MultiheadAttention),
    nn.Linear: _ptflops_linear,
    nn.Upsample: _ptflops_upsample,
}

PTFLOPS_OPTIONAL = ("torchvision.ops.deform_conv.DeformConv2d", "timm.layers.attention.Attention")
"""Classes that it hooks where their library is installed."""


def _elements(input: Any, *args: Any, **kwargs: Any) -> int:
    return int(input.numel())


def _product(input: Any, other: Any, *args: Any, **kwargs: Any) -> int:
    return int(input.numel() * other.shape[-1])


def _product_and_addend(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1, out: Any = None) -> int:
    return int(mat1.numel() * mat2.shape[-1] + (input.numel() if beta != 0 else 0))


def _elementwise(input: Any, other: Any, *args: Any, **kwargs: Any) -> int:
    """It lines two shapes up at their beginning, where torch does at their end."""
    shapes = [one.shape for one in (input, other) if isinstance(one, Tensor)]
    longest = max(map(len, shapes), default=0)
    return prod(max(shape[axis] if axis < len(shape) else 1 for shape in shapes) for axis in range(longest))


def _interpolate(*args: Any, **kwargs: Any) -> float:
    given = dict(zip(("input", "size", "scale_factor"), args, strict=False)) | kwargs
    x, size, scale = given["input"], given.get("size"), given.get("scale_factor")
    dims = x.dim() - 2
    if size is not None:
        positions = prod(size) if isinstance(size, tuple | list) else size**dims
        return int(positions * prod(x.shape[:2]))
    times = int(prod(scale)) if isinstance(scale, tuple) and len(scale) == dims else scale**dims
    return float(x.numel() * times)


PTFLOPS_FUNCTIONS: list[tuple[Any, str, Callable[..., float]]] = [
    *((F, name, _elements) for name in ("relu", "prelu", "elu", "relu6", "gelu", "silu", "softmax")),
    *((F, f"{kind}_pool{dims}d", _elements) for kind in ("avg", "max") for dims in (1, 2, 3)),
    *((F, f"adaptive_{kind}_pool{dims}d", _elements) for kind in ("avg", "max") for dims in (1, 2, 3)),
    *((F, name, _interpolate) for name in ("upsample", "interpolate")),
    *((owner, name, _product) for name in ("matmul", "mm", "bmm") for owner in (torch, Tensor)),
    *((owner, name, _elementwise) for name in ("mul", "add") for owner in (torch, Tensor)),
    *((owner, name, _product_and_addend) for owner, name in ((torch, "addmm"), (Tensor, "addmm"), (torch, "baddbmm"))),
]
"""Where it puts its own, and what each adds for its arguments."""


# Operators as they are dispatched: ptflops' other backend

aten = torch.ops.aten


def _biased_convolution(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, *rest: Any) -> int:
    """Of `stride, padding, dilation, transposed, …` the fourth."""
    at = x if rest[3] else y
    return x.shape[0] * weight.numel() * prod(at.shape[2:]) + (y.numel() if bias is not None else 0)


def _biased_product(y: Tensor, bias: Tensor, a: Tensor, b: Tensor, **_: Any) -> int:
    return a.numel() * b.shape[-1] + y.numel()


PTFLOPS_ATEN: dict[Any, OfOperator] = {
    **dict.fromkeys((aten.mm, aten.bmm), lambda y, a, b: a.numel() * b.shape[-1]),
    aten.addmm: _biased_product,
    aten.convolution: _biased_convolution,
}


# Operators as they are called: fvcore, by what torch.jit traces


def _traced_convolution(y: Tensor, x: Tensor, weight: Tensor, *rest: Any) -> int:
    """padding="same" is another operator in a trace, which it does not know."""
    if any(isinstance(one, str) for one in rest):
        return 0
    return _at_positions(y, x, weight)


def _at_positions(at: Tensor, x: Tensor, weight: Tensor, *_: Any) -> int:
    """All weights at every position, of all samples if there are several."""
    dims = weight.dim() - 2
    batch = x.shape[0] if x.dim() == weight.dim() else 1
    return batch * weight.numel() * prod(at.shape[-dims:])


def _traced_norm(place: int) -> OfOperator:
    """Five for an element, four without a weight, which is in this place among the arguments."""

    def rule(y: Tensor, *args: Any, **_: Any) -> int:
        if not 2 <= args[0].dim() <= 5:
            raise UnruledError(f"it refuses to count a norm of {args[0].dim()} dimensions")
        affine = len(args) > place and args[place] is not None
        return (5 if affine else 4) * int(args[0].numel())

    return rule


def _traced_batch_norm(y: Tensor, x: Tensor, weight: Tensor | None, *rest: Any) -> int:
    """Of `bias, running_mean, running_var, training, …` the fourth."""
    if rest[3]:
        return _traced_norm(1)(y, x, weight)
    return (1 if weight is None else 2) * x.numel()


def _traced_matmul(y: Tensor, a: Tensor, b: Tensor) -> int:
    if b.dim() < 2:
        raise UnruledError("it cannot multiply by a vector")
    return a.numel() * b.shape[-1]


def _traced_einsum(y: Tensor, equation: str, operands: list[Tensor], **path: Any) -> int:
    """Half of the cost that numpy prints of its contraction path: one more than it is, to four digits.

    Batches of matrices that are multiplied are counted exactly.
    """
    terms, _, made = equation.replace(" ", "").partition("->")
    a, _, b = terms.partition(",")
    sizes = [*zip(a, operands[0].shape, strict=False), *zip(b, operands[-1].shape, strict=False)]
    lengths = dict(sizes)
    plain = f"{a}{b}{made}".isalpha() and len(a) == len(set(a)) and len(b) == len(set(b)) and len(operands) == 2
    if not plain or len(set(sizes)) != len(lengths):
        raise UnruledError(f"there is no rule for its einsum {equation}")
    names = str.maketrans({letter: chr(ord("a") + place) for place, letter in enumerate(lengths)})
    macs = prod(lengths.values())
    if f"{terms}->{made}".translate(names) in ("abc,abd->acd", "abc,adc->adb"):
        return macs
    flops = macs * (1 if set(made) == set(lengths) else 2)
    return int(float(f"{flops + 1:.3e}") // 2)


FVCORE: dict[Any, OfOperator] = {
    **dict.fromkeys((aten.conv1d, aten.conv2d, aten.conv3d), _traced_convolution),
    **dict.fromkeys(
        (aten.conv_transpose1d, aten.conv_transpose2d, aten.conv_transpose3d),
        lambda y, x, weight, *rest: _at_positions(x, x, weight),
    ),
    aten.convolution: lambda y, x, weight, *rest: _at_positions(x if rest[4] else y, x, weight),
    aten.linear: lambda y, x, weight, *_: x.numel() * weight.shape[0],
    aten.addmm: lambda y, bias, a, b, **_: a.numel() * b.shape[-1],
    aten.bmm: lambda y, a, b: a.numel() * b.shape[-1],
    **dict.fromkeys((aten.mm, aten.matmul, aten.linalg_matmul), _traced_matmul),
    aten.einsum: _traced_einsum,
    aten.batch_norm: _traced_batch_norm,
    aten.instance_norm: _traced_norm(1),
    **dict.fromkeys((aten.group_norm, aten.layer_norm), _traced_norm(2)),
    aten.upsample_nearest2d: lambda y, *_: y.numel(),
    **dict.fromkeys((aten.upsample_bilinear2d, aten.grid_sampler), lambda y, *_: 4 * y.numel()),
    aten.adaptive_avg_pool2d: lambda y, x, *_: x.numel(),
}
