"""Pictures as they are drawn, and `cnnzoo draw`."""

import io
import os
import re
import time
from collections import OrderedDict
from contextlib import nullcontext, suppress
from dataclasses import replace
from itertools import combinations

import pytest
from command import call, spawn
from hypothesis import given
from hypothesis import strategies as st
from pictured import DEPTHS, ODD, any_network, check_svg, contrast, drawn, report_of
from PIL import Image
from torch import nn

from cnnzoo.arch import (
    Add,
    Cat,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    From,
    Linear,
    MaxPool2d,
    ReLU,
    Run,
    Sequential,
    Unflatten,
    Upsample,
)
from cnnzoo.calculate import calculate
from cnnzoo.errors import InvalidValueError
from cnnzoo.features import draw
from cnnzoo.features.draw import colours, field, volumes
from cnnzoo.features.draw.sheet import Area, Text, bounds
from cnnzoo.features.draw.stages import steps
from cnnzoo.features.draw.words import EXACT
from cnnzoo.features.summary import summary
from cnnzoo.report.rows import along_axes
from cnnzoo.words import most_of, short
from cnnzoo.zoo import list_models

KINDS = [kind for kind in draw.KINDS if kind not in draw.TABLES]
"""Those of every network; tests/test_detectors.py has the others."""


@pytest.mark.wide
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", list_models()[::8])
def test_an_svg_has_its_text_and_is_the_same_each_time(name, kind):
    svg = drawn(name, kind, "svg")
    check_svg(svg, name, f"{report_of(name).total_params:,} parameters")
    assert drawn(name, kind, "svg") == svg


@pytest.mark.long
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", list_models())
def test_every_network_can_be_drawn(name, kind, depth):
    check_svg(drawn(name, kind, "svg", depth=depth), name)


def test_png_and_pdf(wide):
    kinds = KINDS if wide else KINDS[:2]
    first = {(kind, ending): drawn("lenet5", kind, ending) for kind in kinds for ending in ("png", "pdf")}
    for (_, ending), picture in first.items():
        if ending == "pdf":
            assert picture.startswith(b"%PDF-")
            continue
        image = Image.open(io.BytesIO(picture))
        assert image.format == "PNG"
        assert min(image.size) > 300
        assert len(image.convert("RGB").getcolors(1 << 20)) > 10
    time.sleep(1.1)  # a date would be another one
    assert {key: drawn("lenet5", *key) for key in first} == first


@pytest.mark.parametrize("kind", ["bars", "volumes"])
def test_characters_that_xml_cannot_hold_are_left_out(kind):
    """A torch.nn.Module may have them in its names."""
    module = nn.Sequential(OrderedDict({"a\x1b[31mb": nn.Conv2d(3, 4, 3)}))
    report = replace(summary(module, (3, 8, 8)), model="c\x00d")
    check_svg(draw.draw(report, kind).to("svg"), "a[31mb", "cd")


@pytest.mark.wide(2)
@pytest.mark.parametrize("format", draw.DRAWN)
def test_odd_names_are_drawn_as_they_are(format):
    blocks = {name: Concat(**{name: Conv2d(number, 1), "and": Conv2d(2, 1)}) for number, name in enumerate(ODD, 1)}
    net = Sequential(**blocks)
    report = calculate(net, (3, 8, 8), model='a "<&\\n')
    for kind in KINDS:
        picture = draw.draw(report, kind, depth=3).to(format)
        if format == "svg":
            check_svg(picture, *(ODD if kind in ("graph", "bars") else ODD[:1]), 'a "<&\\n')


@pytest.mark.parametrize("page", ["light", "dark"])
def test_text_is_legible_on_all_that_is_under_it(page):
    fills = [
        colours.PAPER,
        colours.FRAME.fill,
        *(paint.fill for role, paint in colours.PAINTS.items() if role != "fork"),
    ]
    for fill in fills:
        for text in (colours.INK, colours.MUTED):
            assert contrast(getattr(text, page), getattr(fill, page)) >= 4.5
    for paint in colours.PAINTS.values():
        assert contrast(getattr(paint.line, page), getattr(colours.PAPER, page)) >= 3


