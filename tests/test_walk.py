"""`cnnzoo explain LAYER --values`: each sum is worth what it is said to be, and that is what torch computes."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from command import call, loaded, on_terminal
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import AVG_POOL, MAX_POOL, int_or_pair, maps

from cnnzoo.arch import AvgPool2d, Conv2d, ConvTranspose2d, Layer, MaxPool2d
from cnnzoo.arch.node import pair
from cnnzoo.errors import CnnzooError, InvalidTypeError, InvalidValueError
from cnnzoo.features.explain.walking import walk
from cnnzoo.features.explain.walking.numbers import shown
from cnnzoo.pytorch.modules.build import build
from cnnzoo.render.document import FORMATS

INPUT = "1 2 3 0 1 / 2 1 0 1 2 / 3 0 1 2 1 / 0 1 2 1 0 / 1 0 1 2 3"
KERNEL = "1 0 1 / 1 0 1 / 0 1 0"


@st.composite
def convolutions(draw: st.DrawFn, kind: type[Layer]) -> tuple[Layer, tuple[int, int, int]]:
    """With as many channels as its groups take, and the shape of what it reads."""
    groups, into, out = (draw(st.integers(1, 2)) for _ in range(3))
    given_ = draw(
        st.fixed_dictionaries(
            {"kernel_size": int_or_pair(1, 3)},
            optional={
                "stride": int_or_pair(1, 3),
                "padding": int_or_pair(0, 2 if kind is Conv2d else 1),
                "dilation": int_or_pair(1, 2),
                "bias": st.booleans(),
            },
        )
    )
    if kind is Conv2d and draw(st.integers(0, 3)) == 0:
        given_ |= {"stride": 1, "padding": "same"}
    if kind is ConvTranspose2d and min(pair(given_.get("stride", 1))) > 1:
        given_["output_padding"] = draw(st.integers(0, 1))
    height, width = draw(st.integers(3, 6)), draw(st.integers(3, 6))
    return kind(groups * out, **given_, groups=groups), (groups * into, height, width)


def poolings(kind: type[Layer], drawn: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Any]:
    return st.builds(lambda given_, shape: (kind(**given_), shape), drawn, maps(3, 7))


WALKED = {
    Conv2d: convolutions(Conv2d),
    ConvTranspose2d: convolutions(ConvTranspose2d),
    MaxPool2d: poolings(MaxPool2d, MAX_POOL),
    AvgPool2d: poolings(AvgPool2d, AVG_POOL),
}


def worth(formula: str) -> Fraction:
    """What a formula comes to, by Python's own arithmetic."""
    plain = formula.replace("−", "-").replace("·", "*")
    assert re.fullmatch(r"(max\()?[-+*/(), .\d]+", plain), formula
    numbers = re.sub(r"\d+(\.\d+)?", lambda number: f"Fraction('{number[0]}')", plain)
    value = eval(numbers, {"Fraction": Fraction, "max": lambda *values: max(values)})
    assert isinstance(value, Fraction)
    return value


@pytest.mark.parametrize("kind", WALKED)
@pytest.mark.filterwarnings("ignore:Using padding=.same.")
@given(st.data())
def test_values_are_those_of_torch(kind: type[Layer], data: st.DataObject) -> None:
    """Whole numbers, so that torch's are exact; only a mean is rounded by it."""
    try:
        layer, shape = data.draw(WALKED[kind])
        tensors = layer.tensors(shape)
        random = torch.Generator().manual_seed(data.draw(st.integers(0, 2**32)))
        values = {name: torch.randint(-9, 10, size, generator=random) for name, size in tensors.items()}
        x = torch.randint(-9, 10, shape, generator=random)
        walked = walk(layer, x, *[values.get(name) for name in ("weight", "bias")])
    except (CnnzooError, TypeError):
        assume(False)
    module = build(layer, shape).double()
    module.load_state_dict({name: tensor.double() for name, tensor in values.items()})
    theirs = module(x[None].double())[0]
    ours = torch.tensor([float(step.value) for step in walked.steps], dtype=torch.double).view(theirs.shape)
    assert torch.allclose(ours, theirs, rtol=1e-14, atol=0)
    assert [[[float(one) for one in row] for row in one] for one in walked.output] == ours.tolist()
    for step in walked.steps:
        assert worth(step.formula) == step.value
    document = walked.document()
    assert " ".join(line.formula for line in document.entries) == " ".join(step.formula for step in walked.steps)
    assert all(len(line.formula) <= 60 for line in document.entries)


# What is printed


