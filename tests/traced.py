"""What a description that was traced is held to: the original module, and the description that it was built from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
import torch
from reference import fill, image
from torch import Tensor, nn

from cnnzoo.arch import Conv2d, Node
from cnnzoo.calculate import calculate, shapes_of
from cnnzoo.pytorch.modules import forwards, parts
from cnnzoo.pytorch.modules.build import build


def outputs(net: nn.Module, size: Any, batch: int = 2) -> list[Tensor]:
    with torch.no_grad():
        y = net(*(image(shape, batch) * (1 + place) for place, shape in enumerate(shapes_of(size))))
    return [*y.values()] if isinstance(y, dict) else [*y] if isinstance(y, tuple | list) else [y]


class Block(nn.Module):
    """A module whose forward is a function of itself and what it is given."""

    def __init__(self, run: Any, **children: Any) -> None:
        super().__init__()
        self.run = run
        for name, child in children.items():
            setattr(self, name, child)

    def forward(self, *inputs: Tensor) -> Any:
        return self.run(self, *inputs)


def conv(channels: int = 4, out: int = 4) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 3, padding=1)


SIZE = (4, 8, 8)
CONV = Conv2d(4, 3, padding=1)
"""What `conv()` is called."""


def behind(function: Callable[[Tensor], Any]) -> nn.Module:
    """A convolution and a function of what it makes."""
    return Block(lambda self, x: function(self.conv(x)), conv=conv())


def names(net: nn.Module) -> list[str]:
    """Those of its tensors; of one that has several, the one that comes first in the alphabet."""
    found: dict[int, str] = {}
    for name, tensor in net.state_dict(keep_vars=True).items():
        found[id(tensor)] = min(name, found.get(id(tensor), name))
    return [*found.values()]


TELLING = 1e-5
"""How far the outputs of two inputs must be apart, as a part of the largest: else equal outputs would prove little."""


@contextmanager
def as_views() -> Iterator[None]:
    """Turned dimensions and parts of them are views in the modules that are built, as torch's functions give them: what
    reads them then reads them in the original's order in memory, and adds up in the original's order."""

    def norm(self: Any, x: Tensor) -> Tensor:
        return nn.LayerNorm.forward(self, x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forwards.Permute, "forward", lambda self, x: x.permute(self.dims))
        patch.setattr(forwards.LayerNorm2d, "forward", norm)
        patch.setattr(parts, "_own", lambda part, dim: part)
        yield


def is_it(net: nn.Module, description: Node, *sizes: Any, within: float = 0.0, batches: Sequence[int] = (2,)) -> None:
    """The module built from the description has the original's names, one of each tensor, and, with its weights, its
    outputs, which depend on the inputs ten times as much: bit for bit, or `within` a part of the largest."""
    state = net.eval().state_dict()
    state.update(fill(state))
    net.load_state_dict(state)
    again = build(description, sizes[0], init=None).eval()
    own = again.state_dict().keys()
    again.load_state_dict({name: tensor for name, tensor in net.state_dict().items() if name in own})
    assert len(own) == len(names(net))
    for size, batch in product(sizes, batches):
        ys, zs = outputs(net, size, batch), outputs(again, size, batch)
        assert [y.shape for y in ys] == [z.shape for z in zs]
        assert all((y - z).abs().max() <= within * y.abs().max() for y, z in zip(ys, zs, strict=True))
        telling = max(TELLING, 10 * within)
        assert all((y[0] - y[1]).abs().max() > telling * y.abs().max() for y in ys), "outputs hardly depend on inputs"


MEETINGS = {"Add": "add", "Cat": "cat", "Multiply": "mul", "Square": "mul", "Subtract": "sub"}


def figures(description: Node, size: Any) -> tuple[list[Any], dict[str, Any]]:
    """Its rows and totals but for what a step says otherwise than a join: the paths of what has no tensors, what is
    read where values meet, and which part of a product is the gate, of which receptive fields know nothing."""
    report = calculate(description, size)
    rows: list[Any] = []
    for row in report.rows:
        kind = MEETINGS.get(row.kind, row.kind)
        path = row.path if row.tensors or row.buffer_tensors else ""
        here = () if kind in MEETINGS.values() else (path, row.input_shape, row.settings)
        rows.append((kind, here, row.output_shape, row.tensors, row.buffer_tensors, row.macs))
    totals = {key: value for key, value in report.totals.items() if "effective" not in key and "field" not in key}
    return rows, totals
