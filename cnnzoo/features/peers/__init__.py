"""What other tools print for a network, and why: a table of rules, which needs no torch.

A tool's number is a sum over the layers that run at inference, and its rule says for each kind of layer what that
layer adds. A kind that the rule does not name makes the number unknown: it is never a guess. Every rule is held
against the tool itself in `tests/test_peers.py`, with the versions of `constraints.txt`. For a module the tools
themselves are run, by `cnnzoo.pytorch.peers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import NamedTuple

from ...report import Report, Row

Count = Callable[[Row], int | None]
"""What a layer adds to a tool's number; None is unknown."""


class Tool(NamedTuple):
    """A row of the table: what the tool's number is, in words, and the sum that gives it."""

    name: str
    number: str
    """The number, as the tool calls it."""
    counts: str
    """What it is in truth."""
    why: str
    rule: Mapping[str, Count]
    """What a layer adds, by its kind."""
    ours: Callable[[Report], int | None] = lambda report: report.total_macs
    """The figure here that it is to be held against; None is unknown."""
    obstacle: Callable[[Report], str | None] = lambda report: None
    """Why the number is unknown for the whole network, whatever its layers."""


class PeerNumber(NamedTuple):
    """A tool's number for one network; `figure` is None where there is none, and `why` says then what is in the way."""

    tool: str
    number: str
    counts: str
    figure: int | None
    """What the tool prints: by its rule or, for a module, as the tool said when it was run."""
    by_rule: int | None
    """The same as its rule gives it; None is unknown."""
    ours: int | None
    relative: float | None
    """figure / ours."""
    why: str


def peer_numbers(report: Report, said: Mapping[str, int | str] | None = None) -> list[PeerNumber]:
    """The numbers of all `TOOLS` for a network, per sample.

    `said` has by its name what a tool that was run said of the module, or why it said nothing; other tools' numbers
    are what their rules make of the report.
    """
    return [_number(tool, report, said or {}) for tool in TOOLS]


def _number(tool: Tool, report: Report, said: Mapping[str, int | str]) -> PeerNumber:
    by_rule = _by_rule(tool, report)
    found = said.get(tool.name, by_rule)
    figure, why = (None, found) if isinstance(found, str) else (found, tool.why)
    ours = tool.ours(report)
    return PeerNumber(
        tool.name,
        tool.number,
        tool.counts,
        figure,
        None if isinstance(by_rule, str) else by_rule,
        ours,
        figure / ours if ours and figure is not None else None,
        why,
    )


def _by_rule(tool: Tool, report: Report) -> int | str:
    """The sum, or why it is unknown."""
    obstacle = tool.obstacle(report)
    if obstacle is not None:
        return f"Unknown: {obstacle}."
    counts = [(row, _count(tool, row)) for row in report.rows if not row.aux]
    unruled = sorted({row.kind for row, count in counts if count is None})
    if unruled:
        return f"Unknown: there is no rule for its {', '.join(unruled)}."
    return sum(count for _, count in counts if count)


def _count(tool: Tool, row: Row) -> int | None:
    """What a layer adds; unknown for one that a measurement did not see called."""
    return tool.rule.get(row.kind, unknown)(row) if row.call else None


# What a layer can add


def unknown(row: Row) -> None:
    return None


def nothing(row: Row) -> int:
    return 0


def macs(row: Row) -> int | None:
    return row.macs


def inputs(row: Row) -> int:
    return prod(row.input_shape)


def outputs(row: Row) -> int:
    return prod(row.output_shape)


def params(row: Row) -> int | None:
    return row.params


def elements(row: Row) -> int | None:
    """Of its parameters, in every call of the layer."""
    return None if row.params is None else sum(map(prod, row.tensors.values()))


def macs_and_biases(row: Row) -> int | None:
    """Each output's bias is one more."""
    return None if row.macs is None else row.macs + (outputs(row) if "bias" in row.tensors else 0)


def elements_everywhere(row: Row) -> int | None:
    """Every parameter once at every position of the output."""
    held = elements(row)
    return None if held is None else held * prod(row.output_shape[1:])


