"""The calculator: rows add up, receptive fields are what gradients reach, memory is what is alive or kept."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
import strategies
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from reference import saved_bytes
from torch import nn

import cnnzoo
from cnnzoo.arch import (
    ELU,
    GELU,
    RBF,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    Add,
    Aux,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    BlurPool2d,
    Cat,
    ChannelShuffle,
    Chunk,
    Collect,
    Concat,
    ConstantPad2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Dense,
    Difference,
    Dropout,
    Dropout2d,
    EvoNorm2dS0,
    FilterResponseNormTlu2d,
    Flatten,
    From,
    Gate,
    GlobalResponseNorm,
    GroupNorm,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    Identity,
    InstanceNorm2d,
    Join,
    LayerNorm,
    LayerNorm2d,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    Max,
    MaxPool2d,
    Mean,
    Mish,
    Multiply,
    PadChannels,
    Permute,
    PixelShuffle,
    PixelUnshuffle,
    PReLU,
    ReflectionPad2d,
    ReLU,
    ReLU6,
    ReplicationPad2d,
    Residual,
    Run,
    SamePad2d,
    Scale,
    ScaledStdConv2d,
    ScaledTanh,
    Sequential,
    ShapeError,
    Shift,
    Sigmoid,
    SiLU,
    Slice,
    Softmax,
    StdConv2d,
    StochasticDepth,
    Subsampling2d,
    Sum,
    TableConv2d,
    Tanh,
    Unflatten,
    Unused,
    Upsample,
    Window,
    Work,
    ZeroPad2d,
    find,
    rewrite,
    walk,
)
from cnnzoo.arch.axes import Axis, Phases, Span
from cnnzoo.arch.meetings import Meeting
from cnnzoo.arch.node import Layer, Node
from cnnzoo.arch.steps import values_of
from cnnzoo.arch.walker import Walker, child_path
from cnnzoo.calculate import Sight, calculate
from cnnzoo.errors import InvalidValueError
from cnnzoo.facts import Fixed, is_count
from cnnzoo.features.explain.streams import streams_of
from cnnzoo.pytorch.modules.build import build
from cnnzoo.report import ITEM_BYTES, SUMMED, Line, Report, Row
from cnnzoo.report.rows import Extent, Pace, key_of
from cnnzoo.totals import totals
from cnnzoo.words import Range, most_of, sides

Shape = tuple[int, ...]
INPUT = (4, 9, 8)
NETWORKS = strategies.networks(INPUT)

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")


@pytest.fixture(params=cnnzoo.list_models())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def smallest_report(name: str, **settings: Any) -> Report:
    """The network at the smallest of a few sizes that it takes."""
    builder = cnnzoo.get_builder(name)
    for side in (28, 32, 64, 80, 96, 128, 160, builder.input_size[-1]):
        try:
            return builder.report(side, **settings)
        except ShapeError:
            continue
    raise AssertionError(f"{name} takes no small input")


# Rows add up


Sums = tuple[int, ...]


def figures(rows: Iterable[Row]) -> Sums:
    """The sum of each summed column, or of what is known of it."""
    return tuple(map(sum, zip(*([row.least(column) for column in SUMMED] for row in rows), strict=True))) or ZERO


ZERO = (0,) * len(SUMMED)


def check_sums(report: Report) -> None:
    inside: dict[tuple[str, bool], list[Row]] = {}
    for row in report.rows:
        parts = row.path.split(".") if row.path else []
        for depth in range(len(parts) + 1):
            inside.setdefault((".".join(parts[:depth]), row.aux), []).append(row)
    for block in report.blocks:
        assert figures([block]) == figures(inside.get((block.path, block.aux), []))
    main, heads = (figures(row for row in report.rows if row.aux == aux) for aux in (False, True))
    check_totals(report, dict(zip(SUMMED, main, strict=True)), dict(zip(SUMMED, heads, strict=True)))
    for depth in (None, *range(1, 7)):
        for fold in (True, False):
            lines = report.lines(depth, fold)
            assert figures(line.row for line in lines if line.level == 1 and not line.row.aux) == main
            top = check_lines(lines)
            if depth is None:
                assert figures(top) == heads


def check_totals(report: Report, main: dict[str, int], heads: dict[str, int]) -> None:
    totals = report.totals | report.known
    assert totals["stored_bytes"] == main.pop("stored_bytes") + heads.pop("stored_bytes")  # in training heads run
    assert {column: totals[column] for column in main} == main
    assert [totals[f"aux_{column}"] for column in ("macs", "buffers")] == [heads["macs"], heads["buffers"]]
    assert totals["params"] == totals["trainable_params"] == main["weights"] + main["biases"]
    assert totals["aux_params"] == heads["weights"] + heads["biases"]


def check_lines(lines: list[Line]) -> list[Row]:
    """Every line with lines under it is their sum, heads apart; returns where heads begin."""
    above: list[tuple[Line, list[Row]]] = []
    heads = []
    finished = []
    for line in lines:
        while above and above[-1][0].level >= line.level:
            finished.append(above.pop())
        assert line.level == len(above) + 1
        if above and above[-1][0].row.aux == line.row.aux:
            above[-1][1].append(line.row)
        elif line.row.aux:
            heads.append(line.row)
        above.append((line, []))
    for line, rows in (*finished, *above):
        assert not rows or figures(rows) == figures([line.row])
    return heads


def test_parts_of_rows_are_in_the_order_of_rows() -> None:
    """A row is put together from these without their names."""
    assert Row._fields == ("path", *Fixed._fields, "depth", *Sight._fields, *Row._fields[-11:])
    assert Row._fields[-11:][:4] == ("aux", "activation_bytes", "live_bytes", "stored_bytes")
    assert Row._fields[-7:] == ("trainable_params", "call", "own", "known", "more_inputs", "more_outputs", "regions")


@pytest.mark.wide
def test_every_networks_rows_add_up_at_every_depth(name: str) -> None:
    report = cnnzoo.get_builder(name).report(batch_size=2)
    check_sums(report)
    assert report.total_params + report.aux_params == sum(row.params for row in report.rows)
    assert report.total_flops == 2 * report.total_macs == 2 * report.total_mult_adds
    assert report.depth == max(row.depth for row in report.rows if not row.aux)


@given(NETWORKS, st.integers(1, 3), st.sampled_from([*ITEM_BYTES]))
def test_any_descriptions_rows_add_up_at_every_depth(net: Node, batch: int, dtype: str) -> None:
    check_sums(calculate(net, INPUT, batch_size=batch, dtype=dtype))


@given(NETWORKS)
def test_every_node_is_a_row_or_a_block_at_its_own_path(net: Node) -> None:
    report = calculate(net, INPUT)
    nodes = dict(walk(net))
    leaves = [path for path, node in nodes.items() if isinstance(node, Layer)]
    joins = [path for path, node in nodes.items() if not isinstance(node, Layer)]
    assert sorted(row.path for row in report.rows if not row.own) == sorted(leaves)
    plain = {
        child_path(path, name)
        for path, node in nodes.items()
        for name, child in getattr(node, "children", ())
        if node._is_plain(name, child)
    }
    assert sorted(block.path for block in report.blocks) == sorted(set(joins) - plain)
    for path in leaves:
        assert report[path].kind == type(nodes[path]).__name__
        assert report[path].settings == nodes[path].settings
    own = {"add": Residual, "cat": (Collect, Concat, Dense), "sub": Difference}
    for row in report.rows:
        assert not row.own or isinstance(nodes[row.path], own[row.kind])
    parents = [
        path for path, node in nodes.items() if isinstance(node, Residual | Collect | Concat | Dense | Difference)
    ]
    assert sorted(row.path for row in report.rows if row.own) == sorted(parents)


@pytest.mark.wide
def test_unfolded_lines_are_the_rows_and_the_blocks_and_folded_ones_stand_for_as_many(name: str) -> None:
    builder = cnnzoo.get_builder(name)
    report = builder.report()
    lines = report.lines(fold=False)
    shown = [line.row for line in lines if line.row in report.rows]
    runs = any(isinstance(node, Run) for _, node in walk(builder.describe()))  # layers stand in lists before they run
    assert shown == list(report.rows) or (runs and sorted(map(repr, shown)) == sorted(map(repr, report.rows)))
    assert {line.row.path for line in lines} == {row.path for row in (*report.rows, *report.blocks)} - {""}
    assert all(line.times == 1 for line in lines)
    folded = report.lines(fold=True)
    times = [1]
    stood_for = 0
    for line in folded:
        times = [*times[: line.level], times[line.level - 1] * line.times]
        stood_for += times[-1]
    assert stood_for == len(lines)


@given(NETWORKS)
def test_figures_grow_with_the_batch_and_the_item_and_counts_do_not(net: Node) -> None:
    one, four = calculate(net, INPUT), calculate(net, INPUT, batch_size=4)
    half = calculate(net, INPUT, batch_size=4, dtype="float16")
    for a, b, c in zip(one.rows, four.rows, half.rows, strict=True):
        node = find(net, a.path)
        statistics = 4 * node.kept(a.input_shape).statistics if isinstance(node, Layer) else 0  # of any batch
        assert (4 * a.activation_bytes, 4 * a.live_bytes, 4 * (a.stored_bytes - statistics)) == (
            b.activation_bytes,
            b.live_bytes,
            b.stored_bytes - statistics,
        )
        assert (b.activation_bytes, b.live_bytes) == (2 * c.activation_bytes, 2 * c.live_bytes)
        indices = 8 * 4 * torch.Size(a.output_shape).numel() if a.kind.endswith("MaxPool2d") else 0
        assert b.stored_bytes - indices == 2 * (c.stored_bytes - indices)  # indices stay int64
        assert a._replace(**SIZES) == b._replace(**SIZES) == c._replace(**SIZES)


SIZES = {"activation_bytes": 0, "live_bytes": 0, "stored_bytes": 0}


def test_a_block_of_nothing_has_no_figures() -> None:
    for block in calculate(Sequential(Sequential()), (3, 4, 4)).blocks:
        assert not any(getattr(block, name) for name in (*SUMMED, "depth"))


def test_heads_are_counted_apart_and_change_nothing_else() -> None:
    body = {"a": Conv2d(8, 3), "b": ReLU()}
    plain = calculate(Sequential(**body, c=Flatten(), d=Linear(3)), (3, 8, 8))
    head = Aux("a", pool=AdaptiveAvgPool2d(1), flatten=Flatten(), fc=Linear(5))
    headed = calculate(Sequential(**body, head=head, c=Flatten(), d=Linear(3)), (3, 8, 8))
    apart = {"aux_params": 8 * 5 + 5, "aux_macs": 8 * 5, "stored_bytes": headed.totals["stored_bytes"]}
    assert headed.totals == plain.totals | apart
    assert [row for row in headed.rows if not row.aux] == list(plain.rows)
    assert [row.path for row in headed.rows if row.aux] == ["head.pool", "head.flatten", "head.fc"]
    assert all(row.live_bytes == 0 for row in headed.rows if row.aux)


def test_tensors_come_in_the_order_of_execution_with_parameters_before_buffers(name: str) -> None:
    """Each once, in its first call; a parameter that is no layer's own is tried in `test_own_parameters`."""
    report = cnnzoo.get_builder(name).report()
    named = [
        (key_of(row.path, tensor), shape)
        for row in report.rows
        if row.call == 1
        for tensor, shape in (*row.tensors.items(), *row.buffer_tensors.items())
    ]
    assert list(report.tensors.items()) == named or (
        any("" in row.tensors for row in report.rows) and report.tensors == dict(named)
    )
    numels = {path: torch.Size(shape).numel() for path, shape in named}
    assert sum(numels.values()) == sum(row.params + row.buffers for row in report.rows)


