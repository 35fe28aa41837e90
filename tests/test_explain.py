"""Every formula that `cnnzoo explain` prints is worth what it is said to be, and that is what the report says."""

from __future__ import annotations

import csv
import json
import re
from fractions import Fraction
from functools import cache, partial
from io import StringIO
from itertools import product
from math import ceil, floor, prod
from typing import Any

import pytest
import torch
from command import call, on_terminal, without_codes
from hypothesis import example, given
from hypothesis import strategies as st
from said import attention, graphs, timm
from small import small, takes
from strategies import ADAPTIVE_POOL, AVG_POOL, CONV, CONV_TRANSPOSE, LAYERS, MAX_POOL, RBFS, maps, networks
from torch import nn

import cnnzoo
from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Add,
    AvgPool2d,
    Cat,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Dense,
    Difference,
    From,
    Gate,
    Identity,
    Layer,
    MaxPool2d,
    ModuleList,
    Multiply,
    Node,
    Outputs,
    PathError,
    ReLU,
    Residual,
    Run,
    Sequential,
    ShapeError,
    Shortcut,
    Slice,
    Subtract,
    Upsample,
    UpsampleLike,
    Window,
    ZeroPad2d,
    find,
    layer,
    walk,
)
from cnnzoo.calculate import calculate
from cnnzoo.cli import explain as command
from cnnzoo.features.explain import Equation, Explanation, explain
from cnnzoo.features.explain.formulas import FORMULAS
from cnnzoo.features.explain.sliding import Sliding
from cnnzoo.render.document import FORMATS
from cnnzoo.words import Range, sides
from cnnzoo.zoo import get_builder, list_models

each = pytest.mark.parametrize("name", list_models())


# What a formula is worth, worked out by nothing but the rules of arithmetic.

TOKEN = re.compile(r"\s*(\d[\d,]*|.)")


@cache
def worth(formula: str) -> int:
    """+, −, ·, /, brackets, floors and ceilings; anything else is an error, and so is what is no whole number."""
    tokens = TOKEN.findall(formula)
    value = _sum(tokens)
    assert not tokens, f"{formula}: {tokens} is left"
    assert value.denominator == 1, formula
    return int(value)


def reach(formula: str) -> int | Range:
    """Of a formula of a receptive field: of one that has two, a range."""
    worths = [*map(worth, formula.split(" to "))]
    return Range(*worths) if len(worths) > 1 else worths[0]


def _sum(tokens: list[str]) -> Fraction:
    value = _product(tokens)
    while tokens and tokens[0] in "+−":
        value += _product(tokens) if tokens.pop(0) == "+" else -_product(tokens)
    return value


def _product(tokens: list[str]) -> Fraction:
    value = _factor(tokens)
    while tokens and tokens[0] in "·/":
        value = value * _factor(tokens) if tokens.pop(0) == "·" else value / _factor(tokens)
    return value


def _factor(tokens: list[str]) -> Fraction:
    token = tokens.pop(0)
    closing = {"(": (")", Fraction), "⌊": ("⌋", floor), "⌈": ("⌉", ceil)}
    if token == "−":
        return -_factor(tokens)
    if token not in closing:
        assert re.fullmatch(r"\d{1,3}(,\d{3})*", token), token
        return Fraction(token.replace(",", ""))
    close, rounded = closing[token]
    value = _sum(tokens)
    assert tokens.pop(0) == close
    return Fraction(rounded(value))


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("⌊(224 + 2·3 − 7)/2⌋ + 1", 112),
        ("⌈(112 + 2·0 − 3)/2⌉ + 1", 56),
        ("64·112·112 · 3·7·7", 118_013_952),
        ("10 − 2 − 3", 5),
        ("12/2/3", 2),
        ("1,000 − 1,000/1,000", 999),
    ],
)
def test_the_evaluator(formula: str, value: int) -> None:
    assert worth(formula) == value


@pytest.mark.parametrize("formula", ["1/2", "1 +", "(1", "1)", "1 - 1", "2*3", "10,00", "x", ""])
def test_the_evaluator_takes_nothing_else(formula: str) -> None:
    with pytest.raises((AssertionError, IndexError)):
        worth(formula)


# Every formula, everywhere.


def figure(explanation: Explanation, one: Equation) -> int:
    """What the report says of it."""
    row = explanation.row
    tensors = {**row.tensors, **row.buffer_tensors}
    if one.figure in tensors:
        return prod(tensors[one.figure])
    names = {1: ["features"], 3: ["channels", "height", "width"]}
    dimensions = names.get(len(row.output_shape), [f"dimension_{n + 1}" for n in range(len(row.output_shape))])
    if one.figure in dimensions:
        return row.output_shape[dimensions.index(one.figure)]
    if one.figure.startswith("extent"):
        sides = {name: value if isinstance(value, tuple) else (value, value) for name, value in row.settings.items()}
        axis = one.figure.endswith("width")
        taps = range(0, sides["kernel_size"][axis] * sides["dilation"][axis], sides["dilation"][axis])
        return taps[-1] + 1
    return getattr(row, one.figure)


