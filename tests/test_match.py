"""The configurations nearest a budget are the nearest, and the knobs of each family are its own."""

from __future__ import annotations

import csv
import json
import random
import re
import shlex
from fractions import Fraction
from functools import cache
from inspect import signature
from io import StringIO
from itertools import product
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from command import Terminal, call, on_terminal, table_lines
from hypothesis import example, given
from hypothesis import strategies as st

import cnnzoo
from cnnzoo.arch import Conv1d, Conv2d, Node, rewrite, walk
from cnnzoo.cli.knobs import progress, read_values
from cnnzoo.features.match import Budget, match
from cnnzoo.features.sweep.family import Family
from cnnzoo.registry import Paper, Pinned, register
from cnnzoo.render.document import FORMATS
from cnnzoo.rewrites import get_rewrite
from cnnzoo.totals import totals

VARIED = [name for name in cnnzoo.list_models() if cnnzoo.get_builder(name).knobs]
UNVARIED = [name for name in cnnzoo.list_models() if name not in VARIED]

varied = pytest.mark.parametrize("name", VARIED)
of_stages = pytest.mark.parametrize(
    "name", [name for name in VARIED if isinstance(cnnzoo.get_builder(name).knobs.get("depth", range(0)), tuple)]
)


def convolutions(description: Node) -> list[Conv2d]:
    return [node for _, node in walk(description) if isinstance(node, Conv2d)]


def scales(conv: Conv2d, factor: float) -> bool:
    """Whether its channels times the factor are whole, and its groups still divide them."""
    return conv.out_channels * factor % (1 if conv.groups == conv.out_channels else conv.groups) == 0


def default(name: str, knob: str) -> Any:
    return signature(cnnzoo.get_builder(name)).parameters[knob].default


# The knobs


@pytest.mark.wide
@varied
def test_at_the_defaults_it_is_the_registered_network(name):
    builder = cnnzoo.get_builder(name)
    defaults = {knob: default(name, knob) for knob in builder.knobs}
    assert builder.describe(**defaults) == builder.describe()
    for knob, value in defaults.items():
        assert value in builder.knobs[knob]
        assert len(set(builder.knobs[knob])) == len(builder.knobs[knob]) > 1
    assert Family(name).choice(defaults) == (name, {})


@pytest.mark.wide
@varied
def test_the_columns_of_the_papers_table_are_points_of_one_grid(name):
    """resnet50 at the depth of resnet101 is resnet101, and so with each builder that others are a variant of."""
    builder = cnnzoo.get_builder(name)
    for other in map(cnnzoo.get_builder, VARIED):
        if (other.variant_of or other) is (builder.variant_of or builder):
            point = {keyword: default(other.name, keyword) for keyword in signature(other).parameters}
            assert builder.describe(**point) == other.describe(), other


@pytest.mark.wide
@varied
@pytest.mark.parametrize("factor", [0.125, 0.5, 2])
def test_a_width_is_the_rewrite_that_scales_all_layers(name, factor):
    builder = cnnzoo.get_builder(name)
    description, knobs = builder.describe(), {"width", "growth"} & {*signature(builder).parameters}
    doubled = builder.describe(**{knob: 2 * default(name, knob) for knob in knobs})
    if convolutions(doubled)[0].out_channels != 2 * convolutions(description)[0].out_channels:
        pytest.skip("nothing scales all layers, the stem among them")
    if not all(scales(conv, factor) for conv in convolutions(description)):
        pytest.skip("channels are rounded")
    (knob,) = knobs
    scaled = get_rewrite(f"scale_width={factor}")(description)
    assert pointed(builder.describe(**{knob: int(factor * default(name, knob))})) == pointed(scaled)


def pointed(description):
    """With kernels of 1 along the channels, which are longer where there are more of these: ECA-Net, equation 12."""
    return rewrite(description, lambda path, node: Conv1d(1, 1) if isinstance(node, Conv1d) else node)