def test_a_report_is_pickled_and_compared_as_a_value(name: str) -> None:
    report = smallest_report(name)
    assert pickle.loads(pickle.dumps(report)) == report
    assert report == smallest_report(name) != smallest_report(name, batch_size=2)


# Impossible sizes, channels and joins


DEEP = Sequential(stem=Conv2d(8, 3), layer=Sequential(block=Sequential(conv=Conv2d(8, 3), pool=MaxPool2d(2))))


@pytest.mark.parametrize(
    ("net", "size", "message"),
    [
        (
            Sequential(layer1=Sequential(Residual(conv=Conv2d(8, 1, stride=2)))),
            (8, 8, 8),
            "at layer1.0: cannot add (8, 4, 4) to a shortcut of (8, 8, 8); "
            "a downsample from (8, 8, 8) to (8, 4, 4) would fit",
        ),
        (
            Residual(conv=Conv2d(8, 1), downsample=Sequential(Conv2d(4, 1))),
            (2, 8, 8),
            "cannot add (8, 8, 8) to a shortcut of (4, 8, 8); a downsample from (2, 8, 8) to (8, 8, 8) would fit",
        ),
        (
            Sequential(mix=Concat(Conv2d(8, 1), Conv2d(8, 3))),
            (2, 8, 8),
            "at mix: cannot concatenate (8, 6, 6) after (8, 8, 8); maps of (8, 8) would fit",
        ),
        (
            Sequential(mix=Concat(Conv2d(8, 1), Flatten())),
            (2, 8, 8),
            "at mix: cannot concatenate (128,) after (8, 8, 8); maps of (8, 8) would fit",
        ),
        (
            Sequential(dense=Dense(conv=Conv2d(8, 3))),
            (2, 8, 8),
            "at dense: cannot concatenate (8, 6, 6) after (2, 8, 8); maps of (8, 8) would fit",
        ),
        (
            DEEP,
            (3, 5, 8),
            "at layer.block.pool: MaxPool2d: nothing is left of (8, 1, 4) under kernel 2 (extent 2, padding 0); "
            "it takes at least 2 there",
        ),
        (
            DEEP,
            (3, 4, 8),
            "at layer.block.conv: Conv2d: kernel 3 (extent 3) is larger than the padded input: (8, 2, 6) is 2 + 0 "
            "there; it takes at least 3",
        ),
        (
            Sequential(a=Conv2d(6, 1), b=Conv2d(4, 1, groups=4)),
            (3, 8, 8),
            "at b: Conv2d: groups=4 does not divide the 6 channels of (6, 8, 8); a multiple of 4 would fit",
        ),
        (
            Sequential(a=ConvTranspose2d(4, 1, padding=4)),
            (3, 8, 8),
            "at a: ConvTranspose2d: padding 4 on both sides leaves 0 of (3, 8, 8); "
            "less padding or a larger input would fit",
        ),
        (
            Sequential(fc=Sequential(a=Flatten(), b=Conv2d(6, 1))),
            (3, 8, 8),
            "at fc.b: Conv2d needs maps (channels, height, width), got (192,)",
        ),
        (
            Sequential(a=BatchNorm2d()),
            (3,),
            "at a: BatchNorm2d needs maps (channels, height, width), got (3,)",
        ),
        (
            Sequential(out=RBF(10)),
            (84, 1, 1),
            "at out: RBF needs features (C,), got (84, 1, 1); Flatten() before it would fit",
        ),
        (
            Sequential(a=TableConv2d(((0, 7),), 1)),
            (6, 8, 8),
            "at a: TableConv2d: the table reads map 7, counted from 0; (6, 8, 8) has 6 and it takes at least 8",
        ),
        (
            Sequential(a=Subsampling2d(9)),
            (6, 8, 8),
            "at a: Subsampling2d: nothing is left of (6, 8, 8) under kernel 9; it takes at least (9, 9)",
        ),
        (
            Sequential(a=PadChannels(4)),
            (6, 8, 8),
            "at a: PadChannels: (6, 8, 8) already has more than 4 channels; at least 6 would fit",
        ),
        (
            Sequential(a=Flatten(), b=LocalResponseNorm(5)),
            (6, 8, 8),
            "at b: LocalResponseNorm needs channels with positions, got (384,)",
        ),
        (
            Sequential(a=Flatten(), b=Softmax(2)),
            (6, 8, 8),
            "at b: Softmax: dim=2 is none of the 1 dimensions after the batch of (384,)",
        ),
        (
            Sequential(a=Flatten(0)),
            (6, 8, 8),
            "at a: Flatten: start_dim=0, end_dim=-1 is no span of the dimensions 1 to 3 of (6, 8, 8) (0 is the batch)",
        ),
        (Conv2d(8, 9), (3, 8, 8), "Conv2d: kernel 9 (extent 9) is larger than the padded input: (3, 8, 8) is 8 + 0"),
    ],
)
def test_what_does_not_fit_is_a_shape_error_with_its_place_both_shapes_and_what_would_fit(
    net: Node, size: Shape, message: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        calculate(net, size)
    assert str(caught.value).startswith(message)
    assert len(str(caught.value).splitlines()) == 1


def test_a_count_is_a_whole_number_of_at_most_256_bits() -> None:
    assert all(map(is_count, (0, 1, True, 2**256 - 1)))
    assert not any(map(is_count, (-1, 2**256, 1.0, "1", None)))


def test_every_network_refuses_a_size_of_nothing_or_names_the_layer_at_which_nothing_is_left(name: str) -> None:
    builder = cnnzoo.get_builder(name)
    for size in [(), (3, 0, 8), (3, -1, 8), (0, 8, 8), (3, 8.0, 8), (True, 8, 8), ("3", 8, 8)]:
        with pytest.raises(ShapeError, match="input_size must be positive whole numbers"):
            calculate(builder.describe(), size)
    paths = {path for path, _ in walk(builder.describe())}
    for side in (1, 2, 3, 5, 8):
        try:
            report = calculate(builder.describe(), (builder.input_size[0], side, side))
        except ShapeError as error:
            place = error.place
        else:
            place = report.rows[-1].path
        assert place in paths


@pytest.mark.parametrize("batch", [0, -1, 1.5, True, "2", 10**30])
def test_a_batch_is_a_whole_number_of_samples(batch: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"batch_size must be (a whole number of at least 1|at most 9,)"):
        calculate(ReLU(), (3, 8, 8), batch_size=batch)


def test_an_unknown_dtype_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="unknown dtype 'float31'; there are float64, float32, float16"):
        calculate(ReLU(), (3, 8, 8), dtype="float31")
    for dtype, size in ITEM_BYTES.items():
        assert getattr(torch, dtype).itemsize == size


