"""What the argument of an architecture saves: the network as designed beside the one without the technique."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ...calculate import calculate
from ...render.document import Document, Shown
from ...report import Line, Report, Shape
from ...report.tree import Branch, lines
from ...rewrites import (
    DoesNotApply,
    Rewrite,
    UnknownRewriteError,
    drop_reductions,
    get_rewrite,
    list_rewrites,
    merge_separable,
    merge_stacks,
    ungroup,
    warp_regions,
    widen_1x1,
)
from ...totals import Totals, totals
from ...words import hint, quoted
from .places import Place, Saving, places

if TYPE_CHECKING:
    from ...arch import Node, Shape


class Technique(NamedTuple):
    """What an architecture is known for, and the rewrite that takes it away."""

    rewrite: Rewrite
    words: str
    against: str
    """In words, what stands there in the network without the technique."""


TECHNIQUES = {
    "sharing": Technique(warp_regions, "shared convolutions", "running them on each region"),
    "separable": Technique(merge_separable, "depthwise separable convolutions", "full convolutions"),
    "reductions": Technique(drop_reductions, "1x1 reductions", "the larger kernels alone"),
    "stacks": Technique(merge_stacks, "stacks of small kernels", "one large kernel each"),
    "groups": Technique(ungroup, "groups of maps", "convolutions that read all maps"),
    "pointwise": Technique(widen_1x1, "1x1 convolutions", "3x3 ones"),
}

FAMOUS = ("sharing", "separable", "reductions", "stacks", "groups")
"""What a family is known for: the first of these that saves its networks parameters, or MACs alone, or else that they
have."""


def saved(report: Report, by: str | None = None) -> Savings:
    """What the network that a report is calculated from saves by one of `TECHNIQUES`, at the report's input size.

    `by` may also be any registered rewrite by name, with its option: then it is the network as it is against the
    rewritten one. By default it is the first of `FAMOUS` that saves parameters, or MACs with as many parameters, or
    else the first that there is. Raises `DoesNotApply` where there is none, `UnknownRewriteError` for another name,
    ValueError for an option that is missing or not taken, and `ShapeError` where the network, or the one without the
    technique, does not take the input.
    """
    description, reasons = report.description, []
    found: list[Savings] = []
    names = FAMOUS if by is None else (by,)
    for name in names:
        technique = find(name, report.input_size)
        try:
            both = description, technique.rewrite.rewritten(description)
        except DoesNotApply as reason:
            reasons.append(str(reason))
            continue
        sizes = (report.input_size, *report.more_inputs)
        designed, without = (totals(one, sizes) for one in both)
        if None in (designed.macs, without.macs):
            raise DoesNotApply("not all of its MACs are known, so that none can be told to be saved")
        found.append(Savings(report.model, name, technique, *both, sizes, designed, without))
        total = found[-1].total
        if (total.params_saved, total.macs_saved) > (0, 0):
            return found[-1]
    if found:
        return found[0]
    raise DoesNotApply(f"there is nothing to save by {' or '.join(names)}: {'; '.join(reasons)}")


def find(by: str, input_size: Shape | None = None) -> Technique:
    """One of `TECHNIQUES`, or any rewrite as one; `UnknownRewriteError`, with what may have been meant, for another."""
    if by in TECHNIQUES:
        return TECHNIQUES[by]
    try:
        return Technique(get_rewrite(by, input_size), "", by)
    except UnknownRewriteError:
        every = f"there are {', '.join(TECHNIQUES)}, and the rewrites {', '.join(list_rewrites())}"
        meant = hint(by, [*TECHNIQUES, *list_rewrites()], every)
        raise UnknownRewriteError(f"unknown technique {quoted(by)}; {meant}") from None


class Entry(NamedTuple):
    """A place, or a block with the figures of all places in it."""

    name: str
    """The end of its path, from the block above on."""
    path: str
    figures: Saving
    place: Place | None = None

    def alike(self) -> object:
        """All that makes it equal to its neighbour."""
        return self.figures, self.place and self.place.formulas()

    def multiplied(self, count: int) -> Entry:
        """As many of it together; the place is still one."""
        return self._replace(figures=Saving(*(count * one for one in self.figures)))


def added(entries: Iterable[Entry]) -> Saving:
    """The sum of the entries' figures."""
    return Saving(*map(sum, zip(Saving(0, 0, 0, 0), *(entry.figures for entry in entries), strict=True)))


