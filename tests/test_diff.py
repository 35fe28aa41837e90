"""`cnnzoo.diff` and `cnnzoo diff`: every change is found, once, and its cost adds up."""

import csv
import json
from collections import Counter
from dataclasses import replace as replace_field
from functools import cache
from io import StringIO
from itertools import combinations_with_replacement, pairwise

import pytest
from command import call, on_terminal, spawn, table_lines, without_codes
from hypothesis import assume, given
from hypothesis import strategies as st
from small import FAMILIES, small
from strategies import networks

import cnnzoo
from cnnzoo.arch import (
    Add,
    Aux,
    Conv2d,
    From,
    Layer,
    MaxPool2d,
    Mean,
    Outputs,
    ReLU,
    Residual,
    Run,
    Sequential,
    ShapeError,
    Sum,
    Unflatten,
    replace,
    walk,
)
from cnnzoo.calculate import calculate
from cnnzoo.features.diff import Diff, diff
from cnnzoo.features.diff.align import align
from cnnzoo.features.diff.document import COLUMNS, braced
from cnnzoo.pytorch.measuring.measure import measure
from cnnzoo.render.document import FORMATS
from cnnzoo.report import Report
from cnnzoo.rewrites import list_rewrites
from cnnzoo.zoo import get_builder, list_models

SHAPE = (3, 12, 12)
summary_of = cache(cnnzoo.summary)
KIN = [
    (one, other)
    for one, other in combinations_with_replacement(list_models(), 2)
    if get_builder(one).__module__ == get_builder(other).__module__
]
"""All pairs of a family, each network with itself too."""


def check(found: Diff) -> None:
    """What holds of any two networks."""
    before, after, total = found.before, found.after, found.total.cost
    for fold in (True, False):
        main, heads = ([line.cost for line in found.lines(fold) if line.aux == aux] for aux in (False, True))
        assert sum(cost.params for cost in main) == total.params == after.total_params - before.total_params
        assert sum(cost.macs for cost in main) == total.macs == after.total_macs - before.total_macs
        assert sum(cost.params for cost in heads) == after.aux_params - before.aux_params
        assert sum(cost.macs for cost in heads) == after.totals["aux_macs"] - before.totals["aux_macs"]
    assert len(found.lines(fold=False)) == len(found.changes)
    if not found.changes:
        rows, others = ([row for aux in (0, 1) for row in one.rows if row.aux == aux] for one in (before, after))
        assert rows == others or (before.model, after.model) != (None, None)
    pairs = align(before, after)
    for report, side in ((before, [pair.before for pair in pairs]), (after, [pair.after for pair in pairs])):
        given = Counter(map(id, filter(None, side)))
        blocks = [block.path for block in report.blocks if id(block) in given]
        missing = [row.path for row in report.rows if id(row) not in given]
        assert set(given.values()) <= {1}, "a row is in one pair"
        assert all(any(not block or f"{path}.".startswith(f"{block}.") for block in blocks) for path in missing)


@pytest.mark.wide
@pytest.mark.parametrize(("before", "after"), KIN, ids=map(" ".join, KIN))
def test_within_a_family_the_changes_add_up_to_the_difference_of_the_totals(before, after):
    check(diff(summary_of(before), summary_of(after)))


@pytest.mark.wide
@pytest.mark.parametrize(("before", "after"), list(pairwise(list_models())))
def test_between_families_too(before, after):
    check(diff(before, after))


@pytest.mark.wide(1, 10)
@pytest.mark.parametrize("rewrite", [f"{name}=0.5" if name.startswith("scale_") else name for name in list_rewrites()])
def test_under_every_rewrite_too(rewrite):
    for name in FAMILIES:
        found = diff(summary_of(name), cnnzoo.summary(name, rewrites=[rewrite]))
        check(found)
        same = cnnzoo.describe(name, rewrites=[rewrite]) == cnnzoo.describe(name)
        assert same == (not found.changes)