@pytest.mark.wide
@varied
def test_more_of_anything_costs_more(name):
    """Points of the grid that are nowhere less than others, at the registered input size."""
    builder = cnnzoo.get_builder(name)
    draw = random.Random(name)
    for _ in range(40):
        low, high = {}, {}
        for knob, grid in builder.knobs.items():
            one, other = draw.choice(grid), draw.choice(grid)
            if knob == "w_0":  # where the widths of a RegNet begin, which are then rounded
                continue
            if (name, knob) == ("unet", "depth"):  # without padding the output of a deeper one is smaller
                continue
            if isinstance(one, tuple):
                low[knob], high[knob] = (tuple(map(choose, one, other)) for choose in (min, max))
            else:
                low[knob], high[knob] = sorted((one, other), reverse=knob == "reduction")
        less, more = (totals(builder.describe(**point), builder.input_size) for point in (low, high))
        same = builder.describe(**low) == builder.describe(**high)
        assert less.params < more.params or same
        assert less.macs < more.macs or same
        assert less.depth <= more.depth


DEPTHS = {
    "efficientnet_b0": lambda depth_mult, **others: (
        3
        + sum(
            each * ceil(depth_mult * count) for each, count in ((4, 1), (5, 2), (5, 2), (5, 3), (5, 3), (5, 4), (5, 1))
        ),
        0,
    ),
    "regnet_x_200mf": (2, 3),
    "regnet_y_200mf": (2, 3 + 2),
    "convnext_tiny": (5, 3),
    "cbam_resnet50": (2, 3 + 2 + 1),
    "cspdarknet53": (2 + 5 * 4, 2),
    "darknet19": (1, 1),
    "darknet53": (2 + 5, 2),
    "densenet121": (5, 2),
    "densenet40_12": (4, 1),
    "densenet_bc100_12": (4, 2),
    "ecaresnet50": (2, 3 + 1),
    "plain18": (2, 2),
    "plain20": (2, 2),
    "preresnet152": (2, 3),
    "preresnet164": (2, 3),
    "res2net50_26w_4s": lambda scale, **others: (2 + 4 * 3 - 4 * (scale + 1), scale + 1),
    "resnet18": (2, 2),
    "resnet18d": (4, 2),
    "resnet20": (2, 2),
    "resnet26d": (4, 3),
    "resnet50": (2, 3),
    "resnet50_v1": (2, 3),
    "resnet50v2": (2, 3),
    "resnetv2_50": (2, 3),
    "resnext29_8x64d": (2, 3),
    "resnext50_32x4d": (2, 3),
    "seresnet50": (2, 3 + 2),
    "seresnext50_32x4d": (2, 3 + 2),
    "unet": (2 + 1, 2 + 3),
    "unet_padded": (2 + 1, 2 + 3),
    "vgg11": (3, 1),
    "vgg11_bn": (3, 1),
    "vgg11_lrn": (3, 1),
    "vgg16c": (3, 1),
    "wide_resnet28_10": (2, 2),
    "wide_resnet50_2": (2, 3),
}
"""The weighted layers of a network that are not in its blocks, and those of each block, where it is no variant; or what
gives both for its knobs. A network that is not among them has one depth."""


@pytest.mark.wide
@varied
def test_points_of_the_grid_are_networks(name):
    """Calculated row by row as they are priced; their depth is the blocks' by hand."""
    builder = cnnzoo.get_builder(name)
    draw = random.Random(name)
    for _ in range(5):
        point = {knob: draw.choice(grid) for knob, grid in builder.knobs.items()}
        report = cnnzoo.summary(name, **point)
        priced = Family(name).totals(point, builder.input_size)
        assert (priced.params, priced.macs) == (report.total_params, report.total_macs)
        known = DEPTHS.get((builder.variant_of or builder).name, (builder.report().depth, 0))
        first, each = known(**point) if callable(known) else known
        blocks = point.get("depth", 0)
        assert report.depth == first + each * (blocks if isinstance(blocks, int) else sum(blocks))


@pytest.mark.wide
@of_stages
def test_depths_that_are_none(name):
    stages = len(default(name, "depth"))
    twos, ones = (2,) * stages, (1,) * (stages - 1)
    for depth in (twos[1:], (0, *ones), (*twos, 2), "deep", 0, 2.5, None, (True, *ones)):
        with pytest.raises(ValueError, match=f"depth must be {stages} whole numbers of at least 1, one a stage, got "):
            cnnzoo.summary(name, depth=depth)


@pytest.mark.wide
@of_stages
def test_one_depth_for_all_stages(name):
    builder = cnnzoo.get_builder(name)
    stages = len(default(name, "depth"))
    assert builder.describe(depth=2) == builder.describe(depth=(2,) * stages) == builder.describe(depth=[2] * stages)


