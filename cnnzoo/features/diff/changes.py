"""What a row of one report differs in from the same row of another, and what that costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from ...report import Report, Row, added
from ...report.columns import window
from ...report.rows import NOTHING
from ...words import exactly, sides
from .align import Pair, align
from .reads import changed_reads

What: TypeAlias = Literal["added", "removed", "changed", "moved", "renamed", "resized", "rewired"]
"""What became of a layer or a block. Three of these leave parameters and MACs as they were: "renamed" is another path
and nothing else, "resized" another input or output size, "rewired" an input that comes from elsewhere."""

SEEN = ("depth", "receptive_field", "effective_stride", "effective_padding", "gated_field")
"""The figures of a row that follow from the rows before it."""

LONG = 20
"""A setting of more characters than this is named, its value is not spelled out."""


class Change(NamedTuple):
    """A row of one report that is another in the other report; None where only one of the two has it."""

    what: What
    before: Row | None
    after: Row | None
    words: tuple[str, ...] = ()
    """What differs apart from the sizes of input and output, as phrases: "bias False → True"."""
    sizes: str = ""
    """The input's or the output's size before and after."""

    @property
    def row(self) -> Row:
        """The row as it is now; of one that is gone, as it was."""
        row = self.after or self.before
        assert row is not None
        return row


class Cost(NamedTuple):
    """The parameters and MACs of the rows of some changes, before and after; None is unknown."""

    params_before: int | None
    params_after: int | None
    macs_before: int | None
    macs_after: int | None
    known: Mapping[str, int]
    """Of those that are unknown, by name: the part that is known, where there is some."""

    @property
    def params(self) -> int | None:
        """The difference."""
        return _less(self.params_after, self.params_before)

    @property
    def macs(self) -> int | None:
        """The difference."""
        return _less(self.macs_after, self.macs_before)


def _less(after: int | None, before: int | None) -> int | None:
    return None if after is None or before is None else after - before


def cost(changes: Iterable[Change]) -> Cost:
    """What changes come to together."""
    befores, afters = zip(*[(change.before, change.after) for change in changes], strict=True)
    return cost_of(befores, afters)


def cost_of(befores: Iterable[Row | None], afters: Iterable[Row | None]) -> Cost:
    """What the rows of one report and those of another come to; None is a row that is not there."""
    before, after = (added(NOTHING, [row for row in rows if row is not None]) for rows in (befores, afters))
    known = {f"{name}_before": part for name, part in before.known.items()}
    known |= {f"{name}_after": part for name, part in after.known.items()}
    known = {name: part for name, part in known.items() if name in Cost._fields}
    return Cost(before.params, after.params, before.macs, after.macs, known)


def all_changes(before: Report, after: Report) -> list[Change]:
    """Every row that is not as it was, in the order of `after`; what is gone stands where it was."""
    pairs = align(before, after)
    found: list[Change] = []
    behind = "the input"
    reads = changed_reads(before, after, pairs)
    for pair in pairs:
        change = _read_from(reads.get(id(pair.after), []), pair, _change(*pair, behind))
        found += [] if change is None else [change]
        behind = behind if pair.after is None else named(pair.after)
    return found or _rewired(pairs)


def _read_from(words: list[str], pair: Pair, change: Change | None) -> Change | None:
    """A change with what steps read from elsewhere, in these words."""
    if not words:
        return change
    if change is None or change.what in ("renamed", "resized"):
        change = Change("rewired", pair.before, pair.after, (), "" if change is None else change.sizes)
    return change._replace(words=(*change.words, *words))


def _change(before: Row | None, after: Row | None, moved: bool, behind: str) -> Change | None:
    if before is None or after is None:
        return alone(before, after)
    words = tuple(_words(before, after))
    sizes = ""
    if before.input_shape != after.input_shape:
        sizes = f"input {sides(before.input_shape)} → {sides(after.input_shape)}"
    elif before.output_shape != after.output_shape and not words:
        sizes = f"output {sides(before.output_shape)} → {sides(after.output_shape)}"
    what: What
    if words or before.params != after.params or before.macs != after.macs or (before.macs is None and sizes):
        what = "changed"
    elif moved:
        what = "moved"
    elif before.path != after.path:
        what = "renamed"
    elif sizes:
        what = "resized"
    else:
        return None
    return Change(what, before, after, (*words, *([f"now behind {behind}"] if moved else [])), sizes)


def alone(before: Row | None, after: Row | None) -> Change:
    """The change that a row is gone, or that one came; the other of the two is None."""
    row = after or before
    assert row is not None
    words = (row.kind if row.own else f"{row.kind} {window(row)}".rstrip(),)
    sizes = " → ".join(dict.fromkeys(sides(shape) for shape in (row.input_shape, row.output_shape) if shape))
    return Change("removed" if after is None else "added", before, after, words, sizes)


def _words(before: Row, after: Row) -> Iterator[str]:
    """The kind or the settings that both state, and what is told by the tensors alone."""
    if before.kind != after.kind:
        yield f"{before.kind} → {after.kind} {window(after)}".rstrip()
        return
    both = [name for name in before.settings if name in after.settings]
    for name in both:
        one, other = sides(before.settings[name]), sides(after.settings[name])
        if before.settings[name] != after.settings[name]:
            yield f"{name} {one} → {other}" if max(len(one), len(other)) <= LONG else f"another {name}"
    for name in {**before.tensors, **after.tensors}:
        if (name in before.tensors) != (name in after.tensors) and name not in both:
            yield f"{'with' if name in after.tensors else 'without'} {name}"
    if before.params == after.params and before.trainable_params != after.trainable_params:
        yield f"trainable parameters {exactly(before.trainable_params)} → {exactly(after.trainable_params)}"


def _rewired(pairs: Sequence[Pair]) -> list[Change]:
    """Where all rows are the same, the first that sees another part of the input or has another depth."""
    for before, after, _ in pairs:
        assert before is not None
        assert after is not None
        for name in SEEN:
            one, other = getattr(before, name), getattr(after, name)
            if one != other and None not in (one, other):
                words = ("reads from elsewhere", f"{name.replace('_', ' ')} {sides(one)} → {sides(other)}")
                return [Change("rewired", before, after, words)]
    return []


def named(row: Row) -> str:
    """Its path; a block's own step is said with the block, and of a layer that runs again which call it is."""
    call = f"(call {row.call})" if row.call > 1 else ""
    return " ".join(filter(None, [row.path, row.name if row.own else call])) or "the network"
