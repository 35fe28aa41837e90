"""Every format shows the report's own figures, read back here by parsers that are not ours."""

import builtins
import csv
import json
import re
import subprocess
import sys
from io import StringIO
from time import monotonic

import pytest
from command import Terminal, call, environment, on_terminal, table_lines, without_codes
from hypothesis import given
from hypothesis import strategies as st
from readers import Html, Latex, Markdown
from rich.box import SIMPLE_HEAD, Box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

import cnnzoo
import cnnzoo.registry
from cnnzoo.arch import (
    Concat,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    From,
    Linear,
    MaxPool2d,
    Outputs,
    ReLU,
    Run,
    Sequential,
    walk,
)
from cnnzoo.calculate import calculate
from cnnzoo.pytorch.measuring.measure import measure
from cnnzoo.pytorch.modules.build import build
from cnnzoo.registry import Builder, Paper, Pinned
from cnnzoo.render.column import Column
from cnnzoo.render.document import FORMATS, Document, Label
from cnnzoo.render.table import cell_len as ours
from cnnzoo.render.table import legible
from cnnzoo.render.terminal import to_terminal
from cnnzoo.report.columns import window
from cnnzoo.report.document import EVERY
from cnnzoo.words import size
from cnnzoo.zoo import list_models

each = pytest.mark.parametrize("name", list_models())


def number(cell):
    return 0 if cell == "-" else int(cell.replace(",", ""))


def figures_of(text, format_):
    """The last two columns of the table, without its header."""
    if format_ == "markdown":
        cells = [row[-2:] for row in Markdown(text).rows[1:]]
    elif format_ == "html":
        cells = [row[-2:] for row in Html(text).rows[1:]]
    else:
        cells = [line.split()[-2:] for line in table_lines(text)[2:]]
    return [(number(params), number(macs)) for params, macs in cells]


def tree_of(report):
    """Blocks and rows as a reader of the tree meets them, the whole network last."""
    blocks = {block.path: block for block in report.blocks}
    met, order = {""}, []
    for row in report.rows:
        parts = row.path.split(".") if row.own else row.path.split(".")[:-1]
        for path in (".".join(parts[:end]) for end in range(1, len(parts) + 1)):
            if path not in met:
                met.add(path)
                order.append(blocks[path])
        order.append(row)
    return [*order, blocks[""]]


@pytest.mark.wide
@each
def test_every_row_s_figures_are_those_of_the_report(name):
    report = cnnzoo.summary(name)
    expected = [(row.params, row.macs) for row in tree_of(report)]
    assert expected[-1] == (report.total_params, report.total_macs)
    runs = any(
        isinstance(node, Run) for _, node in walk(cnnzoo.describe(name))
    )  # layers stand in lists before they run
    for format_ in ("table", "markdown"):
        shown = figures_of(report.document(depth=None, fold=False).text(format_), format_)
        assert shown == expected or (runs and sorted(shown) == sorted(expected))


@pytest.mark.wide(3, 20)
@each
def test_a_folded_table_still_adds_up(name):
    report = cnnzoo.summary(name)
    for depth in (1, 3, None):
        top = [line.row for line in report.lines(depth) if line.level == 1 and not line.row.aux]
        assert sum(row.params for row in top) == report.total_params
        assert sum(row.macs for row in top) == report.total_macs
        expected = [(line.row.params, line.row.macs) for line in report.lines(depth)]
        for format_ in ("text", "markdown"):
            assert figures_of(report.document(depth=depth).text(format_), format_)[:-1] == expected


@pytest.mark.wide
@each
def test_html_has_what_the_table_has(name):
    table = str(cnnzoo.summary(name))
    html = cnnzoo.summary(name)._repr_html_()
    assert figures_of(html, "html") == figures_of(table, "table")
    words = " ".join(table.split())
    assert all(" ".join(term.split()) in words for term in Html(html).terms)


