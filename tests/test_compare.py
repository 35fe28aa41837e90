"""`cnnzoo.compare` and `cnnzoo compare`: a row for each network, and parameters against MACs as a picture."""

import csv
import json
import re
from fractions import Fraction
from functools import cache
from io import StringIO
from itertools import combinations

import pytest
from command import call, on_terminal, spawn, table_lines, without_codes
from hypothesis import given
from hypothesis import strategies as st

import cnnzoo
from cnnzoo.arch import Conv2d, ReLU, Sequential
from cnnzoo.features.compare import RELATIVE, Comparison, compare
from cnnzoo.features.compare.document import COLUMNS, DEFAULT, times
from cnnzoo.features.compare.picture import scatter
from cnnzoo.features.compare.scatter import ROWS, SIGNS, Plane, Point, axis, draw
from cnnzoo.features.draw.sheet import Text, bounds
from cnnzoo.render.document import FORMATS
from cnnzoo.report import ITEM_BYTES
from cnnzoo.words import as_json, most_of, short
from cnnzoo.zoo import get_builder, list_models

SHAPE = (3, 12, 12)


@cache
def zoo() -> Comparison:
    return compare(*list_models())


def test_a_row_has_the_figures_of_the_report():
    records = zoo().records()
    assert [record["model"] for record in records] == list_models()
    for record in records:
        report = cnnzoo.summary(record["model"])
        assert {name: record[name] for name in RELATIVE} == {name: report.totals[name] for name in RELATIVE}
        assert record["year"] == get_builder(record["model"]).paper.year
        assert (record["input_size"], record["aux_params"]) == (report.input_size, report.aux_params)
        assert record["flops"] == 2 * record["macs"]


def test_the_multiples_are_those_of_the_first():
    first, *others = zoo().records()
    assert all(first[f"{name}_ratio"] == 1 for name in RELATIVE)
    for record in others:
        for name in RELATIVE:
            known = isinstance(record[name], int)  # a field may be none, or differ with the position
            assert record[f"{name}_ratio"] == (float(Fraction(record[name], first[name])) if known else None)


@pytest.mark.parametrize("column", COLUMNS)
def test_sorting_goes_up_or_down_and_keeps_everything(column):
    given = zoo()
    up, down = given.sorted(column), given.sorted(f"-{column}")
    for found, step in ((up, 1), (down, -1)):
        values = [record[column] for record in found.records()]
        known = [most_of(value) for value in values if value is not None]
        assert known == sorted(known, reverse=step < 0)
        assert sorted(found.records(), key=repr) == sorted(given.records(), key=repr)
        assert found.first == given.first


def test_the_unknown_is_sorted_last_and_is_never_0():
    from torch import nn

    hooked = nn.Sequential(nn.Conv2d(3, 4, 1))
    hooked.register_forward_hook(lambda *_: None)  # it is measured alone
    found = compare(hooked, "resnet18", input_size=(3, 64, 64))
    for column in ("depth", "-depth"):
        assert [record["depth"] for record in found.sorted(column).records()] == [18, None]
    measured, ours = found.records()
    assert (measured["model"], measured["peak_bytes"], measured["year"]) == ("Sequential", None, None)
    assert (ours["depth_ratio"], ours["params_ratio"]) == (None, 11_689_512 / 16)
    assert json.loads(found.document().text("json"))["networks"][0]["depth"] is None
    assert table_lines(str(found))[2].split()[-4:] == ["?"] * 4


def test_a_sum_of_which_some_is_unknown_is_unknown():
    from dataclasses import replace

    report = cnnzoo.summary("lenet5")
    partial = replace(report, rows=(*report.rows[:-1], report.rows[-1]._replace(macs=None)))
    (_, record) = compare(report, partial).records()
    assert [record[name] for name in ("macs", "flops", "macs_ratio")] == [None] * 3
    known = partial.known["macs"]
    assert (record["known_macs"], record["known_flops"]) == (known, 2 * known)
    assert record["model"] == "lenet5 (2)"
    with pytest.raises(ValueError, match="MACs are known"):
        compare(partial).plane()


