"""Savings: each network against itself without its technique, place by place, and the papers' own claims."""

from __future__ import annotations

import copy
import csv
import io
import json
import pickle
import re

import pytest
import strategies
import torch
from command import call, loaded, on_terminal, table_lines, without_codes
from hypothesis import given
from hypothesis import strategies as st
from rewriting import RESIZING, every
from small import small
from stepped import STEPPED

import cnnzoo
from cnnzoo import rewrites
from cnnzoo.arch import (
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    Linear,
    MaxPool2d,
    Node,
    ReLU,
    Residual,
    Sequential,
    ShapeError,
    TableConv2d,
    rewrite,
)
from cnnzoo.calculate import calculate
from cnnzoo.features.savings import FAMOUS, TECHNIQUES, Savings, savings
from cnnzoo.features.savings.document import overview
from cnnzoo.features.savings.saved import _amount, saved
from cnnzoo.pytorch.modules.build import build
from cnnzoo.render.document import FORMATS
from cnnzoo.report import Report
from cnnzoo.rewrites import DoesNotApply, UnknownRewriteError, register_rewrite

FIGURES = ("params", "macs")
INPUT = (4, 33, 28)


def of(target: str, by: str | None = None) -> Savings:
    return savings(target, by)


def worth(formula: str) -> int:
    """What a formula comes to; every division in it is one without a remainder."""
    for dividend, divisor in re.findall(r"\((\d+)/(\d+)\)", formula):
        assert int(dividend) % int(divisor) == 0
    assert re.fullmatch(r"[0-9 ·+/()]+", formula), formula
    return eval(formula.replace("·", "*").replace("/", "//"))


def check(found: Savings, designed: Report, without: Report) -> None:
    """The places are all that differs, each figure is its formula's, and the table adds up at every depth."""
    for figure in FIGURES:
        one, other = designed.totals[figure], without.totals[figure]
        assert (getattr(found.total, figure), getattr(found.total, f"{figure}_without")) == (one, other)
        assert sum(getattr(place.figures, f"{figure}_saved") for place in found.places) == other - one
        assert getattr(found.rest, figure) == getattr(found.rest, f"{figure}_without") >= 0
    for place in found.places:
        assert {name: worth(formula) for name, formula in place.formulas().items()} == place.figures._asdict()
        assert any(one != other for one, other in zip(place.figures[::2], place.figures[1::2], strict=True)) or (
            [row.path for row in place.designed] != [row.path for row in place.without]
        )
    for side, report in (("designed", designed), ("without", without)):
        rows = [row for place in found.places for row in getattr(place, side)]
        assert all(not row.aux and (row.params or row.macs) and row in report.rows for row in rows)
        assert len({(row.path, row.call) for row in rows}) == len(rows)
    assert len({place.path for place in found.places}) == len(found.places)
    check_lines(found)


def check_lines(found: Savings) -> None:
    for depth in (None, 1, 2, 3):
        for fold in (True, False):
            lines = found.lines(depth, fold)
            assert added(lines, 1) == list(found.total)
            for at, line in enumerate(lines):
                inside = []
                for below in lines[at + 1 :]:
                    if below.level <= line.level:
                        break
                    inside.append(below)
                assert not inside or added(inside, line.level + 1) == list(line.row.figures)
    unfolded = [line.row.place for line in found.lines(fold=False) if line.row.place]
    assert sorted(place.path for place in unfolded) == sorted(place.path for place in found.places)


def added(lines: list, level: int) -> list[int]:
    return [sum(one) for one in zip(*(line.row.figures for line in lines if line.level == level), strict=True)]


# Over every network


@pytest.fixture(params=cnnzoo.list_models())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.wide
def test_what_each_device_saves_is_what_two_whole_networks_differ_by(name: str) -> None:
    builder = cnnzoo.get_builder(name)
    description, size = builder.describe(), builder.input_size
    designed = calculate(description, size)
    for by, technique in TECHNIQUES.items():
        if technique.rewrite.why_not(description) is not None:
            with pytest.raises(DoesNotApply, match=f"nothing to save by {by}"):
                savings(description, by, input_size=size)
            continue
        found = savings(description, by, input_size=size)
        assert found.without == technique.rewrite(description)
        check(found, designed, calculate(found.without, size))