@pytest.mark.wide
@each
def test_csv_holds_every_leaf_and_adds_up(name):
    report = cnnzoo.summary(name, batch_size=2)
    records = list(csv.DictReader(StringIO(report.document().text("csv"))))
    assert list(records[0]) == list(EVERY)
    assert len(records) == len(report.rows)
    counts = ["params", "weights", "biases", "buffers", "macs", "flops", "comparisons", "additions", "multiplications"]
    counts += ["exponentials", "connections", "activation_bytes"]
    for record, row in zip(records, report.rows, strict=True):
        assert (record["path"], record["kind"], record["aux"]) == (row.path, row.kind, str(row.aux))
        for figure in (*counts, "depth", "live_bytes", "stored_bytes"):
            value = getattr(row, figure)
            assert record[figure] == ("" if value is None else str(value))
        for shape in ("input_shape", "output_shape"):
            assert tuple(map(int, record[shape].split("x"))) == getattr(row, shape)
        field = row.receptive_field if isinstance(row.receptive_field, tuple) else (row.receptive_field,)
        assert record["receptive_field"] == "x".join("" if side is None else str(side) for side in field)
    for figure in counts:
        if report.totals[figure] is None:
            assert any(record[figure] == "" for record in records)
            continue
        assert sum(int(record[figure]) for record in records if record["aux"] == "False") == report.totals[figure]
    heads = [record for record in records if record["aux"] == "True"]
    assert sum(int(record["params"]) for record in heads) == report.aux_params
    stored = sum(int(record["stored_bytes"]) for record in records)
    assert stored == report.totals["stored_bytes"]


def test_the_list_s_formats_agree():
    entries = json.loads(call("list", "--format", "json").succeeded())
    for format_ in ("table", "text", "markdown"):
        out = call("list", "--format", format_).succeeded()
        rows = Markdown(out).rows if format_ == "markdown" else [line.split() for line in table_lines(out)]
        shown = [(row[0], number(row[1]), number(row[2])) for row in rows[1 if format_ == "markdown" else 2 :]]
        assert shown == [(entry["model"], entry["params"], entry["macs"]) for entry in entries]
    records = list(csv.DictReader(StringIO(call("list", "--format", "csv").succeeded())))
    assert [list(record) for record in records] == [list(entry) for entry in entries]
    for record, entry in zip(records, entries, strict=True):
        assert (record["model"], int(record["params"])) == (entry["model"], entry["params"])


# The terminal


WIDER = r"fcn8s|fast.*_vgg16|regnet_.*|hrnet_.*|cspdarknet53|xception|repvgg_b[123]|convnextv2_(large|huge)"
"""Networks whose deep blocks with long names, or large figures, take a few columns more."""


@pytest.mark.wide(3, 20)
@each
def test_a_terminal_of_80_columns_is_wide_enough(name):
    written = on_terminal("summary", name, columns=80)
    piped = call("summary", name).succeeded()
    bare = without_codes(written)
    widest = max(cell_len(line.rstrip()) for line in bare.splitlines())
    assert widest <= (87 if re.fullmatch(WIDER, name) else 80)
    if any(row.regions for row in cnnzoo.summary(name).rows):
        return  # a column that there is no room for
    assert table_lines(bare) == table_lines(piped), "what codes say, the words say too"
    assert "".join(bare.split()) == "".join(piped.split()), "the footer only breaks elsewhere"
    assert "\x1b" in written
    assert "\x1b" not in piped


def test_the_list_fits_80_columns_and_keeps_its_figures():
    for pattern, kept in (("resnet*", 5), ("*", 3)):  # beside longer names fewer columns have room
        lines = table_lines(without_codes(on_terminal("list", pattern, columns=80)))
        assert max(map(cell_len, lines)) <= 80
        full = table_lines(call("list", pattern).succeeded())
        assert len(lines) == len(full)
        for line, whole in zip(lines[2:], full[2:], strict=True):
            assert line.split()[:kept] == whole.split()[:kept]


