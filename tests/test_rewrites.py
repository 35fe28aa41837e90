"""Rewrites: over every network each applies or says why not, and what comes of it is a network like any other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from operator import mul
from typing import Any

import pytest
import strategies
import torch
from command import call
from hypothesis import assume, given
from hypothesis import strategies as st
from reference import fill
from rewriting import RESIZING, every
from small import small
from stepped import STEPPED

import cnnzoo
from cnnzoo import rewrites
from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    Add,
    Aux,
    AvgPool2d,
    BatchNorm2d,
    Cat,
    ChannelShuffle,
    Chunk,
    Concat,
    Conv2d,
    Dense,
    Divide,
    Dropout,
    Flatten,
    From,
    Gate,
    Identity,
    Layer,
    Linear,
    LocalResponseNorm,
    Max,
    MaxPool2d,
    Mean,
    ModuleList,
    Node,
    Outputs,
    PadChannels,
    Regions,
    ReLU,
    Residual,
    Resize,
    RoIPool,
    RoIPyramidPool,
    Run,
    Scale,
    Sequential,
    Shape,
    ShapeError,
    Shift,
    Sigmoid,
    Slice,
    SpatialPyramidPool,
    StdConv2d,
    StochasticDepth,
    TableConv2d,
    dumps,
    find,
    loads,
    replace,
    walk,
)
from cnnzoo.calculate import calculate
from cnnzoo.features.check import check, sizes_for
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.modules.fusion import carried, fuse_batchnorm
from cnnzoo.rewrites import DoesNotApply, Rewrite, UnknownRewriteError, get_rewrite, list_rewrites, register_rewrite
from cnnzoo.rewrites.scaling import units
from cnnzoo.totals import Totals, totals
from cnnzoo.words import is_in

INPUT = (4, 33, 28)


def applied(description: Node, size: Shape) -> Iterator[tuple[Rewrite, Node]]:
    for rewrite in every(size):
        if rewrite.why_not(description) is None:
            yield rewrite, rewrite(description)


@pytest.fixture(params=cnnzoo.list_models())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


# Over every network


@pytest.mark.wide(4)
def test_each_applies_to_a_network_or_says_why_not_and_leaves_it_as_it_was(name: str) -> None:
    builder = cnnzoo.get_builder(name)
    description = builder.describe()
    before = dumps(description)
    size = builder.input_size
    for rewrite in every(size):
        reason = rewrite.why_not(description)
        new = rewrite(description)
        assert dumps(description) == before
        if reason is None:
            assert new != description, rewrite
            assert loads(dumps(new)) == new
            assert eval(repr(new), vars(cnnzoo.arch)) == new
            report = calculate(new, size)
            priced = totals(new, size)
            assert priced[1:] == tuple(report.totals[figure] for figure in Totals._fields[1:])
            assert report[""].output_shape == priced.output_shape
        else:
            assert new is description
            assert len(reason) > 20


@pytest.mark.wide(1, 14)
def test_what_comes_of_it_is_measured_as_it_is_calculated_and_trains(name: str) -> None:
    """In small: built, run forward and backward, and every parameter has a gradient."""
    description, size = small(name)
    for rewrite, new in applied(description, size):
        compared = check(new, size, batch_size=2)
        assert compared.agrees, (rewrite, compared.differences[:3], compared.problem)
        net = build(new, size)
        outputs = net.train()(torch.randn(2, *size))
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        torch.stack([output.square().sum() for output in outputs]).sum().backward()
        assert all(parameter.grad is not None for parameter in net.parameters()), rewrite


@pytest.mark.wide
def test_shapes_stay_where_a_rewrite_does_not_say_that_they_change(name: str) -> None:
    """Whatever layer is still there has the output that it had, at a size that nothing divides evenly, too."""
    builder = cnnzoo.get_builder(name)
    description = builder.describe()
    for size in sizes_for(description, builder.input_size, 2):
        before = outputs(description, size)
        for rewrite, new in applied(description, size):
            if rewrite.name.partition("=")[0] not in RESIZING:
                after, kept = outputs(new, size), shared(description, new)
                assert after[""] == before[""], rewrite
                assert len(kept) > len(shared(description, description)) // 8
                assert all(after[path] == before[path] for path in kept), rewrite


def outputs(description: Node, size: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    report = calculate(description, size)
    return {row.path: row.output_shape for row in (*report.rows, *report.blocks)}


def shared(before: Node, after: Node) -> list[str]:
    """The paths of the layers and blocks with rows of their own that are there as they were."""
    old, rowless = dict(walk(before)), Sequential | Aux | ModuleList | Outputs | Run
    return [path for path, node in walk(after) if old.get(path) == node and not isinstance(node, rowless)]


@pytest.mark.wide(2, 20)
def test_a_rewrite_of_a_rewrite_is_one_and_the_same_again_changes_nothing(name: str) -> None:
    description, size = small(name)
    again = {"scale_width", "scale_depth"}
    for first, once in applied(description, size):
        if first.name.partition("=")[0] not in again:
            assert first(once) is once, first
            assert first.why_not(once), first
        for second, twice in applied(once, size):
            try:
                calculate(twice, size)
            except ShapeError as error:
                raise AssertionError(f"{first.name}, then {second.name}: {error}") from error


@pytest.mark.parametrize("named", STEPPED)
def test_networks_with_steps_are_measured_as_they_are_calculated(named: str) -> None:
    net, sizes = STEPPED[named]
    for rewrite, new in applied(net, sizes if isinstance(sizes[0], int) else sizes[0]):
        compared = check(new, sizes, batch_size=2)
        assert compared.agrees, (rewrite, compared.differences[:3], compared.problem)


@given(strategies.programs(), st.sampled_from([*every((4, 6, 5))]))
def test_any_steps_are_rewritten_into_steps(net: Node, rewrite: Rewrite) -> None:
    size, new = (4, 6, 5), rewrite(net)
    if rewrite.why_not(net):
        assert new is net
        return
    assert new != net
    assert loads(dumps(new)) == new == eval(repr(new), vars(cnnzoo.arch))
    before, after = outputs(net, size), outputs(new, size)
    if rewrite.name.partition("=")[0] not in RESIZING:
        assert after[""] == before[""]
        assert all(after[path] == before[path] for path in shared(net, new))
    build(new, size)(torch.rand(2, *size))


CONVOLUTIONS = st.builds(
    Conv2d,
    st.sampled_from([2, 4, 8]),
    st.sampled_from([1, 1, 3, 3, 5, (1, 3), (3, 1), 2]),
    stride=st.sampled_from([1, 1, 1, 2, (1, 2)]),
    padding=st.integers(0, 2),
    groups=st.sampled_from([1, 1, 1, 2]),
    bias=st.booleans(),
)
LAYERS = (
    CONVOLUTIONS
    | CONVOLUTIONS
    | st.sampled_from([BatchNorm2d(), ReLU(), BatchNorm2d(track_running_stats=False), Dropout(), MaxPool2d(2)])
    | strategies.LAYERS
)


@given(strategies.networks(INPUT, layers=LAYERS, inside=LAYERS, heads=1, steps=True))
def test_any_description_is_rewritten_into_one_of_the_same_shapes(net: Node) -> None:
    before = outputs(net, INPUT)
    for rewrite, new in applied(net, INPUT):
        if rewrite.name.partition("=")[0] not in RESIZING:
            after = outputs(new, INPUT)
            assert after[""] == before[""], rewrite
            assert all(after[path] == before[path] for path in shared(net, new)), rewrite
            assert loads(dumps(new)) == new


@given(strategies.networks(INPUT, layers=LAYERS, inside=LAYERS, steps=True))
def test_merging_and_factorising_without_a_stride_keep_what_a_position_sees(net: Node) -> None:
    for rewrite in map(get_rewrite, ("merge_stacks", "factorise=1xn", "factorise")):
        strided = any(isinstance(node, Conv2d) and node.stride != 1 for _, node in walk(net))
        if rewrite.name == "factorise" and strided:
            continue
        ends = [calculate(one, INPUT).rows[-1:] for one in (net, rewrite(net))]  # none of an empty network
        seen = [[(row.receptive_field, row.effective_stride, row.effective_padding) for row in end] for end in ends]
        assert seen[0] == seen[1], rewrite


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("kernel", [5, 7, 11])
def test_a_stack_for_a_large_kernel_gives_outputs_of_its_size(kernel: int, stride: int) -> None:
    for padding, side in product(range(7), range(11, 60, 7)):
        net = Sequential(conv=Conv2d(2, kernel, stride=stride, padding=padding))
        stack, size = rewrites.factorise(net), (1, side, side + 3)
        assert outputs(stack, size)[""] == outputs(net, size)[""]
        assert [conv.kernel_size for conv in stack.conv] == [3] * (kernel // 2)


# What the papers say


def params(description: Node, size: tuple[int, ...] = (3, 224, 224)) -> int:
    return totals(description, size).params


def macs(description: Node, size: tuple[int, ...] = (3, 224, 224)) -> int:
    return totals(description, size).macs


def convolution(channels: int, *kernels: int) -> Sequential:
    """Convolutions without biases of as many channels, with their activations."""
    convs = [Conv2d(channels, kernel, padding=kernel // 2, bias=False) for kernel in kernels]
    return Sequential(*(layer for conv in convs for layer in (conv, ReLU())))


@pytest.mark.parametrize("channels", [1, 64, 512])
def test_three_3x3_have_27_weights_a_pair_of_channels_where_one_7x7_has_49(channels: int) -> None:
    """Simonyan and Zisserman (2014), section 2.3: "81% more"."""
    stack, size = convolution(channels, 3, 3, 3), (channels, 28, 28)
    one = rewrites.merge_stacks(stack)
    assert params(stack, size) == 3 * 3**2 * channels**2
    assert params(one, size) == 7**2 * channels**2
    assert round(100 * params(one, size) / params(stack, size)) - 100 == 81
    assert rewrites.factorise(one) == Sequential(**{"4": Sequential(*stack[:5]), "5": ReLU()})


def test_two_3x3_save_28_per_cent_of_a_5x5_and_two_sides_33_of_a_3x3() -> None:
    """Szegedy et al. (2015), sections 3.1 and 3.2."""
    size = (64, 17, 17)
    five, three = convolution(64, 5), convolution(64, 3)
    assert 1 - macs(rewrites.factorise(five), size) / macs(five, size) == pytest.approx(0.28)
    assert 1 - macs(rewrites.factorise(three, "1xn"), size) / macs(three, size) == pytest.approx(1 / 3)


def test_googlenet_without_reductions() -> None:
    with_them, without = cnnzoo.describe("googlenet_tv"), cnnzoo.describe("googlenet_tv+drop_reductions")
    assert (params(with_them), params(without)) == (6_624_904, 18_389_512)
    module = without.inception3a.branch2
    assert module == Sequential(**{"1": with_them.inception3a.branch2[1]})
    assert find(without, "conv2") == find(with_them, "conv2")  # 64 to 64: it narrows nothing


def test_alexnet_without_groups_and_lenet_without_its_table() -> None:
    assert params(cnnzoo.describe("alexnet+ungroup")) == 62_378_344
    report = cnnzoo.summary("lenet5+ungroup")
    assert (cnnzoo.summary("lenet5")["c3"].params, report["c3"].params) == (1_516, 2_416)


@pytest.mark.parametrize(("outputs", "kernel"), [(128, 3), (64, 5), (10, 7)])
def test_one_filter_a_channel_and_a_1x1_are_1_over_n_and_1_over_d_squared_of_a_convolution(
    outputs: int, kernel: int
) -> None:
    """Howard et al. (2017), section 3.1, where the first layer stays as it is."""
    net = Sequential(stem=Conv2d(48, 3, bias=False), conv=Conv2d(outputs, kernel, padding=kernel // 2, bias=False))
    size = (3, 30, 30)
    whole, apart = (calculate(one, size)["conv"] for one in (net, rewrites.depthwise_separable(net)))
    assert apart.macs * outputs * kernel**2 == whole.macs * (outputs + kernel**2)
    assert rewrites.depthwise_separable(net).stem == net.stem


@pytest.mark.parametrize(("name", "width"), [("mobilenet_v1", 1), ("mobilenet_v1_050", 0.5)])
def test_a_depthwise_and_a_1x1_are_merged_into_the_convolution_that_they_were_taken_from(
    name: str, width: float
) -> None:
    """Howard et al. (2017), table 4: 29.3 M parameters and 4866 M multiply-adds, by hand."""
    maps = [int(width * count) for count in (32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)]
    sides = [112, 56, 56, 28, 28, *[14] * 6, 7, 7]
    convs = [3 * 3 * one * other for one, other in pairwise(maps)]
    stem, classes = 27 * maps[0], maps[-1] * 1000
    report = cnnzoo.summary(f"{name}+merge_separable")
    assert report.total_params == stem + sum(convs) + 2 * sum(maps) + classes + 1000
    assert report.total_macs == stem * 112**2 + sum(map(mul, convs, (side**2 for side in sides))) + classes
    assert (report.depth, report.receptive_field) == (15, cnnzoo.summary(name).receptive_field)


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_taken_apart_and_merged_a_convolution_is_itself(kernel: int, stride: int) -> None:
    conv = Conv2d(24, kernel, stride=stride, padding=kernel // 2, dilation=2, bias=False)
    net = Sequential(Conv2d(8, 3), conv, BatchNorm2d(), ReLU())
    apart = rewrites.depthwise_separable(net)
    assert rewrites.merge_separable(apart) == replace(net, "1", Sequential(**{"3": conv}))
    between = Sequential(Conv2d(8, 3), Conv2d(8, 3, groups=8), MaxPool2d(2), Conv2d(4, 1))
    halves = Sequential(
        Conv2d(8, 3), Conv2d(8, 3, groups=2), Conv2d(4, 1), Conv2d(4, 3, groups=4), Conv2d(2, 1, groups=2)
    )
    for one in (between, halves):
        assert rewrites.merge_separable(one) is one


@pytest.mark.parametrize(
    "behind", [Scale(1e-6, (-1,)), Shift(1), StochasticDepth(0.1, "row"), Slice(0, 8), Mean(1, keepdim=True)], ids=repr
)
def test_what_is_no_normalisation_or_activation_is_not_repeated_between_two_convolutions(behind: Layer) -> None:
    net = Sequential(stem=Conv2d(8, 3), conv=Conv2d(8, 3, bias=False), norm=BatchNorm2d(), behind=behind)
    each = Conv2d(8, 3, groups=8, bias=False)
    split = rewrites.depthwise_separable(net)
    assert split == Sequential(
        stem=net.stem, conv=Sequential(each, BatchNorm2d(), Conv2d(8, 1, bias=False)), norm=net.norm, behind=behind
    )


def test_two_columns_of_a_grouped_convolution_are_half_of_its_weights() -> None:
    """3·3·128·64 = 73,728: 128 maps that read 64 each, where in full they would read 128."""
    net = Sequential(conv=Conv2d(128, 3, padding=1, groups=2, bias=False))
    size = (128, 14, 14)
    assert (params(net, size), params(rewrites.ungroup(net), size)) == (73_728, 147_456)


def test_every_1x1_of_configuration_c_widened_is_configuration_d() -> None:
    assert cnnzoo.describe("vgg16c+widen_1x1") == cnnzoo.describe("vgg16")


def test_resnets_turn_into_each_other() -> None:
    for depth in (50, 101, 152):
        ours, paper = f"resnet{depth}", f"resnet{depth}_v1"
        assert cnnzoo.describe(f"{ours}+stride_on_1x1") == cnnzoo.describe(paper)
        assert cnnzoo.describe(f"{paper}+stride_on_3x3") == cnnzoo.describe(ours)
    for depth in (18, 34):
        assert cnnzoo.describe(f"resnet{depth}+drop_shortcuts") == cnnzoo.describe(f"plain{depth}")


def test_densenet_without_its_bottleneck_is_3x3_convolutions_of_all_that_was_before() -> None:
    """Huang et al. (2016), section 3: DenseNet-C, that is BN-ReLU-Conv(3x3) for each layer; by hand."""
    without = cnnzoo.describe("densenet121+drop_reductions=every")
    report = cnnzoo.summary("densenet121+drop_reductions=every")
    read, wide = 64, []
    for layers in (6, 12, 24, 16):
        wide += range(read, read + 32 * layers, 32)
        read = (read + 32 * layers) // 2
    assert [row.params for row in report.rows if row.path.endswith("conv2")] == [9 * 32 * width for width in wide]
    layer = without.features.denseblock1.denselayer1
    assert layer == Dense(norm1=BatchNorm2d(), relu1=ReLU(), conv2=Conv2d(32, 3, padding=1, bias=False))
    narrowing = cnnzoo.describe("densenet121+drop_reductions")
    kept = [path for path, _ in walk(narrowing) if path.endswith("conv1")]
    wide = ("1.denselayer1", "1.denselayer2", "1.denselayer3", "2.denselayer1")  # from 64, 96, 128 and 128 to 128
    assert kept == [f"features.denseblock{place}.conv1" for place in wide]


@pytest.mark.parametrize("side", [32, 33, 224, 300])
def test_vgg_as_convolutions_has_its_parameters_and_takes_any_size_from_32_up(side: int) -> None:
    """Long et al. (2014), section 3.1."""
    as_maps = cnnzoo.describe("vgg16+convolutionalize=keep")
    assert params(as_maps, (3, side, side)) == 138_357_544
    assert not any(isinstance(node, Linear | Flatten) for _, node in walk(as_maps))


@pytest.mark.parametrize("size", [(None, 7), (7, None)])
def test_maps_of_which_a_side_is_the_inputs_have_no_size(size: tuple[int | None, int | None]) -> None:
    net = Sequential(conv=Conv2d(8, 3), pool=AdaptiveAvgPool2d(size), flatten=Flatten(), fc=Linear(10))
    assert "the size of the maps at flatten depends on the input's" in rewrites.convolutionalize.why_not(net)
    assert rewrites.convolutionalize(net, 9).fc == Conv2d(10, 7)


@pytest.mark.parametrize("pool", [Mean((2, 3)), Max((-1, 2))])
def test_features_pooled_from_maps_are_kept_as_maps(pool: Layer) -> None:
    net = Sequential(conv=Conv2d(8, 3), pool=pool, fc=Linear(10), relu=ReLU(), fc2=Linear(5))
    as_maps = rewrites.convolutionalize(net, "keep")
    assert as_maps.pool == type(pool)(pool.dim, keepdim=True)
    assert (as_maps.fc, as_maps.fc2) == (Conv2d(10, 1), Conv2d(5, 1))
    assert totals(as_maps, (3, 9, 9)).output_shape == (5, 1, 1)
    assert rewrites.convolutionalize(net, "slide", (3, 9, 9)).pool in (AvgPool2d(7, 1), MaxPool2d(7, 1))
    assert rewrites.convolutionalize(net) == Sequential(conv=net.conv, fc=as_maps.fc, relu=ReLU(), fc2=as_maps.fc2)
    assert rewrites.pool_head(net) == Sequential(conv=Conv2d(8, 3), pool=pool, fc2=Linear(5))
    assert "its head is global" in rewrites.pool_head.why_not(Sequential(conv=Conv2d(8, 3), pool=pool, fc=Linear(10)))


def test_vgg_as_convolutions_gives_the_same_numbers() -> None:
    """With its weights, which are the linear layers' in another shape, at 224 and with an eighth of the channels."""
    description = cnnzoo.describe("vgg16+scale_width=0.125")
    net = build(description, (3, 224, 224), init=None).eval()
    net.load_state_dict(fill(net.state_dict()))
    net.double()  # so that the order of a sum does not matter
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        wanted = net(image)
        for option in ("", "=224", "=keep"):
            maps = (
                build(get_rewrite("convolutionalize" + option)(description), (3, 224, 224), init=None).eval().double()
            )
            shapes = {key: value.shape for key, value in maps.state_dict().items()}
            maps.load_state_dict({key: value.view(shapes[key]) for key, value in net.state_dict().items()})
            torch.testing.assert_close(maps(image)[:, :, 0, 0], wanted)
    dense = cnnzoo.describe("vgg16", rewrites=["convolutionalize=224"])
    assert totals(dense, (3, 256, 320)).output_shape == (1000, 2, 4)
    with pytest.raises(ShapeError, match=r"classifier\.0"):
        totals(dense, (3, 200, 200))