def test_nothing_is_a_multiple_of_nothing():
    found = compare(Sequential(ReLU()), Sequential(Conv2d(4, 1)), input_size=SHAPE)
    first, second = found.records()
    assert (first["params"], first["params_ratio"], second["params_ratio"]) == (0, None, None)
    assert (first["depth_ratio"], second["activations_ratio"]) == (None, 4 / 3)
    assert "?" in str(found)
    assert [point.name for point in found.plane().points] == ["Sequential", "Sequential (2)"]
    assert "*" in draw(found.plane(), 80, plain=True)


def test_what_is_compared_may_be_said_in_any_way():
    builder = get_builder("lenet5")
    others = (builder, builder.describe(), cnnzoo.summary("lenet5"))
    same = compare("lenet5", *others, input_size=(1, 32, 32)).records()
    figures = [{name: record[name] for name in RELATIVE} for record in same]
    assert figures == [figures[0]] * 4
    with pytest.raises(ValueError, match="at least one"):
        compare()


def test_rewritten_networks_are_networks():
    whole, less = compare("googlenet", "googlenet+drop_reductions").records()
    assert less["model"] == "googlenet+drop_reductions"
    assert less["params_ratio"] == cnnzoo.summary("googlenet+drop_reductions").total_params / whole["params"]
    assert less["year"] == whole["year"] == 2014


@given(st.integers(0, 10**17) | st.sampled_from([999, 1000, 9994, 9995, 999_499, 999_500, 99_950]))
def test_three_digits_are_the_figure_rounded(value):
    digits, _, prefix = short(value).partition(" ")
    scale = 1000 ** ("", "k", "M", "G", "T", "P").index(prefix)
    assert abs(Fraction(digits.replace(",", "")) * scale - value) <= Fraction(value, 200)
    assert len(re.sub(r"\D", "", digits)) <= 3 or prefix == "P"
    assert scale == 1 or value >= 0.9995 * scale


@pytest.mark.parametrize(
    ("ratio", "said"), [(1.0, "×1"), (1.0001, "×1.00"), (2.357, "×2.36"), (23.57, "×23.6"), (0.0512, "×0.051")]
)
def test_a_multiple_that_is_exactly_one_is_told_from_one_that_is_nearly(ratio, said):
    assert times(ratio) == said


# The command


@pytest.mark.wide(2)
@pytest.mark.parametrize("format_", FORMATS)
def test_every_format(format_):
    out = call("compare", *list_models(), "--format", format_).succeeded()
    assert all(name in out.replace("\\_", "_") for name in list_models())
    assert out == zoo().document().text(format_)


def test_data_formats_are_exact():
    data = json.loads(call("compare", *list_models(), "--format", "json").succeeded())
    assert data == json.loads(json.dumps(zoo().to_dict(), default=as_json))
    rows = csv.DictReader(StringIO(call("compare", *list_models(), "--format", "csv").succeeded()))
    for row, record in zip(rows, zoo().records(), strict=True):
        assert int(row["params"]) == record["params"]
        assert float(row["macs_ratio"]) == record["macs_ratio"]
        assert row.keys() == {"model", *COLUMNS} == record.keys()


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_can_be_shown_and_sorted_by(column):
    for format_ in FORMATS:
        options = ("--columns", f"{column}, params", "--sort", f"-{column}", "--format", format_)
        assert call("compare", "resnet18", "lenet5", *options).succeeded()


def test_patterns_are_all_that_match_with_their_rewrites():
    out = call("compare", "lenet5", "resnet1*+scale_width=0.5", "--format", "csv").succeeded()
    names = [row["model"] for row in csv.DictReader(StringIO(out))]
    assert names == ["lenet5", *(f"{name}+scale_width=0.5" for name in list_models("resnet1*"))]