def test_the_first_window_of_the_teaching_example() -> None:
    walked = walk(Conv2d(1, 3, bias=False), INPUT, KERNEL)
    assert walked.steps[0].formula == "1·1 + 2·0 + 3·1 + 2·1 + 1·0 + 0·1 + 3·0 + 0·1 + 1·0"
    assert walked.to_dict()["output"] == [[[6, 5, 8], [7, 6, 5], [6, 5, 6]]]
    out = call("explain", "conv2d", "--values", "--input", INPUT, "--kernel", KERNEL).succeeded()
    assert out == f"{walked}\n"
    for text in (INPUT, KERNEL):
        for row in text.split(" / "):
            assert re.search(rf"^.{{8}}{row}$", out, re.MULTILINE)


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format(format_: str, tmp_path: Path) -> None:
    """The same from a shape, from text, and from files."""
    walked = walk(Conv2d(2, (2, 3), stride=2, padding=1, bias=False), (2, 4, 5))
    settings = ["stride=2", "padding=1", "--values", "--format", format_]
    written = call("explain", "conv2d", "2", "2x3", "--in", "2x4x5", *settings).succeeded()
    assert written == walked.document().text(format_)
    for name, maps_ in (("input", walked.input), ("kernel", [one for some in walked.weight or () for one in some])):
        lines = ["\n".join(" ".join(map(str, row)) for row in one) for one in maps_]
        (tmp_path / name).write_text("\n\n".join(lines) + "\n")
    files = ("--input", str(tmp_path / "input"), "--kernel", str(tmp_path / "kernel"))
    assert call("explain", "conv2d", *files, *settings).succeeded() == written


def test_numbers_print_as_given() -> None:
    """0.1·3 is 0.3 and no 0.30000000000000004; a third is a fraction."""
    walked = walk(Conv2d(1, 1), [[0.1, Decimal("-2.50")]], "3", [Fraction(0)])
    assert [(step.formula, step.value) for step in walked.steps] == [
        ("0.1·3 + 0", Fraction(3, 10)),
        ("(−2.5)·3 + 0", Fraction(-15, 2)),
    ]
    assert walked.to_dict()["output"] == [[[0.3, -7.5]]]
    assert "= 0.3\n" in str(walked)
    third = walk(AvgPool2d((1, 3)), "1 0 0")
    assert third.to_dict()["output"] == [[["1/3"]]]
    assert "(1 + 0 + 0)/3  = 1/3\n" in str(third)


def test_text_is_read_as_it_is_printed() -> None:
    """Aligned numbers with a sign of their own."""
    walked = walk(Conv2d(1, 1, bias=False), "1 -10 / 0.25 3", "1")
    printed = json.loads(json.dumps(re.findall(r"(?:Input|Kernel)  (.*)\n {8}(.*)\n", str(walked))[0]))
    assert walk(Conv2d(1, 1, bias=False), "/".join(printed), "1") == walked


def test_a_terminal_of_80_columns_has_room() -> None:
    out = on_terminal(*["explain", "conv2d", "2", "5", "padding=2", "--values", "--in", "2x3x3"], TERM="dumb")
    assert max(map(len, out.splitlines())) <= 80


def test_numpy_is_not_needed() -> None:
    names = loaded("from cnnzoo.cli import main; main('explain conv2d 1 3 --values --in 1x5x5'.split())")
    assert not {name.partition(".")[0] for name in names} & {"torch", "numpy", "matplotlib"}