def test_no_two_colours_are_alike_on_white():
    """Or one would be taken for the other on black."""
    paints = {id(paint): paint for paint in (colours.FRAME, *colours.PAINTS.values())}.values()
    every = {colours.PAPER, colours.INK, colours.MUTED, colours.LINE, *(colour for paint in paints for colour in paint)}
    assert len({colour.light for colour in every}) == len(every)


# Sheets


def check_sheet(sheet) -> None:
    """Nothing is cut off, and no text covers another."""
    for mark in sheet.marks:
        left, bottom, right, top = bounds(mark)
        assert 0 <= left <= right <= sheet.width
        assert 0 <= bottom <= top <= sheet.height
    words = [bounds(mark) for mark in sheet.marks if isinstance(mark, Text) and mark.words]
    for one, other in combinations(words, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart


def no_field(report):
    """Around the drawing of fields: where none is known, it says so."""
    if report.receptive_field is not None:
        return nullcontext()
    return pytest.raises(InvalidValueError, match="no receptive field is known")


@pytest.mark.wide
@pytest.mark.parametrize("depth", [2, *(pytest.param(depth, marks=pytest.mark.long) for depth in (1, 3, 9))])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind in draw.PLOTS])
@pytest.mark.parametrize("name", list_models())
def test_no_text_covers_another(name, kind, depth):
    with no_field(report_of(name)) if kind == "field" else nullcontext():
        check_sheet(draw.PLOTS[kind](report_of(name), depth))


@given(any_network(), st.integers(1, 4))
def test_nor_does_it_in_any_network(network, depth):
    _, report = network
    with suppress(ValueError) if any(len(row.output_shape) > 3 for row in report.rows) else nullcontext():
        check_sheet(draw.PLOTS["volumes"](report, depth))
    if report.total_params or report.aux_params:
        check_sheet(draw.PLOTS["bars"](report, depth))
    with suppress(ValueError):  # where no receptive field is known
        check_sheet(draw.PLOTS["field"](report, depth))


@pytest.mark.parametrize("name", list_models())
def test_volumes_do_not_cover_each_other(name):
    marks = draw.PLOTS["volumes"](report_of(name), 2).marks
    boxes, part = [], []
    for mark in [mark for mark in marks if isinstance(mark, Area)]:
        if part and not (bounds(part[0])[0] - 1e-6 <= bounds(mark)[0] <= bounds(part[0])[2] + 1e-6):
            boxes.append(part)
            part = []
        part.append(mark)
    for one, other in combinations([*boxes, part], 2):
        across = [bounds(mark) for mark in (*one, *other)]
        firsts, others = across[: len(one)], across[len(one) :]
        beside = max(edge[2] for edge in firsts) < min(edge[0] for edge in others)
        above = min(edge[1] for edge in firsts) > max(edge[3] for edge in others)
        assert beside or above


@pytest.mark.wide
@pytest.mark.parametrize("depth", DEPTHS[:3])
@pytest.mark.parametrize("name", list_models())
def test_bars_are_of_all_there_is(name, depth):
    """As long as their share of the largest, and none is missing."""
    report = report_of(name)
    rows = [row for row in steps(report, depth) if row.params or row.macs]
    marks = [mark for mark in draw.PLOTS["bars"](report, depth).marks if isinstance(mark, Area)]
    for figure, role in (("params", "convolution"), ("macs", "linear")):
        values = [getattr(row, figure) for row in rows]
        assert sum(value for row, value in zip(rows, values, strict=True) if not row.aux) == report.totals[figure]
        bars = [bounds(mark) for mark in marks if mark.line == colours.PAINTS[role].line]
        longest = max(right - left for left, _, right, _ in bars)
        shares = [(right - left) / longest for left, _, right, _ in bars]
        assert shares == pytest.approx([value / max(values) for value in values if value])
        assert [top for *_, top in bars] == sorted((top for *_, top in bars), reverse=True)


