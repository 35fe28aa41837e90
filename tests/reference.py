"""Deterministic weights and inputs, so that two implementations of a network can be compared by their outputs.

The same rule filled torchvision's networks for `tests/data/networks.json`.
"""

import zlib

import torch
from torch import nn

NEXT_DOOR = {"alexnet": "alexnet_tv", "googlenet_aux": "googlenet_tv"}
"""Our name of torchvision's network where it is another."""


def fill(state: dict) -> dict:
    """Values for a state dict that depend on the names and shapes alone."""
    return {name: _values(name, tensor).to(tensor.dtype) for name, tensor in state.items()}


def _values(name: str, tensor: torch.Tensor) -> torch.Tensor:
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    if name.endswith("num_batches_tracked"):
        return torch.zeros_like(tensor)
    if name.endswith("running_var"):
        return 1 + 0.1 * torch.rand(tensor.shape, generator=generator)
    noise = torch.randn(tensor.shape, generator=generator)
    if name.endswith("running_mean"):
        return 0.1 * noise
    if tensor.dim() > 1:
        return noise * (2 / tensor[0].numel()) ** 0.5
    return 1 + 0.1 * noise if name.endswith(("weight", "scale", "gamma")) else 0.01 * noise


def image(shape: tuple[int, ...], batch: int = 1) -> torch.Tensor:
    return torch.randn((batch, *shape), generator=torch.Generator().manual_seed(0))


def saved_bytes(module: nn.Module, *images: torch.Tensor) -> int:
    """The storages that autograd saves in a forward pass, each once, parameters and buffers apart."""
    saved: dict[int, torch.UntypedStorage] = {}  # they are held, so that none takes another's address

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        saved[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        module(*images)
    own = {one.untyped_storage()._cdata for one in (*module.parameters(), *module.buffers())}
    return sum(storage.nbytes() for number, storage in saved.items() if number not in own)
