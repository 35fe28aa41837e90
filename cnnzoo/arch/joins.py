"""How layers meet: in a row, step by step, side by side, around a shortcut, as a gate, or in training only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count
from keyword import iskeyword
from typing import Any, NoReturn, Protocol, TypeVar, overload

from ..errors import InvalidTypeError
from ..words import listed, quoted
from .meetings import Add, Cat, Meeting, Multiply
from .node import Node, Ports
from .signal import ShapeError
from .steps import INPUT, From, Outputs, Plan, Planner, Ref, Run, Several, Step, together

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
    "source".split()
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
        if name == INPUT:
            raise ShapeError(f"{kind}: a child cannot be named {INPUT!r}: steps read what enters by that name")
        if name in TAKEN or hasattr(type(self), name):
            raise ShapeError(f"{kind}: a child cannot be named {name!r}: modules have an attribute of that name")
        if name in before:
            raise ShapeError(f"{kind}: two children are named {quoted(name)}")
        if isinstance(child, Aux) and not isinstance(self, Sequential):
            raise ShapeError(f"{kind}: the auxiliary head {quoted(name)} belongs into a Sequential, beside its source")
        if not isinstance(self, Sequential | ModuleList) and (_is_step(child) or isinstance(child, Run | Outputs)):
            raise ShapeError(f"{kind}: {quoted(name)} is no function of one value; steps stand in a Sequential")
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

    @property
    def _reads(self) -> Mapping[str, Ports]:
        """The names that a child reads, by its own name, where that is not as in a chain."""
        return {}

    def _said(self) -> list[tuple[str, Any]]:
        """Its children as they were given, steps with what they read."""
        return list(self.children)

    def _values(self) -> dict[str, Node]:
        """The children that make a value where they stand."""
        return {name: child for name, child in self.children if child._makes}

    def _with(self, children: Mapping[str, Any], bypass: bool = False) -> Join:
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
        return self._head == other._head and self._reads == other._reads and self.children == other.children

    def __hash__(self) -> int:
        try:
            return self._hash  # type: ignore[no-any-return]
        except AttributeError:
            value = hash((type(self), self._head, self.children))
            object.__setattr__(self, "_hash", value)
            return value

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), *self._head, **dict(self._said())), ()

    def _shown(self) -> list[tuple[str, object]]:
        return self._said()

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
    """g(f(x)); an empty one is the identity. An `Aux` among its children hangs on an earlier sibling.

    A child reads the child before it, the first one what enters. Steps read by name: `From("conv3", ReLU())`,
    `Add("a", "b")`, `Run("head", "p4")`, `Outputs("p3", "p4")`; a `ModuleList` holds layers that only `Run` runs. Names
    are checked here: they are earlier siblings, paths into these, or "input".
    """

    __slots__ = ("_gives", "_plan", "_reads", "_takes")

    _reads: Mapping[str, Ports]
    """The names that a child reads, by its own name, where it does not read the child before it."""
    _plan: Plan | None
    """None for a chain of children that each take and give one value."""

    def __init__(self, /, *layers: Node | From | None, **named: Node | From | None) -> None:
        given = [*zip(map(str, count()), layers), *named.items()]  # noqa: B905
        reads = {name: child.names for name, child in given if isinstance(child, From)}
        super().__init__(*map(_node, layers), **{name: _node(child) for name, child in named.items()})
        plan = self._planned(reads) if reads or any(map(_is_step, self)) else None
        slots = {
            "_reads": reads,
            "_plan": plan,
            "_takes": plan.takes if plan else (),
            "_gives": plan.gives if plan else (),
        }
        for slot, value in slots.items():
            object.__setattr__(self, slot, value)

    def _planned(self, reads: dict[str, Ports]) -> Plan:
        """Its steps in order; what is read as in a chain is taken out of `reads`."""
        planner = Planner(type(self).__name__)
        for name, child in self.children:
            if isinstance(child, ModuleList):
                planner.hold(name, child, reads.get(name, ()))
                continue
            names = reads.get(name, ())
            if isinstance(child, Aux):
                if names:
                    raise ShapeError(
                        f"{type(self).__name__}: the head {quoted(name)} reads {quoted(child.source)} alone"
                    )
                names = (child.source,)
            elif names == (planner.last,):
                del reads[name]
            planner.add(name, child, names)
        return planner.plan()

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
        source = before.get(child.source, child)
        if isinstance(source, Aux) or not source._makes:
            names = [own for own, other in before.items() if other._makes]
            raise ShapeError(
                f"Sequential: the auxiliary head {quoted(name)} hangs on {quoted(child.source)}, "
                f"which is none of the children before it ({listed(names) or 'none'})"
            )

    def _said(self) -> list[tuple[str, Any]]:
        reads = self._reads
        return [(name, From(*reads[name], child) if name in reads else child) for name, child in self.children]

    def _with(self, children: Mapping[str, Any], bypass: bool = False) -> Join:
        """The same around other children; None is no child. A child of a name that stays reads what it read; where it
        read the child before it, and that is gone, what that one read. With `bypass` so does what read it by name."""
        if self._plan is None:
            return super()._with(children)
        given = {name: child for name, child in children.items() if child is not None}
        reads = {step.name: tuple(map(str, step.reads)) for step in self._plan.steps}

        def instead(name: str) -> Ports:
            """What is read in place of a value that may be gone."""
            return (
                (name,) if name in given or name not in reads else tuple(n for one in reads[name] for n in instead(one))
            )

        last = INPUT
        for name, child in given.items():
            names = self._reads.get(name, ())
            if isinstance(child, From | Aux | ModuleList):
                pass
            elif names:
                given[name] = From(*(n for one in names for n in (instead(one) if bypass else (one,))), child)
            elif name in reads and (gone := instead(reads[name][0])) != (last,) and reads[name][0] not in given:
                given[name] = From(*gone, child)
            last = name if _node(child)._makes else last
        return type(self)(*self._head, **given)

    def flow(self, x: T, through: Flow[T]) -> T:
        if self._plan is not None:
            return self._stepped(self._plan, x, through)
        seen: dict[str, T] = {}
        for name, child in self.children:
            if isinstance(child, Aux):
                through.run(name, child, seen[child.source])
            else:
                x = seen[name] = through.run(name, child, x)
        return x

    def _stepped(self, plan: Plan, x: T, through: Flow[T]) -> T:
        seen: dict[str, Any] = {INPUT: x}

        def value(ref: Ref) -> Any:
            if ref.inner:
                return through.inner(f"{ref.source}.{ref.inner}")
            whole = seen[ref.source]
            return whole.part(ref.port) if ref.port else whole

        y: Any = x
        for step in plan.steps:
            read: Any = gathered([(str(ref), value(ref)) for ref in step.reads])
            node = step.node
            if isinstance(node, Meeting):
                y = through.meet(step.name, node, [*read.values()] if isinstance(read, Several) else [read])
            elif isinstance(node, Outputs):
                y = read
            elif step.layers:
                y = through.again(step, read)
            elif step.looks:
                y = through.look(step.name, node, read, step.looks)
            elif node._makes:
                y = through.run(step.name, node, read)
            else:
                through.run(step.name, node, read)
            seen[step.name] = y
        return y  # type: ignore[no-any-return]


def gathered(reads: list[tuple[str, Any]]) -> Any:
    """What is read by these names, together: the value, or several."""
    if len(reads) == 1:
        return reads[0][1]
    names = together([(text, tuple(value) if isinstance(value, Several) else ()) for text, value in reads])
    values = [one for _, value in reads for one in (value.values() if isinstance(value, Several) else [value])]
    return Several(zip(names, values, strict=True))


def _node(child: Any) -> Any:
    """A child without what it reads."""
    return child.node if isinstance(child, From) else child


def _is_step(child: Any) -> bool:
    """Whether a Sequential with this child is no chain of functions of one value."""
    if isinstance(child, Aux):
        return False
    return isinstance(child, Run) or not (child._runs and child._makes) or bool(child._takes or child._gives)


class Aux(Sequential):
    """A side head that exists in training only: `Aux("inception4a", …)` reads that sibling's output.

    Szegedy et al. (2014), section 5. Its cost is counted apart and its output is not passed on.
    """

    __slots__ = ("source",)
    _makes = False
    _runs = False

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
        return through.meet("", CAT, [through.run(name, child, x) for name, child in self.children])


ADD: Meeting = Add()
CAT: Meeting = Cat()
MULTIPLY: Meeting = Multiply()

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

    def _values(self) -> dict[str, Node]:
        return {name: child for name, child in self.children if (name, child) != ("downsample", PLAIN)}

    def _shown(self) -> list[tuple[str, object]]:
        plain = ("downsample", PLAIN)
        shown = [(name, None if (name, child) == plain else child) for name, child in self.children]
        return list(shown[:-1] if self.children[-1] == plain else shown)

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


class ModuleList(Join):
    """Layers that `Run` runs, by their paths: `ModuleList(a, b)` gives no value where it stands."""

    __slots__ = ()
    _makes = False
    _runs = False


def _met(kind: str, given: Any) -> str:
    """What was given for a child, and how it is said here where torch.nn says it so."""
    if isinstance(given, Mapping):
        return f"a dict: {kind}(**children) takes them by name"
    if isinstance(given, list | tuple):
        return f"a {type(given).__name__}: {kind}(*children) takes them by position"
    if isinstance(given, From):
        return f"the step {given!r}: steps stand in a Sequential"
    if isinstance(given, type):
        return f"the class {given.__name__}: {given.__name__}(…) makes one"
    if type(given).__module__.startswith("torch."):
        return f"torch's {type(given).__name__}: the layers of a description are those of cnnzoo.arch"
    return quoted(given)


def _listed(join: Join) -> str:
    names = [name for name, _ in join.children]
    return f"; its children are {listed(names)}" if names else ""
