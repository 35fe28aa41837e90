"""The table of networks, what each says of itself, and those that are variants of one another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from inspect import getdoc
from typing import Any, NamedTuple

from ...registry import Builder
from ...render.column import Column
from ...render.document import Document
from ...report import Report
from ...words import number, sides
from ...zoo import natural
from ..diff import diff
from ..summary import summary
from .zoo import families, family_of


class Network(NamedTuple):
    builder: Builder[Any]
    report: Report


def _total(name: str) -> Callable[[Network], Any]:
    return lambda network: network.report.totals[name]


FIGURES = {
    "params": Column("Parameters", _total("params"), number),
    "macs": Column("MACs", _total("macs"), number),
    "flops": Column("FLOPs", _total("flops"), number),
    "activations": Column("Activations", _total("activations"), number),
    "depth": Column("Depth", _total("depth"), number),
    "receptive_field": Column("Receptive field", _total("receptive_field"), sides),
    "input_size": Column("Input", lambda network: network.report.input_size, sides),
}

BREAK = "\n\n"

PAPER = {
    "year": Column("Year", lambda network: network.builder.paper.year),
    "paper": Column("Paper", lambda network: network.builder.paper.title, right=False),
    "link": Column("Link", lambda network: network.builder.paper.link or "", right=False),
}


def models() -> str:
    """Every network with its totals and its paper; the names lead to the families' pages."""
    text = _table("Network", [builder for own in families().values() for builder in own], {**FIGURES, **PAPER})
    for family, own in families().items():
        for builder in own:
            text = text.replace(f"| {builder.name} |", f"| [{builder.name}](families/{family}.md) |")
    return text


def networks(family: str) -> str:
    """The networks of a family with their totals, and what each says of itself."""
    own = family_of(family)
    return "\n\n".join([_table("Network", own, FIGURES), *(f"**{one.name}**: {getdoc(one)}" for one in own)])


def variants(family: str | None = None) -> str:
    """Each group of variants, of all families by default: their totals, their first words, and what differs."""
    parts = []
    for group in [group for one in ([family] if family else families()) for group in _groups(one)]:
        first, *others = group
        parts.append(f"### {', '.join(one.name for one in group)}\n\n{_table('Network', group, FIGURES)}")
        parts += [f"**{one.name}**: {(getdoc(one) or '').partition(BREAK)[0]}" for one in group]
        parts += [diff(first.name, other.name).document().text("markdown") for other in others]
    return "\n\n".join(parts)


def _groups(family: str) -> list[list[Builder[Any]]]:
    """The variants of one network: as many weighted layers, or a name that goes on from its name."""
    groups: list[list[Builder[Any]]] = []
    ranked = sorted(family_of(family), key=lambda one: (family not in one.name, len(one.name), natural(one.name)))
    for builder in ranked:
        own = [group for group in groups if _is_variant(builder, group[0])]
        own[0].append(builder) if own else groups.append([builder])
    return [group for group in groups if len(group) > 1]


def _is_variant(one: Builder[Any], other: Builder[Any]) -> bool:
    return one.report().depth == other.report().depth or bool(re.match(rf"{re.escape(other.name)}\D", one.name))


def _table(title: str, builders: Iterable[Builder[Any]], columns: Mapping[str, Column]) -> str:
    shown = [Network(builder, summary(builder)) for builder in builders]
    return Document(title, [one.builder.name for one in shown], columns, shown).text("markdown")
