"""How layers meet without steps: side by side, around a shortcut, after their input, or as a gate."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any, TypeVar

from ..words import quoted
from .join import Flow, Join
from .meetings import Add, Cat, Meeting, Multiply, Subtract, _Gating
from .node import Node
from .sequential import Sequential
from .shortcut import Shortcut, unmarked
from .signal import ShapeError

T = TypeVar("T")


class Concat(Join):
    """[f(x), g(x), …]: the branches' maps, one after the other along the channels."""

    __slots__ = ()
    _inlines = True

    def __init__(self, /, *layers: Node | None, **named: Node | None) -> None:
        super().__init__(*layers, **named)
        if not self.children:
            raise ShapeError("Concat: needs at least one branch")

    def flow(self, x: T, through: Flow[T]) -> T:
        return through.meet("", CAT, [through.run(name, child, x) for name, child in self.children])


ADD: Meeting = Add()
CAT: Meeting = Cat()
MULTIPLY: Meeting = Multiply()
GATE: Meeting = _Gating()
SUBTRACT: Meeting = Subtract()

PLAIN = Sequential()
"""The shortcut that changes nothing."""


class _Around(Join):
    """What its children make of x meets x, or what the child that is a `Shortcut` makes of it."""

    __slots__ = ("_marked",)

    _marked: str
    """The name of the child that is given as a `Shortcut`; empty where none is."""

    def __init__(self, /, *layers: Node | Shortcut | None, **named: Node | Shortcut | None) -> None:
        given = [*zip(map(str, count()), layers), *named.items()]  # noqa: B905
        marked = [name for name, child in given if isinstance(child, Shortcut)]
        if len(marked) > 1:
            raise ShapeError(f"{type(self).__name__}: {' and '.join(map(quoted, marked))} are shortcuts; it has one")
        object.__setattr__(self, "_marked", "".join(marked))
        super().__init__(*map(unmarked, layers), **{name: unmarked(child) for name, child in named.items()})

    @property
    def _shortcut(self) -> str:
        return self._marked

    def _is_plain(self, name: str, child: Node) -> bool:
        return name == self._shortcut and child == PLAIN

    def _said(self) -> list[tuple[str, Any]]:
        return [(name, Shortcut(child) if name == self._marked else child) for name, child in self.children]

    def _with(self, children: Mapping[str, Any], bypass: bool = False) -> Join:
        marked = children.get(self._marked)
        given = {**children, self._marked: Shortcut(marked)} if isinstance(marked, Node) else children
        return super()._with(given, bypass)

    def _both(self, x: T, through: Flow[T]) -> tuple[T, T]:
        """What its shortcut and its other children make of x."""
        y = z = x
        for name, child in self.children:
            if name != self._shortcut:
                y = through.run(name, child, y)
            elif child != PLAIN:
                z = through.run(name, child, x)
        return z, y


class Residual(_Around):
    """F(x) + x. The children up to `downsample` are F, it is the shortcut's own path, the rest follow
    the sum: `Residual(conv1=…, bn1=…, downsample=None, relu=ReLU())`; `None` is the plain shortcut. In the sum a length
    of 1 goes with any other, as in torch.

    A shortcut of another name, or one that runs before F, is marked: `Residual(proj=Shortcut(…), conv1=…, bn1=…)`. All
    other children are then F, and nothing follows the sum.

    All children share this node's namespace, as in torchvision's blocks. He et al. (2015), equation 2.
    """

    __slots__ = ()
    _inlines = True

    def __init__(self, /, *layers: Node | Shortcut | None, **named: Node | Shortcut | None) -> None:
        if isinstance(named.get("downsample"), Shortcut) and [*named][-1] == "downsample":
            named["downsample"] = unmarked(named["downsample"])  # as it is without a mark
        if any(isinstance(child, Shortcut) for child in (*layers, *named.values())):
            if isinstance(named.get("downsample"), Node):
                raise ShapeError("Residual: 'downsample' is a shortcut, and so is the child that is marked; it has one")
        elif named.setdefault("downsample") is None:
            named["downsample"] = PLAIN
        super().__init__(*layers, **named)

    @property
    def _shortcut(self) -> str:
        return self._marked or "downsample"

    @property
    def _meets(self) -> str:
        return "" if self._marked else "downsample"

    def _shown(self) -> list[tuple[str, object]]:
        shown = [(name, None if child == PLAIN and name == self._meets else child) for name, child in self._said()]
        return list(shown[:-1] if shown[-1][1] is None else shown)

    def flow(self, x: T, through: Flow[T]) -> T:
        if self._marked:
            z, y = self._both(x, through)
            return through.meet("", ADD, [y, z])
        y = x
        for name, child in self.children:
            if name == "downsample":
                y = through.meet("", ADD, [y, x if child == PLAIN else through.run(name, child, x)])
            else:
                y = through.run(name, child, y)
        return y


class Difference(_Around):
    """F(x) - x, as PoolFormer pools; Yu et al. (2022), equation 4. With a shortcut of layers S it is F(x) - S(x), so
    that x - F(x) is `Difference(pool=Shortcut(…))`. A length of 1 goes with any other."""

    __slots__ = ()
    _inlines = True

    def flow(self, x: T, through: Flow[T]) -> T:
        z, y = self._both(x, through)
        return through.meet("", SUBTRACT, [y, z])


class Dense(_Around):
    """[x, F(x)]: the input with the body's maps after it; Huang et al. (2016), equation 2. With a shortcut of layers S
    it is [S(x), F(x)], whichever runs first."""

    __slots__ = ()
    _inlines = True

    def flow(self, x: T, through: Flow[T]) -> T:
        return through.meet("", CAT, [*self._both(x, through)])


class Collect(Join):
    """[x, f(x), g(f(x)), …]: the input, what the first child makes of it, what the second makes of that, and so on, one
    after the other along the channels: one-shot aggregation. Lee et al. (2019), VoVNet, figure 2."""

    __slots__ = ()
    _inlines = True

    def __init__(self, /, *layers: Node | None, **named: Node | None) -> None:
        super().__init__(*layers, **named)
        if len(self.children) < 2:
            raise ShapeError("Collect: needs at least two children; Dense appends what one makes")

    def flow(self, x: T, through: Flow[T]) -> T:
        values = [x]
        for name, child in self.children:
            values.append(through.run(name, child, values[-1]))
        return through.meet("", CAT, values)


class Gate(_Around):
    """x · F(x): each map, or each position, times what the body makes of all of them, which is broadcast over the
    lengths of 1 that it has: squeeze-and-excitation. Hu et al. (2017), equation 4. With a shortcut of layers S it is
    S(x) · F(x): `Gate(f1=…, act=ReLU6(), f2=Shortcut(…))`, the star operation of Ma et al. (2024)."""

    __slots__ = ()
    _inlines = True

    def flow(self, x: T, through: Flow[T]) -> T:
        return through.meet("", MULTIPLY if self._marked else GATE, [*self._both(x, through)])