@pytest.mark.parametrize("name", list_models())
def test_fields_are_to_scale_and_said(name):
    report = report_of(name)
    with no_field(report):
        sheet = draw.PLOTS["field"](report, 2)
    if report.receptive_field is None:
        return
    said = [mark.words for mark in sheet.marks if isinstance(mark, Text)]
    _, high, wide = report.input_size
    fields = []
    for line in said:
        if found := re.fullmatch(r"(?:\d+-)?(\d+)×(?:\d+-)?(\d+) pixels(, larger than the input)?", line):
            down, right = int(found[1]), int(found[2])  # the most, where not all positions see as many
            assert bool(found[3]) == (down > high or right > wide)
            fields.append((down, right))
    seen = (report[""].more_outputs and report[""].receptive_field) or report.receptive_field
    assert tuple(map(most_of, along_axes(seen))) in fields
    areas = [mark for mark in sheet.marks if isinstance(mark, Area) and len(mark.points) == 4]
    widths = [right - left for left, _, right, _ in map(bounds, areas)]
    scale = widths[0] / wide
    fields.remove((high, wide))
    near = [width for mark, width in zip(areas[1:], widths[1:], strict=True) if not mark.dashed]
    shown = sorted(right for down, right in fields if down <= 3 * high and right <= 3 * wide)
    assert sorted(near) == pytest.approx([right * scale for right in shown])


@pytest.mark.parametrize("name", list_models())
def test_volumes_are_all_layers_with_weights(name):
    """Those with their colour, equal ones counted, are as many as the depth, where no block stands for several."""
    report = report_of(name)
    stages = list(volumes._stages(report, 9))
    if any(stage.role == "block" for stage in stages):
        assert sum(stage.times for stage in stages) > 1
        return
    weighted = sum(stage.times for stage in stages if stage.role in ("convolution", "linear"))
    assert weighted == report.depth - sum(row.kind == "Subsampling2d" for row in report.rows)


def test_volumes_of_steps():
    """What skips layers is left out, and said to be; where layers do not follow each other the block is one box."""
    up = Sequential(up=From("input.0", Upsample(scale_factor=2)), skip=Cat("input.1", "up"))
    encoder = Sequential(a=Conv2d(4, 3, padding=1), pool=MaxPool2d(2), b=Conv2d(8, 3, padding=1))
    fire = Sequential(s=Conv2d(2, 1), a=Conv2d(3, 1), b=From("s", Conv2d(5, 1)), out=Cat("a", "b"))
    net = Sequential(encoder=encoder, decoder=From("encoder", "encoder.a", up), fire=fire, head=Conv2d(2, 1))
    report = calculate(net, (3, 8, 8))
    stages = [(stage.name, stage.shape[0]) for stage in volumes._stages(report, 9)]
    assert stages == [
        *(("input", 3), ("encoder.a", 4), ("encoder.pool", 4), ("encoder.b", 8), ("decoder.up", 8)),
        *(("decoder.skip", 12), ("fire", 8), ("head", 2)),
    ]
    said = [mark.words for mark in draw.PLOTS["volumes"](report, 9).marks if isinstance(mark, Text)]
    assert volumes.BESIDE in said
    alone = calculate(fire, (3, 8, 8))
    assert [stage.shape[0] for stage in volumes._stages(alone, 9)] == [3, 8]
    plain = draw.PLOTS["volumes"](report_of("lenet5"), 9).marks
    assert volumes.BESIDE not in [mark.words for mark in plain if isinstance(mark, Text)]


def test_the_field_of_the_last_map_is_drawn_where_layers_do_not_follow_each_other():
    tower = Sequential(conv=Conv2d(4, 3), flatten=Flatten())
    net = Sequential(a=From("input.0", tower), b=Run("a", "input.1"), c=Cat("a", "b"), fc=Linear(1))
    sheet = draw.PLOTS["field"](calculate(net, ((3, 8, 8), (3, 9, 9))), 2)
    assert {"a.conv (call 2)", "3×3 pixels"} <= {mark.words for mark in sheet.marks if isinstance(mark, Text)}


def test_bars_say_which_call_it_is():
    net = Sequential(a=Conv2d(3, 1), b=Run("a"))
    said = [mark.words for mark in draw.PLOTS["bars"](calculate(net, (3, 8, 8)), 9).marks if isinstance(mark, Text)]
    assert {"a", "a (call 2)"} <= {*said}


