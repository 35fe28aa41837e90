"""How layers meet without steps: side by side, around a shortcut, after their input, or as a gate."""

from __future__ import annotations

from typing import TypeVar

from .join import Flow, Join
from .meetings import Add, Cat, Meeting, Multiply
from .node import Node
from .sequential import Sequential
from .signal import ShapeError

T = TypeVar("T")


class Concat(Join):
    """[f(x), g(x), …]: the branches' maps, one after the other along the channels."""

    __slots__ = ()

    def __init__(self, /, *layers: Node | None, **named: Node | None) -> None:
        super().__init__(*layers, **named)
        if not self.children:
            raise ShapeError("Concat: needs at least one branch")

    def flow(self, x: T, through: Flow[T]) -> T:
        return through.meet("", CAT, [through.run(name, child, x) for name, child in self.children])


ADD: Meeting = Add()
CAT: Meeting = Cat()
MULTIPLY: Meeting = Multiply()

PLAIN = Sequential()
"""The shortcut that changes nothing."""


class Residual(Join):
    """F(x) + x. The children up to `downsample` are F, it is the shortcut's own path, the rest follow
    the sum: `Residual(conv1=…, bn1=…, downsample=None, relu=ReLU())`; `None` is the plain shortcut. In the sum a length
    of 1 goes with any other, as in torch.

    All children share this node's namespace, as in torchvision's blocks. He et al. (2015), equation 2.
    """

    __slots__ = ()

    def __init__(self, /, *layers: Node | None, **named: Node | None) -> None:
        shortcut = named.setdefault("downsample", None)
        named["downsample"] = PLAIN if shortcut is None else shortcut
        super().__init__(*layers, **named)

    def _is_plain(self, name: str, child: Node) -> bool:
        return name == "downsample" and child == PLAIN

    def _shown(self) -> list[tuple[str, object]]:
        shown = [(name, None if self._is_plain(name, child) else child) for name, child in self.children]
        return list(shown[:-1] if self._is_plain(*self.children[-1]) else shown)

    def flow(self, x: T, through: Flow[T]) -> T:
        y = x
        for name, child in self.children:
            if name == "downsample":
                y = through.meet("", ADD, [y, x if child == PLAIN else through.run(name, child, x)])
            else:
                y = through.run(name, child, y)
        return y


class Dense(Join):
    """[x, F(x)]: the input with the body's maps after it; Huang et al. (2016), equation 2."""

    __slots__ = ()

    def flow(self, x: T, through: Flow[T]) -> T:
        y = x
        for name, child in self.children:
            y = through.run(name, child, y)
        return through.meet("", CAT, [x, y])


class Gate(Join):
    """x · F(x): each map, or each position, times what the body makes of all of them, which is broadcast over the
    lengths of 1 that it has: squeeze-and-excitation. Hu et al. (2017), equation 4."""

    __slots__ = ()

    def flow(self, x: T, through: Flow[T]) -> T:
        y = x
        for name, child in self.children:
            y = through.run(name, child, y)
        return through.meet("", MULTIPLY, [x, y])
