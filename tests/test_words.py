"""Which known words a message suggests, and how much of a long text it repeats."""

import pytest
from command import call
from hypothesis import given
from hypothesis import strategies as st

import cnnzoo
from cnnzoo.create import create_model
from cnnzoo.report.columns import COLUMNS
from cnnzoo.words import counted, distance, hint, listed, near, quoted, shortened
from cnnzoo.zoo import list_models

KEYWORDS = ("num_classes", *create_model.__kwdefaults__)
STRANGERS = ("vit_b_16", "swin_t", "maxvit_t", "nasnetalarge", "segformer", "ssd300", "fcos", "tinynet_a")
"""Networks that are none of ours, nor like them."""


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("parms", COLUMNS, ["params"]),
        ("depht", COLUMNS, ["depth"]),
        ("MACS", COLUMNS, ["macs"]),
        ("classes", KEYWORDS, ["num_classes"]),
        ("num_clases", KEYWORDS, ["num_classes"]),
        ("drop_rate", KEYWORDS, []),
        ("resnet51", list_models(), ["resnet50", "resnet56"]),
        ("vgg-16", list_models(), ["vgg16"]),
        ("alexnet-tv", list_models(), ["alexnet_tv"]),
        ("rsenet18", list_models(), ["resnet18"]),
        ("vgg", list_models(), list_models("vgg_?")),
        ("12", [str(index) for index in range(12)], []),
        ("x", ["a", "b"], []),
        ("fx", ["fc", "conv"], ["fc"]),
        ("", ["a"], []),
        ("Ü", ["a"], []),
        ("n" * 100_000, list_models(), []),
    ],
)
def test_what_is_near(name, known, meant):
    assert near(name, known) == meant


@pytest.mark.parametrize("name", STRANGERS)
def test_another_network_is_not_near_to_one_of_ours(name):
    assert near(name, list_models()) == []
    call("summary", name).refused(f"unknown model '{name}'; `cnnzoo list` lists all")


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_the_distance_is_one_of_edits(one, other):
    """As by its definition, recursively."""

    def edits(one, other):
        if not one or not other:
            return len(one) + len(other)
        found = [edits(one[1:], other) + 1, edits(one, other[1:]) + 1, edits(one[1:], other[1:]) + (one[0] != other[0])]
        if len(one) > 1 < len(other) and one[:2] == other[1::-1]:
            found.append(edits(one[2:], other[2:]) + 1)
        return min(found)

    assert distance(one, other) == edits(one, other) == distance(other, one)


def test_a_long_list_says_how_many_more_there_are():
    assert listed(["a", "b"]) == "a, b"
    assert listed(map(str, range(50))).endswith(", 38, 39 and 10 more")
    assert hint("xyz", ["a"]) == "there are a"
    assert hint("xyz", ["a"], "see the list") == "see the list"


def test_a_long_text_loses_its_middle():
    assert shortened("short") == "short"
    assert quoted("short") == "'short'"
    long = shortened("a" * 50_000 + "b" * 50_000)
    assert (len(long), long[:3], long[-3:]) == (1002, "aaa", "bbb")


LONG = "n" * 100_000


@pytest.mark.parametrize(
    "arguments",
    [
        *(f"{name} {LONG}" for name in ("summary", "compare", "explain", "savings", "peers", "check")),
        *(f"draw {LONG}", f"match {LONG} --params 5M", f"sweep {LONG} --width 3", f"diff vgg16 {LONG}", f"list {LONG}"),
        *(f"summary {one}:{LONG}" for one in ("timm", "cnnzoo.models", f"{LONG}.py", LONG)),
        *(f"summary vgg16 --{option} {LONG}" for option in ("input-size", "columns", "dtype", "batch-size", "rewrite")),
        *(f"summary vgg16 --arg {LONG}{value}" for value in ("", "=3")),
        *(f"explain resnet18 {LONG}", f"explain conv2d {LONG} --in 3x8x8", f"explain {LONG} --in 3x8x8", LONG),
        *(f"savings vgg16 --by {LONG}", f"match vgg16 --params {LONG}", f"sweep vgg16 --input-size {LONG}"),
        *(f"check-weights {LONG}", f"check-weights x {LONG}", f"draw vgg16 --kind bars -o {LONG}"),
        *(f"summary vgg16 -o {LONG}.csv", f"summary vgg16 --{LONG}", f"summary vgg16 {LONG}", f"tables --check {LONG}"),
        *(f"compare resnet18 --sort {LONG}", f"sweep vgg16 --knob {LONG}=3", f"summary vgg16+{LONG}"),
    ],
)
def test_no_message_repeats_a_long_text(arguments):
    words = arguments.split()
    assert len(call(*words).refused()) < 1200, words[0]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: cnnzoo.summary(LONG),
        lambda: cnnzoo.summary("vgg16", **{LONG: 3}),
        lambda: cnnzoo.describe("vgg16", rewrites=[LONG]),
        lambda: cnnzoo.cut(cnnzoo.describe("vgg16"), LONG),
        lambda: cnnzoo.summary("vgg16").lines and cnnzoo.compare("vgg16").sorted(LONG),
        lambda: create_model("lenet5", init=LONG),
    ],
)
def test_from_python_no_message_does_either(wrong):
    with pytest.raises((LookupError, TypeError, ValueError)) as caught:
        wrong()
    assert len(str(caught.value)) < 600


def test_of_one_thing_a_number_is_singular() -> None:
    assert [counted(number, "weighted layers") for number in (0, 1, 2, 1000)] == [
        "0 weighted layers",
        "1 weighted layer",
        "2 weighted layers",
        "1,000 weighted layers",
    ]