@pytest.mark.parametrize("columns", [20, 40, 60])
def test_a_narrow_terminal_cuts_no_figure(columns):
    written = on_terminal("summary", "resnet50", columns=columns)
    assert table_lines(without_codes(written)) == table_lines(call("summary", "resnet50").succeeded())


@pytest.mark.parametrize("columns", ["0", "-5", "x", "9" * 5000])
def test_a_width_that_is_none_is_not_believed(columns):
    assert on_terminal("list", "vgg16", COLUMNS=columns) == on_terminal("list", "vgg16", COLUMNS="80")


def test_a_dumb_terminal_gets_no_codes():
    assert "\x1b" not in on_terminal("summary", "lenet5", TERM="dumb")


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {}])
def test_no_colour_at_all(env):
    """Bold and dim are no colours; whoever sets NO_COLOR, and whoever does not, gets no others."""
    codes = re.findall(r"\x1b\[([0-9;]*)m", on_terminal("summary", "googlenet", **env))
    assert {int(code or 0) for part in codes for code in part.split(";")} <= {0, 1, 2, 22}


@pytest.mark.parametrize("env", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}, {"COLUMNS": "30"}])
def test_a_pipe_gets_plain_text_at_full_width(env):
    script = [sys.executable, "-m", "cnnzoo", "summary", "vgg16"]
    done = subprocess.run(script, capture_output=True, check=True, env=environment(**env), timeout=300)
    assert done.stdout.decode() == f"{cnnzoo.summary('vgg16')}\n"
    assert b"\x1b" not in done.stdout
    assert done.stderr == b""


@pytest.mark.parametrize("format_", ["json", "csv", "markdown"])
def test_data_is_the_same_on_a_terminal(format_):
    assert on_terminal("summary", "lenet5", "--format", format_) == cnnzoo.summary("lenet5").document().text(format_)


@pytest.mark.wide
@each
def test_text_is_ascii(name):
    assert call("summary", name, "--format", "text").succeeded().isascii()
    assert call("summary", name, "--format", "text", stdout=Terminal()).succeeded().isascii()


def test_the_list_as_text_is_ascii():
    assert call("list", "--format", "text").succeeded().isascii()


# Python


def test_printing_a_report_prints_the_table():
    report = cnnzoo.summary("vgg16")
    assert f"{report}\n" == f"{report!r}\n" == call("summary", "vgg16").succeeded()


def test_a_notebook_changes_no_text(monkeypatch):
    """In one, rich would display what is printed to its console."""
    before = str(cnnzoo.summary("lenet5"))
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setattr(builtins, "get_ipython", lambda: shell, raising=False)
    assert str(cnnzoo.summary("lenet5")) == before != ""


# Against rich

LETTERS = "aZ09 .,-_[]()<>|&*:/×·–≥⌊⌉█▏éßñ漢字カナ한글ｆ！🙂🚀e\u0301\u200b\u0327"
"""Narrow, wide, combining and without width; marks of markup; what ASCII has another sign for."""

WORDS = st.text(LETTERS, max_size=30).map(str.strip).filter(lambda text: cell_len(text) or not text)
SENTENCES = st.lists(WORDS.map("-{}".format), max_size=3).map("\n".join)
ASCII_BOX = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


@st.composite
def a_document(draw):
    """A tree or a list of rows with columns of words and of figures, a total or none, and notes or none."""
    right = draw(st.lists(st.booleans(), max_size=4))
    cells = st.tuples(*(st.integers(0, 10**12).map("{:,}".format) if end else WORDS for end in right))
    columns = {
        f"{place}": Column(f"-{draw(WORDS)}", lambda entry, place=place: entry[place], right=end)
        for place, end in enumerate(right)
    }
    entries = draw(st.lists(cells, max_size=6))
    guides = st.lists(st.booleans(), max_size=3).map(tuple)
    names = [draw(st.one_of(WORDS, st.builds(Label, WORDS, WORDS, guides, WORDS))) for _ in entries]
    said = draw(st.lists(st.tuples(WORDS, SENTENCES), max_size=4))
    return Document(f"-{draw(WORDS)}", names, columns, entries, said, draw(st.one_of(st.none(), cells)))