# Receptive fields, against the gradients of networks whose every weight is one

WIDE = (2, 96, 100)
"""Images large enough for positions that see no edge."""

same = st.builds(Conv2d, st.integers(1, 2), st.integers(1, 4), padding=st.just("same"), dilation=st.integers(1, 2))
padded = st.integers(0, 1).flatmap(
    lambda half: st.builds(MaxPool2d, st.just(2 * half + 1), st.just(1), padding=st.just(half))
)
READERS = st.one_of(
    *[same] * 3,
    padded,
    strategies.SMALL_CONVS[0],
    st.builds(
        ConvTranspose2d, st.integers(1, 2), st.integers(1, 3), padding=st.integers(0, 2), dilation=st.integers(1, 2)
    ),
    st.builds(
        MaxPool2d,
        strategies.int_or_pair(2, 3),
        strategies.int_or_pair(1, 2),
        padding=st.integers(0, 1),
        dilation=st.integers(1, 2),
    ),
    st.builds(AvgPool2d, strategies.int_or_pair(2, 3), strategies.int_or_pair(1, 2), padding=st.integers(0, 1)),
    st.just(ReLU()),
    st.sampled_from(strategies.FILLING).flatmap(lambda pads: pads),
    st.builds(BlurPool2d, filt_size=st.integers(2, 4), stride=st.integers(1, 2)),
    st.just(PixelUnshuffle(2)),
    st.just(ChannelShuffle(2)),
    st.builds(Slice, st.integers(0, 2), st.sampled_from([None, -1, -2]), st.integers(2, 3)),
    st.sampled_from([Sum(1, keepdim=True), Mean(-3, keepdim=True)]),
)


def reading(net: Node, report: Report) -> nn.Module:
    """A module in which a gradient is positive exactly where an output position reads."""

    def spread(path: str, node: Node) -> Node:
        """A maximum passes its gradient to one position; a convolution of its geometry, to all that it compared."""
        if not isinstance(node, MaxPool2d):
            return node
        channels = report[path].input_shape[0]
        window = {key: node.settings[key] for key in ("kernel_size", "stride", "padding", "dilation")}
        return Conv2d(channels, **window, groups=channels, bias=False)

    module = build(rewrite(net, spread), report.input_size, init=None, dtype=torch.float64)
    for parameter in module.parameters():
        nn.init.ones_(parameter)
    return module.eval()


