"""A module beside the module that is built from its description: the same weights, the same outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

import torch
from torch import Tensor, nn

from ...arch.node import Node
from ...arch.signal import Shape
from ..measuring.inputs import dtype_of
from ..measuring.operators import tensors_in
from ..measuring.tree import own_tensors
from ..modules.build import build

WITHIN = 1e-4
"""How far outputs may be apart, as a part of the largest: the same numbers in another order of memory are added up in
another order."""

TELLING = 1e-3
"""How far the outputs of two inputs must be apart, as a part of the largest: else equal outputs would prove little."""


class Proof(NamedTuple):
    """The outputs of a module beside those of the module built from its description, for one batch of inputs."""

    sizes: tuple[Shape, ...]
    batch_size: int
    off: float = 0.0
    """The largest difference, as a part of the largest output; 0 is equal bit for bit."""
    problem: str | None = None
    """Where they differ, or why nothing is proven."""


class Original:
    """A module that is compared, in eval mode. It is taken for that: where its outputs do not tell its inputs apart, as
    those of a fresh network may not, it is given other weights."""

    def __init__(self, module: nn.Module, sizes: Sequence[Shape]) -> None:
        self.module = module.eval()
        self.dtype = dtype_of(module)
        self.filled = not self.tells(sizes)
        """Whether it has other weights than it had, by `filled`."""
        if self.filled:
            module.load_state_dict(filled(module.state_dict()))
        self.blind = self.filled and not self.tells(sizes)
        """Whether its outputs do not tell inputs apart even so."""

    def tells(self, sizes: Sequence[Shape]) -> bool:
        """Whether each output of two inputs is another, and finite."""
        outputs = _outputs(self.module, self.inputs(sizes, 2))
        return all(_apart(y[:1], y[1:2]) > TELLING for y in outputs if y.dim() and len(y) == 2)

    def inputs(self, sizes: Sequence[Shape], batch_size: int) -> list[Tensor]:
        """Noise, the same each time."""
        generator = torch.Generator().manual_seed(0)
        made = (torch.randn((batch_size, *size), generator=generator) for size in sizes)
        return [one.to(self.dtype) for one in made]

    def beside(self, description: Node, sizes: Sequence[Shape], batch_size: int) -> Proof:
        """Its outputs beside those of what is built from a description, of which names and shapes of tensors are its
        own; of one tensor with several names the description has one."""
        again = build(description, sizes, init=None, device="cpu", dtype=self.dtype).eval()
        own = again.state_dict().keys()
        again.load_state_dict({name: one for name, one in self.module.state_dict().items() if name in own})
        given = self.inputs(sizes, batch_size)
        ones, others = (_outputs(net, given) for net in (self.module, again))
        shapes, found = ([tuple(y.shape) for y in ys] for ys in (ones, others))
        if shapes != found:
            return Proof(tuple(sizes), batch_size, 1.0, f"it gives {shapes}, and what is built {found}")
        off = max((_apart(one, other) for one, other in zip(ones, others, strict=True)), default=0.0)
        problem = (
            None if off <= WITHIN else f"outputs differ by {off:.1e} of the largest{_first(self.module, again, given)}"
        )
        return Proof(tuple(sizes), batch_size, off, problem)


def filled(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Values for a state dict that depend on names and shapes alone, and under which outputs depend on inputs: weights
    that keep the size of what they read (He et al. 2015), statistics and biases near those of a fresh layer. Whole
    numbers, as indices are, stay."""
    return {name: _values(name, one).to(one) if one.is_floating_point() else one for name, one in state.items()}


def _values(name: str, tensor: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(crc32(name.encode()))
    noise = torch.randn(tensor.shape, generator=generator)
    if name.endswith("running_var"):
        return noise.abs().mul(0.1).add(1)
    if name.endswith("running_mean"):
        return noise.mul(0.1)
    if tensor.dim() > 1:
        return noise.mul((2 / tensor[0].numel()) ** 0.5)
    return noise.mul(0.1).add(1) if name.endswith(("weight", "scale", "gamma")) else noise.mul(0.01)


def _outputs(net: nn.Module, inputs: Sequence[Tensor]) -> list[Tensor]:
    with torch.no_grad():
        return tensors_in(net(*inputs))


def _apart(one: Tensor, other: Tensor) -> float:
    """The largest difference as a part of the largest of both; infinite where one has what is no number."""
    if torch.equal(one, other):
        return 0.0
    largest = torch.maximum(one.abs().max(), other.abs().max())
    off = float((one - other).abs().max() / largest)
    return off if off == off else float("inf")


def _first(one: nn.Module, other: nn.Module, inputs: Sequence[Tensor]) -> str:
    """Where outputs differ first: of the layers with tensors that both have, the first one in the order in which they
    run."""
    ours, theirs = (_of_layers(net, inputs) for net in (one, other))
    for path, y in ours.items():
        z = theirs.get(path)
        if z is not None and (y.shape != z.shape or _apart(y, z) > WITHIN):
            return f", first at {path or 'the network itself'}"
    return ", behind the last layer with tensors"


def _of_layers(net: nn.Module, inputs: Sequence[Tensor]) -> dict[str, Tensor]:
    """What each layer with tensors gives in its first call, in the order in which they run."""
    found: dict[str, Tensor] = {}

    def keep(path: str) -> Any:
        def hook(module: nn.Module, given: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                found.setdefault(path, output.clone())  # what comes next may write over it

        return hook

    handles = [one.register_forward_hook(keep(path)) for path, one in net.named_modules() if own_tensors(one)]
    try:
        _outputs(net, inputs)
    finally:
        for handle in handles:
            handle.remove()
    return found
