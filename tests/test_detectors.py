"""Registered networks that look at regions of an image: what they cost, calculated and measured, and that they run,
forward and backward, at several sizes and numbers of regions."""

import csv
import json
import math
import pickle
import re

import pytest
import torch
from command import call
from pictured import check_svg
from small import small

import cnnzoo
from cnnzoo import arch
from cnnzoo.arch import dumps, loads
from cnnzoo.calculate import calculate
from cnnzoo.errors import CnnzooError
from cnnzoo.features.check import check
from cnnzoo.features.compare import curves
from cnnzoo.features.draw import anchors, colours
from cnnzoo.features.draw.sheet import Area, Text, bounds
from cnnzoo.pytorch.modules.build import build
from cnnzoo.rewrites import warp_regions
from cnnzoo.zoo import get_builder, list_models

NAMES = [name for name in list_models() if get_builder(name).describe()._regions]
each = pytest.mark.parametrize("name", NAMES)


def boxes_of(images, count):
    """So many boxes of each of the images, none of them empty."""
    *_, height, width = images.shape
    corners = torch.rand(len(images), count, 2, 2, generator=torch.Generator().manual_seed(count))
    return (corners.sort(2)[0] * torch.tensor([width, height])).reshape(len(images), count, 4)


@pytest.mark.wide
@each
@pytest.mark.parametrize("size", [(3, 96, 128), (3, 150, 97)])
@pytest.mark.parametrize("count", [1, 7])
def test_calculated_is_measured(name, size, count):
    description, _ = small(name)
    agreement = check(description, (size, (count, 4)), 2)
    assert (agreement.differences, agreement.problem) == ((), None)


@pytest.mark.wide
@each
def test_at_its_own_size_calculated_is_measured(name):
    agreement = check(cnnzoo.describe(name), get_builder(name).input_size)
    assert (agreement.differences, agreement.problem) == ((), None)


@pytest.mark.wide
@each
def test_work_is_that_of_the_image_and_of_each_region(name):
    own = cnnzoo.summary(name)
    image, region = own.apart("macs")
    assert region > 0
    for count in (1, 300, 2000):
        report = cnnzoo.summary(name, regions=count)
        assert report.apart("macs") == (image, region)
        assert report.total_macs == image + count * region
        assert report.total_params == own.total_params
        assert report.rows == cnnzoo.summary(name, (own.input_size, (count, 4))).rows


@pytest.mark.wide
@each
def test_every_parameter_gets_a_gradient(name):
    description, size = small(name)
    net = build(description, size).train()
    images = torch.randn(2, *size)
    outputs = net(images, boxes_of(images, 3))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    whole = calculate(description, (size, (3, 4)))[""]
    shapes = [tuple(one.shape) for one in outputs]
    once = [(2, *shape) if len(shape) == 3 else (6, *shape[1:]) for shape in (whole.output_shape, *whole.more_outputs)]
    assert shapes == once
    sum(one.square().sum() for one in outputs).backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


@pytest.mark.wide
@each
def test_a_region_is_as_it_is_alone(name):
    """What is given of a region depends on its image and its box, and on no other."""
    description, size = small(name)
    net = build(description, size).eval()
    images = torch.randn(2, *size)
    boxes = boxes_of(images, 3)
    with torch.no_grad():
        together, alone = (net(images, boxes), net(images[1:], boxes[1:, 2:]))
    for all_of_them, one in zip(
        *(given if isinstance(given, tuple) else (given,) for given in (together, alone)), strict=True
    ):
        torch.testing.assert_close(all_of_them[-1:], one, rtol=1e-4, atol=1e-5)


@pytest.mark.wide
@each
def test_tensors_are_those_of_the_report(name):
    report, net = cnnzoo.summary(name), cnnzoo.create_model(name, device="meta")
    assert {key: tuple(value.shape) for key, value in net.state_dict().items()} == report.tensors


@pytest.mark.wide
@each
def test_a_description_is_its_repr_its_json_and_its_pickle(name):
    description = cnnzoo.describe(name)
    assert eval(repr(description), vars(arch)) == description == loads(dumps(description))
    assert pickle.loads(pickle.dumps(description)) == description
    assert json.loads(dumps(description))


