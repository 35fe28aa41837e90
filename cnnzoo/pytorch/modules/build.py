"""A description as an ordinary `torch.nn.Module`."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any, TypeAlias

import torch
from torch import nn

from ... import arch
from ...arch import (
    Aux,
    Collect,
    Concat,
    Dense,
    Difference,
    Foreign,
    Gate,
    Join,
    Layer,
    Meeting,
    ModuleList,
    Node,
    Outputs,
    Regions,
    Residual,
    Run,
    Sequential,
    Shape,
    ShapeError,
)
from ...arch.activations import may_overwrite
from ...arch.ends import head
from ...arch.node import place_of
from ...arch.steps import INPUT, Plan, Ref
from ...arch.walker import child_path
from ...calculate import calculate, names_of, sizes_of
from ...errors import InvalidTypeError
from ...plugins import load_plugins
from . import affine, detection, norms, parts, unused, windowed
from . import forwards as modules
from .init import Scheme, initialise
from .network import Ends, Network, Stepped
from .written import Writer, looks_of, written


def build(
    description: Node,
    input_size: Shape | Sequence[Shape],
    *,
    init: str | Scheme | None = "torch",
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    inplace: bool = False,
) -> nn.Module:
    """The description as a module for inputs of (N, *input_size), of several sizes for as many inputs; its state dict
    is `Report.tensors`.

    A chain is an `nn.Sequential`, a layer is torch.nn's own, the rest is in `modules`, with forwards written out as
    source. The module knows nothing of its description: what is done to it is all there is. `init` names a scheme or
    is one (`cnnzoo.pytorch.modules.init`); None leaves the parameters as the memory was. With `inplace` each ReLU
    and its like overwrites its input where nobody else reads that. Raises `ShapeError` where the input does not fit.
    """
    sizes = sizes_of(description, input_size)
    shapes = {row.path: row.input_shape for row in calculate(description, sizes).rows}
    with torch.device("meta"):
        net = _Building(description, shapes, inplace).network(description, len(sizes))
    affine.take_at_paths(net)
    if dtype is not None:
        net.to(dtype)
    target = torch.get_default_device() if device is None else torch.device(device)
    if target.type != "meta":
        net.to_empty(device=target)
        initialise(net, init)
    return net


class _Building:
    """Modules for the nodes of one description; what reaches each layer is known by its path."""

    def __init__(self, description: Node, shapes: Mapping[str, Shape], inplace: bool) -> None:
        self.shapes = shapes
        self.inplace = inplace
        self.looks = looks_of(description)

    def network(self, description: Node, inputs: int) -> nn.Module:
        """The whole network: a chain is one that knows where its features end."""
        if not isinstance(description, Sequential) or isinstance(description, Aux):
            return self.module("", description, own=False)
        children = self._children("", description, False)
        if description._plan is not None:
            ports = names_of(description, inputs)
            stepped: Any = written(Stepped, Writer(description, "", ports, self.looks, everything=True).program)
            whole: Stepped | Network = stepped(children)
        else:
            whole = Network(children).rewrite()
        ends = head(description)
        if ends is not None:
            features, read = (self.shapes[path] for path in ends)
            whole.ends = Ends(*ends, maps=len(read) == 3)
            whole.num_features, whole.head_hidden_size = features[0], read[0] if len(read) == 3 else read[-1]
        return whole

    def module(self, path: str, node: Node, own: bool) -> nn.Module:
        """`own`: what reaches it is a new tensor that nobody else reads or keeps."""
        base: Any = BLOCKS.get(type(node))
        if base is not None:
            assert isinstance(node, Join)
            children = self._children(path, node, own)
            if isinstance(node, Sequential) and node._plan is None and path not in self.looks:
                return nn.Sequential(children)
            cls = written(base, Writer(node, path, node._takes, self.looks).program)
            return self._made(path, lambda _, named: cls(named), node, children)
        make = _maker(type(node))
        if isinstance(node, Foreign):
            raise InvalidTypeError(
                f"at {path or 'the network itself'}: {node.operation} has no word here, so that nothing can build it: "
                f"the module that was described alone has it"
            )
        if make is None:
            raise InvalidTypeError(
                f"at {path}: build knows no module for {type(node).__name__}; add what makes one to "
                f"cnnzoo.pytorch.modules.build.MODULES, in a module that is an entry point of the group {PLUGINS!r}"
            )
        if isinstance(node, Join):
            return self._made(path, make, node, self._children(path, node, own))
        module = make(node, self.shapes.get(path, ()))
        if self.inplace and own and isinstance(node, Layer) and may_overwrite(node):
            module.inplace = True  # type: ignore[assignment]
        return module

    def _made(self, path: str, make: Make, node: Join, children: OrderedDict[str, Any]) -> nn.Module:
        try:
            return make(node, children)
        except KeyError as error:  # a name that another torch's modules have as an attribute
            raise ShapeError(f"torch {torch.__version__} refuses a child's name: {error.args[0]}", path) from None

    def _children(self, path: str, join: Join, own: bool) -> OrderedDict[str, Any]:
        """The modules of a join's children; None for a plain shortcut."""
        children: OrderedDict[str, Any] = OrderedDict()
        seen = {inner.partition(".")[0] for inner in self.looks.get(path, ())}
        for name, child, inside in _flows(join, own, seen):
            children[name] = None if join._is_plain(name, child) else self.module(child_path(path, name), child, inside)
        return children


