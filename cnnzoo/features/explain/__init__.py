"""One layer or one block of a network with its formulas, the numbers put in: where each of its figures comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...arch import (
    Collect,
    Concat,
    Dense,
    Join,
    Layer,
    Meeting,
    ModuleList,
    PathError,
    Shape,
    find,
)
from ...arch.signal import Turned
from ...arch.walker import child_path
from ...errors import InvalidTypeError
from ...render.document import Document, Shown
from ...report import ITEM_BYTES, Report, Row
from ...report.rows import plain
from ...words import quoted, sides
from ...zoo import builder_of
from ..summary import Network, described, reported
from .equations import Equation, of_block, of_layer, of_meeting, stored
from .formulas import formulas_of
from .reading import elsewhere, meets, passing, place, runs, shown
from .steps import decisions, equation, folded
from .streams import HELD, Step, Streams, streams_of

__all__ = ["Equation", "Explanation", "explain"]


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """A layer or a block in a network: `equations` are worth the figures of its `row` in the report."""

    model: str | None
    row: Row
    source: str
    """The layer or the block as Python code, the repr of its description."""
    reads: str
    """The paths of the layers or blocks whose outputs reach it, or "the input"."""
    equations: tuple[Equation, ...]
    steps: tuple[Equation, ...]
    """How the receptive field grows from the input to here."""
    folded: tuple[tuple[str, Equation], ...]
    """The steps by name, equal neighbours taken together."""
    children: tuple[Row, ...]
    """What a block is made of, its own step too."""
    said: tuple[tuple[str, str], ...]
    """What no equation shows: labels and sentences."""
    last_map: Row | None = None
    """Of a whole network, the last map before its classifier."""

    def document(self) -> Document:
        """A layer's equations and steps, or a block's children."""
        from .document import document

        return document(self)

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "model": self.model,
            **plain(self.row),
            "source": self.source,
            "reads": self.reads,
            "equations": [one.to_dict() for one in self.equations],
            "steps": [one.to_dict() for one in self.steps],
            "children": [plain(child) for child in self.children],
            "said": [{"label": label, "sentence": sentence} for label, sentence in self.said],
        }


def explain(
    network: Network,
    path: str = "",
    *,
    input_size: Any = None,
    **settings: Any,
) -> Explanation:
    """What stands at `path` in a network ("" is the whole), with its formulas.

    A network is what `summary` takes, or a report; `input_size` and `settings` go to `summary`. Raises what that does,
    `PathError` where there is nothing at the path, and `NoDescriptionError` for a module without a description.
    """
    if not isinstance(path, str):
        raise InvalidTypeError(f"path is a text as 'layer1.0.conv1', got {quoted(path)}")
    report = reported(network, input_size, **settings)
    description = described(report, "only its figures are known, as `cnnzoo summary` prints them").description
    node = find(description, path)
    streams = streams_of(description, (report.input_size, *report.more_inputs))
    if path not in streams.outputs and not isinstance(node, ModuleList):
        raise PathError(f"at {path}: {elsewhere(node, path)}")
    row = report[path]
    x, y = streams.inputs.get(path, HELD), streams.outputs.get(path, HELD)
    steps = list(y.steps)
    children: tuple[Row, ...] = ()
    if isinstance(node, Layer):
        equations, said = _layer(node, row, report)
        if not isinstance(x.field, Turned | None) and x.field == y.field and len(y.shape) == 3:
            steps.append(Step(path, row.kind, x.field, x.field, y.shape))
    elif isinstance(node, Meeting):
        equations, said = _step(node, row, tuple(part.shape for part in streams.parts[path]), report)
    else:
        assert isinstance(node, Join)
        children = _children(node, report, path, streams)
        parts = [part.shape for part in streams.parts.get(path, ())]
        equations = [*of_block(row, children, parts if isinstance(node, Collect | Concat | Dense) else ())]
        said = [("Block", passing(row.kind, row)), ("Meet", meets(node, row, parts, equations))]
    if path:
        said.insert(1, ("Place", place(description, row, streams.reads.get(path, ""))))
        said += runs(description, streams, path, bool(row.params))
        said += _channels(report, row)
    if row.regions:
        said.append(("Regions", f"it runs for {row.regions:,} of an image: shapes are of one, the rest of all"))
    if row.gated_field != row.receptive_field:
        said.append(("With gates", f"a position sees {sides(row.gated_field or 'unknown')}"))
    start = Equation("", "receptive_field", "1", 1, effective_stride=1, effective_padding=0)
    known = y.field is not None or bool(y.steps)
    return Explanation(
        report.model,
        row,
        repr(node),
        streams.reads.get(path, ""),
        tuple(equations),
        (start, *(equation([step]) for step in steps)) if known else (),
        (("receptive field", start), *folded(steps)) if known else (),
        children,
        (*said, *decisions(y), *(("Note", note) for note in report.notes)),
        report.last_map if isinstance(node, Join) and not path else None,
    )


def _channels(report: Report, row: Row) -> list[tuple[str, str]]:
    """What the channels of a detector's output are, of a registered network."""
    builder = builder_of(report)
    if builder is None or row.path not in builder.channels:
        return []
    count, *cells = row.output_shape
    words = builder.channels[row.path](count)
    where = f"; each of the {sides(tuple(cells))} positions is a cell" if cells else "; of each region"
    return [("Channels", f"{words}{where}")]