ALIGNED = arch.Sequential(
    features=arch.From("input.0", arch.Sequential(warp=arch.Conv2d(4, 3, stride=2), relu=arch.ReLU())),
    warp=arch.Add("features", "features.warp"),
    regions=arch.From("warp", "input.1", arch.Regions(5, roi=arch.RoIAlign(2, 1 / 2), fc=arch.Linear(3))),
)


@pytest.mark.parametrize(
    "name", ["aligned", *(pytest.param(name, marks=pytest.mark.wide) for name in ("sppnet_zf5", "fast_rcnn_vgg16"))]
)
def test_regions_that_share_no_maps(name):
    """Warped out of the image, each goes through the convolutions of the same weights, and its maps are pooled."""
    shared = ALIGNED if name == "aligned" else small(name)[0]
    alone = warp_regions(shared, 64)
    agreement = check(alone, ((3, 96, 128), (3, 4)), 2)
    assert (agreement.differences, agreement.problem) == ((), None)
    assert eval(repr(alone), vars(arch)) == alone == loads(dumps(alone))
    nets = [build(one, (3, 96, 128)).eval() for one in (shared, alone)]
    nets[1].load_state_dict(nets[0].state_dict())
    images, boxes = torch.randn(2, 3, 96, 128), boxes_of(torch.empty(2, 3, 96, 128), 3)
    crops = [
        torch.nn.functional.interpolate(image[None, :, y1:y2, x1:x2], (64, 64), mode="bilinear")
        for image, own in zip(images, boxes.round().int(), strict=True)
        for x1, y1, x2, y2 in own.tolist()
    ]
    head = dict(nets[1].named_children())["regions"]
    maps = nets[0].features(torch.cat(crops))
    maps = sum(maps) if isinstance(maps, tuple) else maps  # what `ALIGNED` adds
    given, wanted = nets[1](images, boxes), head(maps)
    torch.testing.assert_close(given, wanted, rtol=1e-4, atol=1e-5)
    given = given if isinstance(given, tuple) else (given,)
    sum(one.square().sum() for one in given).backward()
    assert all(parameter.grad is not None for parameter in nets[1].parameters())


def test_vgg16s_weights_fit():
    """Names are torchvision's up to the last convolution."""
    ours, theirs = (cnnzoo.summary(name).tensors for name in ("fast_rcnn_vgg16", "vgg16"))
    features = {name: shape for name, shape in theirs.items() if name.startswith("features.")}
    assert {name: shape for name, shape in ours.items() if name.startswith("features.")} == features


@pytest.mark.wide
@pytest.mark.parametrize("name", [name for name in list_models() if get_builder(name).channels])
def test_explain_says_what_the_channels_of_every_head_are(name):
    builder = get_builder(name)
    report = builder.report()
    assert builder.channels.keys() <= {row.path for row in report.rows}
    assert len(builder.channels) >= len(report.outputs)
    for path in builder.channels:
        (said,) = [sentence for label, sentence in cnnzoo.explain(name, path).said if label == "Channels"]
        numbers = [int(number) for number in re.findall(r"\b\d+\b", said.partition(";")[0])]
        assert max(numbers, default=0) < report[path].output_shape[0]


def test_channels_of_a_region_proposal_network_are_numbered():
    explained = (cnnzoo.explain("faster_rcnn_zf", f"rpn.{path}").said for path in ("objectness", "deltas"))
    scores, boxes = (dict(said)["Channels"] for said in explained)
    assert scores.startswith("0 to 8 score the background at each anchor, 9 to 17 an object there; each of the 39x64 ")
    assert boxes.startswith("4a to 4a + 3 are x, y, width and height relative to anchor a, 0 to 8; each of the 39x64 ")


def test_a_formula_of_one_number_stands_without_brackets():
    found = {one.figure: one.formula for one in cnnzoo.explain("faster_rcnn_zf", "regions.cls_score").equations}
    assert (found["additions"], found["macs"]) == ("300 · 21", "300 · (21 · 4,096)")


@pytest.mark.parametrize(("name", "settings"), [("yolo_v1", {"boxes": 0}), ("yolo_v2", {"classes": -3})])
def test_cells_have_boxes(name, settings):
    with pytest.raises(ValueError, match="a cell has at least one box, and no fewer than 0 classes; got"):
        cnnzoo.describe(name, **settings)


