"""The base of all joins: named children, what they may be, and how a reader follows a value through them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from keyword import iskeyword
from typing import Any, ClassVar, NoReturn, Protocol, TypeVar, overload

from ..errors import InvalidTypeError
from ..words import listed, quoted
from .meetings import Meeting
from .node import Node, Ports
from .shortcut import Shortcut
from .signal import ShapeError
from .steps import INPUT, From, Step

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
    "checkpointed default_cfg ends feature_info forward_features forward_head get_classifier head_hidden_size headed "
    "is_container num_classes num_features outputs pretrained_cfg program reset_classifier rewrite "
    "set_grad_checkpointing "
    "source _between _ends _idle _steps "
    "_apply _backward_hooks _backward_pre_hooks _buffers _call_impl _compiled_call_impl _forward_hooks "
    "_forward_hooks_always_called _forward_hooks_with_kwargs _forward_pre_hooks _forward_pre_hooks_with_kwargs "
    "_get_backward_hooks _get_backward_pre_hooks _get_item_by_idx _get_name _is_full_backward_hook "
    "_load_from_state_dict _load_state_dict_post_hooks _load_state_dict_pre_hooks "
    "_maybe_warn_non_full_backward_hook _modules _named_members _non_persistent_buffers_set _parameters "
    "_register_load_state_dict_pre_hook _register_state_dict_hook _replicate_for_data_parallel _save_to_state_dict "
    "_slow_forward _state_dict_hooks _state_dict_pre_hooks _version _wrapped_call_impl".split()
)
"""What `torch.nn.Sequential` has as attributes, and what the modules have that are built here: no names of children."""

DEEPEST = 64
"""Levels of joins of a description; the registered networks have five."""

LARGEST = 100_000
"""Layers and joins of a description: so many rows are calculated in seconds and in less than 1 GiB."""


class Flow(Protocol[T]):
    """What `Join.flow` is told by a reader of descriptions: how a value of T goes through a child, and what becomes of
    values that meet. T is a shape for one reader, a tensor or a box of a drawing for another."""

    def run(self, name: str, child: Node, x: T) -> T:
        """What a child makes of what it reads; `Several[T]` where it takes or gives several values."""

    def look(self, name: str, child: Node, x: T, paths: Ports) -> T:
        """The same of a child in which later steps read the values at these paths."""

    def again(self, step: Step, x: T) -> T:
        """What the layers that a `Run` names make of another value."""

    def inner(self, path: str) -> T:
        """The value at a path into a child that was looked into."""

    def meet(self, name: str, meeting: Meeting, parts: list[T]) -> T:
        """What becomes of values where they meet: in the child of that name, or, "", in the join itself."""


class Join(Node):
    """An inner node: named children, and the way in which a value flows through them.

    Children given by position are named "0", "1", … as in `nn.Sequential`; `None` is no child. A child
    is an attribute (`net.layer4`), an item by number or slice, and `find` follows a whole path.
    """

    __slots__ = ("_hash", "_levels", "_named", "_nodes", "_regions", "children")

    _takes_steps: ClassVar[bool] = False
    """Whether its children may be steps."""
    _takes_regions: ClassVar[bool] = False
    """Whether its children may be poolings of regions."""
    _takes_heads: ClassVar[bool] = False
    """Whether its children may be auxiliary heads."""
    _inlines: ClassVar[bool] = False
    """Whether it may stand without a path of its own: `Inline`."""
    _head_names: ClassVar[Ports] = ()
    """The names of the arguments before its children, in JSON."""

    children: tuple[tuple[str, Node], ...]

    def __init__(self, /, *layers: Node | None, **named: Node | None) -> None:
        given = [*zip(map(str, count()), layers), *named.items()]  # noqa: B905
        children = tuple((name, child) for name, child in given if child is not None)
        before: dict[str, Node] = {}
        nodes, levels, regions = 1, 0, 0
        for name, child in children:
            self._check(name, child, before)
            before[name] = child
            nodes += child._nodes
            levels = max(levels, child._levels)
            regions = max(regions, child._regions)
            if nodes > LARGEST:
                raise ShapeError(f"{type(self).__name__}: a description has at most {LARGEST:,} layers and joins")
        if levels >= DEEPEST:
            raise ShapeError(f"{type(self).__name__}: nested more than {DEEPEST} levels deep, which is no description")
        slots = {"children": children, "_named": before, "_nodes": nodes, "_levels": levels + 1, "_regions": regions}
        for slot, value in slots.items():
            object.__setattr__(self, slot, value)

    def _check(self, name: str, child: Any, before: Mapping[str, Node]) -> None:
        """Raise what is wrong with a child that stands behind those of `before`."""
        kind = type(self).__name__
        if not isinstance(child, Node):
            raise InvalidTypeError(f"{kind}: child {quoted(name)} must be a layer or a join, got {_met(kind, child)}")
        if child._is_inlined:
            raise ShapeError(f"{kind}: {quoted(name)} is inlined, as children of a Sequential or another Inline may be")
        if not name or not name.isprintable() or "." in name or name.startswith("__"):
            raise ShapeError(f"{kind}: a child cannot be named {quoted(name)}: a name is one part of a path")
        if name == INPUT:
            raise ShapeError(f"{kind}: a child cannot be named {INPUT!r}: steps read what enters by that name")
        if name in TAKEN or hasattr(type(self), name):
            raise ShapeError(f"{kind}: a child cannot be named {name!r}: modules have an attribute of that name")
        if name in before:
            raise ShapeError(f"{kind}: two children are named {quoted(name)}")
        if child._is_head and not self._takes_heads:
            raise ShapeError(f"{kind}: the auxiliary head {quoted(name)} belongs into a Sequential, beside its source")
        if child._of_regions and not self._takes_regions:
            raise ShapeError(f"{kind}: {quoted(name)} reads maps and boxes: it is a child of Regions(n, …)")
        if child._is_step and not self._takes_steps:
            raise ShapeError(f"{kind}: {quoted(name)} is no function of one value; steps stand in a Sequential")
        if child._heads:
            raise ShapeError(
                f"{kind}: {quoted(name)} has the auxiliary head {quoted(child._heads[0])}; heads stand in the "
                f"outermost Sequential alone"
            )

    def flow(self, x: T, through: Flow[T]) -> T:
        raise InvalidTypeError(f"{type(self).__name__} does not say how a value flows through it")

    @property
    def _head(self) -> tuple[Any, ...]:
        """The arguments that the constructor takes before the children: an `Aux` takes its source, `Regions` their
        number, other joins none."""
        return tuple(getattr(self, name) for name in self._head_names)

    @property
    def _shortcut(self) -> str:
        """The name of the child that is a shortcut's own layers; empty where there is none."""
        return ""

    @property
    def _meets(self) -> str:
        """The name of the child behind which values meet; empty where they do so behind the last, or nowhere."""
        return ""

    @property
    def _groups(self) -> tuple[Any, ...]:
        """Those of its children that are inlined joins."""
        return ()

    @property
    def _reads(self) -> Mapping[str, Ports]:
        """The names that a child reads, by its own name, where that is not as in a chain."""
        return {}

    def _said(self) -> list[tuple[str, Any]]:
        """Its children as they were given, steps with what they read."""
        return list(self.children)

    def _with(self, children: Mapping[str, Any], bypass: bool = False) -> Join:
        """The same join around other children; None is no child."""
        return type(self)(*self._head, **children)

    def __getattr__(self, name: str) -> Any:
        if name not in Join.__slots__ and name in self._named:
            return self._named[name]
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
        return (
            self._head == other._head
            and self._reads == other._reads
            and self._shortcut == other._shortcut
            and self._meets == other._meets
            and self._groups == other._groups
            and self.children == other.children
        )

    def __hash__(self) -> int:
        try:
            return self._hash  # type: ignore[no-any-return]
        except AttributeError:
            value = hash((type(self), self._head, self._shortcut, self.children, *self._reads.items()))
            object.__setattr__(self, "_hash", value)
            return value

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), *self._head, **dict(self._said())), ()

    def _shown(self) -> list[tuple[str, object]]:
        return self._said()

    def __repr__(self) -> str:
        return source(type(self).__name__, [repr(one) for one in self._head], self._shown())


def source(kind: str, head: Sequence[str], children: Sequence[tuple[str, object]]) -> str:
    """The source of a call with these children, by position as long as their names are their places."""
    parts = [*head]
    by_position = True
    for position, (name, child) in enumerate(children):
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
    return f"{kind}({line})"


def _met(kind: str, given: Any) -> str:
    """What was given for a child, and how it is said here where torch.nn says it so."""
    if isinstance(given, Mapping):
        return f"a dict: {kind}(**children) takes them by name"
    if isinstance(given, list | tuple):
        return f"a {type(given).__name__}: {kind}(*children) takes them by position"
    if isinstance(given, From):
        return f"the step {given!r}: steps stand in a Sequential"
    if isinstance(given, Shortcut):
        return "a shortcut, which a Residual, a Gate, a Dense or a Difference has"
    if isinstance(given, type):
        return f"the class {given.__name__}: {given.__name__}(…) makes one"
    if type(given).__module__.startswith("torch."):
        return f"torch's {type(given).__name__}: the layers of a description are those of cnnzoo.arch"
    return quoted(given)


def _listed(join: Join) -> str:
    names = [name for name, _ in join.children]
    return f"; its children are {listed(names)}" if names else ""