def test_options_are_for_all():
    given = {"batch_size": 3, "dtype": "float16", "num_classes": 7, "rewrites": ["fuse_batchnorm"]}
    words = ("--batch-size", "3", "--dtype", "float16", "--num-classes", "7", "--rewrite", "fuse_batchnorm")
    out = call("compare", "resnet18", "resnet50", "--input-size", "64", *words, "--format", "json").succeeded()
    assert json.loads(out) == json.loads(json.dumps(compare("resnet18", "resnet50", input_size=64, **given).to_dict()))


def test_a_module_as_a_target(tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text("from torch import nn\ndef make(): return nn.Sequential(nn.Conv2d(3, 4, 1))\n")
    monkeypatch.chdir(tmp_path)
    out = call("compare", "net.py:make", "resnet18", "--input-size", "3x32x32", "--format", "csv")
    first, second = csv.DictReader(StringIO(out.succeeded()))
    assert (first["model"], first["params"], first["macs"], first["depth"]) == ("net.py:make", "16", "12288", "1")
    assert float(second["params_ratio"]) == 11_689_512 / 16


def test_a_terminal_of_80_columns_is_not_run_over():
    lines = without_codes(on_terminal("compare", "resnet*", "densenet*", "--scatter")).splitlines()
    assert max(map(len, lines)) <= 80
    wide = without_codes(on_terminal("compare", "resnet*", columns=120)).splitlines()[0].split()
    assert wide == ["Model", *(COLUMNS[name].header for name in DEFAULT)]


def test_a_pipe_is_plain_and_ascii_where_it_must_be():
    out = spawn("compare", "resnet*", "vgg*", "--scatter", PYTHONIOENCODING="ascii").succeeded()
    assert out.isascii()
    assert "\x1b" not in out
    assert "x2.19" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", ("Missing argument",)),
        ("resnet51", ("'resnet51'", "did you mean")),
        ("quux*", ("'quux*'", "`cnnzoo list` lists all")),
        ("resnet18 vgg16 --input-size 8", ("vgg16: at features.", "nothing is left")),
        ("resnet18 --input-size axb", ("--input-size",)),
        ("resnet18 --sort parms", ("'parms'", "did you mean params")),
        ("resnet18 --columns parms", ("'parms'", "did you mean params")),
        ("resnet18 --dtype float31", ("'float31'", *ITEM_BYTES)),
        ("resnet18 --batch-size 0", ("--batch-size",)),
        ("resnet18 --rewrite drop_everything", ("drop_everything",)),
        ("resnet18 --scatter --format json", ("--scatter", ".svg")),
        ("resnet18 --scatter -o out.csv", ("--scatter", ".svg")),
        ("resnet18 nowhere.py:net", ("nowhere.py",)),
    ],
)
def test_bad_input_is_one_line(arguments, words):
    call("compare", *arguments.split()).refused(*words)


def test_a_notebook_shows_the_table():
    found = compare("resnet18", "resnet50")
    assert str(found) == repr(found) == found.document().text("table").rstrip("\n")
    assert "25,557,032" in found._repr_html_()
    assert isinstance(found, cnnzoo.Comparison)
    assert cnnzoo.compare is compare


# Parameters against MACs

VALUES = st.lists(
    st.tuples(st.integers(0, 10**12) | st.integers(0, 30), st.integers(0, 10**15) | st.integers(10**6, 10**6 + 9)),
    min_size=1,
    max_size=25,
)


def plane_of(places: list[tuple[int, int]]) -> Plane:
    points = [Point(f"net{number}", *place) for number, place in enumerate(places)]
    return Plane(points, axis("Parameters", [one.x for one in points]), axis("MACs", [one.y for one in points]))


