"""What a rewrite that changes no outputs at inference makes of a module's weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ...arch import BatchNorm2d, Conv2d, ConvTranspose2d, Linear, Node, find, walk
from ...arch.node import pair
from ...rewrites import Rewrite
from ...rewrites.fusion import fusible
from ...rewrites.parallel import Branch, parallel

State = Mapping[str, torch.Tensor]


def fuse_batchnorm(module: nn.Module, description: Node) -> nn.Module:
    """A copy of a module, for inference, whose convolutions do their batch normalisations' work: the same outputs
    as in eval mode up to rounding, and the state dict of `rewrites.fuse_batchnorm(description)`.

    `description` is what the module was built from; AttributeError where it has others. Jacob et al.
    (2017), equation 14.
    """
    fused = deepcopy(module).eval()
    for path, norm in fusible(description):
        conv, batch_norm = fused.get_submodule(path), fused.get_submodule(norm)
        assert isinstance(conv, nn.Conv2d | nn.ConvTranspose2d)
        assert isinstance(batch_norm, nn.BatchNorm2d)
        fused.set_submodule(path, fuse_conv_bn_eval(conv, batch_norm, transpose=isinstance(conv, nn.ConvTranspose2d)))
        parent, _, name = norm.rpartition(".")
        delattr(fused.get_submodule(parent), name)
    return fused


def carried(rewrite: Rewrite, description: Node, state: State) -> dict[str, torch.Tensor]:
    """A state dict of a description as it is under a rewrite: where that says of a layer how the work of others becomes
    its own, that layer's tensors are worked out from theirs, in double precision, and theirs are left out."""
    name = rewrite.name.partition("=")[0]
    return CARRIED[name](rewrite, description, state) if name in CARRIED else dict(state)


def _fused(rewrite: Rewrite, description: Node, state: State) -> dict[str, torch.Tensor]:
    """Each convolution's weights with the batch normalisation behind it."""
    made = dict(state)
    for path, norm in fusible(description):
        _replace(made, description, path, [Branch(path, norm)])
    return made


def _reparameterized(rewrite: Rewrite, description: Node, state: State) -> dict[str, torch.Tensor]:
    """The sums of the weights of convolutions side by side: Ding et al. (2021), RepVGG, section 3.3, equation 3."""
    made = dict(state)
    for one in parallel(description):
        _replace(made, description, one.into, one.branches)
    return made


def _convolutionalized(rewrite: Rewrite, description: Node, state: State) -> dict[str, torch.Tensor]:
    """The weights of linear layers in the shape of the convolutions that they become."""
    made = dict(state)
    new = dict(walk(rewrite(description)))
    for path, node in walk(description):
        weight, conv = state.get(f"{path}.weight"), new.get(path)
        if isinstance(node, Linear) and isinstance(conv, Conv2d) and weight is not None:
            shaped = weight.detach().reshape(len(weight), -1, *pair(conv.kernel_size))
            made[f"{path}.weight"] = nn.Parameter(shaped, weight.requires_grad)
    return made


CARRIED: dict[str, Callable[[Rewrite, Node, State], dict[str, torch.Tensor]]] = {
    "convolutionalize": _convolutionalized,
    "fuse_batchnorm": _fused,
    "reparameterize": _reparameterized,
}
"""By the rewrite's name."""


def _replace(state: dict[str, torch.Tensor], description: Node, path: str, branches: Sequence[Branch]) -> None:
    """Give the convolution at a path the weights of the branches' sum, and leave out what else the branches have."""
    paths = {one for branch in branches for one in branch if one is not None}
    own = {name: value for name, value in state.items() if name.rpartition(".")[0] in paths}
    if any(f"{branch.conv}.weight" not in own for branch in branches if branch.conv is not None):
        return  # it is worked out from tensors of other names
    kernel = own[f"{path}.weight"]
    dtype = torch.float32 if kernel.device.type == "mps" else torch.float64  # which has no other
    exact = {name: value.detach().to(dtype) for name, value in own.items()}
    sums = [_linear(exact, description, path, branch) for branch in branches]
    for name in own:
        del state[name]
    learns = any(value.requires_grad for value in own.values())
    for name, parts in zip(("weight", "bias"), zip(*sums, strict=True), strict=True):
        state[f"{path}.{name}"] = nn.Parameter(torch.stack(parts).sum(0).to(kernel.dtype), learns)


def _linear(exact: State, description: Node, path: str, branch: Branch) -> tuple[torch.Tensor, torch.Tensor]:
    """The weight, as large as that of the convolution at a path, and the bias by which it does a branch's work."""
    into = exact[f"{path}.weight"]
    if branch.conv is None:
        weight = torch.zeros_like(into)
        channel = torch.arange(len(into), device=into.device)
        weight[channel, channel % into.shape[1], into.shape[2] // 2, into.shape[3] // 2] = 1
        bias, groups = None, 0
    else:
        conv, weight = find(description, branch.conv), exact[f"{branch.conv}.weight"]
        bias = exact.get(f"{branch.conv}.bias")
        groups = conv.groups if isinstance(conv, ConvTranspose2d) else 0  # whose weights have inputs first
        above, left = ((size - own) // 2 for size, own in zip(into.shape[2:], weight.shape[2:], strict=True))
        weight = nn.functional.pad(weight, (left, left, above, above))
    if branch.norm is None:
        return weight, torch.zeros_like(into[:, 0, 0, 0]) if bias is None else bias
    norm = find(description, branch.norm)
    assert isinstance(norm, BatchNorm2d)
    mean, variance = (exact[f"{branch.norm}.running_{name}"] for name in ("mean", "var"))
    scale = exact.get(f"{branch.norm}.weight", 1) / (variance + norm.eps).sqrt()
    shift = exact.get(f"{branch.norm}.bias", 0) + ((0 if bias is None else bias) - mean) * scale
    if groups:
        each = weight.view(groups, -1, *weight.shape[1:]) * scale.view(groups, 1, -1, 1, 1)
        return each.view_as(weight), shift
    return weight * scale.view(-1, 1, 1, 1), shift