def test_what_a_region_costs_r_cnn_is_what_an_image_costs_its_network():
    network = cnnzoo.summary("caffenet", num_classes=21)
    rcnn = cnnzoo.summary("rcnn_alexnet")
    assert rcnn.apart("macs") == (0, network.total_macs)
    assert rcnn.total_params == network.total_params


def test_compare_says_from_how_many_regions_on_one_costs_more():
    names = ("rcnn_alexnet", "sppnet_zf5", "fast_rcnn_vgg16", "faster_rcnn_vgg16", "yolo_v1")
    compared = cnnzoo.compare(*names, regions=2000)
    records = {one["model"]: one for one in compared.records()}
    for name in names:
        report = cnnzoo.summary(name, **({} if name == "yolo_v1" else {"regions": 2000}))
        image, region = report.apart("macs")
        record = records[name]
        assert (record["image_macs"], record["region_macs"], record["macs"]) == (image, region or 0, report.total_macs)
    said = [sentence for label, sentence in compared.said if label == "Crossing"]
    assert said == [
        "rcnn_alexnet costs more than sppnet_zf5 from 25 regions on, yolo_v1 from 29 regions on, "
        "fast_rcnn_vgg16 from 307 regions on, faster_rcnn_vgg16 from 316 regions on",
        "sppnet_zf5 costs more than yolo_v1 from 66 regions on",
    ]
    for count in (24, 25):  # worked out again from whole reports
        rcnn, spp = (cnnzoo.summary(name, regions=count).total_macs for name in names[:2])
        assert (rcnn > spp) == (count >= 25)
    assert [sentence for label, sentence in compared.said if label == "Regions"] == [
        "none in yolo_v1: their number changes nothing there"
    ]
    small = cnnzoo.compare("rcnn_alexnet", "sppnet_zf5", input_size=64)
    assert ("Crossing", "rcnn_alexnet costs more than sppnet_zf5 from 1 region on") in small.said
    assert dict(compared.document().said)["Figures"] == (
        "per sample, as text in three digits (all other formats are exact)"
    )  # of columns that are not there nothing is said


def test_behind_linear_layers_all_positions_see_the_same():
    said = dict(cnnzoo.summary("yolo_v1").document().said)["Receptive field"]
    assert said == "1133 pixels; all positions see the same, padding 359; at output, the last map"
    last = cnnzoo.explain("yolo_v1", "output").steps[-1]
    assert (last.value, last.stride, last.effective_stride, last.effective_padding) == (1133, 0, 0, 359)


@pytest.mark.parametrize("regions", [0, -1, 1.5, "x", True, 10**30])
def test_a_number_of_regions_that_is_none(regions):
    with pytest.raises(CnnzooError, match=r"regions must be (a whole number of at least 1|at most 9,)"):
        cnnzoo.compare("vgg11", regions=regions)


def test_a_module_has_the_regions_that_it_was_run_with():
    net, sizes = arch.Regions(2, arch.RoIPool(2), arch.Flatten(), arch.Linear(3)), ((4, 9, 9), (5, 4))
    compared = cnnzoo.compare(net, build(net, sizes), regions=7, input_size=sizes)
    assert [one["regions"] for one in compared.records()] == [7, 5]
    (said,) = [sentence for label, sentence in compared.said if label == "Regions"]
    assert said.endswith("was run with 5: the input size of a module says how many")


RELEASED = (
    (-84, -40, 99, 55),
    (-176, -88, 191, 103),
    (-360, -184, 375, 199),
    (-56, -56, 71, 71),
    (-120, -120, 135, 135),
    (-248, -248, 263, 263),
    (-36, -80, 51, 95),
    (-80, -168, 95, 183),
    (-168, -344, 183, 359),
)
"""What generate_anchors.py of py-faster-rcnn gives for its 16 pixels, ratios of 0.5, 1 and 2, and scales of 8, 16 and
32."""