def hold(explanation: Explanation, formulas: bool = True) -> None:
    """Each equation is true and says what the report says; `formulas`: none is missing."""
    row = explanation.row
    for one in explanation.equations:
        assert one.value == figure(explanation, one), one
        assert one.formula or not formulas, one
        if one.formula:
            assert worth(one.formula) == one.value, one
    told = {one.figure for one in explanation.equations}
    counts = ("macs", "flops", "comparisons", "additions", "multiplications", "exponentials")
    assert {name for name in counts if getattr(row, name)} == told & {*counts}
    if explanation.children:
        assert told >= {name for name in ("params", "buffers") if getattr(row, name)}
    else:
        assert told >= {name or "params" for name in (*row.tensors, *row.buffer_tensors)}
        assert ("stored_bytes" in told) == bool(row.stored_bytes)
    for steps in (explanation.steps, [one for _, one in explanation.folded]):
        for one in steps:
            values = one.value if isinstance(one.value, tuple) else (one.value,) * 2
            of_sides = one.formula.split("; ") if "; " in one.formula else [one.formula] * 2
            assert tuple(map(reach, of_sides)) == values, one
        if row.receptive_field is not None:
            assert steps[-1].value == row.receptive_field
            if len(row.output_shape) == 3:
                last = (steps[-1].effective_stride, steps[-1].effective_padding)
                assert last == (row.effective_stride, row.effective_padding)
    unknown = [sentence for label, sentence in explanation.said if label == "Receptive field"]
    assert [row.receptive_field is None] == [bool(unknown)]
    for _, sentence in explanation.said:
        for formula, value in re.findall(r"([\d(⌊⌈][\d,·+−/⌊⌋⌈⌉() ]*) = ([\d,]+)", sentence):
            assert worth(formula) == worth(value.rstrip(",")), sentence


def everywhere(description: Node, size: Any) -> list[Explanation]:
    """Of every node that is run."""
    report = calculate(description, size)
    ran = {row.path for row in (*report.rows, *report.blocks)}
    return [explain(report, path) for path, _ in walk(description) if path in ran]


@pytest.mark.wide
@each
def test_every_formula_of_every_network_is_worth_the_report_s_figure(name: str) -> None:
    builder = get_builder(name)
    explanations = everywhere(builder.describe(), builder.input_size)
    for explanation in explanations:
        hold(explanation)
    leaves = {one.row.path for one in explanations if not one.children}
    assert leaves >= {row.path for row in cnnzoo.summary(name).rows if not row.own}


@pytest.mark.wide
@each
def test_and_in_small_at_an_uneven_size(name: str) -> None:
    description, (channels, *sides) = small(name)
    uneven = ((13, 6), (64, 32))  # some take multiples of 32
    sizes = ((channels, *(side + more for side, more in zip(sides, both, strict=False))) for both in uneven)
    for explanation in everywhere(description, next(size for size in sizes if takes(description, size))):
        hold(explanation)


STEPS = {
    "hrnet": (timm.hrnet_w18_small, (3, 64, 64)),
    "res2net": (cnnzoo.get_builder("res2net50_26w_4s").describe, (3, 33, 40)),
    "unet": (partial(graphs.unet_2015, 4), (3, 188, 204)),
    "retinanet": (graphs.retinanet, (3, 32, 32)),
    "siamese": (graphs.siamese, ((3, 19, 19), (3, 21, 24))),
    "pyramid": (partial(graphs.pyramid, 5), ((5, 4, 4), (4, 8, 8), (3, 16, 16))),
    "resizing": (partial(graphs.resizing_unet, 4), (3, 21, 13)),
    "selective_kernel": (attention.selective_kernel, (64, 9, 7)),
    "cbam": (attention.cbam, (64, 8, 8)),
}


@pytest.mark.wide
@pytest.mark.parametrize("name", STEPS)
def test_every_formula_of_steps(name: str) -> None:
    make, size = STEPS[name]
    explanations = everywhere(make(), size)
    for explanation in explanations:
        hold(explanation)
    assert {one.row.path for one in explanations} >= {row.path for row in calculate(make(), size).rows if not row.own}


@given(maps().flatmap(lambda shape: st.tuples(networks(shape, LAYERS, steps=True), st.just(shape))))
@example((Sequential(Dense(ZeroPad2d((0, 0, -1, 1)))), (1, 1, 1)))
@example((Sequential(Concat(Slice(1, None, 2), Slice(0, -1, 2))), (1, 4, 1)))
def test_every_formula_of_random_networks(drawn: tuple[Node, tuple[int, ...]]) -> None:
    for explanation in everywhere(*drawn):
        hold(explanation)


def built(kind: type[Layer], settings: st.SearchStrategy[dict]) -> st.SearchStrategy[Layer | None]:
    def make(given: dict) -> Layer | None:
        try:
            return kind(**given)
        except ShapeError:
            return None

    return settings.map(make)


SLIDING = st.one_of(
    built(Conv2d, CONV),
    built(ConvTranspose2d, CONV_TRANSPOSE),
    built(MaxPool2d, MAX_POOL),
    built(AvgPool2d, AVG_POOL),
    built(AdaptiveAvgPool2d, ADAPTIVE_POOL),
)


