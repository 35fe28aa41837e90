"""`cnnzoo list`: family by family, what is left by filters, sorted, and as a picture."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from command import call, on_terminal, without_codes
from pictured import contrast

from cnnzoo.features.draw import colours
from cnnzoo.features.draw.sheet import Area, Text, bounds
from cnnzoo.features.list import COLUMNS
from cnnzoo.features.list.picture import HEIGHT, WIDTH, of_year, zoo
from cnnzoo.words import most_of
from cnnzoo.zoo import list_models, modules


@cache
def everything() -> list[dict[str, Any]]:
    return left()


def left(*options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(call("list", *options, "--format", "json").succeeded())
    return found


def test_families_are_in_a_row() -> None:
    families = [one["family"] for one in everything()]
    assert [one for place, one in enumerate(families) if place == 0 or families[place - 1] != one] == modules()
    assert sorted(one["model"] for one in everything()) == sorted(list_models())
    for family in modules():
        names = [one["model"] for one in everything() if one["family"] == family]
        assert names == list_models(module=family)


@pytest.mark.parametrize(
    ("options", "is_left"),
    [
        ("--family resnet", lambda one: one["family"] == "resnet"),
        ("--module resnet", lambda one: one["family"] == "resnet"),
        ("--max-params 5M", lambda one: one["params"] <= 5_000_000),
        ("--max-params 11_689_512", lambda one: one["params"] <= 11_689_512),
        ("--max-macs 0.6G", lambda one: one["macs"] <= 600_000_000),
        ("--year 2015", lambda one: one["year"] == 2015),
        ("--year 2015:2016", lambda one: 2015 <= one["year"] <= 2016),
        ("--year :2013", lambda one: one["year"] <= 2013),
        ("--year 2021:", lambda one: one["year"] >= 2021),
        ("--input 32", lambda one: one["input_size"][1:] == [32, 32]),
        ("--input 28x28", lambda one: one["input_size"][1:] == [28, 28]),
        ("--input 1x32x32", lambda one: one["input_size"] == [1, 32, 32]),
        ("--input 8x3x32x32", lambda one: one["input_size"] == [3, 32, 32]),
        ("--max-params 1M --input 32 --year 2016", lambda one: one["params"] <= 1e6 and one["year"] == 2016),
    ],
)
def test_a_filter_leaves_what_it_says(options: str, is_left: Any) -> None:
    wanted = [one for one in everything() if is_left(one)]
    if "1M" in options:
        wanted = [one for one in wanted if one["input_size"][1:] == [32, 32]]
    assert wanted
    assert left(*options.split()) == wanted


@pytest.mark.parametrize("column", COLUMNS)
def test_sorting_keeps_everything(column: str) -> None:
    up, down = left("vgg*", "alexnet*", "--sort", column), left("vgg*", "alexnet*", "--sort", f"-{column}")
    values = [most_of(tuple(value) if isinstance(value := one[column], list) else value) for one in up]
    assert values == sorted(values)
    assert [one[column] for one in down] == [one[column] for one in up[::-1]]
    assert {one["model"] for one in up} == {one["model"] for one in down}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--family resnte", "no family 'resnte'; did you mean resnet"),
        ("--max-params 5 --year 2012", "--max-params and --year leave none of the"),
        ("--max-params few", "'few' is no budget"),
        ("--year 12", "'12' is no year; say 2015, 2015:2019, 2015: or :2019"),
        ("--year :", "is no year"),
        ("--year 20152016", "is no year"),
        ("--year 2016:2015", "begins after its end"),
        ("--input big", "no input size"),
        ("--sort yaer", "did you mean year"),
        ("--scatter --format json", "--scatter is drawn under a table"),
        ("-o zoo.xlsx", "a table cannot be written as .xlsx"),
    ],
)
def test_what_cannot_be_listed_is_one_line(options: str, said: str) -> None:
    call("list", *options.split()).refused(said)


def test_in_a_terminal() -> None:
    out = without_codes(on_terminal("list", "vgg*", "--scatter", columns=80))
    assert "Parameters" in out
    assert all(len(line) <= 80 for line in out.splitlines())


# The picture


def test_every_family_has_its_name_where_nothing_else_is() -> None:
    sheet = zoo(everything())
    names = [mark for mark in sheet.marks if isinstance(mark, Text) and mark.words in modules()]
    assert sorted(mark.words for mark in names) == modules()
    dots = [mark for mark in sheet.marks if isinstance(mark, Area) and mark.fill is not None]
    assert len(dots) >= len(everything())
    boxes = [bounds(mark) for mark in names]
    for one, other in [*combinations(boxes, 2), *((box, bounds(dot)) for box in boxes for dot in dots)]:
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    assert all(box[0] >= 0 and box[2] <= sheet.width and box[1] >= 0 and box[3] <= sheet.height for box in boxes)
    assert sheet.width < HEIGHT
    assert sheet.width < 1.3 * WIDTH


def test_a_dot_has_the_colour_of_its_year() -> None:
    dots = [mark for mark in zoo(everything()).marks if isinstance(mark, Area) and mark.fill is not None]
    for colour in colours.YEARS.values():
        of = [one for one in everything() if of_year(one["year"]) is colour]
        assert of
        assert sum(dot.fill is colour for dot in dots) == len(of) + 1  # and one in the key
    assert of_year(2024) is of_year(2023)
    assert of_year(1998) is of_year(2013) is not of_year(2014)


def test_names_are_legible_in_every_colour() -> None:
    for colour in colours.YEARS.values():
        assert contrast(colour.light, colours.PAPER.light) >= 4.5
        assert contrast(colour.dark, colours.PAPER.dark) >= 4.5
    assert len({colour.light for colour in colours.YEARS.values()}) == len(colours.YEARS)


def test_a_picture_is_light_and_dark(tmp_path: Path) -> None:
    file = tmp_path / "zoo.svg"
    assert call("list", "vgg*", "-o", str(file)).succeeded() == ""
    written = file.read_text()
    assert f'[fill="{colours.YEARS[2015].light}"]' in written
    assert len(re.findall(">vgg<", written)) == 1