def doubled(count: Callable[[Row], int]) -> Count:
    return lambda row: 2 * count(row)


def scale_and_shift(row: Row) -> int:
    """Of a batch norm, two for an element, or one where it has no parameters."""
    return (2 if row.tensors else 1) * inputs(row)


def traced_norm(row: Row) -> int:
    """Without running statistics a batch norm computes them as in training, which is five for an element, or four."""
    return scale_and_shift(row) if row.buffer_tensors else traced_layer_norm(row)


def traced_layer_norm(row: Row) -> int:
    """Five for an element, or four."""
    return (5 if row.tensors else 4) * inputs(row)


def traced_macs(row: Row) -> int | None:
    """padding="same" is another operator in a trace, and nothing to fvcore."""
    return 0 if isinstance(row.settings.get("padding"), str) else row.macs


def pooled(row: Row) -> int:
    """In floating point, cut off, as thop computes it: for each output its share of the input and one division."""
    share = prod(given / made for given, made in zip(row.input_shape[-2:], row.output_shape[-2:], strict=True))
    return int((share + 1) * outputs(row))


def params_and_statistics(row: Row) -> int | None:
    """A batch norm of Keras has them always."""
    return None if row.params is None else row.params + (2 * row.input_shape[0] if row.call == 1 else 0)


def params_and_bias(row: Row) -> int | None:
    """With a bias for each output channel, whether there is one here or not."""
    return None if row.weights is None else row.weights + (row.output_shape[0] if row.call == 1 else 0)


def each(count: Count, *kinds: str) -> dict[str, Count]:
    return dict.fromkeys(kinds, count)


SHAPING = {
    **each(nothing, "Flatten", "Unflatten", "Chunk", "Slice", "ChannelShuffle", "Dropout", "StochasticDepth"),
    **each(nothing, "Identity", "PadChannels", "Permute", "ScaleShift"),
}
MEETING = each(nothing, "add", "cat", "mul", "Add", "Cat", "Multiply")
REDUCTIONS = each(nothing, "Mean", "Max")
SQUASHING = each(nothing, "Tanh", "ScaledTanh", "Sigmoid", "Hardsigmoid", "Hardswish")
BENT = ("ReLU6", "LeakyReLU", "SiLU")
ACTIVATIONS = {**SQUASHING, **each(nothing, "ReLU", "GELU", *BENT)}
BATCH_NORMS = ("BatchNorm1d", "BatchNorm2d")
LAYER_NORMS = ("LayerNorm", "LayerNorm2d")
SCALING = ("Scale", "GlobalResponseNorm")
POOLS = ("MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d")
NOT_MULTIPLYING = {
    **SHAPING,
    **MEETING,
    **REDUCTIONS,
    **ACTIVATIONS,
    **each(nothing, *POOLS, *BATCH_NORMS, *LAYER_NORMS, *SCALING),
    **each(nothing, "LocalResponseNorm", "Softmax", "Subsampling2d", "RBF"),
}
"""Layers that are no convolution and no linear layer: nothing to whoever counts only those."""


KERAS = {
    **NOT_MULTIPLYING,
    **each(unknown, "Subsampling2d", "RBF", "ScaledTanh", *LAYER_NORMS, *SCALING),
    **each(params, "Conv1d", "Conv2d", "ConvTranspose2d", "Linear"),
    **each(params_and_statistics, *BATCH_NORMS),
}

KERAS_RESNETS = tuple(f"resnet{depth}{version}" for depth in (50, 101, 152) for version in ("", "_v1"))
"""Those of keras.applications by our names; where the stride is (in Keras as in v1) no parameter shows."""


def heads(report: Report) -> str | None:
    return "auxiliary heads count where they are built" if report.aux_params else None


def no_keras_resnet(report: Report) -> str | None:
    return None if report.model in KERAS_RESNETS else f"it has only {', '.join(KERAS_RESNETS[::2])}"


