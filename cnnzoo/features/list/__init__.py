"""The networks there are, family by family: what each comes to, and all of them as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from ...registry import Builder
from ...render.column import Column, pick
from ...render.document import Document
from ...resolve import design
from ...totals import totals
from ...words import number, sides
from ...zoo import get_builder
from ..compare.document import plane
from ..compare.scatter import draw

Entry = dict[str, Any]


def _figure(name: str, header: str) -> Column:
    return Column(header, itemgetter(name), number)


COLUMNS = {
    "params": _figure("params", "Params"),
    "macs": _figure("macs", "MACs"),
    "flops": _figure("flops", "FLOPs"),
    "activations": _figure("activations", "Activations"),
    "depth": Column("Depth", itemgetter("depth"), number, narrow="room"),
    "receptive_field": Column("Receptive field", itemgetter("receptive_field"), sides),
    "input_size": Column("Input", itemgetter("input_size"), sides, narrow="room"),
    "family": Column("Family", itemgetter("family"), right=False, narrow="more room"),
    "year": Column("Year", itemgetter("year"), narrow="room"),
    "paper": Column("Paper", itemgetter("paper"), right=False, narrow="cut"),
    "authors": Column("Authors", itemgetter("authors"), right=False),
    "link": Column("Link", lambda entry: entry["link"] or "", right=False),
    "about": Column("What it is", lambda entry: entry["about"].replace("`", ""), right=False, narrow="under"),
}

DEFAULT = ("params", "macs", "depth", "input_size", "family", "year", "paper")


def entry(name: str) -> Entry:
    """What is said of a registered network, with rewrites behind plus signs or without, at its own input size."""
    builder = get_builder(name.partition("+")[0])
    network = design(name)
    found = totals(network.description, network.sizes)
    return {
        "model": name,
        "params": found.params,
        "aux_params": found.aux_params,
        "macs": found.macs,
        "flops": None if found.macs is None else 2 * found.macs,
        "activations": found.activations,
        "depth": found.depth,
        "receptive_field": found.receptive_field,
        "input_size": network.shape,
        "family": family(builder),
        "year": builder.paper.year,
        "paper": builder.paper.title,
        "authors": builder.paper.authors,
        "link": builder.paper.link,
        "about": " ".join((builder.__doc__ or "").split()),
    }


def family(builder: Builder[Any]) -> str:
    """The name of the module that registers it."""
    return builder.__module__.rpartition(".")[2]


def document(entries: Sequence[Entry], columns: Sequence[str] | None = None, scatter: bool = False) -> Document:
    """Data formats have every field of the entries, whatever the columns are; with `scatter` the networks are drawn
    below, parameters against MACs."""
    names = [entry["model"] for entry in entries]
    chosen = pick(columns or DEFAULT, COLUMNS)
    drawing = partial(draw, plane(entries)) if scatter else None
    return Document("Model", names, chosen, entries, rows=entries, caption="Networks", drawing=drawing)


def by_family(names: Iterable[str]) -> list[str]:
    """The names, those of a family in a row; otherwise in their order."""
    return sorted(names, key=lambda name: family(get_builder(name)))