@pytest.mark.wide
@pytest.mark.parametrize("name", UNVARIED)
def test_without_knobs_the_rewrites_that_apply(name):
    family = Family(name)
    description, keywords = family.builder.describe(), signature(family.builder).parameters
    knobs = [knob for knob in ("width", "depth") if knob not in keywords]  # a keyword of its own comes before a rewrite
    applying = [knob for knob in knobs if get_rewrite(f"scale_{knob}=2").why_not(description) is None]
    assert list(family.grid) == applying
    for knob in applying:
        if get_rewrite(f"scale_{knob}=0.5").why_not(description):
            continue
        assert 1 in family.grid[knob]
        assert family.choice({knob: 1}) == (name, {})
        assert family.choice({knob: 0.5, "num_classes": 7}) == (f"{name}+scale_{knob}=0.5", {"num_classes": 7})
        assert family.describe({knob: 0.5}) == get_rewrite(f"scale_{knob}=0.5")(description)


@pytest.fixture
def plugins(monkeypatch):
    """Networks of someone else: with knobs of its own, with none, and one that fails."""
    from cnnzoo.arch import Conv2d, Flatten, Linear, ReLU, Residual, Sequential

    monkeypatch.setattr(cnnzoo.registry, "BUILDERS", dict(cnnzoo.registry.BUILDERS))
    about = {"paper": Paper("Title", "Nobody", 2000), "pinned": Pinned(1, 1, 1), "input_size": (3, 8, 8)}

    def slim(num_classes: int = 10, units: int = 8, taps: int = 3) -> Sequential:
        return Sequential(Conv2d(units, taps), Flatten(), Linear(num_classes))

    def blocky(num_classes: int = 10) -> Sequential:
        block = Residual(Conv2d(4, 3, padding=1), ReLU())
        return Sequential(stem=Conv2d(4, 1), stage=Sequential(block, block), flatten=Flatten(), fc=Linear(num_classes))

    def moody(mood: str = "good") -> Sequential:
        return Sequential(Conv2d({"good": 1, "fair": 2}[mood], 1))

    register(**about, knobs={"units": range(1, 33), "taps": (1, 3, 9)})(slim)
    register(**about)(blocky)
    register(**about)(moody)
    return about


def test_a_plugin_without_knobs_has_width_and_depth(plugins):
    family = Family("blocky")
    assert list(family.grid) == ["width", "depth"]
    point = {"width": 0.5, "depth": 1.5}
    assert family.choice(point) == ("blocky+scale_width=0.5+scale_depth=1.5", {})
    found = call("match", "blocky", "--params", "3000", "--top", "1", "--format", "json").succeeded()
    assert json.loads(found)["values"] == {"width": 128, "depth": 8}


def test_a_plugin_with_knobs_has_those(plugins):
    out = call("match", "slim", "--params", "4_000", "--format", "json").succeeded()
    found = json.loads(out)
    assert (found["values"], found["priced"], found["impossible"]) == ({"units": 32, "taps": 3}, 64, 32)
    assert "kernel 9" in found["why"]
    assert "32 of them, the last because at 0: Conv2d: kernel 9" in call("match", "slim", "--params", "4k").succeeded()
    by_hand = {
        (units, taps): units * (3 * taps**2 + 1) + 10 * (units * (9 - taps) ** 2 + 1)
        for units, taps in product(range(1, 33), (1, 3))
    }
    best = min(by_hand, key=lambda point: abs(by_hand[point] - 4000))
    assert found["configurations"][0]["knobs"] == dict(zip(("units", "taps"), best, strict=True))
    assert found["configurations"][0]["params"] == by_hand[best]


def test_a_knob_that_is_no_keyword_is_not_registered(plugins):
    def narrow(num_classes: int = 10) -> Any: ...

    with pytest.raises(TypeError, match=r"narrow\(\) takes no keyword 'width'"):
        register(**plugins, knobs={"width": (1, 2)})(narrow)
    assert "narrow" not in cnnzoo.list_models()


def test_any_keyword_may_be_varied_and_what_fails_is_left_out(plugins):
    found = json.loads(
        call("match", "moody", "--macs", "300", "--knob", "mood=good,fair,odd", "--format", "json").succeeded()
    )
    assert (found["priced"], found["impossible"], found["why"]) == (2, 1, "moody fails: KeyError: 'odd'")
    assert [one["knobs"]["mood"] for one in found["configurations"]] == ["fair", "good"]
    call("match", "moody", "--macs", "300", "--knob", "mood=odd").refused(
        "none of the 1 configurations can be: moody fails: KeyErr"
    )


