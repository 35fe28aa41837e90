"""The base of every description: values that state their output, and infer their input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from functools import cached_property, partial, wraps
from inspect import Parameter, signature
from typing import Any, ClassVar, NamedTuple, NoReturn, TypeAlias, TypeVar, dataclass_transform

from ..errors import InvalidTypeError
from ..words import quoted
from .rules import RULES
from .signal import POINTWISE, Shape, ShapeError, Windows, show

IntOrPair: TypeAlias = int | tuple[int, int]
Ports: TypeAlias = tuple[str, ...]
"""Names of values that enter or leave together."""

ALL: Ports = ("",)
"""In `Node._takes`: whatever enters, one value or several."""


class Work(NamedTuple):
    """What a layer does per sample besides its MACs. Every window counts in full, padding included;
    divisions are multiplications; a power, a sigmoid or a tanh is one exponential."""

    comparisons: int = 0
    additions: int = 0
    multiplications: int = 0
    exponentials: int = 0

    def of(self, count: int) -> Work:
        """As much for each of `count` elements."""
        return Work(*(one * count for one in self))


class Kept(NamedTuple):
    """What autograd keeps for the backward pass besides parameters and buffers, per sample: the input and the
    output as they are (once, however many layers keep them), other elements, and int64 indices; `statistics` are
    elements for the whole batch, whatever its size. `copies`: training makes a tensor where inference hands the
    input on. An input that is a part of another tensor is kept as the whole of that tensor; `contiguous`: as a copy of
    that part, unless there is one sample alone, whose parts are contiguous as they are."""

    input: bool = False
    output: bool = False
    elements: int = 0
    indices: int = 0
    statistics: int = 0
    copies: bool = False
    contiguous: bool = False


class Node:
    """A layer or a join: a frozen, hashable value whose repr is its source."""

    kinds: ClassVar[dict[str, type[Node]]] = {}
    """Every class that a description may name, by its name."""

    _nodes: int = 1
    """How many layers and joins the description has, this one included."""
    _levels: int = 0
    """How many levels of joins are nested in each other here; a layer has none."""
    _named: Mapping[str, Node] = {}
    """The children by name; a layer has none."""
    _takes: Ports = ()
    """The names by which it reads one of several values that enter, as in "input.p3", in the order in which its module
    takes them: positions by number, names as they are read; empty where one value enters."""
    _gives: Ports = ()
    """The names of the several values that it gives; empty where it gives one."""
    _makes: bool = True
    """Whether it makes a value where it stands."""
    _runs: bool = True
    """Whether its layers can run again on another value."""
    _is_head: bool = False
    """Whether it runs in training only."""
    _regions: int = 0
    """Of how many regions of an image there is something in it, unless boxes say how many; 0 where there is not."""
    _of_regions: bool = False
    """Whether it stands in `Regions` alone, and makes values of each region."""
    _is_inlined: bool = False
    """Whether its children stand in the node around it."""

    @property
    def _heads(self) -> Sequence[str]:
        """The names of the auxiliary heads among its children."""
        return ()

    @property
    def _is_step(self) -> bool:
        """Whether a Sequential with this child is no chain of functions of one value."""
        return not (self._runs and self._makes) or bool(self._takes or self._gives)

    def __init_subclass__(cls) -> None:
        if not cls.__name__.startswith("_"):
            Node.kinds[cls.__name__] = cls

    def _enter(self, given: Ports) -> None:
        """Raise a `ShapeError` where it does not take the several values of these names, or one, where there are
        none."""
        if given and not self._takes:
            raise ShapeError(f"takes one value, and is given {len(given)}: {', '.join(given)}")
        known = {*given, *map(str, range(len(given)))}
        for port in filter(None, self._takes):
            if port not in known:
                there = f"{len(given)}: {', '.join(given)}" if given else "one value"
                raise ShapeError(f"asks for input.{port}, and is given {there}")

    def _is_plain(self, name: str, child: Node) -> bool:
        """Whether that child is a shortcut that changes nothing, so that a module has none there."""
        return False

    def _reading(self, names: str) -> str:
        """The source of a step that reads the values of these names."""
        return f"From({names}, {self!r})"


T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def layer(cls: type[T]) -> type[T]:
    """Make a subclass of `Leaf` a frozen dataclass; comparison, hash, repr and what freezes it are `Leaf`'s
    own, once for all, where `dataclass(frozen=True)` would compile them anew for every class; the constructor is
    compiled when it is first called or looked at, as an import of all layers would otherwise spend most of its time
    on constructors that are not used.

    Settings that `torch.nn` has at another place among its arguments stand behind `_: KW_ONLY`. Arguments that do
    not fit are a TypeError that says what the layer takes."""
    own = vars(cls).get("__annotations__", {}).values()
    if hasattr(cls, "__dataclass_fields__") and all(str(one).startswith("ClassVar") for one in own):
        return cls  # it has its base's settings, and that is a dataclass
    made = dataclass(init=False, eq=False, repr=False)(cls)
    made.__init__ = _Constructor(made)  # type: ignore[method-assign, assignment]
    return made


leaf: Callable[[type[T]], type[T]] = layer
"""`layer` for classes whose calls with names give steps: type checkers read their `__new__`, not the fields."""


class _Constructor:
    """The `__init__` of a dataclass until it is first asked for: it is then compiled and takes this one's place."""

    def __init__(self, cls: type[Any]) -> None:
        self.cls = cls

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        full: Any = dataclass(eq=False, repr=False)(
            type(f"_{self.cls.__name__}", (self.cls,), {"__doc__": "As compiled."})
        )
        self.cls.__init__ = _explained(full.__init__)
        return self.cls.__init__.__get__(instance, owner)


