"""From the trace of a run to the rows of a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from torch import nn

from ...report import Row, Unknown
from ...words import prefixes
from .batches import share
from .counter import Op
from .inputs import Inputs
from .leaves import Modules, has_children
from .ledger import NOTHING, PARAMETERS, Ledger, settings_of
from .trace import Call, Shape, Trace, kind_of
from .tree import Held, packs_weights

UNSEEN = (
    *("comparisons", "additions", "multiplications", "exponentials", "connections", "depth"),
    *("peak_activation_bytes", "peak_bytes", "stored_bytes"),
)
"""Totals that no rows would make 0, and that are unknown."""

UNREACHED = ("macs", "flops", "activations", "activation_bytes")
"""Totals of which an incomplete run knows a part."""


@dataclass
class Rows:
    """The rows of a network in the making; what is unknown of it, and its tensors' sizes."""

    modules: Modules
    inputs: Inputs
    rows: list[Row] = field(default_factory=list)
    frames: list[Row] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    """Modules that were never called, and whose tensors nothing read."""
    exact: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ledger = Ledger(self._unknown)
        self._times: dict[int, int] = {}
        self._blocks: dict[str, Call] = {}
        self._of_regions: dict[str, int] = {}
        """How many regions blocks run on, by path."""
        self._aux: set[str] = set()
        self._told: set[str] = set()
        """The modules whose own tensors stand in a row."""
        self._elements = 0
        self._regions = 0
        """How many regions of all images there are, in the block that runs on them; 0 outside of one."""

    def add(self, trace: Trace, aux: bool = False) -> None:
        """The rows of a run; with `aux`, of the modules that no run before this one has called."""
        if trace.root is None:
            return
        for path, module in trace.missed.items():
            self._unknown(Unknown(path, kind_of(module), "it is called in another thread, where it is not seen"))
        before = set(self.modules.called)
        self.modules.see(trace, trace.root)
        for call in [trace.root] if not aux else _newest(trace.root, before):
            self._run(call, self._sample(call.input_shape), aux)

    def add_unseen(self, path: str) -> None:
        """A module's work outside torch, as in numpy: its row, or a row in its block, has unknown MACs."""
        leaves = [number for number, row in enumerate(self.rows) if row.path == path and not row.own]
        for number in leaves:
            self.rows[number] = self.rows[number].in_part(["macs"])
        if not leaves:
            self._row(path, "values", (), (), own=True, tensors={}, exact=False)

    def not_run(self) -> None:
        """A row for each leaf, and for the tensors that a block has itself, where there was no run: all else is
        unknown."""
        met: set[int] = set()
        for path, module in self.modules.by_path.items():
            tensors, own = self.modules.tensors[path], has_children(module)
            if id(module) not in met and (tensors or not own):
                self._row(path, kind_of(module), (), (), own=own, tensors=tensors, exact=False, module=module)
            met.add(id(module))
        self._frames()
        self.exact = self._ledger.bytes | dict.fromkeys(["activations", "activation_bytes", *UNSEEN])

    def finish(self, complete: bool) -> None:
        """What was not called, and the blocks. Of an incomplete run it is what holds tensors, at unknown cost."""
        met = {id(self.modules.by_path[path]) for path in self._told}
        holding = [path for path, tensors in self.modules.tensors.items() if tensors]
        for path in self.modules.uncalled() if complete else holding:
            module, tensors = self.modules.by_path[path], self.modules.tensors[path]
            if not complete and (path in self._told or id(module) in met):
                continue
            own = has_children(module)
            call = int(path in self.modules.called)  # it fails
            seen = complete and path not in self.modules.elsewhere
            self._row(path, kind_of(module), (), (), own=own, tensors=tensors, call=call, module=module, exact=seen)
            if seen and tensors and not self.modules.reads_any(tensors):
                self.unused.append(path)
        self._frames()
        self.exact = {**self._ledger.bytes, "activations": self._elements // self.inputs.batch_size}
        if not self.rows:
            self.exact |= dict.fromkeys(UNSEEN)
        if not complete:
            self.exact |= dict.fromkeys(UNREACHED)

    def uncalled(self) -> Iterable[str]:
        """The unused modules, by the largest blocks around them that hold nothing else and were not called."""
        holding = {path for path, tensors in self.modules.tensors.items() if tensors}
        used = {one for path in holding.difference(self.unused) for one in prefixes(path)} | {*self.modules.called}
        return dict.fromkeys(next(one for one in prefixes(path) if one not in used) for path in self.unused)

    def _run(self, call: Call, entered: Shape, aux: bool) -> None:
        if aux:
            self._aux.add(call.path)
        if self.modules.is_leaf(call.path):
            if call.done:
                self._leaf(call, aux)
            return
        if self._regions:
            self._of_regions[call.path] = self._regions
        self._blocks.setdefault(call.path, call)
        self._strangers(call)
        around = self._regions
        own = {id(held.tensor): (name, held) for name, held in self.modules.tensors[call.path].items()}
        waiting = dict(own) if call.path not in self._told else {}
        read: dict[str, Held] = {}
        for event in call.events:
            if isinstance(event, Call):
                self._run(event, self._sample(call.input_shape), aux)
                continue
            for number in event.reads:
                if number in waiting:
                    name, held = waiting.pop(number)
                    read[name] = held
            if self._is_step(event):
                self._step(call, event, {name: held for name, (_, held) in _by_name(own).items() if name in read}, aux)
                read = {}
            elif event.why:
                self._unknown(Unknown(call.path, event.name, event.why))
        rest = {**read, **dict(waiting.values())}
        if rest:
            kind = "buffers" if all(held.is_buffer for held in rest.values()) else "parameters"
            self._row(call.path, kind, entered, entered, own=True, tensors=rest, aux=aux, macs=0)
        self._told.add(call.path)
        self._regions = around

    def _leaf(self, call: Call, aux: bool) -> None:
        self._strangers(call)
        module = call.submodule.module
        self._times[id(module)] = self._times.get(id(module), 0) + 1
        tensors = dict(self.modules.tensors[call.path])
        for below in self.modules.folded.get(call.path, ()):
            inner = below[len(call.path) + 1 :] if call.path else below
            for name, held in self.modules.tensors[below].items():
                tensors.setdefault(f"{inner}.{name}", held)
        self._told |= {call.path, *self.modules.folded.get(call.path, ())}
        ops = [event for event in call.events if isinstance(event, Op)]
        macs, exact = self._macs(call.path, ops)
        once = any(op.once for op in ops) and all(op.once for op in ops if op.macs)
        made = call.output_shapes[0] if call.output_shapes else ()
        taken = call.input_shape if once else self._sample(call.input_shape)
        if getattr(module, "pools_regions", False) and made:
            self._regions = made[0]
        self._row(
            call.path,
            call.kind,
            taken,
            made if once else self._sample(made),
            tensors=tensors,
            settings=settings_of(module),
            macs=macs,
            exact=exact,
            output_bytes=call.output_bytes,
            elements=sum(map(prod, call.output_shapes)),
            call=self._times[id(module)],
            aux=aux,
            module=module,
        )

    def _step(self, call: Call, op: Op, tensors: Mapping[str, Held], aux: bool) -> None:
        given = call.input_shape if op.name in ("add", "cat") else op.input_shape
        out = op.output_shape
        macs, exact = self._macs(call.path, [op])
        self._row(
            call.path,
            op.name,
            given if op.once else self._sample(given),
            out if op.once else self._sample(out),
            own=True,
            tensors=tensors,
            settings=op.settings,
            macs=macs,
            exact=exact,
            output_bytes=op.output_bytes,
            elements=prod(out) if op.output_bytes else 0,
            aux=aux,
        )

    @staticmethod
    def _is_step(op: Op) -> bool:
        return op.macs != 0 or (op.output_bytes > 0 and len(op.output_shape) > 0)

    def _macs(self, path: str, ops: Sequence[Op]) -> tuple[int, bool]:
        """Per sample those that are known, and whether these are all."""
        macs, unknown = share(ops, self.inputs.batch_size)
        for name, why in unknown:
            self._unknown(Unknown(path, name, why))
        return macs, not unknown

    def _unknown(self, one: Unknown) -> None:
        if one not in self.unknown:
            self.unknown.append(one)

    def _strangers(self, call: Call) -> None:
        for module in call.strangers:
            if not any(True for _ in module.parameters()):
                continue
            kept = self._kept_in(module)
            if kept is None:
                why = "it is made in the forward, so that its parameters are not the network's"
                self._unknown(Unknown(call.path, kind_of(module), why))
            else:
                why = f"it is kept in {kept[1]}, where torch does not register it: use nn.ModuleList or nn.ModuleDict"
                self._unknown(Unknown(kept[0], kind_of(module), why))

    def _kept_in(self, module: nn.Module) -> tuple[str, str] | None:
        """The path of the module that keeps it in a plain list, tuple or dict of its own, and what that is called."""
        for path, holder in self.modules.by_path.items():
            for name, value in vars(holder).items():
                if not name.startswith("_") and any(module is one for one in _within(value)):
                    return path, f"the {type(value).__name__} {name}"
        return None

    def _sample(self, shape: Shape) -> Shape:
        """Of one region, where it is of all, and else of one sample."""
        if self._regions and shape[:1] == (self._regions,):
            return shape[1:]
        return self.inputs.sample_of(shape)

    def _row(
        self,
        path: str,
        kind: str,
        input_shape: Shape,
        output_shape: Shape,
        *,
        tensors: Mapping[str, Held],
        macs: int = 0,
        exact: bool = True,
        settings: Mapping[str, Any] | None = None,
        output_bytes: int = 0,
        elements: int = 0,
        call: int = 1,
        own: bool = False,
        aux: bool = False,
        module: nn.Module | None = None,
    ) -> None:
        counted = self._ledger.enter(path, tensors, aux)
        if module is not None and packs_weights(module):
            self._unknown(Unknown(path, kind, "its weights are packed, and torch does not list them as parameters"))
            counted = counted.in_part(PARAMETERS)
        if not aux:
            self._elements += elements
        row = counted._replace(
            path=path,
            kind=kind,
            settings=settings or {},
            input_shape=input_shape,
            output_shape=output_shape,
            macs=macs,
            aux=aux,
            activation_bytes=output_bytes,
            call=call,
            own=own,
            regions=self._regions // self.inputs.batch_size,
        )
        self.rows.append(row if exact else row.in_part(["macs"]))

    def _frames(self) -> None:
        parents: set[str] = set()
        main: set[str] = set()
        for row in self.rows:
            for found in [parents] if row.aux else [parents, main]:
                path = row.parent
                while path is not None and path not in found:
                    found.add(path)
                    path = path.rpartition(".")[0] if path else None
        for path, module in self.modules.by_path.items():
            call = self._blocks.get(path)
            if path not in parents and call is None:
                continue
            taken, given = ([], []) if call is None else (call.input_shapes, call.output_shapes)
            self._regions = self._of_regions.get(path, 0)
            first, *more = map(self._sample, taken or [()])
            made, *further = map(self._sample, given or [()])
            aux = path in self._aux or (call is None and path not in main)
            frame = NOTHING._replace(
                path=path,
                kind=kind_of(module),
                input_shape=first,
                output_shape=made,
                aux=aux,
                more_inputs=tuple(more),
                more_outputs=tuple(further),
                regions=self._regions // self.inputs.batch_size,
            )
            self.frames.append(frame)


def _newest(call: Call, before: set[str]) -> Iterator[Call]:
    """The outermost calls of modules that were not called before."""
    for inner in call.calls():
        if inner.path in before:
            yield from _newest(inner, before)
        else:
            yield inner


def _within(value: Any, depth: int = 0) -> Iterator[Any]:
    """What is in lists, tuples and dicts, and in those in them."""
    if isinstance(value, list | tuple | dict) and depth < 4:
        for one in value.values() if isinstance(value, dict) else value:
            yield one
            yield from _within(one, depth + 1)


def _by_name(own: Mapping[int, tuple[str, Held]]) -> dict[str, tuple[int, Held]]:
    return {name: (number, held) for number, (name, held) in own.items()}
