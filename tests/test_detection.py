"""Regions of images: their poolings against torchvision's kernels written out as loops, and what networks with them
cost, calculated and measured."""

import math
import pickle

import numpy as np
import pytest
import strategies
import torch
from hypothesis import given
from hypothesis import strategies as st
from libraries import stub_torchvision
from reference import saved_bytes
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

import cnnzoo
from cnnzoo import arch, values
from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Add,
    Aux,
    BatchNorm2d,
    Cat,
    Conv2d,
    Dense,
    Flatten,
    From,
    Gate,
    Linear,
    MaxPool2d,
    Outputs,
    Regions,
    ReLU,
    Residual,
    Resize,
    RoIAlign,
    RoIPool,
    RoIPyramidPool,
    Sequential,
    SpatialPyramidPool,
    dumps,
    loads,
)
from cnnzoo.calculate import calculate
from cnnzoo.errors import CnnzooError
from cnnzoo.features.check import check
from cnnzoo.pytorch.measuring.measure import MeasureError, measure
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.tracing.events import TracingError
from cnnzoo.totals import totals

# torchvision's kernels for the CPU, one number after the other


def to_whole(x):
    """C's round: halves away from zero."""
    return math.floor(x + 0.5) if x >= 0 else math.ceil(x - 0.5)


def pooled_by_loops(maps, rois, size, scale):
    """csrc/ops/cpu/roi_pool_kernel.cpp, and the positions of the maxima."""
    kind = maps.dtype.type
    channels, height, width = maps.shape[1:]
    found = np.zeros((len(rois), channels, *size), maps.dtype)
    where = np.full(found.shape, -1)
    for k, (image, *corners) in enumerate(rois):
        left, top, right, bottom = (to_whole(float(kind(corner) * kind(scale))) for corner in corners)
        wide, high = max(right - left + 1, 1), max(bottom - top + 1, 1)
        bin_h, bin_w = kind(high) / kind(size[0]), kind(wide) / kind(size[1])
        for ph in range(size[0]):
            for pw in range(size[1]):
                begin_h = min(max(int(np.floor(kind(ph) * bin_h)) + top, 0), height)
                end_h = min(max(int(np.ceil(kind(ph + 1) * bin_h)) + top, 0), height)
                begin_w = min(max(int(np.floor(kind(pw) * bin_w)) + left, 0), width)
                end_w = min(max(int(np.ceil(kind(pw + 1) * bin_w)) + left, 0), width)
                for c in range(channels):
                    if end_h <= begin_h or end_w <= begin_w:
                        continue
                    best = -np.inf
                    for h in range(begin_h, end_h):
                        for w in range(begin_w, end_w):
                            if maps[int(image), c, h, w] > best:
                                best = found[k, c, ph, pw] = maps[int(image), c, h, w]
                                where[k, c, ph, pw] = h * width + w
    return found, where


def interpolated(plane, y, x):
    """The value between four positions, and what each of them counts in it."""
    height, width = plane.shape
    if y < -1 or y > height or x < -1 or x > width:
        return 0, []
    y, x = max(y, 0), max(x, 0)
    low_y, low_x = int(y), int(x)
    if low_y >= height - 1:
        low_y = high_y = height - 1
        y = low_y
    else:
        high_y = low_y + 1
    if low_x >= width - 1:
        low_x = high_x = width - 1
        x = low_x
    else:
        high_x = low_x + 1
    ly, lx = y - low_y, x - low_x
    weights = [
        ((low_y, low_x), (1 - ly) * (1 - lx)),
        ((low_y, high_x), (1 - ly) * lx),
        ((high_y, low_x), ly * (1 - lx)),
        ((high_y, high_x), ly * lx),
    ]
    return sum(plane[place] * weight for place, weight in weights), weights


