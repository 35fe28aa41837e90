"""What a narrow terminal shows: no line runs over its edge, and no figure is cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import product

import pytest
from command import on_terminal, without_codes
from rich.cells import cell_len

import cnnzoo
from cnnzoo.features import list as listing
from cnnzoo.features.peers import document as peers
from cnnzoo.features.peers import peer_numbers
from cnnzoo.features.savings import TECHNIQUES, savings
from cnnzoo.render.document import Document
from cnnzoo.render.terminal import to_terminal
from cnnzoo.rewrites import DoesNotApply
from cnnzoo.zoo import get_builder, list_models


def documents(name: str) -> Iterator[Document]:
    """What `peers` and `savings` print of a network."""
    report = cnnzoo.summary(name)
    yield peers.document(name, [one._asdict() for one in peer_numbers(report)])
    for technique in TECHNIQUES:
        with suppress(DoesNotApply):
            yield savings(get_builder(name).describe(), technique, input_size=report.input_size).document()


def lines(document: Document, width: int) -> list[str]:
    return to_terminal(document, width, plain=False, codes=False).splitlines()


@pytest.mark.wide
@pytest.mark.parametrize("name", list_models())
def test_peers_and_savings_fit(name):
    for document, width in product(documents(name), (60, 80)):
        shown = lines(document, width)
        assert max(map(cell_len, shown)) <= width
        table = "\n".join(shown[: shown.index("")])
        figure = next(iter(document.columns))
        for entry, label in zip(document.entries, document.labels, strict=True):
            cell = document.columns["figure" if "figure" in document.columns else figure].in_text.cell(entry)
            assert re.search(rf"{re.escape(label.name)}.* {re.escape(cell)}( |$)", table, re.MULTILINE)


@pytest.mark.parametrize("pattern", ["*", "resnet*"])
@pytest.mark.parametrize("width", [60, 80])
def test_the_list_fits(width, pattern):
    names = list_models(pattern)
    document = listing.document([listing.entry(name) for name in names])
    shown = lines(document, width)
    assert max(map(cell_len, shown)) <= width
    for name, line in zip(names, shown[2:], strict=True):
        report = cnnzoo.summary(name)
        assert [name, f"{report.total_params:,}", f"{report.total_macs:,}"] == line.split()[:3]
    if pattern == "resnet*":
        assert ("Depth" in shown[0], "Input" in shown[0]) == (width == 80,) * 2


def test_a_terminal_of_60_shows_what_the_document_does():
    out = without_codes(on_terminal("peers", "vgg16", columns=60))
    assert "keras.applications" in out
    assert max(map(cell_len, out.splitlines())) <= 60
