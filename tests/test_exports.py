"""Every export of every document, read again by a parser that is not ours, gives back the exact integers."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
from functools import cache
from html import unescape
from io import StringIO
from itertools import product
from operator import itemgetter
from string import punctuation
from unittest.mock import patch

import pytest
from command import call, table_lines
from hypothesis import given
from hypothesis import strategies as st
from readers import Html, Latex, Markdown

import cnnzoo
from cnnzoo.arch import Concat, Conv2d, ReLU
from cnnzoo.calculate import calculate
from cnnzoo.cli.common import DRAWN, ENDINGS
from cnnzoo.render.column import Column
from cnnzoo.render.document import Document, Label
from cnnzoo.render.html import fragment
from cnnzoo.report.columns import COLUMNS
from cnnzoo.words import Range
from cnnzoo.zoo import list_models

COMMANDS = [
    *(f"summary {name}" for name in list_models()),
    "summary resnet50 --all --depth 9",
    f"summary googlenet --columns {','.join(COLUMNS)}",
    "list",
    "list lenet* --columns flops,activations,receptive_field,authors,link,about",
    "rewrites",
    "verify googlenet",
    "verify vgg16",
    "savings vgg*",
    "savings * --by reductions",
    "compare resnet50 vgg16 lenet5",
    "diff resnet50 resnet50_v1",
    "diff vgg16 googlenet",
    "savings googlenet",
    "savings resnet50",
    "explain lenet5 c3",
    "explain googlenet inception3a",
    "explain vgg16 features.28",
    "match resnet18 --params 5M --width 16:64:8 --depth 1x1x1x1,2x2x2x2",
    "peers resnet50",
    "peers lenet5",
    "peers resnet50 --columns number,figure,relative,counts",
    "peers vgg*",
]
"""Whatever they print is written in every format below; a new command is one line more."""

UNSEEN = Concat(Conv2d(2, 1), Conv2d(2, 1, stride=2))
"""What it sees of one pixel is unknown."""

ODD = {
    "something unknown": calculate(UNSEEN, (3, 1, 1)).document(["kernel", "params", "receptive_field"]),
    "a layer alone": calculate(ReLU(), (3, 4, 4)).document(),
    "large and negative": Document(
        "a", "bcd", {"n": Column("N", int)}, [-(10**30), 0, 10**30 + 1], said=[("é", "× –"), ("", "- no list")]
    ),
    "nothing at all": Document("a", [], {"n": Column("N", int)}, []),
}

PARTS = ("table", "thead", "tbody", "tr", "th", "td", "bullet_list", "list_item", "paragraph", "strong")
LINES = ("inline", "text", "text_special", "softbreak", "hardbreak")
"""All that a page of Markdown is made of."""


@cache
def printed(command: str) -> Document:
    """What the command hands over to be written."""
    if command in ODD:
        return ODD[command]
    text = Document.text
    with patch.object(Document, "text", autospec=True, side_effect=text) as spied:
        call(*shlex.split(command), "--format", "json").succeeded()
    return spied.call_args.args[0]


every = pytest.mark.parametrize("command", [*COMMANDS, *ODD])


def plain(text: str) -> str:
    """White space is a space, and a minus a hyphen."""
    return " ".join(text.split()).replace("−", "-")


def check(cell: str, column: Column, entry: object) -> None:
    """A cell shows what the column says, and an integer exactly."""
    assert cell == plain(column.cell(entry))
    value = column.value(entry)
    if isinstance(value, int) and not isinstance(value, bool):
        assert (0 if cell in ("-", "") else int(re.sub("[=+×, B]", "", cell))) == value


def check_table(rows: list[list[str]], document: Document, names: list[str], columns: list[Column]) -> None:
    header, *body = rows
    assert header == [document.title, *(column.header for column in columns)]
    total = [] if document.total is None else [document.total]
    assert [row[0] for row in body] == [*map(plain, names), *("Total" for _ in total)]
    for row, entry in zip(body, [*document.entries, *total], strict=True):
        for cell, column in zip(row[1:], columns, strict=True):
            check(plain(cell), column, entry)


@pytest.mark.wide(3, 14)
@every
def test_markdown(command):
    document = printed(command)
    page = Markdown(document.text("markdown"))
    rows = [*page.rows[:1], *([plain(cell) for cell in row] for row in page.rows[1:])]
    check_table(rows, document, [label.path for label in document.labels], document.wide())
    assert plain(" ".join(page.terms)) == said(document.said, "{}: {}")
    assert page.seen <= {*(f"{part}_{end}" for part in PARTS for end in ("open", "close")), *LINES}


def said(sentences, form):
    return plain(" ".join(form.format(*one) if one[0] else one[1] for one in sentences))


@pytest.mark.wide
@every
def test_latex(command):
    document = printed(command)
    table = Latex(document.text("latex"))
    names = [f"{label.name} {label.kind}".strip() for label in document.labels]
    columns = [one for one in document.narrow() if one.narrow == "column" or one.header in table.rows[0][1:]]
    check_table(table.rows, document, names, columns)
    assert table.form.replace("p", "l") == "l" + "".join("r" if one.right else "l" for one in columns)
    assert plain(" ".join(table.terms)) == said(document.under(), "{}: {}")


@every
def test_html(command):
    document = printed(command)
    page = Html(document.text("html"))
    columns = [column for column in document.wide() if column.narrow != "under"]
    check_table(page.rows, document, [label.name for label in document.labels], columns)
    for values, entry in zip(page.values[1:], [*document.entries, document.total], strict=False):
        assert values[0] is None
        for value, column in zip(values[1:], columns, strict=True):
            assert value == exactly(column.value(entry))
    paths = [value for _, name, value in page.attributes if name == "data-path"]
    assert paths == [label.path for label in document.labels if label.guides]
    assert plain(" ".join(page.terms)) == said(document.under(), "{} {}")


def exactly(value):
    """An exact value as HTML has it; words are there already."""
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return "" if value is None else None if isinstance(value, str) else str(value)


@pytest.mark.wide
@every
def test_text(command):
    document = printed(command)
    columns = document.narrow()
    _, rule, *lines = table_lines(document.text("table"))
    assert set(rule) == {"─"}
    total = [] if document.total is None else [document.total]
    for line, entry in zip(lines, [*document.entries, *total], strict=True):
        words = " ".join(column.in_text.cell(entry) for column in columns).split()
        assert line.split()[len(line.split()) - len(words) :] == words


@every
def test_csv(command):
    document = printed(command)
    records = list(csv.DictReader(StringIO(document.text("csv"))))
    assert [list(record) for record in records] == [list(record) for record in document.records()]
    for record, expected in zip(records, document.records(), strict=True):
        for name, value in expected.items():
            assert record[name] == (value if isinstance(value, str) else exactly(value))
            assert not isinstance(value, int) or isinstance(value, bool) or int(record[name]) == value


@every
def test_json(command):
    document = printed(command)
    data = document.records() if document.data is None else document.data
    assert json.loads(document.text("json")) == lists(data)


def lists(value):
    if isinstance(value, Range):
        return {"least": value.least, "most": value.most}
    if isinstance(value, dict):
        return {name: lists(one) for name, one in value.items()}
    return [lists(one) for one in value] if isinstance(value, list | tuple) else value


@every
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames(command, library):
    frames, records = pytest.importorskip(library), printed(command).records()
    frame = frames.DataFrame(records)
    assert len(frame) == len(records)
    for name in frame.columns:
        for cell, record in zip(frame[name], records, strict=True):
            assert record[name] is None or not isinstance(record[name], int) or int(cell) == record[name]


@pytest.mark.parametrize("name", list_models())
def test_the_rows_of_a_report_are_a_data_frame(name):
    report = cnnzoo.summary(name)
    frame = pytest.importorskip("pandas").DataFrame(report.to_dict()["rows"])
    assert frame[~frame["aux"]][["params", "macs", "buffers"]].sum().tolist() == [
        *(report.total_params, report.total_macs, report.total_buffers)
    ]


# Whatever a cell says


TEXT = st.text(st.characters(exclude_categories=("C",)) | st.sampled_from(punctuation + "\n\t –—×−"), max_size=12)


@given(st.lists(st.tuples(TEXT.filter(str.strip), TEXT), min_size=1, max_size=4), TEXT, TEXT.filter(str.strip))
def test_any_text_is_data(rows, other, sentence):
    """In every format that has a syntax of its own; white space may be other white space."""
    names, texts = zip(*rows, strict=True)
    document = Document(
        *(other, names, {"x": Column(other, itemgetter(0), right=False), "n": Column("N", itemgetter(1))}),
        [(text, 7) for text in texts],
        said=[(f"a{other}", sentence), ("", sentence)],
        rows=[{"x": text} for text in texts],
    )
    cells = [(other, other, "N"), *((*row, "7") for row in rows)]
    for reader, format_ in ((Markdown, "markdown"), (Latex, "latex"), (Html, "html")):
        page = reader(document.text(format_))
        assert [[bare(cell) for cell in row] for row in page.rows] == [[bare(cell) for cell in row] for row in cells]
        colon = "" if format_ == "html" else ":"
        assert bare("".join(page.terms)) == bare(f"a{other}{colon}{sentence}{sentence}")
    assert list(csv.DictReader(StringIO(document.text("csv"), newline=""))) == [{"x": text} for text in texts]
    assert json.loads(document.text("json")) == [{"x": text} for text in texts]


def bare(text):
    """Without white space."""
    return plain(text).replace(" ", "")


# In the hands of others


@pytest.fixture(scope="module")
def typeset(tmp_path_factory):
    """A function that typesets tables, each on pages of its own, and gives the words of those pages."""
    if not all(map(shutil.which, ("pdflatex", "pdftotext"))) or not found_by_tex("lmodern.sty"):
        pytest.skip("there is no pdflatex with Latin Modern, or no pdftotext")

    def typeset(tables: list[str], packages: str = r"\usepackage{array,booktabs,longtable}") -> list[list[str]]:
        folder = tmp_path_factory.mktemp("tex")
        for number, table in enumerate(tables):
            (folder / f"{number}.tex").write_text(table, encoding="utf-8")
        pages = "".join(f"Table{number}.\\clearpage\\input{{{number}}}\\clearpage\n" for number in range(len(tables)))
        (folder / "all.tex").write_text(PREAMBLE.format(packages) + pages + "\\end{document}\n", encoding="utf-8")
        for command in ("pdflatex -interaction=nonstopmode -halt-on-error all.tex", "pdftotext -layout all.pdf"):
            done = subprocess.run(command.split(), cwd=folder, capture_output=True, check=False, timeout=120)
            assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
        texts = re.split(r"Table\d+\.", (folder / "all.txt").read_text(encoding="utf-8"))
        return [text.split() for text in texts[1:]]

    return typeset


def found_by_tex(name: str) -> bool:
    return subprocess.run(["kpsewhich", name], capture_output=True, check=False).returncode == 0


PREAMBLE = r"""\documentclass{{article}}
\usepackage[T1]{{fontenc}}
\usepackage{{lmodern}}
{}
\begin{{document}}
"""


def test_latex_typesets_every_figure(typeset):
    """But those of columns that run over the edge of the paper."""
    commands = [command for command in COMMANDS if "--columns" not in command]
    tables = [printed(command).text("latex") for command in commands]
    for command, table, words in zip(commands, tables, typeset(tables), strict=True):
        met = iter(words)
        for row in Latex(table).rows[1:]:
            for figure in filter(re.compile(r"[\d,]{3,}").fullmatch, row):
                assert figure in met, (command, row)


def test_latex_needs_no_package_but_those_of_its_first_line(typeset):
    """And every one of these."""
    needs: dict[str, list[str]] = {}
    for command in [*COMMANDS, *ODD]:
        first, table = printed(command).text("latex").split("\n", 1)
        assert ("arraybackslash" in table, "longtable" in table) == ("array" in first, "longtable" in first)
        needs.setdefault(first.removeprefix("% "), []).append(table)
        assert not re.search(r"\b(JSON|CSV|HTML|Markdown)\b", table), "a paper's table speaks of itself alone"
    assert len(needs) > 2
    for packages, tables in needs.items():
        typeset(tables, packages)


def test_a_page_has_one_description_for_each_term():
    """As a notebook sets them in turn, in two columns."""
    document = Document("a", [], {"n": Column("N", int)}, [], said=[("b", "c"), ("", "<d>"), ("e", "f")])
    for written in (document.text("html"), fragment(document)):
        assert re.search(r"<dl>(<dt>(<b>)?\w(</b>)?</dt><dd>[^/]*</dd>)+</dl>", written.replace("<br>", ""))
        assert "<dd>c<br>&lt;d&gt;</dd>" in written


def test_latex_typesets_every_sign(typeset):
    """Each beside each other, in a cell, at its beginning, in a name and in a note."""
    pairs = [f"{one}{other}" for one, other in product(punctuation + "×–é", repeat=2)]
    column = Column("X", str, right=False)
    document = Document("a", [f"{pair}N" for pair in pairs], {"x": column}, [f"{pair}C" for pair in pairs])
    (words,) = typeset([document.text("latex")])
    shown = [word.replace("”", '"').replace("−", "-") for word in words]
    assert [word[:-1] for word in shown if word[-1] == "N"] == pairs
    assert [word[:-1] for word in shown if word[-1] == "C"] == pairs
    notes = Document("a", [], {"x": column}, [], said=[(f"N{pair}", f"C{pair}") for pair in pairs])
    typeset([notes.text("latex")])


CLICKS = """<script type="module">
const told = [];
for (const button of document.querySelectorAll("thead button")) {
  for (const click of [1, 2, 3]) {
    button.focus();
    button.click();
    const shown = [...document.querySelectorAll("tbody tr")].filter((row) => getComputedStyle(row).display !== "none");
    told.push([button.parentElement.ariaSort, ...shown.map((row) => row.cells[0].textContent)]);
  }
}
document.title = JSON.stringify(told);
</script>"""


@pytest.mark.wide(1)
@pytest.mark.parametrize("command", ["summary googlenet", "list", "peers lenet5", *ODD])
def test_a_browser_sorts_by_exact_values(command, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome") or pytest.skip("there is no chromium")
    document = printed(command)
    (tmp_path / "page.html").write_text(document.text("html") + CLICKS, encoding="utf-8")
    options = f"--headless --no-sandbox --disable-gpu --enable-logging=stderr --dump-dom --user-data-dir={tmp_path}/own"
    line = [browser, *options.split(), (tmp_path / "page.html").as_uri()]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=300)
    assert "CONSOLE" not in done.stderr
    told = json.loads(unescape(re.search("<title>(.*?)</title>", done.stdout)[1]))
    columns = [None, *(column for column in document.wide() if column.narrow != "under")]
    assert len(told) == 3 * len(columns)
    labels = document.labels
    leaves = [
        (label.path, entry)
        for label, below, entry in zip(labels, [*labels, Label("", "")][1:], document.entries, strict=True)
        if len(below.guides) <= len(label.guides)
    ]
    for column, (first, second, third) in zip(columns, zip(*3 * [iter(told)], strict=True), strict=True):
        assert third == ["none", *(label.name for label in labels)]
        values = [path if column is None else column.value(entry) for path, entry in leaves]
        if not any(isinstance(value, int | float | tuple) for value in values):  # words: as their language has it
            assert (first[0], second[0]) == ("ascending", "descending")
            assert sorted(first[1:]) == sorted(second[1:]) == sorted(path for path, _ in leaves)
            continue
        known = [(value, path) for value, (path, _) in zip(values, leaves, strict=True) if value is not None]
        unknown = [path for value, (path, _) in zip(values, leaves, strict=True) if value is None]
        for (way, *shown), reverse in ((first, True), (second, False)):
            assert way == ("descending" if reverse else "ascending")
            assert shown == [path for _, path in sorted(known, key=size_of, reverse=reverse)] + unknown


def size_of(row):
    """A shape is as large as its first length, of equal ones as its second, and so on."""
    return row[0] if isinstance(row[0], tuple) else (row[0],)


@every
def test_a_page_needs_nothing_else(command):
    text = printed(command).text("html")
    page = Html(text)
    assert not {"src", "href", "srcset", "action", "onclick"} & {name for _, name, _ in page.attributes}
    assert not {"link", "img", "iframe", "object", "a"} & page.seen
    code = "".join(re.findall(r"<(?:style|script)\b.*?</(?:style|script)>", text, re.DOTALL))
    assert not re.search(r"url\(|@import|import\b|fetch|https?:|eval", code)
    assert text.index("</table>") < text.index("<script"), "all of it is there before any script runs"


# FILE


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("command", ["summary lenet5", "list vgg*", "peers vgg16"])
def test_a_file_is_what_its_ending_says(command, ending, tmp_path):
    file = tmp_path / f"x{ending.upper()}"
    call(*command.split(), "-o", str(file)).succeeded()
    assert file.read_bytes().decode() == call(*command.split(), "--format", ENDINGS[ending]).succeeded()
    assert os.listdir(tmp_path) == [file.name]


@pytest.mark.parametrize("ending", [*DRAWN, ".PNG"])
@pytest.mark.parametrize("command", ["summary lenet5", "rewrites", "peers vgg16 --format json"])
def test_a_table_is_no_drawing(command, ending, tmp_path):
    call(*command.split(), "-o", str(tmp_path / f"x{ending}")).refused("-o", ending.lower(), *ENDINGS, "cnnzoo draw")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(("rows", "notes", "floats"), [(40, 0, True), (41, 0, False), (20, 10, True), (20, 11, False)])
def test_a_table_floats_where_it_fits_on_a_page_with_its_notes(rows, notes, floats):
    """A note takes two lines of the forty."""
    columns = {"value": Column("Value", str)}
    said = [(f"Note {number}", "said") for number in range(notes)]
    text = Document("Name", [f"row {row}" for row in range(rows)], columns, range(rows), said).text("latex")
    assert (r"\begin{table}" in text, r"\begin{longtable}" in text) == (floats, not floats)
