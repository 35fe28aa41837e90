"""How parameters begin: as torch, as torchvision or as the paper of each family has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import sqrt
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from ...errors import InvalidValueError
from ...words import hint, quoted
from .forwards import RBF, Residual, Subsampling2d, TableConv2d
from .windowed import BlurPool2d

Scheme: TypeAlias = Callable[[nn.Module], None]
"""Sets the parameters of a network, all of them."""


def initialise(net: nn.Module, init: str | Scheme | None) -> None:
    """Give a network its first parameters by a scheme, or by the name of one; None leaves them be.

    Buffers always begin as torch's do: running statistics at 0 and 1, counters at 0, LeNet-5's centres at their
    drawings, and the filters of blurs at their binomials.
    """
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.InstanceNorm2d):
            module.reset_running_stats()
        elif isinstance(module, RBF):
            module.reset_centres()
        elif isinstance(module, BlurPool2d):
            module.reset_filter()
    scheme = find_scheme(init) if isinstance(init, str) else init
    if scheme is not None:
        scheme(net)


def find_scheme(name: str, model: str = "", family: str = "") -> Scheme:
    """The scheme "torch", "torchvision" or "paper" for a registered network and the module that holds it.

    torchvision begins with torch's own what it does not have. ValueError for an unknown scheme, and for
    "paper" where no paper is known.
    """
    if name not in SCHEMES:
        schemes = f"there are {', '.join(map(repr, SCHEMES))}, and None"
        raise InvalidValueError(f"unknown init {quoted(name)}; {hint(name, SCHEMES, schemes)}")
    known = SCHEMES[name]
    found = known.get(model) or known.get(family) or known.get("")
    if found is None:
        raise InvalidValueError(
            f"init={name!r}: no paper is known to say how {model or 'a bare description'} begins; "
            f"give init='torch', None, or a function of the module"
        )
    return found


def as_torch(net: nn.Module) -> None:
    """torch's own: uniform within 1 / sqrt(fan-in), batch norms at 1 and 0."""
    for module in net.modules():
        reset: Any = getattr(module, "reset_parameters", None)
        if reset is not None:
            reset()


def weighted(net: nn.Module) -> Iterator[nn.Conv2d | nn.Linear]:
    """Its convolutions and linear layers, in order."""
    return (module for module in net.modules() if isinstance(module, nn.Conv2d | nn.Linear))


def set_bias(layer: nn.Conv2d | nn.Linear, value: float) -> None:
    if layer.bias is not None:
        nn.init.constant_(layer.bias, value)


# torchvision draws torch's own first and then again over it, so these do too: after one seed, one network.


def resnet_torchvision(net: nn.Module) -> None:
    """He normal by fan-out in convolutions; the last layer as torch's."""
    as_torch(net)
    for layer in weighted(net):
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


def by_fan_out(linear: Callable[[Tensor], object]) -> Scheme:
    """He normal by fan-out in convolutions, linear layers as told, zero biases."""

    def scheme(net: nn.Module) -> None:
        as_torch(net)
        for layer in weighted(net):
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            else:
                linear(layer.weight)
            set_bias(layer, 0)

    return scheme


vgg_torchvision = by_fan_out(partial(nn.init.normal_, std=0.01))
"""0.01 normal in linear layers; MobileNetV2 and V3 begin as VGG."""

mnasnet_torchvision = by_fan_out(partial(nn.init.kaiming_uniform_, mode="fan_out", nonlinearity="sigmoid"))
"""Uniform within sqrt(3 / outputs) in the linear layer."""

efficientnet_torchvision = by_fan_out(
    lambda weight: nn.init.uniform_(weight, -sqrt(1 / len(weight)), sqrt(1 / len(weight)))
)
"""Uniform within 1 / sqrt(outputs) in the linear layer."""


def squeezenet_torchvision(net: nn.Module) -> None:
    """He uniform by fan-in, in the last convolution 0.01 normal; zero biases."""
    as_torch(net)
    *others, last = weighted(net)
    for layer in others:
        nn.init.kaiming_uniform_(layer.weight)
    nn.init.normal_(last.weight, std=0.01)
    for layer in (*others, last):
        set_bias(layer, 0)


def densenet_torchvision(net: nn.Module) -> None:
    """He normal by fan-in in convolutions; the last layer's weight as torch's, its bias zero."""
    as_torch(net)
    for layer in weighted(net):
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
        else:
            set_bias(layer, 0)