# Edge by edge


def test_a_fire_module_without_its_squeeze_reads_the_wide_maps() -> None:
    maps, expand = (96, 128, 128, 256, 256, 384, 384, 512), (64, 64, 128, 128, 192, 192, 256, 256)
    squeezed = sum(
        row.params for row in cnnzoo.summary("squeezenet1_0").blocks if "." in row.path and row.kind == "Sequential"
    )
    wide = sum((1 + 9) * one * other + 2 * other for one, other in zip(maps, expand, strict=True))
    with_squeeze, without = (cnnzoo.summary(f"squeezenet1_0{rewrite}") for rewrite in ("", "+drop_reductions"))
    assert without.total_params == with_squeeze.total_params - squeezed + wide
    narrow, pool, larger = Conv2d(4, 1), MaxPool2d(3, 1, 1), Conv2d(6, 3, padding=1)
    for last in ({"b": From("narrow", pool)}, {"b": From("narrow", larger), "c": Add("b", "narrow")}):
        net = Sequential(stem=Conv2d(8, 3), narrow=narrow, a=larger, **last)
        assert rewrites.drop_reductions(net) is net
    read = Sequential(
        stem=Conv2d(8, 3), narrow=narrow, relu=ReLU(), a=Conv2d(6, 1), b=From("relu", larger), out=Add("a", "b")
    )
    assert rewrites.drop_reductions(read) == Sequential(
        stem=Conv2d(8, 3), a=Conv2d(6, 1), b=From("stem", larger), out=Add("a", "b")
    )


