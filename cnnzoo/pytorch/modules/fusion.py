"""Batch normalisation folded into the weights of the convolution before it, on a module with its weights."""

from __future__ import annotations

from copy import deepcopy

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ...arch import Node
from ...rewrites.fusion import fusible


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
