"""Random settings of every layer, sound and unsound, and random descriptions that fit an input size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

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
    Divide,
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
    Inline,
    InstanceNorm2d,
    L2Norm,
    LayerNorm,
    LayerNorm2d,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    Max,
    MaxPool2d,
    Mean,
    Mish,
    ModuleList,
    Multiply,
    Outputs,
    PadChannels,
    PadLike,
    Permute,
    PixelShuffle,
    PixelUnshuffle,
    Pow,
    PReLU,
    ReflectionPad2d,
    ReLU,
    ReLU6,
    ReplicationPad2d,
    Residual,
    RMSNorm,
    Run,
    SamePad2d,
    Scale,
    ScaledStdConv2d,
    ScaledTanh,
    Sequential,
    ShapeError,
    Shift,
    Shortcut,
    Sigmoid,
    SiLU,
    Slice,
    Softmax,
    SpatialPyramidPool,
    Square,
    StdConv2d,
    StochasticDepth,
    Subsampling2d,
    Subtract,
    Sum,
    TableConv2d,
    Tanh,
    Unflatten,
    Unused,
    Upsample,
    UpsampleLike,
    Var,
    ZeroPad2d,
    walk,
)
from cnnzoo.arch.node import Layer, Node, pair
from cnnzoo.calculate import calculate

Shape = tuple[int, ...]


def int_or_pair(low: int, high: int) -> st.SearchStrategy:
    one = st.integers(low, high)
    return one | st.tuples(one, one)


def maps(channels: int = 6, side: int = 12) -> st.SearchStrategy[Shape]:
    return st.tuples(st.integers(1, channels), st.integers(1, side), st.integers(1, side))


def shapes(least_rank: int = 1, most_rank: int = 4) -> st.SearchStrategy[Shape]:
    return st.lists(st.integers(1, 5), min_size=least_rank, max_size=most_rank).map(tuple)


@st.composite
def spoiled(draw, sound: st.SearchStrategy[dict], **unsound: st.SearchStrategy) -> dict:
    """Sound settings, one time in five with one of them replaced by an unsound value."""
    given = dict(draw(sound))
    if not draw(st.integers(0, 4)):
        name = draw(st.sampled_from(sorted(unsound)))
        given[name] = draw(unsound[name])
    return given


def below(least: int) -> st.SearchStrategy:
    """Whole numbers that are too small, alone and in a pair, and what is no whole number."""
    small = st.integers(least - 2, least - 1)
    return small | st.tuples(st.just(least), small) | st.sampled_from([1.5, "wide", (least, 2, 2)])


counts = st.integers(1, 6)


def single(low: int, high: int) -> st.SearchStrategy:
    one = st.integers(low, high)
    return one | st.tuples(one)


def convolutions(lengths: Callable[[int, int], st.SearchStrategy]) -> st.SearchStrategy[dict[str, Any]]:
    """Settings of a convolution with such lengths along its axes."""
    return spoiled(
        st.fixed_dictionaries(
            {"out_channels": counts, "kernel_size": lengths(1, 4)},
            optional={
                "stride": lengths(1, 4),
                "padding": lengths(0, 3) | st.sampled_from(["same", "valid"]),
                "dilation": lengths(1, 4),
                "groups": st.integers(1, 3),
                "bias": st.booleans(),
            },
        ),
        out_channels=st.integers(-1, 0),
        kernel_size=below(1),
        stride=below(1),
        padding=below(0) | st.just("full"),
        dilation=below(1),
        groups=st.integers(-1, 0),
    )


CONV = convolutions(int_or_pair)
CONV_1D = convolutions(single)
CONV_TRANSPOSE = spoiled(
    st.fixed_dictionaries(
        {"out_channels": counts, "kernel_size": int_or_pair(1, 4)},
        optional={
            "stride": int_or_pair(1, 4),
            "padding": int_or_pair(0, 4),
            "output_padding": int_or_pair(0, 2),
            "groups": st.integers(1, 3),
            "bias": st.booleans(),
            "dilation": int_or_pair(1, 3),
        },
    ),
    out_channels=st.integers(-1, 0),
    kernel_size=below(1),
    stride=below(1),
    padding=below(0) | st.just("same"),
    output_padding=below(0),
    groups=st.integers(-1, 0),
    dilation=below(1),
)
LINEAR = spoiled(
    st.fixed_dictionaries({"out_features": counts}, optional={"bias": st.booleans()}),
    out_features=st.sampled_from([-1, 1.5]),
)
BATCH_NORM = spoiled(
    st.fixed_dictionaries(
        {},
        optional={
            "eps": st.floats(1e-9, 1),
            "momentum": st.floats(-1, 2) | st.none(),
            "affine": st.booleans(),
            "track_running_stats": st.booleans(),
        },
    ),
    eps=st.floats(-1, 0),
)
GROUP_NORM = spoiled(
    st.fixed_dictionaries(
        {"num_groups": st.integers(1, 3)},
        optional={"eps": st.floats(1e-9, 1), "affine": st.booleans(), "bias": st.booleans()},
    ),
    num_groups=st.integers(-1, 0) | st.just(1.5),
)
LAYER_NORM = spoiled(
    st.fixed_dictionaries(
        {"normalized_dims": st.integers(1, 3)},
        optional={"eps": st.floats(1e-9, 1), "elementwise_affine": st.booleans(), "bias": st.booleans()},
    ),
    normalized_dims=st.integers(4, 9),
)
RMS_NORM = spoiled(
    st.fixed_dictionaries(
        {"normalized_dims": st.integers(1, 3)},
        optional={"eps": st.none() | st.floats(1e-9, 1), "elementwise_affine": st.booleans()},
    ),
    normalized_dims=st.integers(4, 9),
)
LRN = spoiled(
    st.fixed_dictionaries(
        {"size": st.integers(1, 9)},
        optional={"alpha": st.floats(0, 1), "beta": st.floats(-1, 1), "k": st.floats(0.5, 2)},
    ),
    size=st.integers(-2, 0) | st.just(1.5),
)
MAX_POOL = spoiled(
    st.fixed_dictionaries(
        {"kernel_size": int_or_pair(1, 5)},
        optional={
            "stride": int_or_pair(1, 5) | st.none(),
            "padding": int_or_pair(0, 2),
            "dilation": int_or_pair(1, 3),
            "ceil_mode": st.booleans(),
        },
    ),
    kernel_size=below(1),
    stride=below(1),
    padding=below(0) | st.just("same"),
    dilation=below(1),
)
AVG_POOL = spoiled(
    st.fixed_dictionaries(
        {"kernel_size": int_or_pair(1, 5)},
        optional={
            "stride": int_or_pair(1, 5) | st.none(),
            "padding": int_or_pair(0, 2),
            "ceil_mode": st.booleans(),
            "count_include_pad": st.booleans(),
        },
    ),
    kernel_size=below(1),
    stride=below(1),
    padding=below(0) | st.just("same"),
)
side = st.integers(1, 9) | st.none()
ADAPTIVE_POOL = spoiled(
    st.fixed_dictionaries({"output_size": st.integers(1, 9) | st.tuples(side, side)}),
    output_size=st.integers(-3, -1) | st.sampled_from([None, 1.5, (2, -1), (1, 2, 3)]),
)
number = st.floats(-9, 9)
shift = st.integers(-4, 4)
sides = shift | st.tuples(shift, shift, shift, shift)
no_sides = st.sampled_from([1.5, (1, 2, 3), (1, 2, 3, "wide")])
PAD = spoiled(st.fixed_dictionaries({"padding": sides}), padding=no_sides)
fill = st.floats(-9, 9) | st.sampled_from([0, float("-inf"), float("inf")])
CONSTANT_PAD = spoiled(
    st.fixed_dictionaries({"padding": sides, "value": fill}), padding=no_sides, value=st.just("wide")
)
factor = st.floats(0.1, 4) | st.sampled_from([1.0, 2.0, 3])
MODE = st.sampled_from(["nearest", "bilinear", "bicubic"])
UPSAMPLE = spoiled(
    st.one_of(
        st.fixed_dictionaries({name: amount}, optional={"mode": st.just("nearest")})
        | st.fixed_dictionaries(
            {name: amount, "mode": st.sampled_from(["bilinear", "bicubic"])},
            optional={"align_corners": st.none() | st.booleans()},
        )
        for name, amount in (("size", int_or_pair(1, 9)), ("scale_factor", factor | st.tuples(factor, factor)))
    ),
    size=st.integers(-2, 0) | st.just((2, 2, 2)),
    scale_factor=st.sampled_from([0.0, -1.0, (1.0, 2.0, 3.0)]),
    mode=st.just("cubic"),
)
PIXEL_SHUFFLE = spoiled(
    st.fixed_dictionaries({"upscale_factor": st.integers(1, 3)}), upscale_factor=st.integers(-2, 0) | st.just(1.5)
)
PIXEL_UNSHUFFLE = spoiled(
    st.fixed_dictionaries({"downscale_factor": st.integers(1, 3)}), downscale_factor=st.integers(-2, 0) | st.just(1.5)
)
CHANNEL_SHUFFLE = spoiled(
    st.fixed_dictionaries({"groups": st.integers(1, 3)}), groups=st.integers(-2, 0) | st.just(1.5)
)
length = st.integers(1, 3) | st.just(-1)
leaving = st.sampled_from([(-1,), (-1, 1), (1, -1), (1, 1, -1)])
UNFLATTEN = spoiled(
    st.fixed_dictionaries(
        {
            "dim": st.integers(-5, 5),
            "unflattened_size": leaving | st.lists(length, min_size=1, max_size=3).map(tuple),
        }
    ),
    unflattened_size=st.sampled_from([(), (2, 0), (-1, -1), (1.5,), "ab", (-2, 3)]),
)
SOFTMAX = st.fixed_dictionaries({"dim": st.integers(-6, 6)})
DROPOUT = spoiled(
    st.fixed_dictionaries({}, optional={"p": st.floats(0, 1)}),
    p=st.floats(-2, -0.01) | st.floats(1.01, 2),
)
FLATTEN = st.fixed_dictionaries({}, optional={"start_dim": st.integers(-6, 5), "end_dim": st.integers(-6, 5)})
NOTHING = st.just({})
HARDTANH = st.fixed_dictionaries({}, optional={"min_val": number, "max_val": number})
LEAKY = spoiled(
    st.fixed_dictionaries({}, optional={"negative_slope": number}), negative_slope=st.sampled_from(["steep", None])
)
PRELU = spoiled(
    st.fixed_dictionaries({}, optional={"num_parameters": counts, "init": number}),
    num_parameters=st.integers(-1, 0),
)
ELU_SETTINGS = st.fixed_dictionaries({}, optional={"alpha": number})
GELU_SETTINGS = st.fixed_dictionaries({}, optional={"approximate": st.sampled_from(["none", "tanh", "erf"])})


# Layers that are sound in themselves; whether one fits an input is another matter.

ALONG_ONE = st.builds(
    Conv1d,
    st.sampled_from([1, 2, 4]),
    st.integers(1, 4),
    padding=st.sampled_from([0, 1, "same"]),
    dilation=st.integers(1, 2),
    bias=st.booleans(),
)
STANDARDISED = {
    "out_channels": st.sampled_from([2, 4]),
    "kernel_size": int_or_pair(1, 3),
    "stride": int_or_pair(1, 2),
    "padding": st.sampled_from([None, 0, (1, 0)]),
    "dilation": st.integers(1, 2),
    "groups": st.integers(1, 2),
    "bias": st.booleans(),
}
SMALL_CONVS = (
    st.builds(
        Conv2d,
        st.sampled_from([1, 2, 4, 6]),
        int_or_pair(1, 3),
        stride=int_or_pair(1, 2),
        padding=int_or_pair(0, 1),
        dilation=st.integers(1, 2),
        bias=st.booleans(),
    ),
    st.builds(Conv2d, st.sampled_from([2, 4]), st.integers(1, 4), padding=st.just("same"), groups=st.integers(1, 2)),
    st.builds(
        ConvTranspose2d,
        st.integers(1, 4),
        st.integers(1, 3),
        stride=st.integers(1, 2),
        padding=st.integers(0, 1),
        bias=st.booleans(),
    ),
    st.builds(TableConv2d, st.sampled_from([((0,), (0,)), ((0, 1), (1,), (0,))]), st.integers(1, 3)),
    ALONG_ONE,
    st.builds(StdConv2d, **STANDARDISED),
    st.builds(ScaledStdConv2d, **STANDARDISED, gamma=st.sampled_from([1.0, 1.7])),
)
SMALL_POOLS = (
    st.builds(
        BlurPool2d,
        filt_size=st.integers(2, 4),
        stride=st.integers(1, 3),
        pad_mode=st.sampled_from(["reflect", "replicate", "constant"]),
        shared=st.booleans(),
    ),
    st.builds(
        MaxPool2d,
        int_or_pair(2, 3),
        st.none() | st.integers(1, 2),
        padding=st.integers(0, 1),
        dilation=st.integers(1, 2),
        ceil_mode=st.booleans(),
    ),
    st.builds(AvgPool2d, int_or_pair(2, 3), st.none() | st.integers(1, 2), ceil_mode=st.booleans()),
    st.builds(AdaptiveAvgPool2d, st.sampled_from([1, 2, 3, (1, 2), (None, 2), (None, None)])),
    st.builds(AdaptiveMaxPool2d, st.sampled_from([1, 2, 3, (1, 2), (None, 2), (None, None)])),
    st.builds(Subsampling2d, int_or_pair(1, 2)),
    st.builds(SpatialPyramidPool, st.sampled_from([(2, 1), (1,), (3, 2, 2)])),
    *(
        st.builds(kind, st.sampled_from([1, 2, -1, (3, 2), (1, -1)]), keepdim=st.just(True))
        for kind in (Mean, Sum, Max, Var)
    ),
    st.builds(Mean, st.sampled_from([1, (2, 3)])),
)
NORMS = (
    st.builds(BatchNorm1d, affine=st.booleans(), track_running_stats=st.booleans()),
    st.builds(BatchNorm2d, affine=st.booleans(), track_running_stats=st.booleans()),
    st.builds(GroupNorm, st.integers(1, 3), affine=st.booleans(), bias=st.booleans()),
    st.builds(InstanceNorm2d, affine=st.booleans(), track_running_stats=st.booleans()),
    st.builds(LayerNorm, elementwise_affine=st.booleans(), bias=st.booleans(), normalized_dims=st.integers(1, 3)),
    st.builds(RMSNorm, elementwise_affine=st.booleans(), normalized_dims=st.integers(1, 3)),
    st.builds(LayerNorm2d, elementwise_affine=st.booleans(), bias=st.booleans()),
    st.builds(Scale, number, st.sampled_from([None, (), (1,), (-1,), (-1, 1, 1), (1, -1, 1, 1), (1, -1), (-1, 1, -1)])),
    st.builds(Shift, number, st.sampled_from([None, (), (-1,), (1, 1, -1)]), channels_last=st.booleans()),
    st.builds(L2Norm, st.sampled_from([1.0, 20.0]), affine=st.booleans(), dim=st.sampled_from([1, 2, -1])),
    st.builds(GlobalResponseNorm, channels_last=st.booleans()),
    st.builds(FilterResponseNormTlu2d, apply_act=st.booleans()),
    st.builds(EvoNorm2dS0, st.integers(1, 3)),
    st.builds(LocalResponseNorm, st.integers(1, 5), beta=st.sampled_from([0.5, 0.75])),
)
BENDS = (ReLU, ReLU6, Hardtanh, Hardsigmoid, Hardswish, LeakyReLU, ELU, SiLU, Mish, GELU)
ACTIVATIONS = (
    *map(st.just, [*(kind() for kind in BENDS), Sigmoid(), Tanh(), ScaledTanh(), Softmax(), Softmax(-1)]),
    st.builds(PReLU, st.sampled_from([1, 2, 4])),
    st.builds(LeakyReLU, st.sampled_from([-0.5, 0.2])),
    st.builds(ELU, st.sampled_from([-0.5, 0.2])),
    st.just(Hardtanh(0.0, 4.0)),
    st.just(Square()),
    st.just(Pow(3)),
    st.just(GELU("tanh")),
)
some = st.integers(-2, 2) | st.tuples(*[st.integers(-2, 2)] * 4)
FILLING = (
    st.builds(ZeroPad2d, some),
    st.builds(ConstantPad2d, some, st.sampled_from([0.5, "-inf"])),
    st.builds(SamePad2d, int_or_pair(1, 4), int_or_pair(1, 3)),
)
PADS = st.sampled_from([*FILLING, st.builds(ReplicationPad2d, some), st.builds(ReflectionPad2d, some)])
HANDED_ON = (
    st.builds(Dropout, st.sampled_from([0.0, 0.5, 1.0])),
    st.builds(Dropout2d, st.sampled_from([0.0, 0.5, 1.0])),
    st.builds(StochasticDepth, st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from(["batch", "row"])),
    st.just(Identity()),
    st.just(Unused({"bn.weight": (3,)}, {"bn.count": (), "bn.mask": (2, 2)}, ("bn.mask",))),
    st.builds(Flatten, st.integers(1, 2)),
    st.builds(PadChannels, st.integers(2, 6), before=st.integers(0, 2)),
    PADS.flatmap(lambda pads: pads),
    st.builds(Upsample, int_or_pair(1, 8), mode=MODE),
    st.builds(
        Upsample,
        scale_factor=st.sampled_from([2, 1.5, (1, 2)]),
        mode=MODE,
    ),
    st.just(PixelShuffle(2)),
    st.just(PixelUnshuffle(2)),
    st.just(ChannelShuffle(2)),
    st.just(Permute((0, 1, 3, 2))),
    st.just(Permute((0, 2, 3, 1))),
    st.just(Unflatten(1, (-1, 1, 1))),
    st.just(Unflatten(1, (2, -1))),
    st.builds(Chunk, st.just(2), st.integers(0, 1), st.sampled_from([1, 1, 2, -1])),
    st.builds(Slice, st.integers(-2, 1), st.sampled_from([None, 2, -1]), st.sampled_from([1, 1, 3, -3])),
)
LAYERS = st.one_of(
    *SMALL_CONVS,
    *SMALL_POOLS,
    *NORMS,
    *ACTIVATIONS,
    *HANDED_ON,
    st.builds(Linear, st.integers(1, 4), bias=st.booleans()),
)
RBFS = st.builds(RBF, st.integers(1, 4))

# Descriptions as values: any layers, under any names that may be.

NAMES = st.sampled_from(["00", "0", "1", "2", "3", "conv1", "relu", "class", "a-b", "größe", "layer 1", "**", "_conv"])


@st.composite
def descriptions(draw, depth: int = 2, outermost: bool = True) -> Node:
    if not depth or draw(st.integers(0, 3)) == 0:
        return draw(LAYERS | RBFS | st.just(Sequential()))
    kind = draw(st.sampled_from([Sequential, Concat, Residual, Dense, Aux]))
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    if draw(st.booleans()):
        names = list(map(str, range(len(names))))
    children: dict[str, Node | None] = {name: draw(descriptions(depth - 1, False).filter(_no_head)) for name in names}
    if kind is Residual:
        shortcut = {"downsample": draw(st.none() | descriptions(depth - 1, False).filter(_no_head))}
        at = draw(st.integers(0, len(names)))
        children = {**dict(list(children.items())[:at]), **shortcut, **dict(list(children.items())[at:])}
        if draw(st.booleans()):
            children = {**children, "downsample": None, names[0]: Shortcut(children[names[0]])}
    if kind is Sequential and outermost and draw(st.booleans()):
        children["aux"] = Aux(names[0], draw(LAYERS))
    return Aux("conv1", **children) if kind is Aux else kind(**children)


def _no_head(node: Node) -> bool:
    return not isinstance(node, Aux)


# Descriptions as networks: whatever comes, it fits.

Layers = st.SearchStrategy[Layer]


@st.composite
def networks(
    draw,
    shape: Shape,
    layers: Layers = LAYERS,
    inside: Layers = LAYERS,
    depth: int = 2,
    heads: bool = True,
    features: bool = True,
    steps: bool = False,
) -> Node:
    """A description that takes maps of `shape`: layers, nested joins, and perhaps features.

    `inside` are the layers within joins; `heads` is whether auxiliary heads may hang on it;
    without `features` it ends in maps; `steps` is whether blocks may have steps.
    """
    children, out = draw(_chain(shape, layers, inside, depth, heads, steps, inlines=steps))
    if features and draw(st.booleans()):
        branches = draw(st.integers(0, 2))
        end = draw(st.sampled_from([Flatten(), Flatten(), Mean((2, 3)), Sum((-1, -2)), Max((2, -1))]))
        flat = {"features": end if not branches else Concat(*[end] * branches)}
        width = max(branches, 1) * end.output_shape(out)[0]
        if draw(st.integers(0, 2)) == 0:  # as efficient channel attention reads them: the channels are a sequence
            flat["fold"] = Unflatten(1, (1, -1))
            tail, _ = draw(_chain((1, width), layers | ALONG_ONE, inside, 0, heads))
        else:
            tail, _ = draw(_chain((width,), layers | RBFS, inside, 0, heads))
        children |= flat | {f"tail_{name}": child for name, child in tail.items() if not isinstance(child, Aux)}
    return Sequential(**children)


Chain = tuple[dict[str, Node], Shape]


@st.composite
def _chain(
    draw,
    shape: Shape,
    layers: Layers,
    inside: Layers,
    depth: int,
    heads: bool = False,
    steps: bool = False,
    inlines: bool = False,
) -> Chain:
    """Children one after the other, by name, and the shape behind them; maps stay maps. `inlines` is whether they may
    be joins without a path of their own."""
    children: dict[str, Node] = {}
    for number in range(draw(st.integers(1, 4))):
        name = f"n{number}"
        if depth and draw(st.integers(0, 2)) == 0:
            inline = inlines and len(shape) == 3 and draw(st.booleans())
            join = _inlined(name, shape, inside, depth - 1) if inline else _join(shape, inside, depth - 1, steps)
            children[name], shape = draw(join)
        else:
            layer = draw(layers)
            try:
                out = layer.output_shape(shape)
            except ShapeError:
                continue
            if len(out) != 3 == len(shape) or _beside_its_map(layer, shape) or _handed_on_by_meta(layer, shape):
                continue
            children[name], shape = layer, out
        if heads and draw(st.integers(0, 9)) == 0:
            children[f"aux{number}"] = Aux(name, **draw(_chain(shape, layers, inside, 0))[0], end=Flatten())
    return children, shape


def _beside_its_map(layer: Layer, shape: Shape) -> bool:
    """Whether the windows of a max-pooling may fall on padding alone, at both sides of the map.

    torch takes `max_pool2d(torch.zeros(1, 1, 1, 1), 2, padding=1, dilation=2)`, but says that the largest, -inf, is at
    index 2 of a map of one: its backward then writes outside of the gradient, which may abort the process.
    """
    return isinstance(layer, MaxPool2d) and max(pair(layer.dilation)) > min(shape[1:])


def _handed_on_by_meta(layer: Layer, shape: Shape) -> bool:
    """Whether a shuffle changes nothing: on meta, unlike elsewhere, torch then makes no new tensor."""
    return isinstance(layer, ChannelShuffle) and layer.groups in (1, shape[0])


@st.composite
def _join(draw, shape: Shape, layers: Layers, depth: int, steps: bool = False) -> tuple[Node, Shape]:
    kind = draw(st.sampled_from([Sequential, Concat, Residual, Dense, Difference, Collect, *[Gate, From] * steps]))
    if kind is From:
        return draw(_stepped(shape, layers, depth))
    if kind is Concat:
        branches, channels = {}, 0
        for number in range(draw(st.integers(1, 3))):
            children, out = draw(_chain(shape, layers, layers, depth))
            branches[f"branch{number}"] = Sequential(**children, **_fitted(out, (out[0], *shape[1:])))
            channels += out[0]
        return Concat(**branches), (channels, *shape[1:])
    children, out = draw(_chain(shape, layers, layers, depth, inlines=steps and kind is Sequential))
    if kind is Sequential:
        return Sequential(**children), out
    if kind in (Gate, Residual, Dense, Difference) and draw(
        st.booleans()
    ):  # a shortcut of its own name, somewhere among the body
        body = [*{**children, **_fitted(out, shape)}.items()]
        own, end = draw(_chain(shape, layers, layers, 0))
        at = draw(st.integers(0, len(body)))
        shortcut = (draw(st.sampled_from(["proj", "downsample"])), Shortcut(Sequential(**own, **_fitted(end, shape))))
        marked = kind(**dict([*body[:at], shortcut, *body[at:]]))
        return marked, (2 * shape[0], *shape[1:]) if kind is Dense else shape
    if kind is Difference:
        return Difference(**children, **_fitted(out, shape)), shape
    if kind is Gate:
        wanted = draw(st.sampled_from([shape, (shape[0], 1, 1), (1, *shape[1:])]))
        return Gate(**children, **_fitted(out, wanted)), shape
    if kind is Collect:  # each child keeps the height and the width
        found, channels, before = {}, shape[0], shape
        for number in range(draw(st.integers(2, 3))):
            inner, after = draw(_chain(before, layers, layers, depth))
            before = (after[0], *shape[1:])
            found[f"part{number}"] = Sequential(**inner, **_fitted(after, before))
            channels += before[0]
        return Collect(**found), (channels, *shape[1:])
    if kind is Dense:
        return Dense(**children, **_fitted(out, (out[0], *shape[1:]))), (shape[0] + out[0], *shape[1:])
    if draw(st.booleans()):  # the body is brought to the shortcut, or the shortcut to the body
        children, out, shortcut = {**children, **_fitted(out, shape)}, shape, {}
    else:
        shortcut = _fitted(shape, out)
    tail, after = draw(_chain(out, layers, layers, 0))
    tail = {f"after_{name}": child for name, child in tail.items()}
    return Residual(**children, downsample=Sequential(**shortcut), **tail), after


@st.composite
def _inlined(draw, name: str, shape: Shape, layers: Layers, depth: int) -> tuple[Node, Shape]:
    """A join without a path of its own: its children have names that no other inlined one has."""
    kind = draw(st.sampled_from([Concat, Residual, Dense, Difference, Gate]))

    def chain(part: str, wanted: Shape | None = None) -> Chain:
        own, out = draw(_chain(shape, layers, layers, 0))
        fitted = _fitted(out, wanted or (out[0], *shape[1:]))
        out = wanted or (out[0], *shape[1:])
        children = {f"{name}{part}_{inner}": child for inner, child in {**own, **fitted}.items()}
        if depth and draw(st.booleans()):
            inner = f"{name}{part}_inner"
            children[inner], after = draw(_inlined(inner, out, layers, depth - 1))
            more = _fitted(after, wanted or after)
            children |= {f"{inner}_{own}": child for own, child in more.items()}
            out = wanted or after
        return children, out

    def branch(part: str, wanted: Shape | None = None) -> tuple[dict[str, Node], Shape]:
        children, out = chain(part, wanted)
        children = children or {f"{name}{part}_only": Identity()}
        last = [*children][-1]
        return {last: children[last] if len(children) == 1 else Inline(Sequential, **children)}, out

    if kind is Concat:
        branches = [branch(f"_{number}") for number in range(draw(st.integers(1, 3)))]
        whole = {inner: node for found, _ in branches for inner, node in found.items()}
        return Inline(Concat, **whole), (sum(out[0] for _, out in branches), *shape[1:])
    wanted = None if kind is Dense else shape
    children, out = chain("", wanted)
    behind = shape
    if draw(st.booleans()):
        found, behind = branch("_shortcut", wanted)
        ((own, shortcut),) = found.items()
        marked = {own: Shortcut(shortcut)}
        children = {**marked, **children} if draw(st.booleans()) else {**children, **marked}
    return Inline(kind, **children), (behind[0] + out[0], *shape[1:]) if kind is Dense else shape


@st.composite
def _stepped(draw, shape: Shape, layers: Layers, depth: int) -> tuple[Node, Shape]:
    """Two branches of which one may read a value in the other, run by turns, met, and perhaps handed to a block that
    takes two values and gives two."""
    one, out = draw(_chain(shape, layers, layers, depth, steps=True))
    left = Sequential(begin=Identity(), **one, end=Identity())
    inner = draw(st.sampled_from(["input", "left", "left.begin"]))
    read = out if inner == "left" else shape
    two, other = draw(_chain(read, layers, layers, 0))
    children: dict[str, Any] = {
        "left": left,
        "right": From(inner, Sequential(**two, **_fitted(other, out), end=Identity())),
    }
    names = ["left", "right", "left.end", "right.end"]
    if draw(st.booleans()):
        children["held"] = ModuleList(Sequential(conv=Conv2d(out[0], 1), act=ReLU()))
        children["a"], children["b"] = Run("held.0", "left"), Run("held.0", "right")
        names += ["a", "b", "b.conv"]
    if draw(st.booleans()):
        children["small"] = From("left", AdaptiveAvgPool2d(draw(st.integers(1, 4))))
        modes = st.sampled_from([(UpsampleLike, "nearest"), (UpsampleLike, "bilinear"), (PadLike, "constant")])
        kind, mode = draw(modes | st.just((PadLike, "replicate")))
        before = {"before": draw(st.none() | st.integers(0, 2))} if kind is PadLike else {}
        children["large"] = kind("small", "left", mode=mode, **before)
        names += ["large"]
    if draw(st.booleans()):
        pair = Sequential(
            x=From("input.1", Conv2d(out[0], 1)), y=Add("x", "input.0"), z=ReLU(), give=Outputs("y", "z", "input.1")
        )
        children["pair"], children["more"] = (
            From(*draw(st.lists(st.sampled_from(names), min_size=2, max_size=2)), pair),
            pair,
        )
        names += ["more.y", "more.1" if draw(st.booleans()) else "more.z"]
    meeting = draw(st.sampled_from([Add, Subtract, Multiply, Divide, Cat]))
    chosen = draw(st.lists(st.sampled_from(names), min_size=2, max_size=2))
    children["end"] = meeting(*chosen)
    return Sequential(**children), ((2 * out[0], *out[1:]) if meeting is Cat else out)


PARTS = st.sampled_from(
    [
        *(Conv2d(4, 1), Conv2d(2, 1), Conv2d(4, 1, bias=False), Conv2d(4, 3, padding=1), Conv2d(4, 5, padding=2)),
        *(Conv2d(4, 3, padding=1, groups=2), BatchNorm2d(), BatchNorm2d(), ReLU(), Identity(), ChannelShuffle(2)),
        Sequential(one=Conv2d(2, 1), norm=BatchNorm2d(), three=Conv2d(4, 3, padding=1), relu=ReLU()),
        Sequential(conv=Conv2d(4, 3, padding=1), norm=BatchNorm2d()),
        Gate(pool=AdaptiveAvgPool2d(1), conv=Conv2d(4, 1)),
        Residual(conv=Conv2d(4, 3, padding=1), norm=BatchNorm2d()),
        Dense(conv=Conv2d(4, 3, padding=1)),
    ]
)


@st.composite
def programs(draw, shape: Shape = (4, 6, 5), length: int = 9, depth: int = 1) -> Sequential:
    """A Sequential whose steps read any earlier values and run any earlier layers: whatever of random ones fits."""
    made = Sequential()
    for number in range(draw(st.integers(2, length))):
        nodes = {f"n{number}": draw(PARTS if not depth or draw(st.booleans()) else programs(shape, 4, depth - 1))}
        paths = ["input", *(path for path, _ in walk(made) if path)]
        one, two = (draw(st.sampled_from(paths)) for _ in range(2))
        (name, node), kind = *nodes.items(), draw(st.integers(0, 9))
        if kind == 0:
            nodes = {f"held{number}": ModuleList(node), name: Run(f"held{number}.0", one)}
        elif kind == 1:
            block = Sequential(x=From("input.1", node), y=Add("x", "input.0"), give=Outputs("y", "x"))
            nodes = {f"pair{number}": From(one, two, block), name: From(f"pair{number}.{'xy'[len(paths) % 2]}", node)}
        elif kind < 4:
            nodes[name] = draw(st.sampled_from([Add, Subtract, Multiply, Divide, Cat]))(one, two)
        elif kind < 6:
            nodes[name] = From(one, node)
        elif kind < 8:
            nodes[name] = Run(one, two)
        try:
            more = Sequential(**dict(made._said()), **nodes)
            calculate(more, shape)
        except ShapeError:
            continue
        made = more
    return made


def _fitted(shape: Shape, wanted: Shape) -> dict[str, Node]:
    """What brings maps of one shape to another."""
    pool = {"pool": AdaptiveAvgPool2d(wanted[1:])} if shape[1:] != wanted[1:] else {}
    return pool | ({"project": Conv2d(wanted[0], 1)} if shape[0] != wanted[0] else {})