def test_a_stride_of_a_reduction_goes_to_the_larger_kernel() -> None:
    net = cnnzoo.describe("resnet50_v1+drop_reductions")
    assert net.layer2[0].conv2 == Conv2d(128, 3, stride=2, padding=1, bias=False)
    valid = Sequential(Conv2d(8, 3), Conv2d(4, 1, stride=2), Conv2d(8, 3))
    assert rewrites.drop_reductions(valid) is valid  # a 3x3 without padding and with the stride has another size


@pytest.mark.parametrize(("wide", "groups", "applies"), [(8, 2, True), (9, 2, False), (8, 4, False), (9, 1, True)])
def test_a_grouped_kernel_reads_the_wide_maps_if_its_groups_divide_them(wide: int, groups: int, applies: bool) -> None:
    """As many groups as maps that it reads are a filter a channel, which is no kernel for others."""
    three = Conv2d(8, 3, padding=1, groups=groups)
    net = Sequential(stem=Conv2d(wide, 3), one=Conv2d(4, 1), three=three)
    assert rewrites.drop_reductions(net) == (Sequential(stem=Conv2d(wide, 3), three=three) if applies else net)


@pytest.mark.parametrize(
    "block",
    [Residual(conv=Conv2d(8, 1)), Residual(relu=ReLU(), downsample=Conv2d(8, 1))],
)
def test_a_sum_has_the_channels_that_one_of_its_summands_is_known_to_have(block: Node) -> None:
    net = Sequential(block=block, one=Conv2d(4, 1), three=Conv2d(8, 3))
    assert rewrites.drop_reductions(net) == Sequential(block=block, three=Conv2d(8, 3))


def test_a_stride_goes_to_the_3x3_that_has_none() -> None:
    one, three = Conv2d(4, 1, stride=2), Conv2d(8, 3, padding=1)
    net = Sequential(one=one, three=three)
    assert rewrites.stride_on_3x3(net) == Sequential(one=Conv2d(4, 1), three=Conv2d(8, 3, stride=2, padding=1))
    both = Sequential(one=one, three=Conv2d(8, 3, stride=2, padding=1))
    assert rewrites.stride_on_3x3(both) is both


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12])
def test_groups_that_read_the_input_give_as_many_maps_whatever_it_has(groups: int) -> None:
    stem = Conv2d(8 * groups, 3, groups=groups)
    net = Sequential(stem=stem, one=Conv2d(4, 1), three=Conv2d(8, 3))
    assert rewrites.drop_reductions(net) == Sequential(stem=stem, three=Conv2d(8, 3))