@given(SLIDING.filter(bool), st.tuples(st.sampled_from([6, 12]), st.integers(1, 40), st.integers(1, 40)))
def test_every_formula_of_random_windows(given: Layer, shape: tuple[int, ...]) -> None:
    try:
        report = calculate(given, shape)
    except ShapeError:
        return
    hold(explain(report, ""))


@given(LAYERS | RBFS, st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple))
def test_every_formula_of_random_layers_on_any_shape(given: Layer, shape: tuple[int, ...]) -> None:
    try:
        report = calculate(given, shape, batch_size=3, dtype="float16")
    except ShapeError:
        return
    hold(explain(report, ""))


def test_every_kind_of_layer_has_its_formulas() -> None:
    """Those of the package; what others define may do without."""
    kinds = (kind for kind in Node.kinds.values() if issubclass(kind, Layer) and kind.__module__.startswith("cnnzoo."))
    assert {*kinds} - FORMULAS.keys() == {Layer, Identity}


@pytest.mark.filterwarnings("ignore:Using padding=.same.")
def test_formulas_are_worth_what_torch_makes() -> None:
    """The sizes and the parameters of real modules."""
    cases: list[tuple[Layer, nn.Module, tuple[int, ...]]] = [
        (Conv2d(64, 7, stride=2, padding=3), nn.Conv2d(3, 64, 7, stride=2, padding=3), (3, 224, 224)),
        (Conv2d(8, 3, dilation=3, groups=2), nn.Conv2d(6, 8, 3, dilation=3, groups=2), (6, 31, 17)),
        (Conv2d(4, (4, 3), padding="same"), nn.Conv2d(2, 4, (4, 3), padding="same"), (2, 9, 8)),
        (ConvTranspose2d(4, 4, stride=2, padding=1), nn.ConvTranspose2d(6, 4, 4, 2, 1), (6, 9, 8)),
        (
            ConvTranspose2d(4, 3, stride=3, output_padding=2, groups=2),
            nn.ConvTranspose2d(6, 4, 3, 3, 0, 2, 2),
            (6, 9, 8),
        ),
        *(
            (MaxPool2d(*given, ceil_mode=up), nn.MaxPool2d(*given, ceil_mode=up), (2, side, side + 1))
            for given, up, side in product([(2, 3, 1), (3, 2, 1), (2, 2, 0)], [False, True], [5, 6, 7])
        ),
    ]
    for own, module, shape in cases:
        equations = {one.figure: one for one in explain(calculate(own, shape), "").equations}
        out = module(torch.zeros(1, *shape))
        assert [worth(equations[side].formula) for side in ("height", "width")] == [*out.shape[2:]]
        assert {name: worth(equations[name].formula) for name, _ in module.named_parameters()} == {
            name: tensor.numel() for name, tensor in module.named_parameters()
        }


# What no window reads.


