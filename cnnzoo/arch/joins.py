"""How layers meet: in a row, side by side, around a shortcut, or in training only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count
from keyword import iskeyword
from typing import Any, NoReturn, Protocol, TypeVar, overload

from ..errors import InvalidTypeError
from ..words import listed, quoted
from .node import Node
from .signal import ShapeError

T = TypeVar("T")

TAKEN = frozenset(
    "T_destination add_module append apply bfloat16 buffers call_super_init children compile cpu cuda double "  # noqa: SIM905
    "dump_patches eval extend extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half "
    "insert ipu load_state_dict modules mtia named_buffers named_children named_modules named_parameters parameters "
    "pop register_backward_hook register_buffer register_forward_hook register_forward_pre_hook "
    "register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook "
    "register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook "
    "register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty "
    "train training type xpu zero_grad "
    "checkpointed default_cfg ends feature_info forward_features forward_head get_classifier head_hidden_size "
    "is_container num_classes num_features outputs pretrained_cfg reset_classifier set_grad_checkpointing "
    "source".split()
)
"""What `torch.nn.Sequential` has as attributes, and what the modules have that are built here: no names of children."""

DEEPEST = 64
"""Levels of joins of a description; the registered networks have five."""

LARGEST = 100_000
"""Layers and joins of a description: so many rows are calculated in seconds and in less than 1 GiB."""


class Flow(Protocol[T]):
    """What `Join.flow` is told by a reader of descriptions: how a value of T goes through a child, and what values
    become that are added or concatenated. T is a shape for one reader, a tensor or a box of a drawing for another."""

    def run(self, name: str, child: Node, x: T) -> T: ...

    def add(self, x: T, y: T) -> T: ...

    def cat(self, parts: list[T]) -> T: ...


class Join(Node):
    """An inner node: named children, and the way in which a value flows through them.

    Children given by position are named "0", "1", … as in `nn.Sequential`; `None` is no child. A child
    is an attribute (`net.layer4`), an item by number or slice, and `find` follows a whole path.
    """

    __slots__ = ("_hash", "_levels", "_nodes", "children")

    children: tuple[tuple[str, Node], ...]

    def __init__(self, /, *layers: Node | None, **named: Node | None) -> None:
        given = [*zip(map(str, count()), layers), *named.items()]  # noqa: B905
        children = tuple((name, child) for name, child in given if child is not None)
        before: dict[str, Node] = {}
        nodes, levels = 1, 0
        for name, child in children:
            self._check(name, child, before)
            before[name] = child
            nodes += child._nodes
            levels = max(levels, child._levels)
            if nodes > LARGEST:
                raise ShapeError(f"{type(self).__name__}: a description has at most {LARGEST:,} layers and joins")
        if levels >= DEEPEST:
            raise ShapeError(f"{type(self).__name__}: nested more than {DEEPEST} levels deep, which is no description")
        for slot, value in (("children", children), ("_nodes", nodes), ("_levels", levels + 1)):
            object.__setattr__(self, slot, value)

    def _check(self, name: str, child: Any, before: Mapping[str, Node]) -> None:
        """Raise what is wrong with a child that stands behind those of `before`."""
        kind = type(self).__name__
        if not isinstance(child, Node):
            raise InvalidTypeError(f"{kind}: child {quoted(name)} must be a layer or a join, got {_met(kind, child)}")
        if not name or not name.isprintable() or "." in name or name.startswith("_"):
            raise ShapeError(f"{kind}: a child cannot be named {quoted(name)}: a name is one part of a path")
        if name in TAKEN or hasattr(type(self), name):
            raise ShapeError(f"{kind}: a child cannot be named {name!r}: modules have an attribute of that name")
        if name in before:
            raise ShapeError(f"{kind}: two children are named {quoted(name)}")
        if isinstance(child, Aux) and not isinstance(self, Sequential):
            raise ShapeError(f"{kind}: the auxiliary head {quoted(name)} belongs into a Sequential, beside its source")
        if isinstance(child, Sequential) and child._heads:
            raise ShapeError(
                f"{kind}: {quoted(name)} has the auxiliary head {quoted(child._heads[0])}; heads stand in the "
                f"outermost Sequential alone"
            )

    def flow(self, x: T, through: Flow[T]) -> T:
        raise InvalidTypeError(f"{type(self).__name__} does not say how a value flows through it")

    @property
    def _head(self) -> tuple[Any, ...]:
        """The arguments that the constructor takes before the children: an `Aux` takes its source, other joins none."""
        return ()

    def _with(self, children: Mapping[str, Node | None]) -> Join:
        """The same join around other children; None is no child."""
        return type(self)(*self._head, **children)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            for own, child in self.children:
                if own == name:
                    return child
        raise AttributeError(f"{type(self).__name__} has no child {quoted(name)}{_listed(self)}")

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Join: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._with(dict(self.children[index]))
        return self.children[index][1]

    def __len__(self) -> int:
        return len(self.children)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Node]:
        return (child for _, child in self.children)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name, _ in self.children)]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a description is a value: replace(net, {name!r}, …) makes another one")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a description is a value: remove(net, {name!r}) makes another one")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        assert isinstance(other, Join)
        return self._head == other._head and self.children == other.children

    def __hash__(self) -> int:
        try:
            return self._hash  # type: ignore[no-any-return]
        except AttributeError:
            value = hash((type(self), self._head, self.children))
            object.__setattr__(self, "_hash", value)
            return value

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), *self._head, **dict(self.children)), ()

    def _shown(self) -> list[tuple[str, object]]:
        return list(self.children)

    def __repr__(self) -> str:
        parts = [repr(one) for one in self._head]
        by_position = True
        for position, (name, child) in enumerate(self._shown()):
            by_position = by_position and name == str(position)
            if by_position:
                parts.append(repr(child))
            elif name.isidentifier() and name.isascii() and not iskeyword(name):  # others are read as their NFKC form
                parts.append(f"{name}={child!r}")
            else:
                parts.append(f"**{{{name!r}: {child!r}}}")
        line = ", ".join(parts)
        if len(line) > 80 or "\n" in line:
            line = "".join(f"\n{part},".replace("\n", "\n    ") for part in parts) + "\n"
        return f"{type(self).__name__}({line})"


class Sequential(Join):
    """g(f(x)); an empty one is the identity. An `Aux` among its children hangs on an earlier sibling."""

    __slots__ = ()

    @property
    def _heads(self) -> list[str]:
        """The names of the auxiliary heads among its children."""
        return [name for name, child in self.children if isinstance(child, Aux)]

    def _check(self, name: str, child: Any, before: Mapping[str, Node]) -> None:
        super()._check(name, child, before)
        if not isinstance(child, Aux):
            return
        if not name.isidentifier() or iskeyword(name) or name == "logits":
            raise ShapeError(
                f"{type(self).__name__}: an auxiliary head cannot be named {quoted(name)}: its name is a field of what "
                f"the network returns in training, beside `logits`; say aux1=Aux(…)"
            )
        if isinstance(before.get(child.source, child), Aux):
            names = [own for own, other in before.items() if not isinstance(other, Aux)]
            raise ShapeError(
                f"Sequential: the auxiliary head {quoted(name)} hangs on {quoted(child.source)}, "
                f"which is none of the children before it ({listed(names) or 'none'})"
            )

    def flow(self, x: T, through: Flow[T]) -> T:
        seen: dict[str, T] = {}
        for name, child in self.children:
            if isinstance(child, Aux):
                through.run(name, child, seen[child.source])
            else:
                x = seen[name] = through.run(name, child, x)
        return x


class Aux(Sequential):
    """A side head that exists in training only: `Aux("inception4a", …)` reads that sibling's output.

    Szegedy et al. (2014), section 5. Its cost is counted apart and its output is not passed on.
    """

    __slots__ = ("source",)

    source: str

    def __init__(self, source: str, /, *layers: Node | None, **named: Node | None) -> None:
        if not isinstance(source, str):
            raise InvalidTypeError(f"Aux: source must be the name of an earlier child, got {quoted(source)}")
        object.__setattr__(self, "source", source)
        super().__init__(*layers, **named)

    @property
    def _head(self) -> tuple[Any, ...]:
        return (self.source,)


class Concat(Join):
    """[f(x), g(x), …]: the branches' maps, one after the other along the channels."""

    __slots__ = ()

    def __init__(self, /, *layers: Node | None, **named: Node | None) -> None:
        super().__init__(*layers, **named)
        if not self.children:
            raise ShapeError("Concat: needs at least one branch")

    def flow(self, x: T, through: Flow[T]) -> T:
        return through.cat([through.run(name, child, x) for name, child in self.children])


