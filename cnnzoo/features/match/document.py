"""The configurations nearest a budget, as `cnnzoo match` prints them."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from ...render.column import Column
from ...render.document import Document
from ...words import counted, number, sides


def off(distance: float) -> str:
    """A relative distance from the budget in per cent; 0 % is exactly on it."""
    if not distance:
        return "0 %"
    return f"{100 * distance:,.2f} %" if distance >= 0.0001 else "under 0.01 %"


def document(found: Mapping[str, Any]) -> Document:
    """One row a configuration, the nearest first; JSON has all that was found, CSV a column for each knob."""
    configurations = found["configurations"]
    rows = [{**one["knobs"], **{name: one[name] for name in one if name != "knobs"}} for one in configurations]
    columns = {
        **{name: Column(_titled(name), itemgetter(name), sides) for name in configurations[0]["knobs"]},
        "params": Column("Params", itemgetter("params"), number),
        "macs": Column("MACs", itemgetter("macs"), number),
        "distance": Column("Off", itemgetter("distance"), off),
        "command": Column("Command", itemgetter("command"), right=False, narrow="under"),
    }
    names = [str(place) for place, _ in enumerate(rows, 1)]
    return Document(found["model"], names, columns, rows, _said(found), rows=rows, data=found)


def _titled(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _said(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    budget = found["budget"]
    targets = [
        f"{budget[name]:,} {unit}" for name, unit in (("params", "parameters"), ("macs", "MACs")) if name in budget
    ]
    larger = ", the larger of its two distances" if len(targets) > 1 else ""
    values = " x ".join(f"{counted(count, 'values')} of {name}" for name, count in found["values"].items())
    most = "at most " if budget["at_most"] else ""
    said = [
        ("Budget", f"{most}{' and '.join(targets)}, at {sides(found['input_size'])}"),
        ("Off", f"how far a configuration is from the budget, relative to it{larger}"),
        ("Priced", f"all {counted(found['priced'] + found['impossible'], 'configurations')}: {values}"),
    ]
    if found["impossible"]:
        said.append(("Impossible", f"{found['impossible']:,} of them, the last because {found['why']}"))
    return [*said, ("In Python", found["configurations"][0]["python"])]