def check_every_rewrite(description: Node, size: tuple[int, ...]) -> None:
    designed = calculate(description, size)
    for one in every(size):
        if one.why_not(description) is None:
            check(savings(description, one.name, input_size=size), designed, calculate(one(description), size))


@pytest.mark.wide(3, 14)
def test_so_is_what_every_rewrite_saves_in_small(name: str) -> None:
    check_every_rewrite(*small(name))


@pytest.mark.long
def test_so_is_what_every_rewrite_saves(name: str) -> None:
    builder = cnnzoo.get_builder(name)
    check_every_rewrite(builder.describe(), builder.input_size)


def famous(report: cnnzoo.Report) -> Savings | None:
    """What the technique that a network is known for saves; None where there is none."""
    try:
        return savings(report)
    except DoesNotApply:
        return None


@pytest.mark.wide
def test_a_family_is_known_for_the_first_device_that_saves_it_parameters(name: str) -> None:
    """Or MACs alone, and where none does, the first that it has."""
    description = cnnzoo.describe(name)
    report = cnnzoo.summary(name)
    has = [by for by in FAMOUS if TECHNIQUES[by].rewrite.why_not(description) is None]
    priced = {by: cnnzoo.summary(f"{name}+{TECHNIQUES[by].rewrite.name}") for by in has}
    without = {by: (one.total_params, one.total_macs) for by, one in priced.items()}
    known = [*(by for by in has if without[by] > (report.total_params, report.total_macs)), *has]
    found = famous(report)
    assert (found and found.by) == (known[0] if known else None)
    if found is not None:
        check(found, report, priced[known[0]])
        assert str(found) == repr(found) == found.document().text("table").rstrip("\n")


@pytest.mark.wide(0)
def test_what_the_families_are_known_for() -> None:
    known = {name: found and found.by for name in cnnzoo.list_models() for found in [famous(cnnzoo.summary(name))]}
    for pattern, by in {
        r"googlenet.*|(wide_)?resnet(26|50|101|152).*|densenet(121|161|169|201|264|_bc.*)": "reductions",
        r"vgg.*|resnet(18|34)d?|plain.*": "stacks",
        r"alexnet|caffenet|lenet5|resnext.*": "groups",
        r"sppnet.*|fast_rcnn.*": "sharing",
        "lenet5_modern": None,
    }.items():
        names = [name for name in known if re.fullmatch(pattern, name)]
        assert names
        assert {known[name] for name in names} == {by}


@pytest.mark.wide
def test_a_summary_says_in_one_line_what_its_1x1s_save_if_they_reduce(name: str) -> None:
    report = cnnzoo.summary(name)
    said = [line for line in str(report).splitlines() if line.startswith("Reductions ")]
    if TECHNIQUES["reductions"].rewrite.why_not(cnnzoo.describe(name)):
        assert said == []
    else:
        whole = cnnzoo.summary(f"{name}+drop_reductions")
        params, macs = whole.total_params - report.total_params, whole.total_macs - report.total_macs
        assert len(said) == 1
        assert ("more than" in said[0]) == (params < 0)
        assert f"{abs(params):,} parameters ({100 * abs(params) / whole.total_params:.1f} %)" in said[0]
        assert f"{abs(macs):,} MACs ({100 * abs(macs) / whole.total_macs:.1f} %)" in said[0]
        assert "Reductions" not in str(whole)


# Over any network


@given(strategies.networks(INPUT, steps=True), st.data())
def test_any_network_against_any_other_that_a_rewrite_makes_of_it(net: Node, data: st.DataObject) -> None:
    designed = calculate(net, INPUT)
    assert isinstance(str(designed), str)
    names = [*TECHNIQUES, *(one.name for one in every(INPUT))]
    by = data.draw(st.sampled_from(names))
    refused = (DoesNotApply, ShapeError) if by.partition("=")[0] in RESIZING else DoesNotApply  # of unknown channels
    try:
        found = savings(net, by, input_size=INPUT)
    except refused:
        return
    check(found, designed, calculate(found.without, INPUT))
    assert found.document().text(data.draw(st.sampled_from(list(FORMATS))))


# The papers' claims


