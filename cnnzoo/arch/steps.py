"""Steps: which earlier values the children of a Sequential read, by name, and whether there are such values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from ..errors import InvalidTypeError
from ..words import listed, prefixes, quoted
from .node import ALL, Leaf, Node, Ports, leaf
from .signal import ShapeError

T = TypeVar("T")
INPUT = "input"
"""What enters a Sequential, in the names of its steps; "input.0" or "input.p3" is one of several."""


class From:
    """A child of a Sequential that reads other values than the child before it gives: `From("conv3", ReLU())` reads
    what `conv3` gives; with several names the node takes several values.

    A name is an earlier child, a path into one ("encoder.layer2"), one of several values that a child gives
    ("fpn.p3"), or "input", what enters ("input.0" or "input.p3" where that is several).
    """

    __slots__ = ("names", "node")

    def __init__(self, *reads: Any) -> None:
        *names, node = reads or (None,)
        if isinstance(node, From):
            raise InvalidTypeError(f"From: {node!r} says already what it reads")
        if not names or not all(isinstance(name, str) for name in names) or not isinstance(node, Node):
            if isinstance(node, Leaf) and not node._runs:
                given = ", ".join(map(quoted, names))
                raise InvalidTypeError(f"{type(node).__name__} reads values by their names, got {given or 'none'}")
            given = ", ".join(map(quoted, reads))
            raise InvalidTypeError(
                f'From takes names and a layer or a join, as in From("conv3", ReLU()); got ({given})'
            )
        self.names: Ports = tuple(names)
        self.node: Node = node

    def __eq__(self, other: object) -> bool:
        return isinstance(other, From) and (self.names, self.node) == (other.names, other.node)

    def __hash__(self) -> int:
        return hash((self.names, self.node))

    def __repr__(self) -> str:
        return self.node._reading(", ".join(map(repr, self.names)))


@leaf
class Run(Leaf):
    """The layers of an earlier child, or of a path into one, on another value, with the weights that they have:
    `Run("head", "p4")`; without a name of a value, on what the child before it gives."""

    _runs = False

    layers: str

    def __new__(cls, layers: str = "", *names: str, **settings: Any) -> Any:
        return From(*names, cls(layers, **settings)) if names else super().__new__(cls)

    def __post_init__(self) -> None:
        if not isinstance(self.layers, str) or not self.layers:
            raise InvalidTypeError(f"Run: layers must be the name of an earlier child, got {quoted(self.layers)}")

    def _reading(self, names: str) -> str:
        return f"Run({self.layers!r}, {names})"


@leaf
class Outputs(Leaf):
    """The last step of a Sequential that gives several values: `Outputs("p3", "p4")`. Each goes by the last part of
    its name; where two are the same, or a number, by its position."""

    _takes = ALL
    _makes = False
    _runs = False

    def __new__(cls, *names: str, **settings: Any) -> Any:
        return From(*names, cls(**settings)) if names else super().__new__(cls)

    def _reading(self, names: str) -> str:
        return f"Outputs({names})"


class Several(dict[str, T]):
    """Several values that flow together, by name, in order."""

    def part(self, name: str) -> T:
        """The value of a name or, for a number that is none, at that position."""
        return self._row[int(name)] if name.isdecimal() and name not in self else self[name]

    @cached_property
    def _row(self) -> list[T]:
        return [*self.values()]


class Entered(Several[T]):
    """The values that enter a block, by the ports that it reads and no others."""

    def part(self, name: str) -> T:
        return self[name]


def values_of(x: Any) -> tuple[Any, ...]:
    """One value, or several."""
    return tuple(x.values()) if isinstance(x, Several) else (x,)


def entered_first(node: Node, path: str, x: Any) -> Any:
    """What enters the node at a path, of several values that which its module takes first: a block takes positions by
    number and names as it reads them, a whole network all that it is given."""
    return x.part(node._takes[0]) if path and isinstance(x, Several) else first_of(x)


def first_of(x: Any) -> Any:
    """One value, or the first of several: what a row says of a block's shapes."""
    return next(iter(x.values())) if isinstance(x, Several) else x