def rich_lines(document, plain):
    """The lines that rich draws of a document on a console that is wide enough."""
    out = StringIO()
    console = Console(file=out, width=10_000, color_system=None, markup=False, emoji=False, highlight=False)
    table = Table(box=ASCII_BOX if plain else SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(legible(document.title, plain), no_wrap=True)
    for column in document.columns.values():
        justify = "right" if column.right else "left"
        table.add_column(legible(column.header, plain), justify=justify, no_wrap=True)
    ways = ("  ", "| ", "`-", "|-") if plain else ("  ", "│ ", "└─", "├─")
    for label, cells in zip(document.labels, document.entries, strict=True):
        guides = [ways[follows + 2 * (level == len(label.guides))] for level, follows in enumerate(label.guides, 1)]
        name = f"{''.join(guides)}{legible(label.name, plain)} {legible(label.kind, plain)}".rstrip()
        table.add_row(name, *(legible(cell, plain) for cell in cells))
    if document.total is not None:
        table.add_row("Total", *(legible(cell, plain) for cell in document.total))
    console.print(table)
    if document.said:
        notes = Table.grid(padding=(0, 2, 0, 0))
        notes.add_column(no_wrap=True)
        notes.add_column()
        for label, sentence in document.said:
            notes.add_row(legible(label, plain), "\n".join(legible(line, plain) for line in sentence.split("\n")))
        console.print()
        console.print(notes)
    return [line.rstrip() for line in out.getvalue().split("\n")[:-1]]


@given(a_document(), st.booleans())
def test_a_table_is_what_rich_draws(document, plain):
    text = document.text("text" if plain else "table")
    assert text.endswith("\n")
    assert text.split("\n")[:-1] == rich_lines(document, plain)


@given(st.text(LETTERS))
def test_letters_are_as_wide_as_to_rich(text):
    assert ours(text) == cell_len(text)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_sentences_break_at_the_edge(width):
    words = "a sentence of words none of which is long " * 6
    document = Document("a", ["b"], {}, [None], [("Label", f"{words}\n漢字 漢字 {words}{'a-long-one' * 20}")])
    label, *shown = to_terminal(document, width, plain=False, codes=False).splitlines()[4:]
    assert label.startswith("Label  a sentence")
    assert all(line.startswith("       ") for line in shown)
    assert max(map(ours, shown)) == width
    assert " ".join(shown).split()[-1] in "a-long-one" * 20
    assert sum(ours(line) < width - 9 for line in [label, *shown]) <= 3, (
        "the end of each, and what is before a long one"
    )


@given(a_document(), st.integers(20, 120), st.booleans())
def test_a_terminal_cuts_no_word_and_no_figure(document, width, plain):
    """What it shows is what a pipe gets, but for where sentences break."""
    shown, piped = to_terminal(document, width, plain=plain, codes=False), document.text("text" if plain else "table")
    assert "".join(shown.split()) == "".join(piped.split())
    assert to_terminal(document, 10_000, plain=plain, codes=False) == piped
    assert without_codes(to_terminal(document, width, plain=plain, codes=True)) == shown


def test_a_cell_of_control_characters_keeps_the_columns():
    document = Document("a", ["b\r", "c\x07d", "e\tf", "g\nh"], {"i": Column("i", str)}, [1, 22, 333, 4])
    assert document.text("text").splitlines() == [
        "a      i",
        "--------",
        "b      1",
        "cd    22",
        "e f  333",
        "g h    4",
    ]


UNSEEN = "\x1b[31m\x9b1m\u202e\u2066\u200f"


@pytest.mark.parametrize("format_", ["table", "text", "markdown", "latex", "html"])
def test_what_is_shown_has_no_character_that_is_obeyed(format_):
    """Neither a terminal's nor the direction of what follows."""
    labels = [Label(f"b{UNSEEN}", f"c{UNSEEN}", (False,), f"d{UNSEEN}")]
    columns = {"e": Column(f"e{UNSEEN}", str, right=False)}
    document = Document(
        f"a{UNSEEN}", labels, columns, [f"f{UNSEEN}\u2028g"], [(f"h{UNSEEN}", f"i{UNSEEN}")], caption=f"j{UNSEEN}"
    )
    terminal = to_terminal(document, 80, plain=False, codes=False)
    for text in (document.text(format_), terminal, document.written("html.fragment")):
        assert not [letter for letter in text if letter != "\n" and not letter.isprintable()]


def test_a_long_word_is_broken_in_linear_time():
    document = Document("a", ["b"], {}, [None], [("c", "漢" * 100_000)])
    started = monotonic()
    assert to_terminal(document, 63, plain=False, codes=False).count("漢" * 30) == 3334 - 1
    assert monotonic() - started < 20


@given(st.integers(0, 10**30))
def test_a_size_is_the_nearest_of_what_it_could_be(value):
    shown, unit = size(value).split(" ")
    scale = {"bytes": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}[unit]
    whole, _, hundredths = shown.replace(",", "").partition(".")
    found = (int(whole) * 100 + int(hundredths or 0)) * scale
    assert abs(found - 100 * value) * 2 <= scale


# Names that mean something to a format

ODD = ["<b>", "</td>", "&lt;", "a|b", "c\\|d", "[red]x[/red]", "[/]", ":smile:", "*a*", "b_", "`c`", "~~d~~", "#"]
ODD += [
    "1)",
    "-",
    "%",
    "a b",
    '"',
    "'",
    ",",
    "größe",
    "漢字",
    "🙂",
    "e\u0301",
    "${x}",
    "=1+1",
    "(add)",
    "[link=x]",
    "![i](x)",
]
TITLE = "[red]On[/red] <i>×</i> | *nets* & :smile: – Größe `x` _y_"


@pytest.fixture
def odd(monkeypatch):
    """A registered network all of whose names, and whose paper's, mean something to one format or other."""

    def odd():
        layers = {name: Conv2d(4, 1) for name in ODD}
        return Sequential(**{"[dim]": Sequential(**layers)}, last=Sequential(**{"|": Flatten(), "<hr>": Linear(2)}))

    paper = Paper(TITLE, "Å. Müller", 2020, doi="10.1/[red]")
    monkeypatch.setitem(cnnzoo.registry.BUILDERS, "odd", Builder(odd, paper, Pinned(0, 0, 0), (3, 8, 8), {}))
    return cnnzoo.summary("odd")


PATHS = [f"[dim].{name}" for name in ODD] + ["last.|", "last.<hr>"]


def test_odd_names_are_data(odd):
    assert [row.path for row in odd.rows] == PATHS
    document = json.loads(call("summary", "odd", "--format", "json").succeeded())
    assert [row["path"] for row in document["rows"]] == PATHS
    assert document["paper"] == odd.paper
    records = list(csv.DictReader(StringIO(call("summary", "odd", "--format", "csv").succeeded())))
    assert [record["path"] for record in records] == PATHS


@pytest.mark.parametrize("options", [(), ("--all",), ("--columns", "path,kind,params,macs")])
def test_odd_names_are_not_markdown(odd, options):
    page = Markdown(call("summary", "odd", "--format", "markdown", *options).succeeded())
    assert [row[0] for row in page.rows[1:-1]] == ["[dim]", *PATHS[: len(ODD)], "last", *PATHS[len(ODD) :]]
    assert len({len(row) for row in page.rows}) == 1
    assert any(TITLE in term for term in page.terms)
    assert not {"html_inline", "code_inline", "em_open", "link_open", "image", "s_open"} & page.seen


def test_odd_names_are_not_html(odd):
    page = Html(odd._repr_html_())
    assert [row[0].strip() for row in page.rows[1:-1]] == ["[dim]", *ODD, "last", "|", "<hr>"]
    assert odd.paper in page.terms
    assert page.seen == {"div", "table", "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd", "b"}


@pytest.mark.parametrize("options", [(), ("--all",), ("--columns", "path,kind,params,macs")])
def test_odd_names_are_no_page_s_html(odd, options):
    text = call("summary", "odd", "--format", "html", *options).succeeded()
    page = Html(text)
    assert [row[0] for row in page.rows[1:-1]] == ["[dim]", *ODD, "last", "|", "<hr>"]
    assert odd.paper in page.terms
    assert page.seen - {"b"} == {
        *("html", "meta", "title", "style", "h1", "div", "table", "thead", "tbody", "tfoot", "tr", "th", "td"),
        *("dl", "dt", "dd", "script"),
    }


@pytest.mark.parametrize("options", [(), ("--all",), ("--columns", "path,kind,params,macs")])
def test_odd_names_are_not_latex(odd, options):
    page = Latex(call("summary", "odd", "--format", "latex", *options).succeeded())
    names = ["[dim]", *ODD, "last", "|", "<hr>"]
    assert [row[0].rpartition(" ")[0] for row in page.rows[1:-1]] == names
    assert f"Paper: {odd.paper}" in page.terms


@pytest.mark.parametrize("stdout", [StringIO, Terminal])
def test_odd_names_are_no_markup(odd, monkeypatch, stdout):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    out = without_codes(call("summary", "odd", "--columns", "path,params", stdout=stdout()).succeeded())
    lines = table_lines(out)[2:-1]
    names = ["[dim]", *ODD, "last", "|", "<hr>"]
    for line, name, path in zip(lines, names, ["[dim]", *PATHS[: len(ODD)], "last", *PATHS[len(ODD) :]], strict=True):
        assert f"─{name} " in line
        assert f" {path} " in line
    assert odd.paper in out
    assert len({cell_len(line) for line in lines}) == 1, "figures end where figures end"


@pytest.mark.parametrize("stdout", [StringIO, Terminal])
def test_odd_names_are_ascii_where_it_is_asked_for(odd, stdout):
    out = call("summary", "odd", "--format", "text", "--columns", "path,params", stdout=stdout()).succeeded()
    assert out.isascii()
    assert "-gro?e " in out
    lines = table_lines(without_codes(out))
    assert len({len(line) for line in lines[2:]}) == 1, "figures end where figures end"


@pytest.mark.parametrize("format_", FORMATS)
def test_a_list_of_odd_papers(odd, format_):
    out = call("list", "odd", "--format", format_).succeeded()
    if format_ == "json":
        assert json.loads(out)[0]["paper"] == TITLE
    elif format_ == "csv":
        assert next(csv.DictReader(StringIO(out)))["paper"] == TITLE
    elif format_ == "markdown":
        assert Markdown(out).rows[1][-1] == TITLE
    elif format_ == "latex":
        assert Latex(out).rows[1][-1] == TITLE
    elif format_ == "html":
        assert Html(out).rows[1][-1] == TITLE
    elif format_ == "table":
        assert TITLE in out
    else:
        assert "[red]On[/red] <i>x</i> | *nets* & :smile: - Gro?e" in out


def test_a_layer_alone_and_a_join_alone():
    for description in (ReLU(), Concat(ReLU(), ReLU())):
        report = cnnzoo.summary(description, (3, 4, 4))
        for format_ in FORMATS:
            assert report.document().text(format_)
        assert Html(report._repr_html_()).rows
        assert "network" in str(report)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (MaxPool2d(2, 2, padding=1), "2x2/2 p1"),
        (Conv2d(4, 3, padding=1), "3x3"),
        (Conv2d(4, 3), "3x3"),
        (Conv2d(4, 7, stride=2, padding=3), "7x7/2"),
        (Conv2d(4, 11, stride=4, padding=2), "11x11/4 p2"),
        (Conv2d(4, 3, padding=2), "3x3 p2"),
        (Conv2d(4, (1, 3), padding=(0, 1)), "1x3"),
        (Conv2d(4, 3, padding=(0, 1)), "3x3 p0x1"),
        (Conv2d(4, 3, padding=2, dilation=2), "3x3 d2"),
        (Conv2d(4, 3, padding=1, dilation=2, groups=2), "3x3 p1 d2 g2"),
        (Conv2d(4, 4, padding="same"), "4x4"),
        (ConvTranspose2d(4, 4, stride=2, padding=1), "4x4/2 p1"),
        (ReLU(), ""),
    ],
)
def test_a_kernel_shows_a_padding_that_no_one_would_guess(layer, said):
    assert window(calculate(layer, (4, 30, 30)).rows[0]) == said