def test_a_table_gives_as_many_maps_whatever_it_reads() -> None:
    table = TableConv2d(((0,), (0, 1), (1,)), 3)
    net = Sequential(table=table, one=Conv2d(2, 1), three=Conv2d(8, 3))
    assert rewrites.drop_reductions(net) == Sequential(table=table, three=Conv2d(8, 3))


def test_a_run_ends_where_something_else_reads() -> None:
    """Between a 1x1 and a 3x3: a shortcut, an auxiliary head, a pooling; of branches all are convolutions or none."""
    one, three = Conv2d(4, 1), Conv2d(8, 3, padding=1)
    for apart in (
        Sequential(start=Conv2d(8, 3), one=one, block=Residual(conv=Conv2d(4, 3, padding=1))),
        Sequential(start=Conv2d(8, 3), one=one, three=three, head=Aux("one", Flatten())),
        Sequential(start=Conv2d(8, 3), one=one, pool=MaxPool2d(2), three=three),
        Sequential(start=Conv2d(8, 3), block=Residual(one=one, downsample=one), three=three),
    ):
        assert rewrites.drop_reductions(apart) is apart
    several = Sequential(start=Conv2d(8, 3), one=one, both=Concat(a=three, b=three))
    assert rewrites.drop_reductions(several) == Sequential(start=Conv2d(8, 3), both=Concat(a=three, b=three))
    beside = Sequential(start=Conv2d(8, 3), one=one, relu=ReLU(), head=Aux("start", Flatten()), three=three)
    assert rewrites.drop_reductions(beside) == Sequential(start=Conv2d(8, 3), head=Aux("start", Flatten()), three=three)


def test_four_in_a_row_are_merged_in_twos_and_a_stride_begins_a_stack() -> None:
    kernels = [row.settings["kernel_size"] for row in cnnzoo.summary("vgg19+merge_stacks").rows if row.kind == "Conv2d"]
    assert kernels == [5, 5, 5, 5, 5, 5, 5, 5]
    net = cnnzoo.describe("resnet18+merge_stacks")
    assert net.layer2[0].conv2 == Conv2d(128, 7, stride=2, padding=3, bias=False)
    assert net.layer2[1].conv2 == Conv2d(128, 5, padding=2, bias=False)


def test_a_stack_is_of_one_block() -> None:
    three = Conv2d(4, 3, padding=1)
    net = rewrites.merge_stacks(Sequential(two=Sequential(three, three), three=Sequential(three, three, three)))
    assert [[conv.kernel_size for conv in block] for block in net] == [[5], [7]]
    sides = Sequential(Conv2d(4, (2, 1)), Conv2d(4, (1, 2)))
    assert rewrites.merge_stacks(sides) == Sequential(**{"1": Conv2d(4, 2)})
    for apart in (Sequential(Conv2d(4, 1), Conv2d(4, 3), Conv2d(4, 1)), Sequential(Conv2d(4, 2), Conv2d(4, 2))):
        assert rewrites.merge_stacks(apart) is apart


def test_only_odd_kernels_are_stacks_of_3x3() -> None:
    net = Sequential(first=Conv2d(4, 6, padding=2), second=Conv2d(4, 3), third=Conv2d(4, (5, 7)))
    assert rewrites.factorise.why_not(net) == "no convolution has an odd square kernel larger than 3x3"
    assert rewrites.factorise(Sequential(Conv2d(4, 6)), "1xn") != Sequential(Conv2d(4, 6))
    same = rewrites.factorise(Sequential(Conv2d(4, 3, padding="same")), "1xn")[0]
    assert same == Sequential(Conv2d(4, (1, 3), padding="same"), Conv2d(4, (3, 1), padding="same"))
    assert rewrites.factorise.why_not(Sequential(Conv2d(4, 1)), "1xn") == (
        "no convolution has a square kernel larger than 1x1"
    )


@pytest.mark.wide
@pytest.mark.parametrize("factor", [0.1, 0.25, 0.33, 0.5, 0.75, 1.3, 2])
def test_scaled_channels_are_rounded_once_and_classes_stay(name: str, factor: float) -> None:
    description = cnnzoo.describe(name)
    scale = get_rewrite(f"scale_width={factor}")
    if why_not := scale.why_not(description):
        assert "no longer fit" in why_not or name == "lenet5"
        return
    new, size = scale(description), cnnzoo.get_builder(name).input_size
    weighted = [row.path for row in calculate(description, size).rows if row.weights and not row.aux]
    heads = {[path for path in weighted if is_in(path, end)][-1] for end in description._gives or [""]}
    found, of = dict(walk(new)), units(description)
    for path, before in walk(description):
        if isinstance(before, Conv2d) and path not in heads and before.groups != before.out_channels:
            unit = of[path]  # 0: one channel that goes with any number stays one
            wanted = max(unit, int(before.out_channels * factor / unit + 0.5) * unit) if unit else 1
            assert found[path].out_channels == wanted
            assert of[path] % before.groups == 0
    assert all(found[head] == dict(walk(description))[head] for head in heads)
    assert totals(new, size).output_shape == totals(description, size).output_shape


def test_a_gate_of_one_map_keeps_one() -> None:
    gate = Gate(mean=Mean(1, keepdim=True), conv=Conv2d(1, 7, padding=3), scale=Sigmoid())
    assert rewrites.scale_width(Sequential(Conv2d(8, 3), gate, Conv2d(8, 1)), 2) == Sequential(
        Conv2d(16, 3), gate, Conv2d(8, 1)
    )
    assert rewrites.scale_width(Sequential(Conv2d(1, 3), Conv2d(8, 1)), 2) == Sequential(Conv2d(2, 3), Conv2d(8, 1))


def test_a_layer_may_be_named_as_the_setting_of_another_kind() -> None:
    net = Sequential(table=Conv2d(8, 3), fc=Conv2d(4, 1))
    assert rewrites.scale_width(net, 0.5).table == Conv2d(4, 3)


def test_a_filter_a_channel_follows_its_channels() -> None:
    net = Sequential(
        stem=Conv2d(32, 3),
        each=Conv2d(64, 3, groups=32),
        mix=Conv2d(24, 1),
        grouped=Conv2d(48, 3, groups=3),
        fc=Conv2d(7, 1),
    )
    new = rewrites.scale_width(net, 0.5)
    assert [conv.out_channels for conv in new] == [16, 32, 12, 24, 7]
    assert [conv.groups for conv in new] == [1, 16, 1, 3, 1]
    calculate(new, (3, 32, 32))
    behind = Sequential(Conv2d(32, 1), BatchNorm2d(), ReLU(), Conv2d(32, 3, groups=32), Conv2d(7, 1))
    assert rewrites.scale_width(behind, 0.25)[3] == Conv2d(8, 3, groups=8)


def test_what_makes_maps_smaller_is_not_repeated() -> None:
    """A block of a stride beside an equal one, and of less padding than keeps the size."""

    def block(**settings: int) -> Sequential:
        return Sequential(Conv2d(8, 3, **settings), ReLU())

    for one in (block(padding=1, stride=2), block()):
        assert rewrites.scale_depth.why_not(Sequential(one, one, one), 2) == "there is no stage of equal blocks"
    kept = block(padding=1)
    deeper = rewrites.scale_depth(Sequential(block(padding=1, stride=2), kept, block(padding=1, stride=2), kept), 2)
    assert calculate(deeper, (3, 32, 32)).rows[-1].output_shape == (8, 8, 8)
    assert [child[0].stride for child in deeper] == [2, 1, 1, 1, 2, 1, 1, 1]