def aligned_by_loops(maps, rois, size, scale, ratio, aligned):
    """csrc/ops/cpu/roi_align_kernel.cpp, and the gradient of the sum of what it gives, times 1, 2, 3, …"""
    channels = maps.shape[1]
    found = np.zeros((len(rois), channels, *size))
    gradient = np.zeros(maps.shape)
    factor = 1 + np.arange(found.size).reshape(found.shape)
    for k, (image, *corners) in enumerate(rois):
        left, top, right, bottom = (corner * scale - (0.5 if aligned else 0) for corner in corners)
        wide, high = right - left, bottom - top
        if not aligned:
            wide, high = max(wide, 1.0), max(high, 1.0)
        bin_h, bin_w = high / size[0], wide / size[1]
        grid_h = ratio if ratio > 0 else math.ceil(high / size[0])
        grid_w = ratio if ratio > 0 else math.ceil(wide / size[1])
        count = max(grid_h * grid_w, 1)
        for c in range(channels):
            for ph in range(size[0]):
                for pw in range(size[1]):
                    for iy in range(grid_h):
                        for ix in range(grid_w):
                            y = top + ph * bin_h + (iy + 0.5) * bin_h / grid_h
                            x = left + pw * bin_w + (ix + 0.5) * bin_w / grid_w
                            value, weights = interpolated(maps[int(image), c], y, x)
                            found[k, c, ph, pw] += value / count
                            for place, weight in weights:
                                gradient[int(image), c][place] += weight / count * factor[k, c, ph, pw]
    return found, gradient


SCALES = [1.0, 0.5, 1 / 16, 0.3]


@st.composite
def pictures(draw):
    """Maps with ties among their values, boxes on, around and far from them, (K, 5), and a scale."""
    number, channels = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    scale = draw(st.sampled_from(SCALES))
    seed = draw(st.integers(0, 1 << 30))
    random = np.random.default_rng(seed)
    maps = random.standard_normal((number, channels, height, width))
    if draw(st.booleans()):
        maps = np.maximum(np.round(maps), 0)
    reach = max(height, width) / scale
    kind = draw(st.sampled_from(["on", "around", "whole", "degenerate"]))
    corners = random.uniform(0, 1, (draw(st.integers(0, 4)), 4)) * reach
    if kind == "around":
        corners = corners * 4 - 1.5 * reach
    if kind == "whole":
        corners = np.round(corners * scale * 2) / 2 / scale
    if kind in ("on", "whole"):
        corners = np.sort(corners.reshape(-1, 2, 2), 1).reshape(-1, 4)
    images = random.integers(0, number, (len(corners), 1))
    return maps, np.concatenate([images, corners], 1), scale


sizes = st.tuples(st.integers(1, 4), st.integers(1, 4))


def module_of(pooling, maps):
    """The module of a pooling alone."""
    return build(Regions(1, pool=pooling), [maps.shape[1:], (1, 4)], dtype=torch.float64).pool


def agreeing(ours, theirs):
    np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=1e-9, atol=1e-9)


@given(pictures(), sizes)
def test_roi_pool_is_torchvisions(picture, size):
    maps, rois, scale = picture
    found, where = pooled_by_loops(maps, rois, size, scale)
    x = torch.tensor(maps, requires_grad=True)
    y = module_of(RoIPool(size, scale), maps)(x, torch.tensor(rois))
    assert y.shape == found.shape
    agreeing(y, found)
    factor = 1 + np.arange(found.size).reshape(found.shape)
    gradient = np.zeros_like(maps).reshape(*maps.shape[:2], -1)
    for (k, c, *_), place, more in zip(np.ndindex(found.shape), where.flat, factor.flat, strict=True):
        if place >= 0:
            gradient[int(rois[k, 0]), c, place] += more
    (y * torch.tensor(factor)).sum().backward()
    agreeing(x.grad, gradient.reshape(maps.shape))  # of several largest the first has it all


@given(pictures(), sizes, st.integers(-1, 3), st.booleans())
def test_roi_align_is_torchvisions(picture, size, ratio, aligned):
    maps, rois, scale = picture
    found, gradient = aligned_by_loops(maps, rois, size, scale, ratio, aligned)
    x = torch.tensor(maps, requires_grad=True)
    y = module_of(RoIAlign(size, scale, ratio, aligned), maps)(x, torch.tensor(rois))
    agreeing(y, found)
    (y * torch.tensor(1 + np.arange(found.size).reshape(found.shape))).sum().backward()
    agreeing(x.grad, gradient)


