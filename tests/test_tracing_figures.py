"""What is said of modules that were described, against their gradients: receptive fields and what autograd keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from libraries import stub_torchvision
from reference import saved_bytes
from small import small
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

import cnnzoo
from cnnzoo.arch import Shape
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.tracing import describe
from cnnzoo.report import Row


def registered(name: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        description, size = small(name)
        return build(description, size)

    return make


def of_timm(name: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        stub_torchvision()
        net: nn.Module = pytest.importorskip("timm").create_model(name)
        return net

    return make


RGB = (3, 161, 161)

THEIRS = (
    *("resnet10t", "resnet18d", "resnet26", "resnet34", "cspresnet50", "cs3darknet_s", "dla34", "dla46_c"),
    *("hrnet_w18_small", "mobilenetv1_100", "mobilenetv2_050", "efficientnet_lite0", "repvgg_a0", "selecsls42"),
    *("res2net50_48w_2s", "dpn48b", "inception_v3", "regnetx_002", "mobilenet_edgetpu_100", "vovnet39a"),
    *("resnext50_32x4d", "hgnet_tiny"),
)

MODULES: dict[str, Callable[[], nn.Module]] = {
    **{name: registered(name) for name in cnnzoo.list_models()},
    "our inception_v3": lambda: build(cnnzoo.models.inception_v3.describe(aux_logits=False), (3, 299, 299)),
    **{f"timm {name}": of_timm(name) for name in THEIRS},
}


def size_of(name: str) -> Shape:
    if name in cnnzoo.list_models():
        return small(name)[1]
    return (3, 299, 299) if "inception" in name else (3, 224, 224)


class Averaged(TorchFunctionMode):
    """A maximum passes its gradient to one position; a mean of the same windows, to all that were compared."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") != "max_pool2d":
            return func(*args, **(kwargs or {}))

        names = {"ceil_mode": "ceil", "kernel_size": "kernel"}
        return averaged(*args, **{names.get(key, key): value for key, value in (kwargs or {}).items()})


def averaged(
    x: Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any = 1, ceil: bool = False, **_: Any
) -> Tensor:
    assert dilation in (1, (1, 1))
    return F.avg_pool2d(x, kernel, stride, padding, ceil)


def positive(net: nn.Module) -> nn.Module:
    """Each layer about a mean, so that gradients are positive exactly where something is read. Its channels differ,
    as a normalisation over all of them passes nothing of what they have in common.
    """
    net = net.double().eval()
    draw = torch.Generator().manual_seed(0)
    for name, tensor in net.state_dict().items():
        scale = name.endswith(("weight", "running_var", "scale", "gamma"))
        tensor.fill_(1 / tensor[0].numel() if tensor.dim() > 1 else float(scale))
        if tensor.is_floating_point():
            tensor.mul_(1 + torch.rand(tensor.shape, generator=draw, dtype=torch.float64) / 2)
    return net


def seen_by(net: nn.Module, path: str, x: Tensor) -> Tensor:
    """What a layer gives, in a run of the network."""
    found: list[Tensor] = []
    handle = net.get_submodule(path).register_forward_hook(lambda module, args, y: found.append(y))
    with Averaged():
        net(x)
    handle.remove()
    return found[-1]


def channels(y: Tensor) -> Tensor:
    """A weight for each channel, none like another."""
    return torch.linspace(1, 2, y.shape[1], dtype=y.dtype)


LARGEST = 81
"""Positions that the layers see which are looked at."""


def looked_at(rows: list[Row], net: nn.Module, side: int) -> list[Row]:
    """Of the convolutions that see no more than that, and in their middle no border of the image, the last and the one
    in the middle."""
    paths = dict(net.named_modules())
    known = [
        row
        for row in rows
        if row.kind == "Conv2d" and row.path in paths and isinstance(row.receptive_field, int)
        if row.receptive_field <= LARGEST and row.gated_field == row.receptive_field
        if 0 <= row.output_shape[2] // 2 * row.effective_stride - row.effective_padding <= side - row.receptive_field
    ]
    return [known[len(known) // 2], known[-1]] if known else []


@pytest.mark.wide(1, 14)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODULES)
def test_receptive_fields_of_described_modules_are_what_gradients_reach(name: str) -> None:
    net = positive(MODULES[name]())
    size = next(size for size in (RGB, size_of(name)) if fits(net, size))
    report = calculate(describe(net, size), size)
    for row in looked_at(report.rows, net, min(size[1:], default=0)):
        x = torch.full((1, *size), 1e-6, dtype=torch.float64, requires_grad=True)  # far below where ReLU6 is flat
        y = seen_by(net, row.path, x)
        assert tuple(y.shape[1:]) == row.output_shape
        middle = y.shape[2] // 2
        (gradient,) = torch.autograd.grad(y[0, :, middle, middle] @ channels(y), x)
        for axis in (0, 1):
            reads = gradient[0].sum((0, 2 - axis)).nonzero().flatten()
            first, last = int(reads[0]), int(reads[-1])
            assert last - first + 1 == row.receptive_field
            assert middle * row.effective_stride - first == row.effective_padding


def fits(net: nn.Module, size: Any) -> bool:
    try:
        with torch.no_grad():
            net(torch.zeros(1, *size, dtype=torch.float64))
    except RuntimeError:
        return False
    return True


@pytest.mark.wide(3, 14)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODULES)
def test_what_is_stored_of_described_modules_is_what_autograd_keeps(name: str) -> None:
    """Of activations that write over nothing: those in place keep less."""
    net, size = MODULES[name](), size_of(name)
    for module in net.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    report = calculate(describe(net, size), size, batch_size=2)
    net = net.to("meta").train()
    assert report.totals["stored_bytes"] == saved_bytes(net, torch.ones(2, *size, device="meta", requires_grad=True))