def report(description) -> Report:
    return calculate(description, SHAPE)


@given(networks(SHAPE, steps=True), networks(SHAPE, steps=True))
def test_of_any_two_networks_the_changes_add_up(one, other):
    check(diff(report(one), report(other)))
    assert diff(report(one), report(one)).changes == ()


def test_a_mean_of_one_position_is_no_flatten():
    """It was taken for another of its kind with as many values, and a network differed from itself."""
    net = Sequential(a=Mean((3, 2), keepdim=True), b=Sum((-1, -2)), c=Unflatten(1, (1, -1)), d=Mean(1))
    assert diff(report(net), report(net)).changes == ()


@given(networks(SHAPE, steps=True), st.data())
def test_of_any_edit_the_changes_add_up_and_are_seen(network, data):
    """A leaf that is another or is gone, with all that follows from it."""
    leaves = [path for path, node in walk(network) if isinstance(node, Layer) and path]
    path = data.draw(st.sampled_from(leaves)) if leaves else ""
    new = data.draw(st.sampled_from([None, ReLU(), Conv2d(3, 1), Conv2d(5, 3, padding=1), MaxPool2d(2)]))
    try:
        edited = replace(network, path, new) if path else Sequential(network, ReLU())
        before, after = report(network), report(edited)
    except (ShapeError, LookupError, TypeError):
        assume(False)
    found = diff(before, after)
    check(found)
    assert bool(found.changes) == (edited != network)


@pytest.mark.wide(1, 14)
@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_measured_is_aligned_by_path(name):
    """What is calculated of a description is what is measured of its module, so there is nothing to tell but what steps
    are called that a module does not name."""
    from cnnzoo.pytorch.modules.build import build

    description, size = small(name)
    module = build(description, size, init=None, device="meta")
    found = diff(description, module, input_size=size)
    stepped = any(getattr(node, "_plan", None) is not None for _, node in walk(description))
    assert {change.what for change in found.changes} <= ({"rewired", "renamed"} if stepped else set())
    assert found.total.cost.params == found.total.cost.macs == 0
    assert diff(module, module, input_size=size).changes == ()


def test_layers_of_two_kinds_are_one_where_as_many_values_enter_and_leave():
    """LeNet-5 and its successor: a table of connections, trainable subsampling and a 5x5 on 5x5 became a full
    convolution, a pooling and a linear layer."""
    pairs = {
        pair.before.path: pair.after.path
        for pair in align(summary_of("lenet5"), summary_of("lenet5_modern"))
        if all(pair[:2])
    }
    expected = {"c1": "conv1", "s2": "pool1", "c3": "conv2", "s4": "pool2", "c5": "fc1", "f6": "fc2", "output": "fc3"}
    assert expected.items() <= pairs.items()
    assert "flatten" not in pairs


def test_equal_sizes_do_not_make_a_layer_of_another_that_does_something_else():
    one, other = report(Sequential(a=Conv2d(3, 1), b=ReLU())), report(Sequential(c=MaxPool2d(1), d=Conv2d(3, 1)))
    assert [
        pair.before and pair.before.path for pair in align(one, other) if pair.after and pair.after.path == "c"
    ] == [None]


def test_what_only_tensors_tell_is_a_change():
    from torch import nn

    plain, other = nn.Sequential(nn.Conv2d(3, 4, 3)), nn.Sequential(nn.Conv2d(3, 4, 3, bias=False))
    (line,) = diff(plain, other, input_size=SHAPE).lines()
    assert (line.words, line.cost.params) == ("bias True → False", -4)
    (line,) = diff(measure(plain, SHAPE), measure(other, SHAPE)).lines()
    assert (line.words, line.cost.params) == ("without bias", -4)
    other = nn.Sequential(nn.Conv2d(3, 4, 3)).requires_grad_(False)
    (line,) = diff(plain, other, input_size=SHAPE).lines()
    assert line.words == "trainable parameters 112 → 0"


