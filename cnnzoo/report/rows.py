"""A layer or a block in numbers, and how rows add up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from math import prod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from ..words import Range, as_json

if TYPE_CHECKING:
    from fractions import Fraction

Role = Literal["convolution", "linear", "pooling", "other"]
"""What a layer is for, whatever its kind is called."""

Shape = tuple[int, ...]
IntOrPair = int | tuple[int, int]
Extent: TypeAlias = "int | Range | tuple[int | Range, int | Range]"
"""Pixels that positions see, a range where not all see as many; a pair where height and width differ."""
Pace: TypeAlias = "int | Fraction | tuple[int | Fraction, int | Fraction]"
"""Pixels from one position's receptive field to the next one's, in the mean: a fraction in maps larger than the input;
a pair where height and width differ."""


def along_axes(value: Any) -> tuple[Any, Any]:
    """An extent or a pace downwards and to the right."""
    return value if isinstance(value, tuple) else (value, value)


ITEM_BYTES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "int8": 1,
}
"""Bytes of an element, by torch's name of the dtype."""


class Unknown(NamedTuple):
    """What could not be determined: `what` (an operator, a module's tensors) at `path`, and why not."""

    path: str
    what: str
    why: str

    @property
    def place(self) -> str:
        return f"{self.what} at {self.path or 'the network itself'}"

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


ALL_KNOWN: Mapping[str, int] = {}
"""`Row.known` where nothing is unknown."""


class Row(NamedTuple):
    """One layer, or one block with the sums of what is in it. Counts are per sample, bytes per batch.

    A block's own step (the addition of a residual block, a concatenation, what the forward of a measured
    module does itself) is a row of kind "add", "cat", "conv2d", … at the block's path. None is unknown, or
    does not apply; a sum of which some is unknown is unknown, and `known` has the part that is known.
    """

    path: str
    kind: str
    settings: Mapping[str, Any]
    """Settings by torch's keyword: kernel_size, stride, padding, dilation, groups, …"""
    input_shape: Shape
    output_shape: Shape
    tensors: Mapping[str, Shape]
    """Parameters by name."""
    buffer_tensors: Mapping[str, Shape]
    """Buffers by name."""
    non_persistent: tuple[str, ...] = ()
    """Those buffers that no state dict has, by name."""
    weights: int | None = 0
    """Parameters that are not biases."""
    biases: int | None = 0
    buffers: int | None = 0
    macs: int | None = 0
    comparisons: int | None = 0
    additions: int | None = 0
    multiplications: int | None = 0
    exponentials: int | None = 0
    connections: int | None = 0
    """LeCun et al. (1998): for every output its fan-in, and one for its bias."""
    depth: int | None = 0
    """Weighted layers on the longest way from the input to here, this one included."""
    receptive_field: Extent | None = None
    effective_stride: Pace | None = None
    effective_padding: IntOrPair | None = None
    gated_field: Extent | None = None
    """Pixels that positions see with the gates on the way, which the receptive field leaves out."""
    aux: bool = False
    """Whether it is part of an auxiliary head: run in training only, counted apart."""
    activation_bytes: int | None = 0
    """Bytes of the output."""
    live_bytes: int | None = 0
    """Activations alive at inference while it runs; `Report.liveness` says by which rule."""
    stored_bytes: int | None = 0
    """Activations that it makes autograd keep for the backward pass and that were not kept already."""
    trainable_params: int | None = 0
    """Parameters less the frozen ones."""
    call: int = 1
    """Which call of its module it is: its parameters are counted in the first; 0 is a module never called."""
    own: bool = False
    """Whether it is a block's own step."""
    known: Mapping[str, int] = ALL_KNOWN
    """Of figures that are unknown, by name: the part that is known, where there is some."""
    more_inputs: tuple[Shape, ...] = ()
    """Of a block that takes several values: the shapes of all but the first."""
    more_outputs: tuple[Shape, ...] = ()
    """Of a block that gives several values: the shapes of all but the first."""
    regions: int = 0
    """For how many regions of a sample it runs: its shapes are of one, its counts of all; 0 where it runs once."""

    @property
    def params(self) -> int | None:
        return None if self.weights is None or self.biases is None else self.weights + self.biases

    @property
    def flops(self) -> int | None:
        """2 x MACs, as `torch.utils.flop_counter` counts."""
        return None if self.macs is None else 2 * self.macs

    @property
    def role(self) -> Role:
        """By its windows and tensors: kernels that slide, windows or reductions without them, another matrix, or none
        of these."""
        if self.settings.keys() & {"kernel_size", "filt_size", "output_size", "keepdim"}:
            return "convolution" if self.macs else "pooling"
        tensors = (*self.tensors.values(), *self.buffer_tensors.values())
        one_by_one = (
            shape == self.input_shape[-len(shape) :] or prod(shape) == max(shape) for shape in tensors if shape
        )
        return "linear" if self.macs or not all(one_by_one) else "other"

    @property
    def pools(self) -> bool:
        """Whether it is a pooling to a fixed size: to one that it is told, or over a whole side of maps."""
        if "keepdim" in self.settings:
            made, read = self.output_shape, self.input_shape
            return len(read) == 3 and made != read and made[:1] == read[:1]
        return "output_size" in self.settings

    @property
    def name(self) -> str:
        """Its last part of the path; "(add)", "(cat)" or the like for a block's own step."""
        return f"({self.kind})" if self.own else self.path.rpartition(".")[2]

    @property
    def parent(self) -> str | None:
        """The path of the block that it stands in; None for the whole network."""
        if self.own:
            return self.path
        return self.path.rpartition(".")[0] if self.path else None

    def alike(self) -> Row:
        """All that makes it equal to its neighbour: everything but the path and what grows with the depth."""
        return self._replace(
            path="",
            depth=0,
            receptive_field=None,
            effective_stride=None,
            effective_padding=None,
            gated_field=None,
            live_bytes=0,
        )

    def multiplied(self, count: int) -> Row:
        """A row with the figures of `count` equal ones together; None stays unknown."""
        ones = {name: getattr(self, name) for name in SUMMED}
        sums: dict[str, Any] = {name: None if one is None else one * count for name, one in ones.items()}
        return self._replace(**sums, known={name: part * count for name, part in self.known.items()})

    def of_regions(self, count: int) -> Row:
        """A row of one region with the work of `count` equal ones; memory is of all as it is."""
        work: dict[str, Any] = {name: getattr(self, name) * count for name in WORK}
        return self._replace(**work, regions=count)

    def in_part(self, names: Collection[str]) -> Row:
        """The row where its figures of these names are a part, and the whole is unknown."""
        parts = {name: getattr(self, name) for name in names}
        parts |= {"params": self.params} if {"weights", "biases"} & parts.keys() else {}
        parts |= {"flops": self.flops} if "macs" in parts else {}
        unknown: dict[str, Any] = dict.fromkeys(names)
        return self._replace(**unknown, known={**self.known, **{name: part for name, part in parts.items() if part}})

    def least(self, name: str) -> int:
        """A figure, or the part of it that is known."""
        value: int | None = getattr(self, name)
        return self.known.get(name, 0) if value is None else value