@pytest.mark.parametrize("name", ["faster_rcnn_vgg16", "faster_rcnn_zf"])
def test_anchors_are_those_of_the_authors(name):
    lines = list(csv.DictReader(call("draw", name, "--kind", "anchors", "--format", "csv").succeeded().splitlines()))
    boxes = [tuple(int(line[side]) for side in ("left", "top", "right", "bottom")) for line in lines]
    assert tuple(boxes) == RELEASED
    assert [(int(line["width"]), int(line["height"])) for line in lines] == [
        (right - left + 1, bottom - top + 1) for left, top, right, bottom in RELEASED
    ]
    report = cnnzoo.summary(name)
    cells = report["rpn.deltas"].output_shape
    assert cells[0] == 4 * len(RELEASED)
    inside = sum(
        16 * x + left >= 0 and 16 * y + top >= 0 and 16 * x + right < 1000 and 16 * y + bottom < 600
        for y in range(cells[1])
        for x in range(cells[2])
        for left, top, right, bottom in RELEASED
    )
    assert f"; {inside:,} lie within the image" in str(cnnzoo.draw(name, "anchors"))


@pytest.mark.parametrize("size", [(3, 600, 1000), (3, 100, 64)])
def test_anchors_are_drawn_to_scale_around_their_position(size):
    sheet = anchors.anchors(cnnzoo.summary("faster_rcnn_vgg16", size), 2)
    areas = [mark for mark in sheet.marks if isinstance(mark, Area)]
    image, position = bounds(areas[0]), bounds(areas[-1])
    scale = (position[2] - position[0]) / 16
    assert (image[2] - image[0]) / scale == pytest.approx(size[2])
    for area, (left, top, _, bottom) in zip(areas[1:10], RELEASED, strict=True):
        x, low, _, high = bounds(area)
        assert (x - position[0]) / scale == pytest.approx(left)
        assert (position[3] - high) / scale == pytest.approx(top)
        assert (high - low) / scale == pytest.approx(bottom - top + 1)
    for mark in sheet.marks:
        left, bottom, right, top = bounds(mark)
        assert 0 <= left <= right <= sheet.width
        assert 0 <= bottom <= top <= sheet.height


def test_another_network_has_no_anchors_and_bars_no_table():
    with pytest.raises(ValueError, match="no anchors are known"):
        cnnzoo.draw(arch.Sequential(conv=arch.Conv2d(36, 1)), "anchors", input_size=(3, 8, 8)).to("svg")
    with pytest.raises(ValueError, match="bars has no table"):
        cnnzoo.draw("lenet5", "bars").document()


def test_curves_over_regions_cross_where_one_begins_to_cost_more(tmp_path):
    names = ("rcnn_alexnet", "sppnet_zf5", "fast_rcnn_vgg16", "faster_rcnn_vgg16", "yolo_v1")
    records = cnnzoo.compare(*names).records()
    sheet = curves.curves(records)
    areas = [mark for mark in sheet.marks if isinstance(mark, Area)]
    lines = [area.points for area in areas if len(area.points) == 2 * curves.STEPS]
    assert len(lines) == len(names)
    start, end = lines[0][0], lines[0][curves.STEPS]
    for one, line in zip(records, lines, strict=True):  # heights by R-CNN's, which is straight
        for place, regions in ((line[0], 1), (line[curves.STEPS], 2000)):
            times = (one["image_macs"] + regions * one["region_macs"]) / records[0]["region_macs"]
            share = (place[1] - start[1]) / (end[1] - start[1])
            assert share == pytest.approx(math.log(times) / math.log(2000))
    words = [mark.words for mark in sheet.marks if isinstance(mark, Text)]
    assert {"25", "29", "66", "307, 316", *names} <= set(words)
    assert "sppnet_zf5 costs more than yolo_v1 from 66 regions on" in words
    dots = [area for area in areas if area.fill == colours.INK]
    assert len(dots) == 5
    path = tmp_path / "curves.svg"
    assert call("draw", *names, "--kind", "regions", "-o", str(path)).succeeded() == ""
    assert path.read_bytes() == cnnzoo.compare(*names).curves("svg")
    check_svg(path.read_bytes(), *names)


def test_a_curve_of_one_network_and_of_unknown_macs():
    assert cnnzoo.compare("faster_rcnn_zf").curves("svg") == cnnzoo.compare("faster_rcnn_zf").curves("svg")
    records = [*cnnzoo.compare("sppnet_zf5").records(), *cnnzoo.compare("yolo_v1").records()]
    records[1] |= {"image_macs": None}
    words = [mark.words for mark in curves.curves(records).marks if isinstance(mark, Text)]
    assert "not drawn, as their MACs are unknown: yolo_v1" in words
