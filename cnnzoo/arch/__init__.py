"""The vocabulary of architectures: layers, joins, and edits on descriptions; standard library only."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .activations import (
    ELU,
    GELU,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    Mish,
    Pow,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Square,
    Tanh,
)
from .axes import Axis, Phases, Span, Window
from .edit import Change, PathError, diff, find, remove, replace, rewrite, walk
from .historical import RBF, LocalResponseNorm, PadChannels, ScaledTanh, ScaleShift, Subsampling2d, TableConv2d
from .inline import Inline
from .join import Flow, Join
from .joins import Collect, Concat, Dense, Difference, Gate, Residual
from .layers import Conv2d, ConvTranspose2d, Dropout, Dropout2d, Flatten, Identity, Linear, StochasticDepth
from .meetings import Add, Cat, Divide, MatMul, Meeting, Multiply, PadLike, Stack, Subtract, UpsampleLike
from .node import Kept, Layer, Node, Work, layer
from .norms import (
    BatchNorm1d,
    BatchNorm2d,
    GlobalResponseNorm,
    GroupNorm,
    InstanceNorm2d,
    L2Norm,
    LayerNorm,
    LayerNorm2d,
    RMSNorm,
)
from .pooling import AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, MaxPool2d
from .sequential import Aux, ModuleList, Sequential
from .shaping import ChannelShuffle, Permute, PixelShuffle, PixelUnshuffle, Unflatten, Upsample
from .shortcut import Shortcut
from .signal import Shape, ShapeError, Signal
from .steps import From, Outputs, Run, Several

if TYPE_CHECKING:
    from .affine import Scale, Shift
    from .convolutions import BlurPool2d, Conv1d, ScaledStdConv2d, StdConv2d
    from .detection import Regions, Resize, RoIAlign, RoIPool, RoIPyramidPool, SpatialPyramidPool
    from .folding import fold
    from .foreign import Foreign
    from .norm_activations import EvoNorm2dS0, FilterResponseNormTlu2d
    from .padding import ConstantPad2d, ReflectionPad2d, ReplicationPad2d, SamePad2d, ZeroPad2d
    from .parts import Chunk, Slice
    from .reductions import Max, Mean, Sum, Var
    from .serial import FormatError, dumps, from_dict, loads, to_dict
    from .unused import Unused

_LATER = {
    "affine": ("Scale", "Shift"),
    "convolutions": ("BlurPool2d", "Conv1d", "ScaledStdConv2d", "StdConv2d"),
    "detection": ("Regions", "Resize", "RoIAlign", "RoIPool", "RoIPyramidPool", "SpatialPyramidPool"),
    "folding": ("fold",),
    "foreign": ("Foreign",),
    "norm_activations": ("EvoNorm2dS0", "FilterResponseNormTlu2d"),
    "padding": ("ConstantPad2d", "ReflectionPad2d", "ReplicationPad2d", "SamePad2d", "ZeroPad2d"),
    "parts": ("Chunk", "Slice"),
    "reductions": ("Max", "Mean", "Sum", "Var"),
    "serial": ("FormatError", "dumps", "from_dict", "loads", "to_dict"),
    "unused": ("Unused",),
}
"""Words by the modules in which they stand that are imported when a word of them is first asked for: what no registered
network says, and what most commands do without."""

_HOMES = {name: module for module, names in _LATER.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


__all__ = [
    "ELU",
    "GELU",
    "RBF",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "Add",
    "Aux",
    "AvgPool2d",
    "Axis",
    "BatchNorm1d",
    "BatchNorm2d",
    "BlurPool2d",
    "Cat",
    "Change",
    "ChannelShuffle",
    "Chunk",
    "Collect",
    "Concat",
    "ConstantPad2d",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "Dense",
    "Difference",
    "Divide",
    "Dropout",
    "Dropout2d",
    "EvoNorm2dS0",
    "FilterResponseNormTlu2d",
    "Flatten",
    "Flow",
    "Foreign",
    "FormatError",
    "From",
    "Gate",
    "GlobalResponseNorm",
    "GroupNorm",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "Inline",
    "InstanceNorm2d",
    "Join",
    "Kept",
    "L2Norm",
    "Layer",
    "LayerNorm",
    "LayerNorm2d",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "MatMul",
    "Max",
    "MaxPool2d",
    "Mean",
    "Meeting",
    "Mish",
    "ModuleList",
    "Multiply",
    "Node",
    "Outputs",
    "PReLU",
    "PadChannels",
    "PadLike",
    "PathError",
    "Permute",
    "Phases",
    "PixelShuffle",
    "PixelUnshuffle",
    "Pow",
    "RMSNorm",
    "ReLU",
    "ReLU6",
    "ReflectionPad2d",
    "Regions",
    "ReplicationPad2d",
    "Residual",
    "Resize",
    "RoIAlign",
    "RoIPool",
    "RoIPyramidPool",
    "Run",
    "SamePad2d",
    "Scale",
    "ScaleShift",
    "ScaledStdConv2d",
    "ScaledTanh",
    "Sequential",
    "Several",
    "Shape",
    "ShapeError",
    "Shift",
    "Shortcut",
    "SiLU",
    "Sigmoid",
    "Signal",
    "Slice",
    "Softmax",
    "Span",
    "SpatialPyramidPool",
    "Square",
    "Stack",
    "StdConv2d",
    "StochasticDepth",
    "Subsampling2d",
    "Subtract",
    "Sum",
    "TableConv2d",
    "Tanh",
    "Unflatten",
    "Unused",
    "Upsample",
    "UpsampleLike",
    "Var",
    "Window",
    "Work",
    "ZeroPad2d",
    "diff",
    "dumps",
    "find",
    "fold",
    "from_dict",
    "layer",
    "loads",
    "remove",
    "replace",
    "rewrite",
    "to_dict",
    "walk",
]