SUMMED = (
    "weights",
    "biases",
    "buffers",
    "macs",
    "comparisons",
    "additions",
    "multiplications",
    "exponentials",
    "connections",
    "activation_bytes",
    "stored_bytes",
    "trainable_params",
)
"""The figures of a block that are the sums of its rows'."""

WORK = ("macs", "comparisons", "additions", "multiplications", "exponentials", "connections")
"""Those that are work, which is done for each region again."""

LARGEST = ("live_bytes", "depth")
"""Those that are the largest of its rows'."""


NOTHING = Row("", "", {}, (), (), {}, {})
"""A row of no layer, to add to."""


def added(frame: Row, rows: Sequence[Row]) -> Row:
    """A block with the figures of its rows, added up."""
    if not rows:
        return frame
    columns = dict(zip(Row._fields, zip(*rows, strict=True), strict=True))
    sums: dict[str, Any] = {name: known_sum(columns[name]) for name in SUMMED}
    sums |= {name: _most(columns[name]) for name in LARGEST}
    whole = frame._replace(**sums)
    if None not in sums.values():
        return whole
    inner = [row.known for row in rows if row.known]
    parts = {name: sum(filter(None, columns[name])) + sum(known.get(name, 0) for known in inner) for name in SUMMED}
    parts |= {"params": parts["weights"] + parts["biases"], "flops": 2 * parts["macs"]}
    parts |= {name: max(row.least(name) for row in rows) for name in LARGEST}
    return whole._replace(known={name: part for name, part in parts.items() if part and getattr(whole, name) is None})


def key_of(path: str, name: str) -> str:
    """What the state dict calls a tensor of the layer at a path; that of a layer with a single one may have no name."""
    return ".".join(part for part in (path, name) if part)


def own_first(keys: Sequence[str], own: Set[str]) -> list[str]:
    """The keys of a state dict, in each block those of its `own` parameters before those of its children."""
    found = [*keys]
    for block in {key[: key.rfind(".") + 1] for key in own}:
        places = [place for place, key in enumerate(found) if key.startswith(block)]
        inside = sorted((found[place] for place in places), key=lambda key: key not in own or "." in key[len(block) :])
        for place, key in zip(places, inside, strict=True):
            found[place] = key
    return found


def known_sum(values: Sequence[int | None]) -> int | None:
    """The sum; None where one of the values is unknown."""
    try:
        return sum(values)  # type: ignore[arg-type]
    except TypeError:
        return None


def _most(values: Sequence[int | None]) -> int | None:
    """The largest of the values; None where one of them is unknown."""
    try:
        return max(values)  # type: ignore[type-var]
    except TypeError:
        return None


def plain(row: Row) -> dict[str, Any]:
    """A row as JSON has it."""
    values = {**row._asdict(), "params": row.params, "flops": row.flops}
    for name in ("tensors", "buffer_tensors"):
        values[name] = {tensor: list(shape) for tensor, shape in values[name].items()}
    values["settings"] = {name: listed(value) for name, value in row.settings.items()}
    return {name: listed(value) for name, value in values.items()}


def listed(value: Any) -> Any:
    """Tuples as lists, however deep; of figures that are no whole numbers what JSON has for them."""
    if isinstance(value, tuple):
        return [listed(one) for one in value]
    return value if value is None or isinstance(value, int | float | str | list | dict) else as_json(value)
