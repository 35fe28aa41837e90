"""What a registered network is: in words, by its paper, and beside the others of its family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from inspect import cleandoc, signature
from typing import Any

from ...registry import Builder
from ...render.column import Column
from ...render.document import Document
from ...report import Report
from ...weights.published import WEIGHTS
from ...weights.timm import FITS
from ...words import sides
from ...zoo import get_builder, list_sound_models
from ..compare import compare
from ..compare.document import COLUMNS
from ..diff import diff
from ..summary import summary
from .citation import bibtex

__all__ = ["bibtex", "card", "weights"]

FIGURES = ("params", "params_ratio", "macs", "macs_ratio", "input_size")


def card(builder: Builder[Any]) -> Document:
    """A row for the network and for each other one of its family, with what that differs in from it; below, the
    docstring, the paper, what the network is a variant of, and whose weights it loads."""
    others = [get_builder(name) for name in list_sound_models(module=builder.__module__) if name != builder.name]
    reports = {one.name: summary(one) for one in (builder, *others)}
    records = [{**record, "differs": ""} for record in compare(*reports.values()).records()]
    for record, other in zip(records[1:], others, strict=True):
        record["differs"] = _differs(builder, other, reports)
    figures = {name: COLUMNS[name] for name in FIGURES}
    figures["input_size"] = figures["input_size"]._replace(narrow="room")
    columns = {**figures, "differs": Column("What differs", lambda one: one["differs"], right=False, narrow="cut")}
    rows = [{name: one[name] for name in ("model", *columns)} for one in records]
    paper, loaded = builder.paper, weights(builder.name)
    about = [" ".join(part.split()).replace("`", "") for part in cleandoc(builder.__doc__ or "").split("\n\n")]
    said = {
        "Paper": paper.citation,
        "Authors": paper.authors,
        "Published": paper.venue,
        "Input": sides(builder.input_size),
        "Varied by": ", ".join(builder.knobs),
        "Variant of": _variant(builder),
        "Weights": "; ".join(loaded) or "none known of torchvision's or timm's",
        "Source": f"cnnzoo show {builder.name} --source",
        "Citation": f"cnnzoo show {builder.name} --bibtex",
    }
    return Document(
        "Model",
        list(reports),
        columns,
        records,
        [*(("" if number else "What it is", part) for number, part in enumerate(about)), *_shown(said)],
        rows=rows,
        data={
            "model": builder.name,
            "about": "\n\n".join(about),
            "paper": {**vars(paper), "bibtex": bibtex(paper)},
            "input_size": builder.input_size,
            "varied_by": list(builder.knobs),
            "variant_of": said["Variant of"] or None,
            "weights": loaded,
            "family": rows,
        },
        caption=builder.name,
    )


def weights(name: str) -> list[str]:
    """Whose published weights a registered network loads, by which name and with what."""
    torchvision = [weights for weights, files in WEIGHTS.items() if name in files]
    found = [f"torchvision: {name.removesuffix('_tv')}, {', '.join(torchvision)}"] if torchvision else []
    for fit in FITS:
        if fit.network == name:
            settings = ", ".join(f"{key}={value!r}" for key, value in fit.settings.items())
            how = f" with {settings}" * bool(settings) + ", whose tensors have other names (rename=)" * fit.renamed
            found.append(f"timm: {fit.model}{how}")
    return found


def _variant(builder: Builder[Any]) -> str:
    """The builder whose function it is, with the keywords that make the difference; nothing where it has its own."""
    root = _root(builder)
    if root is builder:
        return ""
    return f"{root.name}, with {', '.join(_keywords(root, builder))}"


def _differs(builder: Builder[Any], other: Builder[Any], reports: Mapping[str, Report]) -> str:
    """What makes another network of the family: the keywords of the function that both have; or, of two functions, how
    many layers of which kind were changed, came or went, the three most of them."""
    if _root(builder) is _root(other):
        return ", ".join(_keywords(builder, other))
    changes = diff(reports[builder.name], reports[other.name]).changes
    kinds = Counter((one.row.kind, one.what) for one in changes if one.what not in ("renamed", "resized"))
    words = [f"{number} {kind} {what}" for (kind, what), number in kinds.most_common(3)]
    return ", ".join([*words, *["…"] * (len(kinds) > len(words))])


def _root(builder: Builder[Any]) -> Builder[Any]:
    while builder.variant_of is not None:
        builder = builder.variant_of
    return builder


def _keywords(builder: Builder[Any], other: Builder[Any]) -> list[str]:
    """The other's keywords, and its input size, where they are not the builder's."""
    own, others = (signature(one).parameters.values() for one in (builder, other))
    pairs = [(two.name, two.default) for one, two in zip(own, others, strict=True) if one.default != two.default]
    found = [f"{name}={value!r}" for name, value in pairs]
    return [*found, f"inputs of {sides(other.input_size)}"] if builder.input_size != other.input_size else found


def _shown(said: Mapping[str, str | None]) -> list[tuple[str, str]]:
    return [(label, sentence) for label, sentence in said.items() if sentence]