def test_a_kernel_along_one_axis_calculated_and_measured():

    for layer, said in [(Conv1d(4, 3, stride=2, padding=1), "3/2"), (Conv1d(4, 2, padding=1, dilation=3), "2 p1 d3")]:
        for report in (calculate(layer, (3, 9)), measure(build(layer, (3, 9)), (1, 3, 9))):
            assert window(report.rows[0]) == said


@pytest.mark.parametrize(("padding", "said"), [((1, 1, 2), "3x3x3 p1x1x2"), (1, "3x3x3"), (0, "3x3x3")])
def test_a_measured_kernel_of_three_sides(padding, said):
    from torch import nn

    report = cnnzoo.summary(nn.Sequential(nn.Conv3d(3, 4, 3, padding=padding)), (3, 8, 8, 8))
    assert window(report.rows[0]) == said


def test_a_column_of_trainable_parameters_beside_the_sum_of_frozen_ones():
    from torch import nn

    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))
    module[0].requires_grad_(False)
    report = cnnzoo.summary(module, (3, 8, 8))
    text = report.document(columns=["path", "params", "trainable_params"]).text("csv")
    assert [*csv.reader(StringIO(text))][1:] == [["0", "112", "0"], ["1", "8", "8"], ["2", "10", "10"]]
    assert "130 (" in str(report)
    assert "112 of them frozen" in str(report)
    assert table_lines(report.document(columns=["trainable_params"]).text("table"))[-1].split() == ["Total", "18"]