# The search

GRID = {"width": (4, 8, 12, 16), "depth": tuple(product((1, 2), (1, 2, 3), (1, 2), (1,)))}
SIZE = (3, 32, 32)


@cache
def reported() -> list[tuple[dict[str, Any], int, int]]:
    """All points of the grid with their parameters and MACs, from a report of each."""
    points = [{"width": width, "depth": depth} for width in GRID["width"] for depth in GRID["depth"]]
    reports = [cnnzoo.summary("resnet18", SIZE, **point) for point in points]
    return [(point, report.total_params, report.total_macs) for point, report in zip(points, reports, strict=True)]


def off(found: int, target: int | None) -> Fraction:
    return Fraction(0) if target is None else abs(Fraction(found, target) - 1)


@given(st.integers(1, 600_000) | st.none(), st.integers(1, 30_000_000) | st.none(), st.booleans(), st.integers(1, 60))
@example(reported()[5][1], None, False, 3)
def test_as_by_hand(params, macs, at_most, top):
    if params is None and macs is None:
        with pytest.raises(ValueError, match="a budget is a number of parameters, of MACs, or of both"):
            Budget(params, macs, at_most)
        return
    ranked = sorted(
        (max(off(ours, params), off(work, macs)), ours, work, number, point)
        for number, (point, ours, work) in enumerate(reported())
        if not at_most or ((params is None or ours <= params) and (macs is None or work <= macs))
    )
    arguments = (Family("resnet18"), GRID, SIZE, Budget(params, macs, at_most), top)
    if not ranked:
        least = f"{min(ours for _, ours, _ in reported()):,} parameters and {min(m for *_, m in reported()):,} MACs"
        with pytest.raises(
            ValueError, match=f"none of the 48 configurations is within the budget: .* at least {least}"
        ):
            match(*arguments)
        return
    search = match(*arguments)
    assert (search.priced, search.impossible) == (48, 0)
    found = [(one.distance, one.params, one.macs, one.point) for one in search.matches]
    assert found == [(distance, ours, work, point) for distance, ours, work, _, point in ranked[:top]]