def test_alexnet_has_five_convolutions_and_three_linear_layers():
    labels = [mark.words for mark in draw.PLOTS["volumes"](report_of("alexnet"), 2).marks if isinstance(mark, Text)]
    assert {"conv1", "conv2", "conv3 ×2", "conv5", "fc6 ×2", "fc8"} <= set(labels)


@pytest.mark.parametrize("name", list_models())
def test_fields_lie_around_one_middle(name):
    """Each within a step of its stage of the middle of the last one's."""
    report = report_of(name)
    rows = list(field._stages(report, 2))
    seen = field._seen(rows)
    for number in (1, 2):
        middles = [2 * span[0] + span[1] for span in (one[number] for one in seen)]
        for one, middle in zip(seen, middles, strict=True):
            stride = along_axes(one.row.effective_stride)[number - 1]
            assert abs(middle - middles[-1]) <= stride


@pytest.mark.parametrize("name", list_models())
def test_a_block_by_itself_costs_what_it_costs_in_the_network(name):
    report = report_of(name)
    for row in [block for block in report.blocks if block.kind != "ModuleList"][1:6]:  # a list has no input
        alone = draw.opened(report, row.path)
        assert (alone.total_params, alone.total_macs, alone[""].output_shape) == (
            row.params,
            row.macs,
            row.output_shape,
        ) or row.aux
        assert draw.draw(alone, "graph").to("mmd")


@given(any_network())
def test_so_does_any_block(network):
    """Of several values, too, whatever their names and their order; what runs again costs so once more."""
    _, report = network
    for row in report.blocks[1:]:
        if not row.output_shape or row.aux:
            continue
        alone = draw.opened(report, row.path)
        assert (alone.total_params, alone[""].output_shape) == (row.params, row.output_shape)
        assert alone[""].more_outputs == row.more_outputs
        assert draw.draw(alone, "graph").to("mmd")


def test_a_block_whose_inputs_have_names_is_drawn_by_itself():
    unit = Sequential(low=From("input.y", Conv2d(2, 1, stride=2)), out=Add("low", "input.x"))
    net = Sequential(x=MaxPool2d(2), y=From("input", Conv2d(3, 2)), unit=From("x", "y", unit))
    report = calculate(net, (2, 8, 8))
    alone = draw.opened(report, "unit")
    assert (alone.input_size, alone.more_inputs) == ((3, 7, 7), ((2, 4, 4),))
    said = draw.draw(alone, "graph").to("mmd").decode()
    assert "input.y" in said
    assert "input.x" in said


def test_a_block_that_there_is_not():
    call("draw", "googlenet", "--block", "inception3x").refused("did you mean inception3a or inception3b")


def test_a_field_is_where_it_is():
    """LeNet-5's c1 reads 5x5 pixels, the 14th of 28 positions those from the 14th on; c5 reads all 32."""
    sheet = draw.PLOTS["field"](report_of("lenet5"), 2)
    whole, first, *_, last = [bounds(mark) for mark in sheet.marks if isinstance(mark, Area) and len(mark.points) == 4]
    pixel = (whole[2] - whole[0]) / 32
    assert [(edge - start) / pixel for edge, start in zip(first, whole[:2] * 2, strict=True)] == pytest.approx(
        [13, 32 - 18, 18, 32 - 13]
    )
    assert last == pytest.approx(whole)


def test_a_field_that_differs_is_drawn_as_the_most_and_says_the_least():
    """A transposed convolution of which positions see 2 and 4 of 16 pixels in turn, a pixel apart."""
    net = Sequential(down=MaxPool2d(2), up=ConvTranspose2d(2, 3, stride=2, padding=1, output_padding=1))
    sheet = draw.PLOTS["field"](calculate(net, (2, 16, 16)), 2)
    assert "2-4×2-4 pixels" in [mark.words for mark in sheet.marks if isinstance(mark, Text)]
    whole, *_, last = [bounds(mark) for mark in sheet.marks if isinstance(mark, Area) and len(mark.points) == 4]
    pixel = (whole[2] - whole[0]) / 16
    assert [(last[at + 2] - last[at]) / pixel for at in (0, 1)] == pytest.approx([4, 4])