def test_googlenet_without_reductions() -> None:
    total = of("googlenet_tv").total
    assert total[:2] == (6_624_904, 18_389_512)
    assert (total.params_saved, total.params_share) == (11_764_608, 11_764_608 / 18_389_512)
    module = cnnzoo.create_model("googlenet_tv", rewrites=["drop_reductions"], aux_logits=False, device="meta")
    assert sum(parameter.numel() for parameter in module.parameters()) == 18_389_512


def stack(channels: int, kernel: int, count: int) -> Sequential:
    """As Simonyan and Zisserman count: without biases."""
    conv = Conv2d(channels, kernel, padding=kernel // 2, bias=False)
    return Sequential(*[layer for _ in range(count) for layer in (conv, ReLU())])


@pytest.mark.parametrize("channels", [1, 64, 512])
def test_a_7x7_has_81_per_cent_more_than_three_3x3(channels: int) -> None:
    """Section 2.3: 3 (3^2 C^2) = 27 C^2 against 7^2 C^2 = 49 C^2."""
    (place,) = savings(stack(channels, 3, 3), "stacks", input_size=(channels, 14, 14)).places
    assert place.figures[:2] == (27 * channels**2, 49 * channels**2)
    assert place.formulas()["params"] == f"3·(3·3·{channels}·{channels})"
    assert place.formulas()["params_without"] == f"7·7·{channels}·{channels}"
    assert place.figures.params_without / place.figures.params == pytest.approx(1.81, abs=0.005)
    assert place.figures.params_share == place.figures.macs_share


def test_two_3x3_save_28_per_cent_of_a_5x5_and_1x3_with_3x1_a_third_of_a_3x3() -> None:
    """Szegedy et al. (2015), sections 3.1 and 3.2."""
    assert savings(stack(64, 3, 2), "stacks", input_size=(64, 14, 14)).total.params_share == pytest.approx(0.28)
    pair = Sequential(Conv2d(64, (1, 3), padding=(0, 1), bias=False), Conv2d(64, (3, 1), padding=(1, 0), bias=False))
    assert savings(pair, "stacks", input_size=(64, 14, 14)).total.params_share == pytest.approx(1 / 3)
    other_way = savings(stack(64, 3, 1), "factorise=1xn", input_size=(64, 14, 14)).total
    assert (other_way.params, other_way.params_without) == (9 * 64 * 64, 6 * 64 * 64)


def test_alexnet_without_groups() -> None:
    found = of("alexnet")
    assert found.total[:2] == (60_965_224, 62_378_344)
    assert [place.path for place in found.places] == ["conv2", "conv4", "conv5"]
    assert found.places[0].formulas() == {
        "params": "5·5·(96/2)·256 + 256",
        "params_without": "5·5·96·256 + 256",
        "macs": "5·5·(96/2)·256 · 27·27",
        "macs_without": "5·5·96·256 · 27·27",
    }


def test_convolutions_that_run_once_for_all_regions() -> None:
    """He et al. (2014), section 1: R-CNN runs them on each of 2,000 windows, SPP-net once."""
    found = of("sppnet_zf5")
    trunk = cnnzoo.describe("sppnet_zf5").features
    once, each = (calculate(trunk, (3, *sides)).total_macs for sides in ((600, 1000), (224, 224)))
    assert found.total.params == found.total.params_without
    assert found.total.macs_saved == 2000 * each - once
    assert sum(place.figures.macs for place in found.places) == once
    assert sum(place.figures.macs_without for place in found.places) == 2000 * each
    assert found.places[0].formulas()["macs"] == "7·7·3·96 · 300·500"
    assert found.places[0].formulas()["macs_without"] == "7·7·3·96 · 2000·112·112"
    for regions in (11, 12):  # from so many on it is less work
        few = savings("sppnet_zf5", "sharing", input_size=((3, 600, 1000), (regions, 4)))
        assert few.total.macs_saved == regions * each - once
        assert (few.total.macs_saved > 0) == (regions >= 12)
    assert savings("sppnet_zf5", input_size=((3, 600, 1000), (11, 4))).by == "stacks"


def test_c3_of_lenet5_read_in_full() -> None:
    """LeCun et al. (1998), section II.B: 1,516 parameters by table I; all 16 maps would read 6."""
    (place,) = of("lenet5").places
    assert place.figures[:2] == (1_516, 2_416)
    assert place.formulas()["params"] == "5·5·60 + 16"
    assert place.formulas()["macs_without"] == "5·5·6·16 · 10·10"


def test_two_columns_read_half_of_the_maps_each() -> None:
    """3·3·128·64 = 73,728 where every map would read all: 147,456."""
    net = Sequential(conv=Conv2d(128, 3, padding=1, groups=2, bias=False))
    (place,) = savings(net, input_size=(128, 14, 14)).places
    assert place.figures[:2] == (3 * 3 * 128 * 64, 147_456) == (73_728, 147_456)
    assert place.formulas()["params"] == "3·3·(128/2)·128"


def test_the_first_layers_of_a_dense_block_cost_more_with_their_bottleneck() -> None:
    """Huang et al. (2016), section 3: the 1x1 gives 4k maps, and pays from 231 maps on that it reads, at k = 32."""
    for place in of("densenet121").places:
        inputs = place.designed[0].input_shape[0]
        weights = inputs * 128 + 9 * 128 * 32, 9 * inputs * 32
        assert place.figures[:2] == (weights[0] + 2 * 128, weights[1])
        assert (place.figures.macs_saved > 0) == (weights[0] < weights[1]) == (inputs >= 231)
    assert {place.figures.params_saved > 0 for place in of("densenet121").places} == {True, False}


# By hand


def test_a_reduction_of_googlenet() -> None:
    place = of("googlenet").places[0]
    assert place.path == "inception3a.branch2"
    assert [row.path for row in place.designed] == ["inception3a.branch2.0.conv", "inception3a.branch2.1.conv"]
    assert [row.path for row in place.without] == ["inception3a.branch2.1.conv"]
    assert place.formulas() == {
        "params": "1·1·192·96 + 3·3·96·128 + 224",
        "params_without": "3·3·192·128 + 128",
        "macs": "(1·1·192·96 + 3·3·96·128) · 28·28",
        "macs_without": "3·3·192·128 · 28·28",
    }


def test_a_reduction_of_resnet50_with_a_stride() -> None:
    """The 1x1 runs at more positions than the 3x3 behind it, and its batch normalisation goes with it."""
    place = next(place for place in of("resnet50").places if place.path == "layer2.0")
    assert [row.path.partition(".0.")[2] for row in place.designed] == ["conv1", "bn1", "conv2"]
    assert place.formulas() == {
        "params": "1·1·256·128 + 3·3·128·128 + 256",
        "params_without": "3·3·256·128",
        "macs": "1·1·256·128 · 56·56 + 3·3·128·128 · 28·28",
        "macs_without": "3·3·256·128 · 28·28",
    }


@pytest.mark.parametrize(
    ("layer", "size", "formulas"),
    [
        (Conv2d(8, (3, 1), groups=2), (4, 9, 5), ("3·1·(4/2)·8 + 8", "3·1·(4/2)·8 · 7·5")),
        (Conv2d(4, 3, groups=4, bias=False), (4, 9, 9), ("3·3·(4/4)·4", "3·3·(4/4)·4 · 7·7")),
        (ConvTranspose2d(6, 2, stride=2, groups=3), (3, 5, 4), ("2·2·(6/3)·3 + 6", "2·2·(6/3)·3 · 5·4")),
        (Linear(10), (7,), ("7·10 + 10", "7·10")),
        (Linear(10, bias=False), (3, 5, 7), ("7·10", "7·10 · 3·5")),
        (TableConv2d(((0, 1), (1,)), 2), (2, 4, 4), ("2·2·3 + 2", "2·2·3 · 3·3")),
        (BatchNorm2d(), (5, 4, 4), ("10", "0")),
    ],
    ids=repr,
)
def test_the_arithmetic_of_each_layer(layer: Node, size: tuple[int, ...], formulas: tuple[str, str]) -> None:
    """Of one that goes; a convolution of no other kind is left, so it is a place by itself."""
    with registered(lambda net: Sequential(rest=net.rest)):
        (place,) = savings(Sequential(one=layer, rest=Flatten()), "invented", input_size=size).places
    assert (place.path, place.without) == ("one", ())
    assert (place.formulas()["params"], place.formulas()["macs"]) == formulas
    assert worth(formulas[0]) == sum(one.numel() for one in build(layer, size).parameters())
    assert worth(formulas[1]) == calculate(layer, size).total_macs


def test_what_runs_in_training_only_is_apart() -> None:
    found = of("googlenet", "strip_aux")
    assert (found.places, found.total.params_saved) == ((), 0)
    assert found.sentence == "googlenet saves nothing against googlenet+strip_aux"
    assert found.auxiliary is not None
    assert "6,379,728 parameters" in found.auxiliary
    assert of("googlenet").auxiliary is None
    widened = of("googlenet", "pointwise")
    assert not any("aux" in row.path for place in widened.places for row in place.designed)
    assert widened.auxiliary is not None


@pytest.mark.parametrize(
    ("target", "by", "sentence"),
    [
        (
            "googlenet",
            None,
            "googlenet's 1x1 reductions save 18,307,392 parameters (72.3 %) and 2,843,875,328 MACs (64.2 %) "
            "against the larger kernels alone",
        ),
        (
            "vgg13",
            None,
            "vgg13's stacks of small kernels save 1,455,680 parameters (1.1 %) against one large kernel each, "
            "but cost 1,952,448,512 MACs (20.9 %) more",
        ),
        ("resnet50", "stride_on_1x1", "resnet50 costs 231,211,008 MACs (6.0 %) more than resnet50+stride_on_1x1"),
        (
            "vgg11_bn",
            "fuse_batchnorm",
            "vgg11_bn costs 5,504 parameters (under 0.1 %) more than vgg11_bn+fuse_batchnorm",
        ),
        (
            "resnet18+scale_width=0.5",
            None,
            "resnet18+scale_width=0.5's stacks of small kernels save 1,560,704 parameters (33.8 %) "
            "and 218,365,952 MACs (31.1 %) against one large kernel each",
        ),
    ],
)
def test_the_sentence(target: str, by: str | None, sentence: str) -> None:
    assert of(target, by).sentence == sentence


def test_one_parameter_more_is_said() -> None:
    net = Sequential(conv=Conv2d(1, 1, bias=False), norm=BatchNorm2d())
    assert savings(net, "fuse_batchnorm", input_size=(1, 2, 2)).sentence == (
        "the network costs 1 parameters (50.0 %) more than the network+fuse_batchnorm"
    )


def test_places_are_called_as_what_they_are_in() -> None:
    assert [place.path for place in of("vgg11").places] == ["features.6-8", "features.11-13", "features.16-18"]
    assert [place.path for place in of("resnet18").places][:3] == ["layer1.0", "layer1.1", "layer2.0"]
    assert of("vgg16", "pool_head").places[0].path == "classifier"
    alone = Sequential(
        Conv2d(16, 3), Conv2d(4, 1), Conv2d(8, 3), MaxPool2d(2), Sequential(a=Conv2d(2, 1), b=Conv2d(8, 2))
    )
    assert [place.path for place in savings(alone, input_size=(1, 14, 14)).places] == ["1-2", "4"]
    normed = Sequential(conv=Conv2d(8, 3), norm=BatchNorm2d(), fc=Conv2d(2, 1), after=BatchNorm2d())
    assert [place.path for place in savings(normed, "scale_width=0.5", input_size=INPUT).places] == ["conv", "fc"]
    layer = savings(Conv2d(8, 5, padding=2), "factorise", input_size=INPUT)
    assert [(place.path, len(place.designed), len(place.without)) for place in layer.places] == [("", 1, 2)]


def test_several_networks_are_said_to_save_by_one_technique_or_each_by_its_own() -> None:
    vgg = [of("vgg11", "stacks"), of("vgg16", "stacks")]
    assert overview(vgg, "stacks").caption == "What stacks of small kernels save against one large kernel each"
    half = of("vgg11", "scale_width=0.5")
    assert overview([half], "scale_width=0.5").caption == "What networks save against scale_width=0.5"
    own = overview([*vgg, of("googlenet")], None)
    assert own.caption == "Savings"
    assert own.labels[0].name == "vgg11 by stacks"


def test_there_is_a_rest_where_a_layer_stays_as_it_is() -> None:
    grouped = Conv2d(8, 3, groups=2)
    names = [line.name for line in savings(Sequential(conv=grouped), "groups", input_size=INPUT).lines()]
    assert names == ["conv"]
    more = savings(Sequential(conv=grouped, fc=Conv2d(2, 1)), "groups", input_size=INPUT)
    assert [line.name for line in more.lines()] == ["conv", "(the rest)"]
    assert more.rest[:2] == (2 * 8 + 2, 2 * 8 + 2)
    nothing = savings(Sequential(block=Residual(ReLU())), "drop_shortcuts", input_size=INPUT)
    assert [line.name for line in nothing.lines()] == ["(the rest)"]
    norm = savings(Sequential(conv=grouped, norm=BatchNorm2d()), "groups", input_size=INPUT)
    assert [line.name for line in norm.lines()] == ["conv", "(the rest)"]
    assert norm.rest == (16, 16, 0, 0)


def test_equal_neighbours_are_one_row_and_their_arithmetic_is_of_one() -> None:
    found = of("resnet50")
    line = next(line for line in found.lines() if line.times > 1)
    assert (line.name, line.times, line.row.path) == ("1-2", 2, "layer1.2")
    assert line.row.place is not None
    assert line.row.figures == tuple(2 * one for one in line.row.place.figures)
    assert "layer1.1-2 ×2  each 1·1·256·64 + 3·3·64·64 + 128 = 53,376 parameters" in str(found)


# Rewrites of others


class registered:  # noqa: N801
    """A rewrite called "invented", for a while."""

    def __init__(self, function) -> None:
        self.function = function

    def __enter__(self) -> None:
        self.function.__name__ = "invented"
        register_rewrite("Doe (2026)")(self.function)

    def __exit__(self, *_: object) -> None:
        rewrites.registry._rewrites.pop("invented")


def test_a_rewrite_of_another_package_may_do_anything() -> None:
    """It may take what it likes, put something in front, and change a layer for a block or a block for a layer."""
    net = cnnzoo.describe("resnet18")
    changes = [
        lambda net: rewrite(net, lambda path, node: None if isinstance(node, BatchNorm2d) else node),
        lambda net: Sequential(stem=Conv2d(3, 5, padding=2), **dict(net.children)),
        lambda net: Sequential(whole=net, head=Linear(7)),
        lambda net: Sequential(conv1=net.conv1, **dict(list(reversed(net.children[3:4])))),
        lambda net: net._with({**dict(net.children), "layer2": Conv2d(128, 3, stride=2, padding=1)}),
        lambda net: net._with({**dict(net.children), "conv1": Sequential(net.conv1, ReLU(), Conv2d(64, 1))}),
    ]
    for change in changes:
        with registered(change):
            found = savings(net, "invented", input_size=(3, 64, 64))
            check(found, calculate(net, (3, 64, 64)), calculate(change(net), (3, 64, 64)))
            assert found.places
            assert call("savings", "resnet18", "--by", "invented", "--input-size", "64").succeeded()
    assert found.places[0].path == "conv1"
    assert found.places[0].formulas()["params_without"] == "7·7·3·64 + 1·1·64·64 + 64"


def test_of_what_has_no_description_a_summary_says_nothing_of_reductions() -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(64, 16, 1), torch.nn.Conv2d(16, 64, 3))
    module.register_forward_hook(lambda *_: None)
    report = cnnzoo.summary(module, (64, 9, 9))
    assert report.description is None
    assert "Reductions" not in str(report)