@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 6), st.integers(1, 4), st.integers(0, 3), st.booleans())
def test_what_is_left_and_what_is_skipped_are_the_positions_that_nothing_reads(
    length: int, kernel: int, stride: int, dilation: int, padding: int, ceil_mode: bool
) -> None:
    extent = dilation * (kernel - 1) + 1
    room = length + 2 * padding - extent
    if room < 0 or 2 * padding > kernel:
        return
    fits = (ceil(Fraction(room, stride)) if ceil_mode else room // stride) + 1
    fits -= ceil_mode and (fits - 1) * stride >= length + padding
    sliding = Sliding(length, Window(extent, stride, padding), padding, fits, dilation, ceil_mode)
    read = {window * stride + tap * dilation for window in range(fits) for tap in range(kernel)}
    unread = set(range(length + 2 * padding)) - read
    assert sliding.skipped + max(sliding.left, 0) == len(unread)
    assert unread >= set(range(length + 2 * padding - max(sliding.left, 0), length + 2 * padding))
    assert sliding.left >= 0 or max(read) == length + 2 * padding - sliding.left - 1
    assert worth(sliding.size()) == fits
    assert worth(sliding.extent()) == extent


@pytest.mark.parametrize(("stride", "side"), [(2, 9), (2, 8), (3, 9), (3, 11), (4, 11)])
def test_what_no_window_reads_has_no_gradient(stride: int, side: int) -> None:
    x = torch.zeros(1, 1, side, side, requires_grad=True)
    nn.functional.conv2d(x, torch.ones(1, 1, 2, 2), stride=stride).sum().backward()
    unread = int((x.grad.sum((0, 1, 3)) == 0).sum())
    sliding = Sliding(side, Window(2, stride), 0, (side - 2) // stride + 1)
    assert sliding.left + sliding.skipped == unread


def said(explanation: Explanation, label: str) -> str:
    return "; ".join(sentence for own, sentence in explanation.said if own == label)


def alone(own: Layer, *shape: int) -> Explanation:
    return explain(calculate(own, shape), "")


@pytest.mark.parametrize(
    ("own", "side", "sentence"),
    [
        (Conv2d(1, 7, stride=2, padding=3), 224, "223/2 is rounded down, no window reads the last of the 230 padded"),
        (Conv2d(1, 3), 8, ""),
        (Conv2d(1, 2, stride=2), 8, "6/2 is exact"),
        (Conv2d(1, 1, stride=2), 9, "8/2 is exact, 4 rows and columns between are read by none"),
        (MaxPool2d(3, 2, ceil_mode=True), 112, "109/2 is rounded up, the last window reaches 1 beyond the edge"),
        (MaxPool2d(2, 2, 1, ceil_mode=True), 5, "is left out"),
    ],
)
def test_whether_the_division_is_exact(own: Layer, side: int, sentence: str) -> None:
    assert sentence in said(alone(own, 1, side, side), "Rounding")
    assert bool(sentence) == bool(said(alone(own, 1, side, side), "Rounding"))


def test_windows_of_adaptive_pooling_are_torch_s() -> None:
    for have, want in [(13, 6), (7, 1), (5, 3), (3, 5), (4, 4)]:
        sentence = said(alone(AdaptiveAvgPool2d(want), 1, have, have), "Windows")
        x = torch.zeros(1, 1, have, have, requires_grad=True)
        spans = []
        for cell in nn.AdaptiveAvgPool2d((want, 1))(x)[0, 0, :, 0]:
            (gradient,) = torch.autograd.grad(cell, x, retain_graph=True)
            rows = gradient.sum((0, 1, 3)).nonzero().flatten().tolist()
            spans.append(f"{rows[0]}-{rows[-1]}" if len(rows) > 1 else str(rows[0]))
        if want == 1:
            assert sentence == f"rows and columns: one window of all {have}"
        else:
            assert sentence.endswith(f": {', '.join(spans)}")


# The numbers of the papers.


def formula(name: str, path: str, of: str) -> tuple[str, int]:
    report = cnnzoo.summary(name)
    (one,) = (one for one in explain(report, path).equations if one.figure == of)
    return one.formula, one.value


@pytest.mark.parametrize(
    ("name", "path", "of", "text", "value"),
    [
        ("resnet50", "conv1", "height", "⌊(224 + 2·3 − 7)/2⌋ + 1", 112),
        ("resnet50", "conv1", "weight", "64·3·7·7", 9_408),
        ("resnet50", "conv1", "macs", "64·112·112 · 3·7·7", 118_013_952),
        ("alexnet", "conv2", "weight", "256·(96/2)·5·5", 307_200),
        ("alexnet", "flatten", "features", "256·6·6", 9_216),
        ("googlenet", "maxpool1", "height", "⌈(112 + 2·0 − 3)/2⌉ + 1", 56),
        ("googlenet", "inception3a", "channels", "64 + 128 + 32 + 32", 256),
        ("lenet5", "s2", "params", "6 + 6", 12),
        ("lenet5", "s2", "connections", "6·14·14 · (2·2 + 1)", 5_880),
        ("lenet5", "c3", "params", "1,500 + 16", 1_516),
        ("lenet5", "c3", "connections", "((6·3 + 9·4 + 6)·5·5 + 16) · 10·10", 151_600),
        ("densenet121", "features.denseblock1.denselayer1", "channels", "64 + 32", 96),
    ],
)
def test_famous_formulas(name: str, path: str, of: str, text: str, value: int) -> None:
    assert formula(name, path, of) == (text, value)


def test_fixed_centres_are_no_parameters() -> None:
    explanation = explain(cnnzoo.summary("lenet5"), "output")
    assert {one.figure: one.formula for one in explanation.equations}["centres"] == "10·84"
    assert "nothing to train" in said(explanation, "Centres")


# Receptive fields.


def said_of(description: Node, size: Any, path: str) -> dict[str, str]:
    return dict(explain(calculate(description, size), path).said)


PYRAMID = Sequential(
    c4=Conv2d(4, 3, stride=2, padding=1),
    c5=Conv2d(4, 3, stride=2, padding=1),
    p5=UpsampleLike("c5", "c4"),
    l4=From("c4", Conv2d(4, 1)),
    p4=Add("l4", "p5", "c4"),
    both=Cat("p4", "l4", dim=-2),
    head=From("c5", Sequential(conv=Conv2d(2, 1), act=ReLU())),
    head4=Run("head", "p4"),
    out=Outputs("head", "head4", "both"),
)


def test_steps_are_explained_by_the_names_that_they_read() -> None:
    said = said_of(PYRAMID, (3, 16, 16), "p4")
    assert said["Place"] == "p4, in a Sequential, reads l4, p5 and c4"
    assert said["Step"] == "Add(): 4x8x8, 4x8x8 and 4x8x8 → 4x8x8"
    explanation = explain(calculate(PYRAMID, (3, 16, 16)), "p4")
    assert explanation.reads == "l4, p5, c4"
    assert ("additions", "4·8·8 + 4·8·8", 512) in [one[1:4] for one in explanation.equations]
    both = explain(calculate(PYRAMID, (3, 16, 16)), "both")
    assert ("height", "8 + 8", 16) in [one[1:4] for one in both.equations]
    whole = said_of(PYRAMID, (3, 16, 16), "")
    assert whole["Block"] == "Sequential: 3x16x16 → 2x4x4, 2x8x8 and 4x16x8"
    assert whole["Meet"] == (
        "p5 reads c5 and c4; l4 reads c4; p4 reads l4, p5 and c4; both reads p4 and l4; head reads c5; "
        "head4 runs head on p4; it gives head, head4 and both; each other child reads what the one before gives"
    )
    for one in everywhere(PYRAMID, (3, 16, 13)):
        hold(one)


def test_layers_that_run_again_are_explained_once() -> None:
    said = said_of(PYRAMID, (3, 16, 16), "head.conv")
    assert said["Runs again"] == "as head4 on p4; its parameters count once"
    assert said_of(PYRAMID, (3, 16, 16), "head.act")["Runs again"] == "as head4 on p4"
    assert "Runs again" not in said_of(PYRAMID, (3, 16, 16), "l4")
    head = explain(calculate(PYRAMID, (3, 16, 16)), "head")
    assert [(row.path, row.call) for row in head.children] == [
        *(("head.conv", 1), ("head.conv", 2), ("head.act", 1), ("head.act", 2))
    ]
    assert "Conv2d (call 2)" in head.document().text("table")
    with pytest.raises(PathError, match="at head4: the layers of head run again; explain head"):
        explain(calculate(PYRAMID, (3, 16, 16)), "head4")
    with pytest.raises(PathError, match="at out: names of values that leave; explain the whole network"):
        explain(calculate(PYRAMID, (3, 16, 16)), "out")


def test_layers_that_are_held_are_explained_where_they_run() -> None:
    unit = Sequential(
        held=ModuleList(Conv2d(4, 3, padding=1)),
        a=Run("held.0", "input.0"),
        b=Run("held.0", "input.1"),
        out=Subtract("a", "b"),
    )
    net = Sequential(unit=From("input.0", "input.1", unit), end=ReLU())
    sizes = ((4, 8, 8), (4, 8, 8))
    said = said_of(net, sizes, "unit.held.0")
    assert said["Runs as"] == "unit.a on input.0"
    assert said["Runs again"] == "as unit.b on input.1; its parameters count once"
    assert said["Place"] == "unit.held.0, in a ModuleList, reads input.0"
    assert said_of(net, sizes, "unit")["Block"] == "Sequential: 4x8x8 and 4x8x8 → 4x8x8"
    assert (
        said_of(net, sizes, "")["Meet"]
        == "unit reads input.0 and input.1; each other child reads what the one before gives"
    )
    for one in everywhere(net, sizes):
        hold(one)


def test_a_gate_decides_nothing_of_what_is_seen() -> None:
    gate = Gate(pool=AdaptiveAvgPool2d(1), fc=Conv2d(4, 1))
    net = Sequential(conv=Conv2d(4, 3), gate=gate, other=Multiply("gate", "gate.pool"), end=Conv2d(1, 3))
    report = calculate(net, (3, 9, 9))
    said = dict(explain(report, "end").said)
    assert "Joins" not in said
    assert dict(explain(report, "gate").said)["Meet"] == (
        "4x7x7 · 4x1x1, element by element: 4·7·7 = 196 multiplications"
    )
    assert explain(report, "end").steps[-1].value == report["end"].receptive_field == 5
    for one in everywhere(net, (3, 9, 9)):
        hold(one)


def test_steps_of_resnet50() -> None:
    """Sizes behind the stem and behind each 3x3, folded where they stand side by side."""
    explanation = explain(cnnzoo.summary("resnet50"), "layer4.2.conv3")
    assert [(name, one.value) for name, one in explanation.folded] == [
        ("receptive field", 1),
        ("conv1", 7),
        ("maxpool", 11),
        ("layer1.0-2.conv2", 35),
        ("layer2.0.conv2", 43),
        ("layer2.1-3.conv2", 91),
        ("layer3.0.conv2", 107),
        ("layer3.1-5.conv2", 267),
        ("layer4.0.conv2", 299),
        ("layer4.1-2.conv2", 427),
        ("layer4.2.conv3", 427),
    ]
    assert len(explanation.steps) == 1 + 2 + 16 + 1
    assert "layer1.0 … layer4.1 (15 joins): the body sees all" in said(explanation, "Joins")


def test_the_branch_that_decides_is_named() -> None:
    explanation = explain(cnnzoo.summary("googlenet"), "inception3b")
    assert said(explanation, "Joins") == "inception3a … inception3b (2 joins): branch3 sees all that the others do"


def test_a_union_of_branches_none_of_which_sees_all() -> None:
    branches = {"a": Conv2d(2, (1, 7), padding=(0, 3)), "b": Conv2d(2, (5, 1), padding=(2, 0))}
    net = Sequential(conv=Conv2d(4, 3, stride=2, padding=1), join=Concat(**branches))
    report = calculate(net, (3, 32, 32))
    explanation = explain(report, "join")
    hold(explanation)
    last = explanation.steps[-1]
    assert (last.path, last.value, last.kernel) == ("join", (11, 15), None)
    assert said(explanation, "Joins") == "join: none sees all, the union counts; a 3x15, b 11x3"


def test_a_union_of_what_begins_first_and_what_reads_furthest() -> None:
    """From 4 before the edge to 3 behind it: the branch that sees most is not the one that reads furthest."""
    net = Concat(first=Conv2d(1, 5, stride=8, padding=4), last=Conv2d(1, 3, stride=8))
    explanation = explain(calculate(net, (2, 12, 12)), "")
    hold(explanation)
    assert explanation.steps[-1][2:4] == ("(3 − 0) + 4", 7)


def test_a_gate_is_said_beside_the_receptive_field() -> None:
    net = Sequential(conv=Conv2d(4, 3), gate=Gate(pool=AdaptiveAvgPool2d(1), fc=Conv2d(4, 1)), after=Conv2d(4, 3))
    report = calculate(net, (2, 8, 8))
    for path in ("gate", "after"):
        explanation = explain(report, path)
        assert said(explanation, "With gates") == "a position sees 8"
        assert not said(explanation, "Joins")
        hold(explanation)
    assert not said(explain(report, "conv"), "With gates")


@pytest.mark.parametrize(
    ("net", "why"),
    [
        (Sequential(up=ConvTranspose2d(2, 2, stride=300), after=ReLU()), "up (ConvTranspose2d) does not read windows"),
        (
            Sequential(up=Upsample(scale_factor=16), more=Upsample(scale_factor=17), after=ReLU()),
            "more (Upsample) comes to more than 256 positions that see differently",
        ),
        (
            Sequential(up=ConvTranspose2d(2, 1, stride=2), conv=Conv2d(2, 3), after=ReLU()),
            "conv (Conv2d) reads positions some of which see nothing",
        ),
        (
            Sequential(
                join=Residual(conv=Conv2d(2, 3, padding=1, stride=2), up=AdaptiveAvgPool2d(8)),
                after=ReLU(),
            ),
            "join.up (AdaptiveAvgPool2d) does not read windows",
        ),
        (
            Sequential(join=Concat(a=MaxPool2d(2), b=Conv2d(2, 5)), after=ReLU()),
            "join (cat) joins branches of different effective strides: a 2x2, b 1x1",
        ),
    ],
)
def test_why_a_receptive_field_is_unknown(net: Node, why: str) -> None:
    explanation = explain(calculate(net, (2, 8, 8)), "after")
    assert why in said(explanation, "Receptive field")
    hold(explanation)


def test_features_see_no_height_and_width() -> None:
    assert said(alone(get_builder("lenet5").describe().f6, 120), "Receptive field").startswith("unknown: the input")


# What others define.


@layer
class Mixing(Layer):
    """Says nothing of where its figures come from."""

    size: int

    def tensors(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        return {"mix": (self.size, *shape), "bias": (self.size,)}

    def macs(self, shape: tuple[int, ...]) -> int:
        return 1234


@layer
class Doubled(Conv2d):
    """A convolution that says it does twice the work."""

    def macs(self, shape: tuple[int, ...]) -> int:
        return 2 * super().macs(shape)


del Node.kinds["Mixing"], Node.kinds["Doubled"]


@pytest.mark.parametrize("own", [Mixing(4), Doubled(8, 3)])
def test_a_layer_without_formulas_is_explained_by_its_tensors(own: Layer) -> None:
    explanation = alone(own, 3, 8, 8)
    hold(explanation, formulas=False)
    formulas = {one.figure: one.formula for one in explanation.equations}
    assert formulas["macs"] == ""
    assert formulas.get("mix", formulas.get("weight")) in ("4·3·8·8", "8·3·3·3")


# Blocks.


@pytest.mark.wide
@each
def test_blocks_are_the_sums_of_their_children(name: str) -> None:
    report = cnnzoo.summary(name)
    for block in report.blocks:
        explanation = explain(report, block.path)
        for figure in ("params", "macs", "buffers", "additions"):
            inner = [child for child in explanation.children if child.aux == block.aux]
            assert sum(getattr(child, figure) for child in inner) == getattr(block, figure)
        assert explanation.row == block


def test_children_stand_where_they_run() -> None:
    explanation = explain(cnnzoo.summary("resnet18"), "layer2.0")
    names = [row.name for row in explanation.children]
    assert names == ["conv1", "bn1", "relu1", "conv2", "bn2", "downsample", "(add)", "relu"]
    assert "128x28x28 + 128x28x28, element by element: 128·28·28 = 100,352" in said(explanation, "Meet")


def test_what_a_step_reads_and_how_often_layers_run() -> None:
    report = calculate(graphs.retinanet(), (3, 32, 32))
    assert explain(report, "fpn").reads == "c3.1, c4.1, c5.1"
    assert explain(report, "fpn.top4").reads == "fpn.lateral4, fpn.up5"
    assert "16x8x8 and 16x8x8 → 16x8x8" in said(explain(report, "fpn.top4"), "Step")
    assert said(explain(report, "cls.conv"), "Runs").startswith("3 times, on 16x16x16, 16x8x8, 16x4x4")
    for path, message in [("cls4", "explain cls"), ("fpn.out", "explain fpn"), ("out", "explain the whole network")]:
        with pytest.raises(PathError, match=message):
            explain(report, path)
    pair = calculate(graphs.siamese(), ((3, 19, 19), (3, 19, 19)))
    assert explain(pair, "tower").reads == "input.0"
    assert explain(pair, "difference").reads == "tower.flatten, tower.flatten"
    held = explain(calculate(attention.selective_kernel(), (64, 8, 8)), "paths")
    assert [child.name for child in held.children] == ["0", "1"]


def test_a_plain_shortcut_and_what_is_nowhere_are_refused() -> None:
    report = cnnzoo.summary("resnet18")
    for path, message in [("layer1.0.downsample", "hands its input on"), ("layer9", "did you mean layer")]:
        with pytest.raises(PathError, match=re.escape(message)):
            explain(report, path)


def test_dense_and_empty_blocks() -> None:
    net = Sequential(dense=Dense(conv=Conv2d(2, 1)), nothing=Sequential())
    report = calculate(net, (3, 4, 4))
    assert "3 + 2 = 5" in said(explain(report, "dense"), "Meet")
    other = calculate(Dense(conv=Conv2d(2, 1), pool=Shortcut(AvgPool2d(1))), (3, 4, 4))
    assert "3 + 2 = 5" in said(explain(other, ""), "Meet")
    assert "handed on" in said(explain(report, "nothing"), "Meet")


def test_a_difference() -> None:
    report = calculate(Difference(pool=AvgPool2d(3, stride=1, padding=1)), (3, 4, 4))
    assert said(explain(report, ""), "Meet") == "3x4x4 - 3x4x4, element by element: 3·4·4 = 48 additions"


# The command.

PLACES = [
    ("resnet50", "conv1"),
    ("resnet50", "layer4.2.conv3"),
    ("resnet50", "layer2.0"),
    ("resnet50", "fc"),
    ("alexnet", "conv2"),
    ("alexnet", "flatten"),
    ("googlenet", "maxpool1"),
    ("googlenet", "inception3a"),
    ("googlenet", "inception5b.branch3.1.conv"),
    ("densenet121", "features.denseblock4.denselayer16.conv2"),
    ("densenet121", "features.transition2.pool"),
    ("lenet5", "c3"),
    ("lenet5", "s2"),
]


@pytest.mark.wide
@pytest.mark.parametrize(("name", "path"), PLACES)
def test_every_format_says_it_all(name: str, path: str) -> None:
    description = get_builder(name).describe()
    explanation = explain(cnnzoo.summary(name), path)
    out = {one: call("explain", name, path, "--format", one).succeeded() for one in FORMATS}
    assert out["text"].isascii()
    assert "?" not in out["text"]
    data = json.loads(out["json"])
    assert (data["model"], data["path"], data["macs"]) == (name, path, explanation.row.macs)
    assert data["source"] == repr(find(description, path))
    equations = [*explanation.equations, *explanation.steps]
    assert [worth(one["formula"]) for one in data["equations"]] == [one.value for one in explanation.equations]
    records = list(csv.DictReader(StringIO(out["csv"])))
    assert [(one["path"], one["figure"], one["formula"]) for one in records] == [one[:3] for one in equations]
    for one in ("table", "text", "markdown", "latex", "html"):
        assert f"{explanation.row.params:,}" in out[one] or not explanation.row.params
        assert f"{explanation.row.macs:,}" in out[one] or not explanation.row.macs


@pytest.mark.wide
@pytest.mark.parametrize(("name", "path"), PLACES)
def test_it_fits_a_terminal(name: str, path: str) -> None:
    lines = without_codes(on_terminal("explain", name, path, columns=80)).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80


def test_a_layer_in_no_network() -> None:
    whole = call("explain", "conv2d", "128", "3", "stride=2", "padding=1", "--in", "64x56x56", "--format", "json")
    assert json.loads(whole.succeeded())["source"] == "Conv2d(128, 3, stride=2, padding=1)"
    for said in (
        ["Conv", "128", "(3,3)", "stride=2", "padding=1"],
        ["conv_2D", "128", "3x3", "stride=2x2", "padding=1"],
    ):
        assert call("explain", *said, "--in", "64x56x56", "--format", "json").succeeded() == whole.out


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("maxpool2d 3 2 ceil_mode=True --in 64x9x9", "MaxPool2d(3, stride=2, ceil_mode=True)"),
        ("MaxPool 3 ceil_mode=true --in 64x9x9", "MaxPool2d(3, stride=3, ceil_mode=True)"),
        ("conv2d 8 (3,1) padding=same bias=false --in 3x9x9", "Conv2d(8, (3, 1), padding='same', bias=False)"),
        ("linear 10 --in 9216", "Linear(10)"),
        ("linear 10 --in 49x512", "Linear(10)"),
        ("batchnorm2d momentum=none --in 3x9x9", "BatchNorm2d(momentum=None)"),
        ("bn --in 3x9x9", "BatchNorm2d()"),
        ("lrn 5 --in 96x55x55", "LocalResponseNorm(5)"),
        ("softmax dim=-1 --in 10", "Softmax(dim=-1)"),
        ("tableconv2d ((0,),(0,1)) 3 --in 2x9x9", "TableConv2d(((0,), (0, 1)), 3)"),
    ],
)
def test_layers_by_what_people_call_them(said: str, source: str) -> None:
    data = json.loads(call("explain", *said.split(), "--format", "json").succeeded())
    assert data["source"] == source
    assert data["model"] == data["kind"]


def test_the_batch_in_front_is_the_batch() -> None:
    one, three = (
        json.loads(call("explain", "conv2d", "8", "3", "--in", size, "--format", "json").succeeded())
        for size in ("1x3x9x9", "3x3x9x9")
    )
    assert (3 * one["stored_bytes"], one["macs"]) == (three["stored_bytes"], three["macs"])


CONV2D = "Conv2d(out_channels, kernel_size, *, stride=1, padding=0, dilation=1, groups=1, bias=True)"
TAKES = CONV2D.replace("Conv2d(", "Conv2d takes (")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("resnet50 layer9", ["there is no 'layer9'", "did you mean layer1 or layer2 or layer3?"]),
        ("resnet50 layer1.0.downsampled", ["at layer1.0", "downsample"]),
        ("resnet50 layer1.1.downsample", ["plain shortcut"]),
        ("resnet50 conv1 bn1", ["one PATH"]),
        ("resnet51 conv1", ["unknown model", "resnet50"]),
        ("resnet50 conv1 --input-size 3x3x", ["--input-size"]),
        ("vgg16 features.0 --input-size 1", ["at features.4: MaxPool2d"]),
        ("resnet50+nothing conv1", ["unknown rewrite"]),
        ("resnet50 --in 3x9x9", ["is a network", "--input-size"]),
        ("conv2d 8 3", ["is a layer", "--in"]),
        ("conv2d", ["is a layer", "--in"]),
        ("convolution 8 --in 3x9x9", ["unknown layer 'convolution'"]),
        ("conv3d 8 --in 3x9x9", ["unknown layer 'conv3d'", "did you mean Conv1d or Conv2d?"]),
        ("conv2d --in 3x9x9", [TAKES, "got ()"]),
        ("conv2d 8 --in 3x9x9", [TAKES, "got (8)"]),
        ("conv2d 3 8 3 --in 3x9x9", [TAKES, "got (3, 8, 3); the input channels follow"]),
        ("batchnorm2d 3 --in 3x9x9", ["got (3); the input channels follow"]),
        ("conv2d 8 kernal_size=3 --in 3x9x9", [CONV2D, "takes no 'kernal_size'"]),
        ("conv2d 8 3 in_channels=3 --in 3x9x9", [CONV2D, "takes no 'in_channels'", "--in"]),
        ("conv2d 8 3 stride=1 stride=2 --in 3x9x9", [CONV2D, "stride is given twice"]),
        ("conv2d 8 3 out_channels=8 --in 3x9x9", [TAKES, "got (8, 3, out_channels=8)"]),
        ("conv2d 8 three --in 3x9x9", ["kernel_size must be", "'three'"]),
        ("conv2d 8 11 --in 3x9x9", ["kernel 11", "(3, 9, 9)"]),
        ("conv2d 8 3 --in 9", ["needs maps"]),
        ("conv2d 8 3 --in 0x9x9", ["--in 0x9x9 is no shape"]),
        ("conv2d 8 3 --in three", ["--in three is no shape"]),
        ("conv2d 8 3 --in 3x9x9 --num-classes 3", ["--in", "network"]),
        ("concat 8 --in 3x9x9", ["unknown layer 'concat'"]),
    ],
)
def test_bad_input_is_one_clear_message(said: str, words: list[str]) -> None:
    call("explain", *said.split()).refused(*words)


