"""What a calculation or a measurement found: rows that add up to their parents, and totals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

from ..errors import CnnzooError
from ..render.document import Document, Shown
from ..words import hint, quoted
from .repeats import rolled
from .rows import (
    ITEM_BYTES,
    NOTHING,
    Extent,
    IntOrPair,
    Pace,
    Row,
    Shape,
    Unknown,
    added,
    key_of,
    known_sum,
    listed,
    own_first,
    plain,
)
from .tree import Line, lines, tree

DEPTH = 3
"""How deep a table goes unless it is told, as in torchinfo."""

COUNTED_IN = {"activations": "activation_bytes", "param_bytes": "params", "buffer_bytes": "buffers"}
"""Totals that are computed from another one, and unknown where that is, by name."""


class UnknownRowError(CnnzooError, KeyError):
    """A path at which a report has no row; the message suggests near ones."""


@dataclass(frozen=True, repr=False)
class Report(Shown):
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
    """The shapes of what the network takes besides the first input."""
    unknown: tuple[Unknown, ...] = ()
    """What a measurement could not determine."""
    notes: tuple[str, ...] = ()
    """How a measurement was made, where that is not as usual, and what it met."""
    exact: Mapping[str, int] = field(default_factory=dict)
    """Totals that a measurement knows better than by adding up: tensors may have several dtypes."""
    last_map: Row | None = None
    """The last map before the classifier, that is before the final pooling to a fixed size and what works on each of
    its positions; a measurement does not know it."""
    reductions: Callable[[Report], str | None] | None = field(default=None, compare=False)
    """What says what its 1x1 reductions save, when it is printed; the description's own tells nothing else."""
    description: Any = field(default=None, compare=False)
    """What it is calculated from; a measurement has none."""
    described: Report | None = field(default=None, compare=False)
    """Beside a measurement, what is calculated from the module's description, some of whose parts are foreign."""
    one_size: str | None = field(default=None, compare=False)
    """That a module's description is one of this input size alone, and where it would be another."""
    undescribed: str | None = field(default=None, compare=False)
    """Why a measured module has no description, or none that could stand for it."""

    liveness = (
        "layers run one after the other, none in place; an activation lives from the layer that makes it "
        "to the last that reads it or a part of it; dropout, flatten, identity and a part of the channels make none; "
        "workspace is not counted"
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
        return tuple(added(frame, inside.get((frame.path, frame.aux), ())) for frame in self.frames)

    @cached_property
    def _main(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if not row.aux)

    @property
    def totals(self) -> dict[str, Any]:
        """The network's figures by name; those of auxiliary heads are apart, under `aux_…`. None is unknown, as a sum
        is of which some is; `known` has then the part that is known.

        `stored_bytes` is of training, when auxiliary heads run, so they are in it.
        """
        return self._totals[0]

    @property
    def known(self) -> dict[str, int]:
        """Of the `totals` that are unknown, by name: the part that is known, where there is some."""
        return self._totals[1]

    @cached_property
    def _totals(self) -> tuple[dict[str, Any], dict[str, int]]:
        main = added(NOTHING, self._main)
        heads = added(NOTHING, [row for row in self.rows if row.aux])
        item = ITEM_BYTES[self.dtype]
        buffers = [shape for row in self._main if row.buffers for shape in row.buffer_tensors.values()]
        found: dict[str, Any] = {
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
            "activations": main.least("activation_bytes") // (item * self.batch_size),
            "depth": main.depth,
            "aux_params": heads.params,
            "aux_macs": heads.macs,
            "aux_buffers": heads.buffers,
            "receptive_field": self.receptive_field,
            "effective_stride": self.effective_stride,
            "effective_padding": self.effective_padding,
            "gated_field": self.gated_field,
            "input_bytes": prod(self.input_size) * self.batch_size * item,
            "param_bytes": main.least("params") * item,
            "buffer_bytes": sum(prod(shape) * item if shape else 8 for shape in buffers),
            "activation_bytes": main.activation_bytes,
            "peak_activation_bytes": main.live_bytes,
            "peak_bytes": None,  # below
            "stored_bytes": known_sum([main.stored_bytes, heads.stored_bytes]),
        }
        known = {**main.known, **{name: found[name] for name, one in self.exact.items() if one is None and found[name]}}
        found |= self.exact
        known |= {name: heads.known[name[4:]] for name in found if name[:4] == "aux_" and name[4:] in heads.known}
        if "live_bytes" in known:
            known["peak_activation_bytes"] = known.pop("live_bytes")
            known["peak_bytes"] = known["peak_activation_bytes"] + found["param_bytes"] + found["buffer_bytes"]
        for name, counted in COUNTED_IN.items():
            if found[counted] is None:
                known[name], found[name] = found[name], None
        peak = ("param_bytes", "buffer_bytes", "peak_activation_bytes")
        found["peak_bytes"] = known_sum([found[name] for name in peak])
        return found, {name: part for name, part in known.items() if part}

    @property
    def total_params(self) -> int | None:
        """Parameters, auxiliary heads apart; None where some are unknown."""
        return self._total("params")

    @property
    def trainable_params(self) -> int | None:
        return self._total("trainable_params")

    @property
    def total_buffers(self) -> int | None:
        return self._total("buffers")

    @property
    def total_macs(self) -> int | None:
        """Multiply-accumulates of convolutions and linear layers, per sample; None where some are unknown, and
        `known["macs"]` is then the number of the others."""
        return self._total("macs")

    @property
    def total_mult_adds(self) -> int | None:
        """`total_macs` under torchinfo's name (torchinfo adds biases and batch norms to its own)."""
        return self.total_macs

    @property
    def total_flops(self) -> int | None:
        return self._total("flops")

    def _total(self, name: str) -> int | None:
        value: int | None = self.totals[name]
        return value

    @property
    def aux_params(self) -> int | None:
        """Parameters of the auxiliary heads."""
        return self._total("aux_params")

    @property
    def depth(self) -> int | None:
        """Weighted layers on the longest way through: the 16 of VGG-16; None where it is unknown."""
        return self._total("depth")

    @property
    def receptive_field(self) -> Extent | None:
        """Side in input pixels (a pair where not square, a range where not all see as many) of what one position of
        `last_map` sees."""
        return self.last_map.receptive_field if self.last_map else None

    @property
    def effective_stride(self) -> Pace | None:
        return self.last_map.effective_stride if self.last_map else None

    @property
    def effective_padding(self) -> IntOrPair | None:
        return self.last_map.effective_padding if self.last_map else None

    @property
    def gated_field(self) -> Extent | None:
        """What one position of `last_map` sees with the gates on the way (squeeze-and-excitation), which the receptive
        field leaves out."""
        return self.last_map.gated_field if self.last_map else None

    def apart(self, name: str) -> tuple[int | None, int | None]:
        """A count such as "macs", split into that of the whole sample and that of one region, auxiliary heads apart;
        None is unknown, as what differs from region to region is."""
        counts = [(getattr(row, name), row.regions) for row in self._main]
        once = known_sum([count for count, regions in counts if not regions])
        shares = [(None, 0) if count is None else divmod(count, regions) for count, regions in counts if regions]
        return once, known_sum([None if rest else share for share, rest in shares])

    @property
    def outputs(self) -> dict[str, Shape]:
        """The shapes of what the network gives, by name, where that is several values; a measured network's go by
        their positions."""
        whole = self.blocks[0] if self.blocks else NOTHING
        shapes = (whole.output_shape, *whole.more_outputs)
        names = getattr(self.description, "_gives", ()) or map(str, range(len(shapes)))
        return dict(zip(names, shapes, strict=True)) if whole.more_outputs else {}

    @property
    def tensors(self) -> dict[str, Shape]:
        """The state dict's names and shapes: parameters and buffers, heads included, in the order in which the layers
        run, in each block those of its own parameters first: the state dict's order where no `ModuleList` holds layers
        before they run."""
        named = [(row, {**row.tensors, **row.buffer_tensors}.items()) for row in self.rows]
        found = {
            key_of(row.path, name): shape
            for row, tensors in named
            for name, shape in tensors
            if name not in row.non_persistent
        }
        own = {row.path for row in self.rows if "" in row.tensors}
        return {key: found[key] for key in own_first([*found], own)}

    def __iter__(self) -> Iterator[Row]:
        """The `rows`."""
        return iter(self.rows)

    def __getitem__(self, path: str) -> Row:
        """The block or layer at a path, "" for the whole network; `UnknownRowError` where there is none."""
        for row in (*self.blocks, *self.rows):
            if row.path == path:
                return row
        known = [row.path for row in (*self.blocks, *self.rows) if row.path]
        raise UnknownRowError(f"no row {quoted(path)}; {hint(str(path), known)}")

    def lines(self, depth: int | None = None, fold: bool = True) -> list[Line[Row]]:
        """The tree as a table shows it, down to `depth` levels, equal neighbouring blocks folded into one.

        A folded line's figures are the sums of all the blocks it stands for, so every column adds up. Calls that a
        loop in a measured forward repeats are folded into one round of it.
        """
        branches = tree(self.rows, self.blocks)
        repeats = fold and any(row.call > 1 for row in self.rows)
        return list(lines(rolled(branches) if repeats else branches, depth, fold))

    def document(self, columns: Sequence[str] | None = None, depth: int | None = DEPTH, fold: bool = True) -> Document:
        """The tree of blocks and layers down to `depth` levels, by default in the columns that a terminal has room
        for, and the totals. CSV and JSON hold every leaf, whatever `depth` and `fold` say. `UnknownColumnError`."""
        from .document import document

        return document(self, columns, depth, fold)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values; `cnnzoo/schema.json` is the JSON Schema of it."""
        return {
            "schema_version": 2,
            "model": self.model,
            "paper": self.paper,
            "input_size": list(self.input_size),
            "batch_size": self.batch_size,
            "dtype": self.dtype,
            "more_inputs": [list(shape) for shape in self.more_inputs],
            "outputs": {name: list(shape) for name, shape in self.outputs.items()},
            "status": self.status,
            "unknown": [one._asdict() for one in self.unknown],
            "notes": list(self.notes),
            "rows": [plain(row) for row in self.rows],
            "blocks": [plain(block) for block in self.blocks],
            "totals": {name: listed(value) for name, value in self.totals.items()},
            "known": self.known,
        }