def _flows(join: Join, own: bool, seen: Set[str]) -> Iterator[tuple[str, Node, bool]]:
    """Each child with a module, and whether what reaches it is a new tensor that nobody else reads or keeps; `seen` are
    the children whose values, or values in them, are read from around the join."""
    if isinstance(join, Sequential) and join._plan is not None:
        yield from _planned(join, join._plan, own, seen)
        return
    shared = {child.source for child in join if isinstance(child, Aux)} | seen
    own = own and isinstance(join, Sequential)
    for name, child in join.children:
        if isinstance(child, Aux) or isinstance(join, Collect | Concat | ModuleList):
            yield name, child, False
        elif name == join._shortcut:
            yield name, child, False
            own = name == join._meets  # a sum is a tensor of its own
        else:
            yield name, child, own
            own = name not in shared and _is_new(child)


def _planned(join: Sequential, plan: Plan, own: bool, seen: Set[str]) -> Iterator[tuple[str, Node, bool]]:
    readers = Counter(ref.source for step in plan.steps for ref in step.reads)
    readers.update(seen)
    readers.update([step.name for step in plan.steps if step.node._makes][-1:])  # which a head may read beside
    again = {step.layers.partition(".")[0] for step in plan.steps if step.layers}
    steps = {step.name: step for step in plan.steps}
    new = {step.name: not step.looks and not step.layers and _is_new(step.node) for step in plan.steps}
    new[INPUT] = own
    for name, child in join.children:
        if isinstance(child, Run | Outputs):
            continue
        if name not in steps:
            yield name, child, False
            continue
        step = steps[name]
        source = step.reads[0].source
        alone = len(step.reads) == 1 and step.reads[0] == Ref(source) and readers[source] == 1 and name not in again
        yield name, child, alone and new[source]


def _is_new(node: Node) -> bool:
    """Whether its output is a tensor of its own that autograd does not keep."""
    if isinstance(node, Layer):
        return not (node.is_view or node.keeps_output or may_overwrite(node))  # autograd keeps what is written over
    if not isinstance(node, Join):
        return isinstance(node, Meeting)
    inner = [(name, child) for name, child in node.children if not isinstance(child, Aux)]
    if inner and (isinstance(node, Sequential) or node._meets not in ("", inner[-1][0])):
        return _is_new(inner[-1][1])
    return not isinstance(node, Sequential)


Make: TypeAlias = Callable[[Any, Any], nn.Module]
"""From a layer and its input shape, or a join and its children by name, to the module."""


def _maker(kind: type[Node]) -> Make | None:
    """What makes the module of a kind; plugins are loaded where it is none of the package's own."""
    if kind not in MODULES:
        load_plugins(PLUGINS)
    return MODULES.get(kind)