def test_an_unknown_figure_has_no_difference():
    before, after = report(Sequential(Conv2d(3, 1))), report(Sequential(Conv2d(4, 1)))
    unknown = replace_field(after, rows=(after.rows[0]._replace(macs=None),))
    for found in (diff(before, unknown), diff(unknown, before), diff(unknown, unknown)):
        assert found.total.cost.macs is None
        assert all(line.cost.macs is None for line in found.lines())
        assert "MACs        " in str(found)
        assert "unknown" in str(found)
        assert json.loads(json.dumps(found.to_dict()))["macs"] is None


@pytest.mark.parametrize(
    ("near", "far", "paired"),
    [
        ({"bias": False}, {}, "b.0"),  # six of seven settings at the same path are more than all of them at another
        ({"bias": False, "groups": 2}, {}, "c.0"),  # but five are not
    ],
)
def test_an_equal_path_weighs_more_than_one_setting_and_no_more_than_two(near, far, paired):
    before = Sequential(b=Sequential(Conv2d(4, 3, padding=1)))
    after = Sequential(
        b=Sequential(Conv2d(4, 3, padding=1, **near)), c=Sequential(Conv2d(4, 3, padding=1, **far)), relu=ReLU()
    )
    pairs = align(calculate(before, (4, 8, 8)), calculate(after, (4, 8, 8)))
    assert [pair.after.path for pair in pairs if pair.before is not None] == [paired]


# What it says


def said(before, after, **given) -> list[tuple]:
    return [
        (line.what, *(braced(paths) for paths in (line.before, line.after) if paths), line.words)
        for line in diff(before, after, **given).lines()
    ]


def test_the_stride_of_resnet50_moves_from_the_3x3_to_the_1x1_in_three_blocks():
    found = diff("resnet50", "resnet50_v1")
    assert said("resnet50", "resnet50_v1") == [
        ("changed", *["layer{2-4}.0.conv1"] * 2, "stride 1 → 2"),
        ("changed", *["layer{2-4}.0.conv2"] * 2, "stride 2 → 1"),
    ]
    first, second = (line.cost for line in found.lines())
    reads = (256 * 56 * 56, 512 * 28 * 28, 1024 * 14 * 14)
    assert first.macs_before == sum(reads[step] * width for step, width in enumerate((128, 256, 512)))
    assert (first.macs_before, first.macs_after) == (4 * first.macs_after, 77_070_336)
    assert (second.params, second.macs, found.total.cost.params) == (0, 0, 0)
    assert found.total.cost.macs == 3_857_973_248 - 4_089_184_256


def test_alexnet_and_torchvisions_are_aligned_in_their_order():
    found = {words[1:-1]: words[-1] for words in said("alexnet", "alexnet_tv")}
    assert found["conv1", "features.0"] == "out_channels 96 → 64"
    assert found["conv2", "features.3"] == "out_channels 256 → 192, groups 2 → 1, input 96x27x27 → 64x27x27"
    assert found["conv3", "features.6"] == "input 256x13x13 → 192x13x13"
    assert found["norm1",] == "LocalResponseNorm, 96x55x55"
    assert not any("Linear" in words for words in found.values()), "of the classifier nothing but the names changes"
    assert "relu1 → features.1" in str(diff("alexnet", "alexnet_tv"))


def test_another_order_is_a_change():
    moved = [line for line in said("alexnet", "caffenet") if "behind" in line[-1]]
    assert [(line[1], "now behind pool" in line[-1]) for line in moved] == [("norm1", True), ("norm2", True)]
    one = Sequential(a=ReLU(), b=Conv2d(3, 1), c=ReLU())
    (line,) = said(one, Sequential(b=Conv2d(3, 1), a=ReLU(), c=ReLU()), input_size=SHAPE)
    assert line in [("moved", "a", "a", "now behind b"), ("moved", "b", "b", "now behind the input")]


