"""What of a recorded run no words say, as foreign layers: single calls, or the modules around them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from torch.jit import ScriptModule

from ...arch import Foreign, Layer
from ...report.rows import key_of
from ..measuring.batches import priced, share
from ..measuring.trace import kind_of
from ..measuring.tree import Held
from .events import Call, Frame, Lost, Op, Span, TracingError, ops, within
from .leaves import stated
from .record import Recorder
from .values import Values


class Told(NamedTuple):
    """A run in words, with the values that enter the network and leave it."""

    call: Call
    values: Values
    inputs: list[int]
    outputs: list[int]


class Foreigners:
    """The calls of a run in words; those of the modules at `foreign` paths are said as wholes in any case."""

    def __init__(self, run: Recorder, foreign: Collection[str] = ()) -> None:
        assert run.trace is not None
        assert run.trace.root is not None
        self.run = run
        self.foreign = foreign
        self.held = {key_of(path, name): held for path, own in run.trace.tensors.items() for name, held in own.items()}
        """The network's own tensors, as they were before the run."""
        self.costs = priced(run.trace.root)
        self.readers = Counter(run.outputs)
        self.readers.update(value for reads, _ in _flow(run.root) for value in reads)
        self.owners = {event.path or "" for event in _events(run.root) if isinstance(event, Op) and event.owns}
        """Where the layers are that have words and tensors."""

    def told(self) -> Told:
        """The whole run, where it has words or is foreign as a whole."""
        whole = self._frame(self.run.root)
        if isinstance(whole, Frame):
            shapes = ", ".join(map(str, self.run.made))
            raise TracingError(
                f"at the network itself: no description has words for how its parts meet; as a whole it would have to "
                f"take one value and give one with the batch first: of {self.run.values.batch} samples it takes "
                f"{len(self.run.inputs)}, and gives {shapes}"
            )
        call = whole if isinstance(whole, Call) else Call("", self.run.module)
        call.events = whole.events if isinstance(whole, Call) else [whole]
        self._once(call)
        return Told(call, self.run.values, self.run.inputs, [*self.run.outputs])

    def _once(self, call: Call) -> None:
        """Leave a tensor that several layers have, at other paths, to the first that runs. The others are foreign: no
        word says that they have it, too."""
        if len({id(one.tensor) for one in self.held.values()}) == len(self.held):
            return
        first: dict[int, str | None] = {}
        for op in ops(call.events):
            held = self._below(op.path or "") if op.owns else {}
            own = {name: one for name, one in held.items() if first.setdefault(id(one.tensor), op.path) == op.path}
            if len(own) == len(held):
                continue
            node = op.node
            if isinstance(node, Foreign):
                op.node = replace(node, **stated(own)._asdict())
            elif isinstance(node, Layer):
                macs = node.macs(self.run.values.shapes[op.reads[0]])
                op.node = self._node(type(node).__name__, op.reads[0], op.made, own, macs)
            op.owns = bool(own)

    def _frame(self, frame: Frame) -> Call | Op | Frame:
        """A module's forward in words, as a foreign layer where it has none, or as it is where it is neither."""
        events: list[Op | Call] = []
        whole = frame.path not in self.foreign and not isinstance(frame.module, ScriptModule)
        for event in frame.events:
            said = self._frame(event) if isinstance(event, Frame) else self._op(event, frame.path)
            if isinstance(said, Op | Call):
                events.append(said)
            else:
                whole = False
        if not whole:
            return self._foreign(frame)
        call = Call(frame.path, frame.module)
        call.events = events
        return call

    def _op(self, event: Op | Lost, around: str) -> Op | None:
        """A layer or, of a call without a word, the foreign layer that it is; None where it is none."""
        if isinstance(event, Op):
            return Op(event.node, event.reads, event.made, event.path, event.hint, event.owns)
        if not event.name or not self._is_function(event.reads, event.makes):
            return None
        place = self._place(event, around)
        if place is None:
            return None
        path, tensors = place
        node = self._priced(event.name, event.reads[0], event.makes[0], event.span, tensors)
        return Op(node, event.reads, event.makes[0], path, event.name, bool(tensors))

    def _foreign(self, frame: Frame) -> Op | Frame:
        made = {value for _, makes in _flow(frame) for value in makes}
        read = Counter(value for reads, _ in _flow(frame) for value in reads)
        takes = [value for value in read if value not in made]
        gives = [value for value in made if self.readers[value] > read[value]]
        if not frame.path:
            takes, gives = self.run.inputs, self.run.outputs
        if not self._is_function(takes, gives):
            return frame
        below = self._below(frame.path)
        node = self._priced(kind_of(frame.module), takes[0], gives[0], frame.span, below)
        return Op(node, takes[:1], gives[0], frame.path, frame.path.rpartition(".")[2], bool(below))

    def _below(self, path: str) -> dict[str, Held]:
        """The tensors of a module and of those in it, by their names in it; a tensor at that path is called ""."""
        if path in self.held:
            return {"": self.held[path]}
        inside = f"{path}." if path else ""
        return {key.removeprefix(inside): held for key, held in self.held.items() if key.startswith(inside)}

    def _is_function(self, reads: Sequence[int], makes: Sequence[int]) -> bool:
        """Whether one value is made of one, sample by sample."""
        return len({*reads}) == 1 == len(makes) and self.run.values.whole[reads[0]] and self.run.values.whole[makes[0]]

    def _place(self, event: Lost, around: str) -> tuple[str | None, dict[str, Held]] | None:
        """The path of a call's tensors, and these by their names there; None where they are at several paths. One that
        the module around has itself is at its own path, as is one beside which others of its module are in words."""
        if event.path is not None:
            return event.path, self._below(event.path)
        homes = {key.rpartition(".")[0] for key in event.keys}
        if not homes:
            return None, {}
        if len(homes) > 1:
            return None
        (path,) = homes
        if path != around and not any(within(path, owner) for owner in self.owners):
            return path, self._below(path)
        return (event.keys[0], {"": self.held[event.keys[0]]}) if len(event.keys) == 1 else None

    def _priced(self, name: str, read: int, made: int, span: Span, tensors: Mapping[str, Held]) -> Foreign:
        macs, unknown = share(self.costs[span.start : span.stop], self.run.values.batch)
        return self._node(name, read, made, tensors, macs, tuple(dict.fromkeys(operator for operator, _ in unknown)))

    def _node(
        self, name: str, read: int, made: int, tensors: Mapping[str, Held], macs: int, unpriced: tuple[str, ...] = ()
    ) -> Foreign:
        shapes = self.run.values.shapes
        return Foreign(
            name,
            shapes[read],
            shapes[made],
            **stated(tensors)._asdict(),
            measured_macs=macs,
            unpriced=unpriced,
        )


def _flow(frame: Frame) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    """What each call in a forward reads and makes."""
    for event in _events(frame):
        yield event.reads, event.makes if isinstance(event, Lost) else [event.made]


def _events(frame: Frame) -> Iterator[Op | Lost]:
    """The calls in a forward, in their order."""
    for event in frame.events:
        if isinstance(event, Frame):
            yield from _events(event)
        else:
            yield event