def test_a_map_of_which_all_positions_see_the_same_is_drawn():
    net = Sequential(
        conv=Conv2d(2, 3), flat=Flatten(), fc=Linear(8), map=Unflatten(1, (2, 2, 2)), up=Upsample(scale_factor=2)
    )
    report = calculate(net, (2, 9, 9))
    assert (report["up"].receptive_field, report["up"].effective_stride) == (9, 0)
    assert draw.PLOTS["field"](report, 2).marks


def test_vectors_alone_can_be_drawn():
    net = Sequential(a=Linear(20), relu=ReLU(), b=Linear(5))
    report = calculate(net, (7,))
    for kind in ("graph", "volumes", "bars"):
        check_svg(draw.draw(report, kind).to("svg"), "network")
    with pytest.raises(ValueError, match="no receptive field is known"):
        draw.draw(report, "field").to("svg")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        *((0, "0"), (9_999, "9,999"), (10_000, "10.0 k"), (99_949, "99.9 k"), (99_950, "100 k"), (999_499, "999 k")),
        *((999_500, "1.00 M"), (25_557_032, "25.6 M"), (999_500_000, "1.00 G"), (4_089_184_256, "4.09 G"), (None, "?")),
    ],
)
def test_short_figures(value, said):
    assert short(value, below=EXACT) == said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "pie"}, "there are graph, volumes, bars, field"),
        ({"format": "jpg"}, "there are svg, png, pdf, mmd, dot"),
        ({"kind": "bars", "format": "mmd"}, "bars cannot be drawn as mmd"),
    ],
)
def test_a_picture_that_there_is_not(options, said):
    with pytest.raises(ValueError, match=said):
        draw.draw(report_of("lenet5"), options.get("kind", "graph")).to(options.get("format", "svg"))


# The command


@pytest.mark.wide
@pytest.mark.parametrize("ending", [".svg", ".png", ".pdf", ".mmd", ".dot", ".gv", ".mermaid", ".SVG"])
def test_a_file_is_drawn_by_its_ending(tmp_path, ending):
    file = tmp_path / f"net{ending}"
    assert call("draw", "lenet5", "-o", str(file)).succeeded() == ""
    same = {".gv": "dot", ".mermaid": "mmd"}.get(ending, ending[1:].lower())
    assert file.read_bytes() == drawn("lenet5", "graph", same)
    assert os.listdir(tmp_path) == [file.name]


@pytest.mark.parametrize("format", draw.TEXTS)
def test_text_goes_to_stdout(format):
    assert call("draw", "resnet18", "--format", format).succeeded().encode() == drawn("resnet18", "graph", format)


def test_without_a_word_it_is_mermaid():
    assert call("draw", "vgg11").succeeded() == call("draw", "vgg11", "--format", "mmd").succeeded()
    assert spawn("draw", "vgg11", PYTHONIOENCODING="ascii").succeeded() == call("draw", "vgg11").succeeded()


def test_options_change_what_is_drawn():
    said = call("draw", "resnet18", "--depth", "1", "--num-classes", "7", "--input-size", "64").succeeded()
    assert "input 3×64×64" in said
    assert '|"7"|' in said
    assert "subgraph" not in said


def test_a_rewritten_network_is_drawn():
    said = call("draw", "googlenet+drop_reductions").succeeded()
    assert said.startswith('---\ntitle: "googlenet+drop_reductions · ')
    assert said != call("draw", "googlenet").succeeded()


SOURCE = """
from torch import nn
from cnnzoo.arch import Conv2d, ReLU, Sequential

def module():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 5))
    net.register_forward_hook(lambda *given: None)
    return net

def described(width=8):
    return Sequential(conv=Conv2d(width, 3), relu=ReLU())
"""