TOOLS = (
    Tool(
        "fvcore",
        "flops, eval mode",
        "MACs + 2 x batch norm + adaptive pool input",
        "A fused multiply-add is one flop; batch norm is two for an element, other norms are five, adaptive pooling is "
        "one for an input; what it has no rule for is nothing: biases, activations, other pooling, fused attention.",
        {
            **NOT_MULTIPLYING,
            **each(traced_macs, "Conv1d", "Conv2d"),
            **each(macs, "ConvTranspose2d", "Linear", "TableConv2d"),
            **each(traced_norm, *BATCH_NORMS),
            **each(traced_layer_norm, *LAYER_NORMS),
            "AdaptiveAvgPool2d": inputs,
        },
    ),
    Tool(
        "ptflops, aten backend",
        "MACs",
        "MACs + biases",
        "It sees convolutions and matrix products as torch dispatches them, and adds one for every output with a bias "
        "that is added in the same step.",
        {
            **NOT_MULTIPLYING,
            **each(macs_and_biases, "Conv1d", "Conv2d", "ConvTranspose2d", "Linear"),
            "TableConv2d": macs,
        },
    ),
    Tool(
        "ptflops",
        "MACs",
        "MACs + biases + 2 x batch norm + 2 x ReLU + 2 x pool input",
        "It hooks modules and patches functions, so that each ReLU, GELU and pool is counted by its module and once "
        "more by the function that the module calls, ReLU6, LeakyReLU and SiLU once; F.conv2d, F.linear and @ are "
        "nothing.",
        {
            **SHAPING,
            **MEETING,
            **REDUCTIONS,
            **SQUASHING,
            **each(macs_and_biases, "Conv1d", "Conv2d", "ConvTranspose2d", "Linear"),
            **each(nothing, "LayerNorm2d", *SCALING),
            **each(scale_and_shift, *BATCH_NORMS),
            **each(doubled(inputs), "ReLU", "GELU", *POOLS),
            "LayerNorm": inputs,
            **each(inputs, *BENT),
        },
    ),
    Tool(
        "thop",
        "MACs",
        "MACs + 4 x batch norm + average pool",
        "Batch and layer norm are four for an element though it is called MACs, average pooling one for an output, "
        "adaptive pooling one for an input and an output; a function, and a module without a rule, is nothing.",
        {
            **NOT_MULTIPLYING,
            **each(macs, "Conv1d", "Conv2d", "Linear"),
            "TableConv2d": nothing,
            **each(doubled(scale_and_shift), *BATCH_NORMS, "LayerNorm"),
            "AvgPool2d": outputs,
            "AdaptiveAvgPool2d": pooled,
            "Softmax": unknown,
        },
    ),
    Tool(
        "torchinfo",
        "mult-adds",
        "MACs + biases + parameters of batch norms",
        "It multiplies a convolution's parameters, biases too, by the positions of its output, and counts the other "
        "parameters of modules once; a function is nothing.",
        {
            **each(elements, *NOT_MULTIPLYING, "Linear"),
            **each(elements_everywhere, "Conv1d", "Conv2d", "ConvTranspose2d", "TableConv2d"),
        },
    ),
    Tool(
        "torchvision",
        "_ops, labelled GFLOPS",
        "MACs, in units of 10^9",
        "The label says GFLOPS, the number is GMACs: half of what torch.utils.flop_counter counts.",
        {**NOT_MULTIPLYING, **each(macs, "Conv1d", "Conv2d", "ConvTranspose2d", "Linear", "TableConv2d")},
    ),
    Tool(
        "Keras",
        "parameters",
        "parameters + running statistics",
        "The mean and the variance that a batch norm keeps are weights in Keras, though not trainable ones.",
        KERAS,
        lambda report: report.total_params,
        heads,
    ),
    Tool(
        "keras.applications.resnet",
        "parameters",
        "parameters + running statistics + biases of convolutions",
        "Its convolutions, unlike the paper's and torchvision's, have biases, though a batch norm follows each.",
        {**KERAS, **each(params_and_bias, "Conv1d", "Conv2d")},
        lambda report: report.total_params,
        no_keras_resnet,
    ),
)
"""Every tool, in the order of the table that `cnnzoo peers` prints."""