def test_channels_are_multiples_of_the_groups_that_they_meet_and_of_no_others() -> None:
    """As in RegNet, whose stages have groups of as many channels each, and Res2Net, whose parts are added."""

    def stage(width: int, groups: int) -> Sequential:
        project, body = Conv2d(width, 1, stride=2), Conv2d(width, 3, padding=1, groups=groups)
        return Sequential(
            Residual(Conv2d(width, 1, stride=2), body, downsample=project), Residual(Conv2d(width, 1), body)
        )

    new = rewrites.scale_width(Sequential(stage(48, 6), stage(110, 11), stage(208, 13), fc=Conv2d(7, 1)), 0.25)
    assert {node.out_channels for _, node in walk(new) if isinstance(node, Conv2d)} == {12, 33, 52, 7}
    parts = Sequential(
        reduce=Conv2d(104, 1),
        one=Chunk(4, 0),
        conv=Conv2d(26, 3, padding=1),
        two=From("reduce", Chunk(4, 1)),
        sum=Add("conv", "two"),
        fc=Conv2d(7, 1),
    )
    for factor in (0.1, 0.25, 0.5, 0.7, 3):
        new = rewrites.scale_width(parts, factor)
        assert new.reduce.out_channels == 4 * new.conv.out_channels == 4 * int(26 * factor + 0.5)


def test_what_no_longer_fits_is_said_with_its_place() -> None:
    """The input has the channels that it has, so what is added to it has as many."""
    net = Sequential(block=Residual(conv=Conv2d(4, 1)), fc=Conv2d(2, 1))
    assert rewrites.scale_width.why_not(net, 0.5) == (
        "at block: 0.5 times the channels, what is added to what no longer fit"
    )
    flat = Sequential(flatten=Flatten(), block=Residual(fc=Linear(4)), fc=Linear(2))
    assert "at block: " in rewrites.scale_width.why_not(flat, 0.5)
    padded = Sequential(dense=Dense(conv=Conv2d(4, 1)), pad=PadChannels(9), fc=Conv2d(2, 1))
    assert rewrites.scale_width.why_not(padded, 0.5) == (
        "at pad: 0.5 times the channels, PadChannels(5) and what reaches it no longer fit"
    )


def test_depth_is_scaled_by_the_stage_and_names_go_on() -> None:
    double = cnnzoo.describe("resnet18+scale_depth=2")
    assert [len(stage) for stage in (double.layer1, double.layer2, double.layer3, double.layer4)] == [4, 4, 4, 4]
    assert [name for name, _ in double.layer2.children] == ["0", "1", "2", "3"]
    assert double.layer2[0] == cnnzoo.describe("resnet18").layer2[0]
    assert cnnzoo.describe("resnet50+scale_depth=2+scale_depth=0.5") == cnnzoo.describe("resnet50")
    dense = cnnzoo.describe("densenet121+scale_depth=1.5").features
    assert [name for name, _ in dense.denseblock1.children] == [f"denselayer{n}" for n in range(1, 10)]
    least = cnnzoo.describe("resnet152+scale_depth=0.01")
    assert [len(stage) for stage in (least.layer1, least.layer2, least.layer3, least.layer4)] == [1, 1, 1, 1]
    block = Residual(conv=Conv2d(4, 3, padding=1))
    row = Sequential(a=block, b=block, c=Identity(), d=ReLU())
    assert [name for name, _ in rewrites.scale_depth(row, 2).children] == ["a", "b", "b_1", "b_2", "c", "d"]
    numbered = Sequential(block, block, Residual(conv=Conv2d(4, 1)))
    assert [name for name, _ in rewrites.scale_depth(numbered, 1.5).children] == ["0", "1", "1_1", "2"]


def test_addition_keeps_the_channels_of_a_dense_block() -> None:
    net = cnnzoo.describe("densenet121+add_for_concat")
    report = cnnzoo.summary("densenet121+add_for_concat")
    assert not any(isinstance(node, Dense) for _, node in walk(net))
    assert [report[f"features.denseblock{n}"].output_shape[0] for n in (1, 2, 3, 4)] == [64, 128, 256, 512]


def test_a_dense_layer_whose_maps_are_added_to_others_goes_on_appending() -> None:
    ghost = Sequential(primary=Conv2d(4, 1), cheap=Dense(Conv2d(4, 3, padding=1, groups=4)))
    net = Sequential(Conv2d(8, 1), Residual(ghost=ghost))
    reason = rewrites.add_for_concat.why_not(net)
    assert reason == "if its dense layers added their maps, what follows at 1 would not fit"
    assert rewrites.add_for_concat.why_not(Sequential(Conv2d(8, 1), ghost)) is None


def test_a_dense_layer_adds_what_its_last_convolution_gives() -> None:
    for behind, applies in ((ReLU(), True), (AvgPool2d(3, 1, 1), False)):
        conv = Conv2d(4, 3, padding=1)
        net = Sequential(stem=Conv2d(8, 1), dense=Dense(conv=conv, behind=behind))
        summed = Sequential(stem=Conv2d(8, 1), dense=Residual(conv=Conv2d(8, 3, padding=1), behind=behind))
        assert rewrites.add_for_concat(net) == (summed if applies else net)


def test_the_head_is_pooled_where_it_was_flattened() -> None:
    names = [path for path, _ in cnnzoo.describe("alexnet+pool_head").children]
    assert names[-4:] == ["pool5", "avgpool", "flatten", "fc8"]
    assert cnnzoo.summary("vgg16+pool_head")["classifier.6"].params == 513_000