def googlenet_torchvision(net: nn.Module) -> None:
    """0.01 normal, cut off at 2; biases as torch's."""
    as_torch(net)
    for layer in weighted(net):
        nn.init.trunc_normal_(layer.weight, mean=0, std=0.01, a=-2, b=2)


def regnet_torchvision(net: nn.Module) -> None:
    """Normal in convolutions, of a deviation of sqrt(2 / (kernel area times output channels)); 0.01 normal in the
    linear layer; its bias zero, others as torch's."""
    as_torch(net)
    for layer in weighted(net):
        if isinstance(layer, nn.Conv2d):
            area = layer.kernel_size[0] * layer.kernel_size[1]
            nn.init.normal_(layer.weight, 0, sqrt(2 / (area * layer.out_channels)))
        else:
            nn.init.normal_(layer.weight, 0, 0.01)
            set_bias(layer, 0)


def inception_v3_torchvision(net: nn.Module) -> None:
    """0.1 normal, in the auxiliary head's last layer 0.001, cut off at 2; biases as torch's. The 0.01 that torchvision
    has for the head's last convolution is never read."""
    as_torch(net)
    for name, layer in net.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.trunc_normal_(layer.weight, mean=0, std=0.001 if name == "AuxLogits.fc" else 0.1, a=-2, b=2)


def convnext_torchvision(net: nn.Module) -> None:
    """0.02 normal, cut off at 2; zero biases."""
    as_torch(net)
    for layer in weighted(net):
        nn.init.trunc_normal_(layer.weight, std=0.02)
        set_bias(layer, 0)


def interpolating(net: nn.Module) -> None:
    """Each transposed convolution as bilinear interpolation of each channel by itself: Long et al. (2015), section 3.3,
    and `upsample_filt` of the authors' surgery.py. The weight of a position falls to 0 along a line, from its middle to
    as far as the next position's lies."""
    for layer in net.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            size = layer.kernel_size[0]
            apart = torch.arange(size) - (size - 1) / 2
            line = 1 - apart.abs() / ((size + 1) // 2)
            nn.init.zeros_(layer.weight)
            with torch.no_grad():
                layer.weight.diagonal().copy_(torch.outer(line, line)[..., None])


def fcn_torchvision(net: nn.Module) -> None:
    """torch's own, a ResNet's convolutions He normal by fan-out, transposed convolutions as interpolation."""
    as_torch(net)
    if backbone := net._modules.get("backbone"):
        resnet_torchvision(backbone)
    interpolating(net)


def fcn_paper(net: nn.Module) -> None:
    """torch's own, for the layers that are to have VGG's weights; the layers that score 0, transposed convolutions as
    interpolation: Long et al. (2015), section 4.3."""
    as_torch(net)
    for name, layer in net.named_children():
        if name.startswith("score_") and isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
            set_bias(layer, 0)
    interpolating(net)


def lenet_paper(net: nn.Module) -> None:
    """Uniform within 2.4 / fan-in; LeCun et al. (1998), appendix A."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            limit = 2.4 / module.weight[0].numel()
            nn.init.uniform_(module.weight, -limit, limit)
            if module.bias is not None:
                nn.init.uniform_(module.bias, -limit, limit)
        elif isinstance(module, Subsampling2d | TableConv2d):
            module.reset_parameters(lambda fan_in: 2.4 / fan_in)


def alexnet_paper(net: nn.Module) -> None:
    """0.01 normal; biases 1 in the second, fourth and fifth convolution and in the hidden linear layers, else 0.

    Krizhevsky et al. (2012), section 5.
    """
    convs = [layer for layer in weighted(net) if isinstance(layer, nn.Conv2d)]
    hidden = [layer for layer in weighted(net) if isinstance(layer, nn.Linear)][:2]
    ones = {*convs[1:2], *convs[3:5], *hidden}
    for layer in weighted(net):
        nn.init.normal_(layer.weight, 0, 0.01)
        set_bias(layer, 1 if layer in ones else 0)


def caffenet_paper(net: nn.Module) -> None:
    """As AlexNet, but 0.005 in the hidden linear layers: BVLC's `bvlc_reference_caffenet/train_val.prototxt`."""
    alexnet_paper(net)
    for layer in [layer for layer in weighted(net) if isinstance(layer, nn.Linear)][:2]:
        nn.init.normal_(layer.weight, 0, 0.005)


def vgg_paper(net: nn.Module) -> None:
    """Normal of variance 0.01, so a deviation of 0.1, and zero biases; Simonyan and Zisserman (2014), section 3.1.

    The paper begins so only configuration A, and the others with layers of A trained before; it adds that
    the procedure of Glorot and Bengio (2010) does without that.
    """
    for layer in weighted(net):
        nn.init.normal_(layer.weight, 0, 0.1)
        set_bias(layer, 0)
    reset_norms(net)


def googlenet_paper(net: nn.Module) -> None:
    """Szegedy et al. (2014) do not say. As BVLC's `bvlc_googlenet/train_val.prototxt`: Caffe's "xavier",
    uniform within sqrt(3 / fan-in), and biases 0.2, in the classifiers 0."""
    for layer in weighted(net):
        limit = sqrt(3 / layer.weight[0].numel())
        nn.init.uniform_(layer.weight, -limit, limit)
        set_bias(layer, 0.2)
    for name, module in net.named_modules():
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] in ("fc", "fc2"):
            set_bias(module, 0)
    reset_norms(net)