def test_savings_are_copied_and_pickled() -> None:
    for found in (savings("googlenet"), savings("vgg16", "merge_stacks")):
        assert str(pickle.loads(pickle.dumps(found))) == str(copy.deepcopy(found)) == str(found)
    halved = rewrites.get_rewrite("scale_width=0.5")
    net = cnnzoo.describe("lenet5_modern")
    assert pickle.loads(pickle.dumps(halved))(net) == halved(net) != net


def test_a_report_is_the_same_whatever_it_is_calculated_from() -> None:
    one, other = (calculate(Sequential(a=Conv2d(2, 1, padding=padding)), (3, 4, 4)) for padding in ("valid", 0))
    assert one.description != other.description
    assert one.rows[0].settings != other.rows[0].settings
    assert calculate(Sequential(ReLU()), (3,)) == calculate(Sequential(ReLU()), (3,))


def test_a_device_that_is_none_is_refused_with_what_there_is() -> None:
    with pytest.raises(UnknownRewriteError, match="unknown technique 'reduction'; did you mean reductions"):
        of("vgg16", "reduction")
    with pytest.raises(UnknownRewriteError, match="there are sharing, separable, reductions, stacks, groups, poi"):
        of("vgg16", "qqq")
    with pytest.raises(ValueError, match="needs its factor"):
        of("vgg16", "scale_width")