def test_numbered_layers_are_told_by_what_they_are():
    assert said("vgg16", "vgg16_bn") == [("added", "features.{1…41}", "BatchNorm2d")]
    (line,) = diff("vgg16", "vgg16_bn").lines()
    assert (line.times, line.cost.params) == (13, 2 * sum((64, 64, 128, 128, *[256] * 3, *[512] * 6)))


def test_whole_blocks_come_and_go():
    blocks = said("resnet18", "resnet34")
    assert [line[:2] for line in blocks] == [
        ("added", path) for path in ("layer1.2", "layer2.{2-3}", "layer3.{2-5}", "layer4.2")
    ]
    ((*gone, words),) = said("googlenet", "googlenet+strip_aux")
    assert gone == ["removed", "aux{1-2}"]
    assert words.startswith("Aux")


def test_a_layer_that_becomes_a_block_is_one_change():
    one = Sequential(conv=Conv2d(4, 5, padding=2), relu=ReLU())
    other = replace(one, "conv", Sequential(Conv2d(4, 3, padding=1), Conv2d(4, 3, padding=1)))
    assert said(one, other, input_size=SHAPE) == [("changed", "conv", "conv", "Conv2d → Sequential")]
    assert said(other, one, input_size=SHAPE) == [("changed", "conv", "conv", "Sequential → Conv2d 5x5")]


def test_an_auxiliary_head_that_hangs_elsewhere_is_a_change():
    def net(source: str) -> Sequential:
        return Sequential(a=Conv2d(3, 3, padding=1), b=Conv2d(3, 3, padding=1), aux=Aux(source, relu=ReLU()))

    (line,) = said(net("a"), net("b"), input_size=SHAPE)
    assert line[0] == "rewired"
    assert line[1] == "aux.relu"


def test_a_shortcut_that_goes_is_its_addition():
    one = Sequential(block=Residual(conv=Conv2d(3, 3, padding=1)))
    other = Sequential(block=Sequential(conv=Conv2d(3, 3, padding=1)))
    assert said(one, other, input_size=SHAPE) == [("removed", "block (add)", "add, 3x12x12")]


@given(st.lists(st.text("ab.19", min_size=1, max_size=6), min_size=2, max_size=6, unique=True))
def test_braced_paths_can_be_read_back(paths):
    if len(paths) <= 4:
        assert set(paths) <= set(expanded(braced(paths)))


def expanded(text: str) -> list[str]:
    """What a shell makes of it."""
    ahead, brace, rest = text.partition("{")
    if not brace:
        return [text]
    inner, _, behind = rest.partition("}")
    low, dash, high = inner.partition("-")
    words = list(map(str, range(int(low), int(high) + 1))) if dash else inner.split(",")
    return [f"{ahead}{word}{tail}" for word in words for tail in expanded(behind)]


# The command


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format(format_):
    out = call("diff", "resnet50", "resnet50_v1", "--format", format_).succeeded()
    assert "conv1" in out
    assert out == diff("resnet50", "resnet50_v1").document().text(format_)


@pytest.mark.parametrize(("before", "after"), [("alexnet", "alexnet_tv"), ("googlenet", "googlenet_tv")])
def test_data_formats_have_every_change_by_itself_and_add_up(before, after):
    found = diff(before, after)
    data = json.loads(call("diff", before, after, "--format", "json").succeeded())
    rows = list(csv.DictReader(StringIO(call("diff", before, after, "--format", "csv").succeeded())))
    assert data == found.to_dict()
    assert len(rows) == len(data["changes"]) == len(found.changes)
    for figure in ("params", "macs"):
        assert data[figure] == data[f"{figure}_after"] - data[f"{figure}_before"]
        assert data[figure] == sum(int(row[figure]) for row in rows if row["aux"] == "False")
    assert {row["what"] for row in rows} <= {"added", "removed", "changed", "moved", "renamed", "resized"}
    assert [row["path_before"] or None for row in rows] == [change["path_before"] for change in data["changes"]]


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_can_be_shown(column):
    for format_ in FORMATS:
        assert call("diff", "alexnet", "caffenet", "--columns", f"{column}, change", "--format", format_).succeeded()