def test_equally_near_ones_the_smaller_first():
    few, many = (cnnzoo.summary("lenet5_modern", num_classes=count).total_params for count in (4, 8))
    search = match(Family("lenet5_modern"), {"num_classes": (8, 4)}, (1, 28, 28), Budget((few + many) // 2), 2)
    assert [one.point["num_classes"] for one in search.matches] == [4, 8]
    assert search.matches[0].distance == search.matches[1].distance == Fraction(many - few, many + few)


def test_what_is_the_same_network_is_found_once(plugins):
    """Two blocks times 1.1 are two."""
    search = match(Family("blocky"), {"depth": (1.1, 1, 2)}, (3, 8, 8), Budget(params=1), 10)
    assert [one.point for one in search.matches] == [{"depth": 1.1}, {"depth": 2}]
    assert search.priced == 3


@pytest.mark.wide(2)
@pytest.mark.parametrize("name", ["resnet50", "vgg16", "densenet121", "alexnet", "googlenet+drop_reductions"])
def test_what_is_printed_makes_it_again(name, tmp_path):
    """The command prints the same figures, and the expression builds as many parameters."""
    head = ["--num-classes", "10", "--input-size", "3x96x96"]
    grid = {"resnet50": ["--depth", "1:2x1:3x2x1"], "vgg16": ["--depth", "1:2"], "densenet121": ["--depth", "2:3"]}
    file = str(tmp_path / "found.json")
    call("match", name, "--params", "1M", "--macs", "50M", "--top", "2", "-o", file, *head, *grid.get(name, []))
    found = json.loads(Path(file).read_text())
    assert len(found["configurations"]) == 2
    for one in found["configurations"]:
        program, *arguments = shlex.split(one["command"])
        assert program == "cnnzoo"
        totals = json.loads(call(*arguments, "--format", "json").succeeded())["totals"]
        assert (totals["params"], totals["macs"]) == (one["params"], one["macs"])
        assert one["python"].startswith("cnnzoo.create_model(")
        net = eval(one["python"].removesuffix(")") + ", init=None, input_size=96)", {"cnnzoo": cnnzoo})
        built = {path: parameter.numel() for path, parameter in net.named_parameters()}
        assert sum(count for path, count in built.items() if not path.startswith("aux")) == one["params"]


# The command


def test_the_table():
    out = call(
        "match", "resnet50", "--params", "5M", "--macs", "0.9G", "--depth", "3x4x1:36x3", "--top", "3"
    ).succeeded()
    header, _, *rows = table_lines(out)
    assert header.split() == ["resnet50", "Width", "Depth", "Params", "MACs", "Off"]
    assert rows[0].split() == ["1", "24", "3x4x14x3", "5,352,064", "848,842,752", "7.04", "%"]
    assert len(rows) == 3
    assert "\n1          cnnzoo summary resnet50 --arg width=24 --arg depth=3,4,14,3\n" in out
    assert "Budget     5,000,000 parameters and 900,000,000 MACs, at 3x224x224" in out
    assert "relative to it, the larger of its two distances" in out
    assert "Priced     all 576 configurations: 16 values of width x 36 values of depth" in out
    assert "In Python  cnnzoo.create_model('resnet50', width=24, depth=(3, 4, 14, 3))" in out
    assert cnnzoo.summary("resnet50", width=24, depth=(3, 4, 14, 3)).total_params == 5_352_064


def test_what_costs_exactly_the_budget_is_nowhere_off():
    params = cnnzoo.summary("alexnet").total_params
    out = call("match", "alexnet", "--params", str(params), "--top", "1").succeeded()
    assert table_lines(out)[2].split() == ["1", "1.0", "60,965,224", "724,406,816", "0", "%"]
    assert "cnnzoo summary alexnet\n" in out
    near = call("match", "alexnet", "--params", str(params + 1), "--top", "1").succeeded()
    assert "under 0.01 %" in near


@pytest.mark.parametrize("format", FORMATS)
def test_every_format(format):
    out = call("match", "alexnet", "--params", "2M", "--top", "2", "--format", format).succeeded()
    assert "cnnzoo summary alexnet+scale_width=0.15625" in out.replace("\\", "")


def test_csv_has_a_column_for_each_knob():
    out = call("match", "densenet121", "--params", "1M", "--depth", "3", "--top", "2", "--format", "csv").succeeded()
    rows = list(csv.DictReader(out.splitlines()))
    assert list(rows[0]) == ["growth", "depth", "params", "macs", "distance", "command", "python"]
    assert rows[0]["depth"] == "3"
    assert float(rows[0]["distance"]) == abs(int(rows[0]["params"]) - 10**6) / 10**6


def test_what_is_not_varied_stays():
    out = call("match", "resnet50", "--params", "5M", "--vary", "width", "--format", "json", "--top", "16").succeeded()
    found = json.loads(out)
    assert found["values"] == {"width": 16}
    assert sorted(one["knobs"]["width"] for one in found["configurations"]) == list(range(8, 129, 8))
    limited = json.loads(
        call("match", "resnet50", "--params", "5M", "--vary", "width", "--at-most", "--format", "json").succeeded()
    )
    assert limited["budget"] == {"params": 5_000_000, "at_most": True}
    assert all(one["params"] <= 5_000_000 for one in limited["configurations"])
    assert limited["configurations"][0] == next(one for one in found["configurations"] if one["params"] <= 5_000_000)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        *[("5M", 5 * 10**6), ("5m", 5 * 10**6), ("1.5G", 1_500_000_000), ("7B", 7 * 10**9), ("250k", 250_000)],
        *[("5e6", 5 * 10**6), ("5_000_000", 5 * 10**6), ("0.001k", 1), ("1.25e2k", 125_000), ("2T", 2 * 10**12)],
    ],
)
def test_budgets(text, count):
    out = call("match", "lenet5_modern", "--params", text, "--width", "1", "--format", "json").succeeded()
    assert json.loads(out)["budget"]["params"] == count