def _layer(layer: Layer, row: Row, report: Report) -> tuple[list[Equation], list[tuple[str, str]]]:
    figures, notes = formulas_of(layer, row.input_shape)
    equations = [*of_layer(row, figures)]
    source = repr(layer) if len(repr(layer)) <= 100 else f"{row.kind}(…)"
    said = [("Layer", passing(source, row)), *notes, *([("Unknown", layer.why)] if layer.unstated else [])]
    runs = [sides(one.input_shape) for one in report.rows if one.path == row.path]
    if len(runs) > 1:
        said.append(("Runs", f"{len(runs)} times, on {', '.join(runs)}; the first is explained here"))
    samples = report.batch_size * (row.regions or 1)
    formula, words = stored(row, layer.kept(row.input_shape), figures, ITEM_BYTES[report.dtype], samples)
    if row.stored_bytes:
        equations.append(Equation(row.path, "stored_bytes", formula, row.stored_bytes))
    if words:
        said.append(("Kept", f"for the backward pass in {report.dtype}: {words}"))
    return equations, said


def _step(
    meeting: Meeting, row: Row, shapes: tuple[Shape, ...], report: Report
) -> tuple[list[Equation], list[tuple[str, str]]]:
    layer = meeting.layer(shapes)
    figures, notes = ({}, []) if layer is None else formulas_of(layer, shapes[0])
    equations = [*of_meeting(row, meeting, shapes, figures, ITEM_BYTES[report.dtype] * report.batch_size)]
    unknown = [("Unknown", meeting.why)] if meeting.unstated else []
    return equations, [("Step", f"{meeting!r}: {shown(shapes)} → {sides(row.output_shape)}"), *notes, *unknown]


def _children(join: Join, report: Report, path: str, streams: Streams) -> tuple[Row, ...]:
    """The rows of a block in the order in which they run, without a plain shortcut; all of layers that run again."""
    inner = {child_path(path, name) for name, _ in join.children}
    found: dict[str, list[Row]] = {}
    for row in (*report.blocks, *report.rows):
        if row.path == path if row.own else row.path in inner:
            found.setdefault(row.path, []).append(row)
    rows = []
    for name, _ in join.children:
        rows += found.get(child_path(path, name), [])
        rows += found.get(path, []) if name == join._meets else []
    return tuple(rows if join._meets else rows + found.get(path, []))