def test_equal_networks_are_said_to_be():
    out = call("diff", "vgg11", "vgg11").succeeded()
    assert "no layer differs" in out
    assert "132,863,336, equal" in out


def test_all_is_every_change():
    short, long = (call("diff", "googlenet", "googlenet_tv", *flag).succeeded() for flag in ((), ("--all",)))
    assert len(table_lines(short)) < 20
    assert len(table_lines(long)) > 100


def test_options_are_for_both():
    out = call(
        "diff", "resnet18", "resnet34", "--input-size", "64", "--num-classes", "7", "--format", "json"
    ).succeeded()
    ours = (cnnzoo.summary(name, 64, num_classes=7) for name in ("resnet18", "resnet34"))
    assert json.loads(out) == diff(*ours).to_dict()


def test_a_measured_target(tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text("from torch import nn\ndef make(n=4): return nn.Sequential(nn.Conv2d(3, n, 1))\n")
    monkeypatch.chdir(tmp_path)
    out = call("diff", "net.py:make", "net.py:make", "--input-size", "3x8x8").succeeded()
    assert "no layer differs" in out
    call("diff", "net.py:make", "lenet5").refused("net.py:make", "give --input-size")


def test_a_terminal_of_80_columns_is_not_run_over():
    for names in (("resnet50", "resnet50_v1"), ("resnet18", "resnet34"), ("alexnet", "alexnet_tv")):
        lines = without_codes(on_terminal("diff", *names)).splitlines()
        assert max(map(len, lines)) <= 80
    wide = without_codes(on_terminal("diff", "resnet50", "resnet50_v1", columns=160))
    assert "308,281,344" in wide
    assert "25,557,032" in wide


def test_a_pipe_is_plain_and_ascii_where_it_must_be():
    out = spawn("diff", "resnet50", "resnet50_v1", PYTHONIOENCODING="ascii").succeeded()
    assert out.isascii()
    assert "\x1b" not in out
    assert "layer{2-4}.0.conv1 x3" in out
    assert "stride 1 -> 2" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("resnet50 resnet51", ("'resnet51'", "did you mean")),
        ("resnet50", ("Missing argument",)),
        ("resnet50 resnet18 resnet34", ("resnet34",)),
        ("resnet50 vgg16 --input-size 8", ("vgg16: at features.", "nothing is left")),
        ("resnet50 vgg16 --input-size axb", ("--input-size",)),
        ("resnet50 resnet50+drop_everything", ("drop_everything",)),
        ("resnet50 vgg16 --columns parms", ("'parms'", "did you mean params")),
        ("resnet50 nowhere.py:net", ("nowhere.py",)),
        ("resnet50 vgg16 -o out.svg", (".svg",)),
    ],
)
def test_bad_input_is_one_line(arguments, words):
    call("diff", *arguments.split()).refused(*words)


def test_a_notebook_shows_the_table():
    found = diff("resnet50", "resnet50_v1")
    assert str(found) == repr(found) == found.document().text("table").rstrip("\n")
    assert "layer{2-4}.0.conv1" in found._repr_html_()
    assert isinstance(found, cnnzoo.Diff)
    assert cnnzoo.diff is diff
    assert [record["path_after"] for record in found.records()] == [line.after[0] for line in found.lines(fold=False)]


# Steps


def pyramid(**changed) -> Sequential:
    steps = {
        "c4": Conv2d(4, 3, stride=2, padding=1),
        "c5": Conv2d(4, 3, stride=1, padding=1),
        "l4": From("c4", Conv2d(4, 1)),
        "p4": Add("l4", "c5"),
        "head": From("c5", Sequential(conv=Conv2d(2, 1), act=ReLU())),
        "head4": Run("head", "p4"),
        "out": Outputs("head", "head4"),
    }
    return Sequential(**{**steps, **changed})