@pytest.mark.parametrize(
    "text", ["", "5X", "M", "0", "0.5", "1.2345", "-5M", "5,000", "1e999", "five", "5M5", "٥", "_5"]
)
def test_budgets_that_are_none(text):
    call("match", "lenet5_modern", f"--params={text}").refused(
        repr(text), "is no budget; say 5M, 1.5G, 5e6 or 5_000_000"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["resnet50"], ["give a budget: --params 5M, --macs 1G, or both"]),
        (["lenet5", "--params", "5k"], ["lenet5 has nothing to vary", "scale_width", "scale_depth"]),
        (["nonet", "--params", "5M"], ["unknown model 'nonet'"]),
        (["resnet5", "--params", "5M"], ["did you mean resnet50"]),
        (["resnet50+nothing", "--params", "5M"], ["unknown rewrite 'nothing'"]),
        (["resnet50", "--params", "5M", "--vary", "growth"], ["resnet50 has no 'growth' to vary; it has width, depth"]),
        (["resnet50", "--params", "5M", "--vary", "shortcut"], ["no values of its own for 'shortcut'"]),
        (["resnet50", "--params", "5M", "--growth", "4"], ["resnet50 has no 'growth' to vary"]),
        (["resnet50", "--params", "5M", "--knob", "width"], ["'width' is no NAME=VALUES"]),
        (["resnet50", "--params", "5M", "--width", "8", "--knob", "width=8"], ["width is given twice"]),
        (["resnet50", "--params", "5M", "--width", "1:4000", "--vary", "width,depth"], ["18,432,000 configurations"]),
        (["resnet50", "--params", "5M", "--width", "0"], ["none of the 4,608 configurations can be", "got 0"]),
        (["resnet50", "--params", "5M", "--vary", "width", "--input-size", "3x1x"], ["is no input size"]),
        (["resnet50", "--params", "1k", "--vary", "width", "--at-most"], ["none of the 16 configurations is within"]),
        (["vgg16", "--params", "5M", "--top", "0"], ["'--top'"]),
    ],
)
def test_bad_input_is_one_line(arguments, said):
    call("match", *arguments).refused(*said)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        *[
            ("32,48,64", (32, 48, 64)),
            ("16:32:8", (16, 24, 32)),
            ("16:31:8", (16, 24)),
            ("3:5", (3, 4, 5)),
            ("7", (7,)),
        ],
        *[("0.25:1:0.25", (0.25, 0.5, 0.75, 1.0)), ("0.1:0.3:0.1", (0.1, 0.2, 0.3)), ("1:2:0.5", (1.0, 1.5, 2.0))],
        *[("3x4x6x3", ((3, 4, 6, 3),)), ("1:2x4x1:3:2", ((1, 4, 1), (1, 4, 3), (2, 4, 1), (2, 4, 3)))],
        *[("A,B", ("A", "B")), ("True,None", (True, None)), ("1e-3", (0.001,)), ("8,8:9,8", (8, 9)), ("x", ("x",))],
    ],
)
def test_values(text, values):
    read = read_values(text, "--width")
    assert read == values
    assert list(map(type, read)) == list(map(type, values))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8,",
        ",8",
        "8:2",
        "8:16:0",
        "1:9999999999",
        "3x4x",
        "-8:8",
        "[1",
        "8;16",
        "[1]",
        "1:99999999",
        "1:9999x1:9999",
    ],
)
def test_values_that_are_none(text):
    call("match", "resnet50", "--params", "5M", "--width", text).refused("Invalid value for '--width'")


def test_a_rewrite_that_does_not_apply_is_said():
    result = call("match", "resnet50", "--params", "5M", "--vary", "width", "--rewrite", "pool_head")
    assert result.code == 0
    assert re.fullmatch(r"Warning: pool_head does not apply: .+\n", result.err)
    assert "resnet50+pool_head" in result.out


@pytest.mark.parametrize(("terminal", "seconds"), [(True, 1.2), (True, 0.4), (False, 1.2)])
def test_a_bar_where_someone_waits(terminal, seconds, monkeypatch):
    """On stderr, on a terminal, from the second second on, to its end."""
    err = Terminal() if terminal else StringIO()
    monkeypatch.setattr("sys.stderr", err)
    clock = iter([0.0, *([seconds] * 8)])
    monkeypatch.setattr("cnnzoo.cli.knobs.monotonic", lambda: next(clock))
    with progress(4) as tell:
        for done in range(1, 5):
            tell(done)
    said = "100%" if terminal and seconds > 1 else ""
    assert said in err.getvalue()
    assert bool(err.getvalue()) == bool(said)


@pytest.mark.long
def test_a_bar_of_a_search():
    out = on_terminal(
        "match", "resnet50", "--params", "5M", "--width", "1:96", "--depth", "1:3x1:4x1:6x1:3", "--top", "1"
    )
    assert re.search(r"\[#+-*\] +\d+%", out)
    assert "20,736 configurations" in out