@pytest.fixture
def source(tmp_path, monkeypatch):
    (tmp_path / "net_to_draw.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return "net_to_draw.py"


def test_what_is_measured_is_drawn_as_far_as_it_is_known(source):
    for kind in ("bars", "volumes"):
        call("draw", f"{source}:module", "--input-size", "3x8x8", "--kind", kind, "-o", f"{kind}.svg").succeeded()
        with open(f"{kind}.svg", "rb") as file:
            check_svg(file.read(), f"{source}:module", "72" if kind == "volumes" else "365")
    where = ("draw", f"{source}:module", "--input-size", "3x8x8", "-o", "x.svg")
    call(*where).refused("how its layers are joined cannot be seen", "--kind bars")
    call(*where, "--kind", "field").refused("no receptive field is known")
    assert not os.path.exists("x.svg")


def test_a_description_anywhere_is_drawn(source):
    said = call("draw", f"{source}:described", "--input-size", "3x8x8", "--arg", "width=4").succeeded()
    assert '"4×6×6"' in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("resnet51 -o x.svg", ("'resnet51'", "did you mean")),
        ("vgg16+quux -o x.svg", ("'quux'",)),
        ("vgg16 -o x.jpg", ("'x.jpg'", ".svg", ".png", ".pdf", ".mmd", ".dot")),
        ("vgg16 -o x", ("'x'", ".svg")),
        ("vgg16 --kind bars", ("-o FILE.svg",)),
        ("vgg16 --format png", ("-o FILE.svg",)),
        ("vgg16 --kind bars -o x.mmd", ("bars cannot be drawn as mmd",)),
        ("vgg16 --kind pie -o x.svg", ("'pie'", *draw.KINDS)),
        ("vgg16 --kind anchors", ("no anchors are known of vgg16", "faster_rcnn_vgg16")),
        ("faster_rcnn_zf --kind anchors --arg anchors=6 -o x.svg", ("faster_rcnn_zf has 6 anchors", "9 are known")),
        ("faster_rcnn_zf --kind anchors --format mmd", ("-o FILE.svg",)),
        ("faster_rcnn_zf --kind anchors -o x.jpg", (".jpg", ".csv")),
        ("vgg16 --kind bars --format csv -o x.svg", ("--format csv", "bars has none", "anchors")),
        ("vgg16 yolo_v1 --kind regions -o x.svg", ("no curve over regions",)),
        ("sppnet_zf5 --kind regions", ("-o FILE.svg",)),
        ("sppnet_zf5 --kind regions -o x.mmd", ("'mmd'", "svg, png, pdf")),
        ("sppnet_zf5 --kind regions --block features -o x.svg", ("--block", "regions")),
        ("vgg16 vgg11 -o x.svg", ("only --kind regions takes several", "vgg16, vgg11")),
        ("vgg16 --depth 0 -o x.svg", ("--depth",)),
        ("vgg16 --input-size 8 -o x.svg", ("at features.", "nothing is left")),
        ("vgg16 --arg depth -o x.svg", ("'depth'",)),
        ("vgg16 --input-size 64 --input-size 64 -o x.svg", ("of several inputs each says its channels",)),
        ("vgg16 -o missing/x.svg", ("missing/x.svg",)),
    ],
)
def test_bad_input_is_one_line_and_no_file(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.svg").write_text("as it was")
    call("draw", *arguments.split()).refused(*said)
    assert os.listdir(tmp_path) == ["x.svg"]
    assert (tmp_path / "x.svg").read_text() == "as it was"


@pytest.mark.parametrize(("kind", "package"), [("graph", "pygraphviz"), ("bars", "matplotlib")])
def test_what_is_not_installed_is_named(tmp_path, monkeypatch, kind, package):
    monkeypatch.setattr("cnnzoo.extras.find_spec", lambda name: None if name == package else object())
    line = call("draw", "lenet5", "--kind", kind, "-o", str(tmp_path / "x.svg"))
    line.refused(package, "pip install 'cnnzoo[draw]'")
    assert os.listdir(tmp_path) == []
    assert call("draw", "lenet5").succeeded()


def test_what_fails_is_said_in_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr("cnnzoo.features.draw.graphviz.SCRIPT", "raise SystemExit('no layout')")
    call("draw", "lenet5", "-o", str(tmp_path / "x.svg")).refused("Graphviz cannot draw it: no layout")


def test_drawing_says_nothing_on_stderr(tmp_path, capfd):
    """Nor does graphviz, which writes to the descriptor; nor, in a process of its own, what is imported."""
    for kind in KINDS:
        assert call("draw", "lenet5", "--kind", kind, "-o", str(tmp_path / f"{kind}.svg")).succeeded() == ""
    assert capfd.readouterr() == ("", "")
    assert spawn("draw", "lenet5", "-o", str(tmp_path / "again.svg")).succeeded() == ""