def reached(y: torch.Tensor, x: torch.Tensor, axis: int, position: int) -> tuple[int, int]:
    """The first and the last input position along an axis that an output position in the middle reads."""
    middle = [side // 2 for side in y.shape[2:]]
    middle[axis] = position
    (gradient,) = torch.autograd.grad(y[0, :, middle[0], middle[1]].sum(), x, retain_graph=True)
    seen = gradient[0].sum((0, 2 - axis)).nonzero()
    assume(len(seen))  # of x - x nothing is left
    return int(seen.min()), int(seen.max())


def test_receptive_fields_are_what_gradients_reach() -> None:
    tally: Counter[str] = Counter()

    @settings(max_examples=max(50, 2 * settings.default.max_examples))
    @given(strategies.networks(WIDE, READERS, st.one_of(*[same] * 12, *[padded] * 4, READERS), heads=0, features=False))
    def check(net: Node) -> None:
        report = calculate(net, WIDE)
        fields = report.blocks[0]
        if fields.receptive_field is None:
            tally["unknown"] += 1
            assert fields.effective_stride is None
            assert fields.effective_padding is None
            # Where branches of different sizes were brought together, and nowhere else.
            assert any(isinstance(node, AdaptiveAvgPool2d) for _, node in walk(net))
            return
        x = torch.ones(1, *WIDE, dtype=torch.float64, requires_grad=True)
        y = reading(net, report)(x)
        assert tuple(y.shape[1:]) == fields.output_shape
        for axis in (0, 1):
            seen = (fields.receptive_field, fields.effective_stride, fields.effective_padding)
            size, stride, padding = (one[axis] if isinstance(one, tuple) else one for one in seen)
            middle = y.shape[2 + axis] // 2
            assume(size <= WIDE[1 + axis] // 2 and middle + 1 < y.shape[2 + axis])
            first, last = reached(y, x, axis, middle)
            following, end = reached(y, x, axis, middle + 1)
            assume(first > 0 and end < WIDE[1 + axis] - 1)  # no edge in sight
            assert last - first + 1 == size
            assert following - first == stride
            assert middle * stride - first == padding
        tally["known"] += 1
        tally["branched"] += any(
            isinstance(node, Collect | Concat | Residual | Dense | Difference) for _, node in walk(net)
        )

    check()
    assert tally["known"] >= settings.default.max_examples // 3
    assert tally["branched"] >= settings.default.max_examples // 8


SMALL = (2, 26, 24)
growing = st.one_of(
    st.builds(
        ConvTranspose2d,
        st.just(2),
        strategies.int_or_pair(1, 4),
        stride=strategies.int_or_pair(1, 3),
        padding=st.integers(0, 1),
        dilation=st.integers(1, 2),
    ),
    st.builds(Upsample, scale_factor=st.sampled_from([0.5, 1.5, 2, 3, (1, 2), (2.5, 1)])),
    st.builds(Upsample, size=strategies.int_or_pair(8, 60), mode=st.sampled_from(["nearest", "bilinear"])),
    st.builds(
        Upsample,
        scale_factor=st.sampled_from([0.5, 1.5, 2, 3, (4, 2)]),
        mode=st.just("bilinear"),
        align_corners=st.booleans() | st.none(),
    ),
    st.builds(lambda factor: Sequential(Conv2d(factor**2, 1), PixelShuffle(factor)), st.integers(2, 3)),
    st.just(Sequential(Permute((0, 2, 3, 1)), Linear(2), ReLU(), Permute((0, 3, 1, 2)))),
    st.just(Sequential(Permute((0, 3, 2, 1)), Sequential(Linear(2), Permute((0, 2, 1, 3))), Permute((0, 3, 1, 2)))),
)


@st.composite
def growths(draw: st.DrawFn, shape: Shape = SMALL, depth: int = 2) -> Sequential:
    """Layers that make maps larger among others, and branches that meet at one size; maps of at most 150 positions."""
    nodes: list[Node] = []
    for _ in range(draw(st.integers(1, 3))):
        if depth and draw(st.integers(0, 2)) == 0:
            one, other = (Sequential(draw(growths(shape, depth - 1)), Conv2d(2, 1)) for _ in range(2))
            like = calculate(one, shape).blocks[0].output_shape
            fit = Upsample(like[1:], mode=draw(st.sampled_from(["nearest", "bilinear"])))
            other = Sequential(other, fit)
            node: Node = Residual(one, downsample=other) if draw(st.booleans()) else Concat(one, other)
        else:
            node = draw(st.one_of(growing, growing, same, strategies.SMALL_CONVS[0], st.just(PixelUnshuffle(2))))
        try:
            made = calculate(node, shape).blocks[0].output_shape if isinstance(node, Join) else node.output_shape(shape)
        except ShapeError:
            continue
        if max(made) <= 150:
            nodes.append(node)
            shape = made
    return Sequential(*nodes)


def phases_of(along: Axis | Window | Phases) -> Phases:
    if isinstance(along, Phases):
        return along
    size, stride, padding = along
    return Phases((Span(-padding, size),), stride)


def read_by(y: torch.Tensor, x: torch.Tensor, axis: int, position: int) -> tuple[int, int] | None:
    """The first and the last input position along an axis that a position reads, with all that are beside it."""
    (gradient,) = torch.autograd.grad(y[0].select(1 + axis, position).sum(), x, retain_graph=True)
    reads = gradient[0].sum((0, 2 - axis))
    seen = (reads > 1e-9 * reads.max()).nonzero()  # a bilinear weight of nothing may come out as a trace
    return (int(seen.min()), int(seen.max())) if len(seen) else None


def test_receptive_fields_in_larger_maps_are_what_gradients_reach_position_by_position() -> None:
    tally: Counter[str] = Counter()

    @settings(max_examples=10 * settings.default.max_examples)
    @given(growths())
    def check(net: Node) -> None:
        report = calculate(net, SMALL)
        fields = report.blocks[0]
        assert totals(net, SMALL).receptive_field == report.receptive_field
        field = streams_of(net, (SMALL,)).outputs[""].field
        if field is None:
            tally["unknown"] += 1
            assert fields.receptive_field is fields.effective_stride is fields.effective_padding is None
            return
        x = torch.ones(1, *SMALL, dtype=torch.float64, requires_grad=True)
        y = reading(net, report)(x)
        assert tuple(y.shape[1:]) == fields.output_shape
        seen = (fields.receptive_field, fields.effective_stride, fields.effective_padding)
        for axis, along in enumerate(field):
            size, stride, padding = (one[axis] if isinstance(one, tuple) else one for one in seen)
            phases = phases_of(along)
            period = len(phases.spans)
            length = y.shape[2 + axis]
            positions = range(max((length - period) // 2, 0), min((length + period) // 2 + 2, length))
            inside = []
            if not any(phases_of(field[1 - axis]).at(beside).size for beside in range(y.shape[3 - axis])):
                continue  # no position reads anything
            for position in positions:
                start, wide = phases.at(position)
                if not wide:
                    assert not y.requires_grad or read_by(y, x, axis, position) is None
                elif start > 3 and start + wide < SMALL[1 + axis] - 3:  # no edge in sight, of what was cut off either
                    assert read_by(y, x, axis, position) == (start, start + wide - 1)
                    tally["positions"] += 1
                else:
                    continue
                inside.append(wide)
            if len(inside) < period:
                continue
            assert size == (Range(min(inside), max(inside)) if min(inside) < max(inside) else inside[0])
            assert stride == Fraction(phases.step, period)
            assert padding == -next((span.start for span in phases.spans if span.size), 0)
            tally["of one size" if isinstance(size, int) else "of several"] += 1
            tally["fractions"] += not isinstance(stride, int)

    check()
    tried = settings.default.max_examples
    for what, least in {"positions": 10, "of one size": 0.5, "of several": 0.5, "fractions": 1}.items():
        assert tally[what] >= least * tried, (what, tally)


@pytest.mark.parametrize(
    ("net", "field", "stride", "padding"),
    [
        (Upsample(scale_factor=2), 1, Fraction(1, 2), 0),
        (Upsample(scale_factor=2, mode="bilinear"), 2, Fraction(1, 2), 1),
        (Upsample(scale_factor=3, mode="bilinear"), Range(1, 2), Fraction(1, 3), 1),
        (Upsample(17, mode="bilinear", align_corners=True), Range(1, 2), Fraction(1, 2), 0),
        (Upsample(scale_factor=0.5), 1, 2, 0),
        (Upsample(scale_factor=0.5, mode="bilinear"), 2, 2, 0),
        (Upsample(scale_factor=(1, 2)), 1, (1, Fraction(1, 2)), 0),
        (Upsample(size=(9, 12)), 1, (1, Fraction(3, 4)), 0),
        (Sequential(Conv2d(4, 1), PixelShuffle(2)), 1, Fraction(1, 2), 0),
        (ConvTranspose2d(2, 2, stride=2), 1, Fraction(1, 2), 0),
        (ConvTranspose2d(2, 3, stride=2), Range(1, 2), Fraction(1, 2), 1),
        (ConvTranspose2d(2, 3, stride=2, padding=1, output_padding=1), Range(1, 2), Fraction(1, 2), 0),
        (ConvTranspose2d(2, 4, stride=2, padding=1), 2, Fraction(1, 2), 1),
        (ConvTranspose2d(2, 2, output_padding=1, dilation=2), 3, 1, 2),
        (ConvTranspose2d(2, (3, 2), stride=(1, 2)), (3, 1), (1, Fraction(1, 2)), (2, 0)),
        (ConvTranspose2d(2, 1, stride=2), Range(0, 1), Fraction(1, 2), 0),
        (Sequential(Upsample(scale_factor=2), Conv2d(2, 3, padding=1)), 2, Fraction(1, 2), 1),
        (Sequential(Upsample(scale_factor=2), Conv2d(2, 3, padding=1, stride=2)), 2, 1, 1),
        (Sequential(Upsample(scale_factor=2), MaxPool2d(2)), 1, 1, 0),
        (Sequential(MaxPool2d(2), ConvTranspose2d(2, 3, stride=2, padding=1, output_padding=1)), Range(2, 4), 1, 0),
        (Residual(MaxPool2d(3), Upsample(scale_factor=3)), 3, 1, 0),
        (Residual(Conv2d(2, 3, padding=1), MaxPool2d(3), Upsample(scale_factor=3)), 5, 1, 1),
        (Concat(ConvTranspose2d(2, 1, stride=2, output_padding=1), Upsample(scale_factor=2)), 1, Fraction(1, 2), 0),
        (Sequential(AdaptiveAvgPool2d(1), Upsample(9)), 9, 1, 0),
        (Concat(Sequential(AdaptiveAvgPool2d(1), AdaptiveAvgPool2d(9)), Identity()), 9, 0, 0),
        (Concat(Sequential(AdaptiveAvgPool2d(1), AdaptiveAvgPool2d(9)), Conv2d(2, 3, padding=1)), None, None, None),
        (
            Sequential(
                Conv2d(2, 3, padding=1), Concat(Sequential(AdaptiveMaxPool2d(1), AdaptiveMaxPool2d(9)), Identity())
            ),
            11,
            0,
            1,
        ),
        (
            Sequential(
                Upsample(scale_factor=2), Concat(Sequential(AdaptiveAvgPool2d(1), AdaptiveAvgPool2d(18)), Identity())
            ),
            9,
            0,
            0,
        ),
    ],
)
def test_fields_in_larger_maps(net: Node, field: Extent, stride: Pace, padding: Extent) -> None:
    last = calculate(Sequential(net), (2, 9, 9)).rows[-1]
    assert (last.receptive_field, last.effective_stride, last.effective_padding) == (field, stride, padding)
    for one in (net, Sequential(Sequential(net), ReLU())):
        assert totals(one, (2, 9, 9)).receptive_field == calculate(one, (2, 9, 9)).receptive_field


def sight(row: Row) -> Sight:
    return Sight(row.receptive_field, row.effective_stride, row.effective_padding, row.gated_field)


LAST = Permute((0, 2, 3, 1))


@pytest.mark.parametrize(
    "turned",
    [
        (LAST, LayerNorm(), Linear(8), GELU(), Dropout(), Linear(2)),
        (LAST, Softmax(-1), Identity(), Scale(0.5), StochasticDepth(0.5, "row")),
        (Permute((0, 1, 3, 2)), ReLU()),
        (Permute((0, 3, 2, 1)), Linear(2)),
        (LAST, Sequential(Linear(8), Sequential(GELU(), Linear(2)))),
        (Sequential(LAST), LayerNorm()),
    ],
)
def test_a_permutation_keeps_what_positions_see_and_so_does_what_reads_the_channels_alone(turned: tuple) -> None:
    shape = (2, 24, 30)
    body = [Conv2d(2, (3, 5), stride=(1, 2)), Upsample(scale_factor=2)]
    seen = calculate(Sequential(*body), shape).rows[-1]
    net = Sequential(*body, *turned)
    for row in calculate(net, shape).rows[2:]:
        assert sight(row) == sight(seen)
    assert totals(net, shape).receptive_field == calculate(net, shape).receptive_field
    order = streams_of(net, (shape,)).outputs[""].field.order
    back = Permute((0, *(order.index(place) + 1 for place in range(3))))
    whole = Sequential(*body, *turned, back, Conv2d(2, (3, 1)))
    alike = Sequential(*body, Conv2d(2, (3, 1)))
    assert sight(calculate(whole, shape).rows[-1]) == sight(calculate(alike, shape).rows[-1])
    assert totals(whole, shape).receptive_field == totals(alike, shape).receptive_field


SQUEEZE = {"pool": AdaptiveAvgPool2d(1), "fc": Conv2d(2, 1)}
GATES = {
    "squeeze and excitation": Gate(**SQUEEZE),
    "by features": Gate(Mean((2, 3)), Linear(2), Unflatten(1, (2, 1, 1))),
    "of rows": Gate(Mean(3, keepdim=True), Conv2d(2, (3, 1), padding=(1, 0))),
    "of positions": Gate(Max(1, keepdim=True), Conv2d(1, 5, padding=2)),
    "of a coarse map": Gate(MaxPool2d(2), Conv2d(2, 3, padding=1), Upsample(scale_factor=2)),
}


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("kind", ["alone", "beside a shortcut", "twice", "behind a larger map"])
def test_a_gate_keeps_the_field_and_what_it_sees_itself_is_said_beside_it(gate: str, kind: str) -> None:
    node, conv = GATES[gate], Conv2d(2, 3, padding=1)
    body = {
        "alone": (node,),
        "beside a shortcut": (Residual(conv, node), conv),
        "twice": (node, conv, node),
        "behind a larger map": (Upsample(scale_factor=2), conv, node, MaxPool2d(2)),
    }[kind]
    shape = (2, 40, 44)
    net = Sequential(MaxPool2d(2), *body, conv)
    report = calculate(net, shape)
    ungated = rewrite(net, lambda path, one: Identity() if isinstance(one, Gate) else one)
    last, plain = report.rows[-1], calculate(ungated, shape).rows[-1]
    assert sight(last)[:3] == sight(plain)[:3]
    assert totals(net, shape).receptive_field == report.receptive_field == plain.receptive_field == plain.gated_field
    x = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    y = reading(net, report)(x)
    seen = last.gated_field if isinstance(last.gated_field, tuple) else (last.gated_field,) * 2
    for axis in (0, 1):
        middle = y.shape[2 + axis] // 2
        reads = [read_by(y, x, axis, position) for position in range(middle - 1, middle + 2)]
        most = max(end - first + 1 for first, end in reads)
        assert min(most_of(seen[axis]), shape[1 + axis]) == most
    differs = last.gated_field != last.receptive_field
    assert differs
    assert (f"({sides(last.gated_field)} with its gates)" in report.document().text("text")) == differs


ROWS = Max(3, keepdim=True)


@pytest.mark.parametrize(
    ("net", "field"),
    [
        (Sequential(all=MaxPool2d(9, stride=1), out=Add("input", "all")), 9),  # over all positions, not beside each
        (Sequential(part=MaxPool2d(3), out=Cat("part", "part", dim=2)), None),
        (Sequential(part=MaxPool2d(3), out=Cat("part", "part")), 3),
        (Sequential(row=ROWS, column=Max(2, keepdim=True), out=Multiply("row", "column")), (1, 9)),
        (Sequential(row=ROWS, column=From("input", Max(2, keepdim=True)), out=Multiply("row", "column")), 9),
        (Sequential(row=ROWS, out=Multiply("input", "row")), 1),
    ],
)
def test_where_values_are_broadcast_or_stand_side_by_side(net: Node, field: Extent | None) -> None:
    report = calculate(net, (2, 9, 9))
    assert report.rows[-1].receptive_field == field
    assert totals(net, (2, 9, 9)).receptive_field == report.receptive_field


def test_what_is_made_of_one_position_sees_what_that_does() -> None:
    attention = (Mean((2, 3)), Unflatten(1, (1, -1)), Conv1d(1, 3, padding=1), Flatten(), Unflatten(1, (-1, 1, 1)))
    net = Sequential(Conv2d(4, 3), Gate(*attention), Upsample(scale_factor=1000))
    rows = calculate(net, (1, 11, 11)).rows
    assert [row.receptive_field for row in rows[1:6]] == [11] * 5
    assert sight(rows[6]) == Sight(3, 1, 0, 11)
    assert rows[-1].receptive_field is None


def test_positions_that_there_are_not_see_nothing() -> None:
    """A flattened map of 3 rows reads what these read, not what a fourth would; a map of one position has no other."""
    up = Upsample(scale_factor=2)
    for net, field in (
        (Sequential(up, ZeroPad2d((0, -1, 0, -1)), Flatten()), 2),
        (Sequential(up, Conv2d(1, 3), AdaptiveAvgPool2d(1)), 2),
        (Sequential(ConvTranspose2d(1, 3, stride=2), ZeroPad2d((-1, -3, -1, -3))), 1),
    ):
        report = calculate(net, (1, 2, 2))
        assert report.rows[-1].receptive_field == field
        assert totals(net, (1, 2, 2)).receptive_field == report.receptive_field


@given(
    st.integers(1, 300),
    st.integers(1, 60).map(float) | st.fractions(Fraction(1, 9), 9, max_denominator=9).map(float) | st.integers(1, 600),
    st.sampled_from([{"mode": "nearest"}, {"mode": "bilinear"}, {"mode": "bilinear", "align_corners": True}]),
)
def test_a_resampled_position_reads_what_torch_reads(length: int, to: float, how: dict[str, Any]) -> None:
    layer = Upsample((to, 1), **how) if isinstance(to, int) else Upsample(scale_factor=(to, 1), **how)
    try:
        (_, out, _), windows = layer.output_shape((1, length, 1)), layer.windows((1, length, 1))
    except ShapeError:
        assume(False)
    assume(out * length < 1 << 17 and windows is not None)
    phases = (
        windows[0]
        if isinstance(windows[0], Phases)
        else Phases((Span(-windows[0].padding, windows[0].kernel),), windows[0].stride)
    )
    size = {"size": layer.size} if layer.size else {"scale_factor": layer.scale_factor}
    weights = nn.functional.interpolate(torch.eye(length)[None, :, :, None], **size, **how)[0, :, :, 0]
    for position in range(out):
        start, wide = phases.at(position)
        seen = (weights[:, position] > 1e-4).nonzero()
        assert (int(seen.min()), int(seen.max())) == (max(start, 0), min(start + wide, length) - 1)


@given(st.integers(1, 24), st.integers(1, 12))
def test_adaptive_pooling_has_a_field_exactly_where_its_windows_are_alike(length: int, wanted: int) -> None:
    x = torch.ones(1, 1, length, 1, requires_grad=True)
    y = nn.AdaptiveAvgPool2d((wanted, 1))(x)
    spans = [reached(y, x, 0, position) for position in range(wanted)]
    sizes = {last - first + 1 for first, last in spans}
    steps = {after - first for (first, _), (after, _) in pairwise(spans)}
    windows = AdaptiveAvgPool2d((wanted, 1)).windows((1, length, 1))
    if len(sizes) > 1 or len(steps) > 1:
        assert windows is None
    else:
        assert windows is not None
        kernel, stride, padding = windows[0]
        assert (kernel, padding) == (*sizes, 0)
        assert stride in steps or wanted == 1


@pytest.mark.parametrize(
    ("name", "field"),
    [("vgg16", 212), ("alexnet", 195), ("resnet50", 427), ("resnet50_v1", 483)],
)
def test_famous_fields_at_the_last_map_before_the_classifier(name: str, field: int) -> None:
    report = cnnzoo.get_builder(name).report()
    assert (report.receptive_field, report.effective_stride) == (field, 32)
    assert report.last_map is not None
    # Araujo et al. (2019), equation 2, layer by layer on the longest way, from the rows' settings alone.
    stride, start = 1, 0
    for row in report.rows:
        if row.path == report.last_map.path:
            break
        if "downsample" not in row.path and "kernel_size" in row.settings:
            start += stride * row.settings["padding"]
            stride *= row.settings["stride"]
    last = report.last_map
    if not last.own and "kernel_size" in last.settings:
        start, stride = start + stride * last.settings["padding"], stride * last.settings["stride"]
    assert (report.effective_padding, report.effective_stride) == (start, stride)


@pytest.mark.parametrize("size", [(3, 16, 16), (3, 17, 12)])
def test_a_mean_over_both_sides_is_a_global_pooling_and_a_flattening(size: Shape) -> None:
    body = Conv2d(8, 3, stride=2)
    pooled = calculate(Sequential(body, AdaptiveAvgPool2d(1), Flatten(), Linear(3)), size)
    reduced = calculate(Sequential(body, Mean((2, 3)), Linear(3)), size)
    for name in ("receptive_field", "macs", "additions", "multiplications", "connections", "depth", "stored_bytes"):
        assert pooled.totals[name] == reduced.totals[name]
    assert pooled.rows[-1].receptive_field == reduced.rows[-1].receptive_field == reduced.rows[1].receptive_field
    kept = calculate(Sequential(body, Mean((2, 3), keepdim=True)), size).rows[1]
    assert kept.effective_stride == pooled.rows[1].effective_stride


def test_a_single_window_is_as_far_from_the_next_as_it_is_long() -> None:
    assert AdaptiveAvgPool2d(1).windows((8, 7, 5)) == (Window(7, 7), Window(5, 5))
    assert AdaptiveAvgPool2d((1, 5)).windows((8, 7, 5)) == (Window(7, 7), Window(1, 1))
    report = cnnzoo.get_builder("resnet18").report()
    assert (report["avgpool"].effective_stride, report["layer4"].effective_stride) == (7 * 32, 32)


BODY = {"a": Conv2d(8, 3, padding=1), "b": Conv2d(8, 3, stride=2, padding=1)}
"""A position of its output sees 3 + 2 = 5 pixels."""
POOL = AdaptiveAvgPool2d(1)
HEAD = {"flatten": Flatten(), "fc": Linear(3)}


@pytest.mark.parametrize(
    "tail",
    [
        {"pool": POOL},
        {"pool": POOL, "drop": Dropout()},
        {"pool": POOL, "same": Identity(), "norm": BatchNorm2d(), "relu": ReLU()},
        {"pool": POOL, "fc1": Conv2d(16, 1), "relu": ReLU()},
        {"pool": POOL, "block": Sequential(drop=Dropout(), deeper=Sequential(same=Identity()))},
        {"block": Sequential(pool=POOL, relu=ReLU()), "drop": Dropout()},
        {"pool": POOL, "block": Residual(fc1=Conv2d(8, 1))},
        {"pool": POOL, "block": Dense(fc1=Conv2d(8, 1))},
        {"pool": POOL, "block": Concat(Conv2d(8, 1), Sequential())},
        {"both": Concat(POOL, Sequential(POOL, Dropout()))},
        {"pool": AdaptiveAvgPool2d(4), "relu": ReLU(), "again": POOL, "drop": Dropout()},
        {"pool": AdaptiveAvgPool2d((7, 3)), "drop": Dropout()},
        {"pool": Mean((2, 3), keepdim=True), "drop": Dropout()},
        {"pool": Max((-1, -2), keepdim=True), "fc1": Conv2d(16, 1)},
        {"high": Sum(2, keepdim=True), "wide": Sum(-1, keepdim=True), "relu": ReLU()},
        {"pool": Mean((2, 3)), "drop": Dropout()},
    ],
)
def test_the_last_map_is_before_the_final_pooling_and_what_works_on_its_positions(tail: dict[str, Node]) -> None:
    net = Sequential(**BODY, **tail, **HEAD)
    report = calculate(net, (3, 16, 16))
    assert report.last_map == report["b"]
    assert report.receptive_field == totals(net, (3, 16, 16)).receptive_field == 5


@pytest.mark.parametrize(
    ("tail", "path", "field"),
    [
        ({"pool": AdaptiveAvgPool2d(4), "conv": Conv2d(8, 3, padding=1), "drop": Dropout()}, "drop", 5 + 2 + 2 * 4),
        ({"pool": MaxPool2d(8), "drop": Dropout()}, "drop", 5 + 7 * 2),
        ({"sides": Concat(AdaptiveAvgPool2d(8), Conv2d(8, 1))}, "sides", 5),
        ({"relu": ReLU(), "drop": Dropout()}, "drop", 5),
        ({"of_channels": Mean(1, keepdim=True)}, "of_channels", 5),
    ],
)
def test_what_is_behind_another_pooling_or_reads_more_is_the_last_map(tail: dict, path: str, field: int) -> None:
    net = Sequential(**BODY, **tail, **HEAD)
    report = calculate(net, (3, 16, 16))
    assert report.last_map is not None
    assert (report.last_map.path, report.last_map.receptive_field) == (path, field)
    assert totals(net, (3, 16, 16)).receptive_field == field


@given(NETWORKS)
def test_what_works_on_positions_behind_a_pooling_does_not_move_the_last_map(net: Node) -> None:
    def followed(path: str, node: Node) -> Node:
        return Sequential(node, Dropout(), Identity()) if isinstance(node, AdaptiveAvgPool2d) else node

    longer = rewrite(net, followed)
    assert calculate(longer, INPUT).receptive_field == calculate(net, INPUT).receptive_field
    assert totals(longer, INPUT).receptive_field == totals(net, INPUT).receptive_field


@pytest.mark.parametrize(
    "net",
    [
        Sequential(Concat(Conv2d(2, 3, stride=2, padding=1), Sequential(Conv2d(2, 1), AdaptiveAvgPool2d(5)))),
        Sequential(ConvTranspose2d(2, 2, stride=257)),
        Sequential(ConvTranspose2d(2, 1, stride=2), Conv2d(2, 2)),
        Sequential(ConvTranspose2d(2, 2, stride=2, dilation=3), Conv2d(2, 2)),
        Sequential(AdaptiveAvgPool2d(5)),
        Sequential(Upsample(size=257)),
        Sequential(Upsample(size=(1, 257), mode="bilinear")),
        Sequential(Upsample(scale_factor=41)),  # 41 times a 41st is less than 1 in float32
        Sequential(Upsample(scale_factor=2.1)),  # to twice the size, with which torch may begin instead
        Sequential(Conv2d(257**2, 1), PixelShuffle(257)),
        Sequential(Upsample(scale_factor=16), Upsample(scale_factor=17)),
        Sequential(Permute((0, 2, 3, 1)), Conv2d(2, 1)),
        Sequential(Permute((0, 2, 3, 1)), BatchNorm2d()),
        Sequential(Permute((0, 2, 3, 1)), Linear(2), Softmax(1), Permute((0, 3, 1, 2))),
        Sequential(Permute((0, 2, 3, 1)), LayerNorm(normalized_dims=2)),
        Sequential(Permute((0, 1, 3, 2)), Linear(2)),
        Sequential(Concat(Permute((0, 2, 3, 1)), Permute((0, 2, 3, 1)))),
        Sequential(Permute((0, 2, 3, 1)), Flatten(2)),
        Sequential(GroupNorm(2)),
        Sequential(GlobalResponseNorm()),
        Sequential(FilterResponseNormTlu2d()),
        Sequential(EvoNorm2dS0(2)),
        Sequential(InstanceNorm2d()),
        Sequential(LayerNorm()),
        Sequential(Linear(9)),
        Sequential(Softmax(2)),
        Sequential(Conv2d(2, 3), Flatten(2)),
    ],
)
def test_a_field_that_differs_from_place_to_place_is_unknown_there_and_behind_and_never_zero(net: Sequential) -> None:
    report = calculate(Sequential(net, Identity(), Sequential(ReLU())), (2, 9, 9))
    for row in (*report.rows[-2:], report.blocks[0], report.blocks[-1]):
        assert (row.receptive_field, row.effective_stride, row.effective_padding) == (None, None, None)
    assert 0 not in [row.receptive_field for row in report.rows]


def test_a_field_is_a_pair_where_height_and_width_differ_and_covers_everything_behind_a_flatten() -> None:
    report = calculate(
        Sequential(Conv2d(2, (3, 5), stride=(1, 2), padding=(0, 1)), ReLU(), Flatten(), Linear(3)), (1, 9, 9)
    )
    conv, relu, flatten, linear = report.rows
    assert (conv.receptive_field, conv.effective_stride, conv.effective_padding) == ((3, 5), (1, 2), (0, 1))
    assert relu.receptive_field == (3, 5)
    assert flatten.receptive_field == linear.receptive_field == (9, 11)  # the padding of one on either side too
    assert flatten.effective_stride is linear.effective_padding is None
    _, flatten, linear = calculate(
        Sequential(Conv2d(2, 3), Flatten(), Linear(3)), (1, 3, 3)
    ).rows  # a map of one position
    assert flatten.receptive_field == linear.receptive_field == 3
    assert flatten.effective_stride is linear.effective_padding is None


@pytest.mark.parametrize(("dim", "field"), [(1, 3), (-3, 3), (2, None), (3, None), (-1, None)])
def test_a_softmax_over_the_channels_sees_one_position_and_one_along_a_side_sees_more(
    dim: int, field: int | None
) -> None:
    assert calculate(Sequential(Conv2d(2, 3), Softmax(dim)), (1, 9, 9)).rows[1].receptive_field == field


def test_a_layer_of_a_description_runs_once() -> None:
    assert {row.call for row in cnnzoo.summary("googlenet").rows} == {1}


def test_a_valid_convolution_pads_neither_side() -> None:
    valid, none = (calculate(Conv2d(4, 3, padding=padding), (1, 9, 8)).rows[0] for padding in ("valid", 0))
    assert valid.output_shape == none.output_shape == (4, 7, 6)
    assert valid.effective_padding == none.effective_padding == 0


def test_a_linear_layer_reads_the_last_dimension() -> None:
    row = calculate(Linear(3), (5, 7)).rows[0]
    assert (row.output_shape, row.tensors["weight"], row.macs) == ((5, 3), (3, 7), 5 * 7 * 3)


# Memory at inference, against a simulation that looks at every tensor at every step


VIEWS = (Dropout, Dropout2d, Flatten, Identity, StochasticDepth, Unflatten, Unused)


def is_view(layer: Layer) -> bool:
    return isinstance(layer, VIEWS) or (isinstance(layer, Chunk | Slice) and layer.dim == 1)


class Simulation(Walker[int]):
    """Runs a description step by step on numbered tensors; knows of each step what it reads and makes."""

    def __init__(self) -> None:
        self.steps: list[tuple[set[int], int | None]] = []
        self.made = 0

    def layer(self, layer: Layer, x: int) -> int:
        return self.view(x) if is_view(layer) else self.step({x})

    def block(self, join: Join, x: int) -> int:
        return x if isinstance(join, Aux) else join.flow(x, self)

    def meeting(self, meeting: Meeting, parts: list[int], own: bool) -> int:
        return self.step({*parts})

    def view(self, x: int) -> int:
        self.steps.append(({x}, None))
        return x

    def step(self, reads: set[int]) -> int:
        self.made += 1
        self.steps.append((reads, self.made))
        return self.made

    def alive(self, now: int) -> set[int]:
        """The tensors that are there while a step runs: read by it or later, and made by it or earlier."""
        read = {tensor for reads, _ in self.steps[now:] for tensor in reads}
        made = {0} | {made for _, made in self.steps[: now + 1] if made is not None}
        own = self.steps[now][1]
        return (read & made) | ({own} if own is not None else set())


def check_liveness(net: Node, report: Report) -> None:
    simulation = Simulation()
    given = simulation.run("", net, 0)
    simulation.steps.append(({*values_of(given)}, None))  # outputs stay
    rows = [row for row in report.rows if not row.aux]
    item = ITEM_BYTES[report.dtype] * report.batch_size
    sizes = {0: item * torch.Size(report.input_size).numel()}
    for (_, made), row in zip(simulation.steps[:-1], rows, strict=True):
        if made is not None:
            sizes[made] = item * torch.Size(row.output_shape).numel()
    for now, row in enumerate(rows):
        assert row.live_bytes == sum(sizes[tensor] for tensor in simulation.alive(now))
    assert report.totals["peak_activation_bytes"] == max((row.live_bytes for row in rows), default=0)


@given(NETWORKS, st.integers(1, 3))
def test_what_is_alive_is_what_is_still_read_or_just_made(net: Node, batch: int) -> None:
    check_liveness(net, calculate(net, INPUT, batch_size=batch))


def test_every_networks_peak_memory_is_that_of_the_simulation(name: str) -> None:
    check_liveness(cnnzoo.get_builder(name).describe(), smallest_report(name))


def test_a_part_of_the_channels_holds_all_of_them() -> None:
    """In elements of maps of 2x2: 16 of the input, 48 of the convolution, of which a part is read and kept whole."""
    body = (Slice(0, 3), ReLU6(), Conv2d(1, 1))
    for net in (
        Sequential(Conv2d(12, 1), *body),
        Sequential(Sequential(Conv2d(12, 1), body[0]), Sequential(*body[1:])),
    ):
        report = calculate(net, (4, 2, 2))
        assert [row.live_bytes // 4 for row in report.rows] == [64, 48, 60, 16]
        assert [row.activation_bytes // 4 for row in report.rows] == [48, 12, 12, 4]
        assert [row.stored_bytes // 4 for row in report.rows] == [16, 0, 48, 12]
        assert totals(net, (4, 2, 2)).peak_activation_bytes == 4 * 64


@pytest.mark.parametrize(
    ("part", "reader", "kept"),
    [
        (Chunk(4, 3), ReLU6(), 0),  # the whole, which the ReLU keeps too
        (Chunk(4, 3), Linear(2), 6),
        (Chunk(4, 3), GroupNorm(1), 6 + 2),
        (Chunk(4, 3), InstanceNorm2d(), 6 + 2),
        (Chunk(1, 0), Linear(2), 0),
        (Chunk(4, 3, dim=-3), ReLU6(), 6),
    ],
)
def test_what_is_kept_of_a_part_is_the_whole_or_a_copy(part: Layer, reader: Layer, kept: int) -> None:
    net = Sequential(ReLU(), part, Sequential(reader))
    assert calculate(net, (4, 2, 3), batch_size=2).totals["stored_bytes"] == 2 * 4 * (24 + kept)
    check_stored(net, (4, 2, 3), "cpu")
    check_stored(net, (4, 2, 3), "cpu", batch=1)  # whose part is contiguous, and not copied


def test_peak_memory_by_hand() -> None:
    block = Residual(conv=Conv2d(4, 1), relu=ReLU(), downsample=Sequential(Conv2d(4, 1)))
    report = calculate(Sequential(MaxPool2d(2), block, Flatten(), Linear(2)), (4, 4, 4))
    # In floats: 64 of input; 16 a map behind the pooling; the block's input waits for its shortcut.
    assert [row.live_bytes // 4 for row in report.rows] == [64 + 16, 32, 48, 48, 48, 16, 18]
    assert report.totals["peak_bytes"] == 4 * 80 + report.totals["param_bytes"] + report.totals["buffer_bytes"]


# Memory in training, against what autograd saves


def check_stored(net: Node, size: Shape, device: str, dtype: str = "float32", batch: int = 2) -> None:
    """Of a batch of two: of one sample, a batch norm takes no statistics where there is one position. Buffers, which
    are none of it, are those of the report."""
    kind = getattr(torch, dtype)
    module = build(net, size, init=None, device=device, dtype=kind).train()
    x = torch.ones(batch, *size, device=device, dtype=kind, requires_grad=True)
    report = calculate(net, size, batch_size=batch, dtype=dtype)
    assert report.totals["stored_bytes"] == saved_bytes(module, x)
    buffers = report.totals["buffers"] + report.totals["aux_buffers"]
    assert buffers == sum(one.numel() for one in module.buffers())


@given(strategies.networks(INPUT, heads=1, steps=True), st.sampled_from(["cpu", "meta"]))
@example(Sequential(n0=Residual(Sequential())), "cpu")
@example(Sequential(ReLU(), Flatten(), Linear(3)), "cpu")
@example(Sequential(Dropout(0.0)), "cpu")
@example(Sequential(Dropout(1.0)), "cpu")
def test_stored_activations_are_what_autograd_saves(net: Node, device: str) -> None:
    check_stored(net, INPUT, device)


@given(strategies.LAYERS, st.sampled_from([INPUT, (4, 5, 1), (4, 9)]), st.sampled_from(["float32", "float64"]))
@example(TableConv2d(((0, 2), (3,), (1, 2, 3)), 2), INPUT, "float32")
@example(BatchNorm2d(affine=False, track_running_stats=False), INPUT, "bfloat16")
@example(Conv2d(2, (1, 2), padding="same"), (4, 5, 1), "float32")
@example(Conv1d(2, 2, padding="same"), (4, 9), "float32")
@example(StdConv2d(2, 2, padding="same"), INPUT, "bfloat16")
@example(ScaledStdConv2d(2, 3, groups=2), INPUT, "float32")
@example(BlurPool2d(pad_mode="constant"), INPUT, "float64")
@example(AdaptiveAvgPool2d(1), INPUT, "float32")
@example(AdaptiveAvgPool2d((1, 2)), INPUT, "float32")
@example(Conv2d(2, (2, 1), padding="same"), INPUT, "float32")
def test_every_layers_stored_activations_are_what_autograd_saves(layer: Layer, size: Shape, dtype: str) -> None:
    try:
        layer.output_shape(size)
    except ShapeError:
        return
    check_stored(Sequential(layer), size, "cpu", dtype)


@pytest.mark.wide
def test_every_networks_stored_activations_are_what_autograd_saves(name: str) -> None:
    description = cnnzoo.get_builder(name).describe()
    # torch's shuffle of one group is a copy, but on meta
    device = "cpu" if ChannelShuffle(1) in {node for _, node in walk(description)} else "meta"
    check_stored(description, smallest_report(name).input_size, device)


def test_what_batch_norms_keep_of_two_networks() -> None:
    """A mean and an inverse standard deviation of each map, in float32."""
    for name, kept in {"resnet50_v1": 212_480, "densenet264": 1_594_112}.items():
        report = cnnzoo.get_builder(name).report()
        maps = [row.output_shape[0] for row in report.rows if row.kind == "BatchNorm2d"]
        assert 2 * 4 * sum(maps) == kept
        norms = [row.stored_bytes for row in report.rows if row.kind == "BatchNorm2d"]
        assert all(stored is not None and stored >= 8 * one for stored, one in zip(norms, maps, strict=True))


# Other work, by hand


@pytest.mark.parametrize(
    ("layer", "shape", "work"),
    [
        # 2 x 3 x 3 outputs, one bias each.
        (Conv2d(2, 2), (3, 4, 4), Work(additions=18)),
        (Conv2d(2, 2, bias=False), (3, 4, 4), Work()),
        (Conv1d(2, 3, padding=1), (1, 5), Work(additions=10)),
        # Of each 9 weights: two sums of 8 additions, eps, and 9 differences; 2 means, 9 squares, 9 quotients.
        (StdConv2d(2, 3), (1, 3, 3), Work(additions=2 * 26, multiplications=2 * 20, exponentials=2)),
        # And 9 products with a gain that is scaled before; 2 x 9 biases.
        (ScaledStdConv2d(2, 3), (1, 3, 3), Work(additions=70, multiplications=2 * 30, exponentials=2)),
        (BlurPool2d(), (2, 6, 6), Work()),
        (ConvTranspose2d(2, 2), (3, 4, 4), Work(additions=2 * 25)),
        (Linear(5), (7,), Work(additions=5)),
        (Linear(5, bias=False), (7,), Work()),
        (BatchNorm2d(), (2, 3, 3), Work(additions=18, multiplications=18)),
        (BatchNorm1d(), (2, 3), Work(additions=6, multiplications=6)),
        # The largest of 9 takes 8 comparisons, for 4 outputs a map.
        (MaxPool2d(3, 2), (2, 5, 5), Work(comparisons=2 * 4 * 8)),
        # A sum of 4 takes 3 additions and a division.
        (AvgPool2d(2), (2, 4, 4), Work(additions=2 * 4 * 3, multiplications=8)),
        # The global mean of 12: 11 additions and a division a map.
        (AdaptiveAvgPool2d(1), (2, 3, 4), Work(additions=22, multiplications=2)),
        # Windows of a side of 5 shared by 2: 0-3 and 2-5, so 3 and 3.
        (AdaptiveAvgPool2d((2, 1)), (1, 5, 1), Work(additions=4, multiplications=2)),
        # 18 in 2 groups: two sums of 9 take 16 additions each group, and eps one; difference and bias.
        (GroupNorm(2), (2, 3, 3), Work(additions=34 + 36, multiplications=4 + 54, exponentials=2)),
        (InstanceNorm2d(), (2, 3, 3), Work(additions=34 + 18, multiplications=4 + 36, exponentials=2)),
        (InstanceNorm2d(track_running_stats=True), (2, 3, 3), Work(additions=18, multiplications=18)),
        # 4 in one group: two sums take 3 additions each, and eps one.
        (LayerNorm(), (4,), Work(additions=7 + 8, multiplications=2 + 12, exponentials=1)),
        (LayerNorm(bias=False), (4,), Work(additions=7 + 4, multiplications=2 + 12, exponentials=1)),
        (LayerNorm2d(), (4, 2, 1), Work(additions=14 + 16, multiplications=4 + 24, exponentials=2)),
        (Scale(1e-6, (-1,)), (2, 3, 3), Work(multiplications=18)),
        (Shift(0.0), (2, 3, 3), Work(additions=18)),
        (StochasticDepth(0.5, "row"), (5,), Work()),
        (ReLU(), (2, 3, 3), Work(comparisons=18)),
        (Sigmoid(), (2, 3, 3), Work(exponentials=18)),
        (Tanh(), (5,), Work(exponentials=5)),
        (ReLU6(), (2, 3, 3), Work(comparisons=36)),
        (Hardtanh(), (5,), Work(comparisons=10)),
        (Hardsigmoid(), (5,), Work(comparisons=10, additions=5, multiplications=5)),
        (Hardswish(), (5,), Work(comparisons=10, additions=5, multiplications=10)),
        (LeakyReLU(), (5,), Work(comparisons=5, multiplications=5)),
        (PReLU(), (5,), Work(comparisons=5, multiplications=5)),
        (ELU(), (5,), Work(comparisons=5, additions=5, multiplications=5, exponentials=5)),
        (SiLU(), (5,), Work(multiplications=5, exponentials=5)),
        # exp, log and tanh; 1 + exp(x); times x.
        (Mish(), (5,), Work(additions=5, multiplications=5, exponentials=15)),
        # x / sqrt(2), x / 2, and their product with 1 + erf.
        (GELU(), (5,), Work(additions=5, multiplications=15, exponentials=5)),
        # The cube takes two, times 0.044715, times sqrt(2 / pi), x / 2, and the product.
        (GELU("tanh"), (5,), Work(additions=10, multiplications=30, exponentials=5)),
        # 4 exponentials, 3 additions to their sum, 4 divisions.
        (Softmax(), (4,), Work(additions=3, multiplications=4, exponentials=4)),
        # Over 2 channels, at each of 6 positions: one addition.
        (Softmax(1), (2, 3, 2), Work(additions=6, multiplications=12, exponentials=12)),
        (Softmax(-1), (2, 3, 2), Work(additions=6, multiplications=12, exponentials=12)),
        # For each of 8 elements: 5 - 1 additions of squares and one of k; square, scale, divide; one power.
        (LocalResponseNorm(5), (8, 1, 1), Work(additions=40, multiplications=24, exponentials=8)),
        (ScaledTanh(), (5,), Work(multiplications=10, exponentials=5)),
        # The largest of 12: 11 comparisons a map.
        (AdaptiveMaxPool2d(1), (2, 3, 4), Work(comparisons=22)),
        (Max((2, 3)), (2, 3, 4), Work(comparisons=22)),
        (Mean((3, 2), keepdim=True), (2, 3, 4), Work(additions=22, multiplications=2)),
        (Sum(1), (2, 3, 4), Work(additions=12)),
        # 2 x 6 x 8 outputs, of four products each.
        (Upsample(scale_factor=2, mode="bilinear"), (2, 3, 4), Work(additions=288, multiplications=384)),
        *((one, (4, 4, 6), Work()) for one in (Upsample(9), ZeroPad2d((1, -1, 0, 2)), Permute((0, 2, 1, 3)))),
        *((one, (4, 4, 6), Work()) for one in (ConstantPad2d(1, 0.5), ReflectionPad2d(1), SamePad2d(3, 2))),
        *((one, (4, 4, 6), Work()) for one in (PixelShuffle(2), PixelUnshuffle(2), ChannelShuffle(2))),
        (Unflatten(1, (5, 1)), (5,), Work()),
        *((one, (4, 4, 6), Work()) for one in (Chunk(3, 1), Slice(-2, None, 3))),
        (Dropout(), (5,), Work()),
        (Flatten(), (5, 2, 2), Work()),
        (Identity(), (5,), Work()),
        (PadChannels(9), (5, 2, 2), Work()),
    ],
)
def test_other_work_by_hand(layer: Layer, shape: Shape, work: Work) -> None:
    assert layer.work(shape) == work
    (row,) = calculate(layer, shape).rows
    assert (row.comparisons, row.additions, row.multiplications, row.exponentials) == work


@pytest.mark.parametrize(
    ("layer", "role"),
    [
        *(
            (one, "other")
            for one in (PReLU(4), BatchNorm2d(), GroupNorm(2), LayerNorm(normalized_dims=3), Scale(1, (-1,)))
        ),
        *((one, "other") for one in (Upsample(9), PixelShuffle(2), Permute((0, 2, 3, 1)), ZeroPad2d(1))),
        *((one, "other") for one in (ReplicationPad2d(1), SamePad2d(3, 2))),
        *((one, "pooling") for one in (MaxPool2d(2), AdaptiveAvgPool2d(1), AdaptiveMaxPool2d(1), Mean((2, 3)), Max(1))),
        *((one, "convolution") for one in (Conv2d(1, 1), StdConv2d(1, 3), BlurPool2d())),
        (Linear(1), "linear"),
    ],
)
def test_what_a_layer_is_for(layer: Layer, role: str) -> None:
    (row,) = calculate(layer, (4, 6, 6)).rows
    assert row.role == role


def test_a_residual_addition_is_work_and_a_concatenation_is_none() -> None:
    report = calculate(Sequential(a=Residual(ReLU()), b=Concat(ReLU(), ReLU()), c=Dense(ReLU())), (2, 3, 3))
    joins = {row.path: row for row in report.rows if row.own}
    assert [(path, row.kind, row.additions, row.macs) for path, row in joins.items()] == [
        ("a", "add", 18, 0),
        ("b", "cat", 0, 0),
        ("c", "cat", 0, 0),
    ]
    assert [row.output_shape for row in joins.values()] == [(2, 3, 3), (4, 3, 3), (8, 3, 3)]


def test_lenets_connections_are_those_of_the_paper() -> None:
    """LeCun et al. (1998), section II.B prints them layer by layer; C5 and F6 follow from their fan-in."""
    report = cnnzoo.get_builder("lenet5").report()
    printed = {"c1": 122_304, "s2": 5_880, "c3": 151_600, "s4": 2_000, "c5": 48_120}
    assert {path: report[path].connections for path in printed} == printed
    assert report["f6"].connections == 84 * (120 + 1) == 10_164
    assert report["output"].connections == 10 * 84
    assert report.totals["connections"] == sum(printed.values()) + 10_164 + 840 == 340_908


def test_a_tensor_beyond_all_measure_is_refused_where_shapes_are_not() -> None:
    many = 1 << 32
    assert calculate(Conv2d(1, 1), (many, 1, 1)).total_params == many + 1
    with pytest.raises(ShapeError, match="Conv2d: a weight"):
        calculate(Conv2d(many, 1), (many, 1, 1))