# The command


@pytest.mark.wide
def test_json_and_csv_have_every_place_with_its_exact_figures(name: str) -> None:
    found = famous(cnnzoo.summary(name))
    if found is None:
        call("savings", name).refused(name, f"nothing to save by {' or '.join(FAMOUS)}", "narrows")
        return
    data = json.loads(call("savings", name, "--format", "json", "--depth", "1").succeeded())
    assert data == json.loads(json.dumps(found.to_dict()))
    assert [entry["path"] for entry in data["entries"]] == [place.path for place in found.places]
    for figure in (*found.total._fields, "params_saved", "macs_saved"):
        parts = [entry[figure] for entry in (*data["entries"], data["rest"])]
        assert sum(parts) == data["total"][figure] == getattr(found.total, figure)
    for entry in data["entries"]:
        assert all(worth(entry[f"{figure}_formula"]) == entry[figure] for figure in found.total._fields)
        assert entry["designed"] + entry["without"]
    rows = list(csv.DictReader(io.StringIO(call("savings", name, "--format", "csv").succeeded())))
    assert [row["params_saved"] for row in rows] == [str(place.figures.params_saved) for place in found.places]


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_says_what_is_saved(format_: str, tmp_path) -> None:
    text = call("savings", "googlenet", "--format", format_).succeeded()
    assert "inception3a" in text
    assert {"csv": "221312", "json": "18307392"}.get(format_, "18,307,392") in text
    if format_ not in ("csv", "json"):
        assert "googlenet+drop_reductions" in text.replace("\\_", "_")
        assert "Szegedy et al. (2014), section 4" in text
        assert "None" not in text
    if format_ == "text":
        assert text.isascii()
        assert "1*1*192*96 + 3*3*96*128 + 224 = 129,248 parameters against 3*3*192*128 + 128 = 221,312" in text
        assert "?" not in text
    path = tmp_path / "saved"
    call("savings", "googlenet", "--format", format_, "-o", str(path)).succeeded()
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", ["googlenet", "googlenet_tv", "resnet50", "densenet121", "vgg16", "alexnet"])
def test_it_fits_a_terminal_of_80_columns(name: str) -> None:
    lines = table_lines(without_codes(on_terminal("savings", name, columns=80)))
    assert max(map(len, lines)) <= 80
    assert lines[-1].startswith("Total ")
    assert lines[2][0] in "├└"