def _explained(init: Callable[..., None]) -> Callable[..., None]:
    @wraps(init)
    def __init__(self: Leaf, *args: Any, **settings: Any) -> None:  # noqa: N807
        try:
            init(self, *args, **settings)
        except TypeError as error:
            taken = signature(init)
            try:
                taken.bind(self, *args, **settings)
            except TypeError:
                raise InvalidTypeError(_misfit(type(self), [*taken.parameters.values()][1:], args, settings)) from None
            raise error

    return __init__


NOT_SAID = {
    "in_channels": "the input channels follow from what reaches the layer",
    "in_features": "the input features follow from what reaches the layer",
    "channels": "the channels follow from what reaches the layer",
    "num_channels": "the channels follow from what reaches the layer",
    "normalized_shape": "the lengths follow from what reaches the layer: normalized_dims says of how many dimensions",
    "num_features": "the channels follow from what reaches the layer",
    "bias": "weight and bias go together: affine=False leaves both out",
    "inplace": "whether to overwrite is said when a module is built: build(description, size, inplace=True)",
    "device": "the device is said when a module is built",
    "dtype": "the dtype is said when a module is built",
    "padding_mode": "padding is zeros",
    "return_indices": "the maxima alone are returned",
    "min_value": "torch has named it min_val since",
    "max_value": "torch has named it max_val since",
    "recompute_scale_factor": "a scale_factor is used as it is given",
    "divisor_override": "a mean is divided by the elements of its window",
}
"""Why a description does not say what torch's modules are told."""


def _misfit(cls: type[Leaf], taken: list[Parameter], args: tuple[Any, ...], settings: dict[str, Any]) -> str:
    """What a layer takes, and what it was given instead: `Conv2d(3, 64, 3)` in the order of torch.nn, say."""
    plain = [one.replace(annotation=Parameter.empty) for one in taken]
    by_position = [one for one in plain if one.kind is one.POSITIONAL_OR_KEYWORD]
    star = ["*"] * (len(by_position) < len(plain))
    spelled = [str(one) for one in [*by_position, *star, *plain[len(by_position) :]]]
    given = ", ".join([*map(repr, args), *(f"{name}={value!r}" for name, value in settings.items())])
    reasons = [NOT_SAID[name] for name in settings if name in NOT_SAID and name not in {one.name for one in taken}]
    room = sum(one.name not in settings for one in by_position)
    if not reasons and len(args) > room and issubclass(cls, Layer) and cls.tensors is not Layer.tensors:
        reasons = [NOT_SAID["in_channels"]]
    return "; ".join([f"{cls.__name__} takes ({', '.join(spelled)}), got ({given})", *reasons])