def _aux(join: Aux, children: OrderedDict[str, nn.Module]) -> nn.Module:
    side = modules.Aux(children)
    side.source = join.source
    return side


def _channels(kind: Callable[..., nn.Module]) -> Make:
    """torch's module of the same settings, told its input channels."""
    return lambda layer, shape: kind(shape[0], **layer.settings)


def _features(kind: Callable[..., nn.Module]) -> Make:
    """torch's module of the same settings, told the length of its input's last dimension."""
    return lambda layer, shape: kind(shape[-1], **layer.settings)


def _same(kind: Callable[..., nn.Module]) -> Make:
    """torch's module of the same settings."""
    return lambda layer, shape: kind(**layer.settings)


def _layer_norm(kind: Callable[..., nn.Module]) -> Make:
    """torch's module, told the lengths of the dimensions that it normalises."""

    def make(layer: Any, shape: Shape) -> nn.Module:
        return kind(layer.normalized(shape), layer.eps, layer.elementwise_affine, layer.bias)

    return make


def _number(kind: Callable[..., nn.Module]) -> Make:
    """Our module of the same settings, told the shape of its parameter, and that by the side of its input."""
    return lambda layer, shape: kind(*layer.settings.values(), layer.own(shape), layer.view(shape))


def _group_norm(layer: arch.GroupNorm, shape: Shape) -> nn.Module:
    """torch's module, which only of late takes that it has no bias."""
    module = nn.GroupNorm(layer.num_groups, shape[0], layer.eps, layer.affine)
    if not layer.bias:
        module.register_parameter("bias", None)
    return module


def _l2_norm(layer: arch.L2Norm, shape: Shape) -> nn.Module:
    behind = len(shape) - 1 - place_of(layer, layer.dim, shape)
    return norms.L2Norm(layer.length(shape), behind, **layer.settings)


BLOCKS: dict[type[Node], type[modules.Join]] = {
    Sequential: modules.Sequential,
    Concat: modules.Concat,
    Residual: modules.Residual,
    Dense: modules.Dense,
    Difference: modules.Difference,
    Collect: modules.Collect,
    Gate: modules.Gate,
    Regions: detection.Regions,
}
"""The class of the module of each kind of join whose forward is written out from its flow."""