def he_paper(net: nn.Module) -> None:
    """He normal by fan-in, zero biases: He et al. (2015a), equation 10, named by ResNet (section 3.4), its
    pre-activation (appendix) and DenseNet (section 4.2)."""
    for layer in weighted(net):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        set_bias(layer, 0)
    reset_norms(net)


def bag_of_tricks(net: nn.Module) -> None:
    """Glorot uniform and zero biases, and each block begins as its shortcut: He et al. (2018), sections 2.1 and 3.1."""
    for layer in weighted(net):
        nn.init.xavier_uniform_(layer.weight)
        set_bias(layer, 0)
    reset_norms(net)
    zero_residuals(net)


def reset_norms(net: nn.Module) -> None:
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()


def zero_residuals(net: nn.Module) -> None:
    """The last batch norm of each residual branch at 0, so that a block begins as its shortcut; Goyal et al. (2017),
    section 5.1, and torchvision's `zero_init_residual`. ValueError where there is none."""
    last = []
    for module in net.modules():
        if isinstance(module, Residual):
            body = map(module._modules.get, module.program.body())
            last += [child for child in body if isinstance(child, nn.BatchNorm2d)][:1]
    if not last:
        raise InvalidValueError("zero_init_residual: no residual branch of the network ends in a batch norm")
    for norm in last:
        nn.init.zeros_(norm.weight)


SCHEMES: dict[str, dict[str, Scheme]] = {
    "torch": {"": as_torch},
    "torchvision": {
        "": as_torch,
        "cnnzoo.models.vgg": vgg_torchvision,
        "cnnzoo.models.fcn": fcn_torchvision,
        "cnnzoo.models.deeplabv3": fcn_torchvision,
        "cnnzoo.models.googlenet": googlenet_torchvision,
        "cnnzoo.models.resnet": resnet_torchvision,
        "cnnzoo.models.resnext": resnet_torchvision,
        "cnnzoo.models.wide_resnet": resnet_torchvision,
        "cnnzoo.models.densenet": densenet_torchvision,
        "cnnzoo.models.regnet": regnet_torchvision,
        "cnnzoo.models.inception_v3": inception_v3_torchvision,
        "cnnzoo.models.convnext": convnext_torchvision,
        "cnnzoo.models.squeezenet": squeezenet_torchvision,
        "cnnzoo.models.mobilenet_v2": vgg_torchvision,
        "cnnzoo.models.mobilenet_v3": vgg_torchvision,
        "cnnzoo.models.mnasnet": mnasnet_torchvision,
        "cnnzoo.models.efficientnet": efficientnet_torchvision,
        "cnnzoo.models.efficientnet_v2": efficientnet_torchvision,
    },
    "paper": {
        "cnnzoo.models.lenet": lenet_paper,
        "cnnzoo.models.alexnet": alexnet_paper,
        "caffenet": caffenet_paper,
        **dict.fromkeys(["fcn32s", "fcn16s", "fcn8s", "fcn_alexnet", "fcn_googlenet"], fcn_paper),
        "cnnzoo.models.vgg": vgg_paper,
        "cnnzoo.models.googlenet": googlenet_paper,
        "cnnzoo.models.resnet": he_paper,
        "cnnzoo.models.preresnet": he_paper,
        "cnnzoo.models.resnet_d": bag_of_tricks,
        "cnnzoo.models.resnext": he_paper,
        "cnnzoo.models.senet": he_paper,
        "cnnzoo.models.wide_resnet": he_paper,
        "cnnzoo.models.densenet": he_paper,
    },
}
"""By name, then by network or by the module that registers it; "" for all others."""
