"""Values that are too many, too large, too deep or no values at all: one short error each, and no time or memory."""

from contextlib import suppress
from functools import partial
from itertools import pairwise, product
from time import process_time

import pytest
from command import call
from hypothesis import given
from hypothesis import strategies as st
from strategies import networks

from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Aux,
    BatchNorm2d,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Dense,
    Dropout,
    FormatError,
    Identity,
    Linear,
    LocalResponseNorm,
    PadChannels,
    ReLU,
    Residual,
    Sequential,
    ShapeError,
    Softmax,
    TableConv2d,
    Window,
    find,
    from_dict,
    loads,
)
from cnnzoo.arch.join import DEEPEST, LARGEST
from cnnzoo.arch.pooling import Shares
from cnnzoo.calculate import calculate
from cnnzoo.features.explain import explain
from cnnzoo.features.match import _point
from cnnzoo.rewrites import scale_depth, scale_width
from cnnzoo.totals import totals
from cnnzoo.words import read_literal
from cnnzoo.zoo import list_models


@pytest.fixture
def quick():
    """No time without bound: what is linear takes a second or two here, what is not takes ten times as long."""
    started = process_time()
    yield
    assert process_time() - started < 10


@pytest.mark.parametrize("length", range(1, 40))
def test_the_shares_of_an_adaptive_pooling_are_those_that_are_listed(length):
    for cells in range(1, 40):
        listed = [(i * length // cells, -(-(i + 1) * length // cells)) for i in range(cells)]
        sizes = [stop - start for start, stop in listed]
        steps = [after - before for (before, _), (after, _) in pairwise(listed)]
        shares = Shares(length, cells)
        assert shares.kernels == {size: sizes.count(size) for size in sizes}
        assert shares.read == sum(sizes)
        uniform = len(set(sizes)) == 1 and len(set(steps)) <= 1
        assert shares.window == (Window(sizes[0], steps[0] if steps else length) if uniform else None)


def test_checks_of_children_are_linear(quick):
    many = 40_000
    wide = Sequential(**{f"n{number}": Identity() for number in range(many)}, aux=Aux("n7", Identity()))
    assert len(wide) == many + 1
    assert find(wide, f"n{many - 1}") == Identity()
    with pytest.raises(ShapeError, match="two children are named '5'"):
        Sequential(*[Identity()] * many, **{"5": Identity()})


def test_a_description_has_so_many_layers_and_joins_and_no_more(quick):
    whole = Sequential(*[Identity()] * (LARGEST - 1))
    assert len(whole) == LARGEST - 1
    with pytest.raises(ShapeError, match="a description has at most 100,000 layers and joins"):
        Sequential(*[Identity()] * LARGEST)
    with pytest.raises(ShapeError, match="at most 100,000"):
        Residual(body=whole)


def nested(kind, levels):
    node = Conv2d(3, 1)
    for _ in range(levels):
        node = kind(node)
    return node


def test_what_doubles_is_counted_as_often_as_it_stands_there(quick):
    with pytest.raises(ShapeError, match="at most 100,000"):
        nested(lambda node: Dense(node, node), DEEPEST)


@pytest.mark.parametrize("kind", [Sequential, Residual, Dense])
def test_a_description_has_so_many_levels_and_no_more(kind):
    whole = nested(kind, DEEPEST - 1)
    with pytest.raises(ShapeError, match="nested more than 64 levels deep"):
        nested(kind, DEEPEST + 1)
    assert eval(repr(whole)) == whole
    if kind is not Dense:
        assert calculate(whole, (3, 1, 1)).total_params == 12


HUGE = 10**4999
BEYOND = 2**63


@pytest.mark.parametrize(
    "make",
    [
        *[partial(Conv2d, value, 1) for value in (HUGE, BEYOND, -HUGE)],
        *[partial(Conv2d, 4, value) for value in (HUGE, (1, HUGE), (HUGE, HUGE), [BEYOND, 1])],
        *[partial(Softmax, value) for value in (HUGE, -BEYOND)],
        *[partial(Dropout, value) for value in (HUGE, float("nan"), "9" * 100_000)],
        *[partial(BatchNorm2d, eps=value) for value in (10**400, -(10**400), float("inf"))],
        partial(BatchNorm2d, momentum=10**400),
        partial(LocalResponseNorm, HUGE),
        partial(AdaptiveAvgPool2d, (None, HUGE)),
        partial(TableConv2d, ((HUGE,),), 1),
        partial(TableConv2d, ((0, 0),) * 100_000, 1),
        partial(PadChannels, BEYOND),
        partial(Linear, "x" * 100_000),
    ],
)
def test_settings_beyond_all_measure_are_refused_in_a_short_line(make, quick):
    with pytest.raises(ShapeError, match="must") as refused:
        make()
    assert len(str(refused.value)) < 300


WIDEST = 2**63 - 1


@pytest.mark.parametrize(
    ("description", "shape", "said"),
    [
        (Identity(), (WIDEST, 2), "an input of"),
        (Conv2d(1 << 40, 1 << 20, padding=1 << 20), (8, 8, 8), "at conv: Conv2d: an output of"),
        (Conv2d(1 << 30, 1 << 20, padding=1 << 19, bias=False), (8, 1, 1), "at conv: Conv2d: a weight of"),
        (Linear(WIDEST), (2,), "at conv: Linear: a weight of"),
        (ConvTranspose2d(1, 1, stride=WIDEST), (1, 9, 9), "at conv: ConvTranspose2d: an output of"),
        (AdaptiveAvgPool2d(WIDEST), (1, 9, 9), "at conv: AdaptiveAvgPool2d: an output of"),
        (Concat(PadChannels(1 << 62), PadChannels(1 << 62)), (1, 1, 1), "at conv: a concatenation of"),
        (Sequential(*[Dense(Identity())] * 70), (1, 1, 1), "at conv.62: a concatenation of"),
        (Sequential(*[ConvTranspose2d(1, 2, stride=2)] * 70), (1, 1, 1), "at conv.31: ConvTranspose2d: an output of"),
    ],
)
def test_tensors_that_torch_cannot_have_are_refused_by_every_reader(description, shape, said, quick):
    description = Sequential(conv=description)
    for reader in (calculate, totals):
        with pytest.raises(ShapeError, match="has more than 2\\*\\*63 - 1 elements") as refused:
            reader(description, shape)
        assert said in str(refused.value)
        assert len(str(refused.value)) < 300
    for change in (scale_width, scale_depth):
        with suppress(ShapeError):
            change(description, 2.0)


def test_a_stride_beyond_all_measure_leaves_the_receptive_field_unknown(quick):
    description = Sequential(*[Conv2d(1, 1, stride=1 << 40)] * 20_000)
    report = calculate(description, (1, 5, 5))
    assert report.receptive_field is None
    assert report[next(row.path for row in report.rows)].effective_stride == 1 << 40
    assert totals(description, (1, 5, 5)).receptive_field is None
    said = dict(explain(calculate(description[:9], (1, 5, 5))).said)
    assert said["Receptive field"] == "unknown: 1 (Conv2d) has a stride beyond 2**63"


DEEP_TEXTS = {
    "digits": "9" * 4999,
    "hex": "0x" + "f" * 900,
    "within": "[1, (2, {3: 0x" + "f" * 30 + "})]",
    "text": "x" * 100_000,
}


@pytest.mark.parametrize("text", DEEP_TEXTS.values(), ids=DEEP_TEXTS)
def test_values_that_are_too_long_or_too_large(text):
    with pytest.raises(ValueError, match=r"a value has at most|a number larger than") as refused:
        read_literal(text)
    assert len(str(refused.value)) < 300
    for command in (
        *(("summary", "vgg16", "--arg", f"depth={text}"), ("summary", f"vgg16+scale_width={text}")),
        *(("sweep", "vgg16", "--width", text), ("match", "vgg16", "--params", "5M", "--depth", text)),
        ("explain", "conv2d", text, "3", "--in", "3x8x8"),
    ):
        said = call(*command).refused()
        assert len(said) < 500, command


@pytest.mark.parametrize(
    "text", ["(" * 900, "-" * 900 + "1", "1+" * 450 + "1j", "[" * 150, "{[]: 1}", "1\0", "\udcff", "'\\d", "1is"]
)
def test_what_is_no_literal_is_text(text, recwarn):
    assert read_literal(text) == text
    assert not recwarn


def test_a_depth_of_many_layers_is_refused_before_they_are_made(quick):
    for name in ("vgg16", "resnet50", "densenet121"):
        for depth in ("999999999", "1,2,3,99999", "9,999999999,9,9", str(2**62)):
            call("summary", name, "--arg", f"depth={depth}").refused()


@pytest.mark.wide(4)
@pytest.mark.parametrize("name", list_models())
def test_a_network_is_made_deeper_up_to_a_limit(name):
    result = call("summary", f"{name}+scale_depth=9999", "--depth", "1")
    assert result.code in (0, 2)
    assert result.code == 0 or len(result.refused("a description has at most 100,000")) < 500


def test_sweeps_and_searches_of_more_than_there_are_numbers(quick):
    many = ["--width", "1:100000", "--depth", "1:10x1:10x1:10x1:100", "--num-classes", "1:100000"]
    call("sweep", "resnet50", *many, "--knob", "shortcut=1:100000").refused("combinations; at most 10,000,000 are")
    call("match", "resnet50", "--params", "5M", *many, "--knob", "shortcut=1:100000").refused(
        "configurations; at most 10,000,000 are"
    )
    call("sweep", "resnet50", "--width", "1:200000").refused("at most 100,000 are")
    call("sweep", "resnet50", "--width", ",".join(["1:90000"] * 2)).refused("at most 100,000 are")


def test_a_search_finds_its_points_again_by_number():
    grid = {"a": (1, 2, 3), "b": "xyzw", "c": (None, 5)}
    points = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    assert [_point(grid, number) for number in range(len(points))] == points


LONG = "n" * 100_000
LIST: list = []
LIST.append(LIST)
DICT: dict = {"kind": "Sequential"}
DICT["children"] = {"0": DICT}


NUMBERS = ("9" * 4999, "1" + "0" * 400, "1e400", "NaN", "[" * 100_000, "[1, -Infinity]")
TEXTS = [
    *[f'{{"kind": "Conv2d", "out_channels": 4, "kernel_size": {number}}}' for number in NUMBERS],
    *[f'{{"kind": "BatchNorm2d", "eps": 1e-5, "momentum": {number}}}' for number in NUMBERS],
    '{"kind": "LONG"}',
    '{"kind": "Sequential", "LONG": 1}',
    '{"kind": "Sequential", "children": {"LONG.": {"kind": "ReLU"}}}',
    '{"kind": "Sequential", "children": {"LONG": {"kind": "Tanh", "p": 1}}}',
    '{"kind": "Sequential", "children": {"LONG": {"kind": "ReLU"}, "LONG": {"kind": "ReLU"}}}',
    '{"kind": "Aux", "source": "LONG", "children": {"\\ud800": {"kind": "ReLU"}}}',
]
VALUES = [
    {"kind": "Sequential", "children": {1: {"kind": "ReLU"}}},
    {"kind": "Sequential", "children": {("a", None): {"kind": "ReLU"}}},
    {"kind": "ReLU", 1: 2},
    {"kind": "Sequential", "children": [{"kind": "ReLU"}] * 100_000},
    {"kind": "Conv2d", "out_channels": LIST, "kernel_size": 1},
    {"kind": "Conv2d", "out_channels": HUGE, "kernel_size": 1},
    LIST,
    DICT,
    None,
]


@pytest.mark.parametrize("number", range(len(TEXTS) + len(VALUES)))
def test_data_that_is_no_description_is_refused_in_a_short_line(number, quick):
    with pytest.raises(FormatError) as refused:
        loads(TEXTS[number].replace("LONG", LONG)) if number < len(TEXTS) else from_dict(VALUES[number - len(TEXTS)])
    assert len(str(refused.value)) < 1000


def test_a_description_of_a_thousand_levels_is_none(quick):
    inner = {"kind": "ReLU"}
    for _ in range(1500):
        inner = {"kind": "Sequential", "children": {"0": inner}}
    with pytest.raises(FormatError, match="nested more than 64 levels deep"):
        from_dict(inner)


def test_long_names_and_many_names_are_shortened():
    wide = Sequential(**{f"{LONG}{number}": Identity() for number in range(50)})
    for lookup in (lambda: find(wide, f"{LONG}x"), lambda: find(wide, "x" * 100_000), lambda: getattr(wide, LONG)):
        with pytest.raises((LookupError, AttributeError)) as refused:
            lookup()
        assert len(str(refused.value)) < 5000
    for make in (lambda: Concat(**{f"__{LONG}": Identity()}), lambda: Sequential(Aux(LONG, Identity()))):
        with pytest.raises(ShapeError) as wrong:
            make()
        assert len(str(wrong.value)) < 500


GROUPED = st.builds(
    lambda groups, each, kernel: Conv2d(groups * each, kernel, padding=kernel // 2, groups=groups),
    st.sampled_from([2, 3, 4, 6]),
    st.integers(1, 3),
    st.sampled_from([1, 3]),
)
PLAIN = st.builds(Conv2d, st.sampled_from([2, 3, 4, 6, 12]), st.sampled_from([1, 3]), padding=st.just(1))
SCALED = GROUPED | GROUPED | PLAIN | st.sampled_from([PadChannels(6), PadChannels(12), ReLU(), BatchNorm2d()])


@given(st.data(), st.sampled_from([2, 3, 4, 6]), st.sampled_from([0.1, 0.5, 0.75, 1.3, 2, 3]))
def test_a_scaled_network_runs_wherever_the_network_does(data, channels, factor):
    network = data.draw(networks((channels, 9, 9), SCALED, SCALED, heads=0, steps=True))
    try:
        calculate(network, (channels, 9, 9))
    except ShapeError:
        return
    calculate(scale_width(network, factor), (channels, 9, 9))


@pytest.mark.parametrize(
    "network",
    [
        Sequential(Dense(Conv2d(16, 3, padding=1)), Conv2d(19, 3, groups=19), ReLU(), Conv2d(3, 1)),
        Sequential(Concat(Conv2d(5, 1), Identity()), Conv2d(8, 3, groups=8), Conv2d(3, 1)),
        Sequential(Conv2d(4, 1), Dense(Conv2d(4, 3, padding=1)), Residual(Conv2d(8, 1)), ReLU(), Conv2d(3, 1)),
        Sequential(Residual(Conv2d(3, 1)), Conv2d(3, 1)),
        Sequential(PadChannels(16), Conv2d(3, 1)),
    ],
)
def test_what_would_not_fit_at_another_width_is_said(network):
    assert "no longer fit" in scale_width.why_not(network, 0.4)
    assert scale_width(network, 0.4) is network