@layer
class Leaf(Node):
    """What has no children: a frozen dataclass whose fields are its settings, held to the rules of their names."""

    rules: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    """What its own settings are held to, by name, where that is not what `RULES` says of the name."""

    def __post_init__(self) -> None:
        for name, rule in _rules(type(self)):
            value = getattr(self, name)
            try:
                self._set(name, rule(value))
            except (TypeError, ValueError) as error:
                raise ShapeError(f"{type(self).__name__}: {name} must be {error}, got {quoted(value)}") from None

    def _set(self, name: str, value: object) -> None:
        """For `__post_init__` alone: bring a setting into its one canonical form."""
        self.__dict__[name] = value

    def __setattr__(self, name: str, value: object) -> None:
        """A setting is set once, by the constructor."""
        if name in self.__dict__ or name not in self.__dataclass_fields__:
            raise FrozenInstanceError(f"{self!r} is a value: dataclasses.replace gives another one")
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"{self!r} is a value: its {name} cannot be deleted")

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Its settings by torch's keyword, in the order of the constructor."""
        return {field.name: self.__dict__[field.name] for field in fields(self)}

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        return (type(self), *self.settings.values())

    @cached_property
    def _hash(self) -> int:
        return hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Leaf) and self._key == other._key)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), **self.settings), ()

    def __repr__(self) -> str:
        shown = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.default is MISSING:
                shown.append(repr(value))
            elif value != field.default or type(value) is not type(field.default):
                shown.append(f"{field.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


@layer
class Layer(Leaf):
    """A leaf that makes one value of another. A layer that stands twice in a description is two layers: weights are
    not shared.

    A subclass is a frozen dataclass named and spelled as in `torch.nn`, without the input channels.
    From its input shape (channels first, per sample) it states its output shape, its tensors and its
    MACs; all else that a report prints is derived from these or defaults to nothing.
    """

    weighted: ClassVar[bool] = False
    """Whether it counts as a layer in "a 16-layer network"."""
    is_view: ClassVar[bool] = False
    """Whether inference hands its input, or a part of it, on without a new tensor; training does too, unless `kept`
    copies."""
    pools: ClassVar[bool] = False
    """Whether it is a pooling to a fixed size, as the last before a classifier is."""
    keeps_input: ClassVar[bool] = False
    """Whether autograd keeps its input for the backward pass, unless `kept` says otherwise."""
    keeps_output: ClassVar[bool] = False
    """Whether autograd keeps its output for the backward pass."""
    unstated: ClassVar[tuple[str, ...]] = ()
    """The figures of its row, by their names in a report, that are unknown: what it states of them is a part. With any,
    so is the depth behind it."""
    why: ClassVar[str] = ""
    """Why they are unknown."""

    @property
    def _has_tensors(self) -> bool:
        """Whether it may have tensors, as far as that can be said without an input."""
        cls = type(self)
        return cls.tensors is not Layer.tensors or cls.buffers is not Layer.buffers

    def output_shape(self, shape: Shape) -> Shape:
        """The output's shape; a `ShapeError` where the input cannot be taken."""
        return shape

    def tensors(self, shape: Shape) -> dict[str, Shape]:
        """The parameters, in the order of the state dict."""
        return {}

    def buffers(self, shape: Shape) -> dict[str, Shape]:
        """The buffers, in the order of the state dict; a scalar one is an int64 counter."""
        return {}

    @property
    def non_persistent(self) -> tuple[str, ...]:
        """The names of those buffers that no state dict has (torch's `persistent=False`)."""
        return ()

    def macs(self, shape: Shape) -> int:
        """Multiply-accumulates per sample: those of a convolution or a linear layer, no others."""
        return 0

    def work(self, shape: Shape) -> Work:
        """What it does besides its MACs, per sample, at inference."""
        return Work()

    def fan_in(self, shape: Shape) -> int:
        """Inputs that all outputs together read, bias apart: by default those of the MACs."""
        return self.macs(shape)

    def windows(self, shape: Shape) -> Windows | None:
        """What output positions read along height and width: a `Window`, or `Phases` where they differ in turn; None
        where neither says it."""
        return POINTWISE

    def mixes(self, shape: Shape) -> Sequence[int] | None:
        """The dimensions of its input, counted from 0 without the batch, along which an output position reads others
        than its own; None where that is not said: then a receptive field is known behind channels that come first."""
        return None

    def kept(self, shape: Shape) -> Kept:
        """What autograd keeps for the backward pass, on the CPU."""
        return Kept(self.keeps_input, self.keeps_output)


def maps(self: Leaf, shape: Shape) -> tuple[int, int, int]:
    """The shape as (channels, height, width), or a `ShapeError`."""
    if len(shape) != 3:
        wanted = f"{type(self).__name__} needs maps (channels, height, width), got {show(shape)}"
        raise ShapeError(wanted)
    return shape[0], shape[1], shape[2]


def sequences(self: Layer, shape: Shape) -> tuple[int, int]:
    """The shape as (channels, length), or a `ShapeError`."""
    if len(shape) != 2:
        raise ShapeError(f"{type(self).__name__} needs sequences (channels, length), got {show(shape)}")
    return shape[0], shape[1]


def place_of(self: Leaf, dim: int, shape: Shape) -> int:
    """Where in the shape a dimension is that is counted as in torch, the batch being 0; a `ShapeError` where there is
    none, and for the batch."""
    place = dim + len(shape) if dim < 0 else dim - 1
    if not 0 <= place < len(shape):
        wanted = f"dim={dim} is none of the {len(shape)} dimensions after the batch of {show(shape)}"
        raise ShapeError(f"{type(self).__name__}: {wanted}")
    return place


def pair(value: IntOrPair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


_RULES_OF: dict[type[Leaf], tuple[tuple[str, Callable[[Any], Any]], ...]] = {}


def _rules(cls: type[Leaf]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """The settings of a class of leaves that have a rule, with the rules; found once for each class."""
    if cls not in _RULES_OF:
        named = (field.name for field in fields(cls))
        rules = {**RULES, **cls.rules}
        _RULES_OF[cls] = tuple((name, rules[name]) for name in named if name in rules)
    return _RULES_OF[cls]