def test_several_values_and_layers_that_run_again_are_said():
    """Calculated and measured alike, but for the names of outputs, which a module has none of."""
    pair = Sequential(wide=From("input.0", Conv2d(4, 1)), flat=From("input.1", ReLU()), out=Outputs("wide", "flat"))
    net = Sequential(
        head=From("input.0", Conv2d(4, 1)),
        other=Run("head", "input.1"),
        pair=From("head", "other", pair),
        out=Outputs("pair.wide", "other"),
    )
    sizes = ((3, 8, 8), (3, 4, 4))
    calculated = calculate(net, sizes, model="pair")
    measured = measure(build(net, sizes), sizes)
    for report, names in ((calculated, ("wide", "other")), (measured, ("0", "1"))):
        assert report.outputs == dict(zip(names, ((4, 8, 8), (4, 4, 4)), strict=True))
        assert (report["pair"].more_inputs, report["pair"].more_outputs) == (((4, 4, 4),), ((4, 4, 4),))
        for format_ in ("table", "text", "markdown", "html", "latex"):
            said = report.document(fold=False).text(format_)
            assert "(2 in, 2 out)" in said
            assert "(call 2)" in said
            assert re.search(rf"Outputs\W.*{names[0]} 4x8x8, {names[1]} 4x4x4", said, re.DOTALL), format_
    rows = [*csv.DictReader(StringIO(calculated.document().text("csv")))]
    assert [(row["path"], row["params"]) for row in rows][:2] == [("head", "16"), ("head", "0")]