@dataclass(frozen=True, repr=False)
class Savings(Shown):
    """What `savings` gives. Auxiliary heads, which run in training only, are apart."""

    model: str | None
    by: str
    technique: Technique
    description: Node
    without: Node
    """The whole network without the technique."""
    input_sizes: tuple[Shape, ...]
    """Of each input."""
    cost: Totals
    cost_without: Totals

    @property
    def total(self) -> Saving:
        """The parameters and MACs of both whole networks."""
        macs, macs_without = self.cost.macs, self.cost_without.macs
        assert macs is not None
        assert macs_without is not None
        return Saving(self.cost.params, self.cost_without.params, macs, macs_without)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Where they differ, in order of execution; what only the network without the technique has comes last."""
        both = self.description, self.without
        return places(both, [calculate(one, self.input_sizes) for one in both])

    @property
    def rest(self) -> Saving:
        """What the places leave of the whole: as much with the technique as without."""
        return Saving(*(whole - part for whole, part in zip(self.total, added(self._entries), strict=True)))

    @property
    def _entries(self) -> list[Entry]:
        return [Entry(place.path, place.path, place.figures, place) for place in self.places]

    @property
    def whole(self) -> Entry:
        return Entry("Total", "", self.total)

    def lines(self, depth: int | None = None, fold: bool = True) -> list[Line[Entry]]:
        """The places in the tree of their blocks, down to `depth` levels, equal neighbours folded into one; then the
        rest, so that every level adds up to the total."""
        rest = [Branch(Entry("(the rest)", "(the rest)", self.rest), [])] if any(self.rest) or not self.places else []
        return list(lines([*_branches(self._entries), *rest], depth, fold, leaves=True))

    @property
    def sentence(self) -> str:
        """`googlenet's 1x1 reductions save 18,307,392 parameters (72.3 %) and … MACs (64.2 %) against …`."""
        total, (subject, s, against) = self.total, self._words
        saved = [
            (total.params_saved, total.params_share, "parameters"),
            (total.macs_saved, total.macs_share, "MACs"),
        ]
        less, more = (" and ".join(_amount(*one) for one in saved if sign * one[0] > 0) for sign in (1, -1))
        if not less and more:
            return f"{subject} cost{s} {more} more than {against}"
        return f"{subject} save{s} {less or 'nothing'} against {against}{f', but cost{s} {more} more' * bool(more)}"

    @property
    def title(self) -> str:
        """`What googlenet's 1x1 reductions save against the larger kernels alone`."""
        subject, s, against = self._words
        return f"What {subject} save{s} against {against}"

    @property
    def _words(self) -> tuple[str, str, str]:
        """Who saves, the ending of that verb, and against what."""
        name = self.model or "the network"
        if self.technique.words:
            return f"{name}'s {self.technique.words}", "", self.technique.against
        return name, "s", f"{name}+{self.technique.against}"

    @property
    def auxiliary(self) -> str | None:
        """A sentence on the auxiliary heads; None where they are as large without the technique."""
        designed, without = self.cost, self.cost_without
        if (designed.aux_params, designed.aux_macs) == (without.aux_params, without.aux_macs):
            return None
        return (
            f"heads that run in training only, not in the table: {designed.aux_params:,} parameters and "
            f"{designed.aux_macs:,} MACs, without {without.aux_params:,} and {without.aux_macs:,}"
        )

    def document(self, depth: int | None = None, fold: bool = True) -> Document:
        from .document import document

        return document(self, depth, fold)


def _amount(saved: int, share: float | None, what: str) -> str:
    per_cent = "" if share is None else " (under 0.1 %)" if abs(share) < 0.0005 else f" ({100 * abs(share):,.1f} %)"
    return f"{abs(saved):,} {what}{per_cent}"


def _branches(entries: Sequence[Entry], above: str = "") -> list[Branch[Entry]]:
    """The tree of the blocks that the entries are in; a block of one alone is said in that one's name."""
    blocks: dict[str, list[Entry]] = {}
    for entry in entries:
        blocks.setdefault(entry.path.removeprefix(above).partition(".")[0], []).append(entry)
    found = []
    for name, inside in blocks.items():
        path = f"{above}{name}"
        if len(inside) == 1:
            found.append(Branch(inside[0]._replace(name=inside[0].path.removeprefix(above)), []))
            continue
        inner = _branches(inside, f"{path}.")
        if len(inner) == 1:
            found.append(Branch(inner[0].row._replace(name=f"{name}.{inner[0].row.name}"), inner[0].inner))
        else:
            found.append(Branch(Entry(name, path, added(inside)), inner))
    return found