class Ref(NamedTuple):
    """A value that a step reads: that of a source, which is an earlier child or `INPUT`."""

    source: str
    port: str = ""
    """Which of the several values of the source."""
    inner: str = ""
    """The path in the source of the node whose value is read."""

    def __str__(self) -> str:
        return ".".join(filter(None, self))


class Step(NamedTuple):
    """A child of a Sequential with what it reads."""

    name: str
    node: Node
    """The child; of a `Run` the node whose layers run."""
    reads: tuple[Ref, ...]
    layers: str = ""
    """Of a `Run`: the path of its node."""
    looks: Ports = ()
    """The paths in the node of the values in it that later steps read."""


class Plan(NamedTuple):
    """A Sequential as a program: the steps that make values, in order, with what enters and what leaves."""

    steps: tuple[Step, ...]
    takes: Ports
    gives: Ports


def together(reads: Sequence[tuple[str, Ports]]) -> Ports:
    """The names of the values that are read together, empty where it is one: each by the last part of its name, those
    of several values by their own. A name of digits, or one that stands twice, becomes the position."""
    names = [name for text, ports in reads for name in (ports or (text.rpartition(".")[2],))]
    if len(names) == 1:
        return ()
    doubled = {name for name, count in Counter(names).items() if count > 1 or name.isdecimal()}
    return tuple(str(place) if name in doubled else name for place, name in enumerate(names))