# The picture


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Conv2d(2, 3, stride=2, padding=1), (2, 5, 4)),
        (Conv2d(4, (1, 2), groups=2, dilation=2), (2, 1, 4)),
        (ConvTranspose2d(2, 2, stride=2), (2, 2, 3)),
        (MaxPool2d(3, 2, 1), (1, 5, 5)),
        (AvgPool2d(2), (2, 4, 4)),
        (Conv2d(1, 1), (1, 1, 1)),
    ],
)
def test_the_picture_shows_each_step_and_runs_nothing(layer: Layer, shape: tuple[int, ...]) -> None:
    walked = walk(layer, shape)
    svg = walked.svg()
    assert walk(layer, shape).svg() == svg
    tree = ElementTree.fromstring(svg)
    assert {one.tag.partition("}")[2] for one in tree.iter()} == {"svg", "title", "style", "rect", "g", "text"}
    assert not re.search(r"\bon\w+=|href|url\(|@import|<script", svg)
    steps = [one for one in tree if one.get("class", "").startswith("step")]
    for step, group in zip(walked.steps, steps, strict=True):
        formula = " ".join(one.text or "" for one in group if one.get("class") == "number line")
        assert formula == f"{step.formula} = {shown(step.value)}"
        windows = [one for one in group if one.get("class") in ("window", "made")]
        assert len(windows) == len(step.reads) + 1 + (
            layer.tensors(shape) != {} and layer.output_shape(shape)[0] > 1
        ) * (len({read.channel for read in step.reads}))
    outputs = [one.text for one in tree if one.get("class") == "number output"]
    assert outputs == [shown(step.value) for step in walked.steps]
    across, down = float(tree.get("width", "")), float(tree.get("height", ""))
    for rect in tree.iter("{*}rect"):
        x, y, wide, high = (float(rect.get(name, 0)) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= across
        assert 0 <= y <= y + high <= down


def test_the_command_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "pool.svg"
    assert call(*["explain", "maxpool", "2", "--values", "--in", "1x4x4", "-o"], str(file)).succeeded() == ""
    assert file.read_text("utf-8") == walk(MaxPool2d(2), (1, 4, 4)).svg()


# What cannot be


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("conv2d", "64", "3", "--in", "3x224x224"), "3,306,432 values, and at most 1,000 can be printed"),
        (("conv2d", "1", "15", "--in", "1x18x18", "padding=7"), "72,900 terms, and at most 4,000"),
        (("conv2d", "1", "3", "--in", "1x999999999x999999999"), "at most 1,000 can be printed"),
        (("maxpool2d", "2", "--in", "1x999x999"), "at most 1,000 can be printed"),
        (("conv2d", "1", "3"), "--values takes what the layer reads"),
        (("conv2d", "1", "3", "--in", "1x5x5", "--input", "1"), "--values takes what the layer reads"),
        (("conv2d", "--in", "1x5x5"), "Conv2d takes (out_channels, kernel_size"),
        (("conv2d", "1", "2", "--in", "5"), "Conv2d needs maps"),
        (("conv2d", "1", "2", "--input", "1 2 / 3 four"), "the input has 'four', which is no number"),
        (("conv2d", "1", "2", "--input", "1 2 / 3 1e9"), "the input has '1e9', which is no number"),
        (("conv2d", "1", "2", "--input", "1 2 / 3"), "the input has rows of 2 values and of 1"),
        (("conv2d", "1", "2", "--input", "1 2 // 3 4 / 5 6"), "the input has maps of 1 row and of 2"),
        (("conv2d", "1", "2", "--input", "/"), "the input has no values"),
        (
            ("conv2d", "1", "2", "--in", "1x5x5", "--kernel", "1 2 3"),
            "takes a kernel of 1x1x2x2, 1 of 2x2; got 1 of 1x3",
        ),
        (("conv2d", "--in", "2x5x5", "--kernel", "1"), "takes a kernel of 1x2x1x1, 2 of 1x1; got 1 of 1x1"),
        (("conv2d", "1", "2", "--in", "1x5x5", "--bias", "1 2"), "takes a bias of 1"),
        (("conv2d", "1", "2", "bias=false", "--in", "1x5x5", "--bias", "1"), "has no bias"),
        (("avgpool2d", "2", "--in", "1x5x5", "--bias", "1"), "has no bias"),
        (("avgpool2d", "2", "--in", "1x5x5", "--kernel", "1"), "has no kernel"),
        (("maxpool2d", "2", "padding=1", "dilation=5", "--in", "1x4x4"), "a window in which all is padding"),
        (("linear", "10", "--in", "9"), "Linear is not walked through by its values; there are Conv2d"),
        (("stdconv2d", "1", "3", "--in", "1x5x5"), "StdConv2d is not walked through"),
        (("lenet5", "--in", "1x5x5"), "lenet5 is a network: --values is of a layer"),
        (("conv2d", "1", "2", "--in", "1x5x5", "--input-size", "5"), "--values is of a layer in no network"),
    ],
)
def test_what_cannot_be_walked_is_said(arguments: tuple[str, ...], said: str) -> None:
    call("explain", *arguments, "--values").refused(said)


@pytest.mark.parametrize("arguments", [("--kernel", "1"), ("--bias", "1"), ("--input", "1"), ("-o", "walk.svg")])
def test_what_goes_with_values_is_said(arguments: tuple[str, ...]) -> None:
    call("explain", "conv2d", "1", "3", "--in", "1x5x5", *arguments).refused("--values")


def test_what_is_no_file_of_numbers_is_said(tmp_path: Path) -> None:
    file = tmp_path / "numbers"
    for data, said in (
        (b"1 2\n3", "rows of 2"),
        (b"\xff", "cannot read numbers"),
        (b"1 " * 20_000, "20,000 characters"),
    ):
        file.write_bytes(data)
        call("explain", "conv2d", "1", "3", "--values", "--input", str(file)).refused(said)


@pytest.mark.parametrize("value", [1, [1], [[[[[1]]]]], [[1, [2]]], [[1], 2], None, [["x"]], [[float("nan")]]])
def test_what_is_no_map_is_said(value: Any) -> None:
    with pytest.raises((InvalidValueError, InvalidTypeError), match="the input"):
        walk(MaxPool2d(1), value)