@given(pictures(), sizes)
def test_resize_is_an_interpolated_crop(picture, size):
    maps, rois, scale = picture
    x = torch.tensor(maps)
    y = module_of(Resize(size, scale), maps)(x, torch.tensor(rois))
    for one, (image, *corners) in zip(y, rois, strict=True):
        left, top, right, bottom = (to_whole(corner * scale) for corner in corners)
        left, top = min(max(left, 0), maps.shape[3] - 1), min(max(top, 0), maps.shape[2] - 1)
        right, bottom = min(max(right, left + 1), maps.shape[3]), min(max(bottom, top + 1), maps.shape[2])
        crop = x[int(image) : int(image) + 1, :, top:bottom, left:right]
        agreeing(one, F.interpolate(crop, size, mode="bilinear")[0].numpy())


def detector(n=20, pool=RoIPool(3, 0.5), **head):  # noqa: B008 - a value
    """A small Fast R-CNN."""
    heads = head or {"act": ReLU(), "score": Linear(3), "box": From("act", Linear(12)), "out": Outputs("score", "box")}
    return Sequential(
        features=From("input.0", Sequential(conv=Conv2d(8, 3, padding=1), relu=ReLU(), pool=MaxPool2d(2))),
        regions=From("features", "input.1", Regions(n, pool=pool, flat=Flatten(), fc=Linear(16), **heads)),
    )


SIZE = (3, 16, 24)

POOLS = [
    RoIPool(3, 0.5),
    RoIPool((2, 3), 0.5),
    RoIAlign(3, 0.5, 2),
    RoIAlign(2, 0.5, aligned=True),
    RoIPyramidPool((3, 1), 0.5),
    Resize((4, 5), 0.5),
]

REGIONAL = {
    **{repr(pool): detector(pool=pool) for pool in POOLS},
    "one": detector(1),
    "blocks": detector(
        pool=RoIAlign(3, 0.5, 2),
        act=ReLU(),
        block=Residual(fc=Linear(16), act=ReLU()),
        inner=Sequential(x=Linear(4), y=From("input", Linear(4)), sum=Add("x", "y")),
    ),
    "maps": Sequential(
        regions=Regions(
            7,
            warp=Resize(8),
            small=From("input", RoIPool(8)),
            cat=Cat("warp", "small"),
            conv=Conv2d(6, 3, padding=1),
            norm=BatchNorm2d(),
            dense=Dense(conv=Conv2d(4, 3, padding=1)),
            gate=Gate(pool=AdaptiveAvgPool2d(1), fc=Conv2d(10, 1)),
        )
    ),
    "looked at": Sequential(
        rpn=From("input.0", Conv2d(6, 1)),
        regions=From(
            "input.0", "input.1", Regions(4, pool=RoIPool(2), conv=Conv2d(5, 2), flat=Flatten(), fc=Linear(3))
        ),
        out=Outputs("rpn", "regions.conv", "regions"),
    ),
    "alone": Regions(5, pool=RoIPool(2), flat=Flatten(), fc=Linear(3)),
}


def boxes_of(number, count, seed=0):
    random = torch.Generator().manual_seed(seed)
    corners = torch.rand(number, count, 2, 2, generator=random, dtype=torch.float64) * 26 - 4
    return corners.sort(2)[0].reshape(number, count, 4)


@pytest.mark.wide
@pytest.mark.parametrize("name", REGIONAL)
@pytest.mark.parametrize("count", [None, 1, 2, 5])
def test_calculated_is_measured_for_any_number_of_boxes(name, count):
    net = REGIONAL[name]
    size = SIZE if count is None else (SIZE, (count, 4))
    for batch in (1, 2):
        agreement = check(net, size, batch)
        assert (agreement.differences, agreement.problem) == ((), None)
    once, each = calculate(net, size).apart("macs")
    number = count or net._regions
    assert calculate(net, size).total_macs == once + number * each
    assert calculate(net, (SIZE, (3, 4))).total_params == calculate(net, size).total_params
    report, fast = calculate(net, size), totals(net, size)._asdict()
    assert fast == {name: report.totals.get(name, report[""].output_shape) for name in fast}