@pytest.mark.parametrize("family", ["vgg11_bn", "googlenet_tv", "resnet18", "resnet50", "densenet121"])
def test_a_fused_module_gives_the_same_outputs(family: str) -> None:
    description, size = small(family)
    net = build(description, size)
    net.load_state_dict(fill(net.state_dict()))
    fused = fuse_batchnorm(net.train(), description)
    assert list(fused.state_dict()) == list(build(rewrites.fuse_batchnorm(description), size).state_dict())
    image = torch.randn(2, *size)
    with torch.no_grad():
        torch.testing.assert_close(fused(image), net.eval()(image), rtol=1e-4, atol=1e-4)
    assert net.training is False
    norms = [module for module in fused.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert bool(norms) == (family == "densenet121")  # where a norm reads a concatenation


@given(strategies.programs())
def test_steps_are_fused_only_where_nothing_else_reads(description: Node) -> None:
    size = (4, 6, 5)
    assume(not any(isinstance(node, Divide) for _, node in walk(description)))  # by what rounds to nothing
    net = build(description, size)
    for norm in net.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
    fused = fuse_batchnorm(net, description)
    stated = build(rewrites.fuse_batchnorm(description), size).eval()
    stated.load_state_dict(fused.state_dict())
    image = torch.rand(2, *size)
    with torch.no_grad():
        wanted = net.eval()(image)
        for found in (fused(image), stated(image)):
            pairs = zip(*(one if isinstance(one, tuple) else (one,) for one in (found, wanted)), strict=True)
            for one, other in pairs:
                scale = max(1, other.abs().max())  # of products of products
                torch.testing.assert_close(one / scale, other / scale, rtol=1e-4, atol=1e-4)


@given(strategies.networks(INPUT, layers=LAYERS, inside=LAYERS, heads=1, features=False, steps=True))
def test_any_fused_module_gives_the_same_outputs(description: Node) -> None:
    fuse = get_rewrite("fuse_batchnorm")
    new = fuse(description)
    if new is description:
        return
    net = build(description, INPUT)
    fused = fuse_batchnorm(net, description)
    assert fused.state_dict().keys() == build(new, INPUT).state_dict().keys()
    image = torch.rand(2, *INPUT)
    with torch.no_grad():
        try:
            wanted = net.eval()(image)
        except (RuntimeError, ValueError):
            return
        torch.testing.assert_close(fused(image), wanted, rtol=1e-4, atol=1e-4)


# Regions

TRUNK = Sequential(a=Conv2d(4, 3), b=ReLU())
HEAD = Regions(5, roi=RoIPool(2), fc=Linear(3))


def looking(trunk: Any = TRUNK, regions: Any = HEAD, **more: Any) -> Sequential:
    return Sequential(features=From("input.0", trunk), regions=From("features", "input.1", regions), **more)


def test_regions_that_share_nothing_keep_their_names() -> None:
    """Also of a warp to a pair, of the Regions' own steps, and where layers of that name are there already."""
    two = Regions(
        5, roi=RoIPool(2), up=Linear(3), last=From("input", RoIPyramidPool((2, 1))), out=Outputs("up", "last")
    )
    net = Sequential(warp=From("input.0", ReLU()), features=TRUNK, regions=From("features", "input.1", two))
    assert rewrites.warp_regions(net, (8, 9)) == Regions(
        5,
        warp0=Resize((8, 9)),
        warp=ReLU(),
        features=TRUNK,
        regions=Sequential(
            roi=AdaptiveMaxPool2d(2),
            up=Linear(3),
            last=From("input", SpatialPyramidPool((2, 1))),
            out=Outputs("up", "last"),
        ),
    )


@pytest.mark.parametrize(
    ("net", "reason"),
    [
        (TRUNK, "it looks at no regions of an image"),
        (
            rewrites.warp_regions(looking()),
            "its regions are cut out of the image, and nothing runs once for all of them",
        ),
        (cnnzoo.describe("rcnn_alexnet"), "there are no maps of the whole image that its regions are cut out of"),
        (Sequential(net=looking()), "it has not one Regions in its outermost Sequential"),
        (cnnzoo.describe("faster_rcnn_zf"), "rpn reads features, too: it needs the maps of the whole image"),
        (looking(also=From("features.a", ReLU())), "it gives more than regions, which is all that comes of a region"),
        (looking(also=Aux("features", Conv2d(2, 1))), "also reads features, too"),
        (looking(regions=Regions(5, crop=Resize(2), relu=ReLU())), "what regions.crop does with regions of them"),
        (
            Sequential(b=From("input.1", TRUNK), regions=From("b", "input.0", HEAD)),
            "it takes other values than an image and the boxes of its regions",
        ),
    ],
)
def test_where_regions_share_nothing_or_not_alone_the_reason_is_said(net: Node, reason: str) -> None:
    assert reason in rewrites.warp_regions.why_not(net)
    assert rewrites.warp_regions(net) is net


# Steps


def test_a_run_ends_where_a_step_reads_by_name() -> None:
    one, three = Conv2d(4, 1), Conv2d(8, 3, padding=1)
    stem = Conv2d(8, 3)
    for apart in (
        Sequential(stem=stem, held=ModuleList(one, three), a=Run("held.0", "stem"), b=Run("held.1", "a")),
        Sequential(stem=stem, one=one, three=three, again=Run("one", "three"), out=Outputs("three", "again")),
    ):
        assert rewrites.drop_reductions(apart) is apart
    both = Sequential(stem=stem, one=one, three=three, side=From("one", three), out=Add("three", "side"))
    assert rewrites.drop_reductions(both) == Sequential(
        stem=stem, three=three, side=From("stem", three), out=Add("three", "side")
    )
    within = Sequential(
        stem=stem, row=Sequential(one=one, three=three), side=From("row.one", three), out=Add("row", "side")
    )
    assert rewrites.drop_reductions(within) == replace(within, "row.one", Identity())
    beside = Sequential(
        stem=stem, one=one, side=From("stem", three), three=From("one", three), out=Cat("side", "three")
    )
    without = Sequential(stem=stem, side=three, three=From("stem", three), out=Cat("side", "three"))
    assert rewrites.drop_reductions(beside) == without


def test_what_runs_again_is_changed_where_it_stands() -> None:
    row = Sequential(one=Conv2d(4, 1), relu=ReLU(), three=Conv2d(8, 3, padding=1))
    net = Sequential(stem=Conv2d(8, 3), head=row, again=Run("head", "stem"), out=Outputs("head", "again"))
    wide = Sequential(three=Conv2d(8, 3, padding=1))
    assert rewrites.drop_reductions(net) == replace(net, "head", wide)
    held = Sequential(stem=Conv2d(8, 3), held=ModuleList(row), a=Run("held.0"), b=Run("held.0"))
    assert rewrites.drop_reductions(held) == replace(held, "held.0", wide)


def test_a_name_that_is_given_stays() -> None:
    conv = Conv2d(4, 3, bias=False)
    net = Sequential(p3=Sequential(conv=conv, norm=BatchNorm2d()), c4=conv, p4=BatchNorm2d(), out=Outputs("p3", "p4"))
    looked = Sequential(row=Sequential(conv=conv, norm=BatchNorm2d(), relu=ReLU()), out=From("row.norm", ReLU()))
    assert rewrites.fuse_batchnorm(net) == Sequential(
        p3=Sequential(conv=Conv2d(4, 3)), c4=Conv2d(4, 3), p4=Identity(), out=Outputs("p3", "p4")
    )
    assert rewrites.fuse_batchnorm(looked).row == Sequential(conv=Conv2d(4, 3), norm=Identity(), relu=ReLU())


def test_without_its_gates_a_network_is_the_one_that_they_were_put_into() -> None:
    def block(*gates: Node) -> Residual:
        body = Sequential(conv=Conv2d(8, 3, padding=1), norm=BatchNorm2d())
        return Residual(**dict(body.children), **dict(zip(["se"], gates, strict=False)), downsample=None, relu=ReLU())

    gate = Gate(pool=AdaptiveAvgPool2d(1), fc1=Conv2d(2, 1), relu=ReLU(), fc2=Conv2d(8, 1), scale=Sigmoid())
    assert rewrites.drop_gates(Sequential(block(gate), block())) == Sequential(block(), block())
    assert rewrites.drop_gates(Concat(gate, Conv2d(4, 1))) == Concat(Identity(), Conv2d(4, 1))
    assert rewrites.drop_gates(gate) == Identity()
    twice = Sequential(mean=Mean(1, keepdim=True), conv=Conv2d(1, 1), again=Run("conv"))
    assert rewrites.drop_gates(Sequential(block(Gate(map=twice)), block())) == Sequential(block(), block())
    assert rewrites.drop_gates.why_not(block()) == "there is no gate around layers that nothing else reads or runs"


def test_what_reads_by_name_and_is_given_last_hands_on_what_it_read() -> None:
    conv, side = Conv2d(4, 1, bias=False), From("input", Sigmoid())
    net = Sequential(conv=conv, side=side, norm=From("conv", BatchNorm2d()))
    assert rewrites.fuse_batchnorm(net) == Sequential(conv=Conv2d(4, 1), side=side, norm=From("conv", Identity()))
    gate = Gate(conv=Conv2d(4, 1))
    gated = Sequential(conv=conv, side=side, one=From("conv", gate), two=gate)
    assert rewrites.drop_gates(gated) == Sequential(conv=conv, side=side, two=From("conv", Identity()))
    plain = Sequential(side=Sequential(pool=MaxPool2d(2)), conv=From("input", conv), norm=BatchNorm2d())
    assert rewrites.fuse_batchnorm(plain) == Sequential(side=plain.side, conv=From("input", Conv2d(4, 1)))


def test_shortcuts_and_gates_that_are_read_or_run_stay() -> None:
    short, gate = Residual(conv=Conv2d(8, 1), downsample=Conv2d(8, 1)), Gate(conv=Conv2d(8, 1))
    for net in (
        Sequential(block=short, again=Run("block.downsample", "block")),
        Sequential(block=short, out=Add("block", "block.downsample")),
        Sequential(block=gate, again=Run("block.conv", "block")),
        Sequential(block=Sequential(gate, ReLU()), out=Add("block", "block.0.conv")),
    ):
        assert rewrites.drop_shortcuts(net) is rewrites.drop_gates(net) is net


@pytest.mark.parametrize("factor", [0.25, 0.5, 1.5])
def test_a_shuffle_unit_keeps_its_halves_and_a_gate_its_maps(factor: float) -> None:
    unit = Sequential(
        left=Chunk(2, 0),
        right=From("input", Chunk(2, 1)),
        branch=Sequential(Conv2d(8, 1), Conv2d(8, 3, padding=1, groups=8), Conv2d(8, 1)),
        cat=Cat("left", "branch"),
        shuffle=ChannelShuffle(2),
    )
    gate = Gate(pool=AdaptiveAvgPool2d(1), fc1=Conv2d(2, 1), relu=ReLU(), fc2=Conv2d(16, 1), scale=Sigmoid())
    spatial = Gate(conv=Conv2d(2, 1), mean=Mean(1, keepdim=True), scale=Sigmoid())
    new = rewrites.scale_width(Sequential(Conv2d(16, 3), unit, gate, spatial, Conv2d(5, 1)), factor)
    assert new[1].branch[1].groups == 8 * factor
    assert totals(new, (3, 9, 9)).output_shape == (5, 7, 7)


def test_layers_that_run_again_on_other_maps_are_not_scaled() -> None:
    net = Sequential(conv=Conv2d(3, 3, padding=1), again=Run("conv"), fc=Conv2d(2, 1))
    calculate(net, (3, 8, 8))
    assert "at conv: 0.5 times the channels, what Conv2d(3, 3, padding=1) reads when it runs again no longer fit" in (
        rewrites.scale_width.why_not(net, 0.5)
    )


def test_the_depth_of_what_is_read_by_name_stays() -> None:
    block = Residual(conv=Conv2d(4, 3, padding=1))
    row = Sequential(a=block, b=block, c=block, d=block)
    looked = Sequential(row=row, side=From("row.d", ReLU()))
    assert [name for name, _ in rewrites.scale_depth(looked, 2).row.children] == [
        "a",
        "b",
        "c",
        "c_1",
        "c_2",
        "c_3",
        "d",
    ]
    assert [name for name, _ in rewrites.scale_depth(looked, 0.3).row.children] == ["a", "d"]
    named = Sequential(a=block, b=block, c=block, out=Add("a", "b", "c"))
    assert rewrites.scale_depth(named, 2) is named


# The register


def test_every_rewrite_says_what_it_is_and_where_the_argument_stands() -> None:
    for rewrite in every():
        assert rewrite.summary.endswith("."), rewrite
        assert any(word in rewrite.source for word in ("section", "figure", "table", "algorithm")), rewrite


def test_a_rewrite_of_one_s_own_is_one_of_them() -> None:
    try:

        @register_rewrite("Doe (2026), section 1")
        def without_dropout(description: Node) -> Node:
            """Without dropout."""
            new = cnnzoo.arch.rewrite(description, lambda _, node: None if isinstance(node, Dropout) else node)
            if new is None or new is description:
                raise DoesNotApply("there is no dropout")
            return new

        assert "without_dropout" in list_rewrites()
        nodes = [len(list(walk(cnnzoo.describe(target)))) for target in ("alexnet", "alexnet+without_dropout")]
        assert nodes[0] - nodes[1] == 2
        assert "does not apply: there is no dropout" in cnnzoo.summary("resnet18+without_dropout").notes[0]
        with pytest.raises(ValueError, match="already registered"):
            register_rewrite("again")(without_dropout.function)
    finally:
        rewrites.registry._rewrites.pop("without_dropout", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("drop_reduction", "unknown rewrite 'drop_reduction'; did you mean drop_reductions"),
        ("drop-reductions", "did you mean drop_reductions"),
        ("qqq", "there are add_for_concat, "),
        ("scale_width", "scale_width needs its factor"),
        ("strip_aux=1", "strip_aux takes no option"),
        ("", "unknown rewrite ''"),
    ],
)
def test_a_rewrite_that_is_none_is_refused_with_what_there_is(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        get_rewrite(text)
    assert isinstance(refused.value, UnknownRewriteError) == (text.partition("=")[0] not in list_rewrites())


@pytest.mark.parametrize(
    "text",
    [
        *("scale_width=0", "scale_width=-1", "scale_width=wide", "scale_width=True", "scale_width=1e9"),
        *("scale_depth=nan", "drop_reductions=all", "factorise=2", "convolutionalize=0", "convolutionalize=x"),
        "convolutionalize=2.5",
    ],
)
def test_an_option_that_is_none_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=text.partition("=")[0]):
        cnnzoo.summary("vgg16", rewrites=[text])


