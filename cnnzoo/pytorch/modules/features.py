"""Maps from inside a network: which there are follows from its description, as timm's `features_only` has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from torch import Tensor, nn

from ... import arch
from ...arch import Aux, Node, Shape, find, walk
from ...arch.ends import head
from ...arch.node import pair
from ...arch.walker import child_path
from ...calculate import calculate
from ...errors import InvalidValueError
from ...report import Report, Row
from ...words import is_in
from .affine import take_at_paths
from .network import Checkpointing, Located, Network

Indices = int | Sequence[int] | None


class FeatureInfo:
    """What each map of a network is: its channels, its reduction (input pixels from one position to the
    next) and the module that makes it; the methods are timm's.

    The maps are the last ones at each effective stride, up to the pooling before the classifier, and where a
    stride was replaced by a dilation, at each dilation. A block is not looked into, nor is a Sequential that reads by
    name or in which the stride changes only once, such as a stage or a transition: what counts is its output.
    `out_indices` are those that are returned, all by default, in the network's order; a number alone is so many of the
    last. ValueError where the
    description is no Sequential or reads by name, or an index is none.
    """

    def __init__(self, description: Node, input_size: Shape, out_indices: Indices = None) -> None:
        if not isinstance(description, arch.Sequential):
            raise InvalidValueError(f"features are taken from a Sequential, got a {type(description).__name__}")
        if description._plan is not None:
            raise InvalidValueError(
                "features are taken from what runs one after the other; of a network whose steps read by name, end "
                'the description in Outputs("layer1", "layer2.1") for its values at these paths'
            )
        report = calculate(description, input_size)
        ends = head(description) if any(row.pools for row in report.rows) else None
        last: dict[tuple[Any, int], Row] = {}
        self.steps: list[str] = []
        """The paths of the modules that run, one after the other, up to the last map that is returned."""
        dilation = 1
        for row in _steps(description, report):
            classifies = ends is not None and is_in(ends[1], row.path)
            if row.pools or classifies or len(row.output_shape) != 3:
                break
            self.steps.append(row.path)
            dilation = max(dilation, _dilation(find(description, row.path)))
            last[row.effective_stride, dilation] = row
        self.info = [
            {"num_chs": row.output_shape[0], "reduction": stride, "module": row.path, "index": index}
            for index, ((stride, _), row) in enumerate(last.items())
        ]
        count = len(self.info)
        if not count:
            raise InvalidValueError("features are maps, (channels, height, width), and the network has no maps")
        chosen: Sequence[int] = range(count) if out_indices is None else ()
        if isinstance(out_indices, int):
            chosen = range(-out_indices, 0)
        elif out_indices is not None:
            chosen = out_indices
        for index in chosen:
            if not -count <= index < count:
                raise InvalidValueError(f"out_indices: there is no map {index}; the network has {count}, from 0")
        self.out_indices = sorted({index % count for index in chosen})
        if not self.out_indices:
            raise InvalidValueError("out_indices: at least one map must be asked for")
        del self.steps[self.steps.index(self.module_name()[-1]) + 1 :]

    def channels(self, idx: Indices = None) -> Any:
        """The channels of the returned maps, or of those of `idx`."""
        return self._get("num_chs", idx)

    def reduction(self, idx: Indices = None) -> Any:
        """The effective strides of the returned maps, or of those of `idx`."""
        return self._get("reduction", idx)

    def module_name(self, idx: Indices = None) -> Any:
        """The paths of the modules that make the returned maps, or those of `idx`."""
        return self._get("module", idx)

    def get_dicts(self, keys: Sequence[str] | None = None, idx: Indices = None) -> list[dict[str, Any]]:
        """The returned maps, or those of `idx`, as dicts of "num_chs", "reduction", "module" and "index"."""
        chosen = self.out_indices if idx is None else [idx] if isinstance(idx, int) else idx
        return [{key: self.info[one][key] for key in keys or self.info[one]} for one in chosen]

    def _get(self, key: str, idx: Indices) -> Any:
        found = [one[key] for one in self.get_dicts([key], idx)]
        return found[0] if isinstance(idx, int) else found

    def __len__(self) -> int:
        return len(self.info)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.info[index]


def _steps(join: arch.Sequential, report: Report) -> Iterator[Row]:
    """What a network runs one after the other, blocks and stages as one."""
    rows = {row.path: row for row in (*report.rows, *report.blocks)}
    before: Any = 1

    def run(join: arch.Sequential, path: str) -> Iterator[Row]:
        nonlocal before
        for name, child in join.children:
            inner = child_path(path, name)
            strides = {row.effective_stride for row in report.rows if row.path.startswith(f"{inner}.")}
            if isinstance(child, Aux):
                continue
            if isinstance(child, arch.Sequential) and child._plan is None and len(strides | {before}) > 2:
                yield from run(child, inner)
            elif inner in rows:
                before = rows[inner].effective_stride
                yield rows[inner]

    return run(join, "")


def _dilation(node: Node) -> int:
    """The widest of its convolutions."""
    convs = (layer for _, layer in walk(node) if isinstance(layer, arch.Conv2d))
    return max((max(pair(layer.dilation)) for layer in convs), default=1)


class Features(Checkpointing):
    """A network's maps as a list; `feature_info` says what they are.

    Its children are the network's own under their own names, up to the last map, so its tensors are named
    as the network's.
    """

    def __init__(self, net: nn.Module, info: FeatureInfo) -> None:
        super().__init__()
        self.feature_info = info
        self.steps = tuple(info.steps)
        self.taps = frozenset(info.module_name())
        for path in self.steps:
            *parents, name = path.split(".")
            holder: nn.Module = self
            for parent in parents:
                if parent not in holder._modules:
                    holder.add_module(parent, nn.Sequential())
                holder = holder.get_submodule(parent)
            holder.add_module(name, net.get_submodule(path))
        take_at_paths(self)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for path in self.steps:
            x = self.get_submodule(path)(x)
            if path in self.taps:
                maps.append(x)
        return maps


def introduced(
    net: nn.Module, description: Node, input_size: Shape, config: Mapping[str, Any], outputs: Mapping[str, str] | None
) -> nn.Module:
    """A network that says of itself what timm's models do: `feature_info`, and in `pretrained_cfg` and `default_cfg`
    the `config` of its weights with the input's size, the number of classes and the paths of the first convolution
    and the classifier. `outputs` are the fields that it returns in training, by head."""
    convs = (path for path, node in walk(description) if isinstance(node, arch.Conv2d))
    config = {**config, "input_size": input_size, "first_conv": next(convs, None)}
    if isinstance(net, Network):
        if net.ends:
            config |= {"classifier": net.ends.classifier, "num_classes": net.num_classes}
        with suppress(ValueError):  # where it has no maps
            net.feature_info = FeatureInfo(description, input_size)
    if isinstance(net, Located):
        net.outputs = outputs
    whole: Any = net
    whole.pretrained_cfg = whole.default_cfg = config
    return net