def rewirings(before: Sequential, after: Sequential) -> list[tuple[str, tuple[str, ...]]]:
    found = diff(report(before), report(after))
    check(found)
    assert all(change.what == "rewired" for change in found.changes)
    return [(change.row.path, change.words) for change in found.changes]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"p4": Add("l4", "c4")}, ("p4", "reads l4, c5 → l4, c4")),
        ({"p4": Add("c5", "l4")}, ("p4", "reads l4, c5 → c5, l4")),
        ({"l4": Conv2d(4, 1)}, ("l4", "reads c4 → c5")),
        ({"head": From("c4", pyramid().head)}, ("head.conv", "head reads c5 → c4")),
        ({"head4": Run("head", "l4")}, ("head.conv", "head4 reads p4 → l4")),
        ({"out": Outputs("head4", "head")}, ("c4", "out gives head, head4 → head4, head")),
    ],
)
def test_what_a_step_reads_is_a_change_of_its_own(changed, said):
    path, words = said
    assert rewirings(pyramid(), pyramid(**changed)) == [(path, (words,))]
    inner = Sequential(pyramid=pyramid(), take=From("pyramid.head", ReLU()))
    other = Sequential(pyramid=pyramid(**changed), take=From("pyramid.head", ReLU()))
    ((place, (inside,)),) = rewirings(inner, other)
    assert place == f"pyramid.{path}"
    assert inside.endswith(words.split(" ", 1)[1])


def test_other_names_for_what_is_read_are_no_change_of_their_own():
    one = Sequential(a=Conv2d(3, 1), b=Conv2d(3, 3, padding=1), c=Add("a", "b"))
    other = Sequential(first=Conv2d(3, 1), b=Conv2d(3, 3, padding=1), c=Add("first", "b"))
    assert [change.what for change in diff(report(one), report(other)).changes] == ["renamed"]


def test_what_is_put_between_is_no_change_of_what_follows():
    """As in a chain; but a step that reads by name is said to read what it reads."""
    one = Sequential(a=Conv2d(3, 1), b=Conv2d(3, 1), c=Add("a", "b"))
    between = Sequential(a=Conv2d(3, 1), more=ReLU(), b=Conv2d(3, 1), c=Add("a", "b"))
    assert [change.what for change in diff(report(one), report(between)).changes] == ["added"]
    around = Sequential(a=Conv2d(3, 1), more=ReLU(), b=From("a", Conv2d(3, 1)), c=Add("a", "b"))
    assert [change.what for change in diff(report(one), report(around)).changes] == ["added"]
    behind = Sequential(a=Conv2d(3, 1), more=ReLU(), b=Conv2d(3, 1), c=Add("more", "b"))
    assert [(change.what, change.words) for change in diff(report(one), report(behind)).changes] == [
        *(("added", ("ReLU",)), ("rewired", ("reads a, b → more, b",))),
    ]


def test_calls_inputs_and_outputs_are_told_apart():
    one = Sequential(a=From("input.0", Conv2d(3, 1)), b=Run("a", "input.1"), out=Outputs("a", "b"))
    before = calculate(one, ((3, 8, 8), (3, 8, 8)))
    after = calculate(one, ((3, 8, 8), (3, 4, 4)))
    found = diff(before, after)
    check(found)
    (line,) = found.lines(fold=False)
    assert (line.before, line.after, line.words) == (("a (call 2)",), ("a (call 2)",), "input 3x8x8 → 3x4x4")
    said = str(found)
    assert "3x8x8 and 3x8x8 → 3x8x8 and 3x4x4" in said
    assert "a 3x8x8, b 3x8x8 → a 3x8x8, b 3x4x4" in said
    alone = calculate(Sequential(a=From("input.0", Conv2d(3, 1)), b=Add("a", "input.1")), ((3, 8, 8), (3, 8, 8)))
    assert "a 3x8x8, b 3x8x8 → 3x8x8" in str(diff(before, alone))