@pytest.mark.wide
@pytest.mark.parametrize("name", REGIONAL)
def test_a_module_gives_what_numpy_gives(name):
    net = REGIONAL[name]
    module = build(net, SIZE, dtype=torch.float64).eval()
    images, boxes = torch.randn(2, *SIZE, dtype=torch.float64), boxes_of(2, 4)
    ours = _several(values.run(net, module.state_dict(), images, boxes))
    numbered = torch.cat([torch.arange(8.0)[:, None] // 4, boxes.reshape(8, 4)], 1)
    scripted = torch.jit.script(module)
    for forward, form in ((module, boxes), (module, [*boxes]), (module, numbered), (scripted, boxes)):
        for mine, other in zip(ours, _several(forward(images, form)), strict=True):
            agreeing(other, mine)


def _several(given):
    return given if isinstance(given, tuple) else (given,)


@pytest.mark.parametrize("name", REGIONAL)
def test_a_description_is_its_repr_and_its_json(name):
    net = REGIONAL[name]
    assert eval(repr(net), vars(arch)) == net == loads(dumps(net))
    assert pickle.loads(pickle.dumps(net)) == net


@pytest.mark.wide
@pytest.mark.parametrize("name", REGIONAL)
def test_every_parameter_of_a_detector_has_a_gradient(name):
    module = build(REGIONAL[name], SIZE).train()
    sum(one.square().sum() for one in _several(module(torch.randn(2, *SIZE), boxes_of(2, 4).float()))).backward()
    assert all(one.grad is not None for one in module.parameters())


@pytest.mark.wide(1)
@pytest.mark.parametrize("pool", [pool for pool in POOLS if getattr(pool, "sampling_ratio", 1) > 0], ids=repr)
def test_a_detector_is_exported_for_any_number_of_images_and_boxes(pool):
    module = build(detector(pool=pool), SIZE).eval()
    images, count = torch.export.Dim("images"), torch.export.Dim("count")
    example = torch.randn(2, *SIZE), boxes_of(2, 3).float()
    whole = torch.export.export(module, example, dynamic_shapes=({0: images}, {0: images, 1: count})).module()
    other = torch.randn(3, *SIZE), boxes_of(3, 5).float()
    for ours, theirs in zip(whole(*other), module(*other), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_pyramid_has_the_same_features_for_any_size():
    """16 + 4 + 1 = 21 bins; on 13x13 they are windows of ceil(13 / n) every floor(13 / n)."""
    for size in ((5, 13, 13), (5, 10, 10), (5, 3, 17)):
        assert calculate(SpatialPyramidPool((4, 2, 1)), size)[""].output_shape == (5 * 21,)
    assert SpatialPyramidPool((6, 3, 2, 1)).output_shape((256, 13, 13)) == (256 * 50,)
    x = torch.randn(2, 3, 13, 13)
    pooled = build(Sequential(SpatialPyramidPool((6, 4, 3, 2, 1))), (3, 13, 13))(x)
    windows = [F.max_pool2d(x, -(-13 // n), 13 // n).flatten(1) for n in (6, 4, 3, 2, 1)]
    torch.testing.assert_close(pooled, torch.cat(windows, 1))


WRONG = {
    "n = 0": lambda: Regions(0, RoIPool(2)),
    "n < 0": lambda: Regions(-3, RoIPool(2)),
    "n is a word": lambda: Regions("many", RoIPool(2)),
    "no n": lambda: Regions(RoIPool(2)),
    "n is huge": lambda: calculate(Regions(10**18, RoIPool(20)), SIZE),
    "n is too huge": lambda: Regions(10**30, RoIPool(20)),
    "empty": lambda: Regions(3),
    "no pooling": lambda: Regions(3, Flatten(), Linear(2)),
    "in itself": lambda: Regions(3, RoIPool(2), inner=From("0", "0", Regions(2, RoIPool(1)))),
    "in a block in itself": lambda: Regions(3, RoIPool(2), Sequential(x=Regions(2, RoIPool(1)))),
    "without boxes": lambda: Sequential(features=Conv2d(3, 1), regions=Regions(3, RoIPool(2))),
    "three values": lambda: Sequential(x=From("input.0", "input.1", "input.2", Regions(3, RoIPool(2)))),
    "pooling outside": lambda: Sequential(RoIPool(2)),
    "pooling in a block": lambda: Regions(3, RoIPool(2), Sequential(RoIPool(2))),
    "maps read inside": lambda: Regions(3, a=RoIPool(2), b=From("input.0", Conv2d(3, 1))),
    "pooled again": lambda: Regions(3, a=RoIPool(2), b=From("a", "input", RoIPool(2))),
    "read outside": lambda: calculate(Sequential(*[Regions(3, RoIPool(2)), Conv2d(3, 1)]), SIZE),
    "met outside": lambda: calculate(Sequential(a=Regions(3, RoIPool(2)), b=Add("a", "a")), SIZE),
    "boxes of five": lambda: calculate(detector(), (SIZE, (4, 5))),
    "boxes of one dimension": lambda: calculate(detector(), (SIZE, (4,))),
    "no maps": lambda: calculate(Regions(3, RoIPool(2)), ((5,), (4, 4))),
    "in a Residual": lambda: Residual(Regions(3, RoIPool(2))),
    "scale": lambda: RoIPool(2, 0),
    "size": lambda: RoIAlign(0),
    "ratio": lambda: RoIAlign(2, 1.0, 101),
    "levels": lambda: SpatialPyramidPool(()),
    "no head": lambda: Regions(3, RoIPool(2), aux=Aux("0", Flatten())),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_refused(name):
    with pytest.raises(CnnzooError) as error:
        WRONG[name]()
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 250


NO_BOXES = (
    *(torch.rand(3, 4), torch.rand(2, 3, 4), [torch.rand(2, 5)], [], torch.rand(1, 2, 3), torch.tensor(math.nan)),
    *(None, [None], [[[0, 0, 1, 1]]], np.zeros((1, 2, 4))),
    *(torch.tensor([[[0, 0, 9, 9], [bad, 2, 3, 4]]]) for bad in (math.nan, math.inf, -math.inf)),
    *(torch.tensor([[image, 0, 0, 9, 9]]) for image in (-1.0, 1.0, 9.0, math.nan)),
)


@pytest.mark.parametrize("boxes", NO_BOXES, ids=range(len(NO_BOXES)))
@pytest.mark.parametrize("pool", POOLS, ids=repr)
def test_a_module_refuses_boxes_that_are_none(pool, boxes):
    with pytest.raises(ValueError, match="boxes"):
        module_of(pool, torch.empty(1, 2, 3, 4))(torch.randn(1, 2, 3, 4), boxes)


@pytest.mark.wide
def test_without_values_boxes_are_not_looked_at():
    module = build(detector(), SIZE)
    with FakeTensorMode(allow_non_fake_inputs=True), FlopCounterMode(display=False) as counter:
        module(torch.empty(1, *SIZE), torch.empty(1, 7, 4))
    assert counter.get_total_flops() == calculate(detector(), (SIZE, (7, 4))).total_flops


@pytest.mark.parametrize("pool", POOLS, ids=repr)
@pytest.mark.parametrize("boxes", [np.full((2, 1, 4), math.nan), np.full((2, 1, 4), math.inf), np.zeros((2, 0, 4))])
def test_numpy_refuses_boxes_that_are_none(pool, boxes):
    with pytest.raises(CnnzooError, match=r"boxes must be finite, got \[|one at least"):
        values.run(Regions(1, pool), {}, np.ones((2, 2, 3, 4)), boxes)


@pytest.mark.parametrize("pool", POOLS, ids=repr)
def test_boxes_on_maps_of_half_precision_are_not_rounded(pool):
    maps, boxes = torch.randn(1, 2, 60, 60).bfloat16(), boxes_of(1, 40).float() * 4.37
    pooled = module_of(pool, maps)(maps, boxes)
    assert pooled.dtype == torch.bfloat16
    torch.testing.assert_close(pooled.float(), module_of(pool, maps)(maps.float(), boxes), atol=0.05, rtol=0.05)


def test_no_boxes_are_no_regions():
    score, box = build(detector(), SIZE)(torch.randn(2, *SIZE), [torch.zeros(0, 4)] * 2)
    assert (score.shape, box.shape) == ((0, 3), (0, 12))


@pytest.mark.parametrize("pool", POOLS, ids=repr)
def test_a_box_far_away_takes_no_longer(pool):
    module = build(detector(pool=pool), SIZE)
    boxes = torch.tensor([[[-1e18, -1e18, 1e18, 1e18], [1e18, 5, 1e19, 6], [3, 3, 3, 3], [9, 9, 2, 2]]])
    assert all(one.isfinite().all() for one in module(torch.randn(1, *SIZE), boxes))


def test_a_module_with_regions_is_measured_and_not_described():
    module = build(detector(), SIZE)
    with pytest.raises(TracingError, match=r"at regions\.pool: RoIPool makes a batch of the regions"):
        cnnzoo.describe(module, [SIZE, (20, 4)])
    report = cnnzoo.summary(module, [SIZE, (20, 4)])
    assert report.apart("macs") == calculate(detector(), SIZE).apart("macs")
    assert report.total_macs == calculate(detector(), SIZE).total_macs


class Listed(nn.Module):
    """Takes images in a list, as torchvision's detectors do."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, images):
        return self.conv(torch.stack(images))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_images_in_a_list_are_as_many_samples(count):
    """Three of them, too, are no channels."""
    report = measure(Listed(), input_data=[[torch.rand(3, 6, 8) for _ in range(count)]])
    assert (report.batch_size, report.input_size, report.total_macs) == (count, (3, 6, 8), 4 * 48 * 27)
    assert (report["conv"].input_shape, report.status) == ((3, 6, 8), "complete")


@pytest.mark.wide
def test_torchvisions_faster_rcnn_is_measured_up_to_its_proposals():
    """It has no suppression without torchvision's own library, which is stubbed here: what follows is unknown."""
    stub_torchvision()
    detection = pytest.importorskip("torchvision.models.detection")
    net = detection.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, min_size=64, max_size=128)
    assert measure(net).total_params == 41_808_406
    head = 512 + 128 + 32 + 8 + 2  # positions of the maps of 64x128, at strides of 4 to 64
    with pytest.raises(MeasureError) as error:
        measure(net, input_data=[[torch.rand(3, 60, 100)] * 2])
    report = error.value.report
    assert (report.total_params, report.status, report.batch_size) == (41_808_406, "partial", 2)
    assert report["rpn.head"].macs == head * (256 * 256 * 9 + 256 * 15)
    assert report.known["macs"] == report["backbone"].macs + report["rpn.head"].macs
    assert report.total_macs is None


def _shown(node):
    """Whether all its layers are rows at their own paths when they are measured."""
    return not any(isinstance(one, arch.Unused) for _, one in arch.walk(node))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(
    strategies.networks((4, 6, 5), depth=1, heads=False, steps=True).filter(_shown),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(0, 99),
)
def test_random_networks_run_on_regions(inner, count, batch, seed):
    net = Regions(2, pool=Resize((6, 5)), inner=inner)
    assert eval(repr(net), vars(arch)) == net == loads(dumps(net))
    size = ((4, 9, 8), (count, 4))
    agreement = check(net, size, batch)
    assert (agreement.differences, agreement.problem) == ((), None)
    alone, report = calculate(inner, (4, 6, 5)), calculate(net, size)
    assert report.apart("macs") == (0, alone.total_macs)
    for name in ("params", "buffers", "aux_params"):
        assert report.totals[name] == alone.totals[name]
    for name in ("macs", "additions", "comparisons", "exponentials"):
        pooled = report["pool"]
        assert report.totals[name] == count * alone.totals[name] + getattr(pooled, name)
    module = build(net, size, dtype=torch.float64).eval()
    random = torch.Generator().manual_seed(seed)
    images = torch.randn(batch, 4, 9, 8, dtype=torch.float64, generator=random)
    boxes = boxes_of(batch, count, seed) / 3
    crops = module.pool(images, boxes)
    with torch.no_grad():
        for ours, theirs in zip(_several(module(images, boxes)), _several(module.inner(crops)), strict=True):
            torch.testing.assert_close(ours, theirs, equal_nan=True)


@pytest.mark.parametrize(("images", "boxes"), [(1, 4), (2, 3)])
@pytest.mark.parametrize("name", [name for name, net in REGIONAL.items() if "aligned" not in name])
def test_what_autograd_keeps_of_regions(name, images, boxes):
    net = REGIONAL[name]
    module, x = build(net, SIZE).train(), torch.randn(images, *SIZE, requires_grad=True)
    stored = calculate(net, (SIZE, (boxes, 4)), batch_size=images).totals["stored_bytes"]
    assert stored == saved_bytes(module, x, boxes_of(images, boxes).float())
