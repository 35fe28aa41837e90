"""What a calculation or a measurement found: rows that add up to their parents, and totals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

Shape = tuple[int, ...]
IntOrPair = int | tuple[int, int]

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

    def __str__(self) -> str:
        return f"{self.what} at {self.path or 'the network itself'}: {self.why}"


class Row(NamedTuple):
    """One layer, or one block with the sums of what is in it. Counts are per sample, bytes per batch.

    A block's own step (the addition of a residual block, a concatenation, what the forward of a measured
    module does itself) is a row of kind "add", "cat", "conv2d", … at the block's path. None is unknown, or
    does not apply; a block's sum is of what is known.
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
    weights: int = 0
    """Parameters that are not biases."""
    biases: int = 0
    buffers: int = 0
    macs: int | None = 0
    comparisons: int | None = 0
    additions: int | None = 0
    multiplications: int | None = 0
    exponentials: int | None = 0
    connections: int | None = 0
    """LeCun et al. (1998): for every output its fan-in, and one for its bias."""
    depth: int | None = 0
    """Weighted layers on the longest way from the input to here, this one included."""
    receptive_field: IntOrPair | None = None
    effective_stride: IntOrPair | None = None
    effective_padding: IntOrPair | None = None
    aux: bool = False
    """Whether it is part of an auxiliary head: run in training only, counted apart."""
    activation_bytes: int = 0
    """The output's size."""
    live_bytes: int | None = 0
    """Activations alive at inference while it runs; `Report.liveness` says by which rule."""
    stored_bytes: int | None = 0
    """Activations that it makes autograd keep for the backward pass and that were not kept already."""
    trainable_params: int = 0
    """Parameters less the frozen ones."""
    call: int = 1
    """Which call of its module it is: its parameters are counted in the first; 0 is a module never called."""
    own: bool = False
    """Whether it is a block's own step."""

    @property
    def params(self) -> int:
        return self.weights + self.biases

    @property
    def flops(self) -> int | None:
        """2 x MACs, as `torch.utils.flop_counter` counts."""
        return None if self.macs is None else 2 * self.macs

    @property
    def is_join(self) -> bool:
        """Whether this is a block's own step, of a join or of any other."""
        return self.own

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
"""The figures of a block that are the sums of its rows'; `live_bytes` and `depth` are their largest."""


class Line(NamedTuple):
    """A row as the table shows it: its place in the tree and how many equal neighbours it stands for."""

    row: Row
    name: str
    level: int
    times: int
    guides: tuple[bool, ...]
    """For each level above, and for its own, whether a sibling follows."""