def test_rewrites_are_a_list_of_names_on_what_has_a_description() -> None:
    with pytest.raises(TypeError, match="list of names"):
        cnnzoo.summary("vgg16", rewrites="ungroup")
    net = Sequential(conv=Conv2d(4, 3, groups=2))
    assert cnnzoo.summary(net, (2, 8, 8), rewrites=["ungroup"]).total_params == 76
    module = torch.nn.Sequential(torch.nn.Conv2d(2, 4, 3, groups=2))
    assert cnnzoo.summary(module, (2, 8, 8), rewrites=["ungroup"]).total_params == 76


def test_a_report_says_how_it_was_rewritten() -> None:
    report = cnnzoo.summary("googlenet+drop_reductions", rewrites=["scale_width=0.5", "ungroup"])
    assert report.model == "googlenet+drop_reductions+scale_width=0.5+ungroup"
    assert report.printed == ()
    said = [note.partition(" ")[0].rstrip(":") for note in report.notes]
    assert said == ["drop_reductions", "scale_width=0.5", "ungroup"]


def test_a_rewritten_network_is_made_as_any_other() -> None:
    net = cnnzoo.create_model(
        "resnet50", rewrites=["scale_width=0.25", "drop_reductions"], num_classes=7, device="meta"
    )
    assert net.fc.out_features == 7
    features = cnnzoo.create_model("resnet18+scale_width=0.5", features_only=True, device="meta")
    assert features.feature_info.channels() == [32, 32, 64, 128, 256]
    for scheme in ("torchvision", "paper", "torch"):
        cnnzoo.create_model("resnet18+scale_width=0.1+drop_shortcuts", init=scheme)


@pytest.mark.wide(1)
def test_pairs_of_neighbours_compose_on_every_family(name: str) -> None:
    description, size = small(name)
    for first, second in pairwise(every(size)):
        assert second(first(description)) == rewrites.apply(description, [first.name, second.name], size)[0]


# At a prompt


def test_a_rewritten_network_is_summarised_as_any_other() -> None:
    by_option = call("summary", "googlenet", "--rewrite", "drop_reductions", "--rewrite", "scale_width=0.5").succeeded()
    assert by_option == call("summary", "googlenet+drop_reductions", "--rewrite", "scale_width=0.5").succeeded()
    assert "Szegedy et al. (2014), section 4" in by_option
    said = call("summary", "vgg16", "--rewrite", "drop_shortcuts").succeeded()
    assert "drop_shortcuts does not apply: there is no residual block" in " ".join(said.split())


@pytest.mark.wide(0)
def test_a_rewritten_list_is_of_what_the_rewrites_change() -> None:
    out = call("list", "alex*", "caffenet", "lenet*", "vgg1*", "--rewrite", "ungroup", "--format", "csv").succeeded()
    assert [line.split(",")[0] for line in out.splitlines()[1:]] == [
        f"{name}+ungroup" for name in ("alexnet", "caffenet", "lenet5")
    ]
    assert "alexnet+ungroup,62378344," in out
    call("list", "vgg*", "--rewrite", "ungroup").refused("ungroup changes none of vgg11, ")
    assert "vgg19_bn+scale_width=0.5" in call("list", "--rewrite", "scale_width=0.5").succeeded()


@pytest.mark.parametrize("command", ["summary", "list"])
def test_a_misspelt_rewrite_is_one_line(command: str) -> None:
    call(command, "vgg16", "--rewrite", "merge_stack").refused(
        "unknown rewrite 'merge_stack'; did you mean merge_stacks?"
    )
    call(command, "vgg16", "--rewrite", "scale_width").refused("scale_width needs its factor: scale_width=")
    call(command, "vgg16", "--rewrite", "scale_width=0").refused("a factor above 0", "got 0")


@pytest.mark.parametrize("rewrite", ["factorise", "depthwise_separable"])
@pytest.mark.parametrize("once", [LocalResponseNorm(5), Dropout(), Identity()])
def test_what_stands_once_behind_a_convolution_does_not_stand_between_its_parts(rewrite: str, once: Layer) -> None:
    """As LRN, which no network has twice in a row; a normalisation of each map and an activation do."""
    net = Sequential(first=Conv2d(4, 1), conv=Conv2d(4, 5, padding=2), norm=BatchNorm2d(), relu=ReLU(), once=once)
    parts = rewrites.apply(net, [rewrite])[0].conv
    assert [type(part) for part in parts] == [Conv2d, BatchNorm2d, ReLU, Conv2d]
    bare = Sequential(first=Conv2d(4, 1), conv=Conv2d(4, 5, padding=2), once=once, relu=ReLU())
    assert [type(part) for part in rewrites.apply(bare, [rewrite])[0].conv] == [Conv2d, Conv2d]