MODULES: dict[type[Node], Make] = {
    Aux: _aux,
    ModuleList: lambda _, children: modules.ModuleList(children),
    arch.Add: lambda meeting, _: modules.Add(),
    arch.Subtract: lambda meeting, _: modules.Subtract(),
    arch.Divide: lambda meeting, _: modules.Divide(),
    arch.Multiply: lambda meeting, _: modules.Multiply(),
    arch.MatMul: lambda meeting, _: modules.MatMul(),
    arch.Cat: _same(modules.Cat),
    arch.Stack: _same(modules.Stack),
    arch.UpsampleLike: _same(modules.UpsampleLike),
    arch.PadLike: _same(modules.PadLike),
    arch.RoIPool: _same(detection.RoIPool),
    arch.RoIPyramidPool: _same(detection.RoIPyramidPool),
    arch.RoIAlign: _same(detection.RoIAlign),
    arch.Resize: _same(detection.Resize),
    arch.SpatialPyramidPool: _same(detection.SpatialPyramidPool),
    arch.Conv1d: _channels(nn.Conv1d),
    arch.Conv2d: _channels(nn.Conv2d),
    arch.StdConv2d: _channels(windowed.StdConv2d),
    arch.ScaledStdConv2d: _channels(windowed.ScaledStdConv2d),
    arch.BlurPool2d: _channels(windowed.BlurPool2d),
    arch.ConvTranspose2d: _channels(nn.ConvTranspose2d),
    arch.Linear: _features(nn.Linear),
    arch.BatchNorm1d: _channels(nn.BatchNorm1d),
    arch.BatchNorm2d: _channels(nn.BatchNorm2d),
    arch.GroupNorm: _group_norm,
    arch.InstanceNorm2d: _channels(nn.InstanceNorm2d),
    arch.LayerNorm: _layer_norm(nn.LayerNorm),
    arch.RMSNorm: lambda layer, shape: nn.RMSNorm(layer.normalized(shape), layer.eps, layer.elementwise_affine),
    arch.LayerNorm2d: _layer_norm(modules.LayerNorm2d),
    arch.L2Norm: _l2_norm,
    arch.FilterResponseNormTlu2d: _channels(norms.FilterResponseNormTlu2d),
    arch.EvoNorm2dS0: _channels(norms.EvoNorm2dS0),
    arch.GlobalResponseNorm: lambda layer, shape: norms.GlobalResponseNorm(
        *layer.tensors(shape)["weight"], **layer.settings
    ),
    arch.LocalResponseNorm: _same(nn.LocalResponseNorm),
    arch.MaxPool2d: _same(nn.MaxPool2d),
    arch.AvgPool2d: _same(nn.AvgPool2d),
    arch.AdaptiveAvgPool2d: _same(nn.AdaptiveAvgPool2d),
    arch.AdaptiveMaxPool2d: _same(nn.AdaptiveMaxPool2d),
    arch.Mean: _same(parts.Mean),
    arch.Sum: _same(parts.Sum),
    arch.Var: _same(parts.Var),
    arch.Max: _same(parts.Max),
    arch.ZeroPad2d: _same(nn.ZeroPad2d),
    arch.ConstantPad2d: lambda layer, _: nn.ConstantPad2d(layer.padding, float(layer.value)),
    arch.ReplicationPad2d: _same(nn.ReplicationPad2d),
    arch.ReflectionPad2d: _same(nn.ReflectionPad2d),
    arch.SamePad2d: lambda layer, _: windowed.SamePad2d(layer.extent, layer.stride, float(layer.value)),
    arch.Upsample: _same(nn.Upsample),
    arch.PixelShuffle: _same(nn.PixelShuffle),
    arch.PixelUnshuffle: _same(nn.PixelUnshuffle),
    arch.ChannelShuffle: _same(nn.ChannelShuffle),
    arch.Permute: _same(modules.Permute),
    arch.Chunk: _same(parts.Chunk),
    arch.Slice: _same(parts.Slice),
    arch.Unflatten: _same(nn.Unflatten),
    arch.ReLU: _same(nn.ReLU),
    arch.Sigmoid: _same(nn.Sigmoid),
    arch.Tanh: _same(nn.Tanh),
    arch.Softmax: _same(nn.Softmax),
    arch.ReLU6: _same(nn.ReLU6),
    arch.Hardtanh: _same(nn.Hardtanh),
    arch.Hardsigmoid: _same(nn.Hardsigmoid),
    arch.Hardswish: _same(nn.Hardswish),
    arch.LeakyReLU: _same(nn.LeakyReLU),
    arch.PReLU: _same(nn.PReLU),
    arch.ELU: _same(nn.ELU),
    arch.SiLU: _same(nn.SiLU),
    arch.Mish: _same(nn.Mish),
    arch.GELU: _same(nn.GELU),
    arch.Dropout: _same(nn.Dropout),
    arch.Dropout2d: _same(nn.Dropout2d),
    arch.StochasticDepth: _same(modules.StochasticDepth),
    arch.Flatten: _same(nn.Flatten),
    arch.Identity: _same(nn.Identity),
    arch.Unused: lambda layer, _: unused.unused(
        dict(layer.parameters), dict(layer.buffer_tensors), layer.non_persistent
    ),
    arch.Square: _same(norms.Square),
    arch.Pow: _same(norms.Pow),
    arch.Scale: _number(affine.Scale),
    arch.Shift: _number(affine.Shift),
    arch.ScaledTanh: _same(modules.ScaledTanh),
    arch.ScaleShift: _same(modules.ScaleShift),
    arch.Subsampling2d: _channels(modules.Subsampling2d),
    arch.TableConv2d: _same(modules.TableConv2d),
    arch.RBF: _features(modules.RBF),
    arch.PadChannels: _channels(modules.PadChannels),
}
"""What makes the module of each kind of node; a package with a kind of its own adds to it."""

PLUGINS = "cnnzoo.modules"
"""The entry point group: each entry names a module that adds to `MODULES`; it is imported when something is built."""