@given(VALUES)
def test_every_value_has_its_place_on_an_axis(places):
    for values in zip(*places, strict=True):
        own = axis("", values)
        shares = [own.at(value) for value in sorted(values)]
        assert shares == sorted(shares)
        assert 0 <= shares[0] <= shares[-1] <= 1
        assert own.log == (min(values) > 0 and max(values) >= 20 * min(values))
        for most in (3, 6, 8):
            ticks = own.ticks(most)
            assert len(ticks) <= most
            assert all(0 <= own.at(value) <= 1 for value in ticks)


@given(VALUES, st.integers(40, 120), st.booleans())
def test_a_drawing_has_every_point_and_every_name_and_keeps_to_its_width(places, width, plain):
    plane = plane_of(places)
    text = draw(plane, width, plain)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert text.isascii() or not plain
    for point in plane.points:
        assert len(re.findall(rf"\b{point.name}\b", text)) == 1, "beside its point or in the key"
    ground = lines[ROWS + 1]
    left = ground.index("`" if plain else "└") + 1
    field = [line[left:] for line in lines[1 : ROWS + 1]]
    key = " ".join(lines[ROWS + 4 :]).split()
    signs = [word for word in key if len(word) == 1]
    marks = [letter for line in field for letter in re.sub(r"[\w, ]*net[\w, ]*", " ", line) if letter != " "]
    assert len(signs) + text.count("*" if plain else "●") == len(spots(plane, len(ground) - left))
    assert set(signs) <= set("".join(field))
    assert len(marks) <= len(plane.points)


def spots(plane: Plane, columns: int) -> set[tuple[int, int]]:
    """The cells in which there are points."""
    return {
        (round((1 - plane.y.at(one.y)) * (ROWS - 1)), round(plane.x.at(one.x) * (columns - 1))) for one in plane.points
    }


def test_a_crowd_has_a_key_and_a_larger_one_is_not_lost():
    text = draw(plane_of([(10**6 + number, 10**9) for number in range(200)]), 80, plain=True)
    for number in range(200):
        assert re.search(rf"\bnet{number}\b", text)


def test_wide_letters_take_two_cells():
    from rich.cells import cell_len

    plane = plane_of([(1, 1), (50, 80)])
    named = plane._replace(points=[plane.points[0]._replace(name="网络" * 3), plane.points[1]._replace(name="größe")])
    for plain, name in ((False, "网络" * 3), (True, "grosse")):
        text = draw(named, 60, plain)
        assert max(map(cell_len, text.splitlines())) <= 60
        assert name in text or plain


# As a picture


@given(VALUES)
def test_names_on_a_picture_cover_nothing(places):
    pytest.importorskip("matplotlib")
    sheet = scatter(plane_of(places))
    words = [mark for mark in sheet.marks if isinstance(mark, Text)]
    names = [bounds(mark) for mark in words if mark.words.startswith("net") or mark.words in SIGNS]
    for one, other in combinations(names, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    for left, bottom, right, top in map(bounds, sheet.marks):
        assert min(left, bottom) >= 0
        assert right <= sheet.width
        assert top <= sheet.height
    said = " ".join(mark.words for mark in words)
    assert all(len(re.findall(rf"\bnet{number}\b", said)) == 1 for number in range(len(places)))


@pytest.mark.wide(0)
@pytest.mark.parametrize(("format_", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_a_picture_is_the_same_bytes_each_time(format_, magic, tmp_path):
    pytest.importorskip("matplotlib")
    files = [tmp_path / f"{name}.{format_}" for name in "ab"]
    for file in files:
        assert call("compare", *list_models(), "-o", str(file)).succeeded() == ""
    first, second = (file.read_bytes() for file in files)
    assert first == second
    assert first.startswith(magic)
    if format_ == "svg":
        text = first.decode()
        assert "prefers-color-scheme: dark" in text
        assert all(re.search(rf"\b{name}\b", text) for name in list_models())


def test_without_matplotlib_a_picture_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("cnnzoo.extras.find_spec", lambda name: None)
    call("compare", "resnet18", "-o", str(tmp_path / "out.svg")).refused("pip install 'cnnzoo[draw]'")
    assert not list(tmp_path.iterdir())