def test_the_bar_is_as_long_as_the_share() -> None:
    lines = table_lines(str(of("plain34", "scale_depth=2")))
    assert lines[2].endswith("100.0 %  ████")
    assert lines[-1].endswith("50.4 %  ██")  # 51.2 % of the parameters
    assert not re.search("[█▏▎▍▌▋▊▉]", "".join(table_lines(str(of("resnet50", "stride_on_1x1")))))


def test_targets_and_devices_of_the_command(tmp_path) -> None:
    out = call("savings", "resnet18+scale_width=0.5", "--by", "widen_1x1", "--rewrite", "drop_shortcuts")
    out.refused("resnet18+scale_width=0.5", "there is no 1x1 convolution")
    assert "against 3x3 ones" in call("savings", "resnet50", "--by", "pointwise", "--depth", "1").succeeded()
    small = call("savings", "resnet50", "--input-size", "64", "--num-classes", "10", "--arg", "width=8").succeeded()
    assert "3x64x64" in small
    path = tmp_path / "mine.py"
    path.write_text(
        "import torch\nfrom cnnzoo.arch import Conv2d, Sequential\n"
        "def net():\n    return Sequential(stem=Conv2d(32, 1), a=Conv2d(8, 1), b=Conv2d(32, 3))\n"
        "def module():\n    return torch.nn.Conv2d(3, 4, 3)\n"
    )
    out = call("savings", f"{path}:net", "--input-size", "3x9x9").succeeded()
    assert f"{path}:net's 1x1 reductions save" in out
    assert "a-b" in out
    call("savings", f"{path}:module", "--input-size", "3x9x9").refused("there is nothing to save")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gogglenet"], ["unknown model 'gogglenet'", "did you mean googlenet"]),
        (["googlenet", "--by", "reduction"], ["unknown technique 'reduction'", "did you mean reductions"]),
        (["vgg16", "--by", "groups"], ["vgg16: there is nothing to save by groups: no convolution has groups"]),
        (["faster_rcnn_zf", "--by", "sharing"], ["nothing to save by sharing: rpn reads features, too"]),
        (["vgg16", "--by", "scale_width"], ["scale_width needs its factor"]),
        (["vgg16", "--input-size", "8"], ["at features.23: MaxPool2d"]),
        (["vgg16", "--input-size", "8x8"], ["at features.0: Conv2d needs maps"]),
        (["vgg16", "--input-size", "8xx8"], ["no input size"]),
        (["vgg16", "--arg", "widht=8"], ["widht", "width"]),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(arguments: list[str], said: list[str]) -> None:
    call("savings", *arguments).refused(*said)


