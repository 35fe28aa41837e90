"""What a registered network is, in words: its docstring, its paper, and the others of its family."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

from ...registry import Builder
from ...words import sides
from ...zoo import get_builder, list_models


def card(builder: Builder[Any]) -> str:
    """A registered network's docstring, and under it labels with a sentence each."""
    said = {
        "Paper": builder.paper.citation,
        "Input": sides(builder.input_size),
        "Varied by": ", ".join(builder.knobs),
        "Others": ", ".join(_family(builder)),
        "Source": f"cnnzoo show {builder.name} --source",
    }
    shown = {label: sentence for label, sentence in said.items() if sentence}
    width = max(map(len, shown)) + 2
    lines = "".join(f"{label:<{width}}{sentence}\n" for label, sentence in shown.items())
    return f"{builder.name}\n\n{cleandoc(builder.__doc__ or '')}\n\n{lines}"


def _family(builder: Builder[Any]) -> list[str]:
    """The names of the other networks that its module registers."""
    builders = map(get_builder, list_models())
    return [one.name for one in builders if one.__module__ == builder.__module__ and one.name != builder.name]