class Planner:
    """Resolves the names of a Sequential's steps, one child after the other; `kind` is what errors call it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.children: dict[str, Node] = {}
        """All children so far that later ones may name."""
        self.ports: dict[str, Ports] = {}
        """Of the children that make values: the names of several, empty for one."""
        self.known: dict[str, frozenset[str]] = {}
        """Of those that were read in part: `_known`."""
        self.last = INPUT
        self.steps: list[Step] = []
        self.takes: dict[str, str] = {}
        """The ports of what enters, and which child reads each first."""
        self.whole = ""
        """A child that reads what enters as one value."""
        self.looks: dict[str, list[str]] = {}
        self.run: list[str] = []
        """The paths of the layers that have run."""
        self.held: list[str] = []
        """The paths of the layers that `Run` alone runs."""

    def add(self, name: str, child: Node, names: Ports) -> None:
        """The next child, which reads the values of these names; of none, the value before it."""
        if self.steps and isinstance(self.steps[-1].node, Outputs):
            raise self._error(self.steps[-1].name, "must stand last: it says what the Sequential gives")
        reads = tuple(self._resolved(name, text) for text in names) or (Ref(self.last),)
        node = self._layers(name, child.layers) if isinstance(child, Run) else child
        layers = child.layers if isinstance(child, Run) else ""
        self.run.append(layers or name)
        ports = self._enter(name, node, reads)
        self.steps.append(Step(name, node, reads, layers))
        if node._makes or isinstance(node, Outputs):
            self.children[name] = child
            self.ports[name] = node._gives if node._makes else ports
            self.last = name

    def hold(self, name: str, child: Node, names: Ports) -> None:
        """A child whose layers are run by `Run` alone."""
        if names:
            raise self._error(name, f"reads nothing: a ModuleList is run by Run({name + '.0'!r}, …)")
        self.children[name] = child
        self.held += [name + path for path in _leaves(child)]

    def plan(self) -> Plan:
        """The program, once all children are there."""
        run = {*self.run}
        for path in self.held:
            if run.isdisjoint(prefixes(path)):
                raise self._error(path, "is held in a ModuleList and never runs; Run(…) runs it")
        if self.whole and self.takes:
            port, name = self.takes.popitem()
            hint = f"From({f'{INPUT}.0'!r}, …) reads one of them"
            raise self._error(
                self.whole, f"reads all that enters, of which {quoted(name)} reads {INPUT}.{port}; {hint}"
            )
        looks = {name: tuple(dict.fromkeys(paths)) for name, paths in self.looks.items()}
        steps = tuple(step._replace(looks=looks.get(step.name, ())) for step in self.steps)
        takes = () if self.whole else tuple(sorted(self.takes, key=_position))
        return Plan(steps, takes, self.ports.get(self.last, ()))

    def _error(self, name: str, problem: str) -> ShapeError:
        return ShapeError(f"{self.kind}: {quoted(name)} {problem}")

    def _resolved(self, name: str, text: str) -> Ref:
        source, *inner = text.split(".")
        rest = ".".join(inner)
        if source == INPUT and len(inner) < 2 and all(inner):
            return Ref(INPUT, rest)
        if source not in self.ports:
            held = "; its layers are held for Run alone" if source in self.children else ""
            there = f"there are {listed(self.ports)} and {INPUT!r}" if self.ports else f"there is {INPUT!r} alone"
            raise self._error(name, f"reads {quoted(text)}{held}; {there}")
        if not inner:
            return Ref(source)
        ports = self.ports[source]
        if rest in self._known(source):
            return Ref(source, rest)
        node, here = self._seen(self.children[source]), source
        for part in inner:
            children = node._named
            child = children.get(part)
            if child is None or not child._makes or node._is_plain(part, child):
                own = [one for one in children if children[one]._makes and not node._is_plain(one, children[one])]
                names = listed(dict.fromkeys((*(ports if here == source else ()), *own))) or "none"
                raise self._error(name, f"reads {quoted(text)}; the values in {quoted(here)} are {names}")
            node, here = self._seen(child, node), f"{here}.{part}"
        if node._gives:
            raise self._error(name, f"reads {quoted(text)}, which is several values: {listed(node._gives)}")
        self.looks.setdefault(source, []).append(rest)
        return Ref(source, inner=rest)

    def _known(self, source: str) -> frozenset[str]:
        """The names and positions by which one of several values of a source is read."""
        if source not in self.known:
            ports = self.ports[source]
            self.known[source] = frozenset((*ports, *map(str, range(len(ports)))))
        return self.known[source]

    def _seen(self, child: Node, parent: Node | None = None) -> Node:
        """The node that makes the value of a child: of a `Run`, that whose layers run."""
        if not isinstance(child, Run):
            return child
        return _at(self.children if parent is None else parent._named, child.layers) or child

    def _layers(self, name: str, path: str) -> Node:
        node = _at(self.children, path)
        if node is None or not node._runs:
            names = [own for own, child in self.children.items() if child._runs]
            raise self._error(name, f"runs {quoted(path)}; the layers before it are {listed(names) or 'none'}")
        return node

    def _ports(self, ref: Ref) -> Ports:
        """The names of the several values that are read; empty for one, or where that is not known."""
        return () if ref.port or ref.inner else self.ports.get(ref.source, ())

    def _enter(self, name: str, node: Node, reads: tuple[Ref, ...]) -> Ports:
        """Hold what a node takes to what it is given; the names of that where it is several values."""
        for ref in reads:
            if ref.source == INPUT and ref.port:
                self.takes.setdefault(ref.port, name)
        if reads == (Ref(INPUT),):
            for port in filter(None, node._takes):
                self.takes.setdefault(port, name)
            if not any(node._takes):
                self.whole = self.whole or name
            return ()
        if Ref(INPUT) in reads:
            self.whole = self.whole or name
        given = together([(str(ref), self._ports(ref)) for ref in reads])
        try:
            node._enter(given)
        except ShapeError as error:
            raise self._error(name, f"{error.problem}; it reads {listed(map(str, reads))}") from None
        return given


def _position(port: str) -> tuple[bool, int, str]:
    """By which ports are sorted: positions by number, of however many digits, names behind them as they are read."""
    digits = port.lstrip("0")
    return (False, len(digits), digits) if port.isdecimal() else (True, 0, "")


def _at(children: Mapping[str, Node], path: str) -> Node | None:
    """The node at a path into these children, where it is a module: a plain shortcut is none."""
    node: Node | None = None
    for name in path.split("."):
        child = children.get(name)
        if child is None or (node is not None and node._is_plain(name, child)):
            return None
        node, children = child, child._named
    return node


def _leaves(node: Node) -> list[str]:
    """The paths of the layers in a node, each with a dot before it."""
    children = getattr(node, "children", None)
    if children is None:
        return [""]
    return [f".{name}{inner}" for name, child in children for inner in _leaves(child)]