PLAIN = Sequential()
"""The shortcut that changes nothing."""


class Residual(Join):
    """F(x) + x. The children up to `downsample` are F, it is the shortcut's own path, the rest follow
    the sum: `Residual(conv1=…, bn1=…, downsample=None, relu=ReLU())`; `None` is the plain shortcut.

    All children share this node's namespace, as in torchvision's blocks. He et al. (2015), equation 2.
    """

    __slots__ = ()

    def __init__(self, /, *layers: Node | None, **named: Node | None) -> None:
        shortcut = named.setdefault("downsample", None)
        named["downsample"] = PLAIN if shortcut is None else shortcut
        super().__init__(*layers, **named)

    def _shown(self) -> list[tuple[str, object]]:
        plain = ("downsample", PLAIN)
        shown = [(name, None if (name, child) == plain else child) for name, child in self.children]
        return list(shown[:-1] if self.children[-1] == plain else shown)

    def flow(self, x: T, through: Flow[T]) -> T:
        y = x
        for name, child in self.children:
            if name == "downsample":
                y = through.add(y, x if child == PLAIN else through.run(name, child, x))
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
        return through.cat([x, y])


def _met(kind: str, given: Any) -> str:
    """What was given for a child, and how it is said here where torch.nn says it so."""
    if isinstance(given, Mapping):
        return f"a dict: {kind}(**children) takes them by name"
    if isinstance(given, list | tuple):
        return f"a {type(given).__name__}: {kind}(*children) takes them by position"
    if isinstance(given, type):
        return f"the class {given.__name__}: {given.__name__}(…) makes one"
    if type(given).__module__.startswith("torch."):
        return f"torch's {type(given).__name__}: the layers of a description are those of cnnzoo.arch"
    return quoted(given)


def _listed(join: Join) -> str:
    names = [name for name, _ in join.children]
    return f"; its children are {listed(names)}" if names else ""