# Branches side by side


def normalised(width: int, kernel: int, **settings: Any) -> Sequential:
    return Sequential(conv=Conv2d(width, kernel, padding=kernel // 2, bias=False, **settings), bn=BatchNorm2d(eps=1e-3))


def lively(net: torch.nn.Module) -> torch.nn.Module:
    """With statistics of batch normalisation that are not as at the beginning, in eval mode."""
    draw = torch.Generator().manual_seed(3)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(generator=draw)
            module.running_var.uniform_(0.5, 2, generator=draw)
            if module.affine:
                torch.nn.init.uniform_(module.weight, 0.5, 1.5, generator=draw)
                torch.nn.init.normal_(module.bias, generator=draw)
    return net.eval()


STEM = Conv2d(6, 1)
BRANCHES = {
    "as in RepVGG": (
        Sequential(
            stem=STEM,
            plain=BatchNorm2d(affine=False),
            large=From("stem", normalised(6, 3)),
            one=From("stem", normalised(6, 1)),
            sum=Add("large", "one", "plain"),
            act=ReLU(),
        ),
        Sequential(stem=STEM, large=Sequential(conv=Conv2d(6, 3, padding=1)), act=ReLU()),
    ),
    "a residual block": (
        Sequential(
            stem=STEM, block=Residual(conv=Conv2d(6, 3, padding=1), bn=BatchNorm2d(), downsample=None, act=ReLU())
        ),
        Sequential(stem=STEM, block=Sequential(conv=Conv2d(6, 3, padding=1), act=ReLU())),
    ),
    "the larger one is the shortcut": (
        Sequential(
            conv=Residual(one=Conv2d(8, 1, stride=2), downsample=normalised(8, 5, stride=2)),
            last=Conv2d(3, 1),
        ),
        Sequential(
            conv=Sequential(downsample=Sequential(conv=Conv2d(8, 5, stride=2, padding=2))),
            last=Conv2d(3, 1),
        ),
    ),
    "strips, in groups": (
        Sequential(
            stem=STEM,
            square=Conv2d(6, 3, padding=1, groups=3),
            row=From("stem", Conv2d(6, (1, 3), padding=(0, 1), groups=3)),
            column=From("stem", Conv2d(6, (3, 1), padding=(1, 0), groups=3)),
            sum=Add("row", "column"),
            all=Add("sum", "stem", "square"),
        ),
        Sequential(stem=STEM, square=Conv2d(6, 3, padding=1, groups=3)),
    ),
    "dilated": (
        Sequential(a=Conv2d(4, 3, padding=2, dilation=2), b=From("input", Conv2d(4, 1)), sum=Add("a", "b")),
        Sequential(a=Conv2d(4, 3, padding=2, dilation=2)),
    ),
    "the sum is read again, and given": (
        Sequential(
            stem=STEM,
            a=Conv2d(6, 3, padding=1),
            b=From("stem", Conv2d(6, 1)),
            sum=Add("b", "a"),
            act=ReLU(),
            out=Add("act", "sum"),
        ),
        Sequential(stem=STEM, a=Conv2d(6, 3, padding=1), act=ReLU(), out=Add("act", "a")),
    ),
    "something else runs before the sum": (
        Sequential(
            stem=STEM,
            a=Conv2d(6, 3, padding=1),
            aside=From("stem", ReLU()),
            b=From("stem", Conv2d(6, 1)),
            sum=Add("a", "b"),
        ),
        Sequential(stem=STEM, a=Conv2d(6, 3, padding=1), aside=From("stem", ReLU()), sum=From("a", Identity())),
    ),
}


@pytest.mark.parametrize("name", BRANCHES)
def test_branches_side_by_side_become_one_convolution_of_the_same_outputs(name: str) -> None:
    description, wanted = BRANCHES[name]
    assert rewrites.reparameterize(description) == wanted
    size = (4, 9, 12)
    net = lively(build(description, size))
    new, loaded = cnnzoo.rebuild(net, size, rewrites=["reparameterize"])
    assert (loaded.dropped, loaded.kept) == ((), ())
    assert check(wanted, size).agrees
    image = torch.randn(2, *size)
    with torch.no_grad():
        torch.testing.assert_close(new(image), net(image), rtol=1e-5, atol=1e-5)


CONV = Conv2d(6, 3, padding=1)


@pytest.mark.parametrize(
    "parts",
    [
        {"a": CONV, "b": From("stem", Conv2d(6, 2, padding="same"))},  # no middle of a 3x3
        {"a": CONV, "b": From("stem", Conv2d(6, 1, groups=2))},
        {"a": CONV, "act": ReLU(), "b": Conv2d(6, 1)},  # of another value
        {"a": CONV, "b": From("stem", Conv2d(1, 1))},  # a length of 1 goes with any other
        {"a": Conv2d(6, 3, padding=2, dilation=2), "b": From("stem", CONV)},
        {"a": CONV, "b": From("stem", Sequential(Conv2d(6, 1), ReLU()))},
        {"a": CONV, "b": From("stem", Sequential(BatchNorm2d(), BatchNorm2d()))},
        {"a": CONV, "b": From("stem", BatchNorm2d(track_running_stats=False))},
        {"a": ReLU(), "b": From("stem", BatchNorm2d())},  # no convolution
        {"a": StdConv2d(6, 3), "b": From("stem", Conv2d(6, 1))},
    ],
)
def test_sums_that_no_convolution_can_work_out_stay(parts: dict[str, Any]) -> None:
    net = Sequential(stem=STEM, **parts, sum=Add("a", "b"))
    assert rewrites.reparameterize(net) is net
    assert "no sum of convolutions of one value" in str(rewrites.reparameterize.why_not(net))


def test_branches_that_something_else_reads_or_runs_stay() -> None:
    two = {"a": CONV, "b": From("input", Conv2d(6, 1)), "sum": Add("a", "b")}
    for net in (
        Sequential(stem=STEM, **{**two, "b": From("stem", Conv2d(6, 1))}, out=Add("sum", "b")),
        Sequential(stem=STEM, block=Sequential(**two), out=Add("block", "block.b")),
        Sequential(stem=STEM, block=Sequential(**two), again=Run("block")),
        Sequential(**two, aux=Aux("b", Flatten(), Linear(3))),
        Residual(CONV),  # of how many channels, nobody says
    ):
        assert rewrites.reparameterize(net) is net


@given(strategies.programs())
def test_steps_are_reparameterized_only_where_outputs_stay(description: Node) -> None:
    size = (4, 6, 5)
    if rewrites.reparameterize.why_not(description) or any(isinstance(node, Divide) for _, node in walk(description)):
        return
    net = lively(build(description, size))
    new = build(rewrites.reparameterize(description), size).eval()
    new.load_state_dict(carried(rewrites.reparameterize, description, net.state_dict()))
    image = torch.rand(2, *size)
    with torch.no_grad():
        pairs = zip(*(one if isinstance(one, tuple) else (one,) for one in (new(image), net(image))), strict=True)
        for one, other in pairs:
            scale = max(1, other.abs().max())
            torch.testing.assert_close(one / scale, other / scale, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", ["resnet18", "alexnet", "repvgg_a0", "googlenet"])
def test_a_rebuilt_module_has_the_weights_of_what_changes_no_outputs(family: str) -> None:
    description, size = small(family)
    net = lively(build(description, size))
    image = torch.randn(2, *size)
    slide = "convolutionalize=slide"
    for names in (["fuse_batchnorm"], ["reparameterize"], [slide], ["fuse_batchnorm", slide]):
        if any(get_rewrite(name, size).why_not(description) for name in names):
            continue
        new, loaded = cnnzoo.rebuild(net, size, rewrites=names)
        assert (loaded.dropped, loaded.kept) == ((), ()), names
        with torch.no_grad():
            torch.testing.assert_close(new(image).flatten(1), net(image), rtol=1e-4, atol=1e-4)
        assert not new.training
        assert all(parameter.requires_grad for parameter in new.parameters())
