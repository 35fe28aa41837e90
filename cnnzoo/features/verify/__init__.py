"""The tables that `cnnzoo verify` prints: what publications print of networks beside what is true, figure by figure,
and how many there are of each verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from ...published import REASONS, VERDICTS, PrintedFigure, figures
from ...render.column import Column
from ...render.document import Document
from ...words import sides

SIZES = (
    *("input_shape", "output_shape", "height_width_channels", "input_height_width_channels"),
    *("filter_shape", "kernels", "size_before_stride"),
)
"""Quantities that are lengths of sides; other tuples are lists."""

MANY = 4
"""So many sizes of layers of one network in one table, all exact, share a row."""


class Verified(NamedTuple):
    """A printed figure and what is found about it."""

    figure: PrintedFigure
    exact: Any
    verdict: str
    reason: str | None
    why: str
    alike: tuple[PrintedFigure, ...] = ()
    """Figures of the same kind that share its row."""

    def as_json(self) -> dict[str, Any]:
        given = self.figure._asdict()
        settings, because = given.pop("settings"), given.pop("because")
        read = self.figure.read
        return {
            **given,
            "settings": _plain(settings),
            "because": _plain(because),
            "exact": self.exact,
            "verdict": self.verdict,
            "reason": self.reason,
            "explanation": self.figure.explanation,
            "explained": read.exact if self.verdict == "explained" else None,
        }


def verify(name: str) -> list[Verified]:
    """Every figure that is printed of a registered network, with its verdict."""
    return [Verified(one, one.exact, one.verdict, one.reason, one.why) for one in figures(name)]


def _plain(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Settings as JSON has them."""
    from ...arch.serial import to_dict

    found = dict(pairs)
    if "settings" in found:
        found["settings"] = _plain(found["settings"])
    if "replace" in found:
        found["replace"] = {path: to_dict(node) for path, node in found["replace"]}
    return found


def _of(one: Verified) -> str:
    """The network, rewritten where it is, and which part of it; with settings that are not its own."""
    figure = one.figure
    first, last = figure.paths[0], figure.paths[-1]
    parts = f"{first} … {last}" if len(figure.paths) > MANY else ", ".join(filter(None, figure.paths))
    network = " over ".join(figure.ratio or ("+".join((figure.model, *figure.rewrites)),))
    if one.alike:
        parts = f"{len(one.alike)} layers"
    return " ".join(filter(None, [network, parts, figure.other and f"with {figure.other}"]))


def _printed(one: Verified) -> str:
    if one.alike:
        return f"{_value(one.figure.printed, one)} … {_value(one.alike[-1].printed, one)}"
    return f"{_value(one.figure.printed, one)} {one.figure.unit}".rstrip()


def _true(one: Verified) -> str:
    return "the same" if one.alike else _value(one.exact, one)


def _value(value: Any, one: Verified) -> str:
    """Numbers with commas, and what is printed as it is printed."""
    if isinstance(value, tuple):
        if isinstance(value[0], tuple):
            return "; ".join(sides(inner, ", ") for inner in value)
        return sides(value, "x" if one.figure.quantity in SIZES else ", ")
    return value if isinstance(value, str) else f"{value:,.9g}" if isinstance(value, float) else f"{value:,}"


COLUMNS = {
    "quantity": Column("What", attrgetter("figure.what"), right=False),
    "printed": Column("Printed", _printed),
    "exact": Column("True", _true),
    "verdict": Column("Verdict", attrgetter("verdict"), VERDICTS.__getitem__, right=False),
    "where": Column(
        "Where", lambda one: f"{one.figure.source.partition(':')[0]}, {one.figure.where}", right=False, narrow="room"
    ),
    "why": Column("Why", attrgetter("why"), right=False, narrow="under"),
}


def document(found: Sequence[Verified]) -> Document:
    """A row for each figure, publication by publication; data formats have the exact values."""
    shown = list(_folded(found))
    sources = dict.fromkeys((one.figure.source, one.figure.link) for one in found)
    said = [("Figures", _counted(found))]
    said += [("" if number else "Printed in", f"{source}, {link}") for number, (source, link) in enumerate(sources)]
    rows = [one.as_json() for one in found]
    data = {"figures": rows, "verdicts": _verdicts(found), "reasons": _reasons(found)}
    return Document(
        "Network", list(map(_of, shown)), COLUMNS, shown, said, rows=rows, data=data, caption="Printed figures"
    )


def _folded(found: Iterable[Verified]) -> Iterator[Verified]:
    """With the sizes of many layers, all exact, in one row."""

    def kind(one: Verified) -> Any:
        figure = one.figure
        if one.verdict != "exact" or one.why or figure.paths == ("",) or figure.quantity not in (*SIZES, "pixels"):
            return id(one)
        return figure._replace(printed="", paths=())

    for _, group in groupby(found, kind):
        alike = list(group)
        if len(alike) < MANY:
            yield from alike
        else:
            yield alike[0]._replace(alike=tuple(one.figure for one in alike))


def _verdicts(found: Iterable[Verified]) -> dict[str, int]:
    numbers = Counter(one.verdict for one in found)
    return {verdict: numbers[verdict] for verdict in VERDICTS}


def _reasons(found: Iterable[Verified]) -> dict[str, int]:
    numbers = Counter(one.reason for one in found)
    return {reason: numbers[reason] for reason in REASONS}


def _counted(found: Sequence[Verified]) -> str:
    """`36: 20 exact, 10 rounded, 6 explained, none disagrees`."""
    if not found:
        return "none known"
    numbers = _verdicts(found)
    words = {
        "exact": "exact",
        "rounds": "rounded",
        "truncates": "cut off",
        "explained": "explained",
        "slip": "slips" if numbers["slip"] != 1 else "slip",
    }
    parts = [f"{numbers[verdict]:,} {word}" for verdict, word in words.items() if numbers[verdict]]
    wrong = numbers["disagrees"]
    parts.append(f"{wrong:,} DISAGREE" if wrong > 1 else "1 DISAGREES" if wrong else "none disagrees")
    return f"{len(found):,}: {', '.join(parts)}"


def counts(found: Sequence[Verified]) -> Document:
    """How many figures there are of each verdict and each reason."""
    kinds = {"exact": "exact", "rounds": "rounded", **REASONS}
    rows: list[dict[str, Any]] = []
    for kind, words in kinds.items():
        of = [one.figure for one in found if (one.reason or one.verdict) == kind]
        rows.append({"kind": kind, "words": words, "figures": len(of), "networks": len({one.model for one in of})})
    every = {"figures": len(found), "networks": len({one.figure.model for one in found})}
    columns = {name: Column(name.capitalize(), itemgetter(name), "{:,}".format) for name in ("figures", "networks")}
    names = [row["words"] for row in rows]
    return Document("What is printed", names, columns, rows, total=every, rows=rows, caption="Printed figures, counted")