@dataclass(frozen=True, repr=False)
class Report:
    """A network at an input size: `rows` (leaves in execution order), `blocks` (inner nodes), totals."""

    rows: tuple[Row, ...]
    frames: tuple[Row, ...]
    """The inner nodes before their rows are added up; use `blocks`."""
    input_size: Shape
    batch_size: int = 1
    dtype: str = "float32"
    model: str | None = None
    paper: str | None = None
    """The network's source, as a citation."""
    printed: tuple[str, ...] = field(default=())
    """What that source prints of the whole network, beside what is true."""
    more_inputs: tuple[Shape, ...] = ()
    """The shapes of what a measured network takes besides the first input."""
    unknown: tuple[Unknown, ...] = ()
    """What a measurement could not determine."""
    notes: tuple[str, ...] = ()
    """How a measurement was made, where that is not as usual, and what it met."""
    exact: Mapping[str, int] = field(default_factory=dict)
    """Totals that a measurement knows better than by adding up: tensors may have several dtypes."""

    liveness = (
        "layers run one after the other, none in place; an activation lives from the layer that makes it "
        "to the last that reads it; dropout, flatten and identity make none; workspace is not counted"
    )

    @property
    def status(self) -> str:
        """ "complete", or "partial" where something is unknown."""
        return "partial" if self.unknown else "complete"

    @cached_property
    def blocks(self) -> tuple[Row, ...]:
        """Every inner node, parents first, with the sums of the rows in it; the whole network is ""."""
        inside: dict[tuple[str, bool], list[Row]] = {}
        for row in self.rows:
            path: str | None = row.parent
            while path is not None:
                inside.setdefault((path, row.aux), []).append(row)
                path = path.rpartition(".")[0] if path else None
        return tuple(_added(frame, inside.get((frame.path, frame.aux), ())) for frame in self.frames)

    @cached_property
    def _main(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if not row.aux)

    @cached_property
    def totals(self) -> dict[str, Any]:
        """The network's figures by name; those of auxiliary heads are apart, under `aux_…`.

        `stored_bytes` is of training, when auxiliary heads run, so they are in it.
        """
        main = _added(_NOTHING, self._main)
        heads = _added(_NOTHING, [row for row in self.rows if row.aux])
        item = ITEM_BYTES[self.dtype]
        buffers = [shape for row in self._main if row.buffers for shape in row.buffer_tensors.values()]
        param_bytes = main.params * item
        buffer_bytes = sum(prod(shape) * item if shape else 8 for shape in buffers)
        return {
            "params": main.params,
            "trainable_params": main.trainable_params,
            "weights": main.weights,
            "biases": main.biases,
            "buffers": main.buffers,
            "macs": main.macs,
            "flops": main.flops,
            "comparisons": main.comparisons,
            "additions": main.additions,
            "multiplications": main.multiplications,
            "exponentials": main.exponentials,
            "connections": main.connections,
            "activations": main.activation_bytes // (item * self.batch_size),
            "depth": main.depth,
            "aux_params": heads.params,
            "aux_macs": heads.macs,
            "aux_buffers": heads.buffers,
            "receptive_field": self.receptive_field,
            "effective_stride": self.effective_stride,
            "effective_padding": self.effective_padding,
            "input_bytes": prod(self.input_size) * self.batch_size * item,
            "param_bytes": param_bytes,
            "buffer_bytes": buffer_bytes,
            "activation_bytes": main.activation_bytes,
            "peak_activation_bytes": main.live_bytes,
            "peak_bytes": None if main.live_bytes is None else param_bytes + buffer_bytes + main.live_bytes,
            "stored_bytes": _sum([main.stored_bytes, heads.stored_bytes] if self._main else [heads.stored_bytes]),
            **self.exact,
        }

    @property
    def total_params(self) -> int:
        """Parameters, auxiliary heads apart."""
        return int(self.totals["params"])

    @property
    def trainable_params(self) -> int:
        return int(self.totals["trainable_params"])

    @property
    def total_buffers(self) -> int:
        return int(self.totals["buffers"])

    @property
    def total_macs(self) -> int:
        """Multiply-accumulates of convolutions and linear layers, per sample; of those that are known where
        the `status` is "partial". Raises ValueError where none are."""
        macs = self.totals["macs"]
        if macs is None:
            raise ValueError(f"no MACs are known: {'; '.join(map(str, self.unknown))}")
        return int(macs)

    @property
    def total_mult_adds(self) -> int:
        """`total_macs` under torchinfo's name (torchinfo adds biases and batch norms to its own)."""
        return self.total_macs

    @property
    def total_flops(self) -> int:
        return 2 * self.total_macs

    @property
    def aux_params(self) -> int:
        """Parameters of the auxiliary heads."""
        return int(self.totals["aux_params"])

    @property
    def depth(self) -> int:
        """Weighted layers on the longest way through: the 16 of VGG-16."""
        return int(self.totals["depth"])

    @cached_property
    def last_map(self) -> Row | None:
        """The last map before the classifier, that is before the final pooling to a fixed size."""
        spatial = (row for row in reversed(self._main) if len(row.output_shape) == 3)
        return next((row for row in spatial if row.kind != "AdaptiveAvgPool2d"), None)

    @property
    def receptive_field(self) -> IntOrPair | None:
        """Side in input pixels (a pair where not square) of what one position of `last_map` sees."""
        return self.last_map.receptive_field if self.last_map else None

    @property
    def effective_stride(self) -> IntOrPair | None:
        return self.last_map.effective_stride if self.last_map else None

    @property
    def effective_padding(self) -> IntOrPair | None:
        return self.last_map.effective_padding if self.last_map else None

    @property
    def tensors(self) -> dict[str, Shape]:
        """The state dict's names and shapes, in its order: parameters and buffers, heads included."""
        named = ((row, {**row.tensors, **row.buffer_tensors}) for row in self.rows)
        return {
            f"{row.path}.{name}" if row.path else name: shape
            for row, tensors in named
            for name, shape in tensors.items()
        }

    def __getitem__(self, path: str) -> Row:
        """The block or layer at a path, "" for the whole network."""
        for row in (*self.blocks, *self.rows):
            if row.path == path:
                return row
        raise KeyError(path)

    def lines(self, depth: int | None = None, fold: bool = True) -> list[Line]:
        """The tree as a table shows it, down to `depth` levels, equal neighbouring blocks folded into one.

        A folded line's figures are the sums of all the blocks it stands for, so every column adds up.
        """
        return list(_lines(self._tree(), depth, fold, 1, (), 1))

    def _tree(self) -> list[_Branch]:
        top: list[_Branch] = []
        branches: dict[str, _Branch] = {}
        blocks = {block.path: block for block in self.blocks}

        def siblings(path: str | None) -> list[_Branch]:
            if not path:
                return top
            if path not in branches:
                branches[path] = _Branch(blocks[path], [])
                siblings(path.rpartition(".")[0]).append(branches[path])
            return branches[path].inner

        for row in self.rows:
            siblings(row.parent).append(_Branch(row, []))
        return top

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values; `cnnzoo/schema.json` is the JSON Schema of it."""
        return {
            "schema_version": 1,
            "model": self.model,
            "paper": self.paper,
            "input_size": list(self.input_size),
            "batch_size": self.batch_size,
            "dtype": self.dtype,
            "more_inputs": [list(shape) for shape in self.more_inputs],
            "status": self.status,
            "unknown": [one._asdict() for one in self.unknown],
            "notes": list(self.notes),
            "rows": [_plain(row) for row in self.rows],
            "blocks": [_plain(block) for block in self.blocks],
            "totals": {name: _listed(value) for name, value in self.totals.items()},
        }

    def __str__(self) -> str:
        from .render import to_text

        return to_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from .render import to_html

        return to_html(self)


class _Branch(NamedTuple):
    row: Row
    inner: list[_Branch]

    def shape(self) -> tuple[Any, ...]:
        """All that makes two neighbours equal: everything but the path and what grows with the depth."""
        row = self.row._replace(
            path="",
            depth=0,
            receptive_field=None,
            effective_stride=None,
            effective_padding=None,
            live_bytes=0,
        )
        return (row, tuple((branch.row.name, branch.shape()) for branch in self.inner))


_NOTHING = Row("", "", {}, (), (), {}, {})


def _added(frame: Row, rows: Sequence[Row]) -> Row:
    if not rows:
        return frame
    columns = dict(zip(Row._fields, zip(*rows, strict=True), strict=True))
    sums: dict[str, Any] = {name: _sum(columns[name]) for name in SUMMED}
    return frame._replace(**sums, live_bytes=_most(columns["live_bytes"]), depth=_most(columns["depth"]))


def _sum(values: Sequence[int | None]) -> int | None:
    """Of what is known; None where nothing is, so that the unknown is never 0."""
    try:
        return sum(values)  # type: ignore[arg-type]
    except TypeError:
        return sum(value for value in values if value is not None) or None


def _most(values: Sequence[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def _lines(
    branches: list[_Branch], depth: int | None, fold: bool, level: int, guides: tuple[bool, ...], times: int
) -> Iterator[Line]:
    groups: list[list[_Branch]] = []
    for branch in branches:
        if fold and groups and branch.inner and groups[-1][0].inner and groups[-1][0].shape() == branch.shape():
            groups[-1].append(branch)
        else:
            groups.append([branch])
    for position, group in enumerate(groups):
        here = (*guides, position + 1 < len(groups))
        first, last = group[0].row, group[-1].row
        name = first.name if len(group) == 1 else f"{first.name}-{last.name}"
        count = times * len(group)
        ones = {field: getattr(first, field) for field in SUMMED}
        sums: dict[str, Any] = {field: None if value is None else value * count for field, value in ones.items()}
        yield Line(last._replace(**sums), name, level, len(group), here)
        if depth is None or level < depth:
            yield from _lines(group[-1].inner, depth, fold, level + 1, here, count)


def _plain(row: Row) -> dict[str, Any]:
    plain = {**row._asdict(), "params": row.params, "flops": row.flops}
    for name in ("tensors", "buffer_tensors"):
        plain[name] = {tensor: list(shape) for tensor, shape in plain[name].items()}
    plain["settings"] = {name: _listed(value) for name, value in row.settings.items()}
    return {name: _listed(value) for name, value in plain.items()}


def _listed(value: Any) -> Any:
    return [_listed(one) for one in value] if isinstance(value, tuple) else value