def test_rewritten_networks_are_explained() -> None:
    data = json.loads(call("explain", "alexnet+ungroup", "conv2", "--format", "json").succeeded())
    assert data["equations"][2]["formula"] == "256·96·5·5"
    same = call("explain", "alexnet", "conv2", "--rewrite", "ungroup", "--format", "json").succeeded()
    assert json.loads(same) == data
    assert any(one["label"] == "Note" for one in data["said"])


def test_without_a_path_it_is_the_whole_network() -> None:
    data = json.loads(call("explain", "resnet18", "--format", "json").succeeded())
    assert (data["path"], data["params"]) == ("", cnnzoo.summary("resnet18").total_params)


def test_paths_complete() -> None:
    context = command.explain_command.make_context("explain", ["resnet18"], resilient_parsing=True)
    rest = command.explain_command.params[1]
    assert command.complete_path(context, rest, "layer2.0.d") == ["layer2.0.downsample"]
    assert "layer1" in command.complete_path(context, rest, "")
    assert command.complete_path(context, rest, "nowhere") == []


@pytest.mark.wide
@each
def test_the_field_of_a_whole_network_has_two_names(name):
    """That of its last map and that of its output, here and under a summary."""
    report = get_builder(name).report()
    said = dict(explain(report, "").document().said)["Receptive field"]
    if report.last_map is None:
        assert said == "unknown: the input has no height and width"
        return
    last, output = report.last_map.receptive_field, report[""].receptive_field
    assert f"Receptive field  {said}\n" in f"{report}\n"
    pixels = f"{sides(last)} pixels" if last else "unknown"
    assert re.match(rf"{pixels}( \(\d+ with its gates\))?; ", said)
    seen = sides(output) if output else "unknown"
    which = "the first output" if report[""].more_outputs else "the output"
    assert said.endswith("the last map" if output == last else f"the last map; {which} sees {seen}")


def test_of_many_channels_only_the_first_are_put_in_order() -> None:
    told = call("explain", "ChannelShuffle", "2", "--in", "900000000x2x2").succeeded()
    assert "Order  of the channels: 0, 450000000, 1, 450000001, 2, 450000002, …" in told