@pytest.mark.parametrize("name", ["vgg16", "resnet18", "vgg16c"])
def test_a_summary_without_reductions_loads_nothing_for_them(name: str) -> None:
    modules = loaded(f"from cnnzoo.cli import main; main(['summary', '{name}'])")
    assert not {name for name in modules if name.startswith(("cnnzoo.features.savings", "cnnzoo.rewrites"))}


def test_what_is_less_than_what_is_printed_of_a_share_is_said_to_be():
    said = {share: _amount(1234, share, "parameters") for share in (None, 0, 0.00049, -0.00049, 0.0005, -0.0005, 0.5)}
    assert said == {
        None: "1,234 parameters",
        0: "1,234 parameters (under 0.1 %)",
        0.00049: "1,234 parameters (under 0.1 %)",
        0.0005: "1,234 parameters (0.1 %)",
        0.5: "1,234 parameters (50.0 %)",
    } | {-0.00049: "1,234 parameters (under 0.1 %)", -0.0005: "1,234 parameters (0.1 %)"}


def test_what_is_said_under_the_table_is_said_where_it_is_so() -> None:
    """Of heads that differ, and of rows that stand for several."""
    cases = [
        *(("googlenet", "pointwise", True), ("vgg16", "stacks", False)),
        *(("resnet50", None, True), ("resnet101", None, False)),
    ]
    labels = {name: [label for label, _ in of(name, by).document(fold=fold).said] for name, by, fold in cases}
    assert [name for name, said in labels.items() if "Auxiliary" in said] == ["googlenet"]
    assert [name for name, said in labels.items() if "×N" in said] == ["resnet50"]


def test_what_is_saved_of_nothing_is_said_without_a_share() -> None:
    """Where nothing is left without the technique there is nothing that the saving is a part of."""
    net = Sequential(one=Conv2d(4, 3), rest=Flatten())
    with registered(lambda net: Sequential(rest=net.rest)):
        sentence = savings(net, "invented", input_size=(2, 5, 5)).sentence
    assert sentence == "the network costs 76 parameters and 648 MACs more than the network+invented"


@pytest.mark.parametrize("by", ["pointwise", "depthwise_separable", "factorise=1xn", "scale_width=0.5", "drop_gates"])
@pytest.mark.parametrize("name", STEPPED)
def test_what_layers_that_run_again_cost_is_said_where_they_stand(name: str, by: str) -> None:
    report = calculate(*STEPPED[name])
    try:
        found = saved(report, by)
    except DoesNotApply:
        return
    assert (found.total.params, found.total.macs) == (report.total_params, report.total_macs)
    rest = found.rest
    assert (rest.params, rest.macs) == (rest.params_without, rest.macs_without)
    for place in found.places:
        for figure, formula in place.formulas().items():
            assert worth(formula) == getattr(place.figures, figure)
    found.document()
